"""What the gateway itself answers: refusals, held calls and troubles, in the API's own error shape."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from typing import Any

import msgspec

from deskhand.gateway.calls import Answer

ABOUT = "http://developer.helpscout.net/mailbox-api/overview/errors"
VND_ERROR = "application/vnd.error+json"

_sequence = itertools.count(1)


def error(
    status: int, message: str, reason: str, headers: tuple[tuple[str, str], ...] = (), **particulars: Any
) -> Answer:
    """An error with a reason that programs can tell apart; particulars that are None are left out."""
    content: dict[str, Any] = {"logRef": f"{os.urandom(16).hex()}#{next(_sequence)}", "message": message}
    content["reason"] = reason
    content |= {name: value for name, value in particulars.items() if value is not None}
    content["_links"] = {"about": {"href": ABOUT}}
    return Answer(status, msgspec.json.encode(content), VND_ERROR, headers)


def held(approval_id: int, until: str) -> Answer:
    """The call waits for a person (202)."""
    ask = f"/v2/approvals/{approval_id}"
    return plain(202, {"state": "held", "approval_id": approval_id, "until": until, "ask": ask})


def plain(status: int, content: Mapping[str, Any]) -> Answer:
    """A JSON object."""
    return Answer(status, msgspec.json.encode(content), "application/json")


def marked(answer: Answer, outcome: str, audit_id: int, more: tuple[tuple[str, str], ...] = ()) -> Answer:
    """The answer with what was decided about the call and where that is logged."""
    headers = (("Deskhand-Decision", outcome), ("Deskhand-Audit-Id", str(audit_id)), *more)
    return Answer(answer.status, answer.body, answer.media_type, answer.headers + headers)
