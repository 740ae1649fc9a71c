"""What follows once somebody has shown who they are: a code is asked for, or their session begins."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from deskhand.db.engine import Writer
from deskhand.oauth import second_factor, sessions, steps
from deskhand.oauth.pages import CODE_PATH, FORM_COOKIE, redirect
from deskhand.oauth.parts import Parts
from deskhand.oauth.sessions import Origin


async def go_on(
    parts: Parts,
    request: Request,
    account_id: int,
    user_id: int,
    wanted: str,
    also: Callable[[Writer], object] | None = None,
    *,
    confirmed: bool = True,
) -> Response:
    """Ask a user for a code where they have a second factor, else let them in; `also` is written with it.

    `confirmed`: it was really them just now, and not a provider that let them pass as they were signed in there.
    """

    def write(tx: Writer) -> tuple[bool, str]:
        if also is not None:
            also(tx)
        if second_factor.is_on(tx, account_id, user_id):
            return True, steps.begin(tx, account_id, user_id, parts.clock.now())
        return False, session(parts, request, tx, account_id, user_id, confirmed=confirmed)

    asked, value = await parts.database.write(write)
    if not asked:
        return let_in(parts, value, wanted)
    response = redirect(CODE_PATH if wanted == "/" else f"{CODE_PATH}?{urlencode({'next': wanted})}")
    response.set_cookie(
        steps.COOKIE, value, max_age=steps.LIFE_S, path="/sign-in", secure=parts.secure, httponly=True, samesite="lax"
    )
    return response


def session(
    parts: Parts, request: Request, tx: Writer, account_id: int, user_id: int, *, confirmed: bool = True
) -> str:
    """Begin a session in the browser that asks; gives the cookie's value."""
    return sessions.start(
        tx, account_id=account_id, user_id=user_id, now=parts.clock.now(), before=request.cookies.get(sessions.COOKIE),
        origin=Origin.of(request), confirmed="now" if confirmed else None,
    )  # fmt: skip


def let_in(parts: Parts, value: str, wanted: str) -> Response:
    """Send a browser on with its session; what belongs to signing in is forgotten."""
    response = redirect(wanted)
    response.set_cookie(
        sessions.COOKIE, value, max_age=sessions.LIFE_S, secure=parts.secure, httponly=True, samesite="lax"
    )
    for name in (FORM_COOKIE, steps.COOKIE):
        response.delete_cookie(name, "/sign-in", secure=parts.secure, httponly=True, samesite="lax")
    return response
