"""The numbers beside views: what they are, whom they are for, and how a page comes to show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from deskhand.desk.conversations.listing import counting
from deskhand.desk.conversations.listing.counting import Numbers
from deskhand.web.inbox import views
from tests.desk.conversations.builders import start
from tests.web import chromium
from tests.web.people import Person, signed_in, window
from tests.world import Desk


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as running:
        yield running


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is told for longer than it is true."""
    monkeypatch.setattr(counting, "AT_LEAST_S", 0.0)
    monkeypatch.setattr(counting, "_TIMES_ITS_COST", 0)
    monkeypatch.setattr(counting, "SPENT_MOST_S", 600.0)
    monkeypatch.setattr(views, "NUMBERS", Numbers())


def save(me: Person, name: str, query: str, **fields: str) -> str:
    """A new view's id."""
    return me.send("/views", name=name, query=query, **fields).url.rpartition("/")[2]


def numbers(me: Person) -> dict[str, str]:
    answer: dict[str, Any] = me.get("/views/numbers").json()
    assert answer["again_s"] is None
    found: dict[str, str] = answer["numbers"]
    return found


def test_each_sees_how_many_they_would_find(desk: Desk) -> None:
    inbox, hidden = desk.add_inbox(), desk.add_inbox()
    me, ines = signed_in(desk), signed_in(desk, desk.add_user(inboxes=(inbox,)))
    vip = save(me, "Important", "tag:vip", for_all="1")
    own, wrong = save(me, "Own", "status:closed"), save(me, "Wrong", "number:many")
    start(desk, inbox, tags=["vip"])
    start(desk, hidden, tags=["vip"])
    assert numbers(me) == {vip: "2", own: ""} and wrong not in numbers(me)
    assert numbers(ines) == {vip: "1"}
    start(desk, inbox, tags=["vip"])
    assert numbers(me)[vip] == "3" and numbers(ines) == {vip: "2"}


def test_many_are_told_as_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (counting, views):
        monkeypatch.setattr(module, "MOST", 3)
    inbox, me = desk.add_inbox(), signed_in(desk)
    active = save(me, "Active", "status:active")
    for shown in ("1", "2", "2+", "2+"):
        start(desk, inbox)
        assert numbers(me) == {active: shown}


def test_pages_themselves_count_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    start(desk, inbox)
    id = save(me, "Active", "status:active")
    monkeypatch.setattr(counting, "_number", lambda *_: pytest.fail("a page has counted"))
    (place,) = me.page("/search").cssselect(f'#side [data-view="{id}"]')
    assert place.text_content() == ""


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_the_numbers_come_after_the_page_and_change_with_what_happens(desk: Desk, browser: Browser) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    start(desk, inbox, tags=["vip"])
    id, none = save(me, "Important", "tag:vip"), save(me, "Nobody's", "tag:nobody")
    with window(browser, me) as page:
        page.goto("/search")
        number = page.locator(f'#side [data-view="{id}"]')
        expect(number).to_have_text("1", timeout=30_000)
        expect(page.locator(f'#side [data-view="{none}"]')).to_have_text("")
        page.locator(f'#side a[href="/views/{id}"]').focus()
        start(desk, inbox, tags=["vip"])
        expect(number).to_have_text("2", timeout=30_000)
        page.locator(f'#side a[href="/views/{id}"]').click()
        expect(page.locator("h1")).to_contain_text("Important")
        expect(number).to_have_text("2")


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_a_page_that_shows_nothing_new_is_left_as_it_is(desk: Desk, browser: Browser) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    start(desk, inbox, tags=["vip"])
    id = save(me, "Important", "tag:vip")
    with window(browser, me) as page:
        page.goto("/account")
        number = page.locator(f'#side [data-view="{id}"]')
        expect(number).to_have_text("1", timeout=30_000)
        page.evaluate("""async () => {
          document.getElementById("side").mine = true;
          const {refresh} = await import(document.querySelector("script[src]").src.replace("app.js", "navigate.js"));
          await refresh();
        }""")
        assert page.evaluate("document.getElementById('side').mine === true"), "the numbers count as no difference"
        expect(number).to_have_text("1")


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_without_a_script_there_is_the_view_alone(desk: Desk, browser: Browser) -> None:
    inbox, me = desk.add_inbox(), signed_in(desk)
    start(desk, inbox, tags=["vip"])
    id = save(me, "Important", "tag:vip")
    with window(browser, me, java_script_enabled=False) as page:
        page.goto("/search")
        assert page.locator(f'#side a[href="/views/{id}"]').inner_text().strip() == "Important"
