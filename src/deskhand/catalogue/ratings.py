"""Ratings: what customers thought of replies."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType, field

from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import no_inbox, threads_read
from deskhand.catalogue.operation import HS, Action, Asked, Need, Of, One, Operation, Resource
from deskhand.catalogue.values import Shape

Opinion = Literal["great", "okay", "not_good", "unknown"]


class RatedUser(Shape, kw_only=True):
    """The user whose reply was rated."""

    id: int
    email: str | UnsetType = UNSET
    first_name: str | UnsetType = UNSET
    last_name: str | UnsetType = UNSET


class RatingCustomer(RatedUser, kw_only=True):
    """The customer who gave the rating."""

    photo_url: str | UnsetType = UNSET


class GivenRating(Shape, kw_only=True):
    """A rating as it is read."""

    id: int
    thread_id: int
    conversation_id: int
    conversation_number: int
    mailbox_id: int
    rating: Opinion
    comments: str | UnsetType = UNSET
    created_at: str
    modified_at: str
    user: RatedUser
    customer: RatingCustomer
    links: Links = field(name="_links")


def _visible(asked: Asked) -> tuple[Need, ...]:
    """A rating is seen where its thread is, which repeats it."""
    return no_inbox(asked) + threads_read(Of("rating", asked.path[0]))


get_rating = Operation(
    name="get_rating", method="GET", path="/v2/ratings/{rating_id}",
    resource=Resource.RATINGS, action=Action.READ, needs=_visible, returns=One(GivenRating),
    phrase="read rating {rating_id}",
    summary="What a customer thought of a reply: great, okay or not good, and in which words.",
    source=HS + "ratings/get",
)  # fmt: skip

OPERATIONS = (get_rating,)
