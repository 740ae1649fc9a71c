"""Walking through the pages of a list: where each page ended is remembered, so that the next one is found by its key.

Skipping all pages before would take longer and longer. It is remembered for a minute, in this process, for the same
user and the same list. Where nothing is remembered for sure, pages are skipped.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, NamedTuple

REMEMBERED_S = 60
MOST = 10_000
"""Ends of pages that are remembered; one takes about half a kilobyte."""


class End(NamedTuple):
    """The last conversation of a page: what it is sorted by, and its id."""

    key: Any
    id: int


class Step(NamedTuple):
    """What a page that was served leaves for the next one. `total` was counted at `counted_at`."""

    end: End
    total: int
    counted_at: float


class _Served(NamedTuple):
    step: Step | None  # None: the page was served with different ends, and nobody knows whose next one is asked for
    until: float


class Walks:
    """The last pages served, by list and number."""

    def __init__(self, most: int = MOST, now: Callable[[], float] = time.monotonic) -> None:
        self._served: OrderedDict[tuple[Hashable, int], _Served] = OrderedDict()
        self._most = most
        self._now = now
        self._lock = Lock()

    def before(self, walk: Hashable, page: int) -> Step | None:
        """What the page before left, if that is known for sure."""
        with self._lock:
            found = self._served.get((walk, page - 1))
        return found.step if found is not None and found.until > self._now() else None

    def serve(self, walk: Hashable, page: int, end: End, total: int, counted_at: float | None = None) -> None:
        """Remember a page's end. With two different ends within a minute none is sure, so neither is used."""
        now = self._now()
        key = (walk, page)
        step: Step | None = Step(end, total, now if counted_at is None else counted_at)
        with self._lock:
            known = self._served.pop(key, None)
            if known is not None and known.until > now and (known.step is None or known.step.end != end):
                step = None
            self._served[key] = _Served(step, now + REMEMBERED_S)
            while len(self._served) > self._most:
                self._served.popitem(last=False)

    def still_counts(self, step: Step | None) -> bool:
        """Whether a step's total may be told again: it is not older than a minute."""
        return step is not None and self._now() - step.counted_at < REMEMBERED_S


WALKS = Walks()
