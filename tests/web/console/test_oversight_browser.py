"""The console's oversight in a real browser: by keyboard, live, once each, and nothing for axe to find."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from deskhand.mail.safe_html import safe
from deskhand.oauth import sessions
from tests.live import LiveServer
from tests.web import chromium
from tests.web.console.overseen import TEXT, Overseen, conversation, first, oversee
from tests.web.people import PHONE, window
from tests.world import open_desk


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    made = LiveServer(tmp_path_factory.mktemp("oversight"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture
def world(live: LiveServer) -> Overseen:
    return oversee(open_desk(live, rate_limit=400))


def settle(page: Page) -> None:
    """Wait until keys are taken for the call that is shown."""
    page.evaluate("0")  # the address may be known a little before the page is shown
    page.wait_for_timeout(600)


def test_a_queue_is_worked_through_with_the_keyboard(browser: Browser, world: Overseen) -> None:
    first = world.reply()
    second = world.reply(conversation=conversation(world.desk, world.inbox, "Second parcel"))
    third = world.reply(conversation=conversation(world.desk, world.inbox, "Third parcel"))
    with window(browser, world.person) as page:
        page.goto("/console/approvals")
        page.keyboard.press("j")
        expect(page.locator(f"#call-{first}")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"/approvals/{first}$"))
        page.keyboard.press("j")
        expect(page).to_have_url(re.compile(f"/approvals/{second}$"))
        page.keyboard.press("k")
        expect(page).to_have_url(re.compile(f"/approvals/{first}$"))
        settle(page)
        page.keyboard.press("e")
        expect(page.locator("#text")).to_be_focused()
        page.keyboard.press("Control+End")
        page.keyboard.type("\nAda")
        page.keyboard.press("Escape")
        page.keyboard.press("a")
        page.keyboard.press("a")  # pressed twice: the call that opens now is not meant
        expect(page).to_have_url(re.compile(f"/approvals/{second}$"))
        expect(page.locator("#said")).to_contain_text("Approved and done, with your text")
        settle(page)
        page.keyboard.press("d")
        page.keyboard.type("Not so")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"/approvals/{third}$"))
        settle(page)
        page.keyboard.press("a")
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    assert world.threads()[0]["body"] == f"{TEXT}\nAda"
    assert [world.state(one) for one in (first, second, third)] == ["executed", "denied", "executed"]


def test_formatting_is_changed_as_such_and_stays_to_the_letter_unless_changed(
    browser: Browser, world: Overseen
) -> None:
    rich = '<p>It left <b>today</b>, see <a href="https://a.example/?a=1&amp;b=2">here</a>.</p>'
    changed, unchanged = world.reply(rich), world.reply(rich, conversation(world.desk, world.inbox, "Second parcel"))
    with window(browser, world.person) as page:
        page.goto(f"/console/approvals/{changed}")
        text = page.get_by_role("textbox", name="Text, which you may change")
        expect(text.locator("b")).to_have_text("today")
        settle(page)
        page.keyboard.press("e")
        expect(text).to_be_focused()
        page.keyboard.press("Control+End")
        page.keyboard.type(" Ada")
        page.keyboard.press("Escape")
        page.keyboard.press("a")
        expect(page).to_have_url(re.compile(f"/approvals/{unchanged}$"))
        settle(page)
        page.keyboard.press("a")
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()
        page.goto(f"/console/approvals/{unchanged}")
        expect(page.get_by_text("with another text")).to_have_count(0)
    assert world.threads()[0]["body"] == rich.replace(".</p>", ". Ada</p>")


PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


@pytest.mark.parametrize(
    "picture",
    [
        '<img src="https://t.example/lamp.png?a=1&amp;b=&quot;2&quot;" alt="A &amp; lamp" style="width: 90px">',
        '<IMG alt="%&nbsp;" class="x" src="cid:lamp@desk" onerror="alert(1)" />',
        f'<img width="9" src="{PIXEL}">',
        '<img src="/attachments/640001" title="x">',
        '<img alt="no source">',
    ],
)
def test_pictures_stay_to_the_letter_when_the_text_around_them_changes(
    browser: Browser, world: Overseen, picture: str
) -> None:
    text = f"<p>It <b>flickers</b>, see {picture} here.</p><p>{picture}</p><ul><li>One {picture}</li></ul>"
    id = world.reply(text)
    with window(browser, world.person) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/console/approvals/{id}")
        field = page.get_by_role("textbox", name="Text, which you may change")
        expect(field.locator("img")).to_have_count(3)
        field.click()
        page.keyboard.press("Control+End")
        page.keyboard.type(" Ada")
        kept = page.locator("#text").input_value()
        assert kept.count(picture) == 3
        assert safe(kept) == safe(text.replace("</li>", " Ada</li>"))
        page.keyboard.press("Control+a")
        page.keyboard.press("Control+x")
        expect(field.locator("img")).to_have_count(0)
        page.keyboard.press("Control+v")
        expect(field.locator("img")).to_have_count(3)
        assert page.locator("#text").input_value().count(picture) == 3, "so does what is moved"
        settle(page)
        page.get_by_role("button", name="Approve and send").click()
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()
        assert not [url for url in asked if "t.example" in url or "/attachments/" in url]
    assert world.threads()[0]["body"].count(picture) == 3


def test_a_double_click_decides_once(browser: Browser, world: Overseen) -> None:
    first = world.reply()
    second = world.reply(conversation=conversation(world.desk, world.inbox, "Second parcel"))
    with window(browser, world.person) as page:
        page.goto(f"/console/approvals/{first}")
        settle(page)
        page.get_by_role("button", name="Approve and send").dblclick()
        expect(page).to_have_url(re.compile(f"/approvals/{second}$"))
        settle(page)
    assert world.state(second) == "waiting"


def test_what_begins_to_wait_appears_by_itself_and_so_does_what_others_decide(
    browser: Browser, world: Overseen
) -> None:
    with window(browser, world.person) as page:
        page.goto("/console/approvals")
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()
        id = world.reply()
        expect(page.locator(f"#call-{id}")).to_be_visible()
        expect(page.locator(".console-top .count")).to_contain_text("1")
        page.locator(f"#call-{id}").click()
        page.locator("#text").fill("Half a sente")
        world.wrote("One more thing")
        expect(page.locator("aside.beside")).to_contain_text("One more thing")
        expect(page.locator("[data-live=approval-state]")).to_contain_text("asked: the customer wrote again.")
        expect(page.locator("#text")).to_have_value("Half a sente")
        world.person.send(f"/console/approvals/{id}/deny", reason="Done by hand")
        expect(page.locator("[data-live=approval-state]")).to_contain_text("Denied by Ada Holm")
        expect(page.locator("#text")).to_have_value("Half a sente")


def test_a_refusal_is_said_where_the_call_is(browser: Browser, world: Overseen) -> None:
    id = world.reply()
    world.agent.grant(resources={"conversations": {"level": "read", "inboxes": "all"}})
    context = browser.new_context(base_url=world.desk.url)  # not a window: the browser notes the 409 as a fault
    context.add_cookies([{"name": sessions.COOKIE, "value": world.person.cookie, "url": world.desk.url}])
    page = context.new_page()
    page.goto(f"/console/approvals/{id}")
    settle(page)
    page.locator("#text").fill("My own words")
    page.get_by_role("button", name="Approve and send").click()
    expect(page.get_by_role("alert")).to_contain_text("may not do this now")
    expect(page.locator("#text")).to_have_value("My own words")
    context.close()


def test_new_entries_come_on_top_and_older_ones_follow(browser: Browser, world: Overseen) -> None:
    for _ in range(70):
        world.agent.get("/v2/conversations")
    with window(browser, world.person) as page:
        page.goto("/console/log")
        expect(page.locator(".entry")).to_have_count(50)
        world.agent.delete(f"/v2/conversations/{world.conversation}")
        expect(page.locator(".entry").first).to_contain_text("was refused to delete")
        page.mouse.wheel(0, 20_000)
        expect(page.locator(".entry").nth(70)).to_be_attached()
        reading = page.locator(".entry").nth(30)
        reading.scroll_into_view_if_needed()
        before = reading.bounding_box()
        world.agent.get("/v2/conversations")
        expect(page.locator("[data-log-new]")).to_contain_text("1 new entry")
        assert reading.bounding_box() == before
        page.locator("[data-log-new]").click()
        expect(page.locator(".entry").first).to_contain_text("was allowed to list conversations")
        assert page.evaluate("scrollY") == 0


def test_verifying_shows_what_was_found(browser: Browser, world: Overseen) -> None:
    with window(browser, world.person) as page:
        page.goto("/console/log/verify")
        page.get_by_role("button", name="Verify the chain").click()
        expect(page.locator("[data-verified]")).to_contain_text("Nothing was changed.")


def test_the_budget_refreshes_by_itself(browser: Browser, world: Overseen) -> None:
    with window(browser, world.person) as page:
        page.goto("/console/budget")
        world.agent.get("/v2/conversations")
        expect(page.locator("tbody th").first).to_contain_text(world.agent.name)


def test_everything_is_stopped_with_the_keyboard(browser: Browser, world: Overseen) -> None:
    with window(browser, world.person) as page:
        page.goto("/console/stops")
        expect(page.locator("#agent")).to_be_hidden()
        page.get_by_text("One agent", exact=True).click()
        expect(page.locator("#agent")).to_be_visible()
        page.get_by_text("Everything", exact=True).click()
        page.locator("#word").fill("stop")
        page.keyboard.press("Enter")
        expect(page.locator(".stop-row")).to_contain_text("All agents are stopped")
        page.get_by_role("button", name="Lift").click()
        expect(page.locator(".stop-row")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_overflows(browser: Browser, world: Overseen, scheme: str) -> None:
    waiting = world.reply("<p>See <a href='https://a.example'>this</a> and <b>that</b></p>", status="closed")
    denied = world.tags("vip")
    world.person.send(f"/console/approvals/{denied}/deny", reason="No")
    world.agent.delete(f"/v2/conversations/{world.conversation}")
    world.person.send("/console/stops", scope="writes", word="stop")
    entry = first(world.person.page("/console/log"), "a.entry").get("href")
    calls = ("", f"/{waiting}", f"/{denied}")
    paths = [
        *(f"/console/approvals{path}" for path in calls), entry,
        *(f"/console/{path}" for path in ("log?since=2020-01-01", "log/verify", "budget", "stops", "connections")),
        "/console/connections/new", "/reports/agents",
    ]  # fmt: skip
    with window(browser, world.person, color_scheme=scheme) as page:
        for path in paths:
            page.set_viewport_size({"width": 1280, "height": 900})
            page.goto(path)
            found = Axe().run(page).response["violations"]
            assert not found, (path, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found])
            page.set_viewport_size({"width": PHONE, "height": 740})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= PHONE, (path, wide)
