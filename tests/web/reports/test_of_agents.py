"""The report about agents: calls by decision, how held ones ended, what became of drafts; in some days, in an inbox."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from lxml import html

from deskhand.db.statements import P, command
from deskhand.gateway.tables import agent_draft
from tests.agents import add_agent, somebody
from tests.web.console.overseen import ASKING, Overseen, oversee, words
from tests.web.people import signed_in
from tests.world import Desk, open_desk

DRAFTING: dict[str, Any] = ASKING | {"actions": {"reply_to_conversation": "draft"}}


@pytest.fixture
def world(desk: Desk) -> Overseen:
    return oversee(desk)


def numbers(page: html.HtmlElement, section: str, name: str) -> list[str]:
    """The numbers of an agent's row in a section's table."""
    row = next(
        row for row in page.cssselect(f"section[aria-labelledby={section}] tbody tr") if name in row.text_content()
    )
    return [cell.text_content().strip() for cell in row.cssselect("td.n")]


def draft(world: Overseen, agent: str, text: str) -> str:
    """An agent drafts a reply; gives the agent's name."""
    drafter = add_agent(world.desk, agent, **DRAFTING)
    body = {"text": text, "customer": {"email": "paul@buyer.example"}}
    made = drafter.post(f"/v2/conversations/{world.conversation}/reply", body)
    assert made.status_code == 201, made.text
    return drafter.name


def became(world: Overseen, **values: Any) -> None:
    """Have all drafts of the account be so."""
    change = sa.update(agent_draft).where(agent_draft.c.account_id == P("account_id")).values(**values)
    world.desk.write(lambda tx: tx.run(command(change, keep=False), account_id=world.desk.account_id))


def test_calls_and_how_held_ones_ended(world: Overseen) -> None:
    held = world.reply()
    world.agent.get("/v2/conversations")
    world.agent.get("/v2/conversations")
    world.agent.delete(f"/v2/conversations/{world.conversation}")
    world.person.send(f"/console/approvals/{held}/deny", reason="No")
    page = world.person.page("/reports/agents")
    assert numbers(page, "calls", world.agent.name) == ["4", "2", "1", "1", "0"]
    assert numbers(page, "held", world.agent.name) == ["0", "0", "1", "0", "0", "0"]
    assert "Refused 1 25 % of all" in words(page, ".tiles")
    widths = [float(str(one.get("width"))) for one in page.cssselect("section[aria-labelledby=calls] .agent-bar rect")]
    assert widths == [360.0, 180.0, 180.0]
    link = page.cssselect("section[aria-labelledby=calls] td a")[0].get("href")
    assert len(world.person.page(str(link)).cssselect(".entry")) >= 4


def test_other_days_and_other_inboxes(world: Overseen) -> None:
    other = world.desk.add_inbox("Other")
    world.reply()
    page = world.person.page(f"/reports/agents?inbox={other}")
    assert numbers(page, "calls", world.agent.name)[0] == "0"
    assert numbers(page, "held", world.agent.name)[0] == "0"
    page = world.person.page(f"/reports/agents?inbox={world.inbox}&compare=none")
    assert numbers(page, "calls", world.agent.name) == ["1", "0", "1", "0"]
    page = world.person.page("/reports/agents?period=own&from=2020-01-01&to=2020-01-31")
    assert numbers(page, "calls", world.agent.name)[0] == "0"
    assert world.person.get("/reports/agents?inbox=999999").status_code == 404


def test_what_became_of_drafts(world: Overseen) -> None:
    name = draft(world, "Drafter", "It left on Monday.")
    page = world.person.page("/reports/agents")
    assert numbers(page, "drafts", name) == ["0", "0", "0", "1"]
    became(world, sent_at=world.desk.now, edits=2)
    assert numbers(world.person.page("/reports/agents"), "drafts", name) == ["0", "1", "0", "0"]
    became(world, edits=0)
    assert numbers(world.person.page("/reports/agents"), "drafts", name) == ["1", "0", "0", "0"]
    became(world, sent_at=None, dropped_at=world.desk.now)
    assert numbers(world.person.page("/reports/agents"), "drafts", name) == ["0", "0", "1", "0"]


def test_a_deleted_agent_stays_in_its_days(world: Overseen) -> None:
    world.agent.get("/v2/conversations")
    verbs = world.desk.server.app.gateway.administration
    world.desk.server.run(verbs.agents.delete(somebody(world.desk), world.agent.id))
    assert f"{world.agent.name} (deleted)" in words(world.person.page("/reports/agents"))


def test_only_administrators_and_only_their_account(world: Overseen) -> None:
    world.reply()
    assert signed_in(world.desk, world.desk.add_user()).get("/reports/agents").status_code == 403
    assert "No agents yet" in words(signed_in(open_desk(world.desk.server)).page("/reports/agents"))
