"""Threads: the entries of a conversation."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, UnsetType, field

from deskhand.catalogue import events
from deskhand.catalogue.attachments import Attachment, NewAttachment
from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import (
    SENDS_MAIL,
    by_conversation,
    conversation_written,
    customer_named,
    distinct,
    thread_written,
)
from deskhand.catalogue.operation import HS, Action, Asked, Created, ListOf, Need, NoContent, One, Operation, Resource
from deskhand.catalogue.people import Person, Source
from deskhand.catalogue.values import Id, NonEmpty, OwnerId, PageNumber, Recipient, Shape, WireTime

MOST = 100
"""Threads a conversation can hold, line items not counted. Source: the documentation of status 412."""


class ThreadAction(Shape, kw_only=True):
    """What a line item tells; `default` on ordinary threads."""

    type: str
    text: str | UnsetType = UNSET
    associated_entities: dict[str, int]


class Rating(Shape):
    """What the customer thought of a reply."""

    customer_id: int
    rating: Literal["great", "okay", "not_good"]
    comments: str


class Scheduled(Shape, kw_only=True):
    """When a draft goes out by itself."""

    scheduled_by: int
    send_as_id: int | UnsetType = UNSET
    created_at: str
    scheduled_for: str
    unschedule_on_customer_reply: bool


class ThreadEmbedded(Shape):
    """What is embedded in a thread."""

    attachments: list[Attachment]


class Thread(Shape, kw_only=True):
    """A thread as it is read; what it does not have is left out."""

    id: int
    type: str
    status: str
    state: str
    action: ThreadAction
    body: str | UnsetType = UNSET
    source: Source
    customer: Person | UnsetType = UNSET
    created_by: Person
    assigned_to: Person | UnsetType = UNSET
    saved_reply_id: int
    to: list[str]
    cc: list[str]
    bcc: list[str]
    created_at: str
    opened_at: str | UnsetType = UNSET
    linked_conversation_id: str | UnsetType = UNSET
    rating: Rating | UnsetType = UNSET
    scheduled: Scheduled | UnsetType = UNSET
    embedded: ThreadEmbedded = field(name="_embedded")
    links: Links = field(name="_links")


class ListThreads(Shape, kw_only=True):
    """Which page of a conversation's threads."""

    page: PageNumber = 1


class NewReply(Shape, kw_only=True):
    """A reply to the customer. A status left out reactivates the conversation; `assignTo` null unassigns it."""

    text: NonEmpty
    customer: CustomerReference
    draft: bool | None = None
    imported: bool | None = None
    status: Literal["active", "all", "closed", "inbox_predefined", "open", "pending", "spam"] | None = None
    user: Id | None = None
    assign_to: OwnerId | None | UnsetType = UNSET
    created_at: WireTime | None = None
    cc: list[Recipient] | None = None
    bcc: list[Recipient] | None = None
    attachments: list[NewAttachment] | None = None


class NewNote(Shape, kw_only=True):
    """An internal note. A status left out changes nothing."""

    text: NonEmpty
    user: Id | None = None
    status: Literal["active", "all", "closed", "inbox_predefined", "open", "pending", "spam"] | None = None
    imported: bool | None = None
    created_at: WireTime | None = None
    attachments: list[NewAttachment] | None = None


class NewChat(Shape, kw_only=True):
    """A chat or a phone call, written down."""

    text: NonEmpty
    customer: CustomerReference
    imported: bool | None = None
    created_at: WireTime | None = None
    attachments: list[NewAttachment] | None = None


class NewCustomerThread(Shape, kw_only=True):
    """A message that the customer wrote."""

    text: NonEmpty
    customer: CustomerReference
    imported: bool | None = None
    created_at: WireTime | None = None
    cc: list[Recipient] | None = None
    bcc: list[Recipient] | None = None
    attachments: list[NewAttachment] | None = None


class ThreadStep(Shape, kw_only=True):
    """The one step of a JSON Patch that a thread takes. Without `op` or `path` it counts as no JSON Patch at all."""

    op: str | None = None
    path: str | None = None
    value: Any = UNSET


class ScheduleThread(Shape, kw_only=True):
    """When a draft shall go out by itself, and in whose name: the caller's, or the one's who wrote it."""

    scheduled_for: WireTime
    unschedule_on_customer_reply: bool
    send_as_creator: bool | None = None


class OriginalSource(Shape):
    """The mail that a thread came by, with its headers, as it was received."""

    original: str


# -- What calls need


def _added(asked: Asked) -> tuple[Need, ...]:
    """Files, the customer, a status and an owner as if they came by calls of their own."""
    new: NewReply | NewNote | NewChat | NewCustomerThread = asked.body
    (add,) = by_conversation(asked)
    needs = [add]
    if new.attachments:
        needs.append(thread_written(add.place, "add_attachment"))
    if _changes_conversation(new):
        needs.append(conversation_written(add.place, "update_conversation"))
    if not isinstance(new, NewNote):
        needs.append(customer_named(new.customer.id, new.customer.email, add.place))
    return distinct(needs)


def _changes_conversation(new: NewReply | NewNote | NewChat | NewCustomerThread) -> bool:
    """Whether a status or an owner is named; that a plain reply reopens a conversation is part of replying."""
    if isinstance(new, NewReply) and new.assign_to is not UNSET:
        return True
    return isinstance(new, NewReply | NewNote) and new.status is not None


def _published(asked: Asked) -> tuple[Need, ...]:
    """What is sent, now or later, is sent as a reply."""
    (publish,) = by_conversation(asked)
    return publish, thread_written(publish.place, SENDS_MAIL)


def _edited(asked: Asked) -> tuple[Need, ...]:
    """Anything but a new text and hiding might be publishing."""
    step: ThreadStep = asked.body
    return by_conversation(asked) if (step.path or "").removeprefix("/") in ("text", "hidden") else _published(asked)


# -- The operations

_THREADS = "/v2/conversations/{conversation_id}"
_ONE = _THREADS + "/threads/{thread_id}"
_NO_THREAD = (404, "unknown, deleted or merged conversation, or no such thread in it")
_LOCKED = (412, "company policy has locked the conversation")
_ERRORS = (
    (404, "unknown, deleted or merged conversation"),
    (412, "the conversation has 100 threads, or company policy has locked it"),
    (413, "an attachment is larger than 10 MB"),
)

list_threads = Operation(
    name="list_threads", method="GET", path=_THREADS + "/threads",
    resource=Resource.THREADS, action=Action.READ, needs=by_conversation,
    query=ListThreads, returns=ListOf("threads", Thread),
    phrase="list the threads of conversation {conversation_id}",
    summary="A conversation's threads, newest first: messages, notes, drafts and line items.",
    source=HS + "conversations/threads/list",
    errors=((404, "unknown, deleted or merged conversation"),),
)  # fmt: skip

list_threads_v3 = Operation(
    name="list_threads_v3", method="GET", path="/v3/conversations/{conversation_id}/threads",
    resource=Resource.THREADS, action=Action.READ, needs=by_conversation,
    query=ListThreads, returns=ListOf("threads", Thread),
    phrase="list the threads of conversation {conversation_id}",
    summary="A conversation's threads, with AI agents told apart as `system_user`.",
    source=HS + "conversations/threads/list-v3",
    errors=((404, "unknown, deleted or merged conversation"),),
)  # fmt: skip

reply_to_conversation = Operation(
    name="reply_to_conversation", method="POST", path=_THREADS + "/reply",
    resource=Resource.THREADS, action=Action.WRITE, needs=_added, body=NewReply, returns=Created(),
    phrase="reply to conversation {conversation_id}",
    summary="Send a reply to the customer by e-mail; with `draft` true it is kept unpublished.",
    source=HS + "conversations/threads/reply", errors=_ERRORS, emits=(events.AGENT_REPLY_CREATED,),
)  # fmt: skip

add_note = Operation(
    name="add_note", method="POST", path=_THREADS + "/notes",
    resource=Resource.THREADS, action=Action.WRITE, needs=_added, body=NewNote, returns=Created(),
    phrase="add a note to conversation {conversation_id}",
    summary="Add an internal note; it is never sent to the customer.",
    source=HS + "conversations/threads/note", errors=_ERRORS, emits=(events.NOTE_CREATED,),
)  # fmt: skip

add_chat = Operation(
    name="add_chat", method="POST", path=_THREADS + "/chats",
    resource=Resource.THREADS, action=Action.WRITE, needs=_added, body=NewChat, returns=Created(),
    phrase="add a chat to conversation {conversation_id}",
    summary="Write down a chat with the customer.",
    source=HS + "conversations/threads/chat", errors=_ERRORS,
)  # fmt: skip

add_phone = Operation(
    name="add_phone", method="POST", path=_THREADS + "/phones",
    resource=Resource.THREADS, action=Action.WRITE, needs=_added, body=NewChat, returns=Created(),
    phrase="add a phone call to conversation {conversation_id}",
    summary="Write down a phone call with the customer.",
    source=HS + "conversations/threads/phone", errors=_ERRORS,
)  # fmt: skip

add_customer_thread = Operation(
    name="add_customer_thread", method="POST", path=_THREADS + "/customer",
    resource=Resource.THREADS, action=Action.WRITE, needs=_added, body=NewCustomerThread, returns=Created(),
    phrase="add a message of the customer to conversation {conversation_id}",
    summary="Add a message that the customer wrote; it reopens the conversation unless it is imported.",
    source=HS + "conversations/threads/customer", errors=_ERRORS, emits=(events.CUSTOMER_REPLY_CREATED,),
)  # fmt: skip

update_thread = Operation(
    name="update_thread", method="PATCH", path=_ONE,
    resource=Resource.THREADS, action=Action.WRITE, needs=_edited, body=ThreadStep, returns=NoContent(),
    phrase="change thread {thread_id} of conversation {conversation_id}",
    summary="Replace a thread's text, or hide and show it; for administrators, unless the account lets others.",
    source=HS + "conversations/threads/update", since="2018-09-26",
    errors=((403, "the account lets only administrators edit threads"), _NO_THREAD, _LOCKED),
)  # fmt: skip

schedule_thread = Operation(
    name="schedule_thread", method="PUT", path=_ONE + "/schedule",
    resource=Resource.THREADS, action=Action.WRITE, needs=_published, body=ScheduleThread, returns=NoContent(),
    phrase="schedule draft {thread_id} of conversation {conversation_id}",
    summary="Let a draft reply go out by itself at a later time; a new schedule takes the place of the one before.",
    source=HS + "conversations/threads/schedule/update", since="2024-06-13",
    errors=((400, "the thread is not a draft, or the time is not valid"), _NO_THREAD, _LOCKED),
)  # fmt: skip

send_scheduled_thread = Operation(
    name="send_scheduled_thread", method="PATCH", path=_ONE + "/schedule",
    resource=Resource.THREADS, action=Action.WRITE, needs=_published, body=ThreadStep, returns=NoContent(),
    phrase="send scheduled draft {thread_id} of conversation {conversation_id}",
    summary="Send a scheduled draft reply now.",
    source=HS + "conversations/threads/schedule/publish", since="2024-06-13",
    errors=((404, "unknown, deleted or merged conversation, or the thread is not scheduled"), _LOCKED),
    emits=(
        events.AGENT_REPLY_CREATED, events.CONVERSATION_CREATED, events.CONVERSATION_STATUS,
        events.CONVERSATION_ASSIGNED,
    ),
)  # fmt: skip

unschedule_thread = Operation(
    name="unschedule_thread", method="DELETE", path=_ONE + "/schedule",
    resource=Resource.THREADS, action=Action.WRITE, needs=by_conversation, returns=NoContent(),
    phrase="unschedule draft {thread_id} of conversation {conversation_id}",
    summary="Take a draft reply off its schedule; it stays as an ordinary draft.",
    source=HS + "conversations/threads/schedule/delete", since="2024-06-13",
    errors=((400, "the thread is not a draft"), _NO_THREAD, _LOCKED),
)  # fmt: skip

get_original_source = Operation(
    name="get_original_source", method="GET", path=_ONE + "/original-source",
    resource=Resource.THREADS, action=Action.READ, needs=by_conversation,
    returns=One(OriginalSource, raw="message/rfc822"),
    phrase="read the original mail of thread {thread_id} of conversation {conversation_id}",
    summary="The mail that a thread came by: in JSON, or as it is with `Accept: message/rfc822`.",
    source=HS + "conversations/threads/thread-source-json",
    errors=((404, "no such conversation or thread, or it did not come by mail"),),
)  # fmt: skip

OPERATIONS = (
    list_threads, list_threads_v3, reply_to_conversation, add_note, add_chat, add_phone, add_customer_thread,
    update_thread, schedule_thread, send_scheduled_thread, unschedule_thread, get_original_source,
)  # fmt: skip
