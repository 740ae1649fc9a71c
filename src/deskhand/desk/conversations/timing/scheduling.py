"""Sending drafts later: planning it, and what happens when the time has come or somebody does not want to wait.

Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/schedule/update
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, NotFound, invalid, shown
from deskhand.catalogue.threads import ScheduleThread, ThreadStep
from deskhand.db.engine import Writer
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, command, rows
from deskhand.desk.call import Actor
from deskhand.desk.conversations import queries, reply_facts
from deskhand.desk.conversations.drafts import rights, withheld
from deskhand.desk.conversations.mail import mailing
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.replying import asked_for, published, tell_changes
from deskhand.desk.conversations.tables import thread
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.threads.editing import checked_step
from deskhand.desk.conversations.threads.thread_queries import ThreadHead
from deskhand.desk.conversations.timing import schedules
from deskhand.desk.conversations.timing.later import on_behalf_of, require_future
from deskhand.desk.conversations.timing.schedules import Schedule
from deskhand.desk.conversations.writing import save, take, tell
from deskhand.lib.clock import Clock, to_wire
from deskhand.outbox import jobs
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Then

SEND_SCHEDULED = "send_scheduled"
"""The kind of job that sends a draft."""

_PUBLISH = command(
    sa.update(thread)
    .where(thread.c.account_id == P("account_id"), thread.c.id == P("id"))
    .values(
        state=sa.literal_column("'published'"),
        status=P("status"),
        created_at=P("now"),
        created_by_id=P("author"),
        assigned_to=P("owner"),
        **schedules.NONE,
    )
)


class _Planned(msgspec.Struct, frozen=True):
    conversation_id: int
    thread_id: int


_OF_USER = rows(
    _Planned,
    sa.select(thread.c.conversation_id, thread.c.id.label("thread_id"))
    .where(
        unindexed(thread.c.account_id) == P("account_id"),
        ids_in(thread.c.id, P("ids", sa.Text)),
        thread.c.scheduled_for.is_not(None),
        sa.or_(thread.c.scheduled_by == P("user_id"), thread.c.send_as_id == P("user_id")),
    )
    .order_by(thread.c.id),
)


class Departure(msgspec.Struct, frozen=True):
    """Which draft a job sends, as long as that is still planned for this time."""

    conversation_id: int
    thread_id: int
    at: str


def schedule(tx: Writer, actor: Actor, id: int, thread_id: int, wanted: ScheduleThread, now: str) -> None:
    """Let a draft go out by itself; raises NotFound, AccessDenied, PreconditionFailed (locked) and BadRequest."""
    head, found = _draft(tx, actor, id, thread_id, now)
    at = require_future("scheduledFor", str(wanted.scheduled_for), now)
    plan = Schedule(
        scheduled_by=actor.user_id,
        scheduled_at=now,
        scheduled_for=at,
        unschedule_on_reply=int(wanted.unschedule_on_customer_reply),
        send_as_id=found.created_by_id if wanted.send_as_creator else None,
    )
    after = schedules.put(tx, head, found.id, plan)
    save(tx, head, msgspec.structs.replace(after, modified_at=now, user_updated_at=now))
    set_departure(tx, head.account_id, head.id, found.id, at, now)


def set_departure(tx: Writer, account_id: int, conversation_id: int, thread_id: int, at: str, now: str) -> None:
    """Let a draft that has its schedule be sent when the time comes."""
    departure = Departure(conversation_id, thread_id, at)
    target = f"conversation:{conversation_id}"
    jobs.add(tx, account_id=account_id, kind=SEND_SCHEDULED, target=target, payload=departure, now=now, due=at)


def unschedule(tx: Writer, actor: Actor, id: int, thread_id: int, now: str) -> None:
    """Make a scheduled draft an ordinary one; one that is ordinary stays so. Raises as `schedule` does."""
    head, found = _draft(tx, actor, id, thread_id, now)
    if found.scheduled_for is not None:
        after = schedules.drop(tx, head, found.id)
        save(tx, head, msgspec.structs.replace(after, modified_at=now, user_updated_at=now))


def _draft(tx: Writer, actor: Actor, id: int, thread_id: int, now: str) -> tuple[Head, ThreadHead]:
    if actor.role == "light user":
        raise AccessDenied
    head = take(tx, actor, id, now)
    found = thread_queries.head(tx, actor.account_id, head.id, thread_id)
    if found.state != "draft":
        raise BadRequest(FieldError("threadId", "the thread is not a draft", "ValidIdentifier", found.id, "URI"))
    return head, found


def send_now(tx: Writer, actor: Actor, id: int, thread_id: int, step: ThreadStep, now: str) -> None:
    """Send a scheduled draft at once; raises as `schedule` does, and NotFound when it is not scheduled (any more)."""
    if actor.role == "light user":
        raise AccessDenied
    path, operator = checked_step(step)
    if path != "state":
        raise invalid("path", "Expected one of these: /state", "EnumValue", step.path)
    if operator != "replace":
        raise invalid("op", "Expected one of these: 'replace'", "EnumValue", operator)
    if step.value != "published":
        raise invalid("value", "Expected one of these: 'published'", "EnumValue", shown(step.value))
    head = take(tx, actor, id, now)
    found = thread_queries.head(tx, actor.account_id, head.id, thread_id)
    if found.scheduled_for is None:
        raise NotFound
    _send(tx, actor, head, found, now)


def sending(clock: Clock) -> Carrier:
    """Carries out the jobs that send drafts. Twice does no harm: the second time the draft is scheduled no more."""

    async def carry(work: Work) -> Then:
        departure = msgspec.json.decode(work.payload, type=Departure)
        return lambda tx: send_due(tx, work.account_id, departure, to_wire(clock.now()))

    return carry


def send_due(tx: Writer, account_id: int, departure: Departure, now: str) -> None:
    """Send a draft whose time has come, unless its schedule was changed or ended or the conversation is gone.

    Where who scheduled it may not send it any more it stays a draft, see drafts/withheld.py.
    """
    try:
        head = queries.head(tx, on_behalf_of(account_id, 0), departure.conversation_id, lock=True)
        found = thread_queries.head(tx, account_id, head.id, departure.thread_id)
    except NotFound:
        return
    if found.scheduled_for == departure.at and not _withhold(tx, head, found, now):
        _send(tx, on_behalf_of(account_id, _author(found)), head, found, now)


def stay_without(tx: Writer, account_id: int, user_id: int, now: str) -> None:
    """Let nothing leave any more that somebody scheduled who has left, or that was to leave in their name."""
    departures = [msgspec.json.decode(one, type=Departure) for one in jobs.payloads(tx, account_id, SEND_SCHEDULED)]
    ids = msgspec.json.encode(sorted({one.thread_id for one in departures})).decode()
    for one in tx.all(_OF_USER, account_id=account_id, user_id=user_id, ids=ids):
        head = queries.head(tx, on_behalf_of(account_id, 0), one.conversation_id, lock=True)
        found = thread_queries.head(tx, account_id, head.id, one.thread_id)
        if found.scheduled_for is not None:
            _withhold(tx, head, found, now)


def _withhold(tx: Writer, head: Head, found: ThreadHead, now: str) -> bool:
    """Keep a draft here that may not leave; whether that was so."""
    why = rights.fault(tx, head.account_id, head.inbox_id, _planner(found), _author(found))
    if why:
        withheld.stay(tx, head, schedules.drop(tx, head, found.id), _planner(found), why, now)
    return bool(why)


def _planner(found: ThreadHead) -> int:
    return found.scheduled_by or found.created_by_id


def _author(found: ThreadHead) -> int:
    """In whose name a draft goes out: the planner's, unless it was said to be the one's who wrote it."""
    return found.send_as_id or found.scheduled_by or found.created_by_id


def _send(tx: Writer, actor: Actor, head: Head, found: ThreadHead, now: str) -> None:
    """Publish a draft, with the status and the owner that it asked for when it was written."""
    author = _author(found)
    status, owner = asked_for(tx, head, found.on_publish)
    tx.run(
        _PUBLISH,
        account_id=head.account_id,
        id=found.id,
        status=status if status != head.status else "nochange",
        now=now,
        author=author,
        owner=owner,
    )
    after = published(head, found, now, status=status, assignee_id=owner, by=author)
    after = msgspec.structs.replace(after, state="published", waiting_since=None, latest_reply_from="user")
    after = save(tx, head, reply_facts.kept(tx, schedules.with_earliest(tx, after)))
    mailing.queue(tx, after, [found.id], now)
    if head.state == "draft":
        tell(tx, actor, after, events.CONVERSATION_CREATED, now, imported=bool(found.imported))
    else:
        imported = bool(found.imported)
        tell(tx, actor, after, events.AGENT_REPLY_CREATED, now, thread_id=found.id, imported=imported)
    tell_changes(tx, actor, head, after, now)
