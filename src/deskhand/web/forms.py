"""What a form of a page sends: its fields and files, from a page of ours and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import BadRequest, NotFound, TooLarge, empty
from deskhand.oauth import sessions

BODY_MOST = 32 * 1024 * 1024
"""Bytes of a form with its files; a conversation's attachments may have 10 MB each."""
FIELDS_MOST = 20_000
_WAIT_S = 120
_UNSTORABLE = dict.fromkeys([0, *range(0xD800, 0xE000)])


class ExpiredForm(Exception):
    """A form that does not carry the token of the page it should come from."""


class Form:
    """The fields and files of a sent form. A field that is missing counts as empty."""

    def __init__(self, data: FormData | None = None) -> None:
        self._data = data or FormData()

    def text(self, name: str) -> str:
        """A field's text, without spaces around it and without what a database refuses."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """A field's text as it is, but with plain line ends."""
        found = self._data.get(name)
        return _clean(found) if isinstance(found, str) else ""

    def texts(self, name: str) -> list[str]:
        """The texts of a field that may be there several times, empty ones left out."""
        given = (_clean(one).strip() for one in self._data.getlist(name) if isinstance(one, str))
        return [one for one in given if one]

    def ids(self, name: str) -> list[int]:
        """The ids of a field that may be there several times; raises NotFound for what is no id."""
        found = [read_id(one) for one in self.texts(name)]
        if None in found:
            raise NotFound
        return [one for one in found if one is not None]

    def id(self, name: str) -> int | None:
        """The id that a field has; None where it is empty, raises NotFound for what is no id."""
        given = self.ids(name)
        return given[0] if given else None

    def required(self, name: str) -> str:
        """As `text`; raises BadRequest where there is none."""
        found = self.text(name)
        if not found:
            raise BadRequest(empty(name))
        return found

    def has(self, name: str) -> bool:
        """Whether the field was sent, as a ticked box is."""
        return name in self._data

    def names(self) -> Sequence[str]:
        """The names of all fields, in the order in which they were sent."""
        return list(dict.fromkeys(self._data.keys()))

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """The fields as they were sent, files left out, to be sent once more."""
        given = self._data.multi_items()
        return [(name, _clean(one)) for name, one in given if isinstance(one, str) and name not in without]

    async def close(self) -> None:
        """Let go of the files, which may lie on the disk meanwhile."""
        await self._data.close()

    def files(self, name: str) -> list[UploadFile]:
        """The files of a field; a file input that was left empty gives none."""
        return [one for one in self._data.getlist(name) if isinstance(one, UploadFile) and one.filename]


async def read_form(request: Request, csrf: str) -> Form:
    """The form that was sent; raises ExpiredForm, TooLarge, BadRequest."""
    try:
        async with asyncio.timeout(_WAIT_S):
            data = await _read(request)
    except (TimeoutError, ClientDisconnect):
        raise BadRequest from None
    except MultiPartException:
        raise BadRequest from None
    form = Form(data)
    if not sessions.is_own_form(request, csrf, form.raw("csrf")):
        raise ExpiredForm
    return form


async def _read(request: Request) -> FormData:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        parser = MultiPartParser(
            request.headers, _limited(request), max_files=100, max_fields=FIELDS_MOST, max_part_size=BODY_MOST
        )
        return await parser.parse()
    if kind == "application/x-www-form-urlencoded":
        return await FormParser(request.headers, _few_fields(_limited(request))).parse()
    return FormData()


async def _limited(request: Request):  # type: ignore[no-untyped-def] # an async generator of bytes
    read = 0
    async for piece in request.stream():
        read += len(piece)
        if read > BODY_MOST:
            raise TooLarge
        yield piece


async def _few_fields(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The pieces, as long as there are not too many fields; the parser does not count those that are empty."""
    fields = 0
    async for piece in pieces:
        fields += piece.count(b"&") + piece.count(b";")
        if fields > FIELDS_MOST:
            raise TooLarge
        yield piece


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").translate(_UNSTORABLE)
