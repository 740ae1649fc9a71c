"""Teams in their wire form."""

from __future__ import annotations

from deskhand.catalogue.links import Link
from deskhand.catalogue.teams import Team
from deskhand.desk.users.queries import UserRow


def team(row: UserRow, base: str) -> Team:
    """A team as the API shows it."""
    place = f"{base}/v2/teams/{row.id}"
    return Team(
        id=row.id,
        name=row.first_name,
        timezone=row.timezone,
        photo_url=row.photo_url,
        mention=row.mention,
        initials="".join(word[0] for word in row.first_name.split()[:2]).upper(),
        created_at=row.created_at,
        updated_at=row.updated_at,
        links={"self": Link(place), "members": Link(f"{place}/members")},
    )
