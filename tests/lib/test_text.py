"""Plain text out of hostile HTML: it takes a time that grows with the text, and loses nothing that can be read."""

from __future__ import annotations

import time

import pytest

from deskhand.lib.text import paragraphs, plain


@pytest.mark.parametrize("tag", ["<script ", "<STYLE/", "<title\t", "<br ", "</p ", "<a ", "<!", "</script "])
def test_a_tag_that_is_begun_again_and_again_and_never_closed_is_read_once(tag: str) -> None:
    hostile = "Hello " + tag * 20_000
    started = time.thread_time()
    assert plain(hostile) == "Hello"
    assert paragraphs(hostile)[:1] == ["Hello"]
    assert time.thread_time() - started < 1


def test_what_is_inside_scripts_and_styles_is_no_text() -> None:
    html = "<p>One<style>p {}</style> two<SCRIPT src='x'>three()</SCRIPT > four</p><script>five"
    assert plain(html) == "One two four"
    assert paragraphs("<head><title>x</title></head>One<br/>two<br class='x'>three") == ["One", "two", "three"]
