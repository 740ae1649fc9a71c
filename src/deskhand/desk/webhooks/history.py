"""The log of a webhook's deliveries, and sending one again."""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import datetime

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, texts_in
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk.webhooks.fan_out import DELIVER, Delivery, job_for
from deskhand.desk.webhooks.tables import webhook, webhook_attempt, webhook_delivery
from deskhand.lib.clock import to_wire
from deskhand.outbox import jobs
from deskhand.outbox.tables import job

TEST = "webhook.test"
"""The event of what is sent only to see whether it arrives."""
REPLAYED_MOST = 1_000
"""Deliveries sent again at a time."""
_NEWEST = 2**62


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


class Listed(msgspec.Struct, frozen=True):
    """A delivery in a list, without what was sent."""

    id: int
    event: str
    state: str
    attempts: int
    created_at: str
    finished_at: str | None


class Went(msgspec.Struct, frozen=True):
    """How one attempt went, without the answer."""

    delivery_id: int
    at: str
    status: int | None
    error: str
    milliseconds: int


class Line(msgspec.Struct, frozen=True):
    """A delivery, how its last attempt went, and when the next is due (milliseconds since 1970)."""

    delivery: Listed
    last: Went | None
    due_at: int | None


class _Due(msgspec.Struct, frozen=True):
    payload: str
    due_at: int


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
_OF_WEBHOOK = (webhook_delivery.c.account_id == P("account_id"), webhook_delivery.c.webhook_id == P("webhook_id"))
_DISCARDED = webhook_delivery.c.state == sa.literal_column("'discarded'")
_BRIEF = (
    sa.select(*columns(webhook_delivery, *Listed.__struct_fields__))
    .where(*_OF_WEBHOOK, webhook_delivery.c.id < P("before_id", sa.BigInteger))
    .order_by(webhook_delivery.c.id.desc())
    .limit(P("most", sa.Integer))
)
_LINES = rows(Listed, _BRIEF)
_LINES_IN_STATE = rows(Listed, _BRIEF.where(webhook_delivery.c.state == P("state")))
_ONE = rows(
    LoggedDelivery,
    sa.select(*columns(webhook_delivery, *LoggedDelivery.__struct_fields__)).where(
        *_OF_WEBHOOK, webhook_delivery.c.id == P("id")
    ),
)
_WENT = rows(
    Went,
    sa.select(*columns(webhook_attempt, *Went.__struct_fields__))
    .where(
        webhook_attempt.c.account_id == P("account_id"),
        ids_in(webhook_attempt.c.delivery_id, P("delivery_ids", sa.Text)),
    )
    .order_by(webhook_attempt.c.id),
)
_THEIR_JOBS = (
    job.c.account_id == P("account_id"),
    job.c.kind == sa.literal_column(f"'{DELIVER}'"),
    texts_in(job.c.payload, P("payloads", sa.Text)),
)
_DUE = rows(
    _Due, sa.select(job.c.payload, job.c.due_at).where(*_THEIR_JOBS, job.c.state == sa.literal_column("'waiting'"))
)
_FORGET_JOBS = command(sa.delete(job).where(*_THEIR_JOBS, job.c.state == sa.literal_column("'failed'")))
_GIVEN_UP = value(
    int,
    sa.select(webhook_delivery.c.id)
    .where(*_OF_WEBHOOK, _DISCARDED, webhook_delivery.c.created_at >= P("since"))
    .order_by(webhook_delivery.c.id)
    .limit(P("most", sa.Integer)),
)
_ALL_AGAIN = command(
    sa.update(webhook_delivery)
    .where(*_OF_WEBHOOK, ids_in(webhook_delivery.c.id, P("delivery_ids", sa.Text)))
    .values(state=sa.literal_column("'waiting'"), finished_at=sa.null())
)
_ADD = Insert(webhook_delivery, Delivery)
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


# -- For people who look after a webhook of theirs


def lines(
    db: Reader, account_id: int, webhook_id: int, state: str = "", before_id: int = _NEWEST, most: int = 50
) -> list[Line]:
    """A webhook's deliveries, of one state or all, the newest first, those before `before_id`."""
    given = {"account_id": account_id, "webhook_id": webhook_id, "before_id": before_id, "most": most}
    found = db.all(_LINES_IN_STATE, **given, state=state) if state else db.all(_LINES, **given)
    if not found:
        return []
    ids = [one.id for one in found]
    last = {one.delivery_id: one for one in db.all(_WENT, account_id=account_id, delivery_ids=_json(ids))}
    due = _due(db, account_id, [one.id for one in found if one.state == "waiting"])
    return [Line(one, last.get(one.id), due.get(one.id)) for one in found]


def one(db: Reader, account_id: int, webhook_id: int, id: int) -> tuple[Logged, int | None]:
    """A webhook's delivery, and when its next attempt is due (milliseconds since 1970). Raises NotFound."""
    found = db.one(_ONE, account_id=account_id, webhook_id=webhook_id, id=id)
    if found is None:
        raise NotFound
    attempts = db.all(_ATTEMPTS, account_id=account_id, delivery_ids=_json([id]))
    return Logged(found, attempts), _due(db, account_id, [id]).get(id)


def replay_one(tx: Writer, account_id: int, webhook_id: int, id: int, now: datetime) -> None:
    """As `replay`, at once and once: a delivery that waits to be tried again is not sent twice for it."""
    if tx.one(_ONE, account_id=account_id, webhook_id=webhook_id, id=id) is None:
        raise NotFound
    _send_again(tx, account_id, webhook_id, [id], now)


def replay_since(tx: Writer, account_id: int, webhook_id: int, since: str, now: datetime) -> int:
    """Send all deliveries again that were given up and made since then, the oldest first; gives how many.

    At most so many at a time: who asks again gets the next ones.
    """
    given = {"account_id": account_id, "webhook_id": webhook_id}
    found = tx.all(_GIVEN_UP, **given, since=since, most=REPLAYED_MOST)
    if found:
        _send_again(tx, account_id, webhook_id, found, now)
    return len(found)


def _send_again(tx: Writer, account_id: int, webhook_id: int, ids: list[int], now: datetime) -> None:
    """Receivers may get something twice, but nothing is left out; the ids ascend, and so do the jobs'."""
    payloads = [str(id) for id in ids]
    tx.run(_FORGET_JOBS, account_id=account_id, payloads=_json(payloads))
    for payload in payloads if len(payloads) == 1 else ():
        jobs.withdraw_exactly(tx, account_id, DELIVER, payload)
    tx.run(_ALL_AGAIN, account_id=account_id, webhook_id=webhook_id, delivery_ids=_json(ids))
    jobs.add_many(tx, [job_for(account_id, webhook_id, id, now) for id in ids])


def send_test(tx: Writer, account_id: int, webhook_id: int, now: datetime) -> int:
    """Send a webhook something harmless, signed and logged like anything else; gives the delivery's id."""
    at = to_wire(now)
    body = {"id": webhook_id, "test": True, "text": "This is a test of the webhook. Nothing has happened.", "at": at}
    delivery = Delivery(
        account_id=account_id, webhook_id=webhook_id, event_id=0, event=TEST, key=str(uuid.uuid4()),
        body=msgspec.json.encode(body).decode(), created_at=at,
    )  # fmt: skip
    id = tx.add(_ADD, delivery)
    jobs.add_many(tx, [job_for(account_id, webhook_id, id, now)])
    return id


def _due(db: Reader, account_id: int, ids: list[int]) -> dict[int, int]:
    if not ids:
        return {}
    found = db.all(_DUE, account_id=account_id, payloads=_json([str(id) for id in ids]))
    return {int(one.payload): one.due_at for one in found}


def _json(listed: list[int] | list[str]) -> str:
    return msgspec.json.encode(listed).decode()


# -- For the command line, which is nobody's user and knows no account


def account_of_webhook(db: Reader, webhook_id: int) -> int | None:
    """Whose a webhook is."""
    return db.one(_WEBHOOKS_ACCOUNT, id=webhook_id)


def account_of_delivery(db: Reader, delivery_id: int) -> int | None:
    """Whose a delivery is."""
    return db.one(_DELIVERYS_ACCOUNT, id=delivery_id)
