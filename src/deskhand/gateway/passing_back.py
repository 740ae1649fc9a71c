"""The desk's answer as it goes back to an agent: what is between the gateway and the desk only does not. Pure."""

from __future__ import annotations

import re

from deskhand.gateway.calls import Answer

_PASSED_BACK = frozenset({"resource-id", "location", "web-location", "correlation-id", "retry-after"})
"""Headers of the desk's answer that go on to the agent; those about units are the gateway's own."""


def passed_back(answer: Answer, there: str, here: str) -> Answer:
    """The answer of the desk at `there`, with links that lead to the gateway, which is `here`."""
    headers = [(name, value) for name, value in answer.headers if name.lower() in _PASSED_BACK]
    body = answer.body
    if there != here:
        headers = [
            (name, value.replace(there, here, 1) if name.lower() == "location" else value) for name, value in headers
        ]
        body = relinked(body, there, here)
    return Answer(answer.status, body, answer.media_type, tuple(headers))


def relinked(body: bytes, there: str, here: str) -> bytes:
    """A JSON body whose links lead here instead of there; texts that mention the other place stay as they are."""
    links = rb'("href"\s*:\s*")' + re.escape(there.encode()) + rb'(?=[/"?#{])'  # not of a host with a longer name
    return re.sub(links, lambda found: found[1] + here.encode(), body)
