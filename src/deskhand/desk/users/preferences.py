"""How the web pages are for a user: colours, how long what was sent can be taken back, what comes after sending it."""

from __future__ import annotations

from typing import Literal, cast

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import invalid
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows
from deskhand.desk.users.tables import user_preference

Theme = Literal["system", "light", "dark"]
AfterSend = Literal["next", "stay", "list"]
UNDO_MOST_S = 60


class Preferences(msgspec.Struct, frozen=True):
    """What a user has chosen. `after_send` is where sending a reply leads.

    `undo_s` is 0 to 60, see conversations/drafts/holding.py; None: as each inbox says. `send_status` is what
    the last reply was sent with, to be offered first; empty: what the inbox says.
    """

    theme: Theme = "system"
    undo_s: int | None = None
    after_send: AfterSend = "next"
    send_status: str = ""


class _Row(msgspec.Struct, frozen=True):
    account_id: int
    user_id: int
    theme: str
    undo_s: int | None
    after_send: str
    send_status: str


_DEFAULT = Preferences()
_ADD = Insert(user_preference, _Row)
_MINE = (user_preference.c.account_id == P("account_id"), user_preference.c.user_id == P("user_id"))
_OF = rows(Preferences, sa.select(*columns(user_preference, *Preferences.__struct_fields__)).where(*_MINE))
_FORGET = command(sa.delete(user_preference).where(*_MINE))


def preferences(db: Reader, account_id: int, user_id: int) -> Preferences:
    """What a user has chosen, or what holds for everybody."""
    return db.one(_OF, account_id=account_id, user_id=user_id) or _DEFAULT


def chosen(theme: str | None, undo_s: int | None, after_send: str | None, send_status: str | None) -> Preferences:
    """What a user has chosen, by the columns of a row that is not there (`theme` None) where they never did."""
    if theme is None:
        return _DEFAULT
    return Preferences(cast("Theme", theme), undo_s, cast("AfterSend", after_send), send_status or "")


def prefer(tx: Writer, account_id: int, user_id: int, wanted: Preferences) -> None:
    """Keep what a user has chosen; raises BadRequest for a time that is too long."""
    if wanted.undo_s is not None and not 0 <= wanted.undo_s <= UNDO_MOST_S:
        raise invalid("undo_s", f"must be from 0 to {UNDO_MOST_S}", "Range", wanted.undo_s)
    forget(tx, account_id, user_id)
    tx.add_many(_ADD, (_Row(account_id, user_id, wanted.theme, wanted.undo_s, wanted.after_send, wanted.send_status),))


def forget(tx: Writer, account_id: int, user_id: int) -> None:
    """Back to what holds for everybody, as when a user leaves."""
    tx.run(_FORGET, account_id=account_id, user_id=user_id)
