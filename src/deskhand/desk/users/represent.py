"""Users, their statuses and system users in their wire form."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from deskhand.catalogue import users as wire
from deskhand.catalogue.links import Link
from deskhand.catalogue.values import stored
from deskhand.desk.users.queries import UserRow
from deskhand.desk.users.statuses import Status, WhileAway


def user(row: UserRow, base: str, company_id: int | UnsetType = UNSET) -> wire.User:
    """A user as the API shows it; `company_id` only to the user themselves."""
    return wire.User(
        id=row.id,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        role=row.role,
        timezone=row.timezone,
        photo_url=row.photo_url,
        created_at=row.created_at,
        updated_at=row.updated_at,
        type="user",
        mention=row.mention,
        initials=_initials(row),
        job_title=row.job_title,
        phone=row.phone,
        alternate_emails=stored(list[str], row.alternate_emails),
        company_id=company_id,
        links={"self": Link(f"{base}/v2/users/{row.id}")},
    )


def system_user(row: UserRow, base: str) -> wire.SystemUser:
    """A system user as the API's version 3 shows it; version 2 shows it as a user."""
    return wire.SystemUser(
        id=row.id,
        first_name=row.first_name,
        last_name=row.last_name,
        initials=_initials(row),
        timezone=row.timezone,
        role=row.role,
        created_at=row.created_at,
        updated_at=row.updated_at,
        links={"self": Link(f"{base}/v3/system-users/{row.id}")},
    )


def _initials(row: UserRow) -> str:
    return (row.first_name[:1] + row.last_name[:1]).upper()


def status(row: Status, base: str, only: frozenset[int] | None = None) -> wire.UserStatus:
    """A user's status as the API shows it; of chats in no other inboxes than `only`, where that is given."""
    chats = stored(dict[str, str], row.chat_inboxes)
    if only is not None:
        chats = {inbox: chat for inbox, chat in msgspec.json.decode(row.chat_inboxes).items() if int(inbox) in only}
    return wire.UserStatus(
        user_id=row.user_id,
        email=wire.EmailStatus(
            status=row.status,
            updated_at=row.updated_at,
            performed_by=row.performed_by,
            source=row.source,
            custom_status=_custom(row),
        ),
        chat=wire.ChatStatus(status=row.chat_status, mailbox_statuses=chats),
        links={"self": Link(f"{base}/v2/users/{row.user_id}/status")},
    )


def _custom(row: Status) -> wire.CustomStatus | UnsetType:
    if row.custom_text is None:
        return UNSET
    return wire.CustomStatus(
        text=row.custom_text,
        emoji=row.emoji if row.emoji is not None else UNSET,
        emoji_name=row.emoji_name if row.emoji_name is not None else UNSET,
    )


def reassignment(row: WhileAway) -> wire.Reassignment:
    """What becomes of a user's conversations while they are away, as the API shows it."""
    return wire.Reassignment(
        enabled=bool(row.enabled), away_duration=wire.AwayDuration(hours=row.hours, minutes=row.minutes)
    )
