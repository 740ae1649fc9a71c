"""Whatever an agent with full access to one inbox asks for by the catalogue, the other inbox does not exist for it.

The tests walk the catalogue with the cases of tests/contract/isolation: real HTTP, through the gateway's door,
on both databases and in front of another server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deskhand.catalogue.operation import AnyOperation, ListOf
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.gateway.narrowing import HOW, How
from tests.contract.isolation.cases import CASES
from tests.contract.isolation.sides import Side
from tests.contract.isolation.walking import USING_UP, all_of, filled, nothing
from tests.desk.test_for_agents_isolation import BODIES, OF_NO_INBOX, names_what_is_tied
from tests.proof.bypass_world import OF_THE_ACCOUNT, World, alike

PLACED = [one for one in OPERATIONS if one.parameters and one.name not in OF_NO_INBOX]
LISTS = [one for one in OPERATIONS if isinstance(one.returns, ListOf)]
NAMED = [
    (name, number) for name, case in CASES.items() for number in range(len(case.ids))
    if names_what_is_tied(name, number)
]  # fmt: skip


def body_of(operation: AnyOperation) -> Callable[[Side], Any]:
    return BODIES.get(operation.name) or CASES[operation.name].body or nothing


def refused_over_the_wire(world: World, operation: AnyOperation) -> bool:
    """Whether a desk that can't be narrowed honestly is not even asked."""
    return world.remote and HOW[operation.name] is How.REFUSED


@pytest.mark.parametrize("operation", PLACED, ids=lambda one: one.name)
def test_what_lies_elsewhere_is_refused_like_what_there_is_not(world: World, operation: AnyOperation) -> None:
    own, foreign, none = world.own, world.foreign, world.nothing
    body, parts = body_of(operation), len(operation.parameters)
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        for given in [body(own)] if body(own) == body(foreign) else [body(own), body(foreign)]:
            there = attempt.send(operation.method, filled(operation, *[foreign] * parts), given)
            assert there.status == 403, there.everything
            assert there.reason == ("unanswerable" if refused_over_the_wire(world, operation) else "missing_grant")
            nowhere = attempt.send(operation.method, filled(operation, *[none] * parts), given)
            assert alike(there) == alike(nowhere)
        if parts > 1 and operation.name not in USING_UP:
            there = attempt.send(operation.method, filled(operation, own, *[foreign] * (parts - 1)), body(own))
            nowhere = attempt.send(operation.method, filled(operation, own, *[none] * (parts - 1)), body(own))
            assert there.status in (400, 403, 404), there.everything
            assert alike(there) == alike(nowhere)


@pytest.mark.parametrize("operation", [one for one in PLACED if one.method == "GET"], ids=lambda one: one.name)
def test_what_is_its_own_is_shown_so_that_refusals_mean_something(world: World, operation: AnyOperation) -> None:
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        if operation.name == "get_original_source":
            thread = f"{world.own.conversation}/threads/{world.own.thread_of_customer}"
            shown = attempt.get(f"/v2/conversations/{thread}/original-source")
        else:
            shown = attempt.get(all_of(operation, world.own))
        assert shown.status == (403 if refused_over_the_wire(world, operation) else 200), shown.everything


@pytest.mark.parametrize(("name", "number"), NAMED, ids=str)
def test_an_id_of_elsewhere_in_a_body_is_answered_like_one_of_nothing(world: World, name: str, number: int) -> None:
    operation, (_, body) = BY_NAME[name], CASES[name].ids[number]
    own, foreign, none = world.own, world.foreign, world.nothing
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        there = attempt.send(operation.method, all_of(operation, own), body(own, foreign))
        nowhere = attempt.send(operation.method, all_of(operation, own), body(own, none))
        assert there.status in (400, 403), there.everything
        assert alike(there) == alike(nowhere)


@pytest.mark.parametrize("operation", LISTS, ids=lambda one: one.name)
def test_lists_with_their_totals_end_at_the_granted_inbox(world: World, operation: AnyOperation) -> None:
    if operation.name in OF_NO_INBOX:
        may_see, agent = OF_THE_ACCOUNT, world.wide
    else:
        may_see, agent = frozenset({"property"}), world.narrow
        if {"organization_id"} & set(operation.parameters):
            may_see, agent = OF_THE_ACCOUNT, world.wide
    assert isinstance(operation.returns, ListOf)
    with world.watched(agent, may_see=may_see) as attempt:
        for more in ({}, {"status": "all", "embed": "threads"}, {"page": 10**6}):
            shown = attempt.get(all_of(operation, world.own), **more)
            if shown.status == 403:
                assert refused_over_the_wire(world, operation), shown.everything
                return
            assert shown.status == 200, shown.everything
            found = shown.json()
            items, page = found["_embedded"][operation.returns.key], found.get("page")
            if page is not None:
                assert items == [] or "page" not in more
                assert page["totalElements"] == len(items) or len(items) in (0, page["size"])


@pytest.mark.parametrize("operation", LISTS, ids=lambda one: one.name)
def test_no_filter_finds_what_lies_elsewhere(world: World, operation: AnyOperation) -> None:
    if operation.name in OF_NO_INBOX:
        return
    assert isinstance(operation.returns, ListOf)
    filters = CASES[operation.name].filters
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        for wanted, unknown in zip(filters(world.foreign), filters(world.nothing), strict=True):
            if "assigned_to" in wanted or "UserIds" in str(wanted):
                continue  # users belong to no inbox
            there = attempt.get(operation.path, **wanted)
            nowhere = attempt.get(operation.path, **unknown)
            assert there.status == nowhere.status, (wanted, there.everything, nowhere.everything)
            if there.status == 200:
                found = there.json()
                assert found["_embedded"][operation.returns.key] == [], wanted
                assert found.get("page", {}).get("totalElements", 0) == 0
            else:
                assert there.status in (400, 403), there.everything
                assert alike(there) == alike(nowhere)
