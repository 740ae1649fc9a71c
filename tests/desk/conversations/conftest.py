"""A server of their own for tests that move the clock, so that no other test's time passes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import postgresql
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server_of_its_own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    url = ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("moved"))
    live = LiveServer(tmp_path_factory.mktemp("moved"), url)
    yield live
    live.stop()


@pytest.fixture
def timed(server_of_its_own: LiveServer) -> Desk:
    """A new, empty account on a server whose clock may be moved forward."""
    return open_desk(server_of_its_own)
