"""A few words on the next page about what has just been done, and how to undo it. They travel in a cookie."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from deskhand.oauth.pages import own_path

COOKIE = "deskhand_said"
_MOST = 3_000
_KEPT_S = 120


class Undo(msgspec.Struct, frozen=True):
    """A form that takes back what was done: where it goes and what it sends. `seconds`: how long it is offered."""

    path: str
    fields: dict[str, str] = {}
    label: str = "Undo"
    seconds: int = 10


class Said(msgspec.Struct, frozen=True):
    """The words, whether they are bad news, and the way back if there is one."""

    text: str
    fault: bool = False
    undo: Undo | None = None


def say(response: Response, said: Said, *, secure: bool) -> None:
    """Have the next page say it."""
    value = base64.urlsafe_b64encode(msgspec.json.encode(said)).decode()
    if len(value) > _MOST:
        value = base64.urlsafe_b64encode(msgspec.json.encode(Said(said.text[:300], said.fault))).decode()
    response.set_cookie(COOKIE, value, max_age=_KEPT_S, httponly=True, samesite="lax", secure=secure)


def heard(request: Request) -> Said | None:
    """What this page has to say."""
    given = request.cookies.get(COOKIE)
    if not given:
        return None
    try:
        said = msgspec.json.decode(base64.urlsafe_b64decode(given), type=Said)
    except (ValueError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    if said.undo is not None and own_path(said.undo.path) != said.undo.path:
        return None
    return said


def forget(response: Response, *, secure: bool) -> None:
    """It has been said."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=secure)


def fields(given: Mapping[str, Any]) -> dict[str, str]:
    """Fields of an undo form as texts."""
    return {name: str(value) for name, value in given.items()}
