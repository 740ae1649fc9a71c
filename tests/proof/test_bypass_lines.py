"""Requests that two readers could take for different things, written byte by byte: none gets further than it should."""

from __future__ import annotations

import gzip
import json
import socket
from itertools import product
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from deskhand.catalogue.needs import reads_texts
from deskhand.desk.search.language import SyntaxProblem, fields, parse
from deskhand.entrance import http
from tests.proof.bypass_world import World, alike, everything_in

on_any_database = pytest.mark.parametrize("world", ["sqlite", "remote"], indirect=True)
"""For what is decided before any database is asked."""

LINES: list[tuple[str, str]] = [
    ("two slashes in front", "GET //v2/conversations/{foreign}"),
    ("two slashes behind the version", "GET /v2//conversations/{foreign}"),
    ("two slashes in front of the id", "GET /v2/conversations//{foreign}"),
    ("a dot for a folder", "GET /v2/./conversations/{foreign}"),
    ("two dots behind an own conversation", "GET /v2/conversations/{own}/../{foreign}"),
    ("two dots out of an own conversation's threads", "GET /v2/conversations/{own}/threads/../../{foreign}"),
    ("two dots, encoded", "GET /v2/conversations/{own}/%2e%2e/{foreign}"),
    ("two dots, encoded in capitals", "GET /v2/conversations/{own}/%2E%2E/{foreign}"),
    ("two dots, half encoded", "GET /v2/conversations/{own}/.%2e/{foreign}"),
    ("two dots, encoded twice", "GET /v2/conversations/{own}/%252e%252e/{foreign}"),
    ("two dots, overlong in UTF-8", "GET /v2/conversations/{own}/%c0%ae%c0%ae/{foreign}"),
    ("two dots with a parameter", "GET /v2/conversations/{own}/..;/{foreign}"),
    ("four dots", "GET /v2/conversations/{own}/....//{foreign}"),
    ("a slash, encoded", "GET /v2/conversations%2f{foreign}"),
    ("a slash, encoded, in front of dots", "GET /v2/conversations/{own}%2f..%2f{foreign}"),
    ("a slash, encoded twice", "GET /v2/conversations/{own}%252f..%252f{foreign}"),
    ("all slashes encoded", "GET /v2%2Fconversations%2F{foreign}"),
    ("backslashes", "GET /v2\\conversations\\{foreign}"),
    ("backslashes with dots", "GET /v2/conversations/{own}\\..\\{foreign}"),
    ("a backslash, encoded", "GET /v2/conversations/{own}%5c..%5c{foreign}"),
    ("the version encoded", "GET /%762/conversations/{foreign}"),
    ("a digit of the id encoded", "GET /v2/conversations/{foreign_encoded}"),
    ("a letter of the path encoded", "GET /v2/%63onversations/{foreign}"),
    ("the version in capitals", "GET /V2/conversations/{foreign}"),
    ("the path in capitals", "GET /v2/CONVERSATIONS/{foreign}"),
    ("a capital in the path", "GET /v2/Conversations/{foreign}"),
    ("a dot at the end", "GET /v2/conversations/{foreign}."),
    ("dots at the end of the path's part", "GET /v2/conversations./{foreign}"),
    ("a file's ending", "GET /v2/conversations/{foreign}.json"),
    ("a space at the end, encoded", "GET /v2/conversations/{foreign}%20"),
    ("a line's end, encoded", "GET /v2/conversations/{foreign}%0a"),
    ("a carriage return and a header, encoded", "GET /v2/conversations/{foreign}%0d%0aX:%20y"),
    ("a tab, encoded", "GET /v2/conversations/%09{foreign}"),
    ("a zero byte, encoded", "GET /v2/conversations/{foreign}%00"),
    ("a zero byte between two ids", "GET /v2/conversations/{own}%00{foreign}"),
    ("a semicolon at the end", "GET /v2/conversations/{foreign};"),
    ("a parameter in the path", "GET /v2/conversations;a=b/{foreign}"),
    ("a session in the path", "GET /v2/conversations/{foreign};jsessionid=1"),
    ("a plus in front of the id", "GET /v2/conversations/+{foreign}"),
    ("a minus in front of the id", "GET /v2/conversations/-{foreign}"),
    ("zeros in front of the id", "GET /v2/conversations/000{foreign}"),
    ("a decimal point in the id", "GET /v2/conversations/{foreign}.0"),
    ("an exponent in the id", "GET /v2/conversations/{foreign}e0"),
    ("an underscore in the id", "GET /v2/conversations/{foreign_underscored}"),
    ("the id in hexadecimal", "GET /v2/conversations/{foreign_hex}"),
    ("two ids with a comma", "GET /v2/conversations/{own},{foreign}"),
    ("two ids with an ampersand", "GET /v2/conversations/{own}&{foreign}"),
    ("quotes around the id", "GET /v2/conversations/'{foreign}'"),
    ("brackets around the id", "GET /v2/conversations/[{foreign}]"),
    ("digits of another script, encoded", "GET /v2/conversations/{foreign_arabic}"),
    ("digits of another script, as bytes", "GET /v2/conversations/{foreign_fullwidth}"),
    ("an id of a thousand digits", "GET /v2/conversations/{zeros}{foreign}"),
    ("an id beyond 64 bits", "GET /v2/conversations/{foreign_wrapped}"),
    ("a path of twenty thousand characters", "GET /v2/conversations/{own}{long}/{foreign}"),
    ("another version of the API", "GET /v4/conversations/{foreign}"),
    ("a version with a point", "GET /v2.0/conversations/{foreign}"),
    ("no version", "GET /conversations/{foreign}"),
    ("the old version's ending", "GET /v1/conversations/{foreign}.json"),
    ("the path of a store of files", "GET /v2/blobs/{foreign}"),
    ("an absolute address", "GET http://127.0.0.1/v2/conversations/{foreign}"),
    ("an absolute address of another host", "GET http://evil.example/v2/conversations/{foreign}"),
    ("an absolute address with dots", "GET http://x/v2/conversations/{own}/../{foreign}"),
    ("a fragment", "GET /v2/conversations/{foreign}#/{own}"),
    ("a question mark, encoded", "GET /v2/conversations/{foreign}%3fembed=threads"),
    ("two question marks", "GET /v2/conversations/{foreign}??embed=threads"),
    ("a foreign path in the query", "GET /v2/conversations/{own}?/../{foreign}"),
    ("the id once more in the query", "GET /v2/conversations/{own}?id={foreign}&conversationId={foreign}"),
    ("HEAD", "HEAD /v2/conversations/{foreign}"),
    ("OPTIONS", "OPTIONS /v2/conversations/{foreign}"),
    ("OPTIONS of everything", "OPTIONS *"),
    ("TRACE", "TRACE /v2/conversations/{foreign}"),
    ("CONNECT", "CONNECT /v2/conversations/{foreign}"),
    ("PROPFIND", "PROPFIND /v2/conversations/{foreign}"),
    ("a method that there is not", "STEAL /v2/conversations/{foreign}"),
    ("a method in small letters", "get /v2/conversations/{foreign}"),
    ("POST where there is only GET", "POST /v2/conversations/{foreign}"),
    ("PUT where there is only PATCH", "PUT /v2/conversations/{foreign}"),
    ("GET where there is only POST", "GET /v2/conversations/{foreign}/reply"),
    ("the version alone", "GET /v2"),
    ("the version with a slash", "GET /v2/"),
    ("an approval that is none of its own", "GET /v2/approvals/1"),
    ("an approval with a slash behind it", "GET /v2/approvals/1/"),
    ("an approval to be approved", "POST /v2/approvals/1/approve"),
]  # fmt: skip


def filled(world: World, line: str) -> str:
    foreign = str(world.foreign.conversation)
    return line.format(
        own=world.own.conversation,
        foreign=foreign,
        foreign_encoded="".join(f"%{ord(one):02x}" for one in foreign),
        foreign_underscored=f"{foreign[:3]}_{foreign[3:]}",
        foreign_hex=hex(int(foreign)),
        foreign_arabic="".join(f"%d9%{0xA0 + int(one):02x}" for one in foreign),
        foreign_fullwidth="".join(chr(0xFF10 + int(one)) for one in foreign).encode().decode("latin-1"),
        foreign_wrapped=2**64 + int(foreign),
        zeros="0" * 1000,
        long="/a" * 10_000,
    )


@on_any_database
@pytest.mark.parametrize("line", [line for _, line in LINES], ids=[words for words, _ in LINES])
def test_no_spelling_of_a_path_leads_to_a_foreign_conversation(world: World, line: str) -> None:
    with world.watched(world.narrow) as attempt:
        answer = attempt.raw(f"{filled(world, line)} HTTP/1.1")
        if "own}?" in line:
            assert (answer.status, answer.json()["id"]) == (200, world.own.conversation)
        else:
            assert answer.status in (400, 403, 404, 414), answer.everything[:1000]


OTHER_VERSIONS = ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "", "HTTP/1.1 HTTP/1.1", "ICE/1.0"]


@on_any_database
@pytest.mark.parametrize("version", OTHER_VERSIONS)
def test_no_version_of_the_protocol_leads_around_the_gateway(world: World, version: str) -> None:
    with world.watched(world.narrow) as attempt:
        line = f"GET /v2/conversations/{world.foreign.conversation} {version}".strip()
        assert attempt.raw(line).status in (0, 400, 403, 404, 505)


OVERRIDES: list[tuple[str, str, list[str], bytes]] = [
    ("X-HTTP-Method-Override", "", ["X-HTTP-Method-Override: DELETE"], b""),
    ("X-HTTP-Method", "", ["X-HTTP-Method: DELETE"], b""),
    ("X-Method-Override", "", ["X-Method-Override: DELETE"], b""),
    ("_method in the query", "?_method=DELETE", [], b""),
    ("method in the query", "?method=DELETE&httpMethod=DELETE", [], b""),
    ("_method in a form", "", ["Content-Type: application/x-www-form-urlencoded"], b"_method=DELETE"),
    ("_method in JSON", "", ["Content-Type: application/json"], b'{"_method":"DELETE"}'),
    ("X-Original-Method", "", ["X-Original-Method: DELETE"], b""),
]


@on_any_database
@pytest.mark.parametrize(
    ("query", "headers", "body"), [one[1:] for one in OVERRIDES], ids=[one[0] for one in OVERRIDES]
)
def test_no_header_or_parameter_makes_one_method_of_another(
    world: World, query: str, headers: list[str], body: bytes
) -> None:
    with world.watched(world.narrow) as attempt:
        for method, id in product(("GET", "POST", "PUT"), (world.own.conversation, world.foreign.conversation)):
            answer = attempt.raw(f"{method} /v2/conversations/{id}{query} HTTP/1.1", body, headers)
            mine = method == "GET" and id == world.own.conversation
            assert answer.status == (200 if mine else 403), answer.everything


SPOKEN_FOR = [
    "X-Original-URL: /v2/conversations/{foreign}", "X-Rewrite-URL: /v2/conversations/{foreign}",
    "X-Forwarded-Prefix: /v2/conversations/{foreign}", "X-Forwarded-Host: evil.example", "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Proto: https", "Forwarded: for=127.0.0.1;host=evil.example", "X-Real-IP: 127.0.0.1",
    "deskhand.agent: {{}}", "X-Deskhand-Agent: 1", "X-Account-Id: 1", "X-User-Id: {owner}",
    "Deskhand-Decision: allowed", "X-Mailbox-Id: {inbox}",
    "Accept: message/rfc822", "Accept: text/html, */*;q=0.1", "Range: bytes=0-100000",
    "If-None-Match: *", "Expect: 200-ok", "Upgrade: h2c", "Prefer: return=representation", "Cookie: session={owner}",
    "Proxy-Authorization: Bearer {token}", "X-Authorization: Bearer {token}",
]  # fmt: skip


@on_any_database
@pytest.mark.parametrize("header", SPOKEN_FOR, ids=lambda one: str(one).partition(":")[0])
def test_no_header_speaks_for_somebody_else(world: World, header: str) -> None:
    given = header.format(
        foreign=world.foreign.conversation, owner=world.desk.user_id, inbox=world.foreign.inbox, token=world.desk.token
    )
    with world.watched(world.narrow) as attempt:
        shown = attempt.raw("GET /v2/conversations?status=all HTTP/1.1", headers=[given])
        if shown.status == 200:
            listed = json.loads(shown.text)["_embedded"]["conversations"]
            assert {one["mailboxId"] for one in listed} == {world.own.inbox}
        else:
            assert shown.status in (400, 403), shown.everything
        path = f"/v2/conversations/{world.foreign.conversation}"
        assert attempt.raw(f"GET {path} HTTP/1.1", headers=[given]).status in (400, 403)


CREDENTIALS: list[tuple[str, list[str], tuple[int, ...]]] = [
    ("no credential", [], (401,)),
    ("the key in small letters of the scheme", ["Authorization: bearer {key}"], (200,)),
    ("the key in capitals of the scheme", ["Authorization: BEARER {key}"], (200,)),
    ("two spaces in front of the key", ["Authorization: Bearer  {key}"], (200,)),
    ("a tab in front of the key", ["Authorization: Bearer\t{key}"], (200,)),
    ("a space within the key", ["Authorization: Bearer {key} x"], (401,)),
    ("quotes around the key", ['Authorization: Bearer "{key}"'], (401,)),
    ("a comma behind the key", ["Authorization: Bearer {key},"], (401,)),
    ("the key's beginning alone", ["Authorization: Bearer dh_agent_"], (401,)),
    ("the key's beginning in capitals", ["Authorization: Bearer DH_AGENT_{secret}"], (401,)),
    ("the key as an administrator's", ["Authorization: Bearer dh_admin_{secret}"], (401,)),
    ("the key without its beginning", ["Authorization: Bearer {secret}"], (401,)),
    ("the key but for its last letter", ["Authorization: Bearer {short}"], (401,)),
    ("the key and one letter more", ["Authorization: Bearer {key}x"], (401,)),
    ("a key of ten thousand letters", ["Authorization: Bearer dh_agent_{long}"], (401, 400)),
    ("a wildcard", ["Authorization: Bearer dh_agent_%"], (401,)),
    ("a quote for the database", ["Authorization: Bearer dh_agent_'OR'1'='1"], (401,)),
    ("the agent's client id", ["Authorization: Bearer {client_id}"], (401,)),
    ("the agent's client secret", ["Authorization: Bearer {client_secret}"], (401,)),
    ("the key as a name for Basic", ["Authorization: Basic {basic}"], (401,)),
    ("the key without a scheme", ["Authorization: {key}"], (401,)),
    ("the key with another scheme", ["Authorization: Token {key}"], (401,)),
    ("the key in another header", ["X-Api-Key: {key}"], (401,)),
    ("the key in a cookie", ["Cookie: token={key}"], (401,)),
    ("the key twice", ["Authorization: Bearer {key}", "Authorization: Bearer {key}"], (200, 400)),
    ("the key, then rubbish", ["Authorization: Bearer {key}", "Authorization: Bearer x"], (401, 400)),
    ("rubbish, then the key", ["Authorization: Bearer x", "Authorization: Bearer {key}"], (401, 400)),
    ("two keys in one header", ["Authorization: Bearer {key}, Bearer {other}"], (401,)),
    ("the key on a folded line", ["Authorization:", " Bearer {key}"], (400, 401, 200)),
    ("a space in front of the colon", ["Authorization : Bearer {key}"], (400, 401)),
]


@on_any_database
@pytest.mark.parametrize(("headers", "statuses"), [one[1:] for one in CREDENTIALS], ids=[one[0] for one in CREDENTIALS])
def test_a_credential_is_read_in_one_way_only(world: World, headers: list[str], statuses: tuple[int, ...]) -> None:
    agent = world.narrow
    given = [
        one.format(
            key=agent.key, secret=agent.key.removeprefix("dh_agent_"), short=agent.key[:-1], long="a" * 10_000,
            client_id=agent.client_id, client_secret=agent.client_secret, basic="ZGhfYWdlbnRfOng=",
            other=world.wide.key,
        ) for one in headers
    ]  # fmt: skip
    with world.watched(agent) as attempt:
        answer = attempt.raw("GET /v2/conversations HTTP/1.1", headers=given, key="")
        assert answer.status in statuses, answer.everything
        if answer.status == 200:
            assert all(one["mailboxId"] == world.own.inbox for one in answer.json()["_embedded"]["conversations"])


OTHER_DOORS = [
    "/admin/v1/agents", "/admin/v1/audit", "/admin/v1/approvals", "/admin/v1/kill-switch", "/admin/v1/agents/1/grants",
    "/admin/v1/../v1/agents", "/admin/v1/connections", "/admin", "/admin/v1/audit/export?format=jsonl",
]  # fmt: skip


@on_any_database
@pytest.mark.parametrize("path", OTHER_DOORS)
def test_an_agents_key_opens_no_other_door(world: World, path: str) -> None:
    with world.watched(world.narrow) as attempt:
        for method in ("GET", "POST", "DELETE"):
            assert attempt.raw(f"{method} {path} HTTP/1.1").status in (401, 404, 405)


@on_any_database
def test_pages_show_an_agents_key_nothing_they_do_not_show_to_everybody(world: World) -> None:
    with world.watched(world.narrow) as attempt:
        for path in (
            "/", "/openapi.json", "/reference", "/healthz", "/readyz", "/metrics", "/v2/oauth2/token", "/console",
            "/console/log", "/search?query=a", "/settings/users", "/side", "/live",
        ):  # fmt: skip
            attempt.raw(f"GET {path} HTTP/1.1")
        for sent, heard in attempt.answers:
            world.require_nothing_leaked(sent, heard, frozenset())
        attempt.answers.clear()  # nobody's key was looked at, so that nothing is logged


# -- Bodies: what is sent is `PUT /v2/conversations/{own}/tags`

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


# -- Query strings

LISTED: list[tuple[str, str, tuple[int, ...]]] = [
    ("both inboxes with a comma", "mailbox={a},{b}", (403,)),
    ("both inboxes with an encoded comma", "mailbox={a}%2C{b}", (403,)),
    ("both inboxes one after another", "mailbox={a}&mailbox={b}", (403,)),
    ("the other inbox first", "mailbox={b}&mailbox={a}", (403,)),
    ("a space in front of the other", "mailbox={a},%20{b}", (403,)),
    ("zeros in front of the other", "mailbox=000{b}", (403,)),
    ("nothing but a comma", "mailbox=,", (200,)),
    ("an empty filter", "mailbox=", (200,)),
    ("an empty filter behind a full one", "mailbox={a}&mailbox=", (200,)),
    ("the filter as a list", "mailbox[]={b}", (200,)),
    ("the filter as an object", "mailbox[id]={b}", (200,)),
    ("the filter in capitals", "MAILBOX={b}", (200,)),
    ("the filter by another name", "mailboxId={b}&inbox={b}&mailboxes={b}&mailbox_id={b}", (200,)),
    ("the filter's name encoded", "%6dailbox={b}", (403,)),
    ("a zero byte", "mailbox={a}%00{b}", (400,)),
    ("a semicolon", "mailbox={a};mailbox={b}", (400,)),
    ("a text", "mailbox={b}x", (400,)),
    ("a minus", "mailbox=-{b}", (400,)),
    ("a plus", "mailbox=%2B{b}", (400,)),
    ("digits of another script", "mailbox=%D9%A5%D9%A0%D9%A2", (400,)),
    ("a wildcard", "mailbox=*", (400,)),
    ("a foreign folder", "folder={b_folder}", (403,)),
    ("a foreign folder in an own inbox", "mailbox={a}&folder={b_folder}", (403,)),
    ("an own folder in a foreign inbox", "mailbox={b}&folder={a_folder}", (403,)),
    ("a folder twice", "folder={a_folder}&folder={b_folder}", (400,)),
    ("a status twice", "status=all&status=active", (400,)),
    ("threads embedded twice", "embed=threads&embed=threads", (400,)),
    ("two queries", "query=(tag:everybody)&query=(mailboxid:{b})", (400,)),
    ("a page twice", "page=1&page=2", (400,)),
    ("bytes that are no UTF-8", "query=%ff", (400,)),
    ("a foreign number", "number={b_number}&status=all", (200,)),
    ("a foreign field", "customFieldsByIds={b_field}:{b_option}&mailbox={a}&status=all", (200,)),
    ("a foreign field without an inbox", "customFieldsByIds={b_field}:{b_option}&status=all", (200, 400)),
    ("a foreign tag", "tag={b_tag}&status=all", (200,)),
    ("sorted by inbox", "status=all&sortField=mailboxid&sortOrder=asc", (200,)),
    ("sorted by customer", "status=all&sortField=customerName&sortOrder=asc", (200,)),
    ("sorted by what can't be sorted by", "sortField=preview", (400,)),
    ("changed since ever", "status=all&modifiedSince=1970-01-01T00:00:00Z", (200,)),
    ("all with their threads", "status=all&embed=threads", (200,)),
    ("a query of twenty thousand characters", "query={long}", (414,)),
]


@pytest.mark.parametrize(("query", "statuses"), [one[1:] for one in LISTED], ids=[one[0] for one in LISTED])
def test_no_filter_opens_another_inbox(world: World, query: str, statuses: tuple[int, ...]) -> None:
    def asked(side: Any) -> str:
        return query.format(
            a=world.own.inbox, a_folder=world.own.folder, b=side.inbox, b_folder=side.folder, b_number=side.number,
            b_field=side.field, b_option=side.option, b_tag=side.words["tag"], long="a" * 20_000,
        )  # fmt: skip

    with world.watched(world.narrow) as attempt:
        answer = attempt.raw(f"GET /v2/conversations?{asked(world.foreign)} HTTP/1.1")
        assert answer.status in statuses, answer.everything[:1000]
        other = attempt.raw(f"GET /v2/conversations?{asked(world.nothing)} HTTP/1.1")
        if answer.status != 200:
            assert alike(answer) == alike(other)
            return
        found, none = answer.json(), other.json()
        assert {one["mailboxId"] for one in found["_embedded"]["conversations"]} <= {world.own.inbox}
        assert found["page"] == none["page"]


QUERIES = [
    "(mailboxid:{b})", "(mailboxid:{a} OR mailboxid:{b})", "(NOT mailboxid:{a})", "(-mailboxid:{a})",
    "(mailboxid:[0 TO 999999])", "mailboxid:{b}", '(mailbox:"Inbox {word[inbox]}")', "(mailbox:Inbox)",
    "(subject:{word[subject]})", '(subject:"{word[subject]}" OR status:active)', "(body:{word[body]})", "{word[body]}",
    '"{word[body]}"', "({word[note]})", "({word[draft]})", "{word[reply]}", "(subject:{word[shared]})",
    '(email:"{word[email]}@buyer.example")', "(email:{word[email]})", "(tag:{word[tag]})", "(customerIds:{customer})",
    "(id:{conversation})", "(number:{number})", "(id:{conversation} OR id:1)", "(assigned:{word[user]})",
    "(attachments:true)", "(attachmentFileName:{word[file]})", "(modifiedAt:[* TO *])", "(status:*)", "*", "**",
    "(mailboxid:{a}) OR (mailboxid:{b})", "mailboxid:{a}) OR (mailboxid:{b}", "(((((mailboxid:{b})))))",
    '(subject:"a" OR mailboxid:"{b}")', "(mailboxid:{a} AND (NOT mailboxid:{a} OR mailboxid:{b}))",
    "(mailboxid:{b} AND NOT subject:nothing)", "NOT subject:nothing", "-subject:nothing", "(",
    ")", '"', "(subject:*)", "(subject:z*)", "(SUBJECT:{word[subject]})", "(subject :{word[subject]})",
    "(customFields:{word[option]})", "(createdAt:[2000-01-01T00:00:00Z TO *])", "\\(mailboxid:{b}\\)",
    "{word[first]}", "{word[mail]}", "{word[cc]}", "' OR 1=1 --", "(subject:\"' OR 1=1 --\")", "%", "_",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_no_search_finds_what_lies_elsewhere(world: World, query: str) -> None:
    def asked(side: Any) -> str:
        return query.format(
            a=world.own.inbox, b=side.inbox, word=side.words, customer=side.customer, conversation=side.conversation,
            number=side.number,
        )  # fmt: skip

    with world.watched(world.narrow) as attempt:
        for more in ({}, {"embed": "threads"}):
            there = attempt.get("/v2/conversations", query=asked(world.foreign), status="all", **more)
            nowhere = attempt.get("/v2/conversations", query=asked(world.nothing), status="all", **more)
            assert (there.status, there.reason) == (nowhere.status, nowhere.reason)
            if there.status != 200:
                assert there.status in (400, 403), there.everything
                continue
            found, none = there.json(), nowhere.json()
            assert {one["mailboxId"] for one in found["_embedded"]["conversations"]} <= {world.own.inbox}
            assert found["page"] == none["page"]
            assert len(found["_embedded"]["conversations"]) == min(found["page"]["totalElements"], 25)


def test_only_threads_that_may_be_read_can_be_searched(world: World) -> None:
    scope = everything_in(world.own.inbox)
    del scope["threads"]
    agent = world.standing("without threads", resources=scope)
    queries = [one for one in QUERIES if "{word[body]}" in one or one in ("*", "{word[first]}", "(attachments:true)")]
    with world.watched(agent) as attempt:
        for query in queries:
            given = query.format(word=world.own.words)
            answer = attempt.get("/v2/conversations", query=given, status="all")
            assert (answer.status, answer.json().get("missing")) == (403, {"resource": "threads", "level": "read"})
        assert attempt.get("/v2/conversations", embed="threads").status == 403
        assert attempt.get(f"/v2/conversations/{world.own.conversation}", embed="threads").status == 403
        for embed in ("THREADS", "threads,customers", "threads ", "customers"):
            assert attempt.get(f"/v2/conversations/{world.own.conversation}", embed=embed).status == 400
        shown = attempt.get(f"/v2/conversations/{world.own.conversation}")
        assert world.own.words["body"] not in shown.text and world.own.words["note"] not in shown.text


PIECES = (
    "(", ")", " ", '"', "'", ":", "subject:", "SUBJECT:", "body:", "tag:", "id:", "mailboxid:", "+", "-", "NOT ",
    "AND ", "OR ", "NOT", "AND", "OR", "TO", "[", "]", "{", "}", "*", "\\", "\u201c", "\u201d", "\u201e", "a", "secret",
    "5", "NOW", "2020-01-01", "[1 TO 2]", "{* TO 5}", '"a b"', "\t", "\n", "\u00a0", "\u2003", "\u017fubject:",
    "\u0131d:", "email:a@b", "x.y:", "//", "http://", ",", "!", "&", "|", "~", "^", ".", "\uff41", "subject :",
    "subject: ", "\u200b", "\ufeff", "number:[", 'tag:"', "attachments:true",
)  # fmt: skip


def test_what_the_gateway_takes_for_no_search_of_texts_the_desk_takes_for_none_too() -> None:
    random = Random(4)
    queries = ["".join(random.choices(PIECES, k=random.randint(1, 8))) for _ in range(20_000)]
    for query in (one for one in queries if not reads_texts(one)):
        try:
            found = list(fields(parse(query)))
        except SyntaxProblem:
            continue
        assert all((one.field or "").lower() in ANSWERED_BY_CONVERSATIONS for one in found), query


ANSWERED_BY_CONVERSATIONS = {
    "assigned", "createdat", "customerids", "email", "id", "mailbox", "mailboxid", "modifiedat", "number", "status",
    "subject", "tag",
}  # fmt: skip
