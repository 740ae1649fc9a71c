"""Until when somebody last put a conversation aside, to be offered first the next time."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, command, value
from deskhand.desk.conversations.tables import last_snooze


class _Row(msgspec.Struct, frozen=True):
    account_id: int
    user_id: int
    choice: str


_MINE = (last_snooze.c.account_id == P("account_id"), last_snooze.c.user_id == P("user_id"))
_ADD = Insert(last_snooze, _Row)
_OF = value(str, sa.select(last_snooze.c.choice).where(*_MINE))
_FORGET = command(sa.delete(last_snooze).where(*_MINE))


def last_choice(db: Reader, account_id: int, user_id: int) -> str:
    """What a user chose last: the name of a choice or a moment; empty where they never did."""
    return next(iter(db.known(_OF, account_id=account_id, user_id=user_id)), "")


def remember(tx: Writer, account_id: int, user_id: int, choice: str) -> None:
    """Keep what a user has chosen."""
    tx.run(_FORGET, account_id=account_id, user_id=user_id)
    tx.add_many(_ADD, (_Row(account_id, user_id, choice),))
