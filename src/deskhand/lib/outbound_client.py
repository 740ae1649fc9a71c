"""The HTTP client behind `Outbound`, in a module of its own: its library takes long to load and much memory."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from deskhand.lib.outbound import READ_MOST, Allowed, Answer, NoAnswer, Whole, refusal

_IDLE_S = 3.0  # shorter than most servers keep a connection, so that none is closed just when we use it
_LOOKUPS = 64  # names looked up at a time; a thread each, because a slow one blocks it


class _Refused(OSError):
    """The address must not be called."""


class Client:
    """A pool of connections that opens none to what is refused; made within an event loop, and closed there."""

    def __init__(self, headers: Mapping[str, str], allowed: Allowed, timeout_s: float, connect_s: float | None) -> None:
        self._allowed = allowed
        self._timeout_s = timeout_s
        self._connect_s = connect_s
        self._resolver = _Resolver()
        connector = aiohttp.TCPConnector(
            limit=0, resolver=self._resolver, keepalive_timeout=_IDLE_S, socket_factory=self._open
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout_s, connect=connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept-Encoding", "Content-Type"),
        )
        # Whoever asks decides what may be sent twice: a DELETE that was cut off may have been carried out.
        self._session._retry_connection = False

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
        await self._resolver.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body, following no redirect; raises NoAnswer."""
        try:
            data = BytesIO(body)  # is sent in pieces; of bytes, many megabytes at once would hold up everything else
            async with self._session.post(url, data=data, headers=headers, allow_redirects=False) as answer:
                return Answer(answer.status, await _beginning(answer))
        except (aiohttp.ClientError, OSError, ValueError) as problem:  # a TimeoutError is an OSError
            raise self._no_answer(problem) from problem

    async def ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str], most: int) -> Whole:
        """A request for an answer of at most `most` bytes, following no redirect; raises NoAnswer."""
        try:
            asked = self._session.request(
                method,
                URL(url, encoded=True),  # exactly as it was written
                data=BytesIO(body) if body else None,
                headers=headers,
                allow_redirects=False,
            )
            async with asked as answer:
                found = {name.lower(): value for name, value in answer.headers.items()}
                return Whole(answer.status, found, await _whole(answer, most))
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise self._no_answer(problem) from problem

    def _open(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for an address that may be called; nothing is looked up between this and connecting."""
        family, kind, protocol, _, address = info
        if wrong := refusal(address[0], self._allowed):
            raise _Refused(wrong)
        return socket.socket(family=family, type=kind, proto=protocol)

    def _no_answer(self, problem: Exception) -> NoAnswer:
        return NoAnswer(self._in_words(problem), slow=isinstance(problem, TimeoutError))

    def _in_words(self, problem: Exception) -> str:
        cause = problem.os_error if isinstance(problem, aiohttp.ClientConnectorError) else problem
        match cause:
            case aiohttp.ConnectionTimeoutError():
                return f"no connection within {self._connect_s or self._timeout_s:g} s"
            case TimeoutError():
                return f"no answer within {self._timeout_s:g} s"
            case _Refused():
                return f"refused to call it: {cause}"
            case ssl.SSLError() | ssl.CertificateError():
                return f"TLS: {cause}"
            case aiohttp.ServerDisconnectedError() | ConnectionResetError():
                return "the connection was closed before there was an answer"
            case aiohttp.ClientPayloadError():
                return "the answer was cut off"
            case aiohttp.ClientResponseError():
                return "what came back is not HTTP"
            case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError() | ValueError():
                return "this URL can't be called"
            case socket.gaierror():
                return "its name was not found"
            case ConnectionRefusedError():
                return "the connection was refused"
            case OSError():
                return f"no connection: {cause.strerror or cause}"
        return f"{type(problem).__name__}: {problem}"


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """The first bytes of an answer; fewer when the rest does not come, for the status is known by then."""
    read = b""
    with suppress(aiohttp.ClientError, OSError):
        while len(read) < READ_MOST and (piece := await answer.content.read(READ_MOST - len(read))):
            read += piece
    return read


async def _whole(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """All of an answer; raises NoAnswer where it is longer than that."""
    read = bytearray()
    async for piece in answer.content.iter_any():
        read += piece
        if len(read) > most:
            answer.close()
            raise NoAnswer(f"the answer is larger than {most:,} bytes")
    return bytes(read)


class _Resolver(AbstractResolver):
    """Looks names up in threads of its own, so that slow name servers hold up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="deskhand-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        def look() -> list[Any]:
            return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)

        found = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        return [
            ResolveResult(
                hostname=host, host=address[0], port=address[1], family=family, proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for family, _, protocol, _, address in found
        ]  # fmt: skip

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
