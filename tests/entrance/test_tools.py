"""Tools as they are derived from the catalogue: what they take, whom they are shown to, and the calls they mean."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from deskhand.catalogue.operation import Extent, Place
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.catalogue.problems import BadRequest
from deskhand.entrance import tools
from deskhand.entrance.tools import Tool
from deskhand.gateway.calls import Request
from deskhand.gateway.limits import Limits
from deskhand.gateway.policy import Grants
from tests.gateway.asking import IN_ORDERS, NOW, ORDERS, PRODUCTS, asked, decided, holding, needed

TOOLS = {tool.name: tool for tool in tools.derived(OPERATIONS)}
RESOURCES = [
    "conversations", "threads", "customers", "inboxes", "users", "teams", "tags", "organizations", "saved_replies",
    "workflows", "ratings", "reports", "webhooks",
]  # fmt: skip


def meant(name: str, **arguments: Any) -> Request:
    return tools.request(TOOLS[name], arguments)


def faults(name: str, arguments: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a call's arguments, by argument."""
    with pytest.raises(BadRequest) as refused:
        tools.request(TOOLS[name], arguments)
    return {error.path: error.message for error in refused.value.errors}


def names_listed(grants: Grants) -> list[str]:
    return [shown["name"] for shown in described(grants)]


def described(grants: Grants) -> list[dict[str, Any]]:
    return [msgspec.json.decode(bytes(raw)) for raw in tools.listed(TOOLS.values(), grants, NOW)]


# -- What they are


def test_every_operation_is_a_tool_by_its_own_name():
    assert list(TOOLS) == [operation.name for operation in OPERATIONS]


@pytest.mark.parametrize("tool", TOOLS.values(), ids=lambda tool: tool.name)
def test_a_tool_is_described_by_valid_schemas_without_references(tool: Tool):
    text = bytes(tool.written)
    shown = msgspec.json.decode(text)
    Draft202012Validator.check_schema(shown["inputSchema"])
    Draft202012Validator.check_schema(shown.get("outputSchema", {}))
    assert shown["inputSchema"]["type"] == "object"
    assert shown["inputSchema"]["additionalProperties"] is False
    assert set(shown["inputSchema"].get("required", ())) <= set(shown["inputSchema"]["properties"])
    assert shown.get("outputSchema", {"type": "object"})["type"] == "object"  # older revisions know nothing else
    assert b"$ref" not in text
    assert b'"title":"Shape' not in text


@pytest.mark.parametrize("tool", TOOLS.values(), ids=lambda tool: tool.name)
def test_every_argument_says_its_type_which_some_clients_insist_on(tool: Tool):
    """VS Code takes no list that does not say what is in it, and Gemini no value without a type."""
    for schema in parts(tool.described["inputSchema"]):
        assert "anyOf" in schema or isinstance(schema.get("type"), str), schema
        assert ("items" in schema) == (schema.get("type") == "array"), schema
    for schema in parts(tool.described.get("outputSchema", {})):
        assert "items" in schema or schema.get("type") != "array", schema


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all that it is made of."""
    yield schema
    for inner in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        yield from parts(inner)
    if "items" in schema:
        yield from parts(schema["items"])


def test_several_values_are_one_or_a_list():
    takes = TOOLS["list_conversations"].described["inputSchema"]["properties"]
    id = {"type": "integer", "minimum": 1}
    assert takes["mailbox"]["anyOf"] == [id, {"type": "array", "items": id}]
    assert takes["tag"]["anyOf"] == [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    for given in (501, [501, 502]):
        Draft202012Validator(takes["mailbox"]).validate(given)


def test_models_are_told_how_to_search():
    for name in ("list_conversations", "list_customers"):
        assert '(email:"' in TOOLS[name].described["description"]


def test_arguments_are_parameters_and_the_body_s_fields_flat():
    assert TOOLS["reply_to_conversation"].arguments >= {"conversation_id", "text", "customer", "assignTo", "draft"}
    assert TOOLS["list_conversations"].arguments >= {"mailbox", "status", "assigned_to", "sortField", "page"}
    assert TOOLS["update_conversation"].arguments == {"conversation_id", "body"}  # it may be a list
    assert TOOLS["delete_organization_property"].arguments == {"slug"}
    assert not any("body" in tool.fields for tool in TOOLS.values())


def test_models_are_told_what_a_tool_does_needs_and_may_destroy():
    shown = {name: msgspec.json.decode(bytes(tool.written)) for name, tool in TOOLS.items()}
    assert "Needs write access to threads." in shown["add_attachment"]["description"]
    assert "Read the tags first" in shown["set_conversation_tags"]["description"]
    hints = {name: one["annotations"] for name, one in shown.items()}
    assert hints["list_threads"]["readOnlyHint"]
    assert not hints["reply_to_conversation"]["readOnlyHint"]
    assert not hints["reply_to_conversation"]["destructiveHint"]
    assert hints["reply_to_conversation"]["openWorldHint"]
    assert hints["delete_customer"]["destructiveHint"]
    assert hints["set_conversation_tags"]["destructiveHint"]  # it takes others off
    assert [name for name, hint in hints.items() if hint["readOnlyHint"] and BY_NAME[name].method != "GET"] == []


# -- Whom they are shown to


def test_nothing_granted_shows_nothing():
    assert names_listed(Grants()) == []


def test_levels_and_settings_decide_what_is_shown():
    read = names_listed(holding({"conversations": (1, None)}))
    assert read == ["list_conversations", "get_conversation", "get_conversation_v3"]
    off = names_listed(holding({"conversations": (3, None)}, {"delete_conversation": "off"}))
    assert "create_conversation" in off
    assert "delete_conversation" not in off
    lifted = names_listed(holding({"conversations": (0, ORDERS)}, {"set_conversation_tags": "hold"}))
    assert lifted == ["set_conversation_tags"]


def test_nothing_is_shown_without_inboxes_or_after_the_grants_ended():
    assert names_listed(holding({"conversations": (3, ())})) == []
    ended = holding({"conversations": (3, None)}, expires_at="2026-11-23T09:30:00Z")
    assert names_listed(ended) == []


def test_what_concerns_all_inboxes_is_not_shown_for_some():
    assert "create_customer" in names_listed(holding({"customers": (2, None)}))
    assert "create_customer" not in names_listed(holding({"customers": (2, ORDERS)}))
    assert "list_customers" in names_listed(holding({"customers": (2, ORDERS)}))


def test_writing_as_the_customer_is_shown_only_if_granted_by_name():
    threads = {"threads": (2, None)}
    assert "add_customer_thread" not in names_listed(holding(threads))
    assert "add_customer_thread" in names_listed(holding(threads, {"add_customer_thread": "allow"}))
    assert "add_customer_thread" in names_listed(holding(threads, limits=Limits(speak_for_others=True)))


def test_what_always_takes_more_than_its_own_access_is_shown_only_with_that():
    threads = {"threads": (2, None)}
    for setting in ("off", "draft"):  # a draft that went out would be a reply
        shown = names_listed(holding(threads, {"reply_to_conversation": setting}))
        assert "unschedule_thread" in shown
        assert not {"schedule_thread", "send_scheduled_thread"}.intersection(shown)
    assert "send_scheduled_thread" in names_listed(holding(threads, {"reply_to_conversation": "hold"}))
    alone = names_listed(holding({"reports": (1, None), "ratings": (1, None), "organizations": (1, None)}))
    assert "get_happiness_report" in alone
    assert not {"get_rating", "get_happiness_ratings_report", "list_organization_customers"}.intersection(alone)
    assert "list_organization_conversations" not in alone
    assert "run_workflow" not in names_listed(holding({"workflows": (2, None)}))
    assert "run_workflow" in names_listed(holding({"workflows": (2, ORDERS), "conversations": (2, ORDERS)}))
    apart = holding({"workflows": (2, ORDERS), "conversations": (2, PRODUCTS)})
    assert "run_workflow" not in names_listed(apart)


def test_a_tool_says_that_its_calls_wait_or_stay_drafts():
    held = holding({"threads": (2, None)}, {"reply_to_conversation": "draft", "add_note": "hold"})
    words = {shown["name"]: shown["description"] for shown in described(held)}
    assert "kept as drafts" in words["reply_to_conversation"]
    assert "A person decides" in words["add_note"]
    assert "A person decides" not in words["add_chat"]


def test_what_may_be_allowed_is_shown_and_what_is_not_shown_is_refused():
    dice = random.Random(4)
    seen = {True: 0, False: 0}
    for _ in range(4000):
        operation = dice.choice(OPERATIONS)
        grants = some_grants(dice, operation.name)
        everywhere = tools.concerns_all_inboxes(operation)
        places: list[Place] = [Extent.EVERY] if everywhere else [IN_ORDERS, Extent.EVERY, Extent.NONE]
        names = [operation.name, *([tools.ALSO[operation.name]] if operation.name in tools.ALSO else [])]
        calls = [asked(operation.name, *(needed(name, place) for name in names), path=(1,)) for place in places]
        shown = tools.could(grants, operation, NOW)
        assert shown == any(decided(grants, call).outcome != "refused" for call in calls), (operation.name, grants)
        seen[shown] += 1
    assert min(seen.values()) > 500


def some_grants(dice: random.Random, operation: str) -> Grants:
    resources = {
        name: (dice.randint(0, 3), dice.choice([None, (ORDERS,), (ORDERS, PRODUCTS), ()]))
        for name in RESOURCES
        if dice.random() < 0.8
    }
    settings = ["off", "allow", "hold"] + (["draft"] if operation == "reply_to_conversation" else [])
    chosen: Any = {operation: dice.choice(settings)} if dice.random() < 0.4 else {}
    return holding(resources, chosen)


# -- What a call means


def test_a_call_is_the_request_that_a_client_would_send():
    assert meant("get_conversation", conversation_id=7) == Request("GET", "/v2/conversations/7")
    listed = meant("list_conversations", mailbox=[501, 502], status="all", tag="a b", page=2, folder=None)
    assert listed.query == "mailbox=501%2C502&status=all&tag=a%20b&page=2"
    assert meant("delete_customer", customer_id=3, **{"async": True}).query == "async=true"
    assert meant("delete_organization_property", slug="a/../b").path == "/v2/organizations/properties/a%2F..%2Fb"
    note = meant("add_note", conversation_id="7", text="ä", status=None)
    assert (note.path, note.headers) == ("/v2/conversations/7/notes", {"content-type": "application/json"})
    assert msgspec.json.decode(note.body) == {"text": "ä", "status": None}
    step = {"op": "replace", "path": "/status", "value": "closed"}
    assert msgspec.json.decode(meant("update_conversation", conversation_id=7, body=[step]).body) == [step]


def test_an_idempotency_key_goes_along_as_a_header():
    request = tools.request(TOOLS["add_note"], {"conversation_id": 7, "text": "x"}, "k1")
    assert request.headers["idempotency-key"] == "k1"
    with pytest.raises(BadRequest):
        tools.request(TOOLS["add_note"], {"conversation_id": 7, "text": "x"}, 7)


@pytest.mark.parametrize("id", [0, -1, 1.5, True, "", "7/../8", "٧", 2**63, [7], {"id": 7}, None, "7?x=1", "%37"])
def test_what_is_no_id_can_t_be_in_a_path(id: Any):
    assert list(faults("get_conversation", {"conversation_id": id})) == ["conversation_id"]


def test_all_arguments_at_fault_are_named():
    found = faults("list_threads", {"page": {"a": 1}, "embed": "threads"})
    assert found == {
        "embed": "is not an argument of this tool",
        "conversation_id": "may not be empty",
        "page": "must be a text, a number or a list of them",
    }
    assert list(faults("update_conversation", {"conversation_id": 7})) == ["body"]
    assert list(faults("delete_organization_property", {"slug": 7})) == ["slug"]


def test_however_many_arguments_are_at_fault_a_few_are_named():
    found = faults("list_threads", {f"x{number}": 1 for number in range(10_000)})
    assert (len(found), "x19" in found, "x20" in found) == (21, True, False)
    (long,) = faults("list_tags", {"y" * 10_000: 1})
    assert len(long) <= 100
