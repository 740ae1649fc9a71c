"""The administration of a new account."""

from __future__ import annotations

import pytest

from tests.admin.door import Admin, administer
from tests.world import Desk


@pytest.fixture
def admin(desk: Desk) -> Admin:
    return administer(desk)
