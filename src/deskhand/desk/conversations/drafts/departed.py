"""Which forms have been sent, and how many times: what another window with the same form is to know before it sends.

A window knows how many times its form had been sent when it was opened (`version`). Forwards of a conversation share
one form, so that is not always none.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import P, command, rows
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import departed
from deskhand.lib.clock import from_wire, to_wire

_KEPT = timedelta(days=60)


class Departed(msgspec.Struct, frozen=True):
    """How many times a form was sent, and the newest time that was not taken back (0: none); `made`: what it became."""

    sent: int
    newest: int
    made: int | None
    at: str


_THEIRS = (departed.c.account_id == P("account_id"), departed.c.user_id == P("user_id"))
_THIS = (*_THEIRS, departed.c.key == P("key"))
_OF = rows(Departed, sa.select(departed.c.sent, departed.c.newest, departed.c.made, departed.c.at).where(*_THIS))
_ADD = add_missing(departed, "account_id", "user_id", "key", "sent", "newest", "before", "at")
_AGAIN = command(
    sa.update(departed)
    .where(*_THIS)
    .values(
        sent=departed.c.sent + sa.literal_column("1"),
        newest=departed.c.sent + sa.literal_column("1"),
        before=departed.c.newest,
        made=sa.null(),
        at=P("now"),
    )
)
_UNDO = command(sa.update(departed).where(*_THIS).values(newest=departed.c.before, made=sa.null()))
_MADE = command(sa.update(departed).where(*_THIS).values(made=P("made_id")))
_FORGET = command(sa.delete(departed).where(*_THEIRS, departed.c.at < P("before")))


def of(db: Reader, actor: Actor, key: str) -> Departed | None:
    """What is known of a form of the caller's that was sent; None where it never was, or long ago."""
    return db.one(_OF, account_id=actor.account_id, user_id=actor.user_id, key=key)


def version(db: Reader, actor: Actor, key: str) -> int:
    """What a window is to remember that shows a form."""
    found = of(db, actor, key)
    return found.sent if found else 0


def since(db: Reader, actor: Actor, key: str, version: int) -> Departed | None:
    """The newest time a form was sent after a window had been opened; None where it was not, or was taken back."""
    found = of(db, actor, key)
    return found if found is not None and found.newest > version else None


def note(tx: Writer, actor: Actor, key: str, now: str) -> None:
    """A form is sent."""
    mine = {"account_id": actor.account_id, "user_id": actor.user_id}
    tx.run(_FORGET, **mine, before=to_wire(from_wire(now) - _KEPT))
    tx.run(_ADD, **mine, key=key, sent=0, newest=0, before=0, at=now)
    tx.run(_AGAIN, **mine, key=key, now=now)


def undo(tx: Writer, account_id: int, user_id: int, key: str) -> None:
    """The newest time counts no more: it was taken back, or could not be done."""
    tx.run(_UNDO, account_id=account_id, user_id=user_id, key=key)


def became(tx: Writer, account_id: int, user_id: int, key: str, conversation_id: int) -> None:
    """A form has become a conversation."""
    tx.run(_MADE, account_id=account_id, user_id=user_id, key=key, made_id=conversation_id)
