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
    """What a sandbox is made from; the same options give the same data. `now` None means the real time."""

    folder: Path
    port: int = 8080
    seed: int = 42
    conversations: int = 1000
    rate_limit: int = 400
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A folder that is ready: its description as in sandbox.json, and how far its clock is from the real one."""

    description: dict[str, Any]
    offset: timedelta
