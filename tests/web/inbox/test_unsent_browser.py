"""New conversations, forwards and notes with a script: kept while one types, taken back, and in two windows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.desk.conversations.builders import start
from tests.live import LiveServer
from tests.web import chromium
from tests.web.inbox.forms import write_form
from tests.web.inbox.test_drafts import PNG
from tests.web.inbox.test_forwarding import conversations
from tests.web.inbox.test_writing_browser import DROP
from tests.web.people import signed_in, window
from tests.world import Desk, open_desk

SAVED = re.compile(r"Saved \d\d:\d\d")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("unsent"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture
def desk(live: LiveServer) -> Desk:
    return open_desk(live)


def write_new(page: Page) -> None:
    """Fill in the form for a new conversation."""
    page.locator("#new-to").fill("ann@buyer.example")
    page.locator("#new-subject").fill("Your lamp")
    page.locator(".writing-text").click()
    page.keyboard.type("It is **ready** .")


def test_a_new_conversation_outlives_the_browser_and_is_taken_back_whole(browser: Browser, desk: Desk) -> None:
    desk.add_inbox()
    with window(browser, signed_in(desk)) as page:
        page.goto("/")
        page.keyboard.press("c")
        expect(page.locator("h1")).to_have_text("New conversation")
        write_new(page)
        page.evaluate(DROP, [".writing-text", "plan.png", "image/png", list(PNG)])
        expect(page.locator(".writing-text img")).to_have_attribute("src", re.compile(r"/new/files/\d+"))
        page.evaluate(DROP, [".write-foot", "bill.pdf", "application/pdf", [37, 80]])
        expect(page.locator("[data-files] button")).to_have_count(1)
        expect(page.locator("[data-kept]")).to_have_text(SAVED)
        page.reload()
        expect(page.locator(".writing-text b")).to_have_text("ready")
        expect(page.locator("#new-subject")).to_have_value("Your lamp")
        page.wait_for_function("sessionStorage.length === 0")  # what is left there the server has not yet
    with window(browser, signed_in(desk)) as page:
        page.goto("/")
        page.keyboard.press("c")
        page.locator(".unsent-line").click()
        expect(page.locator("[data-files]")).to_contain_text("bill.pdf")
        assert not Axe().run(page).response["violations"]
        page.locator(".writing-text").click()
        page.keyboard.press("Control+Enter")
        expect(page.locator("#said")).to_contain_text("Sent.")
        assert conversations(desk) == []
        page.keyboard.press("z")
        expect(page.locator("#said")).to_contain_text("Taken back")
        expect(page.locator("#new-to")).to_have_value("ann@buyer.example")
        expect(page.locator(".writing-text img")).to_be_visible()
        expect(page.locator("[data-files]")).to_contain_text("bill.pdf")
        page.locator("[data-discard]").click()
        expect(page.locator("#said")).to_contain_text("Discarded")
        page.goto("/new")
        expect(page.locator(".unsent-line")).to_have_count(0)


def test_a_forward_comes_back_and_is_taken_back(browser: Browser, desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/conversation/{id}")
        page.keyboard.press("f")
        page.keyboard.type("maker@parts.example")
        page.locator("#write-forward .writing-text").click()
        page.keyboard.type("Please look.")
        expect(page.locator("#write-forward [data-kept]")).to_have_text(SAVED)
        page.goto(f"/conversation/{id}")
        expect(page.locator("#write-forward .writing-text")).to_have_text("Please look.")
        page.locator("#write-forward [data-send]").click()
        expect(page.locator("#said")).to_contain_text("Forwarded to maker@parts.example.")
        page.keyboard.press("z")
        expect(page.locator("#said")).to_contain_text("Taken back")
        expect(page.locator("#write-forward .writing-text")).to_have_text("Please look.")
        assert len(conversations(desk)) == 1


def test_of_a_note_in_two_windows_neither_text_is_lost(browser: Browser, desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person, text = signed_in(desk), "#write-note .writing-text"
    with window(browser, person) as one, window(browser, person) as two:
        for page in (one, two):
            page.goto(f"/conversation/{id}?write=note")
            expect(page.locator(text)).to_be_focused()
        one.keyboard.type("From the first")
        expect(one.locator("#write-note [data-kept]")).to_have_text(SAVED)
        two.bring_to_front()
        two.keyboard.type("From the second")
        expect(two.locator("#write-note [data-elsewhere]")).to_be_visible()
        assert write_form(person, id, "note")["text"] == "From the first"
        expect(two.locator(text)).to_have_text("From the second")
        two.locator("#write-note [data-elsewhere-take]").click()
        expect(two.locator(text)).to_have_text("From the first")
        expect(two.locator("#write-note [data-kept]")).to_have_text(SAVED)


def test_without_script_it_is_kept_by_a_button(browser: Browser, desk: Desk) -> None:
    desk.add_inbox()
    with window(browser, signed_in(desk), java_script_enabled=False) as page:
        page.goto("/new")
        page.locator("#new-to").fill("ann@buyer.example")
        page.locator("#new-text").fill("Half")
        page.get_by_role("button", name="Save draft").click()
        expect(page.locator("#said")).to_contain_text("Saved.")
        expect(page.locator("#new-text")).to_have_value("Half")
