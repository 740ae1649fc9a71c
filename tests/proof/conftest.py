"""The worlds in which agents try to get at what is not theirs: on both databases, and in front of another server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import postgresql
from tests.live import LiveServer
from tests.proof.bypass_world import World, apart, opened


@pytest.fixture(scope="session", params=["sqlite", "postgresql", "remote"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Agents, an inbox of theirs and one full of secrets."""
    url = ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), "bypass")
    there = LiveServer(tmp_path_factory.mktemp("desk"), url)
    here = LiveServer(tmp_path_factory.mktemp("gateway")) if request.param == "remote" else there
    world = opened(there) if here is there else apart(here, there)
    yield world
    world.close()
    for server in {id(one): one for one in (here, there)}.values():
        server.stop()
