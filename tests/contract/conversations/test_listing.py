"""Which conversations a list gives, in which order and with what.

Facts: §3 and facts 16-21, 25, 27-34 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deskhand.lib.clock import MovableClock, to_wire
from tests.contract.conversations.builders import PATH, faults, listed, patch, read, start, thread
from tests.world import Desk

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
