"""Thousands of mails with faults: each becomes a thread or is skipped for a reason; none is lost, none is an error."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from deskhand.desk.checking import counters, files
from deskhand.desk.conversations.mail.keeping import fingerprint
from deskhand.desk.conversations.mail.placing import Awaits
from deskhand.mail.inbound import Delivery
from tests.desk.conversations.builders import counted, recounted
from tests.desk.conversations.mail.arriving import Letterbox, inbox
from tests.mail.mutations import mutated

MAILS = {"sqlite": 2_000, "postgresql": 300}
AT_ONCE = 4
ANSWERED = "<q1.17@desk.example>"
"""Of a mail of ours that many of them answer, or report on."""


class _Ear(logging.Handler):
    def __init__(self, heard: list[logging.LogRecord]) -> None:
        super().__init__(logging.ERROR)
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record)


@contextmanager
def shouted() -> Iterator[list[logging.LogRecord]]:
    """What is logged as an error meanwhile."""
    heard: list[logging.LogRecord] = []
    handler = _Ear(heard)
    logging.getLogger("deskhand").addHandler(handler)
    try:
        yield heard
    finally:
        logging.getLogger("deskhand").removeHandler(handler)


def test_no_mail_is_lost_whatever_happened_to_it(box: Letterbox) -> None:
    (_, help_), (_, sales) = inbox(box.desk), inbox(box.desk)
    database = box.desk.server.app.database
    places = [box.place(help_), box.place(sales)]
    answered, _ = box.deliver(help_)
    box.reply(answered, message_id=ANSWERED)
    before = len(box.rows())
    mails = [mutated(seed) for seed in range(MAILS[database.dialect])]

    async def come(number: int, raw: bytes) -> None:
        kept = await box.keeping.keep(places[number % 2], Delivery(raw, "smtp", "paul@buyer.example"))
        try:
            await box.receiving.receive(box.desk.account_id, kept.id, last=False)
        except Awaits:  # as the worker does, a little later
            await box.receiving.receive(box.desk.account_id, kept.id, last=True)

    with shouted() as heard:
        for start in range(0, len(mails), 100):
            batch = mails[start : start + 100]

            async def come_some(batch: list[bytes] = batch, start: int = start) -> None:
                for at in range(0, len(batch), AT_ONCE):
                    await asyncio.gather(*(come(start + at + n, raw) for n, raw in enumerate(batch[at : at + AT_ONCE])))

            box.desk.server.run(come_some())
    assert heard == []
    rows = box.rows()[before:]
    expected = {(places[number % 2].inbox_id, fingerprint(raw)) for number, raw in enumerate(mails)}
    assert len(rows) == len(expected)
    states = Counter(row.state for row in rows)
    assert set(states) <= {"taken", "skipped", "failed"}
    for row in rows:
        assert row.thread_id is not None or (row.state == "skipped" and row.reason), row
    assert states["taken"] > len(rows) * 0.8, states
    threads = [row.thread_id for row in rows if row.state != "skipped"]
    assert len(set(threads)) == len(threads)
    assert len({row.conversation_id for row in rows}) < len(rows) * 0.7  # many answer what there is
    assert counted(box.desk) == recounted(box.desk)
    findings = [
        *database.read_now(counters.check),
        database.read_now(lambda db: files.check(db, box.keeping.blobs.folder)),
    ]
    assert [finding for finding in findings if not finding.ok] == []
