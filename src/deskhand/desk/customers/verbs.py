"""Creating customers, finding the one somebody refers to, and overwriting what is known about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.customers import LOCKED_AT, CustomerReference, NewCustomer, OverwrittenCustomer
from deskhand.catalogue.problems import AlreadyThere, BadRequest, FieldError, Locked, NotFound, empty, unknown_id
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, command, value
from deskhand.desk.call import Actor
from deskhand.desk.customers import given as give
from deskhand.desk.customers import queries
from deskhand.desk.customers.given import GivenEntry, Profile
from deskhand.desk.customers.queries import CustomerRow, conversation, folded_email
from deskhand.desk.customers.tables import customer, customer_entry
from deskhand.lib.text import fold, sort_key
from deskhand.outbox.events import Event, record


class _NewRow(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    first_name: str | None
    last_name: str | None
    first_folded: str
    last_folded: str
    email: str | None
    gender: str | None
    job_title: str | None
    location: str | None
    organization: str | None
    organization_folded: str
    organization_id: int | None
    photo_type: str | None
    photo_url: str | None
    age: str | None
    background: str | None
    address: str | None
    archived_conversations: int
    created_at: str
    updated_at: str


class _NewEntryRow(msgspec.Struct, frozen=True):
    account_id: int
    customer_id: int
    kind: str
    type: str | None
    value: str
    folded: str


_ADD = Insert(customer, _NewRow)
_ADD_ENTRY = Insert(customer_entry, _NewEntryRow)
_FIXED = ("account_id", "archived_conversations", "created_at")
_CHANGED = [name for name in _NewRow.__struct_fields__ if name not in _FIXED]
_CHANGE = command(
    sa.update(customer)
    .where(customer.c.account_id == P("account_id"), customer.c.id == P("id"))
    .values({name: P(name) for name in _CHANGED})
)
_RENAME = command(
    sa.update(conversation)
    .where(conversation.c.account_id == P("account_id"), conversation.c.customer_id == P("id"))
    .values(customer_name=P("name"))
)
_IN_DESK = (
    sa.select(sa.func.count())
    .select_from(
        sa.select(conversation.c.inbox_id)
        .where(conversation.c.account_id == P("account_id"), conversation.c.customer_id == P("id"))
        .limit(P("most", sa.Integer))
        .subquery()
    )
    .scalar_subquery()
)
_CONVERSATIONS = value(
    int,
    sa.select(_IN_DESK + customer.c.archived_conversations).where(
        customer.c.account_id == P("account_id"), customer.c.id == P("id")
    ),
)


def find_or_create(
    tx: Writer, account_id: int, given: CustomerReference, actor: Actor, now: str, path: str = "customer"
) -> CustomerRow:
    """The customer that a reference means; an unknown e-mail address makes a new one of the other fields.

    An id wins over an address; for a known customer the other fields are ignored. Raises BadRequest for an unknown id
    or when neither is given; `path` is where the reference stands in the body.
    Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/create
    """
    if given.id is not None:
        found = queries.by_id(tx, account_id, given.id)
        if found is None:
            raise unknown_id(f"{path}.id", given.id, "customer")
        return found
    if given.email is None:
        raise BadRequest(empty(f"{path}.email"))
    found = queries.by_email(tx, account_id, given.email)
    if found is not None:
        return found
    entries = [give.entry("email", None, given.email)]
    if given.phone:
        entries.append(give.entry("phone", None, given.phone))
    return _add(tx, account_id, actor, give.referred(given), entries, now)


def create(tx: Writer, actor: Actor, given: NewCustomer, now: str) -> int:
    """Create a customer; gives their id. Raises AlreadyThere when an e-mail address belongs to a customer already."""
    entries = give.entries(given)
    require_unused(tx, actor.account_id, [entry.value for entry in entries if entry.kind == "email"])
    return _add(tx, actor.account_id, actor, give.profile(given, give.address(given.address)), entries, now).id


def overwrite(tx: Writer, actor: Actor, customer_id: int, given: OverwrittenCustomer, now: str) -> None:
    """Replace all that is known about a customer; a phone that is new is added. Raises NotFound or Locked."""
    before = to_change(tx, actor.account_id, customer_id)
    phones = [give.entry("phone", None, given.phone)] if given.phone else []
    if phones:
        known = queries.entries(tx, actor.account_id, [customer_id])[customer_id]
        phones = [] if any(entry.kind == "phone" and entry.value == given.phone for entry in known) else phones
    after = give.profile(given, before.address)
    if after != profile_of(before) or phones:
        add_entries(tx, actor.account_id, customer_id, phones)
        save(tx, actor, before, after, before.email, now)


def to_change(tx: Writer, account_id: int, customer_id: int) -> CustomerRow:
    """A customer who may be changed, kept from other transactions; raises NotFound or Locked."""
    found = queries.by_id_to_change(tx, account_id, customer_id)
    if found is None:
        raise NotFound
    require_unlocked(tx, account_id, customer_id)
    return found


def require_unlocked(db: Reader, account_id: int, customer_id: int) -> None:
    """Raises Locked for a customer with 5,000 conversations or more.

    Source: https://developer.helpscout.com/mailbox-api/endpoints/customers/update (status 423)
    """
    if (db.one(_CONVERSATIONS, account_id=account_id, id=customer_id, most=LOCKED_AT) or 0) >= LOCKED_AT:
        raise Locked


def require_unused(db: Reader, account_id: int, emails: Sequence[str], customer_id: int = 0) -> None:
    """Raises AlreadyThere for an e-mail address that belongs to a customer other than `customer_id`."""
    taken = queries.with_emails(db, account_id, emails)
    if any(entry.customer_id != customer_id for entry in taken):
        known = {folded_email(entry.value) for entry in taken if entry.customer_id != customer_id}
        raise AlreadyThere(*(in_use(email) for email in emails if folded_email(email) in known))


def in_use(email: str) -> FieldError:
    """An e-mail address belongs to a customer already."""
    return FieldError("emails", "belongs to a customer already", "Email", email)


def add_entries(tx: Writer, account_id: int, customer_id: int, entries: Iterable[GivenEntry]) -> None:
    """Add ways to reach a customer; e-mail addresses must be known to be unused."""
    tx.add_many(
        _ADD_ENTRY,
        (
            _NewEntryRow(account_id, customer_id, kind, type, value, folded_email(value) if kind == "email" else "")
            for kind, type, value in entries
        ),
    )


def save(tx: Writer, actor: Actor, before: CustomerRow, after: Profile, email: str | None, now: str) -> None:
    """Write a customer's fields; their conversations follow a new name. Records the event."""
    written = _values(after, email, now)
    tx.run(_CHANGE, account_id=actor.account_id, id=before.id, **written)
    if (after.first_name, after.last_name) != (before.first_name, before.last_name):
        name = folded_name(after.first_name, after.last_name)
        tx.run(_RENAME, account_id=actor.account_id, id=before.id, name=name)
    _record(tx, events.CUSTOMER_UPDATED, actor, actor.account_id, before.id, now)


def profile_of(row: CustomerRow) -> Profile:
    """What is known about a customer, as it is stored."""
    return Profile(**{name: getattr(row, name) for name in Profile.__struct_fields__})


def folded_name(first: str | None, last: str | None) -> str:
    """The name by which conversations are sorted; empty when there is none."""
    return sort_key(f"{first or ''} {last or ''}".strip())


def _add(
    tx: Writer, account_id: int, actor: Actor, profile: Profile, entries: list[GivenEntry], now: str
) -> CustomerRow:
    email = next((entry.value for entry in entries if entry.kind == "email"), None)
    values = _values(profile, email, now)
    customer_id = tx.add(_ADD, _NewRow(account_id=account_id, archived_conversations=0, created_at=now, **values))
    add_entries(tx, account_id, customer_id, entries)
    _record(tx, events.CUSTOMER_CREATED, actor, account_id, customer_id, now)
    known = {name: getattr(profile, name) for name in Profile.__struct_fields__}
    return CustomerRow(id=customer_id, email=email, created_at=now, updated_at=now, **known)


def _values(profile: Profile, email: str | None, now: str) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(profile),
        "first_folded": fold(profile.first_name or ""),
        "last_folded": fold(profile.last_name or ""),
        "organization_folded": fold(profile.organization or ""),
        "email": email,
        "updated_at": now,
    }


def _record(tx: Writer, name: str, actor: Actor, account_id: int, customer_id: int, now: str) -> None:
    record(tx, Event(account_id=account_id, name=name, subject_id=customer_id, actor_id=actor.user_id, at=now))
