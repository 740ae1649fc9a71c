"""Axe finds nothing on any page, in either theme: the pages are taken from the routes and found by following links.

And each page loads the scripts that its elements need.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from lxml import html
from playwright.sync_api import Browser, Page
from starlette.routing import compile_path

from deskhand.oauth import sessions
from deskhand.web.routes import GROUPS
from tests.clients.live_sandbox import LiveSandbox
from tests.web import chromium
from tests.web.modules import BEHAVIOURS
from tests.web.people import DESKTOP, PHONE

PATHS = list(dict.fromkeys(one.path for group in GROUPS for one in group.declared if one.method == "GET"))
NO_PAGES = {
    "/side": "a piece of a page: the side bar by itself",
    "/inbox/{id}": "leads on to a folder",
    "/search/suggestions": "a piece of a page, seen by the tests of the search box",
    "/views/numbers": "JSON",
    "/new/customers": "JSON",
    "/new/files/{id}": "a file",
    "/inboxes/{id}/saved-replies": "JSON or a piece of a page, seen by the tests of writing",
    "/inboxes/{id}/saved-replies/{reply_id}": "JSON",
    "/inboxes/{id}/colleagues": "JSON",
    "/conversation/{id}/threads/{thread}/source": "plain text",
    "/attachments/{id}": "a file",
    "/console/log/new": "a piece of a page, seen by the tests of the log",
    "/console/log/export": "a file",
    "/console/agents/{id}/review": "leads back: what a form shows, seen by the tests of grants",
    "/console/agents/{id}/edit": "leads back",
    "/console/agents/{id}/grants": "leads back",
    "/console/agents/{id}/keys": "leads back",
    "/console/agents/{id}/secret": "leads back",
    "/console/agents/{id}/name": "leads back",
    "/console/agents/{id}/delete": "leads back",
}
"""What is asked for by GET and is no page of its own, with the reason."""
UNLINKED = {
    "/conversation/{id}/merge": "/conversation/3100000003/merge?into=1001",
    "/settings/users/{id}/delete": "/settings/users/4/delete",
    "/settings/users/{id}/second-factor": "/settings/users/4/second-factor",
    "/console/agents/{id}/versions/{version}": "/console/agents/2/versions/1",
}
"""Pages to which a form or a script leads."""
MOST_USED = (
    "/folder/{id}", "/conversation/{id}", "/search", "/new", "/customers/{id}", "/console/approvals",
    "/console/approvals/{id}", "/console/log", "/console/matrix", "/reports/conversations",
)  # fmt: skip
OPEN = "for (const one of document.querySelectorAll('main details:not(.menu)')) one.open = true"
MISSING = """known => {
  const loaded = performance.getEntriesByType("resource").map(one => one.name.split("/").pop());
  return known.filter(([selector, module]) => document.querySelector(selector) && !loaded.includes(module)).map(String);
}"""
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSandbox]:
    live = LiveSandbox(tmp_path_factory.mktemp("axe"))
    yield live
    live.stop()


@pytest.fixture(scope="module")
def owner(sandbox: LiveSandbox) -> requests.Session:
    """The owner, signed in, of a shop in which something of everything is there."""
    http = requests.Session()
    user = sandbox.description["users"][0]["id"]
    assert http.post(f"{sandbox.url}/sandbox/enter", data={"user_id": user}, timeout=30).ok
    _furnish(sandbox, http)
    return http


@pytest.fixture(scope="module")
def pages(sandbox: LiveSandbox, owner: requests.Session) -> dict[str, str]:
    """An address for each page, by its route."""
    return _found(sandbox.url, owner)


@pytest.fixture(scope="module")
def browser(pages: dict[str, str]) -> Iterator[Browser]:  # after the sandbox, which is made in a loop of its own
    with chromium.running() as started:
        yield started


def test_every_page_is_known(pages: dict[str, str]) -> None:
    assert sorted(set(PATHS) - set(pages)) == sorted(NO_PAGES)


def test_axe_finds_nothing_in_either_theme(
    sandbox: LiveSandbox, owner: requests.Session, pages: dict[str, str], browser: Browser
) -> None:
    context = browser.new_context(
        base_url=sandbox.url, viewport={"width": DESKTOP, "height": 900}, reduced_motion="reduce"
    )
    context.add_cookies([{"name": sessions.COOKIE, "value": owner.cookies[sessions.COOKIE], "url": sandbox.url}])
    page = context.new_page()
    wrong: list[tuple[str, ...]] = []
    page.on("pageerror", lambda error: wrong.append((page.url, str(error))))
    page.on("console", lambda one: wrong.append((page.url, one.text)) if one.type in ("error", "warning") else None)
    for route, path in pages.items():
        page.emulate_media(color_scheme="light")
        page.goto(path)
        wrong += [(path, "does not load", one) for one in page.evaluate(MISSING, BEHAVIOURS)]
        page.evaluate(OPEN)
        wrong += [(path, "light", one) for one in findings(page)]
        page.emulate_media(color_scheme="dark")
        wrong += [(path, "dark", one) for one in findings(page, **COLOURS)]  # all else is as it was in the light
        if route in MOST_USED:
            page.set_viewport_size({"width": PHONE, "height": 760})
            wrong += [(path, "phone", one) for one in findings(page)]
            if page.evaluate("document.documentElement.scrollWidth") > PHONE:
                wrong.append((path, "phone", "is wider than the window"))
            page.set_viewport_size({"width": DESKTOP, "height": 900})
    context.close()
    assert not wrong, "\n".join(map(str, wrong))


def findings(page: Page, **options: Any) -> list[str]:
    """What axe finds, in short."""
    found = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [f"{one['id']}: {[node['html'][:160] for node in one['nodes'][:4]]}" for one in found]


def _found(url: str, http: requests.Session) -> dict[str, str]:
    """Follow links from the pages that have an address of their own until each route is met that a link leads to."""
    patterns = [(path, compile_path(path)[0]) for path in PATHS]
    waiting = [*(path for path in PATHS if "{" not in path), *UNLINKED.values()]
    found: dict[str, str] = {}
    met = set(waiting)
    while waiting:
        path = waiting.pop(0)
        route = next((known for known, pattern in patterns if pattern.match(path.partition("?")[0])), None)
        if route is None or route in found or route in NO_PAGES:
            continue
        answer = http.get(url + path, timeout=30)
        assert answer.status_code == 200, (path, answer.status_code)
        found[route] = path
        for link in map(str, html.fromstring(answer.text).xpath("//a/@href")):
            link = link.partition("#")[0]
            if link.startswith("/") and link not in met:
                met.add(link)
                waiting.append(link)
    return found


def _furnish(sandbox: LiveSandbox, owner: requests.Session) -> None:
    """What the sandbox has none of: a view, a call that waits, a connection, a webhook with a delivery that failed."""
    url, csrf = sandbox.url, re.findall(r'data-csrf="([^"]+)"', owner.get(f"{sandbox.url}/search", timeout=30).text)[0]
    app_id, secret = sandbox.credentials

    def send(path: str, **fields: Any) -> None:
        answer = owner.post(url + path, data={"csrf": csrf, **fields}, timeout=30)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:2000])

    form = {"grant_type": "client_credentials", "client_id": app_id, "client_secret": secret}
    token = requests.post(f"{url}/v2/oauth2/token", data=form, timeout=30).json()["access_token"]

    def call(method: str, path: str, body: Any = None, key: str = token) -> Any:
        answer = requests.request(method, url + path, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        assert answer.ok, (path, answer.text)
        return answer.json() if answer.content else None

    send("/views", name="Waiting for a refund", query='subject:"refund"')
    mine = call("GET", "/v2/conversations?mailbox=501&status=active")["_embedded"]["conversations"][0]["id"]
    drafter = next(one["key"] for one in sandbox.description["agents"] if one["name"] == "Drafter")
    assert call("PUT", f"/v2/conversations/{mine}/tags", {"tags": ["vip"]}, drafter)["state"] == "held"
    send(
        "/console/connections", name="Another shop", base_url=url, client_id=app_id, client_secret=secret,
        grant="client_credentials", code="", refresh_token="",
    )  # fmt: skip
    hook = {"url": "https://hooks.buyer.example/deskhand", "events": ["convo.note.created"], "secret": "a-secret"}
    call("POST", "/v2/webhooks", hook)
    call("POST", f"/v2/conversations/{mine}/notes", {"text": "For the webhook to tell of."})
    sandbox.control("settle")
