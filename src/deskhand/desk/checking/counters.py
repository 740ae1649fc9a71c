"""Counting all conversations anew and comparing that with the counters kept by every change."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Statement, rows
from deskhand.desk import counters
from deskhand.desk.checking.finding import Finding, counted
from deskhand.desk.conversations.tables import conversation, conversation_tag
from deskhand.desk.counters import STATUS_CODES, counter
from deskhand.desk.inboxes.folders import TYPES, Folder


class Difference(msgspec.Struct, frozen=True):
    """A counter that is not what counting gives."""

    account_id: int
    key: int
    inbox_id: int
    stored: int
    counted: int


_STATUS_NAMES = {code: name for name, code in STATUS_CODES.items()}
_ACTIVE = conversation.c.status == "active"
_MINE = sa.and_(conversation.c.assignee_id.is_not(None), conversation.c.folder_id % 10 == int(Folder.ASSIGNED))


def _differences(
    kind: str, key: sa.ColumnElement[Any], *conditions: sa.ColumnElement[bool], source: sa.FromClause = conversation
) -> Statement[Difference]:
    """One statement, so that both sides are of the same moment whatever is changed meanwhile."""
    zero = sa.literal_column("0", sa.BigInteger)
    stored = sa.select(
        counter.c.account_id, counter.c.key, counter.c.inbox_id, counter.c.n.label("stored"), zero.label("counted")
    ).where(counter.c.kind == kind)
    counts = (
        sa.select(
            conversation.c.account_id,
            key.label("key"),
            conversation.c.inbox_id,
            zero.label("stored"),
            sa.func.count().label("counted"),
        )
        .select_from(source)
        .where(conversation.c.merged_into.is_(None), *conditions)
        .group_by(conversation.c.account_id, key, conversation.c.inbox_id)
    )
    both = sa.union_all(stored, counts).subquery()
    sums = [sa.cast(sa.func.sum(both.c[name]), sa.BigInteger).label(name) for name in ("stored", "counted")]
    keys = (both.c.account_id, both.c.key, both.c.inbox_id)
    return rows(
        Difference,
        sa.select(*keys, *sums)
        .group_by(*keys)
        .having(sa.func.sum(both.c.stored) != sa.func.sum(both.c.counted))
        .order_by(*keys),
    )


# The codes stand in the text, because PostgreSQL does not see that two expressions with binds are the same.
_STATUS = sa.literal_column(
    "CASE conversation.status "
    + " ".join(f"WHEN '{name}' THEN {code}" for name, code in STATUS_CODES.items())
    + " END",
    sa.BigInteger,
)
_KINDS = {
    "status": _differences("status", _STATUS),
    "folder": _differences("folder", conversation.c.folder_id),
    "folder_active": _differences("folder_active", conversation.c.folder_id, _ACTIVE),
    "owner": _differences("owner", conversation.c.assignee_id, _MINE),
    "owner_active": _differences("owner_active", conversation.c.assignee_id, _MINE, _ACTIVE),
    "tag": _differences(
        "tag",
        conversation_tag.c.tag_id,
        source=conversation.join(conversation_tag, conversation_tag.c.conversation_id == conversation.c.id),
    ),
}


def check(db: Reader) -> list[Finding]:
    """Count anew, a finding per kind of counter."""
    return [_finding(kind, db.all(query)) for kind, query in _KINDS.items()]


def repair(tx: Writer) -> int:
    """Set right what `check` finds, by adding what is missing; gives how many counters that were."""
    repaired = 0
    for kind, query in _KINDS.items():
        for found in tx.all(query):
            counters.add(tx, (found.account_id, kind, found.key, found.inbox_id), found.counted - found.stored)
            repaired += 1
    return repaired


def _finding(kind: str, found: list[Difference]) -> Finding:
    name = f"counters: {kind}"
    if not found:
        return Finding(name, True, "right")
    words = tuple(
        f"{_of(kind, each.key)} in inbox {each.inbox_id} of account {each.account_id}: "
        f"the counter says {each.stored:,}, there are {each.counted:,}"
        for each in found
    )
    return Finding(name, False, f"{counted(len(found), 'counter')} wrong", words)


def _of(kind: str, key: int) -> str:
    """Whose number a key is, in words."""
    active = "active conversations" if kind.endswith("_active") else "conversations"
    match kind.removesuffix("_active"):
        case "status":
            return f"conversations with status {_STATUS_NAMES.get(key, key)}"
        case "folder":
            folder = key % 10
            return f"{active} in folder {TYPES[Folder(folder)][1] if folder in TYPES else key}"
        case "owner":
            return f"{active} of user or team {key}"
        case _:
            return f"{active} with tag {key}"
