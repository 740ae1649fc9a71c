"""HTML as text: what a reader of the other half of the mail sees."""

from __future__ import annotations

import time

import pytest

from deskhand.lib.html_text import readable, says_anything


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Hello", "Hello"),
        ("One\nTwo\r\n\r\nThree  \n", "One\nTwo\n\nThree"),
        ("1 < 2 &amp; 3", "1 < 2 & 3"),
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        ("<p>\n  Some\n  <b>bold</b>   words\n</p>", "Some bold words"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("<div><br></div><div>One</div>", "One"),
        ("<ul><li>One</li><li>Two<ul><li>Deep</li></ul></li></ul>After", "- One\n- Two\n  - Deep\n\nAfter"),
        ("<ol><li>One<li>Two</ol>", "1. One\n2. Two"),
        ("<p>Hi</p><blockquote><p>You wrote</p><p>this</p></blockquote><p>Yes</p>",
         "Hi\n\n> You wrote\n>\n> this\n\nYes"),
        ('<a href="https://x.example/?a=1&amp;b=2">here</a>.', "here (https://x.example/?a=1&b=2)."),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example"),
        ("<a href='mailto:p@x.example'>p@x.example</a>", "p@x.example"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ('See <img src="https://x.example/a.png"> and <img src="cid:1">', "See [https://x.example/a.png] and"),
        ("<h1>Title</h1>Text", "Title\n\nText"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>a\n  b</pre>c", "a\n  b\n\nc"),
        ("a<hr>b", "a\n\n--------------------\n\nb"),
        ("<head><title>x</title></head><style>p{}</style><p>y</p><script>z</script>", "y"),
        ("a<!-- b -->c<!-- d", "ac"),
        ("<p>a", "a"),
        ("</blockquote></ul></a>a<b", "a"),
        ("&lt;b&gt;", "<b>"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_text_keeps_the_shape(html: str, text: str):
    assert readable(html) == text


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<!--", "<!", "<script>", "<blockquote>", "<ul><li>", "&", "<a href='", "</a>"]
)
def test_nonsense_is_read_in_no_time(piece: str):
    began = time.thread_time()
    readable(piece * (1_000_000 // len(piece)))
    assert time.thread_time() - began < 10


@pytest.mark.parametrize("piece", ["<b>a</b>", "<a href=http://x>y</a>"])
def test_one_long_line_takes_time_by_its_length_and_no_more(piece: str):
    began = time.thread_time()
    readable(piece * (6_000_000 // len(piece)))
    assert time.thread_time() - began < 12


@pytest.mark.parametrize(
    "html",
    ["", " \n", "<p> </p>", "<p>&nbsp;</p><br>", "<style>p {}</style>", "<!-- x -->", "<hr>", "<p><b>x</b>", "x",
     "&amp;", "<a href='https://x.example'></a>", "<img src='https://x.example/a.png'>", "<pre>\n\n</pre>",
     "<ul><li></ul>"],
)  # fmt: skip
def test_whether_it_says_anything_is_told_without_making_the_text(html: str) -> None:
    assert says_anything(html) == bool(readable(html).strip())
