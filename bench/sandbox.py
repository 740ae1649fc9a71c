"""Measures what a sandbox takes to be put back: reset, snapshot and restore by size, a fresh one for a test, a day.

python -m bench.sandbox [--conversations 1000 10000]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

from deskhand.testing import Made, SandboxDesk, sandbox

TIMES = 9


def main() -> None:
    """Print a line for each thing and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, nargs="*", default=[1_000, 10_000])
    for size in parser.parse_args().conversations:
        began = time.perf_counter()
        with sandbox(Made(conversations=size)) as desk:
            _say(f"the first with {size:,} conversations", [time.perf_counter() - began])
            _measure(desk, size)
        _say("a fresh one with its token", [_timed(lambda size=size: _fresh(size)) for _ in range(TIMES)])  # type: ignore[misc]


def _measure(desk: SandboxDesk, size: int) -> None:
    _say("a snapshot", [_timed(desk.snapshot) for _ in range(TIMES)])
    restores, resets = [], []
    for _ in range(TIMES):
        _disturb(desk)
        restores.append(_timed(desk.restore))
        _disturb(desk)
        resets.append(_timed(desk.reset))
    _say("a restore", restores)
    _say("a reset", resets)
    _say("a day of 40 conversations, with staff", [_timed(lambda: desk.play_day(staff=True))])


def _disturb(desk: SandboxDesk) -> None:
    for n in range(20):
        desk.customer_writes(email=f"{n}@buyer.example")


def _fresh(size: int) -> None:
    with sandbox(Made(conversations=size)) as desk:
        assert desk.token


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _say(what: str, seconds: list[float]) -> None:
    middle, worst = statistics.median(seconds) * 1000, max(seconds) * 1000
    sys.stdout.write(f"{what}: {middle:.0f} ms (at worst {worst:.0f})\n")


if __name__ == "__main__":
    main()
