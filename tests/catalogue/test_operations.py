"""The catalogue as a whole: what every operation promises, its description as OpenAPI, and which one a path means."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from deskhand.api.openapi import openapi
from deskhand.catalogue import events
from deskhand.catalogue.matching import Matcher, read_id
from deskhand.catalogue.operation import Action, AnyOperation, Created, ListOf, NoBody, NoContent, One, cost
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.catalogue.values import schema_hook
from deskhand.desk import handlers
from deskhand.desk.call import IMPLEMENTATIONS

BASE = "https://desk.example"
EVENTS = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return openapi(OPERATIONS, BASE)


# -- Every operation


def test_names_are_unique_snake_case_verb_phrases() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert len(BY_NAME) == len(OPERATIONS)
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name) for name in names), names


def test_method_and_path_are_declared_once() -> None:
    lines = [(operation.method, re.sub(r"{\w+}", "{}", operation.path)) for operation in OPERATIONS]
    assert len(set(lines)) == len(lines)


@each_operation
def test_its_path_is_well_formed(operation: AnyOperation) -> None:
    assert re.fullmatch(r"/v[23](/([a-z-]+|{[a-z_]+}))+", operation.path)
    assert len(set(operation.parameters)) == len(operation.parameters)


@each_operation
def test_the_fields_of_its_phrase_are_path_parameters(operation: AnyOperation) -> None:
    assert set(re.findall(r"{(\w*)}", operation.phrase)) <= set(operation.parameters)
    assert operation.phrase[0].islower() and not operation.phrase.endswith("."), "an infinitive within a sentence"
    # What it was about must be in the sentence, or the audit log could not tell.
    assert set(re.findall(r"{(\w*)}", operation.phrase)) == set(operation.parameters)


@each_operation
def test_its_summary_is_one_line_and_its_source_a_public_page(operation: AnyOperation) -> None:
    assert operation.summary.endswith(".") and "\n" not in operation.summary
    assert operation.source.startswith("https://developer.helpscout.com/")


@each_operation
def test_it_has_a_handler(operation: AnyOperation) -> None:
    assert handlers.SLICES
    assert operation.name in IMPLEMENTATIONS


def test_no_handler_is_without_its_operation() -> None:
    assert set(IMPLEMENTATIONS) == set(BY_NAME)


@each_operation
def test_reading_takes_get_and_changes_nothing(operation: AnyOperation) -> None:
    reads = operation.action is Action.READ
    assert reads == (operation.method == "GET")
    if reads:
        assert operation.returns.status == 200
        assert operation.body is NoBody
        assert operation.emits == ()


@each_operation
def test_changing_answers_without_a_body(operation: AnyOperation) -> None:
    if operation.action is not Action.READ:
        kinds = (Created, NoContent) if operation.method == "POST" else NoContent
        assert isinstance(operation.returns, kinds)


@each_operation
def test_destroying_takes_delete(operation: AnyOperation) -> None:
    if operation.action is Action.DELETE or operation.name.startswith("delete_"):
        assert (operation.action, operation.method) == (Action.DELETE, "DELETE")


@each_operation
def test_what_it_emits_are_known_webhook_events(operation: AnyOperation) -> None:
    assert set(operation.emits) <= EVENTS
    assert len(set(operation.emits)) == len(operation.emits)


@each_operation
def test_its_cost_follows_from_its_method(operation: AnyOperation) -> None:
    assert operation.cost == cost(operation.method) == (1 if operation.method == "GET" else 2)


@each_operation
def test_a_paged_list_takes_a_page_and_has_the_documented_size(operation: AnyOperation) -> None:
    if isinstance(operation.returns, ListOf) and operation.returns.paged:
        assert "page" in {field.encode_name for field in msgspec.structs.fields(operation.query)}
        # Source: https://developer.helpscout.com/mailbox-api/overview/pagination
        assert operation.returns.size == (25 if operation.name == "list_conversations" else 50)


@each_operation
def test_its_shapes_have_a_schema(operation: AnyOperation) -> None:
    shapes: list[Any] = [operation.query]
    if operation.body is not NoBody:
        shapes.append(operation.body)
    if isinstance(operation.returns, One | ListOf):
        shapes.append(operation.returns.shape)
    schemas, _ = msgspec.json.schema_components(shapes, schema_hook=schema_hook)
    assert len(schemas) == len(shapes)


# -- OpenAPI


def test_the_description_is_valid_openapi(description: dict[str, Any]) -> None:
    plain = msgspec.json.decode(msgspec.json.encode(description))
    assert plain == description, "it must consist of JSON values alone"
    OpenAPIV31SpecValidator(plain).validate()


def test_the_description_holds_every_operation_and_no_other(description: dict[str, Any]) -> None:
    found = {
        (method, path, operation["operationId"])
        for path, item in description["paths"].items()
        for method, operation in item.items()
    }
    assert found == {(one.method.lower(), one.path, one.name) for one in OPERATIONS}
    assert description["servers"] == [{"url": BASE}]


@each_operation
def test_its_description_has_parameters_body_and_answers(operation: AnyOperation, description: dict[str, Any]) -> None:
    found = description["paths"][operation.path][operation.method.lower()]
    in_path = [parameter["name"] for parameter in found["parameters"] if parameter["in"] == "path"]
    in_query = [parameter["name"] for parameter in found["parameters"] if parameter["in"] == "query"]
    assert in_path == list(operation.parameters)
    assert in_query == [field.encode_name for field in msgspec.structs.fields(operation.query)]
    assert ("requestBody" in found) == (operation.body is not NoBody)
    responses = found["responses"]
    assert {str(operation.returns.status), "401", "429"} <= set(responses)
    assert ("404" in responses) == bool(operation.parameters or 404 in dict(operation.errors))
    assert {str(status) for status, _ in operation.errors} <= set(responses)


def test_every_reference_of_the_description_leads_somewhere(description: dict[str, Any]) -> None:
    text = msgspec.json.encode(description).decode()
    names = set(re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', text))
    assert names
    assert names <= set(description["components"]["schemas"])


# -- Paths


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(OPERATIONS)


@each_operation
def test_its_own_path_leads_to_it(operation: AnyOperation, matcher: Matcher) -> None:
    values = tuple(str(number) for number in range(101, 101 + len(operation.parameters)))
    path = _filled(operation, values)
    for written in (path, path + "/"):
        match = matcher.match(written)
        assert match is not None
        assert match.operations[operation.method] is operation
        assert match.values == values


def test_a_literal_part_wins_over_a_parameter(matcher: Matcher) -> None:
    me = matcher.match("/v2/users/me")
    one = matcher.match("/v2/users/41")
    assert me is not None and one is not None
    assert (me.operations["GET"].name, me.values) == ("get_me", ())
    assert (one.operations["GET"].name, one.values) == ("get_user", ("41",))


def test_one_path_has_several_methods(matcher: Matcher) -> None:
    match = matcher.match("/v2/conversations/7")
    assert match is not None
    assert set(match.operations) == {"GET", "PATCH", "DELETE"}


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "//", "/v2", "/v2/", "/v2/nothing", "/v4/users", "/users", "v2/users",
        "/v2//users", "//v2/users", "/v2/users//", "/v2/users//me", "/v2/conversations//threads",
        "/v2/conversations//", "/V2/users", "/v2/Users", "/v2/USERS/me", "/v2/users/me/more",
        "/v2/conversations/7/", "/v2/conversations/7/Threads", "/v2/conversations/7/threads/", "/v2/users?x",
        "/v2/users/../users", "/v2/./users", "/v3/conversations", "/v3/users",
    ],
)  # fmt: skip
def test_only_exact_paths_match_but_for_one_trailing_slash(path: str, matcher: Matcher) -> None:
    tolerated = {"/v2/conversations/7/", "/v2/conversations/7/threads/"}
    assert (matcher.match(path) is not None) == (path in tolerated)


def test_what_stands_in_a_parameters_place_is_kept_as_written(matcher: Matcher) -> None:
    match = matcher.match("/v2/conversations/ab%20c/threads")
    assert match is not None
    assert match.values == ("ab%20c",)


def test_two_operations_on_one_line_are_refused() -> None:
    operation = BY_NAME["get_user"]
    with pytest.raises(ValueError, match="declared twice"):
        Matcher((operation, operation))


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("1", 1), ("0041", 41), ("3100000421", 3_100_000_421), (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None), ("9" * 30, None), ("0", None), ("", None), ("-1", None), ("+1", None), (" 1", None),
        ("1 ", None), ("1.0", None), ("1e3", None), ("1_0", None), ("0x1", None), ("abc", None), ("١", None),
        ("²", None), ("1/2", None),
    ],
)  # fmt: skip
def test_an_id_is_a_positive_number_of_64_bits(text: str, id: int | None) -> None:
    assert read_id(text) == id


def _filled(operation: AnyOperation, values: tuple[str, ...]) -> str:
    path = operation.path
    for name, value in zip(operation.parameters, values, strict=True):
        path = path.replace(f"{{{name}}}", value)
    return path
