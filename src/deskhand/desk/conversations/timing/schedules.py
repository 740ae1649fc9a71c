"""The schedules of drafts as they are stored: on each thread, and the earliest of them on its conversation."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import P, columns, command, rows
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import thread


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Who lets a draft go out, when it was planned and for when, and in whose name if not the planner's."""

    scheduled_by: int
    scheduled_at: str
    scheduled_for: str
    unschedule_on_reply: int
    send_as_id: int | None


class _Earliest(msgspec.Struct, frozen=True):
    scheduled_for: str
    scheduled_by: int
    unschedule_on_reply: int


_FIELDS = Schedule.__struct_fields__
NONE = {name: sa.null() for name in _FIELDS}
"""What a thread's columns are set to when it is scheduled no more."""

_THREAD = (thread.c.account_id == P("account_id"), thread.c.id == P("id"))
_OF_CONVERSATION = (
    thread.c.account_id == P("account_id"),
    thread.c.conversation_id == P("conversation_id"),
    thread.c.scheduled_for.is_not(None),
)
_SET = command(sa.update(thread).where(*_THREAD).values({name: P(name) for name in _FIELDS}))
_CLEAR = command(sa.update(thread).where(*_THREAD).values(NONE))
_CLEAR_ON_REPLY = command(
    sa.update(thread).where(*_OF_CONVERSATION, thread.c.unschedule_on_reply == sa.literal_column("1")).values(NONE)
)
_EARLIEST = rows(
    _Earliest,
    sa.select(*columns(thread, *_Earliest.__struct_fields__))
    .where(*_OF_CONVERSATION)
    .order_by(thread.c.scheduled_for, thread.c.id)
    .limit(sa.literal_column("1")),
)


def put(tx: Writer, head: Head, thread_id: int, schedule: Schedule) -> Head:
    """Give a thread a schedule in place of the one it had; gives the conversation as it is then, to be saved."""
    tx.run(_SET, account_id=head.account_id, id=thread_id, **msgspec.structs.asdict(schedule))
    return with_earliest(tx, head)


def drop(tx: Writer, head: Head, thread_id: int) -> Head:
    """Take a thread's schedule away; gives the conversation as it is then, to be saved."""
    tx.run(_CLEAR, account_id=head.account_id, id=thread_id)
    return with_earliest(tx, head)


def drop_on_reply(tx: Writer, head: Head) -> Head:
    """Take away the schedules that an answer of the customer ends; gives the conversation, to be saved."""
    if head.scheduled_for is None:
        return head
    tx.run(_CLEAR_ON_REPLY, account_id=head.account_id, conversation_id=head.id)
    return with_earliest(tx, head)


def with_earliest(tx: Writer, head: Head) -> Head:
    """A conversation that knows the earliest of its threads' schedules."""
    found = tx.one(_EARLIEST, account_id=head.account_id, conversation_id=head.id)
    if found is None:
        return msgspec.structs.replace(head, scheduled_for=None, scheduled_by=None, unschedule_on_reply=None)
    return msgspec.structs.replace(head, **msgspec.structs.asdict(found))
