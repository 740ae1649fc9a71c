"""Limits of arguments: each kind, in each body that has such an argument."""

from __future__ import annotations

from typing import Any, get_args, get_origin

import msgspec
import pytest

from deskhand.catalogue.operation import Asked, Resource
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.catalogue.values import decode_hook
from deskhand.gateway.limits import READERS, Hours, Limits, in_words
from deskhand.gateway.policy import Decision, Rule
from tests.gateway.asking import asked, decided, holding

EVERYTHING = {one.key: (3, None) for one in Resource}
CUSTOMER = {"email": "ben@buyer.example"}
BY_ID = {"id": 11}


def call(name: str, body: Any) -> Asked:
    """A call with a body as on the wire."""
    shape = BY_NAME[name].body
    return asked(name, body=msgspec.convert(body, shape, dec_hook=decode_hook))


def with_limits(name: str, body: Any, *, of: str = "", **limits: Any) -> Decision:
    """The decision about a call of somebody who holds everything, but with limits: of the agent, or of an action."""
    limits = {field: frozenset(one) if isinstance(one, list) else one for field, one in limits.items()}
    if of:
        needs = [asked(one).operation.needs(asked(one))[0] for one in {name, of}]
        grants = holding(EVERYTHING, {of: Rule("allow", Limits(**limits))})
        return decided(grants, asked(name, *needs, body=call(name, body).body))
    return decided(holding(EVERYTHING, limits=Limits(**limits)), call(name, body))


def new(*threads: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A new conversation on the wire."""
    common = {"subject": "Hi", "type": "email", "mailboxId": 501, "status": "active", "customer": BY_ID}
    return common | fields | {"threads": list(threads)}


def thread(kind: str = "note", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "text": "Hello"} | fields


def reply(**fields: Any) -> dict[str, Any]:
    return {"text": "Hello", "customer": BY_ID} | fields


STATUSES: dict[str, Any] = {"statuses": ["active", "closed"]}
OWNERS: dict[str, Any] = {"assign_to": [7, 8]}
TAGS: dict[str, Any] = {"tags": ["vip", "straße".casefold()]}
DOMAINS: dict[str, Any] = {"recipient_domains": ["buyer.example"]}
SHORT: dict[str, Any] = {"max_text": 5}
PATHS: dict[str, Any] = {"patch_paths": ["/status", "/emails"]}
SPEAKS: dict[str, Any] = {"speak_for_others": True}

ALLOWED = [
    ("reply_to_conversation", reply(status="closed"), STATUSES),
    ("reply_to_conversation", reply(status="open"), STATUSES),
    ("reply_to_conversation", reply(), STATUSES),
    ("create_conversation", new(thread(), status="open"), STATUSES),
    ("update_conversation", {"op": "replace", "path": "/status", "value": "closed"}, STATUSES),
    ("update_workflow", {"op": "replace", "path": "/status", "value": "inactive"}, STATUSES),
    ("set_user_status", {"status": "away"}, STATUSES),
    ("reply_to_conversation", reply(assignTo=7), OWNERS),
    ("reply_to_conversation", reply(assignTo=None), OWNERS),
    ("update_conversation", {"op": "replace", "path": "/assignTo", "value": 8}, OWNERS),
    ("update_conversation", {"op": "replace", "path": "/assignTo", "value": "8"}, OWNERS),
    ("update_conversation", {"op": "remove", "path": "/assignTo"}, OWNERS),
    ("set_conversation_tags", {"tags": ["VIP", " vip ", "STRASSE"]}, TAGS),
    ("set_conversation_tags", {"tags": []}, TAGS),
    ("reply_to_conversation", reply(cc=["a@Buyer.Example"], customer=CUSTOMER), DOMAINS),
    ("reply_to_conversation", reply(customer=CUSTOMER), DOMAINS),
    ("update_customer", [{"op": "replace", "path": "/firstName", "value": "Ben"}], DOMAINS),
    ("add_note", {"text": "Hello"}, SHORT),
    ("update_thread", {"op": "replace", "path": "/hidden", "value": True}, SHORT),
    ("update_conversation", [{"op": "replace", "path": "status", "value": "spam"}], PATHS),
    ("update_customer", [{"op": "remove", "path": "/emails/7"}], PATHS),
    ("delete_customer", None, PATHS),
    ("reply_to_conversation", reply(user=5, imported=True, createdAt="2020-01-01T00:00:00Z"), SPEAKS),
    ("reply_to_conversation", reply(imported=False), {}),
    ("set_inbox_routing", None, STATUSES | OWNERS | TAGS | DOMAINS | SHORT | PATHS),
]  # fmt: skip

REFUSED = [
    ("reply_to_conversation", reply(status="spam"), STATUSES, "status"),
    ("reply_to_conversation", reply(status="inbox_predefined"), STATUSES, "status"),
    ("reply_to_conversation", reply(status="all"), STATUSES, "status"),
    ("add_note", {"text": "x", "status": "pending"}, STATUSES, "status"),
    ("create_conversation", new(thread(), status="spam"), STATUSES, "status"),
    ("update_conversation", {"op": "replace", "path": "/status", "value": "spam"}, STATUSES, "value"),
    ("update_conversation", {"op": "replace", "path": "status", "value": "spam"}, STATUSES, "value"),
    ("update_conversation", {"op": "replace", "path": "/Status/", "value": "spam"}, STATUSES, "value"),
    ("update_conversation", {"op": "add", "path": "/status", "value": ["closed"]}, STATUSES, "value"),
    ("update_conversation", {"op": "add", "path": "/status", "value": {"closed": 1}}, STATUSES, "value"),
    ("reply_to_conversation", reply(assignTo=9), OWNERS, "assignTo"),
    ("create_conversation", new(thread(), assignTo=9), OWNERS, "assignTo"),
    (
        "update_conversation",
        [{"op": "replace", "path": "/subject", "value": "x"}, {"op": "replace", "path": "/assignTo", "value": 9}],
        OWNERS, "[1].value",
    ),
    ("update_conversation", {"op": "replace", "path": "/assignTo", "value": "9"}, OWNERS, "value"),
    ("update_conversation", {"op": "replace", "path": "/assignTo", "value": [7]}, OWNERS, "value"),
    ("update_conversation", {"op": "replace", "path": "/assignTo", "value": True}, OWNERS, "value"),
    ("update_conversation", {"op": "replace", "path": "/assignTo", "value": "٧"}, OWNERS, "value"),
    ("set_conversation_tags", {"tags": ["vip", "other"]}, TAGS, "tags[1]"),
    ("create_conversation", new(thread(), tags=["vip", "refund"]), TAGS, "tags[1]"),
    ("reply_to_conversation", reply(customer=CUSTOMER, cc=["a@buyer.example", "a@evil.example"]), DOMAINS, "cc[1]"),
    ("reply_to_conversation", reply(customer=CUSTOMER, bcc=[{"email": "a@evil.example"}]), DOMAINS, "bcc[0]"),
    ("reply_to_conversation", reply(customer=CUSTOMER, bcc=["a@buyer.example.evil.example"]), DOMAINS, "bcc[0]"),
    ("reply_to_conversation", reply(), DOMAINS, "customer.id"),
    ("update_conversation", {"op": "replace", "path": "/primaryCustomer.id", "value": 11}, DOMAINS, "value"),
    ("reply_to_conversation", reply(customer={"email": "a@sub.buyer.example"}), DOMAINS, "customer.email"),
    ("reply_to_conversation", reply(customer={"id": 5, "email": "a@buyer.example"}), DOMAINS, "customer.id"),
    ("create_conversation", new(thread(), customer={"email": "a@evil.example"}), DOMAINS, "customer.email"),
    (
        "create_conversation",
        new(
            thread(), thread("reply", cc=["a@buyer.example", "a@evil.example"], customer=CUSTOMER), customer=CUSTOMER
        ),
        DOMAINS, "threads[1].cc[1]",
    ),
    (
        "create_conversation",
        new(thread("reply", customer={"email": "a@evil.example"}), customer=CUSTOMER),
        DOMAINS, "threads[0].customer.email",
    ),
    (
        "create_customer",
        {"emails": [{"value": "a@buyer.example"}, {"value": "a@evil.example"}]}, DOMAINS, "emails[1].value",
    ),
    ("add_customer_email", {"type": "home", "value": "a@evil.example"}, DOMAINS, "value"),
    ("update_customer_email", {"value": "a@evil.example"}, DOMAINS, "value"),
    ("update_customer", [{"op": "add", "path": "/emails", "value": {"value": "a@evil.example"}}], DOMAINS, "[0].value"),
    ("update_customer", [{"op": "replace", "path": "/emails/7/value", "value": "a@evil.ex"}], DOMAINS, "[0].value"),
    (
        "update_customer",
        [{"op": "replace", "path": "/emails", "value": [{"value": "a@buyer.example"}, {"value": "a@evil.example"}]}],
        DOMAINS, "[0].value",
    ),
    ("add_note", {"text": "Hello!"}, SHORT, "text"),
    ("add_phone", {"text": "Hello!", "customer": BY_ID}, SHORT, "text"),
    ("create_conversation", new(thread(), thread(text="Hello!")), SHORT, "threads[1].text"),
    ("update_thread", {"op": "replace", "path": "/text", "value": "Hello!"}, SHORT, "value"),
    ("update_thread", {"op": "replace", "path": "text", "value": "Hello!"}, SHORT, "value"),
    ("create_saved_reply", {"name": "x", "chatText": "Hello!"}, SHORT, "chatText"),
    ("update_conversation", {"op": "replace", "path": "/subject", "value": "x"}, PATHS, "path"),
    ("update_conversation", {"op": "replace", "path": "/statuses", "value": "x"}, PATHS, "path"),
    (
        "update_conversation",
        [{"op": "replace", "path": "/status", "value": "x"}, {"op": "replace", "path": "/draft", "value": False}],
        PATHS, "[1].path",
    ),
    ("update_customer", [{"op": "replace", "path": "/firstName", "value": "x"}], PATHS, "[0].path"),
    ("update_customer_properties", [{"op": "replace", "path": "/tier", "value": "x"}], PATHS, "[0].path"),
    ("update_thread", {"op": "replace", "path": "/text", "value": "x"}, PATHS, "path"),
    ("reply_to_conversation", reply(user=5), {}, "user"),
    ("reply_to_conversation", reply(imported=True), {}, "imported"),
    ("reply_to_conversation", reply(createdAt="2020-01-01T00:00:00Z"), {}, "createdAt"),
    ("add_note", {"text": "x", "user": 5}, {}, "user"),
    ("add_chat", {"text": "x", "customer": BY_ID, "createdAt": "2020-01-01T00:00:00Z"}, {}, "createdAt"),
    ("create_conversation", new(thread(), user=5), {}, "user"),
    ("create_conversation", new(thread(), imported=True), {}, "imported"),
    ("create_conversation", new(thread(user=5)), {}, "threads[0].user"),
    ("create_conversation", new(thread(imported=True)), {"speak_for_others": False}, "threads[0].imported"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "limits"), ALLOWED)
def test_arguments_within_the_limits_pass(name: str, body: Any, limits: dict[str, Any]) -> None:
    if body is None:
        assert decided(holding(EVERYTHING, limits=Limits()), asked(name)).outcome == "allowed"
    else:
        assert with_limits(name, body, **limits).outcome == "allowed"


@pytest.mark.parametrize(("name", "body", "limits", "path"), REFUSED)
def test_an_argument_outside_the_limits_is_refused_by_its_path(
    name: str, body: Any, limits: dict[str, Any], path: str
) -> None:
    found = with_limits(name, body, **limits)
    assert (found.outcome, found.reason, found.path, found.missing) == ("refused", "limit", path, None)
    assert found.rule.startswith("it may ")


@pytest.mark.parametrize(("name", "body", "limits", "path"), [one for one in REFUSED if one[2]])
def test_an_action_has_limits_of_its_own(name: str, body: Any, limits: dict[str, Any], path: str) -> None:
    assert with_limits(name, body, of=name, **limits).path == path
    if "speak_for_others" not in limits:  # which nobody has without being granted it
        assert with_limits(name, body, of="delete_user", **limits).outcome == "allowed"


def test_an_actions_limits_hold_for_the_same_thing_inside_another_call() -> None:
    assert (
        with_limits("create_conversation", new(thread(text="Hello!")), of="add_note", **SHORT).path == "threads[0].text"
    )
    assert with_limits("create_conversation", new(thread("reply", text="Hello!")), of="add_note", **SHORT).path is None
    closing = reply(status="spam")
    assert with_limits("reply_to_conversation", closing, of="update_conversation", **STATUSES).path == "status"
    assert with_limits("create_conversation", new(tags=["x"]), of="set_conversation_tags", **TAGS).path == "tags[0]"


def test_an_agents_limits_and_an_actions_hold_both() -> None:
    grants = holding(EVERYTHING, {"add_note": Rule("allow", Limits(max_text=3))}, limits=Limits(max_text=5))
    assert decided(grants, call("add_note", {"text": "abcd"})).path == "text"
    assert decided(grants, call("add_note", {"text": "abc"})).path is None
    grants = holding(EVERYTHING, {"add_note": Rule("allow", Limits(max_text=9))}, limits=Limits(max_text=5))
    assert decided(grants, call("add_note", {"text": "abcdef"})).path == "text"


def test_the_most_particular_word_on_speaking_for_others_decides() -> None:
    body = {"text": "x", "user": 5}
    for agent, action, allowed in (
        (None, True, True), (True, None, True), (True, False, False), (False, True, True), (None, None, False),
    ):  # fmt: skip
        rule = Rule("allow", Limits(speak_for_others=action))
        grants = holding(EVERYTHING, {"add_note": rule}, limits=Limits(speak_for_others=agent))
        assert (decided(grants, call("add_note", body)).outcome == "allowed") == allowed, (agent, action)


def test_a_held_call_is_within_the_limits_too() -> None:
    grants = holding(EVERYTHING, {"add_note": "hold"}, limits=Limits(max_text=5))
    assert decided(grants, call("add_note", {"text": "Hello!"})).outcome == "refused"
    assert decided(grants, call("add_note", {"text": "Hello"})).outcome == "held"


def test_what_is_not_granted_is_said_before_what_is_not_within_the_limits() -> None:
    grants = holding({"threads": (1, None)}, limits=Limits(max_text=1))
    assert decided(grants, call("add_note", {"text": "Hello!"})).reason == "missing_grant"


def test_no_body_with_such_an_argument_is_overlooked() -> None:
    known = {"status", "assign_to", "cc", "bcc", "user", "imported", "created_at", "tags", "text", "path", "emails"}
    overlooked = {
        one.name
        for one in OPERATIONS
        for shape in (get_args(one.body) or (one.body,))
        if known & set(getattr(shape, "__struct_fields__", ()))
        and shape not in READERS
        and get_origin(one.body) is not list
    }
    assert overlooked == {"set_user_status"}  # of a user, not of a conversation


def test_limits_are_told_in_words() -> None:
    weekdays = Hours(8 * 60, 18 * 60, "Europe/Berlin", frozenset((1, 2, 3, 4, 5)))
    limits = Limits(
        statuses=frozenset(("closed", "active")), assign_to=frozenset((7,)), max_text=2000, speak_for_others=True,
        hours=weekdays,
    )  # fmt: skip
    assert in_words(limits) == [
        "set the status to active or closed only",
        "assign to user 7 only",
        "write 2,000 characters at a time",
        "act from 08:00 to 18:00 on Mondays, Tuesdays, Wednesdays, Thursdays and Fridays (Europe/Berlin) only",
        "speak for others",
    ]
    named = Limits(assign_to=frozenset((7, 8)), patch_paths=frozenset(("/status", "/assignTo", "/odd")))
    assert in_words(named, {7: "Maud Brindle"}) == [
        "assign to Maud Brindle or user 8 only", "change /odd, the owner or the status only"
    ]  # fmt: skip
