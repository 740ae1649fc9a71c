"""Time as something that happens: once a customer has waited two hours, workflows look at the conversation.

For each `more than` of an automatic workflow those conversations are found by an index for which that moment came
since the last look, and never all of them. What was over before a workflow was switched on is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Conflict, Database, Reader, Unavailable, Writer
from deskhand.db.statements import P, Statement, columns, command, rows
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.workflows import automatic, conditions
from deskhand.desk.workflows.conditions import Created, LastCustomerReply, LastUserReply, Time, WaitingSince
from deskhand.desk.workflows.tables import workflow
from deskhand.lib.clock import Clock, from_wire, to_wire

log = logging.getLogger("deskhand.workflows")

EVERY = timedelta(minutes=1)
FOUND_MOST = 500
"""Conversations that one look of one workflow finds; the others are found by the next, a second later."""
_SAME_MOST = 10_000
_SLEEP_S = 1.0


class Timed(msgspec.Struct, frozen=True):
    """An automatic workflow that asks for time, and until when it has been looked at."""

    id: int
    account_id: int
    inbox_id: int
    conditions: str
    looked_at: str


class _Found(msgspec.Struct, frozen=True):
    id: int
    at: str


_TIMED = rows(
    Timed,
    sa.select(*columns(workflow, *Timed.__struct_fields__))
    .where(workflow.c.looked_at.is_not(None), workflow.c.status == sa.literal_column("'active'"))
    .order_by(workflow.c.id),
)
# Who comes second finds another time there, and does nothing.
_LOOKED = command(
    sa.update(workflow)
    .where(
        workflow.c.account_id == P("account_id"), workflow.c.id == P("id"), workflow.c.looked_at == P("looked_before")
    )
    .values(looked_at=P("now"))
)


def _conversations(moment: sa.ColumnElement[str]) -> Statement[_Found]:
    return rows(
        _Found,
        sa.select(conversation.c.id, moment.label("at"))
        .where(
            conversation.c.account_id == P("account_id"),
            conversation.c.inbox_id == P("inbox_id"),
            conversation.c.merged_into.is_(None),
            moment >= P("since", sa.Text),
            moment <= P("until", sa.Text),
        )
        .order_by(moment, conversation.c.id)
        .limit(P("most", sa.Integer)),
    )


def _threads(*who: sa.ColumnElement[bool]) -> Statement[_Found]:
    return rows(
        _Found,
        sa.select(thread.c.conversation_id.label("id"), thread.c.created_at.label("at"))
        .join(conversation, conversation.c.id == thread.c.conversation_id)
        .where(
            thread.c.account_id == P("account_id"),
            thread.c.created_at >= P("since", sa.Text),
            thread.c.created_at <= P("until", sa.Text),
            thread.c.state != sa.literal_column("'draft'"),
            *who,
            conversation.c.inbox_id == P("inbox_id"),
        )
        .order_by(thread.c.created_at, thread.c.id)
        .limit(P("most", sa.Integer)),
    )


_BY_CUSTOMER = thread.c.created_by_type == sa.literal_column("'customer'")
_CAME: dict[type[Time], Statement[_Found]] = {
    Created: _conversations(conversation.c.created_at),
    WaitingSince: _conversations(conversation.c.waiting_since),
    LastUserReply: _threads(thread.c.type == sa.literal_column("'message'"), sa.not_(_BY_CUSTOMER)),
    LastCustomerReply: _threads(_BY_CUSTOMER),
}


class Ticking:
    """Looks at the time; any number of processes may."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._last: datetime | None = None

    async def run(self) -> None:
        """Look about once a minute until this is cancelled, and at once when the clock was moved or more is left."""
        while True:
            now = self._clock.now()
            if self._last is None or abs(now - self._last) >= EVERY:
                try:
                    self._last = now if await self.look(now) else None
                except (Unavailable, Conflict) as problem:
                    log.warning("workflows wait for the database: %s", problem)
                except Exception:
                    log.exception("workflows could not be told the time, and are told again")
                    self._last = now
            await asyncio.sleep(_SLEEP_S)

    async def look(self, now: datetime) -> bool:
        """Let workflows look at the conversations for which a moment came; whether that was all of them.

        Where one workflow's could not be found, the others' are; they are looked for again the next time.
        """
        whole = True
        for one in await self._database.read(lambda db: db.all(_TIMED), "slow"):
            try:
                ids, until = await self._database.read(partial(came, one=one, now=now), "slow")
                await self._database.write(partial(_tell, one=one, ids=ids, until=until, now=now))
                whole = whole and until == now
            except (Unavailable, Conflict):
                raise
            except Exception:
                log.exception("workflow %d could not be told the time, and is told again", one.id)
        return whole


def came(db: Reader, one: Timed, now: datetime) -> tuple[set[int], datetime]:
    """The conversations for which a moment came since the last look, and until when that is all of them."""
    since = min(from_wire(one.looked_at), now) + timedelta(seconds=1)  # times are kept to the second
    found: list[tuple[int, datetime]] = []
    until = now
    for kind, ago in conditions.thresholds(conditions.from_json(one.conditions) or ()):
        given = {"account_id": one.account_id, "inbox_id": one.inbox_id}
        rows = db.all(_CAME[kind], **given, since=to_wire(since - ago), until=to_wire(now - ago), most=FOUND_MOST)
        if len(rows) == FOUND_MOST:
            last = from_wire(rows[-1].at)
            rows += db.all(_CAME[kind], **given, since=to_wire(last), until=to_wire(last), most=_SAME_MOST)
            until = min(until, last + ago)
        found += [(row.id, from_wire(row.at) + ago) for row in rows]
    return {id for id, at in found if at <= until}, until


def _tell(tx: Writer, one: Timed, ids: set[int], until: datetime, now: datetime) -> None:
    looked = tx.run(
        _LOOKED, account_id=one.account_id, id=one.id, looked_before=one.looked_at, now=to_wire(until)
    )  # fmt: skip
    if looked:
        automatic.add_jobs(tx, (((one.account_id, id), ()) for id in sorted(ids)), now)
