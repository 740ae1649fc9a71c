"""Deleting conversations with a way back: the deletion is held for some seconds, in which it can be undone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, Problem
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations.bulk import doing, records
from deskhand.desk.conversations.bulk.actions import Delete, as_json
from deskhand.desk.conversations.bulk.doing import Going, own
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.conversations.writing import take
from deskhand.lib.clock import Clock, from_wire, to_wire
from deskhand.outbox import events, jobs
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Then

BEGIN_DELETING = "begin_deleting"
"""The kind of jobs that end the time in which a deletion can be undone."""
HELD_S = 15
_LOOKED_AT_MOST = 200
_DELETING = as_json(Delete())
_THERE = sa.select(conversation.c.id).where(
    unindexed(conversation.c.account_id) == P("account_id"), ids_in(conversation.c.id, P("ids", sa.Text))
)
_ALL_THERE = value(int, _THERE)
_SEEN = value(int, _THERE.where(ids_in(unindexed(conversation.c.inbox_id), P("inboxes", sa.Text))))


def delete_later(tx: Writer, actor: Actor, ids: Sequence[int], now: str) -> int:
    """Delete conversations in a few seconds; gives the id by which that can be undone.

    Raises AccessDenied for who may delete none, and what `moving.delete` would when not one of them could be deleted.
    Others that can't be are left out then, and counted as refused.
    """
    if actor.role == "light user":
        raise AccessDenied
    chosen = records.distinct(ids)
    if len(chosen) <= _LOOKED_AT_MOST:
        _require_one(tx, actor, chosen, now)
    # Everybody sees what is about to be deleted, so nobody may say that of what they don't see themselves.
    chosen = _seen(tx, actor, chosen)
    if not chosen:
        raise AccessDenied
    id = records.add(tx, actor.account_id, actor.user_id, _DELETING, chosen, "held", now)
    begun, going = from_wire(now) + timedelta(seconds=HELD_S), Going(id)
    jobs.add(
        tx, account_id=actor.account_id, kind=BEGIN_DELETING, target=f"bulk:{actor.account_id}", payload=going, now=now,
        due=begun,
    )  # fmt: skip
    jobs.add(
        tx, account_id=actor.account_id, kind=doing.FORGET_CHANGE, target=f"bulk:{id}", payload=going, now=now,
        due=begun + timedelta(seconds=doing.UNDO_S),
    )  # fmt: skip
    tx.changed(events.PAGES)
    return id


def undo_delete(tx: Writer, actor: Actor, bulk_id: int, now: str) -> bool:
    """Leave them where they are; False when it is too late. Raises NotFound for what this user did not delete."""
    found = own(tx, actor, bulk_id, lock=True)
    if found.state != "held":
        return found.state == "undone"
    records.set_state(tx, found, "undone")
    records.count(tx, found, undone=found.total)
    tx.changed(events.PAGES)
    return True


def doomed(db: Reader, account_id: int, ids: Collection[int]) -> set[int]:
    """Which of some conversations are about to be deleted."""
    return records.doomed(db, account_id, ids, _DELETING)


def beginning(clock: Clock) -> Carrier:
    """Carries out the jobs that begin deleting. Twice does no harm: the second time it is held no more."""

    async def carry(work: Work) -> Then:
        going = msgspec.json.decode(work.payload, type=Going)

        def then(tx: Writer) -> None:
            found = records.by_id(tx, work.account_id, going.bulk_id, lock=True)
            if found is not None and found.state == "held":
                records.set_state(tx, found, "doing")
                doing.add_job(tx, work.account_id, going.bulk_id, to_wire(clock.now()), pause_s=0)

        return then

    return carry


def _seen(db: Reader, actor: Actor, ids: Sequence[int]) -> list[int]:
    listed, inboxes = (msgspec.json.encode(one).decode() for one in (ids, actor.inboxes or ()))
    if actor.inboxes is None:
        return sorted(db.all(_ALL_THERE, account_id=actor.account_id, ids=listed))
    return sorted(db.all(_SEEN, account_id=actor.account_id, ids=listed, inboxes=inboxes))


def _require_one(tx: Writer, actor: Actor, ids: Sequence[int], now: str) -> None:
    problem: Problem | None = None
    for id in ids:
        try:
            take(tx, actor, id, now)
        except Problem as found:
            problem = problem or found
        else:
            return
    if problem is not None:
        raise problem
