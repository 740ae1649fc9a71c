"""Signing in by an OpenID provider, or showing by it that it is still the same: to it, and back from it.

What must come back, and what must stay here, waits in a sealed cookie of the browser that began.
"""

from __future__ import annotations

import hmac
import logging
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from deskhand.db.engine import Writer
from deskhand.desk.users import queries as users
from deskhand.desk.users.queries import UserRow
from deskhand.lib.clock import to_wire
from deskhand.lib.sealing import SealingError
from deskhand.oauth import entering, identities, kept_form, pages, sessions, throttle
from deskhand.oauth.identities import Known
from deskhand.oauth.oidc import Identity, Provider, ProviderError
from deskhand.oauth.pages import ExpiredForm, Refusal, own_path, page, read_form, redirect, sign_in_path
from deskhand.oauth.parts import Parts
from deskhand.oauth.sessions import SignedIn

log = logging.getLogger("deskhand.oauth")

COOKIE = "deskhand_oidc"
LIFE_S = 600
_FOLDER = pages.PROVIDER_PATH
_CODE_MOST = 4_000


class _Waiting(msgspec.Struct, frozen=True):
    """A sign-in that is under way, until `until` (seconds since 1970); it began at `at` by the provider's clock.

    `session_id` is the session whose user shall show that it is them; None: there is none yet.
    """

    until: int
    state: str
    nonce: str
    verifier: str
    wanted: str
    at: int
    session_id: int | None = None


class _Choice(msgspec.Struct, frozen=True):
    """Somebody who is known in several accounts and has yet to choose one: pairs of account and user.

    `confirmed`: they have just signed in at the provider, and were not only let pass.
    """

    until: int
    who: list[tuple[int, int]]
    wanted: str
    confirmed: bool


S = TypeVar("S", bound=msgspec.Struct)


class ByProvider:
    """`/sign-in/oidc`, its `/callback`, and `/account` for those with several accounts."""

    def __init__(self, parts: Parts, provider: Provider) -> None:
        self._parts = parts
        self._provider = provider

    async def begin(self, request: Request) -> Response:
        """Off to the provider."""
        wanted = own_path(request.query_params.get("next"))
        if await sessions.current(request, self._parts.database, self._parts.clock):
            return redirect(wanted)
        return await self._send(request, wanted)

    async def begin_again(self, request: Request) -> Response:
        """Off to the provider, to sign in there although one is signed in: whoever sits here may be somebody else."""
        wanted = own_path(request.query_params.get("next"))
        signed_in = await sessions.current(request, self._parts.database, self._parts.clock)
        if signed_in is None:
            return redirect(sign_in_path(wanted))
        user = await self._user(signed_in)
        return await self._send(request, wanted, signed_in.session_id, (user.email if user else "") or " ")

    async def _send(self, request: Request, wanted: str, session_id: int | None = None, anew: str = "") -> Response:
        attempt = await self._attempt(request)
        try:
            begun = await self._provider.begin(anew)
        except ProviderError as problem:
            raise self._failed(problem) from None
        await self._parts.database.write(attempt.succeed)
        response = redirect(begun.url)
        kept = begun.state, begun.nonce, begun.verifier, wanted, begun.at, session_id
        self._keep(response, _Waiting(self._until(), *kept))
        return response

    async def back(self, request: Request) -> Response:
        """Back from the provider, with a code or with a refusal."""
        waiting, query = self._kept(request, _Waiting), request.query_params
        if waiting is None or not hmac.compare_digest(waiting.state.encode(), query.get("state", "").encode()):
            raise Refusal(
                400,
                "This took too long",
                "It was begun more than ten minutes ago, or in another browser. Please try again.",
                ("Sign in", pages.SIGN_IN_PATH),
            )
        code = query.get("code", "")
        if query.get("iss", self._provider.settings.issuer) != self._provider.settings.issuer or not code:
            log.warning("the OpenID provider refused to sign somebody in: %r", query.get("error", "no code")[:200])
            raise self._failed(None)
        attempt = await self._attempt(request)
        try:
            who = await self._provider.finish(code[:_CODE_MOST], waiting.nonce, waiting.verifier)
        except ProviderError as problem:
            raise self._failed(problem) from None
        await self._parts.database.write(attempt.succeed)
        if waiting.session_id is not None:
            return await self._confirm(request, who, waiting)
        return await self._enter(request, who, waiting)

    async def choose(self, request: Request) -> Response:
        """One of several accounts was chosen."""
        form = await read_form(request)
        choice = self._kept(request, _Choice)
        if choice is None or not sessions.is_own_form(
            request, request.cookies.get(pages.FORM_COOKIE, ""), form.get("csrf")
        ):
            raise ExpiredForm
        chosen = next((one for one in choice.who if str(one[0]) == form.get("account")), None)
        if chosen is None:
            raise ExpiredForm
        return await self._go_on(request, *chosen, choice.wanted, confirmed=choice.confirmed)

    async def _confirm(self, request: Request, who: Identity, waiting: _Waiting) -> Response:
        """Write down that it is still the user of a session, and go on with the form that they sent, if one waits."""
        parts, name = self._parts, self._provider.settings.name
        signed_in = await sessions.current(request, parts.database, parts.clock)
        if signed_in is None or signed_in.session_id != waiting.session_id:
            raise Refusal(
                400, "You are signed out here", "Sign in, and try again then.",
                ("Sign in", sign_in_path(waiting.wanted)),
            )  # fmt: skip
        again = ("Try again", f"{_FOLDER}/confirm?{urlencode({'next': waiting.wanted})}")
        if who.signed_in_since(waiting.at) is False:
            raise Refusal(
                403, "That does not count",
                f"{name} let you pass because you signed in there earlier. Sign out there, and try again.", again,
            )  # fmt: skip
        session, now = (signed_in.account_id, signed_in.user_id, signed_in.session_id), parts.clock.now()

        def write(tx: Writer) -> bool:
            users = {(one.account_id, one.user_id) for one in identities.users_of(tx, who, to_wire(now))}
            if session[:2] not in users:
                return False
            sessions.confirm(tx, *session, now)
            return True

        if not await parts.database.write(write):
            raise Refusal(
                403, "That is somebody else",
                f"{name} knows you{f' as {who.email}' if who.email else ''}, and somebody else is signed in here.",
                again,
            )  # fmt: skip
        form = kept_form.kept(request, parts.sealer, now, signed_in.session_id)
        if form is None:
            response: Response = redirect(waiting.wanted)
        else:
            response = page("confirmed.html", csrf=signed_in.csrf_token, form=form)
        kept_form.forget(response, secure=parts.secure)
        response.delete_cookie(COOKIE, _FOLDER, secure=parts.secure, httponly=True, samesite="lax")
        return response

    async def _user(self, signed_in: SignedIn) -> UserRow | None:
        ids = signed_in.account_id, signed_in.user_id
        return await self._parts.database.read(lambda db: users.by_id(db, *ids))

    async def _enter(self, request: Request, who: Identity, waiting: _Waiting) -> Response:
        now, confirmed = to_wire(self._parts.clock.now()), who.signed_in_since(waiting.at) is True
        found = await self._parts.database.write(lambda tx: identities.users_of(tx, who, now))
        if not found:
            name = self._provider.settings.name
            raise Refusal(
                403,
                "Nobody here by that name",
                f"{name} knows you{f' as {who.email}' if who.email else ''}, but no user of this help desk has that "
                "address. Ask an administrator to invite you, or sign in with your password.",
                ("Sign in with a password", pages.SIGN_IN_PATH),
            )
        if len(found) == 1:
            one = found[0]
            return await self._go_on(request, one.account_id, one.user_id, waiting.wanted, confirmed=confirmed)
        ids = [(one.account_id, one.user_id) for one in found]
        return self._ask(request, found, _Choice(self._until(), ids, waiting.wanted, confirmed))

    def _ask(self, request: Request, found: list[Known], choice: _Choice) -> Response:
        token = pages.form_token(request)
        response = page("choose-account.html", csrf=token, accounts=found)
        self._keep(response, choice)
        return pages.keep_token(response, token, secure=self._parts.secure)

    async def _go_on(
        self, request: Request, account_id: int, user_id: int, wanted: str, *, confirmed: bool
    ) -> Response:  # fmt: skip
        """A user with a second factor is asked for its code here as well."""
        response = await entering.go_on(self._parts, request, account_id, user_id, wanted, confirmed=confirmed)
        response.delete_cookie(COOKIE, _FOLDER, secure=self._parts.secure, httponly=True, samesite="lax")
        return response

    async def _attempt(self, request: Request) -> throttle.Attempt:
        """Count what makes us call the provider, by network address alone; raises Refusal."""
        host = pages.host(request)
        attempt = throttle.Attempt(throttle.network(host), host, self._parts.clock.now(), throttle.PROVIDER)
        try:
            await self._parts.database.write(attempt.begin)
        except throttle.TooMany as refused:
            raise Refusal(429, "Too many attempts", pages.too_many(refused.retry_after_s)) from None
        return attempt

    def _failed(self, problem: ProviderError | None) -> Refusal:
        if problem is not None:
            log.warning("the OpenID provider could not sign somebody in: %s", problem)
        return Refusal(
            403 if problem is None else 502,
            "That did not work",
            f"{self._provider.settings.name} did not sign you in. Try again, or use your password.",
            ("Back to signing in", sign_in_path("/")),
        )

    # -- What waits in the browser

    def _until(self) -> int:
        return int(self._parts.clock.now().timestamp()) + LIFE_S

    def _keep(self, response: Response, what: _Waiting | _Choice) -> None:
        try:
            value = self._parts.sealer.seal(msgspec.json.encode(what).decode(), _context(type(what)))
        except SealingError as problem:
            log.warning("nobody can sign in by the OpenID provider: %s", problem)
            raise self._failed(None) from None
        response.set_cookie(
            COOKIE, value, max_age=LIFE_S, path=_FOLDER, secure=self._parts.secure, httponly=True, samesite="lax"
        )

    def _kept(self, request: Request, kind: type[S]) -> S | None:
        try:
            found = self._parts.sealer.open(request.cookies.get(COOKIE, ""), _context(kind))
            read = msgspec.json.decode(found, type=kind)
        except (SealingError, msgspec.DecodeError):
            return None
        until = getattr(read, "until", 0)
        return read if until > self._parts.clock.now().timestamp() else None


def _context(kind: type[msgspec.Struct]) -> str:
    return f"signing in by a provider: {kind.__name__}"
