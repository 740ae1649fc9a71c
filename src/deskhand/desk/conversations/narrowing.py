"""What an agent that is narrowed to some inboxes is told of conversations: nothing that names others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, value
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.conversations.threads.thread_queries import ShownThread
from deskhand.desk.saved_replies.tables import saved_reply

survivor = conversation.alias("survivor")
WITH_SURVIVOR = conversation.outerjoin(
    survivor,
    sa.and_(
        survivor.c.id == conversation.c.merged_into,
        survivor.c.account_id == conversation.c.account_id,
        survivor.c.merged_into.is_(None),
    ),
)
LIES_IN: sa.ColumnElement[Any] = sa.case(
    (conversation.c.merged_into.is_(None), conversation.c.inbox_id), else_=survivor.c.inbox_id
)
"""Where a conversation lies: a merged one where the one lies that it leads to; NULL when that is gone."""

# Workflows are a higher slice, so theirs can't be imported.
_workflow = sa.table(
    "workflow",
    sa.column("id", sa.BigInteger),
    sa.column("account_id", sa.BigInteger),
    sa.column("inbox_id", sa.BigInteger),
    sa.column("actions", sa.Text),
)
_IDS, _INBOXES = P("ids", sa.Text), P("inboxes", sa.Text)
_KNOWN = value(
    int,
    sa.select(conversation.c.id)
    .select_from(WITH_SURVIVOR)
    .where(
        unindexed(conversation.c.account_id) == P("account_id"),
        ids_in(conversation.c.id, _IDS),
        sa.or_(
            sa.and_(conversation.c.merged_into.is_(None), ids_in(conversation.c.inbox_id, _INBOXES)),
            ids_in(survivor.c.inbox_id, _INBOXES),
        ),
    )
    .order_by(conversation.c.id),
)
# One that moves conversations says so in words that name the other inbox.
_TELLABLE = value(
    int,
    sa.select(_workflow.c.id)
    .where(
        _workflow.c.account_id == P("account_id"),
        ids_in(_workflow.c.id, _IDS),
        ids_in(_workflow.c.inbox_id, _INBOXES),
        _workflow.c.actions.not_like(sa.literal_column("""'%"do":"move"%'""")),
    )
    .order_by(_workflow.c.id),
)
_REPLIES = value(
    int,
    sa.select(saved_reply.c.id)
    .where(
        saved_reply.c.account_id == P("account_id"),
        ids_in(saved_reply.c.id, _IDS),
        ids_in(saved_reply.c.inbox_id, _INBOXES),
    )
    .order_by(saved_reply.c.id),
)


def known(db: Reader, account_id: int, only: Set[int], ids: Collection[int]) -> set[int]:
    """Those of some conversations that an agent narrowed to these inboxes may know of."""
    return set(db.all(_KNOWN, **_given(account_id, only, ids))) if ids else set()


def leave_out_unknown(
    db: Reader, account_id: int, only: Set[int] | None, threads: Iterable[ShownThread]
) -> None:  # fmt: skip
    """Take out of threads what names other inboxes, their workflows and saved replies, and conversations there.

    Nothing is taken out where `only` is None.
    """
    if only is None:
        return
    threads = list(threads)
    linked = known(db, account_id, only, {row.linked_conversation_id for row in threads if row.linked_conversation_id})
    items = [(row, _associated(row)) for row in threads if row.type == "lineitem"]
    ran = {about["workflow"] for _, about in items if "workflow" in about}
    tellable = set(db.all(_TELLABLE, **_given(account_id, only, ran))) if ran else set()
    used = {row.saved_reply_id for row in threads if row.saved_reply_id}
    replies = set(db.all(_REPLIES, **_given(account_id, only, used))) if used else set()
    for row in threads:
        if row.linked_conversation_id not in linked:
            row.linked_conversation_id = None
        if row.saved_reply_id not in replies:
            row.saved_reply_id = 0
    for row, about in items:
        if "mailbox" in about:  # the words name where it came from, or where it went
            row.action_text = ""
            if about["mailbox"] not in only:
                del about["mailbox"]
        if "workflow" in about and about["workflow"] not in tellable:
            row.action_text = ""
            del about["workflow"]
        row.associated = msgspec.json.encode(about).decode()


def _associated(row: ShownThread) -> dict[str, int]:
    return msgspec.json.decode(row.associated, type=dict[str, int])


def _given(account_id: int, only: Set[int], ids: Collection[int]) -> dict[str, Any]:
    return {"account_id": account_id, "ids": _json(ids), "inboxes": _json(only)}


def _json(ids: Collection[int]) -> str:
    return msgspec.json.encode(sorted(ids)).decode()
