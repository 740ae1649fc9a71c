"""What a call would do, in words."""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.web.console.effects import Effect, Names, effects, mails_to, staff_in

NAMES = Names({7: "Ines Okafor"}, {501: "Orders"}, ("lamp", "Late"))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"text": "Hello", "customer": {"id": 9}}, []),
        ({"text": "x", "status": "closed"}, [("Status", "becomes closed")]),
        ({"text": "x", "status": "all"}, [("Status", "becomes active")]),
        ({"text": "x", "assignTo": 7}, [("Owner", "Ines Okafor")]),
        ({"text": "x", "assignTo": None}, [("Owner", "nobody")]),
        ({"text": "x", "assignTo": 8}, [("Owner", "user 8")]),
        ({"text": "x", "draft": True}, [("Draft", "kept as a draft, nothing is sent")]),
        ({"text": "x", "draft": False, "imported": False}, []),
        ({"text": "x", "cc": ["a@b.example", "c@d.example"]}, [("Copies to", "a@b.example and c@d.example")]),
        ({"text": "x", "attachments": [{"fileName": "a.pdf", "data": "3 bytes"}]}, [("Files", "a.pdf (3 bytes)")]),
        ({"tags": ["late", "vip"]}, [("Tags", "adds vip; takes away lamp; keeps late")]),
        ({"tags": []}, [("Tags", "takes away lamp and Late")]),
        ({"fields": [{"id": 3, "value": "x"}]}, [("Fields", "3 = x")]),
        ({"snoozedUntil": "2026-01-01T00:00:00Z"}, [("Snoozed until", "2026-01-01T00:00:00Z")]),
        ({"op": "replace", "path": "/status", "value": "closed"}, [("Status", "becomes closed")]),
        ({"op": "replace", "path": "/assignTo", "value": 7}, [("Owner", "becomes Ines Okafor")]),
        ({"op": "remove", "path": "/assignTo"}, [("Owner", "nobody")]),
        ([{"op": "move", "path": "/mailboxId", "value": 501}], [("Inbox", "becomes Orders")]),
        ([{"op": "replace", "path": "/text", "value": "New"}], [("The text becomes", "New")]),
        ({"subject": "A", "threads": [{"text": "One"}, {"text": "Two"}]}, [
            ("Subject", "A"), ("It begins with", "One\n\nTwo"),
        ]),
        ({"odd": {"a": [1]}}, [("odd", '{"a": [1]}')]),
        ({"customer": {"email": "a@b.example"}, "type": "email"}, [("To", "a@b.example"), ("Kind", "email")]),
    ],
)  # fmt: skip
def test_effects(body: Any, told: list[tuple[str, str]]) -> None:
    assert [(one.label, one.value) for one in effects({"body": body}, NAMES)] == told


def test_parameters_are_told_too() -> None:
    assert effects({"query": {"async": True}}, NAMES) == [Effect("async", "yes")]
    assert effects({}, NAMES) == []


@pytest.mark.parametrize(
    ("operation", "body", "to"),
    [
        ("reply_to_conversation", {"text": "x", "customer": {"id": 9}}, "paul@buyer.example"),
        ("reply_to_conversation", {"text": "x", "customer": {"id": 10}}, "customer 10"),
        ("reply_to_conversation", {"text": "x", "customer": {"email": "z@b.example"}}, "z@b.example"),
        ("reply_to_conversation", {"text": "x", "customer": {"id": 9}, "draft": True}, ""),
        ("reply_to_conversation", {"text": "x", "customer": {"id": 9}, "imported": True}, ""),
        ("add_note", {"text": "x"}, ""),
    ],
)
def test_whom_mail_goes_to(operation: str, body: Any, to: str) -> None:
    assert mails_to(operation, {"body": body}, 9, "paul@buyer.example") == to


def test_people_in_a_call() -> None:
    assert staff_in({"body": {"assignTo": 7, "user": 8, "threads": [{"user": 9}]}}) == {7, 8, 9}
    assert staff_in({"body": [{"op": "replace", "path": "/assignTo", "value": 7}]}) == {7}
    assert staff_in({"body": [{"op": "replace", "path": "/subject", "value": 7}]}) == set()
    assert staff_in({}) == set()
