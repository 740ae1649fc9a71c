"""What agents have to do with a conversation of the desk here: what they drafted, wait to do and did."""

from __future__ import annotations

from typing import TypeVar

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, columns, rows
from deskhand.gateway.drafts import HERE
from deskhand.gateway.tables import agent, agent_draft, approval, audit_record
from deskhand.lib.text import preview

T = TypeVar("T")

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


class _Row(msgspec.Struct, frozen=True):
    id: int
    agent_id: int
    agent_name: str
    call: str
    expires_at: str


class _Record(msgspec.Struct, frozen=True):
    number: int
    at: str
    decision: str
    content: str


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


_DRAFTED = rows(
    Drafted,
    sa.select(
        *columns(agent_draft, "thread_id", "agent_id"), agent.c.name.label("agent_name"), agent_draft.c.created_at
    )
    .select_from(agent_draft)
    .join(agent, _its_agent(agent_draft))
    .where(
        agent_draft.c.account_id == P("account_id"),
        agent_draft.c.connection_id == P("connection_id"),
        agent_draft.c.conversation_id == P("conversation_id"),
        agent_draft.c.sent_at.is_(None),
        agent_draft.c.dropped_at.is_(None),
    )
    .order_by(agent_draft.c.thread_id),
)
_WAITS = rows(
    _Row,
    sa.select(
        *columns(approval, "id", "agent_id"), agent.c.name.label("agent_name"), *columns(approval, "call", "expires_at")
    )
    .select_from(approval)
    .join(agent, _its_agent(approval))
    .where(
        approval.c.account_id == P("account_id"),
        approval.c.conversation_id == P("conversation_id"),
        approval.c.state == P("state"),
        approval.c.expires_at > P("now"),
    )
    .order_by(approval.c.id)
    .limit(sa.literal_column("20")),
)
_DID = rows(
    _Record,
    sa.select(*columns(audit_record, *_Record.__struct_fields__))
    .join(agent, _its_agent(audit_record))
    .where(
        audit_record.c.account_id == P("account_id"),
        audit_record.c.conversation_id == P("conversation_id"),
        audit_record.c.type == P("type"),
    )
    .order_by(audit_record.c.number.desc())
    .limit(sa.literal_column(str(_LOOKED_AT))),
)


def drafted(db: Reader, account_id: int, conversation_id: int) -> list[Drafted]:
    """What agents drafted and nobody sent yet."""
    return db.all(_DRAFTED, account_id=account_id, connection_id=HERE, conversation_id=conversation_id)


def waits(db: Reader, account_id: int, conversation_id: int, now: str) -> list[Waits]:
    """What agents wait to do."""
    found = db.all(_WAITS, account_id=account_id, conversation_id=conversation_id, state="waiting", now=now)
    return [_waits(row) for row in found]


def did(db: Reader, account_id: int, conversation_id: int, most: int = DID_MOST) -> list[Did]:
    """What agents did here or were refused, the newest first; reading is left out."""
    found = []
    for row in db.all(_DID, account_id=account_id, conversation_id=conversation_id, type="decision"):
        content = _decoded(row.content, _Content)
        if content.action != "read" or row.decision != "allowed":
            found.append(Did(row.number, row.at, row.decision, content.sentence))
    return found[:most]


def _waits(row: _Row) -> Waits:
    call = _decoded(row.call, _Call)
    text = preview(_decoded(call.body, _Body).text) if call.body else ""
    return Waits(row.id, row.agent_id, row.agent_name, call.words, text, row.expires_at)


def _decoded(text: str, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.DecodeError:
        return shape()
