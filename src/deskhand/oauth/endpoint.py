"""The token endpoint: credentials, codes and refresh tokens in, access tokens out.

Its errors are worded as the gateway in front of the original words them; only the refusal of a refresh token was seen
live. Source: https://developer.helpscout.com/mailbox-api/overview/authentication
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import msgspec
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from deskhand.db.engine import Conflict, Database, Duplicate, Unavailable, Writer
from deskhand.desk import access
from deskhand.lib.clock import Clock
from deskhand.oauth import applications, codes, tokens
from deskhand.oauth.applications import Application
from deskhand.oauth.parameters import Gone, TooLarge, TooSlow, basic_credentials, read_body, token_parameters
from deskhand.oauth.tokens import Tokens

log = logging.getLogger("deskhand.oauth")

TOKEN_PATH = "/v2/oauth2/token"

_HEADERS = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, Correlation-Id",
}
_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
    "Access-Control-Max-Age": "86400",
}

Exchange = Callable[[Writer, Application, dict[str, str], datetime], Tokens]


class Refused(Exception):
    """A request for a token that gets none: the error's code, its words, status and headers."""

    def __init__(self, error: str, description: str, status: int = 400, **headers: str) -> None:
        super().__init__(description)
        self.status = status
        self.headers = headers
        self.content = {"error_description": description, "error": error}


class Agents(Protocol):
    """The gateway's side: agents have client ids and secrets too, but no codes and no refresh tokens."""

    def knows(self, client_id: str) -> bool:
        """Whether a client id is an agent's, by its form."""
        ...

    async def sign_in(self, client_id: str, client_secret: str, *, issue: bool) -> str | None:
        """An access token, or an empty text unless one is to be issued; None when the two don't belong together."""
        ...


class TokenEndpoint:
    """`POST /v2/oauth2/token` as an ASGI application."""

    def __init__(self, database: Database, clock: Clock, agents: Agents | None = None) -> None:
        self._database = database
        self._clock = clock
        self._agents = agents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive)
        except Gone:
            return
        except Refused as refused:
            response = _response(refused.status, refused.content, **refused.headers)
        except (Unavailable, Conflict, Duplicate) as problem:
            log.warning("%s", problem)
            content = {"error_description": "Try again in a moment", "error": "temporarily_unavailable"}
            response = _response(503, content, **{"Retry-After": "2"})
        response.headers["Correlation-Id"] = str(uuid.uuid4())
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] == "OPTIONS":
            return Response(status_code=204, headers=_PREFLIGHT)
        if scope["method"] != "POST":
            words = f"The HTTP method {scope['method']} is invalid for the token endpoint"
            raise Refused("invalid_method", words, 405, Allow="POST, OPTIONS")
        given = await self._parameters(scope, receive)
        exchange = EXCHANGES.get(given.get("grant_type", ""))
        if exchange is None:
            raise Refused("unsupported_grant_type", "Invalid grant_type")
        client = _client(given, basic_credentials(Headers(scope=scope).get("authorization")))
        if self._agents is not None and self._agents.knows(client.id):
            return _response(200, _content(await self._for_agent(self._agents, client, given["grant_type"])))
        application = await self._application(client)
        now = self._clock.now()
        made = await self._database.write(lambda tx: exchange(tx, application, given, now))
        return _response(200, _content(made))

    async def _parameters(self, scope: Scope, receive: Receive) -> dict[str, str]:
        try:
            body = await read_body(receive)
        except TooLarge:
            raise Refused("invalid_request", "The request is too large", 413, Connection="close") from None
        except TooSlow:
            raise Refused("invalid_request", "The request took too long", 408, Connection="close") from None
        return token_parameters(Headers(scope=scope).get("content-type", ""), body, scope["query_string"])

    async def _application(self, client: _Client) -> Application:
        """The application whose id and secret were given."""
        found = await self._database.read(lambda db: applications.authenticate(db, client.id, client.secret))
        if found is None:
            raise client.refused
        return found

    async def _for_agent(self, agents: Agents, client: _Client, grant_type: str) -> Tokens:
        """A token for an agent, which has nothing but its client credentials to get one by."""
        made = await agents.sign_in(client.id, client.secret, issue=grant_type == "client_credentials")
        if made is None:
            raise client.refused
        if not made:
            given = "code" if grant_type == "authorization_code" else "refresh_token"
            raise Refused("invalid_request", f"Invalid {given}")
        return Tokens(made, None)


class _Client(msgspec.Struct, frozen=True):
    """Who asks, by their own account."""

    id: str
    secret: str
    through_basic: bool

    @property
    def refused(self) -> Refused:
        """What they hear when the secret is not that of the id."""
        if self.through_basic:
            return _invalid_client(401, **{"WWW-Authenticate": 'Basic realm="OAuth2.0"'})
        return _invalid_client()


def _client(given: dict[str, str], basic: tuple[str, str] | None) -> _Client:
    """The id and the secret that were given, as parameters or else through HTTP Basic."""
    client_id, client_secret = given.get("client_id", ""), given.get("client_secret", "")
    if basic is not None and not (client_id and client_secret):
        return _Client(*basic, through_basic=True)
    return _Client(client_id, client_secret, through_basic=False)


def _by_client_credentials(tx: Writer, application: Application, given: dict[str, str], now: datetime) -> Tokens:
    if not _may_act(tx, application, application.user_id):
        raise _invalid_client()
    return _issue(tx, application, application.user_id, now, refreshable=False)


def _by_code(tx: Writer, application: Application, given: dict[str, str], now: datetime) -> Tokens:
    user_id = codes.spend(tx, application.id, given.get("code", ""), now)
    if user_id is None or not _may_act(tx, application, user_id):
        raise Refused("invalid_request", "Invalid code")
    return _issue(tx, application, user_id, now, refreshable=True)


def _by_refresh_token(tx: Writer, application: Application, given: dict[str, str], now: datetime) -> Tokens:
    user_id = tokens.spend_refresh(tx, application.id, given.get("refresh_token", ""))
    if user_id is None or not _may_act(tx, application, user_id):
        raise Refused("invalid_request", "Invalid refresh_token")
    return _issue(tx, application, user_id, now, refreshable=True)


EXCHANGES: dict[str, Exchange] = {
    "authorization_code": _by_code,
    "client_credentials": _by_client_credentials,
    "refresh_token": _by_refresh_token,
}


def _may_act(tx: Writer, application: Application, user_id: int) -> bool:
    """Whether the user is active and of the application's account."""
    actor = access.actor(tx, user_id)
    return actor is not None and actor.account_id == application.account_id


def _issue(tx: Writer, application: Application, user_id: int, now: datetime, *, refreshable: bool) -> Tokens:
    return tokens.issue(
        tx, account_id=application.account_id, application_id=application.id, user_id=user_id, now=now,
        refreshable=refreshable,
    )  # fmt: skip


def _invalid_client(status: int = 400, **headers: str) -> Refused:
    return Refused("invalid_client", "Invalid client authentication", status, **headers)


def _content(made: Tokens) -> dict[str, Any]:
    """In the order of the documentation's examples; the refresh token is left out where there is none."""
    refresh = {"refresh_token": made.refresh} if made.refresh else {}
    return {**refresh, "token_type": "bearer", "access_token": made.access, "expires_in": tokens.LIFE_S}


def _response(status: int, content: dict[str, Any], **headers: str) -> Response:
    return Response(msgspec.json.encode(content), status, _HEADERS | headers, "application/json")
