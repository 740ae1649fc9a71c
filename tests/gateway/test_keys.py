"""Keys: two at most, shown once, ended by time or by people; and the tokens that are got by client credentials."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from deskhand.catalogue.problems import AlreadyThere, BadRequest, NotFound
from deskhand.db.statements import command
from deskhand.gateway import keys, tokens
from deskhand.gateway.agents import Agents
from deskhand.gateway.keys import Key, MadeKey
from deskhand.gateway.tables import agent_token
from deskhand.lib.clock import MovableClock, to_wire
from deskhand.lib.secrets import digest
from tests.gateway.builders import run
from tests.gateway.made import make, who
from tests.world import Desk


def listed(desk: Desk, agent_id: int) -> list[Key]:
    return desk.server.app.database.read_now(lambda db: keys.of(db, desk.account_id, agent_id))


def add(desk: Desk, agent_id: int, hours: int | None = None, clock: MovableClock | None = None) -> MadeKey:
    now = (clock or desk.server.clock).now()
    end = None if hours is None else to_wire(now + timedelta(hours=hours))
    return desk.write(lambda tx: keys.add(tx, desk.account_id, agent_id, now, end))


def test_a_key_shows_how_it_begins_and_is_stored_as_a_hash_only(desk: Desk) -> None:
    made = make(desk)
    (key,) = listed(desk, made.id)
    assert re.fullmatch(r"dh_agent_[A-Za-z0-9]{6}", key.prefix)
    assert made.key.startswith(key.prefix)
    assert (key.created_at, key.expires_at, key.last_used_at) == (desk.now[:17] + key.created_at[17:], None, None)


def test_a_second_key_takes_over_and_a_third_has_no_place(desk: Desk) -> None:
    made = make(desk)
    second = add(desk, made.id)
    assert [who(desk, one) is not None for one in (made.key, second.key)] == [True, True]
    with pytest.raises(AlreadyThere):
        add(desk, made.id)
    first_id = listed(desk, made.id)[0].id
    revoked = desk.write(lambda tx: keys.revoke(tx, desk.account_id, made.id, first_id))
    assert revoked.prefix == made.key[:15]
    assert [who(desk, one) is not None for one in (made.key, second.key)] == [False, True]
    add(desk, made.id)
    with pytest.raises(NotFound):
        desk.write(lambda tx: keys.revoke(tx, desk.account_id, made.id, first_id))


def test_an_expired_key_makes_room(desk: Desk) -> None:
    made, clock = make(desk), MovableClock(desk.server.clock.offset)
    short = add(desk, made.id, hours=1)
    assert who(desk, short.key) is not None
    clock.advance(timedelta(hours=1, seconds=1))
    third = add(desk, made.id, clock=clock)
    assert [key.id for key in listed(desk, made.id)] == [listed(desk, made.id)[0].id, third.id]
    assert short.id not in [key.id for key in listed(desk, made.id)]


def test_a_key_can_not_have_expired_when_it_is_made(desk: Desk) -> None:
    made, now = make(desk), desk.server.clock.now()
    with pytest.raises(BadRequest) as caught:
        desk.write(lambda tx: keys.add(tx, desk.account_id, made.id, now, to_wire(now)))
    assert str(caught.value) == "Bad request; expires_at: must be in the future"


def test_it_is_noted_once_a_minute_that_a_key_is_used(desk: Desk) -> None:
    made, clock = make(desk), MovableClock(desk.server.clock.offset)
    here = Agents(desk.server.app.database, clock)

    async def use() -> str | None:
        assert await here.by_credential(made.key) is not None
        await here._uses.settle()
        return listed(desk, made.id)[0].last_used_at

    async def use_for_two_minutes() -> list[str | None]:
        seen = [await use()]
        for seconds in (30, 31):
            clock.advance(timedelta(seconds=seconds))
            here._memory._known.clear()
            seen.append(await use())
        return seen

    began = clock.now()
    seen = run(use_for_two_minutes())
    assert seen[0] == seen[1] == to_wire(began)
    assert seen[2] is not None and seen[2] >= to_wire(began + timedelta(seconds=61))


def test_a_token_is_good_for_two_days(desk: Desk) -> None:
    made, clock = make(desk), MovableClock(desk.server.clock.offset)
    token = desk.write(lambda tx: tokens.issue(tx, desk.account_id, made.id, clock.now()))
    here = Agents(desk.server.app.database, clock)
    found = run(here.by_credential(token))
    assert found is not None and (found.id, found.key_id) == (made.id, None)
    clock.advance(timedelta(seconds=tokens.LIFE_S - 90))
    assert run(here.by_credential(token)) is not None
    clock.advance(timedelta(seconds=90))
    assert run(here.by_credential(token)) is None


def test_expired_tokens_are_cleared_away(desk: Desk) -> None:
    made, clock = make(desk), MovableClock(desk.server.clock.offset)
    for _ in range(3):
        desk.write(lambda tx: tokens.issue(tx, desk.account_id, made.id, clock.now()))
    clock.advance(timedelta(days=3))
    desk.write(lambda tx: tokens.issue(tx, desk.account_id, made.id, clock.now()))
    statement = command(agent_token.delete().where(agent_token.c.agent_id == made.id), keep=False)
    assert desk.write(lambda tx: tx.run(statement)) == 1


def test_a_new_client_secret_ends_the_old_one_and_its_tokens(desk: Desk) -> None:
    made, now = make(desk), desk.server.clock.now()
    own = desk.write(lambda tx: tokens.issue(tx, desk.account_id, made.id, now))
    programs = desk.write(lambda tx: tokens.issue(tx, desk.account_id, made.id, now))
    of_program = sa.update(agent_token).where(agent_token.c.access_hash == digest(programs)).values(client_id="mcp")
    desk.write(lambda tx: tx.run(command(of_program, keep=False)))
    secret = desk.write(lambda tx: tokens.new_secret(tx, desk.account_id, made.id))
    found = desk.server.app.database.read_now(lambda db: tokens.by_client_id(db, made.client_id))
    assert [tokens.is_secret_of(found, one) for one in (made.client_secret, secret)] == [False, True]
    assert [who(desk, one) is not None for one in (own, programs, made.key)] == [False, True, True]
