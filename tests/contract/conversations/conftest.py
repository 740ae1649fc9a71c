"""An inbox of the test's account, and the server's clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deskhand.lib.clock import MovableClock
from tests.live import LiveServer
from tests.world import Desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before
