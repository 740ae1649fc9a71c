"""Units of an account's rate limit that were handed out to server processes, one row per account and minute.

A process takes a few units at a time and spends them from memory, so that not every call writes. The row is the truth:
the sum of what is taken never exceeds the limit. See api/rate_limit.py.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import P, command, value
from deskhand.db.tables import Id, account_column, table

KEEP_MINUTES = 5

rate_lease = table(
    "rate_lease",
    account_column(),
    sa.Column("minute", Id, nullable=False),  # since 1970
    sa.Column("leased", sa.Integer, nullable=False),  # units, by all processes
    sa.PrimaryKeyConstraint("account_id", "minute"),
)

_ROW = sa.and_(rate_lease.c.account_id == P("account_id"), rate_lease.c.minute == P("minute"))
_LEASED = value(int, sa.select(rate_lease.c.leased).where(_ROW).with_for_update())
_START = add_missing(rate_lease, "account_id", "minute", "leased")
_LEASE = command(sa.update(rate_lease).where(_ROW).values(leased=P("now_leased")))
_FORGET = command(
    sa.delete(rate_lease).where(rate_lease.c.account_id == P("account_id"), rate_lease.c.minute < P("before"))
)


class Lease(NamedTuple):
    """Units granted, and units that nobody has been granted yet."""

    granted: int
    unleased: int


def take(
    tx: Writer, account_id: int, minute: int, limit: int, *, least: int, waited_for: int, block: int, among: int
) -> Lease:
    """Take units of a minute: those waited for or a block, whichever is more; none where there are not even `least`.

    As the units run out blocks get smaller: never more than an even part `among` the processes.
    """
    unleased = max(0, limit - _leased(tx, account_id, minute))
    if unleased < least:
        return Lease(0, unleased)
    granted = min(unleased, max(waited_for, min(block, unleased // among)))
    tx.run(_LEASE, account_id=account_id, minute=minute, now_leased=limit - unleased + granted)
    return Lease(granted, unleased - granted)


def _leased(tx: Writer, account_id: int, minute: int) -> int:
    """What is taken already; the row stays locked until the transaction ends."""
    leased = tx.one(_LEASED, account_id=account_id, minute=minute)
    if leased is None:
        if tx.run(_START, account_id=account_id, minute=minute, leased=0):
            tx.run(_FORGET, account_id=account_id, before=minute - KEEP_MINUTES)
        leased = tx.first(_LEASED, account_id=account_id, minute=minute)
    return leased
