"""Sending a delivery: signed, bounded, tried again, and written into the log.

A delivery may be sent twice, when the worker ends between the answer and the note of it. That is why each has a key,
which stays the same: X-Deskhand-Delivery.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import msgspec
import sqlalchemy as sa

from deskhand import __version__
from deskhand.db.engine import Database, Writer
from deskhand.db.statements import Insert, P, command, rows
from deskhand.desk.webhooks.tables import webhook, webhook_attempt, webhook_delivery
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.outbound import Answer, NoAnswer, Outbound
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Failed, Then

USER_AGENT = f"Deskhand/{__version__}"
GIVEN_UP_MOST = 10
"""Deliveries given up in a row, after which a webhook is disabled. Source: webhooks (crawl of the official page)."""
GONE = 410
KEPT_MOST = 1024
"""Characters of an answer that the log keeps."""


class ToSend(msgspec.Struct, frozen=True):
    """A delivery and its webhook; a webhook that was deleted has no URL."""

    id: int
    account_id: int
    webhook_id: int
    event: str
    key: str
    body: str
    url: str | None
    secret: str | None
    state: str | None
    discarded: int | None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """How one attempt went."""

    account_id: int
    delivery_id: int
    at: str
    status: int | None
    answer: str
    error: str
    milliseconds: int


_TO_SEND = rows(
    ToSend,
    sa.select(
        webhook_delivery.c.id,
        webhook_delivery.c.account_id,
        webhook_delivery.c.webhook_id,
        webhook_delivery.c.event,
        webhook_delivery.c.key,
        webhook_delivery.c.body,
        webhook.c.url,
        webhook.c.secret,
        webhook.c.state,
        webhook.c.discarded,
    )
    .select_from(
        webhook_delivery.outerjoin(
            webhook,
            sa.and_(webhook.c.id == webhook_delivery.c.webhook_id, webhook.c.account_id == P("account_id")),
        )
    )
    .where(webhook_delivery.c.account_id == P("account_id"), webhook_delivery.c.id == P("id")),
)
_LOG = Insert(webhook_attempt, Attempt)
_DELIVERY = (webhook_delivery.c.account_id == P("account_id"), webhook_delivery.c.id == P("id"))
_WEBHOOK = (webhook.c.account_id == P("account_id"), webhook.c.id == P("id"))
_ENDED = command(
    sa.update(webhook_delivery)
    .where(*_DELIVERY)
    .values(
        state=P("state"), attempts=webhook_delivery.c.attempts + P("tries", sa.Integer), finished_at=P("finished_at")
    )
)
_ARRIVES_AGAIN = command(sa.update(webhook).where(*_WEBHOOK).values(discarded=sa.literal_column("0")))
_GAVE_UP = command(sa.update(webhook).where(*_WEBHOOK).values(discarded=webhook.c.discarded + sa.literal_column("1")))
_IS_ON = webhook.c.state == sa.literal_column("'enabled'")
_SWITCHED_OFF = {"state": sa.literal_column("'disabled'"), "disabled_because": P("because")}
_SWITCH_OFF = command(sa.update(webhook).where(*_WEBHOOK, _IS_ON).values(_SWITCHED_OFF))
_SWITCH_OFF_DEAD = command(
    sa.update(webhook).where(*_WEBHOOK, _IS_ON, webhook.c.discarded >= P("given_up", sa.Integer)).values(_SWITCHED_OFF)
)


def signature(secret: str, body: bytes) -> str:
    """What receivers check a body by. Source: https://developer.helpscout.com/webhooks (verifying)"""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha1)).decode()


def headers(event: str, key: str, secret: str, body: bytes) -> dict[str, str]:
    """What a delivery is sent with."""
    return {
        "Content-Type": "application/json",
        "X-HelpScout-Event": event,
        "X-HelpScout-Signature": signature(secret, body),
        "X-Deskhand-Delivery": key,
    }


def carrier(database: Database, clock: Clock, outbound: Outbound) -> Carrier:
    """Sends deliveries."""

    async def carry(work: Work) -> Then | None:
        delivery_id = int(work.payload)
        one = await database.read(lambda db: db.one(_TO_SEND, account_id=work.account_id, id=delivery_id))
        if one is None:
            return None  # forgotten: it was that old
        if one.url is None or one.secret is None or one.state != "enabled":
            return lambda tx: _end(tx, one, "discarded", to_wire(clock.now()), tries=0)
        return await _send(one, one.url, one.secret, clock, outbound)

    return carry


async def _send(one: ToSend, url: str, secret: str, clock: Clock, outbound: Outbound) -> Then:
    body = one.body.encode()
    at, began = to_wire(clock.now()), time.monotonic()
    answer, error = None, ""
    try:
        answer = await outbound.post(url, body, headers(one.event, one.key, secret, body))
    except NoAnswer as problem:
        error = str(problem)
    attempt = _attempt(one, at, answer, error, round((time.monotonic() - began) * 1000))
    if answer is not None and 200 <= answer.status < 300:
        return lambda tx: _arrived(tx, one, attempt)
    if answer is not None and answer.status == GONE:
        return lambda tx: _gone(tx, one, attempt)
    reason = error or f"the answer was {attempt.status}"
    raise Failed(reason, then=lambda tx, gave_up: _failed(tx, one, attempt, gave_up))


def _attempt(one: ToSend, at: str, answer: Answer | None, error: str, milliseconds: int) -> Attempt:
    # PostgreSQL can't store NUL.
    text = answer.beginning.decode(errors="replace").replace("\0", "\ufffd")[:KEPT_MOST] if answer else ""
    return Attempt(
        account_id=one.account_id, delivery_id=one.id, at=at, status=answer.status if answer else None, answer=text,
        error=error, milliseconds=milliseconds,
    )  # fmt: skip


# -- What is written down


def _arrived(tx: Writer, one: ToSend, attempt: Attempt) -> None:
    tx.add_many(_LOG, (attempt,))
    _end(tx, one, "delivered", attempt.at)
    if one.discarded:
        tx.run(_ARRIVES_AGAIN, account_id=one.account_id, id=one.webhook_id)


def _gone(tx: Writer, one: ToSend, attempt: Attempt) -> None:
    tx.add_many(_LOG, (attempt,))
    _end(tx, one, "discarded", attempt.at)
    because = f"the receiver answered {GONE} at {attempt.at}: it wants no more"
    tx.run(_SWITCH_OFF, account_id=one.account_id, id=one.webhook_id, because=because)


def _failed(tx: Writer, one: ToSend, attempt: Attempt, gave_up: bool) -> None:
    tx.add_many(_LOG, (attempt,))
    if not gave_up:
        _end(tx, one, "waiting", None)
        return
    _end(tx, one, "discarded", attempt.at)
    mine = {"account_id": one.account_id, "id": one.webhook_id}
    tx.run(_GAVE_UP, **mine)
    reason = attempt.error or f"the answer was {attempt.status}"
    because = f"{GIVEN_UP_MOST} deliveries in a row were given up, the last at {attempt.at}: {reason}"
    tx.run(_SWITCH_OFF_DEAD, **mine, given_up=GIVEN_UP_MOST, because=because)


def _end(tx: Writer, one: ToSend, state: str, at: str | None, *, tries: int = 1) -> None:
    tx.run(_ENDED, account_id=one.account_id, id=one.id, state=state, tries=tries, finished_at=at)
