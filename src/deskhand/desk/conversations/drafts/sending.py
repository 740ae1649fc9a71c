"""Sending a draft by hand: as it stands, held for some seconds in which it can be taken back."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError
from deskhand.db.engine import Writer
from deskhand.db.statements import P, command
from deskhand.desk.call import Actor
from deskhand.desk.conversations import reply_facts
from deskhand.desk.conversations.mail import announcing, mailing
from deskhand.desk.conversations.mail.undoing import remembered
from deskhand.desk.conversations.replying import asked_for, published, tell_changes
from deskhand.desk.conversations.tables import thread
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.threads.editing import search_anew
from deskhand.desk.conversations.timing import schedules
from deskhand.desk.conversations.writing import save, take, tell

_PUBLISH = command(
    sa.update(thread)
    .where(thread.c.account_id == P("for_account"), thread.c.id == P("id"))
    .values(
        state=sa.literal_column("'published'"),
        status=P("status"),
        created_at=P("now"),
        created_by_type=sa.literal_column("'user'"),
        created_by_id=P("author"),
        assigned_to=P("owner"),
        on_publish=P("on_publish"),
        **schedules.NONE,
    )
)


def send_draft(tx: Writer, actor: Actor, id: int, thread_id: int, now: str, *, hold_s: int = 0) -> bool:
    """Send a draft now, in the caller's name, with the status and the owner that it asks for.

    Its mail leaves after `hold_s` seconds, until which it can be taken back; gives whether it can. A conversation that
    is a draft itself begins with this, and is one again when it is taken back. Raises as scheduling.schedule does.
    """
    if actor.role == "light user":
        raise AccessDenied
    head = take(tx, actor, id, now)
    found = thread_queries.head(tx, actor.account_id, head.id, thread_id)
    if found.state != "draft" or found.type != "message":
        raise BadRequest(FieldError("threadId", "the thread is not a draft", "ValidIdentifier", found.id, "URI"))
    status, owner = asked_for(tx, head, found.on_publish)
    held = hold_s > 0
    tx.run(
        _PUBLISH,
        for_account=head.account_id,
        id=found.id,
        status=status if status != head.status else "nochange",
        now=now,
        author=actor.user_id,
        owner=owner,
        on_publish=remembered(head, status, owner) if held else "{}",
    )
    search_anew(tx, head)
    after = published(head, found, now, status=status, assignee_id=owner, by=actor.user_id)
    after = msgspec.structs.replace(after, state="published", waiting_since=None, latest_reply_from="user")
    after = save(tx, head, reply_facts.kept(tx, schedules.with_earliest(tx, after)))
    if held:
        announcing.later(tx, head, after, found.id, actor.user_id, now, hold_s)
    else:
        name = events.CONVERSATION_CREATED if head.state == "draft" else events.AGENT_REPLY_CREATED
        said = {} if head.state == "draft" else {"thread_id": found.id}
        tell(tx, actor, after, name, now, **said, imported=bool(found.imported))
        tell_changes(tx, actor, head, after, now)
    mailing.queue(tx, after, [found.id], now, hold_s=hold_s)
    return held
