"""Bringing conversations up to date: once or twice, merged ones too, and what is changed while a job waits."""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.db.engine import Reader, Writer
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.checking import counters, tags
from deskhand.desk.conversations import merging, relabelling
from deskhand.desk.conversations.relabelling import Task
from deskhand.desk.tags import verbs as tag_verbs
from deskhand.desk.workflows.actions import AddTags
from deskhand.desk.workflows.conditions import HasTag
from tests.desk.conversations.builders import events, read, told
from tests.desk.workflows.waiting import automatic, rest, until
from tests.desk.workflows.waiting import tags as tags_of
from tests.world import Desk


def conversation(desk: Desk, inbox: int, *names: str) -> int:
    body: dict[str, Any] = {
        "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active", "tags": list(names),
        "customer": {"email": "paul@buyer.example"},
        "threads": [{"type": "customer", "text": "Where?", "customer": {"email": "paul@buyer.example"}}],
    }  # fmt: skip
    return int(desk.post("/v2/conversations", body).headers["Resource-ID"])


def tag_id(desk: Desk, name: str) -> int:
    found = desk.get("/v2/tags").json()["_embedded"]["tags"]
    return next(int(one["id"]) for one in found if one["name"] == name)


def names(desk: Desk, id: int) -> list[str]:
    return [one["tag"] for one in desk.get(f"/v2/conversations/{id}").json()["tags"]]


def by_owner(tx: Reader, desk: Desk) -> Actor:
    actor = access.actor(tx, desk.user_id)
    assert actor is not None
    return actor


def differences(desk: Desk) -> list[str]:
    mine = f"of account {desk.account_id}:"

    def read(db: Reader) -> list[str]:
        return [line for one in [*counters.check(db), tags.check(db)] for line in one.differences if mine in line]

    return desk.server.app.database.read_now(read)


def go_on(desk: Desk, task: Task) -> Task | None:
    return desk.write(lambda tx: relabelling._go_on(desk.account_id, task, desk.now, tx))


def test_doing_it_twice_changes_nothing_more(desk: Desk) -> None:
    id = conversation(desk, desk.add_inbox(), "late", "vip")
    late, vip = tag_id(desk, "late"), tag_id(desk, "vip")
    desk.write(lambda tx: relabelling.merge_tag(tx, by_owner(tx, desk), late, vip, desk.now))
    assert go_on(desk, Task(tag=late, into=vip)) is None and go_on(desk, Task(tag=vip)) is None
    assert names(desk, id) == ["vip"] and differences(desk) == []


def test_a_conversation_that_was_merged_is_brought_up_to_date_and_not_counted(desk: Desk) -> None:
    inbox = desk.add_inbox()
    gone, goes_on = conversation(desk, inbox, "late"), conversation(desk, inbox, "vip")
    late, vip = tag_id(desk, "late"), tag_id(desk, "vip")
    desk.write(lambda tx: merging.merge(tx, by_owner(tx, desk), gone, goes_on, desk.now))
    desk.write(lambda tx: relabelling.merge_tag(tx, by_owner(tx, desk), late, vip, desk.now))
    assert names(desk, goes_on) == ["vip"] and differences(desk) == []


def test_a_tag_deleted_while_a_renaming_waits_is_taken_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relabelling, "BATCH", 1)
    inbox = desk.add_inbox()
    ids = [conversation(desk, inbox, "late") for _ in range(3)]
    late = tag_id(desk, "late")

    def both(tx: Writer) -> None:
        relabelling.change_tag(tx, by_owner(tx, desk), late, "Delayed", "#c0392b", desk.now)
        relabelling.delete_tag(tx, by_owner(tx, desk), late, desk.now)

    desk.write(both)
    task: Task | None = Task(tag=late)
    while task is not None:
        task = go_on(desk, task)
    assert [names(desk, id) for id in ids] == [[], [], []] and differences(desk) == []


# -- What is told of it


def test_each_conversation_that_a_merged_or_deleted_tag_was_on_is_told_of_once(desk: Desk) -> None:
    inbox = desk.add_inbox()
    with_late, with_both, with_vip = (
        conversation(desk, inbox, *names) for names in (["late"], ["late", "vip"], ["vip"])
    )
    late, vip = tag_id(desk, "late"), tag_id(desk, "vip")
    desk.write(lambda tx: relabelling.merge_tag(tx, by_owner(tx, desk), late, vip, desk.now))
    assert go_on(desk, Task(tag=late, into=vip)) is None
    assert [told(desk, id)[1:] for id in (with_late, with_both, with_vip)] == [["convo.tags"], ["convo.tags"], []]
    one = events(desk, with_late)[-1]
    assert (one.inbox_id, one.actor_type, one.actor_id) == (inbox, "user", desk.user_id)
    desk.write(lambda tx: relabelling.delete_tag(tx, by_owner(tx, desk), vip, desk.now))
    assert [len(told(desk, id)) for id in (with_late, with_both, with_vip)] == [3, 3, 2]


def test_a_new_name_is_told_and_a_new_colour_is_not(desk: Desk) -> None:
    id = conversation(desk, desk.add_inbox(), "late")
    late = tag_id(desk, "late")
    desk.write(lambda tx: relabelling.change_tag(tx, by_owner(tx, desk), late, "late", "#c0392b", desk.now))
    assert read(desk, id)["tags"][0]["color"] == "#c0392b" and told(desk, id) == ["convo.created"]
    desk.write(lambda tx: relabelling.change_tag(tx, by_owner(tx, desk), late, "Late", "#c0392b", desk.now))
    assert told(desk, id) == ["convo.created", "convo.tags"]


def test_of_drafts_and_of_what_was_merged_nothing_is_told(desk: Desk) -> None:
    inbox = desk.add_inbox()
    body = {
        "subject": "Soon", "type": "email", "mailboxId": inbox, "status": "active", "tags": ["late"],
        "customer": {"email": "paul@buyer.example"},
        "threads": [{"type": "reply", "text": "Hello", "draft": True, "customer": {"email": "paul@buyer.example"}}],
    }  # fmt: skip
    draft = int(desk.post("/v2/conversations", body).headers["Resource-ID"])
    gone, stays = conversation(desk, inbox, "late"), conversation(desk, inbox)
    desk.write(lambda tx: merging.merge(tx, by_owner(tx, desk), gone, stays, desk.now))
    before = [told(desk, id) for id in (draft, gone)]
    desk.write(lambda tx: relabelling.delete_tag(tx, by_owner(tx, desk), tag_id(desk, "late"), desk.now))
    assert names(desk, draft) == [] and [told(desk, id) for id in (draft, gone)] == before


def test_workflows_leave_alone_what_only_has_its_tag_by_another_name(desk: Desk) -> None:
    inbox = desk.add_inbox()
    old = conversation(desk, inbox, "late")
    made = desk.write(lambda tx: tag_verbs.named(tx, desk.account_id, ["seen", "vip"], desk.now))
    seen, vip = (one.id for one in made)
    automatic(desk, inbox, HasTag("is", [vip]), AddTags([seen]))
    late = tag_id(desk, "late")
    desk.write(lambda tx: relabelling.merge_tag(tx, by_owner(tx, desk), late, vip, desk.now))
    new = conversation(desk, inbox, "vip")
    until(lambda: tags_of(desk, new) == {"vip", "seen"})
    rest(desk)
    assert tags_of(desk, old) == {"vip"}


def test_what_a_job_does_is_told_batch_by_batch_as_of_the_one_who_asked_for_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relabelling, "BATCH", 2)
    inbox = desk.add_inbox()
    ids = [conversation(desk, inbox, "late") for _ in range(5)]
    desk.write(lambda tx: relabelling.delete_tag(tx, by_owner(tx, desk), tag_id(desk, "late"), desk.now))
    until(lambda: all(told(desk, id)[1:] == ["convo.tags"] for id in ids))
    assert {events(desk, id)[-1].actor_id for id in ids} == {desk.user_id}
