"""How many conversations searches find, for lists of searches: counted up to a limit, and not again all the time.

A number is remembered in this process for all who see the same inboxes. It is told until something has changed, and for
a while after that, the longer the more it cost to count: none is counted for more than a hundredth of the time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import NamedTuple

import msgspec

from deskhand.db.engine import Reader
from deskhand.desk.conversations.listing import listed, newest
from deskhand.desk.conversations.listing.filters import Wanted

MOST = 1_000
"""So many are counted; where there are as many, there may be more."""
AT_LEAST_S = 5.0
"""How long a number is told at least, whatever changes."""
REMEMBERED_S = 60.0
"""How long it is told at most: time passes, and searches may ask for the last hour."""
_TIMES_ITS_COST = 100
SPENT_MOST_S = 0.1
"""What is not counted after so much time waits for the next call."""
_PAUSE = 10
"""The next call is to come when so many times the time has passed that this one took."""
_KEPT_MOST = 5_000


class Counted(msgspec.Struct, frozen=True):
    """Numbers of conversations by the keys they were asked for; those that weren't counted this time are missing.

    After `again_s` seconds another call would tell more, or newer ones; None: there is nothing more to tell.
    """

    numbers: dict[int, int]
    again_s: float | None


class _Known(NamedTuple):
    number: int
    mark: Hashable
    at: float
    cost: float


class Numbers:
    """What was counted last, by search."""

    def __init__(self, now: Callable[[], float] = time.monotonic, most: int = _KEPT_MOST) -> None:
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()
        self._now = now
        self._most = most
        self._lock = Lock()

    def of(self, db: Reader, wanted: dict[int, Wanted], mark: Hashable) -> Counted:
        """How many conversations each search finds; `mark` is another one once something has changed."""
        found: dict[int, int] = {}
        again: list[float] = []
        began = self._now()
        for id, one in wanted.items():
            key = (db.place, one.account_id, one.inboxes, one.search.text if one.search else "")
            known = self._known.get(key)
            rests_s = _rests_s(known, mark, self._now()) if known else 0.0
            if known is None or rests_s <= 0:
                if self._now() - began > SPENT_MOST_S:
                    again.append(AT_LEAST_S)
                    if known is not None:
                        found[id] = known.number
                    continue
                known = self._count(db, key, one, mark)
            elif known.mark != mark:
                again.append(rests_s)
            found[id] = known.number
        soonest = max(min(again), _PAUSE * (self._now() - began)) if again else None
        return Counted(found, soonest)

    def _count(self, db: Reader, key: Hashable, one: Wanted, mark: Hashable) -> _Known:
        at = self._now()
        number = _number(db, one)
        known = _Known(number, mark, at, self._now() - at)
        with self._lock:
            self._known.pop(key, None)
            self._known[key] = known
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return known


def _rests_s(known: _Known, mark: Hashable, now: float) -> float:
    """How long a number is still told."""
    lasts = max(AT_LEAST_S, _TIMES_ITS_COST * known.cost)
    if known.mark == mark:
        lasts = max(lasts, REMEMBERED_S)
    return known.at + lasts - now


def _number(db: Reader, wanted: Wanted) -> int:
    if wanted.inboxes == ():
        return 0
    if wanted.search is None:
        return min(listed.size(db, wanted), MOST)
    return newest.number_up_to(db, wanted, MOST)


NUMBERS = Numbers()
