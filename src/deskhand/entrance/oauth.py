"""OAuth 2.1 for MCP clients: where to ask (RFC 9728, 8414), registration (RFC 7591), tokens, revocation (RFC 7009).

Programs are public clients: they have no secret, each code is bound to a verifier (PKCE with S256).
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deskhand.db.engine import Conflict, Duplicate, Unavailable, Writer
from deskhand.entrance.mcp import METADATA_PATH, PATH, Parts
from deskhand.gateway import mcp_clients
from deskhand.gateway.audit import Named
from deskhand.gateway.mcp_clients import ACCESS_LIFE_S, Given, Refused, Stolen
from deskhand.oauth.parameters import Gone, TooLarge, TooSlow, read_body
from deskhand.oauth.throttle import network

AUTHORIZE_PATH = "/mcp/oauth/authorize"
TOKEN_PATH = "/mcp/oauth/token"
REGISTER_PATH = "/mcp/oauth/register"
REVOKE_PATH = "/mcp/oauth/revoke"
SERVER_METADATA_PATH = "/.well-known/oauth-authorization-server"

REGISTRATIONS_AN_HOUR = 20
"""From one network address, and fifteen times as many from all together."""
_ALL_TOGETHER = 15
_REDIRECTS_MOST = 10
_URL_MOST = 500
_NAME_MOST = 80
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_UNSHOWABLE = re.compile(
    r"[^\x20-\x7e\xa1-\ud7ff\ue000-\uffef\U00010000-\U0010ffff]|[\u200b-\u200f\u2028-\u202f\u2060-\u206f]"
)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_ON_LOOPBACK = re.compile(r"(http://(?:localhost|127\.0\.0\.1|\[::1]))(?::[0-9]{1,5})?((?:[/?].*)?)")
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

Handler = Callable[[Request], Awaitable[Response]]


class OAuthError(Exception):
    """A request that gets no token: the error's code and its words (RFC 6749 §5.2)."""

    def __init__(self, error: str, description: str, status: int = 400, **headers: str) -> None:
        super().__init__(description)
        self.content = {"error": error, "error_description": description}
        self.status = status
        self.headers = headers


class Registrar:
    """Slows down whoever registers too many programs; counted in this process."""

    def __init__(self) -> None:
        self._times: deque[tuple[float, str]] = deque()

    def admit(self, host: str) -> None:
        """Count a registration; raises OAuthError when there were too many within the hour."""
        now, who = time.monotonic(), network(host)
        while self._times and self._times[0][0] <= now - 3600:
            self._times.popleft()
        own = [at for at, other in self._times if other == who]
        if len(own) >= REGISTRATIONS_AN_HOUR or len(self._times) >= REGISTRATIONS_AN_HOUR * _ALL_TOGETHER:
            first = own[0] if len(own) >= REGISTRATIONS_AN_HOUR else self._times[0][0]
            wait = str(int(first + 3600 - now) + 1)
            raise OAuthError("temporarily_unavailable", "Too many registrations", 429, **{"Retry-After": wait})
        self._times.append((now, who))


class Endpoints:
    """What programs ask without a person being there."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._registrar = Registrar()

    @property
    def routes(self) -> list[Route]:
        """Their web addresses."""
        return [
            Route(METADATA_PATH, _answered(self.protected_resource)),
            Route(METADATA_PATH + PATH, _answered(self.protected_resource)),
            Route(SERVER_METADATA_PATH, _answered(self.authorization_server)),
            Route(REGISTER_PATH, _answered(self.register), methods=["POST"]),
            Route(TOKEN_PATH, _answered(self.token), methods=["POST"]),
            Route(REVOKE_PATH, _answered(self.revoke), methods=["POST"]),
        ]

    async def protected_resource(self, _: Request) -> Response:
        """What `/mcp` is, and who gives access to it."""
        base = self._parts.base_url
        return _json(
            {
                "resource": base + PATH,
                "authorization_servers": [base],
                "bearer_methods_supported": ["header"],
                "resource_name": "Deskhand",
            }
        )

    async def authorization_server(self, _: Request) -> Response:
        """How programs get access."""
        base = self._parts.base_url
        return _json(
            {
                "issuer": base,
                "authorization_endpoint": base + AUTHORIZE_PATH,
                "token_endpoint": base + TOKEN_PATH,
                "registration_endpoint": base + REGISTER_PATH,
                "revocation_endpoint": base + REVOKE_PATH,
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "revocation_endpoint_auth_methods_supported": ["none"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def register(self, request: Request) -> Response:
        """A program says who it is and where people shall be sent back to."""
        self._registrar.admit(request.client.host if request.client else "")
        try:
            given = msgspec.json.decode(await read_body(request.receive))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise OAuthError("invalid_client_metadata", "The body must be a JSON object")
        uris = _redirect_uris(given.get("redirect_uris"))
        name = _name(given.get("client_name"), uris)
        now = self._parts.clock.now()
        made = await self._parts.database.write(lambda tx: mcp_clients.register(tx, name, uris, now))
        if made is None:
            raise OAuthError(
                "temporarily_unavailable", "Too many programs are registered", 503, **{"Retry-After": "3600"}
            )
        content = {
            "client_id": made.client_id,
            "client_id_issued_at": int(now.timestamp()),
            "client_name": name,
            "redirect_uris": uris,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        return _json(content, 201, _NO_STORE)

    async def token(self, request: Request) -> Response:
        """A code or a refresh token in, tokens out."""
        given = parameters(await read_body(request.receive))
        exchange = _EXCHANGES.get(given.get("grant_type", ""))
        if exchange is None:
            raise OAuthError("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
        require_resource(given.get("resource"), self._parts.base_url)
        client_id = _needed(given, "client_id")
        if await self._parts.database.read(lambda db: mcp_clients.by_client_id(db, client_id)) is None:
            raise OAuthError("invalid_client", "There is no such client: it has to register again", 401)
        now = self._parts.clock.now()
        attempt = exchange(client_id, given)

        def spend(tx: Writer) -> Given | Stolen | Refused:
            made = attempt(tx, now)
            if isinstance(made, Stolen):
                self._log_theft(tx, made)
            return made

        made = await self._parts.database.write(spend)
        if not isinstance(made, Given):
            words = "it was used before" if isinstance(made, Stolen) else made.value
            raise OAuthError("invalid_grant", f"This {_WHAT[given['grant_type']]} can't be used: {words}")
        content = {
            "access_token": made.access,
            "token_type": "Bearer",
            "expires_in": ACCESS_LIFE_S,
            "refresh_token": made.refresh,
        }
        return _json(content, 200, _NO_STORE)

    async def revoke(self, request: Request) -> Response:
        """A program gives back what it got; what is unknown is as good as revoked."""
        given = parameters(await read_body(request.receive))
        client_id, token = _needed(given, "client_id"), _needed(given, "token")
        await self._parts.database.write(lambda tx: mcp_clients.revoke(tx, client_id, token))
        return Response(status_code=200, headers=_NO_STORE)

    def _log_theft(self, tx: Writer, stolen: Stolen) -> None:
        words = f"a credential of {stolen.client_name} came twice, so its access as {stolen.agent_name} was ended"
        agent = Named(stolen.agent_id, stolen.agent_name)
        self._parts.audit.admin(tx, stolen.account_id, None, words, agent=agent)


def parameters(text: bytes) -> dict[str, str]:
    """The parameters of a request, each of which may be given once; raises OAuthError."""
    pairs = parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True)
    found = dict(pairs)
    if len(found) < len(pairs):
        raise OAuthError("invalid_request", "A parameter is given more than once")
    return {name: value for name, value in found.items() if value and "\0" not in value}


def require_resource(given: str | None, base_url: str) -> None:
    """Raises OAuthError unless access is asked for to what there is here (RFC 8707)."""
    if given is not None and _canonical(given) not in (_canonical(base_url + PATH), _canonical(base_url)):
        raise OAuthError("invalid_target", f"Access can be had to {base_url}{PATH} only")


def is_loopback(url: str) -> bool:
    """Whether a URL leads to a program on the same computer."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return parts.scheme == "http" and host in _LOOPBACK


def is_registered(url: str, registered: Collection[str]) -> bool:
    """Whether a program may have people sent to a URL: one of its own, on their computer with whatever port is free.

    Source: https://www.rfc-editor.org/rfc/rfc8252#section-7.3
    """
    if url in registered:
        return True
    anywhere = _without_port(url)
    return anywhere is not None and _may_redirect_to(url) and anywhere in map(_without_port, registered)


def _without_port(url: str) -> str | None:
    """An address of this computer without its port; None for all others."""
    found = _ON_LOOPBACK.fullmatch(url)
    return found[1] + found[2] if found else None


def _canonical(url: str) -> str:
    """Scheme and host in lower case, no slash at the end."""
    try:
        parts = urlsplit(url)
        return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl().rstrip("/")
    except ValueError:
        return ""


def _redirect_uris(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not 1 <= len(given) <= _REDIRECTS_MOST:
        raise OAuthError("invalid_redirect_uri", f"redirect_uris must be a list of 1 to {_REDIRECTS_MOST}")
    for one in given:
        if not isinstance(one, str) or not _may_redirect_to(one):
            raise OAuthError(
                "invalid_redirect_uri", "A redirect URI must begin with https://, or with http:// and lead to localhost"
            )
    return tuple(given)


def _may_redirect_to(url: str) -> bool:
    if len(url) > _URL_MOST or not url.isascii() or not url.isprintable() or set(url) & set(' "<>\\^`{|}#'):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if parts.username is not None or not parts.hostname:
        return False
    return parts.scheme == "https" or is_loopback(url)


def _name(given: Any, uris: tuple[str, ...]) -> str:
    """What a program calls itself, on one line; without a name, where it sends people."""
    name = " ".join(_UNSHOWABLE.sub(" ", given).split())[:_NAME_MOST] if isinstance(given, str) else ""
    return name or urlsplit(uris[0]).netloc


def _needed(given: Mapping[str, str], name: str) -> str:
    found = given.get(name)
    if found is None:
        raise OAuthError("invalid_request", f"{name} is missing")
    return found


_Attempt = Callable[[Writer, Any], Given | Stolen | Refused]


def _by_code(client_id: str, given: Mapping[str, str]) -> _Attempt:
    code, redirect_uri, verifier = (_needed(given, name) for name in ("code", "redirect_uri", "code_verifier"))
    if not _VERIFIER.fullmatch(verifier):
        raise OAuthError("invalid_request", "code_verifier must have 43 to 128 letters, digits or -._~")
    return lambda tx, now: mcp_clients.spend_code(tx, client_id, code, redirect_uri, verifier, now)


def _by_refresh_token(client_id: str, given: Mapping[str, str]) -> _Attempt:
    token = _needed(given, "refresh_token")
    return lambda tx, now: mcp_clients.refresh(tx, client_id, token, now)


_EXCHANGES = {"authorization_code": _by_code, "refresh_token": _by_refresh_token}
_WHAT = {"authorization_code": "code", "refresh_token": "refresh token"}


def _answered(handler: Handler) -> Handler:
    """The handler, with refusals and a database that is away turned into answers."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except OAuthError as error:
            return _json(error.content, error.status, _NO_STORE | error.headers)
        except TooLarge:
            return _json({"error": "invalid_request", "error_description": "The request is too large"}, 413, _NO_STORE)
        except (TooSlow, Gone):
            return _json({"error": "invalid_request", "error_description": "The request is not whole"}, 408, _NO_STORE)
        except (Unavailable, Conflict, Duplicate):
            content = {"error": "temporarily_unavailable", "error_description": "Try again in a moment"}
            return _json(content, 503, _NO_STORE | {"Retry-After": "2"})

    return answer


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, dict(headers or {}), "application/json")
