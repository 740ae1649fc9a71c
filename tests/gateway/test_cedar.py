"""Grants as Cedar policies: an independent engine comes to the same answers."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any, cast

import cedarpy
import pytest

from deskhand.catalogue.operation import Action, Extent, Resource
from deskhand.catalogue.operations import BY_NAME
from deskhand.gateway.cedar import policies
from deskhand.gateway.grants import ACTIONS
from deskhand.gateway.limits import Limits
from deskhand.gateway.policy import OWN, WITHOUT_INBOXES, Granted, Grants, Rule, Setting
from deskhand.lib.clock import to_wire
from tests.gateway.asking import NOW, ORDERS, PRODUCTS, WHOLESALE, asked, decided, holding, needed

INBOXES = (ORDERS, PRODUCTS, WHOLESALE)
RESOURCES: list[Resource] = [one for one in Resource if one is not Resource.ATTACHMENTS]
EVERYWHERE = "everywhere"


def answers(written: str, questions: list[tuple[int, str, int | str]], **context: Any) -> list[str]:
    """What Cedar says to each agent, operation and inbox: the one outcome that is permitted, or refused."""
    outcomes = ("allowed", "held", "draft")
    requests = [
        {
            "principal": f'Agent::"{agent}"',
            "action": f'Action::"{name}"',
            "resource": 'Account::"all"' if inbox == EVERYWHERE else f'Inbox::"{inbox}"',
            "context": {"outcome": outcome} | context,
        }
        for agent, name, inbox in questions
        for outcome in outcomes
    ]
    results = cedarpy.is_authorized_batch(cast(Any, requests), written, [])
    assert not [error for one in results for error in one.diagnostics.errors]
    permitted = [one.decision == cedarpy.Decision.Allow for one in results]
    found = []
    for at in range(0, len(permitted), len(outcomes)):
        named = [outcome for outcome, yes in zip(outcomes, permitted[at:], strict=False) if yes]
        assert len(named) <= 1
        found.append(named[0] if named else "refused")
    return found


def decisions(grants: Grants, questions: list[tuple[int, str, int | str]]) -> list[str]:
    """What the gateway says to the same."""
    found: list[str] = []
    for _, name, inbox in questions:
        place = Extent.EVERY if inbox == EVERYWHERE else cast(int, inbox)
        one = decided(grants, asked(name, needed(name, place)))
        found.append("draft" if one.draft else one.outcome)
    return found


def random_grants(random: Random) -> Grants:
    resources: dict[Resource, Granted] = {
        one: Granted(
            random.randrange(4),
            None
            if one in WITHOUT_INBOXES or random.random() < 0.3
            else frozenset(random.sample(INBOXES, random.randint(1, 3))),
        )
        for one in RESOURCES
        if random.random() < 0.7
    }
    choices: tuple[Setting, ...] = ("off", "allow", "hold")
    actions = {name: Rule(random.choice(choices)) for name in sorted(ACTIONS) if random.random() < 0.3}
    if random.random() < 0.5:
        actions["reply_to_conversation"] = Rule("draft")
    return Grants(1, resources, actions, Limits(speak_for_others=random.random() < 0.5 or None))


def test_cedar_agrees_about_two_thousand_random_calls() -> None:
    random = Random(4)
    seen: set[str] = set()
    for agent in range(1, 21):
        grants = random_grants(random)
        everywhere = (*INBOXES, EVERYWHERE)
        names = [*sorted(ACTIONS), *["reply_to_conversation"] * 10]
        questions = [(agent, random.choice(names), random.choice(everywhere)) for _ in range(100)]
        expected = decisions(grants, questions)
        assert answers(policies(agent, grants), questions) == expected
        seen |= set(expected)
    assert seen == {"refused", "held", "allowed", "draft"}


@pytest.mark.parametrize("chosen", [None, "off", "allow", "hold", "draft"])
def test_cedar_agrees_for_each_level_action_and_inbox(chosen: Setting | None) -> None:
    names = [
        "get_conversation", "update_conversation", "delete_conversation", "list_threads", "add_note",
        "reply_to_conversation", "add_customer_thread", "delete_attachment", "list_conversations", "delete_customer",
    ]  # fmt: skip
    for level in range(4):
        for inboxes in (None, ORDERS, (ORDERS, PRODUCTS)):
            resources: dict[str, Any] = dict.fromkeys(("conversations", "threads", "customers"), (level, inboxes))
            actions = {} if chosen is None else {name: chosen for name in names}
            if chosen == "draft":
                actions = {"reply_to_conversation": chosen}
            grants = holding(resources, actions)
            questions = [(7, name, inbox) for name in names for inbox in (*INBOXES, EVERYWHERE)]
            assert answers(policies(7, grants), questions) == decisions(grants, questions), (level, inboxes)


def test_another_agent_is_permitted_nothing() -> None:
    written = policies(7, holding({"conversations": (3, None)}))
    assert answers(written, [(7, "get_conversation", ORDERS), (8, "get_conversation", ORDERS)]) == [
        "allowed",
        "refused",
    ]
    assert answers(policies(7, Grants()), [(7, "get_conversation", ORDERS)]) == ["refused"]


def test_grants_that_ended_permit_nothing() -> None:
    written = policies(7, holding({"conversations": (3, None)}, expires_at=to_wire(NOW)))
    question: list[tuple[int, str, int | str]] = [(7, "get_conversation", ORDERS)]
    for moment, expected in ((NOW - timedelta(seconds=1), "allowed"), (NOW, "refused")):
        now = {"__extn": {"fn": "datetime", "arg": to_wire(moment)}}
        assert answers(written, question, now=now) == [expected]
    assert answers(written, question) == ["refused"]


def test_every_operation_can_be_asked_about() -> None:
    full = Grants(1, {one: Granted(3) for one in RESOURCES}, {}, Limits(speak_for_others=True))
    questions: list[tuple[int, str, int | str]] = [(7, name, ORDERS) for name in sorted(ACTIONS)]
    assert set(answers(policies(7, full), questions)) == {"allowed"}
    assert {OWN[name] for name in ACTIONS} == set(RESOURCES)
    assert {BY_NAME[name].action for name in ACTIONS} == set(Action)
