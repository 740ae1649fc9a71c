"""Numbers of conversations, kept by the transaction that changes them so that lists need not count.

A row per kind, key and inbox:

| kind | key | conversations |
|---|---|---|
| status | code in STATUS_CODES | with this status |
| folder, folder_active | folder id | that lie in the folder; those of them with status active |
| owner, owner_active | user or team id | in the owner's Mine folder; those with status active |
| tag | tag id | that carry the tag |

Merged conversations are not counted anywhere. `deskhand check` recounts.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, upsert
from deskhand.db.statements import P, columns, rows, value
from deskhand.db.tables import Id, Text, account_column, table

STATUS_CODES = {"active": 1, "pending": 2, "closed": 3, "spam": 4}

counter = table(
    "counter",
    account_column(),
    sa.Column("kind", Text, nullable=False),
    sa.Column("key", Id, nullable=False),
    sa.Column("inbox_id", Id, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("account_id", "kind", "key", "inbox_id"),
)

Key = tuple[int, str, int, int]
"""account_id, kind, key, inbox_id."""


class Count(msgspec.Struct, frozen=True):
    """How many there are under a key."""

    kind: str
    key: int
    n: int


class Beside(msgspec.Struct, frozen=True):
    """How many there are under a key in an inbox."""

    kind: str
    key: int
    inbox_id: int
    n: int


class InInbox(msgspec.Struct, frozen=True):
    """How many there are in an inbox."""

    inbox_id: int
    n: int


_ADD = upsert(counter, ("account_id", "kind", "key", "inbox_id"), ("n",))
_SUM = sa.cast(sa.func.sum(counter.c.n), sa.Integer).label("n")
_KIND = sa.select(counter.c.kind, counter.c.key, _SUM).where(
    counter.c.account_id == P("account_id"), counter.c.kind == P("kind")
)
_BY_KEY = rows(Count, _KIND.group_by(counter.c.kind, counter.c.key))
_BY_KEY_IN = rows(
    Count, _KIND.where(ids_in(counter.c.inbox_id, P("inboxes", sa.Text))).group_by(counter.c.kind, counter.c.key)
)
_TOTAL = sa.select(sa.cast(sa.func.coalesce(sa.func.sum(counter.c.n), sa.literal_column("0")), sa.Integer)).where(
    counter.c.account_id == P("account_id"), counter.c.kind == P("kind"), counter.c.key == P("key")
)
_OF_KEY = value(int, _TOTAL)
_OF_KEY_IN = value(int, _TOTAL.where(ids_in(counter.c.inbox_id, P("inboxes", sa.Text))))
_OF_INBOX = rows(
    Count,
    sa.select(counter.c.kind, counter.c.key, counter.c.n).where(
        counter.c.account_id == P("account_id"), counter.c.kind == P("kind"), counter.c.inbox_id == P("inbox_id")
    ),
)
_NUMBERS = sa.select(*columns(counter, *Beside.__struct_fields__)).where(counter.c.account_id == P("account_id"))
_OF_FOLDERS = rows(
    Beside,
    # Two that each go by the index: with OR in one, all numbers of the account would be read.
    sa.union_all(
        _NUMBERS.where(counter.c.kind.in_([sa.literal_column("'folder'"), sa.literal_column("'folder_active'")])),
        _NUMBERS.where(counter.c.kind == sa.literal_column("'owner_active'"), counter.c.key == P("user_id")),
    ),
)
_BY_INBOX = rows(
    InInbox,
    sa.select(counter.c.inbox_id, _SUM)
    .where(counter.c.account_id == P("account_id"), counter.c.kind == P("kind"))
    .group_by(counter.c.inbox_id),
)


def add(tx: Writer, key: Key, by: int) -> None:
    """Change a number when the transaction ends."""
    tx.count(_ADD, key, by)


def by_key(db: Reader, account_id: int, kind: str, inboxes: tuple[int, ...] | None) -> dict[int, int]:
    """The sums of a kind by key, over some inboxes or over all (None)."""
    if inboxes is None:
        found = db.all(_BY_KEY, account_id=account_id, kind=kind)
    else:
        listed = msgspec.json.encode(inboxes).decode()
        found = db.all(_BY_KEY_IN, account_id=account_id, kind=kind, inboxes=listed)
    return {count.key: count.n for count in found}


def of_key(db: Reader, account_id: int, kind: str, key: int, inboxes: tuple[int, ...] | None) -> int:
    """The sum of one key of a kind, over some inboxes or over all (None)."""
    if inboxes is None:
        return db.first(_OF_KEY, account_id=account_id, kind=kind, key=key)
    listed = msgspec.json.encode(inboxes).decode()
    return db.first(_OF_KEY_IN, account_id=account_id, kind=kind, key=key, inboxes=listed)


def of_inbox(db: Reader, account_id: int, kind: str, inbox_id: int) -> dict[int, int]:
    """All numbers of a kind in one inbox, by key."""
    return {count.key: count.n for count in db.all(_OF_INBOX, account_id=account_id, kind=kind, inbox_id=inbox_id)}


def of_folders(db: Reader, account_id: int, user_id: int) -> list[Beside]:
    """All numbers of an account's folders, and those of an owner's own active conversations, each by inbox."""
    return db.all(_OF_FOLDERS, account_id=account_id, user_id=user_id)


def by_inbox(db: Reader, account_id: int, kind: str) -> dict[int, int]:
    """The sums of a kind over all its keys, by inbox: of `status`, all conversations."""
    return {count.inbox_id: count.n for count in db.all(_BY_INBOX, account_id=account_id, kind=kind)}
