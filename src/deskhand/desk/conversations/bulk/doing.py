"""Changing many conversations: begun once, then some at a time in short transactions, and undone the same way.

Whoever goes on with it takes the change first, so a request and a job may both do so, and doing it twice is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from deskhand.catalogue.conversations import GivenField, Patch, SnoozeConversation
from deskhand.catalogue.problems import AccessDenied, Locked, NotFound, PreconditionFailed, Problem
from deskhand.catalogue.values import WireTime
from deskhand.db.engine import Database, Writer
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations import changing, queries, tagging
from deskhand.desk.conversations.bulk import records
from deskhand.desk.conversations.bulk.actions import Action, Move, as_json, carry_out, from_json, replaced
from deskhand.desk.conversations.bulk.records import Bulk, Item, Was, was
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.timing import snoozing
from deskhand.desk.conversations.writing import save, take
from deskhand.desk.inboxes import queries as inboxes
from deskhand.lib.clock import Clock, from_wire, to_wire
from deskhand.outbox import events, jobs
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Then

CHANGE_MANY = "change_many"
"""The kind of jobs that go on with a change of many conversations."""
FORGET_CHANGE = "forget_change"
"""The kind of jobs that remove what was kept for undoing one."""
AT_ONCE = 200
"""So many conversations are changed while the page waits; more are left to the worker."""
SOME = 20
"""Conversations in one transaction; on SQLite others wait meanwhile."""
BATCHES_MOST = 40
"""Transactions in one go of a job; after that it is added again, long before its claim could end."""
UNDO_S = 600
"""How long a change can be undone."""
_GRACE_S = 60


class Going(msgspec.Struct, frozen=True):
    """Which change a job goes on with."""

    bulk_id: int


def begin(tx: Writer, actor: Actor, ids: Iterable[int], action: Action, now: str) -> Bulk:
    """Begin to change conversations; `go_on` does it, or the worker when there are more than `AT_ONCE`.

    Raises NotFound and AccessDenied for an inbox to move to that the caller does not see.
    """
    if isinstance(action, Move):
        inboxes.seen_by(tx, actor, action.inbox_id)
    chosen = records.distinct(ids)
    id = records.add(tx, actor.account_id, actor.user_id, as_json(action), chosen, "doing", now)
    # Where the page does it at once, the job is for the case that its process ends meanwhile.
    add_job(tx, actor.account_id, id, now, pause_s=0 if len(chosen) > AT_ONCE else _GRACE_S)
    jobs.add(
        tx, account_id=actor.account_id, kind=FORGET_CHANGE, target=f"bulk:{id}", payload=Going(id), now=now,
        due=from_wire(now) + timedelta(seconds=2 * UNDO_S),
    )  # fmt: skip
    return own(tx, actor, id)


def own(db: Writer, actor: Actor, id: int, *, lock: bool = False) -> Bulk:
    """A change that this user made; raises NotFound."""
    found = records.by_id(db, actor.account_id, id, lock=lock)
    if found is None or found.user_id != actor.user_id:
        raise NotFound
    return found


def begin_undo(tx: Writer, actor: Actor, id: int, now: str) -> Bulk:
    """Begin to put conversations back to what they were; raises NotFound, also when it is too late for that."""
    found = own(tx, actor, id, lock=True)
    if found.created_at < to_wire(from_wire(now) - timedelta(seconds=UNDO_S)) or found.state not in ("doing", "done"):
        raise NotFound
    records.set_state(tx, found, "undoing")
    add_job(tx, actor.account_id, id, now, pause_s=0 if found.done > AT_ONCE else _GRACE_S)
    return own(tx, actor, id)


def go_on(tx: Writer, account_id: int, id: int, now: str) -> bool:
    """Change or put back some more conversations; False when there were none left."""
    found = records.by_id(tx, account_id, id, lock=True)
    if found is None or found.state not in ("doing", "undoing"):
        return False
    undoing = found.state == "undoing"
    items = records.some(tx, found, "done" if undoing else "waiting", SOME)
    if not items:
        records.set_state(tx, found, "undone" if undoing else "done")
        tx.changed(events.PAGES)
        return False
    actor = access.actor(tx, found.user_id)
    if undoing:
        records.count(tx, found, undone=sum([_put_back(tx, actor, found, item, now) for item in items]))
    else:
        action = from_json(found.action)
        states = [_change(tx, actor, found, item.conversation_id, action, now) for item in items]
        records.count(tx, found, done=states.count("done"), refused=states.count("refused"))
    tx.changed(events.PAGES)
    return True


def _change(tx: Writer, actor: Actor | None, one: Bulk, id: int, action: Action, now: str) -> str:
    try:
        if actor is None:
            raise AccessDenied
        before = was(queries.head(tx, actor, id, lock=True))
        carry_out(tx, actor, id, action, now)
    except Problem as problem:
        records.settle(tx, one, id, "refused", None, None, why(problem))
        return "refused"
    try:
        after = was(queries.head(tx, actor, id))
    except (NotFound, AccessDenied):  # deleted, or moved out of sight
        records.settle(tx, one, id, "done", None, None)
        return "done"
    state = "same" if after == before else "done"
    records.settle(tx, one, id, state, before, after)
    return state


def why(problem: Problem) -> str:
    """Why a conversation could not be changed, as the end of a sentence about some."""
    match problem:
        case NotFound():
            return "gone meanwhile"
        case AccessDenied():
            return "not yours to change"
        case PreconditionFailed() | Locked():
            return "locked by company policy"
    return "; ".join(f"refused: {error.message}" for error in problem.errors) or "refused"


def _put_back(tx: Writer, actor: Actor | None, one: Bulk, item: Item, now: str) -> bool:
    """Put a conversation back, unless it is not as it was left; tells whether it is now as it was."""
    back = False
    if actor is not None and item.before is not None:
        try:
            head = queries.head(tx, actor, item.conversation_id, lock=True)
            if was(head) == item.after:
                _restore(tx, actor, head, records.read(item.before), now)
                back = True
        except Problem:
            back = False
    records.settle(tx, one, item.conversation_id, "undone" if back else "kept", item.before, item.after)
    return back


def _restore(tx: Writer, actor: Actor, head: Head, before: Was, now: str) -> None:
    """What it was, by the ordinary verbs; the times and names of back then after that."""
    if head.snoozed_until != before.snoozed_until:
        _restore_snooze(tx, actor, head.id, before, now)
    now_is = queries.head(tx, actor, head.id)
    patches = []
    if now_is.inbox_id != before.inbox_id:
        patches.append(replaced("mailboxId", before.inbox_id))
    if now_is.assignee_id != before.assignee_id and before.assignee_id is not None:
        patches.append(replaced("assignTo", before.assignee_id))
    elif before.assignee_id is None and now_is.assignee_id is not None:
        patches.append(Patch(op="remove", path="/assignTo"))
    if now_is.status != before.status:
        patches.append(replaced("status", before.status))
    if patches:
        changing.change(tx, actor, head.id, patches, now)
    if head.custom_fields != before.custom_fields:
        given = [GivenField(id=one["id"], value=one["value"]) for one in msgspec.json.decode(before.custom_fields)]
        changing.set_fields(tx, actor, head.id, given, now)
    if head.tags != before.tags:
        tagging.set_tags(tx, actor, head.id, [one["tag"] for one in msgspec.json.decode(before.tags)], now)
    made = take(tx, actor, head.id, now)
    kept = {name: getattr(before, name) for name in ("closed_at", "closed_by", "snoozed_by", "unsnooze_on_reply")}
    if made.snoozed_until == before.snoozed_until:
        save(tx, made, msgspec.structs.replace(made, **kept))


def _restore_snooze(tx: Writer, actor: Actor, id: int, before: Was, now: str) -> None:
    if before.snoozed_until is None or before.snoozed_until <= now:
        snoozing.unsnooze(tx, actor, id, now)
        return
    wanted = SnoozeConversation(
        snoozed_until=WireTime(before.snoozed_until), unsnooze_on_customer_reply=bool(before.unsnooze_on_reply)
    )
    snoozing.snooze(tx, actor, id, wanted, now)


def going_on(database: Database, clock: Clock) -> Carrier:
    """Carries out the jobs that change many."""

    async def carry(work: Work) -> Then | None:
        going = msgspec.json.decode(work.payload, type=Going)
        for _ in range(BATCHES_MOST):
            now = to_wire(clock.now())
            if not await database.write(lambda tx, now=now: go_on(tx, work.account_id, going.bulk_id, now)):  # type: ignore[misc]
                return None
        return lambda tx: add_job(tx, work.account_id, going.bulk_id, to_wire(clock.now()), pause_s=0)

    return carry


def forgetting(clock: Clock) -> Carrier:
    """Carries out the jobs that remove what is no longer needed; what is gone already is not there a second time."""

    async def carry(work: Work) -> Then:
        going = msgspec.json.decode(work.payload, type=Going)

        def then(tx: Writer) -> None:
            found = records.by_id(tx, work.account_id, going.bulk_id, lock=True)
            if found is not None and found.state in ("done", "undone"):
                records.forget(tx, work.account_id, going.bulk_id)
            elif found is not None:
                now = clock.now()
                jobs.add(
                    tx, account_id=work.account_id, kind=FORGET_CHANGE, target=work.target, payload=going, now=now,
                    due=now + timedelta(seconds=UNDO_S),
                )  # fmt: skip

        return then

    return carry


def add_job(tx: Writer, account_id: int, id: int, now: str, *, pause_s: int) -> None:
    """Let the worker go on with a change."""
    due = from_wire(now) + timedelta(seconds=pause_s)
    jobs.add(
        tx, account_id=account_id, kind=CHANGE_MANY, target=f"bulk:{account_id}", payload=Going(id), now=now, due=due
    )
