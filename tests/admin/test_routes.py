"""Who is let in, and how everything that can be wrong with a request is answered; the description fits the answers."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from jsonschema import validate  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator

from deskhand.admin import openapi
from deskhand.admin.routes import CALLS
from deskhand.api.openapi import openapi as of_the_api
from deskhand.catalogue.operations import OPERATIONS
from deskhand.gateway import admin_tokens
from tests.admin.door import PREFIX, Admin
from tests.world import Desk

MISSING = {"error_description": "The access token is missing", "error": "invalid_request"}
INVALID = {"error_description": "The access token is invalid or has expired", "error": "invalid_token"}
PATHS = ("/agents", "/agents/1", "/audit", "/audit/export", "/nothing", "/", "/kill-switch", "/explain")


def ask(desk: Desk, path: str, method: str = "GET", **headers: str) -> requests.Response:
    return requests.request(method, desk.server.url + PREFIX + path, headers=headers, timeout=30)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_nobody_gets_past_the_door_without_a_token(desk: Desk, method: str) -> None:
    for path in PATHS:
        answer = ask(desk, path, method)
        assert answer.status_code == 401, path
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="service"'
        if method != "HEAD":
            assert answer.json() == MISSING


def test_no_other_credential_opens_this_door(admin: Admin) -> None:
    made = admin.agent(preset="reader")
    for token in (admin.desk.token, made["key"], "dh_admin_x", "x", admin.token + "x", admin.token.upper()):
        answer = ask(admin.desk, "/agents", Authorization=f"Bearer {token}")
        assert (answer.status_code, answer.json()) == (401, INVALID)
    assert ask(admin.desk, "/agents", Authorization=f"bearer  {admin.token}").status_code == 200


def test_an_administrator_s_token_opens_no_other_door(admin: Admin) -> None:
    for path in ("/v2/conversations", "/v3/conversations", "/v2/users/me"):
        answer = requests.get(
            admin.desk.server.url + path, headers={"Authorization": f"Bearer {admin.token}"}, timeout=30
        )
        assert answer.status_code == 401


def test_a_revoked_token_is_refused_at_once(admin: Admin) -> None:
    assert admin.call("GET", "/agents").status_code == 200
    (shown,) = admin.desk.server.app.database.read_now(lambda db: admin_tokens.listed(db, admin.desk.account_id))
    admin.desk.write(lambda tx: admin_tokens.revoke(tx, admin.desk.account_id, shown.id))
    assert admin.call("GET", "/agents").status_code == 401


@pytest.mark.parametrize(
    "path", ["/nothing", "/agents/x", "/agents/0", "/agents/-1", "/agents/9999999999999999999", "/agents/１", "/"]
)
def test_what_is_not_there_is_404_in_the_form_of_the_api(admin: Admin, path: str) -> None:
    answer = admin.call("GET", path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"logRef", "message", "_links"}


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/agents", "GET, POST"), ("PUT", "/audit", "GET"), ("GET", "/explain", "POST"),
        ("OPTIONS", "/agents/1", "DELETE, GET, PATCH"), ("POST", "/agents/1", "DELETE, GET, PATCH"),
    ],
)  # fmt: skip
def test_a_method_that_is_not_there_is_405(admin: Admin, method: str, path: str, allow: str) -> None:
    answer = admin.call(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)
    assert f"supported: {allow}" in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "media_type", "status", "path"),
    [
        (b'{"name":"a","name":"b"}', "application/json", 400, "name"), (b"{", "application/json", 400, None),
        (b"[]", "application/json", 400, None), (b"null", "application/json", 400, None),
        (b"", "application/json", 400, None), (b'{"name":"\xff"}', "application/json", 400, None),
        (b'\xef\xbb\xbf{"name":"a"}', "application/json", 400, None), (b"[" * 100_000, "application/json", 400, None),
        (b'{"name":"\\u0000"}', "application/json", 400, "name"),
        (b'{"name":"\\ud800"}', "application/json", 400, None),
        (b"name=a", "application/x-www-form-urlencoded", 415, None), (b'{"name":"a"}', "text/plain", 415, None),
        (b'{"name":"' + b"x" * 1024 * 1024 + b'"}', "application/json", 413, None),
    ],
)  # fmt: skip
def test_a_body_that_is_no_clean_json_is_refused(
    admin: Admin, body: bytes, media_type: str, status: int, path: str | None
) -> None:
    answer = admin.call("POST", "/agents", data=body, headers={"Content-Type": media_type})
    assert answer.status_code == status, answer.text
    errors = answer.json().get("_embedded", {}).get("errors", [])
    assert [error["path"] for error in errors] == ([path] if path else [])
    assert admin.get("/agents") == {"agents": []}


def test_answers_are_kept_by_nobody(admin: Admin) -> None:
    for path in ("/agents", "/nothing"):
        headers = admin.call("GET", path).headers
        assert headers["Cache-Control"] == "no-store"
        assert "Correlation-Id" in headers
        assert "Access-Control-Allow-Origin" not in headers


def test_head_answers_without_a_body(admin: Admin) -> None:
    answer = admin.call("HEAD", "/agents")
    assert (answer.status_code, answer.content) == (200, b"")


# -- The description


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return openapi.add_to(of_the_api(OPERATIONS, "http://desk.example"))


def test_the_description_is_valid_and_has_every_call(description: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(description).validate()
    for call in CALLS:
        described = description["paths"][PREFIX + call.path][call.method.lower()]
        assert described["operationId"] == call.name
        assert described["summary"]
    names = [one["operationId"] for methods in description["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))


def test_answers_fit_their_description(admin: Admin, description: dict[str, Any]) -> None:
    made = admin.agent(preset="drafter")
    admin.post("/kill-switch", {"scope": "agent", "id": made["id"]})
    id = made["id"]
    for path, example in (
        ("/agents", "/agents"), ("/agents/{agent_id}", f"/agents/{id}"), ("/presets", "/presets"),
        ("/agents/{agent_id}/grants", f"/agents/{id}/grants"), ("/audit", "/audit"), ("/budget", "/budget"),
        ("/agents/{agent_id}/grants/history", f"/agents/{id}/grants/history"), ("/kill-switch", "/kill-switch"),
        ("/audit/verify", "/audit/verify"), ("/approvals", "/approvals"), ("/connections", "/connections"),
    ):  # fmt: skip
        responses = description["paths"][PREFIX + path]["get"]["responses"]
        schema = responses["200"]["content"]["application/json"]["schema"]
        validate(admin.get(example), schema | {"components": description["components"]})
    question = {"agent_id": id, "method": "PUT", "path": "/v2/conversations/1/tags", "body": {"tags": ["vip"]}}
    schema = description["components"]["schemas"]["AdminExplanation"]
    validate(admin.post("/explain", question), schema | {"components": description["components"]})
    grants = description["components"]["schemas"]["AdminGrants"]
    for given in admin.get("/presets")["presets"].values():
        validate(given, grants)


def test_a_path_that_no_route_can_have_is_answered_like_any_other(admin: Admin) -> None:
    answer = admin.call("POST", "/agents/F%0A/grants/preset", json={"preset": "reader"})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/vnd.error+json" and answer.json()["logRef"]
