"""Forms of new conversations and forwards that were not sent: kept while they are filled in, and taken back."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from starlette.responses import FileResponse, Response

from deskhand.catalogue.attachments import LARGEST
from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, PreconditionFailed, TooLarge
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.drafts import departing, once, room
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.unsent import Typed
from deskhand.lib.clock import from_wire
from deskhand.web import words
from deskhand.web.inbox import cleaning, given
from deskhand.web.inbox.bodies import one_line
from deskhand.web.inbox.drafts import Kept, Other, Uploaded
from deskhand.web.inbox.files import HEADERS, PICTURES
from deskhand.web.inbox.kept import forwarded_by, key_of, shown
from deskhand.web.inbox.onward import here
from deskhand.web.inbox.picking import answered
from deskhand.web.pages import Asked, Pages
from deskhand.web.said import Undo

PAGES = Pages()
_FIELDS = {
    "new": ("kind", "inbox", "name", "cc", "bcc", "tags", "owner", "status", "back"),
    "forward": ("with_files",),
}
_TYPED = ("name", "cc", "bcc", "tags")
"""Those of them that are empty as long as nobody types."""
_FIELD_LONGEST = 20_000


async def typed(asked: Asked, key: str) -> Typed:
    """A form as it was sent; raises NotFound for a forward of what the visitor does not see, and TooLarge."""
    form, of = asked.form, forwarded_by(key)
    kind: forms.Kind = "new" if of is None else "forward"
    recipients, subject = form.text("to" if of is None else "forward_to"), form.text("subject")
    fields = {name: found for name in _FIELDS[kind] if (found := form.text(name))}
    if wanted := given.status(form.text("send")):
        fields["status"] = wanted
    if max(map(len, (recipients, subject, *fields.values()))) > _FIELD_LONGEST:
        raise TooLarge(FieldError("", f"a field has more than {_FIELD_LONGEST:,} characters", "Size"))

    def read(db: Reader) -> dict[int, str]:
        if of is not None:
            queries.head(db, asked.actor, of)
        files = forms.files_of(db, asked.account_id, forms.of(db, asked.actor, key))
        return {one.id: one.content_id for one in files if one.content_id}

    body = await given.text(asked, await asked.read(read), cleaning.OF_FORMS)
    return Typed(
        key=key, kind=kind, conversation_id=of, recipients=recipients, subject=subject, body=body,
        fields=fields, form=given.token(asked),
    )  # fmt: skip


@PAGES.post("/new/draft")
async def keep(asked: Asked) -> Response:
    """Keep a form as it stands; one that was sent meanwhile is not kept again, and an empty one not at all."""
    key, now = key_of(asked.form.text("unsent")), asked.now
    stands = await typed(asked, key)
    files = [] if given.by_script(asked) else await given.files(asked)
    blank = not (stands.recipients or stands.subject or stands.body or files)
    blank = blank and not any(stands.fields.get(name) for name in _TYPED)

    def work(tx: Writer) -> Kept:
        if stands.form and once.is_sent(tx, asked.account_id, asked.visitor.id, stands.form):
            return Kept("", sent=True)
        if other := forms.written_elsewhere(tx, asked.actor, stands, asked.form.text("known_form")):
            return Kept("", other=Other(other.form, shown(tx, asked.account_id, other)[0]))
        known = forms.of(tx, asked.actor, key)
        if blank and not forms.files_of(tx, asked.account_id, known):
            forms.discard(tx, asked.actor, key, now)
        else:
            forms.keep(tx, asked.actor, stands, now, files)
        return Kept(f"{asked.visitor.local(from_wire(now)):%H:%M}")

    kept = await asked.write(work)
    if given.by_script(asked):
        return answered(kept)
    if kept.other is not None:
        raise BadRequest(FieldError("", "Another window of yours has another text in this form: go on there", "Other"))
    return asked.go(_page_of(asked, key), "Saved. It is here when you come back.")


@PAGES.post("/new/discard")
async def discard(asked: Asked) -> Response:
    """Throw a form away."""
    key, now, token = key_of(asked.form.text("unsent")), asked.now, given.token(asked)

    def work(tx: Writer) -> None:
        if token:  # what is being kept at this moment comes too late
            once.sent_before(tx, asked.account_id, asked.visitor.id, token, now)
        forms.discard(tx, asked.actor, key, now)

    await asked.write(work)
    of = forwarded_by(key)
    back = asked.form.text("back")
    return asked.go(back or "/new" if of is None or back == "/unsent" else here(asked, of), "Discarded.")


@PAGES.post("/new/undo")
async def undo(asked: Asked) -> Response:
    """Take back what has not left yet: its form is there again, as it was."""
    key, now = key_of(asked.form.text("unsent")), asked.now
    back = await asked.write(lambda tx: departing.take_back(tx, asked.actor, key, now))
    return asked.go(page_of(asked, back.key, back.conversation_id), "Taken back. Nothing was sent.")


def undo_of(key: str, seconds: int) -> Undo | None:
    """What takes a form back, for as long as that can be."""
    return Undo("/new/undo", {"unsent": key}, seconds=seconds) if seconds else None


def _page_of(asked: Asked, key: str) -> str:
    return page_of(asked, key, forwarded_by(key))


def page_of(asked: Asked, key: str, of: int | None) -> str:
    """The page on which a form is gone on with; `of`: the conversation that it forwards."""
    return f"/new?unsent={key}" if of is None else f"{here(asked, of, write='forward')}#writing"


@PAGES.post("/new/files")
async def upload(asked: Asked) -> Response:
    """Add a file to a form; with `shown` as a picture in its text, if it is one."""
    key, now = key_of(asked.form.text("unsent")), asked.now
    size = sum(one.size or 0 for one in asked.form.files("file"))
    await asked.read(lambda db: room.require_for_file(db, asked.actor, size))  # before they are stored
    files = await given.files(asked, "file")
    if len(files) != 1:
        raise BadRequest(FieldError("", f"Choose a file of at most {LARGEST // 1024 // 1024} MB", "NotEmpty"))
    ((new, blob),) = files
    picture = asked.form.has("shown") and new.mime_type in PICTURES
    content_id = f"{secrets.token_hex(12)}@deskhand" if picture else ""
    stands = await typed(asked, key)

    def work(tx: Writer) -> int:
        if stands.form and once.is_sent(tx, asked.account_id, asked.visitor.id, stands.form):
            text = "this has been sent or discarded already, without the file"
            raise PreconditionFailed(FieldError("", text, "precondition-failed"))
        return forms.attach(tx, asked.actor, stands, new, blob, now, content_id=content_id)

    made = await asked.write(work)
    url = f"{cleaning.OF_FORMS}{made}"
    return answered(Uploaded(made, new.file_name or "", words.size(blob.size), picture, url), 201)


@PAGES.post("/new/files/remove")
async def remove(asked: Asked) -> Response:
    """Take a file away from a form; without script what was typed is kept with that."""
    key, gone, now = key_of(asked.form.text("unsent")), asked.form.ids("file"), asked.now
    stands = None if given.by_script(asked) else await typed(asked, key)
    files = [] if stands is None else await given.files(asked)

    def work(tx: Writer) -> None:
        if stands is not None:
            forms.keep(tx, asked.actor, stands, now, files)
        forms.detach(tx, asked.actor, key, gone, now)

    await asked.write(work)
    return answered({}) if stands is None else asked.go(_page_of(asked, key))


@PAGES.get("/new/files/{id}")
async def file(asked: Asked) -> Response:
    """A file of a form of the visitor's."""
    id = asked.id()
    found = await asked.read(lambda db: forms.one_file(db, asked.actor, id))
    path = asked.web.blobs.path(found.sha256) if found else None
    if found is None or path is None or not path.is_file():
        raise NotFound
    opens = found.mime_type in PICTURES
    name = quote(one_line(found.filename) or "file", safe="")
    placed = f"{'inline' if opens else 'attachment'}; filename*=UTF-8''{name}"
    media = found.mime_type if opens else "application/octet-stream"
    return FileResponse(path, media_type=media, headers={**HEADERS, "Content-Disposition": placed})
