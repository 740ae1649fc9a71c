"""Ratings in their wire form."""

from __future__ import annotations

from msgspec import UNSET

from deskhand.catalogue.links import Link
from deskhand.catalogue.ratings import GivenRating, RatedUser, RatingCustomer
from deskhand.desk.ratings.queries import RatingRow


def rating(row: RatingRow, base: str) -> GivenRating:
    """A rating as the API shows it; what is not known of people is left out."""
    return GivenRating(
        id=row.id,
        thread_id=row.thread_id,
        conversation_id=row.conversation_id,
        conversation_number=row.conversation_number,
        mailbox_id=row.inbox_id,
        rating=row.rating,  # type: ignore[arg-type]
        comments=row.comments or UNSET,
        created_at=row.created_at,
        modified_at=row.modified_at,
        user=RatedUser(
            id=row.user_id,
            email=row.user_email or UNSET,
            first_name=row.user_first or UNSET,
            last_name=row.user_last or UNSET,
        ),
        customer=RatingCustomer(
            id=row.customer_id,
            email=row.customer_email or UNSET,
            first_name=row.customer_first or UNSET,
            last_name=row.customer_last or UNSET,
            photo_url=row.customer_photo or UNSET,
        ),
        links={
            "conversation": Link(f"{base}/v2/conversations/{row.conversation_id}"),
            "mailbox": Link(f"{base}/v2/mailboxes/{row.inbox_id}"),
            "customer": Link(f"{base}/v2/customers/{row.customer_id}"),
            "user": Link(f"{base}/v2/users/{row.user_id}"),
            "self": Link(f"{base}/v2/ratings/{row.id}"),
        },
    )
