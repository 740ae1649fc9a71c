"""From a committed reply to the webhook's arrival: it takes no longer than people would notice."""

from __future__ import annotations

import statistics
import sys
import time

from tests.desk.webhooks.builders import add_webhook, created, start
from tests.receiver import receiving
from tests.world import Desk

REPLIES = 60
P50_MOST_S = 0.150  # a tenth of a second more than it takes on a machine that does nothing else
P99_MOST_S = 1.5


def test_a_reply_is_told_at_once(desk: Desk) -> None:
    inbox = desk.add_inbox()
    took = []
    with receiving() as receiver:
        add_webhook(desk, receiver, "convo.agent.reply.created")
        id = start(desk, inbox)
        reply = {"text": "Here", "customer": {"email": "paul@buyer.example"}}
        for number in range(REPLIES):
            created(desk, f"/v2/conversations/{id}/reply", reply)
            committed = time.monotonic()
            receiver.wait(lambda number=number: len(receiver.received) > number)  # type: ignore[misc]
            took.append(receiver.received[-1].at - committed)
            time.sleep(0.01)  # so that the worker rests in between, as it mostly does
    took.sort()
    p50, p99 = statistics.median(took), took[int(REPLIES * 0.99)]
    kind = desk.server.app.database.dialect
    sys.stdout.write(f"{kind}: from commit to arrival p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms\n")
    assert p50 <= P50_MOST_S
    assert p99 <= P99_MOST_S
