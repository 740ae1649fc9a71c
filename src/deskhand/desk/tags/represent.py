"""Tags in their wire form."""

from __future__ import annotations

from deskhand.catalogue.tags import Tag
from deskhand.desk.tags.queries import CountedTag


def tag(row: CountedTag) -> Tag:
    """A tag as the API shows it."""
    return Tag(
        id=row.id,
        name=row.name,
        slug=row.slug,
        color=row.color,
        created_at=row.created_at,
        updated_at=row.updated_at,
        ticket_count=row.conversations,
    )
