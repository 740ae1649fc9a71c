"""Verifying that nobody changed the log, and exporting it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec
from starlette.responses import Response, StreamingResponse

from deskhand.catalogue.problems import BadRequest
from deskhand.db.engine import Conflict, Reader, Unavailable
from deskhand.gateway import audit_listing
from deskhand.gateway.audit_export import Csv, JsonLines
from deskhand.gateway.verifying import Fault, Result, Verification
from deskhand.web.console import log
from deskhand.web.pages import HEADERS, Asked, Pages
from deskhand.web.words import counted

PAGES = Pages("administrator")
_FAULTS_SHOWN = 100


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of what is told while the chain is verified: words, how far it is, and at the end the piece of page."""

    words: str
    done: int = 0
    of: int = 0
    html: str = ""


@PAGES.get(log.PATH + "/verify")
async def about_verifying(asked: Asked) -> Response:
    """What verifying is, and the button for it."""
    return await asked.page("oversight/verify.html", result=None, faults=[], key=await _key(asked))


@PAGES.post(log.PATH + "/verify")
async def verify(asked: Asked) -> Response:
    """Verify the chain from its beginning to its end, and show what was found."""
    await asked.web.audit.settle()
    verification = Verification(asked.account_id, {asked.web.signing_key.public})
    while (result := await asked.read(verification.page, "slow")) is None:
        pass
    return await asked.page("oversight/verify.html", result=result, faults=_faults(result), key=await _key(asked))


@PAGES.post(log.PATH + "/verify/told")
async def verify_told(asked: Asked) -> Response:
    """The same for a script: lines of JSON that tell how far it is, the last one with the result."""
    await asked.web.audit.settle()
    newest = await asked.read(lambda db: audit_listing.newest(db, asked.account_id))
    lines = _telling(asked, newest)
    return StreamingResponse(lines, media_type="application/jsonl", headers={**HEADERS, "X-Accel-Buffering": "no"})


@PAGES.get(log.PATH + "/export")
async def export(asked: Asked) -> Response:
    """The whole chain as JSON lines, to be verified anywhere; or what the log is narrowed to as CSV, for people."""
    searched = await log.searched(asked)
    if searched.wrong:
        raise BadRequest
    await asked.web.audit.settle()
    if asked.query("format") == "csv":
        table = Csv(asked.account_id, searched.filters)
        return _file(asked, table, Csv.media_type, "audit.csv")
    await _key(asked)  # the export ends with a signature: better none than half of one
    lines = JsonLines(asked.account_id, asked.web.signing_key, asked.web.clock.now())
    return _file(asked, lines, JsonLines.media_type, "audit.jsonl")


class _Export(Protocol):
    def piece(self, db: Reader) -> bytes: ...


def _file(asked: Asked, export: _Export, media_type: str, name: str) -> Response:
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_pieces(asked, export), media_type=media_type, headers=headers)


async def _pieces(asked: Asked, export: _Export) -> AsyncIterator[bytes]:
    while piece := await asked.read(export.piece, "slow"):
        yield piece


async def _telling(asked: Asked, newest: int) -> AsyncIterator[bytes]:
    verification = Verification(asked.account_id, {asked.web.signing_key.public})
    yield _line(Progress("Reading the chain", 0, newest))
    try:
        while (result := await asked.read(verification.page, "slow")) is None:
            words = f"Verified {verification.number:,} of {counted(newest, 'record')}"
            yield _line(Progress(words, verification.number, newest))
    except (Unavailable, Conflict):
        yield _line(Progress("The database could not be read; please try again"))
        return
    piece = asked.piece("oversight/verified.html", result=result, faults=_faults(result))
    yield _line(Progress("Done", newest, newest, bytes(piece.body).decode()))


def _line(progress: Progress) -> bytes:
    return msgspec.json.encode(progress) + b"\n"


def _faults(result: Result) -> Sequence[Fault]:
    """Those that are shown."""
    return result.problems[:_FAULTS_SHOWN]


async def _key(asked: Asked) -> str:
    """The public key; reading it touches the disk the first time."""
    return await asyncio.to_thread(lambda: asked.web.signing_key.public)
