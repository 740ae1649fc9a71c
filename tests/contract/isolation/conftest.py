"""Our account, with one of everything."""

from __future__ import annotations

import pytest

from tests.contract.isolation.sides import Side, furnish
from tests.contract.isolation.walking import changes
from tests.live import LiveServer
from tests.world import open_desk


@pytest.fixture(scope="module")
def lasting(server: LiveServer) -> Side:
    """Our account, for tests that leave it much as it is."""
    return furnish(open_desk(server))


@pytest.fixture
def mine(request: pytest.FixtureRequest, server: LiveServer, lasting: Side) -> Side:
    """Our account."""
    return furnish(open_desk(server)) if changes(request) else lasting
