"""Files that pages load, such as stylesheets: read once and served compressed, in a folder named after all of them.

So one may load another by its bare name, and both may be kept for good.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "static"
"""Where the files lie."""
_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
_COMMENT = {".css": re.compile(rb"/\*.*?\*/", re.DOTALL), ".js": re.compile(rb"^\s*//.*$", re.MULTILINE)}
_INDENT = re.compile(rb"\n\s+")
_FOR_GOOD = "public, max-age=31536000, immutable"
STYLESHEET = "deskhand.css"
_PARTS = (
    "tokens", "base", "controls", "frame", "list", "conversation", "writing", "console", "oversight", "settings",
    "channels", "reports", "account",
)  # fmt: skip
"""What the stylesheet is put together from, in this order: files in `static/css`."""
OF_CUSTOMERS = "customers.css"
"""The stylesheet of the one page that customers see: as small as the page."""


@dataclass(frozen=True)
class Body:
    """Bytes to be sent, plain and compressed, with a fingerprint of them."""

    plain: bytes
    packed: bytes
    mark: str

    @classmethod
    def of(cls, plain: bytes) -> Body:
        return cls(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:16])


def answer(request: Request, body: Body, headers: dict[str, str], media_type: str) -> Response:
    """The body as this client takes it, or 304 if it has it already."""
    mark = f'"{body.mark}"'
    headers = {**headers, "ETag": mark, "Vary": "Accept-Encoding"}
    if mark in request.headers.get("if-none-match", "").replace("W/", "").split(", "):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(body.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=media_type)
    return Response(body.plain, headers=headers, media_type=media_type)


def static(name: str) -> str:
    """The address of a file, in the folder named after all files: it may then be kept for good."""
    if name not in _files():
        raise KeyError(name)
    return f"/static/{_version()}/{name}"


def served(name: str) -> Body:
    """What is sent for a file. Raises KeyError."""
    return _files()[name]


def routes() -> list[Route]:
    """Where the files are served."""

    async def serve(request: Request) -> Response:
        name: str = request.path_params["name"]
        body = _files().get(name)
        if body is None:
            return PlainTextResponse("Not found", 404)
        known = request.path_params.get("version") == _version()
        headers = {"Cache-Control": _FOR_GOOD if known else "no-cache", "X-Content-Type-Options": "nosniff"}
        return answer(request, body, headers, _MEDIA_TYPES[Path(name).suffix])

    async def icon(request: Request) -> Response:
        """What browsers ask for where a page names no icon, as those of other tools do."""
        headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
        return answer(request, _files()["deskhand.svg"], headers, _MEDIA_TYPES[".svg"])

    return [
        Route("/static/{name}", serve),
        Route("/static/{version}/{name}", serve),
        Route("/favicon.ico", icon),
    ]


@cache
def _files() -> dict[str, Body]:
    found = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in _MEDIA_TYPES}
    for name, parts in ((STYLESHEET, _PARTS), (OF_CUSTOMERS, ("tokens", "customers"))):
        found[name] = b"\n".join((FOLDER / "css" / f"{part}.css").read_bytes() for part in parts)
    return {name: Body.of(_bare(name, content)) for name, content in found.items()}


def _bare(name: str, content: bytes) -> bytes:
    """A stylesheet or module without its comments and indents, which are a tenth of what travels."""
    comment = _COMMENT.get(Path(name).suffix)
    return content if comment is None else _INDENT.sub(b"\n", comment.sub(b"", content))


@cache
def _version() -> str:
    marks = "".join(f"{name} {body.mark} " for name, body in sorted(_files().items()))
    return hashlib.sha256(marks.encode()).hexdigest()[:16]
