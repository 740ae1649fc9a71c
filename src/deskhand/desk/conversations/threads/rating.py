"""Rating a reply: what its customer thought of it."""

from __future__ import annotations

from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Writer
from deskhand.db.statements import P, command, rows
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.ratings.verbs import NewRating, keep
from deskhand.outbox.events import Event, record

Opinion = Literal["great", "okay", "not_good"]


class _Rated(msgspec.Struct, frozen=True):
    """A reply that can be rated; `customer_id` is whom it went to."""

    conversation_id: int
    inbox_id: int
    customer_id: int
    user_id: int


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
_MARK = command(
    sa.update(thread)
    .where(thread.c.account_id == P("for_account"), thread.c.id == P("id"))
    .values(rating=P("rating"), rating_comments=P("rating_comments"), rated_at=P("now"))
)


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
