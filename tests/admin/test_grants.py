"""Grants by HTTP: set, shown, compared, brought back; what an agent may do follows at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.admin.door import Admin

READS = {"resources": {"conversations": {"level": "read", "inboxes": "all"}}}
NOTHING: dict[str, Any] = {"resources": {}, "actions": {}, "limits": {}, "expires_at": None}


def test_what_is_granted_holds_at_once(admin: Admin) -> None:
    made = admin.agent()
    path = f"/agents/{made['id']}/grants"
    assert admin.get(path) == NOTHING | {"version": 0}
    assert admin.put(path, READS) == NOTHING | READS | {"version": 1}
    assert admin.as_agent(made["key"]).status_code == 200
    assert admin.put(path, {})["version"] == 2
    assert admin.as_agent(made["key"]).status_code == 403
    assert admin.get(path) == NOTHING | {"version": 2}


def test_a_change_is_told_in_the_log(admin: Admin) -> None:
    made = admin.agent()
    inbox = admin.desk.add_inbox("Orders")
    admin.put(f"/agents/{made['id']}/grants", {"resources": {"threads": {"level": "write", "inboxes": [inbox]}}})
    entry = admin.get("/audit")["entries"][0]
    assert entry["sentence"].startswith("Admin token ops changed the grants of agent Triage: it ")
    assert entry["sentence"].endswith(" (version 1)")
    assert entry["agent"] == {"id": made["id"], "name": "Triage"}
    assert entry["actor"]["type"] == "admin_token"
    assert entry["particulars"]["version"] == 1
    assert "Orders" in entry["particulars"]["changes"][0]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"resource": {}}, "resource"),
        ({"resources": {"conversations": {"level": "admin"}}}, "resources.conversations"),
        ({"actions": {"reply": "draft"}}, "actions.reply"), ({"limits": {"max_text": 0}}, "limits.max_text"),
        ({"resources": {"tags": {"level": "read", "inboxes": [1]}}}, "resources.tags.inboxes"),
        ({"version": "1"}, "version"), ({"version": True}, "version"),
    ],
)  # fmt: skip
def test_grants_that_make_no_sense_are_refused_by_field(admin: Admin, body: dict[str, Any], path: str) -> None:
    made = admin.agent()
    status, errors = admin.refused("PUT", f"/agents/{made['id']}/grants", body)
    assert status == 400
    assert errors[0][0].startswith(path)
    assert admin.get(f"/agents/{made['id']}")["grant_version"] == 0


def test_who_read_an_old_version_does_not_overwrite_a_new_one(admin: Admin) -> None:
    path = f"/agents/{admin.agent()['id']}/grants"
    read = admin.put(path, READS)
    admin.put(path, {})
    assert admin.refused("PUT", path, read) == (409, [("version", "is not the present one, which is 2")])
    assert admin.put(path, read | {"version": 2})["version"] == 3


def test_versions_are_kept_compared_and_brought_back(admin: Admin) -> None:
    path = f"/agents/{admin.agent()['id']}/grants"
    admin.put(path, READS)
    admin.put(path, {})
    versions = admin.get(f"{path}/history")["versions"]
    assert [one["version"] for one in versions] == [2, 1]
    assert versions[1]["grants"] == NOTHING | READS
    assert versions[0]["made_by"]["type"] == "admin_token"
    assert admin.get(f"{path}/diff") == {"changes": ["conversations: read in every inbox → off"]}
    assert admin.get(f"{path}/diff", **{"from": 0, "to": 1}) == {
        "changes": ["conversations: off → read in every inbox"]
    }
    assert admin.get(f"{path}/diff", **{"from": 2, "to": 2}) == {"changes": []}
    assert admin.refused("GET", f"{path}/diff?from=9") == (400, [("from", "no such version")])
    assert admin.refused("GET", f"{path}/diff?to=-1")[0] == 400
    for huge in (2**31, 2**63, -(10**30)):  # more than the column or the database has room for
        assert admin.refused("GET", f"{path}/diff?from={huge}") == (400, [("from", "no such version")])
    assert admin.refused("POST", f"{path}/revert", {"version": 2**31}) == (400, [("version", "no such version")])
    assert admin.post(f"{path}/revert", {"version": 1}) == NOTHING | READS | {"version": 3}
    assert admin.sentences()[-1].startswith("Admin token ops went back to version 1 of the grants of agent Triage")
    assert admin.refused("POST", f"{path}/revert", {"version": 9}) == (400, [("version", "no such version")])


def test_presets_are_shown_as_the_grants_that_they_set(admin: Admin) -> None:
    presets = admin.get("/presets")["presets"]
    assert list(presets) == ["reader", "drafter", "triage", "closer", "analyst"]
    path = f"/agents/{admin.agent()['id']}/grants"
    for name, given in presets.items():
        by_name = admin.post(f"{path}/preset", {"preset": name})
        by_hand = admin.put(path, given)
        assert {**by_name, "version": 0} == {**by_hand, "version": 0}, name
    inbox = admin.desk.add_inbox("Orders")
    held = admin.post(f"{path}/preset", {"preset": "reader", "inboxes": [inbox]})
    assert held["resources"]["conversations"] == {"level": "read", "inboxes": [inbox]}
    assert admin.refused("POST", f"{path}/preset", {"preset": "reader", "inboxes": "some"})[0] == 400


def test_grants_are_written_as_cedar_policies(admin: Admin) -> None:
    made = admin.agent(grants=READS)
    policies = admin.get(f"/agents/{made['id']}/grants/cedar")["policies"]
    assert f'principal == Agent::"{made["id"]}"' in policies


def test_a_question_is_answered_by_what_would_be_decided(admin: Admin) -> None:
    made = admin.agent(grants=READS)
    before = len(admin.sentences())
    question = {"agent_id": made["id"], "method": "GET", "path": "/v2/conversations", "query": {"status": ["all"]}}
    told = admin.post("/explain", question)
    assert told["decision"] == "allowed"
    assert told["needs"][0]["resource"] == "conversations"
    told = admin.post("/explain", question | {"path": "/v2/customers", "query": {}})
    assert (told["decision"], told["reason"]) == ("refused", "missing_grant")
    assert told["would_need"] == {"resource": "customers", "level": "read"}
    assert len(admin.sentences()) == before
    pasted = {"agent_id": made["id"], "method": "GET", "path": "/v2/conversations?status=active&status=closed"}
    taken_apart = question | {"query": {"status": ["active", "closed"]}}
    words = "it could not be read: Bad request; status: is given more than once"
    assert [admin.post("/explain", each)["rule"] for each in (pasted, taken_apart)] == [words, words]
    for wrong, field in (
        ({"path": "/v2/conversations?page=1"}, "path"),
        ({"agent_id": 10**9}, "agent_id"), ({"method": ""}, "method"), ({"query": {"a": {}}}, "query"),
        ({"querry": {}}, "querry"),
    ):  # fmt: skip
        status, errors = admin.refused("POST", "/explain", question | wrong)
        assert (status, errors[0][0].startswith(field)) == (400, True)
