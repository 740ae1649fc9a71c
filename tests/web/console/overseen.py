"""A desk with a conversation and an agent whose replies wait for a person, for the tests of the console."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from lxml import html

from deskhand.db.statements import P, command
from deskhand.gateway.tables import agent
from tests.agents import AgentOf, add_agent
from tests.web.people import Person, signed_in
from tests.world import Desk

EVERYWHERE: dict[str, Any] = {"level": "write", "inboxes": "all"}
ASKING: dict[str, Any] = {
    "resources": {"conversations": EVERYWHERE, "threads": EVERYWHERE, "customers": EVERYWHERE},
    "actions": {"reply_to_conversation": "hold", "set_conversation_tags": "hold"},
}
TEXT = "Your parcel left us on Monday.\n\nKind regards"

MOVE_AWAY = command(
    sa.update(agent)
    .where(agent.c.account_id == P("account_id"), agent.c.id == P("id"))
    .values(connection_id=P("connection_id")),
    keep=False,
)
"""Has an agent act on a remote desk."""


@dataclass
class Overseen:
    """The owner of the account at their browser, the agent, and a conversation in which a customer has written."""

    desk: Desk
    person: Person
    agent: AgentOf
    inbox: int
    conversation: int
    number: int

    def reply(self, text: str = TEXT, conversation: int | None = None, **more: Any) -> int:
        """Have the agent ask to reply; gives the approval's id."""
        body = {"text": text, "customer": {"email": "paul@buyer.example"}, **more}
        answer = self.agent.post(f"/v2/conversations/{conversation or self.conversation}/reply", body)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["approval_id"])

    def tags(self, *tags: str) -> int:
        """Have the agent ask to set the conversation's tags."""
        answer = self.agent.put(f"/v2/conversations/{self.conversation}/tags", {"tags": list(tags)})
        assert answer.status_code == 202, answer.text
        return int(answer.json()["approval_id"])

    def wrote(self, text: str) -> None:
        """The customer writes again."""
        body = {"text": text, "customer": {"email": "paul@buyer.example"}}
        assert self.desk.post(f"/v2/conversations/{self.conversation}/customer", body).ok

    def change(self, path: str, value: Any, op: str = "replace") -> None:
        """The owner of the account changes the conversation."""
        step = {"op": op, "path": path, "value": value}
        assert self.desk.patch(f"/v2/conversations/{self.conversation}", step).ok

    def threads(self) -> list[dict[str, Any]]:
        """What was said in the conversation, the newest first."""
        found = self.desk.get(f"/v2/conversations/{self.conversation}/threads").json()["_embedded"]["threads"]
        return [one for one in found if one["type"] != "lineitem"]

    def state(self, approval: int) -> str:
        """How a call of the agent's stands."""
        return str(self.agent.get(f"/v2/approvals/{approval}").json()["state"])


def oversee(desk: Desk) -> Overseen:
    """A desk as the console's tests begin with it."""
    inbox = desk.add_inbox("Orders")
    id = conversation(desk, inbox, "Where is my parcel?")
    number = desk.get(f"/v2/conversations/{id}").json()["number"]
    return Overseen(desk, signed_in(desk), add_agent(desk, "Closer", **ASKING), inbox, id, number)


def conversation(desk: Desk, inbox: int, subject: str) -> int:
    """A conversation that a customer began."""
    customer = {"email": "paul@buyer.example", "firstName": "Paul", "lastName": "Reiter"}
    body = {
        "subject": subject, "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
        "threads": [{"type": "customer", "text": f"{subject} I ordered a lamp.", "customer": customer}],
    }  # fmt: skip
    return int(desk.post("/v2/conversations", body).headers["Resource-ID"])


def words(page: html.HtmlElement, *selectors: str) -> str:
    """The text of a page's main part, or of the first element that a selector finds, on one line."""
    found = page.cssselect(selectors[0] if selectors else "main")
    assert found, f"no {selectors}"
    return " ".join(" ".join(found[0].itertext()).split())


def first(page: html.HtmlElement, selector: str) -> Any:
    """The first element that a selector finds."""
    found = page.cssselect(selector)
    assert found, f"no {selector}"
    return found[0]


def said(answer: Any) -> str:
    """What the page after a form says in its toast or alert."""
    page = html.fromstring(answer.text)
    found = page.cssselect("#said div") or page.cssselect("[role=alert]")
    return " ".join(found[0].text_content().split()) if found else ""
