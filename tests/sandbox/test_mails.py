"""The mails of the invented conversations: the same every time, threaded, kept for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

from deskhand.sandbox.mails import KEPT_FOR, Mail, mails
from deskhand.sandbox.world import account, conversations

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
WORLD = account(42, NOW)
RECORDS = list(conversations(WORLD, 300))
MAILS = [(record, list(mails(WORLD, record))) for record in RECORDS]


def every() -> list[Mail]:
    return [mail for _, found in MAILS for mail in found]


def test_the_same_account_has_the_same_mails():
    assert [list(mails(account(42, NOW), record)) for record in RECORDS] == [found for _, found in MAILS]


def test_each_published_mail_of_either_side_has_one_and_nothing_else_does():
    for record, found in MAILS:
        mailed = record.type == "email" and not record.imported
        threads = [one for one in record.threads if one.type in ("customer", "message") and one.state == "published"]
        assert [mail.thread for mail in found] == (threads if mailed else [])
    assert len({mail.message_id for mail in every()}) == len(every())
    assert {mail.direction for mail in every()} == {"in", "out"}


def test_only_what_came_lately_is_kept_as_it_came():
    for mail in every():
        late = mail.thread.created_at > NOW - KEPT_FOR
        assert bool(mail.original) == (late and mail.direction == "in")
    assert any(mail.original for mail in every())
    assert any(mail.direction == "in" and not mail.original for mail in every())


def test_an_original_says_what_the_thread_says_and_names_those_before_it():
    answers = 0
    for record, found in MAILS:
        for position, mail in enumerate(found):
            if not mail.original:
                continue
            parsed = message_from_bytes(mail.original, policy=default)
            assert parsed["Message-ID"] == mail.message_id
            assert parsed["From"] == record.customer_email
            assert parsed["Date"].datetime - mail.thread.created_at < timedelta(seconds=1)
            assert parsed.get_content().replace("\r\n", "\n").rstrip("\n") == mail.thread.body.rstrip("\n")
            assert (record.subject or "") in (parsed["Subject"] or "")
            before = [one.message_id for one in found[:position]]
            assert (parsed["References"] or "").split() == before
            assert parsed["In-Reply-To"] == (before[-1] if before else None)
            answers += bool(before)
    assert answers
