"""`deskhand mcp`: MCP over stdin and stdout for one agent, a message a line, carried to the server over HTTP."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
import msgspec
import typer

from deskhand.cli.refused import Refused
from deskhand.entrance import protocol

AWAY, REFUSED = 503, 401
"""Codes of JSON-RPC errors of our own, outside of what the protocol reserves."""
_ANSWER_WITHIN_S = 600
_END_WITHIN_S = 10
_READ_MOST = 64 * 1024

Write = Callable[[bytes], None]


def mcp(key: str, url: str) -> None:
    """Carry messages until stdin ends. Raises Refused when there is no server, or the key is not accepted."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Refused("This is no key of an agent; one begins with dh_agent_")
    target = url.rstrip("/").removesuffix("/mcp") + "/mcp"
    asyncio.run(_carry(target, key))


async def _carry(url: str, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json, text/event-stream"}
    timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S, connect=_END_WITHIN_S)
    connector = aiohttp.TCPConnector(limit=32)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout, connector=connector) as http:
        await Bridge(url, http, _write).run(_lines())


class Bridge:
    """Carries messages of one client to a server and back; several may be on their way."""

    def __init__(self, url: str, http: aiohttp.ClientSession, write: Write) -> None:
        self._url = url
        self._http = http
        self._write = write
        self._version = ""  # as the handshake settled it, if there was one
        self._answered = False
        self._complained = False
        self._under_way: dict[object, asyncio.Task[None]] = {}

    async def run(self, lines: asyncio.Queue[bytes | None]) -> None:
        """Carry until the lines end, then wait a little for what is on its way; raises Refused."""
        try:
            async with asyncio.TaskGroup() as group:
                while (line := await lines.get()) is not None:
                    self._begin(group, line)
                left = [*self._under_way.values()]
                if left:
                    await asyncio.wait(left, timeout=_END_WITHIN_S)
                for task in left:
                    task.cancel()
        except BaseExceptionGroup as problems:
            raise problems.exceptions[0] from None

    def _begin(self, group: asyncio.TaskGroup, line: bytes) -> None:
        if not line.strip():
            return
        try:
            message = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._fail(None, protocol.PARSE_ERROR, "The line is no JSON")
            return
        given = message if isinstance(message, dict) else {}
        params = given.get("params")
        if given.get("method") == "notifications/cancelled" and isinstance(params, dict):
            cancelled = self._under_way.pop(_key(params.get("requestId")), None)
            if cancelled is not None:
                cancelled.cancel()  # and nothing more is said about it
            return
        key = _key(given["id"]) if "id" in given else object()
        task = self._under_way[key] = group.create_task(self._exchange(given, line))
        task.add_done_callback(lambda _: self._under_way.pop(key, None))

    async def _exchange(self, message: Mapping[str, Any], line: bytes) -> None:
        id = message.get("id")
        try:
            async with self._http.post(
                self._url, data=line, headers=self._headers(message), allow_redirects=False
            ) as response:
                status, body = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as problem:
            self._away(id, f"{self._url} does not answer: {problem or type(problem).__name__}")
            return
        if status == 401:
            if "id" in message:
                self._fail(id, REFUSED, "The key was refused")
            raise Refused(f"{self._url} refused the key: it is unknown, revoked or expired")
        self._answered, self._complained = True, False
        if status != 202:
            self._pass_on(message, status, body)

    def _headers(self, message: Mapping[str, Any]) -> dict[str, str]:
        """What the protocol wants repeated in headers."""
        return {"Content-Type": "application/json", **protocol.headers_of(message, self._version)}

    def _pass_on(self, message: Mapping[str, Any], status: int, body: bytes) -> None:
        try:
            answer = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or answer.get("jsonrpc") != "2.0":
            if "id" in message:
                self._fail(message["id"], AWAY, f"{self._url} answered with status {status}, not as MCP")
            return
        if message.get("method") == "initialize" and isinstance(answer.get("result"), dict):
            self._version = str(answer["result"].get("protocolVersion", ""))
        if answer.get("id") is None and "id" in message:
            answer["id"] = message["id"]
            body = msgspec.json.encode(answer)
        elif b"\n" in body:
            body = msgspec.json.encode(answer)
        self._write(body)

    def _away(self, id: Any, words: str) -> None:
        if id is not None:
            self._fail(id, AWAY, words)
        if not self._answered:
            raise Refused(words)
        if not self._complained:
            typer.echo(f"deskhand: {words}", err=True)
        self._complained = True

    def _fail(self, id: Any, code: int, words: str) -> None:
        self._write(protocol.failure(protocol.ProtocolError(code, words, id)))


def _key(id: object) -> object:
    """By what a request is known: 1 and "1" are two."""
    return type(id), id if isinstance(id, int | str) else None


def _lines() -> asyncio.Queue[bytes | None]:
    """The lines of stdin, then None; read by a thread that nobody has to wait for."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        # Not by sys.stdin: its lock, held while nothing comes, would make the end of the program a crash.
        begun: list[bytes] = []
        with suppress(RuntimeError):  # the loop has ended
            while piece := os.read(descriptor, _READ_MOST):
                *ended, rest = piece.split(b"\n")
                for line in ended:
                    loop.call_soon_threadsafe(lines.put_nowait, b"".join((*begun, line)))
                    begun = []
                begun.append(rest)
            loop.call_soon_threadsafe(lines.put_nowait, b"".join(begun))
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return lines


def _write(message: bytes) -> None:
    sys.stdout.buffer.write(message + b"\n")
    sys.stdout.buffer.flush()
