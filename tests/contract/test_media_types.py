"""Media types: what bodies may come as and answers go out as.

Facts: §2 of the wire contract's half A (https://developer.helpscout.com/mailbox-api/overview/).
"""

from __future__ import annotations

import json

import pytest
import requests

from tests.contract.answering import HAL, VND, minimal, start
from tests.live import LiveServer
from tests.world import Desk, open_desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


@pytest.mark.parametrize("accept", ["*/*", "application/json", HAL, "text/html"])
def test_resources_and_lists_are_hal_json_whatever_is_accepted(desk: Desk, inbox: int, accept: str) -> None:
    for path in (f"/v2/mailboxes/{inbox}", "/v2/mailboxes", "/v2/users/me", f"/v2/conversations/{start(desk, inbox)}"):
        answer = desk.request("GET", path, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].partition(";")[0] == HAL


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "x"])
def test_a_content_type_without_a_body_is_ignored(desk: Desk, inbox: int, media_type: str) -> None:
    id = start(desk, inbox)
    headers = {"Content-Type": media_type}
    assert desk.request("GET", f"/v2/conversations/{id}", headers=headers).status_code == 200
    assert desk.request("DELETE", f"/v2/conversations/{id}", headers=headers).status_code == 204


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json", "application/json;charset=UTF-8", "application/json; charset=utf-8", "Application/JSON",
        "application/json-patch+json", "application/hal+json",
    ],
)  # fmt: skip
def test_json_comes_under_several_names(desk: Desk, inbox: int, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    made = desk.request("POST", "/v2/conversations", data=json.dumps(minimal(inbox)), headers=headers)
    assert made.status_code == 201, made.text
    patch = json.dumps({"op": "replace", "path": "/status", "value": "closed"})
    changed = desk.request("PATCH", made.headers["Location"], data=patch, headers=headers)
    assert changed.status_code == 204, changed.text


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"]
)
def test_a_body_of_another_kind_is_415(desk: Desk, inbox: int, media_type: str) -> None:
    answer = desk.request(
        "POST", "/v2/conversations", data=json.dumps(minimal(inbox)), headers={"Content-Type": media_type}
    )
    assert answer.status_code == 415
    assert answer.headers["Content-Type"] == VND
    assert answer.json()["message"] == "Unsupported media type"
    assert desk.get("/v2/conversations").json()["page"]["totalElements"] == 0


def test_errors_of_the_application_are_exactly_vnd_error_json(desk: Desk, inbox: int) -> None:
    hidden = desk.as_user(desk.add_user())
    for status, answer in {
        400: desk.get("/v2/conversations", status="Wrong"),
        403: hidden.get(f"/v2/mailboxes/{inbox}"),
        404: desk.get("/v2/conversations/1"),
        412: desk.post("/v2/conversations", minimal(inbox, threads=[{"type": "note", "text": "x"}] * 101)),
    }.items():
        assert answer.status_code == status, answer.text
        # The PHP client compares the whole header; with a charset it throws another class of exception.
        assert answer.headers["Content-Type"] == VND


def test_refusals_of_the_gateway_are_plain_json(server: LiveServer) -> None:
    desk = open_desk(server, rate_limit=1)
    desk.get("/v2/users")
    for status, answer in {
        401: requests.get(server.url + "/v2/users", timeout=30),
        429: desk.get("/v2/users"),
    }.items():
        assert answer.status_code == status
        assert answer.headers["Content-Type"].replace(" ", "").lower() == "application/json;charset=utf-8"
