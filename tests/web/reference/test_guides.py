"""The guides beside the operations: their facts come from the catalogue and their code runs."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from deskhand.catalogue import problems
from deskhand.catalogue.events import EVENTS
from deskhand.catalogue.operations import OPERATIONS
from deskhand.web.reference import events, history, questions, statuses
from deskhand.web.reference.colour import breakable, coloured, quoted, ticked
from deskhand.web.reference.entries import entries
from deskhand.web.reference.filters import Filter, read_filter
from deskhand.web.reference.snippets import SIGNATURE, VECTOR, guide_snippets

ENTRIES = entries(OPERATIONS, "https://desk.example")


def test_every_event_is_told_of_with_what_causes_it() -> None:
    told = events.told(OPERATIONS)
    assert {one.kind for one in told} == set(EVENTS)
    by_name = {one.kind.name: one for one in told}
    assert "add_note" in by_name["convo.note.created"].caused_by
    assert by_name["convo.deleted"].body == "the id alone"
    assert sorted(told, key=lambda one: not one.kind.emitted) == told, "what never comes stands last"


def test_every_status_is_told_of_with_what_to_do() -> None:
    told = {one.code: one for one in statuses.told(OPERATIONS)}
    declared = {
        kind.status for kind in vars(problems).values() if isinstance(kind, type) and issubclass(kind, problems.Problem)
    }
    declared |= {status for operation in OPERATIONS for status, _ in operation.errors}
    declared |= {operation.returns.status for operation in OPERATIONS}
    assert declared <= set(told)
    for one in told.values():
        assert one.title and one.meaning.endswith(".") and one.advice.endswith("."), one.code
    assert ("create_customer", "the e-mail address belongs to a customer already") in told[409].particular


def test_changes_stand_newest_first_and_once() -> None:
    dates = [change.date for change in history.CHANGES]
    assert dates == sorted(dates, reverse=True)
    assert len(set(dates)) == len(dates)
    assert {"2025-03-24", "2022-05-25"} <= {change.date for change in history.CHANGES if change.breaking}


def test_there_are_questions_enough_and_each_is_answered() -> None:
    keys = [one.key for one in questions.QUESTIONS]
    assert len(set(keys)) == len(keys) >= 15
    for one in questions.QUESTIONS:
        assert one.question.endswith("?") and one.answer
        assert all(paragraph.count("`") % 2 == 0 and paragraph.endswith(".") for paragraph in one.answer), one.key


def test_the_signature_example_is_right_in_python_and_in_a_shell() -> None:
    namespace: dict[str, Any] = {}
    exec(SIGNATURE, namespace)
    body = VECTOR["body"].encode()
    assert namespace["is_genuine"](body, VECTOR["signature"], VECTOR["secret"])
    assert not namespace["is_genuine"](body + b" ", VECTOR["signature"], VECTOR["secret"])
    made = subprocess.run(["bash", "-c", VECTOR["shell"]], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == VECTOR["signature"]


def test_python_in_the_guides_compiles() -> None:
    snippets = guide_snippets("https://desk.example")
    for name in ("client_code", "walk_code", "wait_code", "signature_code"):
        compile(snippets[name], name, "exec")


# -- Filters


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Filter()),
        ({"q": "  note ", "method": "GET"}, Filter(q="note", method="GET")),
        ({"permission": "tags:read"}, Filter(grant="tags:read")),
        ({"page": "2", "group": "threads"}, Filter(group="threads")),
        ({"q": "x" * 5000}, Filter(q="x" * 100)),
    ],
)
def test_a_filter_is_read_from_the_query_string(given: dict[str, str], expected: Filter) -> None:
    assert read_filter(given) == expected
    assert expected.is_empty == (expected == Filter())


@pytest.mark.parametrize(
    ("filter", "finds", "leaves"),
    [
        (Filter(), "list_tags", None),
        (Filter(q="NOTE convo.note"), "add_note", "add_chat"),
        (Filter(q="/reply"), "reply_to_conversation", "add_note"),
        (Filter(method="DELETE"), "delete_conversation", "update_conversation"),
        (Filter(access="delete"), "delete_conversation", "set_conversation_tags"),
        (Filter(grant="threads:write"), "add_note", "list_threads"),
        (Filter(group="inboxes", access="read"), "list_inboxes", "list_tags"),
        (Filter(group="nowhere"), None, "list_tags"),
        (Filter(method="get"), None, "list_tags"),
    ],
)
def test_a_filter_finds_and_leaves(filter: Filter, finds: str | None, leaves: str | None) -> None:
    names = {entry.name for entry in ENTRIES if filter.takes(entry)}
    assert finds is None or finds in names
    assert leaves not in names


# -- Text as HTML


def test_text_becomes_html_and_nothing_else() -> None:
    assert ticked("`a<b` & <i>") == "<code>a&lt;b</code> &amp; &lt;i&gt;"
    assert breakable("/v2/{tag_id}") == "<wbr>/v2<wbr>/<var>{tag_id}</var>"
    assert coloured('{"a": "<b>", "n": 1}') == (
        "{<i class=k>&#34;a&#34;</i>: <i class=s>&#34;&lt;b&gt;&#34;</i>, <i class=k>&#34;n&#34;</i>: <i class=n>1</i>}"
    )
    assert coloured("Resource-ID: 7") == "<i class=k>Resource-ID</i>: 7"
    assert quoted('curl -H "A"') == "curl -H <i class=s>&#34;A&#34;</i>"
