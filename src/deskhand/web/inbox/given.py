"""What the forms for writing send, read and checked: texts, addresses, files, what sending sets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from email.utils import getaddresses

from msgspec import UNSET, UnsetType
from starlette.datastructures import UploadFile

from deskhand.catalogue.attachments import LARGEST, NewAttachment
from deskhand.catalogue.problems import BadRequest, FieldError, TooLarge, invalid
from deskhand.catalogue.values import Recipient, decode_hook
from deskhand.db.engine import Reader
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.drafts import holding, notes, own
from deskhand.desk.conversations.drafts.notes import OwnNote
from deskhand.desk.conversations.drafts.own import OwnDraft, Wanted
from deskhand.desk.conversations.writing import check_file
from deskhand.lib.blobs import Blob
from deskhand.web.inbox import cleaning
from deskhand.web.inbox.panel import STATUSES
from deskhand.web.pages import Asked
from deskhand.web.said import Undo

Files = list[tuple[NewAttachment, Blob]]
ADDRESSES_MOST = 50
_ADDRESSES_LONGEST = 20_000
_LONG = 8_000
_MIME_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,63}")


async def reply(asked: Asked, id: int) -> Wanted:
    """The reply that a form has; raises BadRequest for what is no address."""

    def read(db: Reader) -> dict[int, str]:
        queries.head(db, asked.actor, id)
        draft = own.draft_of(db, asked.account_id, id, asked.visitor.id)
        return {one.id: one.content_id for one in own.files_of(db, asked.account_id, draft) if one.content_id}

    pictures = await asked.read(read)
    form = asked.form
    return Wanted(
        text=await text(asked, pictures),
        to=form.text("to"),
        cc=addresses(form.text("cc"), "cc"),
        bcc=addresses(form.text("bcc"), "bcc"),
        status=status(form.text("send") or form.text("status")),
        owner=owner(form.text("owner")),
        saved_reply_id=form.id("saved_reply_id") or 0,
        form=token(asked),
    )


async def text(
    asked: Asked, pictures: Mapping[int, str] | None = None, place: str = cleaning.OF_CONVERSATIONS
) -> str:  # fmt: skip
    """The text that a form has, see cleaning.written. While a long one is read, others are answered."""
    html, lines = asked.form.raw("html"), asked.form.raw("text")
    if len(html) + len(lines) < _LONG:
        return cleaning.written(html, lines, pictures, place)
    return await asyncio.to_thread(cleaning.written, html, lines, pictures, place)


def status(text: str) -> str | None:
    """What a reply sets; None where nothing is said."""
    return text if text in STATUSES else None


def owner(text: str) -> int | None | UnsetType:
    """Who is to own the conversation; unset: whoever does."""
    if text == "nobody":
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else UNSET


def addresses(text: str, field: str) -> tuple[str, ...]:
    """Addresses with or without names, parted by commas, semicolons or lines; raises BadRequest."""
    found: dict[str, str] = {}
    if len(text) > _ADDRESSES_LONGEST:
        raise invalid(field, f"can have {ADDRESSES_MOST} addresses at most", "Size")
    for piece in re.split(r"[;\n]", text):
        for _, given in _parted(piece.strip(" ,"), field):
            found.setdefault(given.lower(), _address(given or piece, field))
    if len(found) > ADDRESSES_MOST:
        raise invalid(field, f"can have {ADDRESSES_MOST} addresses at most", "Size")
    return tuple(found.values())


def _parted(piece: str, field: str) -> list[tuple[str, str]]:
    try:
        return getaddresses([piece]) if piece else []
    except RecursionError:  # of comments within comments
        raise BadRequest(FieldError(field, f"“{piece[:100]}” is not an address", "Email", piece[:200])) from None


def _address(given: str, field: str) -> str:
    try:
        return str(decode_hook(Recipient, given))
    except ValueError:
        raise BadRequest(FieldError(field, f"“{given[:100]}” is not an address", "Email", given[:200])) from None


async def files(asked: Asked, field: str = "files") -> Files:
    """The files that a form brings, stored; raises TooLarge and BadRequest."""
    return [await _stored(asked, one) for one in asked.form.files(field)]


async def _stored(asked: Asked, given: UploadFile) -> tuple[NewAttachment, Blob]:
    if (given.size or 0) > LARGEST:
        raise TooLarge(FieldError("", f"“{given.filename}” is larger than {LARGEST // 1024 // 1024} MB", "Size"))
    data = await given.read()
    kind = (given.content_type or "").partition(";")[0].strip().lower()
    name = (given.filename or "").replace("\\", "/").rpartition("/")[2][:200] or "file"
    new = NewAttachment(
        file_name=name, mime_type=kind if _MIME_TYPE.fullmatch(kind) else "application/octet-stream", data=data
    )
    check_file(new)
    return new, await asyncio.to_thread(asked.web.blobs.put, data)


def seen(asked: Asked) -> tuple[int, str]:
    """The newest thread that the writer had before their eyes, and when; all there is where nothing is said."""
    newest, at = asked.form.text("seen"), asked.form.text("seen_at")
    if not (newest.isascii() and newest.isdigit() and len(newest) < 19 and at):
        return 2**62, "9999"
    return int(newest), at


def elsewhere(db: Reader, asked: Asked, id: int, wanted: Wanted) -> OwnDraft | None:
    """What the writer wrote in another window, and this one has not seen."""
    return own.written_elsewhere(db, asked.actor, id, wanted, asked.form.text("known_form"))


def note_elsewhere(db: Reader, asked: Asked, id: int, text: str) -> OwnNote | None:
    """As `elsewhere`, of a note."""
    form = asked.form
    return notes.written_elsewhere(db, asked.actor, id, text, token(asked), form.text("known_form"))


def token(asked: Asked) -> str:
    """What the form is known by."""
    return asked.form.text("token")[:64]


def version(asked: Asked) -> int:
    """How many times the form had been sent when its page was made."""
    text = asked.form.text("version")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def undo_seconds(db: Reader, asked: Asked, inbox_id: int) -> int:
    """For how long what the visitor sends from an inbox can be taken back."""
    return holding.seconds(db, asked.account_id, inbox_id, asked.visitor.preferences.undo_s)


def undo_of(id: int, thread_id: int, seconds: int, **origin: str) -> Undo | None:
    """What takes a reply back, for as long as that can be; `origin` is what `onward.origin` gives."""
    fields = {"thread": str(thread_id), **origin}
    return Undo(f"/conversation/{id}/undo", fields, seconds=seconds) if seconds else None


def by_script(asked: Asked) -> bool:
    """Whether a script sent it, which keeps what was typed when something is refused."""
    return bool(asked.request.headers.get("deskhand-script"))


def listed(pieces: Sequence[str]) -> str:
    """Addresses as a field shows them."""
    return ", ".join(pieces)
