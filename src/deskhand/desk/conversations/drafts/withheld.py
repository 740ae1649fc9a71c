"""Replies that were to leave by themselves and stay as drafts, because who sent them may not do so any more.

Their conversation is active again, with a line that says why: nobody else would know that an answer is missing.
"""

from __future__ import annotations

import msgspec

from deskhand.db.engine import Writer
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.replying import awake, tell_changes, with_status
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.conversations.writing import add_line_item, save


def stay(tx: Writer, before: Head, after: Head, user_id: int, why: str, now: str, *, known: Head | None = None) -> None:
    """Save a conversation in which a user's reply is a draft again, open it and say why.

    `known`: as others know it, where they were told nothing of what the reply had changed. Spam stays spam.
    """
    actor = on_behalf_of(before.account_id, user_id)
    if after.state != "draft" and after.status != "spam":
        after = awake(with_status(after, "active", user_id, now))
    after = save(tx, before, msgspec.structs.replace(after, modified_at=now, user_updated_at=now))
    add_line_item(tx, after, actor, now, f"A reply was not sent and is a draft again: {why}")
    tell_changes(tx, actor, known or before, after, now)
