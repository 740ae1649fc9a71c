"""What agents have to do with a conversation of the desk here: what they drafted, wait to do and did."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows
from deskhand.gateway.drafts import HERE
from deskhand.gateway.tables import agent, agent_draft, approval, audit_record
from deskhand.lib.text import preview

T = TypeVar("T")
_NOTHING: sa.ColumnElement[str] = sa.literal_column("''")

DID_MOST = 6
_LOOKED_AT = 40
"""Entries that are looked at for what was more than reading."""


class Drafted(msgspec.Struct, frozen=True):
    """A draft that was neither sent nor dropped yet; `thread_id` is where it stands."""

    thread_id: int
    agent_id: int
    agent_name: str
    created_at: str


class Waits(msgspec.Struct, frozen=True):
    """A call that waits for a person: what it does in words, and the beginning of what would be written."""

    id: int
    agent_id: int
    agent_name: str
    words: str
    text: str
    until: str


class Did(msgspec.Struct, frozen=True):
    """An entry of the log, as a sentence."""

    number: int
    at: str
    decision: str
    sentence: str


class _Line(msgspec.Struct, frozen=True):
    """One of the three: `id` is a thread's, an approval's or an entry's number."""

    what: str
    id: int
    agent_id: int
    agent_name: str
    at: str
    content: str
    decision: str


class _Call(msgspec.Struct):
    words: str = ""
    body: str = ""


class _Body(msgspec.Struct):
    text: str = ""


class _Content(msgspec.Struct):
    sentence: str = ""
    action: str | None = None


def _its_agent(source: sa.Table) -> sa.ColumnElement[bool]:
    """Of agents on the desk here: a remote desk's conversations may have the same ids."""
    return sa.and_(
        agent.c.account_id == source.c.account_id, agent.c.id == source.c.agent_id, agent.c.connection_id.is_(None)
    )


def _lines(
    what: str,
    source: sa.Table,
    id: str,
    at: str,
    content: sa.ColumnElement[str] = _NOTHING,
    decision: sa.ColumnElement[str] = _NOTHING,
) -> sa.Select[Any]:
    """What is looked for in a table, in the shape of `_Line`."""
    return sa.select(
        sa.literal_column(f"'{what}'").label("what"),
        source.c[id].label("id"),
        source.c.agent_id,
        agent.c.name.label("agent_name"),
        source.c[at].label("at"),
        content.label("content"),
        decision.label("decision"),
    ).select_from(source.join(agent, _its_agent(source)))


_DRAFTED = _lines("drafted", agent_draft, "thread_id", "created_at").where(
    agent_draft.c.account_id == P("account_id"),
    agent_draft.c.connection_id == P("connection_id"),
    agent_draft.c.conversation_id == P("conversation_id"),
    agent_draft.c.sent_at.is_(None),
    agent_draft.c.dropped_at.is_(None),
)
_WAITS = (
    _lines("waits", approval, "id", "expires_at", approval.c.call)
    .where(
        approval.c.account_id == P("account_id"),
        approval.c.conversation_id == P("conversation_id"),
        approval.c.state == P("state"),
        approval.c.expires_at > P("now"),
    )
    .order_by(approval.c.id)
    .limit(sa.literal_column("20"))
)
_DID = (
    _lines("did", audit_record, "number", "at", audit_record.c.content, audit_record.c.decision)
    .where(
        audit_record.c.account_id == P("account_id"),
        audit_record.c.conversation_id == P("conversation_id"),
        audit_record.c.type == P("type"),
    )
    .order_by(audit_record.c.number.desc())
    .limit(sa.literal_column(str(_LOOKED_AT)))
)
_ABOUT = rows(
    _Line,
    sa.union_all(*(sa.select(one.subquery()) for one in (_DRAFTED, _WAITS, _DID))).order_by(sa.text("what, id")),
)


def about(
    db: Reader, account_id: int, conversation_id: int, now: str, most: int = DID_MOST
) -> tuple[list[Drafted], list[Waits], list[Did]]:
    """What agents drafted and nobody sent yet, what they wait to do, and what they did or were refused.

    Of the last, reading is left out; it comes the newest first. One statement for all.
    """
    found = db.all(
        _ABOUT, account_id=account_id, connection_id=HERE, conversation_id=conversation_id, state="waiting", now=now,
        type="decision",
    )  # fmt: skip
    did = [Did(one.id, one.at, one.decision, said) for one in reversed(found) if (said := _did(one)) is not None]
    return (
        [Drafted(one.id, one.agent_id, one.agent_name, one.at) for one in found if one.what == "drafted"],
        [_waits(one) for one in found if one.what == "waits"],
        did[:most],
    )


def _waits(one: _Line) -> Waits:
    call = _decoded(one.content, _Call)
    text = preview(_decoded(call.body, _Body).text) if call.body else ""
    return Waits(one.id, one.agent_id, one.agent_name, call.words, text, one.at)


def _did(one: _Line) -> str | None:
    """What an agent did as a sentence; None for what only was read, and for lines that are about something else."""
    if one.what != "did":
        return None
    content = _decoded(one.content, _Content)
    return None if content.action == "read" and one.decision == "allowed" else content.sentence


def _decoded(text: str, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.DecodeError:
        return shape()
