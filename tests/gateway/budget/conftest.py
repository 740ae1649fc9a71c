"""A budget of an account with 400 units a minute, on a clock that stands still."""

from __future__ import annotations

import pytest

from deskhand.gateway.budget import Budget
from tests.gateway.budget.builders import Desk
from tests.gateway.builders import Watch


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
def desk(clock: Watch) -> Desk:
    return Desk(clock)


@pytest.fixture
def budget(clock: Watch) -> Budget:
    """On a clock that stands still waiting is of no use, so nobody waits long."""
    return Budget(clock, wait_s=0.01)
