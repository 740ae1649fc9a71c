"""What calls need: every operation once, those that need more than they say, and whatever a caller may send."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from deskhand.catalogue.events import EVENTS
from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.needs import reads_texts, setting
from deskhand.catalogue.operation import Action, AnyOperation, Asked, Extent, Need, NoBody, NoQuery, Of, Place, Resource
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.desk.search import language
from deskhand.gateway.calls import Request
from deskhand.gateway.judged import conversation_of, conversations
from deskhand.gateway.reading import Unclean, read
from tests.catalogue.shapes import near, of_shape, pairs, right

ORDERS, PRODUCTS, TASK, ANNA, FLOW, HOOK, RATING = 501, 502, 9, 11, 901, 77, 55
MATCHER = Matcher(OPERATIONS)
EVERY, NONE = Extent.EVERY, Extent.NONE
IN_TASK, OF_ANNA = Of("conversation", TASK), Of("customer", ANNA)

EXAMPLES = 500 if os.environ.get("DESKHAND_TEST_DEEP") else 15
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
briefly = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


def asked(line: str, body: Any = msgspec.UNSET) -> Asked:
    """The call that a request line and a body mean."""
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    sent = b"" if body is msgspec.UNSET else msgspec.json.encode(body)
    return read(MATCHER, Request(method, path, query, {"content-type": "application/json"}, sent))


def needs(line: str, body: Any = msgspec.UNSET) -> set[tuple[str, str, Place]]:
    """What a call needs: the action by whose name, the level, and where. Customers are left to `named`."""
    call = asked(line, body)
    found = call.operation.needs(call)
    assert len(set(found)) == len(found), "nothing twice"
    return {(one.operation, one.action.name.lower(), one.place) for one in found if one.unless is None}


def named(line: str, body: Any) -> list[Of | None]:
    """The customers that a call names, who have to be seen or could have been created."""
    call = asked(line, body)
    found = [one for one in call.operation.needs(call) if one.operation == "create_customer"]
    for one in found:
        assert (one.resource, one.action) == (Resource.CUSTOMERS, Action.WRITE)
        by_id = one.unless is not None and one.unless.kind == "customer"
        assert (one.place is EVERY) == (by_id or line.startswith("PATCH")), "who is new will be where the call is"
    return [one.unless for one in found]


# -- Every operation

WITHOUT_INBOX = {
    "list_customer_properties",
    "list_users", "create_user", "get_me", "get_user", "delete_user", "list_user_statuses", "get_user_status",
    "set_user_status", "get_user_reassignment", "set_user_reassignment", "list_system_users", "get_system_user",
    "list_teams", "get_team", "list_team_members", "update_team_members", "list_tags", "get_tag", "get_rating",
    "list_organizations", "create_organization", "get_organization", "update_organization", "delete_organization",
    "list_organization_customers", "list_organization_conversations", "list_organization_properties",
    "create_organization_property", "get_organization_property", "update_organization_property",
    "delete_organization_property", "set_organization_value", "delete_organization_value",
}  # fmt: skip
"""Nothing else may say that it belongs to no inbox."""
EVERYWHERE = {
    "list_conversations", "list_customers", "list_inboxes", "list_workflows", "list_webhooks", "create_webhook",
    "create_customer", "create_customer_property", "delete_customer_property",
    *(one.name for one in OPERATIONS if one.resource is Resource.REPORTS),
}  # fmt: skip
"""Without a filter or an inbox in the body."""


def whereabouts(call: Asked) -> Place:
    """Where a call takes place by what it is about, without its filters."""
    name = setting(call.operation.name)
    if name in WITHOUT_INBOX:
        return NONE
    if name == "create_conversation":
        return int(call.body.mailbox_id)
    if name == "create_webhook" and call.body.mailbox_ids:
        return int(call.body.mailbox_ids[0])
    if name in EVERYWHERE:
        return EVERY
    (kind, id), whole = (call.operation.parameters[0].removesuffix("_id"), call.path[0]), name == "delete_customer"
    return id if kind == "inbox" else Of(kind, id, every=whole or kind == "webhook")  # type: ignore[arg-type]


def call_of(operation: AnyOperation, query: str, body: Any) -> Asked:
    """A call of an operation on objects 9, 10, …"""
    path = operation.path
    for number, name in enumerate(operation.parameters, 9):
        path = path.replace(f"{{{name}}}", str(number))
    sent = b"" if operation.body is NoBody else json.dumps(body).encode()
    return read(MATCHER, Request(operation.method, path, query, {}, sent))


@each_operation
@briefly
@given(data=st.data())
def test_it_needs_what_it_says_of_itself_where_it_takes_place(operation: AnyOperation, data: st.DataObject) -> None:
    body = None if operation.body is NoBody else data.draw(of_shape(right, operation.body))
    call = call_of(operation, urlencode(SPAN) if operation.resource is Resource.REPORTS else "", body)
    own = operation.needs(call)[0]
    resource = Resource.THREADS if operation.resource is Resource.ATTACHMENTS else operation.resource
    assert own == Need(resource, operation.action, whereabouts(call), setting(operation.name))


@each_operation
@briefly
@given(data=st.data())
def test_whatever_is_sent_its_needs_are_told_and_can_be_granted(operation: AnyOperation, data: st.DataObject) -> None:
    query = (
        "" if operation.query is NoQuery else urlencode(data.draw(of_shape(pairs, operation.query)), errors="replace")
    )
    body = (
        None
        if operation.body is NoBody
        else data.draw(of_shape(right, operation.body) | of_shape(near, operation.body))
    )
    try:
        call = call_of(operation, query, body)
    except Unclean:
        return
    found = operation.needs(call)
    assert found == operation.needs(call), "looks at nothing but the call"
    assert len(set(found)) == len(found) > 0
    for one in found:
        named_by = BY_NAME[one.operation]
        about = Resource.THREADS if named_by.resource is Resource.ATTACHMENTS else named_by.resource
        assert about is one.resource, "an action's setting holds within its own resource"
        assert one.operation == setting(one.operation)
        assert named_by.action is one.action, "no door asks for less than the operation itself"
        if one.place is NONE:
            assert one.resource in WITHOUT_INBOXES or one.operation == "list_customer_properties"
    # So a call that waits is bound to the conversation of its path alone, and need not be read to be compared with it.
    there = conversation_of(operation, call.path)
    assert there is None or conversations(found) == {Of("conversation", there)}


WITHOUT_INBOXES = {Resource.USERS, Resource.TEAMS, Resource.TAGS, Resource.ORGANIZATIONS, Resource.RATINGS}
SPAN = {
    "start": "2026-11-01T00:00:00Z", "end": "2026-11-23T00:00:00Z",
    "user": "41", "field": "tagid", "fieldid": "7",  # what single reports want besides
}  # fmt: skip


# -- Conversations

LISTED = ("list_conversations", "read")
THREADS_LISTED = ("list_threads", "read")


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", {EVERY}),
        ("mailbox=501", {ORDERS}),
        ("mailbox=501,502,501", {ORDERS, PRODUCTS}),
        ("mailbox=501&mailbox=502", {ORDERS, PRODUCTS}),
        ("mailbox=,", {EVERY}),
        ("folder=5011", {Of("folder", 5011)}),
        ("mailbox=501&folder=5022", {ORDERS, Of("folder", 5022)}),
        ("status=all&tag=fire&assigned_to=41&number=7&sortField=score&modifiedSince=2026-11-01T00:00:00Z", {EVERY}),
        ("customFieldsByIds=12:x&mailbox=501", {ORDERS}),
        ('query=(mailbox:"Products")', {EVERY}),
    ],
)
def test_a_list_is_read_where_its_filters_say_and_else_everywhere(query: str, places: set[Place]) -> None:
    assert needs(f"GET /v2/conversations?{query}") == {(*LISTED, place) for place in places}


@pytest.mark.parametrize("asking", ["embed=threads", "query=refund", "query=(body:refund)", "query=attachments:true"])
def test_a_list_that_shows_or_searches_threads_reads_them_where_it_looks(asking: str) -> None:
    found = needs(f"GET /v2/conversations?mailbox=501,502&folder=5011&{asking}")
    where = (ORDERS, PRODUCTS, Of("folder", 5011))
    assert found == {(*one, place) for one in (LISTED, THREADS_LISTED) for place in where}
    assert needs(f"GET /v2/conversations?{asking}") == {(*LISTED, EVERY), (*THREADS_LISTED, EVERY)}


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_embedded_threads_are_read_too(version: str) -> None:
    read = ("get_conversation", "read", IN_TASK)
    assert needs(f"GET /{version}/conversations/{TASK}") == {read}
    assert needs(f"GET /{version}/conversations/{TASK}?embed=threads") == {read, (*THREADS_LISTED, IN_TASK)}


WHOM = {"email": "anna@buyer.example"}
NEW = {"subject": "x", "type": "email", "mailboxId": ORDERS, "status": "active", "customer": WHOM, "threads": []}
FILE = {"fileName": "a.txt", "mimeType": "text/plain", "data": "aGk="}


def started(**more: Any) -> set[tuple[str, str, Place]]:
    """What starting a conversation in Orders needs beside that it does."""
    found = needs("POST /v2/conversations", NEW | more)
    assert ("create_conversation", "write", ORDERS) in found
    assert all(place == ORDERS and action == "write" for _, action, place in found)
    return found - {("create_conversation", "write", ORDERS)}


@pytest.mark.parametrize(
    ("more", "operations"),
    [
        ({}, set()),
        ({"threads": [{"type": "note", "text": "x"}]}, {"add_note"}),
        ({"threads": [{"type": "chat", "text": "x", "customer": WHOM}]}, {"add_chat"}),
        ({"threads": [{"type": "phone", "text": "x", "customer": WHOM}]}, {"add_phone"}),
        ({"threads": [{"type": "customer", "text": "x", "customer": WHOM}]}, {"add_customer_thread"}),
        ({"threads": [{"type": "reply", "text": "x", "customer": WHOM}]}, {"reply_to_conversation"}),
        ({"threads": [{"type": "reply", "text": "x", "customer": WHOM, "draft": True}]}, {"reply_to_conversation"}),
        (
            {"threads": [{"type": kind, "text": "x"} for kind in ("note", "reply", "note")]},
            {"add_note", "reply_to_conversation"},
        ),
        ({"threads": [{"type": "note", "text": "x", "attachments": [FILE]}]}, {"add_note", "add_attachment"}),
        ({"autoReply": True}, {"reply_to_conversation"}),
        ({"autoReply": False, "tags": [], "fields": [], "assignTo": None, "status": "open"}, set()),
        ({"tags": ["fire"]}, {"set_conversation_tags"}),
        ({"fields": [{"id": 12, "value": "1"}]}, {"set_conversation_fields"}),
        ({"assignTo": 41}, {"update_conversation"}),
        ({"status": "closed"}, {"update_conversation"}),
    ],
)
def test_starting_a_conversation_needs_what_its_parts_would(more: dict[str, Any], operations: set[str]) -> None:
    assert started(**more) == {(operation, "write", ORDERS) for operation in operations}


def test_every_customer_that_a_new_conversation_names_must_be_known_or_could_be_created() -> None:
    threads = [
        {"type": "customer", "text": "x", "customer": {"email": "ben@buyer.example"}},
        {"type": "note", "text": "x", "customer": {"id": 12}},
        {"type": "chat", "text": "x", "customer": WHOM},
    ]
    found = named("POST /v2/conversations", NEW | {"threads": threads})
    assert found == [Of("email", "anna@buyer.example"), Of("email", "ben@buyer.example"), Of("customer", 12)]


def test_of_an_id_and_an_address_the_id_counts() -> None:
    assert named("POST /v2/conversations", NEW | {"customer": {"id": ANNA, "email": "x@y.example"}}) == [OF_ANNA]


def test_a_customer_without_id_and_address_counts_as_a_new_one() -> None:
    assert named("POST /v2/conversations", NEW | {"customer": {"phone": "555"}}) == [None]


CHANGED = ("update_conversation", "write", IN_TASK)
SENT = ("reply_to_conversation", "write", IN_TASK)


def patched(*steps: dict[str, Any]) -> set[tuple[str, str, Place]]:
    """What a patch needs beside changing the conversation; a single step also by itself."""
    found = needs(f"PATCH /v2/conversations/{TASK}", list(steps))
    if len(steps) == 1:
        assert needs(f"PATCH /v2/conversations/{TASK}", steps[0]) == found
    assert CHANGED in found
    return found - {CHANGED}


@pytest.mark.parametrize("path", ["/subject", "/status", "/assignTo", "status", "/nothing", "/"])
def test_ordinary_changes_need_nothing_more(path: str) -> None:
    assert patched({"op": "replace", "path": path, "value": "closed"}) == set()
    assert patched({"op": "remove", "path": path}) == set()


@pytest.mark.parametrize(
    "path", ["/mailboxId", "mailboxId", "//mailboxId", "/MAILBOXID", "/mailbox", "/\uff4dailboxId"]
)
@pytest.mark.parametrize(
    ("value", "place"),
    [
        (PRODUCTS, PRODUCTS), ("502", PRODUCTS), (0, EVERY), (-1, EVERY), (2**63, EVERY), (502.0, EVERY), (True, EVERY),
        (None, EVERY), (" 502", EVERY), ("\u0665\u0660\u0662", EVERY), ([502], EVERY), ({"id": 502}, EVERY),
    ],
)  # fmt: skip
def test_moving_changes_the_other_inbox_too(path: str, value: Any, place: Place) -> None:
    moved = ("update_conversation", "write", place)
    assert patched({"op": "replace", "path": path, "value": value}) == {moved}
    assert patched({"op": "x", "path": "/status"}, {"op": "move", "path": path, "value": value}) == {moved}


@pytest.mark.parametrize(
    "path", ["/draft", "draft", "//draft", "/Draft", "/\uff44raft", "~1draft", " /draft ", "/d/raft"]
)
@pytest.mark.parametrize("value", [False, True, None, "false", 0])
def test_publishing_sends_mail(path: str, value: Any) -> None:
    step = {"op": "replace", "path": path, "value": value}
    assert patched(step) == patched({"op": "replace", "path": "/subject", "value": "x"}, step) == {SENT}


@pytest.mark.parametrize(
    "path", ["/primaryCustomer.id", "primaryCustomer.id", "/primaryCustomer/id", "/primarycustomer"]
)
@pytest.mark.parametrize(("value", "unless"), [(ANNA, OF_ANNA), ("11", OF_ANNA), ("x@y.example", None), ({}, None)])
def test_another_customer_must_be_known(path: str, value: Any, unless: Of | None) -> None:
    body = {"op": "replace", "path": path, "value": value}
    assert named(f"PATCH /v2/conversations/{TASK}", body) == [unless]


def test_what_only_another_desk_would_take_keeps_its_action() -> None:
    assert patched({"op": "add", "path": "/tags", "value": ["x"]}) == {("set_conversation_tags", "write", IN_TASK)}
    assert patched({"op": "add", "path": "/customFields/12"}) == {("set_conversation_fields", "write", IN_TASK)}


# -- Threads

ADDING = {"reply": "reply_to_conversation", "notes": "add_note", "chats": "add_chat", "phones": "add_phone",
          "customer": "add_customer_thread"}  # fmt: skip


def added(way: str, **more: Any) -> set[str]:
    """The operations that adding a thread needs beside its own."""
    own = (ADDING[way], "write", IN_TASK)
    found = needs(f"POST /v2/conversations/{TASK}/{way}", {"text": "x", "customer": WHOM} | more)
    assert own in found
    assert all((action, place) == ("write", IN_TASK) for _, action, place in found)
    return {operation for operation, *_ in found - {own}}


@pytest.mark.parametrize("way", ADDING)
def test_a_plain_thread_needs_nothing_more(way: str) -> None:
    assert added(way) == set()
    assert added(way, attachments=[], imported=True, createdAt="2026-11-01T00:00:00Z") == set()


@pytest.mark.parametrize("way", ADDING)
def test_a_thread_with_files_needs_to_add_them(way: str) -> None:
    assert added(way, attachments=[FILE]) == {"add_attachment"}


@pytest.mark.parametrize("way", ["reply", "notes"])
@pytest.mark.parametrize("status", ["closed", "all", "inbox_predefined"])
def test_a_status_given_with_a_thread_changes_the_conversation(way: str, status: str) -> None:
    assert added(way, status=status) == {"update_conversation"}


@pytest.mark.parametrize("owner", [41, None])
def test_an_owner_given_with_a_reply_changes_the_conversation(owner: int | None) -> None:
    assert added("reply", assignTo=owner) == {"update_conversation"}


@pytest.mark.parametrize("way", ADDING)
def test_the_customer_of_a_thread_must_be_known_or_could_be_created(way: str) -> None:
    line = f"POST /v2/conversations/{TASK}/{way}"
    for given_customer, unless in ((WHOM, Of("email", WHOM["email"])), ({"id": ANNA}, OF_ANNA), ({}, None)):
        assert named(line, {"text": "x", "customer": given_customer}) == ([] if way == "notes" else [unless])


STEP = {"op": "replace", "path": "/state", "value": "published"}


def test_whatever_sends_a_draft_needs_to_reply() -> None:
    path = f"/v2/conversations/{TASK}/threads/3/schedule"
    later = {"scheduledFor": "2026-11-24T09:00:00Z", "unscheduleOnCustomerReply": True}
    assert needs(f"PUT {path}", later) == {("schedule_thread", "write", IN_TASK), SENT}
    assert needs(f"PATCH {path}", STEP) == {("send_scheduled_thread", "write", IN_TASK), SENT}
    assert needs(f"DELETE {path}") == {("unschedule_thread", "write", IN_TASK)}


@pytest.mark.parametrize("path", ["/text", "text", "/hidden"])
def test_editing_a_thread_needs_no_more(path: str) -> None:
    step = {"op": "replace", "path": path, "value": "x"}
    assert needs(f"PATCH /v2/conversations/{TASK}/threads/3", step) == {("update_thread", "write", IN_TASK)}


@pytest.mark.parametrize("path", ["/state", "/draft", "//text", "/Text", "", None])
def test_any_other_change_of_a_thread_might_publish_it(path: str | None) -> None:
    step = {"op": "replace", "path": path, "value": "published"}
    assert needs(f"PATCH /v2/conversations/{TASK}/threads/3", step) == {("update_thread", "write", IN_TASK), SENT}


def test_attachments_are_granted_with_threads() -> None:
    for line, action in (("GET", Action.READ), ("DELETE", Action.DELETE)):
        call = asked(f"{line} /v2/conversations/{TASK}/attachments/3")
        assert call.operation.needs(call) == (Need(Resource.THREADS, action, IN_TASK, call.operation.name),)


# -- Customers


def test_customers_are_listed_where_the_filter_says() -> None:
    assert needs("GET /v2/customers?mailbox=501&query=anna") == {("list_customers", "read", ORDERS)}
    assert needs("GET /v2/customers?query=anna") == {("list_customers", "read", EVERY)}
    assert needs("GET /v3/customers?query=anna") == {("list_customers", "read", EVERY)}


def test_erasing_a_customer_erases_all_of_their_conversations() -> None:
    wholly = Of("customer", ANNA, every=True)
    for query in ("", "?async=true"):
        found = needs(f"DELETE /v2/customers/{ANNA}{query}")
        assert found == {("delete_customer", "delete", wholly), ("delete_conversation", "delete", wholly)}


def test_a_new_customer_is_in_no_inbox_yet() -> None:
    made = {("create_customer", "write", EVERY)}
    assert needs("POST /v2/customers", {"firstName": "Anna", "emails": [{"value": "a@b.example"}]}) == made
    with_values = needs("POST /v2/customers", {"properties": [{"slug": "size", "value": "L"}]})
    assert with_values == made | {("update_customer_properties", "write", EVERY)}


@pytest.mark.parametrize(
    ("step", "more"),
    [
        ({"op": "replace", "path": "/firstName", "value": "A"}, set()),
        ({"op": "remove", "path": "/background"}, set()),
        ({"op": "add", "path": "/emails", "value": {}}, {("add_customer_email", "write")}),
        ({"op": "replace", "path": "/emails/7/value", "value": "x"}, {("update_customer_email", "write")}),
        ({"op": "remove", "path": "/emails/7"}, {("delete_customer_email", "delete")}),
        ({"op": "remove", "path": "/emails"}, {("delete_customer_email", "delete")}),
        ({"op": "remove", "path": "/social-profiles/7"}, {("delete_customer_social_profile", "delete")}),
        ({"op": "remove", "path": "/socialProfiles/7"}, {("delete_customer_social_profile", "delete")}),
        ({"op": "remove", "path": "phones/7"}, {("delete_customer_phone", "delete")}),
        (
            {"op": "replace", "path": "/websites", "value": []},
            {("delete_customer_website", "delete"), ("add_customer_website", "write")},
        ),
        (
            {"op": "replace", "path": "/chats/", "value": []},
            {("delete_customer_chat", "delete"), ("add_customer_chat", "write")},
        ),
        ({"op": "replace", "path": "/address/city", "value": "x"}, {("update_customer_address", "write")}),
        ({"op": "remove", "path": "/address"}, {("delete_customer_address", "delete")}),
        ({"op": "replace", "path": "/properties/size"}, {("update_customer_properties", "write")}),
    ],
)
def test_entries_are_changed_as_by_their_own_calls(step: dict[str, Any], more: set[tuple[str, str]]) -> None:
    found = needs(f"PATCH /v2/customers/{ANNA}", [step, step])
    assert found == {("update_customer", "write", OF_ANNA)} | {(*one, OF_ANNA) for one in more}


def test_overwriting_a_customer_may_add_a_phone() -> None:
    plain = {("overwrite_customer", "write", OF_ANNA)}
    assert needs(f"PUT /v2/customers/{ANNA}", {"firstName": "A"}) == plain
    more = needs(f"PUT /v2/customers/{ANNA}", {"phone": "555"})
    assert more == plain | {("add_customer_phone", "write", OF_ANNA)}


# -- The rest


def test_organizations_show_customers_and_conversations_to_those_who_may_read_them() -> None:
    customers, conversations = ("list_customers", "read", EVERY), ("list_conversations", "read", EVERY)

    def more(line: str) -> set[tuple[str, str, Place]]:
        return {one for one in needs(line) if one[2] is not NONE}

    assert more("GET /v2/organizations/4/customers") == {customers}
    assert more("GET /v2/organizations/4/conversations") == {conversations}
    assert more("GET /v2/organizations/4") == more("GET /v2/organizations/4?includeProperties=true") == set()
    assert more("GET /v2/organizations/4?includeCounts=true") == {customers, conversations}
    assert more("GET /v2/organizations") == more("GET /v2/organizations?sort=name,asc") == set()
    assert more("GET /v2/organizations?sort=customerCount,asc") == {customers}
    assert more("GET /v2/organizations?sort=conversationCount") == {conversations}


def test_inboxes_named_among_users_must_be_seen() -> None:
    assert needs("GET /v2/users?mailbox=502") == {("list_users", "read", NONE), ("get_inbox", "read", PRODUCTS)}
    new = {"firstName": "A", "lastName": "B", "email": "a@b.example", "role": "user", "mailboxes": [{"id": 502}]}
    assert needs("POST /v2/users", new) == {("create_user", "write", NONE), ("get_inbox", "read", PRODUCTS)}


def test_workflows_are_listed_where_the_filter_says() -> None:
    assert needs("GET /v2/workflows?mailboxId=502&type=manual") == {("list_workflows", "read", PRODUCTS)}
    assert needs("GET /v2/workflows") == {("list_workflows", "read", EVERY)}


def test_running_a_workflow_changes_every_conversation_that_is_named() -> None:
    found = needs(f"POST /v2/workflows/{FLOW}/run", {"conversationIds": [TASK, 10, TASK]})
    changed = {("update_conversation", "write", Of("conversation", id)) for id in (TASK, 10)}
    assert found == {("run_workflow", "write", Of("workflow", FLOW))} | changed


REPORTS = [one for one in OPERATIONS if one.resource is Resource.REPORTS and one.name != "get_docs_report"]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", {EVERY}),
        ("&mailboxes=501,502", {ORDERS, PRODUCTS}),
        ("&folders=5011,5022", {Of("folder", 5011), Of("folder", 5022)}),
        ("&mailboxes=501&folders=5022", {ORDERS, Of("folder", 5022)}),
        ("&mailboxes=,&tags=7&types=email", {EVERY}),
    ],
)
def test_reports_are_read_where_their_filters_say(report: AnyOperation, query: str, places: set[Place]) -> None:
    """One by one, ratings are shown to those who may read threads, conversations to those who may list them."""
    shown: list[tuple[str, str]] = [(report.name, "read")]
    if report.path.endswith("ratings"):
        shown.append(THREADS_LISTED)
    if report.path.endswith(("drilldown", "history")):
        shown.append(LISTED)
    found = needs(f"GET {report.path}?{urlencode(SPAN)}{query}")
    assert found == {(*one, place) for one in shown for place in places}


def test_nobody_needs_an_inbox_to_read_of_documentation_sites_that_there_are_not() -> None:
    assert needs(f"GET /v2/reports/docs?{urlencode(SPAN)}&mailboxes=501") == {("get_docs_report", "read", EVERY)}


def test_a_rating_is_seen_where_its_thread_is() -> None:
    found = needs(f"GET /v2/ratings/{RATING}")
    assert found == {("get_rating", "read", NONE), (*THREADS_LISTED, Of("rating", RATING))}


def hooked(line: str, events: list[str], **more: Any) -> set[tuple[str, str, Place]]:
    """What a webhook of these events needs."""
    return needs(line, {"url": "https://x.example", "secret": "s", "events": events} | more)


def test_a_webhook_is_needed_in_each_of_its_inboxes_or_in_all() -> None:
    line, made = "POST /v2/webhooks", ("create_webhook", "write")
    assert hooked(line, ["convo.created"], mailboxIds=[501, 502, 501]) == {(*made, ORDERS), (*made, PRODUCTS)}
    assert hooked(line, ["convo.created"], mailboxIds=[]) == hooked(line, ["convo.created"]) == {(*made, EVERY)}


def test_changing_a_webhook_needs_what_it_told_and_what_it_will_tell() -> None:
    found = hooked(f"PUT /v2/webhooks/{HOOK}", ["convo.created"], mailboxIds=[501])
    before = ("update_webhook", "write", Of("webhook", HOOK, every=True))
    assert found == {before, ("update_webhook", "write", ORDERS)}


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
def test_a_webhook_needs_to_read_what_it_sends(kind: Any) -> None:
    found = hooked("POST /v2/webhooks", [kind.name], mailboxIds=[501])
    assert (("create_webhook", "write", EVERY) in found) == (kind.group != "convo"), "its inboxes narrow nothing else"
    read = {operation for operation, action, _ in found if action == "read"}
    assert read == {
        "conversation": set(), "id": set(), "conversation with threads": {"list_threads"}, "customer": {"get_customer"},
        "rating": {"get_rating", "list_threads"}, "tag": {"get_tag"}, "organization": {"get_organization"},
        "user status": {"get_user_status"}, "chat": {"list_threads"}, "survey response": {"list_threads"},
    }[kind.payload]  # fmt: skip


def test_an_event_that_is_unknown_may_tell_anything() -> None:
    found = hooked("POST /v2/webhooks", ["convo.created", "convo.everything"], mailboxIds=[501])
    assert {("create_webhook", "write", EVERY), (*THREADS_LISTED, EVERY)} <= found


# -- Queries


@pytest.mark.parametrize(
    "query",
    [
        "", " ", "()", '(subject:"refund")', "tag:fire", '(NOT tag:"spam")', "(modifiedAt:[NOW-1HOUR TO *])",
        "(createdAt:2026-01)", "(email:(a@x.example OR b@y.example))", '(assigned:"Unassigned")', "email:a+b@c.example",
        "(customerIds: 1 OR customerIds: 2)", "(mailboxid:501 AND status:active)", "TAG:x", "number:[1 TO 5}",
        "createdAt:[2026-01-01T00:00:00Z TO NOW/DAY]", "-tag:x +status:open", 'subject:"Größe"',
        "id:7 ((tag:a) OR tag:b",
        'mailbox:"Orders" AND NOT (tag:a OR tag:b)', "subject:refund*",
    ],
)  # fmt: skip
def test_a_query_of_a_conversations_own_fields_reads_no_texts(query: str) -> None:
    assert not reads_texts(query)


@pytest.mark.parametrize(
    "query",
    [
        "refund", '"refund"', "body:x", "BODY:x", "(tag:a OR body:x)", "tag:a b", "tag:(a body:b)", "tag:a:b",
        "*", "*:*",
        "attachments:true", "attachment:true", "replyUserIds:41", "tag:", "tag: ", "a)", "tag:a) body:x", "tag:AND x",
        "tag:(a OR (b c)) d", "tag:x OR y", "NOT y", "-y", "tag:a\\ b", 'tag:"a\\" body:b"', 'tag:"a', "tag:ü",
        'tag:"a\u201d body:secret \u201cb"', 'tag:"a\uff02 b"', "{!field f=body}x", '_query_:"x"', "tag:/x/", "tag:a^2",
        "tag:a~", "tag:a && b", "tag:a\u00a0b", "tag\u003a\u0000x", "nothing:x", "tag:[a TO b] c", "tag:a\tb", "tag :a",
    ],
)  # fmt: skip
def test_any_other_query_may_read_texts(query: str) -> None:
    assert reads_texts(query)


TOKENS = (
    "tag", "body", "subject", "attachments", ":", "::", " ", "  ", '"', '"a b"', "\u201c", "\u201d", "(", ")", "[", "]",
    "{", "}", "TO", "*", "a", "b", "AND", "OR", "NOT", "-", "+", "\\", "/", "//", "2026-01-01", "NOW/DAY",
        "@", "\n", "ü",
)  # fmt: skip


@settings(max_examples=1500)
@given(query=st.lists(st.sampled_from(TOKENS), max_size=14).map("".join) | st.text(max_size=20))
@example("tag:NOW body:x")
@example("tag:(a)body:x")
@example('tag:"a"body:x')
@example("tag:2026-body:x")
def test_no_query_that_the_desk_searches_texts_for_is_taken_for_harmless(query: str) -> None:
    if reads_texts(query):
        return
    try:
        node = language.parse(query)
    except language.SyntaxProblem:
        return
    for match in language.fields(node):
        assert match.field is not None
        assert match.field.lower() not in ("body", "attachments", "attachment", "replyuserids")


def test_a_query_of_any_length_is_read_at_once() -> None:
    for evil in (
        "(" * 16_000,
        'tag:"' + "a" * 16_000,
        "tag:[1 " + " " * 16_000,
        "tag:" + "a" * 16_000 + "!",
        "tag:a " * 3_000,
    ):
        call = asked(f"GET /v2/conversations?query={quote(evil[:5_000])}")
        assert call.operation.needs(call)
        reads_texts(evil)
