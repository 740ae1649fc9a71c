"""A sandbox of a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deskhand.testing import SandboxDesk, sandbox


@pytest.fixture
def fresh() -> Iterator[SandboxDesk]:
    """As the public fixture gives it, without its being a plugin of this suite."""
    with sandbox() as desk:
        yield desk
