"""Writes that come twice: by `Idempotency-Key`, and the same reply of an agent within a few minutes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from deskhand.catalogue.operations import BY_NAME
from deskhand.catalogue.problems import BadRequest
from deskhand.db.statements import value
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Answer
from deskhand.gateway.remembering import KEY_MOST, Remembering, Repeated, Turn, read_key
from deskhand.gateway.tables import remembered_call
from tests.gateway.builders import Watch, add_agent, run
from tests.world import Desk

REPLY, TAGS, LIST = (BY_NAME[name] for name in ("reply_to_conversation", "set_conversation_tags", "list_conversations"))
CREATED = Answer(201, headers=(("Resource-ID", "77"), ("Location", "http://gateway/v2/x/77"), ("Correlation-Id", "c")))
DONE = Answer(204)


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
def remembering(desk: Desk, clock: Watch) -> Remembering:
    return Remembering(desk.server.app.database, clock)


@pytest.fixture
def agent(desk: Desk) -> Agent:
    return add_agent(desk)


async def call(
    remembering: Remembering, agent: Agent, key: str | None = None, *, hashed: str = "a", answer: Answer = DONE
) -> Answer | None:
    """A whole call that sets tags; None where it was sent, else what was remembered."""
    turn = await remembering.begin(agent, TAGS, hashed, key)
    if isinstance(turn, Answer):
        return turn
    await remembering.ended(turn, answer, 5)
    return None


async def say(remembering: Remembering, agent: Agent, hashed: str = "a", key: str | None = None) -> None:
    """A whole reply."""
    turn = await remembering.begin(agent, REPLY, hashed, key)
    assert isinstance(turn, Turn)
    await remembering.ended(turn, CREATED, 5)


def refusal(work: object) -> Repeated:
    with pytest.raises(Repeated) as caught:
        run(work)  # type: ignore[arg-type]
    return caught.value


# -- Keys


@pytest.mark.parametrize("given", ["", " ", "two words", "k\u00e9y", "k\x00", "\x7f", "k" * (KEY_MOST + 1)])
def test_a_key_that_can_not_be_is_refused_by_the_headers_name(given: str):
    with pytest.raises(BadRequest) as caught:
        read_key({"idempotency-key": given})
    assert [(error.path, error.source) for error in caught.value.errors] == [("Idempotency-Key", "HEADER")]


@pytest.mark.parametrize("given", ["k", '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "~" * KEY_MOST])
def test_a_key_is_any_visible_text(given: str):
    assert read_key({"idempotency-key": given}) == given
    assert read_key({}) is None


def test_a_repeat_gets_the_first_answer_and_is_not_sent(remembering: Remembering, agent: Agent):
    assert run(call(remembering, agent, "k", answer=CREATED)) is None
    again = run(call(remembering, agent, "k"))
    assert again is not None
    assert (again.status, again.body) == (201, b"")
    assert again.headers == (
        ("Resource-ID", "77"), ("Location", "http://gateway/v2/x/77"), ("Idempotent-Replayed", "true")
    )  # fmt: skip


def test_a_refusal_of_the_desk_is_repeated_with_its_body(remembering: Remembering, agent: Agent):
    refused = Answer(412, b'{"message":"locked"}', "application/vnd.error+json")
    run(call(remembering, agent, "k", answer=refused))
    again = run(call(remembering, agent, "k"))
    assert again == Answer(412, refused.body, refused.media_type, (("Idempotent-Replayed", "true"),))


def test_large_bodies_are_not_kept(remembering: Remembering, agent: Agent):
    run(call(remembering, agent, "k", answer=Answer(200, b"x" * 20_000, "text/plain")))
    again = run(call(remembering, agent, "k"))
    assert again == Answer(200, b"", "", (("Idempotent-Replayed", "true"),))


def test_a_key_with_another_call_is_an_error(remembering: Remembering, agent: Agent):
    run(call(remembering, agent, "k", hashed="a"))
    problem = refusal(call(remembering, agent, "k", hashed="b"))
    assert (problem.status, problem.reason, problem.audit_id) == (422, "idempotency_key_reused", 5)


def test_keys_belong_to_one_agent(remembering: Remembering, desk: Desk, agent: Agent):
    run(call(remembering, agent, "k"))
    assert run(call(remembering, add_agent(desk, "Closer"), "k", hashed="b")) is None


def test_a_call_without_a_key_or_that_reads_leaves_nothing_behind(remembering: Remembering, desk: Desk, agent: Agent):
    assert run(call(remembering, agent)) is None
    assert run(call(remembering, agent)) is None
    turn = run(remembering.begin(agent, LIST, "a", "k"))
    assert isinstance(turn, Turn)
    run(remembering.ended(turn, Answer(200, b"[]"), 5))
    assert kept(desk) == 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_troubles_of_the_desk_are_not_remembered(remembering: Remembering, agent: Agent, status: int):
    assert run(call(remembering, agent, "k", answer=Answer(status))) is None
    assert run(call(remembering, agent, "k")) is None
    again = run(call(remembering, agent, "k"))
    assert again is not None
    assert again.status == 204


def test_what_was_never_sent_may_come_again(remembering: Remembering, agent: Agent):
    turn = run(remembering.begin(agent, REPLY, "a", "k"))
    assert isinstance(turn, Turn)
    run(remembering.dropped(turn))
    run(say(remembering, agent, key="k"))


def test_a_repeat_while_the_first_is_under_way_is_told_so(remembering: Remembering, agent: Agent):
    run(remembering.begin(agent, TAGS, "a", "k"))
    problem = refusal(call(remembering, agent, "k"))
    assert (problem.status, problem.reason) == (409, "under_way")


def test_a_call_whose_outcome_is_unknown_is_not_sent_again_for_a_day(
    remembering: Remembering, agent: Agent, clock: Watch
):
    run(remembering.begin(agent, TAGS, "a", "k"))  # and here the gateway is killed
    clock.pass_s(121)
    problem = refusal(call(remembering, agent, "k"))
    assert (problem.status, problem.reason) == (409, "outcome_unknown")
    clock.pass_s(24 * 3600)
    assert run(call(remembering, agent, "k")) is None


def test_a_key_is_forgotten_after_a_day(remembering: Remembering, agent: Agent, clock: Watch):
    run(call(remembering, agent, "k"))
    clock.pass_s(24 * 3600 - 1)
    assert run(call(remembering, agent, "k")) is not None
    clock.pass_s(1)
    assert run(call(remembering, agent, "k", hashed="b")) is None
    assert run(call(remembering, agent, "k", hashed="b")) is not None


def test_old_rows_are_removed(remembering: Remembering, desk: Desk, agent: Agent, clock: Watch):
    for number in range(5):
        run(call(remembering, agent, f"k{number}"))
    clock.at += timedelta(hours=24, minutes=1)
    run(call(remembering, agent, "new"))
    assert kept(desk) == 1


def kept(desk: Desk) -> int:
    """How many rows there are of the account."""
    mine = (
        remembered_call.select()
        .where(remembered_call.c.account_id == desk.account_id)
        .with_only_columns(remembered_call.c.key)
    )
    return len(desk.write(lambda tx: tx.all(value(str, mine, keep=False), account_id_1=desk.account_id)))


def test_of_many_calls_with_one_key_at_a_time_one_is_sent(remembering: Remembering, agent: Agent):
    sent = 0

    async def one() -> str:
        nonlocal sent
        try:
            turn = await remembering.begin(agent, TAGS, "a", "k")
        except Repeated as repeated:
            return repeated.reason
        if isinstance(turn, Answer):
            return "replayed"
        sent += 1
        await asyncio.sleep(0.02)
        await remembering.ended(turn, DONE, 5)
        return "sent"

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(one() for _ in range(20)))

    outcomes = run(all_at_once())
    assert sent == 1
    assert sorted(set(outcomes) - {"replayed"}) == ["sent", "under_way"]
    assert run(call(remembering, agent, "k")) is not None


# -- The same reply twice


def test_the_same_reply_twice_within_five_minutes_is_refused_with_the_first_ones_id(
    remembering: Remembering, agent: Agent, clock: Watch
):
    run(say(remembering, agent))
    clock.pass_s(299)
    problem = refusal(say(remembering, agent))
    assert (problem.status, problem.reason, problem.audit_id, problem.resource_id) == (409, "duplicate", 5, 77)
    assert "wait until 2026-11-23T12:05:00Z or change the text" in problem.message
    clock.pass_s(1)
    run(say(remembering, agent))


def test_a_new_key_does_not_make_the_same_reply_another_one(remembering: Remembering, desk: Desk, agent: Agent):
    run(say(remembering, agent, key="first"))
    assert refusal(say(remembering, agent, key="second")).reason == "duplicate"
    assert refusal(say(remembering, agent)).reason == "duplicate"
    assert kept(desk) == 2, "the second key was not used up"
    again = run(remembering.begin(agent, REPLY, "a", "first"))
    assert isinstance(again, Answer)
    assert again.status == 201


def test_other_words_and_other_agents_are_not_the_same(remembering: Remembering, desk: Desk, agent: Agent):
    run(say(remembering, agent, "a"))
    run(say(remembering, agent, "b"))
    run(say(remembering, add_agent(desk, "Closer"), "a"))


def test_a_reply_that_the_desk_refused_may_be_tried_again(remembering: Remembering, agent: Agent):
    turn = run(remembering.begin(agent, REPLY, "a", None))
    assert isinstance(turn, Turn)
    run(remembering.ended(turn, Answer(412), 5))
    run(say(remembering, agent))


def test_a_reply_that_waits_for_a_person_is_not_said_yet(remembering: Remembering, agent: Agent):
    for _ in range(2):
        turn = run(remembering.begin(agent, REPLY, "a", None, waits=True))
        assert isinstance(turn, Turn)
        run(remembering.ended(turn, Answer(202), 5))


def test_a_reply_that_may_have_been_sent_when_the_gateway_was_killed_is_not_sent_again_soon(
    remembering: Remembering, agent: Agent, clock: Watch
):
    run(remembering.begin(agent, REPLY, "a", None))
    clock.pass_s(200)
    problem = refusal(say(remembering, agent))
    assert (problem.reason, problem.audit_id, problem.resource_id) == ("duplicate", None, None)


def test_of_many_same_replies_at_a_time_one_is_sent(remembering: Remembering, agent: Agent):
    async def all_at_once() -> list[BaseException | None]:
        return await asyncio.gather(
            *(say(remembering, agent, key=f"k{number}") for number in range(20)), return_exceptions=True
        )

    outcomes = run(all_at_once())
    assert [one for one in outcomes if not isinstance(one, Repeated)] == [None]
