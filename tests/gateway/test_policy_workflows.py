"""Running a workflow, and switching one on, needs what its actions need."""

from __future__ import annotations

from typing import Any

from deskhand.catalogue.operation import Action, Asked, Need, Of, Resource
from deskhand.gateway.policy import Found, Granted, Grants, decide
from tests.gateway.asking import (
    FOUND,
    IN_ORDERS,
    IN_PRODUCTS,
    NOW,
    NOWHERE,
    ORDERS,
    PRODUCTS,
    asked,
    decided,
    holding,
    needed,
)

RUN = Of("workflow", 9)


def running(
    *, does: tuple[str, ...], into: tuple[int, ...] = (), on: tuple[Of, ...] = (IN_ORDERS,)
) -> tuple[Asked, Any]:
    needs = [Need(Resource.CONVERSATIONS, Action.WRITE, one, "update_conversation") for one in on]
    call = asked("run_workflow", needed("run_workflow", RUN), *needs, path=(9,))
    return call, {**FOUND, RUN: Found(frozenset((ORDERS,)), does=does, into=frozenset(into))}


def test_running_a_workflow_needs_what_its_actions_need() -> None:
    grants: Any = {"workflows": (2, ORDERS), "conversations": (2, ORDERS), "threads": (2, ORDERS)}
    ok = running(does=("update_conversation", "add_note", "set_conversation_tags"))
    assert decided(holding(grants), *ok).outcome == "allowed"
    assert decided(holding(grants | {"threads": (1, ORDERS)}), *ok).missing == {"resource": "threads", "level": "write"}
    assert decided(holding(grants, {"set_conversation_tags": "hold"}), *ok).outcome == "held"
    assert decided(holding(grants, {"add_note": "off"}), *ok).missing == {"action": "add_note"}
    assert decided(holding(grants, {"run_workflow": "off"}), *ok).missing == {"action": "run_workflow"}
    deleting = running(does=("delete_conversation",))
    assert decided(holding(grants), *deleting).missing == {"resource": "conversations", "level": "full"}
    unheard = running(does=("launch_rocket",))
    assert decided(holding(grants), *unheard).missing == {"resource": "conversations", "level": "full"}


def test_a_workflow_that_replies_follows_replies() -> None:
    grants: Any = {"workflows": (2, ORDERS), "conversations": (2, ORDERS), "threads": (2, ORDERS)}
    replies = running(does=("reply_to_conversation",))
    assert decided(holding(grants), *replies).outcome == "allowed"
    assert decided(holding(grants, {"reply_to_conversation": "hold"}), *replies).outcome == "held"
    for chosen in ("off", "draft"):
        refused = decided(holding(grants, {"reply_to_conversation": chosen}), *replies)
        assert refused.missing == {"action": "reply_to_conversation"}


def test_a_workflow_moves_conversations_to_granted_inboxes_only() -> None:
    moves = running(does=("update_conversation",), into=(PRODUCTS,))
    assert decided(holding({"workflows": (2, None), "conversations": (2, ORDERS)}), *moves).outcome == "refused"
    both: Any = {"workflows": (2, None), "conversations": (2, (ORDERS, PRODUCTS))}
    assert decided(holding(both), *moves).outcome == "allowed"


def test_a_foreign_and_an_unknown_workflow_or_conversation_are_refused_alike() -> None:
    grants = holding({"workflows": (2, ORDERS), "conversations": (2, ORDERS)})
    call, found = running(does=("reply_to_conversation",))
    foreign = {**found, RUN: Found(frozenset((PRODUCTS,)), does=("delete_conversation",))}
    unknown = {**found, RUN: None}
    assert decided(grants, call, foreign).missing == decided(grants, call, unknown).missing == {
        "resource": "workflows", "level": "write",
    }  # fmt: skip
    missing = [decided(grants, *running(does=(), on=(IN_ORDERS, one))).missing for one in (IN_PRODUCTS, NOWHERE)]
    assert missing == [{"resource": "conversations", "level": "write"}] * 2


def test_switching_a_workflow_on_needs_what_it_will_do() -> None:
    workflow = Of("workflow", 9)
    call = asked("update_workflow", needed("update_workflow", workflow))
    found = {workflow: Found(frozenset((ORDERS,)), does=("add_note",))}
    only_workflows = Grants(1, {Resource.WORKFLOWS: Granted(2, frozenset((ORDERS,)))})
    assert decide(only_workflows, call, found, NOW).missing == {"resource": "threads", "level": "write"}
    with_threads = Grants(1, {**only_workflows.resources, Resource.THREADS: Granted(2, frozenset((ORDERS,)))})
    assert decide(with_threads, call, found, NOW).outcome == "allowed"
