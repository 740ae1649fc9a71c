"""The fixtures for pytest; the only module here that needs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deskhand.testing.desk import SandboxDesk
from deskhand.testing.servers import Made, sandbox


@pytest.fixture(scope="session")
def deskhand_made_from() -> Made:
    """What sandboxes of this run are made from; override it to choose a seed, a size or a time."""
    return Made()


@pytest.fixture
def deskhand_sandbox(deskhand_made_from: Made) -> Iterator[SandboxDesk]:
    """A help desk of the test's own, fresh: an invented account behind a real server on loopback."""
    with sandbox(deskhand_made_from) as desk:
        yield desk
