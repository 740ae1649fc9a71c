"""Automatic workflows as tests make them, and what became of conversations once the worker has come to rest."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.statements import P, command, rows, value
from deskhand.desk.conversations.tables import thread_mail
from deskhand.desk.workflows.automatic import Running, Turn
from deskhand.desk.workflows.conditions import Condition, Group, HasStatus, Subject
from deskhand.desk.workflows.tables import workflow_run
from deskhand.outbox import jobs
from deskhand.outbox.events import any_unhandled
from deskhand.outbox.jobs import NewJob, Work
from deskhand.outbox.tables import job
from tests.desk.conversations.builders import ThreadRow, created, read, start, threads
from tests.world import Desk

WAIT_S = 60
REFUND = Subject("contains", "refund")
CLOSED = HasStatus("is", ["closed"])
_marks = itertools.count(10**12)
_BY_MACHINE = command(
    sa.insert(thread_mail).values(
        account_id=P("account_id"),
        thread_id=P("thread_id"),
        conversation_id=P("conversation_id"),
        direction="in",
        message_id="<x@buyer.example>",
        state="received",
        error="",
        at="2026-01-01T00:00:00Z",
        automatic=1,
    ),
    keep=False,
)


class Run(msgspec.Struct, frozen=True):
    workflow_id: int
    user_id: int | None


_RUNS = rows(
    Run,
    sa.select(workflow_run.c.workflow_id, workflow_run.c.user_id)
    .where(workflow_run.c.account_id == P("account_id"), workflow_run.c.conversation_id == P("id"))
    .order_by(workflow_run.c.id),
    keep=False,
)
_JOBS = value(
    int,
    sa.select(sa.func.count()).select_from(job).where(job.c.account_id == P("account_id"), job.c.state == "waiting"),
    keep=False,
)


def automatic(desk: Desk, inbox: int, when: Condition | list[list[Condition]], *actions: Any, **more: Any) -> int:
    """An automatic workflow: `when` is one condition, or groups of them; what happened before is not looked at."""
    until(lambda: not desk.server.app.database.read_now(any_unhandled))
    groups = [Group(group) for group in when] if isinstance(when, list) else [Group([when])]
    return desk.add_workflow(inbox, *actions, type="automatic", conditions=groups, **more)


def until(so: Callable[[], Any]) -> Any:
    """Wait until something is so; gives it."""
    deadline = time.monotonic() + WAIT_S
    while not (found := so()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return found


def items(desk: Desk, id: int) -> list[ThreadRow]:
    """The line items that automatic workflows left on a conversation."""
    return [one for one in threads(desk, id) if one.action_type == "automatic-workflow"]


def ran(desk: Desk, id: int, times: int = 1) -> list[str]:
    """What automatic workflows did on a conversation, in words, once they ran that often."""
    until(lambda: len(items(desk, id)) >= times)
    return [one.action_text for one in items(desk, id)]


def tags(desk: Desk, id: int) -> set[str]:
    """The tags that a conversation carries."""
    return {one["tag"] for one in read(desk, id)["tags"]}


def by_machine(desk: Desk, id: int) -> None:
    """Let a conversation's first thread have come by a mail that no person wrote."""
    question = threads(desk, id)[0].id
    desk.write(lambda tx: tx.run(_BY_MACHINE, account_id=desk.account_id, thread_id=question, conversation_id=id))


def runs(desk: Desk, id: int) -> list[int]:
    """The workflows that ran by themselves on a conversation, in the order in which they did."""
    found = desk.server.app.database.read_now(lambda db: db.all(_RUNS, account_id=desk.account_id, id=id))
    return [one.workflow_id for one in found if one.user_id is None]


def rest(desk: Desk) -> None:
    """Wait until all events have been looked at and nothing is left to do at once."""
    database = desk.server.app.database
    until(lambda: not database.read_now(any_unhandled) and not database.read_now(_waiting(desk)))


def _waiting(desk: Desk) -> Any:
    return lambda db: db.first(_JOBS, account_id=desk.account_id)


def held(desk: Desk, id: int) -> Work:
    """A job to look at a conversation that this test has claimed, as a worker does."""
    payload = msgspec.json.encode(Turn(id)).decode()
    mark = next(_marks)
    new = NewJob(
        account_id=0, kind="run_workflows", target="of a test", payload=payload, due_at=2**52, claim=mark, attempts=1,
        created_at=desk.now,
    )  # fmt: skip # of no account, so that nobody waits for its end
    desk.write(lambda tx: jobs.add_many(tx, [new]))
    one = value(int, sa.select(job.c.id).where(job.c.claim == P("mark")), keep=False)
    id = desk.server.app.database.read_now(lambda db: db.first(one, mark=mark))
    return Work(id, desk.account_id, "run_workflows", "of a test", payload, 1, mark)


def look(desk: Desk, id: int) -> None:
    """Let workflows look at a conversation, without the worker."""
    app = desk.server.app
    work = held(desk, id)
    desk.server.run(Running(app.database, app.clock).carry(work))


def tag(desk: Desk, inbox: int, name: str) -> int:
    """A tag of the account, by its id."""
    other = start(desk, desk.add_inbox(), tags=[name])
    return int(next(one["id"] for one in read(desk, other)["tags"] if one["tag"] == name))


def saved(desk: Desk, inbox: int, text: str | None = "<p>We look at it.</p>") -> int:
    """A saved reply of an inbox, by its id."""
    body = {"name": "Thanks", "text": text, "chatText": "Hi"}
    return created(desk.post(f"/v2/mailboxes/{inbox}/saved-replies", body))


def customer_of(desk: Desk, id: int) -> int:
    """Whose conversation it is."""
    return int(read(desk, id)["primaryCustomer"]["id"])
