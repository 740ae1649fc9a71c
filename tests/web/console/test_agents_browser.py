"""The console's pages about agents in a real browser: layout, what axe finds, what scripts add, and without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.agents import AgentOf, add_agent
from tests.live import LiveServer
from tests.web import chromium
from tests.web.people import DESKTOP, PHONE, TABLET, Person, signed_in, window
from tests.world import Desk, open_desk

PATHS = (
    "/console", "/console/agents/new", "/console/matrix", "/console/agents/{id}", "/console/agents/{id}/access",
    "/console/agents/{id}/history", "/console/agents/{id}/versions/1", "/console/agents/{id}/cedar",
    "/console/explain?agent={id}&number={number}", "/console/start",
)  # fmt: skip
LONG = "The agent with the longest name of all that anybody could wish"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("console"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture(scope="module")
def account(live: LiveServer) -> Desk:
    return open_desk(live)


@pytest.fixture(scope="module")
def agents(account: Desk) -> list[AgentOf]:
    """Agents of all kinds, one of them with a long name and grants that use most of what there is."""
    inboxes = [account.add_inbox(f"Inbox number {n} of a long name") for n in range(4)]
    found = [add_agent(account, name, preset=name) for name in ("reader", "drafter", "triage", "closer", "analyst")]
    held = {name: {"level": "full", "inboxes": inboxes[:3]} for name in ("conversations", "threads", "customers")}
    limits = {"statuses": ["active"], "max_text": 100, "hours": {"from": "08:00", "to": "18:00", "zone": "UTC"}}
    actions = {"add_note": {"setting": "allow", "limits": limits}, "delete_conversation": "hold", "add_chat": "off"}
    long = add_agent(account, LONG, resources=held, actions=actions, limits=limits, expires_at="2090-01-01T00:00:00Z")
    long.grant(resources=held)
    return [*found, long]


@pytest.fixture(scope="module")
def number(account: Desk, agents: list[AgentOf]) -> int:
    """The number of a conversation."""
    customer = {"email": "ada@buyer.example"}
    body = {
        "subject": "Where is it?", "type": "email", "mailboxId": account.add_inbox(), "status": "active",
        "customer": customer, "threads": [{"type": "customer", "text": "Where?", "customer": customer}],
    }  # fmt: skip
    id = account.post("/v2/conversations", body).headers["Resource-ID"]
    return int(account.get(f"/v2/conversations/{id}").json()["number"])


@pytest.fixture(scope="module")
def person(account: Desk) -> Person:
    return signed_in(account)


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "dark"), (TABLET, None), (DESKTOP, "light")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Browser, person: Person, agents: list[AgentOf], number: int, width: int, scheme: Any
) -> None:
    with window(browser, person, width, color_scheme=scheme) as page:
        for path in PATHS:
            page.goto(path.format(id=agents[-1].id, number=number))
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, (path, over)
            if scheme == "light":
                page.evaluate("document.querySelectorAll('#main details').forEach(one => { one.open = true; })")
            if scheme is not None:
                assert found_by_axe(page) == [], path


def found_by_axe(page: Page) -> list[Any]:
    """What axe finds in the page's own part; the frame around it has tests of its own."""
    found = Axe().run(page, context="#main").response["violations"]
    return [(one["id"], [node["html"][:300] for node in one["nodes"][:3]]) for one in found]


def test_the_heads_of_the_matrix_stay_while_it_scrolls(browser: Browser, person: Person, agents: list[AgentOf]) -> None:
    with window(browser, person, 640) as page:
        page.goto("/console/matrix")
        box = page.get_by_role("region", name="Matrix of resources and agents")
        box.evaluate("one => { one.scrollLeft = 400; one.scrollTop = 300; }")
        edges = box.evaluate("""one => {
          const at = selector => one.querySelector(selector).getBoundingClientRect();
          const around = one.getBoundingClientRect();
          return [at("thead th:nth-child(4)").top - around.top, at("tbody th").left - around.left, one.scrollLeft];
        }""")
        assert abs(edges[0]) <= 2
        assert abs(edges[1]) <= 2
        assert edges[2] > 100


def test_on_a_phone_the_matrix_is_read_downwards(browser: Browser, person: Person, agents: list[AgentOf]) -> None:
    with window(browser, person, PHONE, java_script_enabled=False) as page:
        page.goto("/console/matrix")
        row = page.locator(".matrix tbody tr").first.locator("td a")
        told = row.evaluate_all("""all => all.map(one => {
          const box = one.getBoundingClientRect();
          return [getComputedStyle(one, "::before").content.split(" / ")[0], box.left >= 0 && box.right <= innerWidth];
        })""")
        assert told == [[f'"{one.name}"', True] for one in agents]


def test_tabs_that_do_not_fit_fade_and_the_present_one_is_in_sight(
    browser: Browser, person: Person, agents: list[AgentOf]
) -> None:
    edges = """one => {
      const style = getComputedStyle(one);
      return ["--more-before", "--more-after"].map(name => style.getPropertyValue(name) !== "0px");
    }"""
    for width, path, fades in (
        (PHONE, "/console", [False, True]), (PHONE, "/console/start", [True, False]),
        (DESKTOP, "/console/start", [False, False]),
    ):  # fmt: skip
        with window(browser, person, width, java_script_enabled=False) as page:
            page.goto(path)
            tabs = page.get_by_role("navigation", name="Console")
            expect(tabs.locator("[aria-current]")).to_be_in_viewport(ratio=0.9)
            assert tabs.evaluate(edges) == fades, (width, path)


def test_a_change_is_told_while_it_is_made_and_saved_after_review(browser: Browser, account: Desk) -> None:
    agent, person = add_agent(account, preset="reader"), signed_in(account)
    with window(browser, person) as page:
        page.goto(f"/console/agents/{agent.id}")
        page.get_by_role("group", name="Webhooks").get_by_label("read").check(force=True)
        told = page.locator("[data-difference-here]")
        expect(told).to_contain_text("1 change, not saved yet")
        expect(told).to_contain_text("Webhooks")
        scope = page.get_by_role("group", name="Threads").locator("details")
        scope.locator("summary").click()
        name = scope.locator("label.inner").first.inner_text()
        scope.get_by_label(name).check()
        expect(scope.locator("summary")).to_have_text(name)
        expect(told).to_contain_text("2 changes")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Review changes").click()
        page.get_by_role("button", name="Save 2 changes").click()
        expect(page.locator("#said")).to_contain_text("Saved.")
        expect(page).to_have_url(f"{person.server.url}/console/agents/{agent.id}")
    now = account.server.run(account.server.app.gateway.administration.grants.current(account.account_id, agent.id))
    assert now.version == 2
    assert now.resources["webhooks"]["level"] == "read"
    assert now.resources["threads"]["inboxes"] != "all"


def test_inboxes_are_chosen_for_every_resource_at_once(browser: Browser, account: Desk) -> None:
    agent, person = add_agent(account, preset="reader"), signed_in(account)
    with window(browser, person) as page:
        page.goto(f"/console/agents/{agent.id}")
        scope = page.get_by_role("group", name="Threads").locator("details")
        scope.locator("summary").click()
        scope.locator("label.inner input").first.check()
        scope.get_by_role("button", name="Use for every resource").click()
        expect(page.locator("[data-difference-here]")).to_contain_text("7 changes")
        page.get_by_role("button", name="Review changes").click()
        page.get_by_role("button", name="Save 7 changes").click()
        expect(page.locator("#said")).to_contain_text("Saved.")
    now = account.server.run(account.server.app.gateway.administration.grants.current(account.account_id, agent.id))
    scopes = [one["inboxes"] for one in now.resources.values() if one["inboxes"] != "all"]
    assert len(scopes) > 1
    assert all(one == scopes[0] for one in scopes)


def test_a_new_agents_key_is_copied_and_its_first_call_seen(browser: Browser, account: Desk) -> None:
    person = signed_in(account)
    with window(browser, person, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/console/agents/new")
        page.get_by_label("Name", exact=True).fill("Fresh")
        page.get_by_role("button", name="Make the agent").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Fresh is made")
        key = page.locator("#key").inner_text()
        page.locator("[data-copy=key]").click()
        expect(page.locator("[data-copy=key]")).to_contain_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == key
        expect(page).to_have_url(f"{person.server.url}/console/start?agent={page.url.rpartition('=')[2]}")
        called = page.locator("[data-live=called]")
        expect(called).to_contain_text("Waiting for the first call")
        AgentOf(account, 0, "Fresh", key, "", "").get("/v2/conversations")
        expect(called).to_contain_text("Fresh has called.")
        assert page.locator("#key").inner_text() == key  # what is shown once stays while one looks at it
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("First steps")
        assert key not in page.content()


def test_the_name_must_be_typed_before_the_button_works(browser: Browser, account: Desk) -> None:
    agent, person = add_agent(account), signed_in(account)
    with window(browser, person) as page:
        page.goto(f"/console/agents/{agent.id}/access")
        button = page.get_by_role("button", name=f"Delete {agent.name}")
        expect(button).to_be_disabled()
        page.get_by_label(f"Type {agent.name}").fill(agent.name)
        button.click()
        expect(page.locator("#said")).to_contain_text("is deleted")


def test_a_cell_opens_its_place_in_the_editor(browser: Browser, account: Desk, agents: list[AgentOf]) -> None:
    with window(browser, signed_in(account)) as page:
        page.goto("/console/matrix")
        page.locator(f"a[href='/console/agents/{agents[-1].id}#resources.reports']").click()
        expect(page.locator("[id='resources.reports']")).to_be_in_viewport()
        expect(page.get_by_role("group", name="Reports")).to_be_in_viewport()


def test_all_of_it_works_without_a_script(browser: Browser, account: Desk) -> None:
    agent, person = add_agent(account, preset="reader"), signed_in(account)
    with window(browser, person, PHONE, java_script_enabled=False) as page:
        page.goto(f"/console/agents/{agent.id}")
        page.get_by_role("group", name="Webhooks").locator("label.full").click()
        page.get_by_role("button", name="Review changes").click()
        expect(page.get_by_role("heading", name="Review changes")).to_be_visible()
        page.get_by_role("button", name="Save 1 change").click()
        expect(page.locator("#said")).to_contain_text("Saved.")
        page.get_by_role("link", name="History").click()
        page.get_by_role("link", name="Go back to this version 1").click()
        page.get_by_role("button", name="Go back to version 1").click()
        expect(page.locator("#said")).to_contain_text("Version 1 holds again.")
