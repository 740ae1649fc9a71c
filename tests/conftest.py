"""Fixtures for every test: a live server on SQLite and one on PostgreSQL, and an account of the test's own on each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import postgresql
from tests.live import LiveServer
from tests.world import Desk, open_desk

# How long an example takes says nothing on a machine that has much else to do.
settings.register_profile("deskhand", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("deskhand")

SLOWEST = (
    "tests/web/test_axe.py", "tests/clients/test_singer_tap.py", "tests/web/test_reference_browser.py",
    "tests/proof/test_hostile.py", "tests/journeys/test_crash.py", "tests/cli/test_serving.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process is left alone with one of them at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOWEST))


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What a command sets up in this process ends with its test: its lines would go into a stream that is closed."""
    root, servers = logging.getLogger(), [logging.getLogger(name) for name in ("deskhand", "uvicorn.error")]
    before = list(root.handlers), root.level, [one.level for one in servers]
    yield
    root.handlers[:], root.level = before[0], before[1]
    for logger, level in zip(servers, before[2], strict=True):
        logger.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a real PostgreSQL server, started for this run."""
    with postgresql.running() as url:
        yield url


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, LiveServer]]:
    """The live servers by kind of database: started when a test first asks, and kept, however tests are ordered."""
    started: dict[str, LiveServer] = {}
    yield started
    for server in started.values():
        server.stop()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, servers: dict[str, LiveServer], tmp_path_factory: pytest.TempPathFactory
) -> LiveServer:
    """A live server; each test that uses it runs on both databases."""
    if request.param not in servers:
        url = ""
        if request.param == "postgresql":
            url = postgresql.create_database(request.getfixturevalue("postgresql_server"), "suite")
        folder: Path = tmp_path_factory.mktemp(request.param)
        servers[request.param] = LiveServer(folder, url)
    return servers[request.param]


@pytest.fixture
def desk(server: LiveServer) -> Desk:
    """A new, empty account, seen by its owner."""
    return open_desk(server)
