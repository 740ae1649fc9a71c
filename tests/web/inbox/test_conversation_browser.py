"""A conversation's page in a real browser: hostile mails, keys, menus, pictures, who is there, what axe finds."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from tests.desk.conversations.builders import add, read, reply, start, wrote
from tests.live import LiveServer
from tests.web import chromium
from tests.web.inbox import hostile
from tests.web.people import DESKTOP, PHONE, TABLET, Person, signed_in, window
from tests.world import Desk, open_desk

PNG = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()
BOX = """() => ["#side", ".conversation-head", ".conversation-head h1", ".tools"].map(one => {
  const box = document.querySelector(one).getBoundingClientRect();
  return [box.x, box.y, box.width, box.height].map(Math.round);
})"""
LINES = """one => {
  const walk = document.createTreeWalker(one, NodeFilter.SHOW_TEXT), range = document.createRange(), tops = new Set();
  while (walk.nextNode()) {
    range.selectNodeContents(walk.currentNode);
    for (const box of range.getClientRects()) tops.add(Math.round(box.y));
  }
  return tops.size;
}"""
"""On how many lines a text stands."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    live = LiveServer(tmp_path_factory.mktemp("conversation"))
    yield open_desk(live)
    live.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture(scope="module")
def inbox(desk: Desk) -> int:
    return desk.add_inbox("Support")


@pytest.fixture(scope="module")
def person(desk: Desk) -> Person:
    return signed_in(desk)


@pytest.fixture(scope="module")
def rich(desk: Desk, inbox: int) -> int:
    """A conversation that has something of everything."""
    files = [{"fileName": f"{name}.png", "mimeType": "image/png", "data": PNG} for name in ("lamp", "box")]
    customer = {"email": "paul@buyer.example", "firstName": "Paul", "lastName": "Falk"}
    start(desk, inbox, subject="Before", status="closed", customer=customer)
    id = start(desk, inbox, customer=customer, tags=["vip"], threads=[wrote("It flickers.", attachments=files)])
    reply(desk, id, text="<p>Is the bulb tight?</p>")
    add(desk, id, "notes", text="A good customer.")
    reply(desk, id, text="A draft", draft=True)
    for status in ("pending", "closed", "active"):
        desk.patch(f"/v2/conversations/{id}", {"op": "replace", "path": "/status", "value": status})
    return id


FIRST = """() => {
  const probe = document.createElement("a");
  probe.className = "button first";
  document.body.append(probe);
  const accent = getComputedStyle(probe).backgroundColor;
  probe.remove();
  return [...document.querySelectorAll("#main .button:not(summary)")]
    .filter(one => one.checkVisibility() && getComputedStyle(one).backgroundColor === accent)
    .map(one => one.textContent.trim());
}"""
"""What stands out as the first thing to do."""


def test_one_thing_is_the_first_to_do(desk: Desk, inbox: int, person: Person, browser: Browser) -> None:
    other = desk.add_user(role="admin")
    id = start(desk, inbox)
    with window(browser, signed_in(desk, other)) as page:
        page.goto(f"/conversation/{id}")
        assert page.evaluate(FIRST) == ["Reply"]
        for text in ("A draft", "Another draft"):
            reply(desk, id, text=text, draft=True)
        page.goto(f"/conversation/{id}")
        assert page.locator(".timeline").get_by_role("button", name="Send", exact=True).count() == 2
        assert page.evaluate(FIRST) == ["Send"]
        page.get_by_role("link", name="Note", exact=True).click()
        expect(page.get_by_role("button", name="Add note", exact=True)).to_be_visible()
        assert page.evaluate(FIRST) == ["Add note"]


def test_hostile_mails_run_nothing_load_nothing_and_move_nothing(
    desk: Desk, inbox: int, person: Person, browser: Browser
) -> None:
    plain = start(desk, inbox, subject="Hostile")
    texts = [one.replace("\x00", "") for one in (*hostile.SMALL, *hostile.LARGE[:6], hostile.LARGE[8])]
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((person.server.url, "data:")):
            asked.append(request.url)

    with window(browser, person) as page:
        page.on("request", note)
        page.on("dialog", lambda dialog: asked.append(dialog.message))
        page.goto(f"/conversation/{plain}")
        before = page.evaluate(BOX)
        for at in range(0, len(texts), 48):
            id = start(desk, inbox, subject="Hostile", threads=[wrote(one) for one in texts[at : at + 48]])
            page.goto(f"/conversation/{id}")
            page.evaluate("document.querySelectorAll('article details').forEach(one => one.open = true)")
            page.mouse.move(500, 500)
            page.wait_for_timeout(150)
            assert page.url.endswith(f"/conversation/{id}")
            assert page.evaluate("window.pwned") is None
            assert page.evaluate(BOX) == before
            assert page.locator("main").count() == 1 and page.locator("article.thread").count() == len(
                texts[at : at + 48]
            )
            wide = "[...document.querySelectorAll('article')].every(one => one.scrollWidth <= one.clientWidth + 1)"
            assert page.evaluate(wide) and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            right = "one => Math.round(one.getBoundingClientRect().right)"
            edge = page.locator(".threads-column").evaluate(right)
            assert all(one <= edge for one in page.locator(".body").evaluate_all(f"all => all.map({right})"))
    assert asked == []


def test_the_keys_of_a_day(desk: Desk, person: Person, browser: Browser) -> None:
    inbox = desk.add_inbox("Keys")
    first, second, third = (start(desk, inbox, subject=f"Number {n}") for n in range(3))
    with window(browser, person) as page:
        page.goto(f"/conversation/{second}?from=/folder/{inbox}1")
        ways = [page.locator("a[rel=next]").get_attribute("href"), page.locator("a[rel=prev]").get_attribute("href")]
        assert {str(one).partition("?")[0] for one in ways} == {f"/conversation/{first}", f"/conversation/{third}"}
        page.keyboard.press("j")
        page.wait_for_url(f"**{ways[0]}")
        page.keyboard.press("k")
        page.wait_for_url(f"**/conversation/{second}**")
        page.keyboard.press("s")
        expect(page.locator("#menu-status .sheet")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#menu-status .sheet")).to_be_hidden()
        page.keyboard.press("a")
        expect(page.locator("#menu-assign input[type=search]")).to_be_focused()
        page.keyboard.type("ada")
        expect(page.locator("#menu-assign .item:visible")).to_have_count(0)
        page.keyboard.press("Control+A")
        page.keyboard.type("me")
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_contain_text("Assigned to you.")
        page.keyboard.press("t")
        expect(page.locator("#menu-tags input[name=add]")).to_be_focused()
        page.keyboard.type("brand new")
        page.keyboard.press("Enter")
        expect(page.locator(".tag.chip")).to_contain_text("brand new")
        page.keyboard.press("b")
        expect(page.locator("#menu-snooze .item").first).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_contain_text("Snoozed until")
        page.keyboard.press("u")
        page.wait_for_url(f"**/folder/{inbox}1")
    assert read(desk, second)["assignee"]["id"] == desk.user_id


def test_a_long_address_breaks_where_people_would_break_it(
    desk: Desk, inbox: int, person: Person, browser: Browser
) -> None:
    email = "magdalena.wintersdorfer@handelsgesellschaft.example"
    id = start(desk, inbox, customer={"email": email})
    with window(browser, person, DESKTOP) as page:
        page.goto(f"/conversation/{id}")
        host = page.locator(".fact.way .value .together")
        assert host.evaluate(LINES) == 1, "the name of the host is in one piece"
        assert page.locator(".fact.way .value bdi").evaluate(LINES) == 2
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_fact_that_is_opened_is_typed_at_once(desk: Desk, person: Person, browser: Browser) -> None:
    id = start(desk, desk.add_inbox())
    with window(browser, person) as page:
        page.goto(f"/conversation/{id}")
        page.locator("#fact-name > summary").click()
        expect(page.get_by_label("First name")).to_be_focused()


def test_the_next_conversation_is_there_within_a_blink(desk: Desk, person: Person, browser: Browser) -> None:
    inbox = desk.add_inbox("Quick")
    ids = [start(desk, inbox, subject=f"Number {n}", threads=[wrote("It flickers.")] * 5) for n in range(3)]
    press = """key => new Promise(done => {
      const at = performance.now();
      const painted = () => requestAnimationFrame(() => done(performance.now() - at));
      document.addEventListener("deskhand:shown", painted, {once: true});
      document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    })"""
    took: list[float] = []
    with window(browser, person) as page:
        page.goto(f"/conversation/{ids[1]}?from=/folder/{inbox}1")
        while min(took, default=1000) > 300 and len(took) < 40:
            page.wait_for_timeout(400)  # the next one is fetched meanwhile
            took.append(page.evaluate(press, "jk"[len(took) % 2]))
    assert min(took) <= 300, took  # bench/web.py measures it; here other tests keep the machine busy


def test_pictures_open_large_and_go_on_by_arrow_keys(rich: int, person: Person, browser: Browser) -> None:
    with window(browser, person) as page:
        page.goto(f"/conversation/{rich}")
        page.locator("a[data-picture]").first.click()
        dialog = page.locator("dialog.picture-dialog")
        expect(dialog).to_contain_text("lamp.png (1 of 2)")
        page.keyboard.press("ArrowRight")
        expect(dialog).to_contain_text("box.png (2 of 2)")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


def test_a_link_to_a_message_opens_the_fold_in_which_it_lies(
    desk: Desk, inbox: int, person: Person, browser: Browser
) -> None:
    id = start(desk, inbox, threads=[wrote(f"Message {n}") for n in range(20)])
    listed = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    with window(browser, person) as page:
        page.goto(f"/conversation/{id}#thread-{listed[10]['id']}")
        expect(page.get_by_role("paragraph").filter(has_text="Message 9")).to_be_in_viewport()


def test_two_people_see_each_other_and_what_changes(desk: Desk, rich: int, person: Person, browser: Browser) -> None:
    other = signed_in(desk, desk.add_user("Ines", "Okafor", role="admin"))
    with window(browser, person) as mine, window(browser, other) as theirs:
        mine.goto(f"/conversation/{rich}")
        theirs.goto(f"/conversation/{rich}")
        expect(mine.locator(".who-here")).to_contain_text("Ines looks at this")
        theirs.evaluate("document.dispatchEvent(new CustomEvent('deskhand:writing', {detail: {writing: true}}))")
        expect(mine.locator(".who-here")).to_contain_text("Ines is writing")
        theirs.locator("#menu-status > summary").click()
        theirs.get_by_role("button", name="Pending").click()
        expect(mine.locator("#menu-status > summary")).to_contain_text("Pending")
        theirs.locator("a[data-key=u]").click()
        expect(mine.locator(".who-here")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_sticks_out(
    desk: Desk, rich: int, person: Person, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    customer = read(desk, rich)["primaryCustomer"]["id"]
    with window(browser, person, color_scheme=scheme) as page:
        for path in (f"/conversation/{rich}", f"/customers/{customer}", f"/conversation/{rich}/merge?into=1001"):
            for width in (PHONE, TABLET, DESKTOP):
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(path)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
                if width != TABLET:
                    assert_no_finding(page, path)


def assert_no_finding(page: Page, path: str) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, (path, found.generate_report())


def test_everything_works_without_script(desk: Desk, inbox: int, person: Person, browser: Browser) -> None:
    id = start(desk, inbox, subject="Plain")
    with window(browser, person, java_script_enabled=False) as page:
        page.goto(f"/conversation/{id}")
        page.locator("#menu-status > summary").click()
        page.get_by_role("button", name="Closed").click()
        expect(page.locator("#said")).to_contain_text("Closed.")
        page.locator("#fact-name > summary").click()
        page.get_by_label("First name").fill("Paula")
        page.locator("#fact-name button").click()
        expect(page.locator(".customer-column")).to_contain_text("Paula")
    assert read(desk, id)["status"] == "closed"
