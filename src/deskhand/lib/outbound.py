"""Outgoing HTTP to addresses that others name: bounded in time and size, and never to a network of our own.

What a name means is looked up once, and each socket is opened to the address that was checked.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

TIMEOUT_S = 10.0
"""For everything together: finding the address, connecting, sending and the beginning of the answer."""
READ_MOST = 16 * 1024
"""Bytes of an answer that are read; the connection is closed on the rest."""
_IDLE_S = 3.0  # shorter than most servers keep a connection, so that none is closed just when we use it
_LOOKUPS = 64  # names looked up at a time; a thread each, because a slow one blocks it

_EMBEDS_IPV4 = {ipaddress.ip_network(text): position for text, position in (
    ("::ffff:0:0/96", 12), ("64:ff9b::/96", 12), ("2002::/16", 2),
)}  # fmt: skip
"""Networks of IPv6 whose addresses lead to an IPv4 address, and at which byte that begins: mapped, NAT64, 6to4."""
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
_TEREDO = ipaddress.ip_network("2001::/32")
_CREDENTIALS = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"))
)
"""Where clouds keep credentials outside the link-local networks: Amazon, Alibaba, Oracle, Azure."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which addresses that are not public may be called."""

    loopback: bool = False
    private: bool = False
    """Private networks and loopback; never link-local ones, nor where else clouds keep their credentials."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: the status and the first `READ_MOST` bytes."""

    status: int
    beginning: bytes


@dataclass(frozen=True, slots=True)
class Whole:
    """All of an answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """There was no answer, or none that could be taken; the text says why in words. `slow`: it took too long."""

    def __init__(self, words: str, *, slow: bool = False) -> None:
        super().__init__(words)
        self.slow = slow


class _Refused(OSError):
    """The address must not be called."""


def refusal(address: str, allowed: Allowed) -> str:
    """Why an IP address must not be called, or nothing."""
    ip = _real(ipaddress.ip_address(address.partition("%")[0]))
    if ip.is_loopback:
        wrong, may = "a loopback address", allowed.loopback or allowed.private
    elif ip.is_link_local:
        wrong, may = "a link-local address", False
    elif ip in _CREDENTIALS:
        wrong, may = "where a cloud keeps credentials", False
    elif ip.is_multicast or ip.is_unspecified:
        wrong, may = "no address of a machine", False
    elif _is_public(ip):
        return ""
    else:
        wrong, may = "a private address", allowed.private
    return "" if may else f"{address} is {wrong}"


def _real(ip: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for; else the address itself."""
    if isinstance(ip, ipaddress.IPv6Address):
        for network, position in _EMBEDS_IPV4.items():
            if ip in network:
                return ipaddress.IPv4Address(ip.packed[position : position + 4])
    return ip


def _is_public(ip: _Address) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _GLOBAL_IPV6 or ip in _TEREDO):
        return False
    return ip.is_global and not ip.is_reserved


class Outbound:
    """A pool of connections; use it as `async with`. `connect_s` is how long only connecting may take, of the whole."""

    def __init__(
        self, user_agent: str, allowed: Allowed, timeout_s: float = TIMEOUT_S, connect_s: float | None = None
    ) -> None:
        self._headers = {"User-Agent": user_agent}
        self._allowed = allowed
        self._timeout_s = timeout_s
        self._connect_s = connect_s
        self._session: aiohttp.ClientSession | None = None
        self._resolver: _Resolver | None = None

    async def __aenter__(self) -> Outbound:
        self._resolver = _Resolver()
        connector = aiohttp.TCPConnector(
            limit=0, resolver=self._resolver, keepalive_timeout=_IDLE_S, socket_factory=self._open
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self._timeout_s, connect=self._connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept-Encoding", "Content-Type"),
        )
        # Whoever asks decides what may be sent twice: a DELETE that was cut off may have been carried out.
        self._session._retry_connection = False
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None and self._resolver is not None
        await self._session.close()
        await self._resolver.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body, following no redirect; raises NoAnswer."""
        assert self._session is not None, "not open"
        try:
            data = BytesIO(body)  # is sent in pieces; of bytes, many megabytes at once would hold up everything else
            async with self._session.post(url, data=data, headers=headers, allow_redirects=False) as answer:
                return Answer(answer.status, await _beginning(answer))
        except (aiohttp.ClientError, OSError, ValueError) as problem:  # a TimeoutError is an OSError
            raise self._no_answer(problem) from problem

    async def ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str], most: int) -> Whole:
        """A request for an answer of at most `most` bytes, following no redirect; raises NoAnswer."""
        assert self._session is not None, "not open"
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
