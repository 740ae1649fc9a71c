"""What threads say, made fit for a page: a corpus of hostile mails, links, pictures, history, plain text."""

from __future__ import annotations

import re
import time

import pytest
from lxml import html
from lxml.html import HtmlElement
from markupsafe import Markup

from deskhand.web.inbox.bodies import DEEPEST, Body, body
from tests.web.inbox import hostile

KNOWN = {
    *("a", "abbr", "address", "b", "bdi", "big", "blockquote", "br", "caption", "center", "cite", "code", "dd", "del"),
    *("details", "dfn", "div", "dl", "dt", "em", "hr", "i", "img", "ins", "kbd"),
    *("li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "summary", "sup"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr"),
}
HARMLESS = {
    *("href", "rel", "target", "title", "dir", "lang", "src", "alt", "width", "height", "loading", "referrerpolicy"),
    *("start", "colspan", "rowspan", "class"),
}
CLASSES = {None, "remote", "leads", "inline"}


def tree(shown: Body) -> HtmlElement:
    return html.fragment_fromstring(f"{shown.html}{shown.quoted}", create_parent="div")


def text(shown: Body) -> str:
    return " ".join(tree(shown).text_content().split())


@pytest.mark.parametrize("images", [False, True])
def test_no_hostile_mail_has_anything_to_run_or_to_load(images: bool) -> None:
    assert len(hostile.ALL) >= 60
    for given in hostile.ALL:
        shown = body(given, files={"a@b": 7}, images=images)
        for one in tree(shown).iter():
            if not isinstance(one.tag, str) or one.getparent() is None:
                continue
            assert one.tag in KNOWN, given[:200]
            assert set(one.attrib) <= HARMLESS, (given[:200], dict(one.attrib))
            assert one.get("class") in CLASSES
            assert re.match(r"(?:https?://|mailto:|tel:)", one.get("href", "tel:")), given[:200]
            source = one.get("src", "/attachments/7")
            remote = images and re.match(r"https?://", source)
            assert remote or re.fullmatch(r"/attachments/7|data:image/(?:png|jpe?g|gif|webp);base64,.*", source)
            assert one.tag != "a" or (one.get("target"), one.get("rel")) == ("_blank", "noopener noreferrer nofollow")


def test_no_hostile_mail_reaches_out_of_its_place_or_lies_deep() -> None:
    for given in hostile.ALL:
        shown = body(given)
        page = (
            f"<main><article><div id=before>{shown.html}</div><p id=after>after</p></article></main><footer>x</footer>"
        )
        whole = html.document_fromstring(page)
        assert whole.xpath("count(//main/article/p[@id='after'])") == 1, given[:200]
        assert whole.xpath("count(//body/footer)") == 1, given[:200]
        depth = max(sum(1 for _ in one.iterancestors()) for one in tree(shown).iter())
        assert depth <= DEEPEST + 5


def test_every_hostile_mail_is_read_in_bounded_time_and_grows_little() -> None:
    for given in hostile.ALL:
        body.__globals__["_kept"].cache_clear()
        began = time.process_time()
        shown = body(given)
        assert time.process_time() - began < 1.0, given[:100]
        assert len(shown.html) <= 6 * len(given) + 2_000, given[:100]
        assert len(shown.html) < 1_500_000


def test_an_ordinary_mail_keeps_its_shape() -> None:
    shown = body(
        "<h1>Hi</h1><p>One <b>two</b> <i>three</i></p><ul><li>a</li></ul><table><tr><td colspan=2>x</td></tr></table>"
    )
    assert str(shown.html) == (
        "<p><strong>Hi</strong></p><p>One <b>two</b> <i>three</i></p><ul><li>a</li></ul>"
        '<table><tbody><tr><td colspan="2">x</td></tr></tbody></table>'
    )


def test_text_after_the_end_of_the_page_is_not_lost() -> None:
    assert "outside" in body("<p>inside</p></body></html><p>outside</p>").html
    assert "in a form" in body("<form action=https://evil.example><p>in a form</p></form>").html


def test_pictures_from_elsewhere_are_left_out_until_asked() -> None:
    mail = "<p>See <img src='https://shop.example/a.png' alt='our offer' width=300></p>"
    without, with_them = body(mail), body(mail, images=True)
    assert without.remote == 1 and "shop.example" not in without.html and "our offer" in without.html
    assert with_them.remote == 1 and 'src="https://shop.example/a.png"' in with_them.html
    assert 'referrerpolicy="no-referrer"' in with_them.html


def test_pictures_that_only_count_readers_are_never_loaded() -> None:
    shown = body("<img src='https://t.example/o.gif' width=1 height=1><p>x</p>", images=True)
    assert shown.remote == 0 and "t.example" not in shown.html


def test_pictures_that_came_along_are_shown_in_place() -> None:
    shown = body("<p><img src='cid:lamp@mail' alt='A lamp'><img src='cid:other'></p>", files={"lamp@mail": 42})
    assert shown.html.count("<img") == 1
    assert 'src="/attachments/42" alt="A lamp"' in shown.html


def test_a_text_can_not_name_attachments_of_others() -> None:
    assert "<img" not in body("<img src='/attachments/42'><img src='cid:42'>").html


def test_small_pictures_in_the_text_are_shown_and_large_ones_not() -> None:
    small, large = "data:image/png;base64,iVBORw0KGgo=", "data:image/png;base64," + "A" * 70_000
    assert small in body(f"<p><img src='{small}'></p>").html
    assert "<img" not in body(f"<p><img src='{large}'></p>").html


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("<a href='https://evil.example/x'>https://bank.example/login</a>", "evil.example"),
        ("<a href='https://evil.example/x'>www.bank.example</a>", "evil.example"),
        ("<a href='https://bank.example@evil.example/'>the bank</a>", "evil.example"),
        ("<a href='https://xn--80ak6aa92e.example/'>apple</a>", "xn--80ak6aa92e.example"),
        ("<a href='https://192.0.2.7/login'>sign in</a>", "192.0.2.7"),
        ("<a href='https://аpple.example/'>apple</a>", "xn--pple-43d.example"),
        ("<a href='https://bank.example.evil.example/'>bank.example</a>", "bank.example.evil.example"),
    ],
)
def test_a_link_that_leads_elsewhere_says_where_to(link: str, host: str) -> None:
    leads = tree(body(f"<p>{link}</p>")).cssselect("a .leads")
    assert [one.text_content().strip() for one in leads] == [f"→ {host}"]


@pytest.mark.parametrize(
    "link",
    [
        "<a href='https://bank.example/login'>https://bank.example/login</a>",
        "<a href='https://www.bank.example/login'>bank.example</a>",
        "<a href='https://mail.bank.example/'>bank.example</a>",
        "<a href='https://shop.example/order/7'>your order</a>",
        "<a href='https://shop.example/'>Version 2.0 is here</a>",
        "<a href='https://shop.example/'>ada@bank.example</a>",
        "<a href='mailto:ada@desk.example'>bank.example</a>",
    ],
)
def test_an_honest_link_stays_plain(link: str) -> None:
    assert not tree(body(f"<p>{link}</p>")).cssselect(".leads")


def test_history_is_parted_from_what_was_written() -> None:
    shown = body(
        "<p>Thanks, it works.</p><div>On Mon, 3 Nov 2026 at 10:12, Ada &lt;ada@desk.example&gt; wrote:<br></div>"
        "<blockquote type=cite><p>Did you try the other socket?</p></blockquote>"
    )
    assert text(Body(shown.html, Markup(""), 0)) == "Thanks, it works."
    assert "other socket" in shown.quoted and "Ada" in shown.quoted


def test_history_that_was_parted_before_is_cleaned_as_well() -> None:
    shown = body("<p>New</p>", "<p onclick=x>Old <img src='https://t.example/1.png'><script>1</script></p>")
    assert shown.remote == 1
    assert str(shown.quoted) == '<p>Old <span class="remote">image</span></p>'


def test_plain_text_keeps_its_paragraphs_and_lines_and_its_addresses_are_links() -> None:
    shown = body("Hello,\n\nsee https://desk.example/a?b=1&c=2.\nOr write to ada@desk.example\n\n\nBye")
    paragraphs = tree(shown).cssselect("p")
    assert [one.text_content() for one in paragraphs] == [
        "Hello,", "see https://desk.example/a?b=1&c=2.\nOr write to ada@desk.example", "Bye",
    ]  # fmt: skip
    assert [one.get("href") for one in tree(shown).cssselect("a")] == [
        "https://desk.example/a?b=1&c=2", "mailto:ada@desk.example",
    ]  # fmt: skip


def test_signs_in_plain_text_stand_for_themselves() -> None:
    assert text(body("3 < 4 & Tom &amp; Jerry <ada@desk.example>")) == "3 < 4 & Tom & Jerry <ada@desk.example>"


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    shown = body("word " * 100_000)
    assert "too long to be shown here" in shown.html and len(shown.html) < 400_000
