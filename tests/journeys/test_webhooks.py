"""From a committed reply to the webhook's arrival: at once, not when the worker happens to look.

How long it takes is printed and not judged, since that says more about the machine.
"""

from __future__ import annotations

import statistics
import sys
import time

import pytest

from deskhand.outbox import worker
from tests.desk.webhooks.builders import add_webhook, created, start
from tests.receiver import receiving
from tests.world import Desk

REPLIES = 60


def test_a_reply_is_told_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = desk.add_inbox()
    took: list[float] = []
    with receiving() as receiver:
        add_webhook(desk, receiver, "convo.agent.reply.created")
        path = f"/v2/conversations/{start(desk, inbox)}/reply"

        def reply() -> None:
            created(desk, path, {"text": "Here", "customer": {"email": "paul@buyer.example"}})
            committed = time.monotonic()
            receiver.wait(lambda: len(receiver.received) > len(took))
            took.append(receiver.received[-1].at - committed)
            time.sleep(0.01)  # so that the worker rests in between, as it mostly does

        with monkeypatch.context() as seldom:
            seldom.setattr(worker, "LOOK_EVERY_S", 3600.0)
            for _ in range(REPLIES):
                reply()
        reply()  # from here on it looks by itself again
    took.sort()
    p50, p99 = statistics.median(took), took[int(REPLIES * 0.99)]
    kind = desk.server.app.database.dialect
    sys.stdout.write(f"{kind}: from commit to arrival p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms\n")
