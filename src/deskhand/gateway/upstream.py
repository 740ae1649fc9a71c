"""The help desk behind the gateway, as the relay sees it: ours, in this process, or a remote one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Protocol

from deskhand.catalogue.operation import AnyOperation, Of
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Answer, Request
from deskhand.gateway.policy import Decision, Found


class UpstreamDown(Exception):
    """There was no usable answer; the text says why in words. `slow`: it took too long (504), else 502.

    `retry_after_s`: for want of units nothing could be looked up (429).
    """

    def __init__(self, words: str, *, slow: bool = False, retry_after_s: int = 0) -> None:
        super().__init__(words)
        self.slow = slow
        self.retry_after_s = retry_after_s


class Foreign(Exception):
    """What was read lies, as it turned out, in an inbox that the agent may not see; to be answered as a refusal."""


class Outgoing(Exception):
    """What was to be changed is, as it turned out, on its way to a customer, and that takes the right to reply."""


class Unanswerable(Exception):
    """Over this desk the call can't be narrowed to the agent's inboxes; the text says why, and what can be asked."""


class Upstream(Protocol):
    """One help desk."""

    looks_up_freely: bool
    """Whether a look-up costs nothing; else only those are made that a decision depends on."""

    @property
    def base_url(self) -> str:
        """What its links begin with; the relay puts the gateway's own in their place."""
        ...

    async def look_up(self, agent: Agent, wanted: Set[Of]) -> Mapping[Of, Found | None]:
        """What each object is; None for one that does not exist. Raises UpstreamDown."""
        ...

    async def is_outgoing(self, agent: Agent, conversation_id: int, thread_id: int) -> bool:
        """Whether a thread is on its way to a customer, so that they get it as it is made now. Raises UpstreamDown."""
        ...

    async def send(self, agent: Agent, operation: AnyOperation, request: Request, decision: Decision) -> Answer:
        """Send a call that was allowed, narrowed to `decision.inboxes`.

        Raises UpstreamDown, Foreign where something turned out to lie elsewhere, Outgoing, and Unanswerable.
        """
        ...

    def refusal(self, operation: AnyOperation, decision: Decision) -> str | None:
        """Why an allowed call can't be answered honestly by this desk, so that it is refused before it is sent."""
        ...

    async def inbox_names(self, account_id: int) -> Mapping[int, str]:
        """The names of the account's inboxes, for sentences; remembered for a while."""
        ...

    def left(self, account_id: int) -> tuple[int, int]:
        """The account's units a minute and what is left of them, as last heard; (0, 0) where there is no limit."""
        ...


UpstreamOf = Callable[[Agent], Upstream]
"""Which desk an agent works on."""
