"""Sending a new conversation or a forward: at once, or after some seconds in which it can be taken back.

Until then there is only its form, see unsent.py: no number, no customer, nothing to take away again. The job
`begin_conversation` begins it. It may be carried out twice: the form goes in the transaction that begins the
conversation and hands its mail over, so a second time finds none. What can't leave stays, see kept_back.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.attachments import NewAttachment
from deskhand.catalogue.conversations import NewConversation
from deskhand.catalogue.problems import AccessDenied, FieldError, NotFound, PreconditionFailed, Problem
from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.statements import P, columns, command, rows, value
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations import owners, queries, starting
from deskhand.desk.conversations.drafts import departed, kept_back
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.ready import BEGIN_CONVERSATION, Along, Departure, Ready, packed, unpacked
from deskhand.desk.conversations.drafts.unsent import Unsent, UnsentFile
from deskhand.desk.conversations.tables import attachment, unsent
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.conversations.writing import add_line_item, take
from deskhand.desk.inboxes import queries as inboxes
from deskhand.lib.blobs import Blob, BlobStore
from deskhand.lib.clock import Clock, from_wire, to_wire
from deskhand.outbox import events, jobs
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Failed, Then

_BROKEN = "something went wrong here"
log = logging.getLogger("deskhand.departing")

Loaded = Sequence[tuple[NewAttachment, Blob, str]]
"""Files with their content, each with the content id by which the text shows it, if it does."""

_ONE = (unsent.c.account_id == P("for_account"), unsent.c.id == P("id"))
_SET = command(sa.update(unsent).where(*_ONE).values(ready=P("ready"), fault=P("fault"), at=P("at")))
_BY_ID = sa.select(*columns(unsent, *Unsent.__struct_fields__)).where(*_ONE)
_KNOWN, _TAKE = rows(Unsent, _BY_ID), rows(Unsent, _BY_ID.with_for_update())
_FILES = (attachment.c.account_id == P("account_id"), attachment.c.conversation_id == P("conversation_id"))
_ATTACHED = value(int, sa.select(attachment.c.id).where(*_FILES).order_by(attachment.c.id))
_SHOWN_IN_TEXT = command(
    sa.update(attachment)
    .where(attachment.c.account_id == P("for_account"), attachment.c.id == P("id"))
    .values(content_id=P("content_id"))
)


def depart(tx: Writer, actor: Actor, unsent_id: int, ready: Ready, now: str, hold_s: int) -> None:
    """Have a kept form sent after `hold_s` seconds, unless it is taken back."""
    tx.run(_SET, for_account=actor.account_id, id=unsent_id, ready=packed(ready), fault="", at=now)
    jobs.add(
        tx, account_id=actor.account_id, kind=BEGIN_CONVERSATION, target=f"unsent:{unsent_id}",
        payload=Departure(unsent_id, actor.user_id), now=now, due=from_wire(now) + timedelta(seconds=hold_s),
    )  # fmt: skip


def take_back(tx: Writer, actor: Actor, key: str, now: str) -> Unsent:
    """Make a form one that was not sent, and give it; raises PreconditionFailed where it has left."""
    known = forms.of(tx, actor, key)
    if known is None or known.ready is None or not kept_back.withdraw(tx, actor.account_id, known):
        raise _left()
    return kept_back.stay(tx, actor.account_id, known, "", now)


def _left() -> PreconditionFailed:
    return PreconditionFailed(FieldError("", "its mail has left, or it was not sent", "precondition-failed"))


def loaded(blobs: BlobStore, files: Sequence[UnsentFile | Along]) -> Loaded:
    """Files with their content; one whose content is lost is left out."""
    found = []
    for one in files:
        with suppress(FileNotFoundError):
            data = blobs.path(one.sha256).read_bytes()
            new = NewAttachment(file_name=one.filename or "file", mime_type=one.mime_type, data=data)
            found.append((new, Blob(one.sha256, one.size), one.content_id or ""))
    return found


def begin(tx: Writer, actor: Actor, known: Unsent | None, ready: Ready, files: Loaded, now: str) -> int:
    """Begin the conversation, with which its form goes; gives its id. Raises as starting.start does."""
    (thread,) = ready.new.threads
    thread = msgspec.structs.replace(thread, text=ready.text, attachments=[new for new, _, _ in files] or None)
    new = msgspec.structs.replace(ready.new, threads=[thread])
    id = starting.start(tx, actor, new, [blob for _, blob, _ in files], now)
    if any(content_id for *_, content_id in files):
        ids = tx.all(_ATTACHED, account_id=actor.account_id, conversation_id=id)
        for made, (*_, content_id) in zip(ids, files, strict=True):
            tx.run(_SHOWN_IN_TEXT, for_account=actor.account_id, id=made, content_id=content_id or None)
    if ready.forwarded is not None:
        _tell_of_each_other(tx, actor, ready.forwarded, id, new, now)
    if known is not None:
        forms.drop(tx, actor, known, now)
    tx.changed(events.PAGES)
    return id


def _tell_of_each_other(tx: Writer, actor: Actor, forwarded: int, made: int, new: NewConversation, now: str) -> None:
    """A line in each conversation that leads to the other."""
    with suppress(NotFound):  # it was merged or deleted meanwhile
        head, other = take(tx, actor, forwarded, now), queries.head(tx, actor, made)
        who = owners.by_id(tx, actor.account_id, actor.user_id)
        name = who.name if who else "Someone"
        to = ", ".join(one for one in (new.customer.email, *(new.threads[0].cc or ())) if one)
        text = f"{name} forwarded this conversation to {to} as #{other.number}"
        add_line_item(tx, head, actor, now, text, forwardedConversation=other.id)
        back = f"{name} forwarded this from conversation #{head.number}"
        add_line_item(tx, other, actor, now, back, originalConversation=head.id)


def beginning(database: Database, clock: Clock, blobs: BlobStore) -> Carrier:
    """Carries out the jobs. Where one can't begin, or not after many tries, its form was not sent and says why."""

    async def carry(work: Work) -> Then | None:
        going = msgspec.json.decode(work.payload, type=Departure)
        actor, now = on_behalf_of(work.account_id, going.user_id), to_wire(clock.now())

        def look(db: Reader) -> tuple[Ready, list[UnsentFile]] | None:
            known = db.one(_KNOWN, for_account=work.account_id, id=going.unsent_id)
            if known is None or known.ready is None:
                return None
            ready = unpacked(known.ready)
            return ready, forms.files_of(db, work.account_id, known)

        found = await database.read(look)
        if found is None:
            return None
        ready, own = found
        files = await asyncio.to_thread(loaded, blobs, [*own, *ready.along])

        def leave(tx: Writer) -> None:
            known = _take(tx, work.account_id, going.unsent_id)
            if known is not None:
                _require_rights(tx, work.account_id, known, ready)
                id = begin(
                    tx, actor, known, msgspec.structs.replace(ready, forwarded=known.conversation_id), files, now
                )
                departed.became(tx, work.account_id, known.user_id, known.key, id)

        try:
            await database.write(leave)
        except Problem as problem:
            words = "; ".join(error.message for error in problem.errors) or problem.message
            return lambda tx: _keep_back(tx, work.account_id, going.unsent_id, words, now)
        return None

    async def carry_or_keep_back(work: Work) -> Then | None:
        try:
            return await carry(work)
        except Exception as problem:
            log.exception("the form of job %d could not be sent", work.id)
            raise Failed(f"{type(problem).__name__}: {problem}", then=partial(_given_up, work, clock)) from problem

    return carry_or_keep_back


def _given_up(work: Work, clock: Clock, tx: Writer, gave_up: bool) -> None:
    """What is not tried again must not lie where nobody sees it."""
    if gave_up:
        going = msgspec.json.decode(work.payload, type=Departure)
        _keep_back(tx, work.account_id, going.unsent_id, _BROKEN, to_wire(clock.now()))


def _keep_back(tx: Writer, account_id: int, unsent_id: int, words: str, now: str) -> None:
    known = _take(tx, account_id, unsent_id)
    if known is not None:
        kept_back.stay(tx, account_id, known, words, now)


def _take(tx: Writer, account_id: int, unsent_id: int) -> Unsent | None:
    """A form that is still to leave. The conversation comes first, as with those who delete or merge it."""
    known = tx.one(_KNOWN, for_account=account_id, id=unsent_id)
    if known is not None and known.conversation_id is not None:
        with suppress(NotFound):
            queries.head(tx, on_behalf_of(account_id, known.user_id), known.conversation_id, lock=True)
    known = tx.one(_TAKE, for_account=account_id, id=unsent_id)
    return known if known is not None and known.ready is not None else None


def _require_rights(db: Reader, account_id: int, one: Unsent, ready: Ready) -> None:
    """What its writer may do can have changed while it was held; raises AccessDenied that says so in words."""
    writer, inbox_id = access.actor(db, one.user_id), ready.new.mailbox_id
    if writer is None:
        raise _denied("whoever sent it is no active user any more")
    if writer.role == "light user":
        raise _denied("you are a light user now, and light users write to nobody")
    if inboxes.by_id(db, account_id, inbox_id) is None:
        raise _denied("its inbox was deleted")
    if not access.may_see(writer, inbox_id):
        raise _denied("you no longer see its inbox")
    if one.conversation_id is not None:
        try:
            queries.head(db, writer, one.conversation_id)
        except NotFound:
            raise _denied("the conversation that it forwards is not there any more") from None
        except AccessDenied:
            raise _denied("you no longer see the conversation that it forwards") from None


def _denied(words: str) -> AccessDenied:
    return AccessDenied(FieldError("", words, "access-denied"))
