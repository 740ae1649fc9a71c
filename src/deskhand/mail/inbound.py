"""What every way in for mail is given: whose an address is, and where to leave a message so that it is safe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

Way = Literal["smtp", "lmtp", "imap", "post"]
WAYS: tuple[Way, ...] = get_args(Way)

LARGEST = 50 * 1024 * 1024
"""Bytes of the largest message that is taken."""


@dataclass(frozen=True, slots=True)
class Place:
    """The inbox that an address belongs to."""

    account_id: int
    inbox_id: int
    address: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came. `sender` and `recipients` are the envelope's; `place` says where a mail server has it."""

    raw: bytes
    way: Way
    sender: str = ""
    recipients: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that is safe now; `known` when it had come before and was not kept a second time."""

    id: int
    known: bool


class Keeper(Protocol):
    """Keeps messages, in the order: bytes, row, job; what is made of them comes later."""

    async def place_of(self, address: str) -> Place | None:
        """The inbox of an address, also with a reply token in it; None where no inbox has it."""
        ...

    async def keep(self, place: Place, delivery: Delivery) -> Kept:
        """Keep a message for good; whoever returns from here may say so to its sender. Raises Unavailable."""
        ...
