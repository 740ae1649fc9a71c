"""Taking back a reply that was written in the web, as long as it is held: it is a draft again.

Until then its mail does not leave and nobody is told of it, see announcing.py.

The reply keeps what its conversation was like before. What has changed since by somebody else's hand stays.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, FieldError, NotFound, PreconditionFailed
from deskhand.db.engine import Writer
from deskhand.db.statements import P, command, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations import reply_facts
from deskhand.desk.conversations.mail import announcing, mail_queries, mailing
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import thread
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.threads.editing import with_preview
from deskhand.desk.conversations.threads.thread_queries import ThreadHead
from deskhand.desk.conversations.writing import save, take
from deskhand.outbox import jobs


class Before(msgspec.Struct, frozen=True):
    """What a reply changes in its conversation, as it was."""

    status: str
    owner: int | None
    closed_at: str | None
    closed_by: int | None
    waiting_since: str | None
    latest_reply_from: str | None
    cc: str
    bcc: str
    state: str = "published"


class Asked(msgspec.Struct, frozen=True):
    """The status and the owner that a reply sets; so drafts keep them too."""

    status: str
    owner: int | None


class _Kept(msgspec.Struct, frozen=True):
    asked: Asked
    before: Before


_LATER = value(
    int,
    sa.select(thread.c.id)
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.conversation_id == P("conversation_id"),
        thread.c.type.in_([sa.literal_column("'message'"), sa.literal_column("'customer'")]),
        thread.c.state == sa.literal_column("'published'"),
        thread.c.id > P("id"),
    )
    .limit(sa.literal_column("1")),
)
_TAKE_BACK = command(
    sa.update(thread)
    .where(thread.c.account_id == P("for_account"), thread.c.id == P("id"))
    .values(
        state=sa.literal_column("'draft'"),
        status=P("status"),
        on_publish=P("on_publish"),
        waited_since=sa.null(),
        first_reply=sa.literal_column("0"),
    )
)


def remembered(head: Head, status: str, owner: int | None) -> str:
    """What a held reply keeps of its conversation, in the place where a draft keeps what it will set."""
    before = Before(
        status=head.status,
        owner=head.assignee_id,
        closed_at=head.closed_at,
        closed_by=head.closed_by,
        waiting_since=head.waiting_since,
        latest_reply_from=head.latest_reply_from,
        cc=head.cc,
        bcc=head.bcc,
        state=head.state,
    )
    return msgspec.json.encode(_Kept(Asked(status, owner), before)).decode()


def undo(tx: Writer, actor: Actor, conversation_id: int, thread_id: int, now: str) -> None:
    """Make a reply a draft again that is still held.

    Raises NotFound, AccessDenied, and PreconditionFailed where its time is over or the conversation is locked by age.
    """
    if actor.role == "light user":
        raise AccessDenied
    head = take(tx, actor, conversation_id, now)
    found = thread_queries.head(tx, actor.account_id, head.id, thread_id)
    if found.type != "message" or found.created_by_type == "customer":
        raise NotFound
    begins = mailing.payload_begins(thread_id)
    withdrawn = (
        found.state == "published"
        and announcing.withdraw(tx, actor.account_id, thread_id)
        and jobs.withdraw(tx, actor.account_id, mailing.SEND_EMAIL, begins)
    )
    if not withdrawn:
        text = "its mail has left, or it is no reply that waits to leave"
        raise PreconditionFailed(FieldError("threadId", text, "precondition-failed", source="URI"))
    save(tx, head, as_draft(tx, head, found, now))


def as_draft(tx: Writer, head: Head, found: ThreadHead, now: str) -> Head:
    """Make a reply a draft again that nobody was told of; gives the conversation as it is then, to be saved."""
    account_id, thread_id = head.account_id, found.id
    mail_queries.forget(tx, account_id, thread_id)
    kept = None if found.on_publish == "{}" else msgspec.json.decode(found.on_publish, type=_Kept)
    asked = kept.asked if kept else Asked(head.status, head.assignee_id)
    later = tx.one(_LATER, account_id=account_id, conversation_id=head.id, id=thread_id)
    after = head if kept is None or later else _as_before(head, kept, found.cc, found.bcc)
    on_publish = msgspec.json.encode(asked).decode()
    tx.run(_TAKE_BACK, for_account=account_id, id=thread_id, status=after.status, on_publish=on_publish)
    after = msgspec.structs.replace(after, threads=head.threads - 1, modified_at=now, user_updated_at=now)
    return reply_facts.kept(tx, with_preview(tx, after))


def _as_before(head: Head, kept: _Kept, cc: str, bcc: str) -> Head:
    """The conversation as if the reply had not been; status and owner stay where somebody has changed them since."""
    before, asked = kept.before, kept.asked
    if head.status == asked.status:
        head = msgspec.structs.replace(
            head, status=before.status, closed_at=before.closed_at, closed_by=before.closed_by
        )
    return msgspec.structs.replace(
        head,
        state=before.state,
        assignee_id=before.owner if head.assignee_id == asked.owner else head.assignee_id,
        waiting_since=before.waiting_since,
        latest_reply_from=before.latest_reply_from,
        cc=before.cc if head.cc == cc else head.cc,
        bcc=before.bcc if head.bcc == bcc else head.bcc,
    )
