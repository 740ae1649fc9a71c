"""Users: the people of the support staff."""

from __future__ import annotations

from msgspec import UNSET, UnsetType, field

from deskhand.catalogue.links import Links
from deskhand.catalogue.operation import HS, Action, ListOf, One, Operation, Resource
from deskhand.catalogue.values import Email, Id, PageNumber, Shape


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


class ListUsers(Shape, kw_only=True):
    """Which users to list."""

    page: PageNumber = 1
    email: Email | None = None
    mailbox: Id | None = None


list_users = Operation(
    name="list_users", method="GET", path="/v2/users",
    resource=Resource.USERS, action=Action.READ, query=ListUsers, returns=ListOf("users", User),
    phrase="list users",
    summary="List the people of the support team, those with an open invitation included.",
    source=HS + "users/list",
)  # fmt: skip

get_me = Operation(
    name="get_me", method="GET", path="/v2/users/me",
    resource=Resource.USERS, action=Action.READ, returns=One(User),
    phrase="read who it acts as",
    summary="The user this token acts as, which decides what it can reach.",
    source=HS + "users/me",
)  # fmt: skip

get_user = Operation(
    name="get_user", method="GET", path="/v2/users/{user_id}",
    resource=Resource.USERS, action=Action.READ, returns=One(User),
    phrase="read user {user_id}",
    summary="One user.",
    source=HS + "users/get",
)  # fmt: skip

OPERATIONS = (list_users, get_me, get_user)
