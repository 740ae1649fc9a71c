"""A mail as it was understood: what `parse` makes out of the bytes that came."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from deskhand.mail.headers import Address


class Unreadable(Exception):
    """Bytes that make no mail, in words."""


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that came along. `content_id`, without angle brackets, is what the body calls it; empty: it does not."""

    name: str
    mime_type: str
    data: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report that a mail did not arrive.

    `final`: it never will; else a server still tries. `status` is like 5.1.1. `message_id` is that of the mail that was
    to arrive, with its angle brackets; empty where the report does not say.
    """

    final: bool
    recipient: str
    status: str
    reason: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A mail that came.

    `message_id` always is one, with its angle brackets: made from the bytes where the mail has none. `in_reply_to` and
    `references` are what it says it follows, oldest first. `delivered_to` are the addresses at which servers say they
    took it. `html` is what was written, clean and without the history that mail programs repeat, which is in `quoted`;
    pictures in place are `cid:` links to files. `text` is `html` for people who read no HTML. `automatic` says in words
    why no automatic answer may follow; empty: one may. `by_program`: no person wrote it; `by_list`: a mailing list
    passed it on. `verdicts` are those of the receiving server: spf, dkim, dmarc; of a mail that names several senders
    dmarc is fail. `faults` tell in words what had to be guessed. Where nothing tells who sent it, `sender.email` is
    empty.
    """

    message_id: str
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sender: Address
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    delivered_to: tuple[str, ...] = ()
    subject: str = ""
    date: datetime | None = None
    html: str = ""
    quoted: str = ""
    text: str = ""
    files: tuple[IncomingFile, ...] = ()
    automatic: str = ""
    by_program: bool = False
    by_list: bool = False
    bounce: Bounce | None = None
    verdicts: dict[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
