"""The kill switch: what stops one agent, an inbox's writes, all writes or everything, until it is lifted."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable
from datetime import datetime
from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, NotFound, empty, invalid, unknown_id
from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows
from deskhand.gateway import agents
from deskhand.gateway.audit import By
from deskhand.gateway.credentials import Memory
from deskhand.gateway.tables import agent, stop
from deskhand.lib.clock import to_wire
from deskhand.outbox import events

Scope = Literal["agent", "inbox_writes", "writes", "all"]
CHANGED = "stops"
"""The name under which changes are announced to memory caches."""


class Stop(msgspec.Struct, frozen=True):
    """Something that stops agents; `target_id` is an agent's or an inbox's id."""

    id: int
    scope: Scope
    target_id: int | None
    made_at: str


class Standing(msgspec.Struct, frozen=True):
    """A stop as people see it: with the name of the agent that it is about, and who made it."""

    id: int
    scope: Scope
    target_id: int | None
    made_at: str
    made_by: str
    agent_name: str | None

    @property
    def by(self) -> By:
        return msgspec.json.decode(self.made_by, type=By)


class NewStop(msgspec.Struct, frozen=True, kw_only=True):
    """A stop as it is stored."""

    account_id: int
    scope: Scope
    target_id: int | None
    made_at: str
    made_by: str


_MINE = stop.c.account_id == P("account_id")
_ADD = Insert(stop, NewStop)
_LIST = rows(Stop, sa.select(*columns(stop, *Stop.__struct_fields__)).where(_MINE).order_by(stop.c.id))
_STANDING = rows(
    Standing,
    sa.select(*columns(stop, *Standing.__struct_fields__[:5]), agent.c.name.label("agent_name"))
    .select_from(stop)
    .outerjoin(
        agent,
        sa.and_(
            agent.c.account_id == stop.c.account_id,
            agent.c.id == stop.c.target_id,
            stop.c.scope == sa.literal_column("'agent'"),
        ),
    )
    .where(_MINE)
    .order_by(stop.c.id),
)
_REMOVE = command(sa.delete(stop).where(_MINE, stop.c.id == P("id")))
_REMOVE_ALL = command(sa.delete(stop).where(_MINE))


def stopped(stops: Iterable[Stop], agent_id: int, asked_is_write: bool, inboxes: frozenset[int] | None) -> Stop | None:
    """What stops a call, if anything does. `inboxes` are those it touches; None: it can't be told, so any may be."""
    return next((one for one in stops if _applies(one, agent_id, asked_is_write, inboxes)), None)


def _applies(one: Stop, agent_id: int, asked_is_write: bool, inboxes: frozenset[int] | None) -> bool:
    match one.scope:
        case "agent":
            return one.target_id == agent_id
        case "inbox_writes":
            return asked_is_write and (inboxes is None or one.target_id in inboxes)
        case "writes":
            return asked_is_write
        case "all":
            return True


def add(
    tx: Writer,
    account_id: int,
    scope: Scope,
    target_id: int | None,
    by: By,
    now: datetime,
    inboxes: Container[int] | None = None,
) -> Stop:
    """Stop something; what is stopped already stays as it is. Raises BadRequest for an id that does not fit.

    `inboxes` are all that agents can write in; None where an inbox may be a remote desk's, so that only that desk knows
    of it.
    """
    _check(tx, account_id, scope, target_id, inboxes)
    for there in listed(tx, account_id):
        if (there.scope, there.target_id) == (scope, target_id):
            return there
    made_by = msgspec.json.encode(by).decode()
    new = NewStop(account_id=account_id, scope=scope, target_id=target_id, made_at=to_wire(now), made_by=made_by)
    id = tx.add(_ADD, new)
    tx.changed(CHANGED)
    tx.changed(events.PAGES)
    return Stop(id, scope, target_id, new.made_at)


def _check(tx: Writer, account_id: int, scope: Scope, target_id: int | None, inboxes: Container[int] | None) -> None:
    if scope in ("writes", "all"):
        if target_id is not None:
            raise invalid("id", f"is not for the scope {scope}", "ValidIdentifier", target_id)
        return
    if target_id is None:
        raise BadRequest(empty("id"))
    if scope == "agent":
        found = agents.by_id(tx, account_id, target_id)
        if found is None or found.state == "deleted":
            raise unknown_id("id", target_id, "agent")
    elif inboxes is not None and target_id not in inboxes:  # whoever mistypes an id must hear that nothing is stopped
        raise unknown_id("id", target_id, "inbox")


def listed(db: Reader, account_id: int) -> list[Stop]:
    """What is stopped in an account, the oldest first."""
    return db.all(_LIST, account_id=account_id)


def standing(db: Reader, account_id: int) -> list[Standing]:
    """As `listed`, with names."""
    return db.known(_STANDING, account_id=account_id)


def lift(tx: Writer, account_id: int, id: int) -> Stop:
    """Take one stop back; gives what it was. Raises NotFound."""
    found = next((one for one in listed(tx, account_id) if one.id == id), None)
    if found is None or not tx.run(_REMOVE, account_id=account_id, id=id):
        raise NotFound
    tx.changed(CHANGED)
    tx.changed(events.PAGES)
    return found


def lift_all(tx: Writer, account_id: int) -> int:
    """Take every stop of an account back; gives how many there were."""
    count = tx.run(_REMOVE_ALL, account_id=account_id)
    tx.changed(CHANGED)
    tx.changed(events.PAGES)
    return count


class Stops:
    """What is stopped now, remembered for half a second; forgotten at once when this process changes it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._memory: Memory[tuple[Stop, ...]] = Memory()

    async def of(self, account_id: int) -> tuple[Stop, ...]:
        """What is stopped in an account."""
        version, asked_at = self._database.versions[CHANGED], time.monotonic()
        known = self._memory.recall(account_id, version)
        if known is None:
            known = tuple(await self._database.read(lambda db: listed(db, account_id)))
            self._memory.keep(account_id, known, version, asked_at)
        return known
