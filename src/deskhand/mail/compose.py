"""Making a mail out of what is to be said: headers, text and HTML, attachments. Pure; nothing is sent here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from deskhand.mail.headers import Address, address_words, field, one_line, text_words

MOST_REFERENCES = 21
"""Message ids in References; of a longer conversation the first and the newest (RFC 5322 section 3.6.4, RFC 1036)."""
_POLICY = SMTP.clone(cte_type="7bit")  # not every server on the way takes 8 bits
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_MIME_TYPE = re.compile(r"([a-z0-9][a-z0-9.+-]{0,63})/([a-z0-9][a-z0-9.+-]{0,63})")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REPLY = re.compile(r"\A(?:re\s*:\s*)+", re.IGNORECASE)
_LONGEST_FILENAME = 200


@dataclass(frozen=True, slots=True)
class File:
    """An attachment."""

    name: str
    mime_type: str
    data: bytes


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
    return "".join(fields).encode() + bytes(_content(mail))


def subject_of_reply(subject: str, *, first: bool) -> str:
    """The subject with one `Re:` in front, but for the first message of a conversation."""
    subject = one_line(subject)
    return subject if first else f"Re: {_REPLY.sub('', subject, count=1)}".strip()


def chain(message_ids: Sequence[str]) -> tuple[str, ...]:
    """The References of a message after these, oldest first; what is no message id is left out."""
    known = list(dict.fromkeys(one for one in message_ids if _MESSAGE_ID.fullmatch(one)))
    return tuple(known if len(known) <= MOST_REFERENCES else [known[0], *known[1 - MOST_REFERENCES :]])


def document(html: str) -> str:
    """A fragment of HTML as a whole document."""
    if "<html" in html[:1000].lower():
        return html
    return f'<!doctype html>\n<html><head><meta charset="utf-8"></head>\n<body>\n{html}\n</body></html>\n'


def _content(mail: Outgoing) -> EmailMessage:
    content = EmailMessage(policy=_POLICY)
    content.set_content(_CONTROLS.sub("", mail.text) + "\n")
    content.add_alternative(_CONTROLS.sub("", mail.html), subtype="html")
    for file in mail.attachments:
        kind, subtype = _mime_type(file.mime_type)
        content.add_attachment(file.data, maintype=kind, subtype=subtype, filename=_filename(file.name))
    return content


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
