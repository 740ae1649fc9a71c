"""Reports of mail that did not arrive are told at its reply."""

from __future__ import annotations

from deskhand.desk.conversations.mail import placing
from tests.desk.conversations.builders import counted, read, recounted, snooze, stored, threads
from tests.desk.conversations.mail.arriving import Letterbox, bounce, inbox


def test_a_bounce_is_told_at_its_reply(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    where = box.deliver(address, bounce(address, sent.message_id))
    known = box.mail_of(sent.thread_id)
    assert (known.state, "gone@buyer.example" in known.error, "5.1.1" in known.error) == ("bounced", True, True)
    conversation = read(box.desk, id)
    assert (where[0], conversation["status"], conversation["threads"]) == (id, "active", 2)
    assert threads(box.desk, id)[-1].action_text.startswith("A reply was not delivered: gone@buyer.example")
    assert counted(box.desk) == recounted(box.desk)


def test_a_mail_that_is_late_is_only_noted(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id, status="closed")
    box.deliver(address, bounce(address, sent.message_id, "delayed"))
    assert box.mail_of(sent.thread_id).state == sent.state
    assert read(box.desk, id)["status"] == "closed"
    assert "not delivered yet" in threads(box.desk, id)[-1].action_text


def test_a_bounce_of_somebody_elses_mail_is_skipped(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    assert box.skipped(address, bounce(address, "<x@y>")) == placing.FOREIGN_BOUNCE
    assert stored(box.desk) == 0


def test_a_bounce_ends_a_snooze(box: Letterbox) -> None:
    _, address = inbox(box.desk)
    id, _ = box.deliver(address)
    sent = box.reply(id)
    snooze(box.desk, id, "2100-01-01T00:00:00Z", until_reply=False)
    box.deliver(address, bounce(address, sent.message_id))
    assert "snooze" not in read(box.desk, id)
