"""People as conversations and threads show them."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from deskhand.catalogue.values import Shape


class Person(Shape, kw_only=True):
    """A user, team, system user or customer; what is not known is left out."""

    id: int
    type: str | UnsetType = UNSET
    first: str | UnsetType = UNSET
    last: str | UnsetType = UNSET
    photo_url: str | UnsetType = UNSET
    email: str | UnsetType = UNSET


class Source(Shape):
    """By which way something came in, and from which side."""

    type: str
    via: str
