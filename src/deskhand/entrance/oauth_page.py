"""The page on which an administrator lets a program act as an agent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deskhand.db.engine import Reader, Writer
from deskhand.desk.users import queries as users
from deskhand.desk.users.queries import UserRow
from deskhand.entrance.mcp import Parts
from deskhand.entrance.oauth import AUTHORIZE_PATH, OAuthError, is_loopback, is_registered, parameters, require_resource
from deskhand.gateway import agents, mcp_clients
from deskhand.gateway.agents import AgentRow
from deskhand.gateway.audit import By, Named
from deskhand.gateway.mcp_clients import Client
from deskhand.oauth import sessions
from deskhand.oauth.confirm_page import asked_first, is_confirmed
from deskhand.oauth.pages import ExpiredForm, Refusal, guarded, page, read_form, redirect, sign_in_path
from deskhand.oauth.sessions import SignedIn

_ADMINISTRATORS = ("owner", "admin")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a program asks for; `state` goes back to it as it came, None where none was sent."""

    client: Client
    redirect_uri: str
    challenge: str
    state: str | None
    path: str

    def answer_url(self, base_url: str, **answer: str) -> str:
        """The program's address with an answer to it, which says who gives it (RFC 9207)."""
        given = answer | ({} if self.state is None else {"state": self.state}) | {"iss": base_url}
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode(given, quote_via=quote)}"


class _There(msgspec.Struct, frozen=True):
    """Who is asked, and which agents there are."""

    signed_in: SignedIn
    user: UserRow
    agents: list[AgentRow]


class AuthorizePage:
    """`/mcp/oauth/authorize`: asks an administrator which agent a program shall be."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def routes(self) -> list[Route]:
        """Its web addresses."""
        return [
            Route(AUTHORIZE_PATH, guarded(self.show)),
            Route(AUTHORIZE_PATH, guarded(self.decide), methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The question; who is not signed in does that first."""
        asked = await self._asked(request)
        there = await self._there(request)
        if there is None:
            return redirect(sign_in_path(asked.path))
        if not await is_confirmed(self._parts.database, self._parts.clock, there.signed_in):
            return asked_first(asked.path)
        user = there.user
        return page(
            "approve-agent.html",
            # The program's page may send the person on, and browsers hold the whole way to this rule.
            form_targets="'self' http: https:",
            client=asked.client.name,
            name=f"{user.first_name} {user.last_name}".strip() or user.email,
            email=user.email,
            destination=urlsplit(asked.redirect_uri).netloc,
            local=is_loopback(asked.redirect_uri),
            agents=there.agents,
            csrf=there.signed_in.csrf_token,
            path=asked.path,
        )

    async def decide(self, request: Request) -> Response:
        """The person's answer, carried back to the program."""
        form = await read_form(request)
        asked = await self._asked(request)
        there = await self._there(request)
        if there is None:
            return redirect(sign_in_path(asked.path))
        if not sessions.is_own_form(request, there.signed_in.csrf_token, form.get("csrf")):
            raise ExpiredForm
        base_url = self._parts.base_url
        if form.get("decision") != "approve":
            return redirect(asked.answer_url(base_url, error="access_denied"), 302)
        chosen = next((one for one in there.agents if str(one.id) == form.get("agent")), None)
        if chosen is None:
            raise Refusal(400, "No agent chosen", "Go back and choose the agent that the program shall be.")
        if not await is_confirmed(self._parts.database, self._parts.clock, there.signed_in):
            return asked_first(asked.path)
        code = await self._parts.database.write(lambda tx: self._let_in(tx, asked, there, chosen))
        return redirect(asked.answer_url(base_url, code=code), 302)

    def _let_in(self, tx: Writer, asked: _Asked, there: _There, chosen: AgentRow) -> str:
        account_id, now = chosen.account_id, self._parts.clock.now()
        agents.hold(tx, account_id, chosen.id)
        made = mcp_clients.issue_code(
            tx, account_id, chosen.id, asked.client.client_id, asked.redirect_uri, asked.challenge, now
        )
        name = f"{there.user.first_name} {there.user.last_name}".strip() or there.user.email
        where = urlsplit(asked.redirect_uri).netloc
        self._parts.audit.admin(
            tx, account_id, By("user", there.user.id),
            f"{name} let the program {asked.client.name} ({where}) act as {chosen.name}",
            {"client_id": asked.client.client_id, "redirect_uri": asked.redirect_uri},
            agent=Named(chosen.id, chosen.name),
        )  # fmt: skip
        return made

    async def _asked(self, request: Request) -> _Asked:
        """Read from the address, also of a sent form. Faults are told here: no program is trusted with them yet."""
        query: bytes = request.scope["query_string"]
        try:
            given = parameters(query)
            client_id, redirect_uri = given.get("client_id", ""), given.get("redirect_uri", "")
            client = await self._parts.database.read(lambda db: mcp_clients.by_client_id(db, client_id))
            if client is None:
                raise OAuthError("invalid_client", "The program is not known here. Let it connect anew.")
            if not is_registered(redirect_uri, client.redirect_uris):
                raise OAuthError("invalid_request", "The program asks to send you to an address it did not register.")
            if given.get("response_type") != "code":
                raise OAuthError("unsupported_response_type", "The program asks for something else than a code.")
            challenge = given.get("code_challenge", "")
            if given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
                raise OAuthError("invalid_request", "The program does not protect its request by PKCE with S256.")
            require_resource(given.get("resource"), self._parts.base_url)
        except OAuthError as error:
            raise Refusal(400, "This request can't be answered", error.content["error_description"]) from None
        path = f"{AUTHORIZE_PATH}?{query.decode('ascii', 'replace')}"
        return _Asked(client, redirect_uri, challenge, given.get("state"), path)

    async def _there(self, request: Request) -> _There | None:
        """Who is signed in; raises Refusal for who may not decide about agents."""
        signed_in = await sessions.current(request, self._parts.database, self._parts.clock)
        if signed_in is None:
            return None
        account_id = signed_in.account_id

        def read(db: Reader) -> tuple[UserRow | None, list[AgentRow]]:
            return users.by_id(db, account_id, signed_in.user_id), agents.living(db, account_id)

        user, found = await self._parts.database.read(read)
        if user is None or user.role not in _ADMINISTRATORS:
            raise Refusal(
                403, "For administrators", "Only an owner or an administrator of the account can decide about agents."
            )
        return _There(signed_in, user, found)
