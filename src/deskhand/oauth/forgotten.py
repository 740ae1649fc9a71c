"""Choosing a password by a link that came by mail: for who forgot theirs, and for who is invited."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from deskhand.db.engine import Writer
from deskhand.desk.users import sign_in_links
from deskhand.desk.users.sign_in_links import Link, Purpose
from deskhand.lib.clock import to_wire
from deskhand.oauth import pages, passwords, sessions, throttle
from deskhand.oauth.entering import let_in, session
from deskhand.oauth.pages import Refusal, page, read_form, redirect
from deskhand.oauth.parts import Parts

EMPTY = "Enter your e-mail address."
EXPIRED = "This form has expired. Please send it once more; cookies must be allowed."
DIFFERENT = "The two passwords differ. Enter the same one twice."
_EMAIL_MOST = 320


class Forgotten:
    """The page `/sign-in/forgot`, which gives the same answer whoever is asked about."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def show(self, request: Request) -> Response:
        """The form."""
        return self._form(request, "")

    async def submit(self, request: Request) -> Response:
        """Have a link mailed."""
        form = await read_form(request)
        email = form.get("email", "").strip().lower()[:_EMAIL_MOST]
        if not sessions.is_own_form(request, request.cookies.get(pages.FORM_COOKIE, ""), form.get("csrf")):
            return self._form(request, email, 403, EXPIRED)
        if not email:
            return self._form(request, email, 400, EMPTY)
        now = self._parts.clock.now()
        attempt = throttle.Attempt(email, pages.host(request), now, throttle.MAIL)

        def write(tx: Writer) -> None:
            attempt.begin(tx)
            sign_in_links.forgot(tx, email, to_wire(now))

        try:
            await self._parts.database.write(write)
        except throttle.TooMany as refused:
            response = self._form(request, email, 429, pages.too_many(refused.retry_after_s))
            response.headers["Retry-After"] = str(refused.retry_after_s)
            return response
        return page("sent.html", email=email)

    def _form(self, request: Request, email: str, status: int = 200, fault: str = "") -> Response:
        token = pages.form_token(request)
        response = page("forgot.html", status, csrf=token, email=email, fault=fault)
        return pages.keep_token(response, token, secure=self._parts.secure)


class ChoosePassword:
    """The pages that links lead to: `/sign-in/password/…` and `/sign-in/welcome/…`. Opening one uses nothing up."""

    def __init__(self, parts: Parts, purpose: Purpose) -> None:
        self._parts = parts
        self._purpose = purpose

    async def show(self, request: Request) -> Response:
        """The form."""
        return self._form(request, await self._link(request))

    async def submit(self, request: Request) -> Response:
        """Take the password; who was invited is let in, who forgot theirs signs in with it."""
        form = await read_form(request)
        link = await self._link(request)
        if not sessions.is_own_form(request, request.cookies.get(pages.FORM_COOKIE, ""), form.get("csrf")):
            return self._form(request, link, 403, EXPIRED)
        chosen = form.get("password", "")
        fault = passwords.fault(chosen, link.email) or (DIFFERENT if form.get("again", "") != chosen else "")
        if fault:
            return self._form(request, link, 400, fault)
        stored = await self._parts.passwords.hash(chosen)

        def write(tx: Writer) -> str | None:
            used = sign_in_links.choose_password(tx, self._token(request), stored, self._parts.clock.now())
            if used is None:
                raise _gone()
            sessions.end_of_user(tx, used.account_id, used.user_id)
            if used.purpose == "reset":
                return None
            return session(self._parts, request, tx, used.account_id, used.user_id)

        value = await self._parts.database.write(write)
        return redirect(f"{pages.SIGN_IN_PATH}?said=password") if value is None else let_in(self._parts, value, "/")

    async def _link(self, request: Request) -> Link:
        token = self._token(request)
        found = await self._parts.database.read(lambda db: sign_in_links.find(db, token, self._parts.clock.now()))
        if found is None or found.purpose != self._purpose:
            raise _gone()
        return found

    def _token(self, request: Request) -> str:
        return str(request.path_params["token"])

    def _form(self, request: Request, link: Link, status: int = 200, fault: str = "") -> Response:
        token = pages.form_token(request)
        response = page(
            "choose-password.html", status, csrf=token, link=link, fault=fault, least=passwords.LEAST,
            path=request.url.path,
        )  # fmt: skip
        response.headers["Referrer-Policy"] = "no-referrer"  # the address is all that it takes
        return pages.keep_token(response, token, secure=self._parts.secure)


def _gone() -> Refusal:
    return Refusal(
        404,
        "This link does not work any more",
        "It was used already, is too old, or another one was sent after it. You can have a new one mailed to you.",
        ("Send a new link", pages.FORGOT_PATH),
    )
