"""What webhooks send: the resource that an event is about, as the API shows it at this moment.

A payload that other slices can show by now is added to `_PAYLOADS`, and nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.events import BY_NAME, Payload
from deskhand.catalogue.links import Link, Links
from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.tags import Tag
from deskhand.catalogue.users import UserStatus
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, rows
from deskhand.desk.conversations import narrowing
from deskhand.desk.conversations import represent as conversations
from deskhand.desk.conversations.queries import Shown, shown
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.customers import queries as customer_queries
from deskhand.desk.customers import reading as customers
from deskhand.desk.customers.queries import CustomerRow
from deskhand.desk.customers.tables import customer
from deskhand.desk.organizations import queries as organization_queries
from deskhand.desk.organizations import represent as organizations
from deskhand.desk.organizations.queries import OrganizationRow
from deskhand.desk.organizations.tables import organization
from deskhand.desk.ratings import queries as rating_queries
from deskhand.desk.ratings import represent as ratings
from deskhand.desk.tags import queries as tag_queries
from deskhand.desk.tags import represent as tags
from deskhand.desk.users import represent as users
from deskhand.desk.users import statuses
from deskhand.lib.clock import from_wire
from deskhand.outbox.events import Fact


@dataclass(frozen=True, slots=True)
class View:
    """Of what account, when, and as whom a resource is shown; `inboxes` are those of the webhook's user (None: all).

    `only` is set for webhooks of agents that name inboxes: the agent may know of no others.
    """

    account_id: int
    base: str
    now: str
    v3: bool
    inboxes: tuple[int, ...] | None
    only: frozenset[int] | None


class Found(msgspec.Struct, frozen=True):
    """A resource in its wire form, and the inbox that it lies in now, for those that lie in one."""

    resource: Any
    inbox_id: int | None = None


Loader = Callable[[Reader, View, Sequence[int]], Mapping[int, Found]]
"""Gives resources by their ids; those that are gone are left out."""


@dataclass(frozen=True, slots=True)
class _Payload:
    """How a payload is loaded, and the path under which clients find it.

    `by_version`: V2 and V3 differ. `by_inboxes`: so do users who see different inboxes.
    """

    load: Loader
    path: str
    by_version: bool = False
    by_inboxes: bool = False


class _Gone(msgspec.Struct, frozen=True):
    id: int


class _Notice(msgspec.Struct, frozen=True):
    id: int
    links: Links = msgspec.field(name="_links")


class Bodies:
    """The bodies for some events, each made once however many webhooks want it."""

    def __init__(self, db: Reader, facts: Sequence[Fact], base: str, now: str) -> None:
        self._db = db
        self._base, self._now = base, now
        self._ids: dict[tuple[int, Payload], set[int]] = defaultdict(set)
        for fact in facts:
            self._ids[fact.account_id, BY_NAME[fact.name].payload].add(fact.subject_id)
        self._found: dict[tuple[Payload, View], Mapping[int, Found]] = {}
        self._texts: dict[tuple[Payload, View, int], str] = {}

    def of(
        self,
        fact: Fact,
        *,
        v3: bool,
        notification: bool,
        inboxes: tuple[int, ...] | None,
        only: frozenset[int] | None = None,
    ) -> str | None:
        """What is sent; None when the resource is gone, lies where the webhook's user can't see it, or is unknown."""
        name = BY_NAME[fact.name].payload
        if name == "id":
            return _json(_Gone(fact.subject_id))
        payload = _PAYLOADS.get(name)
        if payload is None:
            return None
        seen = inboxes if payload.by_inboxes else None
        view = View(fact.account_id, self._base, self._now, v3 and payload.by_version, seen, only)
        found = self._load(name, payload, view).get(fact.subject_id)
        if found is None or not (inboxes is None or found.inbox_id is None or found.inbox_id in inboxes):
            return None
        if notification:
            place = self._base + payload.path.format(fact.subject_id)
            return _json(_Notice(fact.subject_id, {"self": Link(place)}))
        key = (name, view, fact.subject_id)
        if key not in self._texts:
            self._texts[key] = _json(found.resource)
        return self._texts[key]

    def _load(self, name: Payload, payload: _Payload, view: View) -> Mapping[int, Found]:
        if (name, view) not in self._found:
            ids = sorted(self._ids[view.account_id, name])
            self._found[name, view] = payload.load(self._db, view, ids)
        return self._found[name, view]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# -- The payloads

_CONVERSATIONS = rows(
    Shown, shown().where(conversation.c.account_id == P("account_id"), ids_in(conversation.c.id, P("ids", sa.Text)))
)
_CUSTOMERS = rows(
    CustomerRow,
    sa.select(*customer_queries.ROW).where(
        customer.c.account_id == P("account_id"), ids_in(customer.c.id, P("ids", sa.Text))
    ),
)
_ORGANIZATIONS = rows(
    OrganizationRow,
    sa.select(*organization_queries.ROW).where(
        organization.c.account_id == P("account_id"), ids_in(organization.c.id, P("ids", sa.Text))
    ),
)


def _conversations(db: Reader, view: View, ids: Sequence[int]) -> dict[int, Found]:
    now = from_wire(view.now)
    found = db.all(_CONVERSATIONS, account_id=view.account_id, ids=_json(ids))
    return {row.id: Found(conversations.conversation(row, view.base, now, v3=view.v3), row.inbox_id) for row in found}


def _with_threads(db: Reader, view: View, ids: Sequence[int]) -> dict[int, Found]:
    now = from_wire(view.now)
    found = db.all(_CONVERSATIONS, account_id=view.account_id, ids=_json(ids))
    of = thread_queries.of_conversations(db, view.account_id, ids)
    narrowing.leave_out_unknown(db, view.account_id, view.only, chain.from_iterable(of.values()))
    files = thread_queries.attachments_of(db, view.account_id, [row for listed in of.values() for row in listed])
    threads = {id: conversations.threads(listed, files, view.base, v3=view.v3) for id, listed in of.items()}
    return {
        row.id: Found(
            conversations.conversation(row, view.base, now, threads.get(row.id, []), v3=view.v3), row.inbox_id
        )
        for row in found
    }


def _customers(db: Reader, view: View, ids: Sequence[int]) -> dict[int, Found]:
    found = db.all(_CUSTOMERS, account_id=view.account_id, ids=_json(ids))
    return {one.id: Found(one) for one in customers.whole(db, view.account_id, found, view.base)}


def _organizations(db: Reader, view: View, ids: Sequence[int]) -> dict[int, Found]:
    found = db.all(_ORGANIZATIONS, account_id=view.account_id, ids=_json(ids))
    domains = organization_queries.domains_of(db, view.account_id, ids)
    return {row.id: Found(organizations.organization(row, domains[row.id], view.base)) for row in found}


def _ratings(db: Reader, view: View, ids: Sequence[int]) -> dict[int, Found]:
    found = rating_queries.by_ids(db, view.account_id, ids)
    return {row.id: Found(ratings.rating(row, view.base), row.inbox_id) for row in found}


def _one_by_one(show: Callable[[Reader, View, int], Any]) -> Loader:
    """For what changes so seldom that there is hardly ever more than one at a time."""

    def load(db: Reader, view: View, ids: Sequence[int]) -> dict[int, Found]:
        shown = {id: show(db, view, id) for id in ids}
        return {id: Found(resource) for id, resource in shown.items() if resource is not None}

    return load


def _tag(db: Reader, view: View, id: int) -> Tag | None:
    row = tag_queries.by_id(db, view.account_id, id, view.inboxes)
    return None if row is None else tags.tag(row)


def _user_status(db: Reader, view: View, id: int) -> UserStatus | None:
    try:
        return users.status(statuses.of_user(db, view.account_id, id), view.base)
    except NotFound:
        return None


_PAYLOADS: dict[Payload, _Payload] = {
    "conversation": _Payload(_conversations, "/v2/conversations/{}", by_version=True),
    "conversation with threads": _Payload(_with_threads, "/v2/conversations/{}", by_version=True),
    "customer": _Payload(_customers, "/v2/customers/{}"),
    "organization": _Payload(_organizations, "/v2/organizations/{}"),
    "rating": _Payload(_ratings, "/v2/ratings/{}"),
    "tag": _Payload(_one_by_one(_tag), "/v2/tags/{}", by_inboxes=True),
    "user status": _Payload(_one_by_one(_user_status), "/v2/users/{}/status"),
}
"""What can be sent by now; events of other payloads are passed over."""
