"""One conversation while it happens: each verb adds a thread and keeps the conversation's own fields true to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from deskhand.sandbox.cast import Cast
from deskhand.sandbox.contents import HEIGHT, PHOTOS, WIDTH, content, mime_type
from deskhand.sandbox.hours import DAY, HOUR, MINUTE, utc
from deskhand.sandbox.options import FIRST_CONVERSATION_ID
from deskhand.sandbox.records import (
    AttachmentRecord,
    Author,
    ConversationRecord,
    Customer,
    Rating,
    Schedule,
    Snooze,
    ThreadRecord,
)

FIRST_NUMBER = 1001

_NOTHING: dict[str, int] = {}


@dataclass(slots=True)
class Ids:
    """The next ids to give away; they run through all conversations."""

    thread: int = 9_100_000_001
    attachment: int = 640_001


@dataclass(slots=True)
class Story:
    """A conversation in the making. `status`, `assignee` and the rest always say what the threads so far amount to."""

    cast: Cast
    ids: Ids
    rng: Random
    n: int
    customer: Customer
    email: str
    inbox_id: int
    language: str
    subject: str | None
    type: str
    source: str
    at: int
    tags: tuple[int, ...] = ()
    fields: tuple[tuple[int, str], ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    imported: bool = False
    state: str = "published"
    status: str = "active"
    assignee: int | None = None
    closed_at: int | None = None
    closed_by: int | None = None
    waiting: int | None = None
    latest: str | None = None
    user_updated: int | None = None
    opened: int = 0
    snooze: Snooze | None = None
    threads: list[ThreadRecord] = field(default_factory=list)

    def customer_writes(
        self,
        body: str,
        *,
        kind: str = "customer",
        state: str = "published",
        attachments: tuple[AttachmentRecord, ...] = (),
    ) -> None:
        """A mail or chat line arrives; it reopens what was closed or pending."""
        status = "nochange" if self.threads and self.status == "active" else "active"
        self.status, self.closed_at, self.closed_by = "active", None, None
        self.waiting = self.waiting or self.at
        self.latest = "customer"
        self._add(
            kind,
            Author("customer", self.customer.id),
            body,
            status=status,
            state=state,
            source=(self.source if not self.threads or kind != "customer" else "email", "customer"),
            to=(self.cast.inbox_mail[self.inbox_id],) if kind == "customer" else (),
            cc=self.cc if not self.threads else (),
            attachments=attachments,
        )

    def staff_writes(
        self,
        body: str,
        by: int,
        status: str,
        *,
        kind: str = "message",
        state: str = "published",
        rate: float = 0.0,
        comments: tuple[str, str, str] = ("", "", ""),
        attachments: tuple[AttachmentRecord, ...] = (),
    ) -> int:
        """A reply, chat line or phone call; the answer is the new thread's id. `rate` is how likely it is rated."""
        if self.assignee not in self.cast.people and self.rng.random() < (0.8 if self.assignee is None else 0.5):
            self.assignee = by
        before = self.status if self.threads else None
        self._set_status(status, by)
        self.waiting, self.latest, self.user_updated = None, "user", self.at
        source = "mobile" if kind == "message" and self.rng.random() < 0.06 else "web"
        is_mail = kind == "message"
        return self._add(
            kind,
            Author("user", by),
            body,
            status="nochange" if status == before else status,
            state=state,
            source=(source, "user"),
            to=(self.email,) if is_mail else (),
            cc=self.cc if is_mail else (),
            bcc=self.bcc if is_mail else (),
            opened=self._opens() if is_mail else None,
            rating=self._rated(rate, comments) if is_mail else None,
            attachments=attachments,
        )

    def drafts(self, body: str, by: int, scheduled: Schedule | None = None) -> int:
        """An unsent reply: nothing about the conversation changes but its last touch."""
        self.user_updated = self.at
        return self._add(
            "message",
            Author("user", by),
            body,
            status=self.status,
            state="draft",
            source=("web", "user"),
            to=(self.email,),
            cc=self.cc,
            scheduled=scheduled,
        )

    def notes(self, body: str, by: int, kind: str = "note", to: tuple[str, ...] = (), linked: int | None = None) -> int:
        """Something the customer does not see: a note, or a mail forwarded to somebody else."""
        self.user_updated = self.at
        return self._add(kind, Author("user", by), body, source=("web", "user"), to=to, linked=linked)

    def line(
        self,
        text: str,
        by: int,
        *,
        status: str = "nochange",
        action: str = "default",
        associated: dict[str, int] | None = None,
    ) -> None:
        """A line item: somebody changed the status, owner, tags or place of the conversation."""
        if status != "nochange":
            self._set_status(status, by)
        self.user_updated = self.at
        self._add(
            "lineitem",
            Author("user", by),
            "",
            status=status,
            action=action,
            text=text,
            associated=associated or _NOTHING,
            source=("web", "user"),
        )

    def passes(self, seconds: float) -> bool:
        """Let time go by; false, and no change, if that would be later than now."""
        then = self.at + max(int(seconds), 1)
        if then > self.cast.now - 1:
            return False
        self.at = then
        return True

    def file(self, key: str, filename: str) -> AttachmentRecord:
        """An attachment with that content."""
        self.ids.attachment += 1
        width, height = (WIDTH, HEIGHT) if key in PHOTOS else (None, None)
        size = len(content(key))
        return AttachmentRecord(self.ids.attachment - 1, filename, mime_type(key), key, size, width, height)

    def record(self, merged_into: int | None = None, merged_at: int | None = None) -> ConversationRecord:
        """The conversation as it stands now."""
        first = self.threads[0]
        return ConversationRecord(
            id=FIRST_CONVERSATION_ID + self.n,
            number=FIRST_NUMBER + self.n,
            inbox_id=self.inbox_id,
            type=self.type,
            status=self.status,
            state=self.state,
            subject=self.subject,
            language=self.language,
            imported=self.imported,
            customer_id=self.customer.id,
            customer_email=self.email,
            assignee_id=self.assignee,
            created_by=first.created_by,
            created_at=first.created_at,
            modified_at=utc(merged_at) if merged_at else self.threads[-1].created_at,
            user_updated_at=None if self.user_updated is None else utc(self.user_updated),
            closed_at=None if self.closed_at is None else utc(self.closed_at),
            closed_by=self.closed_by,
            waiting_since=None if self.waiting is None else utc(self.waiting),
            latest_reply_from=self.latest,
            source_type=first.source_type,
            source_via=first.source_via,
            cc=self.cc,
            bcc=self.bcc,
            tag_ids=self.tags,
            fields=self.fields,
            snooze=self.snooze,
            merged_into=merged_into,
            merged_at=None if merged_at is None else utc(merged_at),
            threads=() if merged_into else tuple(self.threads),
        )

    def _set_status(self, status: str, by: int) -> None:
        self.status = status
        closed = status == "closed"
        self.closed_at, self.closed_by = (self.at, by) if closed else (None, None)
        if closed or status == "spam":
            self.waiting = None

    def _opens(self) -> int | None:
        draw = self.rng.random()
        opened = self.at + 3 * MINUTE + int(draw * draw * 20 * HOUR)
        if draw > 0.72 or opened > self.cast.now:
            return None
        self.opened = opened
        return opened

    def _rated(self, rate: float, comments: tuple[str, str, str]) -> Rating | None:
        draw = self.rng.random()
        at = self.at + 2 * HOUR + int(draw * 3 * DAY)
        if draw >= rate or at > self.cast.now:
            return None
        share = draw / rate
        if share < 0.72:
            return Rating("great", comments[0], utc(at))
        return Rating("okay", comments[1], utc(at)) if share < 0.88 else Rating("not_good", comments[2], utc(at))

    def _add(
        self,
        kind: str,
        by: Author,
        body: str,
        *,
        source: tuple[str, str],
        status: str = "nochange",
        state: str = "published",
        action: str = "default",
        text: str | None = None,
        associated: dict[str, int] = _NOTHING,
        to: tuple[str, ...] = (),
        cc: tuple[str, ...] = (),
        bcc: tuple[str, ...] = (),
        opened: int | None = None,
        rating: Rating | None = None,
        scheduled: Schedule | None = None,
        linked: int | None = None,
        attachments: tuple[AttachmentRecord, ...] = (),
    ) -> int:
        thread_id = self.ids.thread
        self.ids.thread += 1
        self.threads.append(
            ThreadRecord(
                id=thread_id,
                type=kind,
                status=status,
                state=state,
                action_type=action,
                action_text=text,
                associated=associated,
                body=body,
                source_type=source[0],
                source_via=source[1],
                customer_id=None if kind == "lineitem" else self.customer.id,
                created_by=by,
                assigned_to=self.assignee,
                to=to,
                cc=cc,
                bcc=bcc,
                created_at=utc(self.at),
                opened_at=None if opened is None else utc(opened),
                linked_conversation_id=linked,
                rating=rating,
                scheduled=scheduled,
                attachments=attachments,
            )
        )
        return thread_id
