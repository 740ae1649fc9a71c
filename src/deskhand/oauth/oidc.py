"""An OpenID provider, from its issuer's name to who somebody is: discovery, code flow with PKCE, a verified ID token.

Sources: OpenID Connect Core 1.0, OpenID Connect Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (issuer in answers).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit

from deskhand.lib.outbound import Allowed, NoAnswer, Outbound
from deskhand.lib.secrets import new_token

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

CALLBACK_PATH = "/sign-in/oidc/callback"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""How an ID token may be signed: by a key of the provider's own, never by a secret or not at all."""
LEEWAY_S = 60
_USER_AGENT = "Deskhand"
_ANSWER_MOST = 512 * 1024
_KEPT_S = 3600.0
_LOOK_AGAIN_S = 30.0
"""How old the keys must be to be fetched again for a token that none of them has signed."""
_SUBJECT_MOST = 255  # OpenID Connect Core section 2


class ProviderError(Exception):
    """The provider is away, or what it says can't be trusted; the text is for whoever runs the server."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """An OpenID provider, and how Deskhand is known there; `name` is what people call it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: where the browser is sent, and what must come back or stays here.

    `at` is when it began, in seconds since 1970 by the clock that the provider's times are compared with.
    """

    url: str
    state: str
    nonce: str
    verifier: str
    at: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is for the provider. `email` is empty unless the provider has verified it.

    `signed_in_at` is when they signed in there, in seconds since 1970; None: the provider does not say so.
    """

    issuer: str
    subject: str
    email: str
    signed_in_at: float | None = None

    def signed_in_since(self, at: float) -> bool | None:
        """Whether they signed in at the provider after that, and were not just let pass; None: nobody knows."""
        return None if self.signed_in_at is None else self.signed_in_at >= at - LEEWAY_S


@dataclass(slots=True)
class _Known:
    """What the provider says of itself, and when it was fetched (of a clock that only goes forward)."""

    about: dict[str, Any]
    keys: KeySet
    at: float


class Provider:
    """Signs people in by an OpenID provider. Nothing is asked before somebody wants to."""

    def __init__(self, settings: ProviderSettings, base_url: str) -> None:
        self.settings = settings
        self._redirect_uri = base_url + CALLBACK_PATH
        self._known: _Known | None = None
        self._lock = asyncio.Lock()

    async def begin(self, anew: str = "") -> Begun:
        """Where to send somebody; raises ProviderError.

        `anew` is the e-mail address of somebody who shall sign in there even if they are signed in already.
        """
        known = await self._discovered()
        state, nonce, verifier = new_token(43), new_token(43), new_token(64)
        asked = {
            "response_type": "code", "client_id": self.settings.client_id, "redirect_uri": self._redirect_uri,
            "scope": "openid email", "state": state, "nonce": nonce, "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }  # fmt: skip
        if anew:
            asked |= {"prompt": "login", "max_age": "0", "login_hint": anew}
        url = str(known.about["authorization_endpoint"])
        url += f"{'&' if '?' in url else '?'}{urlencode(asked, quote_via=quote)}"
        return Begun(url, state, nonce, verifier, int(time.time()))

    async def finish(self, code: str, begun_nonce: str, verifier: str) -> Identity:
        """Who came back with a code; raises ProviderError."""
        known = await self._discovered()
        given = await self._exchange(known, code, verifier)
        token = given.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("the token endpoint gave no ID token")
        claims = await self._verified(known, token, begun_nonce)
        if "email" not in claims and isinstance(given.get("access_token"), str):
            claims = await self._more(known, given["access_token"], claims)
        verified = claims.get("email_verified") in (True, "true")  # some write it as a text
        email = claims.get("email")
        address = email.lower() if verified and isinstance(email, str) else ""
        return Identity(self.settings.issuer, claims["sub"], address, _moment(claims.get("auth_time")))

    async def _exchange(self, known: _Known, code: str, verifier: str) -> dict[str, Any]:
        """The code's tokens."""
        ours = self.settings
        fields = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }  # fmt: skip
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        methods = known.about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if ours.client_secret and "client_secret_basic" in methods:
            pair = f"{quote_plus(ours.client_id)}:{quote_plus(ours.client_secret)}"  # RFC 6749 section 2.3.1
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            fields["client_id"] = ours.client_id
            if ours.client_secret:
                fields["client_secret"] = ours.client_secret
        return await _asked("POST", str(known.about["token_endpoint"]), urlencode(fields).encode(), headers)

    async def _verified(self, known: _Known, token: str, nonce: str) -> dict[str, Any]:
        """What an ID token says, once signature, issuer, audience, time and nonce are right."""
        try:
            return verified(token, known.keys, self.settings, nonce)
        except UnknownKey:
            fresh = await self._discovered(older_than_s=_LOOK_AGAIN_S)  # the provider may have changed its keys
            return verified(token, fresh.keys, self.settings, nonce)

    async def _more(self, known: _Known, access_token: str, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims with those that only the userinfo endpoint tells; it must speak of the same person."""
        url = known.about.get("userinfo_endpoint")
        if not isinstance(url, str):
            return claims
        _require_safe(url)
        told = await _asked("GET", url, b"", {"Authorization": f"Bearer {access_token}", "Accept": "application/json"})
        if told.get("sub") != claims["sub"]:
            raise ProviderError("the userinfo endpoint speaks of somebody else")
        return {name: told[name] for name in ("email", "email_verified") if name in told} | claims

    async def _discovered(self, older_than_s: float = _KEPT_S) -> _Known:
        """What the provider says of itself, fetched anew if it is older than that."""
        async with self._lock:
            if self._known is None or time.monotonic() - self._known.at > older_than_s:
                self._known = await self._discover()
            return self._known

    async def _discover(self) -> _Known:
        issuer = self.settings.issuer
        about = await _asked("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration", b"", _JSON)
        if about.get("issuer") != issuer:
            raise ProviderError(f"it calls itself {about.get('issuer')!r} and not {issuer!r}, as the setting does")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(about.get(name), str):
                raise ProviderError(f"its description names no {name}")
            _require_safe(about[name])
        found = await _asked("GET", about["jwks_uri"], b"", _JSON)
        # The library is large, and most desks have no provider.
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import KeySet  # noqa: PLC0415

        try:
            keys = KeySet.import_key_set({"keys": [one for one in found["keys"] if one.get("use", "sig") == "sig"]})
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise ProviderError(f"its keys can't be read: {problem}") from problem
        return _Known(about, keys, time.monotonic())


class UnknownKey(ProviderError):
    """A token was signed with a key that the provider did not show."""


def verified(token: str, keys: KeySet, ours: ProviderSettings, nonce: str) -> dict[str, Any]:
    """What an ID token says; raises ProviderError for one that is not for us, not now, or not from the provider.

    Source: OpenID Connect Core 1.0 section 3.1.3.7.
    """
    from joserfc import jwt  # noqa: PLC0415 - as above
    from joserfc.errors import JoseError  # noqa: PLC0415

    try:
        read = jwt.decode(token, keys, algorithms=ALGORITHMS)
        claims = dict(read.claims)
        jwt.JWTClaimsRegistry(
            now=int(time.time()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": ours.issuer},
            aud={"essential": True, "value": ours.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
    except (JoseError, ValueError, TypeError, KeyError) as problem:
        kind = UnknownKey if _no_such_key(token, keys) else ProviderError
        raise kind(f"its ID token is not to be trusted: {problem}") from problem
    audience = claims["aud"]
    if claims.get("azp", ours.client_id) != ours.client_id or (
        isinstance(audience, list) and len(audience) > 1 and "azp" not in claims
    ):
        raise ProviderError("its ID token was made for somebody else")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= _SUBJECT_MOST:
        raise ProviderError("its ID token names nobody")
    return claims


def challenge(verifier: str) -> str:
    """What is shown of a verifier before it is: RFC 7636 section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _moment(given: object) -> float | None:
    """A claim that is a time, if it is there; raises ProviderError for what is none."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ProviderError("its ID token says no proper time of signing in")
    return given


_JSON = {"Accept": "application/json"}


async def _asked(method: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """The JSON object that an endpoint answers with. Its address comes from whoever runs the server, so may be near."""
    try:
        async with Outbound(_USER_AGENT, Allowed(private=True)) as http:
            answer = await http.ask(method, url, body, headers, _ANSWER_MOST)
    except NoAnswer as problem:
        raise ProviderError(f"{urlsplit(url).netloc}: {problem}") from problem
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if answer.status != 200 or not isinstance(found, dict):
        said = f", {found['error']!r}" if isinstance(found, dict) and "error" in found else ""
        raise ProviderError(f"{url} answered {answer.status}{said}")
    return found


def _require_safe(url: str) -> None:
    """Raises ProviderError for an endpoint that anybody on the way could read, but for those on this machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_here(parts.hostname or ""):
        raise ProviderError(f"{url} is not encrypted")


def is_here(host: str) -> bool:
    """Whether a host is this machine."""
    return host in ("localhost", "127.0.0.1", "::1")


def _no_such_key(token: str, keys: KeySet) -> bool:
    """Whether a token names a key that is not among these."""
    try:
        head = token.partition(".")[0]
        named = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))).get("kid")
    except (ValueError, AttributeError):
        return False
    return named is not None and named not in {one.kid for one in keys.keys}
