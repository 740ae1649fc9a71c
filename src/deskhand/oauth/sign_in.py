"""Signing in to the web pages with e-mail address and password, and out again."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher
from starlette.requests import Request
from starlette.responses import Response

from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.statements import P, command, rows
from deskhand.desk.users.tables import account, staff
from deskhand.lib.clock import Clock
from deskhand.lib.secrets import new_token
from deskhand.oauth import pages, passwords, sessions, throttle
from deskhand.oauth.pages import ExpiredForm, own_path, page, read_form, redirect

FORM_COOKIE = "deskhand_form"
"""Ties the sign-in form to the browser it was sent to, before there is a session."""
AT_ONCE = 2
"""How many passwords are verified at a time: each takes a core and 64 MiB."""

EMPTY = "Enter your e-mail address and your password."
WRONG = "This e-mail address and password don't fit together."
EXPIRED = "This form has expired. Please sign in once more; cookies must be allowed."
SEVERAL = "You have several accounts with this e-mail address and password. Choose one and enter the password again."


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

    def __init__(self, database: Database, clock: Clock, *, secure: bool, cost: PasswordHasher) -> None:
        self._database = database
        self._clock = clock
        self._secure = secure
        self._cost = cost
        self._few = asyncio.Semaphore(AT_ONCE)

    async def show(self, request: Request) -> Response:
        """The form; who is signed in already goes straight on."""
        wanted = own_path(request.query_params.get("next"))
        if await sessions.current(request, self._database, self._clock):
            return redirect(wanted)
        return self._form(request, _Given("", "", "", wanted))

    async def submit(self, request: Request) -> Response:
        """Sign in, or say what is wrong."""
        form = await read_form(request)
        given = _Given(
            form.get("email", "").strip().lower(), form.get("password", ""), form.get("account", ""),
            own_path(form.get("next")),
        )  # fmt: skip
        if not sessions.is_own_form(request, request.cookies.get(FORM_COOKIE, ""), form.get("csrf")):
            return self._form(request, given, 403, EXPIRED)
        if not given.email or not given.password:
            return self._form(request, given, 400, EMPTY)
        host = request.client.host if request.client else ""
        attempt = throttle.Attempt(given.email, host, self._clock.now())
        try:
            await self._database.write(attempt.begin)
        except throttle.TooMany as refused:
            return self._slow_down(request, given, refused.retry_after_s)
        right = await self._right(given)
        if not right:
            return self._form(request, given, 400, WRONG)
        if len(right) > 1:
            await self._database.write(attempt.succeed)
            return self._form(request, given, 200, SEVERAL, right)
        return await self._enter(request, attempt, right[0], given)

    async def leave(self, request: Request) -> Response:
        """Sign out."""
        form = await read_form(request)
        signed_in = await sessions.current(request, self._database, self._clock)
        if signed_in is not None:
            if not sessions.is_own_form(request, signed_in.csrf_token, form.get("csrf")):
                raise ExpiredForm
            value = request.cookies[sessions.COOKIE]
            await self._database.write(lambda tx: sessions.end(tx, value))
        response = redirect(pages.sign_in_path(own_path(form.get("next"))))
        response.delete_cookie(sessions.COOKIE, secure=self._secure, httponly=True, samesite="lax")
        return response

    async def _right(self, given: _Given) -> list[_Candidate]:
        """The users whom e-mail address and password fit, of the chosen account if one was chosen."""

        def candidates(db: Reader) -> list[_Candidate]:
            return db.all(_CANDIDATES, email=given.email)

        def verify(found: list[_Candidate]) -> list[_Candidate]:
            if not found:
                passwords.verify(None, given.password, self._cost)  # so that time does not tell who has an account
            return [one for one in found if passwords.verify(one.password_hash, given.password, self._cost)]

        found = await self._database.read(candidates)
        if given.account:
            found = [one for one in found if str(one.account_id) == given.account]
        async with self._few:
            return await asyncio.to_thread(verify, found)

    async def _enter(self, request: Request, attempt: throttle.Attempt, who: _Candidate, given: _Given) -> Response:
        rehashed = None
        if passwords.outdated(who.password_hash, self._cost):
            async with self._few:
                rehashed = await asyncio.to_thread(passwords.hash, given.password, self._cost)
        before = request.cookies.get(sessions.COOKIE)

        def enter(tx: Writer) -> str:
            attempt.succeed(tx)
            if rehashed is not None:
                tx.run(_REHASH, id=who.user_id, before=who.password_hash, after=rehashed)
            return sessions.start(
                tx, account_id=who.account_id, user_id=who.user_id, now=self._clock.now(), before=before
            )

        value = await self._database.write(enter)
        response = redirect(given.next)
        response.set_cookie(
            sessions.COOKIE, value, max_age=sessions.LIFE_S, secure=self._secure, httponly=True, samesite="lax"
        )
        response.delete_cookie(FORM_COOKIE, "/sign-in", secure=self._secure, httponly=True, samesite="lax")
        return response

    def _slow_down(self, request: Request, given: _Given, wait_s: int) -> Response:
        minutes = -(-wait_s // 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        response = self._form(request, given, 429, f"Too many attempts. Please wait {wait} and try again.")
        response.headers["Retry-After"] = str(wait_s)
        return response

    def _form(
        self,
        request: Request,
        given: _Given,
        status: int = 200,
        fault: str = "",
        accounts: list[_Candidate] | None = None,
    ) -> Response:
        # One token for all of a browser's tabs; only a well-formed one is kept.
        kept = request.cookies.get(FORM_COOKIE, "")
        token = kept if re.fullmatch("[A-Za-z0-9]{32}", kept) else new_token()
        response = page(
            "sign-in.html", status, csrf=token, email=given.email, next=given.next, fault=fault, accounts=accounts or []
        )
        response.set_cookie(FORM_COOKIE, token, path="/sign-in", secure=self._secure, httponly=True, samesite="lax")
        return response
