"""From an event to its webhooks: who is told, what they are told, and a job for each delivery.

The user that a webhook acts for decides, by what they may see at this moment, which conversations it is told of.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.events import BY_NAME
from deskhand.db.engine import Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import Insert, P, command, rows
from deskhand.desk.access import SEES_ALL
from deskhand.desk.users.tables import inbox_access, staff
from deskhand.desk.webhooks.bodies import Bodies
from deskhand.desk.webhooks.tables import webhook, webhook_attempt, webhook_delivery
from deskhand.lib.clock import Clock, to_wire
from deskhand.outbox import jobs
from deskhand.outbox.events import Fact
from deskhand.outbox.jobs import NewJob
from deskhand.outbox.worker import Listener

log = logging.getLogger("deskhand.webhooks")

DELIVER = "deliver_webhook"
"""The kind of jobs that send a delivery; their payload is its id."""
KEPT_DAYS = 30
"""How long the log of deliveries is kept."""
_PRUNED_MOST = 100
NO_USER = "the user that it acts for is not active any more"
_AGENT = "system_user"


class Subscriber(msgspec.Struct, frozen=True):
    """A webhook that is enabled, and the user it acts for."""

    id: int
    account_id: int
    events: str
    notification: int
    payload_version: str
    inbox_ids: str
    created_by: int
    created_at: str
    role: str | None
    user_type: str | None
    user_state: str | None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be sent."""

    account_id: int
    webhook_id: int
    event_id: int
    event: str
    key: str
    body: str
    state: str = "waiting"
    attempts: int = 0
    created_at: str


class _Access(msgspec.Struct, frozen=True):
    user_id: int
    inbox_id: int


_ENABLED = rows(
    Subscriber,
    sa.select(
        webhook.c.id,
        webhook.c.account_id,
        webhook.c.events,
        webhook.c.notification,
        webhook.c.payload_version,
        webhook.c.inbox_ids,
        webhook.c.created_by,
        webhook.c.created_at,
        staff.c.role,
        staff.c.type.label("user_type"),
        staff.c.state.label("user_state"),
    )
    .select_from(
        webhook.outerjoin(
            staff, sa.and_(staff.c.id == webhook.c.created_by, staff.c.account_id == webhook.c.account_id)
        )
    )
    .where(ids_in(webhook.c.account_id, P("account_ids", sa.Text)), webhook.c.state == sa.literal_column("'enabled'"))
    .order_by(webhook.c.id),
)
_INBOXES = rows(
    _Access,
    sa.select(inbox_access.c.user_id, inbox_access.c.inbox_id)
    .where(
        ids_in(inbox_access.c.account_id, P("account_ids", sa.Text)),
        ids_in(inbox_access.c.user_id, P("user_ids", sa.Text)),
    )
    .order_by(inbox_access.c.user_id, inbox_access.c.inbox_id),
)
_SWITCH_OFF = command(
    sa.update(webhook)
    .where(webhook.c.account_id == P("account_id"), webhook.c.id == P("id"))
    .values(state=sa.literal_column("'disabled'"), disabled_because=P("because"))
)
_ADD = Insert(webhook_delivery, Delivery)

# Only the oldest rows are looked at, so that this costs next to nothing while none is old enough.
_ENDED = webhook_delivery.c.state != sa.literal_column("'waiting'")
_FIRST = (
    sa.select(webhook_delivery.c.id)
    .where(_ENDED)
    .order_by(webhook_delivery.c.id)
    .limit(sa.literal_column("1"))
    .scalar_subquery()
)
_OLD = (
    webhook_delivery.c.id < _FIRST + P("most", sa.BigInteger),
    webhook_delivery.c.created_at < P("before"),
    _ENDED,
)
_FORGET_ATTEMPTS = command(
    sa.delete(webhook_attempt).where(webhook_attempt.c.delivery_id.in_(sa.select(webhook_delivery.c.id).where(*_OLD)))
)
_FORGET = command(sa.delete(webhook_delivery).where(*_OLD))


def listener(clock: Clock, base_url: str) -> Listener:
    """Turns events into deliveries."""

    def listen(tx: Writer, facts: Sequence[Fact]) -> None:
        fan_out(tx, facts, base_url, clock.now())

    return listen


def fan_out(tx: Writer, facts: Sequence[Fact], base: str, now: datetime) -> None:
    """Add a delivery, and a job that sends it, for each event and webhook that wants it."""
    facts = [fact for fact in facts if fact.name in BY_NAME and not _imported(fact)]
    hooks = subscribers(tx, {fact.account_id for fact in facts})
    if not hooks:
        return
    seen = sees(tx, hooks)
    wanted = [(fact, hook) for fact in facts for hook in hooks if wants(hook, fact, seen[hook.id])]
    bodies = Bodies(tx, [fact for fact, _ in wanted], base, to_wire(now))
    new: list[NewJob] = []
    for fact, hook in wanted:
        v3, notification, inboxes = hook.payload_version == "V3", bool(hook.notification), seen[hook.id]
        only = frozenset(inboxes) if inboxes is not None and hook.user_type == _AGENT else None
        body = bodies.of(fact, v3=v3, notification=notification, inboxes=inboxes, only=only)
        if body is None:
            log.info(
                "webhook %d is not sent event %d (%s): what it is about is gone or out of sight",
                hook.id,
                fact.id,
                fact.name,
            )
        else:
            new.append(deliver(tx, fact, hook, body, now))
    if new:
        jobs.add_many(tx, new)
        _prune(tx, now, len(new))


def _imported(fact: Fact) -> bool:
    """Imported threads and conversations notify nobody. Source: conversations/threads/reply (imported)."""
    return "imported" in fact.particulars and bool(msgspec.json.decode(fact.particulars).get("imported"))


def subscribers(tx: Writer, account_ids: Iterable[int]) -> list[Subscriber]:
    """The enabled webhooks of some accounts; those of users who are gone are switched off now."""
    listed = sorted(account_ids)
    found = tx.all(_ENABLED, account_ids=_json(listed)) if listed else []
    for hook in found:
        if hook.user_state != "active":
            tx.run(_SWITCH_OFF, account_id=hook.account_id, id=hook.id, because=NO_USER)
    return [hook for hook in found if hook.user_state == "active"]


def sees(tx: Writer, hooks: Sequence[Subscriber]) -> dict[int, tuple[int, ...] | None]:
    """The inboxes that each webhook's user may see now; None means all.

    What an agent may see only the gateway knows, which let it name those that the webhook is for, or none.
    """
    narrow = {hook.created_by for hook in hooks if hook.role not in SEES_ALL and hook.user_type != _AGENT}
    found: list[_Access] = []
    if narrow:
        account_ids = sorted({hook.account_id for hook in hooks})
        found = tx.all(_INBOXES, account_ids=_json(account_ids), user_ids=_json(sorted(narrow)))
    seen: dict[int, tuple[int, ...] | None] = {}
    for hook in hooks:
        if hook.user_type == _AGENT:
            seen[hook.id] = tuple(msgspec.json.decode(hook.inbox_ids, type=list[int])) or None
        elif hook.created_by in narrow:
            seen[hook.id] = tuple(one.inbox_id for one in found if one.user_id == hook.created_by)
        else:
            seen[hook.id] = None
    return seen


def wants(hook: Subscriber, fact: Fact, inboxes: tuple[int, ...] | None) -> bool:
    """Whether a webhook is to be told of an event; `inboxes` are those its user may see (None: all)."""
    if hook.account_id != fact.account_id or fact.name not in msgspec.json.decode(hook.events):
        return False
    if fact.at < hook.created_at:
        return False
    if fact.inbox_id is not None and inboxes is not None and fact.inbox_id not in inboxes:
        return False
    if hook.inbox_ids == "[]" or not BY_NAME[fact.name].by_inbox:
        return True
    return fact.inbox_id in msgspec.json.decode(hook.inbox_ids)


def deliver(tx: Writer, fact: Fact, hook: Subscriber, body: str, now: datetime) -> NewJob:
    """Add a delivery; gives the job that sends it, to be added."""
    delivery = Delivery(
        account_id=fact.account_id, webhook_id=hook.id, event_id=fact.id, event=fact.name, key=str(uuid.uuid4()),
        body=body, created_at=to_wire(now),
    )  # fmt: skip
    return job_for(fact.account_id, hook.id, tx.add(_ADD, delivery), now)


def job_for(account_id: int, webhook_id: int, delivery_id: int, now: datetime) -> NewJob:
    """The job that sends a delivery; a webhook's jobs share a target, so that a slow one delays no other."""
    return NewJob(
        account_id=account_id, kind=DELIVER, target=f"webhook:{webhook_id}", payload=str(delivery_id),
        due_at=jobs.milliseconds(now), created_at=to_wire(now),
    )  # fmt: skip


def _prune(tx: Writer, now: datetime, added: int) -> None:
    """Forget old deliveries: more at a time than are added, so that the log comes to an end."""
    old = {"most": max(2 * added, _PRUNED_MOST), "before": to_wire(now - timedelta(days=KEPT_DAYS))}
    tx.run(_FORGET_ATTEMPTS, **old)
    tx.run(_FORGET, **old)


def _json(ids: list[int]) -> str:
    return msgspec.json.encode(ids).decode()
