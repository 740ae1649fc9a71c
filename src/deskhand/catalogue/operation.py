"""What an operation of the API is: one declared value, from which everything else is derived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Generic, Literal

import msgspec
from typing_extensions import TypeVar

from deskhand.catalogue.values import Shape

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

HS = "https://developer.helpscout.com/mailbox-api/endpoints/"
"""Where the public pages about the wire begin."""


SLUG = "{slug}"
"""The one path parameter that is a text; it always comes last. All others are ids."""


class Resource(Enum):
    """What is acted on; each agent is granted a level per resource. The value is its plural name in words."""

    CONVERSATIONS = "conversations"
    THREADS = "threads"
    CUSTOMERS = "customers"
    INBOXES = "inboxes"
    USERS = "users"
    TEAMS = "teams"
    TAGS = "tags"
    ATTACHMENTS = "attachments"
    ORGANIZATIONS = "organizations"
    SAVED_REPLIES = "saved replies"
    WORKFLOWS = "workflows"
    RATINGS = "ratings"
    REPORTS = "reports"
    WEBHOOKS = "webhooks"

    @property
    def key(self) -> str:
        """Its name in grants and in answers, as `saved_replies`."""
        return self.name.lower()


class Action(IntEnum):
    """How much an operation can do; access levels off, read, write and full reach 0, 1, 2 and 3."""

    READ = 1
    WRITE = 2
    DELETE = 3


class Extent(Enum):
    """Where a need applies when it names no inbox and no object."""

    EVERY = "every inbox"
    """All inboxes: the call is narrowed to the granted ones, or refused."""
    NONE = "no inbox"
    """The resource belongs to no inbox, as tags."""


class Of(msgspec.Struct, frozen=True):
    """The inboxes of an object, which whoever decides has to look up.

    `every`: all of its inboxes must be granted, else one is enough. An e-mail address stands for its customer.
    `outgoing` is a thread, found only while it is on its way to a customer; no need names one.
    """

    kind: Literal["conversation", "customer", "email", "workflow", "webhook", "rating", "folder", "outgoing"]
    id: int | str
    every: bool = False


Place = int | Extent | Of
"""The id of an inbox, or one of the above."""


class Need(msgspec.Struct, frozen=True):
    """What a call requires: to act on a resource in a place.

    `operation` names the action whose own setting replaces the level's answer. `unless` is a customer: where the agent
    may see them, the need falls away (nobody new has to be created).
    """

    resource: Resource
    action: Action
    place: Place
    operation: str
    unless: Of | None = None


class NoQuery(Shape, kw_only=True):
    """The operation takes no query parameters."""


class NoBody(Shape, kw_only=True):
    """The operation takes no body."""


class Returns:
    """What an operation answers; the base of the kinds below."""

    status = 200
    media_type = "application/hal+json"


@dataclass(frozen=True)
class One(Returns):
    """One resource; `raw` is a media type in which callers may ask for it as it is, not wrapped in JSON."""

    shape: type[msgspec.Struct]
    raw: str = ""


@dataclass(frozen=True)
class ListOf(Returns):
    """A page of resources under `_embedded.<key>`; `paged=False` gives all of them, without a page object."""

    key: str
    shape: type[msgspec.Struct]
    size: int = 50
    paged: bool = True


@dataclass(frozen=True)
class WalkOf(ListOf):
    """A list that is walked by cursor: `_links.next` leads on, there is no page object and no total."""

    paged: bool = False


@dataclass(frozen=True)
class BareList(Returns):
    """All of a few resources as a JSON array, without an envelope."""

    shape: type[msgspec.Struct]


@dataclass(frozen=True)
class Report(Returns):
    """Numbers as plain JSON, without links."""

    media_type = "application/json"
    shape: type[msgspec.Struct]


@dataclass(frozen=True)
class BareReport(BareList):
    """Numbers as a plain JSON array."""

    media_type = "application/json"


@dataclass(frozen=True)
class Created(Returns):
    """A new resource: 201, no body, its id and place in the headers."""

    status = 201


@dataclass(frozen=True)
class NoContent(Returns):
    """Done: 204."""

    status = 204


class Asked(msgspec.Struct, frozen=True):
    """A call that was understood: its operation, the ids of its path, and its query and body as typed shapes."""

    operation: Operation[Any, Any]
    path: tuple[int, ...]
    slug: str
    query: Any
    body: Any


Needs = Callable[[Asked], tuple[Need, ...]]
"""Tells what a call requires; looks at nothing but the call."""

Q = TypeVar("Q", bound=Shape, default=NoQuery)
B = TypeVar("B", bound=Any, default=NoBody)


@dataclass(frozen=True, eq=False)
class Operation(Generic[Q, B]):
    """One method on one path. Every field is read by at least two derivations.

    `phrase` is an infinitive with path parameters in braces, for sentences such as "was refused to …".
    `needs` tells what a call requires of an agent's grants; the stock ones are in `needs.py`.
    `body` is a shape, or a union of shapes and lists. `errors` are the statuses particular to it, with a reason.
    """

    name: str
    method: Method
    path: str
    resource: Resource
    action: Action
    needs: Needs
    returns: Returns
    phrase: str
    summary: str
    source: str
    query: type[Q] = NoQuery  # type: ignore[assignment]
    body: type[B] = NoBody  # type: ignore[assignment]
    errors: tuple[tuple[int, str], ...] = ()
    emits: tuple[str, ...] = ()
    since: str = "2.0"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the path's parameters, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def cost(self) -> int:
        """Units of the account's minute. Source: https://developer.helpscout.com/mailbox-api/overview/rate-limiting"""
        return cost(self.method)


AnyOperation = Operation[Any, Any]


def cost(method: str) -> int:
    """What a request costs, by its method: reads one unit, writes two."""
    return 1 if method in ("GET", "HEAD", "OPTIONS") else 2
