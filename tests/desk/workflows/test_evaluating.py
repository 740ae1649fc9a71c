"""Each condition with each of its operators on a conversation that is known, and hostile regular expressions."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from deskhand.desk.workflows import conditions
from deskhand.desk.workflows.conditions import Group, every, from_json, read, thresholds
from deskhand.desk.workflows.evaluating import Case, Matcher, holds, look
from deskhand.lib.clock import from_wire

NOW = from_wire("2026-11-23T12:00:00Z")
CASE = Case(
    id=1, number=1001, inbox_id=501, state="published", subject="Refund für Straße 7", type="email", status="active",
    assignee_id=3, attachments=True, tags=frozenset((7, 8)), fields={11: ("903", "Gold")},
    created_at="2026-11-21T12:00:00Z", waiting_since="2026-11-23T10:00:00Z", name="Paul Osei",
    emails=("paul@buyer.example", "posei@home.example"), organizations=("Northwind", "Northwind Ltd"),
    to=("help@desk.example",), cc=("boss@buyer.example",), bodies=("It flickers at night.", "Please hurry"),
    ratings=("great",), rating_comments=("Very quick!",), last_user_reply="2026-11-22T12:00:00Z",
    last_customer_reply="2026-11-23T10:00:00Z",
)  # fmt: skip
BARE = msgspec.structs.replace(
    CASE, subject="", assignee_id=None, attachments=False, tags=frozenset(), fields={}, waiting_since=None, name="",
    emails=(), organizations=(), to=(), cc=(), bodies=(), ratings=(), rating_comments=(), last_user_reply=None,
    last_customer_reply=None,
)  # fmt: skip

TEXTS = {
    "customer_name": ("Paul Osei", "Maria"),
    "customer_email": ("posei@home.example", "paul@home.example"),
    "customer_domain": ("buyer.example", "desk.example"),
    "organization": ("Northwind Ltd", "Southwind"),
    "subject": ("Refund für Straße 7", "Invoice"),
    "body": ("It flickers at night.", "It hums"),
    "to": ("help@desk.example", "sales@desk.example"),
    "cc": ("boss@buyer.example", "paul@buyer.example"),
    "rating_comment": ("Very quick!", "Slow"),
    "field": ("Gold", "Silver"),
}
"""By what a condition is about: a text that is there, and one that is not."""


def condition(**given: Any) -> Any:
    groups, faults = read([{"any": [given]}])
    assert faults == []
    kept = from_json(conditions.as_json(groups))
    assert kept is not None and list(kept) == groups
    return groups[0].any[0]


def held(case: Case = CASE, /, **given: Any) -> bool:
    return holds([Group([condition(**given)])], case, NOW, Matcher())


@pytest.mark.parametrize("about", TEXTS)
def test_texts_are_compared_without_case(about: str) -> None:
    there, other = TEXTS[about]
    given: dict[str, Any] = {"about": about} | ({"field": 11} if about == "field" else {})
    loud = there.upper()
    for op, value, expected in (
        ("is", loud, True), ("is", loud[:-1], False), ("is", other, False),
        ("is_not", loud, False), ("is_not", other, True),
        ("contains", loud[1:-1], True), ("contains", other, False),
        ("not_contains", loud[1:-1], False), ("not_contains", other, True),
        ("starts", loud[:3], True), ("starts", loud[2:], False),
        ("ends", loud[-3:], True), ("ends", loud[:-2], False),
        ("matches", f"^{there[:2].lower()}.+", True), ("matches", f"^{other}$", False),
    ):  # fmt: skip
        assert held(op=op, value=value, **given) is expected, (op, value)
    for op, expected in (
        ("contains", False),
        ("is", False),
        ("is_not", True),
        ("not_contains", True),
        ("starts", False),
    ):
        assert held(BARE, op=op, value=there, **given) is expected, op
    assert held(BARE, op="is", value="", **given)
    assert not held(op="is", value="", **given)
    assert held(op="is_not", value="", **given)


def test_letters_that_people_take_for_equal_are_equal() -> None:
    assert held(about="subject", op="contains", value="STRASSE")
    assert held(about="subject", op="is", value="  refund fu\u0308r straße 7 ")


@pytest.mark.parametrize(
    ("given", "expected", "of_bare"),
    [
        ({"about": "attachment", "value": True}, True, False),
        ({"about": "attachment", "value": False}, False, True),
        ({"about": "tag", "op": "is", "value": [9, 7]}, True, False),
        ({"about": "tag", "op": "is", "value": [9]}, False, False),
        ({"about": "tag", "op": "is_not", "value": [9, 7]}, False, True),
        ({"about": "tag", "op": "is_not", "value": [9]}, True, True),
        ({"about": "status", "op": "is", "value": ["pending", "active"]}, True, True),
        ({"about": "status", "op": "is_not", "value": ["active"]}, False, False),
        ({"about": "status", "op": "is_not", "value": ["spam"]}, True, True),
        ({"about": "type", "op": "is", "value": ["chat"]}, False, False),
        ({"about": "type", "op": "is_not", "value": ["chat", "phone"]}, True, True),
        ({"about": "inbox", "op": "is", "value": [501]}, True, True),
        ({"about": "inbox", "op": "is_not", "value": [501, 502]}, False, False),
        ({"about": "assignee", "op": "is", "value": [3]}, True, False),
        ({"about": "assignee", "op": "is", "value": [None]}, False, True),
        ({"about": "assignee", "op": "is", "value": [3, None]}, True, True),
        ({"about": "assignee", "op": "is_not", "value": [None]}, True, False),
        ({"about": "rating", "op": "given"}, True, False),
        ({"about": "rating", "op": "not_given"}, False, True),
        ({"about": "rating", "op": "is", "value": ["okay", "great"]}, True, False),
        ({"about": "rating", "op": "is", "value": ["okay"]}, False, False),
        ({"about": "rating", "op": "is_not", "value": ["great"]}, False, True),
        ({"about": "field", "field": 11, "op": "is", "value": "903"}, True, False),
        ({"about": "field", "field": 99, "op": "is", "value": ""}, True, True),
    ],
)
def test_whatever_is_no_text(given: dict[str, Any], expected: bool, of_bare: bool) -> None:
    assert (held(**given), held(BARE, **given)) == (expected, of_bare)


@pytest.mark.parametrize(
    ("about", "ago"),
    [("created", 48), ("waiting_since", 2), ("last_user_reply", 24), ("last_customer_reply", 2)],
)
def test_times_to_the_second(about: str, ago: int) -> None:
    for op, value, unit, expected in (
        ("more_than", ago, "hours", True), ("more_than", ago * 60 + 1, "minutes", False),
        ("less_than", ago, "hours", False), ("less_than", ago * 60 + 1, "minutes", True),
        ("less_than", 3, "days", True), ("more_than", 3, "days", False),
    ):  # fmt: skip
        assert held(about=about, op=op, value=value, unit=unit) is expected, (op, value)
    moment = NOW - timedelta(hours=ago)
    for op, shift, expected in (
        ("before", 1, True), ("before", 0, False), ("after", -1, True), ("after", 0, False), ("before", -1, False)
    ):  # fmt: skip
        text = (moment + timedelta(seconds=shift)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert held(about=about, op=op, value=text) is expected, (op, shift)
    if about != "created":
        assert not held(BARE, about=about, op="more_than", value=1, unit="minutes")
        assert not held(BARE, about=about, op="after", value="2000-01-01T00:00:00Z")


def test_every_group_must_hold_by_any_of_its_conditions() -> None:
    yes, no = condition(about="attachment", value=True), condition(about="attachment", value=False)
    for groups, expected in (
        ([[yes]], True), ([[no]], False), ([[no, yes]], True), ([[yes], [no]], False), ([[yes, no], [no, yes]], True),
        ([], False),
    ):  # fmt: skip
        assert holds([Group(group) for group in groups], CASE, NOW, Matcher()) is expected


def test_what_a_condition_saw_is_told() -> None:
    def saw(**given: Any) -> str:
        return look(condition(**given), CASE, NOW, Matcher()).saw

    assert saw(about="subject", op="is", value="x") == "Refund für Straße 7"
    assert saw(about="customer_email", op="is", value="x") == "paul@buyer.example, posei@home.example"
    assert saw(about="tag", op="is", value=[1]) == "tag 7, tag 8"
    assert saw(about="waiting_since", op="more_than", value=1, unit="days") == "2026-11-23T10:00:00Z"
    assert look(condition(about="assignee", op="is", value=[3]), BARE, NOW, Matcher()).saw == "nobody"
    long = msgspec.structs.replace(CASE, bodies=("x" * 10_000,))
    assert len(look(condition(about="body", op="is", value="x"), long, NOW, Matcher()).saw) < 200


# -- Regular expressions


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)+$", r"(\w+\s?)+$", "(?:a?){30}a{30}$", "(?b)(?:foobarbaz){e}", "(?R)?a+b", "(.*a){99}c|a+$"],
)
def test_a_hostile_expression_comes_to_an_end(pattern: str) -> None:
    hostile = msgspec.structs.replace(CASE, bodies=("a" * 20_000 + "!",) * 5)
    one, matcher = condition(about="body", op="matches", value=pattern), Matcher()
    began = time.thread_time()
    found = look(one, hostile, NOW, matcher)
    assert time.thread_time() - began < 1
    if pattern == "(a+)+$":
        assert not found.holds
        assert found.saw.startswith("the regular expression took too long on aaa")


def test_many_hostile_expressions_have_their_time_together() -> None:
    hostile = msgspec.structs.replace(CASE, bodies=("a" * 20_000 + "!",))
    groups = [Group([condition(about="body", op="matches", value=f"({'a+' * n})+$") for n in range(1, 31)])]
    matcher, began = Matcher(), time.thread_time()
    assert not holds(groups, hostile, NOW, matcher)
    assert time.thread_time() - began < 1.5
    began = time.thread_time()
    assert not holds(groups, hostile, NOW, matcher)  # what is known already costs nothing
    assert time.thread_time() - began < 0.05


@pytest.mark.parametrize(
    "pattern", ["(a", "*", "[z-a]", "(?P<n>a)(?P<n", "a{9999999}", "(?:(?:a{1000}){1000}){1000}", "\\"]
)
def test_what_is_no_expression_or_too_large_is_refused_at_once(pattern: str) -> None:
    began = time.thread_time()
    _, faults = read([{"any": [{"about": "subject", "op": "matches", "value": pattern}]}])
    assert [fault.path for fault in faults] == ["conditions[0].any[0].value"]
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"about": "sender", "op": "is", "value": "x"}, "about", "Expected one of these: 'customer_name', "),
        ({"op": "is", "value": "x"}, "about", "may not be empty"),
        ({"about": "subject", "op": "more_than", "value": "x"}, "op", "Expected one of these: 'contains', "),
        ({"about": "subject", "op": "is"}, "value", "may not be empty"),
        ({"about": "subject", "op": "is", "value": 5}, "value", "must be a string"),
        ({"about": "tag", "op": "is", "value": [1, "vip"]}, "value[1]", "must be an integer"),
        ({"about": "status", "op": "is", "value": ["open"]}, "value[0]", "Expected one of these: 'active', "),
        ({"about": "created", "op": "more_than", "value": 2, "unit": "weeks"}, "unit", "Expected one of these: "),
        ({"about": "attachment", "value": True, "op": "is"}, "op", "is not known here"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said_in_words_with_what_would(given: Any, field: str, words: str) -> None:
    _, (fault,) = read([{"any": [given]}])
    assert fault.path == f"conditions[0].any[0].{field}"
    assert fault.message.startswith(words)


def test_twenty_workflows_take_less_than_five_milliseconds() -> None:
    groups = [
        Group(
            [
                condition(about="subject", op="contains", value="x" * n),
                condition(about="body", op="matches", value=f"x{n}"),
            ]
        )
        for n in range(1, 21)
    ]
    workflows = [conditions.as_json([group]) for group in groups]
    case = msgspec.structs.replace(CASE, bodies=("It flickers at night and by day. " * 300,))

    def evaluate() -> float:
        began, matcher = time.thread_time(), Matcher()
        for text in workflows:
            assert not holds(from_json(text) or (), case, NOW, matcher)
        return time.thread_time() - began

    assert min(evaluate() for _ in range(30)) < 0.005


# -- What somebody gives


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({}, ["conditions"]),
        ([7], ["conditions[0]"]),
        ([{}], ["conditions[0].any"]),
        ([{"any": []}], ["conditions[0].any"]),
        ([{"any": [7]}], ["conditions[0].any[0]"]),
        ([{"all": [], "any": [{"about": "attachment", "value": True}]}], ["conditions[0].all"]),
        ([{"any": [{"about": "attachment", "value": True}] * 16}] * 2, ["conditions"]),
    ],
)
def test_groups_that_make_no_sense_are_named(given: Any, paths: list[str]) -> None:
    assert [fault.path for fault in read(given)[1]] == paths


@pytest.mark.parametrize(
    ("one", "place"),
    [
        ({"about": "weather", "op": "is", "value": "x"}, ".about"),
        ({"op": "is", "value": "x"}, ".about"),
        ({"about": "subject", "op": "is", "value": "x", "case": 1}, ".case"),
        ({"about": "subject", "op": "like", "value": "x"}, ".op"),
        ({"about": "subject", "op": "is", "value": 7}, ".value"),
        ({"about": "subject", "op": "contains", "value": ""}, ".value"),
        ({"about": "subject", "op": "is", "value": "x\0"}, ".value"),
        ({"about": "subject", "op": "is", "value": "x" * 501}, ".value"),
        ({"about": "tag", "op": "is", "value": []}, ".value"),
        ({"about": "tag", "op": "is", "value": [7, "x"]}, ".value[1]"),
        ({"about": "status", "op": "is", "value": ["open"]}, ".value[0]"),
        ({"about": "rating", "op": "is"}, ".value"),
        ({"about": "rating", "op": "given", "value": ["great"]}, ".value"),
        ({"about": "created", "op": "more_than", "value": 2}, ".unit"),
        ({"about": "created", "op": "more_than", "value": 0, "unit": "days"}, ".value"),
        ({"about": "created", "op": "more_than", "value": 10**9, "unit": "days"}, ".value"),
        ({"about": "created", "op": "more_than", "value": "2", "unit": "days"}, ".value"),
        ({"about": "created", "op": "before", "value": "soon"}, ".value"),
        ({"about": "created", "op": "before", "value": "2026-01-01T00:00:00Z", "unit": "days"}, ".unit"),
    ],
)
def test_a_condition_that_makes_no_sense_is_named(one: Any, place: str) -> None:
    good = {"about": "attachment", "value": True}
    groups = [{"any": [good]}, {"any": [good, one]}]
    assert [fault.path for fault in read(groups)[1]] == [f"conditions[1].any[1]{place}"]


def test_thirty_conditions_are_not_too_many() -> None:
    groups, faults = read([{"any": [{"about": "attachment", "value": True}] * 15}] * 2)
    assert (faults, len(list(every(groups)))) == ([], 30)


def test_only_more_than_comes_about_by_itself() -> None:
    waiting = {"about": "waiting_since", "value": 2, "unit": "hours"}
    given = [
        {"any": [{**waiting, "op": op} for op in ("more_than", "less_than")]},
        {"any": [{"about": "created", "op": "before", "value": "2026-01-01T00:00:00Z"}]},
    ]
    assert thresholds(read(given)[0]) == {(conditions.WaitingSince, timedelta(hours=2))}


@pytest.mark.parametrize("text", ["", "{}", "[7]", '[{"any":[{"about":"weather"}]}]', '[{"all":[]}]'])
def test_what_is_kept_but_makes_no_sense_is_no_condition(text: str) -> None:
    assert from_json(text) is None


def test_all_that_there_is_can_be_said_in_words() -> None:
    texts = [condition(about=about, op="is", value="x") for about in TEXTS if about != "field"]
    others = [
        condition(about="field", field=11, op="is", value="x"),
        condition(about="attachment", value=True), condition(about="tag", op="is_not", value=[7]),
        condition(about="status", op="is", value=["active"]), condition(about="type", op="is_not", value=["chat"]),
        condition(about="inbox", op="is", value=[501]), condition(about="assignee", op="is", value=[3, None]),
        condition(about="rating", op="is", value=["great"]), condition(about="rating", op="given"),
        condition(about="created", op="more_than", value=1, unit="days"),
        condition(about="waiting_since", op="before", value="2026-01-01T00:00:00Z"),
    ]  # fmt: skip
    said = [conditions.in_words(one, lambda kind, id: f"{kind} {id}") for one in [*texts, *others]]
    assert len(set(said)) == len(said)
    assert said[-10:] == [
        "it has an attachment", "it carries none of the tags tag 7", "the status is active", "the type is not chat",
        "the inbox is inbox 501", "the owner is owner 3 or nobody", "a rating is great", "a reply was rated",
        "it began more than 1 day ago", "the customer has waited since before 2026-01-01T00:00:00Z",
    ]  # fmt: skip
