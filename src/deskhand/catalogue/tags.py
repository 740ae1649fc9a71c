"""Tags: words that conversations are marked with. They are made by tagging a conversation, nowhere else."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from deskhand.catalogue.needs import no_inbox
from deskhand.catalogue.operation import HS, Action, ListOf, One, Operation, Resource
from deskhand.catalogue.values import PageNumber, Shape


class Tag(Shape, kw_only=True):
    """A tag as it is read; `ticket_count` is how many conversations the caller may see that carry it.

    An agent that is not granted all inboxes is not told it.
    """

    id: int
    name: str
    slug: str
    color: str
    created_at: str
    updated_at: str
    ticket_count: int | UnsetType = UNSET


class ListTags(Shape, kw_only=True):
    """Which tags to list."""

    page: PageNumber = 1


list_tags = Operation(
    name="list_tags", method="GET", path="/v2/tags",
    resource=Resource.TAGS, action=Action.READ, needs=no_inbox, query=ListTags, returns=ListOf("tags", Tag),
    phrase="list tags",
    summary="List the account's tags in alphabetical order, each with how many conversations carry it.",
    source=HS + "tags/list",
)  # fmt: skip

get_tag = Operation(
    name="get_tag", method="GET", path="/v2/tags/{tag_id}",
    resource=Resource.TAGS, action=Action.READ, needs=no_inbox, returns=One(Tag),
    phrase="read tag {tag_id}",
    summary="One tag.",
    source=HS + "tags/get",
)  # fmt: skip

OPERATIONS = (list_tags, get_tag)
