"""What a mail says is understood, in whatever charset, form and order its program has put it."""

from __future__ import annotations

import time
from base64 import b64encode
from datetime import UTC, datetime
from statistics import median

import pytest

from deskhand.mail.headers import Address
from deskhand.mail.incoming import Incoming, IncomingFile, Unreadable
from deskhand.mail.parse import parse
from tests.mail.mutations import original
from tests.mail.reading import RECEIVED_AT, fixture, html, mail, read


def in_charset(charset: str, text: str | bytes, encoding: str = "8bit") -> str:
    data = text.encode(charset) if isinstance(text, str) else text
    body = b64encode(data) if encoding == "base64" else data
    incoming = mail(body, f"Content-Type: text/plain; charset={charset}", f"Content-Transfer-Encoding: {encoding}")
    return incoming.text


# -- Charsets


@pytest.mark.parametrize(
    ("declared", "data", "text"),
    [
        ("utf-8", "Grüße 😀".encode(), "Grüße 😀"),
        ("UTF8", "Grüße".encode(), "Grüße"),
        ('"utf-8"', "Grüße".encode(), "Grüße"),
        ("iso-8859-1", "Grüße".encode("latin-1"), "Grüße"),
        ("iso-8859-1", "a € b – c".encode("cp1252"), "a € b – c"),
        ("iso-8859-15", "5 €".encode("iso-8859-15"), "5 €"),
        ("windows-1251", "Привет".encode("cp1251"), "Привет"),
        ("koi8-r", "Привет".encode("koi8-r"), "Привет"),
        ("iso-8859-8-i", "שלום".encode("iso-8859-8"), "שלום"),
        ("windows-1256", "مرحبا".encode("cp1256"), "مرحبا"),
        ("gb2312", "我的包裹在哪里？".encode("gb2312"), "我的包裹在哪里？"),
        ("gb2312", "镕㑇".encode("gb18030"), "镕㑇"),
        ("gbk", "联通".encode("gbk"), "联通"),
        ("big5", "包裹".encode("big5"), "包裹"),
        ("shift_jis", "①届きました".encode("cp932"), "①届きました"),
        ("iso-2022-jp", "届きました".encode("iso2022_jp"), "届きました"),
        ("euc-jp", "届きました".encode("euc_jp"), "届きました"),
        ("ks_c_5601-1987", "소포 똠".encode("cp949"), "소포 똠"),
        ("euc-kr", "소포".encode("euc_kr"), "소포"),
        ("tis-620", "สวัสดี".encode("tis-620"), "สวัสดี"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("us-ascii", "Grüße".encode("latin-1"), "Grüße"),
        ("", "Grüße".encode(), "Grüße"),
        ("", "Grüße".encode("cp1252"), "Grüße"),
        ("x-unknown", "Grüße".encode(), "Grüße"),
        ("iso-8859-1", "Grüße".encode(), "Grüße"),
        ("windows-1251", "Grüße".encode(), "Grüße"),
        ("utf-8", "Grüße".encode("latin-1"), "Grüße"),
        ("utf-8", "Grüße aus Köln, schöne".encode() + b"\xc3", "Grüße aus Köln, schöne\ufffd"),
        ("utf-7", b"+ADw-script+AD4-", "+ADw-script+AD4-"),
        ("rot13", b"uryyb", "uryyb"),
        ("unicode_escape", b"\\x41", "\\x41"),
        ("idna", b"xn--bcher-kva", "xn--bcher-kva"),
        ("utf-8", b"a\x00b\x01c\xed\xa0\x80", "abcí\xa0€".replace("\xa0", " ")),
        ("utf-16", "Hallo".encode("utf-16"), "Hallo"),
    ],
)
def test_text_is_read_in_what_it_is_really_written_in(declared: str, data: bytes, text: str):
    header = f"Content-Type: text/plain; charset={declared}"
    raw = f"From: a@b.example\r\n{header}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + b64encode(data)
    assert parse(raw, RECEIVED_AT).text == text


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("=?utf-8?Q?Br=C3=B6ken?= =?utf-8?Q?_cup?=", "Bröken cup"),
        ("=?utf-8?B?w4Q=?=\n =?utf-8?B?w5Y=?=", "ÄÖ"),
        ("=?utf-8?B?8J+Y?= =?utf-8?B?gA==?=", "😀"),
        ("=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"),
        ("Re: Bestell=?utf-8?Q?=C3=BC?=bersicht", "Re: Bestellübersicht"),
        ("=?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?Q?=E2=82=AC?=", "Grüße€"),
        ("=?utf-8?Q?Gr=FC=DFe?=", "Grüße"),
        ("=?gb2312?B?1cXI/Q==?=", "张三"),
        ("=?x-none?Q?a=20b?=", "a b"),
        ("=?utf-8?Q?a b?=", "a b"),
        ("=?utf-8*en?Q?hello?=", "hello"),
        ("=?utf-8?B?SGVsbG8?=", "Hello"),
        ("=?utf-8?X?SGVsbG8?=", "=?utf-8?X?SGVsbG8?="),
        ("=?utf-8?Q?unfinished", "=?utf-8?Q?unfinished"),
        ("=?utf-8?Q?a=00b=0D=0AEvil:=20x?=", "ab Evil: x"),
        ("Grüße", "Grüße"),
        ("two\n  lines", "two lines"),
        ("\u202egnp\u061c\U000e0041.exe", "gnp.exe"),
        ("می\u200cخواهم 👩\u200d👧", "می\u200cخواهم 👩\u200d👧"),
    ],
)
def test_encoded_words_are_read_however_they_are_broken(encoded: str, text: str):
    assert mail(subject=encoded).subject == text


def test_a_header_in_plain_bytes_is_read_in_the_charset_of_its_mail():
    raw = "From: a@b.example\nSubject: Привет\nContent-Type: text/plain; charset=koi8-r\n\nx".encode("koi8-r")
    assert read(raw).subject == "Привет"


# -- What it is called and what it follows


@pytest.mark.parametrize(
    ("header", "message_id"),
    [
        ("<a.b@c.example>", "<a.b@c.example>"),
        ("a.b@c.example", "<a.b@c.example>"),
        ("  <a.b@c\n .example> (added by a server)", "<a.b@c.example>"),
        ("<no-at-sign>", "<no-at-sign>"),
        ("no-at-sign", "<no-at-sign>"),
    ],
)
def test_a_message_id_is_read_however_it_stands(header: str, message_id: str):
    assert read(f"From: a@b.example\nMessage-ID: {header}\n\nx").message_id == message_id


@pytest.mark.parametrize(
    "header", ["", "Message-ID:\n", "Message-ID: <>\n", "Message-ID: <ä@b>\n", f"Message-ID: <{'a' * 300}>\n"]
)
def test_a_mail_without_an_id_gets_one_that_stays(header: str):
    raw = f"From: a@b.example\n{header}\nx"
    assert read(raw).message_id == read(raw).message_id
    assert read(raw).message_id.endswith("@mail.deskhand.invalid>")
    assert read(raw).message_id != read(raw + "y").message_id
    assert read(raw).faults == ("it has no Message-ID",)


@pytest.mark.parametrize(
    ("header", "references"),
    [
        ("<a@x> <b@x>\n\t<c@x>", ("<a@x>", "<b@x>", "<c@x>")),
        ("<a@x><b@x>,<a@x>", ("<a@x>", "<b@x>")),
        ("a@x b@x", ("<a@x>", "<b@x>")),
        ('Your message of "Mon, 23 Nov" <a@x> (Ada <3)', ("<a@x>",)),
        ("<a\n @x>", ("<a@x>",)),
        ("=?utf-8?Q?<a@x>?=", ("<a@x>",)),
        ("<ä@x> <> < > <b@x", ()),
        ("nothing at all", ()),
    ],
)
def test_what_a_mail_follows_is_read_however_it_stands(header: str, references: tuple[str, ...]):
    incoming = mail("x", f"References: {header}", f"In-Reply-To: {header}")
    assert incoming.references == incoming.in_reply_to == references


def test_of_many_references_the_first_and_the_newest_are_kept():
    incoming = mail("x", "References: " + "\n ".join(f"<{number}@x>" for number in range(300)))
    assert len(incoming.references) == 200
    assert (incoming.references[0], incoming.references[1], incoming.references[-1]) == ("<0@x>", "<101@x>", "<299@x>")


def test_several_headers_of_a_name_are_read_as_one():
    incoming = mail("x", "References: <a@x>", "References: <b@x>", "To: a@x.example", "To: b@x.example")
    assert incoming.references == ("<a@x>", "<b@x>")
    assert [one.email for one in incoming.to] == ["a@x.example", "b@x.example"]


# -- People


@pytest.mark.parametrize(
    ("value", "people"),
    [
        ("Paul Grün <paul@b.example>", [("paul@b.example", "Paul Grün")]),
        ('"Grün, Paul" <Paul@B.example>', [("Paul@b.example", "Grün, Paul")]),
        ("paul@b.example (Paul (the) Green)", [("paul@b.example", "Paul the Green")]),
        ("=?utf-8?Q?Gr=C3=BCn=2C_Paul?= <paul@b.example>", [("paul@b.example", "Grün, Paul")]),
        ('"=?utf-8?Q?Gr=C3=BCn?=" <paul@b.example>', [("paul@b.example", "Grün")]),
        ("<paul@b.example>", [("paul@b.example", "")]),
        ("'paul@b.example' <paul@b.example>", [("paul@b.example", "")]),
        ('"boss@bank.example" <evil@b.example>', [("evil@b.example", "")]),
        ("a@x.example, b@x.example; c@x.example", [("a@x.example", ""), ("b@x.example", ""), ("c@x.example", "")]),
        ("Team: a@x.example, B <b@x.example>;", [("a@x.example", ""), ("b@x.example", "B")]),
        ('Ada <"ada.berg"@b.example>', [("ada.berg@b.example", "Ada")]),
        ('Ada <"ada berg"@b.example>', []),
        ('"ada berg"@b.example', []),
        ("Ada < ada@\n b.example >", [("ada@b.example", "Ada")]),
        (f"Ada <{'a' * 65}@b.example>", []),
        (f"<{'a' * 3_000}@b.example>, b@b.example", [("b@b.example", "")]),
        ("undisclosed-recipients:;", []),
        ("Paul", []),
        ("", []),
        ("mailto:paul@b.example", [("paul@b.example", "")]),
        ("[paul@b.example]", [("paul@b.example", "")]),
        ('"Paul <paul@b.example>', [("paul@b.example", "")]),
        ("Paul <paul@b.example", [("paul@b.example", "Paul")]),
        ("Paul paul@b.example", [("paul@b.example", "")]),
        ("<<paul@b.example>>", [("paul@b.example", "")]),
        ("a@x.example, A@X.example", [("a@x.example", "")]),
        ('"Paul \\"P\\" G" <paul@b.example>', [("paul@b.example", 'Paul "P" G')]),
        ("paul@grün.example", [("paul@grün.example", "")]),
        ("a b@x.example <@>, @x.example, a@", [("b@x.example", "")]),
    ],
)
def test_addresses_are_found_however_they_are_written(value: str, people: list[tuple[str, str]]):
    incoming = mail("x", f"To: {value}", f"Cc: {value}", f"Reply-To: {value}", sender=value or "x")
    expected = tuple(Address(*one) for one in people)
    assert incoming.to == incoming.cc == incoming.reply_to == expected
    assert incoming.sender == (expected[0] if expected else Address(""))


def test_a_mail_that_does_not_say_who_it_is_from_is_from_whoever_else_it_names():
    incoming = read("Sender: S <s@x.example>\nReply-To: r@x.example\n\nx")
    assert incoming.sender == Address("s@x.example", "S")
    assert "it does not say who it is from" in incoming.faults


def test_servers_say_at_which_addresses_they_took_it():
    headers = [
        "Delivered-To: help@desk.example",
        "X-Original-To: <info@desk.example>",
        "Envelope-To: HELP@desk.example",
    ]
    assert mail("x", *headers).delivered_to == ("help@desk.example", "info@desk.example")


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("Mon, 23 Nov 2026 11:30:55 +0100", datetime(2026, 11, 23, 10, 30, 55, tzinfo=UTC)),
        ("23 Nov 2026 11:30 -0000", datetime(2026, 11, 23, 11, 30, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 11:30:55 +0100 (CET)", datetime(2026, 11, 23, 10, 30, 55, tzinfo=UTC)),
        ("Mon, 23 Nov 2036 11:30:55 +0100", None),
        ("Thu, 1 Jan 1970 00:00:00 +0000", None),
        ("Mon, 99 Nov 2026 99:99:99 +9999", None),
        ("yesterday", None),
    ],
)
def test_a_date_is_taken_only_if_it_can_be_true(value: str, date: datetime | None):
    incoming = mail("x", f"Date: {value}")
    assert incoming.date == date
    assert ("its date can't be true" in incoming.faults) == (date is None)


# -- Parts and files


def test_a_mail_with_everything_is_read():
    incoming = fixture("others/pictures")
    assert incoming.sender == Address("anne@mail.example", "Änne Öst")
    assert incoming.subject == "Bröken cup 😀"
    assert incoming.to == (Address("help@desk.example", "Desk Hélp"), Address("per@mail.example", "Ost, Per"))
    assert incoming.cc == (Address("a@team.example"), Address("b@team.example", "B, b"))
    assert incoming.delivered_to == ("desk-inbound@host.example", "help@desk.example")
    assert 'src="cid:cup@1"' in incoming.html
    assert [(file.name, file.mime_type, file.content_id) for file in incoming.files] == [
        ("cup.png", "image/png", "cup@1"),
        ("image-2.jpg", "image/jpeg", ""),
        ("Rechnung € 100.pdf", "application/pdf", ""),
        ("winmail.dat", "application/ms-tnef", ""),
        ("Früher.eml", "message/rfc822", ""),
        ("attachment-6.bin", "application/octet-stream", ""),
    ]
    assert incoming.files[2].data == b"%PDF-1.4\n"
    assert incoming.files[4].data.endswith(b"An older mail.")


def test_an_invitation_comes_as_a_file():
    incoming = fixture("others/invitation")
    assert "<i>talk</i>" in incoming.html
    assert [(file.name, file.mime_type) for file in incoming.files] == [("invitation.ics", "text/calendar")]


def test_a_signature_comes_as_a_file():
    incoming = fixture("others/signed")
    assert (incoming.text, [file.name for file in incoming.files]) == ("It is me.", ["signature.asc"])


@pytest.mark.parametrize("body", ["", "\n\n", " \n"])
def test_a_mail_may_be_empty(body: str):
    incoming = mail(body)
    assert (incoming.html, incoming.text, incoming.quoted, incoming.files) == ("", "", "", ())


def test_text_becomes_html_that_shows_it_as_it_was():
    assert mail('a <b> & "c"\n\n  d').html == 'a &lt;b&gt; &amp; "c"<br>\n<br>\n&nbsp; d'


def multipart(kind: str, *parts: str) -> Incoming:
    body = "".join(f"--b\n{part}\n" for part in parts) + "--b--\n"
    return mail(body, f'Content-Type: multipart/{kind}; boundary="b"')


def test_of_several_forms_the_one_that_shows_something_is_taken():
    plain, rich = "Content-Type: text/plain\n\nplain", "Content-Type: text/html\n\n<b>rich</b>"
    empty = "Content-Type: text/html\n\n<html><body><br></body></html>"
    assert multipart("alternative", plain, rich).html == "<b>rich</b>"
    assert multipart("alternative", rich, plain).html == "<b>rich</b>"
    assert multipart("alternative", plain, empty).html == "plain"


def test_texts_in_a_row_are_read_together():
    picture = "Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo="
    incoming = multipart("mixed", "\nfirst", picture, "Content-Type: text/plain\n\nsecond")
    assert (incoming.text, [file.name for file in incoming.files]) == ("first\n\nsecond", ["a.png"])


def test_a_text_with_a_name_is_a_file():
    incoming = multipart("mixed", "\nSee the log", "Content-Type: text/plain; name=log.txt\n\nerror 17")
    assert incoming.text == "See the log"
    assert incoming.files == (IncomingFile("log.txt", "text/plain", b"error 17"),)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Content-Disposition: attachment; filename=a.pdf", "a.pdf"),
        ("Content-Disposition: attachment; filename=my file.pdf", "my file.pdf"),
        ('Content-Disposition: attachment; filename="a;b.pdf"; size=3', "a;b.pdf"),
        ('Content-Disposition: attachment; filename="C:\\\\new\\\\a.pdf"', "a.pdf"),
        ("Content-Disposition: attachment; filename=../../etc/passwd", "passwd"),
        ("Content-Disposition: attachment; filename*=utf-8''%E2%82%AC.pdf; filename=x.pdf", "€.pdf"),
        ("Content-Disposition: attachment; filename*=iso-8859-1'de'Gr%FCn.pdf", "Grün.pdf"),
        ("Content-Disposition: attachment; filename*1=b.pdf; filename*0=a", "ab.pdf"),
        ('Content-Disposition: attachment; filename="=?utf-8?Q?Gr=C3=BCn.pdf?="', "Grün.pdf"),
        ('Content-Disposition: attachment; filename="Grün.pdf"', "Grün.pdf"),
        ("Content-Disposition: attachment; filename=exe.\u202efdp.exe", "exe.fdp.exe"),
        ("Content-Disposition: attachment; filename=می\u200cخواهم\u061c.pdf", "می\u200cخواهم.pdf"),
        ("Content-Disposition: attachment; filename=..", "attachment-1.pdf"),
        ("Content-Disposition: attachment; filename=" + "a" * 300 + ".pdf", "a" * 196 + ".pdf"),
        ("Content-Disposition: attachment", "attachment-1.pdf"),
        ("X: y", "attachment-1.pdf"),
    ],
)
def test_files_have_names_that_any_system_takes(header: str, name: str):
    incoming = multipart("mixed", f"Content-Type: application/pdf\n{header}\n\nx")
    assert [file.name for file in incoming.files] == [name]


@pytest.mark.parametrize(
    ("encoding", "body", "data"),
    [
        ("base64", "SGVs\nbG8=", b"Hello"),
        ("base64", "SGVsbG8", b"Hello"),
        ("base64", "SG!!Vs*bG8=", b"Hello"),
        ("BASE64 ", "SGk=\nSGk=\n", b"HiHi"),
        ("base64", "SGk=\n____\nsent by a list", b"Hi"),
        ("base64", "====", b""),
        ("quoted-printable", "a=3Db=\nc=ZZ", b"a=bc=ZZ"),
        ("x-uuencode", "begin 644 a\n%2&5L;&\\\n`\nend\n", b"Hello"),
        ("unheard-of", "Hello", b"Hello"),
    ],
)
def test_files_are_decoded_however_they_are_broken(encoding: str, body: str, data: bytes):
    part = f"Content-Type: application/pdf\nContent-Transfer-Encoding: {encoding}\n\n{body}"
    assert multipart("mixed", part).files[0].data.replace(b"\r\n", b"\n") == data


def test_parts_are_found_where_the_boundary_is_wrong_or_the_end_missing():
    body = "--real\nContent-Type: text/plain\n\nHello\n--real\nContent-Type: application/pdf; name=a.pdf\n\nx"
    incoming = mail(body, "Content-Type: multipart/mixed; boundary=wrong")
    assert (incoming.text, incoming.files[0].name) == ("Hello", "a.pdf")
    assert incoming.faults == ("the line between its parts had to be guessed", "its end is missing")


def test_a_multipart_without_parts_is_read_as_text():
    assert mail("Hello", "Content-Type: multipart/mixed; boundary=b").text == "Hello"


def test_a_header_line_that_lost_its_indentation_does_not_end_the_header():
    incoming = read("From: a@b.example\nSubject: one\ntwo three\nTo: c@b.example\n\nHello")
    assert (incoming.text, incoming.to) == ("Hello", (Address("c@b.example"),))


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(line_end: str):
    raw = "\ufeff\n\nFrom: a@b.example\nSubject: Hi\n\nHello\nagain".replace("\n", line_end).encode()
    incoming = parse(raw, RECEIVED_AT)
    assert (incoming.subject, incoming.text) == ("Hi", "Hello\nagain")


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"Hello\r\n\r\nworld", b"\x00\xff\xfe", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_mail_is_unreadable(raw: bytes):
    with pytest.raises(Unreadable):
        parse(raw, RECEIVED_AT)


def test_what_may_be_encrypted_is_said():
    assert "it may be encrypted" in mail("x", "Content-Type: application/pkcs7-mime; name=smime.p7m").faults


# -- HTML


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("<script>x()</script><p onclick=x()>a</p>", "<p>a</p>"),
        ("<p>a<style>p{}</style><svg onload=x()><a>b</a></svg></p>", "<p>a</p>"),
        ('<a href="javascript:x()">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href=" java\nscript:x()">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="/relative">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="cid:x">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="https://b.example/?a=1&amp;b" target=_top>a</a>',
         '<a href="https://b.example/?a=1&amp;b" rel="noopener noreferrer">a</a>'),
        ('<a href="mailto:a@b.example">a</a>', '<a href="mailto:a@b.example" rel="noopener noreferrer">a</a>'),
        ("<form action=/x><input name=a>a<button>b</button></form>", "a"),
        ("<iframe src=https://b.example></iframe>a<object data=x></object>", "a"),
        ('<p style="color:red;position:fixed;background:url(https://b.example)">a</p>', '<p style="color:red">a</p>'),
        ('a<div style="display:none">hidden</div>', "a"),
        ('a<img src="https://b.example/x.png" alt="b">', 'a<img src="https://b.example/x.png" alt="b">'),
        ('a<img src="http://b.example/x.png" alt="b">', "ab"),
        ('a<img src="https://b.example/x.png" width=1 height=1>', "a"),
        ('a<img src="https://b.example/x.png" width=1px>', "a"),
        ('a<img src="https://b.example/x.png" height="0.5">', "a"),
        ('a<img src="https://b.example/x.png" style="Width: 1px; height:1px">', "a"),
        ('a<img src="https://b.example/x.png" style="max-height:0">', "a"),
        ('<img src="https://b.example/x.png" width=100%>', '<img src="https://b.example/x.png" width="100%">'),
        ('<p style="color:red;background-color:url(https://b.example)">a</p>', '<p style="color:red">a</p>'),
        ('<p style="color:var(--x,url(https://b.example));direction:ltr">a</p>', '<p style="direction:ltr">a</p>'),
        ('<p style="color:RGBA(1, 2, 3, 0.5)">a</p>', '<p style="color:RGBA(1, 2, 3, 0.5)">a</p>'),
        ('<div style="mso-hide:all">for all but one program</div>', "<div>for all but one program</div>"),
        ('a<img src="cid:unknown" alt="b">', "ab"),
        ('a<img src="data:image/svg+xml;base64,AAAA">', "a"),
        ("<p>a</p><p>&nbsp;</p><br><br>", "<p>a</p>"),
        ("<!--[if mso]>x<![endif]--><o:p>a</o:p><![if !mso]>b<![endif]>", "ab"),
        ("<b>a", "<b>a</b>"),
        ("a<base href=https://b.example><meta http-equiv=refresh content=0><link rel=stylesheet href=x>", "a"),
        ("<math><mtext><table><mglyph><style><img src onerror=x()>", ""),
        ("<noscript><p title='</noscript><img src onerror=x()>'></noscript>a", "a"),
    ],
)  # fmt: skip
def test_html_is_let_through_by_an_allow_list(given: str, clean: str):
    assert html(given).html == clean


def test_a_picture_that_stands_in_the_html_becomes_a_file():
    data = b64encode(b"x" * 30_000).decode()
    incoming = html(f'<p>a</p><img src="data:image/png;base64,{data}">')
    assert incoming.html == '<p>a</p><img src="cid:picture-1@deskhand.invalid">'
    assert incoming.files == (IncomingFile("picture-1.png", "image/png", b"x" * 30_000, "picture-1@deskhand.invalid"),)


def test_of_two_files_with_one_content_id_the_first_is_shown():
    page = "Content-Type: text/html\n\n<img src=CID:%61><img src='cid:a'>"
    incoming = multipart("related", page, *["Content-Type: image/png\nContent-ID: <a>\n\nx"] * 2)
    assert incoming.html == '<img src="cid:a"><img src="cid:a">'
    assert [file.content_id for file in incoming.files] == ["a", ""]


def test_a_long_text_comes_as_a_file_as_well():
    incoming = mail("word " * 300_000)
    assert len(incoming.text) <= 1_000_000
    assert (incoming.files[0].name, len(incoming.files[0].data)) == ("text-1.txt", 1_500_000)
    assert incoming.faults == ("it is very long; all of it is in a file",)


def test_an_ordinary_mail_takes_a_few_milliseconds():
    raw = original("replies/outlook-desktop")
    taken = []
    for _ in range(20):
        begin = time.process_time()
        parse(raw, RECEIVED_AT)
        taken.append(time.process_time() - begin)
    assert median(taken) < 0.02, "it takes 0.0015 s on an idle machine"
