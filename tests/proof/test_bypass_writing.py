"""What an agent writes: drafts that must stay drafts, limits, others' names, moves, approvals, keys, and races."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests

from deskhand.catalogue.problems import Problem
from deskhand.gateway.approvals import NotReleased, Outcome
from deskhand.lib.clock import to_wire
from tests.agents import AgentOf, somebody
from tests.contract.test_isolation import IN_MANY_YEARS, created
from tests.proof.bypass_world import BOTH, OF_THE_ACCOUNT, UNKNOWN, World, alike, everything_in
from tests.world import unique

WHO = {"email": BOTH}


def written(world: World, **actions: Any) -> dict[str, Any]:
    """Grants to write in the own inbox, with settings of actions."""
    return {"resources": everything_in(world.own.inbox), "actions": actions}


def messages(world: World, conversation: int) -> list[tuple[str, str]]:
    """The replies of a conversation: their state and text, the newest first."""
    return [(one["state"], one["body"]) for one in world.threads(conversation) if one["type"] == "message"]


# -- Drafts stay drafts

DRAFTED: list[tuple[str, dict[str, Any], int]] = [
    ("nothing about drafts", {}, 201),
    ("that it is none", {"draft": False}, 201),
    ("nothing by null", {"draft": None}, 201),
    ("that it is none, in a text", {"draft": "false"}, 400),
    ("that it is none, in a number", {"draft": 0}, 400),
    ("that it is none, in capitals", {"Draft": False, "DRAFT": False}, 201),
    ("that it is published", {"state": "published", "published": True, "isDraft": False}, 201),
    ("when it shall go out", {"scheduledFor": "2026-01-01T00:00:00Z", "sendAt": "now"}, 201),
    ("a status", {"status": "closed"}, 403),
    ("the status that there is", {"status": "active"}, 403),
    ("the inbox's status", {"status": "inbox_predefined"}, 403),
    ("an owner", {"assignTo": 2}, 403),
    ("no owner", {"assignTo": None}, 403),
    ("a copy", {"cc": ["x@x.example"]}, 403),
    ("a copy as an object", {"cc": [{"email": "x@x.example"}]}, 403),
    ("a hidden copy", {"bcc": ["x@x.example"]}, 403),
    ("no copies", {"cc": [], "bcc": []}, 201),
    ("another author", {"user": 2}, 403),
    ("that it is imported", {"imported": True}, 403),
    ("an earlier time", {"createdAt": "2020-01-01T00:00:00Z", "imported": True}, 403),
]  # fmt: skip


@pytest.mark.parametrize(("more", "status"), [one[1:] for one in DRAFTED], ids=[one[0] for one in DRAFTED])
def test_a_reply_that_must_be_a_draft_is_one_if_it_says(world: World, more: dict[str, Any], status: int) -> None:
    agent = world.standing("drafting", **written(world, reply_to_conversation="draft"))
    conversation, mails = world.begin(), world.mails()
    before = world.desk.get(f"/v2/conversations/{conversation}").json()
    with world.watched(agent, writes=True) as attempt:
        body = {"text": unique("Drafted "), "customer": WHO, **more}
        answer = attempt.send("POST", f"/v2/conversations/{conversation}/reply", body)
        assert answer.status == status, answer.everything
        if status == 403:
            assert answer.reason == "limit" and answer.json()["path"] in more
    assert [state for state, _ in messages(world, conversation)] == (["draft"] if status == 201 else [])
    after = world.desk.get(f"/v2/conversations/{conversation}").json()
    assert [after[name] for name in ("status", "cc", "bcc", "threads")] == [
        before[name] for name in ("status", "cc", "bcc", "threads")
    ]
    assert world.mails() == mails


BEGUN: list[tuple[str, dict[str, Any], int]] = [
    ("a reply that is none", {"threads": [{"type": "reply", "draft": False}]}, 201),
    ("two replies", {"threads": [{"type": "note"}, {"type": "reply", "draft": False}, {"type": "reply"}]}, 201),
    ("a reply in capitals", {"threads": [{"type": "Reply"}]}, 400),
    ("a reply by its other name", {"threads": [{"type": "message"}]}, 400),
    ("an automatic reply", {"threads": [{"type": "note"}], "autoReply": True}, 403),
    ("a copy", {"threads": [{"type": "reply", "cc": ["x@x.example"]}]}, 403),
    ("another status", {"threads": [{"type": "reply"}], "status": "closed"}, 403),
    ("an owner", {"threads": [{"type": "reply"}], "assignTo": 2}, 403),
    ("another author", {"threads": [{"type": "reply", "user": 2}]}, 403),
    ("words of the customer", {"threads": [{"type": "reply"}, {"type": "customer"}]}, 403),
]


@pytest.mark.parametrize(("more", "status"), [one[1:] for one in BEGUN], ids=[one[0] for one in BEGUN])
def test_no_mail_leaves_with_a_conversation_begun_with(world: World, more: dict[str, Any], status: int) -> None:
    agent = world.standing("drafting", **written(world, reply_to_conversation="draft"))
    mails = world.mails()
    threads = [{"text": unique("Begun "), "customer": WHO} | one for one in more["threads"]]
    body = {
        "subject": "Begun", "type": "email", "mailboxId": world.own.inbox, "status": "active", "customer": WHO,
        **more, "threads": threads,
    }  # fmt: skip
    with world.watched(agent, writes=True) as attempt:
        answer = attempt.send("POST", "/v2/conversations", body)
        assert answer.status == status, answer.everything
    if status == 201:
        states = {state for state, _ in messages(world, int(answer.headers["resource-id"]))}
        assert states <= {"draft"}
    assert world.mails() == mails


Path = str
PUBLISHED: list[tuple[str, str, Path, Any]] = [
    ("publishing the conversation", "PATCH", "", {"op": "replace", "path": "/draft", "value": False}),
    ("publishing without a slash", "PATCH", "", {"op": "replace", "path": "draft", "value": False}),
    ("publishing in capitals", "PATCH", "", {"op": "replace", "path": "/DRAFT", "value": False}),
    ("publishing with signs between", "PATCH", "", {"op": "add", "path": "/d.r-a_f t", "value": False}),
    ("publishing as the second step", "PATCH", "",
     [{"op": "replace", "path": "/subject", "value": "x"}, {"op": "replace", "path": "/draft", "value": False}]),
    ("scheduling", "PUT", "/threads/{draft}/schedule", IN_MANY_YEARS),
    ("scheduling as its author", "PUT", "/threads/{draft}/schedule", IN_MANY_YEARS | {"sendAsCreator": True}),
    ("sending what is scheduled", "PATCH", "/threads/{planned}/schedule",
     {"op": "replace", "path": "/state", "value": "published"}),
    ("publishing the thread", "PATCH", "/threads/{draft}", {"op": "replace", "path": "/state", "value": "published"}),
    ("publishing the thread by another path", "PATCH", "/threads/{draft}",
     {"op": "replace", "path": "/draft", "value": False}),
    ("a thread's step with two slashes", "PATCH", "/threads/{draft}",
     {"op": "replace", "path": "//text", "value": "stolen"}),
    ("a thread's step in capitals", "PATCH", "/threads/{draft}", {"op": "replace", "path": "/Text", "value": "stolen"}),
    ("the text of what goes out by itself", "PATCH", "/threads/{planned}",
     {"op": "replace", "path": "/text", "value": "stolen"}),
    ("the text of what goes out, without a slash", "PATCH", "/threads/{planned}",
     {"op": "replace", "path": "text", "value": "stolen"}),
    ("a file for what goes out by itself", "POST", "/threads/{planned}/attachments",
     {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}),
    ("the text of a reply that is on its way", "PATCH", "/threads/{sent}",
     {"op": "replace", "path": "/text", "value": "stolen"}),
    ("a file for a reply that is on its way", "POST", "/threads/{sent}/attachments",
     {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}),
]  # fmt: skip


@pytest.mark.parametrize("chosen", ["off", "draft", "hold"])
@pytest.mark.parametrize(
    ("method", "path", "body"), [one[1:] for one in PUBLISHED], ids=[one[0] for one in PUBLISHED]
)  # fmt: skip
def test_nothing_goes_out_without_the_right_to_reply_by(
    world: World, chosen: str, method: str, path: str, body: Any
) -> None:
    agent = world.standing(f"replies {chosen}", **written(world, reply_to_conversation=chosen))
    conversation = world.begin()
    made = {}
    for name, draft in (("draft", True), ("planned", True), ("sent", False)):
        new = {"text": f"as it was: {name}", "customer": WHO, "draft": draft}
        made[name] = created(world.desk, f"/v2/conversations/{conversation}/reply", new)
    planned = f"/v2/conversations/{conversation}/threads/{made['planned']}/schedule"
    assert world.desk.put(planned, IN_MANY_YEARS).status_code == 204
    before, mails = messages(world, conversation), world.mails()
    with world.watched(agent, writes=True) as attempt:
        answer = attempt.send(method, f"/v2/conversations/{conversation}{path.format(**made)}", body)
        assert answer.status in ((400, 403, 202) if chosen == "hold" else (400, 403)), answer.everything
    assert (messages(world, conversation), world.mails()) == (before, mails)
    files = [one for thread in world.threads(conversation) for one in thread["_embedded"]["attachments"]]
    assert files == []


def test_an_ordinary_draft_and_a_note_may_be_edited_without_the_right_to_reply(world: World) -> None:
    agent = world.standing("replies draft", **written(world, reply_to_conversation="draft"))
    conversation = world.begin()
    with world.watched(agent, writes=True) as attempt:
        for kind, body in (("reply", {"text": unique("x"), "customer": WHO}), ("notes", {"text": unique("x")})):
            made = attempt.send("POST", f"/v2/conversations/{conversation}/{kind}", body).headers["resource-id"]
            thread = f"/v2/conversations/{conversation}/threads/{made}"
            better = {"op": "replace", "path": "/text", "value": "better"}
            assert attempt.send("PATCH", thread, better).status == 204
            file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}
            assert attempt.send("POST", f"{thread}/attachments", file).status == 201


# -- Others' names

SPOKEN: list[tuple[str, str, str, Any]] = [
    ("a reply as somebody else", "POST", "/reply", {"text": "x", "customer": WHO, "user": 2}),
    ("an imported reply", "POST", "/reply", {"text": "x", "customer": WHO, "imported": True}),
    ("a reply of another time", "POST", "/reply",
     {"text": "x", "customer": WHO, "imported": True, "createdAt": "2020-01-01T00:00:00Z"}),
    ("a note as somebody else", "POST", "/notes", {"text": "x", "user": 2}),
    ("an imported note", "POST", "/notes", {"text": "x", "imported": True}),
    ("an imported chat", "POST", "/chats", {"text": "x", "customer": WHO, "imported": True}),
    ("an imported call", "POST", "/phones", {"text": "x", "customer": WHO, "imported": True}),
    ("a message of the customer", "POST", "/customer", {"text": "x", "customer": WHO}),
    ("an imported message of the customer", "POST", "/customer", {"text": "x", "customer": WHO, "imported": True}),
    ("a draft sent in its author's name", "PUT", "/threads/{draft}/schedule", IN_MANY_YEARS | {"sendAsCreator": True}),
    ("another author of the conversation", "PATCH", "", {"op": "replace", "path": "/createdBy", "value": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), [one[1:] for one in SPOKEN], ids=[one[0] for one in SPOKEN])
def test_no_agent_speaks_for_others_by(world: World, method: str, path: str, body: Any) -> None:
    conversation = world.begin()
    new = {"text": "by the owner", "customer": WHO, "draft": True}
    draft = world.desk.post(f"/v2/conversations/{conversation}/reply", new).headers["Resource-ID"]
    with world.watched(world.narrow) as attempt:
        answer = attempt.send(method, f"/v2/conversations/{conversation}{path.format(draft=draft)}", body)
        assert answer.status in (400, 403), answer.everything


# -- Limits

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
    ("any time", {"hours": {"from": "00:00", "to": "00:01", "zone": "Europe/Berlin", "days": [1]}}, "POST", "/notes",
     {"text": "x"}),
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


# -- Customers and inboxes that a body names


Reference = Callable[[Any], dict[str, Any]]
BY_ID: list[Reference] = [lambda side: {"id": side.customer}, lambda side: {"id": side.customer, "email": BOTH}]
BY_ADDRESS: list[Reference] = [
    lambda side: {"email": side.email}, lambda side: {"email": side.email.upper()},
    lambda side: {"email": f" {side.email} "}, lambda side: {"email": side.email, "firstName": "x"},
]  # fmt: skip


def naming(world: World, conversation: int, who: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """All calls by which somebody may be named."""
    added: list[tuple[str, str, Any]] = [
        ("POST", f"/v2/conversations/{conversation}/{kind}", {"text": unique("x"), "customer": who})
        for kind in ("reply", "chats", "phones", "customer")
    ]
    return [
        *added,
        ("POST", "/v2/conversations", begun(world, customer=who)),
        ("POST", "/v2/conversations", begun(world, threads=who)),
    ]


def test_a_customer_of_elsewhere_is_refused_by_id_like_nobody(world: World) -> None:
    conversation = world.begin()
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        for of in BY_ID:
            foreign, nobody = (naming(world, conversation, of(side)) for side in (world.foreign, world.nothing))
            for one, other in zip(foreign, nobody, strict=True):
                there, nowhere = attempt.send(*one), attempt.send(*other)
                assert there.status == 403, there.everything
                assert alike(there) == alike(nowhere)
        for op, path in (("replace", "/primaryCustomer.id"), ("add", "primaryCustomer.id"), ("replace", "/customer")):
            place = f"/v2/conversations/{conversation}"
            there, nowhere = (
                attempt.send("PATCH", place, {"op": op, "path": path, "value": side.customer})
                for side in (world.foreign, world.nothing)
            )
            assert there.status == 403, there.everything
            assert alike(there) == alike(nowhere)


def test_a_customer_of_elsewhere_is_not_made_ones_own_by_address(world: World) -> None:
    """That an address is taken shows, for addresses are unique; but it opens no door to whose it is."""
    conversation = world.begin()
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT | {"email"}) as attempt:
        for of in BY_ADDRESS:
            for call in naming(world, conversation, of(world.foreign)):
                assert attempt.send(*call).status == 403
        assert attempt.get(f"/v2/customers/{world.foreign.customer}").status == 403


def test_who_may_write_no_customers_is_refused_alike_for_addresses_of_elsewhere_and_of_nobody(world: World) -> None:
    scope = everything_in(world.own.inbox)
    scope["customers"]["level"] = "read"
    agent, conversation = world.standing("reads customers", resources=scope), world.begin()
    with world.watched(agent, may_see=frozenset({"email"})) as attempt:
        for of in BY_ADDRESS:
            foreign, nobody = (naming(world, conversation, of(side)) for side in (world.foreign, world.nothing))
            for one, other in zip(foreign, nobody, strict=True):
                there, nowhere = attempt.send(*one), attempt.send(*other)
                assert there.status == 403, there.everything
                assert alike(there) == alike(nowhere)


def begun(world: World, customer: Any = None, threads: Any = None) -> dict[str, Any]:
    """A new conversation that names somebody as its customer, or as a thread's."""
    thread = {"type": "phone", "text": "x", "customer": threads or WHO}
    return {
        "subject": "x", "type": "email", "mailboxId": world.own.inbox, "status": "active", "customer": customer or WHO,
        "threads": [thread],
    }  # fmt: skip


MOVES: list[tuple[str, Callable[[int], Any]]] = [
    ("moved", lambda to: {"op": "move", "path": "/mailboxId", "value": to}),
    ("replaced", lambda to: {"op": "replace", "path": "/mailboxId", "value": to}),
    ("added", lambda to: {"op": "add", "path": "/mailboxId", "value": to}),
    ("without a slash", lambda to: {"op": "move", "path": "mailboxId", "value": to}),
    ("in capitals", lambda to: {"op": "move", "path": "/MAILBOXID", "value": to}),
    ("with a sign between", lambda to: {"op": "move", "path": "/mailbox.id", "value": to}),
    ("with a folded letter", lambda to: {"op": "move", "path": "/ma\u0131lboxId", "value": to}),
    ("by a text", lambda to: {"op": "move", "path": "/mailboxId", "value": str(to)}),
    ("by a text with zeros", lambda to: {"op": "move", "path": "/mailboxId", "value": f"000{to}"}),
    ("by a fraction", lambda to: {"op": "move", "path": "/mailboxId", "value": float(to)}),
    ("by a list", lambda to: {"op": "move", "path": "/mailboxId", "value": [to]}),
    ("by an object", lambda to: {"op": "move", "path": "/mailboxId", "value": {"id": to}}),
    ("by digits of another script", lambda to: {"op": "move", "path": "/mailboxId", "value": "\uff15\uff10\uff12"}),
    ("by a number without end", lambda to: {"op": "move", "path": "/mailboxId", "value": 10**400}),
    ("from somewhere", lambda to: {"op": "move", "from": "/mailboxId", "path": "/mailboxId", "value": to}),
    ("as a list", lambda to: [{"op": "move", "path": "/mailboxId", "value": to}]),
    ("as the last step", lambda to: [
        {"op": "replace", "path": "/subject", "value": "x"}, {"op": "move", "path": "/mailboxId", "value": to},
    ]),
    ("as a list in a list", lambda to: [[{"op": "move", "path": "/mailboxId", "value": to}]]),
]  # fmt: skip


@pytest.mark.parametrize("step", [step for _, step in MOVES], ids=[words for words, _ in MOVES])
def test_no_conversation_is_moved_elsewhere(world: World, step: Callable[[int], Any]) -> None:
    conversation = world.begin()
    with world.watched(world.narrow) as attempt:
        answers = [
            attempt.send("PATCH", f"/v2/conversations/{conversation}", step(side.inbox))
            for side in (world.foreign, world.nothing)
        ]
        assert answers[0].status in (400, 403), answers[0].everything
        assert alike(answers[0]) == alike(answers[1])


def test_a_step_that_is_refused_leaves_the_others_undone(world: World) -> None:
    conversation = world.begin()
    steps = [
        {"op": "replace", "path": "/subject", "value": "half done"},
        {"op": "replace", "path": "/primaryCustomer.id", "value": world.foreign.customer},
    ]
    with world.watched(world.narrow) as attempt:
        for order in (steps, steps[::-1]):
            assert attempt.send("PATCH", f"/v2/conversations/{conversation}", order).status == 403
    assert world.desk.get(f"/v2/conversations/{conversation}").json()["subject"] != "half done"


ODD_VALUES = [
    10**400,
    -1,
    0,
    2**63,
    1.5,
    1e308,
    True,
    [],
    {},
    None,
    "\ud7ff",
    "a" * 100_000,
    {"a": {"b": [1, {"c": 2}]}},
]


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda one: str(one)[:20])
def test_no_value_however_odd_is_more_than_a_bad_request(world: World, value: Any) -> None:
    conversation = world.begin()
    with world.watched(world.narrow, writes=True) as attempt:
        for path in ("/status", "/assignTo", "/mailboxId", "/primaryCustomer.id", "/draft", "/tags", "/"):
            answer = attempt.send(
                "PATCH", f"/v2/conversations/{conversation}", {"op": "replace", "path": path, "value": value}
            )
            assert answer.status in (204, 400, 403), answer.everything
        body = {"conversationIds": value} if isinstance(value, list) else {"conversationIds": [value]}
        answer = attempt.send("POST", f"/v2/workflows/{world.own.workflow}/run", body)
        assert answer.status in (400, 403), answer.everything


def test_an_address_that_is_somebodys_elsewhere_tells_nothing_of_them(world: World) -> None:
    """That it is taken shows, for addresses are unique; not by whom, where, or since when."""
    with world.watched(world.narrow, may_see=frozenset({"email"})) as attempt:
        path, value = f"/v2/customers/{world.own.customer}/emails", {"value": world.foreign.email}
        answer = attempt.send("POST", path, value)
        assert answer.status == 409
        assert str(world.foreign.customer) not in answer.text


# -- Keys, pauses, the kill switch


def refused(world: World, agent: AgentOf, status: int, reason: str | None) -> None:
    """Reading and writing are both refused, for this reason, and change nothing."""
    with world.watched(agent) as attempt:
        for answer in (
            attempt.get(f"/v2/conversations/{world.own.conversation}"),
            attempt.send("POST", f"/v2/conversations/{world.own.conversation}/notes", {"text": unique("late")}),
            attempt.get(f"/v2/conversations/{world.foreign.conversation}"),
        ):
            assert (answer.status, answer.reason) == (status, reason), answer.everything


def worker(world: World) -> AgentOf:
    """An agent that could read and write until just now."""
    agent = world.agent(resources=everything_in(world.own.inbox))
    assert agent.get(f"/v2/conversations/{world.own.conversation}").status_code == 200
    return agent


@contextmanager
def later(world: World, by: timedelta) -> Iterator[None]:
    """So much later, for the gateway; afterwards it is now again."""
    clock = world.home.server.clock
    clock.advance(by)
    try:
        yield
    finally:
        clock.advance(-by)


def test_the_key_of_a_deleted_agent_is_no_key(world: World) -> None:
    agent, verbs = worker(world), world.home.server.app.gateway.administration
    world.home.server.run(verbs.delete(somebody(world.home), agent.id))
    refused(world, agent, 401, None)


def test_a_revoked_key_and_one_that_expired_are_no_keys(world: World) -> None:
    agent, server = worker(world), world.home.server
    verbs, who = server.app.gateway.administration, somebody(world.home)
    [key] = server.run(verbs.agent(who.account_id, agent.id)).keys
    second = server.run(verbs.add_key(who, agent.id, to_wire(server.clock.now() + timedelta(minutes=5))))
    server.run(verbs.revoke_key(who, agent.id, key.id))
    refused(world, agent, 401, None)
    agent.key = second.key
    assert agent.get("/v2/mailboxes").status_code == 200
    with later(world, timedelta(minutes=6)):
        refused(world, agent, 401, None)


def test_a_token_ends_with_the_agents_secret_and_with_its_time(world: World) -> None:
    agent, server = worker(world), world.home.server
    form = {"grant_type": "client_credentials", "client_id": agent.client_id, "client_secret": agent.client_secret}

    def token() -> requests.Response:
        return requests.post(server.url + "/v2/oauth2/token", data=form, timeout=30)

    agent.key = token().json()["access_token"]
    assert agent.get("/v2/mailboxes").status_code == 200
    with later(world, timedelta(days=3)):
        refused(world, agent, 401, None)
    agent.key = token().json()["access_token"]
    server.run(server.app.gateway.administration.renew_secret(somebody(world.home), agent.id))
    refused(world, agent, 401, None)
    assert token().status_code in (400, 401)


def test_a_paused_agent_does_nothing(world: World) -> None:
    agent, server = worker(world), world.home.server
    verbs, who = server.app.gateway.administration, somebody(world.home)
    server.run(verbs.pause(who, agent.id))
    refused(world, agent, 403, "paused")
    agent.grant(resources=everything_in(world.own.inbox))
    refused(world, agent, 403, "paused")


@pytest.mark.parametrize("scope", ["agent", "all", "writes", "inbox_writes"])
def test_the_kill_switch_stops(world: World, scope: Any) -> None:
    agent, server = worker(world), world.home.server
    verbs, who = server.app.gateway.administration, somebody(world.home)
    target = {"agent": agent.id, "inbox_writes": world.own.inbox}.get(scope)
    stop = server.run(verbs.stop(who, scope, target))
    try:
        if scope in ("agent", "all"):
            refused(world, agent, 403, "stopped")
        with world.watched(agent) as attempt:
            own, note = world.own, {"text": "x"}
            writes = [
                attempt.send("POST", f"/v2/conversations/{own.conversation}/notes", note),
                attempt.send("PUT", f"/v2/conversations/{own.conversation}/tags", {"tags": ["x"]}),
                attempt.send("POST", f"/v2/workflows/{own.workflow}/run", {"conversationIds": [own.conversation]}),
                attempt.send("POST", "/v2/conversations", begun(world)),
                attempt.send("PUT", f"/v2/customers/{own.customer}", {"firstName": "x"}),
                attempt.send("POST", f"/v2/mailboxes/{own.inbox}/saved-replies", {"name": "x", "text": "x"}),
                attempt.send("PUT", f"/v2/webhooks/{own.webhook}", {}),
                attempt.send("DELETE", f"/v2/conversations/{own.conversation}"),
            ]
            for one in writes:
                # A remote desk's workflow may do anything anywhere, so that running one is refused in any case.
                assert one.reason in ("stopped", "missing_grant" if world.remote else "stopped") or one.status == 400
    finally:
        server.run(verbs.lift(who, stop.id))
    assert agent.get(f"/v2/conversations/{world.own.conversation}").status_code == 200


def test_grants_that_were_taken_away_or_ended_are_gone_at_once(world: World) -> None:
    agent = worker(world)
    agent.grant(resources={"conversations": {"level": "off"}})
    with world.watched(agent) as attempt:
        assert attempt.get(f"/v2/conversations/{world.own.conversation}").reason == "missing_grant"
    ends = to_wire(world.home.server.clock.now() + timedelta(minutes=5))
    agent.grant(resources=everything_in(world.own.inbox), expires_at=ends)
    assert agent.get(f"/v2/conversations/{world.own.conversation}").status_code == 200
    with later(world, timedelta(minutes=6)):
        refused(world, agent, 403, "missing_grant")


# -- What came before: keys of idempotency, approvals


def test_a_key_of_idempotency_is_each_agents_own(world: World) -> None:
    first, second = world.wide, world.narrow
    conversation, elsewhere = world.begin(), world.begin()
    key = {"Idempotency-Key": unique("key")}
    body = {"text": unique("Once "), "customer": WHO}
    path = f"/v2/conversations/{conversation}/reply"
    with world.watched(first, may_see=OF_THE_ACCOUNT, writes=True) as attempt:
        made = attempt.send("POST", path, body, headers=key)
        again = attempt.send("POST", path, body, headers=key)
        assert (made.headers["resource-id"], again.headers["idempotent-replayed"]) == (
            again.headers["resource-id"], "true",
        )  # fmt: skip
        other = attempt.send("POST", f"/v2/conversations/{elsewhere}/reply", body, headers=key)
        assert (other.status, other.reason) == (422, "idempotency_key_reused")
        third = attempt.send("POST", path, body | {"text": "Twice"}, headers=key)
        assert (third.status, third.reason) == (422, "idempotency_key_reused")
    with world.watched(second, writes=True) as attempt:
        answer = attempt.send("POST", f"/v2/conversations/{elsewhere}/reply", body, headers=key)
        assert answer.status == 201
        assert "idempotent-replayed" not in answer.headers
    with world.watched(second) as attempt:
        for bad in ("", "a b", "\u00e9".encode().decode("latin-1"), "x" * 256):
            answer = attempt.send("POST", path, body, headers={"Idempotency-Key": bad})
            assert answer.status == 400, answer.everything


def test_what_was_answered_once_is_not_told_again_after_the_grant_is_gone(world: World) -> None:
    agent, conversation = worker(world), world.begin()
    key = {"Idempotency-Key": unique("key")}
    path, body = f"/v2/conversations/{conversation}/notes", {"text": unique("Once ")}
    assert agent.request("POST", path, json=body, headers=key).status_code == 201
    assert world.desk.patch(
        f"/v2/conversations/{conversation}", {"op": "move", "path": "/mailboxId", "value": world.foreign.inbox}
    ).ok
    with world.watched(agent) as attempt:
        answer = attempt.send("POST", path, body, headers=key)
        assert (answer.status, answer.reason) == (403, "missing_grant")


def held(world: World, agent: AgentOf, conversation: int, text: str = "Please wait") -> int:
    body = {"text": unique(text), "customer": WHO}
    answer = agent.post(f"/v2/conversations/{conversation}/reply", body)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["approval_id"])


def approve(world: World, id: int, edited_text: str | None = None) -> Outcome:
    who = somebody(world.home)
    approvals = world.home.server.app.gateway.approvals
    return world.home.server.run(approvals.approve(world.home.account_id, id, who.by, who.words, edited_text))


def test_an_approval_is_used_once_however_many_give_it(world: World) -> None:
    agent, conversation = world.standing("held", **written(world, reply_to_conversation="hold")), world.begin()
    id, mails = held(world, agent, conversation), world.mails()

    def one(_: int) -> str:
        try:
            return approve(world, id).state
        except Problem as problem:
            return str(problem.status)

    with ThreadPoolExecutor(6) as pool:
        found = sorted(pool.map(one, range(6)))
    assert found == ["409"] * 5 + ["executed"]
    assert [state for state, _ in messages(world, conversation)] == ["published"]
    assert world.mails() == mails + 1


AFTERWARDS: list[tuple[str, Callable[[World, AgentOf, int], Any]]] = [
    ("the conversation was moved away", lambda world, agent, id: world.desk.patch(
        f"/v2/conversations/{id}", {"op": "move", "path": "/mailboxId", "value": world.foreign.inbox})),
    ("the customer wrote again", lambda world, agent, id: world.desk.post(
        f"/v2/conversations/{id}/customer", {"text": "Never mind", "customer": WHO})),
    ("somebody answered", lambda world, agent, id: world.desk.post(
        f"/v2/conversations/{id}/reply", {"text": "Done", "customer": WHO, "imported": True})),
    ("somebody closed it", lambda world, agent, id: world.desk.patch(
        f"/v2/conversations/{id}", {"op": "replace", "path": "/status", "value": "closed"})),
    ("it was deleted", lambda world, agent, id: world.desk.delete(f"/v2/conversations/{id}")),
    ("the agent lost its grants", lambda world, agent, id: agent.grant()),
    ("the agent may only draft now", lambda world, agent, id: agent.grant(
        **written(world, reply_to_conversation="draft"))),
    ("the agent may write less now", lambda world, agent, id: agent.grant(
        **written(world, reply_to_conversation="hold"), limits={"max_text": 3})),
    ("the agent is paused", lambda world, agent, id: world.home.server.run(
        world.home.server.app.gateway.administration.pause(somebody(world.home), agent.id))),
    ("the agent was deleted", lambda world, agent, id: world.home.server.run(
        world.home.server.app.gateway.administration.delete(somebody(world.home), agent.id))),
]  # fmt: skip


@pytest.mark.parametrize("change", [one for _, one in AFTERWARDS], ids=[words for words, _ in AFTERWARDS])
def test_an_approval_is_worth_nothing_once(
    world: World, change: Callable[[World, AgentOf, int], Any]
) -> None:  # fmt: skip
    agent, conversation = world.agent(**written(world, reply_to_conversation="hold")), world.begin()
    id, mails = held(world, agent, conversation), world.mails()
    changed = change(world, agent, conversation)
    assert changed is None or getattr(changed, "status_code", 200) < 300, changed.text
    with pytest.raises(Problem):
        approve(world, id)
    assert world.mails() == mails


def test_an_approval_is_worth_nothing_after_a_day(world: World) -> None:
    agent, conversation = world.agent(**written(world, reply_to_conversation="hold")), world.begin()
    id = held(world, agent, conversation)
    with later(world, timedelta(hours=24)), pytest.raises(NotReleased):
        approve(world, id)
    with pytest.raises(NotReleased):
        approve(world, id)
    assert messages(world, conversation) == []


def test_another_text_is_read_as_if_the_agent_had_written_it(world: World) -> None:
    limited = written(world, reply_to_conversation="hold") | {"limits": {"max_text": 30}}
    agent, conversation = world.agent(**limited), world.begin()
    id = held(world, agent, conversation)
    for text in ("x" * 31, "", "a\0b"):
        with pytest.raises(Problem):
            approve(world, id, text)
    assert messages(world, conversation) == []
    assert approve(world, id, "Short").state == "executed"
    assert messages(world, conversation) == [("published", "Short")]


def test_what_is_held_can_not_be_changed_by_holding_it_again(world: World) -> None:
    agent, conversation = world.standing("held", **written(world, reply_to_conversation="hold")), world.begin()
    body = {"text": unique("First "), "customer": WHO}
    path = f"/v2/conversations/{conversation}/reply"
    first = agent.post(path, body).json()["approval_id"]
    assert agent.post(path, body).json()["approval_id"] == first
    assert agent.post(path, body | {"text": "Second"}).json()["approval_id"] != first
    assert approve(world, first).state == "executed"
    assert messages(world, conversation) == [("published", body["text"])]


# -- Races


def flooding(agent: AgentOf, conversations: list[int], until: threading.Event) -> list[tuple[float, int, str, int]]:
    """Write notes until it is enough: when each was begun, where, its text, and the status it was answered with."""
    sent: list[tuple[float, int, str, int]] = []
    with requests.Session() as http:
        while not until.is_set():
            for conversation in conversations:
                began, text = time.monotonic(), unique("Flood ")
                answer = http.post(
                    f"{agent.desk.server.url}/v2/conversations/{conversation}/notes", json={"text": text},
                    headers={"Authorization": f"Bearer {agent.key}"}, timeout=30,
                )  # fmt: skip
                sent.append((began, conversation, text, answer.status_code))
    return sent


def flooded(agent: AgentOf, conversations: list[int], change: Callable[[], Any]) -> tuple[float, list[Any]]:
    """Let three clients write while something is changed; when that was done, and all they sent."""
    until = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        clients = [pool.submit(flooding, agent, conversations, until) for _ in range(3)]
        time.sleep(0.2)
        change()
        done = time.monotonic()
        time.sleep(0.2)
        until.set()
        return done, [one for client in clients for one in client.result(30)]


def test_after_a_key_is_revoked_no_write_begins(world: World) -> None:
    agent, server = worker(world), world.home.server
    verbs, who = server.app.gateway.administration, somebody(world.home)
    [key] = server.run(verbs.agent(who.account_id, agent.id)).keys
    conversations = [world.begin() for _ in range(2)]
    done, sent = flooded(agent, conversations, lambda: server.run(verbs.revoke_key(who, agent.id, key.id)))
    assert {status for began, _, _, status in sent if began > done} == {401}
    there = {one["body"] for id in conversations for one in world.threads(id) if one["type"] == "note"}
    assert there == {text for _, _, text, status in sent if status == 201} & there
    assert not there & {text for began, _, text, _ in sent if began > done}


def test_after_the_kill_switch_no_write_begins(world: World) -> None:
    agent, server = worker(world), world.home.server
    verbs, who = server.app.gateway.administration, somebody(world.home)
    stops: list[Any] = []
    conversations = [world.begin()]
    try:
        done, sent = flooded(
            agent, conversations, lambda: stops.append(server.run(verbs.stop(who, "agent", agent.id)))
        )  # fmt: skip
    finally:
        server.run(verbs.lift(who, stops[0].id))
    assert {status for began, _, _, status in sent if began > done} == {403}


def test_nothing_is_written_in_a_conversation_once_it_has_moved_away(world: World) -> None:
    """In one process that holds to the row; over the wire some milliseconds are left between looking and writing."""
    agent, conversation = worker(world), world.begin()
    away = {"op": "move", "path": "/mailboxId", "value": world.foreign.inbox}

    def move() -> None:
        assert world.desk.patch(f"/v2/conversations/{conversation}", away).ok

    done, sent = flooded(agent, [conversation], move)
    statuses = {status for began, _, _, status in sent if began > done}
    assert statuses == {403}
    order = [one["type"] for one in reversed(world.threads(conversation))]
    if not world.remote and "lineitem" in order:
        assert "note" not in order[order.index("lineitem") :]


def test_nothing_unknown_is_created_by_id(world: World) -> None:
    with world.watched(world.narrow) as attempt:
        for method, path, body in (
            ("PUT", f"/v2/conversations/{UNKNOWN}", {"subject": "x"}),
            ("PATCH", f"/v2/conversations/{UNKNOWN}", {"op": "replace", "path": "/subject", "value": "x"}),
            ("PUT", f"/v2/mailboxes/{UNKNOWN}/routing", {}),
            ("POST", f"/v2/mailboxes/{UNKNOWN}/saved-replies", {"name": "x", "text": "x"}),
        ):
            assert attempt.send(method, path, body).status in (400, 403)
