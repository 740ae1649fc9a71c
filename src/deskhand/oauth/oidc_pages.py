"""Signing in by an OpenID provider: to it, and back from it.

What must come back, and what must stay here, waits in a sealed cookie of the browser that began.
"""

from __future__ import annotations

import hmac
import logging
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from deskhand.lib.clock import to_wire
from deskhand.lib.sealing import SealingError
from deskhand.oauth import entering, identities, pages, sessions, throttle
from deskhand.oauth.identities import Known
from deskhand.oauth.oidc import Identity, Provider, ProviderError
from deskhand.oauth.pages import ExpiredForm, Refusal, own_path, page, read_form, redirect, sign_in_path
from deskhand.oauth.parts import Parts

log = logging.getLogger("deskhand.oauth")

COOKIE = "deskhand_oidc"
LIFE_S = 600
_FOLDER = pages.PROVIDER_PATH
_CODE_MOST = 4_000


class _Waiting(msgspec.Struct, frozen=True):
    """A sign-in that is under way, until `until` (seconds since 1970)."""

    until: int
    state: str
    nonce: str
    verifier: str
    wanted: str


class _Choice(msgspec.Struct, frozen=True):
    """Somebody who is known in several accounts and has yet to choose one: pairs of account and user."""

    until: int
    who: list[tuple[int, int]]
    wanted: str


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
        attempt = await self._attempt(request)
        try:
            begun = await self._provider.begin()
        except ProviderError as problem:
            raise self._failed(problem) from None
        await self._parts.database.write(attempt.succeed)
        response = redirect(begun.url)
        self._keep(response, _Waiting(self._until(), begun.state, begun.nonce, begun.verifier, wanted))
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
        return await self._enter(request, who, waiting.wanted)

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
        return await self._go_on(request, *chosen, choice.wanted)

    async def _enter(self, request: Request, who: Identity, wanted: str) -> Response:
        now = to_wire(self._parts.clock.now())
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
            return await self._go_on(request, found[0].account_id, found[0].user_id, wanted)
        return self._ask(request, found, wanted)

    def _ask(self, request: Request, found: list[Known], wanted: str) -> Response:
        token = pages.form_token(request)
        response = page("choose-account.html", csrf=token, accounts=found)
        self._keep(response, _Choice(self._until(), [(one.account_id, one.user_id) for one in found], wanted))
        return pages.keep_token(response, token, secure=self._parts.secure)

    async def _go_on(self, request: Request, account_id: int, user_id: int, wanted: str) -> Response:
        """A user with a second factor is asked for its code here as well."""
        response = await entering.go_on(self._parts, request, account_id, user_id, wanted)
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
