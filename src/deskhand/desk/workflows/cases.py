"""Reading what conditions can see of conversations: at most three statements, however many there are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, columns, rows
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.customers.tables import customer, customer_entry
from deskhand.desk.organizations.tables import organization
from deskhand.desk.workflows.conditions import (
    Body,
    Condition,
    CopiedTo,
    CustomerDomain,
    CustomerEmail,
    HasRating,
    LastCustomerReply,
    LastUserReply,
    RatingComment,
    SentTo,
)
from deskhand.desk.workflows.evaluating import Case
from deskhand.lib.text import plain

SOURCE = "workflows"
"""The type of source of replies that workflows sent by themselves, which are nobody's answer."""
BODY_MOST, BODIES_MOST = 20_000, 100_000
"""Characters of one message, and of all messages of a conversation (the newest first), that conditions look at."""

_OF_PEOPLE = CustomerEmail | CustomerDomain
_OF_THREADS = Body | SentTo | CopiedTo | HasRating | RatingComment | LastUserReply | LastCustomerReply


class Wanted(msgspec.Struct, frozen=True):
    """What some conditions need to see beside the conversation itself."""

    people: bool = True
    threads: bool = True
    bodies: bool = True


class _Head(msgspec.Struct, frozen=True):
    id: int
    number: int
    inbox_id: int
    state: str
    subject: str
    type: str
    status: str
    assignee_id: int | None
    attachments: int
    tags: str
    custom_fields: str
    created_at: str
    waiting_since: str | None
    customer_id: int
    customer_email: str
    cc: str
    first_name: str | None
    last_name: str | None
    organization: str | None
    organization_name: str | None


class _Email(msgspec.Struct, frozen=True):
    customer_id: int
    value: str


class _Thread(msgspec.Struct, frozen=True):
    conversation_id: int
    type: str
    created_by_type: str
    source_type: str
    created_at: str
    recipients: str
    cc: str
    rating: str | None
    rating_comments: str | None
    body: str | None


class _Id(msgspec.Struct, frozen=True):
    id: int


class _Field(msgspec.Struct, frozen=True):
    id: int
    value: str
    text: str


S = TypeVar("S", bound=msgspec.Struct)
_ACCOUNT, _IDS = P("account_id"), P("ids", sa.Text)
_OWN = _Head.__struct_fields__[: _Head.__struct_fields__.index("first_name")]
_HEADS = rows(
    _Head,
    sa.select(
        *columns(conversation, *_OWN),
        *columns(customer, "first_name", "last_name", "organization"),
        organization.c.name.label("organization_name"),
    )
    .select_from(
        conversation.outerjoin(customer, customer.c.id == conversation.c.customer_id).outerjoin(
            organization, organization.c.id == customer.c.organization_id
        )
    )
    .where(
        unindexed(conversation.c.account_id) == _ACCOUNT,
        ids_in(conversation.c.id, _IDS),
        conversation.c.merged_into.is_(None),
    ),
)
_EMAILS = rows(
    _Email,
    sa.select(*columns(customer_entry, "customer_id", "value"))
    .where(
        unindexed(customer_entry.c.account_id) == _ACCOUNT,
        ids_in(customer_entry.c.customer_id, _IDS),
        customer_entry.c.kind == sa.literal_column("'email'"),
    )
    .order_by(customer_entry.c.id),
)
_FROM_THREADS = _Thread.__struct_fields__[:-1]


def _threads(body: sa.ColumnElement[str | None]) -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(*columns(thread, *_FROM_THREADS), body.label("body"))
        .where(
            unindexed(thread.c.account_id) == _ACCOUNT,
            ids_in(thread.c.conversation_id, _IDS),
            thread.c.state.in_([sa.literal_column("'published'"), sa.literal_column("'hidden'")]),
            thread.c.type.in_([sa.literal_column(f"'{type}'") for type in ("customer", "message", "chat", "phone")]),
        )
        .order_by(thread.c.created_at.desc(), thread.c.id.desc())
    )


_MOST: sa.ColumnElement[int] = sa.literal_column(str(BODY_MOST))
_THREADS = rows(_Thread, _threads(sa.literal_column("''")))
_WITH_BODIES = rows(_Thread, _threads(sa.func.substr(thread.c.body, sa.literal_column("1"), _MOST)))


def wanted(conditions: Iterable[Condition]) -> Wanted:
    """What conditions need to see."""
    listed = list(conditions)
    return Wanted(
        people=any(isinstance(one, _OF_PEOPLE) for one in listed),
        threads=any(isinstance(one, _OF_THREADS) for one in listed),
        bodies=any(isinstance(one, Body) for one in listed),
    )


def read(db: Reader, account_id: int, ids: Collection[int], wanted: Wanted) -> dict[int, Case]:
    """Conversations by id, as conditions see them; those that are gone or merged are left out."""
    heads = db.all(_HEADS, account_id=account_id, ids=_json(ids))
    emails: dict[int, list[str]] = defaultdict(list)
    if wanted.people:
        for entry in db.all(_EMAILS, account_id=account_id, ids=_json({head.customer_id for head in heads})):
            emails[entry.customer_id].append(entry.value)
    said: dict[int, list[_Thread]] = defaultdict(list)
    if wanted.threads:
        statement = _WITH_BODIES if wanted.bodies else _THREADS
        for one in db.all(statement, account_id=account_id, ids=_json({head.id for head in heads})):
            said[one.conversation_id].append(one)
    return {head.id: _case(head, emails[head.customer_id], said[head.id]) for head in heads}


def _json(ids: Collection[int]) -> str:
    return json.dumps(sorted(ids))


def _case(head: _Head, emails: Sequence[str], threads: Sequence[_Thread]) -> Case:
    """`threads` are the newest first."""
    by_staff = [
        one.created_at
        for one in threads
        if one.type == "message" and one.created_by_type == "user" and one.source_type != SOURCE
    ]
    by_customer = [one.created_at for one in threads if one.created_by_type == "customer"]
    return Case(
        id=head.id,
        number=head.number,
        inbox_id=head.inbox_id,
        state=head.state,
        subject=head.subject,
        type=head.type,
        status=head.status,
        assignee_id=head.assignee_id,
        attachments=bool(head.attachments),
        tags=frozenset(one.id for one in _decoded(head.tags, list[_Id])),
        fields={one.id: (one.value, one.text) for one in _decoded(head.custom_fields, list[_Field])},
        created_at=head.created_at,
        waiting_since=head.waiting_since,
        name=f"{head.first_name or ''} {head.last_name or ''}".strip(),
        emails=_distinct([head.customer_email, *emails]),
        organizations=_distinct([head.organization or "", head.organization_name or ""]),
        to=_addresses([one.recipients for one in threads]),
        cc=_addresses([head.cc, *(one.cc for one in threads)]),
        bodies=_bodies(threads),
        ratings=_distinct([one.rating or "" for one in threads]),
        rating_comments=_distinct([one.rating_comments or "" for one in threads]),
        last_user_reply=max(by_staff, default=None),
        last_customer_reply=max(by_customer, default=None),
    )


def _decoded(text: str, kind: type[list[S]]) -> list[S]:
    return [] if text == "[]" else msgspec.json.decode(text, type=kind)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def _addresses(lists: Iterable[str]) -> tuple[str, ...]:
    return _distinct(address for text in lists if text != "[]" for address in msgspec.json.decode(text, type=list[str]))


def _bodies(threads: Sequence[_Thread]) -> tuple[str, ...]:
    found, left = [], BODIES_MOST
    for one in threads:
        if one.body and left > 0:
            text = plain(one.body)[:left]
            left -= len(text)
            found.append(text)
    return tuple(found)
