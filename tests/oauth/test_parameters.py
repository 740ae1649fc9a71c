"""Whatever a request for a token contains, it is read without failing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from deskhand.db.database import open_database
from deskhand.db.engine import Database, Unavailable
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.lib.clock import SystemClock
from deskhand.oauth import parameters
from deskhand.oauth.endpoint import TOKEN_PATH, TokenEndpoint
from deskhand.oauth.parameters import basic_credentials, fields, token_parameters

NAMES = st.sampled_from(["grant_type", "client_id", "client_secret", "code", "refresh_token", "x", ""])
VALUES = st.one_of(
    st.sampled_from(["client_credentials", "authorization_code", "refresh_token"]),
    st.text(max_size=20),
    st.none(),
    st.integers(),
    st.floats(),
    st.lists(st.integers(), max_size=3),
)
CONTENT_TYPES = st.one_of(
    st.sampled_from(
        [
            "application/json", "application/json;charset=utf-16", "application/x-www-form-urlencoded", "",
            'multipart/form-data; boundary="b"', "multipart/form-data; boundary=b", "multipart/form-data",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(NAMES, VALUES, max_size=5).map(lambda given: json.dumps(given).encode()),
    st.lists(st.tuples(NAMES, st.text(max_size=10)), max_size=5).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "surrogatepass")
    ),
    st.lists(st.tuples(NAMES, st.binary(max_size=10)), max_size=4).map(
        lambda pairs: (
            b"".join(
                b'--b\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"
                for name, value in pairs
            )
            + b"--b--\r\n"
        )
    ),
)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("tokens")
    upgrade(sqlalchemy_url("", folder / "deskhand.sqlite"))
    database = open_database("", folder)
    yield TokenEndpoint(database, SystemClock())
    database.close()


@settings(max_examples=300)
@given(body=BODIES, content_type=CONTENT_TYPES, query=st.binary(max_size=40), authorization=st.text(max_size=30))
def test_no_request_makes_the_endpoint_fail(
    endpoint: TokenEndpoint, body: bytes, content_type: str, query: bytes, authorization: str
) -> None:
    status, answer = call(endpoint, body, content_type, query, "Basic " + authorization)
    assert status in (400, 401)
    assert set(json.loads(answer)) == {"error", "error_description"}


def call(
    endpoint: TokenEndpoint, body: bytes, content_type: str, query: bytes, authorization: str
) -> tuple[int, bytes]:
    """One call without a network."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: Message) -> None:
        sent.append(event)

    headers = [
        (b"content-type", content_type.encode("latin-1")),
        (b"authorization", authorization.encode("utf-8", "surrogatepass")),
    ]
    scope = {"type": "http", "method": "POST", "path": TOKEN_PATH, "query_string": query, "headers": headers}
    asyncio.run(endpoint(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


def test_a_client_that_leaves_early_gets_no_answer(endpoint: TokenEndpoint) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(event: Message) -> None:
        raise AssertionError("nobody is there")

    scope = {"type": "http", "method": "POST", "path": TOKEN_PATH, "query_string": b"", "headers": []}
    asyncio.run(endpoint(scope, receive, send))


def test_a_body_that_does_not_arrive_is_not_waited_for(
    endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters, "BODY_WAIT_S", 0.05)
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(30)
        raise AssertionError("it should not have waited")

    async def send(event: Message) -> None:
        sent.append(event)

    scope = {"type": "http", "method": "POST", "path": TOKEN_PATH, "query_string": b"", "headers": []}
    asyncio.run(endpoint(scope, receive, send))
    assert sent[0]["status"] == 408


class Away:
    """A database that can't be reached."""

    async def read(self, work: object) -> None:
        raise Unavailable("it is away")

    write = read


def test_while_the_database_is_away_clients_are_asked_to_come_back() -> None:
    endpoint = TokenEndpoint(cast(Database, Away()), SystemClock())
    status, answer = call(endpoint, b"grant_type=client_credentials", "", b"", "")
    assert (status, json.loads(answer)["error"]) == (503, "temporarily_unavailable")


def test_of_a_repeated_parameter_the_first_counts() -> None:
    assert fields(b"a=1&a=2&b=&c=%C3%BC+%20") == {"a": "1", "b": "", "c": "ü  "}


def test_what_a_database_refuses_counts_as_missing() -> None:
    assert fields(b"a=%00&b=x%00y&a=2") == {"a": "2"}
    assert token_parameters("application/json", b'{"a":"x\\u0000","b":"ok"}', b"") == {"b": "ok"}


@pytest.mark.parametrize(
    "line", [b"Content-Disposition: form-data; name=code", b'content-disposition:form-data;name="code"']
)
def test_a_multipart_field_may_be_written_in_several_ways(line: bytes) -> None:
    body = b"--b-1\r\nContent-Type: text/plain\r\n" + line + b"\r\n\r\nabc\r\n--b-1--\r\n"
    for boundary in ("b-1", '"b-1"', "b-1; charset=utf-8"):
        assert token_parameters(f"multipart/form-data; boundary={boundary}", body, b"") == {"code": "abc"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("Bearer abc", None),
        ("Basic YTpi", ("a", "b")),
        ("  bAsIc   YTpi ", ("a", "b")),
        ("Basic YTpiOmM=", ("a", "b:c")),
        ("Basic YQ==", ("a", "")),
        ("Basic AGE6Yg==", ("", "")),
        ("Basic YTpi!", ("", "")),
        ("Basic //8=", ("", "")),
        ("Basic é", ("", "")),
    ],
)
def test_basic_credentials(header: str | None, expected: tuple[str, str] | None) -> None:
    assert basic_credentials(header) == expected
