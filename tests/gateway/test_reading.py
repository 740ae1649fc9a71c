"""From requests to calls and back: what is refused however it is spelled, and that nothing is lost or let in."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskhand.api.errors import answer_problem
from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import SLUG, AnyOperation, Asked, NoBody, NoQuery
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.catalogue.parsing import BODY_MOST, URI_MOST, parse_body, parse_query
from deskhand.catalogue.problems import BadRequest, InvalidJson, TooLarge, UriTooLong
from deskhand.gateway.calls import Request
from deskhand.gateway.reading import Unclean, Unknown, arguments, read, readable, written
from tests.catalogue.shapes import near, of_shape, right

EXAMPLES = 500 if os.environ.get("DESKHAND_TEST_DEEP") else 10
MATCHER = Matcher(OPERATIONS)
JSON = {"content-type": "application/json"}

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
briefly = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
ids = st.integers(1, 2**63 - 1)
slugs = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


def call(line: str, body: bytes = b"", headers: Mapping[str, str] = JSON) -> Asked:
    """The call that a request means."""
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    return read(MATCHER, Request(method, path, query, headers, body))


def refused(line: str, body: bytes = b"", headers: Mapping[str, str] = JSON) -> dict[str, str]:
    """The paths and messages of the fields for which a request is not clean."""
    with pytest.raises(Unclean) as found:
        call(line, body, headers)
    problem = found.value.problem
    assert problem.status == 400
    assert json.loads(answer_problem(problem, "id").body)["message"]
    return {error.path: error.message for error in problem.errors}


# -- Every call


@st.composite
def requests(draw: st.DrawFn, operation: AnyOperation) -> Request:
    """Requests that fit an operation, as clients make them."""
    path = operation.path
    for name in operation.parameters:
        path = path.replace(f"{{{name}}}", draw(slugs) if name == SLUG[1:-1] else str(draw(ids)))
    query = draw(of_shape(right, operation.query))
    given_query = {name: str(value) for name, value in query.items() if value is not None}
    body = b"" if operation.body is NoBody else json.dumps(draw(of_shape(right, operation.body))).encode()
    return Request(operation.method, path, urlencode(given_query), JSON, body)


@each_operation
@briefly
@given(data=st.data())
def test_what_is_written_is_read_as_the_same_call(operation: AnyOperation, data: st.DataObject) -> None:
    request = data.draw(requests(operation))
    asked = read(MATCHER, request)
    sent = written(asked)
    assert asked.operation is operation
    assert read(MATCHER, sent) == asked
    assert (sent.method, sent.path) == (request.method, request.path)
    assert written(read(MATCHER, sent)) == sent, "there is one way to write a call"


@each_operation
@briefly
@given(data=st.data())
def test_the_desk_reads_the_same_in_what_is_written_as_in_what_came_in(
    operation: AnyOperation, data: st.DataObject
) -> None:
    request = data.draw(requests(operation))
    sent = written(read(MATCHER, request))
    assert parse_query(operation.query, sent.query) == parse_query(operation.query, request.query)
    if operation.body is not NoBody:
        assert parse_body(operation.body, sent.body) == parse_body(operation.body, request.body)
        assert sent.headers == JSON


@each_operation
@briefly
@given(data=st.data())
def test_arguments_are_plain_json_that_tells_calls_apart(operation: AnyOperation, data: st.DataObject) -> None:
    asked, other = (read(MATCHER, data.draw(requests(operation))) for _ in range(2))
    told = arguments(asked)
    assert json.loads(json.dumps(told)) == told
    assert list(told) == [place for place in ("path", "query", "body") if told.get(place)]
    assert list(told.get("path", {})) == list(operation.parameters)
    if operation.body is not NoBody:
        sent = json.loads(written(asked).body)
        assert told.get("body") == (sent or None)
    # JSON has one kind of number, Python several that are equal.
    assert (json.dumps(told) == json.dumps(arguments(other))) <= (asked == other)


@each_operation
@briefly
@given(data=st.data())
def test_whatever_is_sent_is_understood_or_refused(operation: AnyOperation, data: st.DataObject) -> None:
    request = data.draw(requests(operation))
    bodies = st.binary(max_size=40)
    if operation.body is not NoBody:
        encoding = "utf-8", "surrogatepass"
        hostile = of_shape(near, operation.body).map(
            lambda body: json.dumps(body, ensure_ascii=False).encode(*encoding)
        )
        bodies = bodies | hostile
    sent = msgspec.structs.replace(
        request,
        path=data.draw(st.just(request.path) | st.text(max_size=20)),
        query=data.draw(st.text(st.characters(max_codepoint=255), max_size=30)),
        body=data.draw(bodies),
        headers=data.draw(st.just(JSON) | st.dictionaries(st.just("content-type"), st.text(max_size=20))),
    )
    try:
        asked = read(MATCHER, sent)
    except (Unknown, Unclean):
        return
    assert read(MATCHER, written(asked)) == asked
    assert arguments(asked) is not None


# -- Request lines


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "//", "/v2", "/v2/", "/v3/", "/v4/users", "/v2/nothing", "v2/users", "x/v2/users", "*",
        "//v2/users", "/v2//users", "/v2/users//", "/v2/users/ ", "/v2/ users", "/v2/users\t", "/v2/users\0",
        "/v2/users\r\n",
        "/V2/users", "/v2/Users", "/v2/users.", "/v2/users./", "/v2/users/.", "/v2/users/..", "/v2/users/../users",
        "/v2/./users", "/v2/conversations/../users", "/v2/users/me/..", "/v2/%75sers", "/v2/users%2f", "/v2/users%2F7",
        "/v2/%2e%2e/users", "/v2%2fusers", "/%76%32/users", "/v2/users/%2e", "/v2/users;x=1", "/v2/users;",
        "/v2/users/7;x",
        "/v2\\users", "/v2/users\\7", "/v2/users/7\\", "/v2/users?", "/v2/users#", "/v2/users/7#x", "/v2/users/7?x=1",
        "http://desk.example/v2/users", "/v2/users/7.", "/v2/users/7.json", "/v2/users/07 ", "/v2/users/0",
        "/v2/users/-7",
        "/v2/users/+7", "/v2/users/7.0", "/v2/users/7e0", "/v2/users/0x7", "/v2/users/1_0", "/v2/users/%37",
        "/v2/users/٧",
        "/v2/users/７", "/v2/users/²", "/v2/users/null", "/v2/users/ME", "/v2/users/mе", "/v2/users/" + "9" * 19,
        "/v2/users/" + "9" * 5_000, "/v2/conversations/7/Threads", "/v2/conversations/7//threads",
        "/v2/conversations//threads",
        "/v2/conversations/7/threads/8/9", "/v2/conversations/7/threads/8/original-source/x", "/v2/users/7/../8",
        "/v2/customer-properties/a%2fb", "/v2/customer-properties/..", "/v2/customer-properties/%2e%2e",
        "/v2/customer-properties/%252e%252e", "/v2/customer-properties/a.b", "/v2/customer-properties/a b",
        "/v2/customer-properties/größe", "/v2/customer-properties/%00", "/v2/customer-properties/a;b",
        "/v2/conversations/{conversation_id}", "/v2/customer-properties/{slug}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_a_path_that_is_no_operations_is_unknown_however_close(method: str, path: str) -> None:
    with pytest.raises(Unknown):
        read(MATCHER, Request(method, path))


@pytest.mark.parametrize(
    "method",
    ["get", "Get", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "PUT", "", " GET", "GET ", "GET\r\n", "DELETE,GET"],
)
def test_a_method_that_an_operation_does_not_have_is_unknown(method: str) -> None:
    with pytest.raises(Unknown):
        read(MATCHER, Request(method, "/v2/conversations/7"))


@pytest.mark.parametrize("name", ["x-http-method-override", "x-http-method", "x-method-override", "x-original-url"])
def test_no_header_makes_another_call_of_it(name: str) -> None:
    asked = call("GET /v2/conversations/7?_method=DELETE", headers={name: "DELETE"})
    assert asked.operation.name == "get_conversation"
    assert written(asked) == Request("GET", "/v2/conversations/7")


def test_head_is_taken_for_get() -> None:
    asked = call("HEAD /v2/conversations/7")
    assert asked.operation.name == "get_conversation"
    assert written(asked).method == "GET"


def test_a_slash_at_the_end_and_zeros_before_an_id_are_not_passed_on() -> None:
    asked = call("GET /v2/conversations/007/")
    assert asked.path == (7,)
    assert written(asked).path == "/v2/conversations/7"


def test_slugs_and_ids_stand_where_they_belong() -> None:
    asked = call("DELETE /v2/organizations/7/properties/Size_2-x")
    assert (asked.path, asked.slug) == ((7,), "Size_2-x")
    assert written(asked).path == "/v2/organizations/7/properties/Size_2-x"
    assert arguments(asked) == {"path": {"organization_id": 7, "slug": "Size_2-x"}}


def test_a_request_line_that_is_too_long_is_refused() -> None:
    for line in (f"GET /v2/users?x={'x' * URI_MOST}", f"GET /v2/{'x' * URI_MOST}"):
        with pytest.raises(Unclean) as found:
            call(line)
        assert isinstance(found.value.problem, UriTooLong)


def test_what_is_unclean_is_still_known_by_its_operation() -> None:
    with pytest.raises(Unclean) as found:
        call("POST /v2/conversations/7/reply", b"{")
    assert (found.value.operation, found.value.path) == (BY_NAME["reply_to_conversation"], (7,))


# -- Queries


def query_of(query: str) -> dict[str, Any]:
    """What is understood of a query of conversations; it is written so that it is understood again."""
    asked = call(f"GET /v2/conversations?{query}")
    assert read(MATCHER, written(asked)) == asked
    return dict(arguments(asked).get("query", {}))


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=all&status=active", "status"), ("status=all&status=all", "status"), ("page=1&page=", "page"),
        ("page=&page=2", "page"), ("%70age=2&page=1", "page"), ("query=tag:a&x=1&query=b", "query"), ("page&page=2",
        "page"),
        ("embed=threads&embed=threads", "embed"), ("folder=5011&folder=5021", "folder"),
    ],
)  # fmt: skip
def test_a_parameter_of_one_value_stands_once(query: str, name: str) -> None:
    assert refused(f"GET /v2/conversations?{query}") == {name: "is given more than once"}


def test_a_list_may_be_repeated_and_is_written_joined() -> None:
    assert query_of("mailbox=501&mailbox=502,503") == {"mailbox": [501, 502, 503]}
    assert written(call("GET /v2/conversations?mailbox=501&mailbox=502")).query == "mailbox=501%2C502"


def test_a_list_of_nothing_stays_one() -> None:
    """On the desk it finds nothing, so it must not be lost on the way."""
    assert written(call("GET /v2/conversations?mailbox=,")).query == "mailbox=%2C"


def test_what_is_not_known_is_dropped_and_what_is_usual_left_out() -> None:
    assert query_of("mailBox=501&Status=all&mailbox[]=501&x=1&x=2&&=&status=active&page=1") == {}
    assert written(call("GET /v2/users/me?status=1&status=2")).query == ""


def test_a_value_keeps_every_character() -> None:
    assert query_of("query=a%2Bb+%26c%3Dd%23%25%C3%BC") == {"query": "a+b &c=d#%ü"}
    assert written(call("GET /v2/conversations?query=%2541")).query == "query=%2541"


@pytest.mark.parametrize("query", ["query=%ff", "query=%ed%a0%80", "%ff=1", "query=%C3", "query=ü", "query=\xff"])
def test_a_query_that_is_not_utf_8_is_refused(query: str) -> None:
    assert list(refused(f"GET /v2/conversations?{query}")) == [""]


def test_a_query_of_the_wrong_shape_names_what_is_at_fault() -> None:
    assert set(refused("GET /v2/conversations?page=0&status=Wrong&mailbox=x&query=%00")) == {"query"}
    assert set(refused("GET /v2/conversations?page=0&status=Wrong&mailbox=x")) == {"page", "status", "mailbox"}


# -- Bodies

REPLY = "POST /v2/conversations/7/reply"
PATCH = "PATCH /v2/conversations/7"
WHOM = b'"customer":{"email":"a@b.example"}'


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"text":"x","text":"x",%b}' % WHOM, "text"),
        (b'{"text":"x","t\\u0065xt":"y",%b}' % WHOM, "text"),
        (b'{"text":"x",%b,%b}' % (WHOM, WHOM), "customer"),
        (b'{"text":"x","customer":{"id":1,"email":"a@b.example","id":2}}', "customer.id"),
        (b'{"text":"x",%b,"nothing":[{},[{"a":{"b":1,"b":1}}]]}' % WHOM, "nothing[1][0].a.b"),
        (b'{"text":"x",%b,"n":1,"n":1}' % WHOM, "n"),
        (b'{"text":"x",%b,"":1,"":1}' % WHOM, ""),
    ],
)
def test_a_field_stands_once_wherever_it_is(body: bytes, path: str) -> None:
    assert refused(REPLY, body) == {path: "is given more than once"}


def test_a_field_stands_once_in_a_value_that_may_be_anything() -> None:
    body = b'[{"op":"add","path":"/status","value":1},{"op":"add","path":"/draft","value":{"a":1,"a":2}}]'
    assert refused(PATCH, body) == {"[1].value.a": "is given more than once"}


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"{}x", b"null", b"1", b'"x"', b"[]", b"\xef\xbb\xbf" + b'{"text":"x",%b}' % WHOM,
        b'{"text":"\xff",%b}' % WHOM, b'{"text":"x",%b,"nothing":"\xff"}' % WHOM, b'{"text":"\xed\xa0\x80",%b}' % WHOM,
        b'{"text":"x",%b,"nothing":"\xc0\xaf"}' % WHOM, '{"text":"x"}'.encode("utf-16"),
        '{"text":"x"}'.encode("utf-16-le"),
        b'{"text":"x",%b,"n":NaN}' % WHOM, b'{"text":"x",%b,"n":Infinity}' % WHOM, b'{"text":"x",%b,}' % WHOM,
        b"{'text':'x'}", b'{"text":"x"/**/,%b}' % WHOM, b'{"text":"x",%b}\0' % WHOM, b'{"text":"\\ud800",%b}' % WHOM,
        b'{"text":"x\n",%b}' % WHOM, b'{"text":"x",%b}{"text":"y"}' % WHOM, b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_json_in_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(Unclean) as found:
        call(REPLY, body)
    assert isinstance(found.value.problem, InvalidJson)


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("application/json", True), ("Application/JSON ; charset=UTF-8", True), ('application/json;charset="utf-8"',
        True),
        ("application/json-patch+json", True), ("application/hal+json", True), ("", True), (" ", True),
        ("text/json", False), ("text/plain", False), ("application/x-www-form-urlencoded", False), ("*/*", False),
        ("multipart/form-data; boundary=x", False), ("application/xml", False), ("application/jsonx", False),
        ("application/json, text/plain", False), ("application/json;charset=utf-16", False),
        ("application/json; x=1; charset=latin1", False), ("application/json;charset=", False),
    ],
)  # fmt: skip
def test_a_body_is_json_in_utf_8_by_its_media_type(kind: str, taken: bool) -> None:
    body = b'{"text":"x",%b}' % WHOM
    if taken:
        assert call(REPLY, body, {"content-type": kind}).body.text == "x"
    else:
        assert list(refused(REPLY, body, {"content-type": kind})) == ["Content-Type"]


def test_a_body_without_a_media_type_is_json() -> None:
    assert call(REPLY, b'{"text":"x",%b}' % WHOM, {}).body.text == "x"


def test_a_body_of_the_wrong_shape_names_what_is_at_fault() -> None:
    faults = refused(REPLY, b'{"text":"","customer":{"email":"x"},"status":"Closed","cc":["x"]}')
    assert set(faults) == {"text", "customer.email", "status", "cc[0]"}


def test_nul_is_refused_wherever_it_stands() -> None:
    for value in (b'"\\u0000"', b'["\\u0000"]', b'{"\\u0000":1}'):
        with pytest.raises(Unclean) as found:
            call(PATCH, b'{"op":"add","path":"/subject","value":%b}' % value)
        assert isinstance(found.value.problem, BadRequest)


def nested(depth: int) -> bytes:
    """A step with a value of lists within lists, so deep that the whole body has this depth."""
    return b'{"op":"add","path":"/subject","value":%b1%b}' % (b"[" * (depth - 1), b"]" * (depth - 1))


def test_nesting_has_an_end() -> None:
    assert call(PATCH, nested(32)).operation.name == "update_conversation"
    for depth in (33, 100, 500, 900):
        assert refused(PATCH, nested(depth)) == {"": "may be nested at most 32 deep"}
    with pytest.raises(Unclean):
        call(PATCH, nested(100_000))
    flat = b'{"op":"add","path":"/subject","value":"%b"}' % (b"[{" * 1_000)
    assert call(PATCH, flat).body.value == "[{" * 1_000


def test_a_body_of_too_many_elements_is_refused_before_they_take_memory() -> None:
    many = b'{"op":"add","path":"/subject","value":[%b1]}' % (b"1," * 200_001)
    assert refused(PATCH, many) == {"": "may have at most 200000 elements"}


def test_a_name_of_any_length_is_shown_shortened() -> None:
    deep = b'{"%b":[%b{"a":1,"a":2}]}' % (b"x" * 100_000, b"1," * 50_000)
    (path,) = refused(PATCH, deep)
    assert len(path) == 200


def test_a_body_that_is_too_large_is_refused() -> None:
    with pytest.raises(Unclean) as found:
        call(REPLY, b" " * (BODY_MOST + 1))
    assert isinstance(found.value.problem, TooLarge)


def test_a_body_where_none_is_taken_is_dropped() -> None:
    for line in ("GET /v2/conversations/7", "DELETE /v2/conversations/7"):
        asked = call(line, b'{"a":1,"a":2', {"content-type": "text/plain"})
        assert (written(asked).body, written(asked).headers) == (b"", {})


def body_of(line: str, body: bytes) -> Any:
    """The body that is sent for one that came in."""
    return json.loads(written(call(line, body)).body)


def test_only_what_is_known_and_given_is_sent() -> None:
    body = b'{"text":"x","Text":"y","draft":false,"status":null,"nothing":{"a":1},%b}' % WHOM
    assert body_of(REPLY, body) == {"text": "x", "draft": False, "customer": {"email": "a@b.example"}}


def test_null_is_sent_where_it_means_something() -> None:
    body = b'{"text":"x","assignTo":null,"cc":null,%b}' % WHOM
    assert body_of(REPLY, body) == {"text": "x", "customer": {"email": "a@b.example"}, "assignTo": None}
    assert (
        body_of("PUT /v2/conversations/7/fields", b'{"fields":[{"id":1,"value":null}]}')["fields"][0]["value"] is None
    )
    emptied = body_of("PATCH /v2/customers/7", b'[{"op":"replace","path":"/firstName","value":null}]')
    assert emptied == [{"op": "replace", "path": "/firstName", "value": None}]
    steps = body_of(PATCH, b'[{"op":"remove","path":"/assignTo"},{"op":"add","path":"/assignTo","value":null}]')
    assert steps == [{"op": "remove", "path": "/assignTo"}, {"op": "add", "path": "/assignTo", "value": None}]


def test_one_step_stays_one_and_a_list_a_list() -> None:
    step = {"op": "replace", "path": "/status", "value": "closed"}
    assert body_of(PATCH, json.dumps(step).encode()) == step
    assert body_of(PATCH, json.dumps([step]).encode()) == [step]
    assert body_of(PATCH, b"[]") == []


def test_ids_of_64_bits_and_files_come_through_whole() -> None:
    assert body_of(PATCH, b'{"op":"add","path":"/mailboxId","value":9223372036854775807}')["value"] == 2**63 - 1
    file = {"mimeType": "text/plain", "data": "aGk=", "fileName": "a.txt"}
    assert body_of("POST /v2/conversations/7/threads/8/attachments", json.dumps(file).encode()) == file


def test_a_recipient_is_sent_as_a_text() -> None:
    body = b'{"text":"x","cc":[{"email":" c@d.example "},"e@f.example"],%b}' % WHOM
    assert body_of(REPLY, body)["cc"] == ["c@d.example", "e@f.example"]


def test_what_the_answer_shall_be_is_passed_on_where_there_is_a_choice() -> None:
    source = call("GET /v2/conversations/7/threads/8/original-source")
    assert written(source, "message/rfc822").headers == {"accept": "message/rfc822"}
    assert written(source).headers == {}
    assert written(call("GET /v2/conversations/7"), "message/rfc822").headers == {}


def test_arguments_are_named_by_where_they_stand() -> None:
    assert arguments(call("GET /v2/users/me")) == {}
    assert arguments(call("GET /v2/conversations/7?embed=threads")) == {
        "path": {"conversation_id": 7}, "query": {"embed": "threads"},
    }  # fmt: skip
    found = arguments(call("PUT /v2/conversations/7/tags", b'{"tags":[]}'))
    assert found == {"path": {"conversation_id": 7}, "body": {"tags": []}}


def test_people_read_neither_what_is_in_files_nor_secrets() -> None:
    for name in (b"fileName", b"filename"):
        file = b'{"%b":"a.txt","mimeType":"text/plain","data":"aGlkZGVu"}' % name
        note = call("POST /v2/conversations/7/notes", b'{"text":"Hello","attachments":[%b]}' % file)
        assert readable(note)["body"] == {
            "text": "Hello",
            "attachments": [{name.decode(): "a.txt", "mimeType": "text/plain", "data": "6 bytes"}],
        }  # fmt: skip
    told = b'{"url":"https://a.example","events":["convo.created"],"secret":"hidden"}'
    assert readable(call("POST /v2/webhooks", told))["body"]["secret"] == "…"


def test_operations_without_parameters_take_any_query() -> None:
    for operation in OPERATIONS:
        if operation.query is NoQuery and not operation.parameters and operation.body is NoBody:
            assert call(f"{operation.method} {operation.path}?a=1&a=2").query == NoQuery()
