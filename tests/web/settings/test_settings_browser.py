"""Settings in a real browser: what axe finds, widths, and what scripts add. One browser for all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from deskhand.oauth import sessions
from tests.live import LiveServer
from tests.web import chromium
from tests.web.people import DESKTOP, PHONE, TABLET, Person, signed_in, window
from tests.world import Desk, open_desk


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Person, list[str]]]:
    """The owner of an account that has one of everything, and all their settings pages."""
    live = LiveServer(tmp_path_factory.mktemp("settings"))
    desk = open_desk(live)
    yield signed_in(desk), pages(desk)
    live.stop()


def pages(desk: Desk) -> list[str]:
    inbox, ines = desk.add_inbox("Orders"), desk.add_user()
    team = desk.add_team("A team with a very long name that needs room", (ines,))
    field = desk.add_field(inbox, "Plan", "dropdown", ("Pro", "Free"))
    reply = desk.post(f"/v2/mailboxes/{inbox}/saved-replies", {"name": "Parcel", "text": "<p>{%user.firstName%}</p>"})
    customer = {"email": "paul@buyer.example"}
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
        "threads": [{"type": "customer", "text": "Where?", "customer": customer}], "tags": ["late", "vip"],
    }  # fmt: skip
    assert desk.post("/v2/conversations", body).status_code == 201
    tag = desk.get("/v2/tags").json()["_embedded"]["tags"][0]["id"]
    slug = {"type": "dropdown", "slug": "tier", "name": "Tier", "options": [{"label": "Gold"}]}
    assert desk.post("/v2/customer-properties", slug).status_code == 201
    return [
        "/settings", "/settings/users", "/settings/users/new", f"/settings/users/{ines}",
        f"/settings/users/{ines}/delete", "/settings/teams", f"/settings/teams/{team}", "/settings/inboxes",
        f"/settings/inboxes/{inbox}", "/settings/tags", f"/settings/tags/{tag}", "/settings/fields",
        "/settings/fields/new", f"/settings/fields/{field}", "/settings/saved-replies",
        f"/settings/saved-replies/{reply.headers['Resource-ID']}", "/settings/ratings", "/settings/properties",
        "/settings/properties/customers/tier", "/settings/account", "/settings/hours", "/settings/applications",
        f"/settings/applications/{desk.application_id}",
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    browser: Browser, furnished: tuple[Person, list[str]], scheme: Literal["light", "dark"]
) -> None:
    person, paths = furnished
    with window(browser, person, color_scheme=scheme) as page:
        for path in paths:
            page.goto(path)
            for width in (PHONE, TABLET, DESKTOP):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
            found = Axe().run(page)
            assert found.violations_count == 0, (path, found.generate_report())


def test_a_form_that_is_wrong_stays_on_the_page_and_then_leads_on(
    browser: Browser, furnished: tuple[Person, list[str]]
) -> None:
    with refused(browser, furnished[0]) as page:
        page.goto("/settings/teams/new")
        page.get_by_label("Name").fill("   ")
        page.get_by_label("Ines Okafor").check()
        page.get_by_role("button", name="Make the team").click()
        expect(page.get_by_role("alert")).to_have_text("Name may not be empty.")
        expect(page.get_by_label("Ines Okafor")).to_be_checked()
        page.get_by_label("Name").fill("Night shift")
        page.get_by_role("button", name="Make the team").click()
        expect(page.locator("#said")).to_contain_text("The team Night shift is added.")
        expect(page.get_by_role("link", name="Night shift")).to_be_visible()


def test_choices_grow_while_they_are_typed(browser: Browser, furnished: tuple[Person, list[str]]) -> None:
    with window(browser, furnished[0]) as page:
        page.goto("/settings/fields/new")
        expect(page.get_by_label("Choice 1")).to_be_hidden()
        page.get_by_label("Name").fill("Colour")
        page.get_by_label("Kind").select_option("dropdown")
        for number, text in enumerate(("Red", "Green", "Blue"), 1):
            page.get_by_label(f"Choice {number}", exact=True).fill(text)
        expect(page.get_by_label("Choice 4", exact=True)).to_be_visible()
        page.get_by_role("button", name="Add the field").click()
        expect(page.get_by_text("Choice from a list: Red, Green, Blue")).to_be_visible()


def test_a_variable_goes_into_a_saved_reply(browser: Browser, furnished: tuple[Person, list[str]]) -> None:
    with window(browser, furnished[0]) as page:
        page.goto("/settings/saved-replies/new")
        page.get_by_label("Name").fill("Hello")
        text = page.get_by_role("textbox", name="Text")
        text.click()
        page.keyboard.type("Dear ")
        page.locator("summary", has_text="Variable").click()
        page.get_by_role("button", name="customer.firstName").click()
        expect(text).to_contain_text("Dear {%customer.firstName,fallback=there%}")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator(".letter")).to_have_text("Dear Mona")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("link", name="Hello")).to_be_visible()


@contextmanager
def refused(browser: Browser, person: Person) -> Iterator[Page]:
    """A window whose console may tell of refusals: browsers note each answer of 400 there."""
    context = browser.new_context(base_url=person.server.url)
    context.add_cookies([{"name": sessions.COOKIE, "value": person.cookie, "url": person.server.url}])
    yield context.new_page()
    context.close()
