"""Mail that no person wrote is shown and reopens nothing, and breakers trip where there is too much of it."""

from __future__ import annotations

import pytest

from deskhand.desk.conversations.mail import loops, placing
from deskhand.mail.compose import loop_mark
from deskhand.mail.inbound import Way
from tests.desk.conversations.builders import done, patch, read, threads
from tests.desk.conversations.mail.arriving import PAUL, Letterbox, inbox, mail


@pytest.mark.parametrize(
    ("way", "sender", "status"), [("smtp", "", "closed"), ("lmtp", "", "closed"), ("lmtp", PAUL, "active")]
)
def test_what_has_no_return_path_was_sent_by_a_program(box: Letterbox, way: Way, sender: str, status: str) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    assert box.read(box.keep(address, mail(To=address, In_Reply_To=sent.message_id), way, sender))
    assert read(box.desk, id)["status"] == status


def test_an_out_of_office_is_shown_and_reopens_nothing(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    before = read(box.desk, id)
    where = box.deliver(address, In_Reply_To=sent.message_id, Auto_Submitted="auto-replied")
    after = read(box.desk, id)
    assert where[0] == id
    assert (after["status"], after["threads"]) == ("closed", before["threads"] + 1)
    assert after.get("customerWaitingSince") == before.get("customerWaitingSince")
    assert box.mail_of(where[1]).automatic == 1


def test_our_own_mail_that_comes_back_is_skipped(box: Letterbox) -> None:
    (_, address), (_, other) = inbox(box.desk), inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    assert box.skipped(address, Message_ID=sent.message_id) == placing.OWN
    assert box.skipped(address, From=other) == placing.FROM_INBOX
    mark = loop_mark(address)
    assert box.skipped(other, mail(To=other, **{"X-Deskhand-Loop": mark})) == placing.OWN
    assert box.deliver(other, mail(To=other, **{"X-Deskhand-Loop": "another desk's"}))


def test_a_breaker_trips_and_mail_is_still_kept(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)

    def tripped() -> bool:
        now, account_id = box.desk.now, box.desk.account_id
        return box.desk.server.app.database.read_now(lambda db: loops.tripped(db, account_id, id, "buyer.example", now))

    for _ in range(loops.MOST_INTO_ONE - 1):
        box.deliver(address, In_Reply_To=sent.message_id)
    assert not tripped()
    box.deliver(address, In_Reply_To=sent.message_id)
    assert tripped()
    done(patch(box.desk, id, "/status", "closed"))
    box.deliver(address, In_Reply_To=sent.message_id)
    assert read(box.desk, id)["status"] == "closed"
    assert sum("nothing is answered by itself" in one.action_text for one in threads(box.desk, id)) == 1


def test_many_automatic_mails_of_a_domain_trip_the_breaker(box: Letterbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "MOST_BY_PROGRAMS", 2)
    _, address = inbox(box.desk)
    ids = [box.deliver(address, Auto_Submitted="auto-generated", From="a@Loud.example")[0] for _ in range(3)]
    db, now = box.desk.server.app.database, box.desk.now

    def tripped(domain: str) -> bool:
        return db.read_now(lambda reader: loops.tripped(reader, box.desk.account_id, ids[0], domain, now))

    assert (tripped("loud.example"), tripped("quiet.example")) == (True, False)
