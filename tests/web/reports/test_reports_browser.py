"""Reports in a real browser: nothing for axe to find, nothing wider than the window, the menu on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.live import LiveServer
from tests.web import chromium
from tests.web.people import DESKTOP, PHONE, Person, add_conversation, signed_in, window
from tests.world import open_desk

PAGES = ("conversations", "productivity", "happiness", "busy-times", "team", "agents")


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    server = LiveServer(tmp_path_factory.mktemp("reports"))
    desk = open_desk(server)
    inbox = desk.add_inbox("Orders")
    add_conversation(desk, inbox, tags=["an unusually long tag of a careful team", "refund"])
    yield signed_in(desk)
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Browser, person: Person, width: int, scheme: Literal["light", "dark"]
) -> None:
    with window(browser, person, width, color_scheme=scheme) as page:
        for name in PAGES:
            page.goto(f"/reports/{name}")
            found = Axe().run(page)
            assert found.violations_count == 0, f"{name}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        expect(page.locator("#main .menu-button")).to_be_visible(visible=width == PHONE)


def test_a_name_in_a_list_of_most_is_not_broken_letter_by_letter(browser: Browser, person: Person) -> None:
    with window(browser, person) as page:
        page.goto("/reports/conversations")
        row = page.locator(".tops tbody tr").filter(has_text="refund")
        height = row.bounding_box()
        assert height is not None and height["height"] < 48
