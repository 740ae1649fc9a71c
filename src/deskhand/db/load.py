"""How busy a lane is, for the figures that operators watch."""

from __future__ import annotations

from typing import NamedTuple

from deskhand.db.engine import Lane


class Load(NamedTuple):
    """Calls that wait for a thread, threads at work, and how many threads there may be."""

    waiting: int
    busy: int
    threads: int


def load_of(lane: Lane) -> Load:
    """The lane's load at this moment.

    The executor counts it anyway, so reading its own numbers costs the calls nothing.
    """
    pool = lane._pool
    idle = pool._idle_semaphore._value
    return Load(pool._work_queue.qsize(), max(0, len(pool._threads) - idle), pool._max_workers)
