"""A composed mail is read back by Python's own parser as it was meant, whatever is in it."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskhand.mail.compose import File, Outgoing, chain, compose, document, subject_of_reply
from deskhand.mail.headers import Address

SENDER = Address("help@desk.example", "Ada Holm")
PAUL = Address("paul@buyer.example", "Paul Grün")

# All that people write, without what stands for nothing (surrogates, unassigned) and without any kind of space.
WRITTEN = st.characters(exclude_categories=("C", "Z"))
LINE = st.lists(st.text(WRITTEN, min_size=1, max_size=40), max_size=12).map(" ".join)
NASTY = st.text(st.sampled_from('\r\n\t\0 :;,<>"\\()@=?_ä😀\u2028\u202eAb.'), max_size=120)


def mail(**changes: Any) -> Outgoing:
    given: dict[str, Any] = {
        "message_id": "<one@desk.example>",
        "sender": SENDER,
        "reply_to": Address("help@desk.example"),
        "to": (PAUL,),
        "subject": "Your order",
        "html": document("<p>Hello</p>"),
        "text": "Hello",
        "date": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    }
    return Outgoing(**given | changes)


def parsed(one: Outgoing) -> EmailMessage:
    raw = compose(one)
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    message = message_from_bytes(raw, policy=default)
    assert [part.defects for part in message.walk()] == [[] for _ in message.walk()]
    return message


def addresses(message: EmailMessage, name: str) -> list[tuple[str, str]]:
    header = cast(AddressHeader, message[name])
    return [(one.display_name, one.addr_spec) for one in header.addresses]


def test_all_headers_say_what_was_given():
    message = parsed(
        mail(
            cc=(Address("lea@buyer.example"), Address("max@buyer.example", "Holm, Max")),
            bcc=(Address("boss@desk.example"),),
            in_reply_to="<b@x>",
            references=("<a@x>", "<b@x>"),
            headers=(("X-Deskhand", "thread 7"),),
        )
    )
    assert message["Date"] == "Mon, 23 Nov 2026 09:30:00 +0000"
    assert addresses(message, "From") == [("Ada Holm", "help@desk.example")]
    assert addresses(message, "Reply-To") == [("", "help@desk.example")]
    assert addresses(message, "To") == [("Paul Grün", "paul@buyer.example")]
    assert addresses(message, "Cc") == [("", "lea@buyer.example"), ("Holm, Max", "max@buyer.example")]
    assert message["Subject"] == "Your order"
    assert message["Message-ID"] == "<one@desk.example>"
    assert message["In-Reply-To"] == "<b@x>"
    assert message["References"].split() == ["<a@x>", "<b@x>"]
    assert message["X-Deskhand"] == "thread 7"
    assert message["MIME-Version"] == "1.0"
    assert len(set(message.keys())) == len(message.keys())


def test_a_hidden_copy_is_in_the_envelope_and_nowhere_in_the_mail():
    one = mail(bcc=(Address("boss@desk.example", "The Boss"),))
    assert one.recipients == ("paul@buyer.example", "boss@desk.example")
    raw = compose(one).lower()
    assert b"boss" not in raw
    assert b"bcc" not in raw


def test_everybody_is_a_recipient_once():
    one = mail(cc=(Address("PAUL@buyer.example"), Address("lea@buyer.example")), bcc=(Address("lea@Buyer.example"),))
    assert one.recipients == ("paul@buyer.example", "lea@buyer.example")


def test_a_mail_to_hidden_recipients_only_has_a_to_all_the_same():
    assert parsed(mail(to=(), bcc=(Address("boss@desk.example"),)))["To"] == "undisclosed-recipients:;"


def test_text_and_html_are_two_forms_of_the_same():
    html = document("<p>Grüße 🚀</p>\n" + "x" * 3000)
    message = parsed(mail(text="Grüße 🚀\n" + "x" * 3000, html=html))
    assert message.get_content_type() == "multipart/alternative"
    text, shown = message.iter_parts()
    assert (text.get_content_type(), shown.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().replace("\r\n", "\n") == "Grüße 🚀\n" + "x" * 3000 + "\n"
    assert shown.get_content().replace("\r\n", "\n") == html


def test_a_document_is_left_as_it_is():
    assert document("<p>Hi</p>").startswith("<!doctype html>\n<html>")
    assert document("<!DOCTYPE html><HTML><body>Hi</body></HTML>") == "<!DOCTYPE html><HTML><body>Hi</body></HTML>"


# Attachments ---------------------------------------------------------------------------------------------------------


def files(message: EmailMessage) -> list[tuple[str | None, str, bytes]]:
    return [
        (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))  # type: ignore[misc]
        for part in message.iter_attachments()
    ]


def test_attachments_arrive_byte_by_byte_with_name_and_kind():
    data = bytes(range(256)) * 300
    given = (File("rückgabe 🚀.pdf", "application/pdf", data), File("a.txt", "text/plain; charset=x", b"a\nb\r\n"))
    message = parsed(mail(attachments=given))
    assert message.get_content_type() == "multipart/mixed"
    assert files(message) == [("rückgabe 🚀.pdf", "application/pdf", data), ("a.txt", "text/plain", b"a\nb\r\n")]
    assert message.get_body(("plain",)) is not None


@pytest.mark.parametrize(
    ("kind", "sent_as"),
    [
        ("", "application/octet-stream"),
        ("image", "application/octet-stream"),
        ("message/rfc822", "application/octet-stream"),
        ("multipart/mixed", "application/octet-stream"),
        ("text/html\r\nX-Evil: 1", "application/octet-stream"),
        ("Image/SVG+xml", "image/svg+xml"),
        ("text/ä", "application/octet-stream"),
    ],
)
def test_odd_kinds_of_files_are_sent_as_plain_bytes(kind: str, sent_as: str):
    assert files(parsed(mail(attachments=(File("a.bin", kind, b"\0"),)))) == [("a.bin", sent_as, b"\0")]


@pytest.mark.parametrize(
    ("name", "sent_as"),
    [
        ("", "attachment"),
        ("\r\n", "attachment"),
        ('a"b\\c;d.txt', 'a"b_c;d.txt'),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("a\r\nX-Evil: 1.txt", "a X-Evil: 1.txt"),
        ("ä" * 300 + ".pdf", "ä" * 196 + ".pdf"),
        ("שלום.pdf", "שלום.pdf"),
    ],
)
def test_names_of_files_are_one_line_and_no_path(name: str, sent_as: str):
    message = parsed(mail(attachments=(File(name, "text/plain", b"1"),)))
    assert [file[0] for file in files(message)] == [sent_as]
    assert all(part["X-Evil"] is None for part in message.walk())


@settings(max_examples=60)
@given(st.text(WRITTEN, min_size=1, max_size=120).filter(lambda name: not set(name) & set("/\\") and "=?" not in name))
def test_any_name_of_a_file_arrives(name: str):
    assert [file[0] for file in files(parsed(mail(attachments=(File(name, "text/plain", b"1"),))))] == [name]


# Hostile headers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["b", "q"])
def test_a_name_of_a_file_that_looks_encoded_is_not_decoded_into_headers(way: str):
    hidden = "a\r\nX-Evil: yes\r\n\r\n<script>"
    encoded = b64encode(hidden.encode()).decode() if way == "b" else "".join(f"={byte:02X}" for byte in hidden.encode())
    raw = compose(mail(attachments=(File(f"=?utf-8?{way}?{encoded}?=", "text/plain", b"data"),)))
    assert b"X-Evil" not in raw
    assert all(b"\n" not in line and b"\r" not in line for line in raw.split(b"\r\n"))
    (attached,) = message_from_bytes(raw, policy=default).iter_attachments()
    assert attached.get_payload(decode=True) == b"data"


@pytest.mark.parametrize(
    "subject",
    [
        "", "a" * 200, "ä" * 200, "😀" * 200, "word " * 199 + "end", "=?utf-8?q?Already_encoded?=", "שלום עולם",
        "a" * 59 + " " + "b" * 60, "日本語の件名" * 30, "\U0001f469\u200d\U0001f4bb works", "Re: Fwd: x", ": leading",
    ],
)  # fmt: skip
def test_a_subject_arrives_as_it_was_written(subject: str):
    assert parsed(mail(subject=subject))["Subject"] == subject


@pytest.mark.parametrize(
    "text",
    [
        "x\r\nBcc: evil@x.example", "x\nBcc: evil@x.example", "x\rBcc: evil@x.example", "x\r\n\r\nBody",
        "x\u2028Bcc: evil@x.example", "x\x85Bcc: evil@x.example", "x\x0b\x0c\x1c\x1d\x1eBcc: evil@x.example",
        "x\0y", "\r\n.\r\nMAIL FROM:<evil@x.example>",
    ],
)  # fmt: skip
def test_line_breaks_in_subjects_and_names_add_no_header(text: str):
    message = parsed(mail(subject=text, sender=Address("help@desk.example", text), to=(Address("p@x.example", text),)))
    plain = parsed(mail())
    assert message.keys() == plain.keys()
    assert message.get_body(("plain",)).get_content() == plain.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert [spec for _, spec in addresses(message, "To")] == ["p@x.example"]


@settings(max_examples=200)
@given(LINE, LINE)
def test_any_subject_and_any_name_arrive(subject: str, name: str):
    message = parsed(mail(subject=subject, to=(Address("p@x.example", name), PAUL)))
    assert message["Subject"] == subject
    (shown, email), other = addresses(message, "To")
    # Python's parser sometimes keeps the space between two encoded words of a name, where none is meant.
    assert shown.replace(" ", "") == name.replace(" ", "")
    assert (email, other) == ("p@x.example", ("Paul Grün", "paul@buyer.example"))


@settings(max_examples=200)
@given(NASTY)
def test_no_text_of_headers_breaks_out_of_its_header(text: str):
    message = parsed(mail(subject=text, sender=Address("help@desk.example", text)))
    assert message.keys() == parsed(mail()).keys()
    assert [spec for _, spec in addresses(message, "From")] == ["help@desk.example"]


def test_encoded_lines_are_no_longer_than_allowed():
    raw = compose(mail(subject="ä" * 500, to=tuple(Address(f"p{n}@x.example", "Grün 🚀" * 9) for n in range(40))))
    headers = raw.partition(b"\r\n\r\n")[0]
    assert max(map(len, headers.split(b"\r\n"))) <= 76
    assert not re.search(rb"\r\n\s*\r\n", headers + b"\r\n")


# Subject and references ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "reply"),
    [
        ("Order", "Re: Order"), ("Re: Order", "Re: Order"), ("RE:re: Re : Order", "Re: Order"),
        ("Regards", "Re: Regards"), ("", "Re:"), ("Re:", "Re:"), ("Fwd: Re: x", "Re: Fwd: Re: x"),
        ("a\r\nb", "Re: a b"),
    ],
)  # fmt: skip
def test_a_reply_has_one_re(subject: str, reply: str):
    assert subject_of_reply(subject, first=False) == reply


def test_a_first_message_has_its_subject_alone():
    assert subject_of_reply("Order", first=True) == "Order"
    assert subject_of_reply("Re: Order", first=True) == "Re: Order"


def test_references_of_a_long_conversation_are_the_first_and_the_newest():
    ids = [f"<{n}@x>" for n in range(100)]
    assert chain(ids) == ("<0@x>", *(f"<{n}@x>" for n in range(80, 100)))
    assert chain(ids[:21]) == tuple(ids[:21])


def test_what_is_no_message_id_is_in_no_references():
    bad = ["", "x", "<a b@x>", "<a@x>\r\nBcc: evil@x", "<ä@x>", "<" + "a" * 300 + "@x>", "<<a@x>>"]
    assert chain(["<a@x>", *bad, "<a@x>", "<b@x>"]) == ("<a@x>", "<b@x>")
