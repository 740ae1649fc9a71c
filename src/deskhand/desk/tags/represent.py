"""Tags in their wire form."""

from __future__ import annotations

from msgspec import UNSET

from deskhand.catalogue.tags import Tag
from deskhand.desk.tags.queries import CountedTag


def tag(row: CountedTag, hide: frozenset[str] = frozenset()) -> Tag:
    """A tag as the API shows it; `hide` may name its count."""
    return Tag(
        id=row.id,
        name=row.name,
        slug=row.slug,
        color=row.color,
        created_at=row.created_at,
        updated_at=row.updated_at,
        ticket_count=UNSET if "tag_counts" in hide else row.conversations,
    )
