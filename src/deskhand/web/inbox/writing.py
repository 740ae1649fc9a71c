"""Sending what was written in a conversation: replies, now or later, and notes; taking a reply back."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest, FieldError, Problem
from deskhand.catalogue.threads import NewNote, ScheduleThread
from deskhand.catalogue.values import WireTime
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import queries, replying
from deskhand.desk.conversations.drafts import arrived, mentions, notes, once, own, sending
from deskhand.desk.conversations.drafts.arrived import Arrived
from deskhand.desk.conversations.mail import undoing
from deskhand.desk.conversations.timing import scheduling
from deskhand.desk.users.preferences import prefer
from deskhand.lib.clock import from_wire
from deskhand.lib.text import plain
from deskhand.mail.variables import marked, unfilled
from deskhand.web import words
from deskhand.web.inbox import given, stopping
from deskhand.web.inbox.moments import given_moment
from deskhand.web.inbox.onward import here, onward, origin
from deskhand.web.inbox.picking import variables
from deskhand.web.pages import Asked, Pages
from deskhand.web.said import Undo

PAGES = Pages()


class _Arrived(Exception):
    """Nothing was sent, because something is there that the writer has not seen."""

    def __init__(self, found: list[Arrived]) -> None:
        self.found = found


class _Sent(msgspec.Struct, frozen=True):
    """What became of a form: which thread it made, for how long it can be undone; `led_to` when it was sent before."""

    thread_id: int = 0
    seconds: int = 0
    led_to: str | None = None
    named: tuple[str, ...] = ()


@PAGES.post("/conversation/{id}/reply")
async def reply(asked: Asked) -> Response:
    """Send a reply, now or later, unless something has arrived that its writer has not seen."""
    id, now = asked.id(), asked.now
    try:
        wanted = await given.reply(asked, id)
        files = await given.files(asked)
        later = _later(asked)
        wanted = await _filled(asked, id, wanted)
        path = onward(asked, id)

        def work(tx: Writer) -> _Sent:
            if (before := _before(tx, asked)) is not None:
                return before
            seen, seen_at = given.seen(asked)
            if found := arrived.arrived(tx, asked.account_id, id, asked.visitor.id, seen, seen_at):
                raise _Arrived(found)
            if other := given.elsewhere(tx, asked, id, wanted):
                raise stopping.Elsewhere(other.body or "", other.form)
            thread_id = own.keep(tx, asked.actor, id, wanted, now, files)
            seconds = 0
            if later:
                plan = ScheduleThread(
                    scheduled_for=WireTime(later), unschedule_on_customer_reply=asked.form.has("until_answer")
                )
                scheduling.schedule(tx, asked.actor, id, thread_id, plan, now)
            else:
                seconds = given.undo_seconds(tx, asked, queries.head(tx, asked.actor, id).inbox_id)
                sending.send_draft(tx, asked.actor, id, thread_id, now, hold_s=seconds)
            _remember_status(tx, asked, wanted.status)
            once.led_to(tx, asked.account_id, asked.visitor.id, asked.form.text("token"), path)
            return _Sent(thread_id, seconds)

        sent = await asked.write(work)
    except _Arrived as stop:
        return await stopping.stopped(asked, id, "reply", stop.found)
    except stopping.Elsewhere as other:
        return await stopping.undecided(asked, id, "reply", other)
    except Problem as problem:
        return await stopping.refused(asked, id, "reply", problem)
    if sent.led_to is not None:
        return asked.go(sent.led_to or here(asked, id), "Sent.")
    if later:
        local = words.full_time(asked.visitor.local(from_wire(later)))
        undo = Undo(f"/conversation/{id}/draft/{sent.thread_id}/take", origin(asked), "Edit it")
        return asked.go(path, f"It goes out on {local}.", undo=undo)
    return asked.go(path, "Sent.", undo=given.undo_of(id, sent.thread_id, sent.seconds, **origin(asked)))


@PAGES.post("/conversation/{id}/note")
async def note(asked: Asked) -> Response:
    """Add a note; whoever is named in it is told of it."""
    id, now = asked.id(), asked.now
    path = here(asked, id)
    try:
        text = await given.text(asked)
        files = await given.files(asked)
        if not text and not files:
            raise BadRequest(FieldError("", "There is nothing in the note yet", "NotEmpty"))
        new = NewNote(text=text, status=given.status(asked.form.text("send")))  # type: ignore[arg-type]

        def work(tx: Writer) -> _Sent:
            if (before := _before(tx, asked)) is not None:
                return before
            if other := given.note_elsewhere(tx, asked, id, text):
                raise stopping.Elsewhere(other.body, other.form)
            thread_id = replying.add_note(tx, asked.actor, id, new, files, now)
            known = mentions.colleagues(tx, asked.account_id, queries.head(tx, asked.actor, id).inbox_id)
            named = mentions.named(plain(text), known)
            mentions.keep(tx, asked.account_id, id, thread_id, named, now)
            notes.discard(tx, asked.actor, id)
            once.led_to(tx, asked.account_id, asked.visitor.id, asked.form.text("token"), path)
            others = tuple(one.name for one in known if one.id in named and one.id != asked.visitor.id)
            return _Sent(thread_id, named=others)

        added = await asked.write(work)
    except stopping.Elsewhere as other:
        return await stopping.undecided(asked, id, "note", other)
    except Problem as problem:
        return await stopping.refused(asked, id, "note", problem)
    told = f" {words.joined(added.named)} will hear of it by mail." if added.named else ""
    return asked.go(path, f"Note added.{told}")


@PAGES.post("/conversation/{id}/undo")
async def undo(asked: Asked) -> Response:
    """Take back a reply that has not left yet: it is in the editor again."""
    id, thread_id, now = asked.id(), asked.form.id("thread") or 0, asked.now
    await asked.write(lambda tx: undoing.undo(tx, asked.actor, id, thread_id, now))
    return asked.go(here(asked, id, write="reply"), "Taken back. Nothing was sent.")


def _before(tx: Writer, asked: Asked) -> _Sent | None:
    """What the same form led to when it was sent before; None the first time."""
    token = asked.form.text("token")
    if not token:
        return None
    found = once.sent_before(tx, asked.account_id, asked.visitor.id, token, asked.now)
    return None if found is None else _Sent(led_to=found)


def _later(asked: Asked) -> str:
    """When it is to go out by itself; empty: now."""
    wanted = asked.form.text("later")
    if wanted == "own":
        return given_moment(asked.form.text("at"), asked.visitor.zone)
    return given_moment(wanted, asked.visitor.zone) if wanted else ""


async def _filled(asked: Asked, id: int, wanted: own.Wanted) -> own.Wanted:
    """The reply with its variables filled in; raises BadRequest for an empty one, and where one can't be filled."""
    draft = await asked.read(lambda db: own.draft_of(db, asked.account_id, id, asked.visitor.id))
    if not wanted.text and not asked.form.files("files") and not (draft and draft.attachments):
        raise BadRequest(FieldError("", "There is nothing in the reply yet", "NotEmpty"))
    if "{%" not in wanted.text:
        return wanted

    def read(db: Reader) -> dict[str, str]:
        head = queries.head(db, asked.actor, id)
        return variables(db, asked, head, head.inbox_id)

    text = marked(wanted.text, await asked.read(read)).replace("<mark>", "").replace("</mark>", "")
    if missing := unfilled(text):
        raise BadRequest(FieldError("", f"{words.joined(missing)} can't be filled in: write it yourself", "NotEmpty"))
    return msgspec.structs.replace(wanted, text=text)


def _remember_status(tx: Writer, asked: Asked, status: str | None) -> None:
    """What was sent last is offered first the next time."""
    known = asked.visitor.preferences
    if status and status != known.send_status:
        prefer(tx, asked.account_id, asked.visitor.id, msgspec.structs.replace(known, send_status=status))
