"""The tags of a conversation."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command
from deskhand.desk.call import Actor
from deskhand.desk.conversations import owners
from deskhand.desk.conversations.tables import conversation_tag
from deskhand.desk.conversations.writing import add_line_item, save, take, tell
from deskhand.desk.tags import verbs as tags
from deskhand.desk.tags.queries import TagRow


class CarriedTag(msgspec.Struct, frozen=True):
    """That a conversation carries a tag."""

    account_id: int
    conversation_id: int
    tag_id: int


_ADD = Insert(conversation_tag, CarriedTag)
_CLEAR = command(
    sa.delete(conversation_tag).where(
        conversation_tag.c.account_id == P("account_id"), conversation_tag.c.conversation_id == P("conversation_id")
    )
)


def set_tags(tx: Writer, actor: Actor, id: int, names: Sequence[str], now: str) -> None:
    """Give a conversation exactly these tags; unknown ones are made. Raises NotFound, AccessDenied and BadRequest."""
    head = take(tx, actor, id, now)
    wanted = tags.named(tx, actor.account_id, names, now, actor_id=actor.user_id)
    after = msgspec.structs.replace(head, tags=tags_as_json(wanted), modified_at=now)
    if after.tags == head.tags:
        return
    tx.run(_CLEAR, account_id=actor.account_id, conversation_id=id)
    attach(tx, actor.account_id, id, wanted)
    after = save(tx, head, after)
    who = owners.by_id(tx, actor.account_id, actor.user_id)
    listed = ", ".join(tag.name for tag in wanted)
    text = f"{who.name if who else 'Someone'} " + (f"set the tags {listed}" if wanted else "removed all tags")
    add_line_item(tx, after, actor, now, text)
    tell(tx, actor, after, events.CONVERSATION_TAGS, now)


def attach(tx: Writer, account_id: int, conversation_id: int, wanted: Sequence[TagRow]) -> None:
    """Note which tags a conversation carries, for filters."""
    tx.add_many(_ADD, (CarriedTag(account_id, conversation_id, tag.id) for tag in wanted))


def tags_as_json(wanted: Sequence[TagRow]) -> str:
    """Tags as conversations show them."""
    return msgspec.json.encode([{"id": tag.id, "color": tag.color, "tag": tag.name} for tag in wanted]).decode()
