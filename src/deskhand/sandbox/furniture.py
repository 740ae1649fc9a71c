"""What the invented shop has besides people and conversations: workflows, saved replies, organizations, properties."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import msgspec

from deskhand.desk.loading import Batch
from deskhand.lib.clock import to_wire
from deskhand.lib.text import fold
from deskhand.sandbox.people import COUNTRIES, ORGANIZATIONS
from deskhand.sandbox.records import Customer, World
from deskhand.sandbox.shop import ORDERS, ORDERS_DESK, PRODUCTS, WHOLESALE, WORKFLOW, WORKSHOP

FIRST_SAVED_REPLY, FIRST_ORGANIZATION, FIRST_PROPERTY, FIRST_ORGANIZATION_PROPERTY = 7001, 41, 31, 7


class SavedReply(NamedTuple):
    """A saved reply; either text may be missing."""

    inbox_id: int
    name: str
    text: str | None
    chat_text: str | None = None


class Workflow(NamedTuple):
    """A workflow, what it does and when; tags are named, and stored by their ids. `timed`: time alone may start it."""

    inbox_id: int
    type: str
    status: str
    name: str
    actions: tuple[dict[str, Any], ...]
    conditions: tuple[dict[str, Any], ...] = ()
    timed: bool = False


WORKFLOWS = (
    Workflow(ORDERS, "manual", "active", "Hand over to the orders desk", ({"do": "assign", "value": ORDERS_DESK},)),
    Workflow(
        ORDERS,
        "manual",
        "active",
        "Parcel is late",
        (
            {"do": "tag", "value": ["late parcel"]},
            {"do": "note", "value": "<p>Asked the carrier. Write to the customer by tomorrow noon, news or not.</p>"},
            {"do": "status", "value": "pending"},
        ),
    ),
    Workflow(
        PRODUCTS,
        "manual",
        "active",
        "Over to the workshop",
        ({"do": "assign", "value": WORKSHOP}, {"do": "tag", "value": ["spare part"]}),
    ),
    Workflow(WHOLESALE, "manual", "inactive", "Close a quote that ran out", ({"do": "status", "value": "closed"},)),
    Workflow(
        PRODUCTS,
        "automatic",
        "active",
        "Anything about safety",
        (
            {"do": "tag", "value": ["safety"]},
            {"do": "note", "value": "<p>Ask for a photo first, and tell the customer to leave the lamp off.</p>"},
        ),
        (
            {
                "any": [
                    {"about": "subject", "op": "matches", "value": r"\b(smoke|burn(s|t|ing)?|electric shock)\b"},
                    {"about": "body", "op": "matches", "value": r"\b(smoke|burn(s|t|ing)?|electric shock)\b"},
                ]
            },
            {"any": [{"about": "status", "op": "is_not", "value": ["spam"]}]},
        ),
    ),
    Workflow(
        WHOLESALE,
        "automatic",
        "active",
        "Nobody waits three days",
        ({"do": "tag", "value": ["heads-up"]},),
        (
            {"any": [{"about": "waiting_since", "op": "more_than", "value": 3, "unit": "days"}]},
            {"any": [{"about": "status", "op": "is", "value": ["active"]}]},
        ),
        timed=True,
    ),
)

SAVED_REPLIES = (
    SavedReply(
        ORDERS,
        "Where is my parcel?",
        "<p>Thanks for writing. Your lamp left Port Merrow with Kestrel Parcel; most parcels take two to four days.</p>"
        "<p>Should it not be there by then, answer this mail and we look for it.</p>",
        "It left us already. Give it four days, then tell us and we go looking.",
    ),
    SavedReply(
        ORDERS,
        "How to return a lamp",
        "<p>Of course. Put the lamp back in its box, write your order number on it and hand it to any Kestrel shop.</p>"
        "<p>The money is back with you about five days after the lamp is back with us.</p>",
    ),
    SavedReply(
        ORDERS, "New delivery address", "<p>Done: the parcel goes to the address you gave us, at no extra cost.</p>"
    ),
    SavedReply(
        PRODUCTS,
        "Which bulb fits",
        "<p>Every lamp of ours takes a bulb with a screw base E27, up to 8 watts. Warm white looks best to us.</p>",
        "E27, up to 8 watts. Warm white, if you ask us.",
    ),
    SavedReply(
        PRODUCTS,
        "It flickers",
        "<p>A flicker is nearly always the dimmer: it must be made for LED. Could you send a photo of its label?</p>",
    ),
    SavedReply(PRODUCTS, "Hello in the chat", None, "Hello, this is the workshop. Which lamp is it about?"),
    SavedReply(
        WHOLESALE,
        "Price list",
        "<p>Here is how it works: from 10 lamps you pay 15 % less, from 40 lamps 25 %. Mixed models count.</p>",
    ),
    SavedReply(WHOLESALE, "Samples", "<p>We lend samples for three weeks. Which two lamps shall we send?</p>"),
)

TIERS = ("Gold", "Silver", "New")
_COLORS = ("#0A7F5A", "#8A3B12", "#16425B", "#7A4FA3", "#B4532A", "#3E8E7E")
_ORGANIZATION_PROPERTIES = (
    ("tier", "Tier", "dropdown", TIERS),
    ("renewal", "Agreement renews on", "date", ()),
    ("lamps", "Lamps on site", "number", ()),
)
_CUSTOMER_PROPERTIES = (
    ("loyalty", "Loyalty", "dropdown", ("Regular", "Friend of the house", "Since the first year")),
    ("lamps-owned", "Lamps owned", "number", ()),
    ("birthday", "Birthday", "date", ()),
    ("found-us", "How they found us", "text", ()),
)
_FOUND_US = ("A friend", "The lamp in a café", "A design blog", "The market in Port Merrow")


def add(batch: Batch, world: World) -> None:
    """Put all of it in."""
    _add_workflows(batch, world)
    _add_saved_replies(batch, world)
    _add_organizations(batch, world)
    _add_properties(batch, world)
    _add_statuses(batch, world)
    batch.add(
        "routing",
        account_id=world.account_id,
        inbox_id=ORDERS,
        state="disabled",
        assignment_limit=12,
        assignment_method="balanced",
        user_ids="[3,4,6]",
        last_user_id=None,
        assigner_id=None,
    )


def organization_ids() -> dict[str, int]:
    """The organizations by name."""
    return {organization.name: FIRST_ORGANIZATION + n for n, (_, organization) in enumerate(_organizations())}


def saved_reply_of(thread_id: int, inbox_id: int) -> int:
    """The saved reply that a reply was written with, 0 for none: about every sixth was."""
    if thread_id % 6:
        return 0
    fitting = [
        FIRST_SAVED_REPLY + n
        for n, one in enumerate(SAVED_REPLIES)
        if one.inbox_id == inbox_id and one.text is not None
    ]
    return fitting[thread_id // 6 % len(fitting)]


def _add_workflows(batch: Batch, world: World) -> None:
    made = to_wire(world.inboxes[0].created_at)
    positions: dict[int, int] = {}
    for n, workflow in enumerate(WORKFLOWS):
        positions[workflow.inbox_id] = position = positions.get(workflow.inbox_id, 0) + 1
        batch.add(
            "workflow",
            id=WORKFLOW + n,
            account_id=world.account_id,
            inbox_id=workflow.inbox_id,
            type=workflow.type,
            status=workflow.status,
            position=position,
            name=workflow.name,
            actions=_json([_with_tag_ids(action, world) for action in workflow.actions]),
            conditions=_json(list(workflow.conditions)),
            invalid_because="",
            actor_id=None,
            looked_at=to_wire(world.now) if workflow.timed else None,
            created_at=made,
            modified_at=made,
        )


def _with_tag_ids(action: dict[str, Any], world: World) -> dict[str, Any]:
    if action["do"] != "tag":
        return action
    return {**action, "value": [tag.id for tag in world.tags if tag.name in action["value"]]}


def _add_saved_replies(batch: Batch, world: World) -> None:
    made = to_wire(world.inboxes[0].created_at)
    for n, reply in enumerate(SAVED_REPLIES):
        batch.add(
            "saved_reply",
            id=FIRST_SAVED_REPLY + n,
            account_id=world.account_id,
            inbox_id=reply.inbox_id,
            name=reply.name,
            text=reply.text,
            chat_text=reply.chat_text,
            deleted=0,
            created_at=made,
            updated_at=made,
        )


def _organizations() -> Iterator[tuple[str, Any]]:
    return ((language, one) for language, listed in ORGANIZATIONS.items() for one in listed)


def _add_organizations(batch: Batch, world: World) -> None:
    rng = Random(f"{world.seed}:organizations")
    account_id, made = world.account_id, to_wire(world.inboxes[0].created_at)
    for n, (slug, name, kind, labels) in enumerate(_ORGANIZATION_PROPERTIES):
        batch.add(
            "organization_property",
            id=FIRST_ORGANIZATION_PROPERTY + n,
            account_id=account_id,
            slug=slug,
            name=name,
            type=kind,
            options=_json([{"label": label} for label in labels]),
        )
    for n, (language, organization) in enumerate(_organizations()):
        id = FIRST_ORGANIZATION + n
        country = next(one.code for one in COUNTRIES if one.language == language)
        batch.add(
            "organization",
            id=id,
            account_id=account_id,
            name=organization.name,
            name_folded=fold(organization.name),
            website=f"https://{organization.domain}",
            description=None,
            location=country,
            logo_url=None,
            note="Orders in autumn, for the dark months." if n % 4 == 0 else None,
            phones=_json([f"+353 20 555 01{n:02}"] if n % 2 == 0 else []),
            brand_color=_COLORS[n % len(_COLORS)],
            created_at=made,
            updated_at=made,
        )
        batch.add(
            "organization_domain", account_id=account_id, organization_id=id, domain=organization.domain, position=0
        )
        values = (TIERS[int(rng.random() * 3)], f"2027-{n % 12 + 1:02}-01", str(4 + int(rng.random() * 90)))
        for place, value in enumerate(values):
            if rng.random() < 0.7:
                batch.add(
                    "organization_value",
                    account_id=account_id,
                    organization_id=id,
                    property_id=FIRST_ORGANIZATION_PROPERTY + place,
                    value=value,
                )


def _add_properties(batch: Batch, world: World) -> None:
    options: list[dict[str, str]] = []
    for n, (slug, name, kind, labels) in enumerate(_CUSTOMER_PROPERTIES):
        made = [{"id": _option_id(world.seed, label), "label": label} for label in labels]
        options = made or options
        batch.add(
            "customer_property",
            id=FIRST_PROPERTY + n,
            account_id=world.account_id,
            slug=slug,
            name=name,
            type=kind,
            options=_json(made),
        )
    for customer in world.customers:
        if customer.first_name:
            _add_values(batch, world, customer, options)


def _add_values(batch: Batch, world: World, customer: Customer, options: list[dict[str, str]]) -> None:
    rng = Random(f"{world.seed}:properties:{customer.id}")
    values = (
        options[int(rng.random() * len(options))]["id"],
        str(1 + int(rng.random() * 5)),
        f"{1955 + int(rng.random() * 50)}-{1 + int(rng.random() * 12):02}-{1 + int(rng.random() * 28):02}",
        _FOUND_US[int(rng.random() * len(_FOUND_US))],
    )
    for place, value in enumerate(values):
        if rng.random() < 0.35:
            batch.add(
                "customer_value",
                account_id=world.account_id,
                customer_id=customer.id,
                property_id=FIRST_PROPERTY + place,
                value=value,
                source="api",
            )


def _option_id(seed: int, label: str) -> str:
    return str(uuid.UUID(int=Random(f"{seed}:option:{label}").getrandbits(128), version=4))


_STATUSES = (
    (4, "away", "Lunch", "🍜", ":ramen:"),
    (6, "active", None, None, None),
    (7, "away", "Asleep, it is night in Tokyo", "🌙", ":crescent_moon:"),
)


def _add_statuses(batch: Batch, world: World) -> None:
    for user_id, status, text, emoji, emoji_name in _STATUSES:
        batch.add(
            "user_status",
            account_id=world.account_id,
            user_id=user_id,
            status=status,
            updated_at=to_wire(world.now),
            performed_by=user_id,
            source="ui",
            custom_text=text,
            emoji=emoji,
            emoji_name=emoji_name,
            chat_status="unavailable",
            chat_inboxes="{}",
        )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
