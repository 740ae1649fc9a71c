"""The clock that commands go by."""

from __future__ import annotations

from deskhand.lib.clock import Clock, SystemClock
from deskhand.sandbox.clock import clock_in
from deskhand.settings import Settings


def clock_for(settings: Settings) -> Clock:
    """The machine's clock; where the data folder is a sandbox's, the clock of that sandbox, which may be elsewhere."""
    return (None if settings.database_url else clock_in(settings.data_dir)) or SystemClock()
