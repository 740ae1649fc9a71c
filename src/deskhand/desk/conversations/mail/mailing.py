"""Published replies leave by mail: the job `send_email`, queued with the reply and carried out by the worker.

A job may be carried out twice, which is harmless: its mail keeps the Message-ID that was made when the reply was
published, and by that a receiver knows the repetition.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec

from deskhand.db.engine import Database, Reader, Writer
from deskhand.desk.conversations.mail import mail_queries
from deskhand.desk.conversations.mail.mail_queries import AttachedFile, Earlier, MailRow, Reply
from deskhand.desk.conversations.queries import Head
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import Clock, from_wire, to_wire
from deskhand.lib.html_text import looks_like_html, readable
from deskhand.mail.addresses import BadAddress, new_message_id, routable
from deskhand.mail.compose import File, Outgoing, chain, compose, document, subject_of_reply
from deskhand.mail.headers import Address
from deskhand.mail.post import Envelope, NoServer, Post, Refusal, Sent, Undelivered
from deskhand.outbox import jobs
from deskhand.outbox.jobs import NewJob, Work
from deskhand.outbox.worker import Failed, Kind, Then

log = logging.getLogger("deskhand.mail")

SEND_EMAIL = "send_email"
ATTEMPTS = 53
"""With pauses that double from a minute to an hour: two days."""
_PAUSE = timedelta(minutes=1)
AGAIN_WITHIN = timedelta(days=7)
"""How old a reply may be whose mail gave up and is run again: nobody expects a mail of long ago any more."""

failures = mail_queries.failures


class Handover(msgspec.Struct, frozen=True):
    """What a job says: which reply, from which inbox.

    Where some recipients were accepted and others may be later, a job of its own goes `only` to these; `known` tells
    of those who will never be.
    """

    thread_id: int
    inbox_id: int
    only: tuple[str, ...] = ()
    known: str = ""


def queue(tx: Writer, head: Head, thread_ids: Sequence[int], now: str) -> None:
    """Hand replies over for mail, in the transaction that publishes them.

    Whatever else is among the threads (notes, drafts, imported ones, replies to nobody) is passed over.
    """
    if not thread_ids:
        return
    found = mail_queries.to_mail(tx, head.account_id, head.inbox_id, list(thread_ids))
    mails = [
        MailRow(
            account_id=head.account_id,
            thread_id=one.id,
            conversation_id=head.id,
            message_id=new_message_id(one.inbox_email, one.id),
            at=now,
        )
        for one in found
        if (one.recipients, one.cc, one.bcc) != ("[]", "[]", "[]")
    ]
    if mails:
        tx.add_many(mail_queries.ADD, mails)
        jobs.add_many(tx, [_job(head.account_id, Handover(one.thread_id, head.inbox_id), now) for one in mails])


def _job(account_id: int, handover: Handover, at: str) -> NewJob:
    return NewJob(
        account_id=account_id,
        kind=SEND_EMAIL,
        target=f"mail:{handover.inbox_id}",
        payload=msgspec.json.encode(handover).decode(),
        due_at=jobs.milliseconds(from_wire(at)),
        created_at=at,
    )


def kind(database: Database, clock: Clock, blobs: BlobStore, post: Post) -> Kind:
    """How the job is carried out."""
    return Kind(Mailing(database, clock, blobs, post).carry, attempts=ATTEMPTS)


@dataclass(frozen=True, slots=True)
class _Letter:
    """A reply with all that its mail needs."""

    reply: Reply
    earlier: list[Earlier]
    files: list[AttachedFile]


@dataclass(frozen=True, slots=True)
class Mailing:
    """Sends replies."""

    database: Database
    clock: Clock
    blobs: BlobStore
    post: Post

    async def carry(self, work: Work) -> Then | None:
        """Compose a reply's mail, hand it over, and have written down how it went."""
        handover = msgspec.json.decode(work.payload, type=Handover)
        letter = await self.database.read(lambda db: _read(db, work.account_id, handover))
        if letter is None:
            return None  # it was deleted meanwhile
        try:
            sent = await self._send(work.account_id, letter, handover)
        except (Undelivered, BadAddress) as problem:
            final = isinstance(problem, BadAddress) or problem.final
            if not isinstance(problem, NoServer):
                log.warning("the mail of thread %d was not sent: %s", handover.thread_id, problem)
            raise self._failed(work, handover, str(problem), final=final) from problem
        return lambda tx: self._settle(tx, work.account_id, handover, sent)

    async def _send(self, account_id: int, letter: _Letter, handover: Handover) -> Sent:
        reply = letter.reply
        if reply.state != "published":
            raise Undelivered("the reply was hidden before it could be sent", final=True)
        if reply.mail_state == "failed" and self.clock.now() - from_wire(reply.created_at) > AGAIN_WITHIN:
            days = AGAIN_WITHIN.days
            raise Undelivered(
                f"it gave up, and the reply is more than {days} days old by now: write a new one", final=True
            )
        mail = outgoing(reply, letter.earlier)
        mail, raw = await asyncio.to_thread(self._composed, mail, letter.files)
        recipients = tuple(routable(one) for one in handover.only) or mail.recipients
        return await self.post.send(mail, raw, Envelope(account_id, reply.id, mail.sender.email, recipients))

    def _composed(self, mail: Outgoing, files: Sequence[AttachedFile]) -> tuple[Outgoing, bytes]:
        try:
            read = [File(one.filename, one.mime_type, self.blobs.path(one.sha256).read_bytes()) for one in files]
        except FileNotFoundError as problem:
            raise Undelivered("the file of an attachment is missing", final=True) from problem
        mail = replace(mail, text=readable(mail.html), html=document(_as_html(mail.html)), attachments=tuple(read))
        return mail, compose(mail)

    def _settle(self, tx: Writer, account_id: int, handover: Handover, sent: Sent) -> None:
        """It was sent; who was not accepted for good is noted, and for the others there is a job of their own."""
        now = self.clock.now()
        never = [handover.known] if handover.known else []
        never += [_words(one) for one in sent.refused if one.final]
        later = [one for one in sent.refused if not one.final]
        error = "; ".join([*never, *map(_words, later)])
        mail_queries.settle(tx, account_id, handover.thread_id, "sent", error, to_wire(now))
        if later:
            again = Handover(
                handover.thread_id, handover.inbox_id, tuple(one.address for one in later), "; ".join(never)
            )
            jobs.add_many(tx, [_job(account_id, again, to_wire(now + _PAUSE))])
        if sent.then:
            sent.then(tx)

    def _failed(self, work: Work, handover: Handover, reason: str, *, final: bool) -> Failed:
        def then(tx: Writer, gave_up: bool) -> None:
            state = "failed" if gave_up else "sent" if handover.only else "waiting"
            error = "; ".join(filter(None, (handover.known, reason)))
            now = to_wire(self.clock.now())
            mail_queries.settle(tx, work.account_id, handover.thread_id, state, error, now)

        return Failed(reason, final=final, then=then)


def _read(db: Reader, account_id: int, handover: Handover) -> _Letter | None:
    reply = mail_queries.reply(db, account_id, handover.inbox_id, handover.thread_id)
    if reply is None:
        return None
    return _Letter(reply, mail_queries.earlier(db, account_id, reply), mail_queries.files(db, account_id, reply))


def outgoing(reply: Reply, earlier: Sequence[Earlier]) -> Outgoing:
    """A reply as a mail whose body is not made yet; raises BadAddress."""
    sender = routable(reply.inbox_email)
    author = _name(reply.author_first, reply.author_last) or reply.inbox_name
    to, cc, bcc = _recipients(reply)
    ids = [one.message_id for one in earlier]
    from_customer = [one.message_id for one in earlier if one.direction == "in"]
    parent = chain((from_customer or ids)[-1:])
    return Outgoing(
        message_id=reply.message_id,
        in_reply_to=parent[0] if parent else "",
        references=chain(ids),
        sender=Address(sender, author),
        reply_to=Address(sender),
        to=to,
        cc=cc,
        bcc=bcc,
        subject=subject_of_reply(reply.subject, first=bool(reply.first)),
        html=reply.body or "",
        text="",
        date=from_wire(reply.created_at),
    )


def _recipients(reply: Reply) -> tuple[tuple[Address, ...], tuple[Address, ...], tuple[Address, ...]]:
    """To, Cc and Bcc; somebody named in several is only in the first of them."""
    customer = _name(reply.customer_first, reply.customer_last)
    seen: set[str] = set()

    def fresh(listed: str, name: str = "") -> tuple[Address, ...]:
        found = []
        for email in map(routable, msgspec.json.decode(listed, type=list[str])):
            if email.casefold() not in seen:
                seen.add(email.casefold())
                found.append(Address(email, name))
        return tuple(found)

    return fresh(reply.recipients, customer), fresh(reply.cc), fresh(reply.bcc)


def _as_html(body: str) -> str:
    """A body without any tag is text, whose lines are to stay lines."""
    return body if looks_like_html(body) else body.replace("\r\n", "\n").replace("\n", "<br>\n")


def _name(first: str | None, last: str | None) -> str:
    return f"{first or ''} {last or ''}".strip()


def _words(one: Refusal) -> str:
    return f"{one.address}: {one.reason}"
