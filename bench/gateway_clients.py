"""Clients of the gateway's measurements: HTTP over kept-open connections, and MCP over a program's stdin and stdout."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httptools
import msgspec

ANSWER_S = 60
MODERN, HANDSHAKE = "2026-07-28", "2025-11-25"
"""The revision of MCP that HTTP clients speak here, without a handshake, and the one that stdio clients speak."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a call was answered with, and after how long."""

    seconds: float
    status: int
    body: bytes


class Caller(Protocol):
    """Sends prepared calls; so many at a time, each of those as soon as the one before it is answered."""

    async def send(self, calls: Sequence[bytes], clients: int) -> list[Answered]: ...

    async def close(self) -> None: ...


def rest(method: str, path: str, token: str, body: Any = None) -> bytes:
    """The bytes of a call of the API."""
    return _request(method, path, token, {"content-type": "application/json"}, body)


def mcp(tool: str, arguments: Mapping[str, Any], token: str) -> bytes:
    """The bytes of a tool call over streamable HTTP."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {
        "content-type": "application/json", "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": tool,
    }  # fmt: skip
    message = _message(1, "tools/call", {"name": tool, "arguments": arguments, "_meta": meta})
    return _request("POST", "/mcp", token, headers, message)


def stdio(id: int, tool: str, arguments: Mapping[str, Any]) -> bytes:
    """The line of a tool call over stdin."""
    return _line(_message(id, "tools/call", {"name": tool, "arguments": arguments}))


def _message(id: int | None, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", **({} if id is None else {"id": id}), "method": method, "params": params}


def _line(message: Any) -> bytes:
    return msgspec.json.encode(message) + b"\n"


def _request(method: str, path: str, token: str, headers: Mapping[str, str], body: Any) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"authorization: Bearer {token}"]
    encoded = b"" if body is None else msgspec.json.encode(body)
    if encoded:
        lines += [*(f"{name}: {value}" for name, value in headers.items()), f"content-length: {len(encoded)}"]
    return "\r\n".join([*lines, "", ""]).encode() + encoded


# ---------------------------------------------------------------------------------------------------------------------
# HTTP


class Http:
    """Calls to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: list[_Connection] = []

    async def send(self, calls: Sequence[bytes], clients: int) -> list[Answered]:
        """One connection for each client."""
        loop = asyncio.get_running_loop()
        self._open = [one for one in self._open if not one.transport.is_closing()]  # servers close idle ones
        while len(self._open) < clients:
            _, made = await loop.create_connection(_Connection, "127.0.0.1", self._port)
            self._open.append(made)
        left, found = iter(calls), list[Answered]()
        async with asyncio.timeout(ANSWER_S):
            await asyncio.gather(*(one.send(left, found) for one in self._open[:clients]))
        return found

    async def close(self) -> None:
        """Close all connections."""
        for one in self._open:
            one.transport.close()


class _Connection(asyncio.Protocol):
    """One connection. The next call is written in the very callback that ends the answer to the one before."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.done: asyncio.Future[None] | None = None
        self.parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def connection_lost(self, problem: Exception | None) -> None:
        if self.done is not None and not self.done.done():
            self.done.set_exception(problem or ConnectionError("the server closed the connection"))

    def on_message_begin(self) -> None:
        self.pieces: list[bytes] = []

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        took = time.perf_counter() - self.started
        self.found.append(Answered(took, self.parser.get_status_code(), b"".join(self.pieces)))
        self._next()

    async def send(self, calls: Iterator[bytes], found: list[Answered]) -> None:
        self.calls, self.found = calls, found
        self.done = asyncio.get_running_loop().create_future()
        self._next()
        await self.done

    def _next(self) -> None:
        call = next(self.calls, None)
        if call is None:
            assert self.done is not None
            self.done.set_result(None)
            return
        self.started = time.perf_counter()
        self.transport.write(call)


# ---------------------------------------------------------------------------------------------------------------------
# A program that speaks MCP


class Program:
    """Calls to a program, a line each. It is started with the first ones; several clients share it."""

    def __init__(self, *command: str) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self.pids: list[int] = []

    async def send(self, calls: Sequence[bytes], clients: int) -> list[Answered]:
        """So many calls are on their way at a time."""
        if self._process is None:
            await self._start()
        left, found = iter(calls), list[Answered]()

        async def client() -> None:
            for call in left:
                started = time.perf_counter()
                body = await self._exchange(call)
                found.append(Answered(time.perf_counter() - started, 200, body))

        async with asyncio.timeout(ANSWER_S):
            await asyncio.gather(*(client() for _ in range(clients)))
        return found

    async def close(self) -> None:
        """End the program."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _start(self) -> None:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, limit=8 * 1024 * 1024
        )
        self.pids = [self._process.pid]
        self._reading = asyncio.create_task(self._read())
        about = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        async with asyncio.timeout(ANSWER_S):
            await self._exchange(_line(_message(0, "initialize", about)))
        self._write(_line(_message(None, "notifications/initialized", {})))

    async def _exchange(self, line: bytes) -> bytes:
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[_read_id(line).id] = waiting
        self._write(line)
        return await waiting

    def _write(self, line: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            waiting = self._waiting.pop(_read_id(line).id, None)
            if waiting is not None:
                waiting.set_result(line)
        for one in self._waiting.values():
            one.set_exception(ConnectionError(f"{self._command[0]} ended"))


class _WithId(msgspec.Struct):
    id: int = -1


_read_id = msgspec.json.Decoder(_WithId).decode
