"""Inboxes, custom fields and folders in their wire form."""

from __future__ import annotations

from msgspec import UNSET

from deskhand.catalogue import inboxes as wire
from deskhand.catalogue.links import Link
from deskhand.desk.inboxes.folders import TYPES, Folder, folder_id
from deskhand.desk.inboxes.queries import Field, FolderCount, InboxRow
from deskhand.desk.inboxes.routing import Rotation


def inbox(row: InboxRow, base: str) -> wire.Inbox:
    """An inbox as the API shows it."""
    place = f"{base}/v2/mailboxes/{row.id}"
    return wire.Inbox(
        id=row.id,
        name=row.name,
        slug=row.slug,
        email=row.email,
        created_at=row.created_at,
        updated_at=row.updated_at,
        links={"self": Link(place), "folders": Link(f"{place}/folders"), "fields": Link(f"{place}/fields")},
    )


def field(row: Field) -> wire.InboxField:
    """A custom field as the API shows it; only a dropdown has options, even if there are none yet."""
    options = [wire.FieldOption(id=one.id, order=one.position, label=one.label) for one in row.options]
    return wire.InboxField(
        id=row.id,
        required=row.required,
        order=row.position,
        type=row.type,
        name=row.name,
        options=options if row.type == "dropdown" else UNSET,
    )


def folder(row: FolderCount, inbox: InboxRow, user_id: int, base: str) -> wire.Folder:
    """A folder as the API shows it to a user. It has no times of its own, so it takes the inbox's."""
    id = folder_id(inbox.id, row.kind)
    type, name = TYPES[row.kind]
    return wire.Folder(
        id=id,
        name=name,
        type=type,
        user_id=user_id if row.kind is Folder.MINE else 0,
        total_count=row.total,
        active_count=row.active,
        updated_at=inbox.updated_at,
        links={"self": Link(f"{base}/v2/mailboxes/{inbox.id}/folders/{id}")},
    )


def routing(found: Rotation, inbox_id: int, base: str) -> wire.Routing:
    """An inbox's routing as the API shows it."""
    return wire.Routing(
        state=found.setting.state,
        assignment_limit=found.setting.assignment_limit,
        assignment_method=found.setting.assignment_method,
        user_ids=[turn.user_id for turn in found.turns if turn.reason != "not_in_rotation"],
        rotation=[
            wire.RotationEntry(
                user_id=turn.user_id,
                conversations_count=turn.conversations,
                eligible=turn.reason is None,
                reason=turn.reason or UNSET,
            )
            for turn in found.turns
        ],
        links={"self": Link(f"{base}/v2/mailboxes/{inbox_id}/routing")},
    )
