"""Tokens of a connection: renewed once, however many are refused, and refresh tokens that are never lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db.engine import Unavailable
from deskhand.db.statements import P, value
from deskhand.gateway import remote_access
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Answer
from deskhand.gateway.connections import Connection
from deskhand.gateway.remote import Remote, Remotes
from deskhand.gateway.tables import connection as stored
from deskhand.gateway.upstream import UpstreamDown
from tests.gateway.fake_desk import Asked, FakeDesk, Says, error, in_turn
from tests.gateway.remote.builders import READ, TAG, WRITE, call, go_on, use
from tests.gateway.remote_world import House, send

# -- Tokens


def refusing(*refused: str) -> Callable[[Asked], Says]:
    return lambda asked: error(401) if asked.token in refused else Says(content=TAG)


def test_after_401_the_call_is_made_again_with_a_new_token(house: House, desk: FakeDesk) -> None:
    desk.answer = refusing("token1")
    assert call(house, desk, *WRITE).status == 200
    assert [one.token for one in desk.calls()] == ["token1", "token2"]
    assert [one.form["grant_type"] for one in desk.token_calls] == ["client_credentials"]


def test_a_desk_that_refuses_every_token_is_given_up_and_left_alone_for_a_while(house: House, desk: FakeDesk) -> None:
    desk.answer = lambda _: error(401)

    async def work(remote: Remote, agent: Agent) -> None:
        for _ in range(3):
            with pytest.raises(UpstreamDown, match="refuses"):
                await send(remote, agent, *READ)

    use(house, desk, work)
    assert len(desk.token_calls) == 1
    assert len(desk.calls()) == 2 + 1 + 1


def test_however_many_are_refused_at_once_the_token_is_renewed_once(house: House, desk: FakeDesk) -> None:
    desk.answer = refusing("token1")
    desk.tokens = lambda _: Says(content=desk.new_token().content, after_s=0.2)

    async def work(remote: Remote, agent: Agent) -> list[Answer]:
        return list(await asyncio.gather(*(send(remote, agent, *READ) for _ in range(12))))

    answers = use(house, desk, work)
    assert {answer.status for answer in answers} == {200}
    assert len(desk.token_calls) == 1


def test_a_token_is_renewed_before_it_ends(house: House, desk: FakeDesk) -> None:
    desk.answer = lambda _: Says(content=TAG)

    async def work(remote: Remote, agent: Agent) -> None:
        await send(remote, agent, *READ)
        house.clock.advance(timedelta(seconds=172_800 - 299))
        await send(remote, agent, *READ)

    use(house, desk, work)
    assert [one.token for one in desk.calls()] == ["token1", "token2"]


def test_the_token_is_shared_with_processes_that_come_later(house: House, desk: FakeDesk) -> None:
    desk.answer = refusing("token1")
    connection = house.connect(desk.url)
    for _ in range(3):
        go_on(house, connection, lambda remote, agent: send(remote, agent, *READ))
    assert [one.token for one in desk.calls()] == ["token1", "token2", "token2", "token2"]


def test_two_processes_renew_one_after_the_other(house: House, desk: FakeDesk) -> None:
    desk.answer = refusing("token1")
    connection = house.connect(desk.url)
    agent = house.agent(connection)

    async def within() -> None:
        async with (
            Remotes(house.database, house.clock, house.sealer) as one,
            Remotes(house.database, house.clock, house.sealer) as other,
        ):
            for remotes in (one, other):
                await send(remotes.of(agent), agent, *READ)

    asyncio.run(within())
    assert desk.given_tokens == 2  # for trying it out, and for the renewal


# -- Refresh tokens, which can be used once


def rotating(desk: FakeDesk, begin: str = "r0", after_s: float = 0) -> None:
    """Let the desk take each refresh token once and give the next."""
    good = [begin]

    def tokens(asked: Asked) -> Says:
        if asked.form.get("refresh_token") != good[0]:
            content = {"error": "invalid_request", "error_description": "Invalid refresh_token"}
            return Says(400, content, media_type="application/json")
        good[0] = f"r{desk.given_tokens + 1}"
        return Says(content=desk.new_token(refresh_token=good[0]).content, after_s=after_s)

    desk.tokens = tokens


def kept(house: House, connection: Connection) -> str:
    """What is stored of a connection's secrets, as it lies in the database."""
    own = (stored.c.id == P("id"), stored.c.account_id == P("account_id"))
    secrets = value(str, sa.select(stored.c.secrets).where(*own), keep=False)
    return house.database.read_now(lambda db: db.first(secrets, id=connection.id, account_id=connection.account_id))


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def by_code(house: House, desk: FakeDesk) -> Connection:
    return house.connect(desk.url, grant="authorization_code", refresh_token="r0")


def test_a_new_refresh_token_takes_the_place_of_the_old_one(house: House, desk: FakeDesk) -> None:
    rotating(desk)
    connection = by_code(house, desk)
    for number in (1, 2, 3):
        desk.answer = refusing(f"token{number}")
        assert go_on(house, connection, lambda remote, agent: send(remote, agent, *READ)).status == 200
    assert [one.form["refresh_token"] for one in desk.token_calls] == ["r0", "r1", "r2", "r3"]


def test_a_refresh_token_is_kept_though_nobody_waits_for_it_any_more(house: House, desk: FakeDesk) -> None:
    rotating(desk)
    connection = by_code(house, desk)
    rotating(desk, "r1", after_s=1)
    desk.answer = refusing("token1")

    async def give_up(remote: Remote, agent: Agent) -> None:
        before = kept(house, connection)
        task = asyncio.create_task(send(remote, agent, *READ))
        await until(lambda: len(desk.token_calls) == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: kept(house, connection) != before)

    go_on(house, connection, give_up)
    assert go_on(house, connection, lambda remote, agent: send(remote, agent, *READ)).status == 200
    assert [one.form["refresh_token"] for one in desk.token_calls] == ["r0", "r1"]


def test_a_refresh_token_is_not_lost_though_the_database_takes_nothing_for_a_while(
    house: House, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_access, "STORE_EVERY_S", 0.1)
    rotating(desk)
    connection = by_code(house, desk)

    async def read(remote: Remote, agent: Agent) -> None:
        assert (await send(remote, agent, *READ)).status == 200

    async def work(remote: Remote, agent: Agent) -> None:
        before = kept(house, connection)
        with monkeypatch.context() as full:
            full.setattr(house.database, "write", no_space)
            for number in (1, 2):
                desk.answer = refusing(f"token{number}")
                await read(remote, agent)
                await read(remote, agent)  # and with what it got it goes on
        deadline = time.monotonic() + 60
        while kept(house, connection) == before:
            assert time.monotonic() < deadline
            await read(remote, agent)
            await asyncio.sleep(0.05)

    go_on(house, connection, work)
    desk.answer = refusing("token3")
    go_on(house, connection, read)
    assert [one.form["refresh_token"] for one in desk.token_calls] == ["r0", "r1", "r2", "r3"]


async def no_space(_: Any) -> Any:
    raise Unavailable("the disk is full")


def test_a_process_that_comes_too_late_takes_what_the_quicker_one_got(
    house: House, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_access, "_LOOKS", 300)  # a minute, for a machine that may be busy
    rotating(desk)
    connection = by_code(house, desk)
    rotating(desk, "r1", after_s=1)
    desk.answer = refusing("token1")
    agent = house.agent(connection)

    async def within() -> list[Answer]:
        async with (
            Remotes(house.database, house.clock, house.sealer) as one,
            Remotes(house.database, house.clock, house.sealer) as other,
        ):
            return list(await asyncio.gather(*(send(remotes.of(agent), agent, *READ) for remotes in (one, other))))

    assert {answer.status for answer in asyncio.run(within())} == {200}
    assert [one.form["refresh_token"] for one in desk.token_calls] == ["r0", "r1", "r1"]


def test_a_refresh_token_that_is_refused_is_not_tried_again_at_once(house: House, desk: FakeDesk) -> None:
    rotating(desk)
    connection = by_code(house, desk)
    rotating(desk, "somebody else has it")
    desk.answer = refusing("token1")

    async def work(remote: Remote, agent: Agent) -> None:
        for _ in range(3):
            with pytest.raises(UpstreamDown, match="refuses the gateway's credentials"):
                await send(remote, agent, *READ)

    before = len(desk.token_calls)
    go_on(house, connection, work)
    assert len(desk.token_calls) - before == 1


def test_after_a_while_it_is_tried_again(house: House, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_access, "PAUSE_S", 0.0)
    desk.answer = refusing("token1")
    refused = Says(400, {"error": "invalid_client"}, media_type="application/json")
    connection = house.connect(desk.url)
    desk.tokens = in_turn(refused, desk.new_token())

    async def work(remote: Remote, agent: Agent) -> Answer:
        with pytest.raises(UpstreamDown):
            await send(remote, agent, *READ)
        return await send(remote, agent, *READ)

    assert go_on(house, connection, work).status == 200
