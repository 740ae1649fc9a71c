"""A morning in the web pages of a sandbox: by keyboard alone beside an agent, on a phone, and without any script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.clients.live_sandbox import LiveSandbox
from tests.web import chromium
from tests.web.people import DESKTOP, PHONE

ORDERS = 501
UNASSIGNED = f"/folder/{ORDERS}1"
DRAFTED, SENT = "Your invoice is on its way.", "Your invoice is on its way. It is in this mail, too."
MORNING = ("Ann", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSandbox]:
    live = LiveSandbox(tmp_path_factory.mktemp("day"))
    yield live
    live.stop()


@pytest.fixture
def sandbox(running: LiveSandbox) -> LiveSandbox:
    """The sandbox as it began, and this morning's mail."""
    running.control("reset")
    for name in MORNING:
        mail = {"email": f"{name.lower()}@buyer.example", "name": name, "inbox_id": ORDERS}
        running.control("customer-writes", mail | {"subject": f"A question of {name}", "text": "Where is my lamp?"})
    return running


@pytest.fixture(scope="module")
def browser(running: LiveSandbox) -> Iterator[Browser]:  # after the sandbox, which is made in a loop of its own
    with chromium.running() as started:
        yield started


class Agent:
    """The sandbox's Drafter, with Orders alone: its replies become drafts, its deletes wait for a person."""

    def __init__(self, sandbox: LiveSandbox) -> None:
        self.url = sandbox.url
        found = next(one for one in sandbox.description["agents"] if one["name"] == "Drafter")
        self._own = {"Authorization": f"Bearer {found['key']}"}
        self._admin = {"Authorization": f"Bearer {sandbox.description['admin_token']}"}
        self._grant()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """An allowed or held call of its own; what it was answered."""
        answer = requests.request(method, self.url + path, json=body, headers=self._own, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def drafts(self, conversation: int, text: str) -> None:
        """A reply, which becomes a draft."""
        customer = self.call("GET", f"/v2/conversations/{conversation}")["primaryCustomer"]["id"]
        self.call("POST", f"/v2/conversations/{conversation}/reply", {"text": text, "customer": {"id": customer}})

    def deletes(self, conversation: int) -> int:
        """Ask to delete a conversation; the id of the approval that it waits for."""
        held = self.call("DELETE", f"/v2/conversations/{conversation}")
        assert held["state"] == "held", held
        return int(held["approval_id"])

    def approval(self, id: int) -> dict[str, Any]:
        """What the agent hears of its call."""
        told: dict[str, Any] = self.call("GET", f"/v2/approvals/{id}")
        return told

    def _grant(self) -> None:
        mine = self._administer("GET", "/agents")["agents"]
        drafter = next(one for one in mine if one["name"] == "Drafter")
        grants = drafter["grants"]
        grants["resources"]["conversations"]["level"] = "full"
        grants["actions"]["delete_conversation"] = "hold"
        self._administer("PUT", f"/agents/{drafter['id']}/grants", grants)

    def _administer(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.url}/admin/v1{path}"
        answer = requests.request(method, url, json=body, headers=self._admin, timeout=30)
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def window(browser: Browser, sandbox: LiveSandbox, width: int = DESKTOP, **options: Any) -> Iterator[Page]:
    """A new visitor's window. Errors of scripts, refused files and messages on the console fail the test."""
    context = browser.new_context(
        base_url=sandbox.url, viewport={"width": width, "height": 800}, reduced_motion="reduce", **options
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))
    page.on("response", lambda answer: faults.append(answer.url) if answer.status >= 400 else None)
    try:
        yield page
    finally:
        context.close()
    assert faults == []


def enter(page: Page) -> None:
    """From the start page into the inbox, by the keyboard."""
    page.goto("/")
    press_until(page, "Tab", page.get_by_role("button", name="Open the inbox"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Unassigned")).to_be_visible()
    page.wait_for_url(f"**{UNASSIGNED}")  # with its scripts


def press_until(page: Page, key: str, goal: Locator, most: int = 60) -> None:
    """Press Tab or an arrow until something has the focus, as somebody without a mouse."""
    for _ in range(most):
        if goal.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{goal} can't be reached by {key}")


def go_to(page: Page, words: str, path: str) -> None:
    """To a page by the palette."""
    page.keyboard.press("Control+k")
    page.keyboard.type(words)
    expect(page.locator("dialog.palette [role=option][aria-selected=true]")).to_contain_text(words, ignore_case=True)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{path}$"))


def conversation_of(page: Page) -> int:
    """The conversation that is shown."""
    found = re.search(r"/conversation/(\d+)", page.url)
    assert found, page.url
    return int(found[1])


def mails(sandbox: LiveSandbox) -> list[str]:
    """The texts of all captured mails once everything that can be taken back no longer can."""
    sandbox.control("clock", {"advance": "2m"})
    sandbox.control("settle")
    return [one["text"] for one in requests.get(f"{sandbox.url}/sandbox/mail", timeout=30).json()["messages"]]


def state(sandbox: LiveSandbox, id: int) -> tuple[str, list[str]]:
    """A conversation's status, and what was said in it by those who answer, as the API tells it."""
    told = asked(sandbox, id).json()
    threads = [one for one in told["_embedded"]["threads"] if one["type"] in ("message", "note")]
    return told["status"], [f"{one['type']}: {one['body']}" for one in threads]


def asked(sandbox: LiveSandbox, id: int) -> requests.Response:
    """What the API says of a conversation."""
    app_id, secret = sandbox.credentials
    form = {"grant_type": "client_credentials", "client_id": app_id, "client_secret": secret}
    token = requests.post(f"{sandbox.url}/v2/oauth2/token", data=form, timeout=30).json()["access_token"]
    url = f"{sandbox.url}/v2/conversations/{id}?embed=threads"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_a_morning_by_keyboard_beside_an_agent(browser: Browser, sandbox: LiveSandbox) -> None:
    agent = Agent(sandbox)
    answers = [f"Answer number {n} of this morning." for n in range(1, 6)]
    with window(browser, sandbox) as page:
        enter(page)
        answered = answer_by_keyboard(page, answers)
        assert len(set(answered)) == len(answers)

        here = conversation_of(page)
        assert here not in answered
        agent.drafts(here, f"<p>{DRAFTED}</p>")
        send_the_draft_with_an_edit(page)

        doomed = conversation_of(page)
        number = page.locator(".facts-line .number").inner_text()
        approval = agent.deletes(doomed)
        refuse_by_keyboard(page, number, approval)
        expect(page.locator("#side .count")).to_have_count(0)
        assert (agent.approval(approval)["state"], agent.approval(approval)["reason"]) == ("denied", "We need it still")

        sentences = read_the_log(page)
    assert [state(sandbox, id)[0] for id in answered] == ["closed"] * 5
    assert state(sandbox, doomed)[0] == "active"
    written = mails(sandbox)
    assert [sum(text in one for one in written) for text in [*answers, SENT]] == [1] * 6
    assert len(written) == 6
    assert not any(DRAFTED in one and SENT not in one for one in written)
    for wanted in (
        f"Drafter asks to delete conversation {number} in Orders",
        rf".+ denied the request of Drafter to delete conversation {number}.*We need it still.*",
    ):
        assert [one for one in sentences if re.match(wanted, one)], (wanted, sentences)


def answer_by_keyboard(page: Page, answers: list[str]) -> list[int]:
    """Answer the list's first conversations and close them; their ids. The next one opens by itself each time."""
    page.keyboard.press("j")
    expect(page.locator("#list [data-row]").first.locator("a.open")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/conversation/**")
    answered = []
    for answer in answers:
        here = conversation_of(page)
        answered.append(here)
        page.keyboard.press("r")
        expect(page.locator("#write-reply .writing-text")).to_be_focused()
        page.keyboard.type(answer)
        if answer == answers[0]:  # what is chosen once is offered first from then on
            page.keyboard.press("Tab")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            expect(page.locator("#send-menu .item").first).to_be_focused()
            press_until(page, "ArrowDown", page.locator("#send-menu .item", has_text="Send and close"))
            page.keyboard.press("Enter")
        else:
            expect(page.locator("#write-reply [data-send]")).to_have_text("Send and close")
            page.keyboard.press("Control+Enter")
        expect(page.locator(".conversation")).not_to_have_attribute("data-conversation", str(here))
        expect(page.locator("#said")).to_contain_text("Sent.")
    return answered


def send_the_draft_with_an_edit(page: Page) -> None:
    """What the agent drafts appears by itself; it is taken, changed and sent."""
    draft = page.locator(".thread.draft")
    expect(draft).to_contain_text(DRAFTED)
    expect(draft).to_contain_text("Draft by Drafter")
    press_until(page, "Tab", draft.get_by_role("button", name="Edit"))
    page.keyboard.press("Enter")
    editor = page.locator("#write-reply .writing-text")
    expect(editor).to_be_focused()
    expect(editor).to_have_text(DRAFTED)
    page.keyboard.press("Control+End")
    page.keyboard.type(SENT.removeprefix(DRAFTED))
    here = conversation_of(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".conversation")).not_to_have_attribute("data-conversation", str(here))


def refuse_by_keyboard(page: Page, number: str, approval: int) -> None:
    """The badge tells of a call that waits; it is opened from the list of all that wait, and refused."""
    expect(page.locator("#side .count")).to_have_text("1")
    go_to(page, "Approvals", "/console/approvals")
    page.keyboard.press("j")
    expect(page.locator(f"#call-{approval}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Drafter asks to delete conversation {number}")
    page.wait_for_timeout(600)  # a key too soon was meant for what was shown before
    page.keyboard.press("d")
    page.keyboard.type("We need it still")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()


def read_the_log(page: Page) -> list[str]:
    """What the log says, the newest first."""
    go_to(page, "Log", "/console/log")
    expect(page.locator(".entry").first).to_be_visible()
    return [re.sub(r"\s+", " ", one) for one in page.locator(".entry").all_inner_texts()]


def test_the_same_on_a_phone(browser: Browser, sandbox: LiveSandbox) -> None:
    agent = Agent(sandbox)
    with window(browser, sandbox, PHONE, has_touch=True, is_mobile=True) as page:
        page.goto("/")
        page.get_by_role("button", name="Open the inbox").tap()
        page.locator("#list a.open").first.tap()
        page.wait_for_url("**/conversation/**")
        expect(page.locator(".thread.customer .body").first).to_contain_text("Where is my lamp?")
        first = conversation_of(page)
        page.locator("[data-write=reply]").tap()
        expect(page.locator("#write-reply .writing-text")).to_be_focused()
        page.keyboard.type("From the train.")
        fits(page)
        page.locator("#write-reply [data-send]").tap()
        expect(page.locator("#said")).to_contain_text("Sent.")

        second = conversation_of(page)
        assert second != first
        page.locator("[data-write=note]").tap()
        expect(page.locator("#write-note .writing-text")).to_be_focused()
        page.keyboard.type("Noted on the train.")
        page.locator("#write-note [data-send]").tap()
        expect(page.locator("#said")).to_contain_text("Note added.")
        expect(page.locator(".thread.note")).to_contain_text("Noted on the train.")
        page.locator("#menu-status > summary").tap()
        page.locator("#menu-status").get_by_role("button", name="Closed").tap()
        expect(page.locator("#said")).to_contain_text("Closed.")
        page.get_by_role("link", name="Next conversation").tap()
        expect(page.locator(".conversation")).not_to_have_attribute("data-conversation", str(second))

        third = conversation_of(page)
        assert (second, third) == (first - 1, first - 2), "the list's order, though one of them left it"
        agent.deletes(third)
        expect(page.locator(".about-agents")).to_contain_text("Drafter asks to delete")
        fits(page)
        page.get_by_role("link", name="Menu").tap()
        page.locator("#side").get_by_role("link", name="Agents").tap()
        page.get_by_role("link", name="Approvals").tap()
        page.locator(".call-row").first.tap()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Drafter asks to delete")
        page.wait_for_timeout(600)  # a press too soon was meant for what was shown before
        fits(page)
        page.get_by_role("button", name="Approve").tap()
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    as_agreed(sandbox, first, second, third, "From the train.", "Noted on the train.")


def test_the_same_without_script(browser: Browser, sandbox: LiveSandbox) -> None:
    agent = Agent(sandbox)
    with window(browser, sandbox, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_role("button", name="Open the inbox").click()
        page.locator("#list a.open").first.click()
        expect(page.locator(".thread.customer .body").first).to_contain_text("Where is my lamp?")
        first = conversation_of(page)
        page.get_by_role("link", name="Reply").click()
        page.locator("#write-reply textarea").fill("From a plain browser.")
        page.get_by_role("button", name="Send and keep active").click()
        expect(page.locator("#said")).to_contain_text("Sent.")

        second = conversation_of(page)
        assert second != first
        page.get_by_role("link", name="Note", exact=True).click()
        page.locator("#write-note textarea").fill("Noted plainly.")
        page.get_by_role("button", name="Add note", exact=True).click()
        expect(page.locator("#said")).to_contain_text("Note added.")
        expect(page.locator(".thread.note")).to_contain_text("Noted plainly.")
        page.locator("#menu-status > summary").click()
        page.locator("#menu-status").get_by_role("button", name="Closed").click()
        expect(page.locator("#said")).to_contain_text("Closed.")
        page.get_by_role("link", name="Next conversation").click()

        third = conversation_of(page)
        assert (second, third) == (first - 1, first - 2), "the list's order, though one of them left it"
        agent.deletes(third)
        page.locator("#side").get_by_role("link", name="Agents").click()
        page.get_by_role("link", name="Approvals").click()
        page.locator(".call-row").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Drafter asks to delete")
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    as_agreed(sandbox, first, second, third, "From a plain browser.", "Noted plainly.")


def fits(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, page.url


def as_agreed(sandbox: LiveSandbox, answered: int, closed: int, deleted: int, reply: str, note: str) -> None:
    """One was answered, by one mail; one was noted upon and closed; one is gone."""
    [mail] = mails(sandbox)
    assert reply in mail and note not in mail
    status, written = state(sandbox, answered)
    assert status == "active" and [one for one in written if reply in one]
    status, written = state(sandbox, closed)
    assert status == "closed" and written and note in written[0] and written[0].startswith("note")
    assert asked(sandbox, deleted).status_code == 404
