"""Conversations as clients create them.

Facts: §3 and facts 50-60 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/).
"""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest

from tests.contract.conversations.builders import PATH, PAUL, faults, listed, minimal, patch, read, start, thread
from tests.world import Desk, unique


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


def test_the_web_link_and_the_location_name_the_same_conversation(desk: Desk, inbox: int) -> None:
    answer = desk.post(PATH, minimal(inbox))
    made = desk.get(answer.headers["Location"]).json()
    assert re.search(r"/conversation/(\d+)/(\d+)$", made["_links"]["web"]["href"]).groups() == (  # type: ignore[union-attr]
        answer.headers["Resource-ID"], str(made["number"]),
    )  # fmt: skip
