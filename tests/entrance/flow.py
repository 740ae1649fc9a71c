"""MCP's OAuth by hand: a program that registers, sends people to the page, and exchanges what it gets."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from deskhand.desk.users import verbs as users
from deskhand.oauth import passwords, sessions
from tests.live import LiveServer
from tests.oauth.doors import CHEAP, PASSWORD, Browser, Door, Person, forms, sent_back
from tests.world import Desk, unique

AUTHORIZE, TOKEN, REGISTER = "/mcp/oauth/authorize", "/mcp/oauth/token", "/mcp/oauth/register"
CALLBACK = "http://localhost:33418/callback"


def add_person(desk: Desk, role: Any = "admin") -> Person:
    """Somebody of the account who can sign in."""
    email = f"{unique('person')}@desk.example"
    new = users.NewStaff(
        account_id=desk.account_id, first_name="Mina", last_name="Voss", email=email, role=role,
        password_hash=passwords.hash(PASSWORD, CHEAP), created_at=desk.now, updated_at=desk.now,
    )  # fmt: skip
    return Person(desk.write(lambda tx: users.add_staff(tx, new)), email, PASSWORD)


def entered(desk: Desk, door: Door, person: Person) -> Browser:
    """The browser of somebody who has signed in some time ago."""
    start: Any = {
        "account_id": desk.account_id,
        "user_id": person.user_id,
        "now": desk.server.clock.now(),
        "before": None,
    }
    browser = Browser(door)
    browser.http.cookies.set(sessions.COOKIE, desk.write(lambda tx: sessions.start(tx, **start)))
    return browser


@dataclass
class Program:
    """A public client; `verifier` is the secret of its next attempt."""

    door: Door
    client_id: str = ""
    redirect_uri: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def server(self) -> LiveServer:
        return self.door.server

    @property
    def challenge(self) -> str:
        hashed = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()

    def register(self, name: str = "Ledger", **more: Any) -> requests.Response:
        """Say who it is."""
        body = {"client_name": name, "redirect_uris": [self.redirect_uri], **more}
        answer = self.post(REGISTER, json=body)
        if answer.status_code == 201:
            self.client_id = answer.json()["client_id"]
        return answer

    def asks(self, **changed: str | None) -> str:
        """The address of the page on which a person decides."""
        given = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri, "state": "s &=1",
            "code_challenge": self.challenge, "code_challenge_method": "S256", "resource": f"{self.server.url}/mcp",
        } | changed  # fmt: skip
        return f"{AUTHORIZE}?{urlencode({name: value for name, value in given.items() if value is not None})}"

    def let_in(self, browser: Browser, agent_id: int, **changed: str | None) -> dict[str, list[str]]:
        """Have a person let it in as an agent; gives what it is sent."""
        page = browser.get(self.asks(**changed))
        assert page.status_code == 200, page.text
        answer = browser.send(page, AUTHORIZE, decision="approve", agent=str(agent_id))
        assert answer.status_code == 302, answer.text
        assert answer.headers["location"].startswith(self.redirect_uri)
        return sent_back(answer)

    def exchange(self, given: str, **changed: str | None) -> requests.Response:
        """Give the code for tokens."""
        form = {
            "grant_type": "authorization_code", "code": given, "client_id": self.client_id,
            "redirect_uri": self.redirect_uri, "code_verifier": self.verifier, "resource": f"{self.server.url}/mcp",
        } | changed  # fmt: skip
        return self.post(TOKEN, data={name: value for name, value in form.items() if value is not None})

    def refresh(self, token: str, **changed: str) -> requests.Response:
        """Give a refresh token for new tokens."""
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.client_id}
        return self.post(TOKEN, data=form | changed)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        return requests.post(self.door.url + path, timeout=30, allow_redirects=False, **kwargs)

    def opens(self, access_token: str) -> bool:
        """Whether a token opens the MCP door."""
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = self.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers=headers)
        assert answer.status_code in (200, 401)
        return answer.status_code == 200


def agents_offered(page: requests.Response) -> int:
    """How many agents a page lets choose from."""
    return page.text.count('name="agent"')


def form_of(page: requests.Response) -> dict[str, str]:
    """The hidden fields of the page's form."""
    return next(given for address, given in forms(page.text).items() if urlsplit(address).path == AUTHORIZE)
