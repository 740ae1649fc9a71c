"""Comparing the tags that conversations show with those by which they are found."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, command, rows, value
from deskhand.desk.checking.finding import Finding, counted
from deskhand.desk.conversations.tables import conversation, conversation_tag

BATCH = 5_000


class Difference(msgspec.Struct, frozen=True):
    """A conversation whose shown tags (`shown`) are not the ones it is found by (`found`); ids, in order."""

    account_id: int
    conversation_id: int
    shown: tuple[int, ...]
    found: tuple[int, ...]


class _Line(msgspec.Struct, frozen=True):
    id: int
    account_id: int
    tags: str
    tag_id: int | None


class _Shown(msgspec.Struct):
    id: int


class _Carried(msgspec.Struct, frozen=True):
    account_id: int
    conversation_id: int
    tag_id: int


_carries = sa.exists().where(conversation_tag.c.conversation_id == conversation.c.id)
_some = (
    sa.select(conversation.c.id, conversation.c.account_id, conversation.c.tags)
    .where(conversation.c.id > P("after"), sa.or_(conversation.c.tags != "[]", _carries))
    .order_by(conversation.c.id)
    .limit(P("size", sa.Integer))
    .subquery("some")
)
# One statement a batch, so that both sides are of the same moment.
_LINES = rows(
    _Line,
    sa.select(_some.c.id, _some.c.account_id, _some.c.tags, conversation_tag.c.tag_id)
    .select_from(_some.outerjoin(conversation_tag, conversation_tag.c.conversation_id == _some.c.id))
    .order_by(_some.c.id, conversation_tag.c.tag_id),
)
_nobodys = ~sa.exists().where(conversation.c.id == conversation_tag.c.conversation_id)
_STRAY = value(int, sa.select(sa.func.count().label("n")).select_from(conversation_tag).where(_nobodys))
_REMOVE_STRAY = command(sa.delete(conversation_tag).where(_nobodys))
_CLEAR = command(sa.delete(conversation_tag).where(conversation_tag.c.conversation_id == P("conversation_id")))
_ADD = Insert(conversation_tag, _Carried)
_decode = msgspec.json.Decoder(list[_Shown]).decode


def check(db: Reader) -> Finding:
    """Whether each conversation is found by exactly the tags it shows."""
    words = [
        f"conversation {each.conversation_id} of account {each.account_id}: "
        f"it shows the tags {_listed(each.shown)}, it is found by {_listed(each.found)}"
        for each in _differences(db)
    ]
    text = f"{counted(len(words), 'conversation')} shown with other tags than found by" if words else "right"
    if stray := db.first(_STRAY):
        words.append(f"{counted(stray, 'tag')} of conversations that are not there")
        text = text if len(words) > 1 else words[0]
    return Finding("tags", not words, text, tuple(words))


def repair(tx: Writer) -> int:
    """Let conversations be found by what they show, which is what people saw; gives how many were changed."""
    repaired = tx.run(_REMOVE_STRAY)
    for each in list(_differences(tx)):
        tx.run(_CLEAR, conversation_id=each.conversation_id)
        tx.add_many(_ADD, (_Carried(each.account_id, each.conversation_id, tag_id) for tag_id in each.shown))
        repaired += 1
    return repaired


def _differences(db: Reader) -> Iterator[Difference]:
    after = 0
    while lines := db.all(_LINES, after=after, size=BATCH):
        for id, of_one in groupby(lines, lambda line: line.id):
            first, *others = of_one
            found = tuple(line.tag_id for line in (first, *others) if line.tag_id is not None)
            shown = tuple(sorted({tag.id for tag in _decode(first.tags)}))
            if shown != found:
                yield Difference(first.account_id, id, shown, found)
        after = lines[-1].id


def _listed(ids: tuple[int, ...]) -> str:
    return ", ".join(map(str, ids)) or "none"
