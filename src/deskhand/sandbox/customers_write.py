"""A customer writes: a real mail, built as a mail program builds it, that takes the path of any other."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import HeaderParser
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deskhand.catalogue.values import Id
from deskhand.db.engine import Database
from deskhand.desk.conversations.mail import sent_queries
from deskhand.desk.conversations.mail.sent_queries import Newest
from deskhand.desk.inboxes import queries as inboxes
from deskhand.lib.clock import Clock, from_wire
from deskhand.lib.html_text import readable
from deskhand.lib.secrets import new_token
from deskhand.mail import captured
from deskhand.mail.addresses import BadAddress, routable
from deskhand.mail.compose import chain, subject_of_reply
from deskhand.mail.headers import Address, address_words, field, text_words
from deskhand.sandbox.arrivals import Arrivals, Arrived, answer
from deskhand.sandbox.http import Refused, read_json, route

_TEXT_MOST = 200_000
_LINE_MOST = 1_000


class Writes(msgspec.Struct, forbid_unknown_fields=True):
    """What a customer writes.

    With `conversation_id` it answers the last reply of that conversation, and whatever is left out comes from there.
    """

    text: Annotated[str, msgspec.Meta(max_length=_TEXT_MOST)]
    email: str = ""
    inbox_id: Id | None = None
    subject: Annotated[str, msgspec.Meta(max_length=_LINE_MOST)] | None = None
    name: Annotated[str, msgspec.Meta(max_length=_LINE_MOST)] = ""
    conversation_id: Id | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail of a customer; `quoted` is what it answers, and who wrote that when."""

    message_id: str
    sender: Address
    to: Address
    subject: str
    text: str
    date: datetime
    references: tuple[str, ...] = ()
    quoted: str = ""
    quoted_by: str = ""


@dataclass(frozen=True, slots=True)
class Customers:
    """The customers of a sandbox's account, who write from outside."""

    database: Database
    clock: Clock
    account_id: int
    arrivals: Arrivals

    async def write(self, wanted: Writes, message_id: str = "") -> tuple[list[Arrived], str]:
        """Send what a customer writes; gives what became of it, and its Message-ID. Raises Refused."""
        if "\0" in f"{wanted.text}{wanted.subject}{wanted.name}":
            raise Refused("text", "may not contain the character NUL")
        letter = await (self._first(wanted) if wanted.conversation_id is None else self._answer(wanted))
        letter = replace(letter, message_id=message_id or _new_id(letter.sender.email))
        sender, to = letter.sender.email, letter.to.email
        return await self.arrivals.deliver(as_bytes(letter), sender=sender, recipients=[to]), letter.message_id

    async def _first(self, wanted: Writes) -> Letter:
        for name in ("email", "inbox_id", "subject"):
            if not getattr(wanted, name) and (name != "subject" or wanted.subject is None):
                raise Refused(name, "is required unless conversation_id is given")
        return Letter(
            message_id="",
            sender=Address(_address(wanted.email), wanted.name),
            to=Address(await self._inbox(wanted.inbox_id)),
            subject=wanted.subject or "",
            text=wanted.text,
            date=self.clock.now(),
        )

    async def _answer(self, wanted: Writes) -> Letter:
        id = wanted.conversation_id or 0
        found = await self.database.read(lambda db: sent_queries.newest(db, self.account_id, id))
        if found is None:
            raise Refused("conversation_id", "there is no such conversation, or no mail in it that could be answered")
        ids = await self.database.read(lambda db: sent_queries.message_ids(db, self.account_id, id))
        mail = await self.database.read(lambda db: captured.of_thread(db, self.account_id, found.thread_id))
        to = found.inbox_email if mail is None else _reply_to(mail.raw) or found.inbox_email
        if wanted.inbox_id is not None:
            to = await self._inbox(wanted.inbox_id)
        name = f"{found.first_name or ''} {found.last_name or ''}".strip()
        email = wanted.email or found.customer_email or ""
        return Letter(
            message_id="",
            sender=Address(_address(email), wanted.name or ("" if wanted.email else name)),
            to=Address(to, found.inbox_name),
            subject=subject_of_reply(found.subject, first=False) if wanted.subject is None else wanted.subject,
            text=wanted.text,
            date=self.clock.now(),
            references=chain([*(one for one in ids if one != found.message_id), found.message_id]),
            quoted=readable(found.body or "") if mail is None else mail.text,
            quoted_by=_wrote(found),
        )

    async def _inbox(self, inbox_id: int | None) -> str:
        found = await self.database.read(lambda db: inboxes.by_id(db, self.account_id, inbox_id or 0))
        if found is None:
            raise Refused("inbox_id", "there is no such inbox")
        return found.email


def routes(customers: Customers) -> list[Route]:
    """The path /sandbox/customer-writes."""

    async def post_customer_writes(request: Request) -> Response:
        arrived, message_id = await customers.write(await read_json(request, Writes))
        return answer(arrived, message_id=message_id)

    return [route("POST", "/sandbox/customer-writes", post_customer_writes)]


def as_bytes(letter: Letter) -> bytes:
    """The mail as it goes over the wire: text and HTML, what it answers below it, as a common mail program does."""
    fields = [
        field("Date", [format_datetime(letter.date.astimezone(UTC))]),
        field("From", address_words([letter.sender])),
        field("To", address_words([letter.to])),
        field("Subject", text_words(letter.subject)),
        field("Message-ID", [letter.message_id]),
        field("In-Reply-To", letter.references[-1:]) if letter.references else "",
        field("References", letter.references) if letter.references else "",
    ]
    content = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    content.set_content(_as_text(letter))
    content.add_alternative(_as_html(letter), subtype="html")
    return "".join(fields).encode() + bytes(content)


def _as_text(letter: Letter) -> str:
    if not letter.quoted:
        return letter.text + "\n"
    quoted = "\n".join(f"> {line}".rstrip() for line in letter.quoted.strip().split("\n"))
    return f"{letter.text}\n\n{letter.quoted_by}\n\n{quoted}\n"


def _as_html(letter: Letter) -> str:
    text = f'<div dir="ltr">{_lines(letter.text)}</div>'
    if letter.quoted:
        text += (
            f'<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{_lines(letter.quoted_by)}<br></div>'
            f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex">'
            f"{_lines(letter.quoted.strip())}</blockquote></div>"
        )
    return text + "\n"


def _lines(text: str) -> str:
    return html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>\n")


def _wrote(found: Newest) -> str:
    """The line above what is quoted."""
    at = from_wire(found.at)
    return f"On {at:%a}, {at.day} {at:%b} {at.year} at {at:%H:%M}, {found.inbox_name} <{found.inbox_email}> wrote:"


def _reply_to(raw: str) -> str:
    """Where the answer to a mail goes, by its own word."""
    return parseaddr(str(HeaderParser().parsestr(raw, headersonly=True).get("Reply-To", "")))[1]


def _address(given: str) -> str:
    try:
        return routable(given)
    except BadAddress:
        raise Refused("email", "must be an address such as paul@buyer.example") from None


def _new_id(address: str) -> str:
    return f"<{new_token(24)}@{address.rpartition('@')[2]}>"
