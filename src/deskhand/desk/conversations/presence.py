"""Who of the staff has a conversation open, and who is writing in it, so that two people don't answer the same mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, in_order, unindexed
from deskhand.db.statements import Insert, P, columns, command, rows
from deskhand.desk.conversations.tables import conversation, presence
from deskhand.desk.users.tables import staff
from deskhand.outbox import events

Doing = Literal["looking", "writing"]
LASTS_MS = 45_000
"""How long somebody counts as there after they were last heard of. Pages say that they are there every 20 seconds."""
_KEPT_MS = 7 * 24 * 3600 * 1000
"""How long it is remembered where somebody was."""


class Here(msgspec.Struct, frozen=True):
    """Somebody who has a conversation open."""

    conversation_id: int
    user_id: int
    first_name: str
    last_name: str
    photo_url: str | None
    doing: str


class Changed(msgspec.Struct, frozen=True):
    """A conversation in which somebody came, began or ceased to write, or left."""

    account_id: int
    inbox_id: int
    conversation_id: int
    user_id: int
    changed_ms: int


class Visited(msgspec.Struct, frozen=True):
    """A conversation that somebody had open."""

    id: int
    number: int
    subject: str
    status: str
    inbox_id: int


class _Row(msgspec.Struct, frozen=True):
    account_id: int
    conversation_id: int
    user_id: int
    doing: str
    changed_ms: int
    seen_ms: int


class _Was(msgspec.Struct, frozen=True):
    doing: str
    seen_ms: int


_MINE = (
    presence.c.account_id == P("account_id"),
    presence.c.conversation_id == P("conversation_id"),
    presence.c.user_id == P("user_id"),
)
_ADD = Insert(presence, _Row)
_WAS = rows(_Was, sa.select(presence.c.doing, presence.c.seen_ms).where(*_MINE))
_AGAIN = command(sa.update(presence).where(*_MINE).values(seen_ms=P("now")))
_CHANGE = command(
    sa.update(presence).where(*_MINE).values(doing=P("now_doing"), changed_ms=P("changed"), seen_ms=P("now"))
)
_PRUNE = command(sa.delete(presence).where(presence.c.seen_ms < P("before")))
_HERE = rows(
    Here,
    sa.select(
        presence.c.conversation_id,
        presence.c.user_id,
        staff.c.first_name,
        staff.c.last_name,
        staff.c.photo_url,
        presence.c.doing,
    )
    .join(staff, sa.and_(staff.c.id == presence.c.user_id, staff.c.account_id == presence.c.account_id))
    .where(
        presence.c.account_id == P("account_id"),
        ids_in(presence.c.conversation_id, P("ids", sa.Text)),
        presence.c.seen_ms > P("since"),
        presence.c.user_id != P("but"),
    )
    .order_by(presence.c.conversation_id, presence.c.user_id),
)
_SINCE = rows(
    Changed,
    sa.select(
        presence.c.account_id,
        conversation.c.inbox_id,
        presence.c.conversation_id,
        presence.c.user_id,
        presence.c.changed_ms,
    )
    .join(
        conversation,
        sa.and_(
            conversation.c.id == presence.c.conversation_id,
            unindexed(conversation.c.account_id) == presence.c.account_id,
        ),
    )
    .where(presence.c.changed_ms > P("since"))
    .order_by(presence.c.changed_ms)
    .limit(sa.literal_column("1000")),
)
_VISITED = rows(
    Visited,
    sa.select(*columns(conversation, *Visited.__struct_fields__))
    .select_from(
        in_order(
            presence,
            conversation,
            sa.and_(
                conversation.c.id == presence.c.conversation_id,
                unindexed(conversation.c.account_id) == presence.c.account_id,
            ),
        )
    )
    .where(
        presence.c.account_id == P("account_id"),
        presence.c.user_id == P("user_id"),
        conversation.c.merged_into.is_(None),
    )
    .order_by(presence.c.seen_ms.desc())
    .limit(P("most", sa.Integer)),
)


def be(tx: Writer, account_id: int, conversation_id: int, user_id: int, doing: Doing, at: datetime) -> None:
    """Somebody looks at a conversation or writes in it. Pages hear of it where it is new."""
    now = _ms(at)
    mine = {"account_id": account_id, "conversation_id": conversation_id, "user_id": user_id}
    was = tx.one(_WAS, **mine)
    if was is not None and was.doing == doing and was.seen_ms > now - LASTS_MS:
        tx.run(_AGAIN, now=now, **mine)
        return
    if was is None:
        tx.add_many(_ADD, (_Row(account_id, conversation_id, user_id, doing, now, now),))
    else:
        tx.run(_CHANGE, now_doing=doing, changed=now, now=now, **mine)
    tx.run(_PRUNE, before=now - _KEPT_MS)
    tx.changed(events.PRESENCE)


def leave(tx: Writer, account_id: int, conversation_id: int, user_id: int, at: datetime) -> None:
    """Somebody has closed a conversation."""
    now = _ms(at)
    mine = {"account_id": account_id, "conversation_id": conversation_id, "user_id": user_id}
    # The row stays for a while, as it is what other processes hear of the change by.
    if tx.run(_CHANGE, now_doing="looking", changed=now, now=now - 2 * LASTS_MS, **mine):
        tx.changed(events.PRESENCE)


def here(
    db: Reader, account_id: int, conversation_ids: Iterable[int], at: datetime, *, but: int = 0
) -> dict[int, list[Here]]:
    """Who has which of some conversations open, one user (`but`) left out; those who write come first."""
    ids = sorted(set(conversation_ids))
    found: defaultdict[int, list[Here]] = defaultdict(list)
    if ids:
        listed = msgspec.json.encode(ids).decode()
        for one in db.all(_HERE, account_id=account_id, ids=listed, since=_ms(at) - LASTS_MS, but=but):
            found[one.conversation_id].append(one)
    return {id: sorted(people, key=lambda one: one.doing != "writing") for id, people in found.items()}


def visited(db: Reader, account_id: int, user_id: int, most: int) -> list[Visited]:
    """The conversations that somebody had open in the last days, those they left last first."""
    return db.all(_VISITED, account_id=account_id, user_id=user_id, most=most)


def changed_since(db: Reader, since_ms: int) -> list[Changed]:
    """Where somebody came, went, or began to write after a moment: in all accounts, for whoever tells open pages."""
    return db.all(_SINCE, since=since_ms)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
