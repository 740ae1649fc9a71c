"""For how many seconds what was sent can be taken back: as the user says, else the inbox, else 10."""

from __future__ import annotations

from deskhand.db.engine import Reader
from deskhand.desk.inboxes import mail_settings


def seconds(db: Reader, account_id: int, inbox_id: int, chosen: int | None) -> int:
    """The seconds for an inbox; `chosen` is what the user prefers, if anything."""
    return mail_settings.read(db, account_id, inbox_id).undo_s if chosen is None else chosen
