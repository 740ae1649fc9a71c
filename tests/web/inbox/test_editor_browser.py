"""The editor's lists, quotes and code in a real browser: what it makes of them, where the caret is, what undo does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.desk.conversations.builders import start
from tests.live import LiveServer
from tests.web import chromium
from tests.web.people import signed_in, window
from tests.world import Desk, open_desk

EDITOR = "#write-reply .writing-text"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("editor"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture
def desk(live: LiveServer) -> Desk:
    return open_desk(live)


def press(name: str) -> Callable[[Page], None]:
    """A button of the editor."""
    return lambda page: page.locator(f"#write-reply .editor-tools [data-do={name}]").click()


def key(name: str) -> Callable[[Page], None]:
    """A key or several at once."""
    return lambda page: page.keyboard.press(name)


CASES: list[tuple[list[str | Callable[[Page], None]], str]] = [
    (["- one\ntwo\n\nafter"], "<ul><li>one</li><li>two</li></ul><p>after</p>"),
    (["Intro\n1. one\n\nafter"], "<p>Intro</p><ol><li>one</li></ol><p>after</p>"),
    (["x", press("ul"), "y\nz"], "<ul><li>xy</li><li>z</li></ul>"),
    ([press("ul"), "y\nz"], "<ul><li>y</li><li>z</li></ul>"),
    (["x", press("ul"), press("ul"), "y"], "<p>xy</p>"),
    (["x\ny", key("Control+a"), press("ul"), press("ol")], "<ol><li>x</li><li>y</li></ol>"),
    (["- a\nb\nc", key("ArrowUp"), press("ul"), "Y"], "<ul><li>a</li></ul><p>bY</p><ul><li>c</li></ul>"),
    (["> one\ntwo\n\nafter"], "<blockquote><p>one</p><p>two</p></blockquote><p>after</p>"),
    (["x\ny", key("Control+a"), press("quote")], "<blockquote><p>x</p><p>y</p></blockquote>"),
    (
        ["a\nx **bo** y\nc", key("ArrowUp"), key("Home"), press("quote"), "Q"],
        "<p>a</p><blockquote><p>Qx <b>bo</b> y</p></blockquote><p>c</p>",
    ),
    (["x", press("quote"), press("quote"), "y"], "<p>xy</p>"),
    (["``` a\nb\n\nafter"], "<pre>a<br>b</pre><p>after</p>"),
    (["hello", press("ul"), key("Control+z"), "X"], "<p>helloX</p>"),
    (["hello", press("quote"), key("Control+z"), "X"], "<p>helloX</p>"),
]


def test_lists_quotes_and_code_are_what_they_should_be(browser: Browser, desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/conversation/{id}")
        for steps, wanted in CASES:
            page.keyboard.press("r")
            expect(page.locator(EDITOR)).to_be_focused()
            for step in steps:
                if isinstance(step, str):
                    page.keyboard.type(step)
                else:
                    step(page)
            html = page.locator(EDITOR).inner_html().replace("&nbsp;", " ").replace("<p></p>", "")
            assert html == wanted, steps
            page.evaluate("selector => { document.querySelector(selector).innerHTML = '<p><br></p>'; }", EDITOR)
            page.keyboard.press("Escape")
