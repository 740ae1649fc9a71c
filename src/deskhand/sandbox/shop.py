"""The invented shop: Brindlewick Lamps of Port Merrow, its staff, inboxes, tags and what it sells."""

from __future__ import annotations

from typing import NamedTuple

NAME = "Brindlewick Lamps"
DOMAIN = "brindlewick.example"
CARRIER = "Kestrel Parcel"

ORDERS, PRODUCTS, WHOLESALE = 501, 502, 503
INBOX_IDS = (ORDERS, PRODUCTS, WHOLESALE)
WORKFLOW = 901
"""The manual workflow of the Orders inbox, named by line items."""

OWNER, HELPER = 2, 12
ORDERS_DESK, WORKSHOP = 10, 11


class Person(NamedTuple):
    """One of the staff; `inboxes` are the ones they may see, `languages` those they answer in."""

    id: int
    first_name: str
    last_name: str
    role: str
    job_title: str
    timezone: str
    inboxes: tuple[int, ...]
    languages: tuple[str, ...]
    accepted: bool = True


class Group(NamedTuple):
    """One of the teams."""

    id: int
    name: str
    mention: str
    user_ids: tuple[int, ...]
    inbox_ids: tuple[int, ...]


STAFF = (
    Person(OWNER, "Maud", "Brindle", "owner", "Founder", "Europe/Dublin", INBOX_IDS, ("en",)),
    Person(3, "Tomasz", "Wieczorek", "admin", "Head of support", "Europe/Warsaw", INBOX_IDS, ("en", "de")),
    Person(4, "Ines", "Falcão", "user", "Customer support", "Europe/Lisbon", INBOX_IDS, ("en", "es", "pt")),
    Person(5, "Jonas", "Ekeblad", "user", "Workshop", "Europe/Dublin", (PRODUCTS,), ("en",)),
    Person(6, "Camille", "Rouvière", "user", "Customer support", "Europe/Paris", INBOX_IDS, ("en", "fr")),
    Person(7, "Sayuri", "Kanda", "user", "Customer support", "Asia/Tokyo", INBOX_IDS, ("en", "ja")),
    Person(8, "Bernard", "Pell", "light user", "Accounts", "Europe/Dublin", (ORDERS, WHOLESALE), ()),
    Person(9, "Freya", "Hollins", "user", "Starts on the first", "Europe/Dublin", (PRODUCTS,), (), accepted=False),
)

TEAMS = (
    Group(ORDERS_DESK, "Orders desk", "ordersdesk", (3, 4, 6, 7), (ORDERS, WHOLESALE)),
    Group(WORKSHOP, "Workshop", "workshop", (3, 5, 6), (PRODUCTS,)),
)

INBOXES = (
    (ORDERS, "Orders", "orders"),
    (PRODUCTS, "Product help", "help"),
    (WHOLESALE, "Wholesale", "wholesale"),
)

FIELDS: tuple[tuple[int, str, str, bool, tuple[str, ...]], ...] = (
    (ORDERS, "Order number", "singleline", True, ()),
    (
        ORDERS,
        "Parcel state",
        "dropdown",
        False,
        ("Packing", "With the carrier", "Lost for now", "Delivered", "On its way back"),
    ),
    (ORDERS, "Promised for", "date", False, ()),
    (ORDERS, "Refund in euros", "number", False, ()),
    (PRODUCTS, "Lamp", "dropdown", True, ("Heron", "Wren", "Moth", "Barnacle", "Puddle", "Curate", "Otter", "Other")),
    (PRODUCTS, "Series number", "singleline", False, ()),
    (PRODUCTS, "What was tried", "multiline", False, ()),
    (WHOLESALE, "Organization", "singleline", True, ()),
    (WHOLESALE, "Tier", "dropdown", False, ("A, from 40 lamps", "B, from 10 lamps", "C, first order")),
    (WHOLESALE, "Lamps a month", "number", False, ()),
    (WHOLESALE, "Agreed until", "date", False, ()),
)

TAGS = (
    ("late parcel", "#C4761B"),
    ("wrong item", "#B4532A"),
    ("return", "#8C6BB1"),
    ("refund", "#7A4FA3"),
    ("address change", "#5B8DB8"),
    ("invoice", "#4C7A9E"),
    ("damaged", "#A63D40"),
    ("replacement", "#D08C60"),
    ("cancellation", "#929499"),
    ("stock", "#6B9E6B"),
    ("broken part", "#A8503A"),
    ("spare part", "#8A8F3C"),
    ("assembly", "#3E8E7E"),
    ("dimmer", "#D9A441"),
    ("bulbs", "#E3B23C"),
    ("missing part", "#B36A5E"),
    ("safety", "#C0392B"),
    ("wholesale", "#2F6690"),
    ("price list", "#3A7CA5"),
    ("quote", "#16425B"),
    ("samples", "#81A4CD"),
    ("heads-up", "#5F9EA0"),
    ("german", "#6D6875"),
    ("french", "#7D7AA2"),
    ("spanish", "#B5838D"),
    ("portuguese", "#6B8F71"),
    ("japanese", "#A2678A"),
    ("came back", "#9C6644"),
)

PRODUCTS_SOLD = (
    ("Heron", "floor lamp", 189),
    ("Wren", "desk lamp", 79),
    ("Moth", "bedside lamp", 119),
    ("Barnacle", "shelf lamp", 64),
    ("Puddle", "table lamp", 92),
    ("Curate", "reading lamp", 139),
    ("Otter", "clamp lamp", 49),
    ("Thistle", "table lamp", 149),
    ("Haymaker", "workbench lamp", 99),
    ("Pip", "night light", 29),
    ("Badger", "garden lamp", 109),
    ("Steeple", "floor lamp", 229),
)
