"""The pages of signing in and of the own account in a real browser: nothing for axe to find, in both themes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from deskhand.desk.sign_in_mail import PATHS
from deskhand.desk.users import sign_in_links
from deskhand.lib.clock import to_wire
from deskhand.oauth import totp
from tests.live import LiveServer
from tests.oauth.doors import PASSWORD, add_person
from tests.web import chromium
from tests.web.people import PHONE, signed_in, window
from tests.world import Desk, open_desk

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture(scope="module")
def server_of_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("account"))
    yield live
    live.stop()


@pytest.fixture(scope="module")
def browser(server_of_browser: LiveServer) -> Iterator[Browser]:
    with chromium.running() as running:
        yield running


def examine(page: Page) -> None:
    """Nothing is wrong with a page in either theme, and on a phone nothing sticks out."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url} {theme}: {found.generate_report()}"
    size = page.viewport_size
    page.set_viewport_size({"width": PHONE, "height": 800})
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide for a phone"
    assert size is not None
    page.set_viewport_size(size)


def test_the_own_account(server_of_browser: LiveServer, browser: Browser) -> None:
    desk = open_desk(server_of_browser)
    mina = signed_in(desk, add_person(desk).user_id)
    with window(browser, mina) as page:
        for path in ("/account", "/account/preferences"):
            page.goto(path)
            examine(page)
        page.get_by_role("link", name="Security").click()
        page.get_by_role("heading", name="Where you are signed in").wait_for()
        examine(page)
        page.get_by_role("button", name="Set it up").click()
        page.get_by_role("heading", name="Set up your second factor").wait_for()
        examine(page)
        secret = page.locator(".key").inner_text().replace(" ", "")
        step = int(desk.server.clock.now().timestamp()) // totp.STEP_S
        page.get_by_label("Six digits").fill(totp.code(secret, step))
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_role("button", name="Switch on").click()
        page.get_by_role("heading", name="The second factor is on").wait_for()
        assert page.locator(".codes li").count() == 10
        examine(page)
        page.get_by_role("link", name="I have kept them").click()
        page.get_by_text("10 recovery codes").wait_for()
        examine(page)
        page.get_by_role("link", name="Switch off").click()
        page.get_by_label("Your password").wait_for()
        examine(page)


def test_the_theme_that_is_chosen_is_there_at_once(server_of_browser: LiveServer, browser: Browser) -> None:
    desk = open_desk(server_of_browser)
    with window(browser, signed_in(desk)) as page:
        page.emulate_media(color_scheme="light")
        page.goto("/account/preferences")
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        before = page.evaluate(ground)
        page.get_by_label("Dark").check()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Your preferences are saved.").wait_for()
        assert page.evaluate(ground) != before


def welcome_path(desk: Desk, user_id: int) -> str:
    """The link by which an invited user chooses a password."""
    now = to_wire(desk.server.clock.now())
    desk.write(lambda tx: sign_in_links.issue(tx, desk.account_id, user_id, "welcome", now))
    read = desk.server.app.database.read_now
    links = (read(lambda db, id=id: sign_in_links.mailable(db, desk.account_id, id, now)) for id in range(1, 20))  # type: ignore[misc]
    link = next(one for one in links if one is not None and one.user_id == user_id)
    token = sign_in_links.token(desk.server.app.gateway.sealer, desk.account_id, link)
    desk.write(lambda tx: sign_in_links.know_token(tx, desk.account_id, link.id, token))
    return PATHS["welcome"] + token


def test_signing_in(server_of_browser: LiveServer, browser: Browser) -> None:
    desk = open_desk(server_of_browser)
    invited = add_person(desk, state="invited")
    context = browser.new_context(base_url=desk.url, java_script_enabled=False)
    context.set_default_timeout(30_000)
    faults: list[str] = []
    # Scripts are off for pages, and axe comes in by the browser itself.
    page = browser.new_context(base_url=desk.url, bypass_csp=True).new_page()
    page.set_default_timeout(30_000)
    page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    page.goto("/sign-in")
    examine(page)
    page.get_by_role("link", name="Forgot it?").click()
    examine(page)
    page.get_by_label("E-mail address").fill(invited.email)
    page.get_by_role("button").click()
    page.get_by_role("heading", name="Look into your mail").wait_for()
    examine(page)
    plain = context.new_page()
    plain.goto(welcome_path(desk, invited.user_id))
    plain.get_by_label("New password").fill("seven calm harbours")
    plain.get_by_label("The same once more").fill("seven calm harbours")
    plain.get_by_role("button", name="Begin").click()
    plain.goto("/account")
    plain.get_by_role("button", name="Sign out").click()
    plain.get_by_role("heading", name="Sign in").wait_for()
    page.goto(welcome_path(desk, add_person(desk, state="invited").user_id))
    examine(page)
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(invited.email)
    page.get_by_label("Password").fill(PASSWORD + "!")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    examine(page)
    context.close()
    assert [one for one in faults if "400 (Bad Request)" not in one] == []
