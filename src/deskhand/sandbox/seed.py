"""Filling an empty database with the invented account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from deskhand.db.engine import Database
from deskhand.desk import loading
from deskhand.desk.inboxes.folders import folder_id, home
from deskhand.desk.loading import Batch
from deskhand.desk.search.index import Texts
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import to_wire
from deskhand.lib.text import fold, plain, preview, sort_key
from deskhand.sandbox import furniture
from deskhand.sandbox import world as invention
from deskhand.sandbox.mails import Mail, mails
from deskhand.sandbox.records import (
    ConversationRecord,
    Customer,
    Entry,
    Field,
    Rating,
    ThreadRecord,
    World,
)

BATCH = 500
FIRST_RATING = 55_001
LOCKED_AT = 5000
Progress = Callable[[int], None]


def fill(
    database: Database,
    blobs: BlobStore,
    world: World,
    count: int,
    *,
    password_hash: str,
    rate_limit: int,
    progress: Progress = lambda done: None,
) -> None:
    """Put the invented account and `count` conversations in; `progress` is told how many are done."""
    people = Batch()
    _add_people(people, world, password_hash, rate_limit, count)
    _add_customers(people, world)
    furniture.add(people, world)
    database.write_now(people.load)
    records = invention.conversations(world, count)
    filler = _Filler(world, blobs)
    done = 0
    while chunk := list(islice(records, BATCH)):
        database.write_now(filler.batch(chunk).load)
        done += len(chunk)
        progress(done)
    database.write_now(loading.finish)


def locked_customer(world: World) -> int:
    """The customer whose record can't be changed, as if 5,000 of their conversations lay in an archive."""
    return world.customers[-1].id


def _add_people(batch: Batch, world: World, password_hash: str, rate_limit: int, count: int) -> None:
    account_id, opened = world.account_id, to_wire(min(inbox.created_at for inbox in world.inboxes))
    batch.add(
        "account",
        id=account_id,
        name=world.account_name,
        plan="plus",
        timezone=world.users[0].timezone,
        rate_limit=rate_limit,
        lock_after_days=0,
        thread_editing=0,
        next_number=1001 + count,
        created_at=opened,
        office_hours=_json([[540, 1080]] * 5 + [None, None]),
    )
    for user in (*world.users, *world.system_users):
        batch.add(
            "staff",
            id=user.id,
            account_id=account_id,
            type=user.type,
            first_name=user.first_name,
            last_name=user.last_name,
            email=user.email,
            role=user.role,
            state="active" if user.accepted else "invited",
            timezone=user.timezone,
            photo_url=None,
            job_title=user.job_title,
            phone=user.phone,
            alternate_emails=_json(user.alternate_emails),
            mention=user.mention or "",
            password_hash=password_hash if user.type == "user" else None,
            created_at=to_wire(user.created_at),
            updated_at=to_wire(user.updated_at),
        )
        if user.role not in ("owner", "admin"):
            for inbox_id in user.inbox_ids:
                batch.add("inbox_access", account_id=account_id, user_id=user.id, inbox_id=inbox_id)
    for team in world.teams:
        batch.add(
            "staff",
            id=team.id,
            account_id=account_id,
            type="team",
            first_name=team.name,
            last_name="",
            email=None,
            role="user",
            state="active",
            timezone=team.timezone,
            photo_url=None,
            job_title="",
            phone="",
            alternate_emails="[]",
            mention=team.mention,
            password_hash=None,
            created_at=to_wire(team.created_at),
            updated_at=to_wire(team.updated_at),
        )
        for user_id in team.user_ids:
            batch.add("team_member", account_id=account_id, team_id=team.id, user_id=user_id)
    for inbox in world.inboxes:
        batch.add(
            "inbox",
            id=inbox.id,
            account_id=account_id,
            name=inbox.name,
            email=inbox.email,
            slug=inbox.slug,
            default_assignee_id=None,
            default_status="active",
            created_at=to_wire(inbox.created_at),
            updated_at=to_wire(inbox.updated_at),
        )
        for field in inbox.fields:
            _add_field(batch, account_id, field)
    for tag in world.tags:
        batch.add(
            "tag",
            id=tag.id,
            account_id=account_id,
            name=tag.name,
            folded=fold(tag.name),
            slug=tag.slug,
            color=tag.color,
            created_at=to_wire(tag.created_at),
            updated_at=to_wire(tag.created_at),
        )


def _add_field(batch: Batch, account_id: int, field: Field) -> None:
    batch.add(
        "custom_field",
        id=field.id,
        account_id=account_id,
        inbox_id=field.inbox_id,
        name=field.name,
        type=field.type,
        required=int(field.required),
        position=field.order,
    )
    for option in field.options:
        batch.add(
            "field_option",
            id=option.id,
            account_id=account_id,
            field_id=field.id,
            label=option.label,
            position=option.order,
        )


def _add_customers(batch: Batch, world: World) -> None:
    organizations = furniture.organization_ids()
    for customer in world.customers:
        batch.add(
            "customer",
            id=customer.id,
            account_id=world.account_id,
            first_name=customer.first_name,
            last_name=customer.last_name,
            first_folded=fold(customer.first_name or ""),
            last_folded=fold(customer.last_name or ""),
            email=customer.emails[0].value if customer.emails else None,
            gender=customer.gender,
            job_title=customer.job_title,
            location=customer.location,
            organization=customer.organization,
            organization_folded=fold(customer.organization or ""),
            organization_id=organizations.get(customer.organization or ""),
            photo_type=customer.photo_type,
            photo_url=customer.photo_url,
            age=customer.age,
            background=customer.background,
            address=_address(customer),
            archived_conversations=LOCKED_AT if customer.id == locked_customer(world) else 0,
            created_at=to_wire(customer.created_at),
            updated_at=to_wire(customer.updated_at),
        )
        kinds: tuple[tuple[str, tuple[Entry, ...]], ...] = (
            ("email", customer.emails),
            ("phone", customer.phones),
            ("chat", customer.chats),
            ("social_profile", customer.social_profiles),
            ("website", customer.websites),
        )
        for kind, entries in kinds:
            for entry in entries:
                batch.add(
                    "customer_entry",
                    id=entry.id,
                    account_id=world.account_id,
                    customer_id=customer.id,
                    kind=kind,
                    type=entry.type or None,
                    value=entry.value,
                    folded=entry.value.lower(),
                )


def _address(customer: Customer) -> str | None:
    address = customer.address
    if address is None:
        return None
    parts = {
        "city": address.city,
        "state": address.state,
        "postalCode": address.postal_code,
        "country": address.country,
        "lines": address.lines,
    }
    return _json({name: value for name, value in parts.items() if value})


class _Filler:
    """Turns conversations of the invented account into rows."""

    def __init__(self, world: World, blobs: BlobStore) -> None:
        self.world = world
        self.account_id = world.account_id
        self.blobs = blobs
        self.stored: dict[str, str] = {}
        self.ratings = self.runs = 0
        self.names = {
            one.id: sort_key(f"{one.first_name or ''} {one.last_name or ''}".strip()) for one in world.customers
        }
        self.tags = {tag.id: {"id": tag.id, "color": tag.color, "tag": tag.name} for tag in world.tags}
        self.fields = {field.id: field for inbox in world.inboxes for field in inbox.fields}

    def batch(self, records: list[ConversationRecord]) -> Batch:
        batch = Batch()
        for record in records:
            self._add(batch, record)
        return batch

    def _add(self, batch: Batch, record: ConversationRecord) -> None:
        shown = [one for one in record.threads if one.type != "lineitem"]
        published = [one for one in shown if one.state == "published"]
        scheduled = min(
            (one.scheduled for one in record.threads if one.scheduled), key=lambda s: s.scheduled_for, default=None
        )
        snooze = record.snooze
        kind = home(
            state=record.state,
            status=record.status,
            assigned=record.assignee_id is not None,
            snoozed=snooze is not None,
        )
        last = published[-1] if published else shown[-1] if shown else None
        batch.add(
            "conversation",
            id=record.id,
            account_id=self.account_id,
            number=record.number,
            inbox_id=record.inbox_id,
            folder_id=folder_id(record.inbox_id, kind),
            type=record.type,
            status=record.status,
            state=record.state,
            subject=record.subject or "",
            subject_key=sort_key(record.subject or ""),
            preview=preview(last.body) if last else "",
            threads=len(published),
            capped_threads=len(shown),
            customer_id=record.customer_id,
            customer_email=record.customer_email,
            customer_name=self.names[record.customer_id],
            assignee_id=record.assignee_id,
            created_by_type=record.created_by.kind,
            created_by_id=record.created_by.id,
            source_type=record.source_type,
            source_via=record.source_via,
            created_at=to_wire(record.created_at),
            modified_at=to_wire(record.modified_at),
            user_updated_at=to_wire(record.user_updated_at or record.created_at),
            closed_at=_moment(record.closed_at),
            closed_by=record.closed_by,
            waiting_since=_moment(record.waiting_since),
            latest_reply_from=record.latest_reply_from,
            cc=_json(record.cc),
            bcc=_json(record.bcc),
            tags=_json([self.tags[tag_id] for tag_id in record.tag_ids]),
            custom_fields=_json([self._field(id, value) for id, value in record.fields]),
            attachments=int(any(one.attachments for one in record.threads)),
            snoozed_by=snooze.by if snooze else None,
            snoozed_until=to_wire(snooze.until) if snooze else None,
            unsnooze_on_reply=int(snooze.unsnooze_on_reply) if snooze else None,
            scheduled_for=to_wire(scheduled.scheduled_for) if scheduled else None,
            scheduled_by=scheduled.by if scheduled else None,
            unschedule_on_reply=int(scheduled.unschedule_on_reply) if scheduled else None,
            merged_into=record.merged_into,
            merged_at=_moment(record.merged_at),
        )
        for id, value in record.fields:
            batch.add(
                "conversation_field", account_id=self.account_id, conversation_id=record.id, field_id=id, value=value
            )
        for thread in record.threads:
            self._add_thread(batch, record, thread)
        for mail in mails(self.world, record):
            self._add_mail(batch, record, mail)
        if record.merged_into is None:
            body = tuple(plain(one.body) for one in shown)
            batch.add_texts(Texts(self.account_id, record.id, record.subject or "", body))

    def _field(self, id: int, value: str) -> dict[str, Any]:
        field = self.fields[id]
        text = next((option.label for option in field.options if str(option.id) == value), value)
        return {"id": id, "name": field.name, "value": value, "text": text}

    def _add_thread(self, batch: Batch, record: ConversationRecord, thread: ThreadRecord) -> None:
        scheduled, rating = thread.scheduled, thread.rating
        line_item = thread.type == "lineitem"
        batch.add(
            "thread",
            id=thread.id,
            account_id=self.account_id,
            conversation_id=record.id,
            type=thread.type,
            status=thread.status,
            state=thread.state,
            action_type=thread.action_type,
            action_text=thread.action_text or "",
            associated=_json(thread.associated),
            body=None if line_item else thread.body,
            source_type=thread.source_type,
            source_via=thread.source_via,
            customer_id=thread.customer_id,
            created_by_type=thread.created_by.kind,
            created_by_id=thread.created_by.id,
            assigned_to=thread.assigned_to,
            saved_reply_id=furniture.saved_reply_of(thread.id, record.inbox_id) if thread.type == "message" else 0,
            recipients=_json(thread.to),
            cc=_json(thread.cc),
            bcc=_json(thread.bcc),
            created_at=to_wire(thread.created_at),
            opened_at=_moment(thread.opened_at),
            linked_conversation_id=thread.linked_conversation_id,
            rating=rating.rating if rating else None,
            rating_comments=rating.comments if rating else None,
            rated_at=to_wire(rating.at) if rating else None,
            scheduled_by=scheduled.by if scheduled else None,
            scheduled_at=to_wire(scheduled.created_at) if scheduled else None,
            scheduled_for=to_wire(scheduled.scheduled_for) if scheduled else None,
            unschedule_on_reply=int(scheduled.unschedule_on_reply) if scheduled else None,
            send_as_id=None,
            on_publish="{}",
            imported=int(record.imported),
            attachments=len(thread.attachments),
            original_body=None,
        )
        if rating:
            self._add_rating(batch, record, thread, rating)
        if "workflow" in thread.associated:
            self.runs += 1
            batch.add(
                "workflow_run",
                id=self.runs,
                account_id=self.account_id,
                workflow_id=thread.associated["workflow"],
                conversation_id=record.id,
                user_id=thread.created_by.id,
                at=to_wire(thread.created_at),
            )
        for file in thread.attachments:
            batch.add(
                "attachment",
                id=file.id,
                account_id=self.account_id,
                conversation_id=record.id,
                thread_id=thread.id,
                filename=file.filename,
                mime_type=file.mime_type,
                size=file.size,
                width=file.width,
                height=file.height,
                state="valid",
                sha256=self._blob(file.content_key),
                content_id=None,
            )

    def _add_rating(self, batch: Batch, record: ConversationRecord, thread: ThreadRecord, rating: Rating) -> None:
        self.ratings += 1
        batch.add(
            "rating",
            id=FIRST_RATING - 1 + self.ratings,
            account_id=self.account_id,
            thread_id=thread.id,
            conversation_id=record.id,
            inbox_id=record.inbox_id,
            customer_id=thread.customer_id or record.customer_id,
            user_id=thread.created_by.id,
            rating=rating.rating,
            comments=rating.comments,
            created_at=to_wire(rating.at),
            modified_at=to_wire(rating.at),
        )

    def _add_mail(self, batch: Batch, record: ConversationRecord, mail: Mail) -> None:
        batch.add(
            "thread_mail",
            account_id=self.account_id,
            thread_id=mail.thread.id,
            conversation_id=record.id,
            direction=mail.direction,
            message_id=mail.message_id,
            state="received" if mail.direction == "in" else "sent",
            error="",
            at=to_wire(mail.thread.created_at),
            source_sha256=self.blobs.put(mail.original).sha256 if mail.original else None,
            reply_token=None,
            automatic=0,
            verdicts=None,
            quoted=None,
        )

    def _blob(self, key: str) -> str:
        if key not in self.stored:
            self.stored[key] = self.blobs.put(invention.attachment_bytes(key)).sha256
        return self.stored[key]


def _moment(given: datetime | None) -> str | None:
    return None if given is None else to_wire(given)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
