"""Bringing what conversations show up to date when a tag or a custom field is changed, merged or deleted.

Conversations keep the names of their tags and fields, so that lists need not look them up. The first ones are changed
with the tag or field itself, the others by a job, batch after batch. Each whose tags are others or are called otherwise
than before is told of by an event; the job waits until those of a batch are heard, so that no other event is held up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.events import CONVERSATION_TAGS
from deskhand.catalogue.problems import BadRequest, FieldError, NotFound
from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.portable import ids_from, ids_in, unindexed
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk import counters
from deskhand.desk.call import Actor
from deskhand.desk.conversations import fields
from deskhand.desk.conversations.tables import conversation, conversation_field, conversation_tag
from deskhand.desk.conversations.tagging import CarriedTag
from deskhand.desk.inboxes import custom_fields
from deskhand.desk.inboxes.custom_fields import FieldChange
from deskhand.desk.inboxes.queries import Field
from deskhand.desk.tags import managing as tags
from deskhand.desk.tags.queries import TagRow
from deskhand.lib.clock import Clock, to_wire
from deskhand.outbox import events, jobs
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier

RELABEL = "relabel_conversations"
"""The kind of jobs that go on with it."""
BATCH = 100
"""Conversations changed in one transaction; on SQLite others wait meanwhile."""
_LOOKS, _LOOK_AGAIN_S = 50, 0.02
"""How often a job looks whether all events are heard before it goes on: others may record some all the time."""
_TOLD = '{"relabelled":true}'
"""What workflows know these events by: nothing happened in the conversation, so they leave it alone."""


class Task(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is to be brought up to date: a tag (which has become `into`, if that is one) or a field, behind `after`.

    `by` is the user who changed it.
    """

    tag: int = 0
    field: int = 0
    into: int = 0
    after: int = 0
    by: int = 0


class _Labelled(msgspec.Struct, frozen=True):
    id: int
    inbox_id: int
    state: str
    tags: str
    custom_fields: str
    merged_into: int | None


class _ShownTag(msgspec.Struct, frozen=True):
    id: int
    color: str
    tag: str


_SHOWN = sa.select(*columns(conversation, *_Labelled.__struct_fields__)).where(
    unindexed(conversation.c.account_id) == P("account_id")
)


def _next(carried: sa.Table, key: str) -> sa.Select[tuple[int]]:
    return (
        sa.select(carried.c.conversation_id)
        .where(
            carried.c.account_id == P("account_id"), carried.c[key] == P("key"), carried.c.conversation_id > P("after")
        )
        .order_by(carried.c.conversation_id)
        .limit(P("size", sa.Integer))
    )


_WITH_TAG, _WITH_FIELD = (
    rows(
        _Labelled,
        _SHOWN.where(ids_from(conversation.c.id, _next(carried, key))).order_by(conversation.c.id).with_for_update(),
    )
    for carried, key in ((conversation_tag, "tag_id"), (conversation_field, "field_id"))
)
_ONE = (conversation.c.account_id == P("for_account"), conversation.c.id == P("id"))
_SET_TAGS = command(sa.update(conversation).where(*_ONE).values(tags=P("shown")))
_SET_FIELDS = command(sa.update(conversation).where(*_ONE).values(custom_fields=P("shown")))
_STILL_CARRY = value(
    int,
    sa.select(conversation_tag.c.conversation_id)
    .where(
        conversation_tag.c.account_id == P("account_id"),
        conversation_tag.c.tag_id == P("tag_id"),
        ids_in(conversation_tag.c.conversation_id, P("ids", sa.Text)),
    )
    .order_by(conversation_tag.c.conversation_id),
)
_CARRY = Insert(conversation_tag, CarriedTag)
_DROP_TAG = command(
    sa.delete(conversation_tag).where(
        conversation_tag.c.account_id == P("account_id"), conversation_tag.c.tag_id == P("tag_id"),
        ids_in(conversation_tag.c.conversation_id, P("ids", sa.Text)),
    )
)  # fmt: skip
_DROP_FIELD = command(
    sa.delete(conversation_field).where(
        conversation_field.c.account_id == P("account_id"), conversation_field.c.field_id == P("field_id"),
        ids_in(conversation_field.c.conversation_id, P("ids", sa.Text)),
    )
)  # fmt: skip
_WITH_VALUE = value(
    int,
    sa.select(sa.func.count())
    .select_from(conversation_field)
    .where(conversation_field.c.account_id == P("account_id"), conversation_field.c.field_id == P("field_id")),
)


def change_tag(tx: Writer, actor: Actor, id: int, name: str, color: str, now: str) -> None:
    """Give a tag another name and colour, on all conversations too; raises as tags.managing.change does."""
    tags.change(tx, actor, id, name, color, now)
    _begin(tx, actor.account_id, Task(tag=id, by=actor.user_id), now)


def merge_tag(tx: Writer, actor: Actor, id: int, into: int, now: str) -> TagRow:
    """Put another tag in the place of one on all conversations, and delete it; gives what it was.

    Raises NotFound, AccessDenied, and BadRequest for a tag that is to become itself or one that there is not.
    """
    try:
        tags.one(tx, actor.account_id, into)
    except NotFound:
        raise BadRequest(FieldError("into", "must be another tag", "ValidIdentifier")) from None
    if id == into:
        raise BadRequest(FieldError("into", "must be another tag", "ValidIdentifier"))
    before = tags.delete(tx, actor, id)
    _begin(tx, actor.account_id, Task(tag=id, into=into, by=actor.user_id), now)
    return before


def delete_tag(tx: Writer, actor: Actor, id: int, now: str) -> TagRow:
    """Delete a tag and take it from all conversations; gives what it was. Raises NotFound and AccessDenied."""
    before = tags.delete(tx, actor, id)
    _begin(tx, actor.account_id, Task(tag=id, by=actor.user_id), now)
    return before


def change_field(tx: Writer, actor: Actor, id: int, wanted: FieldChange, now: str) -> None:
    """Change a custom field; conversations lose a choice that is none any more. Raises as custom_fields.change does."""
    custom_fields.change(tx, actor, id, wanted)
    _begin(tx, actor.account_id, Task(field=id), now)


def delete_field(tx: Writer, actor: Actor, id: int, now: str) -> Field:
    """Delete a custom field with every conversation's value; gives what it was. Raises NotFound and AccessDenied."""
    before = custom_fields.delete(tx, actor, id)
    _begin(tx, actor.account_id, Task(field=id), now)
    return before


def with_value(db: Reader, account_id: int, field_id: int) -> int:
    """How many conversations have a value of a custom field."""
    return db.first(_WITH_VALUE, account_id=account_id, field_id=field_id)


def relabelling(database: Database, clock: Clock) -> Carrier:
    """Carries out the jobs; a conversation that is up to date is left as it is, so a second time is harmless."""

    async def carry(work: Work) -> None:
        task: Task | None = msgspec.json.decode(work.payload, type=Task)
        while task is not None:
            task = await database.write(partial(_go_on, work.account_id, task, to_wire(clock.now())))
            await _heard(database)

    return carry


async def _heard(database: Database) -> None:
    """Wait until what was recorded is heard: new events are looked at in their turn, behind these."""
    for _ in range(_LOOKS):
        if not await database.read(events.any_unhandled):
            return
        await asyncio.sleep(_LOOK_AGAIN_S)


def _begin(tx: Writer, account_id: int, task: Task, now: str) -> None:
    left = _go_on(account_id, task, now, tx)
    if left is not None:
        what = f"tag:{task.tag}" if task.tag else f"field:{task.field}"
        jobs.add(tx, account_id=account_id, kind=RELABEL, target=f"relabel {what}", payload=left, now=now)


def _go_on(account_id: int, task: Task, now: str, tx: Writer) -> Task | None:
    """Bring the next batch up to date; gives what is left to do."""
    statement, key = (_WITH_TAG, task.tag) if task.tag else (_WITH_FIELD, task.field)
    found = tx.all(statement, account_id=account_id, key=key, after=task.after, size=BATCH)
    if task.tag:
        told = _retag(tx, account_id, task, found)
        events.record_many(tx, [_event(account_id, one, task.by, now) for one in told])
    else:
        _refill(tx, account_id, task.field, found)
    tx.changed(events.PAGES)
    return None if len(found) < BATCH else msgspec.structs.replace(task, after=found[-1].id)


def _retag(tx: Writer, account_id: int, task: Task, found: Sequence[_Labelled]) -> list[_Labelled]:
    """Show a tag as it is now: renamed, in another's place, or not at all; gives those whose tags read otherwise."""
    now_is = _tag(tx, account_id, task.into or task.tag)
    # Read once more now that nobody else can change them: somebody may have been at it meanwhile.
    carry = set(tx.all(_STILL_CARRY, account_id=account_id, tag_id=task.tag, ids=_json([row.id for row in found])))
    gone: list[int] = []
    told: list[_Labelled] = []
    for row in found:
        shown = msgspec.json.decode(row.tags, type=list[_ShownTag])
        kept = {one.id: one for one in (now_is if one.id == task.tag else one for one in shown) if one is not None}
        after = msgspec.json.encode(list(kept.values())).decode()
        if after != row.tags:
            tx.run(_SET_TAGS, for_account=account_id, id=row.id, shown=after)
            # Of drafts nothing is told, and those that were merged carry no tags. Another colour is no other tag.
            if row.state != "draft" and row.merged_into is None and _named(kept.values()) != _named(shown):
                told.append(row)
        if row.id not in carry or (now_is is not None and now_is.id == task.tag):
            continue
        gone.append(row.id)
        counted = row.merged_into is None
        if counted:
            counters.add(tx, (account_id, "tag", task.tag, row.inbox_id), -1)
        if now_is is not None and now_is.id not in {one.id for one in shown}:
            tx.add_many(_CARRY, (CarriedTag(account_id, row.id, now_is.id),))
            if counted:
                counters.add(tx, (account_id, "tag", now_is.id, row.inbox_id), 1)
    if gone:
        tx.run(_DROP_TAG, account_id=account_id, tag_id=task.tag, ids=_json(gone))
    return told


def _named(shown: Iterable[_ShownTag]) -> list[tuple[int, str]]:
    return [(one.id, one.tag) for one in shown]


def _event(account_id: int, row: _Labelled, by: int, now: str) -> events.Event:
    return events.Event(
        account_id=account_id, name=CONVERSATION_TAGS, subject_id=row.id, inbox_id=row.inbox_id,
        actor_type="user" if by else "system_user", actor_id=by, at=now, particulars=_TOLD,
    )  # fmt: skip


def _refill(tx: Writer, account_id: int, field_id: int, found: Sequence[_Labelled]) -> None:
    """Show a custom field as it is now: renamed, its choices renamed, or not at all."""
    renewed = _renewing(tx, account_id, field_id)
    gone: list[int] = []
    for row in found:
        before = fields.from_json(row.custom_fields)
        kept = [one for one in (renewed(value) if value.id == field_id else value for value in before) if one]
        after = fields.as_json(kept)
        if after != row.custom_fields:
            tx.run(_SET_FIELDS, for_account=account_id, id=row.id, shown=after)
        if not any(one.id == field_id for one in kept):
            gone.append(row.id)
    if gone:
        tx.run(_DROP_FIELD, account_id=account_id, field_id=field_id, ids=_json(gone))


def _renewing(db: Reader, account_id: int, field_id: int) -> Callable[[fields.Value], fields.Value | None]:
    """What becomes of a value of the field: None where there is no such field or choice any more."""
    try:
        field = custom_fields.one(db, account_id, field_id)
    except NotFound:
        return lambda value: None

    def renewed(value: fields.Value) -> fields.Value | None:
        text, fault = fields.read(field, value.value)
        return None if fault else fields.Value(field.id, field.name, value.value, text)

    return renewed


def _tag(db: Reader, account_id: int, id: int) -> _ShownTag | None:
    try:
        found = tags.one(db, account_id, id)
    except NotFound:
        return None
    return _ShownTag(found.id, found.color, found.name)


def _json(ids: Sequence[int]) -> str:
    return msgspec.json.encode(ids).decode()
