"""What every change of a conversation is made of: taking it for writing, saving it, adding threads, telling of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.attachments import LARGEST, NewAttachment
from deskhand.catalogue.problems import BadRequest, FieldError, PreconditionFailed, TooLarge, empty
from deskhand.catalogue.threads import MOST
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, Statement, command
from deskhand.desk import counters
from deskhand.desk.call import Actor
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import attachment, conversation, thread
from deskhand.desk.inboxes.folders import Folder, folder_id, home
from deskhand.lib.blobs import Blob
from deskhand.lib.clock import from_wire
from deskhand.lib.images import size_of
from deskhand.lib.viruses import is_virus
from deskhand.outbox import events

_COUNTED = frozenset({"inbox_id", "folder_id", "status", "assignee_id", "tags", "merged_into"})
"""What the numbers that a conversation belongs to depend on: see `count`."""
_TOLD_BY_NOTHING = frozenset({"subject", "customer_id", "snoozed_until", "scheduled_for"})
"""What no event tells of, though open pages show it."""
_FIXED = frozenset({"id", "account_id", "number", "created_at"})


class ThreadRow(msgspec.Struct, frozen=True, kw_only=True):
    """A thread to be added."""

    account_id: int
    conversation_id: int
    type: str
    status: str = "nochange"
    state: str = "published"
    action_type: str = "default"
    action_text: str = ""
    associated: str = "{}"
    body: str | None = None
    source_type: str = "api"
    source_via: str = "user"
    customer_id: int | None = None
    created_by_type: str = "user"
    created_by_id: int
    assigned_to: int | None = None
    saved_reply_id: int = 0
    recipients: str = "[]"
    cc: str = "[]"
    bcc: str = "[]"
    created_at: str
    linked_conversation_id: int | None = None
    on_publish: str = "{}"
    imported: int = 0
    attachments: int = 0
    waited_since: str | None = None
    first_reply: int = 0


class AttachmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment to be added."""

    account_id: int
    conversation_id: int
    thread_id: int
    filename: str
    mime_type: str
    size: int
    width: int | None
    height: int | None
    state: str
    sha256: str
    content_id: str | None = None


_ADD_THREAD = Insert(thread, ThreadRow)
_ADD_ATTACHMENT = Insert(attachment, AttachmentRow)


def take(tx: Writer, actor: Actor, id: int, now: str) -> Head:
    """A conversation to be changed; raises NotFound, AccessDenied, or PreconditionFailed when it is locked by age."""
    head = queries.head(tx, actor, id, lock=True)
    days = actor.policy.lock_after_days
    if days and from_wire(head.created_at) < from_wire(now) - timedelta(days=days):
        text = f"the conversation is older than {days} days and locked by company policy"
        raise PreconditionFailed(FieldError("conversationId", text, "precondition-failed", source="URI"))
    return head


def require_room(head: Head) -> None:
    """Raises PreconditionFailed when a conversation holds as many threads as it may."""
    if head.capped_threads >= MOST:
        text = f"the conversation already has {MOST} threads"
        raise PreconditionFailed(FieldError("conversationId", text, "precondition-failed", source="URI"))


def save(tx: Writer, before: Head, after: Head) -> Head:
    """Write what differs, move the conversation to the folder it belongs in, and keep the counters."""
    after = msgspec.structs.replace(after, folder_id=_folder(after))
    old, new = msgspec.structs.astuple(before), msgspec.structs.astuple(after)
    pairs = zip(Head.__struct_fields__, old, new, strict=True)
    changed = {name: is_now for name, was, is_now in pairs if is_now != was and name not in _FIXED}
    if changed:
        tx.run(_update(tuple(changed)), id=before.id, for_account=before.account_id, **changed)
    if not _COUNTED.isdisjoint(changed):
        count(tx, before, -1)
        count(tx, after, 1)
    if not _TOLD_BY_NOTHING.isdisjoint(changed):
        show_anew(tx)
    return after


def show_anew(tx: Writer) -> None:
    """Let open pages show what no event tells of."""
    tx.changed(events.PAGES)


@lru_cache(maxsize=1024)
def _update(names: tuple[str, ...]) -> Statement[None]:
    return command(
        sa.update(conversation)
        .where(conversation.c.id == P("id"), conversation.c.account_id == P("for_account"))
        .values({name: P(name) for name in names}),
        keep=False,
    )


def _folder(head: Head) -> int:
    kind = home(
        state=head.state,
        status=head.status,
        assigned=head.assignee_id is not None,
        snoozed=head.snoozed_until is not None,
    )
    return folder_id(head.inbox_id, kind)


def count(tx: Writer, head: Head, by: int) -> None:
    """Count a conversation in (1) or out (-1) of all numbers it belongs to."""
    if head.merged_into is not None:
        return
    account, inbox = head.account_id, head.inbox_id
    active = head.status == "active"
    counters.add(tx, (account, "status", counters.STATUS_CODES[head.status], inbox), by)
    counters.add(tx, (account, "folder", head.folder_id, inbox), by)
    if active:
        counters.add(tx, (account, "folder_active", head.folder_id, inbox), by)
    if head.assignee_id is not None and head.folder_id % 10 == Folder.ASSIGNED:
        counters.add(tx, (account, "owner", head.assignee_id, inbox), by)
        if active:
            counters.add(tx, (account, "owner_active", head.assignee_id, inbox), by)
    for tag_id in tag_ids(head):
        counters.add(tx, (account, "tag", tag_id, inbox), by)


def tag_ids(head: Head) -> list[int]:
    """The tags a conversation carries."""
    return [] if head.tags == "[]" else [tag["id"] for tag in msgspec.json.decode(head.tags)]


def add_thread(tx: Writer, row: ThreadRow, files: Sequence[tuple[NewAttachment, Blob]] = ()) -> int:
    """Add a thread and its attachments; gives the thread's id."""
    thread_id = tx.add(_ADD_THREAD, row)
    for given, blob in files:
        add_file(tx, row.account_id, row.conversation_id, thread_id, given, blob)
    return thread_id


def add_file(
    tx: Writer,
    account_id: int,
    conversation_id: int,
    thread_id: int,
    given: NewAttachment,
    blob: Blob,
    content_id: str | None = None,
) -> int:
    """Add an attachment to a thread, whose number of attachments is the caller's to keep; gives its id.

    `content_id` is what the body of a mail calls a file that it shows in place.
    """
    width, height = size_of(given.data)
    row = AttachmentRow(
        account_id=account_id,
        conversation_id=conversation_id,
        thread_id=thread_id,
        filename=given.file_name or given.lower_filename or "",
        mime_type=given.mime_type,
        size=blob.size,
        width=width,
        height=height,
        state="virus" if is_virus(given.data) else "valid",
        sha256=blob.sha256,
        content_id=content_id,
    )
    return tx.add(_ADD_ATTACHMENT, row)


def add_line_item(
    tx: Writer, head: Head, actor: Actor, now: str, text: str, kind: str = "default", **associated: int
) -> int:
    """Add a line item that tells in words what was changed."""
    return add_thread(
        tx,
        ThreadRow(
            account_id=head.account_id,
            conversation_id=head.id,
            type="lineitem",
            action_type=kind,
            action_text=text,
            associated=_json(associated),
            created_by_id=actor.user_id,
            created_at=now,
        ),
    )


def checked_files(given: Sequence[NewAttachment] | None, path: str = "attachments") -> list[NewAttachment]:
    """Attachments whose names and sizes are in order; raises BadRequest or TooLarge."""
    files = list(given or ())
    for position, file in enumerate(files):
        check_file(file, f"{path}[{position}].")
    return files


def check_file(file: NewAttachment, place: str = "") -> None:
    """Raises BadRequest for an attachment without a name, TooLarge for one that is; `place` goes before the field."""
    if not (file.file_name or file.lower_filename):
        raise BadRequest(empty(f"{place}fileName"))
    if len(file.data) > LARGEST:
        raise TooLarge(FieldError(f"{place}data", f"must be at most {LARGEST} bytes", "Size"))


def tell(
    tx: Writer, actor: Actor, head: Head, name: str, now: str, *, thread_id: int | None = None, **particulars: Any
) -> None:
    """Record an event about a conversation; of a draft nothing is told."""
    if head.state == "draft":
        return
    by_customer = particulars.pop("by_customer", None)
    if actor.chain:
        particulars["workflows"] = actor.chain
    events.record(
        tx,
        events.Event(
            account_id=head.account_id,
            name=name,
            subject_id=head.id,
            inbox_id=head.inbox_id,
            thread_id=thread_id,
            actor_type="customer" if by_customer else "user",
            actor_id=by_customer or actor.user_id,
            at=now,
            particulars=_json(particulars),
        ),
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode() if value else "{}"
