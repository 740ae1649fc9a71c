"""Rating a reply: what its customer thought of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, command, rows
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.inboxes.tables import inbox
from deskhand.desk.ratings.tables import rating
from deskhand.desk.ratings.verbs import NewRating, keep
from deskhand.lib.clock import from_wire
from deskhand.outbox.events import Event, record

Opinion = Literal["great", "okay", "not_good"]
CHANGEABLE_FOR = timedelta(days=30)
"""How long a customer may change a rating that they gave by the link in a mail."""
COMMENTS_MOST = 2_000
"""Characters of what they may write with it."""


class Closed(Exception):
    """A rating was given too long ago to be changed."""


class _Rated(msgspec.Struct, frozen=True):
    """A reply that can be rated; `customer_id` is whom it went to."""

    conversation_id: int
    inbox_id: int
    customer_id: int
    user_id: int


class Rateable(msgspec.Struct, frozen=True):
    """A reply as its customer sees it when they rate it; `rated_at` is when they first did so."""

    thread_id: int
    inbox_name: str
    rating: str | None
    comments: str
    rated_at: str | None

    def is_open(self, now: str) -> bool:
        """Whether it can be rated, or rated otherwise."""
        return self.rated_at is None or from_wire(now) - from_wire(self.rated_at) <= CHANGEABLE_FOR


_REPLY = rows(
    _Rated,
    sa.select(
        thread.c.conversation_id,
        conversation.c.inbox_id,
        sa.func.coalesce(thread.c.customer_id, conversation.c.customer_id).label("customer_id"),
        thread.c.created_by_id.label("user_id"),
    )
    .join(conversation, conversation.c.id == thread.c.conversation_id)
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.id == P("id"),
        thread.c.created_by_type == sa.literal_column("'user'"),
        # "message" is a reply by mail, "chat" one in a chat; nobody rates a note or a draft.
        thread.c.type.in_([sa.literal_column("'message'"), sa.literal_column("'chat'")]),
        thread.c.state.in_([sa.literal_column("'published'"), sa.literal_column("'hidden'")]),
    )
    .with_for_update(),
)
_SHOWN = rows(
    Rateable,
    sa.select(
        thread.c.id.label("thread_id"),
        inbox.c.name.label("inbox_name"),
        thread.c.rating,
        sa.func.coalesce(thread.c.rating_comments, sa.literal_column("''")).label("comments"),
        rating.c.created_at.label("rated_at"),
    )
    .join(conversation, conversation.c.id == thread.c.conversation_id)
    .join(inbox, sa.and_(inbox.c.id == conversation.c.inbox_id, inbox.c.account_id == thread.c.account_id))
    .outerjoin(rating, sa.and_(rating.c.thread_id == thread.c.id, rating.c.account_id == thread.c.account_id))
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.id == P("id"),
        thread.c.created_by_type == sa.literal_column("'user'"),
        thread.c.type.in_([sa.literal_column("'message'"), sa.literal_column("'chat'")]),
        thread.c.state.in_([sa.literal_column("'published'"), sa.literal_column("'hidden'")]),
    ),
)
_MARK = command(
    sa.update(thread)
    .where(thread.c.account_id == P("for_account"), thread.c.id == P("id"))
    .values(rating=P("rating"), rating_comments=P("rating_comments"), rated_at=P("now"))
)


def rateable(db: Reader, account_id: int, thread_id: int) -> Rateable | None:
    """A reply that a customer can rate, with what they said of it so far; None where there is no such reply."""
    return db.one(_SHOWN, account_id=account_id, id=thread_id)


def rate_by_link(tx: Writer, account_id: int, thread_id: int, rating: Opinion, comments: str, now: str) -> None:
    """As `rate`, by the link in a mail: the same once more changes nothing. Raises Closed when it is too late."""
    known = rateable(tx, account_id, thread_id)
    if known is None:
        raise NotFound
    comments = comments[:COMMENTS_MOST]
    if (known.rating, known.comments) == (rating, comments):
        return
    if not known.is_open(now):
        raise Closed
    rate(tx, account_id, thread_id, rating, comments, now)


def rate(tx: Writer, account_id: int, thread_id: int, rating: Opinion, comments: str, now: str) -> int:
    """Note what a customer thought of a reply, in place of what they said before; gives the rating's id.

    Raises NotFound for what is no reply that was sent to a customer.
    """
    reply = tx.one(_REPLY, account_id=account_id, id=thread_id)
    if reply is None:
        raise NotFound
    id = keep(
        tx,
        NewRating(
            account_id=account_id,
            thread_id=thread_id,
            **msgspec.structs.asdict(reply),
            rating=rating,
            comments=comments,
            created_at=now,
            modified_at=now,
        ),
    )
    tx.run(_MARK, for_account=account_id, id=thread_id, rating=rating, rating_comments=comments, now=now)
    record(
        tx,
        Event(
            account_id=account_id, name=events.RATING_GIVEN, subject_id=id, inbox_id=reply.inbox_id,
            thread_id=thread_id, actor_type="customer", actor_id=reply.customer_id, at=now,
        ),
    )  # fmt: skip
    return id
