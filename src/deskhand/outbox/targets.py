"""How many jobs a worker has under way for each target, and how many it may have.

A target begins with few, gets more while it is quick, and is back at few when it is slow or fails. So a dead receiver
never takes the places of the others, and a fast one is not held back.
"""

from __future__ import annotations

from collections import Counter

FEW, MANY = 8, 64
QUICK_S = 0.25
_KNOWN_MOST = 1000


class Targets:
    """The targets of one worker's jobs."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._allowed: dict[str, int] = {}

    def began(self, target: str) -> None:
        """One more job is under way."""
        self._running[target] += 1

    def ended(self, target: str, *, well: bool, seconds: float) -> None:
        """A job is no longer under way."""
        self._running[target] -= 1
        if not self._running[target]:
            del self._running[target]
        if not well or seconds > QUICK_S:
            self._allowed.pop(target, None)
        elif len(self._allowed) < _KNOWN_MOST or target in self._allowed:
            self._allowed[target] = min(MANY, self._allowed.get(target, FEW) + 1)

    def room(self, target: str) -> int:
        """How many more jobs may begin."""
        return self._allowed.get(target, FEW) - self._running[target]

    def busy(self) -> list[str]:
        """Those without room."""
        return [target for target in self._running if self.room(target) <= 0]
