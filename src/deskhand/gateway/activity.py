"""How busy agents are: their calls since a moment, by what was decided, and what waits for a person."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows
from deskhand.gateway.tables import approval, audit_record


class Activity(msgspec.Struct):
    """An agent's calls since a moment, and those of any time that wait; `last` is when it called, if it did."""

    allowed: int = 0
    held: int = 0
    refused: int = 0
    waiting: int = 0
    last: str | None = None

    @property
    def calls(self) -> int:
        return self.allowed + self.held + self.refused


class Call(msgspec.Struct, frozen=True):
    """A call of an agent as far as the log's columns tell."""

    at: str
    operation: str | None
    decision: str


class _Count(msgspec.Struct, frozen=True):
    agent_id: int
    decision: str
    calls: int
    last: str


class _Waiting(msgspec.Struct, frozen=True):
    agent_id: int
    calls: int


_record = audit_record.c
_OF_TYPE = _record.type == P("type")
_COUNTS = rows(
    _Count,
    sa.select(
        _record.agent_id, _record.decision, sa.func.count().label("calls"), sa.func.max(_record.at).label("last")
    )
    .where(
        _record.account_id == P("account_id"), _record.at >= P("since"), _OF_TYPE, _record.agent_id.is_not(None)
    )
    .group_by(_record.agent_id, _record.decision)
    .order_by(_record.agent_id, _record.decision),
)  # fmt: skip
_WAITING = rows(
    _Waiting,
    sa.select(approval.c.agent_id, sa.func.count().label("calls"))
    .where(approval.c.account_id == P("account_id"), approval.c.state == P("state"))
    .group_by(approval.c.agent_id)
    .order_by(approval.c.agent_id),
)
_NEWEST = rows(
    Call,
    sa.select(_record.at, _record.operation, _record.decision)
    .where(_record.account_id == P("account_id"), _record.agent_id == P("agent_id"), _OF_TYPE)
    .order_by(_record.number.desc())
    .limit(sa.literal_column("1")),
)


def activity(db: Reader, account_id: int, since: str) -> dict[int, Activity]:
    """What the agents of an account did since a moment, by agent; who did nothing and waits for nothing is left out."""
    found: dict[int, Activity] = {}
    for row in db.all(_COUNTS, account_id=account_id, since=since, type="decision"):
        one = found.setdefault(row.agent_id, Activity())
        setattr(one, row.decision, row.calls)
        one.last = max(one.last or "", row.last)
    for waits in db.all(_WAITING, account_id=account_id, state="waiting"):
        found.setdefault(waits.agent_id, Activity()).waiting = waits.calls
    return found


def newest_call(db: Reader, account_id: int, agent_id: int) -> Call | None:
    """The last call of an agent that was decided about."""
    return db.one(_NEWEST, account_id=account_id, agent_id=agent_id, type="decision")
