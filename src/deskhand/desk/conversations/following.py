"""Following conversations: who of the staff wants to hear of them."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import P, command, rows
from deskhand.desk.call import Actor
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.tables import follower
from deskhand.desk.conversations.writing import show_anew
from deskhand.desk.users.tables import staff


class Follower(msgspec.Struct, frozen=True):
    """A user who follows a conversation."""

    id: int
    first_name: str
    last_name: str
    photo_url: str | None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


_ADD = add_missing(follower, "account_id", "conversation_id", "user_id", "created_at")
_REMOVE = command(
    sa.delete(follower).where(
        follower.c.account_id == P("account_id"),
        follower.c.conversation_id == P("conversation_id"),
        follower.c.user_id == P("user_id"),
    )
)
_OF = rows(
    Follower,
    sa.select(staff.c.id, staff.c.first_name, staff.c.last_name, staff.c.photo_url)
    .join(follower, sa.and_(follower.c.user_id == staff.c.id, follower.c.account_id == staff.c.account_id))
    .where(
        follower.c.account_id == P("account_id"),
        follower.c.conversation_id == P("conversation_id"),
        staff.c.state != sa.literal_column("'inactive'"),
    )
    .order_by(staff.c.first_name, staff.c.id),
)


def follow(tx: Writer, actor: Actor, id: int, now: str) -> None:
    """Follow a conversation; twice is once. Raises NotFound and AccessDenied."""
    head = queries.head(tx, actor, id)
    tx.run(_ADD, account_id=actor.account_id, conversation_id=head.id, user_id=actor.user_id, created_at=now)
    show_anew(tx)


def unfollow(tx: Writer, actor: Actor, id: int) -> None:
    """Follow a conversation no more; raises as `follow` does."""
    head = queries.head(tx, actor, id)
    tx.run(_REMOVE, account_id=actor.account_id, conversation_id=head.id, user_id=actor.user_id)
    show_anew(tx)


def followers(db: Reader, account_id: int, conversation_id: int) -> list[Follower]:
    """Who follows a conversation, by name."""
    return db.all(_OF, account_id=account_id, conversation_id=conversation_id)
