"""Adding, changing and removing a single way to reach a customer, and their postal address.

Source: https://developer.helpscout.com/mailbox-api/endpoints/customers/emails/create (and its sisters)
"""

from __future__ import annotations

import msgspec

from deskhand.catalogue.customers import NewAddress
from deskhand.catalogue.problems import AlreadyThere, BadRequest, NotFound, empty
from deskhand.db.engine import Writer
from deskhand.desk.call import Actor
from deskhand.desk.customers import entries, queries, verbs
from deskhand.desk.customers import given as give
from deskhand.desk.customers.following import Addresses
from deskhand.desk.customers.queries import CustomerRow, EntryRow, folded_email


def add(tx: Writer, actor: Actor, customer_id: int, kind: str, type: str | None, value: str, now: str) -> int:
    """Add an entry; gives its id. Raises NotFound, Locked, AlreadyThere (an address in use) and BadRequest."""
    before, known = _to_change(tx, actor, customer_id)
    verbs.require_room(known, kind, "value")
    if kind == "email":
        _require_unused(tx, actor, value, customer_id, known)
    new = give.entry(kind, type, value)
    id = entries.add(tx, actor.account_id, customer_id, new)
    emails = _emails(known)
    addresses = Addresses(emails, [*emails, new.value]) if kind == "email" else None
    verbs.save(tx, actor, before, verbs.profile_of(before), now, addresses)
    return id


def change(
    tx: Writer, actor: Actor, customer_id: int, id: int, kind: str, type: str | None, value: str, now: str
) -> None:
    """Change an entry; without a type it keeps the one it has. Raises as `add` does."""
    before, known = _to_change(tx, actor, customer_id)
    old = _find(known, id, kind)
    new = msgspec.structs.replace(old, type=type or old.type, value=str(value))
    if new == old:
        return
    if kind == "email":
        _require_unused(tx, actor, value, customer_id, [entry for entry in known if entry.id != id])
    entries.change(tx, actor.account_id, customer_id, [new])
    addresses = None
    if kind == "email":
        after = _emails([new if entry.id == id else entry for entry in known])
        addresses = Addresses(_emails(known), after, {folded_email(old.value): new.value})
    verbs.save(tx, actor, before, verbs.profile_of(before), now, addresses)


def remove(tx: Writer, actor: Actor, customer_id: int, id: int, kind: str, now: str) -> None:
    """Remove an entry; raises NotFound and Locked."""
    before, known = _to_change(tx, actor, customer_id)
    old = _find(known, id, kind)
    entries.remove(tx, actor.account_id, customer_id, [id])
    left = [entry for entry in known if entry is not old]
    addresses = Addresses(_emails(known), _emails(left)) if kind == "email" else None
    verbs.save(tx, actor, before, verbs.profile_of(before), now, addresses)


def set_address(tx: Writer, actor: Actor, customer_id: int, given: NewAddress, now: str) -> None:
    """Give a customer a postal address, in place of any there was; raises NotFound, Locked and BadRequest."""
    address = give.address(given, "")
    if address is None:
        raise BadRequest(empty("lines"))
    before = verbs.to_change(tx, actor, customer_id)
    if address != before.address:
        after = msgspec.structs.replace(verbs.profile_of(before), address=address)
        verbs.save(tx, actor, before, after, now)


def remove_address(tx: Writer, actor: Actor, customer_id: int, now: str) -> None:
    """Remove a customer's postal address; raises NotFound, also when there is none, and Locked."""
    before = verbs.to_change(tx, actor, customer_id)
    if before.address is None:
        raise NotFound
    verbs.save(tx, actor, before, msgspec.structs.replace(verbs.profile_of(before), address=None), now)


def _to_change(tx: Writer, actor: Actor, customer_id: int) -> tuple[CustomerRow, list[EntryRow]]:
    before = verbs.to_change(tx, actor, customer_id)
    return before, queries.entries(tx, actor.account_id, [customer_id])[customer_id]


def _find(known: list[EntryRow], id: int, kind: str) -> EntryRow:
    for entry in known:
        if (entry.id, entry.kind) == (id, kind):
            return entry
    raise NotFound


def _require_unused(tx: Writer, actor: Actor, value: str, customer_id: int, others: list[EntryRow]) -> None:
    if folded_email(value) in map(folded_email, _emails(others)):
        raise AlreadyThere(verbs.in_use(value, "value"))
    verbs.require_unused(tx, actor.account_id, [value], customer_id, "value")


def _emails(known: list[EntryRow]) -> list[str]:
    return [entry.value for entry in known if entry.kind == "email"]
