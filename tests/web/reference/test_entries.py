"""What the reference tells of each operation: its facts, its tables, and an example that the API itself would take."""

from __future__ import annotations

import json
import re
import shlex
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import AnyOperation, BareList, ListOf, NoBody, One, Report
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.catalogue.parsing import parse_body, parse_query
from deskhand.catalogue.values import Email, Ids, PageNumber, Shape, WireTime, decode_hook
from deskhand.web.reference.entries import Entry, entries, tallies
from deskhand.web.reference.examples import FILLER, example, path_of, pretty
from deskhand.web.reference.groups import group
from deskhand.web.reference.shapes import Row, tables

BASE = "https://desk.example"
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


# -- Examples


@each_operation
def test_its_example_request_is_one_that_the_api_takes(operation: AnyOperation) -> None:
    made = example(operation, BASE)
    parse_query(operation.query, made.query)
    assert bool(made.body) == (operation.body is not NoBody)
    if made.body:
        parse_body(operation.body, made.body.encode())


@each_operation
def test_its_example_can_be_typed_into_a_shell(operation: AnyOperation) -> None:
    made = example(operation, BASE)
    words = shlex.split(made.curl.replace("\\\n", " "))
    assert words[0] == "curl"
    assert "Authorization: Bearer $TOKEN" in words
    url = next(word for word in words if word.startswith(BASE))
    match = Matcher(OPERATIONS).match(url.removeprefix(BASE).partition("?")[0])
    assert match is not None and match.operations[operation.method] is operation
    if made.body:
        assert words[words.index("-d") + 1] == made.body


@each_operation
def test_its_example_answer_has_the_shape_it_returns(operation: AnyOperation) -> None:
    made, returns = example(operation, BASE), operation.returns
    assert made.answer_line.startswith(str(returns.status))
    if isinstance(returns, ListOf):
        [item] = json.loads(made.answer)["_embedded"][returns.key]
        msgspec.convert(item, returns.shape, dec_hook=decode_hook)
    elif isinstance(returns, BareList):
        msgspec.convert(json.loads(made.answer), list[returns.shape], dec_hook=decode_hook)  # type: ignore[name-defined]
    elif isinstance(returns, One | Report):
        msgspec.convert(json.loads(made.answer), returns.shape, dec_hook=decode_hook)
    elif returns.status == 201:
        assert re.fullmatch(rf"(Resource-ID: \d+\n)?Location: {BASE}/v2/\S+", made.answer)
    else:
        assert made.answer == ""


@each_operation
def test_its_example_holds_no_filler(operation: AnyOperation) -> None:
    made = example(operation, BASE)
    text = made.answer + made.body
    assert FILLER not in text, f"{operation.name}: add a sample to web/reference/samples.py\n{text}"


@each_operation
def test_the_ids_in_its_path_are_samples(operation: AnyOperation) -> None:
    assert "/1/" not in path_of(operation) + "/", "add the parameter to web/reference/samples.py"


def test_examples_are_the_same_each_time() -> None:
    assert [example(one, BASE) for one in OPERATIONS] == [example(one, BASE) for one in OPERATIONS]


def test_json_is_laid_out_to_be_read() -> None:
    value = {"id": 1, "tags": [], "customer": {"email": "joanne.halvorsen@quillmail.example", "ids": [1, 2]}}
    text = pretty(value)
    assert json.loads(text) == value
    assert text.splitlines()[1:4] == ['  "id": 1,', '  "tags": [],', '  "customer": {']


# -- Tables


class Inner(Shape, kw_only=True):
    """Something inside."""

    email: Email


class Outer(Shape, kw_only=True):
    """Something outside."""

    status: Literal["on", "off"] = "on"
    page: PageNumber = 1
    name: Annotated[str, Meta(min_length=1, max_length=40)]
    ids: Ids | None = None
    since: WireTime | None = None
    owner: int | None | UnsetType = UNSET
    people: list[Inner] | None = None
    first: Inner | None = None
    anything: Any = None


def test_a_table_tells_kind_limits_choices_and_default() -> None:
    outer, inner = tables(Outer)
    rows = {row.name: row for row in outer.rows}
    assert rows["status"] == Row("status", "text", False, (), ("off", "on"), "on", rows["status"].note)
    assert (rows["page"].kind, rows["page"].limits, rows["page"].default) == ("integer", ("1 to 1,000,000,000",), "1")
    assert (rows["name"].required, rows["name"].limits) == (True, ("1 to 40 characters",))
    assert (rows["ids"].kind, rows["ids"].limits) == ("ids", ("several joined by commas",))
    assert rows["since"].kind == "time"
    assert rows["owner"].limits == ("null has a meaning",)
    assert (rows["people"].kind, rows["first"].kind) == ("list of objects", "object")
    assert rows["anything"].kind == "anything"
    assert (inner.shape, inner.note, inner.places) == ("Inner", "Something inside.", ["people[]", "first"])
    assert inner.rows[0].kind == "e-mail address"


@each_operation
def test_its_tables_hold_every_parameter_and_field(operation: AnyOperation) -> None:
    entry = Entry(operation, BASE)
    assert [row.name for row in entry.query] == [one.encode_name for one in msgspec.structs.fields(operation.query)]
    assert bool(entry.body) == (operation.body is not NoBody)
    assert [name for name, _ in entry.path_parameters] == list(operation.parameters)


# -- Entries and groups


@each_operation
def test_its_permission_follows_from_resource_and_action(operation: AnyOperation) -> None:
    entry = Entry(operation, BASE)
    level = {"read": "read", "write": "write", "delete": "full"}[operation.action.name.lower()]
    assert entry.grant == f"{operation.resource.value.replace(' ', '-')}:{level}"
    assert group(operation.resource).note.endswith("."), "say in groups.py what the resource is for"


def test_every_operation_is_an_entry_and_groups_stay_together() -> None:
    found = entries(OPERATIONS, BASE)
    assert {entry.name for entry in found} == set(BY_NAME)
    groups = [entry.group.key for entry in found]
    assert len(set(groups)) == 1 + sum(one != other for one, other in zip(groups, groups[1:], strict=False))


def test_the_capability_map_counts_every_operation_once() -> None:
    found = tallies(entries(OPERATIONS, BASE))
    assert sum(one.total for one in found) == len(OPERATIONS)
    assert all(sum(one.counts.values()) == one.total for one in found)
