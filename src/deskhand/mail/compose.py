"""Making a mail out of what is to be said: headers, text and HTML, attachments. Pure; nothing is sent here."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from deskhand.mail.addresses import BadAddress, routable
from deskhand.mail.headers import Address, address_words, field, one_line, text_words

MOST_REFERENCES = 21
"""Message ids in References; of a longer conversation the first and the newest (RFC 5322 section 3.6.4, RFC 1036)."""
AUTOMATIC = (("Auto-Submitted", "auto-replied"), ("Precedence", "bulk"), ("X-Auto-Response-Suppress", "All"))
"""Header fields of mail that no person wrote, so that no machine answers it (RFC 3834)."""
LOOP_FIELD = "X-Deskhand-Loop"
"""The header field by which an inbox knows its own mail, should it ever come back: see `loop_mark`."""
_POLICY = SMTP.clone(cte_type="7bit")  # not every server on the way takes 8 bits
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_MIME_TYPE = re.compile(r"([a-z0-9][a-z0-9.+-]{0,63})/([a-z0-9][a-z0-9.+-]{0,63})")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REPLY = re.compile(r"\A(?:re\s*:\s*)+", re.IGNORECASE)
_LONGEST_FILENAME = 200
_LONGEST_LINE = 200
_ASCII = bytes(range(128))
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,30}")


@dataclass(frozen=True, slots=True)
class File:
    """An attachment; one with a `content_id` is a picture that the HTML shows in place."""

    name: str
    mime_type: str
    data: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A mail to be composed. `bcc` receives it and stands in no header; `headers` are further ones, in ASCII."""

    message_id: str
    sender: Address
    reply_to: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str
    html: str
    text: str
    date: datetime
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    attachments: tuple[File, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody whom it goes to, each once."""
        first: dict[str, str] = {}
        for one in (*self.to, *self.cc, *self.bcc):
            first.setdefault(one.email.casefold(), one.email)
        return tuple(first.values())


def compose(mail: Outgoing) -> bytes:
    """The whole message as it goes over the wire, in ASCII unless an address has other letters (RFC 6532)."""
    fields = [
        field("Date", [format_datetime(mail.date.astimezone(UTC))]),
        field("From", address_words([mail.sender])),
        field("Reply-To", address_words([mail.reply_to])),
        field("To", address_words(mail.to) or ["undisclosed-recipients:;"]),
        field("Cc", address_words(mail.cc)) if mail.cc else "",
        field("Subject", text_words(mail.subject)),
        field("Message-ID", [mail.message_id]),
        field("In-Reply-To", [mail.in_reply_to]) if mail.in_reply_to else "",
        field("References", mail.references) if mail.references else "",
        *(field(name, text_words(value)) for name, value in mail.headers),
    ]
    return "".join(fields).encode() + b"MIME-Version: 1.0\r\n" + _content(mail)


def subject_of_reply(subject: str, *, first: bool) -> str:
    """The subject with one `Re:` in front, but for the first message of a conversation."""
    subject = one_line(subject)
    return subject if first else f"Re: {_REPLY.sub('', subject, count=1)}".strip()


def with_number(subject: str, number: int) -> str:
    """The subject with `[#number]` behind it, unless it has that already."""
    mark = f"[#{number}]"
    return subject if mark in subject else f"{subject} {mark}".strip()


def loop_mark(address: str) -> str:
    """By what the inbox with this address knows its own mail."""
    with suppress(BadAddress):
        address = routable(address)
    return hashlib.sha256(f"mail of {address.lower()}".encode()).hexdigest()[:32]


def chain(message_ids: Sequence[str]) -> tuple[str, ...]:
    """The References of a message after these, oldest first; what is no message id is left out."""
    known = list(dict.fromkeys(one for one in message_ids if _MESSAGE_ID.fullmatch(one)))
    return tuple(known if len(known) <= MOST_REFERENCES else [known[0], *known[1 - MOST_REFERENCES :]])


def document(html: str) -> str:
    """A fragment of HTML as a whole document."""
    if "<html" in html[:1000].lower():
        return html
    return f'<!doctype html>\n<html><head><meta charset="utf-8"></head>\n<body>\n{html}\n</body></html>\n'


def _content(mail: Outgoing) -> bytes:
    """The parts, by hand but for files: the standard library takes several times as long over them."""
    html = _text_part("html", mail.html)
    pictures = [_file_part(one) for one in mail.attachments if one.content_id]
    others = [_file_part(one) for one in mail.attachments if not one.content_id]
    if pictures:
        html = _multipart("related", [html, *pictures])
    forms = _multipart("alternative", [_text_part("plain", mail.text + "\n"), html])
    return _multipart("mixed", [forms, *others]) if others else forms


def _multipart(kind: str, parts: Sequence[bytes]) -> bytes:
    boundary = f"=_{secrets.token_hex(16)}".encode()  # what is encoded never holds =_
    head = b'Content-Type: multipart/%s;\r\n boundary="%s"\r\n\r\n' % (kind.encode(), boundary)
    return head + b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary


def _text_part(kind: str, text: str) -> bytes:
    """A text as it can be read in the raw mail where it can, in ASCII and in short lines."""
    data = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).encode(errors="replace")
    foreign = len(data.translate(None, _ASCII))
    if not foreign and max(map(len, data.split(b"\n"))) <= _LONGEST_LINE:
        encoding, encoded = b"7bit", data
    elif foreign * 3 > len(data):
        encoding, encoded = b"base64", base64.encodebytes(data.replace(b"\n", b"\r\n"))
    else:
        encoding, encoded = b"quoted-printable", binascii.b2a_qp(data, istext=True)
    head = b"Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n" % (kind.encode(), encoding)
    return head + encoded.replace(b"\n", b"\r\n")


def _file_part(file: File) -> bytes:
    """A file; the standard library knows how to write names that are more than plain ones."""
    (kind, subtype), name = _mime_type(file.mime_type), _filename(file.name)
    if file.content_id:
        head = f"Content-Type: {kind}/{subtype}\r\nContent-ID: <{file.content_id}>\r\n"
        encoded = base64.encodebytes(file.data).replace(b"\n", b"\r\n")
        return f"{head}Content-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + encoded
    if _PLAIN_NAME.fullmatch(name):
        head = f'Content-Type: {kind}/{subtype}\r\nContent-Disposition: attachment; filename="{name}"\r\n'
        encoded = base64.encodebytes(file.data).replace(b"\n", b"\r\n")
        return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded
    part = EmailMessage(policy=_POLICY)
    part.set_content(file.data, maintype=kind, subtype=subtype, disposition="attachment", filename=name)
    del part["MIME-Version"]
    return bytes(part)


def _mime_type(given: str) -> tuple[str, str]:
    """The kind of a file; whole messages are sent as plain files, for they may not be encoded (RFC 2046)."""
    found = _MIME_TYPE.fullmatch(given.partition(";")[0].strip().lower())
    if found is None or found[1] in ("message", "multipart"):
        return "application", "octet-stream"
    return found[1], found[2]


def _filename(name: str) -> str:
    name = one_line(name).replace("/", "_").replace("\\", "_")
    name = name.replace("=?", "=_")  # or the standard library would decode it, line breaks and all
    stem, dot, ending = name.rpartition(".")
    if len(name) > _LONGEST_FILENAME and dot and len(ending) < 20:
        return stem[: _LONGEST_FILENAME - len(ending) - 1] + dot + ending
    return name[:_LONGEST_FILENAME] or "attachment"
