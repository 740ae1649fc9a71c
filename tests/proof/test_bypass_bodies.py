"""Bodies that two readers could take for different things, or that never end: none changes anything.

What is sent is `PUT /v2/conversations/{own}/tags`.
"""

from __future__ import annotations

import gzip
import socket
from urllib.parse import urlsplit

import pytest

from deskhand.entrance import http
from tests.proof.bypass_world import World, on_any_database

JSON = "Content-Type: application/json"
BODIES: list[tuple[str, bytes, list[str]]] = [
    ("a name twice", b'{"tags":["a"],"tags":["b"]}', [JSON]),
    ("a name twice, once with an escape", b'{"tags":["a"],"t\\u0061gs":["b"]}', [JSON]),
    ("a name twice in an object that is not needed", b'{"tags":["a"],"x":{"a":1,"a":2}}', [JSON]),
    ("a name twice, deep within", b'{"tags":["a"],"x":[[{"y":{"z":1,"z":1}}]]}', [JSON]),
    ("the empty name twice", b'{"tags":["a"],"":1,"":2}', [JSON]),
    ("a byte order mark", b'\xef\xbb\xbf{"tags":["a"]}', [JSON]),
    ("UTF-16", '{"tags":["a"]}'.encode("utf-16"), [JSON]),
    ("UTF-16 that says so", '{"tags":["a"]}'.encode("utf-16"), ["Content-Type: application/json; charset=utf-16"]),
    ("another character set that is said", b'{"tags":["a"]}', ["Content-Type: application/json; charset=utf-7"]),
    ("UTF-8 that is none", b'{"tags":["\xff\xfe"]}', [JSON]),
    ("overlong UTF-8", b'{"tags":["\xc0\xae"]}', [JSON]),
    ("half a surrogate", b'{"tags":["\\ud800"]}', [JSON]),
    ("a zero byte in a text", b'{"tags":["a\\u0000b"]}', [JSON]),
    ("a zero byte behind the body", b'{"tags":["a"]}\x00', [JSON]),
    ("two bodies", b'{"tags":["a"]}{"tags":["b"]}', [JSON]),
    ("a comment", b'{"tags":["a"]/* */}', [JSON]),
    ("a comma too many", b'{"tags":["a"],}', [JSON]),
    ("single quotes", b"{'tags':['a']}", [JSON]),
    ("no number", b'{"tags":["a"],"x":NaN}', [JSON]),
    ("a list in place of an object", b'[{"tags":["a"]}]', [JSON]),
    ("a text in place of a list", b'{"tags":"a"}', [JSON]),
    ("objects in place of texts", b'{"tags":[{"name":"a"}]}', [JSON]),
    ("nothing", b"", [JSON]),
    ("null", b"null", [JSON]),
    ("a name in other letters", b'{"Tags":["a"]}', [JSON]),
    ("a hundred thousand brackets", b"[" * 100_000, [JSON]),
    ("nested a thousand times", b'{"tags":["a"],"x":' + b"[" * 1000 + b"]" * 1000 + b"}", [JSON]),
    ("three hundred thousand elements", b'{"tags":["a"],"x":[' + b"0," * 300_000 + b"0]}", [JSON]),
    ("a form", b"tags=a", ["Content-Type: application/x-www-form-urlencoded"]),
    ("parts", b'--x\r\n\r\n{"tags":["a"]}\r\n--x--', ["Content-Type: multipart/form-data; boundary=x"]),
    ("plain text", b'{"tags":["a"]}', ["Content-Type: text/plain"]),
    ("XML", b"<tags><tag>a</tag></tags>", ["Content-Type: application/xml"]),
    ("compressed bytes", gzip.compress(b'{"tags":["a"]}'), [JSON, "Content-Encoding: gzip"]),
    ("compressed bytes that do not say so", gzip.compress(b'{"tags":["a"]}'), [JSON]),
]


@on_any_database
@pytest.mark.parametrize(("body", "headers"), [one[1:] for one in BODIES], ids=[one[0] for one in BODIES])
def test_a_body_that_can_be_read_in_two_ways_changes_nothing(world: World, body: bytes, headers: list[str]) -> None:
    with world.watched(world.narrow) as attempt:
        answer = attempt.raw(f"PUT /v2/conversations/{world.own.conversation}/tags HTTP/1.1", body, headers)
        assert answer.status == 400, answer.everything
        assert answer.headers["deskhand-decision"] == "refused"


@on_any_database
def test_an_encoding_that_is_only_said_changes_nothing(world: World) -> None:
    for encoding in ("gzip", "br", "deflate", "identity, gzip"):
        with world.watched(world.narrow) as attempt:
            answer = attempt.raw(
                f"PUT /v2/conversations/{world.own.conversation}/tags HTTP/1.1", b'{"tags":["said"]}',
                [JSON, f"Content-Encoding: {encoding}"],
            )  # fmt: skip
            assert answer.status in (400, 415), answer.everything


@on_any_database
def test_a_body_beyond_25_megabytes_is_not_read(world: World) -> None:
    with world.watched(world.narrow) as attempt:
        line = f"PUT /v2/conversations/{world.own.conversation}/tags HTTP/1.1"
        answer = attempt.raw(line, b"", [JSON, f"Content-Length: {26 * 1024 * 1024}"], length=False)
        assert answer.status == 413, answer.everything
        piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        chunked = [JSON, "Transfer-Encoding: chunked"]
        answer = attempt.raw(line, piece * (25 * 16 + 1) + b"0\r\n\r\n", chunked, length=False)
        assert answer.status in (0, 413), answer.everything[:500]
        attempt.unseen += answer.status == 0


@on_any_database
def test_a_chunked_body_is_one_body(world: World) -> None:
    with world.watched(world.narrow) as attempt:
        line = f"PUT /v2/conversations/{world.own.conversation}/tags HTTP/1.1"
        chunks = b'8\r\n{"tags":\r\n13\r\n["a"],"tags":["b"]} \r\n0\r\n\r\n'
        answer = attempt.raw(line, chunks, [JSON, "Transfer-Encoding: chunked"], length=False)
        assert answer.status == 400, answer.everything
        assert attempt.raw(line, b"zz\r\n{}\r\n", [JSON, "Transfer-Encoding: chunked"], length=False).status == 400


SMUGGLED: list[tuple[str, list[str]]] = [
    ("two lengths", ["Content-Length: 4", "Content-Length: 400"]),
    ("two lengths in one header", ["Content-Length: 4, 400"]),
    ("a length and chunks", ["Content-Length: 4", "Transfer-Encoding: chunked"]),
    ("chunks and a length", ["Transfer-Encoding: chunked", "Content-Length: 4"]),
    ("chunks, spelled otherwise", ["Content-Length: 4", "Transfer-Encoding: xchunked"]),
    ("chunks with a tab", ["Content-Length: 4", "Transfer-Encoding:\tchunked"]),
    ("a negative length", ["Content-Length: -1"]),
    ("a length with a plus", ["Content-Length: +4"]),
    ("a length in hexadecimal", ["Content-Length: 0x4"]),
]


@on_any_database
@pytest.mark.parametrize("headers", [one[1] for one in SMUGGLED], ids=[one[0] for one in SMUGGLED])
def test_a_second_request_can_not_hide_in_the_first(world: World, headers: list[str]) -> None:
    hidden = (
        f"0\r\n\r\nDELETE /v2/conversations/{world.foreign.conversation} HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {world.narrow.key}\r\nX: "
    ).encode()
    with world.watched(world.narrow) as attempt:
        before = world.logged(world.narrow)
        line = f"PUT /v2/conversations/{world.own.conversation}/tags HTTP/1.1"
        answer = attempt.raw(line, hidden, [JSON, *headers], length=False)
        assert answer.status in (0, 400, 403), answer.everything
        # Whatever was read as a request of its own is logged as one.
        attempt.answers.clear()
        attempt.unseen = world.logged(world.narrow) - before
        assert attempt.unseen <= 2


@on_any_database
def test_a_body_that_never_ends_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_WAIT_S", 0.2)
    with world.watched(world.narrow) as attempt:
        line = f"PUT /v2/conversations/{world.own.conversation}/tags HTTP/1.1"
        answer = attempt.raw(line, b'{"tags"', [JSON, "Content-Length: 1000"], length=False)
        assert answer.status == 408, answer.everything


@on_any_database
def test_a_body_that_is_cut_off_does_nothing(world: World) -> None:
    with world.watched(world.narrow):
        parts = urlsplit(world.home.server.url)
        head = (
            f"PUT /v2/conversations/{world.own.conversation}/tags HTTP/1.1\r\nHost: x\r\n{JSON}\r\n"
            f'Authorization: Bearer {world.narrow.key}\r\nContent-Length: 100\r\n\r\n{{"tags":["cut"]}}'
        )
        with socket.create_connection((str(parts.hostname), parts.port or 80), timeout=30) as connection:
            connection.sendall(head.encode())
