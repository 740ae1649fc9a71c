"""Giving new conversations of an inbox to users, by turns or to whoever has the fewest: see inboxes/routing.py.

Events become jobs, one for each conversation. What a job does is written together with its end, so exactly once; and
each by itself, for how many conversations somebody has is counted only when a transaction ends.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from deskhand.catalogue import events
from deskhand.catalogue.conversations import Patch
from deskhand.catalogue.problems import NotFound, Problem
from deskhand.db.engine import Database, Writer
from deskhand.desk.conversations import changing, owners, queries
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.conversations.writing import add_line_item, take
from deskhand.desk.inboxes import routing
from deskhand.desk.inboxes.routing import Enabled
from deskhand.lib.clock import Clock, to_wire
from deskhand.outbox import jobs
from deskhand.outbox.events import Fact
from deskhand.outbox.jobs import NewJob, Work
from deskhand.outbox.worker import Carrier, Listener

log = logging.getLogger("deskhand.assigning")

ASSIGN_NEW = "assign_new"
"""The kind of job that gives a new conversation to somebody."""
PAUSE_S = 2
"""How long it waits, so that workflows of the inbox come first: what they have assigned stays as it is."""


class New(msgspec.Struct, frozen=True):
    """Which conversation is to be given to somebody."""

    conversation_id: int


class _Particulars(msgspec.Struct, frozen=True):
    imported: bool = False


def listener(clock: Clock) -> Listener:
    """Adds a job for each new conversation of an inbox that gives them out; imported ones are not new."""

    def listen(tx: Writer, facts: Sequence[Fact]) -> None:
        new = [fact for fact in facts if fact.name == events.CONVERSATION_CREATED and not _imported(fact)]
        if not new:
            return
        given_out = routing.enabled(tx, [fact.account_id for fact in new])
        now = clock.now()
        added = [
            NewJob(
                account_id=fact.account_id,
                kind=ASSIGN_NEW,
                target=f"assigning:{fact.account_id}",
                payload=msgspec.json.encode(New(fact.subject_id)).decode(),
                due_at=jobs.milliseconds(now) + PAUSE_S * 1000,
                created_at=to_wire(now),
            )
            for fact in new
            if fact.inbox_id is not None and Enabled(fact.account_id, fact.inbox_id) in given_out
        ]
        if added:
            jobs.add_many(tx, added)

    return listen


def assigning(database: Database, clock: Clock) -> Carrier:
    """Carries out the jobs, each of which is gone once its conversation is given to somebody."""

    async def carry(work: Work) -> None:
        new = msgspec.json.decode(work.payload, type=New)

        def give(tx: Writer) -> None:
            if jobs.remove(tx, work):
                assign(tx, work.account_id, new.conversation_id, to_wire(clock.now()))

        await database.write(give)

    return carry


def assign(tx: Writer, account_id: int, id: int, now: str) -> None:
    """Give a conversation that waits for somebody to whoever's turn it is; where it is nobody's it stays as it is."""
    try:
        head = take(tx, on_behalf_of(account_id, 0), id, now)
    except NotFound:
        return
    except Problem as problem:
        log.info("conversation %d can't be given to anybody: %s", id, problem)
        return
    if not _waits(head):
        return
    user_id = routing.take_turn(tx, account_id, head.inbox_id)
    if user_id is None:
        return
    assigner_id = routing.assigner(tx, account_id, now)
    actor = on_behalf_of(account_id, assigner_id)
    changing.change(tx, actor, id, [Patch(op="replace", path="/assignTo", value=user_id)], now, line_items=False)
    owner = owners.by_id(tx, account_id, user_id)
    text = f"{routing.ASSIGNER} gave the conversation to {owner.name if owner else 'somebody'}"
    add_line_item(tx, queries.head(tx, actor, id), actor, now, text, user=user_id)
    routing.gave(tx, account_id, head.inbox_id, user_id, assigner_id)


def _waits(head: Head) -> bool:
    """Whether a conversation is there to be taken: with nobody, active, and neither a draft nor put aside."""
    return (
        head.assignee_id is None
        and head.status == "active"
        and head.state == "published"
        and head.snoozed_until is None
        and head.merged_into is None
    )


def _imported(fact: Fact) -> bool:
    return fact.particulars != "{}" and msgspec.json.decode(fact.particulars, type=_Particulars).imported
