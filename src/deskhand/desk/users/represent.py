"""Users in their wire form."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from deskhand.catalogue.links import Link
from deskhand.catalogue.users import User
from deskhand.catalogue.values import stored
from deskhand.desk.users.queries import UserRow


def user(row: UserRow, base: str, company_id: int | UnsetType = UNSET) -> User:
    """A user as the API shows it; `company_id` only to the user themselves."""
    return User(
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
        initials=(row.first_name[:1] + row.last_name[:1]).upper(),
        job_title=row.job_title,
        phone=row.phone,
        alternate_emails=stored(list[str], row.alternate_emails),
        company_id=company_id,
        links={"self": Link(f"{base}/v2/users/{row.id}")},
    )
