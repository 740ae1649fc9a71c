"""What agents are answered: the items of lists, their ids and how many there are."""

from __future__ import annotations

from typing import Any

from tests.world import Desk

ALWAYS = {"start": "2000-01-01T00:00:00Z", "end": "2098-12-31T23:59:59Z"}
"""The span of a report that leaves nothing out."""


def items(answer: Any) -> list[Any]:
    """The items of a list."""
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["_embedded"].values()
    return list(found)


def ids(answer: Any) -> list[int]:
    """The ids of a list's items."""
    return [one["id"] for one in items(answer)]


def total(answer: Any) -> int:
    """How many items there are on all pages of a list."""
    return int(answer.json()["page"]["totalElements"])


def threads_of(desk: Desk, id: int, version: str = "v2") -> list[Any]:
    """The threads of a conversation."""
    return items(desk.get(f"/{version}/conversations/{id}/threads"))
