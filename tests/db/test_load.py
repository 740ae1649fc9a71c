"""How busy a lane is."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from deskhand.db.database import open_database
from deskhand.db.engine import Load


def test_a_lane_tells_who_works_and_who_waits(tmp_path: Path):
    database = open_database("", tmp_path)
    lane = database.lanes["slow"]
    assert lane.load == Load(waiting=0, busy=0, threads=2)
    go_on = threading.Event()
    callers = [threading.Thread(target=lane.run_now, args=(lambda _: go_on.wait(30),)) for _ in range(5)]
    for caller in callers:
        caller.start()
    wait_for(lambda: lane.load == Load(waiting=3, busy=2, threads=2))
    go_on.set()
    for caller in callers:
        caller.join(30)
    wait_for(lambda: lane.load == Load(waiting=0, busy=0, threads=2))
    database.close()


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)
