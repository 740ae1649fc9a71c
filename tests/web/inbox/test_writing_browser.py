"""Writing with a script, in a real browser: the editor, what is kept and comes back, what arrives meanwhile, undo."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from deskhand.desk.conversations.drafts.ready import BEGIN_CONVERSATION
from tests.desk.conversations.builders import add, created, start
from tests.desk.conversations.passing import eventually, let_pass
from tests.live import LiveServer
from tests.web import chromium
from tests.web.inbox.forms import status, thread_list
from tests.web.inbox.test_drafts import PNG
from tests.web.inbox.test_forwarding import conversations
from tests.web.inbox.test_picking import add_saved
from tests.web.people import PHONE, signed_in, window
from tests.world import Desk, open_desk, unique

PASTE = """([text, html]) => {
  const data = new DataTransfer();
  if (text) data.setData("text/plain", text);
  if (html) data.setData("text/html", html);
  const event = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
  document.activeElement.dispatchEvent(event);
}"""
DROP = """([selector, name, type, bytes]) => {
  const data = new DataTransfer(), goal = document.querySelector(selector);
  data.items.add(new File([new Uint8Array(bytes)], name, {type}));
  for (const kind of ["dragover", "drop"]) {
    goal.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
  }
}"""
EDITOR = "#write-reply .writing-text"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("writing"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture
def desk(live: LiveServer) -> Desk:
    return open_desk(live)


def reply_editor(page: Page) -> Locator:
    return page.locator(EDITOR)


def sent(desk: Desk, id: int) -> list[str]:
    """What was sent or noted, oldest first."""
    return [one["body"] for one in thread_list(desk, id) if one["state"] == "published"]


def test_a_reply_by_keyboard_alone_with_a_saved_one_and_taken_back(browser: Browser, desk: Desk) -> None:
    inbox = desk.add_inbox()
    add_saved(
        desk, inbox, "Bulb too weak", "<p>Try a <b>stronger</b> bulb, {%customer.firstName,fallback=friend%}.</p>"
    )
    add_saved(desk, inbox, "Another", "<p>No.</p>")
    id = start(desk, inbox)
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/conversation/{id}")
        page.keyboard.press("r")
        page.keyboard.type("Hello **there** , see `this` .\n- one\ntwo\n\nPS: /weak bu")
        expect(page.locator(".picks [role=option]")).to_have_text([re.compile("Bulb too weak")])
        page.keyboard.press("Enter")
        expect(reply_editor(page)).to_contain_text("Try a stronger bulb, friend.")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#said")).to_contain_text("Sent.")
        expect(page.locator("h1")).to_have_text("Unassigned")
        body = sent(desk, id)[-1]
        assert body == (
            "<p>Hello <b>there</b> , see <code>this</code> .</p><ul><li>one</li><li>two</li></ul>"
            "<p>PS: Try a <b>stronger</b> bulb, friend.</p>"
        )
        page.keyboard.press("z")
        expect(page.locator("#said")).to_contain_text("Taken back")
        expect(reply_editor(page)).to_be_focused()
        assert reply_editor(page).locator("b").all_inner_texts() == ["there", "stronger"]
        assert sent(desk, id) == ["It flickers."]


def test_a_draft_comes_back_in_another_browser(browser: Browser, desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/conversation/{id}")
        page.keyboard.press("r")
        page.keyboard.type("Half a sentence")
        expect(page.locator("#write-reply [data-kept]")).to_have_text(re.compile(r"Saved \d\d:\d\d"))
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        page.keyboard.type("Half a note")
        page.goto("/account")  # before it was kept
        with window(browser, signed_in(desk)) as other:
            other.goto(f"/conversation/{id}")
            expect(reply_editor(other)).to_have_text("Half a sentence")
            other.locator("[data-write=note]").click()
            expect(other.locator("#write-note .writing-text")).to_have_text("Half a note")
            assert (
                other.evaluate("getComputedStyle(document.querySelector('.writing')).backgroundColor")
                == "rgb(255, 247, 220)"
            )
            other.locator("#write-note [data-discard]").click()
            expect(other.locator("#said")).to_contain_text("Discarded")
            expect(other.locator("#write-note .writing-text")).to_have_text("")


def test_a_text_outlives_a_reload_a_lost_line_and_a_session(browser: Browser, desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    with window(browser, person) as page:
        path = f"/conversation/{id}?write=reply"
        page.goto(path)
        expect(reply_editor(page)).to_be_focused()
        page.keyboard.type("Typed")
        page.reload()
        expect(reply_editor(page)).to_have_text("Typed")
        expect(reply_editor(page)).to_be_focused()
        page.keyboard.type(" and more")
        expect(page.locator("#write-reply [data-kept]")).to_contain_text("Saved ")
        page.route("**/draft", lambda route: route.fulfill(body="no"))
        page.keyboard.type(" still")
        page.goto("/search")
        page.unroute("**/draft")
        page.goto(path)
        expect(reply_editor(page)).to_have_text("Typed and more still")
        known = page.context.cookies()
        page.context.clear_cookies()
        page.keyboard.type(" there")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/sign-in?next=*")
        page.context.add_cookies(known)  # type: ignore[arg-type] # what was read can be set
        page.goto(path)
        expect(reply_editor(page)).to_have_text("Typed and more still there")


def test_what_arrives_meanwhile_is_shown_and_stops_sending(browser: Browser, desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    lea = signed_in(desk, desk.add_user("Lea", "Storm", inboxes=(inbox,)))
    with window(browser, signed_in(desk)) as page, window(browser, lea) as other:
        page.goto(f"/conversation/{id}")
        page.keyboard.press("r")
        page.keyboard.type("My long answer")
        other.goto(f"/conversation/{id}")
        other.keyboard.press("n")
        other.keyboard.type("I do it, @Ada")
        other.get_by_role("option", name="Ada Holm").wait_for()
        other.keyboard.press("Enter")
        other.keyboard.press("Control+Enter")
        expect(other.locator("#said")).to_contain_text("Ada Holm will hear of it")
        expect(page.locator("[data-arrived]")).to_be_visible()
        page.locator(EDITOR).click()
        page.keyboard.press("Control+Enter")
        expect(page.locator("h1")).to_have_text("Not sent yet: something new has arrived")
        expect(page.locator(".arrival")).to_contain_text("I do it, @Ada Holm")
        assert not Axe().run(page).response["violations"]
        expect(reply_editor(page)).to_have_text("My long answer")
        page.locator("#write-reply [data-send]").click()
        expect(page.locator("#said")).to_contain_text("Sent.")
        assert sent(desk, id)[-1] == "<p>My long answer</p>"


def test_what_is_pasted_and_dropped_becomes_text_pictures_and_files(browser: Browser, desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/conversation/{id}")
        page.keyboard.press("r")
        page.evaluate(PASTE, ["## Steps\n1. **Off**\n2. [On](https://a.example)\n\n> Wait", ""])
        page.keyboard.press("Control+End")
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        page.evaluate(
            PASTE, ["x", '<div style="color:red" onclick="x()">Plain <span>look</span></div><script>1</script>']
        )
        page.evaluate(PASTE, [" & <b>as typed</b>", ""])
        page.evaluate(DROP, [EDITOR, "plan.png", "image/png", list(PNG)])
        page.locator(f"{EDITOR} img").wait_for()
        page.evaluate(DROP, ["#write-reply .write-foot", "bill.pdf", "application/pdf", [37, 80]])
        page.set_input_files("#reply-files", {"name": "gone.txt", "mimeType": "text/plain", "buffer": b"x"})
        page.get_by_role("button", name="Remove gone.txt").click()
        expect(page.locator("#write-reply .draft-file")).to_have_text([re.compile("bill.pdf")])
        page.locator("#write-reply [data-send]").click()
        expect(page.locator("#said")).to_contain_text("Sent.")
        last = thread_list(desk, id)[-1]
        assert re.sub(r"cid:\w+@deskhand", "cid:1", last["body"]) == (
            '<h2>Steps</h2><ol><li><b>Off</b></li><li><a href="https://a.example">On</a></li></ol>'
            "<blockquote><p>Wait</p></blockquote><p>Plain look &amp; &lt;b&gt;as typed&lt;/b&gt;"
            '<img src="cid:1" alt=""></p>'
        )
        assert sorted(one["filename"] for one in last["_embedded"]["attachments"]) == ["bill.pdf", "plan.png"]


def test_who_deletes_all_begins_anew_as_plain_text(browser: Browser, desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    with window(browser, signed_in(desk)) as page:
        page.goto(f"/conversation/{id}")
        page.keyboard.press("r")
        page.evaluate(PASTE, ["# Title\n\n**Bold** words", ""])
        page.keyboard.press("Control+a")
        page.keyboard.press("Delete")
        page.keyboard.type("Hello")
        assert page.locator(EDITOR).inner_html() == "<p>Hello</p>"


def test_sending_once_whatever_is_pressed_and_with_another_status(browser: Browser, desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    with window(browser, signed_in(desk), PHONE, 780, has_touch=True) as page:
        page.goto(f"/conversation/{id}")
        page.locator("[data-write=reply]").tap()
        expect(reply_editor(page)).to_be_focused()
        page.keyboard.type("Once.")
        page.locator("#send-menu > summary").tap()
        page.get_by_role("button", name="Send and make pending").dblclick()
        expect(page.locator("#said")).to_contain_text("Sent.")
        eventually(lambda: status(desk, id) == "pending")
        assert sent(desk, id) == ["It flickers.", "<p>Once.</p>"]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_a_new_conversation_with_a_customer_found_by_typing(browser: Browser, desk: Desk) -> None:
    inbox = desk.add_inbox()
    mail = f"{unique('ann')}@buyer.example"
    start(desk, inbox, customer={"email": mail, "firstName": "Annika", "lastName": "Berg"})
    with window(browser, signed_in(desk)) as page:
        page.goto("/new")
        expect(page.locator("#new-to")).to_be_focused()
        page.keyboard.type("anni")
        page.get_by_role("option", name="Annika Berg").wait_for()
        page.keyboard.press("Enter")
        expect(page.locator("#new-to")).to_have_value(mail)
        page.locator("#new-subject").fill("Your lamp")
        page.locator(".writing-text").click()
        page.keyboard.type("It is ready.")
        assert not Axe().run(page).response["violations"]
        page.keyboard.press("Control+Enter")
        expect(page.locator("#said")).to_contain_text("Sent.")
        let_pass(desk, BEGIN_CONVERSATION, seconds=11)
        (id,) = [one["id"] for one in conversations(desk) if one["subject"] == "Your lamp"]
        assert sent(desk, id) == ["<p>It is ready.</p>"]
        created(add(desk, id, "notes"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("mode", ["reply", "note", "forward"])
def test_the_panel_is_without_findings(browser: Browser, desk: Desk, mode: str, scheme: str) -> None:
    id = start(desk, desk.add_inbox())
    with window(browser, signed_in(desk), color_scheme=scheme, reduced_motion="reduce") as page:
        page.goto(f"/conversation/{id}?write={mode}")
        expect(page.locator(f"#write-{mode}")).to_be_visible()
        for menu in page.locator(f"#write-{mode} .menu > summary").all():
            menu.click()
        found = Axe().run(page, context=".writing").response["violations"]
        assert not [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
