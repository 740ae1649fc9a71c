"""Who is asking: good tokens and others, and the calls that an account has in a minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from deskhand.lib.clock import MovableClock
from tests.contract.answering import start
from tests.live import LiveServer
from tests.world import Desk, open_desk


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before


# -- Tokens


@pytest.mark.parametrize(
    ("header", "missing"),
    [(None, True), ("", True), ("Bearer", True), ("Basic eDp5", True), ("Bearer nothing", False)],
)
def test_without_a_good_token_the_answer_is_401(server: LiveServer, header: str | None, missing: bool) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = requests.get(server.url + "/v2/conversations", headers=headers, timeout=30)
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    if missing:
        assert answer.json() == {"error_description": "The access token is missing", "error": "invalid_request"}
        assert challenge == 'Bearer realm="service"'
    else:
        text = "The access token is invalid or has expired"
        assert answer.json() == {"error_description": text, "error": "invalid_token"}
        assert challenge == f'Bearer realm="service" error="invalid_token" error_description="{text}"'


def test_an_expired_token_is_401_like_an_unknown_one(desk: Desk, clock: MovableClock) -> None:
    assert desk.get("/v2/users").status_code == 200
    clock.advance(timedelta(seconds=172_800 - 60))
    assert desk.get("/v2/users").status_code == 200
    clock.advance(timedelta(seconds=61))
    answer = desk.get("/v2/users")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_who_is_asking_comes_before_what_is_asked(server: LiveServer) -> None:
    for method, path in (("GET", "/v2/nothing"), ("POST", "/v2/tags"), ("POST", "/v2/conversations")):
        assert requests.request(method, server.url + path, data=b"{oops", timeout=30).status_code == 401


# -- The rate limit


def test_reads_cost_one_and_writes_two_for_the_whole_account(server: LiveServer, clock: MovableClock) -> None:
    at_second(clock, 5)
    desk = open_desk(server, rate_limit=400)
    inbox = desk.add_inbox()
    colleague = desk.as_user(desk.add_user(role="admin"))
    id = start(desk, inbox)  # 398
    for left, answer in (
        (397, desk.get("/v2/users")),
        (396, colleague.get("/v2/conversations", status="Wrong")),
        (395, desk.get("/v2/nothing")),
        (393, colleague.patch(f"/v2/conversations/{id}", {"op": "replace", "path": "/subject", "value": "x"})),
        (391, desk.put(f"/v2/conversations/{id}/tags", {"tags": []})),
        (389, desk.post(f"/v2/conversations/{id}/notes", {})),
        (387, desk.delete(f"/v2/conversations/{id}")),
        (386, desk.request("HEAD", "/v2/users")),
    ):
        assert answer.headers["X-RateLimit-Limit-Minute"] == "400"
        assert answer.headers["X-RateLimit-Remaining-Minute"] == str(left)
        assert "X-RateLimit-Retry-After" not in answer.headers and "Retry-After" not in answer.headers


def test_over_the_limit_nothing_is_done_and_the_answer_says_how_long_to_wait(
    server: LiveServer, clock: MovableClock
) -> None:
    at_second(clock, 20)
    desk = open_desk(server, rate_limit=4)
    for left in (3, 2, 1, 0):
        assert desk.get("/v2/tags").headers["X-RateLimit-Remaining-Minute"] == str(left)
    for answer in (desk.get("/v2/users"), desk.post("/v2/customers", {"firstName": "Mira"}), desk.get("/v2/users")):
        assert answer.status_code == 429
        assert answer.text == '{"message":"API rate limit exceeded"}'
        wait = answer.headers["X-RateLimit-Retry-After"]
        assert wait == answer.headers["Retry-After"]
        assert 59 - clock.now().second <= int(wait) <= 40
        assert answer.headers["X-RateLimit-Limit-Minute"] == "4"
        assert answer.headers["X-RateLimit-Remaining-Minute"] == "0"
    clock.advance(timedelta(seconds=int(wait)))
    again = desk.get("/v2/customers")
    assert (again.status_code, again.headers["X-RateLimit-Remaining-Minute"]) == (200, "3")
    assert again.json()["page"]["totalElements"] == 0


def test_accounts_have_limits_of_their_own(server: LiveServer, clock: MovableClock) -> None:
    at_second(clock, 5)
    busy, quiet = open_desk(server, rate_limit=1), open_desk(server, rate_limit=1)
    assert [busy.get("/v2/users").status_code for _ in range(2)] == [200, 429]
    assert quiet.get("/v2/users").status_code == 200


def test_the_rate_headers_are_there_without_a_limit_too(desk: Desk) -> None:
    for answer in (desk.get("/v2/users"), desk.get("/v2/nothing"), desk.post("/v2/customers", {})):
        assert answer.headers["X-RateLimit-Limit-Minute"].isdigit()
        assert answer.headers["X-RateLimit-Remaining-Minute"].isdigit()


def at_second(clock: MovableClock, second: int) -> None:
    """Move the clock into the coming minute, so that no test runs across a minute's end."""
    now = clock.now()
    clock.set(now.replace(second=second, microsecond=0) + timedelta(minutes=1))
