"""Telling of a reply that can be taken back only once it can't be any more: the job `announce_reply`.

Webhooks, workflows and whoever else hears of events are told nothing of a reply that never was.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from deskhand.catalogue import events
from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.drafts import rights
from deskhand.desk.conversations.mail import mail_queries, mailing
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.conversations.writing import tell
from deskhand.lib.clock import Clock, from_wire, to_wire
from deskhand.outbox import jobs
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Then

ANNOUNCE_REPLY = "announce_reply"
_AGAIN_AFTER = timedelta(seconds=2)


class Announcement(msgspec.Struct, frozen=True):
    """What is to be told: a reply and who wrote it, and status and owner before and after it."""

    thread_id: int
    conversation_id: int
    user_id: int
    status: tuple[str, str]
    owner: tuple[int, int]
    begins: bool = False
    """The conversation was a draft itself, so it is this that is told of."""


def later(tx: Writer, before: Head, after: Head, thread_id: int, user_id: int, now: str, hold_s: int) -> None:
    """Have a reply told of after `hold_s` seconds, unless it is withdrawn."""
    announcement = Announcement(
        thread_id,
        after.id,
        user_id,
        (before.status, after.status),
        (before.assignee_id or 0, after.assignee_id or 0),
        before.state == "draft",
    )
    due = from_wire(now) + timedelta(seconds=hold_s)
    target = f"conversation:{after.id}"
    jobs.add(
        tx, account_id=after.account_id, kind=ANNOUNCE_REPLY, target=target, payload=announcement, now=now, due=due
    )  # fmt: skip


def _again(tx: Writer, account_id: int, told: Announcement, now: str) -> None:
    """Look once more in a moment: the job of its mail is about to decide whether the reply leaves."""
    due, target = from_wire(now) + _AGAIN_AFTER, f"conversation:{told.conversation_id}"
    jobs.add(tx, account_id=account_id, kind=ANNOUNCE_REPLY, target=target, payload=told, now=now, due=due)


def is_to_come(db: Reader, account_id: int, thread_id: int) -> bool:
    """Whether nobody was told of a reply yet."""
    return jobs.any_waiting(db, account_id, ANNOUNCE_REPLY, mailing.payload_begins(thread_id))


def withdraw(tx: Writer, account_id: int, thread_id: int) -> bool:
    """Let a reply not be told of; False when it has been already."""
    return jobs.withdraw(tx, account_id, ANNOUNCE_REPLY, mailing.payload_begins(thread_id))


def announcing(clock: Clock) -> Carrier:
    """Carries out these jobs. They end in the transaction that records the events, so twice can't be."""

    async def carry(work: Work) -> Then:
        announcement = msgspec.json.decode(work.payload, type=Announcement)
        return lambda tx: _announce(tx, work.account_id, announcement, to_wire(clock.now()))

    return carry


def _announce(tx: Writer, account_id: int, told: Announcement, now: str) -> None:
    actor = on_behalf_of(account_id, told.user_id)
    try:
        head = queries.head(tx, actor, told.conversation_id)
        reply = thread_queries.head(tx, account_id, head.id, told.thread_id)
    except NotFound:  # deleted or merged meanwhile
        return
    if reply.state == "draft":  # it stayed here
        return
    if mail_queries.held(tx, account_id, told.thread_id) and rights.fault(tx, account_id, head.inbox_id, told.user_id):
        _again(tx, account_id, told, now)
        return
    if told.begins:
        tell(tx, actor, head, events.CONVERSATION_CREATED, now, imported=False)
    else:
        tell(tx, actor, head, events.AGENT_REPLY_CREATED, now, thread_id=told.thread_id, imported=False)
    changed = {events.CONVERSATION_STATUS: told.status, events.CONVERSATION_ASSIGNED: told.owner}
    for name, (before, after) in changed.items():
        if before != after:
            tell(tx, actor, head, name, now, before=before, after=after)
