"""Conversations and their threads, as the API's operations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import chain
from typing import Any

from deskhand.catalogue import attachments as attachment_operations
from deskhand.catalogue import conversations as operations
from deskhand.catalogue import threads as thread_operations
from deskhand.catalogue.attachments import Attachment, NewAttachment
from deskhand.catalogue.conversations import (
    MERGED_FOUND_DAYS,
    PAGE_SIZE,
    Conversation,
    GetConversation,
    ListConversations,
    NewConversation,
    Patch,
    Patches,
    SetFields,
    SetTags,
)
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import BadRequest, FieldError, NotFound
from deskhand.catalogue.threads import (
    ListThreads,
    NewChat,
    NewCustomerThread,
    NewNote,
    NewReply,
    Thread,
)
from deskhand.desk.call import Call, Created, FileData, MovedTo, Page, implements
from deskhand.desk.conversations import changing, moving, narrowing, queries, replying, represent, starting, tagging
from deskhand.desk.conversations.listing import finding
from deskhand.desk.conversations.listing.filters import FIELD_FILTERS_MOST, Wanted
from deskhand.desk.conversations.listing.search import read as read_query
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.writing import checked_files
from deskhand.lib.clock import from_wire
from deskhand.lib.text import fold

_SLOW_SORTS = ("mailboxid", "status", "waitingSince")
_SLOW_PAGE = 20


def _slow(query: ListConversations) -> bool:
    """Lists that no index serves in order, so that many rows are read before the first is known; and whole threads."""
    return bool(
        query.embed or query.query or query.tag or query.custom_fields_by_ids or query.modified_since
        or query.page > _SLOW_PAGE or query.sort_field in _SLOW_SORTS
    )  # fmt: skip


@implements(operations.list_conversations, slow=_slow)
def list_conversations(call: Call[ListConversations, NoBody]) -> Page[Conversation]:
    query = call.query
    found, total = finding.find(call.tx, _wanted(call))
    threads: dict[int, list[Thread]] = {}
    if query.embed and found:
        threads = _threads_of(call, [row.id for row in found])
    now = from_wire(call.now)
    items = [
        represent.conversation(
            row, call.base, now, threads.get(row.id, []) if query.embed else None, hide=call.actor.hide
        )
        for row in found
    ]
    return Page(items, query.page, PAGE_SIZE, total)


def _wanted(call: Call[ListConversations, NoBody]) -> Wanted:
    query, actor = call.query, call.actor
    inboxes: tuple[int, ...] | None = actor.inboxes
    if query.mailbox is not None:
        asked = tuple(query.mailbox)
        inboxes = asked if actor.inboxes is None else tuple(id for id in asked if id in actor.inboxes)
    return Wanted(
        account_id=actor.account_id,
        user_id=actor.user_id,
        inboxes=inboxes,
        status=query.status,
        folder=query.folder,
        tags=tuple(fold(name) for name in query.tag or ()),
        assigned_to=query.assigned_to,
        modified_since=str(query.modified_since) if query.modified_since else None,
        number=query.number,
        fields=_field_filters(query),
        search=read_query(query.query, actor.account_id, from_wire(call.now)) if query.query else None,
        sort=query.sort_field,
        descending=query.sort_order == "desc",
        page=query.page,
    )


def _field_filters(query: ListConversations) -> tuple[tuple[int, str], ...]:
    """`id:value` pairs. Source: conversations/list (customFieldsByIds needs mailbox)."""
    given = query.custom_fields_by_ids
    if not given:
        return ()
    path = "customFieldsByIds"
    if query.mailbox is None:
        text = "must be combined with mailbox"
        raise BadRequest(FieldError(path, text, "NotNull", ",".join(given)[:200], "QUERY"))
    pairs = []
    for one in given:
        id, _, value = one.partition(":")
        if not (id.isascii() and id.isdigit() and len(id) < 19 and value) or len(given) > FIELD_FILTERS_MOST:
            text = f"must be at most {FIELD_FILTERS_MOST} pairs id:value"
            raise BadRequest(FieldError(path, text, "ValidIdentifier", one[:200], "QUERY"))
        pairs.append((int(id), value))
    return tuple(pairs)


@implements(operations.get_conversation)
def get_conversation(call: Call[GetConversation, NoBody]) -> Conversation | MovedTo:
    return _get(call, v3=False)


@implements(operations.get_conversation_v3)
def get_conversation_v3(call: Call[GetConversation, NoBody]) -> Conversation | MovedTo:
    return _get(call, v3=True)


def _get(call: Call[GetConversation, NoBody], *, v3: bool) -> Conversation | MovedTo:
    row = queries.one(call.tx, call.actor, call.path[0])
    now = from_wire(call.now)
    if row.merged_into is not None:
        if row.merged_at is None or from_wire(row.merged_at) < now - timedelta(days=MERGED_FOUND_DAYS):
            raise NotFound
        return MovedTo(f"/{'v3' if v3 else 'v2'}/conversations/{row.merged_into}")
    threads = _threads_of(call, [row.id], v3=v3).get(row.id, []) if call.query.embed else None
    return represent.conversation(row, call.base, now, threads, v3=v3, hide=call.actor.hide)


def _threads_of(call: Call[Any, Any], ids: Sequence[int], *, v3: bool = False) -> dict[int, list[Thread]]:
    account_id = call.actor.account_id
    found = thread_queries.of_conversations(call.tx, account_id, ids)
    narrowing.leave_out_unknown(call.tx, account_id, call.actor.only, chain.from_iterable(found.values()))
    attachments = thread_queries.attachments_of(call.tx, account_id, [row for rows in found.values() for row in rows])
    return {id: represent.threads(rows, attachments, call.base, v3=v3) for id, rows in found.items()}


@implements(
    operations.create_conversation,
    files=lambda new: [file.data for file in _checked_threads(new)],
)
def create_conversation(call: Call[NoQuery, NewConversation]) -> Created:
    id = starting.start(call.tx, call.actor, call.body, call.stored, call.now)
    return Created(id, f"/v2/conversations/{id}")


def _checked_threads(new: NewConversation) -> list[NewAttachment]:
    return [
        file
        for position, thread in enumerate(new.threads)
        for file in checked_files(thread.attachments, f"threads[{position}].attachments")
    ]


@implements(operations.update_conversation)
def update_conversation(call: Call[NoQuery, Patches]) -> None:
    patches = [call.body] if isinstance(call.body, Patch) else call.body
    changing.change(call.tx, call.actor, call.path[0], patches, call.now)


@implements(operations.delete_conversation)
def delete_conversation(call: Call[NoQuery, NoBody]) -> None:
    moving.delete(call.tx, call.actor, call.path[0], call.now)


@implements(operations.set_conversation_tags)
def set_conversation_tags(call: Call[NoQuery, SetTags]) -> None:
    tagging.set_tags(call.tx, call.actor, call.path[0], call.body.tags, call.now)


@implements(operations.set_conversation_fields)
def set_conversation_fields(call: Call[NoQuery, SetFields]) -> None:
    changing.set_fields(call.tx, call.actor, call.path[0], call.body.fields, call.now)


@implements(thread_operations.list_threads)
def list_threads(call: Call[ListThreads, NoBody]) -> Page[Thread]:
    return _list_threads(call, v3=False)


@implements(thread_operations.list_threads_v3)
def list_threads_v3(call: Call[ListThreads, NoBody]) -> Page[Thread]:
    return _list_threads(call, v3=True)


def _list_threads(call: Call[ListThreads, NoBody], *, v3: bool) -> Page[Thread]:
    head = queries.head(call.tx, call.actor, call.path[0])
    number, account_id = call.query.page, call.actor.account_id
    found, total = thread_queries.page(call.tx, account_id, head.id, number)
    narrowing.leave_out_unknown(call.tx, account_id, call.actor.only, found)
    attachments = thread_queries.attachments_of(call.tx, account_id, found)
    return Page(represent.threads(found, attachments, call.base, v3=v3), number, thread_queries.PAGE_SIZE, total)


def _files(body: NewReply | NewNote | NewChat | NewCustomerThread) -> list[bytes]:
    return [file.data for file in checked_files(body.attachments)]


def _with_files(call: Call[Any, Any]) -> replying.Files:
    return list(zip(call.body.attachments or (), call.stored, strict=True))


def _created_thread(call: Call[Any, Any], thread_id: int) -> Created:
    return Created(thread_id, f"/v2/conversations/{call.path[0]}/threads/{thread_id}")


@implements(thread_operations.reply_to_conversation, files=_files)
def reply_to_conversation(call: Call[NoQuery, NewReply]) -> Created:
    made = replying.reply(call.tx, call.actor, call.path[0], call.body, _with_files(call), call.now)
    return _created_thread(call, made)


@implements(thread_operations.add_note, files=_files)
def add_note(call: Call[NoQuery, NewNote]) -> Created:
    made = replying.add_note(call.tx, call.actor, call.path[0], call.body, _with_files(call), call.now)
    return _created_thread(call, made)


@implements(thread_operations.add_chat, files=_files)
def add_chat(call: Call[NoQuery, NewChat]) -> Created:
    made = replying.add_chat_or_phone(call.tx, call.actor, call.path[0], call.body, "chat", _with_files(call), call.now)
    return _created_thread(call, made)


@implements(thread_operations.add_phone, files=_files)
def add_phone(call: Call[NoQuery, NewChat]) -> Created:
    made = replying.add_chat_or_phone(
        call.tx, call.actor, call.path[0], call.body, "phone", _with_files(call), call.now
    )
    return _created_thread(call, made)


@implements(thread_operations.add_customer_thread, files=_files)
def add_customer_thread(call: Call[NoQuery, NewCustomerThread]) -> Created:
    made = replying.add_customer_thread(call.tx, call.actor, call.path[0], call.body, _with_files(call), call.now)
    return _created_thread(call, made)


@implements(attachment_operations.get_attachment)
def get_attachment(call: Call[NoQuery, NoBody]) -> Attachment:
    return represent.attachment(_attachment(call), call.base)


@implements(attachment_operations.get_attachment_data)
def get_attachment_data(call: Call[NoQuery, NoBody]) -> FileData:
    row = _attachment(call)
    file = call.blobs.path(row.sha256)
    if row.state != "valid" or not file.is_file():
        raise NotFound
    return FileData(file)


def _attachment(call: Call[NoQuery, NoBody]) -> thread_queries.AttachmentRow:
    head = queries.head(call.tx, call.actor, call.path[0])
    row = thread_queries.one_attachment(call.tx, call.actor.account_id, head.id, call.path[1])
    if row is None:
        raise NotFound
    return row
