"""Slowing down who guesses passwords."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from deskhand.oauth.throttle import MOST_BY_ADDRESS, MOST_BY_EMAIL, Attempt, TooMany, network
from tests.world import Desk, unique

NOON = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
Attempted = Callable[..., Attempt]


@pytest.fixture
def attempt(desk: Desk) -> Attempted:
    """Make an attempt, by default of one person at one place at noon."""
    person, place = unique("person"), unique("place")

    def make(email: str = person, host: str = place, after_s: int = 0) -> Attempt:
        made = Attempt(email, host, NOON + timedelta(seconds=after_s))
        desk.write(made.begin)
        return made

    return make


def test_five_failures_with_one_email_address_are_enough(attempt: Attempted) -> None:
    for number in range(MOST_BY_EMAIL):
        attempt(host=unique("place"), after_s=number)
    with pytest.raises(TooMany):
        attempt(host=unique("place"), after_s=10)
    attempt(email=unique("person"), after_s=10)


def test_thirty_failures_from_one_network_address_are_enough(attempt: Attempted) -> None:
    for _ in range(MOST_BY_ADDRESS):
        attempt(email=unique("person"))
    with pytest.raises(TooMany):
        attempt(email=unique("person"))
    attempt(email=unique("person"), host=unique("place"))


def test_after_the_time_that_is_named_an_attempt_is_allowed(attempt: Attempted) -> None:
    for second in (0, 40, 100, 160, 200):
        attempt(after_s=second)
    with pytest.raises(TooMany) as refused:
        attempt(after_s=210)
    wait_s = refused.value.retry_after_s
    with pytest.raises(TooMany):
        attempt(after_s=210 + wait_s - 1)
    attempt(after_s=210 + wait_s)


def test_a_refused_attempt_does_not_lengthen_the_wait(attempt: Attempted) -> None:
    for _ in range(MOST_BY_EMAIL):
        attempt()
    for second in (60, 120, 240):
        with pytest.raises(TooMany):
            attempt(after_s=second)
    attempt(after_s=300)


def test_success_takes_back_its_own_attempt_only(desk: Desk, attempt: Attempted) -> None:
    for _ in range(MOST_BY_EMAIL - 1):
        attempt()
    for _ in range(3):
        desk.write(attempt(after_s=5).succeed)
    attempt(after_s=5)
    with pytest.raises(TooMany):
        attempt(after_s=5)


def test_a_clock_set_back_locks_nobody_out(attempt: Attempted) -> None:
    for _ in range(MOST_BY_EMAIL):
        attempt(after_s=86_400)
    attempt()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_the_network_of_an_address(host: str, expected: str) -> None:
    assert network(host) == expected
