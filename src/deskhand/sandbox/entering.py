"""Signing in to the web pages by one press: a sandbox guards nothing, its passwords are on its start page."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from deskhand.catalogue.matching import read_id
from deskhand.db.engine import Database, Writer
from deskhand.desk.users import queries as users
from deskhand.lib.clock import Clock
from deskhand.oauth import sessions
from deskhand.oauth.parameters import fields
from deskhand.sandbox.http import Refused, read_bytes, route

_FORM_MOST = 1024


def routes(database: Database, clock: Clock, account_id: int) -> list[Route]:
    """Where the start page's buttons go."""

    async def enter(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refused("body", "only the sandbox's own pages may do this", 403)
        user_id = read_id(fields(await read_bytes(request, _FORM_MOST)).get("user_id", "")) or 0

        def start(tx: Writer) -> str:
            user = users.by_id(tx, account_id, user_id)
            if user is None or user.type != "user" or user.state != "active":
                raise Refused("user_id", "there is no such user")
            now, before = clock.now(), request.cookies.get(sessions.COOKIE)
            whole_life = now + timedelta(seconds=sessions.LIFE_S)  # nobody has typed a password that could be asked for
            return sessions.start(
                tx, account_id=account_id, user_id=user_id, now=now, before=before, confirmed=whole_life
            )

        response = RedirectResponse("/", 303)
        response.set_cookie(
            sessions.COOKIE, await database.write(start), max_age=sessions.LIFE_S, httponly=True, samesite="lax"
        )
        return response

    return [route("POST", "/sandbox/enter", enter)]
