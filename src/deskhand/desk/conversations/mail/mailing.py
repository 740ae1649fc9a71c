"""Published replies leave by mail: the job `send_email`, queued with the reply and carried out by the worker.

Automatic answers, see answering.py, leave in the same way by the job `send_answer`.

A job may be carried out twice, which is harmless: its mail keeps the Message-ID that was made when the reply was
published, and by that a receiver knows the repetition.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from deskhand.db.engine import Database, Reader, Writer
from deskhand.desk.conversations.mail import history, letters, mail_queries
from deskhand.desk.conversations.mail.letters import Letter
from deskhand.desk.conversations.mail.mail_queries import AttachedFile, MailRow
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.writing import show_anew
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.ratings.links import RatingLinks
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import Clock, from_wire, to_wire
from deskhand.lib.sealing import Sealer, SealingError
from deskhand.mail.addresses import BadAddress, new_message_id, new_reply_token, routable
from deskhand.mail.compose import File, Outgoing
from deskhand.mail.post import Envelope, NoServer, Post, Refusal, Sent, Undelivered
from deskhand.outbox import jobs
from deskhand.outbox.jobs import NewJob, Work
from deskhand.outbox.worker import Failed, Kind, Then
from deskhand.settings import SmtpServer

log = logging.getLogger("deskhand.mail")

SEND_EMAIL = "send_email"
SEND_ANSWER = "send_answer"
"""As SEND_EMAIL, for automatic answers."""
ATTEMPTS = 53
"""With pauses that double from a minute to an hour: two days."""
_PAUSE = timedelta(minutes=1)
_CONTENT_ID = re.compile(r"[A-Za-z0-9._-]{1,100}@[A-Za-z0-9.-]{1,100}")
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


def queue(tx: Writer, head: Head, thread_ids: Sequence[int], now: str, *, hold_s: int = 0) -> None:
    """Hand replies over for mail, in the transaction that publishes them; they leave after `hold_s` seconds.

    Whatever else is among the threads (notes, drafts, imported ones, replies to nobody) is passed over.
    """
    if not thread_ids:
        return
    found = mail_queries.to_mail(tx, head.account_id, head.inbox_id, list(thread_ids))
    mails = [
        new_mail(head, one.id, one.inbox_email, now, tokened=bool(one.reply_token))
        for one in found
        if (one.recipients, one.cc, one.bcc) != ("[]", "[]", "[]")
    ]
    hand_over(tx, head, mails, now, hold_s=hold_s)


def new_mail(
    head: Head, thread_id: int, inbox_email: str, now: str, *, tokened: bool, automatic: bool = False
) -> MailRow:
    """The mail of a thread with its Message-ID, and the token that answers are to come by if they are."""
    return MailRow(
        account_id=head.account_id,
        thread_id=thread_id,
        conversation_id=head.id,
        message_id=new_message_id(inbox_email, thread_id),
        at=now,
        reply_token=new_reply_token() if tokened else None,
        automatic=int(automatic),
    )


def hand_over(tx: Writer, head: Head, mails: Sequence[MailRow], now: str, *, hold_s: int = 0) -> None:
    """Add mails, and the jobs that send them."""
    if mails:
        due = to_wire(from_wire(now) + timedelta(seconds=hold_s))
        tx.add_many(mail_queries.ADD, mails)
        send(tx, head.account_id, [(Handover(one.thread_id, head.inbox_id), bool(one.automatic)) for one in mails], due)


def send(tx: Writer, account_id: int, handovers: Sequence[tuple[Handover, bool]], due: str) -> None:
    """Add the jobs that send mails, each with whether it is an automatic one."""
    kinds = {False: SEND_EMAIL, True: SEND_ANSWER}
    jobs.add_many(tx, [_job(account_id, kinds[automatic], handover, due) for handover, automatic in handovers])


def payload_begins(thread_id: int) -> str:
    """How the payloads begin of all jobs about a thread's mail."""
    return f'{{"thread_id":{thread_id},'


def _job(account_id: int, kind: str, handover: Handover, due: str) -> NewJob:
    return NewJob(
        account_id=account_id,
        kind=kind,
        target=f"mail:{handover.inbox_id}",
        payload=msgspec.json.encode(handover).decode(),
        due_at=jobs.milliseconds(from_wire(due)),
        created_at=due,
    )


@dataclass(frozen=True, slots=True)
class Mailing:
    """Sends replies and automatic answers.

    Without a `sealer` no inbox has a server of its own, and nothing can be rated: both need a key.
    """

    database: Database
    clock: Clock
    blobs: BlobStore
    post: Post
    sealer: Sealer | None = None
    base_url: str = ""

    @property
    def kind(self) -> Kind:
        """How the jobs are carried out."""
        return Kind(self.carry, attempts=ATTEMPTS)

    async def carry(self, work: Work) -> Then | None:
        """Compose a mail, hand it over, and have written down how it went."""
        handover = msgspec.json.decode(work.payload, type=Handover)
        automatic = work.kind == SEND_ANSWER
        letter = await self.database.read(lambda db: self._read(db, work.account_id, handover, automatic=automatic))
        if letter is None:
            return None  # it was deleted meanwhile
        try:
            sent = await self._send(letter, handover)
        except (Undelivered, BadAddress) as problem:
            final = isinstance(problem, BadAddress) or problem.final
            if not isinstance(problem, NoServer):
                log.warning("the mail of thread %d was not sent: %s", handover.thread_id, problem)
            raise self._failed(work, handover, str(problem), final=final) from problem
        except Exception as problem:
            log.exception("the mail of thread %d could not be made or sent", handover.thread_id)
            reason = f"something went wrong here, see the log ({type(problem).__name__})"
            raise self._failed(work, handover, reason, final=False) from problem
        return lambda tx: self._settle(tx, work, handover, sent)

    def _read(self, db: Reader, account_id: int, handover: Handover, *, automatic: bool) -> Letter | None:
        reply = mail_queries.reply(db, account_id, handover.inbox_id, handover.thread_id)
        if reply is None:
            return None
        earlier = mail_queries.earlier(db, account_id, reply)
        if automatic:
            return Letter(account_id, handover.inbox_id, reply, automatic=True, earlier=earlier)
        said, files = history.before(db, account_id, reply), mail_queries.files(db, account_id, reply)
        url = self._rating_url(account_id, reply.id) if reply.ratings else ""
        return Letter(account_id, handover.inbox_id, reply, False, earlier, said, files, url)

    def _rating_url(self, account_id: int, thread_id: int) -> str:
        try:
            return RatingLinks(self.sealer, self.base_url).url(account_id, thread_id) if self.sealer else ""
        except SealingError as problem:
            log.warning("the mail of thread %d can't be rated: %s", thread_id, problem)
            return ""

    async def _send(self, letter: Letter, handover: Handover) -> Sent:
        self._require_wanted(letter)
        reply = letter.reply
        server = self._own_server(letter)
        mail, raw = await asyncio.to_thread(self._composed, letter)
        recipients = tuple(routable(one) for one in handover.only) or mail.recipients
        envelope = Envelope(letter.account_id, reply.id, mail.sender.email, recipients, server)
        return await self.post.send(mail, raw, envelope)

    def _require_wanted(self, letter: Letter) -> None:
        """Raises Undelivered for what is not to be sent any more."""
        reply = letter.reply
        if reply.state != "published":
            raise Undelivered("the reply was hidden before it could be sent", final=True)
        if letter.automatic and not reply.answer:
            raise Undelivered("automatic answers were switched off before it could be sent", final=True)
        if reply.mail_state == "failed" and self.clock.now() - from_wire(reply.created_at) > AGAIN_WITHIN:
            days = AGAIN_WITHIN.days
            raise Undelivered(
                f"it gave up, and the reply is more than {days} days old by now: write a new one", final=True
            )

    def _own_server(self, letter: Letter) -> SmtpServer | None:
        """The inbox's own server. Where the key is not to be had it waits: the mail shall leave once it is back."""
        if not letter.reply.smtp:
            return None
        if self.sealer is None:
            raise Undelivered("there is no key to open the password of the inbox's SMTP server")
        try:
            return mail_settings.smtp_of(self.sealer, letter.account_id, letter.inbox_id, letter.reply.smtp)
        except (SealingError, ValueError) as problem:
            raise Undelivered(f"the inbox's SMTP server can't be used: {problem}") from problem

    def _composed(self, letter: Letter) -> tuple[Outgoing, bytes]:
        try:
            files = [
                File(one.filename, one.mime_type, self.blobs.path(one.sha256).read_bytes(), _shown_as(one))
                for one in letter.files
            ]
        except FileNotFoundError as problem:
            raise Undelivered("the file of an attachment is missing", final=True) from problem
        except OSError as problem:
            raise Undelivered(f"the file of an attachment can't be read: {problem.strerror}") from problem
        return letters.composed(letter, letters.outgoing(letter), files)

    def _settle(self, tx: Writer, work: Work, handover: Handover, sent: Sent) -> None:
        """It was sent; who was not accepted for good is noted, and for the others there is a job of their own."""
        now = self.clock.now()
        never = [handover.known] if handover.known else []
        never += [_words(one) for one in sent.refused if one.final]
        later = [one for one in sent.refused if not one.final]
        error = "; ".join([*never, *map(_words, later)])
        self._note(tx, work, handover, "sent", error)
        if later:
            again = Handover(
                handover.thread_id, handover.inbox_id, tuple(one.address for one in later), "; ".join(never)
            )
            jobs.add_many(tx, [_job(work.account_id, work.kind, again, to_wire(now + _PAUSE))])
        if sent.then:
            sent.then(tx)

    def _failed(self, work: Work, handover: Handover, reason: str, *, final: bool) -> Failed:
        def then(tx: Writer, gave_up: bool) -> None:
            state = "failed" if gave_up else "sent" if handover.only else "waiting"
            self._note(tx, work, handover, state, "; ".join(filter(None, (handover.known, reason))))

        return Failed(reason, final=final, then=then)

    def _note(self, tx: Writer, work: Work, handover: Handover, state: str, error: str) -> None:
        mail_queries.settle(tx, work.account_id, handover.thread_id, state, error, to_wire(self.clock.now()))
        if error:
            show_anew(tx)
        if work.kind == SEND_ANSWER:
            mail_queries.say(tx, work.account_id, handover.thread_id, state)


def _words(one: Refusal) -> str:
    return f"{one.address}: {one.reason}"


def _shown_as(file: AttachedFile) -> str:
    """The name by which the text of a reply written here shows a picture; that of anybody else's mail is no header."""
    return file.content_id if file.content_id and _CONTENT_ID.fullmatch(file.content_id) else ""
