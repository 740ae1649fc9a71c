"""The decision: refusals and their words, settings, several needs, customers, hours, what an answer leaves out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import msgspec
import pytest

from deskhand.catalogue.operation import Action, Asked, Extent, Need, NoBody, Of, Place, Resource
from deskhand.catalogue.operations import OPERATIONS
from deskhand.catalogue.values import decode_hook
from deskhand.gateway.limits import Hours, Limits
from deskhand.gateway.policy import Decision, Granted, Grants, Rule, Setting, decide, message, refusal, told, wanted
from tests.gateway.asking import (
    ANNA,
    BEN,
    FOUND,
    IN_ORDERS,
    IN_PRODUCTS,
    NAMED_ONLY,
    NOW,
    NOWHERE,
    ORDERS,
    PRODUCTS,
    STRANGER,
    WHOLESALE,
    asked,
    decided,
    holding,
    needed,
)

# -- Refusals


def test_a_refusal_names_the_resource_and_the_level_or_the_action() -> None:
    grants = holding({"conversations": (2, ORDERS)}, {"set_conversation_tags": "off"})
    deleting = decided(grants, asked("delete_conversation"))
    assert deleting.missing == {"resource": "conversations", "level": "full"}
    assert deleting.rule == "its access to conversations is write, deleting needs full"
    tagging = decided(grants, asked("set_conversation_tags"))
    assert tagging.missing == {"action": "set_conversation_tags"}
    assert tagging.rule == "tags are set to off"
    replies = decided(grants, asked("list_saved_replies", needed("list_saved_replies", ORDERS)))
    assert replies.missing == {"resource": "saved_replies", "level": "read"}


def test_an_agent_is_told_who_could_change_it() -> None:
    deleting = decided(holding({"conversations": (2, None)}), asked("delete_conversation"))
    assert message(deleting) == (
        "This agent may not delete conversations; "
        "an administrator of the account can grant it full access to conversations."
    )
    tagging = decided(
        holding({"conversations": (2, None)}, {"set_conversation_tags": "off"}), asked("set_conversation_tags")
    )
    assert message(tagging) == (
        "This agent may not use set_conversation_tags for this; an administrator of the account can change that."
    )
    for place in (IN_PRODUCTS, NOWHERE):  # it is alike whether there is such a one
        elsewhere = decided(
            holding({"conversations": (1, ORDERS)}), asked("get_conversation", needed("get_conversation", place))
        )
        assert message(elsewhere) == (
            "This agent may not read conversations outside its inboxes; "
            "an administrator of the account can grant it read access to conversations."
        )
    for reason in ("paused", "stopped", "unknown_operation", "unanswerable", "anything"):
        said = message(refusal(reason, "Mia switched the kill switch on"))
        assert "administrator" in said
        assert said.count(". ") == 0
        assert "Mia" not in said


@pytest.mark.parametrize("name", ["get_conversation", "update_conversation", "delete_conversation", "list_threads"])
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_a_foreign_and_an_unknown_conversation_are_refused_alike(name: str, level: int) -> None:
    grants = holding({"conversations": (level, ORDERS), "threads": (level, ORDERS)})
    foreign, unknown = (decided(grants, asked(name, needed(name, place))) for place in (IN_PRODUCTS, NOWHERE))
    seen = [(one.outcome, one.reason, one.missing, one.path, message(one)) for one in (foreign, unknown)]
    assert seen[0] == seen[1]
    assert seen[0][0] == "refused"
    assert str(PRODUCTS) not in message(foreign)


def test_who_holds_all_inboxes_hears_from_the_desk_that_there_is_no_such_conversation() -> None:
    call = asked("get_conversation", needed("get_conversation", NOWHERE))
    assert decided(holding({"conversations": (1, None)}), call).outcome == "allowed"


def test_what_was_not_looked_up_is_unknown() -> None:
    assert decided(holding({"conversations": (3, ORDERS)}), asked("get_conversation"), {}).outcome == "refused"


def test_what_needs_nothing_is_taken_to_need_all() -> None:
    call = replace_needs(asked("get_conversation"), ())
    assert decided(holding({"conversations": (1, None)}), call).outcome == "allowed"
    assert decided(holding(), call).outcome == "refused"


def replace_needs(call: Asked, needs: tuple[Need, ...]) -> Asked:
    return msgspec.structs.replace(call, operation=replace(call.operation, needs=lambda _: needs))


def test_nobody_holds_anything_by_default() -> None:
    span = {
        "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z", "user": 41, "field": "tagid", "fieldid": 7,
    }  # fmt: skip
    for operation in OPERATIONS:
        if operation.body is NoBody:
            query = msgspec.convert(span, operation.query, dec_hook=decode_hook)
            call = Asked(operation, tuple(range(1, 1 + len(operation.parameters))), "x", query, NoBody())
            assert decided(Grants(), call).outcome == "refused", operation.name


# -- Settings


def test_a_setting_lifts_its_own_resource_and_none_that_is_needed_beside() -> None:
    embedded = Need(Resource.THREADS, Action.READ, IN_ORDERS, "get_conversation")
    call = asked("get_conversation", needed("get_conversation", IN_ORDERS), embedded)
    grants = holding({"conversations": (0, ORDERS), "threads": (0, ORDERS)}, {"get_conversation": "allow"})
    assert decided(grants, call).missing == {"resource": "threads", "level": "read"}


def test_a_lift_ends_where_its_resources_inboxes_end() -> None:
    grants = holding({"conversations": (2, ORDERS)}, {"delete_conversation": "allow"})
    assert decided(grants, asked("delete_conversation")).outcome == "allowed"
    foreign = decided(grants, asked("delete_conversation", needed("delete_conversation", IN_PRODUCTS)))
    assert foreign.missing == {"resource": "conversations", "level": "full"}


def test_the_customers_thread_is_granted_by_name_or_with_speaking_for_others() -> None:
    threads = {"threads": (3, ORDERS)}
    call = asked(NAMED_ONLY)
    assert decided(holding(threads), call).missing == {"action": NAMED_ONLY}
    assert decided(holding(threads, {NAMED_ONLY: "allow"}), call).outcome == "allowed"
    assert decided(holding(threads, {NAMED_ONLY: "hold"}), call).outcome == "held"
    assert decided(holding(threads, limits=Limits(speak_for_others=True)), call).outcome == "allowed"
    inside = asked("create_conversation", needed("create_conversation", ORDERS), needed(NAMED_ONLY, ORDERS))
    resources = {"conversations": (2, None), **threads}
    assert decided(holding(resources), inside).missing == {"action": NAMED_ONLY}
    speaking = Rule("allow", Limits(speak_for_others=True))
    assert decided(holding(resources, {"create_conversation": speaking}), inside).outcome == "allowed"


# -- Several needs


def test_refused_beats_held_and_held_beats_allowed() -> None:
    grants = holding(
        {"conversations": (2, None), "threads": (2, None)},
        {"add_note": "hold", "add_chat": "off", "update_conversation": "allow"},
    )  # fmt: skip
    names = ("update_conversation", "add_note", "add_chat")
    outcomes = {}
    for chosen in product(names, repeat=2):
        call = asked("update_conversation", *(needed(name, IN_ORDERS) for name in chosen))
        outcomes[chosen] = decided(grants, call).outcome
    rank = ("allowed", "held", "refused")
    assert outcomes == {(a, b): rank[max(names.index(a), names.index(b))] for a, b in outcomes}


def test_the_first_thing_missing_is_named() -> None:
    call = asked("create_conversation", needed("create_conversation", ORDERS), needed("add_note", ORDERS))
    assert decided(holding(), call).missing == {"resource": "conversations", "level": "write"}
    assert decided(holding({"conversations": (2, None)}), call).missing == {"resource": "threads", "level": "write"}


def test_a_call_is_narrowed_to_where_all_of_it_is_granted() -> None:
    listing = asked(
        "list_conversations",
        needed("list_conversations", Extent.EVERY),
        Need(Resource.THREADS, Action.READ, Extent.EVERY, "list_threads"),
    )
    both: Any = {"conversations": (1, (ORDERS, PRODUCTS)), "threads": (1, (PRODUCTS, WHOLESALE))}
    assert decided(holding(both), listing).inboxes == frozenset((PRODUCTS,))
    assert decided(holding({"conversations": (1, None), "threads": (1, None)}), listing).inboxes is None
    apart: Any = {"conversations": (1, ORDERS), "threads": (1, PRODUCTS)}
    assert decided(holding(apart), listing).missing == {"resource": "threads", "level": "read"}


def test_an_object_must_lie_where_all_that_is_needed_of_it_is_granted() -> None:
    call = asked("get_customer", needed("get_customer", ANNA), Need(Resource.CONVERSATIONS, Action.READ, ANNA, "x"))
    apart: Any = {"customers": (1, (ORDERS, WHOLESALE)), "conversations": (1, (PRODUCTS, WHOLESALE))}
    assert decided(holding(apart), call).missing == {"resource": "conversations", "level": "read"}
    together: Any = {"customers": (1, (ORDERS, WHOLESALE)), "conversations": (1, ORDERS)}
    found = decided(holding(together), call)
    assert (found.outcome, found.inboxes) == ("allowed", frozenset((ORDERS,)))


def test_what_belongs_to_no_inbox_narrows_nothing() -> None:
    call = asked(
        "list_users", needed("list_users", Extent.NONE), Need(Resource.INBOXES, Action.READ, ORDERS, "get_inbox")
    )
    assert decided(holding({"users": (1, None), "inboxes": (1, ORDERS)}), call).inboxes == frozenset((ORDERS,))
    assert (
        decided(holding({"users": (1, None)}), asked("list_users", needed("list_users", Extent.NONE))).inboxes is None
    )


def test_a_call_that_writes_is_not_narrowed_by_what_it_reads() -> None:
    grants = Grants(1, {Resource.WEBHOOKS: Granted(2), Resource.THREADS: Granted(1, frozenset((ORDERS,)))})
    needs = (
        needed("create_webhook", Extent.EVERY), Need(Resource.THREADS, Action.READ, Extent.EVERY, "list_threads"),
    )  # fmt: skip
    refused = decide(grants, asked("create_webhook", *needs), {}, NOW)
    assert refused.outcome == "refused"
    assert refused.missing == {"resource": "threads", "level": "read"}


# -- Customers who need not be created


def test_a_customer_whom_the_agent_may_see_need_not_be_created() -> None:
    def creating_for(known: Of | None) -> Decision:
        new = Need(Resource.CUSTOMERS, Action.WRITE, Extent.EVERY, "create_customer", unless=known)
        return decided(grants, asked("create_conversation", needed("create_conversation", ORDERS), new))

    grants = holding({"conversations": (2, ORDERS)})
    assert creating_for(ANNA).outcome == "allowed"
    refused = [creating_for(one) for one in (BEN, STRANGER, NOWHERE, None)]
    assert {(one.outcome, str(one.missing)) for one in refused} == {
        ("refused", "{'resource': 'customers', 'level': 'write'}")
    }
    grants = holding({"conversations": (2, None)})
    assert [creating_for(one).outcome for one in (ANNA, BEN, STRANGER)] == ["allowed"] * 3
    assert creating_for(NOWHERE).outcome == "refused"
    grants = holding({"conversations": (2, ORDERS), "customers": (2, None)}, {"create_customer": "hold"})
    assert [creating_for(one).outcome for one in (ANNA, BEN, None)] == ["allowed", "held", "held"]


def test_what_a_decision_depends_on_is_looked_up() -> None:
    new = Need(Resource.CUSTOMERS, Action.WRITE, Extent.EVERY, "create_customer", unless=BEN)
    assert wanted(asked("reply_to_conversation", needed("reply_to_conversation", IN_ORDERS), new)) == {IN_ORDERS, BEN}
    assert wanted(asked("list_tags", needed("list_tags", Extent.NONE))) == set()


# -- When


def test_grants_that_ended_are_none() -> None:
    grants = holding({"conversations": (3, None)}, {"delete_conversation": "hold"}, expires_at="2026-11-23T09:30:00Z")
    call = asked("delete_conversation")
    assert decided(grants, call, now=NOW - timedelta(seconds=1)).outcome == "held"
    ended = decided(grants, call)
    assert (ended.outcome, ended.reason) == ("refused", "missing_grant")
    assert ended.missing == {"resource": "conversations", "level": "full"}
    assert ended.rule == "its grants ended at 2026-11-23T09:30:00Z"


@pytest.mark.parametrize(
    ("hours", "inside"),
    [
        (Hours(8 * 60, 18 * 60, "UTC", frozenset(range(1, 8))), True),
        (Hours(9 * 60 + 30, 18 * 60, "UTC", frozenset((1,))), True),
        (Hours(8 * 60, 9 * 60 + 30, "UTC", frozenset((1,))), False),
        (Hours(8 * 60, 18 * 60, "UTC", frozenset((2, 3, 4, 5, 6, 7))), False),
        (Hours(8 * 60, 10 * 60, "Europe/Berlin", frozenset((1,))), False),  # it is half past ten there
        (Hours(18 * 60, 10 * 60, "UTC", frozenset((7,))), True),  # since Sunday evening
        (Hours(18 * 60, 10 * 60, "UTC", frozenset((1,))), False),
        (Hours(9 * 60, 8 * 60, "UTC", frozenset((1,))), True),
        (Hours(0, 24 * 60, "UTC", frozenset((1,))), True),
        (Hours(0, 24 * 60, "Nowhere/Atall", frozenset((1,))), False),
    ],
)
def test_an_agent_acts_within_its_hours(hours: Hours, inside: bool) -> None:
    for grants in (
        holding({"conversations": (3, None)}, limits=Limits(hours=hours)),
        holding({"conversations": (3, None)}, {"get_conversation": Rule("allow", Limits(hours=hours))}),
    ):
        found = decided(grants, asked("get_conversation"))
        assert (found.outcome == "allowed", found.reason) == ((True, "granted") if inside else (False, "limit"))
        assert found.path == (None if inside else "hours")


# -- What an answer leaves out


@pytest.mark.parametrize(
    "name",
    ["get_conversation", "list_conversations", "list_organization_conversations", "get_conversations_drilldown"],
)
def test_previews_are_left_out_without_threads_in_those_inboxes(name: str) -> None:
    place: Place = IN_ORDERS if name == "get_conversation" else Extent.EVERY
    listed = "list_conversations" if name.endswith("drilldown") else name
    call = asked(name, Need(Resource.CONVERSATIONS, Action.READ, place, listed))
    every = (ORDERS, PRODUCTS)

    def hidden(threads: Any, conversations: Any = every, listing: Setting | None = None) -> bool:
        resources = {"conversations": (1, conversations)} | ({} if threads == "absent" else {"threads": threads})
        found = decided(holding(resources, {"list_threads": listing} if listing else {}), call)
        assert found.outcome == "allowed"
        return "preview" in found.hide

    assert hidden("absent")
    assert hidden((0, every))
    assert hidden((1, PRODUCTS))
    assert not hidden((1, every))
    assert not hidden((1, None))
    assert not hidden((1, every), ORDERS)
    assert hidden((1, every), listing="off")
    assert not hidden((0, every), listing="allow")
    assert hidden((1, every), None) == (place is Extent.EVERY)


def test_tag_counts_are_left_out_for_whoever_is_scoped_to_inboxes() -> None:
    call = asked("list_tags", needed("list_tags", Extent.NONE))
    assert decided(holding({"tags": (1, None), "conversations": (1, ORDERS)}), call).hide == {"tag_counts"}
    assert decided(holding({"tags": (1, None), "reports": (1, None)}), call).hide == set()
    assert decided(holding({"tags": (1, None), "reports": (1, ORDERS)}), call).hide == {"tag_counts"}
    assert decided(holding({"tags": (1, None)}), call).hide == {"tag_counts"}


# -- Explaining


def test_a_decision_explains_itself_by_the_same_evaluation() -> None:
    grants = holding({"conversations": (2, ORDERS)}, {"set_conversation_tags": "hold"})
    held = told(grants, asked("set_conversation_tags"), FOUND, NOW)
    assert list(msgspec.to_builtins(held.needs)) == [
        {
            "resource": "conversations", "action": "write", "inbox": ORDERS, "operation": "set_conversation_tags",
            "level": "write", "needed": "write", "setting": "hold", "outcome": "held", "rule": "tags are set to hold",
        }
    ]  # fmt: skip
    assert held.would_need == {"action": "set_conversation_tags"}
    call = asked("create_conversation", needed("create_conversation", PRODUCTS), needed("add_note", PRODUCTS))
    refused = told(grants, call, FOUND, NOW)
    assert [(one.inbox, one.level, one.needed, one.outcome) for one in refused.needs] == [
        (PRODUCTS, "write", "write", "refused"), (PRODUCTS, "off", "write", "refused"),
    ]  # fmt: skip
    assert refused.would_need == refused.decision.missing == {"resource": "conversations", "level": "write"}
    assert refused.decision == decided(grants, call)
    allowed = told(grants, asked("list_conversations", needed("list_conversations", Extent.EVERY)), FOUND, NOW)
    assert (allowed.needs[0].inbox, allowed.would_need) == ("every", None)
