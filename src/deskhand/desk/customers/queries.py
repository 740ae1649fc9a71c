"""Reading customers and their entries."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, texts_in, unindexed
from deskhand.db.statements import P, Statement, columns, rows
from deskhand.desk.customers.tables import customer, customer_entry

# Conversations are a higher slice, so it can't be imported; its table is named here because only the database can
# tell which customers wrote to an inbox, or keep the names that lists of conversations are sorted by.
conversation = sa.table(
    "conversation",
    sa.column("id", sa.BigInteger),
    sa.column("account_id", sa.BigInteger),
    sa.column("customer_id", sa.BigInteger),
    sa.column("inbox_id", sa.BigInteger),
    sa.column("merged_into", sa.BigInteger),
    sa.column("customer_name", sa.Text),
    sa.column("customer_email", sa.Text),
)


class CustomerRow(msgspec.Struct, frozen=True):
    """A customer as stored. `email` is their first address; `address` is JSON in its wire form."""

    id: int
    first_name: str | None
    last_name: str | None
    email: str | None
    gender: str | None
    job_title: str | None
    location: str | None
    organization: str | None
    organization_id: int | None
    photo_type: str | None
    photo_url: str | None
    age: str | None
    background: str | None
    address: str | None
    created_at: str
    updated_at: str


class CustomerPerson(msgspec.Struct, frozen=True):
    """A customer as conversations and threads show them."""

    id: int
    first: str | None
    last: str | None
    photo_url: str | None
    email: str | None


class EntryRow(msgspec.Struct, frozen=True):
    """One way to reach a customer; `kind` is email, phone, chat, social_profile or website."""

    id: int
    customer_id: int
    kind: str
    type: str | None
    value: str


ROW = columns(customer, *CustomerRow.__struct_fields__)
_ROW = sa.select(*ROW).where(customer.c.account_id == P("account_id"))
_BY_ID = _ROW.where(customer.c.id == P("id"))


def _wrote_to(inboxes: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        conversation.c.account_id == P("account_id"),
        conversation.c.customer_id == customer.c.id,
        inboxes,
        conversation.c.merged_into.is_(None),
    )


# By the index SQLite would look each inbox up; but hardly anybody has more conversations than there are inboxes.
WROTE_TO = _wrote_to(ids_in(unindexed(conversation.c.inbox_id), P("inboxes", sa.Text)))
"""A customer is in every inbox in which they have a conversation."""
WROTE_TO_ONE = _wrote_to(conversation.c.inbox_id == P("inbox_id"))
"""The same for a single inbox."""


def _pair(select: sa.Select[Any]) -> tuple[Statement[CustomerRow], Statement[CustomerRow]]:
    """The statement for those who may know every customer, and the one for agents narrowed to some inboxes."""
    return rows(CustomerRow, select), rows(CustomerRow, select.where(WROTE_TO))


_FOUND = _pair(_BY_ID)
_LOCKED = _pair(_BY_ID.with_for_update())
_KEPT = _pair(_BY_ID.with_for_update(read=True, key_share=True))
_IS_EMAIL = customer_entry.c.kind == sa.literal_column("'email'")
HAS_EMAIL = (
    customer.c.id
    == sa.select(customer_entry.c.customer_id)
    .where(customer_entry.c.account_id == P("account_id"), _IS_EMAIL, customer_entry.c.folded == P("email"))
    .scalar_subquery()
)
"""An address belongs to one customer at most, so the database can begin with it."""
_BY_EMAIL = rows(CustomerRow, _ROW.where(HAS_EMAIL))
_PEOPLE = rows(
    CustomerPerson,
    sa.select(
        customer.c.id,
        customer.c.first_name.label("first"),
        customer.c.last_name.label("last"),
        customer.c.photo_url,
        customer.c.email,
    ).where(unindexed(customer.c.account_id) == P("account_id"), ids_in(customer.c.id, P("ids", sa.Text))),
)
_ENTRIES = sa.select(*columns(customer_entry, *EntryRow.__struct_fields__)).where(
    customer_entry.c.account_id == P("account_id")
)
_ENTRIES_OF = rows(
    EntryRow,
    # In the order of the index; by id alone SQLite would walk the whole table.
    _ENTRIES.where(ids_in(customer_entry.c.customer_id, P("ids", sa.Text))).order_by(
        customer_entry.c.customer_id, customer_entry.c.kind, customer_entry.c.id
    ),
)
_WITH_EMAILS = rows(EntryRow, _ENTRIES.where(_IS_EMAIL, texts_in(customer_entry.c.folded, P("emails", sa.Text))))


def by_id(db: Reader, account_id: int, id: int, only: Set[int] | None = None) -> CustomerRow | None:
    """A customer, or None; with `only` one of these inboxes."""
    return _one(db, _FOUND, account_id, id, only)


def by_id_to_change(db: Reader, account_id: int, id: int, only: Set[int] | None = None) -> CustomerRow | None:
    """A customer whom no other transaction changes until this one ends; with `only` one of these inboxes."""
    return _one(db, _LOCKED, account_id, id, only)


def by_id_to_keep(db: Reader, account_id: int, id: int, only: Set[int] | None = None) -> CustomerRow | None:
    """A customer who is not erased, and keeps their name, until this transaction ends; as `by_id_to_change`."""
    return _one(db, _KEPT, account_id, id, only)


def _one(
    db: Reader,
    statements: tuple[Statement[CustomerRow], Statement[CustomerRow]],
    account_id: int,
    id: int,
    only: Set[int] | None,
) -> CustomerRow | None:
    every, some = statements
    if only is None:
        return db.one(every, account_id=account_id, id=id)
    return db.one(some, account_id=account_id, id=id, inboxes=_json(sorted(only)))


def by_email(db: Reader, account_id: int, email: str) -> CustomerRow | None:
    """The customer an e-mail address belongs to, whatever its case."""
    return db.one(_BY_EMAIL, account_id=account_id, email=folded_email(email))


def people(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, CustomerPerson]:
    """Customers as conversations show them, by id; one statement for all."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {row.id: row for row in db.all(_PEOPLE, account_id=account_id, ids=_json(wanted))}


def entries(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, list[EntryRow]]:
    """The entries of customers, each kind oldest first, by customer; one statement for all."""
    found: dict[int, list[EntryRow]] = {id: [] for id in ids}
    if found:
        for row in db.all(_ENTRIES_OF, account_id=account_id, ids=_json(list(found))):
            found[row.customer_id].append(row)
    return found


def with_emails(db: Reader, account_id: int, emails: Iterable[str]) -> list[EntryRow]:
    """The entries that hold one of these e-mail addresses."""
    folded = sorted({folded_email(email) for email in emails})
    return db.all(_WITH_EMAILS, account_id=account_id, emails=_json(folded)) if folded else []


def folded_email(email: str) -> str:
    """The form in which addresses are compared. Only case is dropped: folding further would join different people."""
    return email.strip().lower()


def _json(wanted: list[int] | list[str]) -> str:
    return msgspec.json.encode(wanted).decode()
