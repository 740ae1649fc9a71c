"""The way out for mail: what it is given, and how it says that a mail could not leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from deskhand.db.engine import Writer
from deskhand.mail.compose import Outgoing
from deskhand.settings import SmtpServer


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whose mail it is, about which thread, from which inbox's address and to whom; `server` is the inbox's own."""

    account_id: int
    thread_id: int
    sender: str
    recipients: tuple[str, ...]
    server: SmtpServer | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A recipient who was not accepted, and why; unless it is `final`, trying again may help."""

    address: str
    reason: str
    final: bool


class Undelivered(Exception):
    """A mail could not be handed over; the text says why. `final`: trying again makes no sense."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class NoServer(Undelivered):
    """There is nobody to hand a mail to: no fault to be told again and again where mail is not wanted."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail is on its way, but for recipients who were refused while others were accepted.

    `then` is what is to be written in the transaction that notes it.
    """

    refused: tuple[Refusal, ...] = ()
    then: Callable[[Writer], object] | None = None


class Post(Protocol):
    """Takes mail away."""

    async def send(self, mail: Outgoing, raw: bytes, envelope: Envelope) -> Sent:
        """Hand a mail over; raises Undelivered."""
        ...
