"""Sending: what is sent exactly, what is tried again, what switches a webhook off, and what the log says."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain, repeat
from typing import Any

import pytest

from deskhand import __version__
from deskhand.desk import after_work
from deskhand.desk.webhooks.delivering import GIVEN_UP_MOST, KEPT_MOST, signature
from deskhand.lib.outbound import Allowed, Outbound
from deskhand.outbox import events as facts
from tests.desk.webhooks.builders import (
    SECRET,
    add_customer,
    add_webhook,
    all_heard,
    deliveries,
    done,
    hurry,
    jobs_of,
    log_of,
    run_again,
    start,
    state_of,
)
from tests.live import LiveServer
from tests.receiver import Received, Receiver, Reply, receiving
from tests.world import Desk, open_desk

ATTEMPTS = 11
"""The first and ten repeats."""


def answers(*statuses: int) -> Callable[[Received], Reply]:
    """One status after the other, then the last for ever."""
    left = chain(statuses, repeat(statuses[-1]))
    return lambda _: Reply(next(left))


def until_quiet(desk: Desk, receiver: Receiver) -> None:
    """Let everything be sent that there is, with no pauses between the attempts."""

    def quiet() -> bool:
        left = [job for job in jobs_of(desk) if job.state == "waiting"]
        if left:
            hurry(desk)
        return not left and all_heard(desk)

    receiver.wait(quiet)


# -- What is sent


def test_the_documented_signature() -> None:
    """Acceptance fact 74."""
    assert signature("s3cret", b'{"id":42}') == "JT03G7KdWGtGMUbbZKfbEBhv6nY="


def test_a_delivery_is_signed_over_exactly_the_bytes_sent(desk: Desk, receiver: Receiver) -> None:
    add_webhook(desk, receiver, "customer.created", secret="Grüße", path="/a?b=c%20d")
    body = {"firstName": "Мира 🚀 </script>", "lastName": "x\u2028y"}
    assert desk.post("/v2/customers", body).status_code == 201
    one = receiver.first("customer.created")
    assert one.json["firstName"] == body["firstName"]
    assert one.headers["x-helpscout-signature"] == signature("Grüße", one.body)
    assert one.path == "/a?b=c%20d"
    assert (one.headers["content-type"], one.headers["user-agent"]) == ("application/json", f"Deskhand/{__version__}")
    assert str(uuid.UUID(one.key)) == one.key
    assert int(one.headers["content-length"]) == len(one.body)


def test_what_arrived_is_logged_and_no_job_is_left(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "customer.created")
    receiver.answer = lambda _: Reply(202, b"thanks\0" + b"\xff" + b"x" * 5000)
    add_customer(desk)
    one = receiver.first("customer.created")
    until_quiet(desk, receiver)
    (logged,) = log_of(desk, id)
    assert (logged.delivery.state, logged.delivery.attempts, logged.delivery.key) == ("delivered", 1, one.key)
    assert logged.delivery.body.encode() == one.body
    assert logged.delivery.finished_at is not None
    (attempt,) = logged.attempts
    assert (attempt.status, attempt.error) == (202, "")
    assert attempt.answer == ("thanks\ufffd\ufffd" + "x" * 5000)[:KEPT_MOST]
    assert 0 <= attempt.milliseconds < 10_000
    assert jobs_of(desk) == []


# -- What is tried again


@pytest.mark.parametrize("status", [500, 404, 302, 199, 300])
def test_anything_but_2xx_is_tried_again_with_the_same_body_key_and_signature(
    desk: Desk, receiver: Receiver, status: int
) -> None:
    id = add_webhook(desk, receiver, "customer.created")
    status = 503 if status == 199 else status  # 1xx is not an answer of its own
    receiver.answer = answers(status, status, 200)
    add_customer(desk)
    receiver.first("customer.created")
    until_quiet(desk, receiver)
    assert len(receiver.received) == 3
    said = [(one.body, one.key, one.headers["x-helpscout-signature"]) for one in receiver.received]
    assert said[0] == said[1] == said[2]
    (logged,) = log_of(desk, id)
    assert (logged.delivery.state, logged.delivery.attempts) == ("delivered", 3)
    assert [attempt.status for attempt in logged.attempts] == [status, status, 200]


def test_a_redirect_is_not_followed(desk: Desk, receiver: Receiver) -> None:
    add_webhook(desk, receiver, "customer.created", path="/here")
    receiver.answer = lambda one: Reply(307, headers=(("Location", receiver.url + "/there"),))
    add_customer(desk)
    receiver.first("customer.created")
    receiver.wait(lambda: jobs_of(desk)[0].last_error)
    assert jobs_of(desk)[0].last_error == "the answer was 307"
    assert {one.path for one in receiver.received} == {"/here"}


def test_the_body_stays_as_it_was_and_the_url_is_the_one_of_now(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "customer.created", path="/old")
    receiver.answer = answers(500, 200)
    customer = add_customer(desk)
    first = receiver.first("customer.created")
    receiver.wait(lambda: jobs_of(desk)[0].last_error)
    done(desk.patch(f"/v2/customers/{customer}", [{"op": "replace", "path": "/firstName", "value": "Later"}]))
    body = {"url": receiver.url + "/new", "events": ["customer.created"], "secret": "another"}
    done(desk.put(f"/v2/webhooks/{id}", body))
    until_quiet(desk, receiver)
    second = receiver.received[1]
    assert (second.path, second.body, second.key) == ("/new", first.body, first.key)
    assert second.headers["x-helpscout-signature"] == signature("another", first.body)


def test_what_was_meant_for_one_who_sees_more_is_not_sent_to_one_who_takes_the_webhook_over(
    desk: Desk, receiver: Receiver
) -> None:
    """Otherwise anybody could read what waits, by giving the webhook an address of their own."""
    id = add_webhook(desk, receiver, "convo.created", path="/owner")
    receiver.answer = lambda _: Reply(500)
    start(desk, desk.add_inbox(), subject="For few eyes")
    receiver.first("convo.created")
    receiver.wait(lambda: jobs_of(desk)[0].last_error)
    nosy = desk.as_user(desk.add_user())
    body = {"url": receiver.url + "/nosy", "events": ["convo.created"], "secret": "x"}
    done(nosy.put(f"/v2/webhooks/{id}", body))
    until_quiet(desk, receiver)
    assert {one.path for one in receiver.received} == {"/owner"}
    assert jobs_of(desk) == []
    assert log_of(desk, id) == []


def test_the_pauses_grow_from_a_minute_to_an_hour(desk: Desk) -> None:
    tools = desk.server.app.tools

    async def kind() -> Any:
        async with Outbound("x", Allowed()) as outbound:
            return after_work.kinds(tools, outbound)["deliver_webhook"]

    found = asyncio.run(kind())
    assert found.attempts == ATTEMPTS
    for attempts, least, most in ((1, 48, 72), (2, 96, 144), (6, 1536, 2304), (7, 2880, 4320), (10, 2880, 4320)):
        assert least <= found.pause_s(attempts) <= most


def test_after_ten_repeats_it_is_given_up_and_can_be_run_again(desk: Desk, receiver: Receiver) -> None:
    """Acceptance fact 78."""
    id = add_webhook(desk, receiver, "customer.created")
    receiver.answer = answers(500)
    add_customer(desk)
    receiver.first("customer.created")
    until_quiet(desk, receiver)
    assert len(receiver.received) == ATTEMPTS
    assert len({(one.body, one.key) for one in receiver.received}) == 1
    (logged,) = log_of(desk, id)
    assert (logged.delivery.state, logged.delivery.attempts) == ("discarded", ATTEMPTS)
    (job,) = jobs_of(desk)
    assert (job.state, job.last_error) == ("failed", "the answer was 500")
    assert state_of(desk, id).state == "enabled", "one is not enough to switch it off"

    receiver.answer = answers(200)
    run_again(desk, job.id)
    until_quiet(desk, receiver)
    assert receiver.received[-1].key == receiver.received[0].key
    (logged,) = log_of(desk, id)
    assert (logged.delivery.state, logged.delivery.attempts) == ("delivered", ATTEMPTS + 1)
    assert jobs_of(desk) == []
    assert state_of(desk, id).discarded == 0


# -- What switches a webhook off


def test_410_switches_a_webhook_off_at_once(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "customer.created")
    receiver.answer = answers(410)
    add_customer(desk)
    receiver.first("customer.created")
    until_quiet(desk, receiver)
    assert desk.get(f"/v2/webhooks/{id}").json()["state"] == "disabled"
    assert "410" in state_of(desk, id).disabled_because
    (logged,) = log_of(desk, id)
    assert (logged.delivery.state, [attempt.status for attempt in logged.attempts]) == ("discarded", [410])
    add_customer(desk)
    until_quiet(desk, receiver)
    assert (len(receiver.received), deliveries(desk)) == (1, 1)


def test_after_ten_deliveries_given_up_in_a_row_it_is_switched_off(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "customer.created")
    receiver.answer = answers(503)
    for _ in range(GIVEN_UP_MOST - 1):
        add_customer(desk)
    receiver.wait(lambda: deliveries(desk) == GIVEN_UP_MOST - 1)
    until_quiet(desk, receiver)
    assert (state_of(desk, id).state, state_of(desk, id).discarded) == ("enabled", GIVEN_UP_MOST - 1)
    add_customer(desk)
    receiver.wait(lambda: deliveries(desk) == GIVEN_UP_MOST)
    until_quiet(desk, receiver)
    found = state_of(desk, id)
    assert found.state == "disabled"
    assert found.disabled_because.startswith("10 deliveries in a row were given up, the last at ")
    assert found.disabled_because.endswith(": the answer was 503")

    body = {"url": receiver.url, "events": ["customer.created"], "secret": SECRET, "state": "enabled"}
    done(desk.put(f"/v2/webhooks/{id}", body))
    assert state_of(desk, id).discarded == 0, "enabling it starts the count anew"
    assert state_of(desk, id).disabled_because == ""


def test_one_that_arrives_starts_the_count_anew(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "customer.created")
    receiver.answer = answers(*[500] * ATTEMPTS, 200)
    add_customer(desk)
    receiver.wait(lambda: deliveries(desk) == 1)
    until_quiet(desk, receiver)
    assert state_of(desk, id).discarded == 1
    add_customer(desk)
    receiver.wait(lambda: deliveries(desk) == 2)
    until_quiet(desk, receiver)
    assert state_of(desk, id).discarded == 0


@pytest.mark.parametrize("how", ["disabled", "deleted"])
def test_what_waits_for_a_webhook_that_is_off_is_discarded_unsent(desk: Desk, receiver: Receiver, how: str) -> None:
    id = add_webhook(desk, receiver, "customer.created")
    receiver.answer = answers(500)
    for _ in range(3):
        add_customer(desk)
    receiver.wait(lambda: len(receiver.received) == 3 and all(job.last_error for job in jobs_of(desk)))
    if how == "deleted":
        done(desk.delete(f"/v2/webhooks/{id}"))
    else:
        body = {"url": receiver.url, "events": ["customer.created"], "secret": SECRET, "state": "disabled"}
        done(desk.put(f"/v2/webhooks/{id}", body))
    until_quiet(desk, receiver)
    assert len(receiver.received) == 3
    assert [(one.delivery.state, one.delivery.attempts) for one in log_of(desk, id)] == [("discarded", 1)] * 3
    assert jobs_of(desk) == []


# -- Receivers that are slow, dead, or not to be called


def test_a_slow_and_a_dead_receiver_delay_no_other(desk: Desk, receiver: Receiver) -> None:
    with receiving() as slow:
        slow.answer = lambda _: Reply(after_s=9)
        add_webhook(desk, slow, "customer.created")
        add_webhook(desk, receiver, "customer.created", url="http://127.0.0.1:9/")
        add_webhook(desk, receiver, "customer.created")
        one = facts.Event(
            account_id=desk.account_id, name="customer.created", subject_id=add_customer(desk), actor_id=2, at=desk.now
        )
        slow.wait(lambda: len(slow.received) == 1)
        began = time.monotonic()
        desk.write(lambda tx: facts.record_many(tx, [one] * 20))
        receiver.wait(lambda: len(receiver.received) == 21)
        took = max(one.at for one in receiver.received) - began
        assert took < 17, "less than two rounds of the slow one, where all of them would be three"
        for first, next_ in zip(slow.received, slow.received[8:], strict=False):
            assert next_.at - first.at > 5, "only so many at a time"


def test_link_local_addresses_are_never_called(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "customer.created", url="http://169.254.169.254/latest/meta-data")
    add_customer(desk)
    receiver.wait(lambda: jobs_of(desk) and jobs_of(desk)[0].last_error)
    words = "refused to call it: 169.254.169.254 is a link-local address"
    assert jobs_of(desk)[0].last_error == words
    (logged,) = log_of(desk, id)
    assert [(one.status, one.error, one.answer) for one in logged.attempts] == [(None, words, "")]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_this_machine_is_not_called_unless_the_settings_say_so(strict: Desk, receiver: Receiver, host: str) -> None:
    add_webhook(strict, receiver, "customer.created", url=receiver.url.replace("127.0.0.1", host))
    add_customer(strict)
    receiver.wait(lambda: any(job.last_error for job in jobs_of(strict)))
    assert jobs_of(strict)[-1].last_error.startswith("refused to call it: ")
    assert receiver.received == []


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server as people run it, that calls public addresses alone."""
    live = LiveServer(tmp_path_factory.mktemp("strict"), webhook_private_addresses=False)
    yield live
    live.stop()


@pytest.fixture
def strict(strict_server: LiveServer) -> Desk:
    return open_desk(strict_server)


def test_the_log_is_forgotten_after_thirty_days(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "customer.created")
    add_customer(desk)
    receiver.first("customer.created")
    until_quiet(desk, receiver)
    (old,) = log_of(desk, id)
    clock = desk.server.clock
    before = clock.offset
    try:
        clock.advance(timedelta(days=31))
        later = desk.as_user(desk.user_id)  # with a token that is still good
        for number in range(100):  # a few are forgotten at a time, and other tests' come first
            add_customer(later)
            receiver.wait(lambda number=number: len(receiver.received) == number + 2)  # type: ignore[misc]
            until_quiet(desk, receiver)
            kept = [one.delivery.id for one in log_of(desk, id)]
            if old.delivery.id not in kept:
                break
        assert len(kept) == number + 1, "and no others"
    finally:
        clock.offset = before
