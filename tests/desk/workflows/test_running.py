"""Running workflows: what is kept of a run, and that runs at the same time do not get into each other's way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.statements import P, rows
from deskhand.desk.workflows.actions import AddNote, AddTags, Assign, RemoveTags, SetStatus
from deskhand.desk.workflows.tables import workflow_run
from tests.desk.conversations.builders import counted, done, patch, read, recounted, start, threads
from tests.world import Desk


class Run(msgspec.Struct, frozen=True):
    workflow_id: int
    conversation_id: int
    user_id: int | None


_RUNS = rows(
    Run,
    sa.select(workflow_run.c.workflow_id, workflow_run.c.conversation_id, workflow_run.c.user_id)
    .where(workflow_run.c.account_id == P("account_id"))
    .order_by(workflow_run.c.id),
    keep=False,
)


def runs(desk: Desk) -> list[Run]:
    return desk.server.app.database.read_now(lambda db: db.all(_RUNS, account_id=desk.account_id))


def run(desk: Desk, workflow: int, *conversations: int) -> Any:
    return desk.post(f"/v2/workflows/{workflow}/run", {"conversationIds": list(conversations)})


def test_each_conversation_of_a_run_is_kept_for_reports(desk: Desk) -> None:
    inbox = desk.add_inbox()
    first, second = start(desk, inbox), start(desk, inbox)
    workflow = desk.add_workflow(inbox, SetStatus("closed"))
    done(run(desk, workflow, second, first))
    assert runs(desk) == [Run(workflow, id, desk.user_id) for id in (first, second)]


def test_nothing_is_kept_of_a_run_that_was_refused(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    assert run(desk, desk.add_workflow(inbox, SetStatus("closed")), id, 999_999_999).status_code == 400
    assert runs(desk) == []


def test_runs_at_the_same_time_on_the_same_conversations_follow_each_other(desk: Desk) -> None:
    inbox = desk.add_inbox()
    made = [start(desk, inbox, tags=["new"]) for _ in range(8)]
    new = read(desk, made[0])["tags"][0]["id"]
    vip = read(desk, start(desk, inbox, status="spam", tags=["vip"]))["tags"][0]["id"]
    lea = desk.add_user(inboxes=(inbox,))
    workflow = desk.add_workflow(
        inbox, AddNote("Once a run"), SetStatus("pending"), Assign(lea), AddTags([vip]), RemoveTags([new])
    )
    callers = [desk.as_user(desk.user_id) for _ in range(8)]

    def carry_out(number: int) -> int:
        turned = made[number:] + made[:number]
        return int(run(callers[number], workflow, *(turned if number % 2 else reversed(turned))).status_code)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(carry_out, range(8))) == [204] * 8
    for id in made:
        found = read(desk, id)
        assert (found["status"], found["assignee"]["id"]) == ("pending", lea)
        assert [one["tag"] for one in found["tags"]] == ["vip"]
        kinds = [one.type for one in threads(desk, id)]
        assert (kinds.count("note"), kinds.count("lineitem"), found["threads"]) == (8, 8, 9)
    assert len(runs(desk)) == 64
    assert counted(desk) == recounted(desk)


def test_runs_and_other_changes_at_the_same_time_lose_nothing(desk: Desk) -> None:
    inbox = desk.add_inbox()
    made = [start(desk, inbox) for _ in range(6)]
    ines, lea = desk.add_user(inboxes=(inbox,)), desk.add_user(inboxes=(inbox,))
    workflow = desk.add_workflow(inbox, AddNote("x"), SetStatus("closed"), Assign(lea))
    callers = [desk.as_user(desk.user_id) for _ in range(6)]

    def carry_out(number: int) -> set[int]:
        caller = callers[number]
        if number % 2:
            return {run(caller, workflow, *made).status_code for _ in range(4)}
        steps = [("/assignTo", ines), ("/status", "active")]
        return {patch(caller, id, *steps[number % 4 // 2]).status_code for id in reversed(made)}

    with ThreadPoolExecutor(6) as pool:
        assert set().union(*pool.map(carry_out, range(6))) == {204}
    assert [sum(one.type == "note" for one in threads(desk, id)) for id in made] == [12] * 6
    assert counted(desk) == recounted(desk)


def test_a_user_leaves_while_workflows_assign_to_them(desk: Desk) -> None:
    inbox = desk.add_inbox()
    made = [start(desk, inbox) for _ in range(10)]
    lea = desk.add_user(inboxes=(inbox,))
    workflow = desk.add_workflow(inbox, Assign(lea))
    callers = [desk.as_user(desk.user_id) for _ in range(4)]

    def carry_out(number: int) -> set[int]:
        if number == 3:
            return {callers[number].delete(f"/v2/users/{lea}").status_code}
        return {run(callers[number], workflow, *made).status_code for _ in range(3)}

    with ThreadPoolExecutor(4) as pool:
        assert set().union(*pool.map(carry_out, range(4))) <= {204, 400}
    assert run(desk, workflow, *made).status_code == 400
    assert counted(desk) == recounted(desk)
