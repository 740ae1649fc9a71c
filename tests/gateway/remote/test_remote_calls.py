"""Calls to a remote desk: what goes out, what comes back, and what happens when the desk misbehaves."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from datetime import timedelta
from typing import Any

import pytest

from deskhand.catalogue.operation import Of
from deskhand.catalogue.operations import BY_NAME
from deskhand.gateway import connections, remote_http, remote_look_ups
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Answer, Request
from deskhand.gateway.remote import Remote
from deskhand.gateway.upstream import UpstreamDown
from tests.gateway.fake_desk import Asked, FakeDesk, Says, error, faking, in_turn
from tests.gateway.remote.builders import READ, TAG, WRITE, call, down, go_on, use
from tests.gateway.remote_world import House, allowed, send

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
