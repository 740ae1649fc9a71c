"""Mail that was skipped is forgotten after a month; that it came is not."""

from __future__ import annotations

from datetime import timedelta

from deskhand.desk.conversations.erasure import files
from deskhand.desk.conversations.mail import placing, received_listing, received_queries
from deskhand.desk.conversations.mail.forgetting import KEPT_FOR, Forgetting
from deskhand.desk.conversations.mail.received_listing import Tally
from deskhand.desk.conversations.mail.received_queries import Received
from deskhand.lib.clock import MovableClock
from tests.desk.conversations.mail.arriving import Letterbox, inbox, jobs_of, mail


def test_what_was_skipped_is_forgotten_after_a_month_and_known_for_ever(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    taken = box.keep(address, mail(To=address), "smtp", "paul@buyer.example")
    torn = box.keep(address, mail(To=address, text="unreadable"), "smtp", "paul@buyer.example")
    loop = mail(To=address, From=address)
    skipped = box.keep(address, loop, "smtp", "paul@buyer.example")
    for one in (taken, torn, skipped):
        box.read(one)
    tally, before = tally_of(box), {one.id: one_of(box, one.id) for one in (taken, torn, skipped)}

    forget(box, KEPT_FOR - timedelta(minutes=5))
    assert one_of(box, skipped.id) == before[skipped.id]

    forget(box, KEPT_FOR + timedelta(minutes=5))
    row = one_of(box, skipped.id)
    assert (row.sha256, row.sender, row.recipients) == ("", "", "[]")
    assert (row.state, row.reason) == ("skipped", placing.FROM_INBOX)
    assert [one_of(box, one.id) for one in (taken, torn)] == [before[taken.id], before[torn.id]]
    assert jobs_of(box, files.REMOVE_FILES) == [before[skipped.id].sha256]
    assert tally_of(box) == tally
    assert box.keep(address, loop, "smtp", "paul@buyer.example").known


def test_a_file_that_has_no_name_any_more_is_not_removed(box: Letterbox) -> None:
    """Its place would be that of the folder of all files."""
    box.desk.write(lambda tx: files.remove_unnamed(tx, box.desk.account_id, ["", "a" * 64], "2026-11-23T12:00:00Z"))
    assert jobs_of(box, files.REMOVE_FILES) == ["a" * 64]


def forget(box: Letterbox, later: timedelta) -> None:
    """What happens at a later moment."""
    server = box.desk.server
    server.run(Forgetting(server.app.database, MovableClock(server.clock.offset + later)).once())


def one_of(box: Letterbox, id: int) -> Received:
    found = box.desk.server.app.database.read_now(lambda db: received_queries.one(db, box.desk.account_id, id))
    assert found is not None
    return found


def tally_of(box: Letterbox) -> list[Tally]:
    database = box.desk.server.app.database
    return database.read_now(lambda db: received_listing.tally(db, box.desk.account_id))
