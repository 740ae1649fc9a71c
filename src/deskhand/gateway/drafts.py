"""Replies that agents drafted: what became of them, who sent them, and how much of the text that person changed.

It is known of the desk here, which tells when a reply is published or a conversation deleted; nobody tells of a remote
desk, so drafts there stay open.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, cast

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.db.engine import Conflict, Database, Reader, Unavailable, Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import P, command, rows
from deskhand.gateway.agents import Agent
from deskhand.gateway.audit import Audit, By, Named
from deskhand.gateway.tables import agent, agent_draft
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.text import plain
from deskhand.outbox.events import Fact
from deskhand.outbox.worker import Listener

log = logging.getLogger("deskhand.gateway")

HERE = 0
"""The desk in this process, where others have the id of a connection."""
_COMPARED_MOST = 250_000
"""Pairs of words up to which two texts are compared in their order; above that a count of words has to do."""


class Draft(msgspec.Struct, frozen=True):
    """A draft that was neither sent nor dropped yet."""

    thread_id: int
    agent_id: int
    agent_name: str
    agent_user_id: int | None
    conversation_id: int
    text: str


class Published(msgspec.Struct, frozen=True):
    """What became of a draft, as the desk has it: the text that was sent, the conversation's number, the sender."""

    text: str
    number: int
    user_id: int
    user_name: str


class Tally(msgspec.Struct, frozen=True):
    """What became of an agent's drafts."""

    sent_unchanged: int = 0
    sent_edited: int = 0
    dropped: int = 0
    open: int = 0


class _Fate(msgspec.Struct, frozen=True):
    unchanged: int
    edited: int
    dropped: int
    all: int


_PLACE = (agent_draft.c.account_id == P("account_id"), agent_draft.c.connection_id == P("connection_id"))
_OPEN = (agent_draft.c.sent_at.is_(None), agent_draft.c.dropped_at.is_(None))
_ADD = add_missing(
    agent_draft, "account_id", "connection_id", "thread_id", "agent_id", "conversation_id", "text", "created_at"
)
_DRAFTS = (
    sa.select(
        agent_draft.c.thread_id,
        agent_draft.c.agent_id,
        agent.c.name.label("agent_name"),
        agent.c.user_id.label("agent_user_id"),
        agent_draft.c.conversation_id,
        agent_draft.c.text,
    )
    .join(agent, sa.and_(agent.c.account_id == agent_draft.c.account_id, agent.c.id == agent_draft.c.agent_id))
    .where(*_PLACE, *_OPEN)
)
_OF_THREAD = rows(Draft, _DRAFTS.where(agent_draft.c.thread_id == P("thread_id")))
_OF_CONVERSATION = rows(
    Draft, _DRAFTS.where(agent_draft.c.conversation_id == P("conversation_id")).order_by(agent_draft.c.thread_id)
)
_ONE = (*_PLACE, agent_draft.c.thread_id == P("thread_id"), *_OPEN)
_SENT = command(sa.update(agent_draft).where(*_ONE).values(sent_at=P("now"), sent_by=P("user_id"), edits=P("n")))
_DROPPED = command(sa.update(agent_draft).where(*_ONE).values(dropped_at=P("now")))


_FORGET = command(
    sa.update(agent_draft)
    .where(*_PLACE, agent_draft.c.conversation_id == P("conversation_id"))
    .values(text=P("nothing"))
)


def _count(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    counted = sa.case((sa.and_(*conditions), sa.literal_column("1")), else_=sa.literal_column("0"))
    return sa.cast(sa.func.coalesce(sa.func.sum(counted), sa.literal_column("0")), sa.Integer)


_WAS_SENT = agent_draft.c.sent_at.is_not(None)
_NONE: sa.ColumnElement[int] = sa.literal_column("0")
_FATES = sa.select(
    _count(_WAS_SENT, agent_draft.c.edits == _NONE).label("unchanged"),
    _count(_WAS_SENT, agent_draft.c.edits > _NONE).label("edited"),
    _count(agent_draft.c.dropped_at.is_not(None)).label("dropped"),
    sa.func.count().label("all"),
).where(agent_draft.c.account_id == P("account_id"), agent_draft.c.agent_id == P("agent_id"))
_TALLY = rows(_Fate, cast(sa.Select[Any], _FATES))


class Drafts:
    """Notes the drafts that agents write."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def note(self, agent: Agent, conversation_id: int, thread_id: int, text: str) -> None:
        """An agent's reply was kept as a draft. Never an error: the desk has it."""
        now = self._clock.now()
        try:
            await self._database.write(lambda tx: note_draft(tx, agent, conversation_id, thread_id, text, now))
        except (Unavailable, Conflict) as problem:
            log.warning("draft %d of agent %d could not be noted: %s", thread_id, agent.id, problem)


def note_draft(tx: Writer, agent: Agent, conversation_id: int, thread_id: int, text: str, now: datetime) -> None:
    """Write down a draft once the desk has it; a second time does nothing."""
    tx.run(
        _ADD, account_id=agent.account_id, connection_id=agent.connection_id or HERE, thread_id=thread_id,
        agent_id=agent.id, conversation_id=conversation_id, text=text, created_at=to_wire(now),
    )  # fmt: skip


def sent(tx: Writer, audit: Audit, account_id: int, draft: Draft, published: Published, now: datetime) -> int:
    """Record that a draft was sent, by whom and with how many words changed; gives that number."""
    edits = words_changed(draft.text, published.text)
    if not tx.run(
        _SENT, account_id=account_id, connection_id=HERE, thread_id=draft.thread_id,
        user_id=published.user_id, n=edits, now=to_wire(now),
    ):  # fmt: skip
        return edits
    own = published.user_id == draft.agent_user_id
    who, whose = (
        (draft.agent_name, "its own draft") if own else (published.user_name, f"the draft of {draft.agent_name}")
    )
    how = "unchanged" if not edits else f"with {edits:,} word{'s' if edits > 1 else ''} changed"
    by = By("agent", draft.agent_id) if own else By("user", published.user_id)
    particulars = {
        "event": "draft_sent", "conversation_id": draft.conversation_id, "thread_id": draft.thread_id, "edits": edits,
    }  # fmt: skip
    audit.admin(
        tx, account_id, by, f"{who} sent {whose} in conversation #{published.number} {how}", particulars,
        Named(draft.agent_id, draft.agent_name),
    )  # fmt: skip
    return edits


def dropped(tx: Writer, account_id: int, draft: Draft, now: datetime) -> None:
    """Record that a draft is gone without having been sent."""
    tx.run(_DROPPED, account_id=account_id, connection_id=HERE, thread_id=draft.thread_id, now=to_wire(now))


def forget(tx: Writer, account_id: int, conversation_id: int) -> None:
    """A conversation of the desk here was deleted: what agents drafted in it goes too."""
    tx.run(_FORGET, account_id=account_id, connection_id=HERE, conversation_id=conversation_id, nothing="")


def of_thread(db: Reader, account_id: int, thread_id: int) -> Draft | None:
    """The open draft that a thread of the desk here is."""
    return db.one(_OF_THREAD, account_id=account_id, connection_id=HERE, thread_id=thread_id)


def of_conversation(db: Reader, account_id: int, conversation_id: int) -> list[Draft]:
    """The open drafts in a conversation of the desk here."""
    return db.all(_OF_CONVERSATION, account_id=account_id, connection_id=HERE, conversation_id=conversation_id)


def tally(db: Reader, account_id: int, agent_id: int) -> Tally:
    """What became of an agent's drafts, in numbers."""
    fate = db.first(_TALLY, account_id=account_id, agent_id=agent_id)
    return Tally(fate.unchanged, fate.edited, fate.dropped, fate.all - fate.unchanged - fate.edited - fate.dropped)


Look = Callable[[Reader, Fact, Draft], Published | None]
"""Tells what a draft became; None where it is still a draft."""


def listener(audit: Audit, look: Look, clock: Clock) -> Listener:
    """Listens to the desk: drafts that are published count as sent, those of deleted conversations as dropped.

    Publishing a whole conversation tells of no thread, so its drafts are looked at one by one.
    """

    def listen(tx: Writer, facts: Sequence[Fact]) -> None:
        now = clock.now()
        for fact in facts:
            if fact.name == events.AGENT_REPLY_CREATED and fact.thread_id is not None:
                draft = of_thread(tx, fact.account_id, fact.thread_id)
                found = [] if draft is None else [draft]
            elif fact.name in (events.CONVERSATION_CREATED, events.CONVERSATION_DELETED):
                found = of_conversation(tx, fact.account_id, fact.subject_id)
            else:
                continue
            for one in found:
                if fact.name == events.CONVERSATION_DELETED:
                    dropped(tx, fact.account_id, one, now)
                elif (published := look(tx, fact, one)) is not None:
                    sent(tx, audit, fact.account_id, one, published, now)

    return listen


def words_changed(before: str, after: str) -> int:
    """How many words differ between two texts, whatever their HTML: added, taken away or put in place of others."""
    old, new = plain(before).split(), plain(after).split()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    if len(old) * len(new) > _COMPARED_MOST:
        return max((Counter(old) - Counter(new)).total(), (Counter(new) - Counter(old)).total())
    changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return sum(max(i2 - i1, j2 - j1) for change, i1, i2, j1, j2 in changes if change != "equal")
