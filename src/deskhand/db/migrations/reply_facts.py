"""What reports know of replies, worked out for conversations from before it was kept: for the migration that adds it.

As `deskhand.desk.conversations.reply_facts` does it for one conversation, here for all in one go. Which mails are
automatic nobody knew before this migration, so here none is.
"""

from __future__ import annotations

from collections.abc import Callable

_REPLY = "type = 'message' AND created_by_type = 'user' AND source_type <> 'workflows'"

# A turn is what lies between two replies, with the second of them; a customer waits from the turn's first message.
_THREADS = f"""
UPDATE thread SET waited_since = fact.since, first_reply = CASE WHEN fact.turn = 0 THEN 1 ELSE 0 END
FROM (
    SELECT id, type, turn,
        MIN(CASE WHEN type = 'customer' THEN created_at END) OVER (PARTITION BY conversation_id, turn) AS since
    FROM (
        SELECT id, conversation_id, type, created_at, COALESCE(
            SUM(CASE WHEN type = 'message' THEN 1 ELSE 0 END) OVER (
                PARTITION BY conversation_id ORDER BY created_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ), 0
        ) AS turn
        FROM thread WHERE state = 'published' AND (type = 'customer' OR {_REPLY})
    ) AS written
) AS fact
WHERE fact.id = thread.id AND fact.type = 'message'
"""
_CONVERSATIONS = f"""
UPDATE conversation SET replies = fact.replies, first_reply_at = fact.first_reply_at
FROM (
    SELECT conversation_id, COUNT(*) AS replies, MIN(created_at) AS first_reply_at
    FROM thread WHERE state = 'published' AND {_REPLY} GROUP BY conversation_id
) AS fact
WHERE fact.conversation_id = conversation.id
"""
STATEMENTS = (_THREADS, _CONVERSATIONS)
"""In both databases' words."""


def work_out_replies(execute: Callable[[str], object]) -> None:
    """Fill the new columns."""
    for statement in STATEMENTS:
        execute(statement)
