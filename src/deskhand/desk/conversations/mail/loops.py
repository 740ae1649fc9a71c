"""Breakers against loops: too much mail into one conversation, or from one domain, above all by programs.

Mail is always kept and shown. While a breaker is tripped, nothing is sent by itself and nothing is reopened; it goes
back as soon as there has been less for ten minutes, so two machines that answer each other come to rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import unindexed
from deskhand.db.statements import P, rows, value
from deskhand.desk.conversations.tables import thread_mail
from deskhand.lib.clock import from_wire, to_wire
from deskhand.mail.tables import received_mail

WINDOW = timedelta(minutes=10)
MOST_INTO_ONE = 15
"""Mails into one conversation within ten minutes."""
MOST_OF_DOMAIN = 500
"""Mails from one domain to one account within ten minutes: programs may write as people do, each time as another."""
MOST_BY_PROGRAMS = 200
"""Those of them that are known to be automatic."""


class _Lately(msgspec.Struct, frozen=True):
    mails: int
    automatic: int


_INTO_ONE = value(
    int,
    sa.select(sa.func.count()).where(
        unindexed(thread_mail.c.account_id) == P("account_id"),
        thread_mail.c.conversation_id == P("conversation_id"),
        thread_mail.c.direction == sa.literal_column("'in'"),
        thread_mail.c.at > P("since"),
    ),
)
# No more of them are looked at than it takes to trip.
_LATELY = (
    sa.select(received_mail.c.automatic)
    .where(
        received_mail.c.account_id == P("account_id"),
        received_mail.c.domain == P("domain"),
        received_mail.c.received_at > P("since"),
    )
    .limit(P("most", sa.Integer))
    .subquery("lately")
)
_BY_PROGRAM = sa.case((_LATELY.c.automatic == sa.literal_column("1"), sa.literal_column("1")))
_COUNTS: Sequence[sa.ColumnElement[Any]] = (
    sa.func.count().label("mails"),
    sa.func.count(_BY_PROGRAM).label("automatic"),
)
_OF_DOMAIN = rows(_Lately, sa.select(*_COUNTS).select_from(_LATELY))


def tripped(db: Reader, account_id: int, conversation_id: int, domain: str, now: str) -> bool:
    """Whether to send nothing by itself to this conversation or domain for now; `domain` is lower case, or empty."""
    if into(db, account_id, conversation_id, now) > MOST_INTO_ONE:
        return True
    if not domain:
        return False
    lately = db.first(_OF_DOMAIN, account_id=account_id, domain=domain, since=_since(now), most=MOST_OF_DOMAIN + 1)
    return lately.mails > MOST_OF_DOMAIN or lately.automatic > MOST_BY_PROGRAMS


def into(db: Reader, account_id: int, conversation_id: int, now: str) -> int:
    """How many mails came into a conversation within the last ten minutes."""
    return db.first(_INTO_ONE, account_id=account_id, conversation_id=conversation_id, since=_since(now))


def _since(now: str) -> str:
    return to_wire(from_wire(now) - WINDOW)
