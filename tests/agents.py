"""Agents for tests: made as an administrator makes them, then calling like any Help Scout client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import requests

from deskhand.gateway.administering.who import Who
from deskhand.gateway.audit import By
from deskhand.gateway.audit_listing import Entry, Filters, entries
from tests.world import Caller, Desk, unique


@dataclass
class AgentOf(Caller):
    """An agent of a desk's account, calling with its key."""

    desk: Desk
    id: int
    name: str
    key: str
    client_id: str
    client_secret: str
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return self.desk.server.url

    @property
    def credential(self) -> str:
        return self.key

    def grant(self, **grants: Any) -> None:
        """Give the agent these grants in place of what it held."""
        verbs = self.desk.server.app.gateway.administration
        self.desk.server.run(verbs.grants.put(somebody(self.desk), self.id, grants))

    def sentences(self) -> list[str]:
        """What the log says of this agent's calls, the oldest first."""
        return [one.sentence for one in reversed(log_of(self.desk, agent=self.id))]


def add_agent(
    desk: Desk,
    name: str = "Triage",
    *,
    preset: str | None = None,
    inboxes: Literal["all"] | Sequence[int] | None = None,
    connection_id: int | None = None,
    **grants: Any,
) -> AgentOf:
    """An agent with a preset's grants, or with those given, or with none."""
    name = unique(name)
    made = desk.server.run(
        desk.server.app.gateway.administration.agents.create(
            somebody(desk), name, preset=preset, inboxes=inboxes, given=grants or None, connection_id=connection_id
        )
    )
    return AgentOf(desk, made.id, made.name, made.key, made.client_id, made.client_secret)


def somebody(desk: Desk) -> Who:
    """The account's owner, as somebody who administers."""
    return Who(desk.account_id, By("user", desk.user_id), "Ada Holm")


def log_of(desk: Desk, **filters: Any) -> list[Entry]:
    """The log's newest entries, the newest first."""
    desk.server.run(desk.server.app.gateway.audit.settle())
    return desk.server.app.database.read_now(lambda db: entries(db, desk.account_id, Filters(**filters))).entries
