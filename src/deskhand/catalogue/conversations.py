"""Conversations: what customers ask, and all that was said about it."""

from __future__ import annotations

from typing import Any, Literal, cast

from msgspec import UNSET, UnsetType, field

from deskhand.catalogue import events
from deskhand.catalogue.attachments import NewAttachment
from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import (
    SENDS_MAIL,
    by_conversation,
    conversation_written,
    customer_named,
    distinct,
    given_id,
    letters,
    need,
    places,
    reads_texts,
    thread_written,
    threads_read,
)
from deskhand.catalogue.operation import (
    HS,
    Action,
    Asked,
    Created,
    Extent,
    ListOf,
    Need,
    NoContent,
    One,
    Operation,
    Resource,
)
from deskhand.catalogue.people import Person, Source
from deskhand.catalogue.threads import Thread
from deskhand.catalogue.values import Id, Ids, Names, NonEmpty, OwnerId, PageNumber, Recipient, Shape, WireTime

PAGE_SIZE = 25
MERGED_FOUND_DAYS = 60
"""How long reading a merged conversation leads to the one it went into. Source: conversations/get."""

Status = Literal["active", "closed", "pending", "spam"]


class Waiting(Shape):
    """Since when the customer waits for an answer."""

    time: str
    friendly: str
    latest_reply_from: str


class ConversationTag(Shape):
    """A tag as a conversation shows it."""

    id: int
    color: str
    tag: str


class FieldValue(Shape):
    """A custom field's value; `text` is what people read, for a dropdown the option's label."""

    id: int
    name: str
    value: str
    text: str


class Snooze(Shape):
    """Until when a conversation is put aside."""

    snoozed_by: int
    snoozed_until: str
    unsnooze_on_customer_reply: bool


class NextEvent(Shape):
    """What happens next by itself: the snooze ends or a draft goes out."""

    time: str
    event_type: Literal["snooze", "scheduled"]
    user_id: int
    cancel_on_customer_reply: bool


class ConversationEmbedded(Shape):
    """What is embedded in a conversation: its threads, when they were asked for.

    They are left out in an organization's list, which can't give them.
    """

    threads: list[Thread] | UnsetType = UNSET


class Conversation(Shape, kw_only=True):
    """A conversation as it is read; what it does not have is left out."""

    id: int
    number: int
    threads: int
    type: str
    folder_id: int
    status: Status
    state: str
    subject: str | UnsetType = UNSET
    preview: str | UnsetType = UNSET
    mailbox_id: int
    assignee: Person | UnsetType = UNSET
    created_by: Person
    created_at: str
    closed_by: int
    closed_by_user: Person | UnsetType = UNSET
    closed_at: str | UnsetType = UNSET
    user_updated_at: str
    customer_waiting_since: Waiting | UnsetType = UNSET
    source: Source
    tags: list[ConversationTag]
    cc: list[str]
    bcc: list[str]
    primary_customer: Person
    snooze: Snooze | UnsetType = UNSET
    next_event: NextEvent | UnsetType = UNSET
    custom_fields: list[FieldValue]
    embedded: ConversationEmbedded = field(name="_embedded")
    links: Links = field(name="_links")


SortField = Literal[
    "createdAt", "customerEmail", "customerName", "mailboxid", "modifiedAt", "number", "score", "status", "subject",
    "waitingSince",
]  # fmt: skip


class ListConversations(Shape, kw_only=True):
    """Which conversations to list; all conditions must hold. Without a status only active ones are listed."""

    embed: Literal["threads"] | None = None
    mailbox: Ids | None = None
    folder: Id | None = None
    status: Literal["active", "all", "closed", "open", "pending", "spam"] = "active"
    tag: Names | None = None
    assigned_to: Id | None = field(name="assigned_to", default=None)
    modified_since: WireTime | None = None
    number: Id | None = None
    sort_field: SortField = "createdAt"
    sort_order: Literal["asc", "desc"] = "desc"
    query: str | None = None
    page: PageNumber = 1
    custom_fields_by_ids: Names | None = None


class GetConversation(Shape, kw_only=True):
    """What to embed."""

    embed: Literal["threads"] | None = None


class GivenField(Shape):
    """A custom field's new value, in its text form; null clears it."""

    id: Id
    value: str | int | float | None


class NewThread(Shape, kw_only=True):
    """A thread of a new conversation. `customer` is required but for notes, `createdAt` needs `imported`."""

    type: Literal["customer", "reply", "note", "chat", "phone"]
    text: NonEmpty
    customer: CustomerReference | None = None
    user: Id | None = None
    draft: bool | None = None
    cc: list[Recipient] | None = None
    bcc: list[Recipient] | None = None
    imported: bool | None = None
    created_at: WireTime | None = None
    attachments: list[NewAttachment] | None = None


class NewConversation(Shape, kw_only=True):
    """A new conversation. `assignTo` left out leaves the owner to the inbox's setting, null leaves it unassigned."""

    subject: NonEmpty
    type: Literal["chat", "email", "phone"]
    mailbox_id: Id
    status: Literal["active", "closed", "open", "pending", "spam"]
    customer: CustomerReference
    threads: list[NewThread]
    assign_to: OwnerId | None | UnsetType = UNSET
    auto_reply: bool | None = None
    imported: bool | None = None
    created_at: WireTime | None = None
    closed_at: WireTime | None = None
    user: Id | None = None
    tags: list[str] | None = None
    fields: list[GivenField] | None = None


class Patch(Shape, kw_only=True):
    """One step of a JSON Patch."""

    op: NonEmpty
    path: NonEmpty
    value: Any = UNSET


Patches = Patch | list[Patch]


class SetTags(Shape):
    """All tags the conversation shall have, by name."""

    tags: list[str]


class SetFields(Shape):
    """All custom field values the conversation shall have."""

    fields: list[GivenField]


class SnoozeConversation(Shape, kw_only=True):
    """Until when to put a conversation aside; an answer of the customer ends that earlier unless it is said not to."""

    snoozed_until: WireTime
    unsnooze_on_customer_reply: bool | None = None


# -- What calls need


_THREADS = {
    "customer": "add_customer_thread",
    "reply": "reply_to_conversation",
    "note": "add_note",
    "chat": "add_chat",
    "phone": "add_phone",
}
"""Which operation writes each type of thread."""
_NEW = ("active", "open")
"""The statuses that a conversation begins with by itself; any other is set."""


def _listed(asked: Asked) -> tuple[Need, ...]:
    """Threads too, where they are embedded or searched."""
    query: ListConversations = asked.query
    where = places(query.mailbox, None if query.folder is None else (query.folder,))
    listed = tuple(need(asked, place) for place in where)
    if query.embed is not None or (query.query is not None and reads_texts(query.query)):
        return listed + threads_read(*where)
    return listed


def _read(asked: Asked) -> tuple[Need, ...]:
    (read,) = by_conversation(asked)
    return (read,) if asked.query.embed is None else (read, *threads_read(read.place))


def _created(asked: Asked) -> tuple[Need, ...]:
    """Each thread as it would be needed by itself; tags, fields and an owner as if they were set afterwards."""
    new: NewConversation = asked.body
    inbox = new.mailbox_id
    needs = [need(asked, inbox), *(thread_written(inbox, _THREADS[thread.type]) for thread in new.threads)]
    if new.auto_reply:
        needs.append(thread_written(inbox, SENDS_MAIL))
    if any(thread.attachments for thread in new.threads):
        needs.append(thread_written(inbox, "add_attachment"))
    if new.tags:
        needs.append(conversation_written(inbox, "set_conversation_tags"))
    if new.fields:
        needs.append(conversation_written(inbox, "set_conversation_fields"))
    if isinstance(new.assign_to, int) or new.status not in _NEW:
        needs.append(conversation_written(inbox, "update_conversation"))
    named = (new.customer, *(thread.customer for thread in new.threads))
    needs += (customer_named(one.id, one.email, inbox) for one in named if one is not None)
    return distinct(needs)


def _changed(asked: Asked) -> tuple[Need, ...]:
    """What each step does beside changing the conversation: moving it, publishing it, giving it to a customer."""
    steps: list[Patch] = asked.body if isinstance(asked.body, list) else [asked.body]
    (change,) = by_conversation(asked)
    needs = [change]
    for step in steps:
        what, id = letters(step.path), given_id(step.value)
        if "mailbox" in what:
            needs.append(need(asked, Extent.EVERY if id is None else id))
        if "draft" in what:
            needs.append(thread_written(change.place, SENDS_MAIL))
        if "customer" in what:
            needs.append(customer_named(id, None, Extent.EVERY))
        # The desk takes neither, but another one might.
        if "tag" in what:
            needs.append(conversation_written(change.place, "set_conversation_tags"))
        if "field" in what:
            needs.append(conversation_written(change.place, "set_conversation_fields"))
    return distinct(needs)


# -- The operations

_ONE = "/v2/conversations/{conversation_id}"
_GONE = (404, "unknown, deleted or merged conversation")
_LOCKED = (412, "company policy has locked the conversation")

list_conversations = Operation(
    name="list_conversations", method="GET", path="/v2/conversations",
    resource=Resource.CONVERSATIONS, action=Action.READ, needs=_listed, query=ListConversations,
    returns=ListOf("conversations", Conversation, size=PAGE_SIZE),
    phrase="list conversations",
    summary="List conversations, 25 a page; only active ones unless `status` says otherwise.",
    source=HS + "conversations/list",
)  # fmt: skip

get_conversation = Operation(
    name="get_conversation", method="GET", path=_ONE,
    resource=Resource.CONVERSATIONS, action=Action.READ, needs=_read,
    query=GetConversation, returns=One(Conversation),
    phrase="read conversation {conversation_id}",
    summary="One conversation; a merged one leads to its survivor for 60 days.",
    source=HS + "conversations/get",
    errors=((301, "merged less than 60 days ago: `Location` names the survivor"), (404, "unknown or deleted")),
)  # fmt: skip

get_conversation_v3 = Operation(
    name="get_conversation_v3", method="GET", path="/v3/conversations/{conversation_id}",
    resource=Resource.CONVERSATIONS, action=Action.READ, needs=_read,
    query=GetConversation, returns=One(Conversation),
    phrase="read conversation {conversation_id}",
    summary="One conversation, with AI agents told apart as `system_user`.",
    source=HS + "conversations/get-v3",
    errors=((301, "merged less than 60 days ago: `Location` names the survivor"), (404, "unknown or deleted")),
)  # fmt: skip

create_conversation = Operation(
    name="create_conversation", method="POST", path="/v2/conversations",
    resource=Resource.CONVERSATIONS, action=Action.WRITE, needs=_created, body=NewConversation, returns=Created(),
    phrase="create a conversation",
    summary="Start a conversation with up to 100 threads; an unknown customer is created from the e-mail address.",
    source=HS + "conversations/create",
    errors=((412, "more than 100 threads"), (413, "an attachment is larger than 10 MB")),
    emits=(events.CONVERSATION_CREATED, events.CUSTOMER_CREATED, events.TAG_CREATED),
)  # fmt: skip

update_conversation = Operation(
    name="update_conversation", method="PATCH", path=_ONE,
    resource=Resource.CONVERSATIONS, action=Action.WRITE, needs=_changed,
    body=cast(type[Patches], Patches), returns=NoContent(),
    phrase="change conversation {conversation_id}",
    summary="Change subject, status, owner, inbox or customer, or publish a draft, by JSON Patch.",
    source=HS + "conversations/update", errors=(_GONE, _LOCKED, (423, "the customer has 5000 conversations")),
    emits=(
        events.CONVERSATION_STATUS, events.CONVERSATION_ASSIGNED, events.CONVERSATION_MOVED,
        events.CONVERSATION_CREATED, events.CONVERSATION_CUSTOM_FIELDS,
    ),
)  # fmt: skip

delete_conversation = Operation(
    name="delete_conversation", method="DELETE", path=_ONE,
    resource=Resource.CONVERSATIONS, action=Action.DELETE, needs=by_conversation, returns=NoContent(),
    phrase="delete conversation {conversation_id}",
    summary="Delete a conversation and its threads, for good.",
    source=HS + "conversations/delete", errors=(_GONE, _LOCKED), emits=(events.CONVERSATION_DELETED,),
)  # fmt: skip

set_conversation_tags = Operation(
    name="set_conversation_tags", method="PUT", path=_ONE + "/tags",
    resource=Resource.CONVERSATIONS, action=Action.WRITE, needs=by_conversation, body=SetTags, returns=NoContent(),
    phrase="set the tags of conversation {conversation_id}",
    summary="Set the whole list of tags; tags not in it are removed, unknown names are created.",
    source=HS + "conversations/tags/update", errors=(_GONE, _LOCKED),
    emits=(events.CONVERSATION_TAGS, events.TAG_CREATED),
)  # fmt: skip

set_conversation_fields = Operation(
    name="set_conversation_fields", method="PUT", path=_ONE + "/fields",
    resource=Resource.CONVERSATIONS, action=Action.WRITE, needs=by_conversation, body=SetFields, returns=NoContent(),
    phrase="set the custom fields of conversation {conversation_id}",
    summary="Set all custom field values; fields not in the list are cleared.",
    source=HS + "conversations/custom_fields/update", errors=(_GONE, _LOCKED),
    emits=(events.CONVERSATION_CUSTOM_FIELDS,),
)  # fmt: skip

snooze_conversation = Operation(
    name="snooze_conversation", method="PUT", path=_ONE + "/snooze",
    resource=Resource.CONVERSATIONS, action=Action.WRITE, needs=by_conversation,
    body=SnoozeConversation, returns=NoContent(),
    phrase="snooze conversation {conversation_id}",
    summary="Put a conversation aside until a later time; a new snooze takes the place of the one before.",
    source=HS + "conversations/snooze/update", since="2024-05-31", errors=(_GONE, _LOCKED),
)  # fmt: skip

unsnooze_conversation = Operation(
    name="unsnooze_conversation", method="DELETE", path=_ONE + "/snooze",
    resource=Resource.CONVERSATIONS, action=Action.WRITE, needs=by_conversation, returns=NoContent(),
    phrase="end the snooze of conversation {conversation_id}",
    summary="End a snooze now: the conversation is active and in its folder again.",
    source=HS + "conversations/snooze/delete", since="2024-05-31", errors=(_GONE, _LOCKED),
    emits=(events.CONVERSATION_STATUS,),
)  # fmt: skip

OPERATIONS = (
    list_conversations, get_conversation, get_conversation_v3, create_conversation, update_conversation,
    delete_conversation, set_conversation_tags, set_conversation_fields, snooze_conversation, unsnooze_conversation,
)  # fmt: skip
