"""Workflows that send a conversation to a webhook: a delivery like any other, whatever events the webhook is for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

import msgspec

from deskhand.catalogue.events import CONVERSATION_STATUS
from deskhand.db.engine import Writer
from deskhand.desk.webhooks.bodies import Bodies
from deskhand.desk.webhooks.fan_out import deliver, sees, subscribers
from deskhand.desk.workflows.acting import WEBHOOK_CALLED, Called
from deskhand.lib.clock import Clock, to_wire
from deskhand.outbox import jobs
from deskhand.outbox.events import Fact
from deskhand.outbox.worker import Listener

log = logging.getLogger("deskhand.webhooks")


def listener(clock: Clock, base_url: str) -> Listener:
    """Turns what workflows ask for into deliveries."""

    def listen(tx: Writer, facts: Sequence[Fact]) -> None:
        call(tx, facts, base_url, clock.now())

    return listen


def call(tx: Writer, facts: Sequence[Fact], base: str, now: datetime) -> None:
    """Add a delivery, and a job that sends it, for each conversation and webhook that a workflow names.

    As with events, a webhook is sent nothing while it is switched off, or what its user may not see.
    """
    facts = [fact for fact in facts if fact.name == WEBHOOK_CALLED]
    if not facts:
        return
    hooks = {hook.id: hook for hook in subscribers(tx, {fact.account_id for fact in facts})}
    seen = sees(tx, list(hooks.values()))
    # The body is that of any event about a conversation.
    bodies = Bodies(tx, [msgspec.structs.replace(fact, name=CONVERSATION_STATUS) for fact in facts], base, to_wire(now))
    new = []
    for fact in facts:
        hook = hooks.get(msgspec.json.decode(fact.particulars, type=Called).webhook)
        if hook is None or hook.account_id != fact.account_id:
            log.info("event %d asks for a webhook that is switched off or gone", fact.id)
            continue
        inboxes = seen[hook.id]
        only = frozenset(inboxes) if inboxes is not None and hook.user_type == "system_user" else None
        about = msgspec.structs.replace(fact, name=CONVERSATION_STATUS)
        v3, notification = hook.payload_version == "V3", bool(hook.notification)
        body = bodies.of(about, v3=v3, notification=notification, inboxes=inboxes, only=only)
        if body is None:
            log.info("webhook %d is not sent conversation %d: it is gone or out of sight", hook.id, fact.subject_id)
        else:
            new.append(deliver(tx, fact, hook, body, now))
    if new:
        jobs.add_many(tx, new)
