"""What a conversation's page tells of agents: what they drafted, wait to do and did, and whose decision it is."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html

from deskhand.db.engine import Reader
from deskhand.web.console.about import About, about
from tests.agents import add_agent
from tests.web.console.overseen import ASKING, MOVE_AWAY, TEXT, Overseen, conversation, first, oversee, words
from tests.web.people import signed_in
from tests.world import Desk, open_desk

DRAFTING: dict[str, Any] = ASKING | {"actions": {"reply_to_conversation": "draft"}}


@pytest.fixture
def world(desk: Desk) -> Overseen:
    return oversee(desk)


def of(world: Overseen, account_id: int | None = None) -> About:
    world.desk.server.run(world.desk.server.app.gateway.audit.settle())
    account = account_id or world.desk.account_id

    def read(db: Reader) -> About:
        return about(db, account, world.conversation, world.desk.now)

    return world.desk.server.app.database.read_now(read)


def test_nothing_where_no_agent_was(world: Overseen) -> None:
    world.reply(conversation=conversation(world.desk, world.inbox, "Another"))
    assert of(world) == About(world.conversation)
    assert not of(world).anything


def test_what_agents_drafted_wait_to_do_and_did(world: Overseen) -> None:
    drafter = add_agent(world.desk, "Drafter", **DRAFTING)
    body = {"text": "A draft.", "customer": {"email": "paul@buyer.example"}}
    made = drafter.post(f"/v2/conversations/{world.conversation}/reply", body)
    assert made.status_code == 201
    thread = int(made.headers["Resource-ID"])
    approval = world.tags("vip")
    drafter.get(f"/v2/conversations/{world.conversation}")
    drafter.delete(f"/v2/conversations/{world.conversation}")
    found = of(world)
    assert [(one.thread_id, one.agent_name) for one in found.drafted] == [(thread, drafter.name)]
    assert found.drafted_by(thread) == drafter.name
    assert found.drafted_by(thread + 1) == ""
    assert [(one.id, one.words) for one in found.waits] == [(approval, f"set the tags of conversation #{world.number}")]
    told = [one.sentence for one in found.did]
    assert [one.decision for one in found.did] == ["refused", "held", "allowed"]
    assert "was refused to delete" in told[0]
    assert not any("read conversation" in one for one in told)
    assert of(world, open_desk(world.desk.server).account_id) == About(world.conversation)


def test_a_remote_desks_conversation_of_the_same_id_is_another(world: Overseen) -> None:
    world.reply()
    assert of(world).anything
    world.desk.write(
        lambda tx: tx.run(MOVE_AWAY, account_id=world.desk.account_id, id=world.agent.id, connection_id=10**6)
    )
    assert not of(world).anything


def test_the_page_shows_it_and_administrators_decide_there(world: Overseen) -> None:
    id = world.reply()
    page = world.person.page(f"/conversation/{world.conversation}")
    box = first(page, ".about-agents")
    assert f"{world.agent.name} asks to reply to conversation #{world.number}" in words(box, ".waits")
    assert TEXT.split("\n", maxsplit=1)[0] in words(box, ".waits blockquote")
    forms = [form.get("action") for form in box.cssselect("form")]
    assert forms == [f"/console/approvals/{id}/approve", f"/console/approvals/{id}/deny"]
    back = first(box, "input[name=back]").get("value")
    answer = world.person.send(forms[1], reason="Not so", back=back)
    assert answer.url.endswith(f"/conversation/{world.conversation}")
    assert not html.fromstring(answer.text).cssselect(".about-agents .waits")
    assert world.state(id) == "denied"


def test_others_see_it_without_buttons(world: Overseen) -> None:
    world.reply()
    user = signed_in(world.desk, world.desk.add_user(inboxes=(world.inbox,)))
    box = first(user.page(f"/conversation/{world.conversation}"), ".about-agents")
    assert "An administrator decides about it." in words(box, ".waits")
    assert not box.cssselect("form, a[href^='/console']")
