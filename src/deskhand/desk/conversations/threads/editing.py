"""Changing a thread afterwards: its text, and whether it is hidden.

Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/update
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, InvalidJson, empty, invalid, shown
from deskhand.catalogue.threads import ThreadStep
from deskhand.db.engine import Writer
from deskhand.db.statements import P, command, value
from deskhand.desk.access import SEES_ALL
from deskhand.desk.call import Actor
from deskhand.desk.conversations import reply_facts
from deskhand.desk.conversations.mail import mail_queries
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import thread
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.threads.thread_queries import ThreadHead
from deskhand.desk.conversations.writing import save, show_anew, take
from deskhand.desk.search import index
from deskhand.lib.text import plain, preview

_HIDEABLE = ("customer", "message")

_THREAD = (thread.c.account_id == P("account_id"), thread.c.id == P("id"))
_OF_CONVERSATION = (
    thread.c.account_id == P("account_id"),
    thread.c.conversation_id == P("conversation_id"),
    thread.c.type != sa.literal_column("'lineitem'"),
)
_SET_TEXT = command(
    sa.update(thread)
    .where(*_THREAD)
    .values(body=P("text"), original_body=sa.func.coalesce(thread.c.original_body, thread.c.body))
)
_SET_STATE = command(sa.update(thread).where(*_THREAD).values(state=P("state")))
_TEXTS = value(str, sa.select(thread.c.body).where(*_OF_CONVERSATION, thread.c.body.is_not(None)).order_by(thread.c.id))
# The latest that is published; a conversation that is a draft shows its drafts too.
_LATEST = value(
    str,
    sa.select(sa.func.coalesce(thread.c.body, sa.literal_column("''")))
    .where(*_OF_CONVERSATION, thread.c.state.in_([P("state"), sa.literal_column("'published'")]))
    .order_by(thread.c.created_at.desc(), thread.c.id.desc())
    .limit(sa.literal_column("1")),
)


def edit(tx: Writer, actor: Actor, id: int, thread_id: int, step: ThreadStep, now: str) -> None:
    """Change a thread by one step of a JSON Patch.

    Raises NotFound, AccessDenied (only administrators, unless the account lets others), PreconditionFailed (locked by
    age), InvalidJson (no step at all) and BadRequest.
    """
    path, operator = checked_step(step)
    head = take(tx, actor, id, now)
    _require_editor(actor)
    found = thread_queries.head(tx, actor.account_id, head.id, thread_id)
    if found.type == "lineitem":
        raise BadRequest(FieldError("threadId", "line items can't be changed", "ValidIdentifier", found.id, "URI"))
    match path, operator:
        case "text", "replace":
            require_not_outgoing(tx, actor, found)
            after = _set_text(tx, head, found, step.value)
        case "hidden", "replace":
            after = _set_hidden(tx, head, found, step.value)
        case (("text" | "hidden"), _):
            raise invalid("op", "Expected one of these: 'replace'", "EnumValue", operator)
        case _:
            raise invalid("path", "Expected one of these: /text, /hidden", "EnumValue", step.path)
    if after is not None:
        save(tx, head, msgspec.structs.replace(after, modified_at=now, user_updated_at=now))
        show_anew(tx)


def require_not_outgoing(tx: Writer, actor: Actor, found: ThreadHead) -> None:
    """Raises AccessDenied for an agent that may not reply, and a thread that goes out as it is then."""
    if "outgoing" not in actor.hide:
        return
    if found.scheduled_for is not None or mail_queries.is_leaving(tx, actor.account_id, found.id):
        raise AccessDenied


def checked_step(step: ThreadStep) -> tuple[str, str]:
    """The path, without its slash, and the operator of a step; raises InvalidJson when it is not a step at all."""
    if not step.op or not step.path:
        raise InvalidJson
    return step.path.removeprefix("/"), step.op


def _require_editor(actor: Actor) -> None:
    if actor.role in SEES_ALL:
        return
    if not actor.policy.thread_editing or actor.role == "light user":
        raise AccessDenied


def _set_text(tx: Writer, head: Head, found: ThreadHead, given: Any) -> Head | None:
    if not isinstance(given, str):
        raise invalid("value", "must be a string", "NotNull", shown(given))
    if not given:
        raise BadRequest(empty("value"))
    if given == found.body:
        return None
    tx.run(_SET_TEXT, account_id=head.account_id, id=found.id, text=given)
    search_anew(tx, head)
    return with_preview(tx, head)


def _set_hidden(tx: Writer, head: Head, found: ThreadHead, given: Any) -> Head | None:
    if not isinstance(given, bool):
        raise invalid("value", "must be true or false", "NotNull", shown(given))
    if found.type not in _HIDEABLE or found.state not in ("published", "hidden"):
        text = "only replies and messages of customers that are no drafts can be hidden"
        raise BadRequest(FieldError("threadId", text, "ValidIdentifier", found.id, "URI"))
    if given == (found.state == "hidden"):
        return None
    tx.run(_SET_STATE, account_id=head.account_id, id=found.id, state="hidden" if given else "published")
    after = msgspec.structs.replace(head, threads=head.threads + (-1 if given else 1))
    return with_preview(tx, reply_facts.kept(tx, after))


def search_anew(tx: Writer, head: Head) -> None:
    """Let the conversation be found by the texts that its threads have now."""
    texts = tx.all(_TEXTS, account_id=head.account_id, conversation_id=head.id)
    index.forget(tx, head.account_id, head.id)
    index.add(tx, head.account_id, head.id, head.subject, tuple(plain(text) for text in texts))


def with_preview(tx: Writer, head: Head) -> Head:
    """The conversation with the preview that its threads give it now."""
    latest = tx.one(_LATEST, account_id=head.account_id, conversation_id=head.id, state=head.state)
    return msgspec.structs.replace(head, preview=preview(latest or ""))
