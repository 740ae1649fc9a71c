"""Who is named in a note by @ and their name: users who see the inbox, and teams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, rows
from deskhand.desk.conversations.tables import mention
from deskhand.desk.users.tables import inbox_access, staff
from deskhand.lib.text import fold


class Colleague(msgspec.Struct, frozen=True):
    """A user or a team (`type`) who can be named; a team has its name as `first_name`."""

    id: int
    type: str
    first_name: str
    last_name: str
    role: str
    photo_url: str | None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class _Row(msgspec.Struct, frozen=True):
    account_id: int
    conversation_id: int
    thread_id: int
    staff_id: int
    created_at: str


_SEES = sa.or_(
    staff.c.role.in_([sa.literal_column("'owner'"), sa.literal_column("'admin'")]),
    sa.exists().where(
        inbox_access.c.account_id == P("account_id"),
        inbox_access.c.user_id == staff.c.id,
        inbox_access.c.inbox_id == P("inbox_id"),
    ),
)
_COLLEAGUES = rows(
    Colleague,
    sa.select(*(staff.c[name] for name in Colleague.__struct_fields__))
    .where(
        staff.c.account_id == P("account_id"),
        staff.c.state != sa.literal_column("'inactive'"),
        sa.or_(
            staff.c.type == sa.literal_column("'team'"), sa.and_(staff.c.type == sa.literal_column("'user'"), _SEES)
        ),
    )
    .order_by(staff.c.type.desc(), staff.c.first_name, staff.c.last_name, staff.c.id),
)
_ADD = Insert(mention, _Row)
_AT = re.compile(r"(?<![\w@.])@(?=\w)")
_IN_WORD = re.compile(r"\w")


def colleagues(db: Reader, account_id: int, inbox_id: int) -> list[Colleague]:
    """Everybody who can be named or given work in an inbox: users first, then teams, by name."""
    return db.known(_COLLEAGUES, account_id=account_id, inbox_id=inbox_id)


def named(text: str, known: Iterable[Colleague]) -> list[int]:
    """Who is named in a plain text: by their whole name, or by a first name that nobody else has."""
    names: dict[str, int] = {}
    firsts: dict[str, set[int]] = {}
    for one in known:
        names[fold(one.name)] = one.id
        firsts.setdefault(fold(one.first_name), set()).add(one.id)
    names = {first: min(ids) for first, ids in firsts.items() if len(ids) == 1} | names
    longest_first = sorted((name for name in names if name), key=len, reverse=True)
    folded = fold(text)
    found: dict[int, None] = {}
    for at in _AT.finditer(folded):
        for name in longest_first:
            if folded.startswith(name, at.end()) and not _IN_WORD.match(folded, at.end() + len(name)):
                found[names[name]] = None
                break
    return list(found)


def keep(tx: Writer, account_id: int, conversation_id: int, thread_id: int, staff_ids: Sequence[int], now: str) -> None:
    """Note who is named in a note."""
    tx.add_many(_ADD, [_Row(account_id, conversation_id, thread_id, id, now) for id in staff_ids])
