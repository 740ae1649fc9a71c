"""An open door through which mail comes by SMTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mail.smtp_door import Listening, listening


@pytest.fixture
def smtp() -> Iterator[Listening]:
    with listening() as here:
        yield here
