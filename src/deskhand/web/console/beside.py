"""The conversation that stands beside a call that waits: what was said last, and what has come since."""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from deskhand.catalogue.problems import AccessDenied, NotFound
from deskhand.db.engine import Reader
from deskhand.desk.call import Actor
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.queries import Shown
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.threads.thread_queries import ShownThread
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.users import queries as users
from deskhand.lib.text import paragraphs
from deskhand.web.words import full_name

THREADS_MOST = 6
_FIRST_LINES = 8
_BODY_MOST = 40_000
_KINDS = {
    "note": "Note", "message": "Reply", "customer": "Customer", "chat": "Chat", "beaconchat": "Chat",
    "phone": "Phone call", "forwardparent": "Forwarded", "forwardchild": "Forwarded",
}  # fmt: skip


class Said(msgspec.Struct, frozen=True):
    """What somebody said: the first lines, and the rest. `since`: after the call was held."""

    id: int
    who: str
    author_id: int
    kind: str
    is_note: bool
    by_customer: bool
    is_agent: bool
    draft: bool
    at: str
    lines: list[str]
    more: list[str]
    since: bool


class Beside(msgspec.Struct, frozen=True):
    """A conversation in short, the newest threads first."""

    row: Shown
    customer: str
    email: str
    tags: list[str]
    threads: list[Said]
    older: int
    takers: frozenset[int]
    """Who has made it theirs since."""


def of(db: Reader, actor: Actor, conversation_id: int | None, held_at: str) -> Beside | None:
    """A conversation of the desk here; None for none, and for one that was deleted."""
    if conversation_id is None:
        return None
    try:
        row = queries.one(db, actor, conversation_id)
    except (NotFound, AccessDenied):
        return None
    found, total = thread_queries.page(db, actor.account_id, conversation_id, 1)
    talk = [one for one in found if one.type in _KINDS and one.state in ("published", "draft")]
    customer = full_name(row.customer_first, row.customer_last, row.customer_email)
    shown = [_said(one, held_at) for one in talk[:THREADS_MOST]]
    tags = [str(one["tag"]) for one in json.loads(row.tags)]
    older = len(talk) - len(shown) + max(0, total - len(found))
    takers = frozenset(one.created_by_id for one in found if one.created_at > held_at and _is_taking(one))
    return Beside(row, customer, row.customer_email, tags, shown, older, takers)


def inbox_names(db: Reader, account_id: int) -> dict[int, str]:
    """What the inboxes of an account are called."""
    return {one.id: one.name for one in inboxes.all_of(db, account_id)}


def names(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, str]:
    """What people, teams and agents are called."""
    found = users.people(db, account_id, ids)
    return {one.id: full_name(one.first, one.last, one.email or "") for one in found.values()}


def _is_taking(one: ShownThread) -> bool:
    by_staff = one.type == "lineitem" and one.created_by_type == "user"
    return by_staff and json.loads(one.associated or "{}").get("user") == one.created_by_id


def _said(one: ShownThread, held_at: str) -> Said:
    by_customer = one.created_by_type == "customer"
    if by_customer:
        who = full_name(one.author_customer_first, one.author_customer_last, one.author_customer_email or "Customer")
    else:
        who = full_name(one.author_first, one.author_last, one.author_email or "Somebody")
    lines = paragraphs((one.body or "")[:_BODY_MOST])
    cut = _FIRST_LINES if len(lines) > _FIRST_LINES + 2 else len(lines)
    return Said(
        one.id, who, one.created_by_id, _KINDS[one.type], one.type == "note", by_customer,
        not by_customer and one.author_type == "system_user", one.state == "draft", one.created_at,
        lines[:cut], lines[cut:], one.created_at > held_at,
    )  # fmt: skip
