"""The list of conversations against a naive one in Python: every filter and every order, over sixty invented ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from deskhand.desk.conversations import queries
from deskhand.lib.clock import to_wire
from deskhand.lib.text import fold
from tests.desk.conversations.builders import created, done, faults, given, merge, patch, read, set_tags, start
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

COUNT = 60
STATUSES = ("active", "pending", "closed", "spam")
SORTS = (
    "createdAt", "customerEmail", "customerName", "mailboxid", "modifiedAt", "number", "score", "status", "subject",
    "waitingSince",
)  # fmt: skip
SUBJECTS = ("Zebra", "apple", "Äpfel", "Apple", "zoo", "10 lamps", "9 lamps", "ß", "日本", "😀", "_")
PLANS = ("Pro 10", "pro 1", "Free", "ÄRGER", "50% off", "_")
NAMES = (("Ann", "Ng"), ("ann", "ng"), ("Émile", "Zola"), ("", ""), ("Zoë", "Ang"), ("ÅSA", "Öberg"), ("李", ""))


@dataclass
class Invented:
    """A conversation as it was asked for."""

    id: int
    number: int
    inbox: int
    status: str
    draft: bool
    owner: int | None
    tags: set[str]
    values: dict[int, str]
    subject: str
    email: str
    name: str
    created_at: str
    modified_at: str
    waiting_since: str | None

    @property
    def folder(self) -> int:
        if self.draft:
            return 4
        return {"spam": 7, "closed": 6}.get(self.status) or (5 if self.owner else 1)


@dataclass
class World:
    """An account, its users and all its conversations that were not merged away."""

    desk: Desk
    wide: Desk
    narrow: Desk
    inboxes: list[int]
    owners: list[int]
    plan: int
    order: int
    conversations: list[Invented] = field(default_factory=list)

    def seen(self, viewer: Desk) -> set[int]:
        hidden = 0 if viewer is self.desk else 1 if viewer is self.wide else 2
        return set(self.inboxes[: len(self.inboxes) - hidden])


# One account for all tests of this file: none of them changes it.
@pytest.fixture(scope="module")
def world(server: LiveServer) -> World:
    desk, rng = open_desk(server), random.Random(60)
    inboxes = [desk.add_inbox(name) for name in ("Support", "Sales", "Board")]
    wide, narrow = desk.add_user(inboxes=tuple(inboxes[:2])), desk.add_user(inboxes=tuple(inboxes[:1]))
    plan = desk.add_field(inboxes[0], "Plan", "singleline")
    order = desk.add_field(inboxes[0], "Order", "number")
    made = World(desk, desk.as_user(wide), desk.as_user(narrow), inboxes, [desk.user_id, wide, narrow], plan, order)
    made.owners.append(desk.add_team())
    offset = server.clock.offset
    try:
        for _ in range(COUNT):
            server.clock.advance(timedelta(minutes=rng.randrange(3)))
            made.conversations.append(invent(made, rng))
        survivor = made.conversations[0]
        for _ in range(3):
            merge(desk, start(desk, survivor.inbox, tags=["vip"], status=survivor.status), survivor.id)
        for one in rng.sample(made.conversations, 20):
            server.clock.advance(timedelta(minutes=1))
            change(desk, rng, one)
    finally:
        server.clock.offset = offset
    for one in made.conversations:  # in which second a call arrived, only the server knows
        one.modified_at = modified_at(desk, one.id)
    return made


def modified_at(desk: Desk, id: int) -> str:
    head = desk.server.app.database.read_now(lambda db: db.one(queries._READ_HEAD, id=id, account_id=desk.account_id))
    assert head is not None
    return head.modified_at


def invent(world: World, rng: random.Random) -> Invented:
    desk, now = world.desk, world.desk.server.clock.now()
    inbox, status = rng.choice(world.inboxes), rng.choice(STATUSES)
    draft, owner = rng.random() < 0.1, rng.choice([None, *world.owners])
    tags = set(rng.sample(("vip", "Refund", "spät"), rng.randrange(3)))
    values = {}
    if inbox == world.inboxes[0]:
        choices = {world.plan: PLANS, world.order: ("0", "1", "10")}
        values = {id: rng.choice(texts) for id, texts in choices.items() if rng.random() < 0.7}
    first, last = rng.choice(NAMES)
    email = f"{rng.choice('abcABC')}{unique('c')}@buyer.example"
    # Few different moments, so that many conversations share one.
    at = to_wire(now.replace(minute=0, second=0) - timedelta(hours=rng.randrange(8)))
    waits = rng.random() < 0.6
    threads: list[dict[str, Any]] = [{"type": "customer" if waits else "note", "text": "…", "createdAt": at}]
    if draft:
        threads.append({"type": "reply", "text": "…", "draft": True, "createdAt": at})
    body = given(
        inbox,
        subject=rng.choice(SUBJECTS),
        status=status,
        assignTo=owner,
        tags=sorted(tags),
        fields=[{"id": id, "value": value} for id, value in values.items()],
        customer={"email": email, "firstName": first, "lastName": last},
        threads=threads,
        imported=True,
        createdAt=at,
    )
    id = created(desk.post("/v2/conversations", body))
    return Invented(
        id=id,
        number=read(desk, id)["number"],
        inbox=inbox,
        status=status,
        draft=draft,
        owner=owner,
        tags={fold(tag) for tag in tags},
        values=values,
        subject=body["subject"],
        email=email,
        name=fold(f"{first} {last}".strip()),
        created_at=at,
        modified_at="",
        waiting_since=at if waits and status != "closed" else None,
    )


def change(desk: Desk, rng: random.Random, one: Invented) -> None:
    """Change a conversation some more, so that it lies elsewhere than where it began."""
    kind = rng.randrange(3)
    if kind == 0:
        status = rng.choice([status for status in STATUSES if status != one.status])
        done(patch(desk, one.id, "/status", status))
        one.status = status
    elif kind == 1:
        owner = rng.choice([owner for owner in (desk.user_id, None) if owner != one.owner])
        done(patch(desk, one.id, "/assignTo", owner) if owner else patch(desk, one.id, "/assignTo", op="remove"))
        one.owner = owner
    else:
        tags = {"vip", "new"} if one.tags != {"vip", "new"} else set()
        set_tags(desk, one.id, *tags)
        one.tags = tags


# The naive list ------------------------------------------------------------------------------------------------------

Key = Callable[[Invented], Any]
KEYS: dict[str, Key] = {
    "createdAt": lambda one: one.created_at,
    "customerEmail": lambda one: one.email,
    "customerName": lambda one: one.name,
    "mailboxid": lambda one: one.inbox,
    "modifiedAt": lambda one: one.modified_at,
    "number": lambda one: one.number,
    "score": lambda one: one.created_at,
    "status": lambda one: one.status,
    "subject": lambda one: fold(one.subject),
    "waitingSince": lambda one: one.waiting_since or "",
}


def naive(world: World, viewer: Desk, asked: dict[str, Any]) -> list[int]:
    """The ids that a list should give, by going through all of them."""
    found = [one for one in world.conversations if one.inbox in world.seen(viewer) and fits(world, one, viewer, asked)]
    sort, down = asked.get("sortField", "createdAt"), asked.get("sortOrder", "desc") == "desc"
    found.sort(key=lambda one: (KEYS[sort](one), one.id), reverse=down)
    if sort == "waitingSince":
        found.sort(key=lambda one: one.waiting_since is None)
    return [one.id for one in found]


def fits(world: World, one: Invented, viewer: Desk, asked: dict[str, Any]) -> bool:
    status = asked.get("status", "active")
    folder = asked.get("folder")
    return (
        (status == "all" or one.status in {"open": ("active", "pending")}.get(status, (status,)))
        and ("mailbox" not in asked or str(one.inbox) in str(asked["mailbox"]).split(","))
        and (folder is None or (one.inbox == folder // 10 and in_folder(one, folder % 10, viewer)))
        and ("tag" not in asked or bool(one.tags & {fold(name) for name in asked["tag"].split(",")}))
        and ("assigned_to" not in asked or one.owner == asked["assigned_to"])
        and ("modifiedSince" not in asked or one.modified_at > asked["modifiedSince"])
        and ("number" not in asked or one.number == asked["number"])
        and all(has_value(world, one, id, value) for id, value in pairs(asked))
    )


def has_value(world: World, one: Invented, id: int, wanted: str) -> bool:
    """Exactly, but for a single line of text, where it is a part."""
    value = one.values.get(id)
    return value is not None and (fold(wanted) in fold(value) if id == world.plan else value == wanted)


def in_folder(one: Invented, digit: int, viewer: Desk) -> bool:
    return one.folder == 5 and one.owner == viewer.user_id if digit == 2 else one.folder == digit


def pairs(asked: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for text in filter(None, asked.get("customFieldsByIds", "").split(",")):
        id, _, value = text.partition(":")
        yield int(id), value


def listed(viewer: Desk, asked: dict[str, Any]) -> tuple[list[int], int]:
    """The ids of all pages of a list, and how many the pages say there are."""
    ids: list[int] = []
    url, total = None, 0
    while True:
        answer = viewer.get(url) if url else viewer.get("/v2/conversations", **asked)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        ids += [one["id"] for one in body["_embedded"]["conversations"]]
        total = body["page"]["totalElements"]
        url = body["_links"].get("next", {}).get("href")
        if url is None:
            return ids, total


def agree(world: World, viewer: Desk, **asked: Any) -> list[int]:
    wanted = naive(world, viewer, asked)
    assert listed(viewer, asked) == (wanted, len(wanted)), asked
    return wanted


# -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORTS)
def test_each_order_holds_over_all_pages(world: World, sort: str, order: str) -> None:
    found = agree(world, world.desk, sortField=sort, sortOrder=order, status="all")
    assert len(found) == COUNT
    agree(world, world.narrow, sortField=sort, sortOrder=order, status="open")


@pytest.mark.parametrize("status", [None, "active", "all", "closed", "open", "pending", "spam"])
def test_each_status(world: World, status: str | None) -> None:
    asked = {} if status is None else {"status": status}
    for viewer in (world.desk, world.wide, world.narrow):
        assert agree(world, viewer, **asked)


def test_inboxes_one_some_unknown_or_hidden(world: World) -> None:
    support, sales, board = world.inboxes
    for asked in (support, f"{support},{sales}", f"{board},{sales}", board, 987_654_321, f"{sales},987654321"):
        for viewer in (world.desk, world.wide, world.narrow):
            agree(world, viewer, mailbox=asked, status="all")
            agree(world, viewer, mailbox=asked)


@pytest.mark.parametrize("digit", [1, 2, 4, 5, 6, 7, 8])
def test_each_folder_is_as_its_viewer_sees_it(world: World, digit: int) -> None:
    found = [
        agree(world, viewer, folder=inbox * 10 + digit, status=status)
        for viewer in (world.desk, world.wide, world.narrow)
        for inbox in world.inboxes
        for status in ("all", "active")
    ]
    assert any(found) == (digit != 8)


def test_any_of_the_tags_whatever_their_case(world: World) -> None:
    for tag in ("vip", "VIP", "refund", "SPÄT,new", "vip,refund,vip", "nothing", "nothing,vip"):
        for viewer in (world.desk, world.narrow):
            agree(world, viewer, tag=tag, status="all")
            agree(world, viewer, tag=tag, sortField="customerName", sortOrder="asc")


def test_owners(world: World) -> None:
    for owner in (*world.owners, 987_654_321):
        agree(world, world.desk, assigned_to=owner, status="all")
        agree(world, world.narrow, assigned_to=owner)


def test_since_it_was_modified(world: World) -> None:
    moments = sorted({one.modified_at for one in world.conversations})
    for moment in (moments[0], moments[len(moments) // 2], moments[-1], "2020-01-01T00:00:00Z"):
        agree(world, world.desk, modifiedSince=moment, status="all", sortField="modifiedAt", sortOrder="asc")
        agree(world, world.wide, modifiedSince=moment)


def test_numbers(world: World) -> None:
    for one in world.conversations[::7]:
        assert agree(world, world.desk, number=one.number, status="all") == [one.id]
        agree(world, world.narrow, number=one.number)
    agree(world, world.desk, number=987_654_321, status="all")


def test_custom_fields_all_of_them(world: World) -> None:
    support, sales, _ = world.inboxes
    plan, order = world.plan, world.order
    for text in (
        f"{order}:0", f"{order}:1", f"{plan}:pro", f"{plan}:1", f"{plan}:1,{order}:1", f"{plan}:free,{plan}:re",
        f"{plan}:%", f"{plan}:_", f"{plan}:nothing", "987654321:1",
    ):  # fmt: skip
        for viewer in (world.desk, world.narrow):
            agree(world, viewer, customFieldsByIds=text, mailbox=support, status="all")
            agree(world, viewer, customFieldsByIds=text, mailbox=f"{support},{sales}")
    assert faults(world.desk.get("/v2/conversations", customFieldsByIds=f"{plan}:1")) == ["customFieldsByIds"]


def test_capitals_beyond_ascii_are_found_as_they_were_typed(desk: Desk) -> None:
    inbox_id, elodie = desk.add_inbox("Ärzte"), desk.add_user("Élodie", "Öz")
    plan = desk.add_field(inbox_id, "Plan", "singleline")
    id = start(desk, inbox_id, assignTo=elodie, fields=[{"id": plan, "value": "Großer ÄRGER"}])
    for asked in (
        {"customFieldsByIds": f"{plan}:ÄRGER", "mailbox": inbox_id},
        {"query": '(mailbox:"Ärzte")'},
        {"query": "(mailbox:Ärz*)"},
        {"query": '(assigned:"Élodie")'},
        {"query": '(assigned:"Élodie Öz")'},
    ):
        assert listed(desk, asked) == ([id], 1), asked


def test_filters_together_hold_all_at_once(world: World) -> None:
    rng = random.Random(25)
    dates = sorted({one.modified_at for one in world.conversations})
    choices: dict[str, Callable[[], Any]] = {
        "status": lambda: rng.choice(("active", "all", "closed", "open", "pending", "spam")),
        "mailbox": lambda: ",".join(map(str, rng.sample(world.inboxes, rng.randrange(1, 4)))),
        "folder": lambda: rng.choice(world.inboxes) * 10 + rng.choice((1, 2, 5, 6)),
        "tag": lambda: rng.choice(("vip", "refund,new", "spät")),
        "assigned_to": lambda: rng.choice(world.owners),
        "modifiedSince": lambda: rng.choice(dates[: len(dates) // 2]),
        "sortField": lambda: rng.choice(SORTS),
        "sortOrder": lambda: rng.choice(("asc", "desc")),
    }
    hits = 0
    for _ in range(150):
        asked = {name: choose() for name, choose in choices.items() if rng.random() < 0.35}
        hits += bool(agree(world, rng.choice((world.desk, world.wide, world.narrow)), **asked))
    assert hits > 60


def test_merged_conversations_are_in_no_list(world: World) -> None:
    survivor = world.conversations[0]
    ids, total = listed(world.desk, {"status": "all", "mailbox": survivor.inbox})
    assert len(ids) == total == sum(one.inbox == survivor.inbox for one in world.conversations)


def test_a_page_behind_the_last_is_empty_and_knows_the_total(world: World) -> None:
    for asked in ({"status": "all"}, {"status": "all", "mailbox": ",".join(map(str, world.inboxes)), "tag": "vip"}):
        body = world.desk.get("/v2/conversations", page=99, **asked).json()
        assert body["_embedded"]["conversations"] == []
        assert body["page"]["totalElements"] == len(naive(world, world.desk, asked))
        assert body["page"]["number"] == 99


def test_embedded_threads_change_neither_order_nor_total(world: World) -> None:
    plain = world.desk.get("/v2/conversations", status="all").json()
    embedded = world.desk.get("/v2/conversations", status="all", embed="threads").json()
    assert embedded["page"] == plain["page"]
    for one, other in zip(embedded["_embedded"]["conversations"], plain["_embedded"]["conversations"], strict=True):
        assert (one["id"], other["_embedded"]["threads"]) == (other["id"], [])
        assert len([thread for thread in one["_embedded"]["threads"] if thread["type"] != "lineitem"]) > 0


def test_somebody_without_inboxes_sees_nothing(world: World) -> None:
    nobody = world.desk.as_user(world.desk.add_user())
    assert listed(nobody, {"status": "all"}) == ([], 0)
    assert listed(nobody, {"mailbox": world.inboxes[0], "tag": "vip"}) == ([], 0)
