"""The shapes of the invented account, as `world` hands them to whoever fills the desk. Plain values, ids assigned."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec import Struct


class Author(NamedTuple):
    """Who did something: `kind` is `customer` or `user` (AI helpers and teams' people are users)."""

    kind: str
    id: int


class User(Struct, frozen=True, kw_only=True, gc=False):
    """A person of the support staff, or an AI helper (`type` is `system_user`, no e-mail)."""

    id: int
    type: str
    first_name: str
    last_name: str
    email: str | None
    role: str
    timezone: str
    job_title: str
    phone: str
    mention: str | None
    initials: str
    alternate_emails: tuple[str, ...]
    accepted: bool
    languages: tuple[str, ...]
    inbox_ids: tuple[int, ...]
    created_at: datetime
    updated_at: datetime


class Team(Struct, frozen=True, kw_only=True, gc=False):
    """A group of users that conversations can be assigned to."""

    id: int
    name: str
    mention: str
    initials: str
    timezone: str
    user_ids: tuple[int, ...]
    inbox_ids: tuple[int, ...]
    created_at: datetime
    updated_at: datetime


class Option(NamedTuple):
    """One choice of a dropdown field."""

    id: int
    order: int
    label: str


class Field(Struct, frozen=True, kw_only=True, gc=False):
    """A custom field of one inbox; `type` is dropdown, singleline, multiline, number or date."""

    id: int
    inbox_id: int
    name: str
    type: str
    order: int
    required: bool
    options: tuple[Option, ...] = ()


class Inbox(Struct, frozen=True, kw_only=True, gc=False):
    """An inbox with its custom fields; `slug` is 16 hexadecimal digits."""

    id: int
    name: str
    slug: str
    email: str
    signature: str
    fields: tuple[Field, ...]
    created_at: datetime
    updated_at: datetime


class Tag(Struct, frozen=True, kw_only=True, gc=False):
    """A tag; `color` is #RRGGBB."""

    id: int
    name: str
    slug: str
    color: str
    created_at: datetime


class Entry(NamedTuple):
    """An e-mail, phone, chat, social profile or website of a customer; websites have an empty `type`."""

    id: int
    value: str
    type: str


class Address(NamedTuple):
    """A postal address; `country` has two letters."""

    city: str
    state: str | None
    postal_code: str
    country: str
    lines: tuple[str, ...]


class Customer(Struct, frozen=True, kw_only=True, gc=False):
    """Somebody who writes to the shop. Some are known by an e-mail address alone."""

    id: int
    first_name: str | None
    last_name: str | None
    gender: str
    job_title: str | None
    location: str | None
    organization: str | None
    photo_type: str
    photo_url: str
    age: str | None
    background: str | None
    language: str
    emails: tuple[Entry, ...]
    phones: tuple[Entry, ...]
    chats: tuple[Entry, ...]
    social_profiles: tuple[Entry, ...]
    websites: tuple[Entry, ...]
    address: Address | None
    created_at: datetime
    updated_at: datetime


class Rating(NamedTuple):
    """What a customer thought of a reply: great, okay or not_good."""

    rating: str
    comments: str
    at: datetime


class Schedule(NamedTuple):
    """A draft reply that will be sent later."""

    by: int
    created_at: datetime
    scheduled_for: datetime
    unschedule_on_reply: bool


class Snooze(NamedTuple):
    """A conversation put aside until a moment after `now`."""

    by: int
    until: datetime
    unsnooze_on_reply: bool


class AttachmentRecord(NamedTuple):
    """A file of a thread; its bytes are `contents.content(content_key)`, width and height are set for images."""

    id: int
    filename: str
    mime_type: str
    content_key: str
    size: int
    width: int | None
    height: int | None


class ThreadRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One entry of a conversation, in the words of the wire (`message` is a staff reply)."""

    id: int
    type: str
    status: str
    state: str
    action_type: str
    action_text: str | None
    associated: dict[str, int]
    body: str
    source_type: str
    source_via: str
    customer_id: int | None
    created_by: Author
    assigned_to: int | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    created_at: datetime
    opened_at: datetime | None
    linked_conversation_id: int | None
    rating: Rating | None
    scheduled: Schedule | None
    attachments: tuple[AttachmentRecord, ...]


class ConversationRecord(Struct, frozen=True, kw_only=True, gc=False):
    """A conversation with its threads, oldest first. A merged one has no threads left: they moved to the survivor."""

    id: int
    number: int
    inbox_id: int
    type: str
    status: str
    state: str
    subject: str | None
    language: str
    imported: bool
    customer_id: int
    customer_email: str
    assignee_id: int | None
    created_by: Author
    created_at: datetime
    modified_at: datetime
    user_updated_at: datetime | None
    closed_at: datetime | None
    closed_by: int | None
    waiting_since: datetime | None
    latest_reply_from: str | None
    source_type: str
    source_via: str
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    tag_ids: tuple[int, ...]
    fields: tuple[tuple[int, str], ...]
    snooze: Snooze | None
    merged_into: int | None
    merged_at: datetime | None
    threads: tuple[ThreadRecord, ...]


class Examples(Struct, frozen=True, kw_only=True, gc=False):
    """Ids worth naming in documentation and tests; all are among the first 200 conversations."""

    merged: int
    merged_into: int
    draft_conversation: int
    rated_thread: int
    full_conversation: int
    without_subject: int
    scheduled_thread: int
    snoozed_conversation: int
    busy_customer: int


class World(Struct, frozen=True, kw_only=True, gc=False):
    """The invented account without its conversations."""

    seed: int
    now: datetime
    account_id: int
    account_name: str
    domain: str
    users: tuple[User, ...]
    system_users: tuple[User, ...]
    teams: tuple[Team, ...]
    inboxes: tuple[Inbox, ...]
    tags: tuple[Tag, ...]
    customers: tuple[Customer, ...]
    examples: Examples
