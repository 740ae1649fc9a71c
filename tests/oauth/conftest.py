"""Fixtures of this room: its own door on the live server, a clock that is put right again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deskhand.lib.clock import MovableClock
from tests.live import LiveServer
from tests.oauth.doors import Browser, Door, Person, add_person
from tests.world import Desk


@pytest.fixture(scope="session")
def door(server: LiveServer) -> Iterator[Door]:
    """The token endpoint and the pages."""
    door = Door(server)
    yield door
    door.close()


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    """The server's clock, set back after the test."""
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before


@pytest.fixture
def person(desk: Desk) -> Person:
    """Somebody of the desk's account who can sign in."""
    return add_person(desk)


@pytest.fixture
def browser(door: Door) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(door)
