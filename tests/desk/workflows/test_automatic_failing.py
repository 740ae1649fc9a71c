"""Automatic workflows that can't do their work: they leave nothing, are told of once, and hold no other up."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import P, value
from deskhand.desk.users import verbs as users
from deskhand.desk.workflows import automatic as running
from deskhand.desk.workflows import queries
from deskhand.desk.workflows.actions import AddNote, Assign, SetStatus
from deskhand.desk.workflows.automatic import Running
from deskhand.outbox.events import Fact
from deskhand.outbox.tables import job
from deskhand.outbox.worker import Failed
from tests.desk.conversations.builders import add, created, read, start, threads, wrote
from tests.desk.workflows.waiting import REFUND, automatic, held, look, ran, rest, runs
from tests.world import Desk

_TARGETS = value(
    str, sa.select(job.c.target).where(job.c.account_id == P("account_id"), job.c.kind == "run_workflows"), keep=False
)


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def test_one_that_names_what_is_gone_becomes_invalid_and_does_nothing(desk: Desk, inbox: int) -> None:
    lea = desk.add_user(inboxes=(inbox,))
    workflow = automatic(desk, inbox, REFUND, SetStatus("closed"), Assign(lea))
    after = automatic(desk, inbox, REFUND, AddNote("Still here"))
    desk.write(lambda tx: users.set_state(tx, desk.account_id, lea, "inactive", desk.now))
    id = start(desk, inbox, subject="Refund")
    ran(desk, id)
    assert (read(desk, id)["status"], runs(desk, id)) == ("active", [after])
    assert desk.get(f"/v2/workflows/{workflow}").json()["status"] == "invalid"
    row = desk.server.app.database.read_now(lambda db: queries.existing(db, desk.account_id, workflow))
    assert (row.status, row.invalid_because) == ("invalid", f"there is no user or team {lea}")
    answer = desk.patch(f"/v2/workflows/{workflow}", {"op": "replace", "path": "/status", "value": "active"})
    assert answer.status_code == 400


def test_one_that_can_not_do_its_work_leaves_nothing_is_told_of_once_and_the_next_goes_on(
    desk: Desk, inbox: int
) -> None:
    id = start(desk, inbox, subject="Refund", threads=[wrote() for _ in range(99)])
    created(add(desk, id, "notes"))  # full
    rest(desk)
    fails = automatic(desk, inbox, REFUND, SetStatus("closed"), AddNote("No room"), name="Fails")
    good = automatic(desk, inbox, REFUND, SetStatus("pending"))
    for _ in range(3):
        look(desk, id)
    rest(desk)
    assert (read(desk, id)["status"], runs(desk, id)) == ("pending", [good])
    told = [one for one in threads(desk, id) if one.action_text.startswith("The workflow Fails")]
    assert [(one.action_text, json.loads(one.associated)) for one in told] == [
        ("The workflow Fails could not run: the conversation already has 100 threads", {"workflow": fails})
    ]


def test_one_that_breaks_down_is_tried_again_and_holds_no_other_up(
    desk: Desk, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = start(desk, inbox, subject="Refund")
    rest(desk)
    breaks = automatic(desk, inbox, REFUND, SetStatus("closed"), name="Breaks")
    good = automatic(desk, inbox, REFUND, SetStatus("pending"))
    run = running.run

    def broken(tx: Writer, **given: Any) -> bool:
        if given["workflow_id"] == breaks:
            raise ZeroDivisionError
        return run(tx, **given)

    with monkeypatch.context() as patched:
        patched.setattr(running, "run", broken)
        with pytest.raises(Failed, match=r"\(Breaks\): ZeroDivisionError") as failure:
            look(desk, id)
    assert (runs(desk, id), failure.value.final) == ([good], False)
    look(desk, id)
    assert runs(desk, id) == [good, breaks]


def test_a_burst_leaves_others_their_places(desk: Desk, inbox: int) -> None:
    automatic(desk, inbox, REFUND, SetStatus("closed"))
    facts = [Fact(n, desk.account_id, "convo.created", n, inbox, None, "user", 1, desk.now, "{}") for n in range(50)]
    targets: list[str] = []

    def burst(tx: Writer) -> None:
        running.look_at(tx, facts, desk.server.clock.now())
        targets.extend(tx.all(_TARGETS, account_id=desk.account_id))
        raise ZeroDivisionError  # so that nothing of it stays

    with pytest.raises(ZeroDivisionError):
        desk.write(burst)
    assert (len(targets), len(set(targets))) == (50, 1)  # a worker does only few of one target at a time


def test_a_conversation_that_is_gone_is_no_failure(desk: Desk) -> None:
    app = desk.server.app
    work = held(desk, 999_999_999)
    desk.server.run(Running(app.database, app.clock).carry(work))
