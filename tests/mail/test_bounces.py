"""Reports that a mail did not arrive are understood, whichever server sent them; receipts are no such reports."""

from __future__ import annotations

import pytest

from deskhand.mail.incoming import Bounce
from tests.mail.reading import fixture, mail

SENT = "<q1.17@desk.example>"
FULL = "552-5.2.2 The recipient's inbox is out of storage space."
UNKNOWN = "550 5.1.1 <gone@buyer.example>: Recipient address rejected: User unknown"


@pytest.mark.parametrize(
    ("name", "bounce"),
    [
        ("postfix", Bounce(True, "gone@buyer.example", "5.1.1", UNKNOWN, SENT)),
        (
            "postfix-delayed",
            Bounce(
                False, "slow@buyer.example", "4.4.1",
                "connect to mail.buyer.example[203.0.113.9]:25: Connection timed out", SENT,
            ),
        ),
        (
            "postfix-old",
            Bounce(
                True, "gone@buyer.example", "5.7.1",
                "host mail.buyer.example[203.0.113.9] said: 554 5.7.1 Service unavailable; Client host blocked"
                " (in reply to RCPT TO command)", SENT,
            ),
        ),
        (
            "exchange",
            Bounce(
                True, "gone@buyer.example", "5.1.10",
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient gone@buyer.example not found by SMTP address"
                " lookup", SENT,
            ),
        ),
        ("gmail", Bounce(True, "full@gmail.example", "5.2.2", FULL, SENT)),
        ("qmail", Bounce(True, "gone@buyer.example", "5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)", SENT)),
        (
            "exim",
            Bounce(
                True, "gone@buyer.example", "5.0.0",
                "SMTP error from remote mail server after RCPT TO:<gone@buyer.example>: host mail.buyer.example"
                " [203.0.113.9]: 550 No such user here", SENT,
            ),
        ),
    ],
)  # fmt: skip
def test_a_bounce_says_who_why_and_which_mail(name: str, bounce: Bounce):
    incoming = fixture(f"bounces/{name}")
    assert incoming.bounce == bounce
    assert incoming.automatic


@pytest.mark.parametrize(
    ("name", "recipient", "status"),
    [("exchange-old", "gone@konzern.example", "5.0.0"), ("sendmail", "gone@unix.example", "5.1.1")],
)
def test_a_bounce_in_words_only_is_understood_too(name: str, recipient: str, status: str):
    bounce = fixture(f"bounces/{name}").bounce
    assert bounce is not None
    assert (bounce.final, bounce.recipient, bounce.status, bounce.message_id) == (True, recipient, status, SENT)
    assert "nknown" in bounce.reason


@pytest.mark.parametrize(
    ("name", "automatic"),
    [
        ("delivered", "it is a report of a mail server"),
        ("read-receipt", "it is a receipt that tells that a mail was read"),
    ],
)
def test_a_receipt_is_automatic_but_no_bounce(name: str, automatic: str):
    incoming = fixture(f"bounces/{name}")
    assert (incoming.bounce, incoming.automatic) == (None, automatic)


RECEIPTS = {
    "disposition-notification": "Final-Recipient: rfc822; ada@b.example\nOriginal-Message-ID: <sent@desk.example>\n",
    "delivery-status": "Reporting-MTA: dns; a.example\n\nFinal-Recipient: rfc822; ada@b.example\nAction: relayed\n",
}


@pytest.mark.parametrize("kind", RECEIPTS)
def test_a_receipt_goes_to_the_mail_that_it_names(kind: str):
    returned = (
        "" if "notification" in kind else "Content-Type: text/rfc822-headers\n\nMessage-ID: <sent@desk.example>\n"
    )
    body = f"--r\n\nIt was read.\n--r\nContent-Type: message/{kind}\n\n{RECEIPTS[kind]}\n--r\n{returned}\n--r--\n"
    incoming = mail(body, f"Content-Type: multipart/report; report-type={kind}; boundary=r", "References: <other@b>")
    assert (incoming.bounce, incoming.references) == (None, ("<other@b>", "<sent@desk.example>"))


def test_a_person_who_passes_a_receipt_on_writes_of_nothing():
    receipt = f"Content-Type: message/disposition-notification\n\n{RECEIPTS['disposition-notification']}"
    body = f"--r\n\nWhat is this?\n--r\n{receipt}\n--r--\n"
    assert mail(body, "Content-Type: multipart/mixed; boundary=r").references == ()


def test_the_failed_one_of_several_recipients_counts():
    body = (
        "--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a.example\n\n"
        "Final-Recipient: rfc822; fine@b.example\nAction: delivered\nStatus: 2.0.0\n\n"
        "Final-Recipient: rfc822; slow@b.example\nAction: delayed\nStatus: 4.0.0\n\n"
        "Final-Recipient: rfc822; gone@b.example\nAction: Failed (bad)\nStatus: 5.1.1 (unknown)\n\n--r--\n"
    )
    report = "Content-Type: multipart/report; report-type=delivery-status; boundary=r"
    assert mail(body, report, "In-Reply-To: <sent@desk.example>").bounce == Bounce(
        True, "gone@b.example", "5.1.1", "5.1.1 (unknown)", "<sent@desk.example>"
    )


def test_a_person_who_passes_a_bounce_on_does_not_bounce():
    body = "Why do I get this?\n\n<gone@buyer.example>: 550 5.1.1 User unknown\n"
    incoming = mail(body, subject="Undelivered Mail Returned to Sender")
    assert (incoming.bounce, incoming.automatic) == (None, "")


def test_a_postmaster_who_writes_of_something_else_does_not_bounce():
    assert (
        mail("Your quota <you@desk.example>: fine", subject="Quota", sender="postmaster@buyer.example").bounce is None
    )


REPORT = "Final-Recipient: rfc822; gone@b.example\nAction: failed\nStatus: 5.1.1"


def test_a_person_who_attaches_a_report_does_not_bounce():
    body = f"--r\n\nWhy do I get this?\n--r\nContent-Type: message/delivery-status\n\n{REPORT}\n\n--r--\n"
    incoming = mail(body, "Content-Type: multipart/mixed; boundary=r", subject="Help")
    assert (incoming.bounce, incoming.text) == (None, "Why do I get this?")
    assert (bool(incoming.automatic), incoming.by_program) == (True, False)


def test_a_report_below_the_footer_of_a_server_is_one():
    inner = f"--i\nContent-Type: message/delivery-status\n\n{REPORT}\n\n--i--"
    body = f"--r\nContent-Type: multipart/report; boundary=i\n\n{inner}\n--r\n\nchecked for viruses\n--r--\n"
    headers = ("Content-Type: multipart/mixed; boundary=r", "Return-Path: <>")
    bounce = mail(body, *headers, subject="Undelivered Mail", sender="MAILER-DAEMON@b.example").bounce
    assert bounce is not None
    assert bounce.recipient == "gone@b.example"


@pytest.mark.parametrize(
    ("sender", "subject"),
    [
        ("postmaster@buyer.example", "Re: Delivery problem with order 17"),
        ("Postmaster Ltd <jane@postmaster.example>", "Delivery problem with order 17"),
        ("Mail-Delivery Berlin <info@courier.example>", "Could not be delivered: parcel 17"),
    ],
)
def test_people_whose_name_is_like_a_servers_do_not_bounce(sender: str, subject: str):
    body = "Where is my parcel?\n\n--\nJane Doe\njane@postmaster.example\n"
    assert mail(body, subject=subject, sender=sender).bounce is None


@pytest.mark.parametrize("sender", ["MAILER-DAEMON", "MAILER-DAEMON (Mail Delivery System)"])
def test_a_server_that_gives_no_address_bounces(sender: str):
    body = "Sorry.\n\n<gone@b.example>: 550 5.1.1 User unknown\n"
    bounce = mail(body, subject="Undelivered Mail Returned to Sender", sender=sender).bounce
    assert bounce is not None
    assert bounce.status == "5.1.1"
