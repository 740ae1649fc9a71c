"""The worlds in which agents try to get at what is not theirs: on both databases, and in front of another server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests import postgresql
from tests.live import LiveServer
from tests.proof.bypass_world import World, apart, opened


@pytest.fixture(scope="session")
def kept() -> Iterator[tuple[dict[str, World], ExitStack]]:
    """The worlds by kind: opened when a test first asks, and kept, however tests are ordered."""
    with ExitStack() as stack:
        yield {}, stack


@pytest.fixture(scope="session", params=["sqlite", "postgresql", "remote"])
def world(
    request: pytest.FixtureRequest,
    kept: tuple[dict[str, World], ExitStack],
    tmp_path_factory: pytest.TempPathFactory,
) -> World:
    """Agents, an inbox of theirs and one full of secrets."""
    worlds, stack = kept
    if request.param not in worlds:
        url = ""
        if request.param == "postgresql":
            url = postgresql.create_database(request.getfixturevalue("postgresql_server"), "bypass")
        there = here = LiveServer(tmp_path_factory.mktemp("desk"), url)
        stack.callback(there.stop)
        if request.param == "remote":
            here = LiveServer(tmp_path_factory.mktemp("gateway"))
            stack.callback(here.stop)
        worlds[request.param] = opened(there) if here is there else apart(here, there)
        stack.callback(worlds[request.param].close)
    return worlds[request.param]
