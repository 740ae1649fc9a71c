"""A form that was sent too early: its fields wait, sealed, in the browser while its user is at the OpenID provider."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from deskhand.lib.sealing import Sealer, SealingError

COOKIE = "deskhand_kept"
LIFE_S = 600
_FOLDER = "/sign-in"
_MOST = 3_800
"""Characters: browsers keep no cookie that is longer than 4096 with its name and the rest."""
_CONTEXT = "a form that waits"


class KeptForm(msgspec.Struct, frozen=True):
    """A form of a session, which can be sent until then (seconds since 1970). `title` says what it does."""

    until: int
    session_id: int
    path: str
    title: str
    fields: list[tuple[str, str]]


def keep(
    response: Response, sealer: Sealer, now: datetime, session_id: int, path: str, title: str,
    fields: Sequence[tuple[str, str]], *, secure: bool,
) -> None:  # fmt: skip
    """Have the browser keep a form. One that is too long is not kept: its user fills it in once more."""
    form = KeptForm(int(now.timestamp()) + LIFE_S, session_id, path, title, list(fields))
    try:
        sealed = sealer.seal(msgspec.json.encode(form).decode(), _CONTEXT)
    except SealingError:
        return
    if len(sealed) <= _MOST:
        response.set_cookie(
            COOKIE, sealed, max_age=LIFE_S, path=_FOLDER, secure=secure, httponly=True, samesite="lax"
        )  # fmt: skip


def kept(request: Request, sealer: Sealer, now: datetime, session_id: int) -> KeptForm | None:
    """The form that a session's browser has kept."""
    try:
        found = msgspec.json.decode(sealer.open(request.cookies.get(COOKIE, ""), _CONTEXT), type=KeptForm)
    except (SealingError, msgspec.DecodeError):
        return None
    return found if found.session_id == session_id and found.until > now.timestamp() else None


def forget(response: Response, *, secure: bool) -> None:
    """Have the browser keep it no longer."""
    response.delete_cookie(COOKIE, _FOLDER, secure=secure, httponly=True, samesite="lax")
