"""Outgoing HTTP to addresses that others name: bounded in time and size, and never to a network of our own.

What a name means is looked up once, and each socket is opened to the address that was checked.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deskhand.lib.outbound_client import Client

TIMEOUT_S = 10.0
"""For everything together: finding the address, connecting, sending and the beginning of the answer."""
READ_MOST = 16 * 1024
"""Bytes of an answer that are read; the connection is closed on the rest."""

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
    """A pool of connections; use it as `async with`. `connect_s` is how long only connecting may take, of the whole.

    Most servers call nobody for a long time, or never: the client is loaded with the first call.
    """

    def __init__(
        self, user_agent: str, allowed: Allowed, timeout_s: float = TIMEOUT_S, connect_s: float | None = None
    ) -> None:
        self._headers = {"User-Agent": user_agent}
        self._allowed = allowed
        self._timeout_s = timeout_s
        self._connect_s = connect_s
        self._client: Client | None = None
        self._entered = False

    async def __aenter__(self) -> Outbound:
        self._entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body, following no redirect; raises NoAnswer."""
        return await (self._client or await self._opened()).post(url, body, headers)

    async def ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str], most: int) -> Whole:
        """A request for an answer of at most `most` bytes, following no redirect; raises NoAnswer."""
        return await (self._client or await self._opened()).ask(method, url, body, headers, most)

    async def _opened(self) -> Client:
        made = await asyncio.to_thread(_load)  # while others are answered
        if not self._entered:
            raise NoAnswer("Deskhand was stopped before it could call")
        if self._client is None:
            self._client = made(self._headers, self._allowed, self._timeout_s, self._connect_s)
        return self._client


def _load() -> type[Client]:
    from deskhand.lib.outbound_client import Client  # noqa: PLC0415 - with its library, as said above

    return Client
