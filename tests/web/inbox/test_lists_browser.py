"""A list by keyboard alone, in a real browser; the palette; results while typing; nothing that axe finds fault with."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from deskhand.desk.inboxes.folders import Folder, folder_id
from tests.desk.conversations.builders import read, reply, start
from tests.web import chromium
from tests.web.inbox.test_lists import at_minutes
from tests.web.people import PHONE, signed_in, window
from tests.world import Desk


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as running:
        yield running


def at(page: Page) -> int:
    """The conversation that the keyboard is at."""
    return int(page.locator("#list .row-of.at").get_attribute("data-row") or 0)


def chosen(page: Page) -> list[int]:
    ticked: list[str] = page.eval_on_selector_all("#list .pick:checked", "all => all.map(one => one.value)")
    return [int(one) for one in ticked]


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def soon(true: Callable[[], bool]) -> bool:
    """Whether something comes true within moments."""
    until = time.monotonic() + 60
    while not (found := true()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


SLOWLY = """() => {
  const real = window.fetch;
  window.asked = [];
  window.fetch = (...given) => {
    window.asked.push(String(given[0].url ?? given[0]));
    return new Promise(done => setTimeout(done, 500)).then(() => real(...given));
  };
}"""
"""Let what is fetched be slow, and be written down."""


def test_a_conversation_that_is_pressed_is_fetched_once(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        page.evaluate(SLOWLY)
        page.locator(f"#row-{id} a.open").click()
        expect(page).to_have_url(re.compile("/conversation/"))
        asked = page.evaluate("window.asked.filter(url => url.includes('/conversation/') && !url.endsWith('presence'))")
    assert len(asked) == 1


def test_a_list_is_worked_through_without_a_mouse(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    ids = [start(desk, inbox, subject=f"Lamp {place}") for place in range(5)][::-1]
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        press(page, "j", "j", "k")
        assert at(page) == ids[0]
        press(page, "x", "j", "J")
        assert chosen(page) == ids[:3] and at(page) == ids[2]
        expect(page.locator("[data-chosen]")).to_have_text("3 chosen")
        press(page, "Escape")
        assert chosen(page) == []
        page.locator(f"#row-{ids[0]} .pick").click()
        page.locator(f"#row-{ids[3]} .pick").click(modifiers=["Shift"])
        assert chosen(page) == ids[:4]
        press(page, "e")
        expect(page.locator("#said")).to_contain_text("Closed 4 conversations.")
        expect(page.locator("#list .row-of")).to_have_count(1)
        page.locator("#said button").click()
        expect(page.locator("#said")).to_contain_text("4 conversations put back.")
        expect(page.locator("#list .row-of")).to_have_count(5)
        press(page, "*")
        assert chosen(page) == ids
        press(page, "*", "j", "t")
        tagged = at(page)
        expect(page.locator("#bulk-tag input").first).to_be_focused()
        page.keyboard.type("late")
        press(page, "Enter")
        expect(page.locator("#said")).to_contain_text("Tagged 1 conversation with late.")
        press(page, "g", "m")
        page.wait_for_url(f"**/folder/{folder_id(inbox, Folder.MINE)}")
        expect(page.locator("#list h2")).to_have_text("You are all caught up")
        press(page, "g", "i")
        page.wait_for_url(f"**/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        expect(page.locator(f"#open-{tagged}")).to_be_focused()  # where one was before
        press(page, "Enter")
        page.wait_for_url(f"**/conversation/{tagged}**")
    assert [id for id in ids if read(desk, id)["tags"]] == [tagged]


def test_a_list_is_worked_through_steadily_though_what_is_answered_moves_to_the_top(
    desk: Desk, browser: Browser
) -> None:
    inbox = desk.add_inbox()
    ids = [start(desk, inbox, subject=f"Lamp {place}") for place in range(6)]
    at_minutes(desk, *ids)
    first, second, third, fourth, fifth, sixth = ids[::-1]

    def listed() -> list[int]:
        found: list[str] = page.eval_on_selector_all("#list [data-row]", "all => all.map(one => one.dataset.row)")
        return [int(one) for one in found]

    with window(browser, signed_in(desk)) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        press(page, "j", "j", "j", "t")
        expect(page.locator("#bulk-tag input").first).to_be_focused()
        page.keyboard.type("late")
        press(page, "Enter")
        expect(page.locator("#said")).to_contain_text("Tagged 1 conversation with late.")
        assert soon(lambda: listed() == [third, first, second, fourth, fifth, sixth]) and at(page) == third
        press(page, "j")
        assert at(page) == fourth
        press(page, "k")
        assert at(page) == second, "what is between them now is somewhere else"
        press(page, "j", "Enter")
        page.wait_for_url(f"**/conversation/{fourth}**")
        reply(desk, fourth)
        assert desk.patch(f"/v2/conversations/{fourth}", {"op": "replace", "path": "/status", "value": "active"}).ok
        expect(page.locator(".threads-column article")).to_have_count(2)
        press(page, "j")
        page.wait_for_url(f"**/conversation/{fifth}**")
        reply(desk, fifth)
        assert desk.patch(f"/v2/conversations/{fifth}", {"op": "replace", "path": "/status", "value": "active"}).ok
        press(page, "u")
        expect(page.locator("#list")).to_be_visible()
        # All three may have changed within one second; then the later one by number comes first.
        assert soon(lambda: {*listed()[:3]} == {third, fourth, fifth} and listed()[3:] == [first, second, sixth])
        assert soon(lambda: at(page) == fifth)
        press(page, "j")
        assert at(page) == sixth


def test_a_change_moves_a_conversation_to_the_top_before_ones_eyes(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    old, new = start(desk, inbox), start(desk, inbox)
    at_minutes(desk, old, new)
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        press(page, "j")
        expect(page.locator("#list .row-of").first).to_have_id(f"row-{new}")
        answer = {"customer": {"email": "paul@buyer.example"}, "text": "Are you there?"}
        assert desk.post(f"/v2/conversations/{old}/customer", answer).ok
        expect(page.locator("#list .row-of").first).to_have_id(f"row-{old}", timeout=30_000)
        assert at(page) == new, "where one is stays where one is"
        press(page, "k")
        assert at(page) == old


def test_the_order_is_chosen_from_a_menu(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    old, new = start(desk, inbox), start(desk, inbox)
    at_minutes(desk, new, old)
    path = f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}"
    with window(browser, signed_in(desk)) as page:
        page.goto(path)
        expect(page.locator("#list .row-of").first).to_have_id(f"row-{old}")
        page.locator("#order summary").click()
        page.locator("#order").get_by_role("link", name="Newest").click()
        page.wait_for_url(f"**{path}?order=newest")
        expect(page.locator("#list .row-of").first).to_have_id(f"row-{new}")
        expect(page.locator("#order summary")).to_have_text("Newest")


def test_leaving_a_menu_leaves_nothing_chosen(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    ids = [start(desk, inbox) for _ in range(2)][::-1]
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        press(page, "j", "a")
        assert chosen(page) == ids[:1]
        press(page, "Escape")
        expect(page.locator("#list .pick:checked")).to_have_count(0)
        press(page, "j")
        assert at(page) == ids[1]


def test_who_does_not_see_all_that_are_chosen_is_not_offered_them(desk: Desk, browser: Browser) -> None:
    first, second = desk.add_inbox("Orders"), desk.add_inbox("Billing")
    both, one = desk.add_user("Bea", inboxes=(first, second)), desk.add_user("Ole", inboxes=(second,))
    of_first, of_second = start(desk, first), start(desk, second)

    def offered(page: Page, id: int) -> bool:
        button = page.locator(f"button[value='assign:{id}']")
        return bool(button.evaluate("one => getComputedStyle(one).display !== 'none'"))

    with window(browser, signed_in(desk)) as page:
        page.goto("/search")
        page.locator(f"#row-{of_second} .pick").check()
        assert offered(page, both) and offered(page, one)
        page.locator(f"#row-{of_first} .pick").check()
        assert offered(page, both) and not offered(page, one)
        page.locator(f"#row-{of_second} .pick").uncheck()
        assert not offered(page, one)
        page.locator(f"#row-{of_first} .pick").uncheck()
        page.locator(f"#row-{of_second} .pick").check()
        page.locator("#bulk-assign summary").click()
        page.locator(f"button[value='assign:{one}']").click()
        expect(page.locator("#said")).to_contain_text("Assigned 1 conversation to Ole")


def test_what_is_chosen_stays_so_while_the_list_changes(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    first = start(desk, inbox)
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        press(page, "j", "x")
        new = start(desk, inbox)
        expect(page.locator(f"#row-{new}")).to_be_visible()
        assert chosen(page) == [first] and at(page) == first


def test_results_and_suggestions_come_while_typing(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    wick = start(desk, inbox, subject="Wick burns", tags=["vip"])
    start(desk, inbox, subject="Lamp hums")
    with window(browser, signed_in(desk)) as page:
        page.goto("/search")
        expect(page.locator("#list .row-of")).to_have_count(2)
        expect(page.locator("#query")).to_be_focused()
        page.keyboard.type("wick")
        expect(page.locator("#list .row-of")).to_have_count(1)
        page.wait_for_url("**/search?query=wick")
        page.keyboard.type(" st")
        expect(page.locator("#suggestions [role=option]")).to_have_count(1)
        press(page, "ArrowDown", "Enter")
        expect(page.locator("#query")).to_have_value("wick status:")
        page.keyboard.type("act")
        expect(page.locator("#suggestions [role=option]").first).to_have_text("status:active")
        press(page, "ArrowDown", "Enter", "Escape", "Enter")
        expect(page.locator(f"#row-{wick} a.open")).to_be_focused()


def test_the_box_of_the_search_has_the_keys_only_when_one_goes_there(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox, subject="Wick burns", tags=["french", "return", "refund"])
    with window(browser, signed_in(desk)) as page:
        page.goto("/search?query=wick")
        expect(page.locator("#list .row-of")).to_have_count(1)
        press(page, "x", "t")  # of the list, not of the box
        assert chosen(page) == [id]
        expect(page.locator("#bulk-tag input").first).to_be_focused()
        page.keyboard.type("re")
        shown = page.locator("#bulk-tag .item:visible .clip")
        expect(shown).to_have_text(["refund", "return", "french"])
        press(page, "Escape")
        expect(page.locator("#bulk-tag summary")).to_be_focused()
        press(page, "/")
        expect(page.locator("#query")).to_be_focused()
        expect(page.locator("#query")).to_have_value("wick")
        page.keyboard.type(" ")
        page.wait_for_url("**/search?query=wick+")
        page.wait_for_load_state("networkidle")
        expect(page.locator("#suggestions")).to_be_hidden()
        press(page, "ArrowDown")
        expect(page.locator("#suggestions [role=option]").first).to_be_visible()


def test_the_palette_goes_and_does(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox("Orders")
    id = start(desk, inbox, subject="A lamp")
    number = read(desk, id)["number"]
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        press(page, "j", "Control+k")
        page.keyboard.type("mark as spam")
        expect(page.locator("dialog.palette [role=option]").first).to_contain_text("Mark as spam")
        press(page, "Enter")
        expect(page.locator("#said")).to_contain_text("Marked 1 conversation as spam.")
        press(page, "Control+k")
        page.keyboard.type(str(number))
        expect(page.locator("dialog.palette [role=option]").first).to_contain_text("A lamp")
        press(page, "Enter")
        page.wait_for_url(f"**/conversation/{id}")
        press(page, "Control+k", "Escape")
        expect(page.locator("dialog.palette")).to_have_count(0)


def test_the_palette_begins_with_what_is_near_by_keyboard_and_for_everybody(desk: Desk, browser: Browser) -> None:
    inbox, me = desk.add_inbox("Orders"), signed_in(desk)
    id = start(desk, inbox, subject="A lamp")
    me.send("/views", name="Lamps", query="lamp")
    me.send(f"/conversation/{id}/presence", doing="looking")
    with window(browser, me) as page:
        page.goto("/search")
        press(page, "Control+k")
        expect(page.locator("dialog.palette [role=group]")).to_have_count(4)
        press(page, "ArrowDown")
        expect(page.locator("#goal-2")).to_have_attribute("aria-selected", "true")
        found = Axe().run(page)
        assert not found.violations_count, found.generate_report()
        press(page, "ArrowUp", "Enter")
        page.wait_for_url(f"**/conversation/{id}")


def test_nothing_is_wider_than_a_phone(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox("A very long name for an inbox that nobody would give to one, but somebody will")
    id = start(desk, inbox, subject="lamp " + "x" * 300, tags=["y" * 90, "z" * 90], assignTo=desk.user_id)
    me = signed_in(desk)
    me.send(f"/conversation/{id}/presence", doing="looking")  # the palette tells of it
    with window(browser, me, PHONE) as page:
        for path in (f"/folder/{folder_id(inbox, Folder.ASSIGNED)}", "/search?query=lamp", "/palette"):
            page.goto(path)
            page.locator("#list .pick").first.check() if "palette" not in path else None
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_list_without_a_script(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    with window(browser, signed_in(desk), java_script_enabled=False) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        page.locator(f"#row-{id} .pick").check()
        page.locator('.bulk-bar > .bulk-menus > button[value="status:closed"]').click()
        expect(page.locator("#said")).to_contain_text("Closed 1 conversation.")
        page.locator("#said button").click()
        expect(page.locator(f"#row-{id}")).to_be_visible()


def test_a_change_disturbs_nobody_who_types_or_has_folded_something(desk: Desk, browser: Browser) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox()
    start(desk, inbox, subject="A lamp")
    with window(browser, signed_in(desk)) as page:
        page.goto("/search?query=lamp")
        page.locator("#save-view summary").click()
        expect(page.locator("#view-name")).to_be_focused()
        page.keyboard.type("My lamps")
        page.locator(f"#inbox-{inbox}").evaluate("one => { one.open = false }")
        page.locator(f"#inbox-{other}").evaluate("one => { one.open = true }")
        new = start(desk, inbox, subject="Another lamp")
        expect(page.locator(f"#row-{new}")).to_be_visible()
        expect(page.locator("#view-name")).to_have_value("My lamps")
        expect(page.locator("#view-name")).to_be_focused()
        assert page.eval_on_selector_all("#side details[open]", "all => all.map(one => one.id)") == [f"inbox-{other}"]


def test_nothing_is_replaced_under_a_finger(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    first = start(desk, inbox)
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        page.locator(f"#open-{first}").hover()
        page.mouse.down()
        with page.expect_response(lambda answer: "/folder/" in answer.url):
            new = start(desk, inbox)
        page.wait_for_timeout(200)
        expect(page.locator(f"#row-{new}")).to_have_count(0)
        page.mouse.up()
        page.wait_for_url(f"**/conversation/{first}**")


def test_back_and_forward_find_the_place_again(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    ids = [start(desk, inbox) for _ in range(30)][::-1]
    with window(browser, signed_in(desk), height=500) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        page.evaluate("scrollTo(0, 400)")
        page.locator(f"#open-{ids[12]}").click()
        page.wait_for_url("**/conversation/**")
        for _ in range(2):
            page.go_back()
            page.wait_for_url("**/folder/**")
            assert soon(lambda: page.evaluate("scrollY") == 400)
            page.go_forward()
            page.wait_for_url("**/conversation/**")
            expect(page.locator(".conversation")).to_be_visible()


def test_the_menu_of_a_phone_leaves_the_page_as_it_is(desk: Desk, browser: Browser) -> None:
    with window(browser, signed_in(desk), PHONE) as page:
        page.goto("/search")
        page.evaluate("document.getElementById('main').dataset.same = 'yes'")
        page.locator(".menu-button").click()
        page.locator("#side .close").click()
        page.wait_for_timeout(300)
        expect(page.locator("#main")).to_have_attribute("data-same", "yes")


def test_a_key_changes_nothing_that_nobody_pointed_at(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/folder/{folder_id(inbox, Folder.UNASSIGNED)}")
        press(page, "e")
        expect(page.locator("#said")).to_contain_text("Choose a conversation first")
    assert read(desk, id)["status"] == "active"


def test_who_types_fast_in_the_palette_gets_what_they_typed(desk: Desk, browser: Browser) -> None:
    inbox = desk.add_inbox("Orders")
    with window(browser, signed_in(desk)) as page:
        page.goto("/search")
        page.keyboard.press("Control+k")
        expect(page.locator("dialog.palette [role=option]").first).to_be_visible()
        page.keyboard.type("orders spam")
        press(page, "Enter")
        page.wait_for_url(f"**/folder/{folder_id(inbox, Folder.SPAM)}")


def test_the_side_bar_stays_where_it_was_scrolled_to(desk: Desk, browser: Browser) -> None:
    inboxes = [desk.add_inbox(f"Inbox {number}") for number in range(24)]
    with window(browser, signed_in(desk), height=400) as page:
        page.goto(f"/folder/{folder_id(inboxes[20], Folder.UNASSIGNED)}")
        expect(page.locator("#side [aria-current=page]")).to_be_in_viewport()
        page.evaluate("document.getElementById('side').scrollTop = 150")
        start(desk, inboxes[20])
        expect(page.locator("#side [aria-current=page] .number")).to_have_text("1")
        assert page.evaluate("document.getElementById('side').scrollTop") == 150
