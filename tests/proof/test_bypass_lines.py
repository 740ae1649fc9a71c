"""Requests that two readers could take for different things, written byte by byte: none gets further than it should."""

from __future__ import annotations

import json
from itertools import product

import pytest

from tests.proof.bypass_world import World, on_any_database

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
