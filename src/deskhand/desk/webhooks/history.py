"""The log of a webhook's deliveries, and sending one again."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk.webhooks.fan_out import job_for
from deskhand.desk.webhooks.tables import webhook, webhook_attempt, webhook_delivery
from deskhand.outbox import jobs


class LoggedAttempt(msgspec.Struct, frozen=True):
    """One request, and what came of it."""

    delivery_id: int
    at: str
    status: int | None
    answer: str
    error: str
    milliseconds: int


class LoggedDelivery(msgspec.Struct, frozen=True):
    """What was, or is to be, sent to a webhook."""

    id: int
    event: str
    key: str
    state: str
    attempts: int
    created_at: str
    finished_at: str | None
    body: str


class Logged(msgspec.Struct, frozen=True):
    """A delivery with its attempts, the first one first."""

    delivery: LoggedDelivery
    attempts: list[LoggedAttempt]


_DELIVERIES = rows(
    LoggedDelivery,
    sa.select(*columns(webhook_delivery, *LoggedDelivery.__struct_fields__))
    .where(webhook_delivery.c.account_id == P("account_id"), webhook_delivery.c.webhook_id == P("webhook_id"))
    .order_by(webhook_delivery.c.id.desc())
    .limit(P("most", sa.Integer)),
)
_ATTEMPTS = rows(
    LoggedAttempt,
    sa.select(*columns(webhook_attempt, *LoggedAttempt.__struct_fields__))
    .where(
        webhook_attempt.c.account_id == P("account_id"),
        ids_in(webhook_attempt.c.delivery_id, P("delivery_ids", sa.Text)),
    )
    .order_by(webhook_attempt.c.id),
)
_AGAIN = value(
    int,
    sa.update(webhook_delivery)
    .where(webhook_delivery.c.account_id == P("account_id"), webhook_delivery.c.id == P("id"))
    .values(state=sa.literal_column("'waiting'"), finished_at=sa.null())
    .returning(webhook_delivery.c.webhook_id),
)
_WEBHOOKS_ACCOUNT = value(int, sa.select(webhook.c.account_id).where(webhook.c.id == P("id")))
_DELIVERYS_ACCOUNT = value(int, sa.select(webhook_delivery.c.account_id).where(webhook_delivery.c.id == P("id")))


def log(db: Reader, account_id: int, webhook_id: int, most: int = 50) -> list[Logged]:
    """The newest deliveries of a webhook, the newest first; also of one that was deleted."""
    found = db.all(_DELIVERIES, account_id=account_id, webhook_id=webhook_id, most=most)
    ids = msgspec.json.encode([one.id for one in found]).decode()
    attempts: dict[int, list[LoggedAttempt]] = defaultdict(list)
    for one in db.all(_ATTEMPTS, account_id=account_id, delivery_ids=ids):
        attempts[one.delivery_id].append(one)
    return [Logged(one, attempts[one.id]) for one in found]


def replay(tx: Writer, account_id: int, delivery_id: int, now: datetime) -> None:
    """Send a delivery again, whatever became of it: the same body under the same key. Raises NotFound.

    A webhook that is disabled is not sent anything: then the delivery counts as discarded.
    """
    webhook_id = tx.one(_AGAIN, account_id=account_id, id=delivery_id)
    if webhook_id is None:
        raise NotFound
    jobs.add_many(tx, [job_for(account_id, webhook_id, delivery_id, now)])


# -- For the command line, which is nobody's user and knows no account


def account_of_webhook(db: Reader, webhook_id: int) -> int | None:
    """Whose a webhook is."""
    return db.one(_WEBHOOKS_ACCOUNT, id=webhook_id)


def account_of_delivery(db: Reader, delivery_id: int) -> int | None:
    """Whose a delivery is."""
    return db.one(_DELIVERYS_ACCOUNT, id=delivery_id)
