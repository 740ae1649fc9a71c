"""Conditions about time come true without anything happening; what was over before is left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deskhand.desk.workflows import ticking, verbs
from deskhand.desk.workflows.actions import AddNote, AddTags, SetStatus
from deskhand.desk.workflows.conditions import Created, Group, LastCustomerReply, LastUserReply, Subject, WaitingSince
from tests.desk.conversations.builders import add, created, done, read, reply, start, wrote
from tests.desk.workflows.waiting import REFUND, automatic, customer_of, ran, rest, runs, tag, tags
from tests.world import Desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def test_waiting_too_long_happens_without_anything_happening(desk: Desk, inbox: int) -> None:
    late = tag(desk, inbox, "late")
    id, answered = start(desk, inbox), start(desk, inbox)
    reply(desk, answered)
    automatic(desk, inbox, WaitingSince("more_than", 2, "hours"), AddTags([late]))
    rest(desk)
    assert runs(desk, id) == []
    desk.server.clock.advance(timedelta(hours=1, minutes=50))
    created(add(desk, id, "notes"))
    rest(desk)
    assert runs(desk, id) == []
    desk.server.clock.advance(timedelta(minutes=15))
    ran(desk, id)
    assert (tags(desk, id), tags(desk, answered)) == ({"late"}, set())


@pytest.mark.parametrize("kind", [Created, LastUserReply, LastCustomerReply])
def test_other_moments_come_too(desk: Desk, inbox: int, kind: Any) -> None:
    workflow = automatic(
        desk, inbox, [[kind("more_than", 3, "days")], [REFUND, Subject("is", "x")]], SetStatus("closed")
    )
    id, other = start(desk, inbox, subject="Refund"), start(desk, inbox, subject="Hello")
    reply(desk, id), reply(desk, other)
    rest(desk)
    desk.server.clock.advance(timedelta(days=3, minutes=1))
    ran(desk, id)
    rest(desk)
    assert (runs(desk, id), runs(desk, other)) == ([workflow], [])


def test_what_was_over_before_it_was_switched_on_is_left_alone(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    rest(desk)
    desk.server.clock.advance(timedelta(hours=5))
    automatic(desk, inbox, WaitingSince("more_than", 2, "hours"), SetStatus("pending"))
    desk.server.clock.advance(timedelta(hours=5))
    newer = start(desk, inbox)
    desk.server.clock.advance(timedelta(hours=3))
    ran(desk, newer)
    assert runs(desk, id) == []
    created(add(desk, id, "notes"))
    ran(desk, id)


def test_many_at_once_are_found_little_by_little_without_more_waiting(
    desk: Desk, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticking, "FOUND_MOST", 2)
    made = [start(desk, inbox) for _ in range(3)]
    desk.server.clock.advance(timedelta(seconds=5))
    made += [start(desk, inbox) for _ in range(3)]
    automatic(desk, inbox, WaitingSince("more_than", 1, "hours"), SetStatus("pending"))
    rest(desk)
    desk.server.clock.advance(timedelta(days=1))
    for id in made:
        ran(desk, id)


def test_one_that_can_not_be_told_the_time_holds_no_other_up(
    desk: Desk, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = automatic(desk, inbox, WaitingSince("more_than", 2, "hours"), SetStatus("pending"))
    automatic(desk, inbox, WaitingSince("more_than", 1, "hours"), SetStatus("closed"))
    id = start(desk, inbox)
    rest(desk)
    came = ticking.came

    def broken(db: Any, one: ticking.Timed, now: Any) -> Any:
        if one.id == first:
            raise ZeroDivisionError
        return came(db, one, now)

    monkeypatch.setattr(ticking, "came", broken)
    desk.server.clock.advance(timedelta(minutes=70))
    ran(desk, id)
    assert read(desk, id)["status"] == "closed"


def test_what_a_customer_said_in_a_chat_counts_as_written(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, subject="Refund", threads=[wrote()])
    desk.server.clock.advance(timedelta(hours=1))
    created(add(desk, id, "chats", text="Anybody there?", customer={"id": customer_of(desk, id)}))
    workflow = automatic(desk, inbox, LastCustomerReply("more_than", 2, "hours"), AddNote("Look"))
    rest(desk)
    desk.server.clock.advance(timedelta(minutes=90))
    app = desk.server.app
    desk.server.run(ticking.Ticking(app.database, app.clock).look(app.clock.now()))
    rest(desk)
    assert runs(desk, id) == []
    desk.server.clock.advance(timedelta(minutes=40))
    ran(desk, id)
    assert runs(desk, id) == [workflow]


@pytest.mark.parametrize("way", ["renamed", "switched on again"])
def test_what_is_about_to_come_is_not_lost_when_a_workflow_is_touched(
    desk: Desk, inbox: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticking, "EVERY", timedelta(days=1000))  # as if nobody had looked for a while
    late = WaitingSince("more_than", 2, "hours")
    id = start(desk, inbox)
    workflow = automatic(desk, inbox, late, SetStatus("pending"))
    rest(desk)
    desk.server.clock.advance(timedelta(hours=3))
    if way == "renamed":
        new = verbs.NewWorkflow(
            account_id=desk.account_id, inbox_id=inbox, name="Renamed", actions=[SetStatus("closed")],
            type="automatic", conditions=[Group([late])], created_at=desk.now,
        )  # fmt: skip
        desk.write(lambda tx: verbs.replace(tx, workflow, new))
    else:
        done(desk.patch(f"/v2/workflows/{workflow}", {"op": "replace", "path": "/status", "value": "active"}))
    monkeypatch.undo()
    ran(desk, id)
