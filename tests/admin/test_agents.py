"""Agents by HTTP: made, shown, renamed, paused, deleted; each change in the log, and no secret anywhere again."""

from __future__ import annotations

import json
import logging
import re
import time
from datetime import timedelta
from typing import Any

import pytest
import requests

from deskhand.lib.clock import to_wire
from tests.admin.door import Admin, administer
from tests.world import open_desk

LATER = "2099-01-01T00:00:00Z"


def test_an_agent_is_answered_with_its_secrets_and_works_at_once(admin: Admin) -> None:
    answer = admin.call("POST", "/agents", json={"name": "Triage", "preset": "reader"})
    assert answer.status_code == 201
    made = answer.json()
    assert list(made) == ["id", "name", "key", "client_id", "client_secret"]
    assert re.fullmatch(r"dh_agent_[A-Za-z0-9]{32,}", made["key"])
    assert made["client_id"].startswith("dh_client_")
    assert admin.as_agent(made["key"]).status_code == 200


def test_an_agent_is_shown_as_documented(admin: Admin) -> None:
    made = admin.agent()
    shown = admin.get(f"/agents/{made['id']}")
    key = shown["keys"][0]
    assert list(key) == ["id", "prefix", "created_at", "expires_at", "last_used_at"]
    assert shown == {
        "id": made["id"], "name": "Triage", "state": "active", "client_id": made["client_id"], "grant_version": 0,
        "grants": {"resources": {}, "actions": {}, "limits": {}, "expires_at": None},
        "keys": [{
            "id": key["id"], "prefix": made["key"][:15], "created_at": key["created_at"], "expires_at": None,
            "last_used_at": None,
        }],
    }  # fmt: skip
    assert admin.get("/agents") == {"agents": [shown]}


def test_nothing_configured_is_no_access(admin: Admin) -> None:
    answer = admin.as_agent(admin.agent()["key"])
    assert (answer.status_code, answer.json()["reason"]) == (403, "missing_grant")


def test_an_agent_may_begin_with_grants_or_with_a_preset_on_some_inboxes(admin: Admin) -> None:
    inbox = admin.desk.add_inbox("Orders")
    reads = {"resources": {"conversations": {"level": "read", "inboxes": [inbox]}}}
    granted = admin.get(f"/agents/{admin.agent('One', grants=reads)['id']}")
    assert granted["grants"]["resources"] == reads["resources"]
    assert granted["grant_version"] == 1
    drafter = admin.get(f"/agents/{admin.agent('Two', preset='drafter', inboxes=[inbox])['id']}")
    assert drafter["grants"]["resources"]["threads"] == {"level": "write", "inboxes": [inbox]}
    assert drafter["grants"]["actions"]["reply_to_conversation"] == "draft"
    assert admin.sentences()[-1].startswith("Admin token ops made agent Two, which reads everything in Orders; ")


@pytest.mark.parametrize(
    ("more", "path", "words"),
    [
        ({"preset": "reeder"}, "preset", "did you mean reader?"),
        ({"preset": "reader", "inboxes": [10**9]}, "inboxes[0]", "no such inbox"),
        ({"preset": "reader", "inboxes": []}, "inboxes", "may not be empty"),
        ({"inboxes": [1]}, "inboxes", "goes with a preset"),
        ({"preset": "reader", "grants": {}}, "preset", "either"),
        ({"grants": {"resources": {"conversatoins": {"level": "read"}}}}, "resources.conversatoins", "did you mean"),
        ({"grants": {"resources": {"conversations": {"level": "read", "inboxes": [10**9]}}}}, "resources.", "no such"),
        ({"grants": []}, "grants", "must be an object"),
        ({"connection_id": 10**9}, "connection_id", "no such connection"),
        ({"key_expires_at": "2020-01-01T00:00:00Z"}, "key_expires_at", "must be in the future"),
        ({"key_expires_at": "soon"}, "key_expires_at", "must be an ISO 8601 date"),
        ({"colour": "red"}, "colour", "is not known here"),
        ({"name": ""}, "name", "may not be empty"),
        ({"name": "a\nb"}, "name", "may not contain control characters"),
        ({"name": 7}, "name", "must be a string"),
        ({"name": None}, "name", "may not be empty"),
    ],
)
def test_a_body_that_can_not_be_names_its_field_and_makes_nothing(
    admin: Admin, more: dict[str, Any], path: str, words: str
) -> None:
    status, errors = admin.refused("POST", "/agents", {"name": "Triage"} | more)
    assert status == 400
    assert errors[0][0].startswith(path)
    assert words in errors[0][1]
    assert admin.get("/agents") == {"agents": []}
    assert admin.sentences() == []


def test_two_agents_never_have_one_name(admin: Admin) -> None:
    admin.agent("Triage")
    other = admin.agent("Other")
    assert admin.refused("POST", "/agents", {"name": "triage"}) == (409, [("name", "another agent has this name")])
    assert admin.refused("PATCH", f"/agents/{other['id']}", {"name": "TRIAGE"})[0] == 409


def test_a_renamed_agent_goes_by_its_new_name_everywhere(admin: Admin) -> None:
    made = admin.agent("Triage")
    assert admin.patch(f"/agents/{made['id']}", {"name": "Sorter"})["name"] == "Sorter"
    users = admin.desk.get("/v2/users").json()["_embedded"]["users"]
    assert "Triage" not in {user["firstName"] for user in users}
    assert admin.sentences()[-1] == "Admin token ops renamed agent Triage to Sorter"
    admin.patch(f"/agents/{made['id']}", {"name": "Sorter"})
    assert len(admin.sentences()) == 2


def test_a_paused_agent_is_refused_until_it_is_resumed(admin: Admin) -> None:
    made = admin.agent(preset="reader")
    assert admin.post(f"/agents/{made['id']}/pause")["state"] == "paused"
    assert admin.post(f"/agents/{made['id']}/pause", {})["state"] == "paused"
    answer = admin.as_agent(made["key"])
    assert (answer.status_code, answer.json()["reason"]) == (403, "paused")
    assert admin.post(f"/agents/{made['id']}/resume")["state"] == "active"
    assert admin.as_agent(made["key"]).status_code == 200
    said = [one for one in admin.sentences() if one.startswith("Admin token ops")]
    assert said[1:] == ["Admin token ops paused agent Triage", "Admin token ops let agent Triage go on"]


def test_a_deleted_agent_is_unknown_at_every_door(admin: Admin) -> None:
    made = admin.agent(preset="reader")
    token = sign_in(admin, made).json()["access_token"]
    assert admin.as_agent(token).status_code == 200
    admin.delete(f"/agents/{made['id']}")
    assert admin.as_agent(made["key"]).status_code == 401
    assert admin.as_agent(token).status_code == 401
    assert sign_in(admin, made).status_code == 400
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/keys"), ("GET", "/grants"), ("POST", "/resume"),
        ("GET", "/grants/history"), ("GET", "/grants/diff"), ("GET", "/grants/cedar"), ("POST", "/client-secret"),
    ):  # fmt: skip
        assert admin.refused(method, f"/agents/{made['id']}{path}") == (404, []), path
    assert admin.get("/agents") == {"agents": []}
    assert "Admin token ops deleted agent Triage" in admin.sentences()
    admin.agent("Triage")


def test_a_second_key_takes_over_from_the_first(admin: Admin) -> None:
    made = admin.agent(preset="reader")
    keys = f"/agents/{made['id']}/keys"
    answer = admin.call("POST", keys, json={"expires_at": LATER})
    assert answer.status_code == 201
    second = answer.json()
    assert list(second) == ["id", "key", "prefix", "expires_at"]
    assert (second["expires_at"], second["prefix"]) == (LATER, second["key"][:15])
    assert admin.refused("POST", keys)[0] == 409
    first_id = admin.get(f"/agents/{made['id']}")["keys"][0]["id"]
    admin.delete(f"{keys}/{first_id}")
    assert [admin.as_agent(key).status_code for key in (made["key"], second["key"])] == [401, 200]
    assert admin.refused("DELETE", f"{keys}/{first_id}") == (404, [])
    third = admin.post(keys)
    assert third["expires_at"] is None
    prefix = made["key"][:15]
    said = [one for one in admin.sentences() if " key" in one]
    assert said == [
        f"Admin token ops gave agent Triage a key, {second['prefix']}… until {LATER}",
        f"Admin token ops revoked a key of agent Triage, {prefix}…",
        f"Admin token ops gave agent Triage a key, {third['prefix']}…",
    ]


def test_an_expired_key_is_refused_and_that_is_logged(admin: Admin) -> None:
    clock = admin.desk.server.clock
    made = admin.agent(preset="reader", key_expires_at=to_wire(clock.now() + timedelta(hours=1)))
    clock.advance(timedelta(hours=1))
    try:
        assert admin.as_agent(made["key"]).status_code == 401
        (entry,) = admin.get("/audit", type="decision")["entries"]
        assert (entry["decision"], entry["agent"]["name"], entry["status"]) == ("refused", "Triage", 401)
        assert "its key has expired" in entry["sentence"]
    finally:
        clock.advance(timedelta(hours=-1))


def test_it_is_shown_when_a_key_was_last_used(admin: Admin) -> None:
    made = admin.agent(preset="reader")
    admin.as_agent(made["key"])
    for _ in range(3_000):
        used = admin.get(f"/agents/{made['id']}")["keys"][0]["last_used_at"]
        if used is not None:
            break
        time.sleep(0.01)
    assert used is not None and used <= to_wire(admin.desk.server.clock.now())


# -- Client ids and secrets, as an unmodified Help Scout client uses them


def sign_in(admin: Admin, made: dict[str, Any], **changed: str) -> requests.Response:
    asked = {
        "grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"],
    }  # fmt: skip
    return requests.post(admin.desk.server.url + "/v2/oauth2/token", data=asked | changed, timeout=30)


def test_an_agent_signs_in_as_an_application_does(admin: Admin) -> None:
    made = admin.agent(preset="reader")
    answer = sign_in(admin, made)
    assert answer.status_code == 200
    assert list(answer.json()) == ["token_type", "access_token", "expires_in"]
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 172_800)
    assert re.fullmatch(r"dh_agent_[A-Za-z0-9]{40}", answer.json()["access_token"])
    assert admin.as_agent(answer.json()["access_token"]).status_code == 200
    basic = requests.post(
        admin.desk.server.url + "/v2/oauth2/token", data={"grant_type": "client_credentials"},
        auth=(made["client_id"], made["client_secret"]), timeout=30,
    )  # fmt: skip
    assert basic.status_code == 200


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"client_secret": "wrong"}, "invalid_client", "Invalid client authentication"),
        ({"client_secret": ""}, "invalid_client", "Invalid client authentication"),
        ({"client_id": "dh_client_unknown"}, "invalid_client", "Invalid client authentication"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request", "Invalid code"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_request", "Invalid refresh_token"),
        ({"grant_type": "password"}, "unsupported_grant_type", "Invalid grant_type"),
    ],
)
def test_a_sign_in_that_can_not_be_is_refused_as_an_application_s_is(
    admin: Admin, changed: dict[str, str], error: str, words: str
) -> None:
    answer = sign_in(admin, admin.agent(), **changed)
    assert (answer.status_code, answer.json()) == (400, {"error_description": words, "error": error})


def test_a_failed_sign_in_is_logged_without_the_secret(admin: Admin) -> None:
    made = admin.agent()
    sign_in(admin, made, client_secret="the wrong secret")
    sign_in(admin, made, client_id="dh_client_unknown")
    (entry,) = admin.get("/audit", type="decision")["entries"]
    assert (entry["decision"], entry["agent"]["name"], entry["status"]) == ("refused", "Triage", 401)
    assert "the wrong secret" not in json.dumps(entry)


def test_a_new_client_secret_ends_the_old_one(admin: Admin) -> None:
    made = admin.agent(preset="reader")
    token = sign_in(admin, made).json()["access_token"]
    renewed = admin.post(f"/agents/{made['id']}/client-secret")
    assert list(renewed) == ["client_id", "client_secret"]
    assert sign_in(admin, made).status_code == 400
    assert admin.as_agent(token).status_code == 401
    assert sign_in(admin, made, client_secret=renewed["client_secret"]).status_code == 200
    assert admin.sentences()[-2].startswith("Admin token ops gave agent Triage a new client secret")


def test_a_paused_agent_still_gets_a_token_and_then_the_reason(admin: Admin) -> None:
    made = admin.agent(preset="reader")
    admin.post(f"/agents/{made['id']}/pause")
    answer = admin.as_agent(sign_in(admin, made).json()["access_token"])
    assert (answer.status_code, answer.json()["reason"]) == (403, "paused")


def test_no_secret_is_ever_shown_again(admin: Admin, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = admin.agent(preset="reader")
    token = sign_in(admin, made).json()["access_token"]
    renewed = admin.post(f"/agents/{made['id']}/client-secret")["client_secret"]
    second = admin.post(f"/agents/{made['id']}/keys")["key"]
    for key in (made["key"], token, second):
        admin.as_agent(key)
    secrets = [made["key"], made["client_secret"], token, renewed, second, admin.token]
    seen = caplog.text + json.dumps(
        [
            admin.get(path)
            for path in (
                "/agents", f"/agents/{made['id']}", f"/agents/{made['id']}/grants", "/audit", "/kill-switch",
                f"/agents/{made['id']}/grants/history", "/approvals", "/connections", "/budget",
            )
        ]
    )  # fmt: skip
    seen += "".join(admin.call("GET", "/audit/export", params={"format": kind}).text for kind in ("jsonl", "csv"))
    assert made["key"][:15] in seen
    assert [secret for secret in secrets if secret in seen or secret[15:] in seen] == []


def test_agents_of_another_account_are_unknown(admin: Admin) -> None:
    made, other = admin.agent(), administer(open_desk(admin.desk.server))
    assert other.get("/agents") == {"agents": []}
    for method, path, body in (
        ("GET", "", None), ("PATCH", "", {"name": "Mine"}), ("DELETE", "", None), ("POST", "/pause", None),
        ("POST", "/keys", None), ("GET", "/grants", None), ("PUT", "/grants", {}), ("POST", "/client-secret", None),
        ("POST", "/grants/revert", {"version": 1}), ("POST", "/grants/preset", {"preset": "reader"}),
    ):  # fmt: skip
        assert other.refused(method, f"/agents/{made['id']}{path}", body)[0] == 404, path
    assert admin.get(f"/agents/{made['id']}")["grant_version"] == 0
    assert other.sentences() == []
