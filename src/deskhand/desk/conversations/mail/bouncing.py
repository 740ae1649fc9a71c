"""Reports that a mail of ours did not arrive: the team is told in its conversation, of the same once.

Whoever got a mail of ours can write such reports, as many as they like; so there is an end to what is noted of them.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Writer
from deskhand.db.statements import P, command, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.mail import matching_queries
from deskhand.desk.conversations.mail.keeping import storable
from deskhand.desk.conversations.mail.matching import Clues, Mail, known_form
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.replying import awake, tell_changes, with_status
from deskhand.desk.conversations.tables import thread, thread_mail
from deskhand.desk.conversations.writing import ThreadRow, add_thread, save
from deskhand.mail.incoming import Bounce

_LONGEST_REASON = 500
_MOST_REASONS = 4_000  # characters of all that is noted at one mail
_MARK = command(
    sa.update(thread_mail)
    .where(
        thread_mail.c.account_id == P("for_account"),
        thread_mail.c.thread_id == P("thread_id"),
        thread_mail.c.direction == sa.literal_column("'out'"),
    )
    .values(
        state=sa.literal_column("'bounced'"),
        error=sa.case(
            (thread_mail.c.error == sa.literal_column("''"), P("words", sa.Text)),
            else_=thread_mail.c.error + sa.literal_column("'; '") + P("words", sa.Text),
        ),
        at=P("now"),
    )
)
_NOTED = value(
    str,
    sa.select(thread_mail.c.error).where(
        thread_mail.c.account_id == P("account_id"),
        thread_mail.c.thread_id == P("thread_id"),
        thread_mail.c.direction == sa.literal_column("'out'"),
    ),
)
_SAID = value(
    int,
    sa.select(thread.c.id)
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.conversation_id == P("conversation_id"),
        thread.c.type == sa.literal_column("'lineitem'"),
        thread.c.action_text == P("text"),
    )
    .limit(sa.literal_column("1")),
)


class Noted(msgspec.Struct, frozen=True):
    """Where it is told of a mail that did not arrive, and whether it had been told there already."""

    conversation_id: int
    thread_id: int
    already: bool = False


def reply_of(tx: Writer, account_id: int, bounce: Bounce, clues: Clues) -> Mail | None:
    """The mail of ours that a report is about: by its Message-ID, else by the token that the report came to."""
    named = [known_form(bounce.message_id)] if bounce.message_id else []
    known = matching_queries.by_message_id(tx, account_id, [*named, *clues.message_ids])
    out = {one.message_id: one for one in known if one.direction == "out"}
    for message_id in (*named, *clues.message_ids):
        if message_id in out:
            return out[message_id]
    return next(iter(matching_queries.went_out(tx, account_id, clues.tokens)), None)


def note(tx: Writer, actor: Actor, mail: Mail, bounce: Bounce, now: str) -> Noted | None:
    """Tell the team that a mail did not arrive, or not yet.

    What never arrives is noted at its reply, and the conversation is active again; spam stays spam. None where the
    conversation is gone.
    """
    id = matching_queries.survivor(tx, actor.account_id, mail.conversation_id)
    if id is None:
        return None
    try:
        head = queries.head(tx, actor, id, lock=True)
    except NotFound:
        return None
    words = _words(bounce)
    late = "" if bounce.final else " yet; its server tries again"
    text = f"A reply was not delivered{late}: {words}"
    if _is_told(tx, head, mail, bounce, words, text):
        return Noted(head.id, mail.thread_id, already=True)
    after = msgspec.structs.replace(head, modified_at=now)
    if bounce.final:
        tx.run(_MARK, for_account=actor.account_id, thread_id=mail.thread_id, words=words, now=now)
        status = head.status if head.status == "spam" else "active"
        after = awake(with_status(after, status, actor.user_id, now))
    after = save(tx, head, after)
    item = say(tx, after, text, now)
    tell_changes(tx, actor, head, after, now)
    return Noted(head.id, item)


def _is_told(tx: Writer, head: Head, mail: Mail, bounce: Bounce, words: str, text: str) -> bool:
    """What is final is noted at each reply, and not without end; what is only late once in the conversation."""
    if not bounce.final:
        return tx.one(_SAID, account_id=head.account_id, conversation_id=head.id, text=text) is not None
    noted = tx.one(_NOTED, account_id=head.account_id, thread_id=mail.thread_id) or ""
    return words in noted or len(noted) > _MOST_REASONS


def say(tx: Writer, head: Head, text: str, now: str, linked: int | None = None) -> int:
    """Add a line item about the customer's mail, in the customer's name; gives its id."""
    row = ThreadRow(
        account_id=head.account_id,
        conversation_id=head.id,
        type="lineitem",
        action_text=text,
        source_type="email",
        source_via="customer",
        created_by_type="customer",
        created_by_id=head.customer_id,
        created_at=now,
        linked_conversation_id=linked,
    )
    return add_thread(tx, row)


def _words(bounce: Bounce) -> str:
    what = " ".join(storable(f"{bounce.status} {bounce.reason}").split())[:_LONGEST_REASON]
    return f"{storable(bounce.recipient)[:320] or 'a recipient'}: {what or 'no reason was given'}"
