"""Queries against a naive evaluation in Python: random ones over seventy invented conversations, on both databases.

Each is asked in every way of searching: by reading the newest, by going through the list in order, by looking hits up.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from deskhand.desk.conversations.listing import newest, search
from deskhand.desk.conversations.listing.filters import Wanted
from deskhand.desk.search.tokens import stored, wanted
from tests.desk.conversations.builders import created, faults, given, read
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

COUNT, PAGE = 70, 25
WORDS = ("refund", "Refunds", "order", "Ordner", "café", "tea", "teapot", "lamp", "検索語", "ORD-17", "o'clock", "x")
TAGS = ("vip", "needs review", "spät", "fire")
STATUSES = ("active", "pending", "closed", "spam")
DAYS = ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-15T12:00:00Z", "2026-02-01T00:00:00Z")


@dataclass
class Invented:
    """A conversation as it was asked for."""

    id: int
    number: int
    inbox: int
    inbox_name: str
    status: str
    owner: str | None
    subject: str
    threads: list[str]
    tags: set[str]
    customer: int
    addresses: set[str]
    created_at: str
    file: bool
    repliers: set[int]


@dataclass
class World:
    """An account and all its conversations."""

    desk: Desk
    narrow: Desk
    inboxes: dict[int, str]
    users: dict[int, str]
    conversations: list[Invented] = field(default_factory=list)


@pytest.fixture(scope="module")
def world(server: LiveServer) -> World:
    desk, rng = open_desk(server), random.Random(4)
    inboxes = {desk.add_inbox(name): name for name in ("Support", "Orders")}
    users = {desk.add_user(name, "Okafor", inboxes=tuple(inboxes)): name for name in ("Ines", "Lea")}
    narrow = desk.as_user(desk.add_user("Nia", inboxes=(next(iter(inboxes)),)))
    made = World(desk, narrow, inboxes, users)
    customers = [f"{name}{unique('c')}@{rng.choice(('buyer', 'Shop'))}.example" for name in ("paul", "xpaul", "Mira")]
    for _ in range(COUNT):
        made.conversations.append(invent(made, rng, customers))
    return made


def invent(world: World, rng: random.Random, customers: list[str]) -> Invented:
    inbox, status = rng.choice(list(world.inboxes)), rng.choice(STATUSES)
    owner = rng.choice([None, *world.users])
    address, copies = rng.choice(customers), rng.sample(customers + ["boss@north.example"], k=rng.choice((0, 0, 1, 2)))
    tags = rng.sample(TAGS, k=rng.randrange(3))
    at = rng.choice(DAYS)
    threads: list[dict[str, Any]] = []
    for n in range(rng.randint(1, 3)):
        kind = "customer" if n == 0 else rng.choice(("reply", "note"))
        threads.append({"type": kind, "text": text(rng), "customer": {"email": address}})
        if kind == "reply":
            threads[-1]["user"] = rng.choice(list(world.users))
    threads[0]["cc"] = copies
    file = rng.random() < 0.3
    if file:
        threads[0]["attachments"] = [{"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}]
    subject = text(rng)
    body = given(
        inbox, subject=subject, status=status, assignTo=owner, tags=tags, customer={"email": address}, threads=threads,
        imported=True, createdAt=at,
    )  # fmt: skip
    id = created(world.desk.post("/v2/conversations", body))
    shown = read(world.desk, id)
    return Invented(
        id=id,
        number=shown["number"],
        inbox=inbox,
        inbox_name=world.inboxes[inbox],
        status=status,
        owner=world.users.get(owner or 0),
        subject=subject,
        threads=[one["text"] for one in threads],
        tags=set(tags),
        customer=shown["primaryCustomer"]["id"],
        addresses={one.lower() for one in (address, *copies)},
        created_at=at,
        file=file,
        repliers={one["user"] for one in threads if one["type"] == "reply"},
    )


def text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 4)))


# -- Queries, and what they mean ---------------------------------------------------------------------------------------

Meaning = Callable[[Invented], bool]
Asked = tuple[str, Meaning]


def has(text: str, piece: str) -> bool:
    return piece in stored(text) + " "


def query(rng: random.Random, world: World, depth: int = 0) -> Asked:
    """A random query as people write it, and its meaning."""
    kind = rng.randrange(7 if depth < 3 else 4)
    if kind < 4:
        return rng.choice(TESTS)(rng, world)
    if kind == 4:
        written, meaning = query(rng, world, depth + 1)
        return rng.choice((f"NOT {bracketed(written)}", f"-({written})")), lambda one: not meaning(one)
    parts = [query(rng, world, depth + 1) for _ in range(rng.randint(2, 3))]
    meanings = [meaning for _, meaning in parts]
    joint = " OR " if kind == 5 else rng.choice((" AND ", " "))
    written = joint.join(bracketed(part) for part, _ in parts)
    every = any if kind == 5 else all
    return f"({written})", lambda one: every(meaning(one) for meaning in meanings)


def bracketed(written: str) -> str:
    return written if written.startswith("(") else f"({written})"


def quoted(rng: random.Random, text: str) -> str:
    before, behind = rng.choice(('""', "“”", "„“"))
    return f"{before}{text}{behind}"


def word(rng: random.Random, world: World) -> Asked:
    one = rng.choice(WORDS)
    starred = rng.random() < 0.3
    typed = one[:-1] if starred and len(one) > 2 else one
    starred = starred and len(one) > 2
    piece = wanted(typed, starred)
    where, written = rng.choice(("", "subject:", "body: ")), typed + "*" * starred

    def meaning(it: Invented) -> bool:
        texts = {"": [it.subject, *it.threads], "subject:": [it.subject], "body: ": it.threads}[where]
        return any(has(text, piece) for text in texts)

    return where + written, meaning


def phrase(rng: random.Random, world: World) -> Asked:
    words = rng.choices(WORDS, k=2)
    where = rng.choice(("", "subject:", "body:"))

    def meaning(it: Invented) -> bool:
        if where == "subject:":
            return all(has(it.subject, wanted(one)) for one in words)
        texts = it.threads if where else [it.subject, *it.threads]
        return any(has(text, wanted(" ".join(words))) for text in texts)

    return where + quoted(rng, " ".join(words)), meaning


def tag(rng: random.Random, world: World) -> Asked:
    name = rng.choice((*TAGS, "none"))
    if rng.random() < 0.3:
        return "tag:v*", lambda it: "vip" in it.tags
    return f"tag:{quoted(rng, name.upper() if name.isascii() else name)}", lambda it: name in it.tags


def email(rng: random.Random, world: World) -> Asked:
    address = rng.choice([address for it in world.conversations for address in it.addresses])
    if rng.random() < 0.6:
        return f"email:{rng.choice((address, quoted(rng, address.upper())))}", lambda it: address in it.addresses
    return "email:paul", lambda it: any("paul" in one for one in it.addresses)


def fixed(rng: random.Random, world: World) -> Asked:
    inbox, name = rng.choice(list(world.inboxes.items()))
    user, user_name = rng.choice(list(world.users.items()))
    choices: list[Asked] = [
        (f"mailbox:{quoted(rng, name)}", lambda it: it.inbox == inbox),
        (f"mailboxid:{inbox}", lambda it: it.inbox == inbox),
        (f"assigned:{user_name.lower()}", lambda it: it.owner == user_name),
        (f'assigned:"{user_name} Okafor"', lambda it: it.owner == user_name),
        ("assigned:Unassigned", lambda it: it.owner is None),
        ("assigned:*", lambda it: it.owner is not None),
        ("status:(active OR closed)", lambda it: it.status in ("active", "closed")),
        ("status:open", lambda it: it.status in ("active", "pending")),
        ("attachments:true", lambda it: it.file),
        ("attachments:false", lambda it: not it.file),
        (f"replyUserIds:{user}", lambda it: user in it.repliers),
        (f"replyUserIds:({user} OR 1)", lambda it: user in it.repliers),
        ("tag:*", lambda it: bool(it.tags)),
        ("email:*", lambda it: True),
        ("[* TO *]", lambda it: True),
    ]
    return rng.choice(choices[:-1])


def number(rng: random.Random, world: World) -> Asked:
    low, high = sorted(rng.sample([it.number for it in world.conversations], 2))
    choices: list[Asked] = [
        (f"number:{low}", lambda it: it.number == low),
        (f"number:[{low} TO {high}]", lambda it: low <= it.number <= high),
        (f"number:{{{low} TO {high}]", lambda it: low < it.number <= high),
        (f"number:[* TO {high}}}", lambda it: it.number < high),
        (f"id:({world.conversations[0].id} OR 5)", lambda it: it is world.conversations[0]),
        (f"customerIds: {world.conversations[3].customer}", lambda it: it.customer == world.conversations[3].customer),
    ]
    return rng.choice(choices)


def moment(rng: random.Random, world: World) -> Asked:
    choices: list[Asked] = [
        ("createdAt:2026-01", lambda it: it.created_at.startswith("2026-01")),
        ("createdAt:2025", lambda it: it.created_at < "2026"),
        ("createdAt:[2026-01-01 TO 2026-01-15]", lambda it: it.created_at in DAYS[1:3]),
        ("createdAt:{2026-01-01T00:00:00Z TO *]", lambda it: it.created_at > DAYS[1]),
        ("createdAt:[* TO 2026-01-01T00:00:00Z}", lambda it: it.created_at < DAYS[1]),
        ("modifiedAt:[NOW-1DAY TO *]", lambda it: True),
        ("modifiedAt:[* TO NOW-1YEAR]", lambda it: False),
    ]
    return rng.choice(choices)


TESTS = (word, word, word, phrase, tag, email, fixed, number, moment)


# -- The tests ---------------------------------------------------------------------------------------------------------


def listed(viewer: Desk, asked: dict[str, Any]) -> tuple[list[int], set[int]]:
    """The ids of all pages, one by one, and the totals that the pages tell."""
    ids, totals, page = [], set(), 1
    while True:
        answer = viewer.get("/v2/conversations", **asked, page=page)
        assert answer.status_code == 200, (asked, answer.text)
        body = answer.json()
        found = [one["id"] for one in body["_embedded"]["conversations"]]
        ids += found
        totals.add(body["page"]["totalElements"])
        page += 1
        if len(found) < PAGE:
            return ids, totals


@pytest.mark.parametrize(
    ("window", "looking_up"),
    [(1, 0), (1, 10**9), (30, 10**9), (newest.WINDOW, newest.LOOKING_UP)],
    ids=["by looking up", "in order", "newest, then in order", "newest"],
)
def test_a_query_finds_what_a_naive_evaluation_finds(
    world: World, monkeypatch: pytest.MonkeyPatch, window: int, looking_up: float
) -> None:
    monkeypatch.setattr(newest, "WINDOW", window)
    monkeypatch.setattr(newest, "LOOKING_UP", looking_up)
    rng, hits = random.Random(window + looking_up), 0
    for _ in range(120):
        written, meaning = query(rng, world)
        asked: dict[str, Any] = {"query": written, "status": rng.choice(("all", "all", *STATUSES, "open"))}
        asked["sortOrder"] = rng.choice(("asc", "desc"))
        asked["sortField"] = rng.choice(("createdAt", "createdAt", "number", "subject"))
        viewer = rng.choice((world.desk, world.desk, world.narrow))
        expected = [it for it in world.conversations if seen(world, viewer, it, asked["status"]) and meaning(it)]
        keys = {
            "createdAt": lambda it: (it.created_at, it.id),
            "number": lambda it: it.number,
            "subject": lambda it: (it.subject.lower(), it.id),
        }
        expected.sort(key=keys[asked["sortField"]], reverse=asked["sortOrder"] == "desc")
        ids, totals = listed(viewer, asked)
        if asked["sortField"] == "subject":  # folded otherwise than lower() does
            ids, expected = sorted(ids), sorted(expected, key=lambda it: it.id)
        assert (ids, totals) == ([it.id for it in expected], {len(expected)}), asked
        hits += 0 < len(expected) < COUNT
    assert hits > 50


@pytest.mark.parametrize("status", ["all", "open", *STATUSES])
def test_a_number_that_the_index_alone_knows_is_exact(world: World, status: str) -> None:
    rng = random.Random(status)
    first, second = world.inboxes
    for inboxes in (None, (first,), (first, second)):
        there = [it for it in world.conversations if inboxes is None or it.inbox in inboxes]
        there = [it for it in there if it.status in known(status)]
        for _ in range(12):
            one, other = (rng.choice((word, phrase))(rng, world) for _ in range(2))
            for written, meaning in combined(one, other):
                found = counted(world, Wanted(world.desk.account_id, 1, inboxes, status), written)
                assert found == sum(map(meaning, there)), (written, inboxes)


def combined(one: Asked, other: Asked) -> list[Asked]:
    (first, a), (second, b) = one, other
    return [
        (first, a),
        (f"{first} AND {second}", lambda it: a(it) and b(it)),
        (f"{first} OR {second}", lambda it: a(it) or b(it)),
        (f"{first} AND NOT {second}", lambda it: a(it) and not b(it)),
        (f"NOT {first}", lambda it: not a(it)),
    ]


def counted(world: World, all_of: Wanted, written: str) -> int:
    asked = search.read(written, world.desk.account_id, world.desk.server.clock.now())
    wanted = msgspec.structs.replace(all_of, search=asked)
    return world.desk.server.app.database.read_now(lambda db: newest.number(db, wanted))


def known(status: str) -> tuple[str, ...]:
    return {"all": STATUSES, "open": ("active", "pending")}.get(status, (status,))


def seen(world: World, viewer: Desk, it: Invented, status: str) -> bool:
    return it.status in known(status) and (viewer is world.desk or it.inbox == next(iter(world.inboxes)))


@pytest.mark.parametrize(
    ("query", "position"),
    [
        ('subject:"open', 9), ("tag:", 1), ("a AND", 3), ("lamp OR", 6), ("(lamp))", 7), ("nothing:x", 1),
        ("lamp number:x", 6), ("createdAt:[2026 TO", 11), ("lamp createdAt:soon", 6), ("re*fund", 1),
        ("lamp AND a*", 10), ("attachments:maybe", 1), ("subject:[a TO b]", 1), ("tag:[a TO b]", 1), ("lamp \x07", 6),
    ],
)  # fmt: skip
def test_what_can_not_be_understood_is_400_and_names_the_place(desk: Desk, query: str, position: int) -> None:
    answer = desk.get("/v2/conversations", query=query)
    assert faults(answer) == ["query"]
    assert f"(position {position})" in answer.text


def test_one_letter_is_a_beginning_in_scripts_that_have_no_spaces(world: World) -> None:
    ids, _ = listed(world.desk, {"query": "検*", "status": "all"})
    assert set(ids) == {it.id for it in world.conversations if "検" in it.subject + "".join(it.threads)}
