"""Jobs: work that follows a change, written in the change's own transaction and carried out by the worker.

A job holds ids rather than copies, and may be carried out twice; whoever carries it out says why that is harmless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, texts_in
from deskhand.db.statements import Insert, P, command, rows, value
from deskhand.lib.clock import from_wire, to_wire
from deskhand.lib.text import beginning
from deskhand.outbox.events import WAKE
from deskhand.outbox.tables import job


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job to be added; see `add`."""

    account_id: int
    kind: str
    target: str
    payload: str
    state: str = "waiting"
    due_at: int
    claim: int = 0
    attempts: int = 0
    last_error: str = ""
    created_at: str


class Candidate(msgspec.Struct, frozen=True):
    """A job that is due."""

    id: int
    target: str


class Work(msgspec.Struct, frozen=True):
    """A job that a worker has claimed; `attempts` counts this one."""

    id: int
    account_id: int
    kind: str
    target: str
    payload: str
    attempts: int
    claim: int


class Shown(msgspec.Struct, frozen=True):
    """A job as people see it."""

    id: int
    account_id: int
    kind: str
    target: str
    payload: str
    state: str
    due_at: int
    attempts: int
    last_error: str
    created_at: str


class Tally(msgspec.Struct, frozen=True):
    """How many jobs of a kind are in a state, and when the first of them was or is due (milliseconds since 1970)."""

    kind: str
    state: str
    n: int
    first_due_at: int


_ADD = Insert(job, NewJob)
_WAITING = job.c.state == sa.literal_column("'waiting'")
_FAILED = job.c.state == sa.literal_column("'failed'")

_DUE = [
    _WAITING,
    job.c.due_at <= P("now"),
    sa.not_(texts_in(job.c.target, P("busy", sa.Text))),
]
_CANDIDATES = rows(
    Candidate,
    sa.select(job.c.id, job.c.target).where(*_DUE).order_by(job.c.due_at, job.c.id).limit(P("most", sa.Integer)),
)
# Whoever claims a job locks it first and passes over those that another process has locked.
_CHOSEN = (
    sa.select(job.c.id)
    .where(ids_in(job.c.id, P("ids", sa.Text)), _WAITING, job.c.due_at <= P("now"))
    .with_for_update(skip_locked=True)
    .cte("chosen")
)
_CLAIM = rows(
    Work,
    sa.update(job)
    .where(job.c.id.in_(sa.select(_CHOSEN.c.id)))
    .values(due_at=P("until"), claim=P("mark"), attempts=job.c.attempts + sa.literal_column("1"))
    .returning(*(job.c[name] for name in Work.__struct_fields__)),
)
_MINE = (job.c.id == P("id"), job.c.claim == P("mark"))
_REMOVE = command(sa.delete(job).where(*_MINE))
_IS_MINE = value(int, sa.select(job.c.id).where(*_MINE))
_AGAIN = command(
    sa.update(job).where(*_MINE).values(due_at=P("due"), claim=sa.literal_column("0"), last_error=P("reason"))
)
_GIVE_UP = command(
    sa.update(job)
    .where(*_MINE)
    .values(state=sa.literal_column("'failed'"), claim=sa.literal_column("0"), last_error=P("reason"))
)
_RELEASE = command(
    sa.update(job)
    .where(*_MINE)
    .values(due_at=P("due"), claim=sa.literal_column("0"), attempts=job.c.attempts - sa.literal_column("1"))
)
_NEXT = value(
    int,
    sa.select(sa.func.min(job.c.due_at)).where(_WAITING, sa.not_(texts_in(job.c.target, P("busy", sa.Text)))),
)
_TALLY = rows(
    Tally,
    sa.select(
        job.c.kind,
        job.c.state,
        sa.func.count().label("n"),
        sa.func.min(job.c.due_at).label("first_due_at"),
    ).group_by(job.c.kind, job.c.state),
)
_OURS = job.c.account_id == P("account_id")
_TALLY_OF = rows(
    Tally,
    sa.select(
        job.c.kind,
        job.c.state,
        sa.func.count().label("n"),
        sa.func.min(job.c.due_at).label("first_due_at"),
    )
    .where(_OURS)
    .group_by(job.c.kind, job.c.state)
    .order_by(job.c.state, job.c.kind),
)
_RETRIED = rows(
    Shown,
    sa.select(*(job.c[name] for name in Shown.__struct_fields__))
    .where(_OURS, _WAITING, job.c.last_error != sa.literal_column("''"))
    .order_by(job.c.id)
    .limit(P("most", sa.Integer)),
)
_NAMED = (
    job.c.account_id == P("account_id"),
    job.c.kind == P("kind"),
    job.c.payload.like(P("begins"), escape="\\"),
)
_NOBODY: sa.ColumnElement[int] = sa.literal_column("0")
_WITHDRAW = command(sa.delete(job).where(*_NAMED, _WAITING, job.c.claim == _NOBODY, job.c.attempts == _NOBODY))
_WITHDRAW_ONE = command(
    sa.delete(job).where(
        _OURS, job.c.kind == P("kind"), job.c.payload == P("payload"), _WAITING, job.c.claim == _NOBODY
    )
)
_PENDING = value(int, sa.select(job.c.id).where(*_NAMED, _WAITING).limit(sa.literal_column("1")))
_PAYLOADS = value(str, sa.select(job.c.payload).where(_OURS, _WAITING, job.c.kind == P("kind")).order_by(job.c.id))
_FORGET = command(sa.delete(job).where(*_NAMED, _FAILED))
_RESTARTED = {
    "state": sa.literal_column("'waiting'"),
    "due_at": P("due"),
    "claim": sa.literal_column("0"),
    "attempts": sa.literal_column("0"),
}


def add(
    tx: Writer,
    *,
    account_id: int,
    kind: str,
    target: str,
    payload: object,
    now: datetime | str,
    due: datetime | str | None = None,
) -> None:
    """Add a job that is due now, or later at `due`; both may be moments or times as on the wire."""
    made = _moment(now)
    new = NewJob(
        account_id=account_id,
        kind=kind,
        target=target,
        payload=msgspec.json.encode(payload).decode(),
        due_at=milliseconds(made if due is None else _moment(due)),
        created_at=to_wire(made),
    )
    add_many(tx, [new])


def _moment(given: datetime | str) -> datetime:
    return from_wire(given) if isinstance(given, str) else given


def add_many(tx: Writer, new: Sequence[NewJob]) -> None:
    """Add jobs that are all ready to be written."""
    tx.add_many(_ADD, new)
    tx.changed(WAKE)


def milliseconds(moment: datetime) -> int:
    """A moment in whole milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def withdraw(tx: Writer, account_id: int, kind: str, begins: str) -> bool:
    """Take jobs back whose payload begins so; False when a worker has begun with them, or there are none.

    A worker and this can't both have the same job: whoever comes second finds none.
    """
    return bool(tx.run(_WITHDRAW, account_id=account_id, kind=kind, begins=beginning(begins)))


def withdraw_exactly(tx: Writer, account_id: int, kind: str, payload: str) -> bool:
    """Take back a job with just this payload, though it has been tried before; False where a worker has it now."""
    return bool(tx.run(_WITHDRAW_ONE, account_id=account_id, kind=kind, payload=payload))


def any_waiting(db: Reader, account_id: int, kind: str, begins: str) -> bool:
    """Whether there are jobs still to be done, or under way, whose payload begins so."""
    return db.one(_PENDING, account_id=account_id, kind=kind, begins=beginning(begins)) is not None


def payloads(db: Reader, account_id: int, kind: str) -> list[str]:
    """The payloads of all jobs of a kind that are still to be done, or under way."""
    return db.all(_PAYLOADS, account_id=account_id, kind=kind)


def forget_failed(tx: Writer, account_id: int, kind: str, begins: str) -> None:
    """Remove the jobs that gave up and whose payload begins so."""
    tx.run(_FORGET, account_id=account_id, kind=kind, begins=beginning(begins))


# -- What the worker does with them


def claim(
    tx: Writer, *, now: int, until: int, mark: int, most: int, busy: Sequence[str], room: Callable[[str], int]
) -> list[Work]:
    """Take up to `most` jobs that are due, of each target only as many as there is `room` for; none of those `busy`.

    Unless it is done or released, a job that was claimed is due again at `until`.
    """
    listed = msgspec.json.encode(busy).decode()
    chosen: list[int] = []
    taken: Counter[str] = Counter()
    for candidate in tx.all(_CANDIDATES, now=now, busy=listed, most=4 * most):
        if len(chosen) < most and taken[candidate.target] < room(candidate.target):
            taken[candidate.target] += 1
            chosen.append(candidate.id)
    if not chosen:
        return []
    ids = msgspec.json.encode(chosen).decode()
    return sorted(tx.all(_CLAIM, ids=ids, now=now, until=until, mark=mark), key=lambda work: work.id)


def next_due(db: Reader, busy: Sequence[str]) -> int | None:
    """When the first job of a target that is not busy is due."""
    return db.one(_NEXT, busy=msgspec.json.encode(busy).decode())


def remove(tx: Writer, work: Work) -> bool:
    """A job is done; False when it is no longer this worker's."""
    return bool(tx.run(_REMOVE, id=work.id, mark=work.claim))


def is_held(db: Reader, work: Work) -> bool:
    """Whether a job that was claimed still is this worker's: who writes in several transactions asks in each."""
    return db.one(_IS_MINE, id=work.id, mark=work.claim) is not None


def try_again(tx: Writer, work: Work, due: int, reason: str) -> bool:
    """Let a job be tried again at `due`; False when it is no longer this worker's."""
    return bool(tx.run(_AGAIN, id=work.id, mark=work.claim, due=due, reason=reason))


def give_up(tx: Writer, work: Work, reason: str) -> bool:
    """Leave a job for people to look at; False when it is no longer this worker's."""
    return bool(tx.run(_GIVE_UP, id=work.id, mark=work.claim, reason=reason))


def release(tx: Writer, work: Work, due: int) -> None:
    """Put a claimed job back as if it had never been claimed."""
    tx.run(_RELEASE, id=work.id, mark=work.claim, due=due)


# -- What people do with them


def tally(db: Reader) -> list[Tally]:
    """How many jobs there are of each kind and state."""
    return db.all(_TALLY)


def tally_of(db: Reader, account_id: int) -> list[Tally]:
    """How many jobs an account has of each kind and state."""
    return db.all(_TALLY_OF, account_id=account_id)


def retried(db: Reader, account_id: int, most: int) -> list[Shown]:
    """An account's jobs that went wrong and will be tried again by themselves, the oldest first."""
    return db.all(_RETRIED, account_id=account_id, most=most)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of the jobs that gave up: one, those of a kind, those made in a span of time (as on the wire); or all.

    Of every account, unless one is named.
    """

    account_id: int | None = None
    id: int | None = None
    kind: str | None = None
    since: str | None = None
    until: str | None = None


def failed(db: Reader, chosen: Chosen, most: int = 1000) -> list[Shown]:
    """Jobs that gave up, the oldest first."""
    query = sa.select(*(job.c[name] for name in Shown.__struct_fields__)).where(*_conditions(chosen))
    given = {name: value for name, value in asdict(chosen).items() if value is not None}
    return db.all(rows(Shown, query.order_by(job.c.id).limit(P("most", sa.Integer)), keep=False), **given, most=most)


def run_again(tx: Writer, chosen: Chosen, now: datetime) -> int:
    """Let jobs that gave up be tried anew; gives how many there are."""
    statement = command(sa.update(job).where(*_conditions(chosen)).values(_RESTARTED), keep=False)
    given = {name: value for name, value in asdict(chosen).items() if value is not None}
    tx.changed(WAKE)
    return tx.run(statement, **given, due=milliseconds(now))


def _conditions(chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    conditions = [_FAILED]
    if chosen.account_id is not None:
        conditions.append(_OURS)
    if chosen.id is not None:
        conditions.append(job.c.id == P("id"))
    if chosen.kind is not None:
        conditions.append(job.c.kind == P("kind"))
    if chosen.since is not None:
        conditions.append(job.c.created_at >= P("since"))
    if chosen.until is not None:
        conditions.append(job.c.created_at < P("until"))
    return conditions
