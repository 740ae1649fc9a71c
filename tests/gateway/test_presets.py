"""Presets: what each of them lets an agent do, decided about calls of the real catalogue."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from deskhand.catalogue.operation import Asked, Of
from deskhand.catalogue.operations import BY_NAME
from deskhand.catalogue.problems import BadRequest
from deskhand.catalogue.values import decode_hook
from deskhand.gateway.grants import as_json, read_grants
from deskhand.gateway.policy import Decision, Found, decide, wanted
from deskhand.gateway.presets import PRESETS, preset
from tests.gateway.asking import NOW, ORDERS, PRODUCTS

SPAN = {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}
CUSTOMER = {"id": 11}
REPLY = {"text": "Hello", "customer": CUSTOMER}


def outcome(name: str, operation: str, body: Any = None, *, foreign: bool = False, query: Any = None) -> str:
    """What becomes of a call of an agent with a preset on Orders; `foreign` objects lie in Products."""
    found = decision(name, operation, body, foreign=foreign, query=query)
    return "draft" if found.draft and found.outcome == "allowed" else found.outcome


def decision(name: str, operation: str, body: Any, *, foreign: bool = False, query: Any = None) -> Decision:
    one = BY_NAME[operation]
    inbox = PRODUCTS if foreign else ORDERS
    path = tuple(inbox if part == "inbox_id" else 1 for part in one.parameters if part != "slug")
    call = Asked(
        one, path, "x",
        msgspec.convert(query or SPAN, one.query, dec_hook=decode_hook),
        msgspec.convert({} if body is None else body, one.body, dec_hook=decode_hook),
    )  # fmt: skip
    there: dict[Of, Found | None] = dict.fromkeys(wanted(call), Found(frozenset((inbox,))))
    return decide(read_grants(preset(name, [ORDERS])), call, there, NOW)


def patch(path: str, value: Any) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": path, "value": value}]


NEW = {
    "subject": "Hi", "type": "email", "mailboxId": ORDERS, "status": "active", "customer": CUSTOMER,
    "threads": [{"type": "reply", "text": "Hello", "customer": CUSTOMER}],
}  # fmt: skip

TABLE: list[tuple[str, Any, dict[str, str]]] = [
    ("list_conversations", None, {"analyst": "refused", "": "allowed"}),
    ("get_conversation", None, {"analyst": "refused", "": "allowed"}),
    ("list_threads", None, {"analyst": "refused", "": "allowed"}),
    ("get_attachment_data", None, {"analyst": "refused", "": "allowed"}),
    ("get_customer", None, {"analyst": "refused", "": "allowed"}),
    ("list_users", None, {"analyst": "refused", "": "allowed"}),
    ("get_rating", None, {"analyst": "refused", "": "allowed"}),
    ("list_saved_replies", None, {"analyst": "refused", "": "allowed"}),
    ("list_organizations", None, {"analyst": "refused", "": "allowed"}),
    ("list_workflows", None, {"analyst": "refused", "": "allowed"}),
    ("list_tags", None, {"": "allowed"}),
    ("get_conversations_report", None, {"": "allowed"}),
    ("get_happiness_report", None, {"": "allowed"}),
    ("get_happiness_ratings_report", None, {"analyst": "refused", "": "allowed"}),
    ("list_webhooks", None, {"": "refused"}),
    ("reply_to_conversation", REPLY, {"drafter": "draft", "closer": "allowed", "": "refused"}),
    ("reply_to_conversation", REPLY | {"status": "closed"}, {"closer": "allowed", "": "refused"}),
    ("add_note", {"text": "Hi"}, {"drafter": "allowed", "triage": "allowed", "closer": "allowed", "": "refused"}),
    ("add_customer_thread", REPLY, {"": "refused"}),
    (
        "set_conversation_tags",
        {"tags": ["a"]}, {"drafter": "held", "triage": "allowed", "closer": "allowed", "": "refused"},
    ),
    ("update_conversation", patch("/status", "closed"), {"triage": "allowed", "closer": "allowed", "": "refused"}),
    ("update_conversation", patch("/assignTo", 5), {"triage": "allowed", "closer": "allowed", "": "refused"}),
    ("update_conversation", patch("/subject", "x"), {"": "refused"}),
    ("update_conversation", patch("/draft", False), {"": "refused"}),
    ("update_conversation", patch("/mailboxId", ORDERS), {"": "refused"}),
    ("schedule_thread", {"scheduledFor": "2030-01-01T00:00:00Z", "unscheduleOnCustomerReply": True}, {
        "closer": "allowed", "": "refused",
    }),
    ("create_conversation", NEW, {"": "refused"}),
    ("delete_conversation", None, {"": "refused"}),
    ("create_customer", {"firstName": "Ben"}, {"": "refused"}),
    ("delete_customer", None, {"": "refused"}),
    ("run_workflow", {"conversationIds": [1]}, {"": "refused"}),
    ("create_user", {"firstName": "A", "lastName": "B", "email": "a@b.example", "role": "admin"}, {"": "refused"}),
]  # fmt: skip


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("operation", "body", "outcomes"), TABLE)
def test_a_preset_lets_an_agent_do_this_much(name: str, operation: str, body: Any, outcomes: dict[str, str]) -> None:
    assert outcome(name, operation, body) == outcomes.get(name, outcomes[""])


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_on_one_inbox_reaches_no_other(name: str) -> None:
    for operation, body, _ in TABLE:
        first = BY_NAME[operation].parameters
        if first and operation not in ("get_rating", "create_user"):
            assert outcome(name, operation, body, foreign=True) == "refused", operation
    named = {
        "get_conversations_report": SPAN | {"mailboxes": str(PRODUCTS)},
        "list_conversations": {"mailbox": str(PRODUCTS)},
    }
    for operation, query in named.items():
        assert outcome(name, operation, query=query) == "refused"


def test_presets_are_grants_as_people_write_them() -> None:
    for name in PRESETS:
        for scope in ("all", [ORDERS]):
            raw = preset(name, scope)
            assert as_json(read_grants(raw, (ORDERS,))) == raw


def test_an_unknown_preset_is_refused_with_a_hint() -> None:
    with pytest.raises(BadRequest) as caught:
        preset("drafters")
    assert "did you mean drafter?" in str(caught.value)


def test_presets_are_not_spoilt_by_whoever_changes_one() -> None:
    before = json.dumps(preset("triage"))
    spoilt = preset("triage")
    spoilt["actions"]["update_conversation"]["limits"]["patch_paths"].append("/subject")
    spoilt["resources"].clear()
    assert json.dumps(preset("triage")) == before
