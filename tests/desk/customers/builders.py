"""Builders for tests of customers: people made through the API, conversations straight in their table."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, rows, value
from deskhand.desk.conversations.tables import conversation
from deskhand.outbox.tables import event
from tests.world import Desk

_numbers = itertools.count(1)


class _Conversation(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    number: int
    inbox_id: int
    folder_id: int = 1
    type: str = "email"
    status: str = "active"
    state: str = "published"
    subject: str = ""
    subject_key: str = ""
    preview: str = ""
    threads: int = 0
    capped_threads: int = 0
    customer_id: int
    customer_email: str = ""
    customer_name: str = "before"
    created_by_type: str = "customer"
    created_by_id: int = 1
    source_type: str = "email"
    source_via: str = "customer"
    created_at: str = "2026-01-01T00:00:00Z"
    modified_at: str = "2026-01-01T00:00:00Z"
    user_updated_at: str = "2026-01-01T00:00:00Z"
    cc: str = "[]"
    bcc: str = "[]"
    tags: str = "[]"
    custom_fields: str = "[]"
    attachments: int = 0
    merged_into: int | None = None


class _Event(msgspec.Struct, frozen=True):
    name: str
    subject_id: int
    actor_id: int


_ADD = Insert(conversation, _Conversation)
_NAMES = value(
    str,
    sa.select(conversation.c.customer_name)
    .where(conversation.c.account_id == P("account_id"), conversation.c.customer_id == P("id"))
    .order_by(conversation.c.id),
    keep=False,
)
_EVENTS = rows(
    _Event,
    sa.select(event.c.name, event.c.subject_id, event.c.actor_id)
    .where(event.c.account_id == P("account_id"))
    .order_by(event.c.id),
    keep=False,
)


def add_customer(desk: Desk, *emails: str, **fields: Any) -> int:
    """A customer made through the API."""
    body = {**fields, "emails": [{"value": email} for email in emails]}
    answer = desk.post("/v2/customers", body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def add_conversations(desk: Desk, customer_id: int, inbox_id: int = 501, count: int = 1, **fields: Any) -> None:
    """Conversations of a customer."""

    def add(tx: Writer) -> None:
        tx.add_many(
            _ADD,
            (
                _Conversation(
                    account_id=desk.account_id,
                    number=next(_numbers),
                    customer_id=customer_id,
                    inbox_id=inbox_id,
                    **fields,
                )
                for _ in range(count)
            ),
        )

    desk.write(add)


def names_on_conversations(desk: Desk, customer_id: int) -> list[str]:
    """The names by which a customer's conversations are sorted."""
    found: list[str] = desk.write(lambda tx: tx.all(_NAMES, account_id=desk.account_id, id=customer_id))
    return found


def events(desk: Desk) -> list[tuple[str, int]]:
    """The facts recorded in an account: their names and subjects, oldest first."""
    found = desk.write(lambda tx: tx.all(_EVENTS, account_id=desk.account_id))
    assert all(fact.actor_id == desk.user_id for fact in found)
    return [(fact.name, fact.subject_id) for fact in found]


def read(desk: Desk, customer_id: int) -> Any:
    """A customer as the API gives them."""
    answer = desk.get(f"/v2/customers/{customer_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def values(customer: Any, kind: str) -> list[str]:
    """The values of a customer's entries of one kind."""
    return [entry["value"] for entry in customer["_embedded"][kind]]


def found(desk: Desk, **params: Any) -> list[int]:
    """The ids of the customers that a list gives."""
    answer = desk.get("/v2/customers", **params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    ids = [customer["id"] for customer in body["_embedded"]["customers"]]
    assert len(ids) == body["page"]["totalElements"] or body["page"]["totalPages"] > 1
    return ids


def faults(answer: Any, status: int = 400) -> list[str]:
    """The paths that an answer finds fault with."""
    assert answer.status_code == status, answer.text
    return [error["path"] for error in json.loads(answer.text)["_embedded"]["errors"]]
