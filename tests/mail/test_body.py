"""What a mail says: nothing that was written gets lost on the way, and no piece reaches into the next."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from deskhand.mail.body import QUOTED_LENGTH, Said, body

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Write to Ada <ada@desk.example>, please.", "It is at <https://desk.example/a?b=1>.", "Press <Ctrl> and <F4>.",
        "if x<y and c>d", "1 < 2 <= 3 <> 4", "<- here", "List<String> names", "See <mailto:ada@desk.example>.",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_tag_arrives(text: str) -> None:
    assert body(text).text == text
    assert body(f"<p>{text}</p>").text == text
    assert text in body("Yes.", earlier=[Said("Paul", "p@x.example", AT, text)]).text


def test_a_text_with_an_address_in_it_keeps_its_lines() -> None:
    assert body("See <https://desk.example/a>\nThanks").text == "See <https://desk.example/a>\nThanks"


@pytest.mark.parametrize(
    "html",
    [
        "<!doctype html><html><head><title>x</title></head><body><p>Hi</p></body></html>", "<o:p></o:p><p>Hi</p>",
        "<!-- [if mso]><xml></xml><![endif]--><p>Hi", "<P CLASS=x>Hi</P><st1:place>", "<?xml:namespace prefix = o />Hi",
        "<input><form><button></button></form><svg><path d='x'/></svg><p>Hi<br/></p>",
    ],
)  # fmt: skip
def test_no_tag_is_shown(html: str) -> None:
    assert body(html).text.strip() == "Hi"


def test_half_a_tag_at_the_end_of_what_is_quoted_is_left_out() -> None:
    html = f"<p>{'x' * (QUOTED_LENGTH - 20)}</p><blockquote>yes</blockquote>"
    text = body("Yes.", earlier=[Said("Paul", "p@x.example", AT, html)]).text
    assert ("<" in text.split("wrote:")[1], "[…]" in text) == (False, True)


def test_many_of_them_take_no_time() -> None:
    began = time.thread_time()
    for one in ("<", "<b", "<b ", "</", "<a:", "<!"):
        body(one * 20_000)
    assert time.thread_time() - began < 5
