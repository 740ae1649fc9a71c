"""No mail, however broken or bad, costs more than bounded time, ends in an error or says what can't be stored.

DESKHAND_TEST_DEEP reads ten times as many broken mails.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from deskhand.mail.incoming import Incoming, Unreadable
from deskhand.mail.parse import parse
from tests.mail.mutations import mutated
from tests.mail.reading import RECEIVED_AT

DEEP = bool(os.environ.get("DESKHAND_TEST_DEEP"))
CORPUS = 20_000 if DEEP else 2_000
MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")
HEADER = b"From: a@b.example\r\nMessage-ID: <a@b.example>\r\nSubject: s\r\n"
BOUNDED_S = 8.0
"""Many times what each of these takes on an idle machine, and far less than what they are made to take."""


def read_in_time(raw: bytes, most_s: float = BOUNDED_S) -> Incoming:
    began = time.process_time()
    incoming = parse(raw, RECEIVED_AT)
    assert time.process_time() - began < most_s
    require_valid(incoming)
    return incoming


def require_valid(incoming: Incoming) -> None:
    people = (*incoming.reply_to, *incoming.to, *incoming.cc)
    texts = [
        incoming.subject, incoming.html, incoming.quoted, incoming.text, incoming.automatic, incoming.sender.email,
        incoming.sender.name, *incoming.faults, *incoming.delivered_to, *incoming.verdicts.values(),
    ]  # fmt: skip
    for one in people:
        texts += [one.email, one.name]
        assert EMAIL.fullmatch(one.email)
    for file in incoming.files:
        texts += [file.name, file.mime_type, file.content_id]
        assert file.name
        assert "/" in file.mime_type
        assert "/" not in file.name
    if incoming.bounce:
        texts += [incoming.bounce.recipient, incoming.bounce.status, incoming.bounce.reason, incoming.bounce.message_id]
        assert re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", incoming.bounce.status)
        assert not incoming.bounce.message_id or MESSAGE_ID.fullmatch(incoming.bounce.message_id)
    for text in texts:
        text.encode()
        assert "\x00" not in text
    for one_line in (incoming.subject, incoming.sender.name, *(file.name for file in incoming.files)):
        assert "\n" not in one_line
    assert all(MESSAGE_ID.fullmatch(one) for one in (incoming.message_id, *incoming.in_reply_to, *incoming.references))
    assert not incoming.sender.email or EMAIL.fullmatch(incoming.sender.email)
    assert len(incoming.references) <= 200
    for html in (incoming.html, incoming.quoted):
        assert not re.search(r"<(?:script|iframe|object|form|svg|style|link|meta|base)\b|<[^>]*\son\w+\s*=", html, re.I)
        assert not re.search(r"<[^>]*(?:href|src)=[\"']?\s*(?:javascript|data|vbscript):", html, re.I)


def test_a_corpus_of_broken_mails_ends_without_an_error():
    readable = 0
    for number in range(CORPUS):
        try:
            read_in_time(mutated(number), most_s=1.0)
        except Unreadable:
            continue
        readable += 1
    assert readable > CORPUS * 0.9, "few broken mails are so broken that nothing can be said of them"


@seed(5)
@settings(max_examples=1_000 if DEEP else 100, database=None, suppress_health_check=list(HealthCheck))
@given(number=st.integers(1_000_000, 2**32), at=st.floats(0, 1), noise=st.binary(max_size=200))
def test_noise_in_a_broken_mail_ends_without_an_error(number: int, at: float, noise: bytes):
    raw = mutated(number)
    place = int(len(raw) * at)
    with suppress(Unreadable):
        read_in_time(raw[:place] + noise + raw[place:], most_s=1.0)


@settings(max_examples=1_000 if DEEP else 100, database=None, derandomize=True)
@given(raw=st.binary(max_size=2_000))
def test_bytes_of_any_kind_are_a_mail_or_unreadable(raw: bytes):
    for one in (raw, HEADER + raw, HEADER + b"Content-Type: text/html\r\n\r\n" + raw):
        with suppress(Unreadable):
            require_valid(parse(one, RECEIVED_AT))


def html(body: bytes) -> bytes:
    return HEADER + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + body


def multipart(body: bytes, boundary: bytes = b"b") -> bytes:
    return HEADER + b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n' + body


def nested(levels: int) -> bytes:
    inner = (b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (at, at + 1) for at in range(levels))
    return multipart(b"".join(inner) + b"text", b"b0")


HOSTILE: dict[str, Callable[[], bytes]] = {
    "10,000 parts in each other": lambda: nested(10_000),
    "a boundary within itself": lambda: multipart(b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 10_000),
    "a million parts": lambda: multipart(b"--b\r\n" * 1_000_000),
    "a boundary that is everywhere": lambda: multipart(b"-" * 10_000_000, b"-"),
    "100,000 headers": lambda: HEADER + b"X: y\r\n" * 100_000 + b"\r\nHello",
    "a header of 10 MB": lambda: HEADER + b"To: " + b"a@b.example, " * 800_000 + b"\r\n\r\nHello",
    "a header of a million lines": lambda: HEADER + b"X: y\r\n" + b" z\r\n" * 1_000_000 + b"\r\nHello",
    "half-open names": lambda: HEADER + (b"To: " + b'(("<@' * 19_000 + b"\r\n") * 10 + b"\r\nHello",
    "at signs": lambda: HEADER + (b"To: " + b"@" * 90_000 + b"\r\n") * 10 + b"\r\nHello",
    "half-open encoded words": lambda: HEADER + b"Subject: " + b"=?a?b?" * 16_000 + b"\r\n\r\nHello",
    "parameters": lambda: HEADER + b"Content-Type: text/plain; " + b'a="' * 30_000 + b"\r\n\r\nHello",
    "comments in verdicts": lambda: (
        HEADER + (b"Authentication-Results: " + b"(()" * 30_000 + b"\r\n") * 5 + b"\r\nHello"
    ),
    "10 MB on a line": lambda: HEADER + b"\r\n" + b"x" * 10_000_000,
    "10 MB of HTML on a line": lambda: html(b"x" * 10_000_000),
    "quotation marks": lambda: HEADER + b"\r\n" + b">" * 2_000_000,
    "quoted lines": lambda: HEADER + b"\r\n" + b">\n" * 200_000,
    "lines that seem to say who wrote": lambda: HEADER + b"\r\n" + b"On 2026 a@b <wrote:\n" * 30_000,
    "lines that seem to be headers": lambda: HEADER + b"\r\n" + b"From: a@b\n" * 50_000,
    "lines that are drawn": lambda: HEADER + b"\r\n" + (b"-" * 190 + b"\n") * 5_000,
    "elements in each other": lambda: html(b"<div>" * 30_000 + b"Hello"),
    "formats that are never closed": lambda: html(
        b"".join(b"<font size=%d>" % size for size in range(200)) + b"<p>x" * 20_000
    ),
    "tables in tables": lambda: html(b"<table>" * 200 + b"<td><b>x" * 5_000),
    "links in links": lambda: html(b"<a href=x>" * 30_000),
    "open brackets": lambda: html(b"<" * 300_000),
    "attributes": lambda: html(b"<a " + b" ".join(b"a%d=1" % at for at in range(100_000)) + b">Hello</a>"),
    "comments": lambda: html(b"<!--" * 30_000),
    "entities": lambda: html(b"&amp;" * 100_000),
    "ampersands": lambda: html(b"&" * 1_200_000),
    "a long page in forms within forms": lambda: (
        HEADER
        + b"Content-Type: multipart/alternative; boundary=b0\r\n\r\n"
        + b"".join(
            b"--b%d\r\nContent-Type: multipart/alternative; boundary=b%d\r\n\r\n" % (at, at + 1) for at in range(19)
        )
        + b"--b19\r\nContent-Type: text/html\r\n\r\n"
        + b"<p>x</p>" * 125_000
    ),
    "pictures that are not there": lambda: html(b'<img src="cid:a">' * 30_000),
    "pictures within": lambda: html(b'<img src="data:image/png;base64,AAAA">' * 30_000),
    "quotations in each other": lambda: html(b"<blockquote type=cite>" * 80 + b"x<br>" * 20_000),
    "flowing lines": lambda: HEADER + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"> a \n" * 150_000,
    "padding": lambda: HEADER + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 10_000_000,
    "equals signs": lambda: HEADER + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 5_000_000,
    "uuencoded lines": lambda: HEADER + b"Content-Transfer-Encoding: x-uuencode\r\n\r\n" + b"M\n" * 200_000,
    "a report of many": lambda: (
        HEADER + b"Content-Type: message/delivery-status\r\n\r\n" + b"Action: delayed\n\n" * 300_000
    ),
    "a bounce of at signs": lambda: (
        b"From: mailer-daemon@b.example\r\nSubject: returned mail\r\n\r\n" + (b"a" * 300 + b"@" * 300) * 2_000
    ),
    "texts in 500 parts": lambda: multipart((b"--b\r\n\r\n" + b"x" * 20_000 + b"\r\n") * 500),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_costs_bounded_time(name: str):
    incoming = read_in_time(HOSTILE[name]())
    assert incoming.message_id == "<a@b.example>" or "bounce" in name


def test_what_is_too_much_is_said():
    deepest = "parts within parts are followed 20 levels deep and no deeper"
    assert deepest in read_in_time(HOSTILE["10,000 parts in each other"]()).faults
    assert "it has more header lines than are read" in read_in_time(HOSTILE["100,000 headers"]()).faults
    assert "only its first 500 parts are shown" in read_in_time(HOSTILE["a million parts"]()).faults


def test_a_message_larger_than_any_server_takes_is_unreadable():
    with pytest.raises(Unreadable, match="larger than 50 MB"):
        parse(HEADER + b"\r\n" + b"x" * (50 * 1024 * 1024), RECEIVED_AT)
