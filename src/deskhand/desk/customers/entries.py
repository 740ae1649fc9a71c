"""Writing the ways to reach a customer; whoever calls has made sure that e-mail addresses are nobody else's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import Insert, P, command
from deskhand.desk.customers.given import GivenEntry
from deskhand.desk.customers.queries import folded_email
from deskhand.desk.customers.tables import customer_entry


class Changed(Protocol):
    """An entry as it shall be."""

    @property
    def id(self) -> int | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def type(self) -> str | None: ...
    @property
    def value(self) -> str: ...


class _Row(msgspec.Struct, frozen=True):
    account_id: int
    customer_id: int
    kind: str
    type: str | None
    value: str
    folded: str


_ADD = Insert(customer_entry, _Row)
_OURS = (customer_entry.c.account_id == P("account_id"), customer_entry.c.customer_id == P("customer_id"))
_REMOVE = command(sa.delete(customer_entry).where(*_OURS, ids_in(customer_entry.c.id, P("ids", sa.Text))))
_REMOVE_ALL = command(sa.delete(customer_entry).where(*_OURS))
_CHANGE = command(
    sa.update(customer_entry)
    .where(*_OURS, customer_entry.c.id == P("id"))
    .values(type=P("type"), value=P("value"), folded=P("folded"))
)
# Entries that exchange their addresses must not meet on the way; an id is no address.
_PARK = command(
    sa.update(customer_entry)
    .where(*_OURS, ids_in(customer_entry.c.id, P("ids", sa.Text)))
    .values(folded=sa.cast(customer_entry.c.id, sa.Text))
)


def add(tx: Writer, account_id: int, customer_id: int, entry: GivenEntry) -> int:
    """Add a way to reach a customer; gives its id."""
    return tx.add(_ADD, _row(account_id, customer_id, entry))


def add_many(tx: Writer, account_id: int, customer_id: int, entries: Iterable[GivenEntry]) -> None:
    """Add ways to reach a customer."""
    tx.add_many(_ADD, (_row(account_id, customer_id, entry) for entry in entries))


def change(tx: Writer, account_id: int, customer_id: int, changed: Sequence[Changed]) -> None:
    """Write entries anew, each by its id; they may exchange their addresses."""
    ours = {"account_id": account_id, "customer_id": customer_id}
    emails = [entry.id for entry in changed if entry.kind == "email"]
    if len(emails) > 1:
        tx.run(_PARK, **ours, ids=msgspec.json.encode(emails).decode())
    for entry in changed:
        tx.run(_CHANGE, **ours, id=entry.id, type=entry.type, value=entry.value, folded=_folded(entry))


def remove(tx: Writer, account_id: int, customer_id: int, ids: Sequence[int]) -> None:
    """Remove entries of a customer."""
    tx.run(_REMOVE, account_id=account_id, customer_id=customer_id, ids=msgspec.json.encode(ids).decode())


def remove_all(tx: Writer, account_id: int, customer_id: int) -> None:
    """Remove every way to reach a customer."""
    tx.run(_REMOVE_ALL, account_id=account_id, customer_id=customer_id)


def _row(account_id: int, customer_id: int, entry: GivenEntry) -> _Row:
    return _Row(account_id, customer_id, entry.kind, entry.type, entry.value, _folded(entry))


def _folded(entry: Changed | GivenEntry) -> str:
    return folded_email(entry.value) if entry.kind == "email" else ""
