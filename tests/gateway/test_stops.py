"""The kill switch: what it stops, who may be named, and how soon every process knows."""

from __future__ import annotations

from functools import partial

import pytest

from deskhand.catalogue.problems import BadRequest, NotFound
from deskhand.desk.for_agents import Authors
from deskhand.gateway import agents, stops
from deskhand.gateway.audit import By
from deskhand.gateway.stops import Scope, Stop, Stops, stopped
from tests.gateway.builders import run
from tests.gateway.made import another_process, make, seconds_until
from tests.world import Desk, open_desk

BY = By("command_line")
READ, WRITE = False, True


@pytest.mark.parametrize(
    ("scope", "target", "agent", "write", "inboxes", "stops_it"),
    [
        ("all", None, 7, READ, {1}, True), ("all", None, 7, WRITE, set(), True),
        ("writes", None, 7, READ, {1}, False), ("writes", None, 7, WRITE, {1}, True),
        ("agent", 7, 7, READ, {1}, True), ("agent", 7, 8, WRITE, {1}, False),
        ("inbox_writes", 1, 7, READ, {1}, False), ("inbox_writes", 1, 7, WRITE, {1, 2}, True),
        ("inbox_writes", 1, 7, WRITE, {2}, False), ("inbox_writes", 1, 7, WRITE, set(), False),
        ("inbox_writes", 1, 7, WRITE, None, True), ("inbox_writes", 1, 7, READ, None, False),
    ],
)  # fmt: skip
def test_a_stop_reaches_as_far_as_it_says(
    scope: Scope, target: int | None, agent: int, write: bool, inboxes: set[int] | None, stops_it: bool
) -> None:
    one = Stop(1, scope, target, "2026-11-23T09:30:00Z")
    found = stopped([one], agent, write, None if inboxes is None else frozenset(inboxes))
    assert found is (one if stops_it else None)


def test_nothing_is_stopped_where_there_are_no_stops() -> None:
    assert stopped([], 7, WRITE, None) is None


def stop(desk: Desk, scope: Scope, target: int | None = None) -> Stop:
    return desk.write(lambda tx: stops.add(tx, desk.account_id, scope, target, BY, desk.server.clock.now()))


def now_stopped(desk: Desk) -> list[int]:
    return [one.id for one in run(Stops(desk.server.app.database).of(desk.account_id))]


def test_stops_are_lifted_one_by_one_or_all_at_once(desk: Desk) -> None:
    agent, other = make(desk), open_desk(desk.server)
    made = [stop(desk, "agent", agent.id), stop(desk, "inbox_writes", 501), stop(desk, "writes"), stop(desk, "all")]
    assert now_stopped(desk) == [one.id for one in made]
    assert now_stopped(other) == []
    for account_id, id in ((other.account_id, made[0].id), (desk.account_id, 10**9)):
        with pytest.raises(NotFound):
            desk.write(partial(stops.lift, account_id=account_id, id=id))
    assert desk.write(lambda tx: stops.lift(tx, desk.account_id, made[1].id)) == made[1]
    assert now_stopped(desk) == [made[0].id, made[2].id, made[3].id]
    assert desk.write(lambda tx: stops.lift_all(tx, other.account_id)) == 0
    assert desk.write(lambda tx: stops.lift_all(tx, desk.account_id)) == 3
    assert now_stopped(desk) == []


def test_what_is_stopped_already_stays_one_stop(desk: Desk) -> None:
    assert stop(desk, "writes").id == stop(desk, "writes").id
    assert stop(desk, "inbox_writes", 1).id != stop(desk, "inbox_writes", 2).id


@pytest.mark.parametrize(
    ("scope", "target", "words"),
    [
        ("agent", None, "id: may not be empty"), ("inbox_writes", None, "id: may not be empty"),
        ("agent", 10**12, "id: no such agent"), ("all", 1, "id: is not for the scope all"),
        ("writes", 1, "id: is not for the scope writes"),
    ],
)  # fmt: skip
def test_an_id_that_does_not_fit_is_refused(desk: Desk, scope: Scope, target: int | None, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        stop(desk, scope, target)
    assert str(caught.value) == f"Bad request; {words}"


def test_neither_a_deleted_agent_nor_another_account_s_can_be_named(desk: Desk) -> None:
    deleted, foreign = make(desk), make(open_desk(desk.server))
    desk.write(lambda tx: agents.delete(tx, desk.account_id, deleted.id, Authors(), desk.server.clock.now()))
    for id in (deleted.id, foreign.id):
        with pytest.raises(BadRequest):
            stop(desk, "agent", id)


def test_another_process_knows_within_a_second_and_this_one_at_once(desk: Desk) -> None:
    elsewhere = another_process(desk)
    here, there = Stops(desk.server.app.database), Stops(elsewhere)

    async def known_after() -> tuple[int, float]:
        assert [await one.of(desk.account_id) for one in (here, there)] == [(), ()]
        await desk.server.app.database.write(
            lambda tx: stops.add(tx, desk.account_id, "all", None, BY, desk.server.clock.now())
        )
        at_once = await here.of(desk.account_id)
        return len(at_once), await seconds_until(there.of, desk.account_id, at_once)

    try:
        at_once, seconds = run(known_after())
    finally:
        elsewhere.close()
    assert at_once == 1
    assert seconds < 20  # one second, and the machine may be busy
