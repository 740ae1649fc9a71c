"""Conversations and threads in their wire form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET, UnsetType

from deskhand.catalogue.attachments import Attachment
from deskhand.catalogue.conversations import (
    Conversation,
    ConversationEmbedded,
    ConversationTag,
    FieldValue,
    NextEvent,
    Snooze,
    Waiting,
)
from deskhand.catalogue.links import Link, Links
from deskhand.catalogue.people import Person, Source
from deskhand.catalogue.threads import Rating, Scheduled, Thread, ThreadAction, ThreadEmbedded
from deskhand.catalogue.values import stored
from deskhand.desk.conversations.queries import Shown
from deskhand.desk.conversations.threads.thread_queries import AttachmentRow, ShownThread
from deskhand.lib.clock import friendly

# Named here because writing `list[str]` in a call makes a new object each time.
_ADDRESSES, _TAGS, _FIELDS, _ENTITIES = list[str], list[ConversationTag], list[FieldValue], dict[str, int]
_NO_THREADS = ConversationEmbedded([])
_NO_ATTACHMENTS = ThreadEmbedded([])


def conversation(
    row: Shown,
    base: str,
    now: datetime,
    threads: list[Thread] | None = None,
    *,
    v3: bool = False,
    hide: frozenset[str] = frozenset(),
) -> Conversation:
    """A conversation as the API shows it; only v3 tells system users from users. `hide` may name its preview."""
    return Conversation(
        id=row.id,
        number=row.number,
        threads=row.threads,
        type=row.type,
        folder_id=row.folder_id,
        status=row.status,  # type: ignore[arg-type]
        state=row.state,
        subject=row.subject or UNSET,
        preview=UNSET if "preview" in hide else row.preview or UNSET,
        mailbox_id=row.inbox_id,
        assignee=_assignee(row, v3),
        created_by=_created_by(row, v3),
        created_at=row.created_at,
        closed_by=row.closed_by or 0,
        closed_by_user=_closed_by(row, v3),
        closed_at=row.closed_at or UNSET,
        user_updated_at=row.user_updated_at,
        customer_waiting_since=_waiting(row, now),
        source=Source(row.source_type, row.source_via),
        tags=stored(_TAGS, row.tags),
        cc=stored(_ADDRESSES, row.cc),
        bcc=stored(_ADDRESSES, row.bcc),
        primary_customer=Person(
            id=row.customer_id,
            type="customer",
            first=row.customer_first or UNSET,
            last=row.customer_last or UNSET,
            photo_url=row.customer_photo or UNSET,
            email=row.customer_email or UNSET,
        ),
        snooze=_snooze(row),
        next_event=_next_event(row),
        custom_fields=stored(_FIELDS, row.custom_fields),
        embedded=_NO_THREADS if threads is None else ConversationEmbedded(threads),
        links=_links(row, base),
    )


def _assignee(row: Shown, v3: bool) -> Person | UnsetType:
    if row.assignee_id is None or row.assignee_type is None:
        return UNSET
    return Person(
        id=row.assignee_id,
        type=_type(row.assignee_type, v3),
        first=row.assignee_first or UNSET,
        last=row.assignee_last or UNSET,
        email=row.assignee_email or UNSET,
    )


def _created_by(row: Shown, v3: bool) -> Person:
    if row.created_by_type == "customer":
        return Person(id=row.created_by_id, type="customer", email=row.creating_customer_email or UNSET)
    return Person(id=row.created_by_id, type=_type(row.creator_type or "user", v3), email=row.creator_email or UNSET)


def _closed_by(row: Shown, v3: bool) -> Person | UnsetType:
    if not row.closed_by or row.closer_type is None:
        return UNSET
    return Person(
        id=row.closed_by,
        type=_type(row.closer_type, v3),
        first=row.closer_first or UNSET,
        last=row.closer_last or UNSET,
        photo_url=row.closer_photo or UNSET,
        email=row.closer_email or UNSET,
    )


def _type(kind: str, v3: bool) -> str:
    return kind if v3 or kind != "system_user" else "user"


def _waiting(row: Shown, now: datetime) -> Waiting | UnsetType:
    if row.waiting_since is None:
        return UNSET
    since = datetime.fromisoformat(row.waiting_since)
    return Waiting(row.waiting_since, friendly(since, now), row.latest_reply_from or "customer")


def _snooze(row: Shown) -> Snooze | UnsetType:
    if row.snoozed_until is None:
        return UNSET
    return Snooze(row.snoozed_by or 0, row.snoozed_until, bool(row.unsnooze_on_reply))


def _next_event(row: Shown) -> NextEvent | UnsetType:
    if row.scheduled_for is not None and (row.snoozed_until is None or row.scheduled_for <= row.snoozed_until):
        return NextEvent(row.scheduled_for, "scheduled", row.scheduled_by or 0, bool(row.unschedule_on_reply))
    if row.snoozed_until is not None:
        return NextEvent(row.snoozed_until, "snooze", row.snoozed_by or 0, bool(row.unsnooze_on_reply))
    return UNSET


def _links(row: Shown, base: str) -> Links:
    # Written as text, because a page has two hundred of them; nothing in an address needs escaping.
    here, kind, creator = f"{base}/v2/conversations/{row.id}", row.created_by_type, row.created_by_id
    closer = f',"closedBy":{{"href":"{base}/v2/users/{row.closed_by}"}}' if row.closed_by else ""
    owner = ""
    if row.assignee_id is not None:
        owner = f',"assignee":{{"href":"{_owner_url(row.assignee_type, row.assignee_id, base)}"}}'
    return stored(
        Links,
        f'{{"self":{{"href":"{here}"}},"mailbox":{{"href":"{base}/v2/mailboxes/{row.inbox_id}"}},'
        f'"primaryCustomer":{{"href":"{base}/v2/customers/{row.customer_id}"}},'
        f'"{_creator_rel(kind)}":{{"href":"{_creator_url(kind, creator, base)}"}}{closer},'
        f'"threads":{{"href":"{here}/threads"}}{owner},"web":{{"href":"{base}/conversation/{row.id}/{row.number}"}}}}',
    )


def _creator_rel(kind: str) -> str:
    return "createdByCustomer" if kind == "customer" else "createdByUser"


def _creator_url(kind: str, id: int, base: str) -> str:
    return f"{base}/v2/{'customers' if kind == 'customer' else 'users'}/{id}"


def _owner_url(kind: str | None, id: int, base: str) -> str:
    return f"{base}/v2/{'teams' if kind == 'team' else 'users'}/{id}"


def threads(
    rows: Sequence[ShownThread], attachments: dict[int, list[AttachmentRow]], base: str, *, v3: bool = False
) -> list[Thread]:
    """Threads as the API shows them; `attachments` are by thread id."""
    return [thread(row, attachments.get(row.id, ()), base, v3=v3) for row in rows]


def thread(row: ShownThread, attachments: Sequence[AttachmentRow], base: str, *, v3: bool = False) -> Thread:
    """One thread; a line item has no body, and only what it has of the rest."""
    line_item = row.type == "lineitem"
    return Thread(
        id=row.id,
        type=row.type,
        status=row.status,
        state=row.state,
        action=ThreadAction(
            type=row.action_type,
            text=row.action_text or UNSET,
            associated_entities=stored(_ENTITIES, row.associated),
        ),
        body=UNSET if line_item or row.body is None else row.body,
        source=Source(row.source_type, row.source_via),
        customer=_customer(row),
        created_by=_author(row, v3),
        assigned_to=_assigned_to(row, v3),
        saved_reply_id=row.saved_reply_id,
        to=stored(_ADDRESSES, row.recipients),
        cc=stored(_ADDRESSES, row.cc),
        bcc=stored(_ADDRESSES, row.bcc),
        created_at=row.created_at,
        opened_at=row.opened_at or UNSET,
        linked_conversation_id=str(row.linked_conversation_id) if row.linked_conversation_id else UNSET,
        rating=_rating(row),
        scheduled=_scheduled(row),
        embedded=ThreadEmbedded([attachment(one, base) for one in attachments]) if attachments else _NO_ATTACHMENTS,
        links=_thread_links(row, base),
    )


def _customer(row: ShownThread) -> Person | UnsetType:
    if row.customer_id is None:
        return UNSET
    return Person(
        id=row.customer_id,
        first=row.customer_first or UNSET,
        last=row.customer_last or UNSET,
        photo_url=row.customer_photo or UNSET,
        email=row.customer_email or UNSET,
    )


def _author(row: ShownThread, v3: bool) -> Person:
    if row.created_by_type == "customer":
        kind, first, last = "customer", row.author_customer_first, row.author_customer_last
        photo, email = row.author_customer_photo, row.author_customer_email
    else:
        kind, first, last = _type(row.author_type or "user", v3), row.author_first, row.author_last
        photo, email = row.author_photo, row.author_email
    return Person(
        id=row.created_by_id,
        type=kind,
        first=first or UNSET,
        last=last or UNSET,
        photo_url=photo or UNSET,
        email=email or UNSET,
    )


def _assigned_to(row: ShownThread, v3: bool) -> Person | UnsetType:
    if row.assigned_to is None or row.owner_type is None:
        return UNSET
    return Person(
        id=row.assigned_to,
        type=_type(row.owner_type, v3),
        first=row.owner_first or UNSET,
        last=row.owner_last or UNSET,
        email=row.owner_email or UNSET,
    )


def _rating(row: ShownThread) -> Rating | UnsetType:
    if row.rating is None:
        return UNSET
    return Rating(row.customer_id or 0, row.rating, row.rating_comments or "")  # type: ignore[arg-type]


def _scheduled(row: ShownThread) -> Scheduled | UnsetType:
    if row.scheduled_for is None:
        return UNSET
    return Scheduled(
        scheduled_by=row.scheduled_by or 0,
        send_as_id=row.send_as_id or UNSET,
        created_at=row.scheduled_at or row.created_at,
        scheduled_for=row.scheduled_for,
        unschedule_on_customer_reply=bool(row.unschedule_on_reply),
    )


def _thread_links(row: ShownThread, base: str) -> Links:
    links: Links = {}
    if row.assigned_to is not None:
        links["assignedTo"] = Link(_owner_url(row.owner_type, row.assigned_to, base))
    links[_creator_rel(row.created_by_type)] = Link(_creator_url(row.created_by_type, row.created_by_id, base))
    if row.customer_id is not None:
        links["customer"] = Link(f"{base}/v2/customers/{row.customer_id}")
    return links


def attachment(row: AttachmentRow, base: str) -> Attachment:
    """An attachment's description."""
    here = f"{base}/v2/conversations/{row.conversation_id}/attachments/{row.id}"
    return Attachment(
        id=row.id,
        filename=row.filename,
        mime_type=row.mime_type,
        width=row.width or UNSET,
        height=row.height or UNSET,
        size=row.size,
        state=row.state,  # type: ignore[arg-type]
        links={"self": Link(here), "data": Link(f"{here}/data")},
    )
