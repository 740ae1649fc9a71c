"""What the gateway itself answers: refusals, held calls and troubles, in the API's own error shape."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from deskhand.gateway import policy
from deskhand.gateway.budget import OverBudget
from deskhand.gateway.calls import Answer
from deskhand.gateway.policy import Decision
from deskhand.gateway.upstream import UpstreamDown

ABOUT = "http://developer.helpscout.net/mailbox-api/overview/errors"
VND_ERROR = "application/vnd.error+json"
ASK_PATH = re.compile(r"/v2/approvals/([0-9]{1,18})")
"""Where an agent asks how one of its calls stands."""

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


def refusal(decision: Decision) -> Answer:
    """What an agent hears of a refusal: what is missing, never whether something exists."""
    return error(403, policy.message(decision), decision.reason, missing=decision.missing, path=decision.path)


def not_logged() -> Answer:
    """The call was not sent, for its entry could not be written (503)."""
    text = "The call was not sent because it could not be logged; try again in a moment"
    return error(503, text, "audit_unavailable", (("Retry-After", "2"), ("Deskhand-Decision", "refused")))


def down(down: UpstreamDown) -> Answer:
    """The desk gave no usable answer (502, 504), or for want of units could not be asked (429)."""
    if down.retry_after_s:
        return over_budget(OverBudget(down.retry_after_s, str(down)))
    text = f"The help desk behind the gateway gave no usable answer: {down}"
    return error(504 if down.slow else 502, text, "upstream")


def over_budget(over: OverBudget) -> Answer:
    """No units are left, and when there will be some (429)."""
    wait = str(over.retry_after_s)
    text = f"{over.words[:1].upper()}{over.words[1:]}; try again in {wait} second{'s' if wait != '1' else ''}"
    return error(429, text, "budget", (("X-RateLimit-Retry-After", wait), ("Retry-After", wait)))


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
