"""Calls to a remote desk: what goes out, what comes back, and what happens when the desk misbehaves."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from deskhand.catalogue.operation import Of
from deskhand.catalogue.operations import BY_NAME
from deskhand.db.engine import Unavailable
from deskhand.gateway import connections, remote_access, remote_http, remote_look_ups
from deskhand.gateway.agents import Agent
from deskhand.gateway.budget import Budget
from deskhand.gateway.calls import Answer, Request
from deskhand.gateway.connections import Connection
from deskhand.gateway.remote import Remote, Remotes
from deskhand.gateway.upstream import UpstreamDown
from tests.gateway.fake_desk import Asked, FakeDesk, Says, error, faking, in_turn
from tests.gateway.remote_world import House, allowed, open_house, send

TAG = {"id": 3, "name": "vip", "ticketCount": 2, "_links": {}}
READ = ("get_tag", 3)
WRITE = ("delete_conversation", 5)
Work = Callable[[Remote, Agent], Awaitable[Any]]


@pytest.fixture(scope="module")
def module_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = open_house(tmp_path_factory.mktemp("house"))
    yield house
    house.database.close()


@pytest.fixture
def house(module_house: House) -> House:
    return module_house.another()


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    with faking() as desk:
        yield desk


def use(house: House, desk: FakeDesk, work: Work, **options: Any) -> Any:
    """Do some work over a new connection to the desk; what making it took is forgotten."""
    connection = house.connect(desk.url)
    desk.asked.clear()
    return go_on(house, connection, work, **options)


def go_on(house: House, connection: Connection, work: Work, **options: Any) -> Any:
    agent = house.agent(connection)
    return house.run(lambda remotes: work(remotes.of(agent), agent), **options)


def call(house: House, desk: FakeDesk, *operation: Any, **given: Any) -> Answer:
    answer: Answer = use(house, desk, lambda remote, agent: send(remote, agent, *operation, **given))
    return answer


def down(house: House, desk: FakeDesk, *operation: Any, options: dict[str, Any] | None = None) -> UpstreamDown:
    with pytest.raises(UpstreamDown) as caught:
        use(house, desk, lambda remote, agent: send(remote, agent, *operation), **(options or {}))
    return caught.value


# -- What goes out and what comes back


def test_only_what_is_needed_is_sent(house: House, desk: FakeDesk) -> None:
    desk.answer = lambda _: Says(201, headers=(("Resource-ID", "9"),))
    body = json.dumps({"text": "Hi"}).encode()
    call(house, desk, "add_note", 5, body=body, query="a=b%20c")
    (one,) = desk.calls()
    assert (one.method, one.path, one.query, one.body) == ("POST", "/v2/conversations/5/notes", {"a": "b c"}, body)
    assert one.headers.keys() == {"host", "user-agent", "accept", "authorization", "content-type", "content-length"}
    assert one.token == "token1"
    assert one.headers["user-agent"].startswith("Deskhand/")


def test_headers_of_the_desk_stay_behind_but_for_what_clients_need(house: House, desk: FakeDesk) -> None:
    there = f"{desk.url}/v2/conversations/5/threads/9"
    more = (("Set-Cookie", "a=b"), ("X-RateLimit-Limit-Minute", "400"), ("Server", "x"), ("Correlation-Id", "1"))
    desk.answer = lambda _: Says(201, headers=(("Resource-ID", "9"), ("Location", there), *more))
    answer = call(house, desk, "add_note", 5, body=b"{}")
    assert answer == Answer(201, headers=(("Resource-ID", "9"), ("Location", there)))


def test_headers_that_lead_elsewhere_or_are_no_id_are_left_out(house: House, desk: FakeDesk) -> None:
    desk.answer = lambda _: Says(201, headers=(("Resource-ID", "9; x"), ("Location", "https://else.example/v2/x/9")))
    assert call(house, desk, "add_note", 5, body=b"{}").headers == ()


def test_an_answer_passes_as_it_is(house: House, desk: FakeDesk) -> None:
    desk.answer = lambda _: Says(content=TAG)
    answer = call(house, desk, *READ)
    assert (answer.status, answer.media_type, json.loads(answer.body)) == (200, "application/hal+json", TAG)


def test_a_raw_answer_is_passed_on_where_it_was_asked_for(house: House, desk: FakeDesk) -> None:
    def answer(asked: Asked) -> Says:
        raw = asked.headers["accept"] == "message/rfc822"
        if raw:
            return Says(body=b"Subject: x\r\n\r\n\xff", media_type="message/rfc822")
        return Says(content={"original": "Subject: x"})

    desk.answer = answer
    raw = call(house, desk, "get_original_source", 5, 6, accept="message/rfc822")
    assert (raw.media_type, raw.body) == ("message/rfc822", b"Subject: x\r\n\r\n\xff")
    assert json.loads(call(house, desk, "get_original_source", 5, 6, accept="*/*").body) == {"original": "Subject: x"}


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 413, 423])
def test_refusals_of_the_desk_are_passed_on_in_its_words(house: House, desk: FakeDesk, status: int) -> None:
    desk.answer = lambda _: error(status)
    answer = call(house, desk, *WRITE)
    assert (answer.status, answer.media_type) == (status, "application/vnd.error+json")
    assert json.loads(answer.body)["message"] == "No"


def test_a_refusal_that_is_no_json_gets_plain_words(house: House, desk: FakeDesk) -> None:
    desk.answer = lambda _: Says(413, body=b"<html>nginx</html>", media_type="text/html")
    answer = call(house, desk, *WRITE)
    assert (answer.status, answer.media_type) == (413, "application/json")
    assert list(json.loads(answer.body)) == ["message"]


@pytest.mark.parametrize("path", ["/v2/tags/..", "/v2//tags", "/v2/tags/%2e%2E/x", "/v1/tags", "/v2/tags/a%2Fb", "//x"])
def test_a_path_that_could_be_read_differently_is_not_sent(house: House, desk: FakeDesk, path: str) -> None:
    async def work(remote: Remote, agent: Agent) -> Answer:
        return await remote.send(agent, BY_NAME["get_tag"], Request("GET", path), allowed())

    with pytest.raises(UpstreamDown):
        use(house, desk, work)
    assert desk.asked == []


# -- A desk that misbehaves


def test_a_read_that_failed_is_tried_once_more(house: House, desk: FakeDesk) -> None:
    desk.answer = in_turn(error(503), Says(content=TAG))
    assert call(house, desk, *READ).status == 200
    desk.answer = in_turn(Says(content=TAG, cut=True), Says(content=TAG))
    assert call(house, desk, *READ).status == 200


@pytest.mark.parametrize("bad", [error(500), error(502), Says(content=TAG, cut=True)])
def test_a_read_is_tried_no_more_than_twice(house: House, desk: FakeDesk, bad: Says) -> None:
    desk.answer = lambda _: bad
    assert not down(house, desk, *READ).slow
    assert len(desk.calls()) == 2


@pytest.mark.parametrize("bad", [error(500), error(503), Says(200, content=TAG, cut=True)])
@pytest.mark.parametrize(
    "operation", [WRITE, ("set_conversation_tags", 5), ("add_note", 5), ("update_conversation", 5)]
)
def test_a_write_is_never_sent_twice(house: House, desk: FakeDesk, operation: Any, bad: Says) -> None:
    desk.answer = in_turn(Says(204), bad)

    async def twice(remote: Remote, agent: Agent) -> None:
        await send(remote, agent, *operation, body=b"{}")
        with pytest.raises(UpstreamDown):
            await send(remote, agent, *operation, body=b"{}")  # over a connection that is open already

    use(house, desk, twice)
    assert len(desk.calls()) == 2


def test_a_desk_that_takes_too_long_is_said_to_be_slow(house: House, desk: FakeDesk) -> None:
    desk.answer = lambda _: Says(content=TAG, after_s=15)
    before = time.monotonic()
    problem = down(house, desk, *READ, options={"total_s": 0.3})
    assert problem.slow
    assert time.monotonic() - before < 10
    assert len(desk.calls()) == 1


def test_all_that_a_call_becomes_takes_no_longer_than_one_request_may(house: House, desk: FakeDesk) -> None:
    page = {"size": 50, "totalElements": 500, "totalPages": 10, "number": 1}
    desk.answer = lambda _: Says(content={"_embedded": {"customers": []}, "page": page}, after_s=0.8)

    async def work(remote: Remote, agent: Agent) -> None:
        found_by_address = remote.look_up(agent, {Of("email", "paul@buyer.example")})
        of_two_inboxes = send(remote, agent, "list_customers", decision=allowed({501, 502}))
        for asked in (found_by_address, of_two_inboxes):
            before = time.monotonic()
            with pytest.raises(UpstreamDown, match="within 1 s") as caught:
                await asked
            assert caught.value.slow
            assert time.monotonic() - before < 6  # ten pages take eight

    use(house, desk, work, total_s=1)


def test_nobody_waits_long_for_the_names_of_inboxes(
    house: House, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_look_ups, "NAMES_WAIT_S", 0.2)
    desk.answer = lambda _: Says(content={}, after_s=15)

    async def work(remote: Remote, agent: Agent) -> None:
        before = time.monotonic()
        assert await asyncio.gather(*(remote.inbox_names(agent.account_id) for _ in range(5))) == [{}] * 5
        assert time.monotonic() - before < 10

    use(house, desk, work)


def test_a_desk_that_is_away_is_not_slow(house: House, desk: FakeDesk) -> None:
    connection = house.connect(desk.url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"
    moved = connections.seal(
        house.sealer, house.account_id, nobody, "client", connections.unseal(house.sealer, connection)
    )
    write(house, "UPDATE gateway_connection SET base_url = ?, secrets = ? WHERE id = ?", nobody, moved, connection.id)
    with pytest.raises(UpstreamDown, match="refused") as caught:
        go_on(house, connection, lambda remote, agent: send(remote, agent, *READ))
    assert not caught.value.slow


@pytest.mark.parametrize(
    "bad",
    [
        Says(body=b'{"id":3,', media_type="application/hal+json"),
        Says(body=b"<html>Sign in</html>", media_type="text/html"),
        Says(body=b"\xff\xfe", media_type="application/hal+json"),
        Says(body=b'{"a":' * 5000, media_type="application/hal+json"),
        Says(body=b"[" + b"{}," * 600_000 + b"{}]"),  # two megabytes that would take a hundred
    ],
)
def test_an_answer_that_is_no_json_is_no_answer(house: House, desk: FakeDesk, bad: Says) -> None:
    desk.answer = lambda _: bad
    assert "JSON" in str(down(house, desk, *READ))


def test_a_huge_answer_is_given_up(house: House, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_http, "LARGEST", 100_000)
    desk.answer = lambda _: Says(body=b'"' + b"x" * 99_998 + b'"')
    assert call(house, desk, *READ).status == 200
    desk.answer = lambda _: Says(body=b'"' + b"x" * 99_999 + b'"')
    assert "larger" in str(down(house, desk, *READ))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_nowhere(house: House, desk: FakeDesk, status: int) -> None:
    with faking() as other:
        other.answer = lambda _: Says(content=TAG)
        desk.answer = lambda _: error(status, Location=f"{other.url}/v2/tags/3")
        down(house, desk, *READ)
        down(house, desk, *WRITE)
        down(house, desk, "get_conversation", 5)
        assert other.asked == []


@pytest.mark.parametrize("name", ["get_conversation", "get_conversation_v3"])
def test_a_merged_conversation_leads_to_its_survivor(house: House, desk: FakeDesk, name: str) -> None:
    for there in (f"{desk.url}/v2/conversations/6", "/v2/conversations/6"):
        desk.answer = in_turn(error(301, Location=there))
        answer = call(house, desk, name, 5)
        assert (answer.status, dict(answer.headers)) == (301, {"Location": f"{desk.url}/v2/conversations/6"})


@pytest.mark.parametrize(
    "there",
    ["https://else.example/v2/conversations/6", "//else.example/v2/conversations/6", "/v2/tags/6", "",
     "/v2/conversations/6/../7", "http://127.0.0.1:1/v2/conversations/6"],
)  # fmt: skip
def test_a_merged_conversation_leads_nowhere_else(house: House, desk: FakeDesk, there: str) -> None:
    desk.answer = lambda _: error(301, Location=there)
    assert "redirects" in str(down(house, desk, "get_conversation", 5))


# -- Limits


def limited(remaining: int) -> Says:
    return Says(
        content=TAG,
        headers=(("X-RateLimit-Limit-Minute", "400"), ("X-RateLimit-Remaining-Minute", str(remaining))),
    )


def test_what_the_desk_says_of_its_limit_is_remembered(house: House, desk: FakeDesk) -> None:
    desk.answer = lambda _: limited(321)

    async def work(remote: Remote, agent: Agent) -> Any:
        before = remote.left(agent.account_id)
        await send(remote, agent, *READ)
        return before, remote.left(agent.account_id)

    assert use(house, desk, work) == ((0, 0), (400, 321))


@pytest.mark.parametrize("name", ["X_RateLimit_Retry_After", "Retry_After"])
def test_of_a_pause_the_agent_is_told_and_whoever_shares_units_out(house: House, desk: FakeDesk, name: str) -> None:
    desk.answer = lambda _: error(429, **{name: "37"})
    answer = call(house, desk, *READ)
    assert answer.status == 429
    assert dict(answer.headers) == {"X-RateLimit-Retry-After": "37", "Retry-After": "37"}
    assert json.loads(answer.body) == {"message": "API rate limit exceeded"}
    assert len(desk.calls()) == 1


CONVERSATION = Of("conversation", 5)


def test_look_ups_take_units_out_of_the_agents_share(house: House, desk: FakeDesk) -> None:
    budget = Budget(house.clock, wait_s=0)

    async def work(remote: Remote, agent: Agent) -> Any:
        desk.answer = lambda _: limited(400)
        await send(remote, agent, *READ)
        desk.answer = lambda _: error(404)
        for _ in range(3):
            assert await remote.look_up(agent, {CONVERSATION}) == {CONVERSATION: None}
        return budget.shown(agent.account_id), remote.look_ups

    (shown,), look_ups = use(house, desk, work, budget=budget)
    assert (shown.connection_id is not None, shown.look_ups, look_ups) == (True, 3, 3)


def test_a_look_up_waits_for_a_short_pause_and_not_for_a_long_one(house: House, desk: FakeDesk) -> None:
    budget = Budget(house.clock, wait_s=1.5)

    async def work(remote: Remote, agent: Agent) -> Any:
        desk.answer = lambda _: limited(400)
        await send(remote, agent, *READ)
        desk.asked.clear()
        desk.answer = in_turn(error(429, Retry_After="1"), error(404))
        before = time.monotonic()
        assert await remote.look_up(agent, {CONVERSATION}) == {CONVERSATION: None}
        assert time.monotonic() - before > 0.9
        desk.answer = lambda _: error(429, Retry_After="30")
        waits = []
        for _ in range(2):
            with pytest.raises(UpstreamDown) as caught:
                await remote.look_up(agent, {CONVERSATION})
            waits.append(caught.value.retry_after_s)
        return waits

    assert all(25 <= wait <= 30 for wait in use(house, desk, work, budget=budget))
    assert len(desk.calls()) == 3


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
    rotating(desk, "r1", after_s=0.3)
    desk.answer = refusing("token1")

    async def give_up(remote: Remote, agent: Agent) -> None:
        task = asyncio.create_task(send(remote, agent, *READ))
        await asyncio.sleep(0.15)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.5)

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
        with monkeypatch.context() as full:
            full.setattr(house.database, "write", no_space)
            for number in (1, 2):
                desk.answer = refusing(f"token{number}")
                await read(remote, agent)
                await read(remote, agent)  # and with what it got it goes on
        await asyncio.sleep(0.2)
        await read(remote, agent)
        await asyncio.sleep(0.2)

    go_on(house, connection, work)
    desk.answer = refusing("token3")
    go_on(house, connection, read)
    assert [one.form["refresh_token"] for one in desk.token_calls] == ["r0", "r1", "r2", "r3"]


async def no_space(_: Any) -> Any:
    raise Unavailable("the disk is full")


def test_a_process_that_comes_too_late_takes_what_the_quicker_one_got(house: House, desk: FakeDesk) -> None:
    rotating(desk)
    connection = by_code(house, desk)
    rotating(desk, "r1", after_s=0.2)
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


# -- The connection


def write(house: House, text: str, *values: Any) -> None:
    def work(session: Any) -> None:
        session.begin()
        session._execute(text, values)
        session.commit()

    house.database.lanes["write"].run_now(work)


def test_a_connection_that_was_removed_is_said_to_be(house: House, desk: FakeDesk) -> None:
    connection = house.connect(desk.url)
    write(house, "DELETE FROM gateway_connection WHERE id = ?", connection.id)
    with pytest.raises(UpstreamDown, match="removed"):
        go_on(house, connection, lambda remote, agent: send(remote, agent, *READ))


def test_secrets_go_to_no_other_address(house: House, desk: FakeDesk) -> None:
    connection = house.connect(desk.url)
    with faking() as thief:
        write(house, "UPDATE gateway_connection SET base_url = ? WHERE id = ?", thief.url, connection.id)
        with pytest.raises(UpstreamDown, match="decrypted"):
            go_on(house, connection, lambda remote, agent: send(remote, agent, *READ))
        assert thief.asked == []


def test_how_it_is_can_be_seen(house: House, desk: FakeDesk) -> None:
    connection = house.connect(desk.url)
    desk.answer = lambda _: error(500)

    async def work(remote: Remote, agent: Agent) -> None:
        with pytest.raises(UpstreamDown):
            await send(remote, agent, *READ)

    go_on(house, connection, work)
    (shown,) = house.run(lambda remotes: remotes.connections.listed(house.account_id))
    assert shown.health.last_error is not None
    assert "500" in shown.health.last_error.words
    house.clock.advance(timedelta(seconds=5))
    desk.answer = lambda _: Says(content=TAG)
    go_on(house, connection, lambda remote, agent: send(remote, agent, *READ))
    (later,) = house.run(lambda remotes: remotes.connections.listed(house.account_id))
    assert later.health.last_ok is not None and later.health.last_ok > shown.health.last_error.at
