"""The page that asks for a code once the password was right."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from deskhand.db.engine import Writer
from deskhand.lib.sealing import SealingError
from deskhand.oauth import pages, second_factor, sessions, steps, throttle
from deskhand.oauth.entering import let_in, session
from deskhand.oauth.pages import Refusal, own_path, page, read_form, redirect, sign_in_path
from deskhand.oauth.parts import Parts
from deskhand.oauth.steps import Step

EMPTY = "Enter the code that your app shows."
EMPTY_RECOVERY = "Enter one of your recovery codes."
WRONG = "This code is not right, or it was used before. Try the next one."
WRONG_RECOVERY = "This recovery code is not right, or it was used before."
EXPIRED = "This form has expired. Please try again; cookies must be allowed."


class CodePage:
    """The page `/sign-in/code`; a recovery code is asked for at `?with=recovery`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def show(self, request: Request) -> Response:
        """The form; who has given no password, or too long ago, begins anew."""
        wanted = own_path(request.query_params.get("next"))
        step = await self._step(request)
        if step is None:
            return redirect(sign_in_path(wanted))
        return self._form(request, wanted, recovery=request.query_params.get("with") == "recovery")

    async def submit(self, request: Request) -> Response:
        """Let somebody in whose code is right."""
        form = await read_form(request)
        wanted, recovery = own_path(form.get("next")), form.get("with") == "recovery"
        step = await self._step(request)
        if step is None:
            return redirect(sign_in_path(wanted))
        if not sessions.is_own_form(request, request.cookies.get(pages.FORM_COOKIE, ""), form.get("csrf")):
            return self._form(request, wanted, 403, EXPIRED, recovery=recovery)
        given = form.get("code", "").strip()
        if not given:
            return self._form(request, wanted, 400, EMPTY_RECOVERY if recovery else EMPTY, recovery=recovery)
        attempt = throttle.Attempt(str(step.user_id), pages.host(request), self._parts.clock.now(), throttle.CODE)
        try:
            await self._parts.database.write(attempt.begin)
        except throttle.TooMany as refused:
            response = self._form(request, wanted, 429, pages.too_many(refused.retry_after_s), recovery=recovery)
            response.headers["Retry-After"] = str(refused.retry_after_s)
            return response
        value = await self._let_in(request, step, attempt, given)
        if value is None:
            return self._form(request, wanted, 400, WRONG_RECOVERY if recovery else WRONG, recovery=recovery)
        return let_in(self._parts, value, wanted)

    async def _let_in(self, request: Request, step: Step, attempt: throttle.Attempt, given: str) -> str | None:
        """The value of a session's cookie; None when the code is not right."""
        parts, cookie = self._parts, request.cookies[steps.COOKIE]

        def write(tx: Writer) -> str | None:
            who = step.account_id, step.user_id
            if not second_factor.check(tx, parts.sealer, *who, given, parts.clock.now()) or not steps.end(tx, cookie):
                return None
            attempt.succeed(tx)
            return session(parts, request, tx, *who)

        try:
            return await parts.database.write(write)
        except SealingError:
            raise Refusal(
                503,
                "Codes can't be checked",
                "The key of this server is missing. Sign in with a recovery code, or ask whoever runs it.",
                ("Use a recovery code", f"{pages.CODE_PATH}?with=recovery"),
            ) from None

    async def _step(self, request: Request) -> Step | None:
        given = request.cookies.get(steps.COOKIE)
        if not given:
            return None
        return await self._parts.database.read(lambda db: steps.current(db, given, self._parts.clock.now()))

    def _form(
        self, request: Request, wanted: str, status: int = 200, fault: str = "", *, recovery: bool = False
    ) -> Response:
        token = pages.form_token(request)
        response = page("code.html", status, csrf=token, next=wanted, fault=fault, recovery=recovery)
        return pages.keep_token(response, token, secure=self._parts.secure)
