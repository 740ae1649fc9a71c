"""What people write, as it is kept and sent."""

from __future__ import annotations

import time

import pytest
from lxml import html

from deskhand.catalogue.problems import TooLarge
from deskhand.web.inbox.cleaning import LONGEST, OF_FORMS, as_text, editable, paragraphs, written
from tests.web.inbox import hostile


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("<div>One</div><div>Two</div>", "<p>One</p><p>Two</p>"),
        ("<p>One</p><p><br></p><p>Two</p><p><br></p>", "<p>One</p><p><br></p><p>Two</p>"),
        ("<div><ul><li>a</li></ul><p>b</p></div>", "<ul><li>a</li></ul><p>b</p>"),
        ('<p style="color:red" class="x" id="y">a<span style="position:fixed">b</span></p>', "<p>ab</p>"),
        ('<a href=" java\tscript:x()">a</a>', "<a>a</a>"),
        ('<a href="mailto:a@b.example" onclick="x">b</a>', '<a href="mailto:a@b.example">b</a>'),
        ("<p>a<mark>{%x%}</mark></p>", "<p>a{%x%}</p>"),
        ('<img src="data:image/png;base64,x"><img src="http://a.example/x"><img src="/attachments/7">', ""),
        ('<img src="/attachments/5" onerror="x()">', '<img src="cid:five@deskhand">'),
        ('<img src="cid:else@deskhand">x', "x"),
        ("<p>&nbsp;</p><p><br></p>", ""),
        ("<pre>a\n  b</pre>", "<pre>a\n  b</pre>"),
    ],
)  # fmt: skip
def test_html_keeps_a_few_kinds_of_formatting(given: str, kept: str) -> None:
    assert written(given, "", {5: "five@deskhand"}) == kept


def test_a_plain_text_keeps_its_lines() -> None:
    assert written(" \n", "a\nb\n\n \n\nc & <d>\n") == "<p>a<br>b</p><p>c &amp; &lt;d&gt;</p>"
    assert paragraphs("") == ""
    assert as_text(written("", "a\nb\n\nc & <d>")) == "a\nb\n\nc & <d>"


def test_pictures_come_back_into_the_editor() -> None:
    assert editable('<p><img src="cid:five@deskhand"></p>', {"five@deskhand": 5}) == '<p><img src="/attachments/5"></p>'
    assert editable("a\nb") == "<p>a<br>b</p>"


HOSTILE = [one for group in vars(hostile).values() if isinstance(group, tuple) for one in group if isinstance(one, str)]


@pytest.mark.parametrize("given", HOSTILE)
def test_nothing_that_runs_or_loads_is_kept(given: str) -> None:
    for made in (written(f"<p>x</p>{given}"[:LONGEST], ""), editable(f"<p>x</p>{given}")):
        page = html.fragment_fromstring(made, create_parent=True)
        assert not page.xpath("//script | //style | //iframe | //object | //embed | //form | //input | //svg | //link")
        for element in page.iterdescendants():
            assert not [name for name in element.attrib if name.startswith("on") or name in ("style", "class", "id")]
            assert not (element.get("href") or "").strip().lower().startswith(("javascript", "data", "vbscript"))
            assert (element.get("src") or "https:").startswith("https:")


@pytest.mark.parametrize(
    "text",
    ["a" + "<br>" * 120_000 + "x", "a" + " " * 499_000 + "x", "<div" * 120_000, "<b>" * 160_000, "<p> " * 120_000],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    written(text, "")
    editable(text)
    assert time.process_time() - began < 10  # it took minutes


def test_a_text_is_never_cut_but_refused() -> None:
    assert written("a" * LONGEST, "").endswith("a")
    for given in (("a" * (LONGEST + 1), ""), ("", "a" * (LONGEST + 1))):
        with pytest.raises(TooLarge, match="500,000 characters"):
            written(*given)


def test_pictures_of_forms_lie_elsewhere() -> None:
    both = '<p>x<img src="/new/files/5"><img src="/attachments/5"></p>'
    assert written(both, "", {5: "five@deskhand"}, OF_FORMS) == '<p>x<img src="cid:five@deskhand"></p>'
    assert written(both, "", {5: "five@deskhand"}) == '<p>x<img src="cid:five@deskhand"></p>'
    assert editable('<img src="cid:five@deskhand">', {"five@deskhand": 5}, OF_FORMS) == '<img src="/new/files/5">'


def test_empty_lines_at_the_end_are_left_out() -> None:
    assert written("<p>One</p><p>Two</p><p>&nbsp;</p> <br><p> <br></p>\n", "") == "<p>One</p><p>Two</p>"
    assert written("<p>One<br>two</p>", "") == "<p>One<br>two</p>"


def test_tags_without_end_are_left_out_of_what_is_said() -> None:
    made = written("<blockquote>" * 1_000 + "Said.", "")
    assert "Said." in made and made.count("<blockquote>") < 100
