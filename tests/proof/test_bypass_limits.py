"""Limits and actions that are off hold by whatever way an agent writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.proof.bypass_world import World, everything_in
from tests.proof.writing import WHO, written

ANOTHER_DAY = (datetime.now(UTC).isoweekday() + 2) % 7 + 1

LIMITED: list[tuple[str, dict[str, Any], str, str, Any]] = [
    ("a copy elsewhere", {"recipient_domains": ["a.example"]}, "POST", "/reply",
     {"text": "x", "customer": {"email": "ann@a.example"}, "cc": ["x@b.example"]}),
    ("a hidden copy elsewhere", {"recipient_domains": ["a.example"]}, "POST", "/reply",
     {"text": "x", "customer": {"email": "ann@a.example"}, "bcc": [{"email": "x@b.example"}]}),
    ("the second of two copies", {"recipient_domains": ["a.example"]}, "POST", "/reply",
     {"text": "x", "customer": {"email": "ann@a.example"}, "cc": ["x@a.example", "x@b.example"]}),
    ("a longer domain that ends the same", {"recipient_domains": ["a.example"]}, "POST", "/reply",
     {"text": "x", "customer": {"email": "ann@a.example"}, "cc": ["x@evil-a.example"]}),
    ("a domain below", {"recipient_domains": ["a.example"]}, "POST", "/reply",
     {"text": "x", "customer": {"email": "ann@a.example"}, "cc": ["x@sub.a.example"]}),
    ("a domain above", {"recipient_domains": ["a.example"]}, "POST", "/reply",
     {"text": "x", "customer": {"email": "ann@a.example"}, "cc": ["x@a.example.evil.example"]}),
    ("a customer elsewhere", {"recipient_domains": ["a.example"]}, "POST", "/reply",
     {"text": "x", "customer": WHO}),
    ("a customer elsewhere by id", {"recipient_domains": ["a.example"]}, "POST", "/reply",
     {"text": "x", "customer": {"id": "{both}"}}),
    ("a customer by id with another's address", {"recipient_domains": ["a.example"]}, "POST", "/reply",
     {"text": "x", "customer": {"id": "{both}", "email": "ann@a.example"}}),
    ("an address for the customer", {"recipient_domains": ["a.example"]}, "PATCH", "customer",
     [{"op": "add", "path": "/emails", "value": {"value": "x@b.example"}}]),
    ("an address in a list for the customer", {"recipient_domains": ["a.example"]}, "PATCH", "customer",
     [{"op": "replace", "path": "/emails", "value": [{"value": "x@b.example"}]}]),
    ("another customer by id", {"recipient_domains": ["a.example"]}, "PATCH", "",
     {"op": "replace", "path": "/primaryCustomer.id", "value": "{both}"}),
    ("a tag that is not allowed", {"tags": ["vip"]}, "PUT", "/tags", {"tags": ["vip", "refund"]}),
    ("a tag that only looks like it", {"tags": ["vip"]}, "PUT", "/tags", {"tags": ["v\u0456p"]}),
    ("a tag with something behind it", {"tags": ["vip"]}, "PUT", "/tags", {"tags": ["vip\u200b"]}),
    ("two tags in one", {"tags": ["vip"]}, "PUT", "/tags", {"tags": ["vip,refund"]}),
    ("a status", {"statuses": ["pending"]}, "PATCH", "", {"op": "replace", "path": "/status", "value": "closed"}),
    ("a status by another name", {"statuses": ["pending"]}, "PATCH", "",
     {"op": "replace", "path": "/status", "value": "open"}),
    ("a status without a slash", {"statuses": ["pending"]}, "PATCH", "",
     {"op": "replace", "path": "status", "value": "closed"}),
    ("a status by adding", {"statuses": ["pending"]}, "PATCH", "", {"op": "add", "path": "/status", "value": "spam"}),
    ("a status as the second step", {"statuses": ["pending"]}, "PATCH", "",
     [{"op": "replace", "path": "/status", "value": "pending"}, {"op": "add", "path": "/status", "value": "spam"}]),
    ("a status with a note", {"statuses": ["pending"]}, "POST", "/notes", {"text": "x", "status": "closed"}),
    ("the inbox's status", {"statuses": ["pending"]}, "POST", "/notes", {"text": "x", "status": "inbox_predefined"}),
    ("the conversation's status", {"statuses": ["pending"]}, "POST", "/notes", {"text": "x", "status": "all"}),
    ("an owner", {"assign_to": [999]}, "PATCH", "", {"op": "replace", "path": "/assignTo", "value": "{owner}"}),
    ("an owner in a text", {"assign_to": [999]}, "PATCH", "",
     {"op": "replace", "path": "/assignTo", "value": "0{owner} "}),
    ("an owner with a reply", {"assign_to": [999]}, "POST", "/reply", {"text": "x", "customer": WHO, "assignTo": 2}),
    ("a long text", {"max_text": 5}, "POST", "/notes", {"text": "123456"}),
    ("a long text by editing", {"max_text": 5}, "PATCH", "/threads/{thread}",
     {"op": "replace", "path": "/text", "value": "123456"}),
    ("a path", {"patch_paths": ["/status"]}, "PATCH", "", {"op": "replace", "path": "/subject", "value": "x"}),
    ("a path that begins the same", {"patch_paths": ["/sub"]}, "PATCH", "",
     {"op": "replace", "path": "/subject", "value": "x"}),
    ("a path behind an allowed one", {"patch_paths": ["/status"]}, "PATCH", "",
     [{"op": "replace", "path": "/status", "value": "active"}, {"op": "replace", "path": "subject", "value": "x"}]),
    ("a path with dots", {"patch_paths": ["/status"]}, "PATCH", "",
     {"op": "replace", "path": "/status/../subject", "value": "x"}),
    ("any time", {"hours": {"from": "00:00", "to": "00:01", "zone": "Europe/Berlin", "days": [ANOTHER_DAY]}},
     "POST", "/notes", {"text": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "method", "path", "body"), [one[1:] for one in LIMITED], ids=[one[0] for one in LIMITED]
)  # fmt: skip
def test_limits_are_not_walked_around_by(
    world: World, limits: dict[str, Any], method: str, path: str, body: Any
) -> None:
    conversation = world.begin(email="ann@a.example")
    shown = world.desk.get(f"/v2/conversations/{conversation}").json()
    ids = {"both": world.both, "owner": world.desk.user_id}
    thread = world.threads(conversation)[0]["id"]

    def given(value: Any) -> Any:
        if isinstance(value, list):
            return [given(one) for one in value]
        if isinstance(value, dict):
            return {key: given(one) for key, one in value.items()}
        text = value.format(**ids) if isinstance(value, str) else value
        return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and "{" in value else text

    agent = world.standing(f"limits {limits}", resources=everything_in(world.own.inbox), limits=limits)
    place = f"/v2/conversations/{conversation}{path.format(thread=thread)}"
    if path == "customer":
        place = f"/v2/customers/{shown['primaryCustomer']['id']}"
    with world.watched(agent) as attempt:
        answer = attempt.send(method, place, given(body))
        assert answer.status in (400, 403), answer.everything
        if answer.status == 403:
            assert answer.reason == "limit"


OFF: list[tuple[str, str, str, str, Any]] = [
    ("files with a reply", "add_attachment", "POST", "/reply",
     {"text": "x", "customer": WHO, "attachments": [{"fileName": "a", "mimeType": "text/plain", "data": "YQ=="}]}),
    ("files with a note", "add_attachment", "POST", "/notes",
     {"text": "x", "attachments": [{"fileName": "a", "mimeType": "text/plain", "data": "YQ=="}]}),
    ("a status with a note", "update_conversation", "POST", "/notes", {"text": "x", "status": "closed"}),
    ("an owner with a reply", "update_conversation", "POST", "/reply",
     {"text": "x", "customer": WHO, "assignTo": 2}),
    ("no owner with a reply", "update_conversation", "POST", "/reply",
     {"text": "x", "customer": WHO, "assignTo": None}),
    ("a workflow", "update_conversation", "POST", "workflow", None),
    ("an address among a customer's changes", "add_customer_email", "PATCH", "customer",
     [{"op": "add", "path": "/emails", "value": {"value": "x@b.example"}}]),
    ("an address in capitals", "add_customer_email", "PATCH", "customer",
     [{"op": "add", "path": "/E-mails", "value": {"value": "x@b.example"}}]),
    ("a phone by overwriting", "add_customer_phone", "PUT", "customer", {"firstName": "x", "phone": "123"}),
    ("a removed address among changes", "delete_customer_address", "PATCH", "customer",
     [{"op": "remove", "path": "/address"}]),
    ("values among a customer's changes", "update_customer_properties", "PATCH", "customer",
     [{"op": "replace", "path": "/properties/x", "value": "y"}]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "method", "path", "body"), [one[1:] for one in OFF], ids=[one[0] for one in OFF]
)  # fmt: skip
def test_an_action_that_is_off_is_off_by_every_way(
    world: World, action: str, method: str, path: str, body: Any
) -> None:
    conversation = world.begin()
    agent = world.standing(f"off {action}", **written(world, **{action: "off"}))
    place = f"/v2/conversations/{conversation}{path}"
    if path == "customer":
        place = f"/v2/customers/{world.own.customer}"
    if path == "workflow":
        place, body = f"/v2/workflows/{world.own.workflow}/run", {"conversationIds": [conversation]}
    with world.watched(agent) as attempt:
        answer = attempt.send(method, place, body)
        assert (answer.status, answer.json().get("missing")) in ((403, {"action": action}), (400, None)), answer.text


BEGUN_WITH: list[tuple[str, str, dict[str, Any]]] = [
    ("tags", "set_conversation_tags", {"tags": ["vip"]}),
    ("fields", "set_conversation_fields", {"fields": [{"id": "{field}", "value": "1"}]}),
    ("an owner", "update_conversation", {"assignTo": 2}),
    ("another status", "update_conversation", {"status": "closed"}),
    ("a reply", "reply_to_conversation", {"threads": [{"type": "reply", "text": "x", "customer": WHO}]}),
    ("a note", "add_note", {"threads": [{"type": "note", "text": "x"}]}),
    ("a chat", "add_chat", {"threads": [{"type": "chat", "text": "x", "customer": WHO}]}),
    ("a call", "add_phone", {"threads": [{"type": "phone", "text": "x", "customer": WHO}]}),
    ("an automatic reply", "reply_to_conversation", {"autoReply": True}),
]


@pytest.mark.parametrize(
    ("action", "more"), [one[1:] for one in BEGUN_WITH], ids=[one[0] for one in BEGUN_WITH]
)  # fmt: skip
@pytest.mark.parametrize("chosen", ["off", "hold"])
def test_a_new_conversation_is_no_way_around_the_setting_of(
    world: World, chosen: str, action: str, more: dict[str, Any]
) -> None:
    agent = world.standing(f"{chosen} {action}", **written(world, **{action: chosen}))
    body = {
        "subject": "New", "type": "email", "mailboxId": world.own.inbox, "status": "active", "customer": WHO,
        "threads": [{"type": "phone" if action != "add_phone" else "note", "text": "x", "customer": WHO}],
    } | more  # fmt: skip
    if "fields" in body:
        body["fields"] = [{"id": world.own.field, "value": str(world.own.option)}]
    with world.watched(agent) as attempt:
        answer = attempt.send("POST", "/v2/conversations", body)
        assert answer.status == (403 if chosen == "off" else 202), answer.everything
