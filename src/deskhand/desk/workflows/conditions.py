"""On which conversations an automatic workflow runs: the kinds of condition, and how a workflow keeps them.

They are kept as a JSON list of groups. Every group must hold; a group holds when any condition in it does:
`[{"any": [{"about": "subject", "op": "contains", "value": "refund"}, {"about": "tag", "op": "is", "value": [7]}]}]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta

from deskhand.catalogue.parsing import faults_of
from deskhand.catalogue.problems import FieldError, empty, shown
from deskhand.catalogue.values import Id, OwnerId, decode_hook
from deskhand.lib.clock import from_wire
from deskhand.lib.text import fold

if TYPE_CHECKING:
    from regex import Pattern

CONDITIONS_MOST = 30
"""Conditions of one workflow, all groups together. Source: our choice; the issue asks for 30."""
PATTERN_MOST = 500
"""Characters of a regular expression."""
REPEATED_MOST = 1000
_REPEATED = re.compile(r"\{\s*(\d+)")
DAYS_MOST = 3650

TextOp = Literal["contains", "not_contains", "is", "is_not", "starts", "ends", "matches"]
ListOp = Literal["is", "is_not"]
TimeOp = Literal["more_than", "less_than", "before", "after"]
Unit = Literal["minutes", "hours", "days"]


class _Condition(msgspec.Struct, frozen=True, tag_field="about", forbid_unknown_fields=True):
    """The base of all conditions."""


class _Text(_Condition, frozen=True):
    """About texts, of which there may be several: one that fits is enough; the `not` kinds hold when none fits.

    Case makes no difference. `matches` takes a regular expression.
    """

    op: TextOp
    value: Annotated[str, Meta(max_length=PATTERN_MOST)]


class CustomerName(_Text, frozen=True, tag="customer_name"):
    """The customer's first and last name."""


class CustomerEmail(_Text, frozen=True, tag="customer_email"):
    """The customer's addresses: the one used here, and all others known."""


class CustomerDomain(_Text, frozen=True, tag="customer_domain"):
    """What stands behind the @ of the customer's addresses."""


class OrganizationName(_Text, frozen=True, tag="organization"):
    """The customer's organization."""


class Subject(_Text, frozen=True, tag="subject"):
    """The subject."""


class Body(_Text, frozen=True, tag="body"):
    """What was written to or by the customer, as plain text; notes are left out."""


class SentTo(_Text, frozen=True, tag="to"):
    """The addresses that messages went to."""


class CopiedTo(_Text, frozen=True, tag="cc"):
    """The addresses that got copies."""


class RatingComment(_Text, frozen=True, tag="rating_comment"):
    """What customers said beside their ratings."""


class FieldValue(_Text, frozen=True, tag="field"):
    """The value of a custom field, a dropdown's by its label or its id; none is an empty text."""

    field: Id


class HasAttachment(_Condition, frozen=True, tag="attachment"):
    """Whether any message has an attachment."""

    value: bool


class HasTag(_Condition, frozen=True, tag="tag"):
    """Whether it carries any of some tags, named by their ids."""

    op: ListOp
    value: Annotated[list[Id], Meta(min_length=1, max_length=100)]


class HasStatus(_Condition, frozen=True, tag="status"):
    """Its status."""

    op: ListOp
    value: Annotated[list[Literal["active", "pending", "closed", "spam"]], Meta(min_length=1, max_length=4)]


class HasType(_Condition, frozen=True, tag="type"):
    """Its type."""

    op: ListOp
    value: Annotated[list[Literal["email", "chat", "phone"]], Meta(min_length=1, max_length=3)]


class InInbox(_Condition, frozen=True, tag="inbox"):
    """The inbox that it lies in."""

    op: ListOp
    value: Annotated[list[Id], Meta(min_length=1, max_length=100)]


class HasAssignee(_Condition, frozen=True, tag="assignee"):
    """Whose it is: users, teams and system users by their ids; null is nobody."""

    op: ListOp
    value: Annotated[list[OwnerId | None], Meta(min_length=1, max_length=100)]


class HasRating(_Condition, frozen=True, tag="rating"):
    """Ratings of its replies: whether there are any, and whether one is of some kinds (none is, for `is_not`)."""

    op: Literal["given", "not_given", "is", "is_not"]
    value: Annotated[list[Literal["great", "okay", "not_good"]], Meta(max_length=3)] = []


class _Time(_Condition, frozen=True):
    """About a time: more or less than so many minutes, hours or days ago, or before or after a time as on the wire.

    Where there is no such time (nobody waits, nobody replied), nothing of this holds.
    """

    op: TimeOp
    value: int | str
    unit: Unit | None = None


class Created(_Time, frozen=True, tag="created"):
    """When the conversation began."""


class WaitingSince(_Time, frozen=True, tag="waiting_since"):
    """Since when the customer has been waiting for an answer."""


class LastUserReply(_Time, frozen=True, tag="last_user_reply"):
    """When the staff last replied."""


class LastCustomerReply(_Time, frozen=True, tag="last_customer_reply"):
    """When the customer last wrote."""


Text = (
    CustomerName | CustomerEmail | CustomerDomain | OrganizationName | Subject | Body | SentTo | CopiedTo
    | RatingComment | FieldValue
)  # fmt: skip
Time = Created | WaitingSince | LastUserReply | LastCustomerReply
Condition = (
    CustomerName | CustomerEmail | CustomerDomain | OrganizationName | Subject | Body | SentTo | CopiedTo
    | RatingComment | FieldValue | HasAttachment | HasTag | HasStatus | HasType | InInbox | HasAssignee | HasRating
    | Created | WaitingSince | LastUserReply | LastCustomerReply
)  # fmt: skip


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Conditions of which one has to hold."""

    any: list[Condition]


Groups = Sequence[Group]
_SECONDS = {"minutes": 60, "hours": 3600, "days": 86_400}
_UNIT_MOST = {unit: DAYS_MOST * 86_400 // seconds for unit, seconds in _SECONDS.items()}


def as_json(groups: Groups) -> str:
    """Conditions as a workflow keeps them."""
    return msgspec.json.encode(list(groups)).decode()


@lru_cache(maxsize=4096)
def from_json(text: str) -> tuple[Group, ...] | None:
    """The conditions that a workflow keeps, or None where they make no sense."""
    try:
        return tuple(msgspec.json.decode(text, type=list[Group]))
    except msgspec.DecodeError:
        return None


def every(groups: Groups) -> Iterator[Condition]:
    """All conditions, whatever their group."""
    for group in groups:
        yield from group.any


def span(condition: Time) -> timedelta | None:
    """How long ago, for a condition that counts from now; None for one that names a time."""
    if condition.unit is None or not isinstance(condition.value, int):
        return None
    return timedelta(seconds=condition.value * _SECONDS[condition.unit])


def thresholds(groups: Groups) -> set[tuple[type[Time], timedelta]]:
    """After how long something begins to hold by itself, without anything happening: only `more than` does."""
    return {
        (type(one), ago)
        for one in every(groups)
        if isinstance(one, _Time) and one.op == "more_than" and (ago := span(one)) is not None
    }


# -- What somebody gives


def read(given: Any, path: str = "conditions") -> tuple[list[Group], list[FieldError]]:
    """Conditions out of a JSON value, and everything that is wrong with it, each fault named by its place."""
    if not isinstance(given, list):
        return [], [FieldError(path, "must be a list", "ValidIdentifier")]
    groups, faults = [], []
    for number, one in enumerate(given):
        group, wrong = _group(one, f"{path}[{number}]")
        faults += wrong
        groups.append(group)
    if sum(len(group.any) for group in groups) > CONDITIONS_MOST:
        faults.append(FieldError(path, f"must have at most {CONDITIONS_MOST} conditions", "Size"))
    return groups, faults


def _group(given: Any, path: str) -> tuple[Group, list[FieldError]]:
    if not isinstance(given, dict):
        return Group([]), [FieldError(path, 'must be an object as {"any": [conditions]}', "ValidIdentifier")]
    faults = [_unknown(path, name) for name in given if name != "any"]
    listed = given.get("any")
    if not isinstance(listed, list) or not listed:
        return Group([]), [*faults, empty(f"{path}.any")]
    found: list[Condition] = []
    for number, one in enumerate(listed):
        place = f"{path}.any[{number}]"
        condition, wrong = converted(one, Condition, place)
        faults += wrong
        if condition is not None:
            faults += _faults(condition, place)
            found.append(condition)
    return Group(found), faults


T = TypeVar("T")


def converted(given: Any, kind: Any, path: str) -> tuple[Any, list[FieldError]]:
    """A value of a kind out of JSON, or what is wrong with it, named by its place."""
    try:
        return msgspec.convert(given, kind, dec_hook=decode_hook), []
    except msgspec.ValidationError as problem:
        text, _, place = str(problem).partition(" - at `$")
        if text.startswith("Object contains unknown field `"):
            return None, [_unknown(path + place.rstrip("`"), text.split("`")[1])]
        return None, _wrong(given, kind, path) or [FieldError(path + place.rstrip("`"), text, "ValidIdentifier")]


def _wrong(given: Any, kind: Any, path: str) -> list[FieldError]:
    """What is wrong with each field; of several kinds that one counts which the value names."""
    kinds = {one.__struct_config__.tag: one for one in get_args(kind)}
    if not kinds or not isinstance(given, dict):
        return faults_of(given, kind, path)
    name = get_args(kind)[0].__struct_config__.tag_field
    named = given.get(name)
    if isinstance(named, str) and named in kinds:
        return faults_of(given, kinds[named], path)
    listed = ", ".join(f"'{one}'" for one in kinds)
    wrong = FieldError(f"{path}.{name}", f"Expected one of these: {listed}", "EnumValue", shown(named))
    return [empty(f"{path}.{name}") if named is None else wrong]


def _unknown(path: str, name: str) -> FieldError:
    return FieldError(f"{path}.{name[:100]}", "is not known here", "ValidIdentifier")


def _faults(condition: Condition, path: str) -> Iterator[FieldError]:
    """What the kinds alone do not say."""
    match condition:
        case _Time():
            yield from _time_faults(condition, path)
        case HasRating(op, value):
            if op in ("is", "is_not") and not value:
                yield empty(f"{path}.value")
            elif op not in ("is", "is_not") and value:
                yield FieldError(f"{path}.value", f"must be left out where op is {op}", "ValidIdentifier")
        case _Text():
            nothing = not fold(condition.value).strip() and condition.op != "matches"
            if (nothing or not condition.value) and condition.op not in ("is", "is_not"):
                yield empty(f"{path}.value")
            elif "\0" in condition.value:
                yield FieldError(f"{path}.value", "may not contain the character NUL", "Size")
            elif condition.op == "matches" and (text := _pattern_fault(condition.value)):
                yield FieldError(f"{path}.value", text, "ValidIdentifier", condition.value[:200])


def _time_faults(condition: Time, path: str) -> Iterator[FieldError]:
    relative = condition.op in ("more_than", "less_than")
    if relative and condition.unit is None:
        yield empty(f"{path}.unit")
    elif relative:
        assert condition.unit is not None
        most = _UNIT_MOST[condition.unit]
        if not isinstance(condition.value, int) or not 0 < condition.value <= most:
            yield FieldError(f"{path}.value", f"must be an integer from 1 to {most}", "Min", condition.value)
    else:
        if condition.unit is not None:
            yield FieldError(f"{path}.unit", f"must be left out where op is {condition.op}", "ValidIdentifier")
        if not isinstance(condition.value, str) or not _is_time(condition.value):
            text = "must be an ISO 8601 date yyyy-MM-dd'T'HH:mm:ss'Z'"
            yield FieldError(f"{path}.value", text, "DateFormat", shown(condition.value))


def _is_time(text: str) -> bool:
    try:
        from_wire(text)
    except ValueError:
        return False
    return True


def _pattern_fault(pattern: str) -> str:
    try:
        compiled(pattern)
    except (ValueError, OverflowError, RecursionError) as problem:
        return f"is not a regular expression: {problem}"
    return ""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Pattern[str]:
    """A regular expression ready to be searched for; raises ValueError.

    Repetitions are bounded together, because one inside another is written out in full when it is compiled.
    """
    if prod(max(1, int(least[:9])) for least in _REPEATED.findall(pattern)) > REPEATED_MOST:
        raise ValueError(f"its repetitions together must be at most {REPEATED_MOST:,}")
    import regex  # noqa: PLC0415 - it takes a megabyte, and few workflows have patterns

    try:
        return regex.compile(pattern, regex.IGNORECASE)
    except regex.error as problem:
        raise ValueError(str(problem)) from problem


# -- In words

_ABOUT: dict[type[Condition], str] = {
    CustomerName: "the customer's name", CustomerEmail: "the customer's address",
    CustomerDomain: "the domain of the customer's address", OrganizationName: "the organization",
    Subject: "the subject", Body: "what was written", SentTo: "an address it went to", CopiedTo: "an address in copy",
    RatingComment: "the comment of a rating", HasTag: "the tags", HasStatus: "the status", HasType: "the type",
    InInbox: "the inbox", HasAssignee: "the owner", Created: "it began", WaitingSince: "the customer has waited since",
    LastUserReply: "the staff last replied", LastCustomerReply: "the customer last wrote",
}  # fmt: skip
_OPS = {
    "contains": "contains", "not_contains": "does not contain", "is": "is", "is_not": "is not",
    "starts": "starts with", "ends": "ends with", "matches": "matches",
}  # fmt: skip


def in_words(condition: Condition, name: Callable[[str, int], str]) -> str:
    """A condition as people say it; `name` tells what an id of a tag, owner, inbox or field is called."""
    match condition:
        case FieldValue(op, value, field):
            return f"{name('field', field)} {_OPS[op]} “{value}”"
        case HasAttachment(value):
            return "it has an attachment" if value else "it has no attachment"
        case HasRating("given"):
            return "a reply was rated"
        case HasRating("not_given"):
            return "no reply was rated"
        case HasRating(op, kinds):
            return f"a rating {_OPS[op]} {' or '.join(kinds)}"
        case HasTag(op, ids):
            return f"it carries {'any' if op == 'is' else 'none'} of the tags {_named(ids, 'tag', name)}"
        case HasAssignee(op, owners):
            return f"the owner {_OPS[op]} {_named(owners, 'owner', name)}"
        case InInbox(op, ids):
            return f"the inbox {_OPS[op]} {_named(ids, 'inbox', name)}"
        case HasStatus(op, listed) | HasType(op, listed):
            return f"{_ABOUT[type(condition)]} {_OPS[op]} {' or '.join(listed)}"
        case _Time():
            return f"{_ABOUT[type(condition)]} {_ago(condition)}"
        case _Text(op, value):
            return f"{_ABOUT[type(condition)]} {_OPS[op]} “{value}”"
    raise TypeError(condition)


def _named(ids: Sequence[int | None], kind: str, name: Callable[[str, int], str]) -> str:
    return " or ".join("nobody" if id is None else name(kind, id) for id in ids)


def _ago(condition: Time) -> str:
    if condition.unit is None:
        return f"{condition.op} {condition.value}"
    unit = condition.unit.removesuffix("s") if condition.value == 1 else condition.unit
    return f"{condition.op.replace('_', ' ')} {condition.value} {unit} ago"
