"""Files that pages load, such as stylesheets: read once, served compressed, with a name that changes when they do."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_FOLDER = Path(__file__).parent / "static"
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Body:
    """Bytes to be sent, plain and compressed, with a fingerprint of them."""

    plain: bytes
    packed: bytes
    mark: str

    @classmethod
    def of(cls, plain: bytes) -> Body:
        return cls(plain, gzip.compress(plain, 6, mtime=0), hashlib.sha256(plain).hexdigest()[:16])


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
    """The address of a file, with its fingerprint: it may then be kept for good."""
    return f"/static/{name}?v={_file(name).mark}"


def route() -> Route:
    """Where the files are served."""

    async def serve(request: Request) -> Response:
        name: str = request.path_params["name"]
        if name not in _names():
            return PlainTextResponse("Not found", 404)
        body = _file(name)
        known = request.query_params.get("v") == body.mark
        headers = {"Cache-Control": _FOR_GOOD if known else "no-cache", "X-Content-Type-Options": "nosniff"}
        return answer(request, body, headers, _MEDIA_TYPES[Path(name).suffix])

    return Route("/static/{name}", serve)


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _MEDIA_TYPES)


@cache
def _file(name: str) -> Body:
    return Body.of((_FOLDER / name).read_bytes())
