"""Every status an answer can have: what it means, what to do, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deskhand.catalogue import problems
from deskhand.catalogue.operation import AnyOperation

_TOLD: dict[int, tuple[str, str, str]] = {
    200: ("OK", "Here is what you asked for.", "Read the body."),
    201: (
        "Created",
        "It is there now; the body is empty.",
        "Take the id from `Resource-ID`, the place from `Location`.",
    ),
    202: ("Accepted", "It will be done in the background.", "Wait for the webhook that tells of it."),
    204: ("No content", "Done; the body is empty.", "Nothing."),
    301: ("Moved", "The conversation was merged into another one.", "Follow `Location`, and keep the new id."),
    400: (
        "Bad request",
        "Something about the request is wrong: a field, a parameter, the JSON, or the method.",
        "Read `_embedded.errors`: each names its field in `path`. Mend it and send again.",
    ),
    401: (
        "Not authorized",
        "The token is missing, unknown, expired, or its user is no longer active.",
        "Get a new token, then repeat the call once.",
    ),
    403: (
        "Access denied",
        "The token is good, but its user may not do this here.",
        "Let the user into the inbox, or use a token of somebody who is.",
    ),
    404: (
        "Not found",
        "There is no such thing: never was, deleted, or a conversation that was merged.",
        "Check the id; for a conversation, reading it tells where it went.",
    ),
    409: ("Conflict", "What you create exists already, such as a customer's e-mail address.", "Look it up and use it."),
    412: (
        "Precondition failed",
        "A well-formed request that its target cannot take: a conversation with 100 threads, or one that is locked.",
        "Go on in a new conversation.",
    ),
    413: (
        "Request entity too large",
        "An attachment is larger than 10 MB, or the body larger than 25 MB.",
        "Send less at a time.",
    ),
    414: ("URI too long", "The address is longer than 16 KB, mostly due to `query`.", "Ask in several calls."),
    415: ("Unsupported media type", "The body is not JSON.", "Send `Content-Type: application/json`."),
    423: (
        "Locked",
        "A customer with 5000 or more conversations cannot be changed.",
        "Leave this customer as they are; repeating does not help.",
    ),
    429: (
        "Too many requests",
        "The account has used up its units of this minute.",
        "Wait as many seconds as `X-RateLimit-Retry-After` says, then repeat.",
    ),
    500: (
        "Internal error",
        "A fault of ours.",
        "Repeat after a pause; if it stays, report it with the `logRef` of the answer.",
    ),
    503: ("Unavailable", "The database is away for a moment.", "Repeat after the seconds in `Retry-After`."),
}


@dataclass(frozen=True)
class Status:
    """One status; `particular` says which operations give it for reasons of their own."""

    code: int
    title: str
    meaning: str
    advice: str
    particular: tuple[tuple[str, str], ...]

    @property
    def is_error(self) -> bool:
        return self.code >= 300


def told(operations: Sequence[AnyOperation]) -> list[Status]:
    """The statuses in order. One that the catalogue knows and this page does not is shown in the catalogue's words."""
    kinds = [
        kind for kind in _kinds(problems.Problem) if kind.__module__ == problems.__name__
    ]  # the gateway has its own
    declared = {kind.status: kind.message for kind in kinds if isinstance(kind.message, str)}
    own = {status for operation in operations for status, _ in operation.errors}
    answers = {operation.returns.status for operation in operations}
    codes = sorted({*_TOLD, *declared, *own, *answers} - ({202} - answers - own))
    return [_status(code, declared.get(code, ""), operations) for code in codes]


def _status(code: int, message: str, operations: Sequence[AnyOperation]) -> Status:
    title, meaning, advice = _TOLD.get(code, (message, message, ""))
    reasons = [(one.name, why) for one in operations for status, why in one.errors if status == code]
    return Status(code, title, meaning, advice, tuple(reasons))


def _is_of_the_api(kind: type[problems.Problem]) -> bool:
    """The administration has kinds of its own, and some have their words only when they are raised."""
    return kind.__module__ == problems.__name__ and isinstance(kind.message, str)


def _kinds(kind: type[problems.Problem]) -> list[type[problems.Problem]]:
    return [kind, *(inner for one in kind.__subclasses__() for inner in _kinds(one))]
