"""Users: the people of the support staff, their statuses, and the system users beside them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from deskhand.catalogue import events
from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import inboxes_named, no_inbox
from deskhand.catalogue.operation import HS, Action, Asked, Created, ListOf, Need, NoContent, One, Operation, Resource
from deskhand.catalogue.values import Email, Id, PageNumber, Shape

NAME_MOST = 40
JOB_TITLE_MOST = 50
"""Characters of a user's names and job title. Source: users/create."""
LINE_MOST = 100
INBOXES_MOST = 1_000
AWAY_HOURS_MOST = 8_760
"""Our choices: characters of a phone number, a time zone and a status text, inboxes of a new user, hours of a year."""

Name = Annotated[str, Meta(min_length=1, max_length=NAME_MOST)]
Line = Annotated[str, Meta(max_length=LINE_MOST)]
Presence = Literal["active", "away"]
StatusSource = Literal["ui", "api", "presence_detection"]
ChatPresence = Literal["unavailable", "available", "assign", "custom"]


# -- As they are read


class User(Shape, kw_only=True):
    """A user as it is read."""

    id: int
    first_name: str
    last_name: str
    email: str | None
    role: str
    timezone: str
    photo_url: str | None
    created_at: str
    updated_at: str
    type: str
    mention: str
    initials: str
    job_title: str
    phone: str
    alternate_emails: list[str]
    company_id: int | UnsetType = UNSET
    links: Links = field(name="_links")


class SystemUser(Shape, kw_only=True):
    """An agent or another integration that acts on its own; it has no address and can't be mentioned."""

    id: int
    type: Literal["system_user"] = "system_user"
    first_name: str
    last_name: str
    initials: str
    email: None = None
    mention: None = None
    timezone: str
    role: str
    photo_url: None = None
    created_at: str
    updated_at: str
    links: Links = field(name="_links")


class CustomStatus(Shape, kw_only=True):
    """What a user says about being there or away, in their own words."""

    text: Annotated[str, Meta(min_length=1, max_length=LINE_MOST)]
    emoji: Line | None | UnsetType = UNSET
    emoji_name: Line | None | UnsetType = UNSET


class EmailStatus(Shape, kw_only=True):
    """Whether a user answers e-mail now; `performedBy` is the user who said so."""

    status: Presence
    updated_at: str
    performed_by: int
    source: StatusSource
    custom_status: CustomStatus | UnsetType = UNSET


class ChatStatus(Shape, kw_only=True):
    """Whether a user takes chats now; with `custom` each inbox has a status of its own."""

    status: ChatPresence
    mailbox_statuses: dict[str, str]


class UserStatus(Shape, kw_only=True):
    """Whether a user is there."""

    user_id: int
    email: EmailStatus
    chat: ChatStatus
    links: Links = field(name="_links")


class AwayDuration(Shape, kw_only=True):
    """How long somebody is away."""

    hours: Annotated[int, Meta(ge=0, le=AWAY_HOURS_MOST)]
    minutes: Annotated[int, Meta(ge=0, le=59)]


class Reassignment(Shape, kw_only=True):
    """Whether a user's conversations go to others once the user has been away so long."""

    enabled: bool
    away_duration: AwayDuration


# -- As they are given


class ListUsers(Shape, kw_only=True):
    """Which users to list."""

    page: PageNumber = 1
    email: Email | None = None
    mailbox: Id | None = None


class ListUserStatuses(Shape, kw_only=True):
    """Which users' statuses to list."""

    page: PageNumber = 1


class ListSystemUsers(Shape, kw_only=True):
    """Which system users to list."""

    page: PageNumber = 1


class InboxOfUser(Shape, kw_only=True):
    """An inbox that a new user shall see, unless `emailAccess` is false."""

    id: Id
    email_access: bool | None = None


class NewUser(Shape, kw_only=True):
    """A user to be invited; without a time zone they have the account's."""

    first_name: Name
    last_name: Name
    email: Email
    role: Literal["admin", "user", "light user"]
    timezone: Line | None = None
    job_title: Annotated[str, Meta(max_length=JOB_TITLE_MOST)] | None = None
    phone: Line | None = None
    send_invite: bool | None = None
    mailboxes: Annotated[list[InboxOfUser], Meta(max_length=INBOXES_MOST)] | None = None


class SetUserStatus(Shape, kw_only=True):
    """A user's status; `available` is an older name of `active`. Own words that are left out are removed."""

    status: Literal["active", "away", "available"]
    custom_status: CustomStatus | None = None


# -- What calls need


def _listed(asked: Asked) -> tuple[Need, ...]:
    query: ListUsers = asked.query
    return no_inbox(asked) + inboxes_named(() if query.mailbox is None else (query.mailbox,))


def _created(asked: Asked) -> tuple[Need, ...]:
    new: NewUser = asked.body
    return no_inbox(asked) + inboxes_named(inbox.id for inbox in new.mailboxes or ())


# -- The operations

_ONE = "/v2/users/{user_id}"
_STATUS = _ONE + "/status"
_REASSIGNMENT = _ONE + "/conversation-reassignment"
_ADMINISTRATORS = (403, "the caller is neither owner nor administrator")
_THEMSELVES = (403, "the caller is neither this user nor owner nor administrator")

list_users = Operation(
    name="list_users", method="GET", path="/v2/users",
    resource=Resource.USERS, action=Action.READ, needs=_listed, query=ListUsers, returns=ListOf("users", User),
    phrase="list users",
    summary="List the people of the support team, those with an open invitation included.",
    source=HS + "users/list",
)  # fmt: skip

create_user = Operation(
    name="create_user", method="POST", path="/v2/users",
    resource=Resource.USERS, action=Action.WRITE, needs=_created, body=NewUser, returns=Created(),
    errors=(_ADMINISTRATORS, (409, "the e-mail address belongs to a user already")),
    phrase="create a user",
    summary="Invite somebody to the support team and decide which inboxes they see.",
    source=HS + "users/create",
)  # fmt: skip

get_me = Operation(
    name="get_me", method="GET", path="/v2/users/me",
    resource=Resource.USERS, action=Action.READ, needs=no_inbox, returns=One(User),
    phrase="read who it acts as",
    summary="The user this token acts as, which decides what it can reach.",
    source=HS + "users/me",
)  # fmt: skip

get_user = Operation(
    name="get_user", method="GET", path=_ONE,
    resource=Resource.USERS, action=Action.READ, needs=no_inbox, returns=One(User),
    phrase="read user {user_id}",
    summary="One user.",
    source=HS + "users/get",
)  # fmt: skip

delete_user = Operation(
    name="delete_user", method="DELETE", path=_ONE,
    resource=Resource.USERS, action=Action.DELETE, needs=no_inbox, returns=NoContent(),
    errors=((403, "the caller is neither owner nor administrator, or the user is the owner or the caller"),),
    emits=(events.CONVERSATION_ASSIGNED,),
    phrase="delete user {user_id}",
    summary="Delete a user: they can no longer sign in, and nobody owns the conversations that were theirs.",
    source=HS + "users/delete",
)  # fmt: skip

list_user_statuses = Operation(
    name="list_user_statuses", method="GET", path="/v2/users/status",
    resource=Resource.USERS, action=Action.READ, needs=no_inbox,
    query=ListUserStatuses, returns=ListOf("userStatuses", UserStatus),
    phrase="list which users are there",
    summary="List who of the support team is active or away, for e-mail and for chats.",
    source=HS + "users/status/list", since="2026-01-19",
)  # fmt: skip

get_user_status = Operation(
    name="get_user_status", method="GET", path=_STATUS,
    resource=Resource.USERS, action=Action.READ, needs=no_inbox, returns=One(UserStatus),
    phrase="read whether user {user_id} is there",
    summary="Whether a user is active or away, since when and who said so.",
    source=HS + "users/status/get", since="2026-02-05",
)  # fmt: skip

set_user_status = Operation(
    name="set_user_status", method="PUT", path=_STATUS,
    resource=Resource.USERS, action=Action.WRITE, needs=no_inbox,
    body=SetUserStatus, returns=NoContent(), errors=(_THEMSELVES,),
    emits=(events.USER_STATUS_CHANGED,),
    phrase="say whether user {user_id} is there",
    summary="Make a user active or away, with words of their own if they like.",
    source=HS + "users/status/set", since="2026-01-08",
)  # fmt: skip

get_user_reassignment = Operation(
    name="get_user_reassignment", method="GET", path=_REASSIGNMENT,
    resource=Resource.USERS, action=Action.READ, needs=no_inbox, returns=One(Reassignment),
    phrase="read what becomes of the conversations of user {user_id} while away",
    summary="Whether a user's conversations go to others once the user has been away for a while.",
    source=HS + "users/conversation%20reassignment/get",
)  # fmt: skip

set_user_reassignment = Operation(
    name="set_user_reassignment", method="PUT", path=_REASSIGNMENT,
    resource=Resource.USERS, action=Action.WRITE, needs=no_inbox,
    body=Reassignment, returns=NoContent(), errors=(_THEMSELVES,),
    phrase="decide what becomes of the conversations of user {user_id} while away",
    summary="Decide whether a user's conversations go to others once the user has been away for a while.",
    source=HS + "users/conversation%20reassignment/update",
)  # fmt: skip

list_system_users = Operation(
    name="list_system_users", method="GET", path="/v3/system-users",
    resource=Resource.USERS, action=Action.READ, needs=no_inbox,
    query=ListSystemUsers, returns=ListOf("system_users", SystemUser),
    phrase="list system users",
    summary="List the agents and other integrations that act on their own in this account.",
    source=HS + "system-users/list",
)  # fmt: skip

get_system_user = Operation(
    name="get_system_user", method="GET", path="/v3/system-users/{system_user_id}",
    resource=Resource.USERS, action=Action.READ, needs=no_inbox, returns=One(SystemUser),
    phrase="read system user {system_user_id}",
    summary="One system user.",
    source=HS + "system-users/get",
)  # fmt: skip

OPERATIONS = (
    list_users, create_user, get_me, get_user, delete_user, list_user_statuses, get_user_status, set_user_status,
    get_user_reassignment, set_user_reassignment, list_system_users, get_system_user,
)  # fmt: skip
