"""An account as it grows: the same kind of desk with 10,000, 100,000 or 1,000,000 conversations from two years.

Most conversations are closed, old ones nearly all; a few inboxes, tags and words get most of them. Words follow Zipf's
law; each conversation has an order number of its own.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

from bench.data import (
    ACCOUNT,
    FIRST_CONVERSATION,
    FIRST_CUSTOMER,
    FIRST_INBOX,
    FIRST_THREAD,
    INBOXES,
    NEWEST,
    OWNER,
    TAGS,
    USERS,
    add_customers,
    add_people,
    add_row,
    as_json,
    email_of,
    field_id,
    name_of,
    tag_of,
)
from deskhand.desk.inboxes.folders import folder_id, home
from deskhand.desk.loading import Batch
from deskhand.desk.search.index import Texts
from deskhand.lib.clock import to_wire
from deskhand.lib.text import preview, sort_key

DAYS = 730
"""All conversations began within so many days before NEWEST."""
WORDS, SENTENCES = 40_000, 60_000
SAVED_REPLIES = range(7001, 7021)
WORKFLOWS = range(901, 911)
CUSTOMERS_SHARE = 5
"""One customer for so many conversations."""
CHUNK = 4096

_SYLLABLES = (
    "ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "xo", "zu", "bra", "cle", "dri",
    "gno", "plu", "sta", "tre",
)  # fmt: skip


def words() -> list[str]:
    """The vocabulary, the commonest first."""
    pick, found = random.Random(7), dict[str, None]()
    while len(found) < WORDS:
        syllables = 2 if len(found) < 400 else 3 if len(found) < 8000 else 4
        found["".join(pick.choices(_SYLLABLES, k=syllables))] = None
    return list(found)


def order_number(position: int) -> str:
    """What only one conversation has in it."""
    return f"ord{position:07}"


class _Weighted:
    """Picks from a few things, the first ones more often."""

    def __init__(self, pick: random.Random, things: range, flatness: int) -> None:
        self.pick, self.things = pick, things
        self.weights = list(accumulate(1 / (rank + flatness) for rank in range(len(things))))

    def one(self) -> int:
        return self.things[bisect(self.weights, self.pick.random() * self.weights[-1])]


class Growing:
    """Makes conversations one after the other, the oldest first."""

    name = "growth-"
    source = Path(__file__)

    def __init__(self) -> None:
        self.random = random.Random(730)
        self.thread_id, self.attachment_id, self.run_id = FIRST_THREAD, 640_001, 1
        self.inboxes = _Weighted(self.random, range(FIRST_INBOX, FIRST_INBOX + INBOXES), 3)
        self.tags = _Weighted(self.random, range(301, 301 + TAGS), 1)

    @cached_property
    def sentences(self) -> list[str]:
        known, pick = words(), self.random
        weights = list(accumulate(1 / (rank + 5) for rank in range(len(known))))
        return [
            " ".join(pick.choices(known, cum_weights=weights, k=pick.randint(5, 14))).capitalize() + "."
            for _ in range(SENTENCES)
        ]

    def before(self, batch: Batch, count: int) -> None:
        """Everything that conversations refer to."""
        add_people(batch, count)
        add_customers(batch, self._customers(count))
        at = to_wire(NEWEST - timedelta(days=DAYS))
        for id in SAVED_REPLIES:
            add_row(
                batch, "saved_reply", id=id, account_id=ACCOUNT, inbox_id=FIRST_INBOX, name=f"Answer {id}",
                text=f"<p>{self.sentences[id]}</p>", created_at=at, updated_at=at,
            )  # fmt: skip
        for id in WORKFLOWS:
            add_row(
                batch, "workflow", id=id, account_id=ACCOUNT, inbox_id=FIRST_INBOX, type="manual", status="active",
                position=id, name=f"Workflow {id}", actions="[]", conditions="[]", created_at=at, modified_at=at,
            )  # fmt: skip

    def add(self, batch: Batch, position: int, count: int) -> None:
        """One conversation with its threads and what search finds it by."""
        pick, id = self.random, FIRST_CONVERSATION + position
        inbox, customer = self.inboxes.one(), self._customer(count)
        age = timedelta(days=DAYS) * ((count - position) / count)
        began = NEWEST - age
        status = self._status(age)
        assignee = pick.randrange(OWNER, OWNER + USERS - 1) if pick.random() < 0.8 else None
        texts = [
            " ".join(pick.choices(self.sentences, k=pick.randint(1, 4)))
            for _ in range(pick.choice((1, 2, 3, 3, 3, 4, 5)))
        ]
        texts[0] += f" {order_number(position)}"
        threads = list(self._threads(id, customer, assignee, began, texts))
        last = threads[-1]
        closed = status == "closed"
        kind = home(state="published", status=status, assigned=assignee is not None, snoozed=False)
        subject = pick.choice(self.sentences)[:60]
        name, email = " ".join(name_of(customer)), email_of(customer)
        tags = sorted({self.tags.one() for _ in range(pick.choice((0, 0, 1, 1, 2, 3)))})
        fields = [{"id": field_id(inbox, 1), "name": "Order", "value": str(position), "text": str(position)}][
            : position % 2
        ]
        add_row(
            batch, "conversation", id=id, account_id=ACCOUNT, number=1001 + position, inbox_id=inbox,
            folder_id=folder_id(inbox, kind), type="email", status=status, state="published", subject=subject,
            subject_key=sort_key(subject), preview=preview(texts[-1]), threads=len(texts), capped_threads=len(texts),
            customer_id=customer, customer_email=email, customer_name=sort_key(name), assignee_id=assignee,
            created_by_type="customer", created_by_id=customer, source_type="email", source_via="customer",
            created_at=to_wire(began), modified_at=last["created_at"], user_updated_at=last["created_at"],
            closed_at=last["created_at"] if closed else None, closed_by=(assignee or OWNER) if closed else None,
            waiting_since=last["created_at"] if last["type"] == "customer" and not closed else None,
            latest_reply_from="customer" if last["type"] == "customer" else "user",
            cc='["copy@shop.example"]' if id % 20 == 0 else "[]", bcc="[]",
            tags=as_json([tag_of(tag) for tag in tags]), custom_fields=as_json(fields), attachments=int(id % 20 == 1),
        )  # fmt: skip
        for field in fields:
            add_row(
                batch, "conversation_field", account_id=ACCOUNT, conversation_id=id, field_id=field["id"],
                value=field["value"],
            )  # fmt: skip
        for thread in threads:
            add_row(batch, "thread", **thread)
        if id % 20 == 1:
            self._attach(batch, threads[0])
        if pick.random() < 0.03:
            self._run(batch, id, began)
        batch.add_texts(Texts(ACCOUNT, id, subject, tuple(texts)))

    def _customers(self, count: int) -> int:
        return max(100, count // CUSTOMERS_SHARE)

    def _customer(self, count: int) -> int:
        """Some write much more often than others."""
        return FIRST_CUSTOMER + int(self._customers(count) * self.random.random() ** 2)

    def _status(self, age: timedelta) -> str:
        chance = self.random.random()
        if chance < 0.03:
            return "spam"
        still_open = 0.4 if age.days < 14 else 0.02
        if chance < 0.03 + still_open:
            return "active" if chance < 0.03 + still_open * 0.7 else "pending"
        return "closed"

    def _threads(
        self, id: int, customer: int, assignee: int | None, began: datetime, texts: list[str]
    ) -> Iterator[dict[str, Any]]:
        pick = self.random
        at = began
        for number, text in enumerate(texts):
            by_customer = number % 2 == 0
            author = customer if by_customer else assignee or pick.randrange(OWNER, OWNER + USERS)
            yield {
                "id": self.thread_id, "account_id": ACCOUNT, "conversation_id": id,
                "type": "customer" if by_customer else "message" if number != 3 else "note",
                "status": "active" if number == 0 else "nochange", "state": "published",
                "action_type": "default", "action_text": "", "associated": "{}", "body": f"<p>{text}</p>",
                "source_type": "email", "source_via": "customer" if by_customer else "user",
                "customer_id": customer, "created_by_type": "customer" if by_customer else "user",
                "created_by_id": author, "assigned_to": assignee,
                "saved_reply_id": pick.choice(SAVED_REPLIES) if number == 1 and pick.random() < 0.1 else 0,
                "recipients": "[]" if by_customer else as_json([email_of(customer)]), "cc": "[]", "bcc": "[]",
                "created_at": to_wire(at), "on_publish": "{}", "attachments": int(number == 0 and id % 20 == 1),
            }  # fmt: skip
            self.thread_id += 1
            at += timedelta(minutes=pick.randrange(5, 1000))

    def _attach(self, batch: Batch, thread: dict[str, Any]) -> None:
        add_row(
            batch, "attachment", id=self.attachment_id, account_id=ACCOUNT, conversation_id=thread["conversation_id"],
            thread_id=thread["id"], filename="photo.png", mime_type="image/png", size=48_213, width=640, height=480,
            state="valid", sha256="0" * 64, content_id=None,
        )  # fmt: skip
        self.attachment_id += 1

    def _run(self, batch: Batch, id: int, at: datetime) -> None:
        add_row(
            batch, "workflow_run", id=self.run_id, account_id=ACCOUNT, workflow_id=self.random.choice(WORKFLOWS),
            conversation_id=id, user_id=OWNER, at=to_wire(at),
        )  # fmt: skip
        self.run_id += 1
