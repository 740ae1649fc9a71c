"""Working out anew what reports know of replies, and comparing that with what every change kept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, columns, command, rows
from deskhand.desk.checking.finding import Finding, counted
from deskhand.desk.conversations import reply_facts
from deskhand.desk.conversations.reply_facts import ReplyFacts, ThreadFacts
from deskhand.desk.conversations.tables import conversation, thread, thread_mail

BATCH = 2_000


class Difference(msgspec.Struct, frozen=True):
    """A conversation that says something else of its replies than its threads do, and what these say."""

    account_id: int
    conversation_id: int
    facts: ReplyFacts
    threads: tuple[int, ...]


class _Line(msgspec.Struct, frozen=True):
    conversation_id: int
    account_id: int
    replies: int
    first_reply_at: str | None
    id: int | None
    type: str
    state: str
    created_by_type: str
    created_at: str
    source_type: str
    waited_since: str | None
    first_reply: int
    automatic: int


_some = (
    sa.select(*columns(conversation, "id", "account_id", "replies", "first_reply_at"))
    .where(conversation.c.id > P("after"))
    .order_by(conversation.c.id)
    .limit(P("size", sa.Integer))
    .subquery("some")
)
# One statement a batch, so that both sides are of the same moment.
_LINES = rows(
    _Line,
    sa.select(
        _some.c.id.label("conversation_id"),
        *columns(_some, "account_id", "replies", "first_reply_at"),
        *reply_facts.facts_columns(),
    )
    .select_from(
        _some.outerjoin(
            thread,
            sa.and_(
                thread.c.conversation_id == _some.c.id,
                thread.c.type.in_([sa.literal_column("'customer'"), sa.literal_column("'message'")]),
            ),
        ).outerjoin(thread_mail, reply_facts.ITS_MAIL)
    )
    .order_by(_some.c.id, thread.c.id),
)
_SET = command(
    sa.update(conversation)
    .where(conversation.c.account_id == P("account_id"), conversation.c.id == P("id"))
    .values(replies=P("replies"), first_reply_at=P("first_reply_at"))
)


def check(db: Reader) -> Finding:
    """Whether conversations and replies say of each other what is so."""
    words = tuple(
        f"conversation {each.conversation_id} of account {each.account_id}: there are "
        f"{counted(each.facts.replies, 'reply', 'replies')}, the first from {each.facts.first_reply_at or 'nobody'}; "
        f"wrong threads: {', '.join(map(str, each.threads)) or 'none'}"
        for each in _differences(db)
    )
    text = f"{counted(len(words), 'conversation')} with other replies than reports count" if words else "right"
    return Finding("replies", not words, text, words)


def repair(tx: Writer) -> int:
    """Set right what `check` finds; gives how many conversations that were."""
    repaired = 0
    for each in list(_differences(tx)):
        facts = each.facts
        tx.run(
            _SET,
            account_id=each.account_id,
            id=each.conversation_id,
            replies=facts.replies,
            first_reply_at=facts.first_reply_at,
        )
        for id in each.threads:
            reply_facts.set_facts(tx, each.account_id, id, facts)
        repaired += 1
    return repaired


def _differences(db: Reader) -> Iterator[Difference]:
    after = 0
    while lines := db.all(_LINES, after=after, size=BATCH):
        for id, of_one in groupby(lines, lambda line: line.conversation_id):
            found = _compared(id, list(of_one))
            if found is not None:
                yield found
        after = lines[-1].conversation_id


def _compared(id: int, lines: list[_Line]) -> Difference | None:
    first = lines[0]
    threads = [
        ThreadFacts(
            id=line.id,
            type=line.type,
            state=line.state,
            created_by_type=line.created_by_type,
            created_at=line.created_at,
            source_type=line.source_type,
            waited_since=line.waited_since,
            first_reply=line.first_reply,
            automatic=line.automatic,
        )
        for line in lines
        if line.id is not None
    ]
    facts = reply_facts.of(threads)
    wrong = tuple(one.id for one in reply_facts.wrong(threads, facts))
    if not wrong and (first.replies, first.first_reply_at) == (facts.replies, facts.first_reply_at):
        return None
    return Difference(first.account_id, id, facts, wrong)
