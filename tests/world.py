"""Small named builders: each test opens an account of its own and fills it with what it is about.

Accounts share one database per kind, so every test also runs beside other accounts' data.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import requests

from deskhand.db.engine import Writer
from deskhand.desk.inboxes import verbs as inboxes
from deskhand.desk.teams import verbs as teams
from deskhand.desk.users import verbs as users
from deskhand.desk.workflows import verbs as workflows
from deskhand.desk.workflows.actions import Action
from deskhand.lib.clock import to_wire
from deskhand.oauth import applications, tokens
from tests.live import LiveServer

_serial = itertools.count(1)
T = TypeVar("T")


def unique(prefix: str) -> str:
    """A name no other test uses."""
    return f"{prefix}{next(_serial)}"


class Caller(ABC):
    """Somebody who makes real calls with a credential."""

    http: requests.Session

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the server listens."""

    @property
    @abstractmethod
    def credential(self) -> str:
        """A token or a key."""

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """One real call; `path` may be absolute. Redirects are not followed."""
        url = path if path.startswith("http") else self.url + path
        headers = {"Authorization": f"Bearer {self.credential}", **kwargs.pop("headers", {})}
        return self.http.request(method, url, headers=headers, allow_redirects=False, timeout=30, **kwargs)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.request("GET", path, params=params)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.request("POST", path, json=body)

    def put(self, path: str, body: Any) -> requests.Response:
        return self.request("PUT", path, json=body)

    def patch(self, path: str, body: Any) -> requests.Response:
        return self.request("PATCH", path, json=body)

    def delete(self, path: str) -> requests.Response:
        return self.request("DELETE", path)


@dataclass
class Desk(Caller):
    """One account on a live server, seen by one of its users through the API."""

    server: LiveServer
    account_id: int
    user_id: int
    application_id: int
    token: str
    client_id: str
    client_secret: str
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def credential(self) -> str:
        return self.token

    @property
    def now(self) -> str:
        return to_wire(self.server.clock.now())

    def write(self, work: Callable[[Writer], T]) -> T:
        """Run a function of a Writer in one transaction."""
        return self.server.app.database.write_now(work)

    def add_user(
        self, first: str = "Ines", last: str = "Okafor", role: str = "user", inboxes: tuple[int, ...] = ()
    ) -> int:
        """A user of the account who sees the given inboxes."""
        new = users.NewStaff(
            account_id=self.account_id,
            first_name=first,
            last_name=last,
            email=f"{unique('user')}@desk.example",
            role=role,
            created_at=self.now,
            updated_at=self.now,
        )

        def add(tx: Writer) -> int:
            user_id = users.add_staff(tx, new)
            users.set_inboxes(tx, self.account_id, user_id, inboxes)
            return user_id

        return self.write(add)

    def add_team(self, name: str = "Tier Two", members: tuple[int, ...] = ()) -> int:
        """A team of the given users."""
        new = users.NewStaff(
            account_id=self.account_id, type="team", first_name=name, created_at=self.now, updated_at=self.now
        )

        def add(tx: Writer) -> int:
            team_id = users.add_staff(tx, new)
            teams.set_members(tx, self.account_id, team_id, members)
            return team_id

        return self.write(add)

    def add_system_user(self, name: str = "Triage") -> int:
        """An agent or another integration that acts on its own."""
        new = users.NewStaff(
            account_id=self.account_id, type="system_user", first_name=name, created_at=self.now, updated_at=self.now
        )
        return self.write(lambda tx: users.add_staff(tx, new))

    def add_workflow(self, inbox_id: int, *actions: Action, name: str = "Close it", **workflow: Any) -> int:
        """A workflow of an inbox, manual and active unless it says otherwise."""
        new = workflows.NewWorkflow(
            account_id=self.account_id, inbox_id=inbox_id, name=name, actions=actions, created_at=self.now, **workflow
        )
        return self.write(lambda tx: workflows.add(tx, new))

    def add_inbox(self, name: str = "Support", **inbox: Any) -> int:
        """An inbox of the account; only owners and administrators see it until a user is let in."""
        inbox = {"email": f"{unique('inbox')}@desk.example", "created_at": self.now, "updated_at": self.now} | inbox
        return self.write(
            lambda tx: inboxes.open_inbox(tx, inboxes.NewInbox(account_id=self.account_id, name=name, **inbox))
        )

    def add_field(
        self, inbox_id: int, name: str, type: inboxes.FieldType, options: tuple[str, ...] = (), required: bool = False
    ) -> int:
        """A custom field of an inbox; `options` are a dropdown's labels."""
        new = inboxes.NewField(
            account_id=self.account_id, inbox_id=inbox_id, name=name, type=type, required=int(required)
        )
        return self.write(lambda tx: inboxes.add_field(tx, new, options))

    def as_user(self, user_id: int) -> Desk:
        """The same account seen by another user."""
        return Desk(
            self.server, self.account_id, user_id, self.application_id,
            _token(self.server, self.account_id, self.application_id, user_id), self.client_id, self.client_secret,
        )  # fmt: skip


def open_desk(server: LiveServer, rate_limit: int = 0, **account: Any) -> Desk:
    """A new account with an owner and an application; no rate limit unless asked for."""
    now = to_wire(server.clock.now())
    client_id, client_secret = unique("client"), unique("secret")

    def build(tx: Writer) -> tuple[int, int, int]:
        account_id = users.open_account(
            tx, users.NewAccount(name="Northwind", rate_limit=rate_limit, created_at=now, **account)
        )
        owner = users.NewStaff(
            account_id=account_id, first_name="Ada", last_name="Holm", email=f"{unique('owner')}@desk.example",
            role="owner", created_at=now, updated_at=now,
        )  # fmt: skip
        user_id = users.add_staff(tx, owner)
        application_id = applications.register(
            tx, account_id=account_id, user_id=user_id, name="Test", client_id=client_id, client_secret=client_secret,
            redirect_url="http://127.0.0.1:9/callback", now=now,
        )  # fmt: skip
        return account_id, user_id, application_id

    account_id, user_id, application_id = server.app.database.write_now(build)
    token = _token(server, account_id, application_id, user_id)
    return Desk(server, account_id, user_id, application_id, token, client_id, client_secret)


def _token(server: LiveServer, account_id: int, application_id: int, user_id: int) -> str:
    def issue(tx: Writer) -> tokens.Tokens:
        return tokens.issue(
            tx, account_id=account_id, application_id=application_id, user_id=user_id, now=server.clock.now(),
            refreshable=False,
        )  # fmt: skip

    return server.app.database.write_now(issue).access
