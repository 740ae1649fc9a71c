"""The page `/sign-in/confirm`: shows once more that it is the user who sits there, and leads on to where that counts.

For pages outside the frame, on which nothing is typed that could be lost.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from deskhand.db.engine import Database
from deskhand.desk.users import queries as users
from deskhand.lib.clock import Clock
from deskhand.oauth import pages, sessions
from deskhand.oauth.confirming import Confirming, NotConfirmed, Who
from deskhand.oauth.pages import CONFIRM_PATH, ExpiredForm, own_path, page, read_form, redirect, sign_in_path
from deskhand.oauth.parts import Parts
from deskhand.oauth.sessions import SignedIn


async def is_confirmed(database: Database, clock: Clock, who: SignedIn) -> bool:
    """Whether a session's user has shown within the last minutes that it is them."""
    now = clock.now()
    return await database.read(
        lambda db: sessions.is_confirmed(db, who.account_id, who.user_id, who.session_id, now)
    )  # fmt: skip


def asked_first(wanted: str) -> Response:
    """To the page that makes sure, and from there on to a path of this site."""
    return redirect(f"{CONFIRM_PATH}?{urlencode({'next': wanted})}")


class ConfirmPage:
    """`/sign-in/confirm`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._confirming = Confirming(
            parts.database, parts.clock, parts.sealer, parts.passwords, parts.provider_name
        )  # fmt: skip

    async def show(self, request: Request) -> Response:
        """The question; it isn't asked again within minutes."""
        wanted = own_path(request.query_params.get("next"))
        found = await self._who(request)
        if found is None:
            return redirect(sign_in_path(wanted))
        signed_in, who = found
        if await self._confirming.is_confirmed(who):
            return redirect(wanted)
        return await self._ask(signed_in, who, wanted)

    async def submit(self, request: Request) -> Response:
        """Take the password or the code."""
        form = await read_form(request)
        wanted = own_path(form.get("next"))
        found = await self._who(request)
        if found is None:
            return redirect(sign_in_path(wanted))
        signed_in, who = found
        if not sessions.is_own_form(request, signed_in.csrf_token, form.get("csrf")):
            raise ExpiredForm
        try:
            await self._confirming.confirm(who, form.get("current", ""))
        except NotConfirmed as refused:
            return await self._ask(signed_in, who, wanted, str(refused))
        return redirect(wanted)

    async def _ask(self, signed_in: SignedIn, who: Who, wanted: str, fault: str = "") -> Response:
        return page(
            "confirm.html", 400 if fault else 200, csrf=signed_in.csrf_token, next=wanted, fault=fault, email=who.email,
            way=await self._confirming.way(who), provider=self._parts.provider_name,
            to_provider=f"{pages.PROVIDER_PATH}/confirm?{urlencode({'next': wanted})}",
        )  # fmt: skip

    async def _who(self, request: Request) -> tuple[SignedIn, Who] | None:
        signed_in = await sessions.current(request, self._parts.database, self._parts.clock)
        if signed_in is None:
            return None
        ids = signed_in.account_id, signed_in.user_id
        user = await self._parts.database.read(lambda db: users.by_id(db, *ids))
        email = (user.email if user else "") or ""
        return signed_in, Who(*ids, signed_in.session_id, email, pages.host(request))
