"""The editor of an agent's grants: what it shows, what a change means before it is saved, versions."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html

from deskhand.db.statements import value
from deskhand.gateway import grants, presets, tables
from deskhand.web.console.knowing import place_words
from tests.agents import AgentOf, add_agent, log_of
from tests.web.console.forms import fields_of, form_to, said, send, words
from tests.web.people import Person, signed_in
from tests.world import Desk

HOURS = {"from": "08:00", "to": "24:00", "zone": "Europe/Berlin", "days": [1, 2, 5]}


def everything(inbox: int, user: int) -> dict[str, Any]:
    """Grants that use all that grants can say."""
    limits = {
        "statuses": ["active", "inbox_predefined"], "assign_to": [user], "tags": ["refund", "vip"],
        "recipient_domains": ["example.com"], "max_text": 5000, "patch_paths": ["/status"],
        "speak_for_others": False, "hours": HOURS,
    }  # fmt: skip
    return {
        "resources": {
            "conversations": {"level": "write", "inboxes": [inbox]}, "threads": {"level": "full", "inboxes": "all"},
            "customers": {"level": "off", "inboxes": [inbox]}, "tags": {"level": "read", "inboxes": "all"},
            "webhooks": {"level": "off", "inboxes": "all"},
        },
        "actions": {
            "reply_to_conversation": "draft", "delete_conversation": "allow", "set_conversation_tags": "hold",
            "add_note": {"setting": "allow", "limits": limits}, "add_chat": {"setting": "off", "limits": limits},
            "add_customer_thread": {"setting": "hold", "limits": {"speak_for_others": True, "max_text": 3}},
        },
        "limits": limits,
        "expires_at": "2030-05-06T07:08:09Z",
    }  # fmt: skip


def editor(person: Person, agent: AgentOf) -> html.FormElement:
    """The form of the editor."""
    return form_to(person.page(f"/console/agents/{agent.id}"), f"/console/agents/{agent.id}/review")


def reviewed(answer: Any) -> html.FormElement:
    """The form of the review that saves."""
    assert answer.status_code in (200, 409), said(answer)
    (form,) = (one for one in html.fromstring(answer.text).forms if one.get("action", "").endswith("/grants"))
    return form


@pytest.mark.parametrize("name", [*presets.PRESETS, "everything", "nothing"])
def test_a_form_that_nobody_touched_changes_nothing(desk: Desk, name: str) -> None:
    inbox = desk.add_inbox("Orders")
    raw = {"everything": everything(inbox, desk.user_id), "nothing": {}}.get(name)
    agent = add_agent(desk, **(presets.preset(name, [inbox]) if raw is None else raw))
    person = signed_in(desk)
    answer = send(person, editor(person, agent))
    assert answer.status_code == 200
    assert "Nothing would change." in said(answer)
    assert not [one for one in html.fromstring(answer.text).forms if one.get("action", "").endswith("/grants")]


def test_a_change_is_told_in_words_then_saved_and_logged(desk: Desk) -> None:
    inbox = desk.add_inbox("Orders")
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    changes = {
        "resources.conversations.level": "write", "resources.conversations.scope": "chosen",
        "resources.conversations.inboxes": [str(inbox)], "actions.set_conversation_tags": "hold",
        "limits.max_text": "2,000", "expires_at": "2030-01-02T03:04",
    }  # fmt: skip
    answer = send(person, editor(person, agent), changes)
    text = said(answer)
    for line in (
        "Conversations read in every inbox becomes write in Orders",
        "Set the tags of a conversation by its level becomes hold",
        "Limits for all it does none becomes may write 2,000 characters at a time",
        "End never becomes 2030-01-02 03:04", "Save 4 changes",
    ):  # fmt: skip
        line = line.replace("becomes", "")
        assert " ".join(line.split()) in text
    assert agent.delete("/v2/conversations/1").status_code == 403
    before = desk.server.run(desk.server.app.gateway.administration.grants.current(desk.account_id, agent.id))
    assert before.version == 1
    answer = send(person, reviewed(answer))
    assert answer.status_code == 200
    assert "Saved." in answer.text
    now = desk.server.run(desk.server.app.gateway.administration.grants.current(desk.account_id, agent.id))
    assert now.version == 2
    assert now.resources["conversations"] == {"level": "write", "inboxes": [inbox]}
    assert now.actions["set_conversation_tags"] == "hold"
    assert now.limits == {"max_text": 2000}
    assert now.expires_at == "2030-01-02T03:04:00Z"
    entry = log_of(desk, type="admin")[0]
    assert "changed the grants of agent" in entry.sentence
    assert entry.actor == {"type": "user", "id": desk.user_id}


def test_who_was_slower_sees_what_changed_meanwhile(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    review = send(person, editor(person, agent), {"resources.tags.level": "off"})
    agent.grant(resources={"conversations": {"level": "read"}})
    answer = send(person, reviewed(review))
    assert answer.status_code == 409
    text = said(answer)
    assert "Somebody changed this meanwhile" in text
    assert ": version 2" in text
    assert "Threads read in every inbox off" in text  # what the other did
    assert "Threads off read in every inbox" in text  # what saving all the same would do
    assert words(html.fromstring(answer.text).xpath("//*[@role='alert']")[0])
    answer = send(person, reviewed(answer))
    assert answer.status_code == 200
    now = desk.server.run(desk.server.app.gateway.administration.grants.current(desk.account_id, agent.id))
    assert now.version == 3
    assert "threads" in now.resources
    assert "tags" not in now.resources


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"limits.recipient_domains": "no domain"}, "limits.recipient_domains", "must be a domain"),
        ({"limits.max_text": "many"}, "limits.max_text", "whole number"),
        ({"limits.hours.from": "08:00", "limits.hours.to": "08:00"}, "limits.hours.to", "Must differ"),
        ({"limits.hours.from": "08:00", "limits.hours.to": "10:00", "limits.hours.zone": "Mars"}, "limits.hours.zone",
         "No such time zone"),
        ({"actions.add_note": "", "actions.add_note.limits.max_text": "5"}, "actions.add_note", "need a setting"),
        ({"resources.threads.scope": "chosen"}, "resources.threads.inboxes", "may not be empty"),
        ({"resources.threads.scope": "chosen", "resources.threads.inboxes": "999999"}, "resources.threads.inboxes",
         "no such inbox"),
        ({"resources.threads.level": "most"}, "resources.threads.level", "Expected one of"),
        ({"expires_at": "soon"}, "expires_at", "must be a date"),
    ],
)  # fmt: skip
def test_what_cant_be_is_said_at_its_field_and_kept(
    desk: Desk, changes: dict[str, str], field: str, message: str
) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    form = editor(person, agent)
    answer = send(person, form, changes)
    assert answer.status_code == 400
    page = html.fromstring(answer.text)
    wrong = words(page.xpath("//*[@role='alert']")[0])
    assert place_words(field) in wrong
    assert message.lower() in wrong.lower()
    kept = form_to(page, f"/console/agents/{agent.id}/review")
    for name, typed in changes.items():
        if typed not in ("most", "999999"):
            assert fields_of(kept)[name] == [typed]
    assert send(person, form, changes, to=f"/console/agents/{agent.id}/grants").status_code == 400
    piece = send(person, form, changes, to=f"/console/agents/{agent.id}/difference")
    assert piece.status_code == 200
    assert message.lower() in piece.text.lower()


def test_people_are_named_and_an_end_in_the_past_is_told(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    changes = {"limits.assign_to": [str(desk.user_id)], "expires_at": "2020-01-02T03:04"}
    answer = send(person, editor(person, agent), changes)
    name = person.page("/account").find_class("person")[0].find_class("strong")[0].text_content().strip()
    assert f"may assign to {name} only" in said(answer)
    assert "The end lies in the past: as soon as this is saved," in said(answer)
    assert "From then on" not in said(answer)


def test_a_piece_tells_the_difference_while_somebody_edits(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    form, to = editor(person, agent), f"/console/agents/{agent.id}/difference"
    assert "Nothing is changed yet." in send(person, form, to=to).text
    piece = send(person, form, {"resources.reports.level": "off"}, to=to).text
    assert "1 change, not saved yet" in piece
    assert "Reports" in piece
    assert "<html" not in piece


def test_from_the_review_one_can_go_on_editing(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    review = html.fromstring(send(person, editor(person, agent), {"resources.reports.level": "off"}).text)
    answer = send(person, form_to(review, f"/console/agents/{agent.id}/edit"))
    form = form_to(html.fromstring(answer.text), f"/console/agents/{agent.id}/review")
    assert fields_of(form)["resources.reports.level"] == ["off"]
    assert person.get(f"/console/agents/{agent.id}/edit").status_code == 200  # loading it again leads to the editor


@pytest.mark.parametrize("sent", ["no json", "[]", '{"resources": 7}', '{"surprise": 1}', "[" * 5000])
def test_grants_that_no_form_of_ours_sends_are_refused(desk: Desk, sent: str) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    for to in ("grants", "review", "edit", "difference"):
        answer = person.send(f"/console/agents/{agent.id}/{to}", grants=sent, version="1")
        assert answer.status_code in (200, 400), to
    now = desk.server.run(desk.server.app.gateway.administration.grants.current(desk.account_id, agent.id))
    assert now.version == 1


def test_a_preset_fills_the_form_and_saves_nothing(desk: Desk) -> None:
    inbox = desk.add_inbox("Orders")
    agent, person = add_agent(desk), signed_in(desk)
    path = f"/console/agents/{agent.id}"
    page = person.page(f"{path}?preset=closer&inboxes={inbox}")
    answer = send(person, form_to(page, f"{path}/review"))
    assert "Conversations off read in Orders" in said(answer)
    now = desk.server.run(desk.server.app.gateway.administration.grants.current(desk.account_id, agent.id))
    assert now.version == 0
    send(person, reviewed(answer))
    now = desk.server.run(desk.server.app.gateway.administration.grants.current(desk.account_id, agent.id))
    assert grants.read_grants({"resources": now.resources, "actions": now.actions}) == grants.read_grants(
        presets.preset("closer", [inbox])
    )


def test_history_tells_who_changed_what_and_leads_back(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    agent.grant(resources={"conversations": {"level": "read"}})
    versions = person.page(f"/console/agents/{agent.id}/history").xpath("//ol/li")
    assert len(versions) == 2
    assert "Version 2 Holds now" in words(versions[0])
    assert "Threads read in every inbox off" in words(versions[0])
    page = person.page(f"/console/agents/{agent.id}/versions/1")
    assert "reads everything" in words(page)
    answer = send(person, form_to(page, f"/console/agents/{agent.id}/versions/1"))
    assert "Version 1 holds again." in answer.text
    assert agent.get("/v2/users").status_code == 200
    assert "went back to version 1" in log_of(desk, type="admin")[0].sentence
    assert person.get(f"/console/agents/{agent.id}/versions/9").status_code == 404


def test_cedar_can_be_copied(desk: Desk) -> None:
    agent = add_agent(desk, preset="reader")
    text = words(signed_in(desk).page(f"/console/agents/{agent.id}/cedar").get_element_by_id("cedar"))
    assert "permit" in text
    assert f'Agent::"{agent.id}"' in text


def test_an_agent_of_a_remote_desk_takes_ids(desk: Desk) -> None:
    agent, person = add_agent(desk, connection_id=connection(desk)), signed_in(desk)
    scope = {"level": "read", "inboxes": [77, 78]}
    agent.grant(resources={"conversations": scope}, limits={"assign_to": [5, 6]})
    form = editor(person, agent)
    assert fields_of(form)["resources.conversations.inboxes"] == ["77, 78"]
    assert "Nothing would change." in said(send(person, form))
    changes = {"resources.conversations.inboxes": "79", "limits.assign_to": "5, 6,9"}
    answer = send(person, form, changes)
    assert "read in inbox 77 and inbox 78 read in inbox 79" in said(answer)
    send(person, reviewed(answer))
    now = desk.server.run(desk.server.app.gateway.administration.grants.current(desk.account_id, agent.id))
    assert now.resources["conversations"]["inboxes"] == [79]
    assert now.limits["assign_to"] == [5, 6, 9]
    assert "inbox 79" in words(person.page("/console/matrix"))
    assert person.get(f"/console/explain?agent={agent.id}").status_code == 200


def connection(desk: Desk) -> int:
    """A way to a remote desk that nobody asks."""
    row = {
        "account_id": desk.account_id, "name": "Over there", "base_url": "https://over.example", "link_base": "",
        "grant_type": "client_credentials", "client_id": "x", "secrets": "", "created_at": desk.now,
    }  # fmt: skip
    add = value(int, tables.connection.insert().values(row).returning(tables.connection.c.id), keep=False)
    return desk.write(lambda tx: tx.first(add, **row))


def test_all_that_is_wrong_is_told_at_once_at_its_field(desk: Desk) -> None:
    inbox = desk.add_inbox("Orders")
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    changes = {
        "resources.conversations.scope": "chosen", "limits.max_text": "many", "limits.recipient_domains": "a b",
        "limits.hours.from": "08:00", "actions.add_note.limits.max_text": "7", "expires_at": "soon",
        "resources.customers.scope": "chosen", "resources.customers.inboxes": [str(inbox + 999)],
    }  # fmt: skip
    answer = send(person, editor(person, agent), changes)
    assert answer.status_code == 400
    page = html.fromstring(answer.text)
    told = [" ".join(one.text_content().split()) for one in page.cssselect("[role=alert] p")][1:]
    text = " ".join(told)
    for place in (
        "Conversations, inboxes: May not be empty", "Customers, inboxes: No such inbox",
        "Limits for all it does, longest text", "Limits for all it does, domains", "Limits for all it does, hours",
        "End: Must be a date and a time", "limits need a setting",
    ):  # fmt: skip
        assert place.lower() in text.lower(), (place, text)
    assert len(told) == 7
    assert len(page.cssselect(".wrong")) >= 7
    assert page.get_element_by_id("limits.max_text").get("value") == "many"
    piece = person.http.post(
        f"{desk.url}/console/agents/{agent.id}/difference",
        data={**fields_of(editor(person, agent)), **changes},
        timeout=30,
    )
    assert piece.text.count('class="wrong"') == 7
