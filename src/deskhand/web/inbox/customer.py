"""Customers: the panel beside a conversation, a page of each, and changing what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from starlette.responses import Response

from deskhand.catalogue.customers import CustomerChange, EmailType, PhoneType
from deskhand.catalogue.problems import BadRequest, NotFound, empty
from deskhand.catalogue.properties import PropertyChange, PropertyOption
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations.listing import of_customer
from deskhand.desk.conversations.listing.of_customer import PAGE_SIZE, Earlier
from deskhand.desk.customers import changing, properties, queries
from deskhand.desk.customers.given import COLLECTIONS
from deskhand.desk.customers.properties import Definition
from deskhand.desk.customers.queries import CustomerRow, EntryRow
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.organizations import queries as organizations
from deskhand.web import words
from deskhand.web.inbox.bodies import one_line
from deskhand.web.pages import Asked, Pages
from deskhand.web.visiting import Visitor

PAGES = Pages()
EARLIER = 6
"""So many other conversations stand in the panel."""
_FIELDS = ("firstName", "lastName", "jobTitle", "location", "organization", "background", "age")
_PATHS = {kind: name for name, kind in COLLECTIONS.items()}
_TYPES: dict[str, tuple[str, ...]] = {"email": EmailType.__args__, "phone": PhoneType.__args__}  # type: ignore[attr-defined]


class Property(msgspec.Struct, frozen=True):
    """What the account wants to know of its customers, and what it knows of this one."""

    slug: str
    name: str
    type: str
    options: list[PropertyOption]
    value: str
    shown: str


class Known(msgspec.Struct, frozen=True):
    """What is known of a customer, as the panel shows it. `others` is how many more conversations there are."""

    row: CustomerRow
    name: str
    emails: list[EntryRow]
    phones: list[EntryRow]
    elsewhere: list[EntryRow]
    properties: list[Property]
    organization: str
    organization_id: int | None
    website: str
    earlier: list[Earlier]
    others: int


def known(db: Reader, visitor: Visitor, id: int, *, but: int = 0) -> Known | None:
    """What is known of a customer, with their newest conversations but one; None for one who was erased."""
    actor = visitor.actor
    row = queries.by_id(db, actor.account_id, id, actor.only)
    if row is None:
        return None
    entries = queries.entries(db, actor.account_id, [id])[id]
    found = of_customer.conversations(db, actor, id, size=EARLIER + 2)
    earlier = [one for one in found if one.id != but]
    others = of_customer.count(db, actor, id) - len(found) if len(found) == EARLIER + 2 else 0
    organization = organizations.by_id(db, actor.account_id, row.organization_id) if row.organization_id else None
    return Known(
        row,
        one_line(words.full_name(row.first_name, row.last_name, row.email or "No name")),
        [one for one in entries if one.kind == "email"],
        [one for one in entries if one.kind == "phone"],
        [one for one in entries if one.kind not in ("email", "phone")],
        _properties(db, actor.account_id, id),
        organization.name if organization else row.organization or "",
        organization.id if organization else None,
        _website(organization.website) if organization and organization.website else "",
        earlier[:EARLIER],
        others + max(0, len(earlier) - EARLIER),
    )


def _website(text: str) -> str:
    return text if text.lower().startswith(("https://", "http://")) else f"https://{text}"


def _properties(db: Reader, account_id: int, id: int) -> list[Property]:
    defined = properties.known(db, account_id)
    if not defined:
        return []
    values = {one.slug: one.value for one in properties.values(db, account_id, [id])[id]}
    return [_property(one, values.get(one.slug, "")) for one in defined]


def _property(one: Definition, value: str) -> Property:
    options = one.choices if one.type == "dropdown" else []
    shown = next((option.label for option in options if option.id == value), value)
    return Property(one.slug, one.name, one.type, options, value, shown)


@PAGES.get("/customers/{id}")
async def show(asked: Asked) -> Response:
    """A customer with all their conversations, page by page."""
    id, number = asked.id(), max(1, int(page) if (page := asked.query("page")).isdecimal() and len(page) < 7 else 1)

    def read(db: Reader) -> tuple[Known | None, list[Earlier], int, dict[int, str]]:
        names = {one.id: one.name for one in inboxes.all_of(db, asked.account_id)}
        listed = of_customer.conversations(db, asked.actor, id, number)
        return known(db, asked.visitor, id), listed, of_customer.count(db, asked.actor, id), names

    customer, listed, total, names = await asked.read(read)
    if customer is None:
        raise NotFound
    last = max(1, -(-total // PAGE_SIZE))
    return await asked.page(
        "conversation/customer_page.html", customer=customer, listed=listed, total=total, number=number, last=last,
        inboxes=names, types=_TYPES,
    )  # fmt: skip


@PAGES.post("/customers/{id}/edit")
async def edit(asked: Asked) -> Response:
    """Change some of a customer's fields; an empty one is forgotten."""
    steps = [_step(name, asked.form.text(name)) for name in _FIELDS if asked.form.has(name)]
    return await _change(asked, lambda tx, id: changing.change(tx, asked.actor, id, steps, asked.now))


def _step(name: str, value: str) -> CustomerChange:
    if not value:
        return CustomerChange(op="remove", path=f"/{name}")
    return CustomerChange(op="replace", path=f"/{name}", value=value)


@PAGES.post("/customers/{id}/entries")
async def add_entry(asked: Asked) -> Response:
    """Add a way to reach a customer."""
    kind, value = asked.form.required("kind"), asked.form.required("value")
    if kind not in _PATHS:
        raise NotFound
    given = {"value": value} | ({"type": asked.form.text("type")} if asked.form.text("type") else {})
    step = CustomerChange(op="add", path=f"/{_PATHS[kind]}", value=given)
    return await _change(asked, lambda tx, id: changing.change(tx, asked.actor, id, [step], asked.now))


@PAGES.post("/customers/{id}/entries/{entry}")
async def change_entry(asked: Asked) -> Response:
    """Change or remove a way to reach a customer."""
    entry_id = asked.id("entry")
    removes, value = asked.form.has("remove"), asked.form.text("value")
    if not (removes or value):
        raise BadRequest(empty("value"))

    def work(tx: Writer, id: int) -> None:
        found = next((one for one in queries.entries(tx, asked.account_id, [id])[id] if one.id == entry_id), None)
        if found is None:
            raise NotFound
        path = f"/{_PATHS[found.kind]}/{entry_id}"
        step = (
            CustomerChange(op="remove", path=path)
            if removes
            else CustomerChange(op="replace", path=f"{path}/value", value=value)
        )
        changing.change(tx, asked.actor, id, [step], asked.now)

    return await _change(asked, work)


@PAGES.post("/customers/{id}/properties")
async def set_property(asked: Asked) -> Response:
    """Give a customer a value of a property, or none."""
    slug, value = asked.form.required("slug"), asked.form.text("value")
    steps: Sequence[PropertyChange] = [
        PropertyChange(op="replace" if value else "remove", path=f"/{slug}", value=value or None)
    ]
    return await _change(asked, lambda tx, id: changing.change_properties(tx, asked.actor, id, list(steps), asked.now))


async def _change(asked: Asked, work: Callable[[Writer, int], None]) -> Response:
    id = asked.id()
    await asked.write(lambda tx: work(tx, id))
    return asked.back(f"/customers/{id}", "Saved.")
