"""Saved replies in their wire form."""

from __future__ import annotations

from msgspec import UNSET

from deskhand.catalogue.saved_replies import SavedReply, SavedReplyPreview
from deskhand.desk.saved_replies.queries import SavedReplyRow
from deskhand.lib.text import preview


def beginning(row: SavedReplyRow) -> SavedReplyPreview:
    """A saved reply as lists show it."""
    return SavedReplyPreview(
        id=row.id,
        name=row.name,
        preview=preview(row.text or ""),
        chat_preview=UNSET if row.chat_text is None else preview(row.chat_text),
    )


def whole(row: SavedReplyRow) -> SavedReply:
    """A saved reply as it is read by itself."""
    return SavedReply(id=row.id, name=row.name, text=row.text, chat_text=row.chat_text)
