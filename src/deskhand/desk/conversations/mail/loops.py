"""Breakers against loops: too much mail into one conversation, or too much automatic mail from one domain.

Mail is always kept and shown. While a breaker is tripped, nothing is sent by itself and nothing is reopened; it goes
back as soon as there has been less for ten minutes, so two machines that answer each other come to rest.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import unindexed
from deskhand.db.statements import P, value
from deskhand.desk.conversations.tables import thread_mail
from deskhand.lib.clock import from_wire, to_wire
from deskhand.mail.tables import received_mail

WINDOW = timedelta(minutes=10)
MOST_INTO_ONE = 15
"""Mails into one conversation within ten minutes."""
MOST_OF_DOMAIN = 200
"""Automatic mails from one domain to one account within ten minutes."""

_INTO_ONE = value(
    int,
    sa.select(sa.func.count()).where(
        unindexed(thread_mail.c.account_id) == P("account_id"),
        thread_mail.c.conversation_id == P("conversation_id"),
        thread_mail.c.direction == sa.literal_column("'in'"),
        thread_mail.c.at > P("since"),
    ),
)
_OF_DOMAIN = value(
    int,
    sa.select(sa.func.count()).where(
        received_mail.c.account_id == P("account_id"),
        received_mail.c.automatic == sa.literal_column("1"),
        received_mail.c.domain == P("domain"),
        received_mail.c.received_at > P("since"),
    ),
)


def tripped(db: Reader, account_id: int, conversation_id: int, domain: str, now: str) -> bool:
    """Whether to send nothing by itself to this conversation or domain for now; `domain` is lower case, or empty."""
    if into(db, account_id, conversation_id, now) > MOST_INTO_ONE:
        return True
    return bool(domain) and of_domain(db, account_id, domain, now) > MOST_OF_DOMAIN


def into(db: Reader, account_id: int, conversation_id: int, now: str) -> int:
    """How many mails came into a conversation within the last ten minutes."""
    return db.first(_INTO_ONE, account_id=account_id, conversation_id=conversation_id, since=_since(now))


def of_domain(db: Reader, account_id: int, domain: str, now: str) -> int:
    """How many automatic mails came from a domain within the last ten minutes."""
    return db.first(_OF_DOMAIN, account_id=account_id, domain=domain, since=_since(now))


def _since(now: str) -> str:
    return to_wire(from_wire(now) - WINDOW)
