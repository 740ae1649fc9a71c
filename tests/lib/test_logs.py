"""Log lines: whole, one a line, without what is nobody's business."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from deskhand.lib import logs

Written = Callable[[], list[str]]


def set_up(format: str, level: str = "info") -> Written:
    stream = io.StringIO()
    logs.set_up(format, level, stream)
    return lambda: stream.getvalue().removesuffix("\n").split("\n") if stream.getvalue() else []


def only(written: Written) -> dict[str, Any]:
    (line,) = written()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_json_line_has_all_that_the_api_says():
    written = set_up("json")
    extra = {"correlation_id": "1234", "operation": "get_user", "status": 200, "milliseconds": 1.25}
    logging.getLogger("deskhand.api").info("%s %s %d", "GET", "/v2/users/7", 200, extra=extra)
    line = only(written)
    assert line.pop("ts").endswith("Z")
    assert line == {"level": "info", "logger": "deskhand.api", "message": "GET /v2/users/7 200", **extra}


def test_a_field_without_a_value_is_left_out():
    written = set_up("json")
    logging.getLogger("deskhand.api").info("x", extra={"operation": None})
    assert "operation" not in only(written)


def test_a_text_line_is_for_people():
    written = set_up("text")
    logging.getLogger("deskhand.api").warning("slow", extra={"operation": "get_user"})
    (line,) = written()
    assert line.endswith(" warning deskhand.api: slow  operation=get_user")


@pytest.mark.parametrize("format", ["json", "text"])
def test_who_chooses_a_path_writes_no_lines(format: str):
    written = set_up(format)
    logging.getLogger("deskhand.api").info("GET %s", "/v2/\n2026-11-23 error deskhand: all is lost\x1b[2J\u2028x")
    (line,) = written()
    assert "\x1b" not in line


def test_an_exception_is_one_field_with_its_causes():
    written = set_up("json")
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError:
        logging.getLogger("deskhand.api").exception("a call failed")
    thrown = only(written)["exception"]
    assert thrown.index("ValueError: outer") < thrown.index("caused by") < thrown.index("KeyError: 'inner'")
    assert "test_logs.py" in thrown


def test_of_an_exceptions_message_later_lines_are_left_out_because_they_quote_rows():
    written = set_up("json")
    try:
        raise ValueError('null value in column "body"\nDETAIL:  Failing row contains (1, Dear Ms Holm, my card is)')
    except ValueError as problem:
        logging.getLogger("deskhand.api").exception("%s", problem)
    line = json.dumps(only(written))
    assert "null value in column" in line
    assert "Holm" not in line


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc123def", "abc123def"),
        ("authorization: basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("can't reach postgresql://desk:hunter2@db:5432/desk", "hunter2"),
        ('{"client_secret": "s3cr3t", "x": 1}', "s3cr3t"),
        ("grant?refresh_token=r3fr3sh&x=1", "r3fr3sh"),
        ("access_token='acc355'", "acc355"),
        ("password=pa55word", "pa55word"),
    ],
)
@pytest.mark.parametrize("format", ["json", "text"])
def test_credentials_are_taken_out(format: str, text: str, secret: str):
    written = set_up(format)
    logging.getLogger("deskhand.oauth").warning("%s", text, extra={"where": text})
    (line,) = written()
    assert secret not in line


def test_addresses_and_plain_words_stay():
    text = "listens on http://127.0.0.1:8080, asked for a token by user@desk.example, at /v2/oauth2/token"
    assert logs.scrubbed(text) == text


def test_third_parties_only_warn():
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)  # servers of other tests set it
    written = set_up("json", "debug")
    for name in ("uvicorn.error", "alembic.runtime", "asyncio", "somebody.else"):
        logging.getLogger(name).info("chatter")
    logging.getLogger("uvicorn.error").error("trouble")
    logging.getLogger("deskhand.api").debug("ours")
    assert [json.loads(line)["message"] for line in written()] == ["trouble", "ours"]


def test_the_level_holds_for_our_own_lines():
    written = set_up("json", "warning")
    logging.getLogger("deskhand.api").info("left out")
    assert written() == []


def test_what_json_does_not_know_is_written_as_text():
    written = set_up("json")
    logging.getLogger("deskhand.api").info("x", extra={"folder": object})
    assert only(written)["folder"] == "<class 'object'>"
