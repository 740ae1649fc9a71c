"""Held calls in the database: each is kept once, decided about once, and ended; what waits too long expires."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.gateway.audit import By
from deskhand.gateway.held_calls import Bound, Held, HeldCall, Outcome, Progress, State, decided_already
from deskhand.gateway.tables import agent, approval
from deskhand.lib.clock import to_wire
from deskhand.outbox import events

UNKNOWN_AFTER = timedelta(minutes=10)
"""No call takes longer; one that is executing after that time was left behind by a gateway that was killed."""
UNKNOWN = "the outcome is unknown: the gateway stopped while it was sent; look whether it was done"
DELETED = "the conversation was deleted"


class NewCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call to be held; `call` is a `Kept` as JSON."""

    account_id: int
    agent_id: int
    state: State = "waiting"
    operation: str
    call: str
    arguments_hash: str
    grant_version: int
    audit_number: int
    inbox_id: int | None
    conversation_id: int | None
    mark: str
    created_at: str
    expires_at: str


_MINE = approval.c.account_id == P("account_id")
_ONE = (_MINE, approval.c.id == P("id"))
_WAS = approval.c.state == P("was")
_ROWS = (
    sa.select(
        approval.c.id,
        approval.c.agent_id,
        agent.c.name.label("agent_name"),
        *columns(approval, *HeldCall.__struct_fields__[3:]),
    )
    .join(agent, sa.and_(agent.c.account_id == approval.c.account_id, agent.c.id == approval.c.agent_id))
    .where(_MINE)
)
_ADD = Insert(approval, NewCall)
_BY_ID = rows(HeldCall, _ROWS.where(approval.c.id == P("id")))
_NEWEST = _ROWS.where(approval.c.id < P("before_id")).order_by(approval.c.id.desc()).limit(P("most", sa.Integer))
_LIST = rows(HeldCall, _NEWEST)
_LIST_IN_STATE = rows(HeldCall, _NEWEST.where(approval.c.state == P("state")))
_COUNT = value(int, sa.select(sa.func.count()).select_from(approval).where(_MINE, _WAS))
_OF_AGENT = rows(
    Progress,
    sa.select(
        approval.c.id.label("approval_id"),
        *columns(approval, "state", "reason", "status", "resource_id"),
        approval.c.expires_at.label("until"),
    ).where(*_ONE, approval.c.agent_id == P("agent_id")),
)
_SAME = rows(
    Held,
    sa.select(approval.c.id, approval.c.expires_at.label("until"))
    .where(
        _MINE,
        _WAS,
        approval.c.agent_id == P("agent_id"),
        approval.c.arguments_hash == P("arguments_hash"),
        approval.c.mark == P("mark"),
        approval.c.expires_at > P("now"),
    )
    .order_by(approval.c.id)
    .limit(sa.literal_column("1")),
)
# A call is read only where its conversation doesn't stand beside it: texts can be long.
_BOUND = rows(
    Bound,
    sa.select(
        approval.c.id,
        approval.c.conversation_id,
        sa.case((approval.c.conversation_id.is_(None), approval.c.call), else_=sa.literal_column("''")).label("call"),
        approval.c.mark,
    )
    .join(agent, sa.and_(agent.c.account_id == approval.c.account_id, agent.c.id == approval.c.agent_id))
    .where(
        unindexed(approval.c.account_id) == P("account_id"),
        ids_in(approval.c.id, P("ids", sa.Text)),
        _WAS,
        approval.c.mark != sa.literal_column("''"),
        agent.c.connection_id.is_(None),
    ),
)
_DECIDE = command(
    sa.update(approval)
    .where(*_ONE, _WAS, approval.c.expires_at > P("now"))
    .values(state=P("becomes"), decided_at=P("now"), decided_by=P("by"), reason=P("why"), edited_text=P("edited"))
)
_END = command(
    sa.update(approval)
    .where(*_ONE)
    .values(state=P("becomes"), reason=P("why"), status=P("http_status"), resource_id=P("made"))
)
_PUT_BACK = command(
    sa.update(approval)
    .where(*_ONE, _WAS)
    .values(state=P("becomes"), decided_at=sa.null(), decided_by=sa.null(), edited_text=sa.null())
)
_EXPIRED = (_MINE, _WAS, approval.c.expires_at <= P("now"))
_LEFT = (_MINE, approval.c.state == P("was_left"), approval.c.decided_at <= P("left_at"))
_DUE = value(
    int,
    sa.select(approval.c.id)
    .where(_MINE, sa.or_(sa.and_(*_EXPIRED[1:]), sa.and_(*_LEFT[1:])))
    .limit(sa.literal_column("1")),
)
_EXPIRE = command(sa.update(approval).where(*_EXPIRED).values(state=P("becomes")))
_GIVE_UP = command(sa.update(approval).where(*_LEFT).values(state=P("becomes"), reason=P("why")))
_HERE = _ROWS.where(approval.c.conversation_id == P("conversation_id"), agent.c.connection_id.is_(None))
_OF_CONVERSATION = rows(HeldCall, _HERE)
_EMPTY = command(sa.update(approval).where(*_ONE).values(call=P("emptied"), edited_text=sa.null()))
_GO_BACK = command(sa.update(approval).where(*_ONE, _WAS).values(state=P("becomes"), reason=P("why")))


def hold(tx: Writer, new: NewCall) -> Held:
    """Keep a call; while just the same one waits already, and nothing changed meanwhile, it is that one."""
    same = tx.one(
        _SAME, account_id=new.account_id, agent_id=new.agent_id, arguments_hash=new.arguments_hash, mark=new.mark,
        was="waiting", now=new.created_at,
    )  # fmt: skip
    if same is not None:
        return same
    tx.changed(events.PAGES)
    return Held(tx.add(_ADD, new), new.expires_at)


def find(db: Reader, account_id: int, id: int) -> HeldCall:
    """One held call; raises NotFound."""
    found = db.one(_BY_ID, account_id=account_id, id=id)
    if found is None:
        raise NotFound
    return found


def newest(db: Reader, account_id: int, state: State | None, before_id: int | None, most: int) -> list[HeldCall]:
    """The newest of an account, or of those in a state; `before_id` goes on behind the last one shown."""
    given = {"account_id": account_id, "before_id": before_id or 2**63 - 1, "most": most}
    return db.all(_LIST, **given) if state is None else db.all(_LIST_IN_STATE, **given, state=state)


def count_waiting(db: Reader, account_id: int) -> int:
    """How many calls wait for a decision."""
    return db.first(_COUNT, account_id=account_id, was="waiting")


def progress(db: Reader, account_id: int, agent_id: int, id: int) -> Progress | None:
    """How a call of this agent's stands; None for an unknown one and for another agent's alike."""
    return db.one(_OF_AGENT, account_id=account_id, agent_id=agent_id, id=id)


def bound(db: Reader, account_id: int, ids: Collection[int]) -> list[Bound]:
    """Those of some calls that wait, on the desk here, and are bound to how a conversation stands."""
    return db.all(_BOUND, account_id=account_id, ids=msgspec.json.encode(sorted(ids)).decode(), was="waiting")


def decide(
    tx: Writer, account_id: int, id: int, becomes: State, by: By, now: datetime,
    *, reason: str | None = None, edited: str | None = None,
) -> None:  # fmt: skip
    """Move a call on from waiting; of several at a time one can, and for the others it raises NotReleased."""
    moment, made_by = to_wire(now), msgspec.json.encode(by).decode()
    if not tx.run(
        _DECIDE, account_id=account_id, id=id, was="waiting", becomes=becomes, now=moment, by=made_by, why=reason,
        edited=edited,
    ):  # fmt: skip
        raise decided_already(find(tx, account_id, id), moment)
    tx.changed(events.PAGES)


def end(tx: Writer, account_id: int, id: int, outcome: Outcome, why: str | None) -> None:
    """Write down what came of a call that was sent."""
    tx.run(
        _END, account_id=account_id, id=id, becomes=outcome.state, why=why, http_status=outcome.status,
        made=outcome.resource_id,
    )  # fmt: skip
    tx.changed(events.PAGES)


def put_back(tx: Writer, account_id: int, id: int) -> None:
    """Let a call that was to be sent wait again."""
    tx.run(_PUT_BACK, account_id=account_id, id=id, was="executing", becomes="waiting")
    tx.changed(events.PAGES)


def is_due(db: Reader, account_id: int, now: datetime) -> bool:
    """Whether there is something to `sweep`."""
    return db.one(_DUE, account_id=account_id, **_expired(now), **_left(now)) is not None


def sweep(tx: Writer, account_id: int, now: datetime) -> None:
    """End what waited too long, and what was being sent when a gateway was killed."""
    tx.run(_EXPIRE, account_id=account_id, **_expired(now), becomes="expired")
    tx.run(_GIVE_UP, account_id=account_id, **_left(now), becomes="failed", why=UNKNOWN)


def _expired(now: datetime) -> dict[str, Any]:
    return {"was": "waiting", "now": to_wire(now)}


def _left(now: datetime) -> dict[str, Any]:
    return {"was_left": "executing", "left_at": to_wire(now - UNKNOWN_AFTER)}


def forget(tx: Writer, account_id: int, conversation_id: int) -> None:
    """A conversation of the desk here was deleted: what was to be written in it goes too, and what waits goes back."""
    for held in tx.all(_OF_CONVERSATION, account_id=account_id, conversation_id=conversation_id):
        emptied = msgspec.structs.replace(held.kept, query="", body="")
        tx.run(_EMPTY, account_id=account_id, id=held.id, emptied=msgspec.json.encode(emptied).decode())
        tx.run(_GO_BACK, account_id=account_id, id=held.id, was="waiting", becomes="returned", why=DELETED)
