"""Which operations a new resource's id leads to: the links of the OpenAPI description, derived from paths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deskhand.catalogue.operation import SLUG, AnyOperation, Created, Resource


def links(creating: AnyOperation, operations: Iterable[AnyOperation]) -> dict[str, Any]:
    """For an operation that answers with a Resource-ID: the operations whose path takes that id, by name."""
    if not isinstance(creating.returns, Created):
        return {}
    found = {}
    for other in operations:
        id = _takes(creating, other)
        if id:
            known = {name: f"$request.path.{name}" for name in creating.parameters}
            found[other.name] = {
                "operationId": other.name,
                "parameters": {**known, id: "$response.header.Resource-ID"},
            }
    return found


def _takes(creating: AnyOperation, other: AnyOperation) -> str | None:
    """The one parameter that the new id fills, where it is one of this operation's."""
    new = [name for name in other.parameters if name not in creating.parameters]
    if len(new) != 1 or not set(creating.parameters) <= set(other.parameters) or other.path.endswith(SLUG):
        return None
    # Threads are made under /reply, /notes and so on, and found under /threads.
    is_thread = creating.resource is Resource.THREADS and new == ["thread_id"]
    return new[0] if is_thread or other.path.startswith(f"{creating.path}/{{{new[0]}}}") else None
