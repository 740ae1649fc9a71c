"""Forms that are sent twice, by a double click or because the answer was lost: the second one does nothing more."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import P, command, value
from deskhand.desk.conversations.tables import sent_form
from deskhand.lib.clock import from_wire, to_wire

_KEPT = timedelta(days=1)
_THIS = (
    sent_form.c.account_id == P("account_id"),
    sent_form.c.user_id == P("user_id"),
    sent_form.c.token == P("token"),
)
_ADD = add_missing(sent_form, "account_id", "user_id", "token", "led_to", "at")
_LED_TO = value(str, sa.select(sent_form.c.led_to).where(*_THIS))
_SET = command(sa.update(sent_form).where(*_THIS).values(led_to=P("path")))
_FORGET = command(sa.delete(sent_form).where(sent_form.c.at < P("before")))


def sent_before(tx: Writer, account_id: int, user_id: int, token: str, now: str) -> str | None:
    """Where the form with this token led when it was sent before; None the first time, which is noted.

    Of two at the same time the second waits here until the first is done.
    """
    tx.run(_FORGET, before=to_wire(from_wire(now) - _KEPT))
    if tx.run(_ADD, account_id=account_id, user_id=user_id, token=token, led_to="", at=now):
        return None
    return tx.one(_LED_TO, account_id=account_id, user_id=user_id, token=token) or ""


def led_to(tx: Writer, account_id: int, user_id: int, token: str, path: str) -> None:
    """Note where a form leads."""
    tx.run(_SET, account_id=account_id, user_id=user_id, token=token, path=path)


def is_sent(db: Reader, account_id: int, user_id: int, token: str) -> bool:
    """Whether a form with this token has been sent."""
    return db.one(_LED_TO, account_id=account_id, user_id=user_id, token=token) is not None
