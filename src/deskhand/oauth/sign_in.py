"""Signing in to the web pages with e-mail address and password, and out again."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, command, rows
from deskhand.desk.users.tables import account, staff
from deskhand.oauth import entering, pages, passwords, sessions, throttle
from deskhand.oauth.pages import ExpiredForm, own_path, page, read_form, redirect
from deskhand.oauth.parts import Parts

EMPTY = "Enter your e-mail address and your password."
WRONG = "This e-mail address and password don't fit together."
EXPIRED = "This form has expired. Please sign in once more; cookies must be allowed."
SEVERAL = "You have several accounts with this e-mail address and password. Choose one and enter the password again."
SAID = {"password": "Your new password is set. Sign in with it."}
"""What the page says when another has led here, by the parameter `said`."""


class _Candidate(msgspec.Struct, frozen=True):
    user_id: int
    account_id: int
    account_name: str
    password_hash: str


_CANDIDATES = rows(
    _Candidate,
    sa.select(
        staff.c.id.label("user_id"), staff.c.account_id, account.c.name.label("account_name"), staff.c.password_hash
    )
    .join(account, account.c.id == staff.c.account_id)
    .where(
        staff.c.email == P("email"),
        staff.c.type == "user",
        staff.c.state == "active",
        staff.c.password_hash.is_not(None),
    )
    .order_by(staff.c.id),
)
_REHASH = command(
    sa.update(staff).where(staff.c.id == P("id"), staff.c.password_hash == P("before")).values(password_hash=P("after"))
)


@dataclass(frozen=True, slots=True)
class _Given:
    """What was filled in. `account` is the id of the one chosen where several fit."""

    email: str
    password: str
    account: str
    next: str


class SignIn:
    """The pages `/sign-in` and `/sign-out`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def show(self, request: Request) -> Response:
        """The form; who is signed in already goes straight on."""
        wanted = own_path(request.query_params.get("next"))
        if await sessions.current(request, self._parts.database, self._parts.clock):
            return redirect(wanted)
        return self._form(request, _Given("", "", "", wanted), said=SAID.get(request.query_params.get("said", ""), ""))

    async def submit(self, request: Request) -> Response:
        """Sign in, or say what is wrong."""
        form = await read_form(request)
        given = _Given(
            form.get("email", "").strip().lower(), form.get("password", ""), form.get("account", ""),
            own_path(form.get("next")),
        )  # fmt: skip
        if not sessions.is_own_form(request, request.cookies.get(pages.FORM_COOKIE, ""), form.get("csrf")):
            return self._form(request, given, 403, EXPIRED)
        if not given.email or not given.password:
            return self._form(request, given, 400, EMPTY)
        attempt = throttle.Attempt(given.email, pages.host(request), self._parts.clock.now())
        try:
            await self._parts.database.write(attempt.begin)
        except throttle.TooMany as refused:
            response = self._form(request, given, 429, pages.too_many(refused.retry_after_s))
            response.headers["Retry-After"] = str(refused.retry_after_s)
            return response
        right = await self._right(given)
        if not right:
            return self._form(request, given, 400, WRONG)
        if len(right) > 1:
            await self._parts.database.write(attempt.succeed)
            return self._form(request, given, 200, SEVERAL, right)
        return await self._enter(request, attempt, right[0], given)

    async def leave(self, request: Request) -> Response:
        """Sign out."""
        form = await read_form(request)
        signed_in = await sessions.current(request, self._parts.database, self._parts.clock)
        if signed_in is not None:
            if not sessions.is_own_form(request, signed_in.csrf_token, form.get("csrf")):
                raise ExpiredForm
            value = request.cookies[sessions.COOKIE]
            await self._parts.database.write(lambda tx: sessions.end(tx, value))
        response = redirect(pages.sign_in_path(own_path(form.get("next"))))
        response.delete_cookie(sessions.COOKIE, secure=self._parts.secure, httponly=True, samesite="lax")
        return response

    async def _right(self, given: _Given) -> list[_Candidate]:
        """The users whom e-mail address and password fit, of the chosen account if one was chosen."""

        def candidates(db: Reader) -> list[_Candidate]:
            return db.all(_CANDIDATES, email=given.email)

        found = await self._parts.database.read(candidates)
        if given.account:
            found = [one for one in found if str(one.account_id) == given.account]
        if not found:
            await self._parts.passwords.verify(None, given.password)  # so that time does not tell who has an account
        return [one for one in found if await self._parts.passwords.verify(one.password_hash, given.password)]

    async def _enter(self, request: Request, attempt: throttle.Attempt, who: _Candidate, given: _Given) -> Response:
        rehashed = None
        if passwords.outdated(who.password_hash, self._parts.passwords.cost):
            rehashed = await self._parts.passwords.hash(given.password)

        def also(tx: Writer) -> None:
            attempt.succeed(tx)
            if rehashed is not None:
                tx.run(_REHASH, id=who.user_id, before=who.password_hash, after=rehashed)

        return await entering.go_on(self._parts, request, who.account_id, who.user_id, given.next, also)

    def _form(
        self,
        request: Request,
        given: _Given,
        status: int = 200,
        fault: str = "",
        accounts: list[_Candidate] | None = None,
        said: str = "",
    ) -> Response:
        token = pages.form_token(request)
        response = page(
            "sign-in.html", status, csrf=token, email=given.email, next=given.next, fault=fault,
            accounts=accounts or [], said=said,
            provider=self._parts.provider_name,
        )  # fmt: skip
        return pages.keep_token(response, token, secure=self._parts.secure)
