"""Errors as the API answers them.

Source: https://developer.helpscout.com/mailbox-api/overview/errors
"""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from deskhand.catalogue.problems import FieldError, InvalidJson, InvalidMethod, Problem, TooManyRequests, Unavailable
from deskhand.oauth.bearer import Unauthorized

ABOUT = "http://developer.helpscout.net/mailbox-api/overview/errors"
VND_ERROR = "application/vnd.error+json"
GATEWAY_JSON = "application/json; charset=utf-8"

_sequence = itertools.count(1)


class Answer(msgspec.Struct, frozen=True):
    """A finished answer: status, body and the headers particular to it."""

    status: int
    body: bytes = b""
    media_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def answer_problem(problem: Problem, correlation_id: str) -> Answer:
    """The answer to a refused operation."""
    if isinstance(problem, TooManyRequests):
        wait = str(problem.retry_after_s)
        body = msgspec.json.encode({"message": problem.message})
        return Answer(429, body, GATEWAY_JSON, (("X-RateLimit-Retry-After", wait), ("Retry-After", wait)))
    content: dict[str, Any] = {"logRef": f"{correlation_id}#{next(_sequence)}", "message": problem.message}
    if problem.errors or problem.status == 400:
        content["_embedded"] = {"errors": [_field_error(error) for error in problem.errors]}
    content["_links"] = _links(problem)
    headers = (("Retry-After", "2"),) if isinstance(problem, Unavailable) else ()
    return Answer(problem.status, msgspec.json.encode(content, enc_hook=str), VND_ERROR, headers)


def answer_unauthorized(problem: Unauthorized) -> Answer:
    """The answer to a call without a usable token, in the form of the gateway in front of the original."""
    if problem.missing:
        content = {"error_description": "The access token is missing", "error": "invalid_request"}
        challenge = 'Bearer realm="service"'
    else:
        content = {"error_description": "The access token is invalid or has expired", "error": "invalid_token"}
        challenge = (
            'Bearer realm="service" error="invalid_token" '
            'error_description="The access token is invalid or has expired"'
        )
    return Answer(401, msgspec.json.encode(content), GATEWAY_JSON, (("WWW-Authenticate", challenge),))


def _field_error(error: FieldError) -> dict[str, Any]:
    content: dict[str, Any] = {"path": error.path, "message": error.message}
    if error.rejected is not msgspec.UNSET:
        content["rejectedValue"] = error.rejected
    content["source"] = error.source
    content["_links"] = {"about": {"href": f"{ABOUT}#{error.anchor}"}}
    return content


def _links(problem: Problem) -> dict[str, Any]:
    if isinstance(problem, InvalidJson):
        return {"self": {"href": f"{ABOUT}#invalid-json"}}
    if isinstance(problem, InvalidMethod):
        return {"self": {"href": f"{ABOUT}#invalid-http-method"}}
    return {"about": {"href": ABOUT}}
