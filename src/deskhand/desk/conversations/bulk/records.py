"""Changes of many conversations as they are kept: which conversations, how far it has got, what each was before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import bulk, bulk_item

State = Literal["held", "doing", "done", "undoing", "undone"]
AT_ONCE = 5_000
"""Conversations that are noted in one statement."""


class Bulk(msgspec.Struct, frozen=True):
    """A change of many conversations; `done`, `refused` and `undone` say how far it has got."""

    id: int
    account_id: int
    user_id: int
    action: str
    state: str
    total: int
    done: int
    refused: int
    undone: int
    created_at: str


class Was(msgspec.Struct, frozen=True):
    """All of a conversation that these changes can change."""

    status: str
    closed_at: str | None
    closed_by: int | None
    assignee_id: int | None
    inbox_id: int
    tags: str
    custom_fields: str
    snoozed_by: int | None
    snoozed_until: str | None
    unsnooze_on_reply: int | None


class Item(msgspec.Struct, frozen=True):
    """One of the conversations; `before` and `after` are each a `Was` as JSON."""

    conversation_id: int
    before: str | None
    after: str | None


class Fault(msgspec.Struct, frozen=True):
    """Why some could not be changed, and how many those are."""

    fault: str
    n: int


class _New(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    user_id: int
    action: str
    state: str
    total: int
    done: int = 0
    refused: int = 0
    undone: int = 0
    created_at: str


class _Chosen(msgspec.Struct, frozen=True):
    account_id: int
    bulk_id: int
    conversation_id: int
    state: str = "waiting"
    fault: str = ""


_FIELDS = columns(bulk, *Bulk.__struct_fields__)
_ONE = (bulk.c.account_id == P("account_id"), bulk.c.id == P("id"))
_ADD = Insert(bulk, _New)
_CHOOSE = Insert(bulk_item, _Chosen)
_BY_ID = rows(Bulk, sa.select(*_FIELDS).where(*_ONE))
_TAKE = rows(Bulk, sa.select(*_FIELDS).where(*_ONE).with_for_update())
_RECENT = rows(
    Bulk,
    sa.select(*_FIELDS)
    .where(bulk.c.account_id == P("account_id"), bulk.c.user_id == P("user_id"), bulk.c.created_at >= P("since"))
    .order_by(bulk.c.created_at.desc(), bulk.c.id.desc())
    .limit(sa.literal_column("10")),
)
_SET_STATE = command(sa.update(bulk).where(*_ONE).values(state=P("now_state")))
_COUNT = command(
    sa.update(bulk)
    .where(*_ONE)
    .values(
        done=bulk.c.done + P("more_done", sa.Integer),
        refused=bulk.c.refused + P("more_refused", sa.Integer),
        undone=bulk.c.undone + P("more_undone", sa.Integer),
    )
)
_ITEMS = (bulk_item.c.account_id == P("account_id"), bulk_item.c.bulk_id == P("id"))
_SOME = rows(
    Item,
    sa.select(*columns(bulk_item, *Item.__struct_fields__))
    .where(*_ITEMS, bulk_item.c.state == P("state"))
    .order_by(bulk_item.c.conversation_id)
    .limit(P("most", sa.Integer)),
)
_SETTLE = command(
    sa.update(bulk_item)
    .where(*_ITEMS, bulk_item.c.conversation_id == P("conversation_id"))
    .values(state=P("now_state"), before=P("was"), after=P("made"), fault=P("words"))
)
_FAULTS = rows(
    Fault,
    sa.select(bulk_item.c.fault, sa.func.count().label("n"))
    .where(*_ITEMS, bulk_item.c.state == sa.literal_column("'refused'"))
    .group_by(bulk_item.c.fault)
    .order_by(sa.desc(sa.text("n")), bulk_item.c.fault)
    .limit(sa.literal_column("5")),
)
# Items that wait are few and do so briefly, so their index is looked at conversation by conversation.
_DOOMED = value(
    int,
    sa.select(bulk_item.c.conversation_id)
    .join(bulk, sa.and_(bulk.c.id == bulk_item.c.bulk_id, bulk.c.account_id == bulk_item.c.account_id))
    .where(
        bulk_item.c.account_id == P("account_id"),
        ids_in(bulk_item.c.conversation_id, P("ids", sa.Text)),
        bulk_item.c.state == sa.literal_column("'waiting'"),
        bulk.c.action == P("deleting"),
        bulk.c.state.in_([sa.literal_column("'held'"), sa.literal_column("'doing'")]),
    )
    .distinct()
    .order_by(bulk_item.c.conversation_id),
)
_FORGET_ITEMS = command(sa.delete(bulk_item).where(*_ITEMS))
_FORGET = command(sa.delete(bulk).where(*_ONE))


def add(tx: Writer, account_id: int, user_id: int, action: str, ids: Sequence[int], state: State, now: str) -> int:
    """Note which conversations are to be changed; gives the change's id."""
    made = _New(account_id=account_id, user_id=user_id, action=action, state=state, total=len(ids), created_at=now)
    id = tx.add(_ADD, made)
    for start in range(0, len(ids), AT_ONCE):
        tx.add_many(_CHOOSE, (_Chosen(account_id, id, one) for one in ids[start : start + AT_ONCE]))
    return id


def by_id(db: Reader, account_id: int, id: int, *, lock: bool = False) -> Bulk | None:
    """A change; `lock` keeps others from going on with it meanwhile."""
    return db.one(_TAKE if lock else _BY_ID, account_id=account_id, id=id)


def recent(db: Reader, account_id: int, user_id: int, since: str) -> list[Bulk]:
    """A user's last changes, the newest first."""
    return db.all(_RECENT, account_id=account_id, user_id=user_id, since=since)


def set_state(tx: Writer, one: Bulk, state: State) -> None:
    """What happens with it now."""
    tx.run(_SET_STATE, account_id=one.account_id, id=one.id, now_state=state)


def count(tx: Writer, one: Bulk, *, done: int = 0, refused: int = 0, undone: int = 0) -> None:
    """So many more."""
    tx.run(_COUNT, account_id=one.account_id, id=one.id, more_done=done, more_refused=refused, more_undone=undone)


def some(db: Reader, one: Bulk, state: str, most: int) -> list[Item]:
    """The next of its conversations that are in a state, in the order in which all lock them."""
    return db.all(_SOME, account_id=one.account_id, id=one.id, state=state, most=most)


def settle(
    tx: Writer, one: Bulk, conversation_id: int, state: str, before: str | None, after: str | None, fault: str = ""
) -> None:
    """What became of one of them."""
    tx.run(
        _SETTLE, account_id=one.account_id, id=one.id, conversation_id=conversation_id, now_state=state, was=before,
        made=after, words=fault,
    )  # fmt: skip


def faults(db: Reader, one: Bulk) -> list[Fault]:
    """Why some could not be changed, the most frequent reason first."""
    return db.all(_FAULTS, account_id=one.account_id, id=one.id) if one.refused else []


def doomed(db: Reader, account_id: int, ids: Collection[int], deleting: str) -> set[int]:
    """Which of some conversations wait to be deleted; `deleting` is that action as it is stored."""
    if not ids:
        return set()
    listed = msgspec.json.encode(sorted(ids)).decode()
    return set(db.all(_DOOMED, account_id=account_id, ids=listed, deleting=deleting))


def forget(tx: Writer, account_id: int, id: int) -> None:
    """It can't be undone any more, so nothing of it is kept."""
    tx.run(_FORGET_ITEMS, account_id=account_id, id=id)
    tx.run(_FORGET, account_id=account_id, id=id)


def was(head: Head) -> str:
    """What a conversation is now, to be kept."""
    return msgspec.json.encode(Was(**{name: getattr(head, name) for name in Was.__struct_fields__})).decode()


def read(kept: str | None) -> Was:
    """What a conversation was."""
    return msgspec.json.decode(kept or "", type=Was)


def distinct(ids: Iterable[int]) -> list[int]:
    """Each id once, in the order in which all lock them."""
    return sorted(set(ids))
