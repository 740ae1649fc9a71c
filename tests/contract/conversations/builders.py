"""Builders for tests of conversations on the wire: started, changed, read and listed as clients do it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests
import sqlalchemy as sa

from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import conversation
from deskhand.lib.clock import to_wire
from tests.world import Desk

PATH = "/v2/conversations"
PAUL = {"email": "paul@buyer.example", "firstName": "Paul", "lastName": "Meyer"}

_MERGE = command(
    sa.update(conversation)
    .where(conversation.c.account_id == P("account"), conversation.c.id == P("source"))
    .values(merged_into=P("into"), merged_at=P("at")),
    keep=False,
)


def thread(type: str = "customer", text: str = "Where is it?", **more: Any) -> dict[str, Any]:
    """The body of a thread, by the customer unless it is a note."""
    customer = {} if type == "note" else {"customer": {"email": "paul@buyer.example"}}
    return {"type": type, "text": text} | customer | more


def minimal(inbox: int, **changes: Any) -> dict[str, Any]:
    """The body of a conversation with only what is required."""
    return {
        "subject": "Refund for order 5521", "type": "email", "mailboxId": inbox, "status": "active",
        "customer": {"email": "paul@buyer.example"}, "threads": [thread()],
    } | changes  # fmt: skip


def start(desk: Desk, inbox: int, **changes: Any) -> int:
    """Create a conversation and give its id."""
    answer = desk.post(PATH, minimal(inbox, **changes))
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def read(desk: Desk, id: int, **params: Any) -> Any:
    """One conversation as it is shown."""
    answer = desk.get(f"{PATH}/{id}", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(desk: Desk, **params: Any) -> list[int]:
    """The ids that a list of one page gives, in its order."""
    answer = desk.get(PATH, **params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    ids = [item["id"] for item in body["_embedded"]["conversations"]]
    assert body["page"]["totalElements"] == len(ids)
    return ids


def patch(desk: Desk, id: int, op: str, path: str, value: Any = ..., status: int = 204) -> requests.Response:
    """One step of JSON Patch, and the status with which it is answered."""
    step = {"op": op, "path": path} | ({} if value is ... else {"value": value})
    answer = desk.patch(f"{PATH}/{id}", step)
    assert answer.status_code == status, answer.text
    return answer


def faults(answer: requests.Response, status: int = 400) -> list[str]:
    """The places that an error finds fault with."""
    assert answer.status_code == status, answer.text
    return [error["path"] for error in answer.json()["_embedded"]["errors"]]


def merge(desk: Desk, source: int, into: int, days_ago: float = 0) -> None:
    """What merging leaves behind."""
    at = to_wire(desk.server.clock.now() - timedelta(days=days_ago))
    desk.write(lambda tx: tx.run(_MERGE, account=desk.account_id, source=source, into=into, at=at))


def nulls(value: Any, place: str = "") -> list[str]:
    """Where a document has null."""
    if value is None:
        return [place]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, one in inner for found in nulls(one, f"{place}/{name}")]
