"""Lists of calls that wait for a person, or did: what they say in a line, without the calls themselves."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import text_of
from deskhand.db.statements import P, columns, rows
from deskhand.gateway.held_calls import State
from deskhand.gateway.tables import agent, approval

MOST = 50


class Line(msgspec.Struct, frozen=True):
    """A call in a list: `words` say what it does. `remote`: its conversation is one of a remote desk."""

    id: int
    agent_id: int
    agent_name: str
    remote: bool
    state: State
    operation: str
    words: str
    inbox_id: int | None
    conversation_id: int | None
    created_at: str
    until: str
    decided_at: str | None
    reason: str | None


_LINES = (
    sa.select(
        approval.c.id,
        approval.c.agent_id,
        agent.c.name.label("agent_name"),
        agent.c.connection_id.is_not(None).label("remote"),
        *columns(approval, "state", "operation"),
        text_of(approval.c.call, "words").label("words"),
        *columns(approval, "inbox_id", "conversation_id", "created_at"),
        approval.c.expires_at.label("until"),
        *columns(approval, "decided_at", "reason"),
    )
    .select_from(approval)
    .join(agent, sa.and_(agent.c.account_id == approval.c.account_id, agent.c.id == approval.c.agent_id))
    .where(approval.c.account_id == P("account_id"), approval.c.state == P("state"))
)
_MOST = P("most", sa.Integer)
_OLDEST = rows(Line, _LINES.where(approval.c.id > P("after_id")).order_by(approval.c.id).limit(_MOST))
_NEWEST = rows(Line, _LINES.where(approval.c.id < P("before_id")).order_by(approval.c.id.desc()).limit(_MOST))


def queue(db: Reader, account_id: int, after_id: int = 0, most: int = MOST) -> list[Line]:
    """What waits, the oldest first."""
    return db.all(_OLDEST, account_id=account_id, state="waiting", after_id=after_id, most=most)


def newest(db: Reader, account_id: int, state: State, before_id: int | None = None, most: int = MOST) -> list[Line]:
    """Calls in a state, the newest first; `before_id` goes on behind the last one shown."""
    return db.all(_NEWEST, account_id=account_id, state=state, before_id=before_id or 2**63 - 1, most=most)


def next_waiting(db: Reader, account_id: int, after_id: int) -> int | None:
    """The call to decide about after another one: the next that waits, or from the beginning."""
    found = queue(db, account_id, after_id, 1) or queue(db, account_id, 0, 1)
    return found[0].id if found else None
