"""What becomes of a mail that was understood, in one transaction: it joins a conversation, starts one, or is skipped.

Whoever writes is a customer, also a user of the account: an address in From proves nothing, so no mail ever speaks for
the support staff. A mail with a reply token joins its conversation as its sender's, and the conversation keeps its
customer; so a colleague who answers, or somebody who got a copy, is seen as who they are.

Whoever is named in Reply-To asks to be answered there, so that is the customer: contact forms write it. Who may join a
conversation is decided by From alone, which the receiving server can verify.

A mail that no person wrote (out of office) is shown in its conversation and changes nothing else there: it neither
reopens it nor ends a snooze. One that belongs nowhere starts a conversation as any other mail does.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from html import escape, unescape
from urllib.parse import unquote

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.attachments import NewAttachment
from deskhand.catalogue.customers import NAME_MOST, CustomerReference
from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.threads import MOST
from deskhand.catalogue.values import Email
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command
from deskhand.desk.call import Actor
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.erasure import files as stored_files
from deskhand.desk.conversations.mail import (
    bouncing,
    loops,
    matching,
    matching_queries,
    received_queries,
    tombstones,
)
from deskhand.desk.conversations.mail.keeping import folded, storable
from deskhand.desk.conversations.mail.matching import Clues
from deskhand.desk.conversations.mail.received_queries import Outcome, Received
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.reply_facts import BY_PROGRAM
from deskhand.desk.conversations.replying import customer_wrote, listed
from deskhand.desk.conversations.starting import start_by_mail
from deskhand.desk.conversations.tables import thread, thread_mail
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.conversations.writing import ThreadRow, add_file, add_thread, tell
from deskhand.desk.customers import verbs as customers
from deskhand.desk.customers.queries import CustomerRow
from deskhand.desk.inboxes import queries as inboxes
from deskhand.lib.blobs import Blob
from deskhand.lib.clock import from_wire
from deskhand.lib.text import plain
from deskhand.mail.compose import loop_mark
from deskhand.mail.headers import Address
from deskhand.mail.incoming import Bounce, Incoming, IncomingFile

log = logging.getLogger("deskhand.mail")

NOBODY = Address("nobody@deskhand.invalid", "Unknown sender")
"""Whose the mails are that name no sender; no mail ever goes there."""
MOST_COPIES = 100
_LONGEST_ADDRESS = 320
_LONGEST_SUBJECT = 998
_LONGEST_FILENAME = 200
_LONGEST_CHAIN = 500
_LOOKS = 3
_NO_SUBJECT = "(no subject)"
_CID = re.compile(r"""(\bsrc\s*=\s*["']?)cid:([^"'\s>]{1,998})""", re.IGNORECASE)

OWN = "it is one of our own mails that came back"
FROM_INBOX = "it was sent from an inbox of this account"
DELETED = "its conversation was deleted"
TWICE = "the conversation has it already: it came to another inbox too"
TOLD = "it reports that a mail did not arrive, and the team has been told of that"
FOREIGN_BOUNCE = "it reports that a mail did not arrive, and the mail was none of ours"
NO_INBOX = "its inbox is gone"


class Awaits(Exception):
    """A mail answers another one that came before it and is still to be read."""


class _ThreadMail(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    thread_id: int
    conversation_id: int
    direction: str = "in"
    message_id: str
    state: str = "received"
    error: str = ""
    at: str
    source_sha256: str
    automatic: int
    verdicts: str
    quoted: str | None


_ADD_MAIL = Insert(thread_mail, _ThreadMail)
_SET_BODY = command(
    sa.update(thread)
    .where(thread.c.account_id == P("for_account"), thread.c.id == P("id"))
    .values(body=P("body", sa.Text))
)
_READ_AT_LAST = command(
    sa.update(thread_mail)
    .where(
        thread_mail.c.account_id == P("for_account"),
        thread_mail.c.thread_id == P("thread_id"),
        thread_mail.c.direction == sa.literal_column("'in'"),
    )
    .values(error=sa.literal_column("''"))
)

Files = Sequence[tuple[IncomingFile, Blob]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail with its files stored. `marks` are its loop header's, if it has one; `error` why it could not be read."""

    incoming: Incoming
    files: Files
    marks: tuple[str, ...] = ()
    error: str = ""


def place(tx: Writer, received: Received, letter: Letter, now: str, base_url: str, *, wait: bool) -> Outcome:
    """Put a mail where it belongs; gives what to write down of it.

    With `wait` it raises Awaits where it answers a mail that is still to be read.
    """
    outcome = _Placing(tx, received, letter, now, base_url).place(wait=wait)
    if outcome.state == "skipped" and letter.files:
        stored = [blob.sha256 for _, blob in letter.files]
        stored_files.remove_unnamed(tx, received.account_id, stored, now)
    return outcome


class _Placing:
    """One mail while it is put where it belongs."""

    def __init__(self, tx: Writer, received: Received, letter: Letter, now: str, base_url: str) -> None:
        self.tx, self.received, self.letter, self.now, self.base_url = tx, received, letter, now, base_url
        self.incoming = letter.incoming
        self.account_id = received.account_id
        inboxes = received_queries.inboxes_of(tx, self.account_id)
        self.own = _folded(tuple(one.email for one in inboxes))
        self.message_id = matching.known_form(self.incoming.message_id)
        self.sender = folded(storable(self.incoming.sender.email))
        self.actor: Actor = on_behalf_of(self.account_id, 0)

    def place(self, *, wait: bool) -> Outcome:
        if self.letter.error and self.received.conversation_id is not None and self.received.thread_id is not None:
            return self._taken(self.received.conversation_id, self.received.thread_id)  # tried again in vain
        recipients = msgspec.json.decode(self.received.recipients, type=list[str])
        clues = matching.clues(self.incoming, recipients, self.own)
        if self.incoming.bounce is not None:
            return self._bounced(self.incoming.bounce, clues)
        if (own := self._own()) is not None:
            return own
        if self.sender in self.own and self._answer_to() is None:
            return self._skipped(FROM_INBOX)
        if tombstones.is_buried(self.tx, self.account_id, self.received.fingerprint, self.message_id):
            return self._deleted()
        head, full = self._conversation(clues)
        if head is None and full is None and wait and self._awaits(clues):
            raise Awaits
        if head is None:
            return self._start(full)
        there = received_queries.there_already(self.tx, self.received, head.id, self.message_id)
        return self._append(head) if there is None else self._skipped(TWICE, head.id, there)

    # -- What is skipped, and what reports of mail that did not arrive

    def _own(self) -> Outcome | None:
        """What to write down of a mail of ours that came back: it belongs to its conversation, and goes with it."""
        known = matching_queries.by_message_id(self.tx, self.account_id, [self.message_id])
        sent = next((one for one in known if one.direction == "out"), None)
        if sent is not None:
            return self._skipped(OWN, sent.conversation_id, sent.thread_id)
        marks = frozenset(map(loop_mark, self.own)) if self.letter.marks else frozenset[str]()
        return None if marks.isdisjoint(self.letter.marks) else self._skipped(OWN)

    def _bounced(self, bounce: Bounce, clues: Clues) -> Outcome:
        mail = bouncing.reply_of(self.tx, self.account_id, bounce, clues)
        noted = None if mail is None else bouncing.note(self.tx, self.actor, mail, bounce, self.now)
        if noted is None:
            return self._skipped(FOREIGN_BOUNCE)
        where = noted.conversation_id, noted.thread_id
        return self._skipped(TOLD, *where) if noted.already else self._taken(*where)

    def _deleted(self) -> Outcome:
        """Of what was deleted nothing is kept, however often it comes."""
        received_queries.forget(self.tx, self.account_id, self.received.id)
        stored_files.remove_unnamed(self.tx, self.account_id, [self.received.sha256], self.now)
        return Outcome(state="skipped", reason=DELETED)

    def _skipped(self, reason: str, conversation_id: int | None = None, thread_id: int | None = None) -> Outcome:
        return Outcome(
            state="skipped", reason=reason, conversation_id=conversation_id, thread_id=thread_id,
            domain=self._domain(), automatic=int(bool(self.incoming.automatic)),
        )  # fmt: skip

    def _taken(self, conversation_id: int, thread_id: int) -> Outcome:
        return Outcome(
            state="failed" if self.letter.error else "taken",
            reason=self.letter.error,
            conversation_id=conversation_id,
            thread_id=thread_id,
            domain=self._domain(),
            automatic=int(bool(self.incoming.automatic)),
        )

    def _domain(self) -> str:
        """Whose mail it counts as; nobody's where the receiving server calls it forged."""
        if self.incoming.verdicts.get("dmarc") == "fail":
            return ""
        return self.sender.rpartition("@")[2][:255]

    # -- Which conversation

    def _conversation(self, clues: Clues) -> tuple[Head | None, Head | None]:
        """The conversation that a mail joins; or none, and the one that would be it if it still took mails."""
        for candidate in self._candidates(clues):
            head = self._living(candidate.conversation_id)
            # A draft is nobody's yet but its author's: what would join it nobody would see.
            if head is None or head.state == "draft" or not self._may_answer(candidate, head):
                continue
            return self._open(head)
        if self.received.conversation_id is not None:  # it could not be read at first, and has one of its own
            return self._head(self.received.conversation_id), None
        return None, None

    def _candidates(self, clues: Clues) -> list[matching.Candidate]:
        tx, account_id = self.tx, self.account_id
        return matching.candidates(
            clues,
            matching_queries.by_token(tx, account_id, clues.tokens),
            matching_queries.by_message_id(tx, account_id, clues.message_ids),
            matching_queries.by_number(tx, account_id, clues.numbers),
            self.received.inbox_id,
        )

    def _may_answer(self, candidate: matching.Candidate, head: Head) -> bool:
        if candidate.trust == "anybody":
            return True
        people = matching_queries.people(self.tx, head)
        return matching.may_answer(candidate, self.sender, people, self.incoming.verdicts)

    def _living(self, id: int) -> Head | None:
        """The conversation itself or the one it was merged into, also where that happens just now."""
        for _ in range(_LOOKS):
            living = matching_queries.survivor(self.tx, self.account_id, id)
            if living is None or (head := self._head(living)) is not None:
                return None if living is None else head
        return None

    def _head(self, id: int) -> Head | None:
        try:
            return queries.head(self.tx, self.actor, id, lock=True)
        except NotFound:
            return None

    def _open(self, head: Head) -> tuple[Head | None, Head | None]:
        """The conversation itself, or the one that continues it; where all are closed for good, the last of them."""
        days = matching_queries.lock_after_days(self.tx, self.account_id)
        seen: set[int] = set()
        while head.id not in seen and len(seen) < _LONGEST_CHAIN:
            seen.add(head.id)
            locked = bool(days) and from_wire(head.created_at) < from_wire(self.now) - timedelta(days=days)
            if head.capped_threads < MOST and not locked:
                return head, None
            next_id = matching_queries.goes_on_in(self.tx, self.account_id, head.id)
            following = self._living(next_id) if next_id else None
            if following is None:
                break
            head = following
        return None, head

    def _awaits(self, clues: Clues) -> bool:
        ids = list(clues.message_ids)
        return bool(ids) and received_queries.any_awaited(self.tx, self.account_id, self.received.id, ids)

    # -- Writing it down

    def _append(self, head: Head) -> Outcome:
        # How much automatic mail comes from a domain says nothing of the people there, and anybody can forge it.
        many = loops.into(self.tx, self.account_id, head.id, self.now) > loops.MOST_INTO_ONE
        quiet = self.incoming.by_program or many
        # Spam stays spam: its sender does not decide that it is none.
        status = head.status if quiet or head.status == "spam" else "active"
        customer, _ = self._customer()
        row = self._row(customer, head.assignee_id, "nochange" if status == head.status else status)
        thread_id = self._add(head.id, row)
        after = customer_wrote(
            self.tx, self.actor, head, row, thread_id, self.letter.files, self.now,
            status=status, waits=not quiet, **self._particulars(),
        )  # fmt: skip
        self._watch(after)
        return self._taken(head.id, thread_id)

    def _start(self, full: Head | None) -> Outcome:
        inbox = inboxes.by_id(self.tx, self.account_id, self.received.inbox_id)
        if inbox is None:
            return self._skipped(NO_INBOX)
        customer, email = self._customer()
        row = self._row(customer, None, "active")
        subject = storable(self.incoming.subject).strip()[:_LONGEST_SUBJECT] or _NO_SUBJECT
        head = start_by_mail(self.tx, inbox, customer, email, subject, row, self.now)
        if full is not None:
            why = "takes no more" if full.capped_threads >= MOST else "is locked because of its age"
            bouncing.say(self.tx, head, f"Continues #{full.number}, which {why}", self.now, full.id)
            bouncing.say(self.tx, full, f"Goes on in #{head.number}", self.now, head.id)
        thread_id = self._add(head.id, row)
        tell(
            self.tx, self.actor, head, events.CONVERSATION_CREATED, self.now,
            thread_id=thread_id, by_customer=customer.id, **self._particulars(),
        )  # fmt: skip
        return self._taken(head.id, thread_id)

    def _particulars(self) -> dict[str, bool]:
        return {"automatic": True} if self.incoming.automatic else {}

    def _row(self, customer: CustomerRow, assignee_id: int | None, status: str) -> ThreadRow:
        return ThreadRow(
            account_id=self.account_id,
            conversation_id=0,
            type="customer",
            status=status,
            body=_body(self.incoming),
            source_type="email",
            source_via="customer",
            customer_id=customer.id,
            created_by_type="customer",
            created_by_id=customer.id,
            assigned_to=assignee_id,
            recipients=listed(_addresses(one.email for one in self.incoming.to)),
            cc=listed(self._copies()),
            created_at=self.received.received_at,
            attachments=len(self.letter.files),
        )

    def _add(self, conversation_id: int, row: ThreadRow) -> int:
        row = msgspec.structs.replace(row, conversation_id=conversation_id)
        thread_id = add_thread(self.tx, row)
        urls: dict[str, str] = {}
        for file, blob in self.letter.files:
            content_id = storable(file.content_id)[:_LONGEST_SUBJECT]
            given = _attachment(file)
            id = add_file(self.tx, self.account_id, conversation_id, thread_id, given, blob, content_id or None)
            if content_id:
                urls[content_id] = f"{self.base_url}/v2/conversations/{conversation_id}/attachments/{id}/data"
        body = in_place(row.body or "", urls)
        if body != row.body:
            self.tx.run(_SET_BODY, for_account=self.account_id, id=thread_id, body=body)
        mail = _ThreadMail(
            account_id=self.account_id,
            thread_id=thread_id,
            conversation_id=conversation_id,
            message_id=self.message_id,
            error=self.letter.error,
            at=self.now,
            source_sha256=self.received.sha256,
            automatic=BY_PROGRAM if self.incoming.by_program else 2 if self.incoming.automatic else 0,
            verdicts=msgspec.json.encode(_texts(self.incoming.verdicts)).decode(),
            quoted=storable(self.incoming.quoted) or None,
        )
        self.tx.add_many(_ADD_MAIL, [mail])
        if self.received.thread_id is not None:  # it could not be read at first
            self.tx.run(_READ_AT_LAST, for_account=self.account_id, thread_id=self.received.thread_id)
        return thread_id

    def _watch(self, head: Head) -> None:
        """Tell the team and the log once when a breaker trips."""
        if loops.into(self.tx, self.account_id, head.id, self.now) == loops.MOST_INTO_ONE + 1:
            minutes = int(loops.WINDOW.total_seconds() / 60)
            text = f"More than {loops.MOST_INTO_ONE} mails came within {minutes} minutes: nothing is answered by itself"
            bouncing.say(self.tx, head, text, self.now)
            log.warning("conversation %d: %s", head.id, text)

    # -- Who wrote it

    def _answer_to(self) -> Address | None:
        """Where an answer is asked for, if that is no inbox of the account."""
        for one in self.incoming.reply_to:
            if _is_address(one.email) and self._without_token(one.email) not in self.own:
                return one
        return None

    def _without_token(self, address: str) -> str:
        address = folded(storable(address))
        local, _, domain = address.rpartition("@")
        before = f"{local.rpartition('+')[0]}@{domain}"
        return before if before in self.own else address

    def _customer(self) -> tuple[CustomerRow, str]:
        """The customer who wrote, made if there is none yet, and the address that they used."""
        sender = self.incoming.sender
        # A list may ask for answers to itself; one that puts us in the sender's place names the sender there.
        is_list = self.incoming.by_list and self.sender not in self.own
        who = sender if is_list else self._answer_to() or sender
        if not _is_address(who.email):
            who = NOBODY
        # A person who names another address for answers is still the same person.
        first, last = names(who.name or (sender.name if sender.email else ""))
        given = CustomerReference(email=Email(storable(who.email)), first_name=first, last_name=last)
        found = customers.find_or_create(self.tx, self.account_id, given, self.actor, self.now, keep=True)
        return found, str(given.email)

    def _copies(self) -> list[str]:
        """Who else was addressed: an answer is to go to them as well."""
        others = _addresses(one.email for one in (*self.incoming.to, *self.incoming.cc))
        answer_to = self._answer_to()
        writer = {self.sender, folded(answer_to.email) if answer_to else ""}
        kept = [one for one in others if self._without_token(one) not in self.own and folded(one) not in writer]
        return kept[:MOST_COPIES]


@lru_cache(maxsize=16)
def _folded(addresses: tuple[str, ...]) -> frozenset[str]:
    """Addresses as they are compared; those of an account's inboxes are asked for with each mail."""
    return frozenset(map(folded, addresses))


def in_place(body: str, urls: Mapping[str, str]) -> str:
    """A body whose pictures are shown from where the API has them."""
    if not urls:
        return body

    def shown(found: re.Match[str]) -> str:
        named = unescape(found[2])
        url = urls.get(named) or urls.get(unquote(named))
        return found[0] if url is None else found[1] + escape(url)

    return _CID.sub(shown, body)


def names(name: str) -> tuple[str | None, str | None]:
    """A name as first and last name: `Paul van Dyk`, or `Dyk, Paul van`."""
    name = " ".join(storable(name).split())
    last, comma, first = name.partition(", ")
    if not comma or "," in first:
        first, _, last = name.partition(" ")
    return first.strip()[:NAME_MOST] or None, last.strip()[:NAME_MOST] or None


def _body(incoming: Incoming) -> str:
    """What was written; where that is nothing, what was quoted: an answer may stand within."""
    html = storable(incoming.html)
    return html if plain(html) or "<img" in html or incoming.files else storable(incoming.quoted) or html


def _attachment(file: IncomingFile) -> NewAttachment:
    name = " ".join(storable(file.name).split())[:_LONGEST_FILENAME]
    kind = storable(file.mime_type).strip()[:_LONGEST_FILENAME]
    return NewAttachment(file_name=name or "attachment", mime_type=kind or "application/octet-stream", data=file.data)


def _addresses(given: Iterable[str]) -> list[str]:
    """Addresses as they are stored, each once."""
    first: dict[str, str] = {}
    for one in map(storable, given):
        if _is_address(one):
            first.setdefault(folded(one), one.strip())
    return list(first.values())[: MOST_COPIES * 2]


def _is_address(text: str) -> bool:
    local, _, domain = text.strip().rpartition("@")
    return bool(local and domain) and len(text) <= _LONGEST_ADDRESS and not any(map(str.isspace, text.strip()))


def _texts(given: Mapping[str, str]) -> dict[str, str]:
    return {storable(name)[:20]: storable(text)[:100] for name, text in given.items()}
