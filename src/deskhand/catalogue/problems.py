"""The kinds of error an operation can end with: status, message and the fields at fault.

Verbs raise them; only `api/errors.py` and the web pages turn them into answers.
Source: https://developer.helpscout.com/mailbox-api/overview/errors
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

_SHOWN_MOST = 200

FieldSource = Literal["JSON", "QUERY", "URI", "HEADER"]


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field; `anchor` names the section of the documentation about it."""

    path: str
    message: str
    anchor: str
    rejected: Any = msgspec.UNSET
    source: FieldSource = "JSON"


class Problem(Exception):
    """An operation refused; the base of all kinds."""

    status: int = 500
    message: str = "Internal error"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(self.message, *errors)
        self.errors = errors

    def __str__(self) -> str:
        return "; ".join([self.message, *(f"{error.path}: {error.message}" for error in self.errors)])


class BadRequest(Problem):
    status, message = 400, "Bad request"


class InvalidJson(Problem):
    """The body is not JSON, or not of the JSON type that the operation takes."""

    status, message = 400, "Error parsing request body into JSON"


class InvalidMethod(Problem):
    """The path exists, but not with this method."""

    status = 400

    def __init__(self, method: str, supported: list[str]) -> None:
        self.message = f"Request method '{method}' is not supported here; supported: {', '.join(supported)}"
        super().__init__()


class AccessDenied(Problem):
    status, message = 403, "Access denied"


class NotFound(Problem):
    status, message = 404, "Not found"


class AlreadyThere(Problem):
    status, message = 409, "Conflict"


class PreconditionFailed(Problem):
    status, message = 412, "Precondition failed"


class TooLarge(Problem):
    status, message = 413, "Request entity too large"


class UriTooLong(Problem):
    status, message = 414, "Request URI too long"


class UnsupportedMediaType(Problem):
    status, message = 415, "Unsupported media type"


class Locked(Problem):
    status, message = 423, "Locked"


class TooManyRequests(Problem):
    """The account's units of this minute are used up; `retry_after_s` is in whole seconds."""

    status, message = 429, "API rate limit exceeded"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


class Unavailable(Problem):
    """The database is away; trying again soon makes sense."""

    status, message = 503, "Service temporarily unavailable"


def shown(value: Any) -> Any:
    """A refused value as an error repeats it: short texts and plain numbers, nothing else."""
    if isinstance(value, str):
        return str(value[:_SHOWN_MOST])
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    return msgspec.UNSET


def invalid(path: str, message: str, anchor: str, rejected: Any = msgspec.UNSET) -> BadRequest:
    """A 400 about one field of the body."""
    return BadRequest(FieldError(path, message, anchor, shown(rejected)))


def empty(path: str) -> FieldError:
    """A required field is missing or empty."""
    return FieldError(path, "may not be empty", "NotEmpty")


def unknown_id(path: str, rejected: int, what: str) -> BadRequest:
    """A 400 about an id in the body that names nothing the caller may use."""
    return invalid(path, f"no such {what}", "ValidIdentifier", rejected)
