"""Whether a conversation is one that a workflow's conditions describe, and what each condition saw of it.

Pure: what there is to see is a `Case`, which cases.py reads; texts are compared without case, and regular expressions
have little time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

import msgspec

from deskhand.desk.workflows.conditions import (
    Body,
    Condition,
    CopiedTo,
    Created,
    CustomerDomain,
    CustomerEmail,
    CustomerName,
    FieldValue,
    Groups,
    HasAssignee,
    HasAttachment,
    HasRating,
    HasStatus,
    HasTag,
    HasType,
    InInbox,
    LastCustomerReply,
    LastUserReply,
    OrganizationName,
    RatingComment,
    SentTo,
    Subject,
    Text,
    TextOp,
    Time,
    WaitingSince,
    compiled,
    span,
)
from deskhand.lib.clock import to_wire
from deskhand.lib.text import fold

PATTERN_S, PATTERNS_S = 0.05, 0.2
"""How long one regular expression may take, and how long all of them together for one conversation."""
_SHORT = 120


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What conditions can see of a conversation; times are as on the wire."""

    id: int
    number: int
    inbox_id: int
    state: str
    subject: str
    type: str
    status: str
    assignee_id: int | None
    attachments: bool
    tags: frozenset[int]
    fields: dict[int, tuple[str, str]]
    created_at: str
    waiting_since: str | None
    name: str
    emails: tuple[str, ...]
    organizations: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bodies: tuple[str, ...]
    ratings: tuple[str, ...]
    rating_comments: tuple[str, ...]
    last_user_reply: str | None
    last_customer_reply: str | None


class Look(msgspec.Struct, frozen=True):
    """One condition held against a conversation: what it saw, and whether it holds."""

    condition: Condition
    holds: bool
    saw: str


class Matcher:
    """Compares texts for one conversation; what it has found out it knows when it is asked again.

    `left_s` is the time that regular expressions may still take, all together.
    """

    def __init__(self, left_s: float = PATTERNS_S) -> None:
        self._folded: dict[str, str] = {}
        self._found: dict[tuple[str, tuple[str, ...]], bool] = {}
        self.left_s = left_s
        self.too_slow: set[str] = set()
        """Regular expressions that did not come to an end in time; they count as not matching."""

    def fits(self, op: TextOp, value: str, texts: tuple[str, ...]) -> bool:
        """Whether one of some texts fits, or for the `not` kinds none does."""
        if op == "matches":
            return self._matches(value, texts)
        if op.startswith("not_") or op.endswith("_not"):
            return not self.fits("contains" if op == "not_contains" else "is", value, texts)
        wanted, found = self.folded(value), [self.folded(text) for text in texts]
        if op == "contains":
            return any(wanted in text for text in found)
        if op == "starts":
            return any(text.startswith(wanted) for text in found)
        if op == "ends":
            return any(text.endswith(wanted) for text in found)
        return wanted in found if wanted else not any(found)

    def folded(self, text: str) -> str:
        """A text whose case makes no difference any more, without spaces around it."""
        known = self._folded.get(text)
        if known is None:
            known = self._folded[text] = fold(text).strip()
        return known

    def _matches(self, pattern: str, texts: tuple[str, ...]) -> bool:
        known = self._found.get((pattern, texts))
        if known is None:
            known = self._found[pattern, texts] = self._search(pattern, texts)
        return known

    def _search(self, pattern: str, texts: tuple[str, ...]) -> bool:
        began = time.monotonic()
        until = began + min(PATTERN_S, self.left_s)
        try:
            wanted = compiled(pattern)
            for text in texts:
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                if wanted.search(text, timeout=left, concurrent=True):
                    return True
        except (TimeoutError, MemoryError):
            self.too_slow.add(pattern)
        finally:
            self.left_s -= time.monotonic() - began
        return False


def holds(groups: Groups, case: Case, now: datetime, matcher: Matcher) -> bool:
    """Whether every group has a condition that holds. None at all describe nothing."""
    return bool(groups) and all(any(_holds(one, case, now, matcher) for one in group.any) for group in groups)


def look(condition: Condition, case: Case, now: datetime, matcher: Matcher) -> Look:
    """What a condition saw, in words, and whether it holds."""
    held = _holds(condition, case, now, matcher)
    saw = _saw(condition, case)
    if isinstance(condition, Text) and condition.op == "matches" and condition.value in matcher.too_slow:
        saw = f"the regular expression took too long on {saw}"
    return Look(condition, held, saw)


def _holds(condition: Condition, case: Case, now: datetime, matcher: Matcher) -> bool:
    match condition:
        case HasAttachment(value):
            return case.attachments is value
        case HasTag(op, ids):
            return (op == "is") is not case.tags.isdisjoint(ids)
        case HasStatus(op, listed):
            return (op == "is") is (case.status in listed)
        case HasType(op, kinds):
            return (op == "is") is (case.type in kinds)
        case InInbox(op, ids):
            return (op == "is") is (case.inbox_id in ids)
        case HasAssignee(op, owners):
            return (op == "is") is (case.assignee_id in owners)
        case HasRating(op, opinions):
            if op in ("given", "not_given"):
                return (op == "given") is bool(case.ratings)
            return (op == "is") is any(one in opinions for one in case.ratings)
        case Created() | WaitingSince() | LastUserReply() | LastCustomerReply():
            return _in_time(condition, _moment(condition, case), now)
        case _:
            return matcher.fits(condition.op, condition.value, _texts(condition, case))


def _in_time(condition: Time, moment: str | None, now: datetime) -> bool:
    if moment is None:
        return False
    ago = span(condition)
    limit = str(condition.value) if ago is None else to_wire(now - ago)
    if condition.op in ("more_than", "before"):
        return moment <= limit if condition.op == "more_than" else moment < limit
    return moment > limit


def _moment(condition: Time, case: Case) -> str | None:
    match condition:
        case Created():
            return case.created_at
        case WaitingSince():
            return case.waiting_since
        case LastUserReply():
            return case.last_user_reply
        case LastCustomerReply():
            return case.last_customer_reply


def _texts(condition: Text, case: Case) -> tuple[str, ...]:
    match condition:
        case CustomerName():
            return (case.name,)
        case CustomerEmail():
            return case.emails
        case CustomerDomain():
            return tuple(email.rpartition("@")[2] for email in case.emails)
        case OrganizationName():
            return case.organizations
        case Subject():
            return (case.subject,)
        case Body():
            return case.bodies
        case SentTo():
            return case.to
        case CopiedTo():
            return case.cc
        case RatingComment():
            return case.rating_comments
        case FieldValue(field=field):
            return case.fields.get(field, ("",))


def _saw(condition: Condition, case: Case) -> str:
    match condition:
        case HasAttachment():
            return "an attachment" if case.attachments else "no attachment"
        case HasTag():
            return _listed([f"tag {id}" for id in sorted(case.tags)], "no tags")
        case HasStatus():
            return case.status
        case HasType():
            return case.type
        case InInbox():
            return f"inbox {case.inbox_id}"
        case HasAssignee():
            return "nobody" if case.assignee_id is None else f"owner {case.assignee_id}"
        case HasRating():
            return _listed(case.ratings, "no rating")
        case Created() | WaitingSince() | LastUserReply() | LastCustomerReply():
            return _moment(condition, case) or "no such time"
        case _:
            return _listed([text for text in _texts(condition, case) if text], "nothing")


def _listed(texts: Sequence[str], nothing: str) -> str:
    text = ", ".join(texts[:20]) if texts else nothing
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
