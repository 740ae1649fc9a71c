"""What reports want to know of replies: since when the customer had waited for each, and which was the first.

A reply is a published message of a user; what a workflow sends by itself is none. A customer waits from the first of
their messages that no reply has followed. An automatic mail (out of office) begins no wait in a conversation that is
under way; where it began the conversation, it may have come from a list or a form, and somebody waits.
Each thread keeps its own facts and the conversation their sum; both follow from the threads alone, see `of`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import P, columns, command, rows
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import thread, thread_mail

AUTOMATIC = "workflows"
"""The source of what workflows send by themselves."""
BY_PROGRAM = 1
"""What a mail is marked with that no person wrote; by a list, for example, a person may have written it."""
_SAID = ("customer", "message")


class ThreadFacts(msgspec.Struct, frozen=True):
    """What facts follow from, and the facts of a thread as they are stored."""

    id: int
    type: str
    state: str
    created_by_type: str
    created_at: str
    source_type: str = "api"
    waited_since: str | None = None
    first_reply: int = 0
    automatic: int = 0


class ReplyFacts(msgspec.Struct, frozen=True):
    """The facts of a conversation's threads, those without any left out, and of the conversation itself."""

    threads: dict[int, tuple[str | None, int]]
    replies: int
    first_reply_at: str | None


def of(threads: Iterable[ThreadFacts]) -> ReplyFacts:
    """The facts of one conversation, by its threads; in which order these come does not matter."""
    facts: dict[int, tuple[str | None, int]] = {}
    waits_since = first_reply_at = None
    under_way = False
    for one in sorted(threads, key=lambda one: (one.created_at, one.id)):
        if one.state != "published" or one.type not in _SAID:
            continue
        if one.type == "customer":
            if not (one.automatic == BY_PROGRAM and under_way):
                waits_since = waits_since or one.created_at
        elif one.created_by_type == "user" and one.source_type != AUTOMATIC:
            facts[one.id] = waits_since, int(first_reply_at is None)
            waits_since, first_reply_at = None, first_reply_at or one.created_at
        under_way = True
    return ReplyFacts(facts, len(facts), first_reply_at)


def wrong(threads: Iterable[ThreadFacts], facts: ReplyFacts) -> list[ThreadFacts]:
    """The threads that say something else of themselves."""
    return [one for one in threads if facts.threads.get(one.id, (None, 0)) != (one.waited_since, one.first_reply)]


def facts_columns() -> list[sa.ColumnElement[Any]]:
    """What `ThreadFacts` has of a thread, to which its mail must be joined by `ITS_MAIL`, as it may have none."""
    automatic = sa.func.coalesce(thread_mail.c.automatic, sa.literal_column("0")).label("automatic")
    return [*columns(thread, *ThreadFacts.__struct_fields__[:-1]), automatic]


ITS_MAIL = sa.and_(thread_mail.c.account_id == thread.c.account_id, thread_mail.c.thread_id == thread.c.id)
_THREADS = rows(
    ThreadFacts,
    sa.select(*facts_columns())
    .select_from(thread.outerjoin(thread_mail, ITS_MAIL))
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.conversation_id == P("conversation_id"),
        thread.c.type.in_([sa.literal_column("'customer'"), sa.literal_column("'message'")]),
    ),
)
_SET = command(
    sa.update(thread)
    .where(thread.c.account_id == P("account_id"), thread.c.id == P("id"))
    .values(waited_since=P("waited_since"), first_reply=P("first_reply"))
)


def kept(tx: Writer, head: Head) -> Head:
    """Work the facts out anew after threads came, were published or hidden; gives the conversation, to be saved.

    Whatever changes replies calls this; what customers write may come by `with_message`.
    """
    threads = tx.all(_THREADS, account_id=head.account_id, conversation_id=head.id)
    facts = of(threads)
    for one in wrong(threads, facts):
        set_facts(tx, head.account_id, one.id, facts)
    return msgspec.structs.replace(head, replies=facts.replies, first_reply_at=facts.first_reply_at)


def with_message(tx: Writer, head: Head, created_at: str, now: str) -> Head:
    """As `kept`, after a customer's message was added: that changes something only where it is older than a reply."""
    return kept(tx, head) if head.replies and created_at < now else head


def set_facts(tx: Writer, account_id: int, thread_id: int, facts: ReplyFacts) -> None:
    """Let a thread say what is so."""
    since, first = facts.threads.get(thread_id, (None, 0))
    tx.run(_SET, account_id=account_id, id=thread_id, waited_since=since, first_reply=first)
