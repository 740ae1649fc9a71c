"""An invented account over several months, read back as plain rows so that tests can count by hand."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from deskhand.db.statements import P, command, rows
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.inboxes.folders import folder_id, home
from deskhand.desk.loading import Batch
from deskhand.desk.ratings.tables import rating
from deskhand.desk.users.tables import account
from deskhand.desk.workflows.tables import workflow_run
from deskhand.lib.clock import to_wire
from deskhand.schema import METADATA
from tests.live import LiveServer
from tests.world import Desk, open_desk

T = TypeVar("T", bound=msgspec.Struct)

BEGINNING = datetime(2026, 8, 1, tzinfo=UTC)
DAYS = 120
"""From August to November: clocks go back in Europe on 25 October, in New York on 1 November."""
CONVERSATIONS, CUSTOMERS, TAGS, REPLIES, WORKFLOWS = 150, 40, 14, 12, 12
OFFICE_HOURS = ([540, 1020], [540, 1020], None, [480, 1215], [0, 1440], [600, 615], None)


class ConversationRow(msgspec.Struct, frozen=True):
    """What decides whether and where a conversation counts."""

    id: int
    number: int
    inbox_id: int
    folder_id: int
    type: str
    status: str
    state: str
    customer_id: int
    assignee_id: int | None
    created_at: str
    merged_into: int | None
    tags: str
    subject: str
    preview: str
    customer_email: str
    modified_at: str
    created_by_type: str
    created_by_id: int
    closed_at: str | None
    closed_by: int | None


class ThreadRow(msgspec.Struct, frozen=True):
    """What happened in a conversation."""

    id: int
    conversation_id: int
    type: str
    state: str
    created_at: str
    created_by_type: str
    created_by_id: int
    source_type: str
    saved_reply_id: int


class RunRow(msgspec.Struct, frozen=True):
    """A workflow that ran."""

    workflow_id: int
    conversation_id: int
    at: str


class RatingRow(msgspec.Struct, frozen=True):
    """A rating."""

    id: int
    thread_id: int
    conversation_id: int
    customer_id: int
    user_id: int
    rating: str
    comments: str
    created_at: str
    modified_at: str


@dataclass(frozen=True)
class History:
    """An account and all its rows; `somebody` is a user who sees two of its three inboxes."""

    desk: Desk
    somebody: Desk
    seen: tuple[int, ...]
    inboxes: tuple[int, ...]
    tags: range
    zone: str
    conversations: list[ConversationRow]
    threads: list[ThreadRow]
    runs: list[RunRow]
    ratings: list[RatingRow]
    team: int
    members: tuple[int, ...]


def invent(server: LiveServer, zone: str, seed: int) -> History:
    """An account in a time zone; the same seed invents the same."""
    desk = open_desk(server, timezone=zone)
    inboxes = tuple(desk.add_inbox(name) for name in ("Support", "Sales", "Returns"))
    user = desk.add_user(inboxes=inboxes[:2])
    members = (user, desk.add_user("Lea", "Brandt", inboxes=inboxes))
    team = desk.add_team(members=members)
    first = 7_000_000_000 + desk.account_id * 100_000
    batch, pick = Batch(), random.Random(seed)
    _add_named(batch, desk.account_id, inboxes[0], first)
    for position in range(CONVERSATIONS):
        _add_conversation(batch, pick, desk.account_id, (desk.user_id, *members), inboxes, first, position)
    desk.write(batch.load)
    return History(
        desk=desk,
        somebody=desk.as_user(user),
        seen=inboxes[:2],
        inboxes=inboxes,
        tags=range(first, first + TAGS),
        zone=zone,
        conversations=read(desk, ConversationRow, conversation),
        threads=read(desk, ThreadRow, thread),
        runs=read(desk, RunRow, workflow_run),
        ratings=read(desk, RatingRow, rating),
        team=team,
        members=members,
    )


def set_office_hours(desk: Desk, hours: Any) -> None:
    """Give an account office hours, from Monday to Sunday in minutes of the day."""
    statement = command(
        sa.update(account).where(account.c.id == P("id")).values(office_hours=P("hours")), keep=False
    )  # fmt: skip
    kept = msgspec.json.encode(hours).decode()
    desk.write(lambda tx: tx.run(statement, id=desk.account_id, hours=kept))


def read(desk: Desk, shape: type[T], table: sa.Table) -> list[T]:
    """All of an account's rows of a table."""
    query = sa.select(*(table.c[name] for name in shape.__struct_fields__)).where(
        table.c.account_id == P("account_id")
    )  # fmt: skip
    statement = rows(shape, query, keep=False)
    return desk.write(lambda tx: tx.all(statement, account_id=desk.account_id))


def add_row(batch: Batch, table: str, **given: Any) -> None:
    """A row of which only what matters is said."""
    row = {
        column.name: None if column.nullable else 0 if isinstance(column.type, sa.Integer) else ""
        for column in METADATA.tables[table].c
    }
    batch.add(table, **row | given)


def _add_named(batch: Batch, account_id: int, inbox_id: int, first: int) -> None:
    common = {"account_id": account_id, "created_at": to_wire(BEGINNING), "updated_at": to_wire(BEGINNING)}
    for id in range(first, first + CUSTOMERS):
        named = id % 3 > 0
        add_row(
            batch, "customer", **common, id=id, first_name=f"Customer{id}" if named else None,
            last_name="Meyer" if id % 3 == 1 else None, email=f"customer{id}@buyer.example",
        )  # fmt: skip
    for id in range(first, first + TAGS):
        add_row(batch, "tag", **common, id=id, name=f"Tag{id}", folded=f"tag{id}", slug=f"tag{id}")
    for id in range(first, first + REPLIES):
        add_row(batch, "saved_reply", **common, id=id, inbox_id=inbox_id, name=f"Answer {id}")
    for id in range(first, first + WORKFLOWS):
        add_row(
            batch, "workflow", account_id=account_id, id=id, inbox_id=inbox_id, type="manual", status="active",
            name=f"Workflow {id}", actions="[]", conditions="[]", created_at="", modified_at="",
        )  # fmt: skip


def _add_conversation(
    batch: Batch,
    pick: random.Random,
    account_id: int,
    users: tuple[int, ...],
    inboxes: tuple[int, ...],
    first: int,
    position: int,
) -> None:
    """A conversation with threads over some weeks, some of which nobody may count."""
    id, inbox = first + position, pick.choice(inboxes)
    began = BEGINNING + timedelta(minutes=pick.randrange(DAYS * 24 * 60) // 5 * 5, seconds=pick.choice((0, 0, 59)))
    status = pick.choice(("active", "pending", "closed", "closed", "closed", "spam"))
    state = "draft" if pick.random() < 0.06 else "published"
    assignee = pick.choice((None, *users))
    customer = first + min(pick.randrange(CUSTOMERS), pick.randrange(CUSTOMERS))
    tags = pick.sample(range(first, first + TAGS), pick.choice((0, 0, 1, 2, 3)))
    channel = pick.choice(("email", "email", "chat", "chat", "phone"))
    folder = home(state=state, status=status, assigned=assignee is not None, snoozed=False)
    luck = random.Random(f"{first % 7} {position}")  # its own, so that all else stays as it was
    by = luck.choice((None, None, *users))
    # An import may say that something was closed before it began.
    closed = began + timedelta(seconds=luck.randrange(-3600, 20 * 86_400)) if status == "closed" else None
    closer = luck.choice(users) if closed else None
    add_row(
        batch, "conversation", id=id, account_id=account_id, number=position + 1, inbox_id=inbox,
        folder_id=folder_id(inbox, folder), type=channel, status=status,
        state=state, customer_id=customer, assignee_id=assignee, created_by_type="customer" if by is None else "user",
        created_by_id=by or customer, closed_at=to_wire(closed) if closed else None, closed_by=closer,
        created_at=to_wire(began), modified_at=to_wire(began), user_updated_at=to_wire(began),
        merged_into=first if position and pick.random() < 0.05 else None, cc="[]", bcc="[]", custom_fields="[]",
        subject=f"Subject {position}", preview=f"Preview {position}", customer_email=f"used{customer}@buyer.example",
        tags=msgspec.json.encode([{"id": tag, "color": "", "tag": f"Tag{tag}"} for tag in tags]).decode(),
    )  # fmt: skip
    for number in range(pick.choice((0, 1, 2, 3, 5)) * (2 if channel == "chat" else 1)):
        at = to_wire(began + timedelta(minutes=pick.randrange(40 * 24 * 60) * (number > 0)))
        thread_id = first + position * 10 + number
        kind = pick.choice(("customer", "message", "message", "note", "lineitem"))
        if channel == "chat" and pick.random() < 0.7:
            kind = "beaconchat" if pick.random() < 0.05 else "chat"
        states = ("published",) * (5 if kind == "chat" else 2) + ("hidden", "draft")
        by_customer = kind in ("customer", "beaconchat") or (kind == "chat" and pick.random() < 0.5)
        author = ("customer", customer) if by_customer else ("user", pick.choice(users))
        add_row(
            batch, "thread", id=thread_id, account_id=account_id, conversation_id=id, type=kind,
            state=pick.choice(states), created_at=at, created_by_type=author[0],
            created_by_id=author[1], saved_reply_id=first + pick.randrange(REPLIES) if kind == "message" else 0,
            associated="{}", recipients="[]", cc="[]", bcc="[]", on_publish="{}",
        )  # fmt: skip
        if kind == "message" and pick.random() < 0.7:
            add_row(
                batch, "rating", id=thread_id, account_id=account_id, thread_id=thread_id, conversation_id=id,
                inbox_id=inbox, customer_id=customer, user_id=pick.choice(users),
                rating=pick.choice(("great", "great", "okay", "not_good", "unknown")), comments=pick.choice(("", "Hm")),
                created_at=at, modified_at=to_wire(BEGINNING + timedelta(minutes=pick.randrange(DAYS * 24 * 60))),
            )  # fmt: skip
        if pick.random() < 0.3:
            add_row(
                batch, "workflow_run", id=thread_id, account_id=account_id,
                workflow_id=first + pick.randrange(WORKFLOWS), conversation_id=id, user_id=users[0], at=at,
            )  # fmt: skip
    _add_exchange(batch, luck, account_id, id, customer, users, began, first + 20_000 + position * 20)


def _add_exchange(
    batch: Batch,
    luck: random.Random,
    account_id: int,
    id: int,
    customer: int,
    users: tuple[int, ...],
    at: datetime,
    thread_id: int,
) -> None:
    """A customer and the staff write to each other for a while, now quickly, now slowly."""
    for number in range(luck.choice((0, 0, 1, 2, 4, 6, 12))):
        at += timedelta(seconds=int(60 * 5000 ** luck.random()))
        by_customer = luck.random() < 0.5
        add_row(
            batch, "thread", id=thread_id + number, account_id=account_id, conversation_id=id,
            type="customer" if by_customer else "message", state="published", created_at=to_wire(at),
            created_by_type="customer" if by_customer else "user",
            created_by_id=customer if by_customer else luck.choice(users),
            source_type="workflows" if luck.random() < 0.1 else "email",
            associated="{}", recipients="[]", cc="[]", bcc="[]", on_publish="{}",
        )  # fmt: skip
