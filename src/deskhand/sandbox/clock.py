"""The sandbox's clock: it can be moved, and keeps its place in the folder so that a restart changes nothing."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

from deskhand.lib.clock import MovableClock
from deskhand.sandbox.options import DESCRIPTION

CLOCK_FILE = "clock.json"
EARLIEST_YEAR, LATEST_YEAR = 1970, 2200
_STEP = re.compile(r"(-?\d{1,9})\s*(s|m|h|d|w)", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_FARTHEST = timedelta(days=366 * 50)


class SandboxClock(MovableClock):
    """A movable clock that remembers its offset in a folder. `start` is the offset of a fresh sandbox."""

    def __init__(self, folder: Path, start: timedelta) -> None:
        super().__init__(start)
        self._start = start
        self._file = folder / CLOCK_FILE
        if self._file.exists():
            self.offset = timedelta(seconds=json.loads(self._file.read_text())["offset_s"])

    def keep(self) -> None:
        """Remember where the clock is."""
        self._file.write_text(json.dumps({"offset_s": self.offset.total_seconds()}))

    def reset(self) -> None:
        """Back to where a fresh sandbox begins."""
        self.offset = self._start
        self._file.unlink(missing_ok=True)


def clock_in(folder: Path) -> SandboxClock | None:
    """The clock of the sandbox that is in a folder, as its server has it at this moment; None where there is none."""
    try:
        made = json.loads((folder / DESCRIPTION).read_text())["sandbox"]
    except FileNotFoundError:
        return None
    return SandboxClock(folder, timedelta(seconds=made["offset_s"]))


def read_step(text: str) -> timedelta:
    """A length of time such as `2d`, `90m` or `1h30m`; raises ValueError."""
    compact = text.replace(" ", "")
    parts = _STEP.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise ValueError("must be a length of time such as 2d, 90m or 1h30m")
    step = timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))
    if abs(step) > _FARTHEST:
        raise ValueError("must be at most fifty years")
    return step
