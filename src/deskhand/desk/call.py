"""What a handler is given and what it may give back; how a handler is tied to its operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import msgspec

from deskhand.catalogue.operation import Operation
from deskhand.catalogue.values import Shape
from deskhand.db.engine import Writer
from deskhand.lib.blobs import Blob, BlobStore

Q = TypeVar("Q", bound=Shape)
B = TypeVar("B")
T = TypeVar("T")
Role = Literal["owner", "admin", "user", "light user"]


class Policy(msgspec.Struct, frozen=True):
    """An account's settings that decide about calls."""

    rate_limit: int
    lock_after_days: int
    thread_editing: int
    timezone: str
    plan: str


Hidden = Literal["preview", "tag_counts", "outgoing"]
"""What answers to an agent may have to leave out: the beginnings of texts, and how many conversations carry a tag.

`outgoing` is not about answers: the agent may not touch threads that are on their way to a customer.
"""


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a user of an account, and the inboxes they may see (None: all of the account's).

    `only` is for agents: the inboxes that this call was narrowed to. Whatever lies in no other must seem not to exist,
    people included. `hide` is what the answer leaves out. `chain` has the workflows that led to this by themselves, one
    after the other; nobody's hand is in it then. `application` is the name of the one that they came through.
    """

    account_id: int
    user_id: int
    role: str
    inboxes: tuple[int, ...] | None
    policy: Policy
    only: frozenset[int] | None = None
    hide: frozenset[str] = frozenset()
    chain: tuple[int, ...] = ()
    application: str = ""


class Change(msgspec.Struct, frozen=True):
    """What was done to a thing that acts by itself or sends data elsewhere: `switched off` the `workflow` `Refunds`.

    `name` may be anything, but tells no secret; `particulars` has which change it was, and of what, by id; `said` is
    what of it was changed, in words.
    """

    did: str
    kind: Literal["workflow", "webhook", "mail of the inbox"]
    name: str
    particulars: Mapping[str, str | int | list[str]]
    said: str = ""


AS_AGENT = "deskhand.agent"
"""The key of the ASGI scope under which the gateway tells whose call this is. No request from outside can set it."""


class AsAgent(msgspec.Struct, frozen=True):
    """An agent as the gateway lets it act: as a system user, narrowed to some inboxes (None: all).

    The gateway has decided that it may do what it asks for, so it has an administrator's rights within them.
    """

    account_id: int
    user_id: int
    inboxes: frozenset[int] | None
    hide: frozenset[str] = frozenset()


Witness = Callable[[Writer, Actor, Change], None]
"""Keeps what it is told of, in the transaction of the change: the audit log is kept in a room the desk can't see."""


# Structs, because each call makes several of these and frozen dataclasses cost several times as much to make.
class Call(msgspec.Struct, Generic[Q, B], frozen=True):
    """One call of an operation: who, where, with what. `tx` writes only in operations that write.

    `path` has the ids in the operation's path, in order; `slug` the text where it has one. `raw`: the caller prefers
    the answer as it is (`One.raw`), so a handler that can gives `Raw`. Without a `witness`, whoever made the call
    keeps account of it already.
    """

    tx: Writer
    actor: Actor
    path: tuple[int, ...]
    query: Q
    body: B
    now: str
    base: str
    blobs: BlobStore
    stored: tuple[Blob, ...] = ()
    slug: str = ""
    raw: bool = False
    witness: Witness | None = None

    def tell(self, change: Change) -> None:
        """Have a change kept account of, as the last act of the call."""
        if self.witness is not None:
            self.witness(self.tx, self.actor, change)


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list; `number` counts from 1."""

    items: Sequence[T]
    number: int
    size: int
    total: int


class All(msgspec.Struct, Generic[T], frozen=True):
    """A whole list, for the few that have no pages."""

    items: Sequence[T]


class Walked(msgspec.Struct, Generic[T], frozen=True):
    """One stretch of a list that is walked by cursor; `next` is the cursor of what follows, None at the end."""

    items: Sequence[T]
    next: str | None


class Created(msgspec.Struct, frozen=True):
    """A new resource's id, where it has one, and its path below the base URL."""

    id: int | None
    path: str


class Accepted(msgspec.Struct, frozen=True):
    """It will be done soon (202)."""


class MovedTo(msgspec.Struct, frozen=True):
    """The resource lives under another path now (301)."""

    path: str


class FileData(msgspec.Struct, frozen=True):
    """A file's bytes, to be sent as the base64 `data` of a JSON object, read piece by piece."""

    file: Path


class Raw(msgspec.Struct, frozen=True):
    """Bytes to be sent as they are, in the media type that the operation declares (`One.raw`)."""

    content: bytes


Result = msgspec.Struct | Page[Any] | All[Any] | Walked[Any] | Created | Accepted | MovedTo | FileData | Raw | None
Handler = Callable[[Call[Any, Any]], Result]
Slow = Callable[[Any], bool]
Files = Callable[[Any], list[bytes]]


@dataclass(frozen=True, slots=True)
class Implementation:
    """A handler, which of its queries belong on the slow lane, and which files of its body are stored first."""

    handler: Handler
    slow: Slow
    files: Files
    slow_narrowed: bool


IMPLEMENTATIONS: dict[str, Implementation] = {}
"""Handlers by operation name, filled by `@implements` when the slices are imported."""


def implements(
    operation: Operation[Q, B],
    *,
    slow: Slow = lambda query: False,
    files: Files = lambda body: [],
    slow_narrowed: bool = False,
) -> Callable[[Callable[[Call[Q, B]], Any]], Callable[[Call[Q, B]], Any]]:
    """Tie a handler to its operation; mypy checks the handler against the declared query and body.

    `slow` says which queries are heavy (search, unusual sorting) and belong on the slow lane; `slow_narrowed` that all
    are for an agent narrowed to some inboxes. `files` gives the files of a body; they are stored before the
    transaction begins and handed over as `call.stored`, in the same order.
    """

    def tie(handler: Callable[[Call[Q, B]], Any]) -> Callable[[Call[Q, B]], Any]:
        if operation.name in IMPLEMENTATIONS:
            raise ValueError(f"{operation.name} has two handlers")
        IMPLEMENTATIONS[operation.name] = Implementation(handler, slow, files, slow_narrowed)
        return handler

    return tie
