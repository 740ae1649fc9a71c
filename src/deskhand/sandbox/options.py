"""What a sandbox is made from, and the names it is known by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

DESCRIPTION = "sandbox.json"
SEEDED_COPY = "seeded.sqlite"
PASSWORD = "sandbox-password"
CALLBACK = "/oauth/callback-demo"
FIRST_CONVERSATION_ID = 3_100_000_001


@dataclass(frozen=True, slots=True)
class Options:
    """What a sandbox is made from; the same options give the same data.

    None leaves it to what the folder was filled with, or else to the defaults; for `now` that is the real time.
    """

    folder: Path
    seed: int | None = None
    conversations: int | None = None
    rate_limit: int | None = None
    now: datetime | None = None


DEFAULTS = {"seed": 42, "conversations": 1000, "rate_limit": 400}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A folder that is ready: its description as in sandbox.json, and how far its clock is from the real one."""

    description: dict[str, Any]
    offset: timedelta
