"""One administrator's call: what it is declared as, and what its handler is given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from deskhand.admin.parts import Parts
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.values import Shape
from deskhand.gateway.administering.who import Who

Q = TypeVar("Q", bound=Shape)
B = TypeVar("B")

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Given(Shape, rename=str):
    """The base of what administrators send: names as they are here, and none that is not known."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[Q, B]):
    """A call as it came in. `ids` are those of its path, in order."""

    parts: Parts
    who: Who
    ids: tuple[int, ...]
    query: Q
    body: B

    @property
    def id(self) -> int:
        """The first id of its path."""
        return self.ids[0]

    @property
    def account_id(self) -> int:
        """The account that is administered."""
        return self.who.account_id


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer that is sent as it is made."""

    media_type: str
    file_name: str
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Raw:
    """A body that is taken as it is: of one media type, with so many bytes at most, in so many seconds."""

    media_type: str
    most: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the administration. `answers` is the shape of its answer, None where there is no body."""

    name: str
    method: Method
    path: str
    summary: str
    handler: Callable[[Asked[Any, Any]], Awaitable[Any]]
    query: type[Shape]
    body: Any
    optional_body: bool
    answers: Any
    status: int
    errors: tuple[tuple[int, str], ...]
    raw: Raw | None = None


class Calls:
    """Calls that are about one thing, in the order in which they are described."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.listed: list[Call] = []

    def add(
        self,
        method: Method,
        path: str,
        *,
        query: type[Q] = NoQuery,  # type: ignore[assignment]
        body: Any = NoBody,
        optional_body: bool = False,
        answers: Any = None,
        status: int = 200,
        errors: tuple[tuple[int, str], ...] = (),
        raw: Raw | None = None,
    ) -> Callable[[Callable[[Asked[Any, Any]], Awaitable[Any]]], Callable[[Asked[Any, Any]], Awaitable[Any]]]:
        """Declare a call: its handler's name is the operation's, the first line of its docstring the summary."""

        def tie(handler: Callable[[Asked[Any, Any]], Awaitable[Any]]) -> Callable[[Asked[Any, Any]], Awaitable[Any]]:
            name, summary = handler.__name__, (handler.__doc__ or "").partition("\n")[0]
            code = status if answers is not None or status != 200 else 204
            self.listed.append(
                Call(name, method, path, summary, handler, query, body, optional_body, answers, code, errors, raw)
            )
            return handler

        return tie
