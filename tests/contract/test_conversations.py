"""Conversations as clients list, read, create, change and delete them.

Facts: §3 and facts 16-34, 43-73 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.inboxes import verbs as inboxes
from deskhand.desk.users import verbs as users
from deskhand.lib.clock import MovableClock, to_wire
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

PATH = "/v2/conversations"
PAUL = {"email": "paul@buyer.example", "firstName": "Paul", "lastName": "Meyer"}

MERGE = command(
    sa.update(conversation)
    .where(conversation.c.account_id == P("account"), conversation.c.id == P("source"))
    .values(merged_into=P("into"), merged_at=P("at")),
    keep=False,
)
NO_SUBJECT = command(
    sa.update(conversation)
    .where(conversation.c.account_id == P("account"), conversation.c.id == P("which"))
    .values(subject=sa.literal_column("''"), preview=sa.literal_column("''")),
    keep=False,
)


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before


def thread(type: str = "customer", text: str = "Where is it?", **more: Any) -> dict[str, Any]:
    customer = {} if type == "note" else {"customer": {"email": "paul@buyer.example"}}
    return {"type": type, "text": text} | customer | more


def minimal(inbox: int, **changes: Any) -> dict[str, Any]:
    """The body of a conversation with only what is required."""
    return {
        "subject": "Refund for order 5521", "type": "email", "mailboxId": inbox, "status": "active",
        "customer": {"email": "paul@buyer.example"}, "threads": [thread()],
    } | changes  # fmt: skip


def start(desk: Desk, inbox: int, **changes: Any) -> int:
    answer = desk.post(PATH, minimal(inbox, **changes))
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def read(desk: Desk, id: int, **params: Any) -> Any:
    answer = desk.get(f"{PATH}/{id}", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(desk: Desk, **params: Any) -> list[int]:
    """The ids that a list of one page gives, in its order."""
    answer = desk.get(PATH, **params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    ids = [item["id"] for item in body["_embedded"]["conversations"]]
    assert body["page"]["totalElements"] == len(ids)
    return ids


def patch(desk: Desk, id: int, op: str, path: str, value: Any = ..., status: int = 204) -> requests.Response:
    step = {"op": op, "path": path} | ({} if value is ... else {"value": value})
    answer = desk.patch(f"{PATH}/{id}", step)
    assert answer.status_code == status, answer.text
    return answer


def faults(answer: requests.Response, status: int = 400) -> list[str]:
    """The places that an error finds fault with."""
    assert answer.status_code == status, answer.text
    return [error["path"] for error in answer.json()["_embedded"]["errors"]]


def merge(desk: Desk, source: int, into: int, days_ago: float = 0) -> None:
    """What merging leaves behind."""
    at = to_wire(desk.server.clock.now() - timedelta(days=days_ago))
    desk.write(lambda tx: tx.run(MERGE, account=desk.account_id, source=source, into=into, at=at))


def nulls(value: Any, place: str = "") -> list[str]:
    """Where a document has null."""
    if value is None:
        return [place]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, one in inner for found in nulls(one, f"{place}/{name}")]


# -- List: which (facts 16-21, 25, 27-31, 33)


@pytest.fixture
def each_status(desk: Desk, inbox: int) -> dict[str, int]:
    """A conversation per status."""
    made = {status: start(desk, inbox, status=status) for status in ("active", "closed", "pending")}
    made["spam"] = start(desk, inbox)
    patch(desk, made["spam"], "replace", "/status", "spam")
    return made


def test_the_list_has_25_a_page_and_begins_with_page_1(desk: Desk, inbox: int) -> None:
    for _ in range(60):
        start(desk, inbox)
    first, last = desk.get(PATH).json(), desk.get(PATH, page=3).json()
    assert first["page"] == {"size": 25, "totalElements": 60, "totalPages": 3, "number": 1}
    assert "_page" not in first
    assert len(first["_embedded"]["conversations"]) == 25
    assert len(last["_embedded"]["conversations"]) == 10
    assert "next" not in last["_links"] and "previous" in last["_links"]
    pages = [desk.get(PATH, page=number).json()["_embedded"]["conversations"] for number in (1, 2, 3)]
    ids = [item["id"] for page in pages for item in page]
    assert len(set(ids)) == 60
    assert ids == sorted(ids, reverse=True), "those of one second newest first too"


def test_no_page_repeats_what_another_shows_whatever_the_order(desk: Desk, inbox: int) -> None:
    made = {start(desk, inbox) for _ in range(55)}
    for field in (
        "createdAt", "customerEmail", "customerName", "mailboxid", "modifiedAt", "number", "score", "status", "subject",
        "waitingSince",
    ):  # fmt: skip
        for order in ("asc", "desc"):
            found = [
                item["id"]
                for page in (1, 2, 3)
                for item in desk.get(PATH, sortField=field, sortOrder=order, page=page).json()["_embedded"][
                    "conversations"
                ]
            ]
            assert len(found) == 55 and set(found) == made, (field, order)


def test_the_links_of_a_filtered_list_keep_the_filter(desk: Desk, inbox: int) -> None:
    for _ in range(26):
        start(desk, inbox, status="closed")
    link = desk.get(PATH, status="closed", page=1).json()["_links"]["next"]["href"]
    assert "status=closed" in link and "page=2" in link
    assert len(desk.get(link).json()["_embedded"]["conversations"]) == 1


def test_without_a_status_only_active_ones_are_listed_newest_first(desk: Desk, inbox: int) -> None:
    made = {year: start(desk, inbox, imported=True, createdAt=f"{year}-05-01T00:00:00Z") for year in (2021, 2019, 2023)}
    start(desk, inbox, status="closed")
    start(desk, inbox, status="pending")
    assert listed(desk) == [made[2023], made[2021], made[2019]]


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("active", ["active"]), ("closed", ["closed"]), ("pending", ["pending"]), ("spam", ["spam"]),
        ("open", ["active", "pending"]), ("all", ["active", "closed", "pending", "spam"]),
    ],
)  # fmt: skip
def test_a_status_lists_what_it_means(desk: Desk, each_status: dict[str, int], status: str, shown: list[str]) -> None:
    assert sorted(listed(desk, status=status)) == sorted(each_status[one] for one in shown)


def test_an_unknown_status_is_400(desk: Desk) -> None:
    for status in ("Wrong", "Active", "active,closed", "deleted"):
        answer = desk.get(PATH, status=status)
        assert faults(answer) == ["status"]
        (error,) = answer.json()["_embedded"]["errors"]
        assert error["rejectedValue"] == status
        assert error["_links"]["about"]["href"].endswith("#EnumValue")


def test_all_lists_drafts_too(desk: Desk, inbox: int) -> None:
    draft = start(desk, inbox, threads=[thread("reply", draft=True)])
    assert listed(desk, status="all") == [draft]


def test_no_match_is_an_empty_list(desk: Desk, inbox: int) -> None:
    start(desk, inbox)
    body = desk.get(PATH, status="closed").json()
    assert body["_embedded"] == {"conversations": []}
    assert body["page"]["totalElements"] == 0


def test_one_inbox_or_several(desk: Desk) -> None:
    one, two, three = (desk.add_inbox() for _ in range(3))
    made = {inbox: start(desk, inbox) for inbox in (one, two, three)}
    assert listed(desk, mailbox=one) == [made[one]]
    assert sorted(listed(desk, mailbox=f"{one},{three}")) == [made[one], made[three]]
    assert listed(desk, mailbox=f"{one},{one}") == [made[one]]
    assert listed(desk, mailbox=9_999_999) == []
    assert faults(desk.get(PATH, mailbox=f"{one},x")) == ["mailbox"]


def test_a_folder(desk: Desk, inbox: int) -> None:
    mine = start(desk, inbox, assignTo=desk.user_id)
    other = start(desk, inbox, assignTo=desk.add_user(inboxes=(inbox,)))
    free = start(desk, inbox)
    closed = start(desk, inbox, status="closed")
    assert listed(desk, folder=read(desk, free)["folderId"]) == [free]
    assert listed(desk, folder=read(desk, closed)["folderId"], status="closed") == [closed]
    folders = desk.get(f"/v2/mailboxes/{inbox}/folders").json()["_embedded"]["folders"]
    by_type = {folder["type"]: folder["id"] for folder in folders}
    assert listed(desk, folder=by_type["mytickets"]) == [mine]
    assert listed(desk, folder=by_type["open"]) == [free]
    assert listed(desk, folder=by_type["closed"], status="all") == [closed]
    assert other in listed(desk, folder=by_type["assigned"])
    assert listed(desk, folder=9_999_999) == []


def test_a_tag_or_any_of_several_whatever_their_case(desk: Desk, inbox: int) -> None:
    red = start(desk, inbox, tags=["Red"])
    blue = start(desk, inbox, tags=["blue", "green"])
    both = start(desk, inbox, tags=["red", "blue"])
    start(desk, inbox)
    assert sorted(listed(desk, tag="red")) == [red, both]
    assert sorted(listed(desk, tag="red,blue")) == [red, blue, both]
    assert listed(desk, tag="GREEN") == [blue]
    assert listed(desk, tag="re") == []


def test_an_owner(desk: Desk, inbox: int) -> None:
    ines, team = desk.add_user(inboxes=(inbox,)), desk.add_team()
    hers, theirs = start(desk, inbox, assignTo=ines), start(desk, inbox, assignTo=team)
    start(desk, inbox)
    assert listed(desk, assigned_to=ines) == [hers]
    assert listed(desk, assigned_to=team) == [theirs]
    assert listed(desk, assigned_to=desk.user_id) == []


def test_a_number_needs_the_right_status(desk: Desk, inbox: int) -> None:
    start(desk, inbox)
    closed = start(desk, inbox, status="closed")
    number = read(desk, closed)["number"]
    assert listed(desk, number=number, status="all") == [closed]
    assert listed(desk, number=number) == [], "active ones are the default here too"


def test_what_was_modified_since(desk: Desk, inbox: int, clock: MovableClock) -> None:
    old = start(desk, inbox)
    clock.advance(timedelta(hours=2))
    new, since = start(desk, inbox), to_wire(clock.now() - timedelta(hours=1))
    assert listed(desk, modifiedSince=since) == [new]
    patch(desk, old, "replace", "/subject", "Changed")
    assert sorted(listed(desk, modifiedSince=since)) == [old, new]
    assert listed(desk, modifiedSince=to_wire(clock.now() + timedelta(minutes=1))) == []


def test_what_counts_as_a_modification(desk: Desk, inbox: int, clock: MovableClock) -> None:
    field = desk.add_field(inbox, "Order", "singleline")
    customer = {"id": read(desk, start(desk, inbox))["primaryCustomer"]["id"]}
    calls: list[tuple[str, str, Any]] = [
        ("PUT", "/tags", {"tags": ["vip"]}),
        ("PUT", "/fields", {"fields": [{"id": field, "value": "5521"}]}),
        ("PATCH", "", {"op": "replace", "path": "/assignTo", "value": desk.user_id}),
        ("POST", "/notes", {"text": "x"}),
        ("POST", "/reply", {"text": "x", "customer": customer}),
        ("POST", "/customer", {"text": "x", "customer": customer}),
        ("POST", "/phones", {"text": "x", "customer": customer}),
        ("POST", "/chats", {"text": "x", "customer": customer}),
    ]
    for method, path, body in calls:
        id = start(desk, inbox)
        clock.advance(timedelta(hours=1))
        since = to_wire(clock.now() - timedelta(minutes=1))
        assert listed(desk, modifiedSince=since, status="all") == []
        assert desk.request(method, f"{PATH}/{id}{path}", json=body).status_code in (201, 204)
        assert listed(desk, modifiedSince=since, status="all") == [id], (method, path)
        clock.advance(timedelta(hours=1))


def test_custom_fields_by_their_ids(desk: Desk, inbox: int) -> None:
    plan = desk.add_field(inbox, "Plan", "dropdown", ("Free", "Pro"))
    order = desk.add_field(inbox, "Order", "number")
    fields = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"]
    free, pro = (option["id"] for option in fields[0]["options"])
    both = start(desk, inbox, fields=[{"id": plan, "value": str(pro)}, {"id": order, "value": "5521"}])
    only = start(desk, inbox, fields=[{"id": plan, "value": str(pro)}])
    start(desk, inbox, fields=[{"id": plan, "value": str(free)}, {"id": order, "value": "5521"}])
    start(desk, inbox)
    by_plan, by_order = f"{plan}:{pro}", f"{order}:5521"
    assert sorted(listed(desk, mailbox=inbox, customFieldsByIds=by_plan)) == [both, only]
    assert listed(desk, mailbox=inbox, customFieldsByIds=[by_plan, by_order]) == [both]
    assert listed(desk, mailbox=inbox, customFieldsByIds=f"{by_plan},{by_order}") == [both]
    assert listed(desk, mailbox=inbox, customFieldsByIds=f"{order}:55") == [], "numbers match whole"
    assert faults(desk.get(PATH, customFieldsByIds=by_plan)) == ["customFieldsByIds"]
    assert faults(desk.get(PATH, mailbox=inbox, customFieldsByIds="Plan:Pro")) == ["customFieldsByIds"]


def test_a_single_line_field_is_found_by_its_words(desk: Desk, inbox: int) -> None:
    city = desk.add_field(inbox, "City", "singleline")
    leeds = start(desk, inbox, fields=[{"id": city, "value": "Leeds, West Yorkshire"}])
    start(desk, inbox, fields=[{"id": city, "value": "York"}])
    assert listed(desk, mailbox=inbox, customFieldsByIds=f"{city}:yorkshire") == [leeds]


def test_all_filters_must_hold(desk: Desk, inbox: int) -> None:
    other = desk.add_inbox()
    wanted = start(desk, inbox, tags=["vip"], assignTo=desk.user_id, status="pending")
    start(desk, inbox, tags=["vip"], assignTo=desk.user_id)
    start(desk, inbox, tags=["vip"], status="pending")
    start(desk, inbox, assignTo=desk.user_id, status="pending")
    start(desk, other, tags=["vip"], assignTo=desk.user_id, status="pending")
    found = listed(desk, tag="vip", assigned_to=desk.user_id, status="pending", mailbox=inbox)
    assert found == [wanted]


# -- List: in which order, with what (facts 32, 34)


@pytest.fixture
def three(desk: Desk, clock: MovableClock) -> list[int]:
    """Three conversations, each of which is more than the one before in everything one can sort by."""
    inboxes = [desk.add_inbox() for _ in range(3)]
    made = []
    for place, status in enumerate(("active", "closed", "pending")):
        customer = {"email": f"{'abc'[place]}@buyer.example", "firstName": "Xyz"[place], "lastName": "Meyer"}
        clock.advance(timedelta(seconds=5))
        made.append(
            start(
                desk, inboxes[place], status="active", subject=f"{'kLm'[place]} subject", customer=customer,
                threads=[thread(customer=customer)],
            )
        )  # fmt: skip
        patch(desk, made[-1], "replace", "/status", status)
    return made


@pytest.mark.parametrize(
    "field",
    ["createdAt", "customerEmail", "customerName", "mailboxid", "modifiedAt", "number", "status", "waitingSince"],
)
def test_the_list_is_sorted_by_a_field_both_ways(desk: Desk, three: list[int], field: str) -> None:
    assert listed(desk, status="all", sortField=field, sortOrder="asc") == three
    assert listed(desk, status="all", sortField=field, sortOrder="desc") == three[::-1]
    assert listed(desk, status="all", sortField=field) == three[::-1], "descending is the default"


def test_the_list_is_sorted_by_subject_and_by_score(desk: Desk, three: list[int]) -> None:
    # Whether capitals come first is nowhere written.
    found = listed(desk, status="all", sortField="subject", sortOrder="asc")
    assert found.index(three[0]) < found.index(three[2])
    assert sorted(listed(desk, status="all", sortField="score")) == three


def test_an_unknown_order_is_400(desk: Desk) -> None:
    for sort in ("foo", "mailboxId", "createdat", "id"):
        assert faults(desk.get(PATH, sortField=sort)) == ["sortField"]
    assert faults(desk.get(PATH, sortOrder="up")) == ["sortOrder"]


def test_the_list_embeds_threads_when_asked(desk: Desk, inbox: int) -> None:
    first, second = start(desk, inbox), start(desk, inbox, threads=[thread(), thread("note", "Look")])
    for item in desk.get(PATH).json()["_embedded"]["conversations"]:
        assert item["_embedded"] == {"threads": []}
    found = desk.get(PATH, embed="threads").json()["_embedded"]["conversations"]
    assert {item["id"]: len(item["_embedded"]["threads"]) for item in found} == {first: 1, second: 2}
    for item in found:
        alone = desk.get(f"{PATH}/{item['id']}/threads").json()["_embedded"]["threads"]
        assert item["_embedded"]["threads"] == alone
    assert faults(desk.get(PATH, embed="customer")) == ["embed"]


def test_an_item_of_the_list_is_the_whole_conversation(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, tags=["vip"], assignTo=desk.user_id, status="closed")
    (item,) = desk.get(PATH, status="all").json()["_embedded"]["conversations"]
    assert item == read(desk, id)


# -- The search query, as far as it is simple (facts 35-42)


@pytest.fixture
def asked(desk: Desk, inbox: int) -> dict[str, int]:
    """Conversations to search among."""
    ines = desk.add_user("Ines", "Okafor", inboxes=(inbox,))
    data = {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}
    made = {
        "refund": start(desk, inbox, subject="My REFUND please", tags=["fire"], assignTo=ines),
        "answered": start(desk, inbox, subject="Delivery", threads=[thread(text="Blue parrot is"), thread("reply")]),
        "filed": start(desk, inbox, subject="Receipt", threads=[thread(attachments=[data])], tags=["spam"]),
        "mira": start(
            desk, desk.add_inbox("Orders"), subject="Order", customer={"email": "mira@northwind.example"},
            threads=[thread(customer={"email": "mira@northwind.example"}, cc=["boss@northwind.example"])],
        ),
        "old": start(desk, inbox, subject="Old", imported=True, createdAt="2026-01-15T10:00:00Z", status="closed"),
    }  # fmt: skip
    return made


ACTIVE = {"refund", "answered", "filed", "mira"}


QUERIES: list[tuple[str, set[str]]] = [
    ('(subject:"refund")', {"refund"}),
    ('subject:"refund" OR subject:"receipt"', {"refund", "filed"}),
    ('(body:"blue parrot")', {"answered"}),
    ("tag:fire", {"refund"}),
    ('(NOT tag:"spam")', ACTIVE - {"filed"}),
    ('(mailbox:"Orders")', {"mira"}),
    ('(email:"mira@northwind.example")', {"mira"}),
    ("email:boss@northwind.example", {"mira"}),
    ("(email:(mira@northwind.example OR paul@buyer.example))", ACTIVE),
    ('(assigned:"Unassigned")', ACTIVE - {"refund"}),
    ('(assigned:"ines")', {"refund"}),
    ('(assigned:"Ines Okafor")', {"refund"}),
    ('(subject:"refund" AND NOT assigned:"Unassigned")', {"refund"}),
    ("(attachments:true)", {"filed"}),
    ("(attachments:false)", ACTIVE - {"filed"}),
    ("(modifiedAt:[NOW-1HOUR TO *])", ACTIVE),
    ("(createdAt:[2014 TO 2014-12-01])", set()),
]


def test_a_query_finds_what_it_asks_for(desk: Desk, asked: dict[str, int]) -> None:
    for query, found in QUERIES:
        assert set(listed(desk, query=query)) == {asked[name] for name in found}, query


def test_a_query_and_the_other_filters_must_both_hold(desk: Desk, inbox: int, asked: dict[str, int]) -> None:
    assert listed(desk, query="tag:fire", mailbox=inbox) == [asked["refund"]]
    assert listed(desk, query="tag:fire", mailbox=desk.add_inbox()) == []
    assert listed(desk, query="(createdAt:2026-01)") == [], "only active ones unless status says otherwise"
    assert listed(desk, query="(createdAt:2026-01)", status="all") == [asked["old"]]
    assert listed(desk, query='(status:"closed")', status="all") == [asked["old"]]


def test_a_query_finds_by_id_and_number(desk: Desk, inbox: int, asked: dict[str, int]) -> None:
    mira = read(desk, asked["mira"])
    assert listed(desk, query=f"(number:{mira['number']})") == [mira["id"]]
    assert listed(desk, query=f"id:{mira['id']}") == [mira["id"]]
    assert listed(desk, query=f"(mailboxid:{mira['mailboxId']})") == [mira["id"]]
    customer, paul = mira["primaryCustomer"]["id"], read(desk, asked["refund"])["primaryCustomer"]["id"]
    assert listed(desk, query=f"(customerIds: {customer})") == [mira["id"]]
    assert len(listed(desk, query=f"(customerIds: {customer} OR customerIds: {paul})")) == 4
    assert listed(desk, query=f"(replyUserIds:({desk.user_id} OR 1))") == [asked["answered"]]


def test_a_tag_that_grows_too_long_when_it_is_folded_is_found_nowhere(desk: Desk, asked: dict[str, int]) -> None:
    long = "\ufdfa" * 1_700  # each is 18 letters in its plain form
    assert listed(desk, query=f"tag:{long}*") == []
    assert set(listed(desk, query=f"NOT tag:{long}*")) == {asked[name] for name in ACTIVE}


def test_a_query_that_makes_no_sense_is_400(desk: Desk) -> None:
    for query in ('subject:"open', "subject:", "(AND)", "createdAt:[2026 TO", "nothing:x", "number:x"):
        assert faults(desk.get(PATH, query=query)) == ["query"], query


# -- One conversation (facts 43-49)

ALWAYS = {
    "id", "number", "threads", "type", "folderId", "status", "state", "subject", "preview", "mailboxId", "createdBy",
    "createdAt", "closedBy", "userUpdatedAt", "source", "tags", "cc", "bcc", "primaryCustomer", "customFields",
    "_embedded", "_links",
}  # fmt: skip


def test_an_open_unassigned_conversation_has_these_keys(desk: Desk, inbox: int) -> None:
    made = read(desk, start(desk, inbox))
    assert set(made) - {"customerWaitingSince"} == ALWAYS
    assert nulls(made) == []
    assert set(made["_links"]) == {"self", "mailbox", "primaryCustomer", "createdByCustomer", "threads", "web"}
    assert made["closedBy"] == 0
    assert (made["tags"], made["cc"], made["bcc"], made["customFields"]) == ([], [], [], [])
    assert made["_embedded"] == {"threads": []}


def test_a_conversation_shows_what_it_was_given(desk: Desk, inbox: int) -> None:
    made = read(desk, start(desk, inbox, customer=PAUL, threads=[thread(text="<p>Where <b>is</b> it?</p>")]))
    customer = made["primaryCustomer"]["id"]
    assert made["primaryCustomer"] == {
        "id": customer, "type": "customer", "first": "Paul", "last": "Meyer", "email": "paul@buyer.example",
    }  # fmt: skip
    assert {name: made["createdBy"][name] for name in ("id", "type", "email")} == {
        "id": customer, "type": "customer", "email": "paul@buyer.example",
    }  # fmt: skip
    expected = {
        "threads": 1, "type": "email", "status": "active", "state": "published", "subject": "Refund for order 5521",
        "preview": "Where is it?", "mailboxId": inbox,
    }  # fmt: skip
    assert {name: made[name] for name in expected} == expected
    assert set(made["source"]) == {"type", "via"}
    assert made["source"]["via"] == "customer"


def test_the_customer_waits_until_somebody_replies(desk: Desk, inbox: int, clock: MovableClock) -> None:
    id = start(desk, inbox)
    since = read(desk, id)["createdAt"]
    clock.advance(timedelta(hours=20, minutes=5))
    assert read(desk, id)["customerWaitingSince"] == {
        "time": since, "friendly": "20 hours ago", "latestReplyFrom": "customer",
    }  # fmt: skip
    desk.post(f"{PATH}/{id}/reply", {"text": "Here", "customer": {"email": "paul@buyer.example"}})
    assert not read(desk, id).get("customerWaitingSince")


def test_a_closed_assigned_conversation_has_more_keys(desk: Desk, inbox: int) -> None:
    ines = desk.add_user("Ines", "Okafor", inboxes=(inbox,))
    made = read(desk, start(desk, inbox, assignTo=ines, status="closed"))
    assert set(made) - {"customerWaitingSince"} == ALWAYS | {"assignee", "closedAt", "closedByUser"}
    assert nulls(made) == []
    email = desk.get(f"/v2/users/{ines}").json()["email"]
    assert made["assignee"] == {"id": ines, "type": "user", "first": "Ines", "last": "Okafor", "email": email}
    assert made["closedBy"] == made["closedByUser"]["id"] == desk.user_id
    assert {"id", "type", "first", "last", "email"} <= set(made["closedByUser"])
    assert made["closedByUser"]["type"] == "user"
    assert made["_links"]["assignee"]["href"].endswith(f"/v2/users/{ines}")
    assert made["_links"]["closedBy"]["href"].endswith(f"/v2/users/{desk.user_id}")


def test_a_team_can_own_a_conversation(desk: Desk, inbox: int) -> None:
    team = desk.add_team("Tier Two")
    made = read(desk, start(desk, inbox, assignTo=team))
    assert (made["assignee"]["id"], made["assignee"]["type"], made["assignee"]["first"]) == (team, "team", "Tier Two")
    assert nulls(made) == []
    assert desk.get(made["_links"]["assignee"]["href"]).json()["id"] == team


def test_the_author_is_who_wrote_the_first_thread(desk: Desk, inbox: int) -> None:
    ines = desk.add_user(inboxes=(inbox,))
    by_customer = read(desk, start(desk, inbox, user=ines))
    assert by_customer["createdBy"]["type"] == "customer"
    by_owner = read(desk, start(desk, inbox, threads=[thread("reply")]))
    assert (by_owner["createdBy"]["type"], by_owner["createdBy"]["id"]) == ("user", desk.user_id)
    assert by_owner["_links"]["createdByUser"]["href"].endswith(f"/v2/users/{desk.user_id}")
    assert "createdByCustomer" not in by_owner["_links"]
    by_ines = read(desk, start(desk, inbox, threads=[thread("note")], user=ines))
    assert by_ines["createdBy"]["id"] == ines


def test_threads_are_counted_without_drafts_and_line_items(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, threads=[thread(), thread("note"), thread("phone")])
    paul = {"email": "paul@buyer.example"}
    desk.post(f"{PATH}/{id}/reply", {"text": "Soon", "customer": paul, "draft": True})
    patch(desk, id, "replace", "/status", "closed")
    assert read(desk, id)["threads"] == 3
    desk.post(f"{PATH}/{id}/reply", {"text": "Here", "customer": paul})
    assert read(desk, id)["threads"] == 4


def test_tags_and_custom_fields_have_these_keys(desk: Desk, inbox: int) -> None:
    plan = desk.add_field(inbox, "Plan", "dropdown", ("Free", "Pro"))
    order = desk.add_field(inbox, "Order", "number")
    (field, _) = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"]
    pro = field["options"][1]["id"]
    values = [{"id": plan, "value": str(pro)}, {"id": order, "value": 5521}]
    made = read(desk, start(desk, inbox, tags=["vip"], fields=values))
    (tag,) = made["tags"]
    assert set(tag) == {"id", "color", "tag"}
    assert tag["tag"] == "vip"
    assert made["customFields"] == [
        {"id": plan, "name": "Plan", "value": str(pro), "text": "Pro"},
        {"id": order, "name": "Order", "value": "5521", "text": "5521"},
    ]


def test_a_conversation_without_subject_has_no_such_key(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    desk.write(lambda tx: tx.run(NO_SUBJECT, account=desk.account_id, which=id))
    for found in (read(desk, id), desk.get(PATH).json()["_embedded"]["conversations"][0]):
        assert "subject" not in found and "preview" not in found


def test_the_preview_is_the_beginning_of_the_latest_thread_as_plain_text(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, threads=[thread(text="First"), thread("note", "Second &amp; <i>last</i>")])
    assert read(desk, id)["preview"] == "Second & last"
    desk.post(f"{PATH}/{id}/notes", {"text": "word " * 200})
    preview = read(desk, id)["preview"]
    assert preview.startswith("word word") and 150 <= len(preview) <= 200


def test_numbers_go_up_within_an_account(desk: Desk, inbox: int) -> None:
    numbers = [read(desk, start(desk, inbox))["number"] for _ in range(3)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_embedded_threads_are_all_there_newest_first(desk: Desk, inbox: int) -> None:
    threads = [thread("note", str(number)) for number in range(60)]
    id = start(desk, inbox, threads=threads)
    found = read(desk, id, embed="threads")["_embedded"]["threads"]
    assert [one["body"] for one in found] == [str(number) for number in reversed(range(60))]
    assert nulls(found) == []


def test_the_links_of_a_conversation_lead_to_its_parts(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    made = read(desk, id)
    links = {rel: link["href"] for rel, link in made["_links"].items()}
    assert desk.get(links["self"]).json() == made
    assert desk.get(links["mailbox"]).json()["id"] == inbox
    assert desk.get(links["primaryCustomer"]).json()["id"] == made["primaryCustomer"]["id"]
    assert desk.get(links["createdByCustomer"]).json()["id"] == made["primaryCustomer"]["id"]
    assert len(desk.get(links["threads"]).json()["_embedded"]["threads"]) == 1
    assert links["web"].endswith(f"/conversation/{id}/{made['number']}")


def test_v3_shows_the_same(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, assignTo=desk.user_id, status="closed", tags=["vip"])
    for params in ({}, {"embed": "threads"}):
        assert desk.get(f"/v3/conversations/{id}", **params).json() == read(desk, id, **params)
    assert desk.get("/v3/conversations/999999999").status_code == 404


def test_only_v3_tells_an_ai_agent_from_a_user(desk: Desk, inbox: int) -> None:
    now = desk.now
    new = users.NewStaff(
        account_id=desk.account_id, type="system_user", first_name="Triage", created_at=now, updated_at=now
    )
    triage = desk.write(lambda tx: users.add_staff(tx, new))
    id = start(desk, inbox, threads=[thread("note")], user=triage, assignTo=triage)
    for version, kind in (("v2", "user"), ("v3", "system_user")):
        made = desk.get(f"/{version}/conversations/{id}", embed="threads").json()
        (only,) = made["_embedded"]["threads"]
        for person in (made["createdBy"], made["assignee"], only["createdBy"], only["assignedTo"]):
            assert (person["id"], person["type"]) == (triage, kind)
        (only,) = desk.get(f"/{version}/conversations/{id}/threads").json()["_embedded"]["threads"]
        assert only["createdBy"]["type"] == kind


def test_an_unknown_conversation_is_404(desk: Desk) -> None:
    answer = desk.get(f"{PATH}/999999999")
    assert answer.status_code == 404
    assert {"logRef", "message"} <= set(answer.json())


# -- Merged conversations (facts 48, 49)


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_a_merged_conversation_leads_to_its_survivor_for_60_days(desk: Desk, inbox: int, version: str) -> None:
    source, survivor = start(desk, inbox), start(desk, inbox)
    for days, status in ((0, 301), (59, 301), (59.99, 301), (61, 404)):
        merge(desk, source, survivor, days)
        answer = desk.get(f"/{version}/conversations/{source}")
        assert answer.status_code == status, days
        if status == 301:
            assert answer.headers["Location"] == f"{desk.server.url}/{version}/conversations/{survivor}"
            assert desk.get(answer.headers["Location"]).status_code == 200
        else:
            assert "Location" not in answer.headers


def test_for_every_other_call_a_merged_conversation_is_not_there(desk: Desk, inbox: int) -> None:
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}
    source, survivor = start(desk, inbox, threads=[thread(attachments=[file])]), start(desk, inbox)
    (only,) = desk.get(f"{PATH}/{source}/threads").json()["_embedded"]["threads"]
    (attachment,) = only["_embedded"]["attachments"]
    merge(desk, source, survivor)
    paul = {"email": "paul@buyer.example"}
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", "", {"op": "replace", "path": "/status", "value": "closed"}),
        ("DELETE", "", None),
        ("PUT", "/tags", {"tags": []}),
        ("PUT", "/fields", {"fields": []}),
        ("GET", "/threads", None),
        ("POST", "/notes", {"text": "x"}),
        *(("POST", f"/{kind}", {"text": "x", "customer": paul}) for kind in ("reply", "chats", "phones", "customer")),
        ("GET", f"/attachments/{attachment['id']}/data", None),
    ]
    for method, path, body in calls:
        answer = desk.request(method, f"{PATH}/{source}{path}", json=body)
        assert answer.status_code == 404, (method, path, answer.text)
    assert desk.get(f"/v3/conversations/{source}/threads").status_code == 404
    assert source not in [item["id"] for item in desk.get(PATH).json()["_embedded"]["conversations"]]


# -- Creating (facts 50-60)


def test_the_least_makes_a_conversation(desk: Desk, inbox: int) -> None:
    answer = desk.post(PATH, minimal(inbox))
    assert (answer.status_code, answer.content) == (201, b"")
    id = answer.headers["Resource-ID"]
    assert id.isdigit() and answer.headers["Location"].endswith(f"{PATH}/{id}")
    assert read(desk, int(id))["id"] == int(id)


def test_an_unknown_address_makes_a_customer_and_a_known_one_changes_nothing(desk: Desk, inbox: int) -> None:
    email = f"{unique('new')}@buyer.example"
    given = {
        "email": email, "firstName": "Paul", "lastName": "Meyer", "organization": "Buyer Ltd", "jobTitle": "Boss",
        "phone": "555-1", "photoUrl": "https://desk.example/p.png", "photoType": "gravatar", "background": "Nice",
        "location": "Leeds", "gender": "male", "age": "30-35",
    }  # fmt: skip
    first = read(desk, start(desk, inbox, customer=given, threads=[thread(customer=given)]))
    customer = desk.get(first["_links"]["primaryCustomer"]["href"]).json()
    assert [entry["value"] for entry in customer["_embedded"]["emails"]] == [email]
    assert [entry["value"] for entry in customer["_embedded"]["phones"]] == ["555-1"]
    for name in given.keys() - {"email", "phone", "gender"}:
        assert customer[name] == given[name], name
    assert customer["gender"].lower() == "male"
    other = {"email": email.upper(), "firstName": "Pauline", "phone": "555-2"}
    second = read(desk, start(desk, inbox, customer=other, threads=[thread(customer=other)]))
    assert second["primaryCustomer"]["id"] == first["primaryCustomer"]["id"]
    again = desk.get(first["_links"]["primaryCustomer"]["href"]).json()
    assert (again["firstName"], again["_embedded"]) == ("Paul", customer["_embedded"])


def test_an_id_wins_over_an_address(desk: Desk, inbox: int) -> None:
    paul = read(desk, start(desk, inbox))["primaryCustomer"]["id"]
    both = {"id": paul, "email": "somebody@else.example"}
    assert (
        read(desk, start(desk, inbox, customer=both, threads=[thread(customer=both)]))["primaryCustomer"]["id"] == paul
    )
    assert desk.get("/v2/customers").json()["page"]["totalElements"] == 1


@pytest.mark.parametrize("field", ["subject", "type", "mailboxId", "status", "customer", "threads"])
def test_what_is_required_must_be_there(desk: Desk, inbox: int, field: str) -> None:
    body = minimal(inbox)
    del body[field]
    answer = desk.post(PATH, body)
    assert faults(answer) == [field]
    (error,) = answer.json()["_embedded"]["errors"]
    assert (error["message"], error["source"]) == ("may not be empty", "JSON")
    assert error["_links"]["about"]["href"].endswith("#NotEmpty")
    assert "rejectedValue" not in error


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"subject": ""}, "subject"),
        ({"type": "fax"}, "type"),
        ({"status": "Wrong"}, "status"),
        ({"threads": []}, "threads"),
        ({"threads": [{"type": "letter", "text": "x"}]}, "threads[0].type"),
        ({"threads": [{"type": "message", "text": "x", "customer": PAUL}]}, "threads[0].type"),
        ({"threads": [{"type": "note"}]}, "threads[0].text"),
        ({"threads": [{"type": "note", "text": ""}]}, "threads[0].text"),
        ({"threads": [thread(), {"text": "x"}]}, "threads[1].type"),
        ({"threads": [thread(customer={"email": "nobody"})]}, "threads[0].customer.email"),
        ({"threads": [thread("reply", cc=["boss@buyer.example", "nobody"])]}, "threads[0].cc[1]"),
        ({"customer": {"email": "nobody"}}, "customer.email"),
        ({"customer": {"id": 0}}, "customer.id"),
        ({"customer": {"id": 999_999_999}}, "customer.id"),
        ({"mailboxId": 999_999_999}, "mailboxId"),
        ({"user": 999_999_999}, "user"),
        ({"assignTo": 999_999_999}, "assignTo"),
        ({"fields": [{"id": 999_999_999, "value": "1"}]}, "fields[0].id"),
        ({"tags": "vip"}, "tags"),
    ],
)
def test_what_is_wrong_is_named(desk: Desk, inbox: int, changes: dict[str, Any], path: str) -> None:
    assert faults(desk.post(PATH, minimal(inbox, **changes))) == [path]
    assert listed(desk, status="all") == []
    assert desk.get("/v2/customers").json()["page"]["totalElements"] == 0, "nothing is left of a refused call"


def test_a_customer_needs_an_id_or_an_address(desk: Desk, inbox: int) -> None:
    (path,) = faults(desk.post(PATH, minimal(inbox, customer={"firstName": "Paul"})))
    assert path in ("customer", "customer.email")


@pytest.mark.parametrize("type", ["customer", "reply", "chat", "phone"])
def test_every_thread_but_a_note_needs_a_customer(desk: Desk, inbox: int, type: str) -> None:
    assert faults(desk.post(PATH, minimal(inbox, threads=[{"type": type, "text": "x"}]))) == ["threads[0].customer"]


@pytest.mark.parametrize("owner", [0, 1, -3])
def test_an_owner_is_a_number_over_1(desk: Desk, inbox: int, owner: int) -> None:
    assert faults(desk.post(PATH, minimal(inbox, assignTo=owner))) == ["assignTo"]


def test_null_leaves_it_unassigned_and_nothing_leaves_it_to_the_inbox(desk: Desk) -> None:
    ines = desk.add_user()
    inbox = desk.add_inbox(default_assignee_id=ines)
    replied = [thread(), thread("reply")]
    assert "assignee" not in read(desk, start(desk, inbox, threads=replied, assignTo=None))
    assert read(desk, start(desk, inbox, threads=replied))["assignee"]["id"] == ines
    assert "assignee" not in read(desk, start(desk, inbox)), "the setting is for conversations with replies"
    assert read(desk, start(desk, inbox, threads=replied, assignTo=desk.user_id))["assignee"]["id"] == desk.user_id


def test_a_conversation_can_be_made_of_100_threads_and_not_of_101(desk: Desk, inbox: int) -> None:
    threads = [thread("note", str(number)) for number in range(101)]
    assert len(faults(desk.post(PATH, minimal(inbox, threads=threads)), 412)) == 1
    assert read(desk, start(desk, inbox, threads=threads[:100]))["threads"] == 100


def test_a_draft_reply_makes_a_draft_conversation(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, threads=[thread("reply", draft=True)])
    made = read(desk, id, embed="threads")
    assert made["state"] == "draft"
    assert made["threads"] == 0
    assert [one["state"] for one in made["_embedded"]["threads"]] == ["draft"]


def test_an_imported_conversation_keeps_its_times(desk: Desk, inbox: int) -> None:
    id = start(
        desk, inbox, imported=True, createdAt="2020-01-01T00:00:00Z", status="closed", closedAt="2020-02-02T02:02:02Z",
        threads=[
            thread(createdAt="2020-01-01T01:00:00Z", imported=True),
            thread("reply", createdAt="2020-01-01T02:00:00Z", imported=True),
        ],
    )  # fmt: skip
    made = read(desk, id, embed="threads")
    assert (made["createdAt"], made["closedAt"]) == ("2020-01-01T00:00:00Z", "2020-02-02T02:02:02Z")
    assert [one["createdAt"] for one in made["_embedded"]["threads"]] == [
        "2020-01-01T02:00:00Z", "2020-01-01T01:00:00Z",
    ]  # fmt: skip


def test_a_time_of_a_thread_needs_imported(desk: Desk, inbox: int) -> None:
    at = "2020-01-01T00:00:00Z"
    assert faults(desk.post(PATH, minimal(inbox, threads=[thread(createdAt=at)]))) == ["threads[0].createdAt"]
    assert faults(desk.post(PATH, minimal(inbox, threads=[thread(createdAt=at, imported=False)]))) == [
        "threads[0].createdAt"
    ]


def test_threads_keep_the_order_in_which_they_were_given(desk: Desk, inbox: int) -> None:
    kinds = ["customer", "note", "reply", "phone", "chat", "customer"]
    id = start(desk, inbox, threads=[thread(kind, f"{number} {kind}") for number, kind in enumerate(kinds)])
    found = read(desk, id, embed="threads")["_embedded"]["threads"][::-1]
    assert [one["body"] for one in found] == [f"{number} {kind}" for number, kind in enumerate(kinds)]
    assert [one["type"] for one in found] == ["customer", "note", "message", "phone", "chat", "customer"]


def test_the_threads_of_a_new_conversation_have_their_parts(desk: Desk, inbox: int) -> None:
    ines = desk.add_user(inboxes=(inbox,))
    boss = {"email": "boss@buyer.example"}
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "aGVsbG8="}
    id = start(
        desk, inbox,
        threads=[
            thread("reply", user=ines, cc=["c@buyer.example"], bcc=["b@buyer.example"], attachments=[file]),
            thread(customer=boss),
        ],
    )  # fmt: skip
    by_boss, by_ines = read(desk, id, embed="threads")["_embedded"]["threads"]
    assert by_ines["createdBy"]["id"] == ines
    assert (by_ines["to"], by_ines["cc"], by_ines["bcc"]) == (
        ["paul@buyer.example"], ["c@buyer.example"], ["b@buyer.example"],
    )  # fmt: skip
    (attachment,) = by_ines["_embedded"]["attachments"]
    assert (attachment["filename"], attachment["size"]) == ("a.txt", 5)
    assert (by_boss["createdBy"]["type"], by_boss["createdBy"]["email"]) == ("customer", "boss@buyer.example")
    made = read(desk, id)
    assert (made["cc"], made["bcc"]) == (["c@buyer.example"], ["b@buyer.example"])


def test_what_the_php_client_sends_makes_a_conversation(desk: Desk, inbox: int) -> None:
    customer = {
        "id": None, "email": "paul@buyer.example", "firstName": None, "lastName": None, "gender": None,
        "jobTitle": None, "location": None, "organization": None, "photoType": None, "photoUrl": None,
        "background": None, "age": None, "createdAt": None, "updatedAt": None,
    }  # fmt: skip
    body: dict[str, Any] = {
        "id": None, "number": None, "threadCount": None, "type": "email", "folderId": None, "status": "active",
        "state": None, "subject": "Refund", "preview": None, "mailboxId": inbox, "assignee": None, "assignTo": None,
        "createdBy": {"id": None, "type": "customer"}, "createdAt": None, "closedBy": None, "closedAt": None,
        "userUpdatedAt": None, "source": {"type": None, "via": None}, "cc": [], "bcc": [], "tags": [], "fields": [],
        "customer": customer, "imported": False, "autoReply": False,
        "threads": [
            {
                "id": None, "status": None, "state": None, "action": None, "type": "customer", "text": "Where is it?",
                "source": None, "customer": customer, "createdBy": None, "assignedTo": None, "savedReplyId": None,
                "to": [], "cc": [], "bcc": [], "createdAt": None, "imported": False, "attachments": [],
            }
        ],
    }  # fmt: skip
    answer = desk.post(PATH, body)
    assert answer.status_code == 201, answer.text
    made = read(desk, int(answer.headers["Resource-ID"]))
    assert (made["subject"], made["threads"], made["state"]) == ("Refund", 1, "published")
    assert "assignee" not in made


def test_a_closed_conversation_is_closed_from_the_start(desk: Desk, inbox: int) -> None:
    made = read(desk, start(desk, inbox, status="closed"))
    assert (made["status"], made["closedBy"], made["closedByUser"]["id"]) == ("closed", desk.user_id, desk.user_id)
    assert made["closedAt"] == made["createdAt"]


TEXTS = [
    "Ünïcödé ß Ş ł 漢字 العربية", "🚀👩‍👩‍👧‍👦", "'; DROP TABLE x; --", '"quoted" \\back\\slash',
    "100 % %s %(x)s ? :x $1 {x}", "<b>&amp;</b>", "tab\tline\nfeed\r\n", "\x01\x1f\x7f\u2028\ufeff\ufffe",
    "e\u0301 \u00e9", " spaces around ",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back_as_it_was_given(desk: Desk, inbox: int, text: str) -> None:
    field = desk.add_field(inbox, "Some", "multiline")
    customer = {"email": "paul@buyer.example", "firstName": text, "background": text}
    id = start(
        desk, inbox, subject=text, customer=customer, tags=[text], fields=[{"id": field, "value": text}],
        threads=[thread(text=text, customer=customer)],
    )  # fmt: skip
    made = read(desk, id, embed="threads")
    assert made["subject"] == text
    assert made["_embedded"]["threads"][0]["body"] == text
    assert made["primaryCustomer"]["first"] == text
    assert made["customFields"][0]["value"] == text
    assert made["tags"][0]["tag"] == text.strip()
    assert desk.get(made["_links"]["primaryCustomer"]["href"]).json()["background"] == text
    patch(desk, id, "replace", "/subject", f"{text}!")
    assert read(desk, id)["subject"] == f"{text}!"


def test_what_no_database_can_keep_is_400(desk: Desk, inbox: int) -> None:
    assert faults(desk.post(PATH, minimal(inbox, subject="a\0b"))) == ["subject"]
    assert faults(desk.post(PATH, minimal(inbox, tags=["a\0b"]))) == ["tags[0]"]
    assert faults(desk.get(PATH, tag="a\0b")) == ["tag"]
    assert faults(desk.get(PATH, query="a\0b")) == ["query"]
    assert patch(desk, start(desk, inbox), "replace", "/subject", "a\0b", status=400).status_code == 400


def test_long_texts_are_taken(desk: Desk, inbox: int) -> None:
    random = Random(5)
    letters = "abcdefghijklmnopqrstuvwxyzäöüß漢字"
    subject = "".join(random.choices(letters, k=20_000))
    words = " ".join("".join(random.choices(letters, k=9)) for _ in range(200_000))
    field = desk.add_field(inbox, "Some", "multiline")
    fields = [{"id": field, "value": subject[:15_000]}]
    id = start(
        desk, inbox, subject=subject, fields=fields, threads=[thread(text=words), thread("note", "x" * 1_000_000)]
    )
    made = read(desk, id, embed="threads")
    assert made["subject"] == subject
    assert [one["body"] for one in made["_embedded"]["threads"]] == ["x" * 1_000_000, words]
    patch(desk, id, "replace", "/subject", subject[::-1])
    assert listed(desk, sortField="subject") == [id]
    assert listed(desk, query=f"id:{id}", mailbox=inbox) == [id]


# -- Several at once


def at_once(desk: Desk, calls: list[tuple[str, str, Any]]) -> list[requests.Response]:
    """Calls that are sent side by side."""
    headers = {"Authorization": f"Bearer {desk.token}"}

    def send(call: tuple[str, str, Any]) -> requests.Response:
        method, path, body = call
        return requests.request(method, desk.server.url + path, json=body, headers=headers, timeout=60)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(send, calls))


def test_conversations_can_be_made_side_by_side(desk: Desk, inbox: int) -> None:
    body = minimal(inbox, tags=["new", "newer"], customer={"email": "new@buyer.example"})
    answers = at_once(desk, [("POST", PATH, body)] * 24)
    assert [answer.status_code for answer in answers] == [201] * 24
    found = [read(desk, int(answer.headers["Resource-ID"])) for answer in answers]
    assert len({one["number"] for one in found}) == 24
    assert len({one["primaryCustomer"]["id"] for one in found}) == 1
    assert {tag["ticketCount"] for tag in desk.get("/v2/tags").json()["_embedded"]["tags"]} == {24}
    assert set(listed(desk, tag="newer")) == {one["id"] for one in found}


def test_one_conversation_can_be_changed_side_by_side(desk: Desk, inbox: int) -> None:
    one, other = start(desk, inbox), start(desk, inbox)
    steps = [
        {"op": "replace", "path": "/status", "value": "closed"},
        {"op": "replace", "path": "/status", "value": "active"},
        {"op": "replace", "path": "/assignTo", "value": desk.user_id},
        {"op": "remove", "path": "/assignTo"},
    ]
    calls: list[tuple[str, str, Any]] = []
    for id in (one, other, one, other):
        calls += [("PATCH", f"{PATH}/{id}", step) for step in steps]
        calls += [("PUT", f"{PATH}/{id}/tags", {"tags": tags}) for tags in (["a", "b"], ["b"], [])]
        calls += [("POST", f"{PATH}/{id}/notes", {"text": "x"})]
    assert {answer.status_code for answer in at_once(desk, calls)} == {201, 204}
    for id in (one, other):
        made = read(desk, id, embed="threads")
        published = [item for item in made["_embedded"]["threads"] if item["type"] != "lineitem"]
        assert made["threads"] == len(published) == 3
        assert ("closedAt" in made) == (made["status"] == "closed")
    counts_are_right(desk, inbox)


# -- Changing by JSON Patch (facts 61-68)


def test_closing_and_reopening(desk: Desk, inbox: int, clock: MovableClock) -> None:
    id = start(desk, inbox)
    clock.advance(timedelta(minutes=10))
    answer = patch(desk, id, "replace", "/status", "closed")
    assert answer.content == b""
    closed = read(desk, id)
    assert (closed["status"], closed["closedBy"]) == ("closed", desk.user_id)
    assert closed["closedAt"] > closed["createdAt"]
    assert closed["userUpdatedAt"] == closed["closedAt"]
    patch(desk, id, "replace", "/status", "active")
    opened = read(desk, id)
    assert (opened["status"], opened["closedBy"]) == ("active", 0)
    assert not {"closedAt", "closedByUser"} & set(opened) and "closedBy" not in opened["_links"]


@pytest.mark.parametrize(
    ("given", "status"),
    [("active", "active"), ("closed", "closed"), ("pending", "pending"), ("spam", "spam"), ("open", "active")],
)
def test_a_status_can_be_set(desk: Desk, inbox: int, given: str, status: str) -> None:
    id = start(desk, inbox, status="pending" if status != "pending" else "active")
    patch(desk, id, "replace", "/status", given)
    assert read(desk, id)["status"] == status
    assert listed(desk, status=status) == [id]


def test_an_array_of_steps_is_applied_whole_or_not_at_all(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    good = [
        {"op": "replace", "path": "/status", "value": "closed"}, {"op": "replace", "path": "/subject", "value": "Done"},
    ]  # fmt: skip
    assert desk.patch(f"{PATH}/{id}", good).status_code == 204
    assert (read(desk, id)["status"], read(desk, id)["subject"]) == ("closed", "Done")
    bad = [
        {"op": "replace", "path": "/subject", "value": "Not"},
        {"op": "replace", "path": "/status", "value": "Wrong"},
    ]
    assert desk.patch(f"{PATH}/{id}", bad).status_code == 400
    assert read(desk, id)["subject"] == "Done"


@pytest.mark.parametrize("op", ["move", "replace"])
def test_moving_to_another_inbox(desk: Desk, inbox: int, op: str) -> None:
    other = desk.add_inbox()
    id = start(desk, inbox)
    patch(desk, id, op, "/mailboxId", other)
    made = read(desk, id)
    assert made["mailboxId"] == other
    assert made["_links"]["mailbox"]["href"].endswith(f"/v2/mailboxes/{other}")
    assert listed(desk, mailbox=other) == [id] and listed(desk, mailbox=inbox) == []
    folders = desk.get(f"/v2/mailboxes/{other}/folders").json()["_embedded"]["folders"]
    assert made["folderId"] in [folder["id"] for folder in folders]


def test_assigning_and_unassigning(desk: Desk, inbox: int) -> None:
    ines, team = desk.add_user(inboxes=(inbox,)), desk.add_team()
    id = start(desk, inbox)
    for owner, kind in ((ines, "user"), (team, "team"), (desk.user_id, "user")):
        patch(desk, id, "replace", "/assignTo", owner)
        assert (read(desk, id)["assignee"]["id"], read(desk, id)["assignee"]["type"]) == (owner, kind)
    patch(desk, id, "remove", "/assignTo")
    assert "assignee" not in read(desk, id) and "assignee" not in read(desk, id)["_links"]
    patch(desk, id, "remove", "/assignTo")
    patch(desk, id, "replace", "/assignTo", ines)
    patch(desk, id, "remove", "/assignTo", 5)
    assert "assignee" not in read(desk, id), "the value of a removal is ignored"


def test_another_customer(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    made = desk.post("/v2/customers", {"firstName": "Mira", "emails": [{"value": "mira@northwind.example"}]})
    mira = int(made.headers["Resource-ID"])
    patch(desk, id, "replace", "/primaryCustomer.id", mira)
    customer = read(desk, id)["primaryCustomer"]
    assert customer == {"id": mira, "type": "customer", "first": "Mira", "email": "mira@northwind.example"}
    assert read(desk, id)["_links"]["primaryCustomer"]["href"].endswith(f"/v2/customers/{mira}")
    assert listed(desk, query=f"customerIds:{mira}") == [id]


def test_another_subject(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    patch(desk, id, "replace", "/subject", "Something else")
    assert read(desk, id)["subject"] == "Something else"
    patch(desk, id, "replace", "subject", "Without the slash")
    assert read(desk, id)["subject"] == "Without the slash"


def test_publishing_a_draft(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, threads=[thread("reply", "Here", draft=True)])
    patch(desk, id, "replace", "/draft", True)
    assert read(desk, id)["state"] == "draft"
    patch(desk, id, "replace", "/draft", False)
    made = read(desk, id, embed="threads")
    assert (made["state"], made["threads"]) == ("published", 1)
    messages = [one for one in made["_embedded"]["threads"] if one["type"] == "message"]
    assert [one["state"] for one in messages] == ["published"]
    patch(desk, id, "replace", "/draft", False)
    assert read(desk, id)["state"] == "published"


IMPOSSIBLE: list[tuple[str, str, Any]] = [
    ("replace", "/foo", 1),
    ("replace", "/", 1),
    ("replace", "/threads", 1),
    ("replace", "/primaryCustomer", 1),
    ("replace", "/primaryCustomer/id", 1),
    ("remove", "/status", ...),
    ("remove", "/subject", ...),
    ("remove", "/mailboxId", ...),
    ("move", "/status", "closed"),
    ("move", "/assignTo", 2),
    ("test", "/status", "active"),
    ("copy", "/status", "active"),
    ("Replace", "/status", "closed"),
    ("replace", "/status", "Wrong"),
    ("replace", "/status", ["closed"]),
    ("replace", "/status", None),
    ("replace", "/status", ...),
    ("replace", "/subject", 5),
    ("replace", "/subject", None),
    ("replace", "/subject", ...),
    ("replace", "/draft", "no"),
    ("replace", "/draft", ...),
    ("replace", "/assignTo", 1),
    ("replace", "/assignTo", 0),
    ("replace", "/assignTo", -3),
    ("replace", "/assignTo", 1.5),
    ("replace", "/assignTo", True),
    ("replace", "/assignTo", "ines"),
    ("replace", "/assignTo", 999_999_999),
    ("replace", "/assignTo", ...),
    ("move", "/mailboxId", 999_999_999),
    ("move", "/mailboxId", "x"),
    ("move", "/mailboxId", ...),
    ("replace", "/primaryCustomer.id", 999_999_999),
    ("replace", "/primaryCustomer.id", {"id": 1}),
]


def test_a_step_that_is_not_possible_is_400_and_changes_nothing(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    before = read(desk, id, embed="threads")
    for op, path, value in IMPOSSIBLE:
        assert len(faults(patch(desk, id, op, path, value, status=400))) == 1, (op, path, value)
    assert read(desk, id, embed="threads") == before


@pytest.mark.parametrize("body", [{}, {"op": "replace"}, {"path": "/status", "value": "closed"}, {"status": "closed"}])
def test_a_patch_without_op_or_path_is_400(desk: Desk, inbox: int, body: dict[str, Any]) -> None:
    assert desk.patch(f"{PATH}/{start(desk, inbox)}", body).status_code == 400


def test_a_change_is_told_by_a_line_item(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    other = desk.add_inbox()
    for op, path, value in (
        ("replace", "/status", "closed"),
        ("replace", "/assignTo", desk.user_id),
        ("move", "/mailboxId", other),
    ):
        patch(desk, id, op, path, value)
    items = [one for one in read(desk, id, embed="threads")["_embedded"]["threads"] if one["type"] == "lineitem"]
    assert len(items) == 3
    for item in items:
        assert item["action"]["text"]
        assert "body" not in item
        assert item["createdBy"]["id"] == desk.user_id
    moved = [item["action"] for item in items if item["action"]["type"] != "default"]
    assert [action["type"] for action in moved] == ["moved-from-mailbox"]
    assert moved[0]["associatedEntities"] == {"mailbox": inbox}


# -- Tags and custom fields (facts 69, 70)


def test_tags_are_set_as_a_whole(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, tags=["old"])
    for tags in (["a", "b"], ["b", "c"], [], ["a"]):
        answer = desk.put(f"{PATH}/{id}/tags", {"tags": tags})
        assert (answer.status_code, answer.content) == (204, b"")
        assert sorted(tag["tag"] for tag in read(desk, id)["tags"]) == tags


def test_tags_are_matched_whatever_their_case(desk: Desk, inbox: int) -> None:
    (first,) = read(desk, start(desk, inbox, tags=["VIP"]))["tags"]
    id = start(desk, inbox)
    desk.put(f"{PATH}/{id}/tags", {"tags": ["vip", "Vip"]})
    assert read(desk, id)["tags"] == [first]
    assert desk.get("/v2/tags").json()["page"]["totalElements"] == 1


def test_tags_must_be_a_list_of_names(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, tags=["keep"])
    for body, path in (
        ({}, "tags"),
        ({"tags": "vip"}, "tags"),
        ({"tags": [5]}, "tags[0]"),
        ({"tags": [""]}, "tags[0]"),
    ):
        assert faults(desk.put(f"{PATH}/{id}/tags", body)) == [path]
    assert [tag["tag"] for tag in read(desk, id)["tags"]] == ["keep"]


def test_custom_fields_are_set_as_a_whole(desk: Desk, inbox: int) -> None:
    order, city = desk.add_field(inbox, "Order", "number"), desk.add_field(inbox, "City", "singleline")
    id = start(desk, inbox, fields=[{"id": order, "value": "1"}])
    for given, shown in (
        ([{"id": city, "value": "Leeds"}], {city: "Leeds"}),
        (
            [{"id": order, "name": "ignored", "value": "2", "text": "ignored"}, {"id": city, "value": "York"}],
            {order: "2", city: "York"},
        ),
        ([], {}),
        ([{"id": order, "value": 17}], {order: "17"}),
    ):
        assert desk.put(f"{PATH}/{id}/fields", {"fields": given}).status_code == 204
        assert {field["id"]: field["value"] for field in read(desk, id)["customFields"]} == shown


FORMATS: list[tuple[inboxes.FieldType, list[str], list[str]]] = [
    ("number", ["0", "5521", "-3", "9" * 255], ["x", "1.5", "1e3", "9" * 256, "٣", " 1"]),
    ("date", ["2026-01-31", "2024-02-29"], ["2026/01/01", "2026-13-01", "2026-02-30", "01-01-2026", "2026-1-1", "now"]),
    ("singleline", ["x", "é" * 255], ["x" * 256]),
    ("multiline", ["a\nb", "x" * 15_000], ["x" * 15_001]),
    ("dropdown", [], ["Pro", "0", "999999999", "x"]),
]


@pytest.mark.parametrize(("kind", "good", "bad"), FORMATS, ids=[kind for kind, _, _ in FORMATS])
def test_each_kind_of_field_has_its_format(
    desk: Desk, inbox: int, kind: inboxes.FieldType, good: list[str], bad: list[str]
) -> None:
    field = desk.add_field(inbox, "Some", kind, ("Free", "Pro") if kind == "dropdown" else ())
    if kind == "dropdown":
        (shown,) = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"]
        good = [str(option["id"]) for option in shown["options"]]
    id = start(desk, inbox)
    for value in good:
        answer = desk.put(f"{PATH}/{id}/fields", {"fields": [{"id": field, "value": value}]})
        assert answer.status_code == 204, (value[:20], answer.text)
        (found,) = read(desk, id)["customFields"]
        assert found["value"] == value
    for value in bad:
        answer = desk.put(f"{PATH}/{id}/fields", {"fields": [{"id": field, "value": value}]})
        assert faults(answer) == ["fields[0].value"], value[:20]


def test_a_field_of_another_inbox_is_400(desk: Desk, inbox: int) -> None:
    stranger = desk.add_field(desk.add_inbox(), "Order", "number")
    body = {"fields": [{"id": stranger, "value": "1"}]}
    assert faults(desk.put(f"{PATH}/{start(desk, inbox)}/fields", body)) == ["fields[0].id"]


# -- Deleting (fact 73), and the lock by age


def test_a_deleted_conversation_is_gone_with_all_its_parts(desk: Desk, inbox: int) -> None:
    id, kept = start(desk, inbox, tags=["vip"]), start(desk, inbox, tags=["vip"])
    answer = desk.delete(f"{PATH}/{id}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path in ("", "/threads"):
        assert desk.get(f"{PATH}/{id}{path}").status_code == 404
    assert desk.delete(f"{PATH}/{id}").status_code == 404
    patch(desk, id, "replace", "/status", "closed", status=404)
    assert listed(desk, status="all") == [kept]
    (tag,) = desk.get("/v2/tags").json()["_embedded"]["tags"]
    assert tag["ticketCount"] == 1


def test_an_old_conversation_can_be_locked_by_company_policy(server: LiveServer) -> None:
    desk = open_desk(server, lock_after_days=30)
    inbox = desk.add_inbox()
    long_ago = to_wire(server.clock.now() - timedelta(days=31))
    old, new = start(desk, inbox, imported=True, createdAt=long_ago), start(desk, inbox)
    paul = {"email": "paul@buyer.example"}
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", "", {"op": "replace", "path": "/status", "value": "closed"}),
        ("PUT", "/tags", {"tags": ["x"]}),
        ("PUT", "/fields", {"fields": []}),
        ("POST", "/notes", {"text": "x"}),
        *(("POST", f"/{kind}", {"text": "x", "customer": paul}) for kind in ("reply", "chats", "phones", "customer")),
        ("DELETE", "", None),
    ]
    for method, path, body in calls:
        assert desk.request(method, f"{PATH}/{old}{path}", json=body).status_code == 412, (method, path)
        assert desk.request(method, f"{PATH}/{new}{path}", json=body).status_code in (201, 204), (method, path)
    assert read(desk, old)["status"] == "active"


# -- Counts that lists and folders show


def test_folders_and_tags_count_what_lists_show(desk: Desk, inbox: int) -> None:
    other = desk.add_inbox()
    ids = [start(desk, inbox, tags=["vip"]) for _ in range(4)]
    patch(desk, ids[0], "replace", "/status", "closed")
    patch(desk, ids[1], "replace", "/assignTo", desk.user_id)
    patch(desk, ids[2], "move", "/mailboxId", other)
    desk.put(f"{PATH}/{ids[3]}/tags", {"tags": []})
    start(desk, inbox, status="pending")
    counts_are_right(desk, inbox, other)
    assert len(listed(desk, tag="vip", status="all")) == 3


def counts_are_right(desk: Desk, *inboxes: int) -> None:
    """Folders and tags tell the numbers that lists come to."""
    for inbox in inboxes:
        for folder in desk.get(f"/v2/mailboxes/{inbox}/folders").json()["_embedded"]["folders"]:
            assert folder["totalCount"] == len(listed(desk, folder=folder["id"], status="all")), folder
            assert folder["activeCount"] == len(listed(desk, folder=folder["id"])), folder
    for tag in desk.get("/v2/tags").json()["_embedded"]["tags"]:
        assert tag["ticketCount"] == len(listed(desk, tag=tag["name"], status="all")), tag
    for status in ("active", "pending", "closed", "spam", "open", "all"):
        items = desk.get(PATH, status=status).json()
        assert items["page"]["totalElements"] == len(items["_embedded"]["conversations"])


def test_the_web_link_and_the_location_name_the_same_conversation(desk: Desk, inbox: int) -> None:
    answer = desk.post(PATH, minimal(inbox))
    made = desk.get(answer.headers["Location"]).json()
    assert re.search(r"/conversation/(\d+)/(\d+)$", made["_links"]["web"]["href"]).groups() == (  # type: ignore[union-attr]
        answer.headers["Resource-ID"], str(made["number"]),
    )  # fmt: skip
