"""Calls that every test of the wire makes, and what is the same in their answers."""

from __future__ import annotations

import re
from typing import Any

import requests

from tests.world import Desk

HAL = "application/hal+json"
VND = "application/vnd.error+json"
ABOUT = "http://developer.helpscout.net/mailbox-api/overview/errors"


def minimal(inbox: int, **changes: Any) -> dict[str, Any]:
    """The body of a conversation with only what is required."""
    return {
        "subject": "Refund for order 5521", "type": "email", "mailboxId": inbox, "status": "active",
        "customer": {"email": "paul@buyer.example"},
        "threads": [{"type": "customer", "text": "Where is it?", "customer": {"email": "paul@buyer.example"}}],
    } | changes  # fmt: skip


def start(desk: Desk, inbox: int, **changes: Any) -> int:
    answer = desk.post("/v2/conversations", minimal(inbox, **changes))
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def fault(answer: requests.Response, status: int = 400) -> dict[str, Any]:
    """The only fault that an error names."""
    assert answer.status_code == status, answer.text
    (found,) = answer.json()["_embedded"]["errors"]
    return dict(found)


def without_log_ref(answer: requests.Response) -> str:
    """An error's text, its logRef checked and left out."""
    text, found = re.subn(r'"logRef":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}#\d+"', '"logRef":"…"', answer.text)
    assert found == 1, answer.text
    return text
