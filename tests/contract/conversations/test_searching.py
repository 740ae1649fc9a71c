"""Conversations as clients search them, as far as the query is simple.

Facts: §3 and facts 35-42 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/).
"""

from __future__ import annotations

import pytest

from tests.contract.conversations.builders import PATH, faults, listed, read, start, thread
from tests.world import Desk


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
