"""Whether anything is still to be done now: for whoever waits until a change has had all its consequences."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, command, value
from deskhand.outbox import jobs
from deskhand.outbox.tables import event, job

_ABOUT_TO_BE_MS = 20
"""Jobs that are due so soon count as due: times are rounded, and whoever waits would else be told too early."""
_WAITING = job.c.state == sa.literal_column("'waiting'")
_CLAIMED = job.c.claim != sa.literal_column("0")
_NONE: sa.ColumnClause[int] = sa.literal_column("0")
# One statement, because what an event was turned into must not be looked for before the event is.
_UNDER_WAY = value(
    int,
    sa.select(
        sa.case(
            (
                sa.or_(
                    sa.exists(sa.select(event.c.id).where(event.c.handled == _NONE)),
                    sa.exists(sa.select(job.c.id).where(_WAITING, sa.or_(job.c.due_at <= P("now"), _CLAIMED))),
                ),
                sa.literal_column("1"),
            ),
            else_=_NONE,
        )
    ),
)
_RELEASE = command(sa.update(job).where(_WAITING, _CLAIMED).values(claim=_NONE, due_at=P("now")))


def under_way(db: Reader, now: datetime) -> bool:
    """Whether there are events nobody has looked at, or jobs that are due or being carried out."""
    return bool(db.first(_UNDER_WAY, now=jobs.milliseconds(now) + _ABOUT_TO_BE_MS))


def release(tx: Writer, now: datetime) -> None:
    """Let jobs that were being carried out begin anew: nobody works on them, for their database was put back."""
    tx.run(_RELEASE, now=jobs.milliseconds(now))
