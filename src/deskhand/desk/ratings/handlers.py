"""Ratings, as the API's operations."""

from __future__ import annotations

from deskhand.catalogue import ratings as operations
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.ratings import GivenRating
from deskhand.desk import access
from deskhand.desk.call import Call, implements
from deskhand.desk.ratings import queries, represent


@implements(operations.get_rating)
def get_rating(call: Call[NoQuery, NoBody]) -> GivenRating:
    row = queries.by_id(call.tx, call.actor.account_id, call.path[0])
    if row is None:
        raise NotFound
    access.require_inbox(call.actor, row.inbox_id)
    return represent.rating(row, call.base)
