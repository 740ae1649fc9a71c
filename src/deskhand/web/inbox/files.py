"""Attachments: shown small on a conversation's page, opened large, downloaded."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from starlette.responses import FileResponse, Response

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.threads import showing
from deskhand.desk.conversations.threads.showing import File
from deskhand.web.inbox.bodies import one_line
from deskhand.web.pages import Asked, Pages

PAGES = Pages()
PICTURES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
"""What browsers show as a picture and nothing else; SVG may have scripts in it."""
_TEXTS = frozenset({"text/plain", "text/csv", "text/markdown", "text/x-log"})
HEADERS = {
    # Whatever it is, it runs nothing, loads nothing, and belongs to no site.
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=600",
}


class FileLink(msgspec.Struct, frozen=True):
    """An attachment as a page shows it; `opens`: a browser can show it by itself."""

    id: int
    name: str
    kind: str
    size: int
    width: int | None
    height: int | None
    picture: bool
    opens: bool
    virus: bool


def link(file: File) -> FileLink:
    """An attachment as a page shows it."""
    name = one_line(file.filename) or "file"
    kind = name.rpartition(".")[2].upper()[:5] if "." in name else ""
    opens = is_picture(file) or (_media_type(file) in _TEXTS and file.state == "valid")
    return FileLink(
        file.id, name, kind, file.size, file.width, file.height, is_picture(file), opens, file.state == "virus"
    )


def is_picture(file: File) -> bool:
    """Whether it can be shown as a picture without danger."""
    return file.state == "valid" and _media_type(file) in PICTURES


@PAGES.get("/attachments/{id}")
async def show(asked: Asked) -> Response:
    """An attachment of a conversation that the visitor may see; with `?download` to be kept, whatever it is."""
    id = asked.id()

    def read(db: Reader) -> File:
        found = showing.one_file(db, asked.account_id, id)
        if found is None or found.state != "valid":
            raise NotFound
        queries.head(db, asked.actor, found.conversation_id)
        return found

    file = await asked.read(read)
    path = asked.web.blobs.path(file.sha256)
    if not path.is_file():
        raise NotFound
    kind = _media_type(file)
    shown = "download" not in asked.request.query_params and (kind in PICTURES or kind in _TEXTS)
    media = "application/octet-stream" if not shown else "text/plain; charset=utf-8" if kind in _TEXTS else kind
    placed = (
        f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(one_line(file.filename) or 'file', safe='')}"
    )
    return FileResponse(path, media_type=media, headers={**HEADERS, "Content-Disposition": placed})


def _media_type(file: File) -> str:
    return file.mime_type.partition(";")[0].strip().lower()
