"""Going from page to page: scripts that a page needs come with it, and those of a newer server come all anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from deskhand.desk.inboxes.folders import Folder, folder_id
from deskhand.web import assets
from tests.web import chromium
from tests.web.people import signed_in, window
from tests.world import Desk

pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


def test_a_page_gone_to_brings_the_scripts_it_needs(desk: Desk, browser: Browser) -> None:
    desk.add_inbox()
    with window(browser, signed_in(desk)) as page:
        page.goto("/account")
        page.evaluate("window.same = true")
        loaded = 'performance.getEntriesByType("resource").map(one => one.name.split("/").pop())'
        assert "editor.js" not in page.evaluate(loaded)
        page.get_by_role("link", name="New conversation").click()
        expect(page.locator("[data-editor] [contenteditable=true]")).to_be_visible()
        assert "editor.js" in page.evaluate(loaded) and page.evaluate("window.same")


def test_a_page_of_a_newer_server_is_loaded_whole(desk: Desk, browser: Browser) -> None:
    folder = f"/folder/{folder_id(desk.add_inbox(), Folder.UNASSIGNED)}"
    here = assets.static("app.js").removesuffix("app.js")

    def newer(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace(here, "/static/0123456789abcdef/"))

    with window(browser, signed_in(desk)) as page:
        page.goto("/account")
        page.evaluate("window.same = true")
        page.route(f"**{folder}", newer)
        page.evaluate("path => document.querySelector(`a[href='${path}']`).click()", folder)
        page.wait_for_url(f"**{folder}")
        page.wait_for_load_state("load")
        assert not page.evaluate("window.same ?? false")
        page.keyboard.press("?")
        expect(page.locator("dialog[open]")).to_have_count(1)
