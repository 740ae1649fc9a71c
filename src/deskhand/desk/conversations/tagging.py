"""The tags of a conversation."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command
from deskhand.desk.call import Actor
from deskhand.desk.conversations import owners
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import conversation_tag
from deskhand.desk.conversations.writing import add_line_item, save, take, tell
from deskhand.desk.tags import verbs as tags
from deskhand.desk.tags.queries import TagRow


class ShownTag(msgspec.Struct, frozen=True):
    """A tag as a conversation shows it."""

    id: int
    color: str
    tag: str


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
    after = _carry(tx, head, _shown(wanted), now)
    if after is head:
        return
    who = owners.by_id(tx, actor.account_id, actor.user_id)
    listed = f"the tag{'s' if len(wanted) > 1 else ''} {', '.join(tag.name for tag in wanted)}"
    text = f"{who.name if who else 'Someone'} " + (f"set {listed}" if wanted else "removed all tags")
    add_line_item(tx, after, actor, now, text)
    tell(tx, actor, after, events.CONVERSATION_TAGS, now)


def add_and_remove(
    tx: Writer, actor: Actor, id: int, added: Sequence[TagRow], removed: Collection[int], now: str
) -> None:
    """Add some tags to a conversation's and take others away; the caller adds the line item. Raises as `set_tags`."""
    head = take(tx, actor, id, now)
    kept = [tag for tag in msgspec.json.decode(head.tags, type=list[ShownTag]) if tag.id not in removed]
    there = {tag.id for tag in kept}
    after = _carry(tx, head, [*kept, *(tag for tag in _shown(added) if tag.id not in there)], now)
    if after is not head:
        tell(tx, actor, after, events.CONVERSATION_TAGS, now)


def _carry(tx: Writer, head: Head, wanted: Sequence[ShownTag], now: str) -> Head:
    """Give a conversation exactly these tags; gives back the same head when it has them already."""
    after = msgspec.structs.replace(head, tags=_as_json(wanted), modified_at=now)
    if after.tags == head.tags:
        return head
    tx.run(_CLEAR, account_id=head.account_id, conversation_id=head.id)
    tx.add_many(_ADD, (CarriedTag(head.account_id, head.id, tag.id) for tag in wanted))
    return save(tx, head, after)


def attach(tx: Writer, account_id: int, conversation_id: int, wanted: Sequence[TagRow]) -> None:
    """Note which tags a conversation carries, for filters."""
    tx.add_many(_ADD, (CarriedTag(account_id, conversation_id, tag.id) for tag in wanted))


def tags_as_json(wanted: Sequence[TagRow]) -> str:
    """Tags as conversations show them."""
    return _as_json(_shown(wanted))


def _shown(wanted: Sequence[TagRow]) -> list[ShownTag]:
    return [ShownTag(tag.id, tag.color, tag.name) for tag in wanted]


def _as_json(shown: Sequence[ShownTag]) -> str:
    return msgspec.json.encode(shown).decode()
