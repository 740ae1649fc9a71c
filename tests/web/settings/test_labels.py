"""The settings of teams, tags and custom fields: conversations show at once what was changed."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from lxml import html

from deskhand.db.engine import Reader
from deskhand.desk.checking import counters as checked_counters
from deskhand.desk.checking import tags as checked_tags
from deskhand.desk.conversations import relabelling
from deskhand.desk.workflows.actions import AddTags
from tests.desk.conversations.passing import eventually
from tests.web.people import signed_in
from tests.world import Desk, open_desk


def conversation(desk: Desk, inbox: int, **more: Any) -> str:
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active",
        "customer": {"email": "paul@buyer.example"},
        "threads": [{"type": "customer", "text": "Where?", "customer": {"email": "paul@buyer.example"}}],
    }  # fmt: skip
    answer = desk.post("/v2/conversations", body | more)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def tag_ids(desk: Desk) -> dict[str, int]:
    return {one["name"]: one["id"] for one in desk.get("/v2/tags").json()["_embedded"]["tags"]}


def tags_of(desk: Desk, url: str) -> list[str]:
    return [one["tag"] for one in desk.get(url).json()["tags"]]


def alert(answer: requests.Response) -> str:
    found = html.fromstring(answer.text).cssselect("[role=alert]")
    assert found, answer.text[:2000]
    return " ".join(found[0].text_content().split())


def sound(desk: Desk) -> None:
    """What is counted and what is found by are what is shown."""
    mine = f"of account {desk.account_id}:"

    def work(db: Reader) -> list[str]:
        findings = [*checked_counters.check(db), checked_tags.check(db)]
        return [line for finding in findings for line in finding.differences if mine in line]

    assert desk.server.app.database.read_now(work) == []


def counts(desk: Desk) -> dict[str, int]:
    return {one["name"]: one["ticketCount"] for one in desk.get("/v2/tags").json()["_embedded"]["tags"]}


# -- Teams


def test_a_team_is_made_changed_and_deleted(desk: Desk) -> None:
    inbox, ines = desk.add_inbox(), desk.add_user()
    ada = signed_in(desk)
    assert ada.send("/settings/teams/new", name="Tier two", members=[ines, desk.user_id]).status_code == 200
    (team,) = desk.get("/v2/teams").json()["_embedded"]["teams"]
    members = desk.get(f"/v2/teams/{team['id']}/members").json()["_embedded"]["users"]
    assert {one["id"] for one in members} == {ines, desk.user_id}
    url = conversation(desk, inbox, assignTo=team["id"])
    answer = ada.send("/settings/teams/new", name="tier TWO")
    assert answer.status_code == 400 and alert(answer) == "Name belongs to another team."
    assert ada.send(f"/settings/teams/{team['id']}", name="Second tier", members=[ines]).status_code == 200
    assert desk.get(f"/v2/teams/{team['id']}").json()["name"] == "Second tier"
    words = ada.page(f"/settings/teams/{team['id']}/delete").cssselect(".losing")[0].text_content()
    assert "1 conversation of the team will have no owner" in words
    assert ada.send(f"/settings/teams/{team['id']}/delete").status_code == 200
    assert (
        "teams" not in desk.get("/v2/teams").json().get("_embedded", {})
        or not (desk.get("/v2/teams").json()["_embedded"]["teams"])
    )
    assert "assignee" not in desk.get(url).json()
    assert ada.get(f"/settings/teams/{team['id']}").status_code == 404
    sound(desk)


def test_members_of_a_team_are_users_of_the_account(desk: Desk) -> None:
    stranger = open_desk(desk.server).user_id
    answer = signed_in(desk).send("/settings/teams/new", name="Tier two", members=[stranger])
    assert answer.status_code == 400 and "The members must be users" in alert(answer)


# -- Tags


def test_a_renamed_tag_is_renamed_on_conversations(desk: Desk) -> None:
    inbox = desk.add_inbox()
    first, second = conversation(desk, inbox, tags=["vip", "late"]), conversation(desk, inbox, tags=["late"])
    ada, id = signed_in(desk), tag_ids(desk)["late"]
    modified = desk.get(first).json()["userUpdatedAt"]
    assert ada.send(f"/settings/tags/{id}", name="Delayed", color="#c0392b").status_code == 200
    assert tags_of(desk, first) == ["vip", "Delayed"] and tags_of(desk, second) == ["Delayed"]
    assert desk.get(second).json()["tags"][0]["color"] == "#c0392b"
    assert desk.get(first).json()["userUpdatedAt"] == modified
    assert desk.get(f"/v2/tags/{id}").json()["slug"] == "delayed"
    sound(desk)


def test_a_tag_can_t_have_the_name_of_another(desk: Desk) -> None:
    conversation(desk, desk.add_inbox(), tags=["vip", "late"])
    ada, ids = signed_in(desk), tag_ids(desk)
    answer = ada.send(f"/settings/tags/{ids['late']}", name="VIP", color="#c0392b")
    assert answer.status_code == 400 and "belongs to another tag" in alert(answer)
    answer = ada.send(f"/settings/tags/{ids['late']}", name="late", color="red; }")
    assert answer.status_code == 400 and "The colour must" in alert(answer)
    assert set(tag_ids(desk)) == {"vip", "late"}


def test_a_merged_tag_is_the_other_one_everywhere(desk: Desk) -> None:
    inbox = desk.add_inbox()
    both, one = conversation(desk, inbox, tags=["late", "vip", "delay"]), conversation(desk, inbox, tags=["late"])
    ids = tag_ids(desk)
    workflow = desk.add_workflow(inbox, AddTags([ids["late"], ids["delay"]]))
    ada = signed_in(desk)
    assert ada.send(f"/settings/tags/{ids['late']}/merge", into=ids["delay"]).status_code == 200
    assert tags_of(desk, both) == ["delay", "vip"] and tags_of(desk, one) == ["delay"]
    assert counts(desk) == {"delay": 2, "vip": 1}
    found = desk.get("/v2/conversations", tag="delay", status="all").json()["_embedded"]["conversations"]
    assert len(found) == 2
    sound(desk)
    run = desk.post(f"/v2/workflows/{workflow}/run", {"conversationIds": [int(one.rsplit("/", 1)[1])]})
    assert run.status_code == 204, run.text


def test_a_tag_is_merged_into_another_one_only(desk: Desk) -> None:
    conversation(desk, desk.add_inbox(), tags=["late"])
    stranger = open_desk(desk.server)
    conversation(stranger, stranger.add_inbox(), tags=["theirs"])
    ada, id = signed_in(desk), tag_ids(desk)["late"]
    for into in (id, tag_ids(stranger)["theirs"], ""):
        answer = ada.send(f"/settings/tags/{id}/merge", into=into)
        assert answer.status_code == 400 and "another tag" in alert(answer)
    assert ada.send(f"/settings/tags/{tag_ids(stranger)['theirs']}/delete").status_code == 404


def test_a_deleted_tag_is_taken_from_conversations(desk: Desk) -> None:
    url = conversation(desk, desk.add_inbox(), tags=["vip", "late"])
    ada, id = signed_in(desk), tag_ids(desk)["late"]
    assert "1 conversation" in ada.page(f"/settings/tags/{id}/delete").cssselect(".losing")[0].text_content()
    assert ada.send(f"/settings/tags/{id}/delete").status_code == 200
    assert tags_of(desk, url) == ["vip"] and set(tag_ids(desk)) == {"vip"}
    sound(desk)


def test_what_is_left_over_is_done_by_a_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relabelling, "BATCH", 2)
    inbox = desk.add_inbox()
    urls = [conversation(desk, inbox, tags=["late", "vip"]) for _ in range(5)]
    ids = tag_ids(desk)
    assert signed_in(desk).send(f"/settings/tags/{ids['late']}/merge", into=ids["vip"]).status_code == 200
    eventually(lambda: all(tags_of(desk, url) == ["vip"] for url in urls))
    assert counts(desk) == {"vip": 5}
    sound(desk)


def test_a_new_tag_needs_a_name(desk: Desk) -> None:
    ada = signed_in(desk)
    assert ada.send("/settings/tags", name="Étude").status_code == 200
    assert "Étude" in tag_ids(desk)
    answer = ada.send("/settings/tags", name="x" * 101)
    assert answer.status_code == 400 and "at most 100 characters" in alert(answer)


# -- Custom fields


def field_of(desk: Desk, inbox: int, name: str) -> dict[str, Any]:
    found = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"]
    return next(one for one in found if one["name"] == name)


def test_a_field_with_choices_is_made_and_put_in_order(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ada = signed_in(desk)
    choices = {"choice-1": "Pro", "choice-2": " ", "choice-3": "Free"}
    for name, kind in (("Plan", "dropdown"), ("Seats", "number")):
        answer = ada.send("/settings/fields/new", inbox=inbox, name=name, type=kind, required="1", **choices)
        assert answer.status_code == 200, answer.text[:500]
    plan, seats = field_of(desk, inbox, "Plan"), field_of(desk, inbox, "Seats")
    assert [one["label"] for one in plan["options"]] == ["Pro", "Free"] and plan["required"] and "options" not in seats
    assert ada.send(f"/settings/fields/{seats['id']}/move", to="up").status_code == 200
    names = [one["name"] for one in desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"]]
    assert names == ["Seats", "Plan"]


@pytest.mark.parametrize(
    "given, fault",
    [
        ({"name": ""}, "Name may not be empty."),
        ({"name": "plan"}, "Name belongs to another field of this inbox."),
        ({"type": "dropdown"}, "The choices must be at least one."),
        ({"type": "dropdown", "choice-1": "a", "choice-2": "A"}, "The choices must be different from each other."),
        ({"type": "map"}, "The kind is not one of the kinds of field."),
    ],
)
def test_a_field_that_can_t_be_is_refused(desk: Desk, given: dict[str, str], fault: str) -> None:
    inbox = desk.add_inbox()
    desk.add_field(inbox, "Plan", "singleline")
    answer = signed_in(desk).send("/settings/fields/new", **{"inbox": inbox, "name": "Seats", "type": "number"} | given)
    assert answer.status_code == 400 and alert(answer) == fault


def test_a_changed_field_changes_on_conversations(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = desk.add_field(inbox, "Plan", "dropdown", ("Pro", "Free"))
    pro, free = (one["id"] for one in field_of(desk, inbox, "Plan")["options"])
    first = conversation(desk, inbox, fields=[{"id": id, "value": str(pro)}])
    second = conversation(desk, inbox, fields=[{"id": id, "value": str(free)}])
    ada = signed_in(desk)
    change = {"choice-1": "New", "option-1": "", "choice-2": "Professional", "option-2": str(pro)}
    assert ada.send(f"/settings/fields/{id}", name="Level", **change).status_code == 200
    assert [one["label"] for one in field_of(desk, inbox, "Level")["options"]] == ["New", "Professional"]
    (kept,) = desk.get(first).json()["customFields"]
    assert (kept["name"], kept["value"], kept["text"]) == ("Level", str(pro), "Professional")
    assert desk.get(second).json()["customFields"] == []


def test_a_deleted_field_is_taken_from_conversations(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id, other = desk.add_field(inbox, "Seats", "number"), desk.add_field(inbox, "Note", "singleline")
    url = conversation(desk, inbox, fields=[{"id": id, "value": "7"}, {"id": other, "value": "x"}])
    ada = signed_in(desk)
    assert (
        "1 conversation will lose" in ada.page(f"/settings/fields/{id}/delete").cssselect(".losing")[0].text_content()
    )
    assert ada.send(f"/settings/fields/{id}/delete").status_code == 200
    assert [one["id"] for one in desk.get(url).json()["customFields"]] == [other]
    assert signed_in(open_desk(desk.server)).get(f"/settings/fields/{other}").status_code == 404
