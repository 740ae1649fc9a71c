"""Automatic workflows: whatever happens to a conversation lets those of its inbox look at it, each in its turn.

Events become jobs `run_workflows`, one for each conversation that events tell of together. A job may be carried out
twice: a workflow runs on a conversation once, which `workflow_run` makes sure of.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.problems import NotFound, Problem
from deskhand.db.engine import Conflict, Database, Reader, Unavailable, Writer
from deskhand.db.portable import add_missing, ids_in, unindexed
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations import queries as conversations
from deskhand.desk.conversations.tables import thread
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.conversations.writing import add_line_item
from deskhand.desk.workflows import acting, actions, cases, conditions, evaluating, naming, queries, verbs
from deskhand.desk.workflows.conditions import Group
from deskhand.desk.workflows.evaluating import Matcher
from deskhand.desk.workflows.tables import workflow, workflow_run
from deskhand.lib.clock import Clock, to_wire
from deskhand.outbox import jobs
from deskhand.outbox.events import Fact
from deskhand.outbox.jobs import NewJob, Work
from deskhand.outbox.worker import Failed, Kind, Listener

log = logging.getLogger("deskhand.workflows")

RUN_WORKFLOWS = "run_workflows"
"""The kind of job that lets the workflows of its inbox look at a conversation."""
CHAIN_MOST = 5
"""How many workflows may follow from one another; what the last of them does lets no other look."""
_LOOKED_AT = frozenset(
    (
        events.CONVERSATION_CREATED, events.CUSTOMER_REPLY_CREATED, events.AGENT_REPLY_CREATED, events.NOTE_CREATED,
        events.CONVERSATION_STATUS, events.CONVERSATION_ASSIGNED, events.CONVERSATION_TAGS,
        events.CONVERSATION_MOVED, events.CONVERSATION_CUSTOM_FIELDS, events.RATING_GIVEN,
    )
)  # fmt: skip


class Turn(msgspec.Struct, frozen=True):
    """Which conversation is to be looked at, and the workflows from which it follows, one after the other."""

    conversation_id: int
    chain: tuple[int, ...] = ()


class Automatic(msgspec.Struct, frozen=True):
    """An automatic workflow that is switched on; see queries.WorkflowRow."""

    id: int
    inbox_id: int
    name: str
    actions: str
    conditions: str


class _Inbox(msgspec.Struct, frozen=True):
    account_id: int
    inbox_id: int


class _Thread(msgspec.Struct, frozen=True):
    id: int
    conversation_id: int


class _Particulars(msgspec.Struct, frozen=True):
    workflows: tuple[int, ...] = ()
    imported: bool = False
    relabelled: bool = False


_ACTIVE = (
    workflow.c.type == sa.literal_column("'automatic'"),
    workflow.c.status == sa.literal_column("'active'"),
)
_INBOXES = rows(
    _Inbox,
    sa.select(workflow.c.account_id, workflow.c.inbox_id)
    .where(ids_in(workflow.c.account_id, P("account_ids", sa.Text)), *_ACTIVE)
    .distinct(),
)
_RATED = rows(
    _Thread,
    sa.select(thread.c.id, thread.c.conversation_id).where(
        ids_in(thread.c.account_id, P("account_ids", sa.Text)), ids_in(thread.c.id, P("ids", sa.Text))
    ),
)
_OF_INBOX = (
    sa.select(*columns(workflow, *Automatic.__struct_fields__))
    .where(workflow.c.account_id == P("account_id"), workflow.c.inbox_id == P("inbox_id"), *_ACTIVE)
    .order_by(workflow.c.position, workflow.c.id)
)
_IN_ORDER = rows(Automatic, _OF_INBOX)
_ONE = rows(Automatic, _OF_INBOX.where(workflow.c.id == P("id")))
_RAN = value(
    int,
    sa.select(workflow_run.c.workflow_id).where(
        workflow_run.c.account_id == P("account_id"),
        workflow_run.c.conversation_id == P("conversation_id"),
        workflow_run.c.user_id.is_(None),
    ),
)
_TOLD = value(
    int,
    sa.select(thread.c.id)
    .where(
        unindexed(thread.c.account_id) == P("account_id"),
        thread.c.conversation_id == P("conversation_id"),
        thread.c.type == sa.literal_column("'lineitem'"),
        thread.c.action_text == P("text"),
    )
    .limit(sa.literal_column("1")),
)
_RUN_ONCE = add_missing(workflow_run, "account_id", "workflow_id", "conversation_id", "at")


# -- From events to jobs


def listener(clock: Clock) -> Listener:
    """Lets workflows look at the conversations that events tell of."""

    def listen(tx: Writer, facts: Sequence[Fact]) -> None:
        look_at(tx, facts, clock.now())

    return listen


def look_at(tx: Writer, facts: Sequence[Fact], now: datetime) -> None:
    """Add a job for each conversation of an inbox that has automatic workflows."""
    told = [(fact, _particulars(fact)) for fact in facts if fact.name in _LOOKED_AT]
    told = [
        (fact, one) for fact, one in told if not (one.imported or one.relabelled) and len(one.workflows) < CHAIN_MOST
    ]
    if not told:
        return
    account_ids = json.dumps(sorted({fact.account_id for fact, _ in told}))
    inboxes = {(one.account_id, one.inbox_id) for one in tx.all(_INBOXES, account_ids=account_ids)}
    told = [(fact, one) for fact, one in told if (fact.account_id, fact.inbox_id) in inboxes]
    rated = json.dumps(sorted({fact.thread_id or 0 for fact, _ in told if fact.name == events.RATING_GIVEN}))
    of_thread: dict[int, int] = {}
    if rated != "[]":
        found = tx.all(_RATED, account_ids=account_ids, ids=rated)
        of_thread = {one.id: one.conversation_id for one in found}
    turns: dict[tuple[int, int], tuple[int, ...]] = {}
    for fact, one in told:
        id = of_thread.get(fact.thread_id or 0) if fact.name == events.RATING_GIVEN else fact.subject_id
        if id is not None:
            key = (fact.account_id, id)
            turns[key] = min(turns.get(key, one.workflows), one.workflows, key=len)
    add_jobs(tx, turns.items(), now)


def _particulars(fact: Fact) -> _Particulars:
    return _Particulars() if fact.particulars == "{}" else msgspec.json.decode(fact.particulars, type=_Particulars)


def add_jobs(tx: Writer, turns: Iterable[tuple[tuple[int, int], tuple[int, ...]]], now: datetime) -> None:
    """Add a job for each account and conversation, with the workflows that led to it."""
    new = [
        NewJob(
            account_id=account_id,
            kind=RUN_WORKFLOWS,
            target=f"workflows:{account_id}",  # together, so that a burst leaves others their places
            payload=msgspec.json.encode(Turn(id, chain)).decode(),
            due_at=jobs.milliseconds(now),
            created_at=to_wire(now),
        )
        for (account_id, id), chain in turns
    ]
    if new:
        jobs.add_many(tx, new)


# -- Carrying a job out


def kind(database: Database, clock: Clock) -> Kind:
    """How the job is carried out."""
    return Kind(Running(database, clock).carry, first_pause_s=5)


class Choice(msgspec.Struct, frozen=True):
    """The workflow whose turn it is on a conversation, in which inbox, and those that have had their turn by then."""

    workflow: Automatic
    inbox_id: int
    passed: list[int]


class _TakenOver(Exception):
    """The job is another worker's by now, or gone with the state that it was of."""


def _while_held(work: Work, does: Callable[[Writer], bool]) -> Callable[[Writer], bool]:
    def run(tx: Writer) -> bool:
        if not jobs.is_held(tx, work):
            raise _TakenOver
        return does(tx)

    return run


class Running:
    """Lets automatic workflows run, each in a transaction of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def carry(self, work: Work) -> None:
        """Look at a conversation with one workflow after the other.

        What one can't do is told at the conversation; raises Failed where one broke down, after all others had their
        turn. Those that ran follow from what led to this job and not from each other.
        """
        turn = msgspec.json.decode(work.payload, type=Turn)
        account_id, id = work.account_id, turn.conversation_id
        inbox_id, passed, broken = None, list(turn.chain), []
        while True:
            now, matcher = self._clock.now(), Matcher()
            # On the lane of slow reads, because texts may be long and regular expressions slow.
            choosing = partial(choose, account_id=account_id, id=id, passed=passed, now=now, matcher=matcher)
            choice = await self._database.read(choosing, "slow")
            if choice is None or inbox_id not in (None, choice.inbox_id):
                break  # where it was moved to, others look at it: the move is an event
            inbox_id, passed, chosen = choice.inbox_id, choice.passed, choice.workflow
            running = partial(run, account_id=account_id, id=id, workflow_id=chosen.id, chain=turn.chain, moment=now)
            try:
                await self._database.write(_while_held(work, partial(running, matcher=matcher)))
            except _TakenOver:
                return
            except Problem as problem:
                log.info("workflow %d can't run on %d: %s", chosen.id, id, problem)
                refusing = partial(refuse, account_id=account_id, id=id, workflow_id=chosen.id, chain=turn.chain)
                await self._database.write(partial(refusing, moment=now, problem=problem))
            except (Unavailable, Conflict):
                raise
            except Exception as problem:
                log.exception("workflow %d broke down on %d", chosen.id, id)
                broken.append(f"workflow {chosen.id} ({chosen.name}): {type(problem).__name__}: {problem}")
        if broken:
            raise Failed("; ".join(broken))


def choose(
    db: Reader, account_id: int, id: int, passed: Collection[int], now: datetime, matcher: Matcher
) -> Choice | None:
    """The first of its inbox's workflows, without those passed and those that ran, that a conversation calls for."""
    inbox_id = _inbox_of(db, account_id, id)
    if inbox_id is None:
        return None
    left = of_inbox(db, account_id, inbox_id)
    if left:
        gone = {*passed, *db.all(_RAN, account_id=account_id, conversation_id=id)}
        left = [(one, groups) for one, groups in left if one.id not in gone]
    if not left:
        return None
    wanted = cases.wanted(condition for _, groups in left for condition in conditions.every(groups))
    case = cases.read(db, account_id, (id,), wanted).get(id)
    if case is None or case.state == "draft":
        return None
    passed = list(passed)
    for one, groups in left:
        passed.append(one.id)
        if evaluating.holds(groups, case, now, matcher):
            return Choice(one, inbox_id, passed)
    return None


def _inbox_of(db: Reader, account_id: int, id: int) -> int | None:
    with suppress(NotFound):
        return conversations.head(db, on_behalf_of(account_id, 0), id).inbox_id
    return None


def of_inbox(db: Reader, account_id: int, inbox_id: int) -> list[tuple[Automatic, tuple[Group, ...]]]:
    """The automatic workflows of an inbox that are switched on, in order, with their conditions."""
    found = db.all(_IN_ORDER, account_id=account_id, inbox_id=inbox_id)
    return [(one, conditions.from_json(one.conditions) or ()) for one in found]


def run(
    tx: Writer,
    account_id: int,
    id: int,
    workflow_id: int,
    chain: tuple[int, ...],
    moment: datetime,
    matcher: Matcher,
) -> bool:
    """Run an automatic workflow on a conversation, all of it or nothing, unless it ran there or matches no more.

    A workflow that names what is gone becomes invalid instead. Raises what the verbs of conversations do.
    """
    now = to_wire(moment)
    try:
        head = conversations.head(tx, on_behalf_of(account_id, 0), id, lock=True)
    except NotFound:
        return False
    found = tx.one(_ONE, account_id=account_id, inbox_id=head.inbox_id, id=workflow_id)
    if found is None:
        return False
    does, groups = actions.from_json(found.actions), conditions.from_json(found.conditions)
    because = queries.why_broken(tx, account_id, [queries.existing(tx, account_id, found.id)]).get(found.id)
    if because or does is None or groups is None:
        log.warning("workflow %d is invalid now: %s", found.id, because)
        verbs.invalidate(tx, account_id, found.id, because or "", now)
        return False
    case = cases.read(tx, account_id, (id,), cases.wanted(conditions.every(groups))).get(id)
    if case is None or not evaluating.holds(groups, case, moment, matcher):
        return False
    if not tx.run(_RUN_ONCE, account_id=account_id, workflow_id=found.id, conversation_id=id, at=now):
        return False
    actor = acting_as(account_id, verbs.actor_of(tx, account_id, found.id, now), (*chain, found.id))
    named = naming.named_by(tx, account_id, (found.inbox_id,), does)
    done = acting.carry_out(tx, actor, id, does, named, now, found.id)
    add_line_item(
        tx, head, actor, now, f"The workflow {found.name} ran: {done}", "automatic-workflow", workflow=found.id
    )
    return True


def refuse(
    tx: Writer, account_id: int, id: int, workflow_id: int, chain: tuple[int, ...], moment: datetime, problem: Problem
) -> None:
    """Tell at a conversation why a workflow can't run on it: once, however often it tries."""
    now = to_wire(moment)
    try:
        head = conversations.head(tx, on_behalf_of(account_id, 0), id, lock=True)
    except NotFound:
        return
    found = tx.one(_ONE, account_id=account_id, inbox_id=head.inbox_id, id=workflow_id)
    if found is None:
        return
    why = "; ".join(one.message for one in problem.errors) or problem.message
    text = f"The workflow {found.name} could not run: {why}"
    if tx.one(_TOLD, account_id=account_id, conversation_id=id, text=text) is None:
        actor = acting_as(account_id, verbs.actor_of(tx, account_id, found.id, now), (*chain, found.id))
        add_line_item(tx, head, actor, now, text, workflow=found.id)


def acting_as(account_id: int, user_id: int, chain: tuple[int, ...]) -> Actor:
    """A workflow as the one who acts: it sees all inboxes, for an administrator made it."""
    return msgspec.structs.replace(on_behalf_of(account_id, user_id), chain=chain)
