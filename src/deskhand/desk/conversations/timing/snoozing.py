"""Putting conversations aside until later, and bringing them back: by hand, at the set time, or by an answer.

Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/snooze/update
"""

from __future__ import annotations

import msgspec

from deskhand.catalogue.conversations import SnoozeConversation
from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Writer
from deskhand.desk.call import Actor
from deskhand.desk.conversations import owners, queries
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.replying import awake, tell_changes, with_status
from deskhand.desk.conversations.timing.later import on_behalf_of, require_future
from deskhand.desk.conversations.writing import add_line_item, save, take
from deskhand.lib.clock import Clock, to_wire
from deskhand.outbox import jobs
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Then

WAKE_CONVERSATION = "wake_conversation"
"""The kind of job that ends a snooze."""


class Alarm(msgspec.Struct, frozen=True):
    """Which snooze a job ends: that of a conversation, as long as it still ends at this time."""

    conversation_id: int
    until: str


def snooze(tx: Writer, actor: Actor, id: int, wanted: SnoozeConversation, now: str, *, line_item: bool = True) -> None:
    """Put a conversation aside; without a `line_item` the caller tells of it.

    Raises NotFound, AccessDenied, PreconditionFailed (locked by age) and BadRequest.
    """
    head = take(tx, actor, id, now)
    until = require_future("snoozedUntil", str(wanted.snoozed_until), now)
    after = msgspec.structs.replace(
        head,
        snoozed_by=actor.user_id,
        snoozed_until=until,
        unsnooze_on_reply=int(wanted.unsnooze_on_customer_reply is not False),
        modified_at=now,
        user_updated_at=now,
    )
    after = save(tx, head, after)
    if line_item:
        who = owners.by_id(tx, actor.account_id, actor.user_id)
        add_line_item(tx, after, actor, now, f"{who.name if who else 'Someone'} snoozed the conversation until {until}")
    set_alarm(tx, after.account_id, after.id, until, now)


def set_alarm(tx: Writer, account_id: int, conversation_id: int, until: str, now: str) -> None:
    """Let a snooze end by itself."""
    target, alarm = f"conversation:{conversation_id}", Alarm(conversation_id, until)
    jobs.add(tx, account_id=account_id, kind=WAKE_CONVERSATION, target=target, payload=alarm, now=now, due=until)


def unsnooze(tx: Writer, actor: Actor, id: int, now: str, *, line_item: bool = True) -> None:
    """End a snooze now; a conversation that has none stays as it is. As `snooze` otherwise."""
    head = take(tx, actor, id, now)
    if head.snoozed_until is None:
        return
    who = owners.by_id(tx, actor.account_id, actor.user_id)
    text = f"{who.name if who else 'Someone'} ended the snooze" if line_item else ""
    _wake(tx, actor, head, msgspec.structs.replace(head, user_updated_at=now), text, now)


def waking(clock: Clock) -> Carrier:
    """Carries out the jobs that end snoozes. Twice does no harm: the second time the snooze is not there any more."""

    async def carry(work: Work) -> Then:
        alarm = msgspec.json.decode(work.payload, type=Alarm)
        return lambda tx: wake(tx, work.account_id, alarm, to_wire(clock.now()))

    return carry


def wake(tx: Writer, account_id: int, alarm: Alarm, now: str) -> None:
    """End a snooze whose time has come, unless it was changed or ended meanwhile or the conversation is gone."""
    try:
        head = queries.head(tx, on_behalf_of(account_id, 0), alarm.conversation_id, lock=True)
    except NotFound:
        return
    if head.snoozed_until == alarm.until:
        _wake(tx, on_behalf_of(account_id, head.snoozed_by or 0), head, head, "The snooze ended", now)


def _wake(tx: Writer, actor: Actor, before: Head, after: Head, text: str, now: str) -> None:
    """Back into its folder, and active again; spam stays spam."""
    status = after.status if after.status == "spam" else "active"
    after = msgspec.structs.replace(awake(with_status(after, status, actor.user_id, now)), modified_at=now)
    after = save(tx, before, after)
    if text:
        add_line_item(tx, after, actor, now, text)
    tell_changes(tx, actor, before, after, now)
