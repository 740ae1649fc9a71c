"""Creating, overwriting and deleting organizations; who belongs to them is the customers' slice's business."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.organizations import NewOrganization, OverwrittenOrganization
from deskhand.catalogue.problems import AlreadyThere, FieldError, NotFound
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command
from deskhand.desk.call import Actor
from deskhand.desk.organizations import given as give
from deskhand.desk.organizations import queries
from deskhand.desk.organizations.given import Profile
from deskhand.desk.organizations.queries import OrganizationRow
from deskhand.desk.organizations.tables import organization, organization_domain, organization_value
from deskhand.lib.text import sort_key
from deskhand.outbox.events import Event, record


class _NewRow(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    name: str
    name_folded: str
    website: str | None
    description: str | None
    location: str | None
    note: str | None
    phones: str
    brand_color: str | None
    created_at: str
    updated_at: str


class _NewDomain(msgspec.Struct, frozen=True):
    account_id: int
    organization_id: int
    domain: str
    position: int


_ADD = Insert(organization, _NewRow)
_ADD_DOMAIN = Insert(organization_domain, _NewDomain)
_ONE = (organization.c.account_id == P("account_id"), organization.c.id == P("id"))
_FIXED = ("account_id", "created_at")
_CHANGE = command(
    sa.update(organization)
    .where(*_ONE)
    .values({name: P(name) for name in _NewRow.__struct_fields__ if name not in _FIXED})
)
_TOUCH = command(sa.update(organization).where(*_ONE).values(updated_at=P("now")))
_DELETE = command(sa.delete(organization).where(*_ONE))
_DELETE_PARTS = {
    part.name: command(sa.delete(part).where(part.c.account_id == P("account_id"), part.c.organization_id == P("id")))
    for part in (organization_domain, organization_value)
}
_DELETE_DOMAINS = _DELETE_PARTS[organization_domain.name]


def create(tx: Writer, actor: Actor, given: NewOrganization, now: str) -> int:
    """Create an organization; gives its id. Raises AlreadyThere for a domain of another one, and BadRequest."""
    profile, domains = give.profile(given), give.domains(given)
    _require_free(tx, actor.account_id, domains, 0)
    row = _NewRow(account_id=actor.account_id, created_at=now, updated_at=now, **_values(profile))
    id = tx.add(_ADD, row)
    _add_domains(tx, actor.account_id, id, domains)
    tell(tx, actor, id, events.ORGANIZATION_CREATED, now)
    return id


def overwrite(tx: Writer, actor: Actor, id: int, given: OverwrittenOrganization, now: str) -> bool:
    """Replace all that is known of an organization but its logo; tells whether it has new domains.

    Raises NotFound, AlreadyThere for a domain of another organization, and BadRequest.
    """
    before = to_change(tx, actor.account_id, id)
    profile, domains = give.profile(given), give.domains(given)
    known = queries.domains_of(tx, actor.account_id, [id])[id]
    if profile == _profile_of(before) and domains == known:
        return False
    if domains != known:
        _require_free(tx, actor.account_id, domains, id)
        tx.run(_DELETE_DOMAINS, account_id=actor.account_id, id=id)
        _add_domains(tx, actor.account_id, id, domains)
    tx.run(_CHANGE, account_id=actor.account_id, id=id, updated_at=now, **_values(profile))
    tell(tx, actor, id, events.ORGANIZATION_UPDATED, now)
    return not set(domains) <= set(known)


def delete(tx: Writer, actor: Actor, id: int, now: str) -> None:
    """Delete an organization, whose customers belong to none already; raises NotFound."""
    to_change(tx, actor.account_id, id)
    for statement in _DELETE_PARTS.values():
        tx.run(statement, account_id=actor.account_id, id=id)
    tx.run(_DELETE, account_id=actor.account_id, id=id)
    tell(tx, actor, id, events.ORGANIZATION_DELETED, now)


def to_change(tx: Writer, account_id: int, id: int) -> OrganizationRow:
    """An organization kept from other transactions; raises NotFound."""
    found = queries.by_id_to_change(tx, account_id, id)
    if found is None:
        raise NotFound
    return found


def touch(tx: Writer, actor: Actor, id: int, now: str) -> None:
    """Note that something about an organization changed, and tell of it."""
    tx.run(_TOUCH, account_id=actor.account_id, id=id, now=now)
    tell(tx, actor, id, events.ORGANIZATION_UPDATED, now)


def tell(tx: Writer, actor: Actor, id: int, name: str, now: str) -> None:
    """Record an event about an organization."""
    record(tx, Event(account_id=actor.account_id, name=name, subject_id=id, actor_id=actor.user_id, at=now))


def _require_free(tx: Writer, account_id: int, domains: Sequence[str], id: int) -> None:
    taken = [domain for domain, owner in queries.with_domains(tx, account_id, domains).items() if owner != id]
    if taken:
        text = "belongs to another organization already"
        raise AlreadyThere(*(FieldError("domains", text, "Unique", domain) for domain in sorted(taken)))


def _add_domains(tx: Writer, account_id: int, id: int, domains: Sequence[str]) -> None:
    tx.add_many(_ADD_DOMAIN, [_NewDomain(account_id, id, domain, position) for position, domain in enumerate(domains)])


def _values(profile: Profile) -> dict[str, Any]:
    return {**msgspec.structs.asdict(profile), "name_folded": sort_key(profile.name)}


def _profile_of(row: OrganizationRow) -> Profile:
    return Profile(**{name: getattr(row, name) for name in Profile.__struct_fields__})
