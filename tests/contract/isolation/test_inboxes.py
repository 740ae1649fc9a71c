"""An inbox is nobody's business who may not see it: for every operation there is; the tests walk the catalogue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deskhand.catalogue.operation import AnyOperation, Resource
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.desk.users import verbs as users
from tests.contract.isolation.cases import CASES, conversation_filters
from tests.contract.isolation.sides import Side, furnish, plain, step
from tests.contract.isolation.walking import all_of, changes, everything_of, filled, nothing, with_part, with_path
from tests.live import LiveServer
from tests.world import Desk, open_desk

TIED = {
    "conversation_id", "thread_id", "attachment_id", "inbox_id", "folder_id", "workflow_id", "saved_reply_id",
    "rating_id",
}  # fmt: skip
"""What belongs to an inbox, by the parameters of paths."""

FREE = {
    # Not tied to an inbox: everybody in the account may see them.
    "get_me", "list_users", "get_user", "list_teams", "get_team", "list_team_members", "list_tags", "get_tag",
    "list_customers", "create_customer", "get_customer", "overwrite_customer", "update_customer",
    "list_customer_emails", "list_customer_phones", "list_customer_chats", "list_customer_social_profiles",
    "list_customer_websites", "get_customer_address", "get_customer_email", "get_customer_phone", "get_customer_chat",
    "get_customer_social_profile", "get_customer_website",
    # Lists without what is hidden, and a body that names an inbox: tested one by one below.
    "list_conversations", "list_inboxes", "create_conversation", "list_workflows",
    "list_customers_v3", "create_customer_address", "update_customer_address", "delete_customer_address",
    *(f"{verb}_customer_{kind}" for verb in ("add", "update", "delete")
      for kind in ("email", "phone", "chat", "social_profile", "website")),
    "list_customer_properties", "create_customer_property", "delete_customer_property", "update_customer_properties",
    *(one.name for one in OPERATIONS if one.resource is Resource.ORGANIZATIONS),
    "list_webhooks", "get_webhook", "create_webhook", "update_webhook", "delete_webhook",
    "list_user_statuses", "get_user_status", "get_user_reassignment", "list_system_users", "get_system_user",
    *(one.name for one in OPERATIONS if one.resource is Resource.REPORTS),
}  # fmt: skip

RULED = {
    "create_user", "delete_user", "set_user_status", "set_user_reassignment", "update_team_members",
    "set_inbox_routing", "update_workflow",
}  # fmt: skip
"""What takes an owner or administrator, who see every inbox; a user may only say of themselves that they are away."""


def with_outsider(desk: Desk) -> tuple[Side, Side]:
    """An inbox of an account as a user sees it who is in no other; and another inbox, as the owner sees it."""
    seen, hidden = furnish(desk), furnish(desk)
    outsider = desk.as_user(desk.add_user("Out", "Sider", inboxes=(seen.inbox,)))
    return replace(seen, desk=outsider), hidden


@pytest.fixture(scope="module")
def lasting_pair(server: LiveServer) -> tuple[Side, Side]:
    """The two inboxes, for tests that leave them much as they are."""
    return with_outsider(open_desk(server, thread_editing=1))


@pytest.fixture
def pair(request: pytest.FixtureRequest, server: LiveServer, lasting_pair: tuple[Side, Side]) -> tuple[Side, Side]:
    return with_outsider(open_desk(server, thread_editing=1)) if changes(request) else lasting_pair


@pytest.fixture
def outsider(pair: tuple[Side, Side]) -> Side:
    """Our first inbox as a user sees it who is in no other."""
    return pair[0]


@pytest.fixture
def hidden(pair: tuple[Side, Side]) -> Side:
    """What lies in an inbox of our account that the outsider may not see."""
    return pair[1]


def test_every_operation_is_tied_to_an_inbox_or_not() -> None:
    tied = {operation.name for operation in OPERATIONS if TIED & set(operation.parameters)} | {"delete_customer"}
    assert tied | FREE | RULED == set(BY_NAME)
    assert not (tied | RULED) & FREE


@with_path
def test_what_lies_in_a_hidden_inbox_is_403(outsider: Side, hidden: Side, operation: AnyOperation) -> None:
    body = CASES[operation.name].body or nothing
    for side in (outsider, hidden):
        CASES[operation.name].ready(side)
    before = everything_of(hidden, operation.method)
    answer = outsider.desk.request(operation.method, all_of(operation, hidden), json=body(hidden))
    if operation.name in FREE:
        assert answer.status_code == operation.returns.status, answer.text
        return
    assert answer.status_code == 403, answer.text
    assert answer.json()["message"] == "Access denied"
    assert hidden.word not in answer.text
    assert everything_of(hidden, operation.method) == before
    if operation.name in RULED:
        return
    allowed = outsider.desk.request(operation.method, all_of(operation, outsider), json=body(outsider))
    assert allowed.status_code == operation.returns.status, "so 403 was not for all"


@with_part
def test_a_part_of_something_hidden_is_not_found_below_something_seen(
    outsider: Side, hidden: Side, operation: AnyOperation
) -> None:
    path = filled(operation, outsider, *[hidden] * (len(operation.parameters) - 1))
    body = CASES[operation.name].body or nothing
    assert outsider.desk.request(operation.method, path, json=body(hidden)).status_code == 404


def test_nothing_can_be_put_into_a_hidden_inbox(outsider: Side, hidden: Side) -> None:
    before = everything_of(hidden)
    for method, path, body in (
        ("POST", "/v2/conversations", plain(hidden.inbox)),
        ("PATCH", f"/v2/conversations/{outsider.conversation}", step("move", "/mailboxId", hidden.inbox)),
    ):
        assert outsider.desk.request(method, path, json=body).status_code == 403
    assert everything_of(hidden) == before


def test_lists_leave_out_what_is_hidden(outsider: Side, hidden: Side) -> None:
    body = outsider.desk.get("/v2/conversations", status="all", embed="threads").json()
    assert [item["id"] for item in body["_embedded"]["conversations"]] == [outsider.conversation]
    assert body["page"]["totalElements"] == 1
    for path, key, own in (
        ("/v2/mailboxes", "mailboxes", outsider.inbox), ("/v2/workflows", "workflows", outsider.workflow),
    ):  # fmt: skip
        body = outsider.desk.get(path).json()
        assert [item["id"] for item in body["_embedded"][key]] == [own]
        assert body["page"]["totalElements"] == 1
    hidden_ones = outsider.desk.get("/v2/workflows", mailboxId=hidden.inbox).json()
    assert (hidden_ones["_embedded"]["workflows"], hidden_ones["page"]["totalElements"]) == ([], 0)
    tags = {tag["name"]: tag["ticketCount"] for tag in outsider.desk.get("/v2/tags").json()["_embedded"]["tags"]}
    assert (tags["everybody"], tags.get(hidden.word, 0)) == (1, 0)
    assert outsider.desk.get(f"/v2/tags/{hidden.tag}").json()["ticketCount"] == 0


def test_no_filter_finds_what_is_hidden(outsider: Side, hidden: Side) -> None:
    for wanted, own in zip(conversation_filters(hidden), conversation_filters(outsider), strict=True):
        body = outsider.desk.get("/v2/conversations", **wanted).json()
        assert (body["_embedded"]["conversations"], body["page"]["totalElements"]) == ([], 0), wanted
        found = outsider.desk.get("/v2/conversations", **own).json()["_embedded"]["conversations"]
        assert [item["id"] for item in found] == [outsider.conversation], own
    both = f"{hidden.inbox},{outsider.inbox}"
    body = outsider.desk.get("/v2/conversations", mailbox=both, status="all").json()
    assert [item["id"] for item in body["_embedded"]["conversations"]] == [outsider.conversation]


def test_who_wrote_to_a_hidden_inbox_is_not_told(outsider: Side, hidden: Side) -> None:
    answer = outsider.desk.get("/v2/customers", mailbox=hidden.inbox)
    if answer.status_code == 200:
        assert answer.json()["_embedded"]["customers"] == []
    else:
        assert answer.status_code == 403


def test_a_user_without_inboxes_sees_none_of_this(mine: Side) -> None:
    nobody = mine.desk.as_user(mine.desk.add_user("No", "Body"))
    for path, key in (("/v2/conversations", "conversations"), ("/v2/mailboxes", "mailboxes")):
        for params in ({}, {"mailbox": mine.inbox}, {"query": f"subject:{mine.word}"}):
            body = nobody.get(path, status="all", **params).json()
            assert (body["_embedded"][key], body["page"]["totalElements"]) == ([], 0)
    assert nobody.get(f"/v2/conversations/{mine.conversation}").status_code == 403


def test_losing_an_inbox_takes_effect_at_once(mine: Side) -> None:
    from_now_on = mine.desk.as_user(mine.user)
    assert from_now_on.get(f"/v2/conversations/{mine.conversation}").status_code == 200
    shut_out(mine.desk, mine.user)
    assert from_now_on.get(f"/v2/conversations/{mine.conversation}").status_code == 403
    assert from_now_on.get("/v2/conversations").json()["page"]["totalElements"] == 0


def shut_out(desk: Desk, user_id: int) -> None:
    desk.write(lambda tx: users.set_inboxes(tx, desk.account_id, user_id, ()))
