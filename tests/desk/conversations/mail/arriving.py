"""Mail that comes in tests: written as a mail program would, kept and read at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, cast

import msgspec
import sqlalchemy as sa

from deskhand.db.statements import P, command, rows, value
from deskhand.desk.conversations.mail.keeping import Keeping
from deskhand.desk.conversations.mail.mail_queries import ADD, MailRow
from deskhand.desk.conversations.mail.receiving import Parse, Receiving
from deskhand.desk.conversations.tables import thread_mail
from deskhand.lib.blobs import BlobStore
from deskhand.mail.inbound import Delivery, Kept, Place, Way
from deskhand.mail.incoming import Incoming, Unreadable
from deskhand.mail.parse import parse
from deskhand.mail.tables import received_mail
from deskhand.outbox.tables import job
from tests.desk.conversations.builders import created, given, reply
from tests.world import Desk, unique

Where = tuple[int, int] | None
PAUL = "paul@buyer.example"

_SET_ID = command(
    sa.update(thread_mail).where(thread_mail.c.thread_id == P("thread_id")).values(message_id=P("message_id")),
    keep=False,
)


def faulty(raw: bytes, received_at: datetime, trusted: str | None, return_path: str | None) -> Incoming:
    """Reads mail, but for some."""
    if b"unreadable" in raw:
        raise Unreadable("it is torn")
    if b"kaboom" in raw:
        raise ValueError("kaboom")
    return parse(raw, received_at, trusted, return_path)


class Row(msgspec.Struct, frozen=True):
    """What is known of a message that came."""

    id: int
    inbox_id: int
    state: str
    reason: str
    conversation_id: int | None
    thread_id: int | None
    sha256: str
    sender: str
    message_id: str


class Known(msgspec.Struct, frozen=True):
    """What is known of a thread's mail."""

    thread_id: int
    conversation_id: int
    direction: str
    message_id: str
    state: str
    error: str
    source_sha256: str | None
    automatic: int
    verdicts: str | None
    quoted: str | None


_ROWS = rows(
    Row,
    sa.select(*(received_mail.c[name] for name in Row.__struct_fields__))
    .where(received_mail.c.account_id == P("account_id"))
    .order_by(received_mail.c.id),
    keep=False,
)
_MAILS = rows(
    Known,
    sa.select(*(thread_mail.c[name] for name in Known.__struct_fields__))
    .where(thread_mail.c.account_id == P("account_id"))
    .order_by(thread_mail.c.thread_id),
    keep=False,
)
_SET_TOKEN = command(
    sa.update(thread_mail).where(thread_mail.c.thread_id == P("thread_id")).values(reply_token=P("token")),
    keep=False,
)


def mail(**given: Any) -> bytes:
    """A mail as it comes over the wire; without a word more, a customer's first. `files` are (name, type, data)."""
    message = EmailMessage()
    written = {
        "From": "Paul Gruen <paul@buyer.example>",
        "To": "help@desk.example",
        "Subject": "A lamp that flickers",
        "Date": format_datetime(datetime.now(UTC)),
        "Message-ID": f"<{unique('mail')}@buyer.example>",
        **{name.replace("_", "-"): value for name, value in given.items() if name[0].isupper()},
    }
    for name, words in written.items():
        if words is not None:
            message[name] = words
    message.set_content(given.get("text", "It flickers."))
    if "html" in given:
        message.add_alternative(given["html"], subtype="html")
    for name, kind, data in given.get("files", ()):
        maintype, subtype = kind.split("/")
        message.add_attachment(data, maintype=maintype, subtype=subtype, filename=name)
    for cid, data in given.get("pictures", {}).items():
        html = cast(EmailMessage, message.get_body(("html",)))
        html.add_related(data, "image", "png", cid=f"<{cid}>", filename=f"{cid}.png")
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@dataclass
class Letterbox:
    """Where mail comes in to one account."""

    desk: Desk
    parse: Parse = parse
    keeping: Keeping = field(init=False)
    receiving: Receiving = field(init=False)

    def __post_init__(self) -> None:
        app, clock = self.desk.server.app, self.desk.server.clock
        blobs = BlobStore(app.settings.data_dir / "blobs")
        self.keeping = Keeping(app.database, blobs, clock)
        self.receiving = Receiving(app.database, clock, blobs, self.desk.url, self.parse)

    def place(self, address: str) -> Place:
        """The inbox of an address, which there has to be."""
        found = self.desk.server.run(self.keeping.place_of(address))
        assert found is not None, address
        return found

    def keep(self, address: str, raw: bytes, way: Way = "post", sender: str = "", *also: str) -> Kept:
        """Keep a message that came to an address of ours; by SMTP one without a sender has no return path."""
        delivery = Delivery(raw, way, sender, (address, *also))
        return self.desk.server.run(self.keeping.keep(self.place(address), delivery))

    def read(self, kept: Kept, *, last: bool = True) -> Where:
        """Read a message that is kept."""
        return self.desk.server.run(self.receiving.receive(self.desk.account_id, kept.id, last=last))

    def deliver(self, address: str, raw: bytes | None = None, /, **given: Any) -> tuple[int, int]:
        """A message comes and is read; it has to become a thread."""
        where = self.read(self.keep(address, raw or mail(To=address, **given)))
        assert where is not None, self.rows()[-1].reason
        return where

    def skipped(self, address: str, raw: bytes | None = None, /, **given: Any) -> str:
        """A message comes and is read; it has to be skipped, for this reason."""
        self.read(self.keep(address, raw or mail(To=address, **given)))
        last = self.rows()[-1]
        assert last.state == "skipped", last
        return last.reason

    def rows(self) -> list[Row]:
        """All messages that came, oldest first."""
        return self.desk.server.app.database.read_now(lambda db: db.all(_ROWS, account_id=self.desk.account_id))

    def mails(self) -> list[Known]:
        """The mails of all threads."""
        return self.desk.server.app.database.read_now(lambda db: db.all(_MAILS, account_id=self.desk.account_id))

    def mail_of(self, thread_id: int) -> Known:
        """The mail of a thread."""
        return next(one for one in self.mails() if one.thread_id == thread_id)

    def reply(self, id: int, token: str = "", message_id: str = "", **body: Any) -> Known:
        """The team answers; gives the mail, which has a token or a Message-ID of the test's choice if one is given."""
        thread_id = reply(self.desk, id, **body)
        if token:
            self.desk.write(lambda tx: tx.run(_SET_TOKEN, thread_id=thread_id, token=token))
        if message_id:
            self.desk.write(lambda tx: tx.run(_SET_ID, thread_id=thread_id, message_id=message_id))
        return self.mail_of(thread_id)


def inbox(desk: Desk, **given_: Any) -> tuple[int, str]:
    """An inbox and its address."""
    address = f"{unique('help')}@desk.example"
    return desk.add_inbox(email=address, **given_), address


def by_api(desk: Desk, inbox_id: int, email: str, **body: Any) -> int:
    """A conversation that a customer started in another way than by mail."""
    return created(desk.post("/v2/conversations", given(inbox_id, customer={"email": email}, **body)))


def bounce(address: str, message_id: str, action: str = "failed") -> bytes:
    """A server's report that a mail of ours did not arrive."""
    text = f"""From: MAILER-DAEMON@mx.example
To: {address}
Subject: Undelivered
Message-ID: <{unique("bounce")}@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; gone@buyer.example
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 User unknown

--b
Content-Type: message/rfc822

From: {address}
To: gone@buyer.example
Subject: Re: A lamp
Message-ID: {message_id}

Hello.

--b--
"""
    return text.replace("\n", "\r\n").encode()


def shown(box: Letterbox, where: tuple[int, int]) -> Any:
    """A thread as the API shows it."""
    listed = box.desk.get(f"/v2/conversations/{where[0]}/threads").json()["_embedded"]["threads"]
    return next(one for one in listed if one["id"] == where[1])


_JOBS = value(
    str, sa.select(job.c.payload).where(job.c.account_id == P("account_id"), job.c.kind == P("kind")), keep=False
)


def jobs_of(box: Letterbox, kind: str) -> list[str]:
    """What is listed in the jobs of a kind."""
    found = box.desk.server.app.database.read_now(lambda db: db.all(_JOBS, account_id=box.desk.account_id, kind=kind))
    return [one for payload in found for one in msgspec.json.decode(payload)]


__all__ = ["ADD", "Known", "Letterbox", "MailRow", "Row", "bounce", "by_api", "inbox", "jobs_of", "mail"]
