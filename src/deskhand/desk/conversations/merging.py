"""Merging: what was said in one conversation goes on in another, and the first leads there for good."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.problems import AccessDenied, FieldError, PreconditionFailed, invalid
from deskhand.catalogue.threads import MOST
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import P, command, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations import owners, reply_facts
from deskhand.desk.conversations.drafts import notes, staying
from deskhand.desk.conversations.mail.mail_queries import HELD
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.replying import tell_changes, with_status
from deskhand.desk.conversations.tables import (
    attachment,
    conversation,
    conversation_tag,
    follower,
    mention,
    thread,
    thread_mail,
)
from deskhand.desk.conversations.tagging import CarriedTag, ShownTag
from deskhand.desk.conversations.timing import schedules, scheduling
from deskhand.desk.conversations.timing.scheduling import Departure
from deskhand.desk.conversations.writing import add_line_item, save, take, tell
from deskhand.desk.ratings.tables import rating
from deskhand.desk.search import index
from deskhand.lib.text import plain
from deskhand.outbox import events as outbox_events

_MOVED = (thread, attachment, thread_mail, rating, mention)
_MOVES = [
    command(
        sa.update(part)
        .where(part.c.account_id == P("for_account"), part.c.conversation_id == P("from_id"))
        .values(conversation_id=P("to_id"))
    )
    for part in _MOVED
]
_OF_ONE = (thread.c.account_id == P("account_id"), thread.c.conversation_id == P("id"))
_TEXTS = value(
    str,
    sa.select(thread.c.body)
    .where(*_OF_ONE, thread.c.type != sa.literal_column("'lineitem'"), thread.c.body.is_not(None))
    .order_by(thread.c.id),
)
_HELD = value(
    int,
    sa.select(thread.c.id)
    .join(thread_mail, sa.and_(thread_mail.c.thread_id == thread.c.id, thread_mail.c.account_id == thread.c.account_id))
    .where(*_OF_ONE, HELD)
    .limit(sa.literal_column("1")),
)
_SCHEDULED = rows(
    Departure,
    sa.select(thread.c.conversation_id, thread.c.id.label("thread_id"), thread.c.scheduled_for.label("at")).where(
        *_OF_ONE, thread.c.scheduled_for.is_not(None)
    ),
)
_UNTAG = command(
    sa.delete(conversation_tag).where(
        conversation_tag.c.account_id == P("account_id"), conversation_tag.c.conversation_id == P("id")
    )
)
_CARRY = add_missing(conversation_tag, *CarriedTag.__struct_fields__)
_LEAD = command(
    sa.update(conversation)
    .where(conversation.c.account_id == P("for_account"), conversation.c.id == P("id"))
    .values(merged_at=P("now"))
)
# Those that were merged into it before lead on at once, as far as they are the same customer's.
_LEAD_ON = command(
    sa.update(conversation)
    .where(
        conversation.c.account_id == P("for_account"),
        conversation.c.customer_id == P("of_customer"),
        conversation.c.merged_into == P("from_id"),
    )
    .values(merged_into=P("to_id"))
)
_BY_NUMBER = value(
    int,
    sa.select(conversation.c.id).where(
        conversation.c.account_id == P("account_id"), conversation.c.number == P("number")
    ),
)
_FOLLOWERS = value(
    int,
    sa.select(follower.c.user_id).where(
        follower.c.account_id == P("account_id"), follower.c.conversation_id == P("id")
    ),
)
_FOLLOW = add_missing(follower, "account_id", "conversation_id", "user_id", "created_at")


def by_number(db: Reader, account_id: int, number: int) -> int | None:
    """The id of the conversation that has a number."""
    return db.one(_BY_NUMBER, account_id=account_id, number=number)


def merge(tx: Writer, actor: Actor, id: int, into_id: int, now: str) -> None:
    """Let a conversation go on in another: threads, files, tags and followers go there, and it leads there from now on.

    The other stays as it is, but is active again if somebody waits in this one. Raises NotFound, AccessDenied,
    PreconditionFailed (locked by age, too many threads, a reply that is just leaving) and BadRequest.
    """
    if actor.role == "light user":
        raise AccessDenied
    if id == into_id:
        raise invalid("into", "a conversation can't be merged into itself", "ValidIdentifier", into_id)
    heads = {one: take(tx, actor, one, now) for one in sorted((id, into_id))}  # in one order by all who merge
    gone, stays = heads[id], heads[into_id]
    _require_mergeable(tx, gone, stays)
    texts = tx.all(_TEXTS, account_id=gone.account_id, id=gone.id)
    departures = tx.all(_SCHEDULED, account_id=gone.account_id, id=gone.id)
    for statement in _MOVES:
        tx.run(statement, for_account=gone.account_id, from_id=gone.id, to_id=stays.id)
    staying.follow(tx, gone.account_id, gone, stays, now)
    notes.follow(tx, gone.account_id, gone.id, stays.id)
    after = _joined(tx, gone, stays, now)
    for user_id in tx.all(_FOLLOWERS, account_id=gone.account_id, id=gone.id):
        tx.run(
            _FOLLOW, account_id=gone.account_id, conversation_id=stays.id, user_id=user_id, created_at=now
        )  # fmt: skip
    index.forget(tx, gone.account_id, gone.id)
    for text in texts:
        index.append(tx, stays.account_id, stays.id, plain(text))
    for one in departures:
        scheduling.set_departure(tx, stays.account_id, stays.id, one.thread_id, one.at, now)
    save(tx, gone, _emptied(gone, stays.id, now))
    tx.run(_LEAD, for_account=gone.account_id, id=gone.id, now=now)
    tx.run(_LEAD_ON, for_account=gone.account_id, of_customer=gone.customer_id, from_id=gone.id, to_id=stays.id)
    after = save(tx, stays, reply_facts.kept(tx, schedules.with_earliest(tx, after)))
    who = owners.by_id(tx, actor.account_id, actor.user_id)
    text = f"{who.name if who else 'Someone'} merged conversation #{gone.number} into this one"
    add_line_item(tx, after, actor, now, text, "merged", originalConversation=gone.id)
    tell(tx, actor, after, events.CONVERSATION_MERGED, now, merged=gone.id)
    tell_changes(tx, actor, stays, after, now)
    if after.tags != stays.tags:
        tell(tx, actor, after, events.CONVERSATION_TAGS, now)
    tx.changed(outbox_events.PAGES)


def _require_mergeable(tx: Writer, gone: Head, stays: Head) -> None:
    if "draft" in (gone.state, stays.state):
        raise _refused("a conversation that is a draft can't be merged")
    if gone.capped_threads + stays.capped_threads > MOST:
        raise _refused(f"together they have more than {MOST} threads")
    if tx.one(_HELD, account_id=gone.account_id, id=gone.id) is not None:
        raise _refused("a reply is just leaving, try again in some seconds")


def _refused(words: str) -> PreconditionFailed:
    return PreconditionFailed(FieldError("conversationId", words, "precondition-failed", source="URI"))


def _joined(tx: Writer, gone: Head, stays: Head, now: str) -> Head:
    """The conversation that stays with what the other brings."""
    carried = {tag.id: tag for head in (stays, gone) for tag in msgspec.json.decode(head.tags, type=list[ShownTag])}
    for tag_id in carried:
        row = CarriedTag(stays.account_id, stays.id, tag_id)
        tx.run(_CARRY, **msgspec.structs.asdict(row))
    tx.run(_UNTAG, account_id=gone.account_id, id=gone.id)
    waiting = [one for one in (gone.waiting_since, stays.waiting_since) if one]
    reopened = gone.status in ("active", "pending") and stays.status == "closed"
    after = with_status(stays, gone.status, 0, now) if reopened else stays
    return msgspec.structs.replace(
        after,
        threads=stays.threads + gone.threads,
        capped_threads=stays.capped_threads + gone.capped_threads,
        waiting_since=min(waiting, default=None),
        latest_reply_from="customer" if gone.waiting_since else stays.latest_reply_from,
        tags=msgspec.json.encode(list(carried.values())).decode(),
        attachments=max(stays.attachments, gone.attachments),
        modified_at=now,
        user_updated_at=now,
    )


def _emptied(gone: Head, into_id: int, now: str) -> Head:
    return msgspec.structs.replace(
        gone, merged_into=into_id, threads=0, capped_threads=0, waiting_since=None, replies=0, first_reply_at=None,
        tags="[]", attachments=0, snoozed_by=None, snoozed_until=None, unsnooze_on_reply=None, scheduled_for=None,
        scheduled_by=None, unschedule_on_reply=None, modified_at=now, user_updated_at=now,
    )  # fmt: skip
