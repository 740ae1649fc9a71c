"""Mails to which no automatic answer may go are told from those to which one may."""

from __future__ import annotations

import pytest

from tests.mail.reading import fixture, mail


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Auto-Submitted: auto-replied", "it says so itself (Auto-Submitted: auto-replied)"),
        ("Auto-Submitted: auto-generated; owner=x", "it says so itself (Auto-Submitted: auto-generated)"),
        ("Precedence: bulk", "it went to many (Precedence: bulk)"),
        ("Precedence: Junk", "it went to many (Precedence: junk)"),
        ("Precedence: auto_reply", "it went to many (Precedence: auto_reply)"),
        ("X-Auto-Response-Suppress: OOF, AutoReply", "it asks for no automatic answers (X-Auto-Response-Suppress)"),
        ("X-Autoreply: yes", "it says so itself (X-Autoreply)"),
        ("X-Autorespond: Holiday", "it says so itself (X-Autorespond)"),
        ("List-Id: <users.lists.example>", "it came by a mailing list (List-Id)"),
        ("List-Unsubscribe: <https://lists.example/u>", "it came by a mailing list (List-Unsubscribe)"),
        ("Return-Path: <>", "it has no return path"),
    ],
)
def test_a_header_says_that_no_person_waits_for_an_answer(header: str, words: str):
    assert mail("Hello", header).automatic == words


@pytest.mark.parametrize(
    "sender",
    ["no-reply@shop.example", "NoReply@shop.example", "do_not_reply@shop.example", "MAILER-DAEMON@mx.example",
     "bounces+17=a@shop.example", "orders-noreply@shop.example", "postmaster@mx.example"],
)  # fmt: skip
def test_a_sender_that_nobody_reads_is_known_by_its_name(sender: str):
    assert mail(sender=sender).automatic.startswith("nobody reads what is sent to ")


@pytest.mark.parametrize(
    "subject",
    ["Automatic reply: Order", "Out of Office: back on Monday", "Abwesenheitsnotiz: Urlaub", "Automatische Antwort: x",
     "Réponse automatique : x", "Respuesta automática: x", "自動応答: x"],
)  # fmt: skip
def test_an_absence_note_is_known_by_its_subject(subject: str):
    assert mail(subject=subject).automatic == "its subject is that of an absence note"


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: no", "Precedence: normal", "X-Auto-Response-Suppress: DR, RN, NRN", "Return-Path: <a@b.example>",
     "X-Autoreply: no", "X-Deskhand-Loop: 17", "Feedback-ID: 1.eu-west-1.x:AmazonSES"],
)  # fmt: skip
def test_a_person_gets_an_answer(header: str):
    assert mail("Hello", header).automatic == ""


@pytest.mark.parametrize("sender", ["nora.reply@shop.example", "bounced.cheques@bank.example", "noreen@shop.example"])
def test_a_name_that_begins_alike_is_a_person(sender: str):
    assert mail(sender=sender).automatic == ""


def test_a_person_who_writes_to_a_list_is_read_like_any_other():
    incoming = fixture("others/list")
    assert incoming.automatic == "it came by a mailing list (List-Id)"
    assert (incoming.sender.name, incoming.bounce) == ("Mara Lind", None)


@pytest.mark.parametrize(
    "header",
    ["List-Id: <support.shop.example>", "Precedence: list", "List-Unsubscribe: <https://lists.example/u>",
     "X-Auto-Response-Suppress: All", "X-MS-Exchange-Inbox-Rules-Loop: info@shop.example", "X-Loop: info@shop.example"],
)  # fmt: skip
def test_what_a_list_or_a_rule_passes_on_a_person_has_written(header: str):
    """Many have their mail passed on to the desk by a group or a rule; customers write it all the same."""
    incoming = mail("Hello", header)
    assert (bool(incoming.automatic), incoming.by_program) == (True, False)


@pytest.mark.parametrize(
    "headers",
    [("Auto-Submitted: auto-replied", "List-Id: <support.shop.example>"), ("X-Autoreply: yes",), ("Precedence: bulk",),
     ("X-Loop: a@b.example", "X-Autorespond: yes"), ("Return-Path: <>",), ("X-Cron-Env: x",)],
)  # fmt: skip
def test_what_a_program_wrote_no_person_has(headers: tuple[str, ...]):
    assert mail("Hello", *headers).by_program


def test_an_absence_note_is_automatic():
    assert fixture("others/out-of-office").automatic == "it says so itself (Auto-Submitted: auto-replied)"
