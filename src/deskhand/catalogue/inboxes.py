"""Inboxes (`mailboxes` on the wire), their custom fields and their folders."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import by_inbox, every_inbox
from deskhand.catalogue.operation import HS, Action, ListOf, NoContent, One, Operation, Resource
from deskhand.catalogue.values import Id, PageNumber, Shape

LIMIT_MOST = 100
"""Conversations that routing lets a user have at most. Source: inboxes/routing/routing-configuration-update."""
ROTATION_MOST = 1_000
"""Users that can be in one inbox's rotation; our choice."""


class Inbox(Shape, kw_only=True):
    """An inbox as it is read."""

    id: int
    name: str
    slug: str
    email: str
    created_at: str
    updated_at: str
    links: Links = field(name="_links")


class FieldOption(Shape, kw_only=True):
    """One choice of a dropdown; a conversation's value is its id."""

    id: int
    order: int
    label: str


class InboxField(Shape, kw_only=True):
    """A custom field of an inbox: `dropdown`, `singleline`, `multiline`, `number` or `date`."""

    id: int
    required: bool
    order: int
    type: str
    name: str
    options: list[FieldOption] | UnsetType = UNSET


class Folder(Shape, kw_only=True):
    """A folder of an inbox; `user_id` is 0 unless it is the caller's own."""

    id: int
    name: str
    type: str
    user_id: int
    total_count: int
    active_count: int
    updated_at: str
    links: Links = field(name="_links")


class ListInboxes(Shape, kw_only=True):
    """Which inboxes to list."""

    page: PageNumber = 1


class ListInboxFields(Shape, kw_only=True):
    """Which custom fields to list."""

    page: PageNumber = 1


class ListInboxFolders(Shape, kw_only=True):
    """Which folders to list."""

    page: PageNumber = 1


RoutingState = Literal["enabled", "disabled"]
AssignmentMethod = Literal["round_robin", "balanced"]
NotEligible = Literal["at_capacity", "away", "not_in_rotation"]


class RotationEntry(Shape, kw_only=True):
    """A user of the inbox: how many active conversations they have there, and why they get no more if they don't."""

    user_id: int
    conversations_count: int
    eligible: bool
    reason: NotEligible | UnsetType = UNSET


class Routing(Shape, kw_only=True):
    """How an inbox's new conversations are given to users; `rotation` has everybody who sees the inbox."""

    state: RoutingState
    assignment_limit: int
    assignment_method: AssignmentMethod
    user_ids: list[int]
    rotation: list[RotationEntry]
    links: Links = field(name="_links")


class SetRouting(Shape, kw_only=True):
    """How an inbox's new conversations shall be given to users; `userIds` may be empty only while disabled."""

    state: RoutingState
    assignment_limit: Annotated[int, Meta(ge=1, le=LIMIT_MOST)]
    assignment_method: AssignmentMethod
    user_ids: Annotated[list[Id], Meta(max_length=ROTATION_MOST)]


_HIDDEN = ((403, "the caller may not see this inbox"),)

list_inboxes = Operation(
    name="list_inboxes", method="GET", path="/v2/mailboxes",
    resource=Resource.INBOXES, action=Action.READ, needs=every_inbox,
    query=ListInboxes, returns=ListOf("mailboxes", Inbox),
    phrase="list inboxes",
    summary="List the inboxes that the caller may see.",
    source=HS + "inboxes/list",
)  # fmt: skip

get_inbox = Operation(
    name="get_inbox", method="GET", path="/v2/mailboxes/{inbox_id}",
    resource=Resource.INBOXES, action=Action.READ, needs=by_inbox, returns=One(Inbox), errors=_HIDDEN,
    phrase="read inbox {inbox_id}",
    summary="One inbox.",
    source=HS + "inboxes/get",
)  # fmt: skip

list_inbox_fields = Operation(
    name="list_inbox_fields", method="GET", path="/v2/mailboxes/{inbox_id}/fields",
    resource=Resource.INBOXES, action=Action.READ, needs=by_inbox,
    query=ListInboxFields, returns=ListOf("fields", InboxField),
    errors=_HIDDEN,
    phrase="list custom fields of inbox {inbox_id}",
    summary="List the custom fields that conversations of an inbox can carry, in order; a dropdown with its options.",
    source=HS + "inboxes/inbox-fields",
)  # fmt: skip

list_inbox_folders = Operation(
    name="list_inbox_folders", method="GET", path="/v2/mailboxes/{inbox_id}/folders",
    resource=Resource.INBOXES, action=Action.READ, needs=by_inbox,
    query=ListInboxFolders, returns=ListOf("folders", Folder),
    errors=_HIDDEN,
    phrase="list folders of inbox {inbox_id}",
    summary="List an inbox's folders and how many conversations lie in each; Mine holds the caller's own.",
    source=HS + "inboxes/inbox-folders",
)  # fmt: skip

get_inbox_folder = Operation(
    name="get_inbox_folder", method="GET", path="/v2/mailboxes/{inbox_id}/folders/{folder_id}",
    resource=Resource.INBOXES, action=Action.READ, needs=by_inbox, returns=One(Folder), errors=_HIDDEN,
    phrase="read folder {folder_id} of inbox {inbox_id}",
    summary="One folder of an inbox; not documented, but each folder links to itself.",
    source=HS + "inboxes/inbox-folders",
)  # fmt: skip

get_inbox_routing = Operation(
    name="get_inbox_routing", method="GET", path="/v2/mailboxes/{inbox_id}/routing",
    resource=Resource.INBOXES, action=Action.READ, needs=by_inbox, returns=One(Routing), errors=_HIDDEN,
    phrase="read the routing of inbox {inbox_id}",
    summary="How an inbox's new conversations are given to users, and who can take one now.",
    source=HS + "inboxes/routing/routing-configuration-get",
)  # fmt: skip

set_inbox_routing = Operation(
    name="set_inbox_routing", method="PUT", path="/v2/mailboxes/{inbox_id}/routing",
    resource=Resource.INBOXES, action=Action.WRITE, needs=by_inbox, body=SetRouting, returns=NoContent(),
    errors=((403, "the caller is neither owner nor administrator"),),
    phrase="set the routing of inbox {inbox_id}",
    summary="Decide how an inbox's new conversations are given to users.",
    source=HS + "inboxes/routing/routing-configuration-update",
)  # fmt: skip

OPERATIONS = (
    list_inboxes, get_inbox, list_inbox_fields, list_inbox_folders, get_inbox_folder, get_inbox_routing,
    set_inbox_routing,
)  # fmt: skip
