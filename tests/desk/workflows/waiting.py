"""Automatic workflows as tests make them, and what became of conversations once the worker has come to rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import thread_mail
from deskhand.desk.workflows.conditions import Condition, Group
from tests.desk.conversations.builders import ThreadRow, read, threads
from tests.world import Desk

WAIT_S = 20
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


def automatic(desk: Desk, inbox: int, when: Condition | list[list[Condition]], *actions: Any, **more: Any) -> int:
    """An automatic workflow: `when` is one condition, or groups of them."""
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
