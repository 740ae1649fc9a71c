"""The reference pages in a real browser: filters, keys, links, layout, what axe finds. One browser for all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from deskhand.catalogue.operations import OPERATIONS
from deskhand.web.reference.entries import entries
from deskhand.web.reference.filters import Filter
from deskhand.web.reference.pages import GUIDES
from tests.live import LiveServer
from tests.web import chromium

Scheme = Literal["light", "dark"]
PHONE, TABLET, DESKTOP = 360, 768, 1280
SHIFTS = """
window.shifts = [];
new PerformanceObserver(list => { for (const one of list.getEntries()) shifts.push(one.value) })
  .observe({type: "layout-shift", buffered: true});
"""
FILTERS = [
    Filter(),
    Filter(q="customer"),
    Filter(q="CONVO.note created"),
    Filter(q="/v2/conversations/{conversation_id}/t"),
    Filter(method="DELETE"),
    Filter(access="write", group="threads"),
    Filter(grant="conversations:full"),
    Filter(q="list", method="GET", group="inboxes"),
    Filter(q="no such thing"),
]

GUIDE_PAGES = [f"/reference/{name}" for name in GUIDES]
OPERATION_PAGE = "/reference/create_conversation"


@pytest.fixture(scope="module")
def desk_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    live = LiveServer(tmp_path_factory.mktemp("reference"))
    yield live.url
    live.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture
def page(browser: Browser, desk_url: str) -> Iterator[Page]:
    """A desktop page; errors of scripts, refused files and messages on the console fail the test."""
    context = window(browser, desk_url)
    made = context.new_page()
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("console", lambda message: wrong.append(message.text))
    made.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
    yield made
    context.close()
    assert wrong == []


def window(
    browser: Browser, desk_url: str, width: int = DESKTOP, scheme: Scheme = "light", **more: Any
) -> BrowserContext:
    height = 760 if width == PHONE else 900
    return browser.new_context(
        base_url=desk_url, viewport={"width": width, "height": height}, color_scheme=scheme, **more
    )


def query_of(filter: Filter) -> str:
    return urlencode({name: value for name, value in filter.parameters.items() if value})


def shown(page: Page) -> list[str]:
    """The names of the operations that can be seen."""
    seen = "items => items.filter(item => item.checkVisibility()).map(item => item.dataset.name)"
    names: list[str] = page.locator(".entries > li").evaluate_all(seen)
    return names


def fill(page: Page, filter: Filter) -> None:
    for name, value in filter.parameters.items():
        if name == "q":
            page.locator("#q").fill(value)
        else:
            page.locator(f"#{name}").select_option(value)


# -- Filters


def test_filters_give_the_same_with_and_without_script(page: Page, browser: Browser, desk_url: str) -> None:
    plain = window(browser, desk_url, java_script_enabled=False)
    without = plain.new_page()
    page.goto("/reference")
    for filter in FILTERS:
        expected = [entry.name for entry in entries(OPERATIONS, "") if filter.takes(entry)]
        fill(page, filter)
        without.goto(f"/reference?{query_of(filter)}")
        for one in (page, without):
            assert shown(one) == expected, filter
            expect(one.locator("#found")).to_have_text(f"{len(expected)} of {len(OPERATIONS)} operations")
            expect(one.locator("#nothing")).to_be_visible(visible=not expected)
            expect(one.locator("#clear")).to_be_visible(visible=not filter.is_empty)
            groups = {entry.group.key for entry in entries(OPERATIONS, "") if entry.name in expected}
            expect(one.locator("section.group:visible")).to_have_count(len(groups))
    plain.close()


def test_the_form_works_without_script(browser: Browser, desk_url: str) -> None:
    context = window(browser, desk_url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/reference")
    fill(page, Filter(q="note", access="write"))
    page.get_by_role("button", name="Show", exact=True).click()
    assert parse_qs(urlsplit(page.url).query) == {"q": ["note"], "access": ["write"]}
    assert "add_note" in shown(page)
    expect(page.locator("#access")).to_have_value("write")
    page.locator("#clear").click()
    expect(page.locator(".entries > li:visible")).to_have_count(len(OPERATIONS))
    context.close()


def test_the_address_follows_the_filter_and_leads_back_to_it(page: Page) -> None:
    page.goto("/reference")
    fill(page, Filter(q="merged", method="GET"))
    assert parse_qs(urlsplit(page.url).query) == {"q": ["merged"], "method": ["GET"]}
    before = shown(page)
    page.reload()
    assert shown(page) == before and before
    page.locator("#clear").click()
    assert len(shown(page)) == len(OPERATIONS)
    assert page.evaluate("location.search") == ""
    page.go_back()
    assert shown(page) == before


def test_the_capability_map_filters_in_place(page: Page) -> None:
    page.goto("/reference")
    page.get_by_role("link", name="Threads: 5 that write").or_(
        page.locator('.map a[href*="group=threads&access=write"]')
    ).first.click()
    expected = [one.name for one in entries(OPERATIONS, "") if (one.group.key, one.access) == ("threads", "write")]
    assert shown(page) == expected
    assert parse_qs(urlsplit(page.url).query) == {"group": ["threads"], "access": ["write"]}


# -- Keys and links


def test_a_slash_begins_searching_and_escape_ends_it(page: Page) -> None:
    page.goto("/reference")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("tags/")
    expect(page.locator("#q")).to_have_value("tags/")
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_have_value("")
    assert len(shown(page)) == len(OPERATIONS)


def test_an_entry_opens_by_keyboard_and_its_address_opens_it_again(page: Page) -> None:
    page.goto("/reference")
    page.locator('li[data-name="add_note"] summary').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#add_note")).to_be_visible()
    expect(page).to_have_url(page.url.partition("#")[0] + "#add_note")
    page.goto("about:blank")
    page.goto("/reference?method=GET#add_note")
    expect(page.locator("#add_note")).to_be_visible()
    expect(page.locator('li[data-name="add_note"] summary')).to_be_in_viewport()


def test_focus_can_be_seen(page: Page) -> None:
    page.goto("/reference")
    for selector in ("#q", "#method", ".cards a", ".entries summary", ".side nav a", ".map td a"):
        page.keyboard.press("Tab")  # from now on the browser shows focus
        page.locator(selector).first.focus()
        ring = page.locator(selector).first.evaluate(
            "e => getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth"
        )
        assert ring == "solid2px", selector


def test_a_request_can_be_copied(browser: Browser, desk_url: str) -> None:
    context = window(browser, desk_url, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("/reference/add_note")
    page.get_by_role("button", name="Copy Request").click()
    expect(page.get_by_role("button", name="Copied Request")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -X POST") and f"{desk_url}/v2/conversations/" in copied
    context.close()


# -- Layout


@pytest.mark.parametrize("width", [PHONE, TABLET, DESKTOP])
def test_nothing_shifts_and_nothing_is_cut_off(width: int, browser: Browser, desk_url: str) -> None:
    context = window(browser, desk_url, width)
    context.add_init_script(SHIFTS)
    page = context.new_page()
    for path in ("/reference", "/reference?method=GET", "/reference/create_conversation", "/reference/events"):
        page.goto(path)
        page.wait_for_timeout(100)
        assert page.evaluate("shifts") == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()


def test_the_reference_is_whole_on_paper(page: Page) -> None:
    page.goto("/reference/create_conversation")
    page.emulate_media(media="print")
    expect(page.locator(".side")).to_be_hidden()
    expect(page.locator(".fields").first).to_be_visible()
    assert page.locator(".examples pre").first.evaluate("e => getComputedStyle(e).maxHeight") == "none"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system(scheme: Scheme, browser: Browser, desk_url: str) -> None:
    context = window(browser, desk_url, scheme=scheme)
    page = context.new_page()
    page.goto("/reference")
    red = int(page.evaluate("getComputedStyle(document.body).backgroundColor").strip("rgb()").split(",")[0])
    assert (red > 200) == (scheme == "light")
    context.close()


# -- For everybody


@pytest.mark.parametrize(
    ("width", "scheme", "paths"),
    [
        (DESKTOP, "light", ["/reference", OPERATION_PAGE, *GUIDE_PAGES]),
        (PHONE, "dark", ["/reference", OPERATION_PAGE, *GUIDE_PAGES]),
        (DESKTOP, "dark", [OPERATION_PAGE, *GUIDE_PAGES]),
        (PHONE, "light", [OPERATION_PAGE, *GUIDE_PAGES]),
    ],
    ids=["desktop-light", "phone-dark", "desktop-dark", "phone-light"],
)
def test_axe_finds_nothing(width: int, scheme: Scheme, paths: list[str], browser: Browser, desk_url: str) -> None:
    # The page of all operations takes axe several seconds: two of the four ways to see it have every colour and width.
    context = window(browser, desk_url, width, scheme)
    page = context.new_page()
    for path in paths:
        page.goto(path)
        if path == "/reference":
            for name in ("list_conversations", "update_customer", "delete_conversation"):
                page.locator(f'li[data-name="{name}"] summary').click()
        else:
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        found = Axe().run(page, options={"resultTypes": ["violations"]})
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
    context.close()


def test_axe_would_notice(page: Page) -> None:
    page.goto(OPERATION_PAGE)
    page.evaluate("document.querySelector('.lead').style.color = '#ccc'")
    assert Axe().run(page, options={"resultTypes": ["violations"]}).violations_count > 0
