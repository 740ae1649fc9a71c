"""Builders for the tests of pages: somebody signed in who reads pages and sends forms, and their browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from lxml import html
from playwright.sync_api import Browser, BrowserContext, Page

from deskhand.db.engine import Writer
from deskhand.oauth import sessions
from tests.live import LiveServer
from tests.world import Desk

PHONE, TABLET, DESKTOP = 360, 768, 1280


@dataclass
class Person:
    """A user with a session, who follows redirects as a browser does."""

    server: LiveServer
    cookie: str
    http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.http.cookies.set(sessions.COOKIE, self.cookie, domain="127.0.0.1")

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.http.get(self.server.url + path, timeout=30, **kwargs)

    def page(self, path: str) -> html.HtmlElement:
        """A page that has to be there."""
        answer = self.get(path)
        assert answer.status_code == 200, (answer.status_code, answer.text[:2000])
        return html.fromstring(answer.text)

    @property
    def csrf(self) -> str:
        """The token that forms carry."""
        found = re.search(r'data-csrf="([^"]+)"', self.get("/conversation/1").text)
        assert found, "the page has no token"
        return found[1]

    def send(self, path: str, files: Any = None, **fields: Any) -> requests.Response:
        """Send a form with its token; the answer is that of the page it leads to."""
        data = {"csrf": self.csrf, **fields}
        return self.http.post(self.server.url + path, data=data, files=files, timeout=30)


def add_conversation(
    desk: Desk, inbox_id: int, *texts: str, email: str = "paul@buyer.example", subject: str = "A question", **more: Any
) -> int:
    """A conversation in which the customer wrote some texts, by the API."""
    threads = [{"type": "customer", "customer": {"email": email}, "text": text} for text in texts or ("Hello.",)]
    body = {
        "subject": subject, "mailboxId": inbox_id, "type": "email", "status": "active",
        "customer": {"email": email, "firstName": "Paul", "lastName": "Berry"}, "threads": threads[:1], **more,
    }  # fmt: skip
    made = desk.post("/v2/conversations", body)
    assert made.status_code == 201, made.text
    id = int(made.headers["Resource-ID"])
    for thread in threads[1:]:
        answer = desk.post(f"/v2/conversations/{id}/customer", {"customer": {"email": email}, "text": thread["text"]})
        assert answer.status_code == 201, answer.text
    return id


def signed_in(desk: Desk, user_id: int | None = None) -> Person:
    """Somebody of the account, by default its owner, with a session of their own."""

    def start(tx: Writer) -> str:
        return sessions.start(
            tx, account_id=desk.account_id, user_id=user_id or desk.user_id, now=desk.server.clock.now(), before=None
        )

    return Person(desk.server, desk.write(start))


@contextmanager
def window(browser: Browser, person: Person, width: int = DESKTOP, height: int = 900, **options: Any) -> Iterator[Page]:
    """A browser window of a person. Errors of scripts, refused files and messages on the console fail the test."""
    context: BrowserContext = browser.new_context(
        base_url=person.server.url, viewport={"width": width, "height": height}, **options
    )
    context.set_default_timeout(30_000)
    context.add_cookies([{"name": sessions.COOKIE, "value": person.cookie, "url": person.server.url}])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    try:
        yield page
    finally:
        context.close()
    assert not faults, faults
