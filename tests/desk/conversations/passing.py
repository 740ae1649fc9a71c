"""Letting time pass in tests, and waiting for what happens by itself then."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from deskhand.db.statements import P, value
from deskhand.lib.clock import to_wire
from deskhand.outbox.jobs import milliseconds
from deskhand.outbox.tables import job
from tests.world import Desk

_DUE = value(
    int,
    sa.select(sa.func.count()).where(
        job.c.account_id == P("account_id"),
        job.c.kind == P("kind"),
        sa.or_(job.c.due_at <= P("now"), job.c.claim != 0),  # once claimed, a job is due when the claim ends
    ),
    keep=False,
)
_LEFT = value(
    int,
    sa.select(sa.func.count()).where(job.c.account_id == P("account_id"), job.c.kind == P("kind")),
    keep=False,
)


def ahead(desk: Desk, **by: float) -> str:
    """A time that lies so far in the future."""
    return to_wire(desk.server.clock.now() + timedelta(**by))


def eventually(happened: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so; fails when it never is."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def let_pass(desk: Desk, kind: str, **by: float) -> None:
    """Move the clock forward, and wait until no job of a kind is due any more."""
    desk.server.clock.advance(timedelta(**by))
    now = milliseconds(desk.server.clock.now())
    eventually(lambda: _count(desk, _DUE, kind=kind, now=now) == 0)


def jobs_left(desk: Desk, kind: str) -> int:
    """How many jobs of a kind the account has, whether they wait or gave up."""
    return _count(desk, _LEFT, kind=kind)


def _count(desk: Desk, statement: object, **given: object) -> int:
    return desk.server.app.database.read_now(
        lambda db: db.first(statement, account_id=desk.account_id, **given)  # type: ignore[arg-type]
    )
