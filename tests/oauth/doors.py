"""Builders for the tests of signing in and of tokens: a live server for this room, a browser, people with passwords."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import sqlalchemy as sa
import uvicorn
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from deskhand.db.engine import Writer
from deskhand.db.statements import P, command
from deskhand.desk.users import verbs as users
from deskhand.desk.users.tables import account
from deskhand.oauth import applications, passwords
from deskhand.oauth.authorize import AUTHORIZE_PATH
from deskhand.oauth.oidc import Provider, ProviderSettings
from deskhand.oauth.pages import SIGN_IN_PATH, SIGN_OUT_PATH, STYLESHEET_PATH
from deskhand.oauth.parts import Parts
from deskhand.oauth.passwords import Passwords
from deskhand.oauth.routes import routes
from tests.live import LiveServer
from tests.world import Desk, unique

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
OWN_PATHS = (AUTHORIZE_PATH, SIGN_IN_PATH, SIGN_OUT_PATH, STYLESHEET_PATH)
PASSWORD = "a long and quiet river"

_RENAME = command(sa.update(account).where(account.c.id == P("id")).values(name=P("name")), keep=False)
_addresses = itertools.count(1)


class Door:
    """A live server once more, with the pages of this room built for cheap passwords or another base URL."""

    def __init__(
        self,
        server: LiveServer,
        base_url: str = "",
        cost: PasswordHasher = CHEAP,
        provider: ProviderSettings | None = None,
    ) -> None:
        self.server = server
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        database, clock = server.app.database, server.clock
        sealer = server.app.gateway.sealer
        base_url = base_url or self.url
        known = Provider(provider, base_url) if provider else None
        self._pages = Starlette(routes=routes(Parts(database, clock, base_url, sealer, Passwords(cost), known)))
        config = uvicorn.Config(
            self._app,
            log_level="warning",
            http="httptools",
            interface="asgi3",
            access_log=False,
            log_config=None,
            timeout_keep_alive=75,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._uvicorn.run, args=([listener],), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._uvicorn.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the door did not open")
            time.sleep(0.01)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = scope["type"] == "lifespan" or scope["path"].startswith(OWN_PATHS)
        await (self._pages if own else self.server.app)(scope, receive, send)

    def close(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(20)


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in."""

    user_id: int
    email: str
    password: str


def add_person(
    desk: Desk, email: str = "", password: str = PASSWORD, state: Any = "active", cost: PasswordHasher = CHEAP
) -> Person:
    """A user of the desk's account with a password."""
    email = email or f"{unique('person')}@desk.example"
    new = users.NewStaff(
        account_id=desk.account_id, first_name="Mina", last_name="Voss", email=email, state=state,
        password_hash=passwords.hash(password, cost), created_at=desk.now, updated_at=desk.now,
    )  # fmt: skip
    return Person(desk.write(lambda tx: users.add_staff(tx, new)), email, password)


def deactivate(desk: Desk, user_id: int) -> None:
    desk.write(lambda tx: users.set_state(tx, desk.account_id, user_id, "inactive", desk.now))


def rename_account(desk: Desk, name: str) -> Desk:
    desk.write(lambda tx: tx.run(_RENAME, id=desk.account_id, name=name))
    return desk


def add_application(desk: Desk, redirect_url: str, name: str = "Ledger") -> tuple[str, str]:
    """An application of the desk's account; gives its client id and secret."""
    client_id, secret = unique("client"), unique("secret")

    def register(tx: Writer) -> int:
        return applications.register(
            tx, account_id=desk.account_id, user_id=desk.user_id, name=name, client_id=client_id,
            client_secret=secret, redirect_url=redirect_url, now=desk.now,
        )  # fmt: skip

    desk.write(register)
    return client_id, secret


@dataclass
class Browser:
    """A person's browser: keeps cookies, sends forms as they stand in the page, has a network address of its own."""

    door: Door
    http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        number = next(_addresses)
        self.http.headers["X-Forwarded-For"] = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"

    def get(self, path: str, **params: str) -> requests.Response:
        return self.http.get(self.door.url + path, params=params, allow_redirects=False, timeout=30)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> requests.Response:
        url = self.door.url + path
        return self.http.post(url, data=fields, headers=headers, allow_redirects=False, timeout=30)

    def send(self, page: requests.Response, action: str, **fields: str) -> requests.Response:
        """Fill in and send the form of a page that goes to the path `action`."""
        found = {urlsplit(address).path: (address, given) for address, given in forms(page.text).items()}
        address, given = found[action]
        return self.post(address, given | fields)

    def sign_in(self, person: Person, **fields: str) -> requests.Response:
        page = self.get("/sign-in", **({"next": fields.pop("next")} if "next" in fields else {}))
        return self.send(page, "/sign-in", **{"email": person.email, "password": person.password} | fields)

    @property
    def cookie(self) -> str | None:
        return self.http.cookies.get("deskhand_session")


def signed_in(door: Door, person: Person) -> Browser:
    """The browser of somebody who has signed in."""
    browser = Browser(door)
    assert browser.sign_in(person).status_code == 303
    return browser


def approve(door: Door, client_id: str, person: Person, **state: str) -> dict[str, list[str]]:
    """Let an application act as a person; gives what it is sent."""
    browser = signed_in(door, person)
    page = browser.get(AUTHORIZE_PATH, client_id=client_id, **state)
    answer = browser.send(page, AUTHORIZE_PATH, decision="approve")
    assert answer.status_code == 302, answer.text
    return sent_back(answer)


def sent_back(answer: requests.Response) -> dict[str, list[str]]:
    """The query of the address an answer redirects to."""
    return parse_qs(urlsplit(answer.headers["location"]).query, keep_blank_values=True)


def forms(html: str) -> dict[str, dict[str, str]]:
    """The forms of a page by their action, with the fields that have a value."""
    parser = _Forms()
    parser.feed(html)
    return parser.found


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._open: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._open = self.found.setdefault(given["action"] or "", {})
        elif tag == "input" and given.get("name") and given.get("type") != "radio":
            self._open[given["name"] or ""] = given.get("value") or ""
