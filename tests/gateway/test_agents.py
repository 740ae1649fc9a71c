"""Agents: their names, what becomes of their credentials, and how soon every process knows."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from deskhand.catalogue.problems import BadRequest, NotFound, Problem
from deskhand.db.engine import Writer
from deskhand.desk.for_agents import Authors
from deskhand.gateway import agents, grants, keys, tokens
from deskhand.gateway.agents import Agent, Agents, Made
from deskhand.gateway.audit import By
from deskhand.gateway.policy import Grants
from deskhand.lib.clock import MovableClock, to_wire
from tests.gateway.builders import run
from tests.gateway.made import AUTHORS, another_process, make, seconds_until, who
from tests.world import Desk, open_desk


def refusal(desk: Desk, work: Any) -> str:
    with pytest.raises(Problem) as caught:
        desk.write(work)
    return f"{caught.value.status} {caught.value}"


def test_an_agent_begins_with_a_key_a_client_id_and_nothing_granted(desk: Desk) -> None:
    made = make(desk)
    found = who(desk, made.key)
    assert found is not None
    assert (found.id, found.account_id, found.name, found.state) == (made.id, desk.account_id, "Triage", "active")
    assert found.grants == Grants()
    assert made.client_id.startswith("dh_client_")
    assert made.key.startswith("dh_agent_") and len(made.key) == len("dh_agent_") + 40


def test_an_agent_is_a_system_user_under_its_name(desk: Desk) -> None:
    made = make(desk, "Triage")
    found = who(desk, made.key)
    assert found is not None and found.user_id is not None
    assert desk.get(f"/v2/users/{found.user_id}").json()["firstName"] == "Triage"
    desk.write(lambda tx: agents.rename(tx, desk.account_id, made.id, "Sorter", AUTHORS, desk.server.clock.now()))
    assert desk.get(f"/v2/users/{found.user_id}").json()["firstName"] == "Sorter"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "may not be empty"), (" \t ", "may not be empty"), ("x" * 81, "must have at most 80 characters"),
        ("a\nb", "may not contain control characters"), ("a\x1bb", "may not contain control characters"),
        ("a\u202eb", "may not contain control characters"), ("\ud800", "may not contain control characters"),
        ("\ufdfa" * 80, "must have at most 80 characters"), ("\u200d", "may not contain control characters"),
        ("Triage\u200c", "may not contain control characters"),
    ],
)  # fmt: skip
def test_a_name_that_can_not_be_is_refused_in_words(desk: Desk, name: str, words: str) -> None:
    assert refusal(desk, lambda tx: agents.create(tx, desk.account_id, name, AUTHORS, desk.server.clock.now())) == (
        f"400 Bad request; name: {words}"
    )


@pytest.mark.parametrize("name", ["x" * 80, " Triage ", "Größe 🧑\u200d💻"])
def test_names_of_any_script_are_fine(desk: Desk, name: str) -> None:
    assert make(desk, name).name == name.strip()


def test_two_living_agents_of_an_account_never_have_one_name(desk: Desk) -> None:
    first = make(desk, "Triage")
    words = "409 Conflict; name: another agent has this name"
    assert refusal(desk, lambda tx: agents.create(tx, desk.account_id, "TRIAGE", AUTHORS, desk.server.clock.now())) == (
        words
    )
    second, now = make(desk, "Other"), desk.server.clock.now()
    rename = agents.rename
    assert refusal(desk, lambda tx: rename(tx, desk.account_id, second.id, "triage", AUTHORS, now)) == words
    assert desk.write(lambda tx: rename(tx, desk.account_id, first.id, "TRIAGE", AUTHORS, now)).name == "Triage"
    make(open_desk(desk.server), "Triage")


def test_the_name_of_a_deleted_agent_is_free_again_and_stays_known(desk: Desk) -> None:
    first = make(desk)
    desk.write(lambda tx: agents.delete(tx, desk.account_id, first.id, AUTHORS, desk.server.clock.now()))
    make(desk)
    row = desk.server.app.database.read_now(lambda db: agents.by_id(db, desk.account_id, first.id))
    assert row is not None and (row.name, row.state) == ("Triage", "deleted")
    for verb in (agents.require, agents.hold):
        with pytest.raises(NotFound):
            desk.write(partial(verb, account_id=desk.account_id, id=first.id))


def test_nothing_opens_the_door_of_a_deleted_agent(desk: Desk) -> None:
    made, now = make(desk), desk.server.clock.now()
    token = desk.write(lambda tx: tokens.issue(tx, desk.account_id, made.id, now))
    second = desk.write(lambda tx: keys.add(tx, desk.account_id, made.id, now)).key
    assert all(who(desk, one) is not None for one in (made.key, second, token))
    desk.write(lambda tx: agents.delete(tx, desk.account_id, made.id, AUTHORS, now))
    assert [who(desk, one) for one in (made.key, second, token)] == [None, None, None]
    client = desk.server.app.database.read_now(lambda db: tokens.by_client_id(db, made.client_id))
    assert client is None
    late = desk.write(lambda tx: tokens.issue(tx, desk.account_id, made.id, now))
    assert who(desk, late) is None


def test_another_account_can_do_nothing_to_an_agent(desk: Desk) -> None:
    made, other, now = make(desk), open_desk(desk.server), desk.server.clock.now()
    for work in (
        lambda tx: agents.rename(tx, other.account_id, made.id, "Mine", AUTHORS, now),
        lambda tx: agents.set_state(tx, other.account_id, made.id, "paused"),
        lambda tx: agents.delete(tx, other.account_id, made.id, AUTHORS, now),
        lambda tx: keys.add(tx, other.account_id, made.id, now),
        lambda tx: keys.revoke(tx, other.account_id, made.id, 1),
    ):
        with pytest.raises(NotFound):
            other.write(work)
    assert who(desk, made.key) is not None


def test_a_paused_agent_is_known_as_one(desk: Desk) -> None:
    made = make(desk)
    desk.write(lambda tx: agents.set_state(tx, desk.account_id, made.id, "paused"))
    found = who(desk, made.key)
    assert found is not None and found.state == "paused"


def test_a_caller_brings_its_grants_and_its_key(desk: Desk) -> None:
    made, now = make(desk), desk.server.clock.now()
    held = grants.read_grants({"resources": {"conversations": {"level": "read", "inboxes": [501]}}})
    desk.write(lambda tx: grants.put(tx, desk.account_id, made.id, held, By("command_line"), now))
    found = who(desk, made.key)
    assert found is not None
    assert (found.grants.version, found.grants.resources) == (1, held.resources)
    listed = desk.server.app.database.read_now(lambda db: keys.of(db, desk.account_id, made.id))
    assert found.key_id == listed[0].id
    same = run(Agents(desk.server.app.database, desk.server.clock).by_id(desk.account_id, made.id))
    assert same is not None and same.grants == found.grants


@pytest.mark.parametrize(
    "given", ["", "dh_agent_", "dh_agent_x", "dh_agent_" + "x" * 600, "dh_admin_x", "x", "é\ud800"]
)
def test_an_unknown_credential_is_nobody(desk: Desk, given: str) -> None:
    assert who(desk, given) is None


def test_without_a_desk_an_agent_needs_a_connection(desk: Desk) -> None:
    now = desk.server.clock.now()
    with pytest.raises(BadRequest) as caught:
        desk.write(lambda tx: agents.create(tx, desk.account_id, "Remote", None, now))
    assert caught.value.errors[0].path == "connection_id"
    with pytest.raises(BadRequest) as caught:
        desk.write(lambda tx: agents.create(tx, desk.account_id, "Remote", AUTHORS, now, connection_id=10**9))
    assert str(caught.value) == "Bad request; connection_id: no such connection"


def test_two_that_make_an_agent_of_one_name_at_once_make_one(desk: Desk) -> None:
    """Both have looked whether the name is free before either writes; SQLite has one writer, so there one waits."""
    both_looked = threading.Barrier(2)

    class Waiting(Authors):
        def add(self, tx: Writer, account_id: int, name: str, now: datetime) -> int:
            with suppress(threading.BrokenBarrierError):
                both_looked.wait(0.3)
            return super().add(tx, account_id, name, now)

    def create(_: int) -> Made | Problem:
        try:
            return desk.write(
                lambda tx: agents.create(tx, desk.account_id, "Triage", Waiting(), desk.server.clock.now())
            )
        except Problem as problem:
            return problem

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(create, range(2)))
    assert sorted(type(one).__name__ for one in made) == ["AlreadyThere", "Made"]


def test_what_one_process_revokes_another_refuses_within_a_second(desk: Desk) -> None:
    made, now = make(desk), desk.server.clock.now()
    elsewhere = another_process(desk)
    try:
        there, here = Agents(elsewhere, desk.server.clock), Agents(desk.server.app.database, desk.server.clock)

        async def refused_after() -> tuple[Agent | None, float]:
            assert await there.by_credential(made.key) is not None
            assert await here.by_credential(made.key) is not None
            await desk.server.app.database.write(lambda tx: agents.delete(tx, desk.account_id, made.id, AUTHORS, now))
            at_once = await here.by_credential(made.key)
            return at_once, await seconds_until(there.by_credential, made.key, None)

        at_once, seconds = run(refused_after())
        assert at_once is None
        assert seconds < 20  # one second, and the machine may be busy
    finally:
        elsewhere.close()


def test_a_known_credential_costs_no_query(desk: Desk) -> None:
    made = make(desk)
    database = desk.server.app.database
    here = Agents(database, desk.server.clock)

    async def ask_often() -> int:
        await here.by_credential(made.key)
        before = sum(session.ran for session in database.lanes["fast"].sessions)
        for _ in range(100):
            assert await here.by_credential(made.key) is not None
        return sum(session.ran for session in database.lanes["fast"].sessions) - before

    # Two, when the half second for which it is remembered ends meanwhile.
    assert run(ask_often()) <= 2


def test_an_expired_key_is_refused_though_it_was_just_in_use(desk: Desk) -> None:
    clock = MovableClock(desk.server.clock.offset)
    end = to_wire(clock.now() + timedelta(hours=1))
    made = make(desk, key_expires_at=end)
    here = Agents(desk.server.app.database, clock)

    async def use() -> tuple[Agent | None, Agent | None]:
        before = await here.by_credential(made.key)
        clock.advance(timedelta(hours=1))
        return before, await here.by_credential(made.key)

    before, after = run(use())
    assert before is not None and after is None
