"""Calls to a remote desk over a connection of the test's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Answer
from deskhand.gateway.connections import Connection
from deskhand.gateway.remote import Remote
from deskhand.gateway.upstream import UpstreamDown
from tests.gateway.fake_desk import FakeDesk
from tests.gateway.remote_world import House, send

TAG = {"id": 3, "name": "vip", "ticketCount": 2, "_links": {}}
READ = ("get_tag", 3)
WRITE = ("delete_conversation", 5)
Work = Callable[[Remote, Agent], Awaitable[Any]]


def use(house: House, desk: FakeDesk, work: Work, **options: Any) -> Any:
    """Do some work over a new connection to the desk; what making it took is forgotten."""
    connection = house.connect(desk.url)
    desk.asked.clear()
    return go_on(house, connection, work, **options)


def go_on(house: House, connection: Connection, work: Work, **options: Any) -> Any:
    """Do some work over a connection that there is."""
    agent = house.agent(connection)
    return house.run(lambda remotes: work(remotes.of(agent), agent), **options)


def call(house: House, desk: FakeDesk, *operation: Any, **given: Any) -> Answer:
    """One call, and its answer."""
    answer: Answer = use(house, desk, lambda remote, agent: send(remote, agent, *operation, **given))
    return answer


def down(house: House, desk: FakeDesk, *operation: Any, options: dict[str, Any] | None = None) -> UpstreamDown:
    """One call that the desk does not answer, and what is said of it."""
    with pytest.raises(UpstreamDown) as caught:
        use(house, desk, lambda remote, agent: send(remote, agent, *operation), **(options or {}))
    return caught.value
