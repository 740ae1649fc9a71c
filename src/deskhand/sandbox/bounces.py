"""A mail bounces: the report that a server on the way sends when a reply did not arrive, as such servers write it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deskhand.catalogue.values import Id
from deskhand.db.engine import Database
from deskhand.desk.conversations.mail import sent_queries
from deskhand.desk.conversations.mail.sent_queries import SentMail
from deskhand.lib.clock import Clock, from_wire
from deskhand.lib.secrets import digest, new_token
from deskhand.mail import captured
from deskhand.mail.headers import Address, address_words, field, one_line, text_words
from deskhand.sandbox.arrivals import Arrivals, Arrived, answer
from deskhand.sandbox.http import Refused, read_json, route

_HEADER_MOST = 20_000


class Bounces(msgspec.Struct, forbid_unknown_fields=True):
    """Which reply's mail does not arrive, and why; unless it is `final`, the server goes on trying."""

    thread_id: Id
    final: bool = True
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A delivery status report (RFC 3464); `original` is the header of the mail that it is about."""

    message_id: str
    to: str
    recipient: str
    final: bool
    reason: str
    arrived: datetime
    date: datetime
    original: str


@dataclass(frozen=True, slots=True)
class Servers:
    """The mail servers on the way to a sandbox's customers."""

    database: Database
    clock: Clock
    account_id: int
    arrivals: Arrivals

    async def bounce(self, wanted: Bounces, message_id: str = "") -> tuple[list[Arrived], str]:
        """Send the report on a reply's mail; gives what became of it, and its Message-ID. Raises Refused."""
        if "\0" in wanted.reason:
            raise Refused("reason", "may not contain the character NUL")
        id = wanted.thread_id
        sent = await self.database.read(lambda db: sent_queries.sent(db, self.account_id, id))
        recipients = msgspec.json.decode(sent.recipients, type=list[str]) if sent is not None else []
        if sent is None or not recipients:
            raise Refused("thread_id", "no mail went to a customer with this thread", 404)
        mail = await self.database.read(lambda db: captured.of_thread(db, self.account_id, id))
        domain = recipients[0].rpartition("@")[2]
        report = Report(
            message_id=message_id or f"<{new_token(24)}@{domain}>",
            to=sent.inbox_email,
            recipient=recipients[0],
            final=wanted.final,
            reason=one_line(wanted.reason) or _reason(recipients[0], final=wanted.final),
            arrived=from_wire(sent.at),
            date=self.clock.now(),
            original=_known_header(sent, recipients[0]) if mail is None else _header(mail.raw),
        )
        return await self.arrivals.deliver(as_bytes(report), recipients=[sent.inbox_email]), report.message_id


def routes(servers: Servers) -> list[Route]:
    """The path /sandbox/bounce."""

    async def post_bounce(request: Request) -> Response:
        arrived, message_id = await servers.bounce(await read_json(request, Bounces))
        return answer(arrived, message_id=message_id)

    return [route("POST", "/sandbox/bounce", post_bounce)]


def as_bytes(report: Report) -> bytes:
    """The report as it goes over the wire: for people, for programs, and the header of what did not arrive."""
    domain = report.recipient.rpartition("@")[2]
    server, boundary = f"mx.{domain}", f"report-{digest(report.message_id)[:24]}"
    subject = "Undelivered Mail Returned to Sender" if report.final else "Delayed Mail (still being retried)"
    header = [
        field("Date", [format_datetime(report.date.astimezone(UTC))]),
        field("From", address_words([Address(f"mailer-daemon@{domain}", "Mail Delivery System")])),
        field("To", address_words([Address(report.to)])),
        field("Subject", text_words(subject)),
        field("Message-ID", [report.message_id]),
        field("Auto-Submitted", ["auto-replied"]),
        field("MIME-Version", ["1.0"]),
        field("Content-Type", ["multipart/report;", "report-type=delivery-status;", f'boundary="{boundary}"']),
    ]
    parts = [
        ("text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit", _for_people(report, server)),
        ("message/delivery-status", _for_programs(report, server)),
        ("text/rfc822-headers", report.original),
    ]
    body = "".join(f"--{boundary}\nContent-Type: {kind}\n\n{text.rstrip()}\n\n" for kind, text in parts)
    return "".join(header).encode() + b"\r\n" + f"{body}--{boundary}--\n".replace("\n", "\r\n").encode()


def _for_people(report: Report, server: str) -> str:
    said = "could not be delivered" if report.final else "has not been delivered yet; it is being tried again"
    return (
        f"This is the mail system at host {server}.\n\n"
        f"Your message to <{report.recipient}> {said}:\n\n    {report.reason}\n"
    )


def _for_programs(report: Report, server: str) -> str:
    action, status, code = ("failed", "5.1.1", 550) if report.final else ("delayed", "4.4.1", 451)
    return (
        f"Reporting-MTA: dns; {server}\n"
        f"Arrival-Date: {format_datetime(report.arrived)}\n\n"
        f"Final-Recipient: rfc822; {report.recipient}\n"
        f"Action: {action}\n"
        f"Status: {status}\n"
        f"Diagnostic-Code: smtp; {code} {status} {report.reason.encode('ascii', 'replace').decode()}\n"
    )


def _reason(recipient: str, *, final: bool) -> str:
    return f"<{recipient}>: user unknown" if final else "the server does not answer; trying again"


def _header(raw: str) -> str:
    """The header of a mail as it was sent."""
    return raw.replace("\r\n", "\n").partition("\n\n")[0][:_HEADER_MOST]


def _known_header(sent: SentMail, recipient: str) -> str:
    """The header of a mail whose bytes nobody kept, as far as it is known: those of the invented past."""
    fields = [
        field("Date", [format_datetime(from_wire(sent.at))]),
        field("From", address_words([Address(sent.inbox_email)])),
        field("To", address_words([Address(recipient)])),
        field("Subject", text_words(sent.subject)),
        field("Message-ID", [sent.message_id]),
    ]
    return "".join(fields).replace("\r\n", "\n")
