"""Creating customers, finding the one somebody refers to, and overwriting what is known about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.customers import ENTRIES_MOST, LOCKED_AT, CustomerReference, NewCustomer, OverwrittenCustomer
from deskhand.catalogue.problems import (
    AlreadyThere,
    BadRequest,
    FieldError,
    Locked,
    NotFound,
    empty,
    invalid,
    unknown_id,
)
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, command, value
from deskhand.desk.call import Actor
from deskhand.desk.customers import entries, properties, queries
from deskhand.desk.customers import given as give
from deskhand.desk.customers.following import Addresses, follow
from deskhand.desk.customers.given import GivenEntry, Profile
from deskhand.desk.customers.queries import CustomerRow, EntryRow, conversation, folded_email
from deskhand.desk.customers.tables import customer
from deskhand.desk.organizations import queries as organizations
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


_ADD = Insert(customer, _NewRow)
_FIXED = ("account_id", "archived_conversations", "created_at")
_CHANGED = [name for name in _NewRow.__struct_fields__ if name not in _FIXED]
_CHANGE = command(
    sa.update(customer)
    .where(customer.c.account_id == P("account_id"), customer.c.id == P("id"))
    .values({name: P(name) for name in _CHANGED})
)
_ERASE = command(sa.delete(customer).where(customer.c.account_id == P("account_id"), customer.c.id == P("id")))
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
    tx: Writer,
    account_id: int,
    given: CustomerReference,
    actor: Actor,
    now: str,
    path: str = "customer",
    *,
    keep: bool = False,
) -> CustomerRow:
    """The customer that a reference means; an unknown e-mail address makes a new one of the other fields.

    An id wins over an address; for a known customer the other fields are ignored. Raises BadRequest for an unknown id,
    when neither is given, and for the address of somebody whom the caller may not know of; `path` is where the
    reference stands in the body. With `keep` nobody erases or renames the customer before this transaction ends.
    Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/create
    """
    if given.id is not None:
        found = (queries.by_id_to_keep if keep else queries.by_id)(tx, account_id, given.id, actor.only)
        if found is None:
            raise unknown_id(f"{path}.id", given.id, "customer")
        return found
    if given.email is None:
        raise BadRequest(empty(f"{path}.email"))
    found = queries.by_email(tx, account_id, given.email)
    if found is not None and actor.only is not None:
        _require_known(tx, actor, found, given.email, path)
    if found is not None and keep:
        found = queries.by_id_to_keep(tx, account_id, found.id)
    if found is not None:
        return found
    ways = [give.entry("email", None, given.email)]
    if given.phone:
        ways.append(give.entry("phone", None, given.phone))
    return _add(tx, account_id, actor, give.referred(given), ways, now)


def _require_known(db: Reader, actor: Actor, found: CustomerRow, email: str, path: str) -> None:
    """Raises BadRequest for a customer of other inboxes than an agent may know of.

    That the address is somebody's can't be kept from whoever tries it, for it is nobody else's in the account. But it
    must not open the door to all that is known of them.
    """
    if queries.by_id(db, actor.account_id, found.id, actor.only) is None:
        raise BadRequest(in_use(email, f"{path}.email"))


def create(tx: Writer, actor: Actor, given: NewCustomer, now: str) -> int:
    """Create a customer; gives their id.

    Raises AlreadyThere when an e-mail address belongs to a customer already, and BadRequest.
    """
    ways = give.entries(given)
    require_unused(tx, actor.account_id, [way.value for way in ways if way.kind == "email"])
    profile = give.profile(given, give.address(given.address))
    if profile.organization_id is not None:
        _require_organization(tx, actor.account_id, profile.organization_id)
    values = properties.given(tx, actor.account_id, given.properties or ())
    made = _add(tx, actor.account_id, actor, profile, ways, now)
    properties.put(tx, actor.account_id, made.id, values)
    return made.id


def overwrite(tx: Writer, actor: Actor, customer_id: int, given: OverwrittenCustomer, now: str) -> None:
    """Replace all that is known about a customer; a phone that is new is added.

    Raises NotFound, Locked, and BadRequest.
    """
    before = to_change(tx, actor, customer_id)
    phones = [give.entry("phone", None, given.phone)] if given.phone else []
    if phones:
        known = queries.entries(tx, actor.account_id, [customer_id])[customer_id]
        if any(entry.kind == "phone" and entry.value == given.phone for entry in known):
            phones = []
        else:
            require_room(known, "phone", "phone")
    after = give.profile(given, before.address)
    if after != profile_of(before) or phones:
        entries.add_many(tx, actor.account_id, customer_id, phones)
        save(tx, actor, before, after, now)


def to_change(tx: Writer, actor: Actor, customer_id: int) -> CustomerRow:
    """A customer who may be changed, kept from other transactions; raises NotFound or Locked."""
    found = to_erase(tx, actor, customer_id)
    require_unlocked(tx, actor.account_id, customer_id)
    return found


def to_erase(tx: Writer, actor: Actor, customer_id: int) -> CustomerRow:
    """A customer, also a locked one, kept from other transactions; raises NotFound."""
    found = queries.by_id_to_change(tx, actor.account_id, customer_id, actor.only)
    if found is None:
        raise NotFound
    return found


def require_unlocked(db: Reader, account_id: int, customer_id: int) -> None:
    """Raises Locked for a customer with 5,000 conversations or more.

    Source: https://developer.helpscout.com/mailbox-api/endpoints/customers/update (status 423)
    """
    if conversations(db, account_id, customer_id, LOCKED_AT) >= LOCKED_AT:
        raise Locked


def conversations(db: Reader, account_id: int, customer_id: int, most: int) -> int:
    """How many conversations a customer has or had, counted up to `most`."""
    return db.one(_CONVERSATIONS, account_id=account_id, id=customer_id, most=most) or 0


def require_unused(
    db: Reader, account_id: int, emails: Sequence[str], customer_id: int = 0, path: str = "emails"
) -> None:
    """Raises AlreadyThere for an e-mail address that belongs to a customer other than `customer_id`."""
    taken = queries.with_emails(db, account_id, emails)
    if any(entry.customer_id != customer_id for entry in taken):
        known = {folded_email(entry.value) for entry in taken if entry.customer_id != customer_id}
        raise AlreadyThere(*(in_use(email, path) for email in emails if folded_email(email) in known))


def require_room(known: Sequence[EntryRow], kind: str, path: str) -> None:
    """Raises BadRequest for a customer who has as many entries of a kind as one can have."""
    if sum(entry.kind == kind for entry in known) >= ENTRIES_MOST:
        raise invalid(path, f"a customer can have {ENTRIES_MOST} of these at most", "Size")


def in_use(email: str, path: str = "emails") -> FieldError:
    """An e-mail address belongs to a customer already."""
    return FieldError(path, "belongs to a customer already", "Email", str(email))


def save(
    tx: Writer, actor: Actor, before: CustomerRow, after: Profile, now: str, addresses: Addresses | None = None
) -> None:
    """Write a customer's fields and record the event; their conversations follow a new name or other `addresses`.

    With a new address, a customer who belongs to no organization comes to the one whose domain it has.
    Raises BadRequest for an organization that there is not.
    """
    after = _in_organization(tx, actor.account_id, before, after, addresses)
    email = addresses.first if addresses is not None else before.email
    tx.run(_CHANGE, account_id=actor.account_id, id=before.id, **_values(after, email, now))
    name = folded_name(after.first_name, after.last_name)
    if addresses is not None or name != folded_name(before.first_name, before.last_name):
        follow(tx, actor.account_id, before.id, name, addresses)
    _record(tx, events.CUSTOMER_UPDATED, actor.user_id, actor.account_id, before.id, now)


def _in_organization(
    tx: Writer, account_id: int, before: CustomerRow, after: Profile, addresses: Addresses | None
) -> Profile:
    if after.organization_id is not None:
        if after.organization_id != before.organization_id:
            _require_organization(tx, account_id, after.organization_id)
    elif addresses is not None and addresses.added and before.organization_id is None:
        found = organizations.of_addresses(tx, account_id, addresses.added)
        return msgspec.structs.replace(after, organization_id=found)
    return after


def _require_organization(tx: Writer, account_id: int, id: int) -> None:
    if not organizations.stays(tx, account_id, id):
        raise unknown_id("organizationId", id, "organization")


def erase(tx: Writer, account_id: int, customer_id: int, by: int, now: str) -> None:
    """Erase all that is known about a customer, whose conversations are gone already; `by` is the user who asked.

    Doing it twice is harmless: the event is recorded once.
    """
    entries.remove_all(tx, account_id, customer_id)
    properties.remove_all(tx, account_id, customer_id)
    if tx.run(_ERASE, account_id=account_id, id=customer_id):
        _record(tx, events.CUSTOMER_DELETED, by, account_id, customer_id, now)


def profile_of(row: CustomerRow) -> Profile:
    """What is known about a customer, as it is stored."""
    return Profile(**{name: getattr(row, name) for name in Profile.__struct_fields__})


def folded_name(first: str | None, last: str | None) -> str:
    """The name by which conversations are sorted; empty when there is none."""
    return sort_key(f"{first or ''} {last or ''}".strip())


def _add(tx: Writer, account_id: int, actor: Actor, profile: Profile, ways: list[GivenEntry], now: str) -> CustomerRow:
    emails = [way.value for way in ways if way.kind == "email"]
    email = emails[0] if emails else None
    if profile.organization_id is None and emails:
        found = organizations.of_addresses(tx, account_id, emails)
        profile = msgspec.structs.replace(profile, organization_id=found)
    values = _values(profile, email, now)
    customer_id = tx.add(_ADD, _NewRow(account_id=account_id, archived_conversations=0, created_at=now, **values))
    entries.add_many(tx, account_id, customer_id, ways)
    _record(tx, events.CUSTOMER_CREATED, actor.user_id, account_id, customer_id, now)
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


def _record(tx: Writer, name: str, by: int, account_id: int, customer_id: int, now: str) -> None:
    record(tx, Event(account_id=account_id, name=name, subject_id=customer_id, actor_id=by, at=now))
