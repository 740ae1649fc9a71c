"""The page on which a user lets an application act as them.

Source: https://developer.helpscout.com/mailbox-api/overview/authentication
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from deskhand.db.engine import Database, Writer
from deskhand.desk.users import queries as users
from deskhand.lib.clock import Clock
from deskhand.oauth import applications, codes, sessions
from deskhand.oauth.applications import Application
from deskhand.oauth.confirm_page import asked_first, is_confirmed
from deskhand.oauth.pages import ExpiredForm, Refusal, page, read_form, redirect, sign_in_path
from deskhand.oauth.parameters import fields
from deskhand.oauth.sessions import SignedIn

AUTHORIZE_PATH = "/authentication/authorizeClientApplication"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an application asks for: `state` goes back to it as it came, None where none was sent."""

    application: Application
    state: str | None

    @property
    def path(self) -> str:
        """This page, asked for the same."""
        given = {"client_id": self.application.client_id} | ({} if self.state is None else {"state": self.state})
        return f"{AUTHORIZE_PATH}?{urlencode(given, quote_via=quote)}"

    def answer_url(self, name: str, value: str) -> str:
        """The application's registered address with an answer to it."""
        given = {name: value} | ({} if self.state is None else {"state": self.state})
        url, hash, fragment = self.application.redirect_url.partition("#")
        separator = "&" if "?" in url else "?"
        return f"{url}{separator}{urlencode(given, quote_via=quote)}{hash}{fragment}"


class Authorize:
    """`/authentication/authorizeClientApplication`: asks the user, then sends them back to the application."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def show(self, request: Request) -> Response:
        """The question; who is not signed in does that first."""
        asked = await self._asked(request)
        signed_in = await sessions.current(request, self._database, self._clock)
        if signed_in is None:
            return redirect(sign_in_path(asked.path))
        user = await self._database.read(lambda db: users.by_id(db, signed_in.account_id, signed_in.user_id))
        if user is None:
            return redirect(sign_in_path(asked.path))
        if _may_ask(asked, signed_in) and not await is_confirmed(self._database, self._clock, signed_in):
            return asked_first(asked.path)
        values: dict[str, Any] = {
            "application": asked.application,
            "name": f"{user.first_name} {user.last_name}".strip() or user.email,
            "email": user.email,
            "csrf": signed_in.csrf_token,
            "path": asked.path,
        }
        if not _may_ask(asked, signed_in):
            return page("other-account.html", 403, **values)
        target = urlsplit(asked.application.redirect_url)
        # Browsers hold the redirects that follow a form to its page's rule, and where the application sends the user on
        # is not known here: any page of the web, or what the application's own scheme opens.
        return page(
            "approve.html",
            form_targets=f"'self' http: https: {target.scheme}:",
            destination=target.netloc or f"{target.scheme}:",
            **values,
        )

    async def decide(self, request: Request) -> Response:
        """The user's answer, carried back to the application."""
        form = await read_form(request)
        asked = await self._asked(request)
        signed_in = await sessions.current(request, self._database, self._clock)
        if signed_in is None:
            return redirect(sign_in_path(asked.path))
        if not sessions.is_own_form(request, signed_in.csrf_token, form.get("csrf")):
            raise ExpiredForm
        if not _may_ask(asked, signed_in):
            raise Refusal(403, "Not your account", "This application belongs to another account than yours.")
        if form.get("decision") != "approve":
            return redirect(asked.answer_url("error", "access_denied"), 302)
        if not await is_confirmed(self._database, self._clock, signed_in):
            return asked_first(asked.path)

        def issue(tx: Writer) -> str:
            return codes.issue(
                tx, account_id=signed_in.account_id, application_id=asked.application.id, user_id=signed_in.user_id,
                now=self._clock.now(),
            )  # fmt: skip

        return redirect(asked.answer_url("code", await self._database.write(issue)), 302)

    async def _asked(self, request: Request) -> _Asked:
        """Read from the address, also of a sent form: a form's fields would change line breaks in `state`."""
        given = fields(request.scope["query_string"])
        client_id = given.get("client_id", "")
        found = await self._database.read(lambda db: applications.by_client_id(db, client_id))
        if found is None:
            raise Refusal(
                400,
                "Unknown application",
                "The link you followed names no application of this help desk. "
                "Ask whoever gave it to you to check its client_id.",
            )
        if not _is_absolute(found.redirect_url):
            raise Refusal(400, "Nowhere to go", f"The application {found.name} has no redirection URL to go back to.")
        return _Asked(found, given.get("state"))


def _may_ask(asked: _Asked, signed_in: SignedIn) -> bool:
    return asked.application.account_id == signed_in.account_id


def _is_absolute(url: str) -> bool:
    try:
        return bool(urlsplit(url).scheme)
    except ValueError:
        return False
