"""What agents did in some time, in numbers: calls by decision, how held ones ended, what became of drafts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, Statement, rows
from deskhand.gateway.held_calls import State
from deskhand.gateway.tables import agent_draft, approval, audit_record


class Numbers(msgspec.Struct):
    """An agent's numbers. `held` counts calls that were held, `ended` what became of calls held in that time.

    A draft counts by when it was written; it is open, or was sent as it was, sent edited, or dropped.
    """

    allowed: int = 0
    held: int = 0
    refused: int = 0
    ended: dict[State, int] = {}
    unchanged: int = 0
    edited: int = 0
    dropped: int = 0
    open: int = 0

    @property
    def calls(self) -> int:
        return self.allowed + self.held + self.refused

    @property
    def drafts(self) -> int:
        return self.unchanged + self.edited + self.dropped + self.open


class _Calls(msgspec.Struct, frozen=True):
    agent_id: int
    decision: str
    calls: int


class _Ended(msgspec.Struct, frozen=True):
    agent_id: int
    state: State
    calls: int


class _Drafts(msgspec.Struct, frozen=True):
    agent_id: int
    fate: str
    drafts: int


_T = TypeVar("_T")
_record = audit_record.c
_CALLS_OF = (
    sa.select(_record.agent_id, _record.decision, sa.func.count().label("calls"))
    .where(
        _record.account_id == P("account_id"),
        _record.at >= P("since"),
        _record.at < P("until"),
        _record.type == P("type"),
        _record.agent_id.is_not(None),
    )
    .group_by(_record.agent_id, _record.decision)
    .order_by(_record.agent_id, _record.decision)
)
_CALLS = rows(_Calls, _CALLS_OF)
_CALLS_IN = rows(_Calls, _CALLS_OF.where(_record.inbox_id == P("inbox")))
_ENDED_OF = (
    sa.select(approval.c.agent_id, approval.c.state, sa.func.count().label("calls"))
    .where(
        approval.c.account_id == P("account_id"),
        approval.c.created_at >= P("since"),
        approval.c.created_at < P("until"),
    )
    .group_by(approval.c.agent_id, approval.c.state)
    .order_by(approval.c.agent_id, approval.c.state)
)
_ENDED = rows(_Ended, _ENDED_OF)
_ENDED_IN = rows(_Ended, _ENDED_OF.where(approval.c.inbox_id == P("inbox")))


def _text(name: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{name}'")


_FATE = sa.case(
    (agent_draft.c.dropped_at.is_not(None), _text("dropped")),
    (agent_draft.c.sent_at.is_(None), _text("open")),
    (agent_draft.c.edits > sa.literal_column("0"), _text("edited")),
    else_=_text("unchanged"),
).label("fate")
_FATES = (
    sa.select(agent_draft.c.agent_id, _FATE)
    .where(
        agent_draft.c.account_id == P("account_id"),
        agent_draft.c.created_at >= P("since"),
        agent_draft.c.created_at < P("until"),
    )
    .subquery("fates")
)
_DRAFTS = rows(
    _Drafts,
    sa.select(_FATES.c.agent_id, _FATES.c.fate, sa.func.count().label("drafts"))
    .group_by(_FATES.c.agent_id, _FATES.c.fate)
    .order_by(_FATES.c.agent_id, _FATES.c.fate),
)


def numbers(db: Reader, account_id: int, since: str, until: str, inbox: int | None = None) -> dict[int, Numbers]:
    """What each agent did from a moment to before another; drafts are not told apart by inbox."""
    found: dict[int, Numbers] = {}
    given = {"account_id": account_id, "since": since, "until": until}

    def asked(all_of: Statement[_T], in_one: Statement[_T], **more: str) -> Iterable[_T]:
        return db.all(all_of, **given, **more) if inbox is None else db.all(in_one, **given, **more, inbox=inbox)

    for call in asked(_CALLS, _CALLS_IN, type="decision"):
        setattr(found.setdefault(call.agent_id, Numbers()), call.decision, call.calls)
    for one in asked(_ENDED, _ENDED_IN):
        found.setdefault(one.agent_id, Numbers()).ended[one.state] = one.calls
    for draft in db.all(_DRAFTS, **given):
        setattr(found.setdefault(draft.agent_id, Numbers()), draft.fate, draft.drafts)
    return found
