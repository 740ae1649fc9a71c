"""Builders for tests of conversations: started and changed through the API, looked at through it and in the tables."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec
import requests
import sqlalchemy as sa

from deskhand.db.statements import P, command, rows, value
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.tables import conversation, conversation_field, conversation_tag, thread
from deskhand.desk.conversations.writing import count, save
from deskhand.desk.counters import STATUS_CODES, counter
from deskhand.desk.search import index
from deskhand.outbox.tables import event
from tests.world import Desk, unique

Key = tuple[str, int, int]
"""Kind, key and inbox of a counter."""


class Event(msgspec.Struct, frozen=True):
    """A fact as recorded; `particulars` is JSON."""

    name: str
    inbox_id: int | None
    thread_id: int | None
    actor_type: str
    actor_id: int
    at: str
    particulars: str


class Row(msgspec.Struct, frozen=True):
    """What decides where a conversation is counted."""

    id: int
    inbox_id: int
    folder_id: int
    status: str
    state: str
    assignee_id: int | None
    snoozed_until: str | None
    merged_into: int | None
    tags: str


class ThreadRow(msgspec.Struct, frozen=True):
    """A thread as stored."""

    id: int
    type: str
    status: str
    state: str
    body: str | None
    action_type: str
    action_text: str
    associated: str
    created_by_type: str
    created_by_id: int
    customer_id: int | None
    assigned_to: int | None
    recipients: str
    created_at: str
    imported: int
    on_publish: str


class _Counted(msgspec.Struct, frozen=True):
    kind: str
    key: int
    inbox_id: int
    n: int


class _Carried(msgspec.Struct, frozen=True):
    conversation_id: int
    tag_id: int


class FieldRow(msgspec.Struct, frozen=True):
    """A custom field's value as filters look it up."""

    field_id: int
    value: str


_EVENTS = rows(
    Event,
    sa.select(*(event.c[name] for name in Event.__struct_fields__))
    .where(event.c.account_id == P("account_id"), event.c.subject_id == P("id"))
    .order_by(event.c.id),
    keep=False,
)
_ROWS = rows(
    Row,
    sa.select(*(conversation.c[name] for name in Row.__struct_fields__)).where(
        conversation.c.account_id == P("account_id")
    ),
    keep=False,
)
_THREADS = rows(
    ThreadRow,
    sa.select(*(thread.c[name] for name in ThreadRow.__struct_fields__))
    .where(thread.c.account_id == P("account_id"), thread.c.conversation_id == P("id"))
    .order_by(thread.c.id),
    keep=False,
)
_COUNTERS = rows(
    _Counted,
    sa.select(counter.c.kind, counter.c.key, counter.c.inbox_id, counter.c.n).where(
        counter.c.account_id == P("account_id")
    ),
    keep=False,
)
_CARRIED = rows(
    _Carried,
    sa.select(conversation_tag.c.conversation_id, conversation_tag.c.tag_id).where(
        conversation_tag.c.account_id == P("account_id")
    ),
    keep=False,
)
_FIELDS = rows(
    FieldRow,
    sa.select(conversation_field.c.field_id, conversation_field.c.value)
    .where(conversation_field.c.account_id == P("account_id"), conversation_field.c.conversation_id == P("id"))
    .order_by(conversation_field.c.field_id),
    keep=False,
)
_STORED = value(
    int,
    sa.select(sa.func.count()).select_from(conversation).where(conversation.c.account_id == P("account_id")),
    keep=False,
)
_MERGE = command(
    sa.update(conversation)
    .where(conversation.c.account_id == P("account_id"), conversation.c.id == P("id"))
    .values(merged_into=P("into"), merged_at=P("now")),
    keep=False,
)


def wrote(text: str = "It flickers.", **given: Any) -> dict[str, Any]:
    """A customer's thread of a new conversation."""
    return {"type": "customer", "text": text, **given}


def given(inbox_id: int, **body: Any) -> dict[str, Any]:
    """The body of a new conversation. Threads that need a customer and name none are the conversation's own."""
    whole = {
        "subject": "A lamp that flickers",
        "type": "email",
        "mailboxId": inbox_id,
        "status": "active",
        "customer": {"email": f"{unique('paul')}@buyer.example"},
        "threads": [wrote()],
        "assignTo": None,
        **body,
    }
    customer = {name: whole["customer"][name] for name in ("id", "email") if name in whole["customer"]}
    whole["threads"] = [
        thread if thread["type"] == "note" else {"customer": customer, **thread} for thread in whole["threads"]
    ]
    return whole


def start(desk: Desk, inbox_id: int, **body: Any) -> int:
    """A conversation started through the API: active, unassigned, with one thread of its customer."""
    return created(desk.post("/v2/conversations", given(inbox_id, **body)))


def created(answer: requests.Response) -> int:
    """The id of what was created."""
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def done(answer: requests.Response) -> None:
    """The change was made."""
    assert answer.status_code == 204, answer.text


def faults(answer: requests.Response, status: int = 400) -> list[str]:
    """The paths that an answer finds fault with."""
    assert answer.status_code == status, answer.text
    return [error["path"] for error in json.loads(answer.text)["_embedded"]["errors"]]


def add(desk: Desk, id: int, kind: str, **body: Any) -> requests.Response:
    """Add a thread; `kind` is the last part of the path: reply, notes, chats, phones or customer."""
    return desk.post(f"/v2/conversations/{id}/{kind}", {"text": "Noted.", **body})


def reply(desk: Desk, id: int, **body: Any) -> int:
    """A reply to the conversation's own customer."""
    customer = {"id": read(desk, id)["primaryCustomer"]["id"]}
    return created(add(desk, id, "reply", **{"customer": customer, **body}))


def patch(desk: Desk, id: int, path: str, value: Any = None, op: str = "replace") -> requests.Response:
    """One step of change."""
    return desk.patch(f"/v2/conversations/{id}", {"op": op, "path": path, "value": value})


def set_tags(desk: Desk, id: int, *names: str) -> None:
    """Give a conversation exactly these tags."""
    done(desk.put(f"/v2/conversations/{id}/tags", {"tags": list(names)}))


def read(desk: Desk, id: int, **params: Any) -> Any:
    """A conversation as the API gives it."""
    answer = desk.get(f"/v2/conversations/{id}", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def threads(desk: Desk, id: int) -> list[ThreadRow]:
    """A conversation's threads as stored, in the order in which they came."""
    return desk.server.app.database.read_now(lambda db: db.all(_THREADS, account_id=desk.account_id, id=id))


def fields(desk: Desk, id: int) -> list[FieldRow]:
    """A conversation's custom field values as filters look them up."""
    return desk.server.app.database.read_now(lambda db: db.all(_FIELDS, account_id=desk.account_id, id=id))


def stored(desk: Desk) -> int:
    """How many conversations the account has, merged ones among them."""
    return desk.server.app.database.read_now(lambda db: db.first(_STORED, account_id=desk.account_id))


def events(desk: Desk, id: int) -> list[Event]:
    """The facts recorded about something, oldest first."""
    return desk.server.app.database.read_now(lambda db: db.all(_EVENTS, account_id=desk.account_id, id=id))


def told(desk: Desk, id: int) -> list[str]:
    """Their names."""
    return [fact.name for fact in events(desk, id)]


def merge(desk: Desk, id: int, into: int) -> None:
    """Mark a conversation as merged into another, as merging leaves it."""

    def work(tx: Any) -> None:
        head = tx.first(queries._READ_HEAD, id=id, account_id=desk.account_id)
        count(tx, head, -1)
        index.forget(tx, desk.account_id, id)
        tx.run(_MERGE, account_id=desk.account_id, id=id, into=into, now=desk.now)

    desk.write(work)


def rows_of(desk: Desk) -> list[Row]:
    """All conversations of the account as stored."""
    return desk.server.app.database.read_now(lambda db: db.all(_ROWS, account_id=desk.account_id))


def counted(desk: Desk) -> dict[Key, int]:
    """The account's counters, without those that are zero."""
    found = desk.server.app.database.read_now(lambda db: db.all(_COUNTERS, account_id=desk.account_id))
    return {(one.kind, one.key, one.inbox_id): one.n for one in found if one.n}


def recounted(desk: Desk) -> dict[Key, int]:
    """What the counters should be, by looking at every conversation and its tags."""
    carried = desk.server.app.database.read_now(lambda db: db.all(_CARRIED, account_id=desk.account_id))
    numbers: Counter[Key] = Counter()
    for row in rows_of(desk):
        if row.merged_into is not None:
            continue
        folder = row.inbox_id * 10 + _place(row)
        assert row.folder_id == folder, row
        active = row.status == "active"
        numbers["status", STATUS_CODES[row.status], row.inbox_id] += 1
        numbers["folder", folder, row.inbox_id] += 1
        numbers["folder_active", folder, row.inbox_id] += active
        if row.assignee_id is not None and folder % 10 == 5:
            numbers["owner", row.assignee_id, row.inbox_id] += 1
            numbers["owner_active", row.assignee_id, row.inbox_id] += active
        shown = sorted(tag["id"] for tag in json.loads(row.tags))
        assert shown == sorted(one.tag_id for one in carried if one.conversation_id == row.id), row
        for tag_id in shown:
            numbers["tag", tag_id, row.inbox_id] += 1
    return {key: n for key, n in numbers.items() if n}


def _place(row: Row) -> int:
    """The last digit of the folder that a conversation belongs in, in words of its own."""
    if row.state == "draft":
        return 4
    if row.status in ("spam", "closed"):
        return 7 if row.status == "spam" else 6
    if row.snoozed_until:
        return 8
    return 5 if row.assignee_id else 1


def snooze(desk: Desk, id: int, until: str, *, until_reply: bool) -> None:
    """Put a conversation aside, as snoozing leaves it."""

    def work(tx: Any) -> None:
        head = tx.first(queries._READ_HEAD, id=id, account_id=desk.account_id)
        after = msgspec.structs.replace(
            head, snoozed_by=desk.user_id, snoozed_until=until, unsnooze_on_reply=int(until_reply)
        )
        save(tx, head, after)

    desk.write(work)
