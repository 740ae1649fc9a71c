"""Units of a minute that agents were given by any server process, one row per account, desk and minute.

The row is the truth: it is locked while a process takes a few units, so that shares do not multiply. See budget.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import P, command, value
from deskhand.gateway.tables import budget_lease

KEEP_MINUTES = 5

_POOL = (budget_lease.c.account_id == P("account_id"), budget_lease.c.connection_id == P("connection_id"))
_ROW = (*_POOL, budget_lease.c.minute == P("minute"))
_LEASED = value(str, sa.select(budget_lease.c.leased).where(*_ROW).with_for_update())
_START = add_missing(budget_lease, "account_id", "connection_id", "minute", "leased")
_LEASE = command(sa.update(budget_lease).where(*_ROW).values(leased=P("now_leased")))
_FORGET = command(sa.delete(budget_lease).where(*_POOL, budget_lease.c.minute < P("before")))

Room = Callable[[Mapping[int, int], Set[int]], int]
"""How many units to give, by what each agent has of this minute and which agents the last minute had."""


class Lease(NamedTuple):
    """Units granted; what each agent has now; the agents of the last minute."""

    granted: int
    leased: Mapping[int, int]
    active: Set[int]


def take(tx: Writer, account_id: int, connection_id: int, minute: int, agent_id: int, room: Room) -> Lease:
    """Take as many units of a minute for an agent as there is room for."""
    pool = {"account_id": account_id, "connection_id": connection_id}
    found = tx.one(_LEASED, **pool, minute=minute)
    if found is None:
        if tx.run(_START, **pool, minute=minute, leased="{}"):
            tx.run(_FORGET, **pool, before=minute - KEEP_MINUTES)
        found = tx.first(_LEASED, **pool, minute=minute)
    leased = _read(found)
    active = _read(tx.one(_LEASED, **pool, minute=minute - 1)).keys()
    granted = room(leased, active)
    if granted:
        leased[agent_id] = leased.get(agent_id, 0) + granted
        tx.run(_LEASE, **pool, minute=minute, now_leased=msgspec.json.encode(leased).decode())
    return Lease(granted, leased, active)


def _read(leased: str | None) -> dict[int, int]:
    return msgspec.json.decode(leased, type=dict[int, int]) if leased else {}
