"""Keeping what is being written: every few seconds, with its files; going on with somebody else's draft; discarding."""

from __future__ import annotations

import secrets

import msgspec
from starlette.responses import Response

from deskhand.catalogue.attachments import LARGEST
from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.db.engine import Writer
from deskhand.desk.conversations import presence, queries
from deskhand.desk.conversations.drafts import notes, once, own, sending
from deskhand.gateway import drafts as agents_drafts
from deskhand.lib.clock import from_wire
from deskhand.web import words
from deskhand.web.inbox import cleaning, given, stopping
from deskhand.web.inbox.files import PICTURES
from deskhand.web.inbox.onward import here, onward, origin
from deskhand.web.inbox.picking import answered
from deskhand.web.pages import Asked, Pages

PAGES = Pages()


class Other(msgspec.Struct, frozen=True):
    """The text that somebody wrote in another window of theirs, and the form that kept it."""

    form: str
    html: str


class Kept(msgspec.Struct, frozen=True):
    """A draft was kept, at this time of day; or it was not, for it was `sent` already or there is `other` text."""

    at: str
    sent: bool = False
    other: Other | None = None


class Uploaded(msgspec.Struct, frozen=True):
    """A file of a draft; `picture`: the text can show it, by its address."""

    id: int
    name: str
    size: str
    picture: bool
    url: str


@PAGES.post("/conversation/{id}/draft")
async def keep(asked: Asked) -> Response:
    """Keep the reply or the note (`kind`) that is being written; one that was sent meanwhile is not kept again."""
    id, now = asked.id(), asked.now
    token, note = asked.form.text("token"), asked.form.text("kind") == "note"
    text = await given.text(asked) if note else ""
    wanted = None if note else await given.reply(asked, id)
    files = [] if note or given.by_script(asked) else await given.files(asked)

    def work(tx: Writer) -> Kept:
        if token and once.is_sent(tx, asked.account_id, asked.visitor.id, token):
            return Kept("", sent=True)
        if wanted is None:
            if noted := given.note_elsewhere(tx, asked, id, text):
                return Kept("", other=Other(noted.form, cleaning.editable(noted.body)))
            notes.keep(tx, asked.actor, id, text, now, given.token(asked))
        elif other := given.elsewhere(tx, asked, id, wanted):
            shown = own.files_of(tx, asked.account_id, other)
            pictures = {one.content_id: one.id for one in shown if one.content_id}
            return Kept("", other=Other(other.form, cleaning.editable(other.body or "", pictures)))
        elif wanted.text or files or own.draft_of(tx, asked.account_id, id, asked.visitor.id):
            own.keep(tx, asked.actor, id, wanted, now, files)
        presence.be(tx, asked.account_id, id, asked.visitor.id, "writing", from_wire(now))
        return Kept(f"{asked.visitor.local(from_wire(now)):%H:%M}")

    kept = await asked.write(work)
    if given.by_script(asked):
        return answered(kept)
    if kept.other is not None:
        other = stopping.Elsewhere(kept.other.html, kept.other.form)
        return await stopping.undecided(asked, id, "note" if note else "reply", other)
    return asked.go(here(asked, id, write="note" if note else "reply"), "Saved. It is here when you come back.")


@PAGES.post("/conversation/{id}/discard")
async def discard(asked: Asked) -> Response:
    """Throw away the reply or the note (`kind`) that is being written."""
    id, now, note = asked.id(), asked.now, asked.form.text("kind") == "note"

    def work(tx: Writer) -> None:
        if token := asked.form.text("token"):  # what is being kept at this moment comes too late
            once.sent_before(tx, asked.account_id, asked.visitor.id, token, now)
        if note:
            notes.discard(tx, asked.actor, id)
        else:
            _drop(tx, asked, id, None)

    await asked.write(work)
    return asked.go(here(asked, id), "Discarded.")


@PAGES.post("/conversation/{id}/draft/{thread}/take")
async def take(asked: Asked) -> Response:
    """Go on with a draft of somebody else, or with one that was to go out by itself."""
    id, thread_id, now = asked.id(), asked.id("thread"), asked.now
    await asked.write(lambda tx: own.take_over(tx, asked.actor, id, thread_id, now))
    return asked.go(f"{here(asked, id, write='reply')}#writing", "It is yours now: nobody else sends it.")


@PAGES.post("/conversation/{id}/draft/{thread}/send")
async def send(asked: Asked) -> Response:
    """Send a draft as it stands, whoever wrote it."""
    id, thread_id, now = asked.id(), asked.id("thread"), asked.now

    def work(tx: Writer) -> int:
        seconds = given.undo_seconds(tx, asked, queries.head(tx, asked.actor, id).inbox_id)
        sending.send_draft(tx, asked.actor, id, thread_id, now, hold_s=seconds)
        return seconds

    path = onward(asked, id)
    return asked.go(path, "Sent.", undo=given.undo_of(id, thread_id, await asked.write(work), **origin(asked)))


@PAGES.post("/conversation/{id}/draft/{thread}/discard")
async def discard_one(asked: Asked) -> Response:
    """Throw away a draft, whoever wrote it."""
    id, thread_id = asked.id(), asked.id("thread")
    await asked.write(lambda tx: _drop(tx, asked, id, thread_id))
    return asked.go(here(asked, id), "Draft discarded.")


def _drop(tx: Writer, asked: Asked, id: int, thread_id: int | None) -> None:
    """Discard a draft; if an agent wrote it, that is noted of the agent."""
    gone = own.discard(tx, asked.actor, id, asked.now, thread_id)
    draft = agents_drafts.of_thread(tx, asked.account_id, gone) if gone else None
    if draft is not None:
        agents_drafts.dropped(tx, asked.account_id, draft, from_wire(asked.now))


@PAGES.post("/conversation/{id}/files")
async def upload(asked: Asked) -> Response:
    """Add a file to the reply that is being written; with `shown` as a picture in its text, if it is one."""
    id, now = asked.id(), asked.now
    files = await given.files(asked, "file")
    if len(files) != 1:
        raise BadRequest(FieldError("", f"Choose a file of at most {LARGEST // 1024 // 1024} MB", "NotEmpty"))
    ((new, blob),) = files
    picture = asked.form.has("shown") and new.mime_type in PICTURES
    content_id = f"{secrets.token_hex(12)}@deskhand" if picture else ""
    _, made = await asked.write(lambda tx: own.attach(tx, asked.actor, id, new, blob, now, content_id=content_id))
    uploaded = Uploaded(made, new.file_name or "", words.size(blob.size), picture, f"/attachments/{made}")
    return answered(uploaded, 201)


@PAGES.post("/conversation/{id}/files/remove")
async def remove(asked: Asked) -> Response:
    """Take a file away from the reply that is being written."""
    id, gone, now = asked.id(), asked.form.ids("file"), asked.now
    await asked.write(lambda tx: own.detach(tx, asked.actor, id, gone, now))
    if given.by_script(asked):
        return answered({})
    return asked.go(f"{here(asked, id, write='reply')}#writing")
