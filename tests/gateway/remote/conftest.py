"""A gateway with an account of the test's own, and a help desk that says what it is told to say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.fake_desk import FakeDesk, faking
from tests.gateway.remote_world import House, open_house


@pytest.fixture(scope="session")
def any_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = open_house(tmp_path_factory.mktemp("house"))
    yield house
    house.database.close()


@pytest.fixture
def house(any_house: House) -> House:
    return any_house.another()


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    with faking() as desk:
        yield desk
