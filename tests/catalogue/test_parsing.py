"""From bytes to shapes: whatever is sent is either understood or refused in words, for every operation there is."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from deskhand.api.errors import answer_problem
from deskhand.catalogue import conversations, customers, threads
from deskhand.catalogue.operation import AnyOperation, NoBody, NoQuery
from deskhand.catalogue.operations import OPERATIONS
from deskhand.catalogue.parsing import parse_body, parse_query
from deskhand.catalogue.problems import BadRequest, InvalidJson, Problem
from deskhand.catalogue.values import Ids, Names
from tests.catalogue.shapes import near, of_shape, pairs, right, shape_of, wire_names

EXAMPLES = 2_000 if os.environ.get("DESKHAND_TEST_DEEP") else 15
WITH_BODY = [operation for operation in OPERATIONS if operation.body is not NoBody]
WITH_QUERY = [operation for operation in OPERATIONS if operation.query is not NoQuery]

thorough = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
each_body = pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.name)
each_query = pytest.mark.parametrize("operation", WITH_QUERY, ids=lambda operation: operation.name)


def query_fields(operation: AnyOperation) -> tuple[inspect.Field, ...]:
    fields = shape_of(operation.query)
    assert isinstance(fields, inspect.StructType)
    return fields.fields


def understood(read: Any, kind: Any, sent: Any) -> Any:
    """What was read, or the problem it was refused with; any other exception fails the test."""
    try:
        return read(kind, sent)
    except (BadRequest, InvalidJson) as problem:
        said = json.loads(answer_problem(problem, "id").body)
        faults = said["_embedded"]["errors"]
        assert bool(faults) == isinstance(problem, BadRequest)
        assert all(fault["message"] and "_links" in fault for fault in faults)
        assert len({fault["path"] for fault in faults}) == len(faults), "one fault per field"
        return problem


# -- Bodies


@each_body
@thorough
@given(data=st.data())
def test_a_body_that_fits_the_shape_is_taken(operation: AnyOperation, data: st.DataObject) -> None:
    sent = data.draw(of_shape(right, operation.body))
    assert not isinstance(understood(parse_body, operation.body, json.dumps(sent).encode()), Problem)


@each_body
@thorough
@given(data=st.data())
def test_any_json_is_taken_or_refused(operation: AnyOperation, data: st.DataObject) -> None:
    sent = data.draw(of_shape(near, operation.body))
    understood(
        parse_body,
        operation.body,
        json.dumps(sent, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "surrogatepass"),
    )


@each_body
@thorough
@given(data=st.data())
def test_json_that_is_cut_off_or_garbled_is_taken_or_refused(operation: AnyOperation, data: st.DataObject) -> None:
    whole = json.dumps(data.draw(of_shape(near, operation.body))).encode()
    at = data.draw(st.integers(0, len(whole)))
    understood(parse_body, operation.body, whole[:at] + data.draw(st.binary(max_size=3)))


@each_body
@thorough
@given(sent=st.binary(max_size=60))
@example(b"")
@example(b"null")
@example(b"[]")
@example(b"{}")
@example(b"\xef\xbb\xbf{}")
@example(b'"\xff"')
@example(b"NaN")
def test_any_bytes_are_taken_or_refused(operation: AnyOperation, sent: bytes) -> None:
    understood(parse_body, operation.body, sent)


@each_body
def test_a_wrong_field_before_broken_json_is_invalid_json(operation: AnyOperation) -> None:
    for name in wire_names(operation.body):
        for value in (b"1", b'"x"', b"[]", b"{}"):
            for rest in (b"", b",", b"} x", b',"b":\xff}'):
                sent = b'{"%b":%b%b' % (name.encode(), value, rest)
                assert isinstance(understood(parse_body, operation.body, sent), InvalidJson), sent
            for rest in (b',"b":"\xff"}', b',"b":"\\ud800"}', b',"b":1e999}'):
                understood(parse_body, operation.body, b'{"%b":%b%b' % (name.encode(), value, rest))


@each_body
def test_depth_is_taken_or_refused(operation: AnyOperation) -> None:
    for name in (*wire_names(operation.body), "nothing"):
        for leaf in ("1", '"\\u0000"'):
            for depth in (50, 500, 900, 950, 1_000, 2_000, 50_000):
                nested = "[" * depth + leaf + "]" * depth
                understood(parse_body, operation.body, f'{{"op":"add","path":"/x","{name}":{nested}}}'.encode())
                understood(parse_body, operation.body, f'[{{"op":"add","path":"/x","{name}":{nested}}}]'.encode())


@each_body
def test_numbers_of_any_size_are_taken_or_refused(operation: AnyOperation) -> None:
    for name in (*wire_names(operation.body), "nothing"):
        for number in ("1e999", "-1e999", "1e-999", "9" * 400, "-" + "9" * 400, "0." + "1" * 400):
            sent = f'{{"op":"add","path":"/x","{name}":{number}}}'
            understood(parse_body, operation.body, sent.encode())
            understood(parse_body, operation.body, f"[{sent}]".encode())


@each_body
def test_json_of_another_type_is_invalid_json(operation: AnyOperation) -> None:
    for sent in (b"null", b"1", b'"x"', b"true"):
        assert isinstance(understood(parse_body, operation.body, sent), InvalidJson), sent


@each_body
def test_nul_is_refused_wherever_it_stands(operation: AnyOperation) -> None:
    sent = b'{"op":"add","path":"/x","value":[{"y":"\\u0000"}],"nothing":"\\u0000"}'
    for body in (sent, b"[" + sent + b"]"):
        assert isinstance(understood(parse_body, operation.body, body), Problem)


# -- How faults are named


def faults(kind: Any, sent: Any, read: Any = parse_body) -> dict[str, tuple[str, Any]]:
    """Anchor and refused value of each fault by its path."""
    problem = understood(read, kind, sent if isinstance(sent, str) else json.dumps(sent).encode())
    assert isinstance(problem, BadRequest), problem
    return {error.path: (error.anchor, error.rejected) for error in problem.errors}


def test_every_fault_is_named_by_its_place() -> None:
    found = faults(
        conversations.NewConversation,
        {
            "subject": "", "type": "fax", "mailboxId": 0, "assignTo": 1, "createdAt": "yesterday", "tags": ["a", 2],
            "customer": {"email": "nobody"}, "fields": [{"id": 12, "value": "1"}, {"value": "1"}],
            "threads": [{"type": "reply", "text": "x"}, {"type": "letter", "cc": ["nobody"], "draft": "yes"}],
        },
    )  # fmt: skip
    assert found == {
        "subject": ("NotEmpty", msgspec.UNSET),
        "type": ("EnumValue", "fax"),
        "mailboxId": ("ValidIdentifier", 0),
        "status": ("NotEmpty", msgspec.UNSET),
        "customer.email": ("Email", "nobody"),
        "threads[1].type": ("EnumValue", "letter"),
        "threads[1].text": ("NotEmpty", msgspec.UNSET),
        "threads[1].draft": found["threads[1].draft"],
        "threads[1].cc[0]": ("Email", "nobody"),
        "assignTo": ("ValidIdentifier", 1),
        "createdAt": ("DateFormat", "yesterday"),
        "tags[1]": found["tags[1]"],
        "fields[1].id": ("NotEmpty", msgspec.UNSET),
    }
    assert (found["threads[1].draft"][1], found["tags[1]"][1]) == ("yes", 2)


def test_of_very_many_faults_some_are_named() -> None:
    found = faults(conversations.SetTags, {"tags": [7] * 60_000})
    assert (len(found), "tags[99]" in found, "tags[100]" in found) == (100, True, False)


def test_null_for_what_is_required_is_a_fault_without_a_value() -> None:
    found = faults(threads.NewReply, {"text": None, "customer": None})
    assert {path: rejected for path, (_, rejected) in found.items()} == dict.fromkeys(
        ("text", "customer"), msgspec.UNSET
    )


def test_a_list_of_steps_names_the_step() -> None:
    found = faults(list[customers.CustomerChange], [{"op": "replace", "path": "/age"}, {"op": "swap"}])
    assert found == {"[1].op": ("EnumValue", "swap"), "[1].path": ("NotEmpty", msgspec.UNSET)}


def test_a_text_too_long_is_a_matter_of_size() -> None:
    found = faults(customers.NewCustomer, {"firstName": "x" * 41, "emails": [{"value": "y"}]})
    assert found == {"firstName": ("Size", "x" * 41), "emails[0].value": ("Email", "y")}


def test_a_refused_value_is_shortened() -> None:
    (_, rejected) = faults(conversations.NewConversation, {"type": "x" * 100_000})["type"]
    assert 0 < len(rejected) < 1_000


# -- Queries


@each_query
@thorough
@given(data=st.data())
def test_any_query_is_taken_or_refused(operation: AnyOperation, data: st.DataObject) -> None:
    understood(parse_query, operation.query, urlencode(data.draw(of_shape(pairs, operation.query)), errors="replace"))


@each_query
@thorough
@given(sent=st.text(st.characters(max_codepoint=255), max_size=60))
@example("a&" * 3_000)
@example("page=1&" * 3_000)
@example("%")
@example("page=%00")
@example("page=%ff")
@example("%ed%a0%80=1")
@example("page=" + "9" * 5_000)
@example("page=-0")
def test_any_query_string_is_taken_or_refused(operation: AnyOperation, sent: str) -> None:
    understood(parse_query, operation.query, sent)


@each_query
@thorough
@given(data=st.data())
def test_a_query_that_fits_the_shape_is_taken(operation: AnyOperation, data: st.DataObject) -> None:
    drawn = data.draw(of_shape(right, operation.query))
    sent = {name: str(value) for name, value in drawn.items() if value is not None}
    parsed = understood(parse_query, operation.query, urlencode(sent))
    assert not isinstance(parsed, Problem)
    for field in query_fields(operation):
        read = getattr(parsed, field.name)
        if sent.get(field.encode_name) and not isinstance(read, Ids | Names):
            assert str(read) == sent[field.encode_name]


@each_query
def test_no_word_is_special_in_a_text(operation: AnyOperation) -> None:
    for field in query_fields(operation):
        kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        if any(isinstance(kind, inspect.StrType) for kind in kinds):
            for word in ("null", "Null", "NULL", "None", "nil", "undefined", "true", "false", "0", "NaN", " "):
                parsed = understood(parse_query, operation.query, urlencode({field.encode_name: word}))
                assert getattr(parsed, field.name) == word, field.name


@each_query
def test_a_parameter_without_a_value_counts_as_left_out(operation: AnyOperation) -> None:
    sent = "&".join(f"{field.encode_name}=" for field in query_fields(operation))
    assert repr(understood(parse_query, operation.query, sent)) == repr(understood(parse_query, operation.query, ""))


def test_the_parameters_at_fault_are_named() -> None:
    query = "page=0&status=Wrong&mailbox=1,x&modifiedSince=2026-01-01T00:00:00.000Z&folder=-1&sortOrder=up&embed=all"
    assert faults(conversations.ListConversations, query, parse_query) == {
        "embed": ("EnumValue", "all"),
        "mailbox": ("ValidIdentifier", "1,x"),
        "folder": ("ValidIdentifier", "-1"),
        "status": ("EnumValue", "Wrong"),
        "modifiedSince": ("DateFormat", "2026-01-01T00:00:00.000Z"),
        "sortOrder": ("EnumValue", "up"),
        "page": ("Min", "0"),
    }


@pytest.mark.parametrize(
    "query", ["mailbox=1,2", "mailbox=1&mailbox=2", "mailbox=1%2C2", "mailbox=+1+,+2", "&mailbox=1,2&&x"]
)
def test_a_list_is_joined_or_repeated(query: str) -> None:
    assert parse_query(conversations.ListConversations, query).mailbox == (1, 2)


def test_a_value_is_decoded_once() -> None:
    sent = '(subject:"50% off" AND email:a+b@c.example)'
    assert parse_query(conversations.ListConversations, f"query={quote(sent)}").query == sent
    assert parse_query(conversations.ListConversations, "query=%2541").query == "%41"
