"""The kill switch, the log, approvals, the budget and connections by HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.admin.door import Admin, administer
from tests.world import open_desk


def start(admin: Admin, inbox: int) -> int:
    """A conversation in an inbox."""
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active",
        "customer": {"email": "paul@buyer.example"},
        "threads": [{"type": "customer", "customer": {"email": "paul@buyer.example"}, "text": "Where?"}],
    }  # fmt: skip
    return int(admin.desk.post("/v2/conversations", body).headers["Resource-ID"])


def note(admin: Admin, key: str, conversation: int) -> tuple[int, str | None]:
    """What becomes of an agent's note."""
    path = f"/v2/conversations/{conversation}/notes"
    answer = admin.as_agent(key, path, "POST", json={"text": f"Seen {next(SERIAL)}"})
    return answer.status_code, answer.json().get("reason") if answer.content else None


SERIAL = iter(range(10**6))
STOPPED = (403, "stopped")


def test_the_kill_switch_stops_what_it_names_at_once_and_until_it_is_lifted(admin: Admin) -> None:
    orders, claims = admin.desk.add_inbox("Orders"), admin.desk.add_inbox("Claims")
    there, elsewhere = start(admin, orders), start(admin, claims)
    one, other = admin.agent("One", preset="drafter"), admin.agent("Two", preset="drafter")
    reads = lambda made: admin.as_agent(made["key"]).status_code  # noqa: E731

    stop = admin.call("POST", "/kill-switch", json={"scope": "agent", "id": one["id"]})
    assert stop.status_code == 201
    assert (reads(one), reads(other)) == (403, 200)
    admin.delete(f"/kill-switch/{stop.json()['id']}")
    assert reads(one) == 200

    stop = admin.post("/kill-switch", {"scope": "inbox_writes", "id": orders})
    assert (note(admin, one["key"], there), note(admin, one["key"], elsewhere)[0]) == (STOPPED, 201)
    assert reads(one) == 200
    assert admin.get("/kill-switch")["stops"] == [stop]

    admin.post("/kill-switch", {"scope": "writes"})
    assert (note(admin, one["key"], elsewhere), reads(one)) == (STOPPED, 200)
    admin.post("/kill-switch", {"scope": "all"})
    assert (reads(one), reads(other)) == (403, 403)
    assert admin.desk.get("/v2/conversations").status_code == 200

    admin.delete("/kill-switch")
    assert (reads(one), note(admin, one["key"], there)[0]) == (200, 201)
    assert admin.get("/kill-switch") == {"stops": []}
    assert [one for one in admin.sentences() if "stop" in one and one.startswith("Admin token")] == [
        "Admin token ops stopped agent One",
        "Admin token ops no longer stops agent One",
        "Admin token ops stopped agents' writes in Orders",
        "Admin token ops stopped all writes of agents",
        "Admin token ops stopped all agents",
        "Admin token ops lifted every stop",
    ]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"scope": "everything"}, "scope"), ({}, "scope"), ({"scope": "agent"}, "id"),
        ({"scope": "all", "id": 1}, "id"),
        ({"scope": "agent", "id": 10**9}, "id"), ({"scope": "inbox_writes", "id": "501"}, "id"),
        ({"scope": "inbox_writes", "id": 0}, "id"), ({"scope": "inbox_writes", "id": 2**63 - 1}, "id"),
    ],
)  # fmt: skip
def test_a_stop_that_makes_no_sense_is_refused(admin: Admin, body: dict[str, Any], path: str) -> None:
    status, errors = admin.refused("POST", "/kill-switch", body)
    assert (status, errors[0][0]) == (400, path)
    assert admin.get("/kill-switch") == {"stops": []}


def test_an_inbox_that_may_be_a_remote_desk_s_can_be_stopped(admin: Admin) -> None:
    """Of another account's inbox nothing is known here either, so that it is refused where there is no such desk."""
    other = administer(open_desk(admin.desk.server))
    stop = {"scope": "inbox_writes", "id": admin.desk.add_inbox("Orders")}
    assert other.refused("POST", "/kill-switch", stop) == (400, [("id", "no such inbox")])
    connection = {"name": "x", "base_url": admin.desk.server.url, "client_id": other.desk.client_id}
    secret = {"client_secret": other.desk.client_secret}
    other.post("/connections", connection | secret)
    assert other.post("/kill-switch", stop)["target_id"] == stop["id"]


def test_an_unknown_stop_can_not_be_lifted(admin: Admin) -> None:
    stop, other = admin.post("/kill-switch", {"scope": "all"}), administer(open_desk(admin.desk.server))
    assert other.refused("DELETE", f"/kill-switch/{stop['id']}") == (404, [])
    other.delete("/kill-switch")
    assert admin.get("/kill-switch")["stops"] == [stop]


def test_the_log_is_listed_filtered_and_paged(admin: Admin) -> None:
    made = admin.agent(preset="reader")
    for _ in range(3):
        admin.as_agent(made["key"])
    page = admin.get("/audit", agent=made["id"], type="decision", limit=2)
    assert [entry["operation"] for entry in page["entries"]] == ["list_conversations"] * 2
    rest = admin.get("/audit", agent=made["id"], type="decision", limit=2, cursor=page["next"])
    assert len(rest["entries"]) == 1
    assert admin.get("/audit", decision="refused")["entries"] == []
    for query in ("agent=x", "decision=maybe", "since=now", "cursor=%21", "limit=0", "limit=501", "agents=1"):
        status, errors = admin.refused("GET", f"/audit?{query}")
        assert (status, errors[0][0]) == (400, query.partition("=")[0])
    assert admin.refused("GET", "/audit?agent=1&agent=2") == (400, [("agent", "is given twice")])


def test_the_log_is_exported_and_verified(admin: Admin) -> None:
    made = admin.agent(preset="reader")
    for _ in range(2):  # the end of a call is written with the next call, if that comes at once
        admin.as_agent(made["key"])
    answer = admin.call("GET", "/audit/export", params={"format": "jsonl"})
    assert answer.headers["Content-Type"] == "application/jsonl"
    assert 'filename="audit.jsonl"' in answer.headers["Content-Disposition"]
    records = [json.loads(line) for line in answer.text.splitlines()]
    assert records[0]["type"] == "admin"
    assert {"decision", "completion"} <= {record["type"] for record in records}
    table = admin.call("GET", "/audit/export", params={"format": "csv", "agent": str(made["id"])})
    assert table.headers["Content-Type"].startswith("text/csv")
    assert table.text.splitlines()[0].startswith("id,type,at,")
    assert admin.refused("GET", "/audit/export?format=xml")[0] == 400
    assert admin.refused("GET", "/audit/export?format=jsonl&agent=1") == (400, [("agent", "is for the format csv")])
    result = admin.get("/audit/verify")
    assert (result["ok"], result["problems"], result["first"]) == (True, [], 1)
    assert result["records"] == result["last"] >= 3


def test_a_held_call_is_approved_once_or_denied(admin: Admin) -> None:
    conversation = start(admin, admin.desk.add_inbox("Orders"))
    made = admin.agent(preset="drafter")

    def tag(name: str) -> int:
        path = f"/v2/conversations/{conversation}/tags"
        answer = admin.as_agent(made["key"], path, "PUT", json={"tags": [name]})
        assert answer.status_code == 202
        return int(answer.json()["approval_id"])

    first, second = tag("vip"), tag("late")
    waiting = admin.get("/approvals", state="waiting")
    assert [one["id"] for one in waiting["approvals"]] == [second, first]
    assert waiting["next"] is None
    assert admin.get(f"/approvals/{first}")["agent"] == {"id": made["id"], "name": "Triage"}
    assert admin.post(f"/approvals/{first}/approve") == {"state": "executed", "status": 204, "resource_id": None}
    tags = admin.desk.get(f"/v2/conversations/{conversation}").json()["tags"]
    assert [one["tag"] for one in tags] == ["vip"]
    assert admin.refused("POST", f"/approvals/{first}/approve")[0] == 409
    assert admin.refused("POST", f"/approvals/{second}/deny", {})[1] == [("reason", "may not be empty")]
    assert admin.refused("POST", f"/approvals/{second}/deny", {"reason": " "})[0] == 400
    assert admin.post(f"/approvals/{second}/deny", {"reason": "Not late"}) == {
        "state": "denied", "status": None, "resource_id": None,
    }  # fmt: skip
    assert admin.refused("POST", f"/approvals/{second}/approve", {})[0] == 409
    for path in (f"/approvals/{10**9}/approve", f"/approvals/{10**9}/deny"):
        assert admin.refused("POST", path, {"reason": "x"} if path.endswith("deny") else None)[0] == 404
    other = administer(open_desk(admin.desk.server))
    assert other.refused("POST", f"/approvals/{first}/approve")[0] == 404
    assert admin.refused("GET", "/approvals?state=open")[0] == 400
    said = [one for one in admin.sentences() if one.startswith("Admin token ops approved")]
    assert len(said) == 1
    of_first = [one for one in admin.get("/audit", type="decision")["entries"] if one["approval_id"] == first]
    assert [one["decision"] for one in of_first] == ["allowed", "held"]


def test_the_budget_is_shown_by_desk(admin: Admin) -> None:
    assert admin.get("/budget") == {"desks": []}


def test_connections_are_refused_by_field_and_never_guessed(admin: Admin) -> None:
    assert admin.get("/connections") == {"connections": []}
    given = {"name": "Help Scout", "base_url": "http://10.0.0.1", "client_id": "x", "client_secret": "y"}
    assert admin.refused("POST", "/connections", given)[1][0][0] == "base_url"
    assert admin.refused("POST", "/connections", given | {"colour": "red"})[1][0] == ("colour", "is not known here")
    assert admin.refused("POST", "/connections", {})[0] == 400
    assert admin.refused("DELETE", f"/connections/{10**9}") == (404, [])
    assert admin.refused("PUT", f"/connections/{10**9}", given | {"base_url": "https://x.example"})[0] == 404
    assert admin.sentences() == []


def test_a_connection_is_tried_kept_and_removed_and_its_secret_never_shown(admin: Admin) -> None:
    desk = admin.desk
    given = {
        "name": "Other", "base_url": desk.server.url, "client_id": desk.client_id, "client_secret": desk.client_secret,
    }  # fmt: skip
    answer = admin.call("POST", "/connections", json=given)
    assert (answer.status_code, list(answer.json())) == (201, ["id"])
    id = answer.json()["id"]
    assert admin.refused("POST", "/connections", given | {"client_secret": "wrong"})[1][0][0] == "client_secret"
    (shown,) = admin.get("/connections")["connections"]
    assert (shown["id"], shown["base_url"], shown["grant"]) == (id, desk.server.url, "client_credentials")
    made = admin.agent(connection_id=id)
    assert admin.get(f"/agents/{made['id']}")["connection_id"] == id
    assert admin.refused("DELETE", f"/connections/{id}")[0] == 409
    assert admin.call("PUT", f"/connections/{id}", json=given).status_code == 204
    admin.delete(f"/agents/{made['id']}")
    admin.delete(f"/connections/{id}")
    assert desk.client_secret not in json.dumps(admin.get("/audit"))
    place = f"connection Other to {desk.server.url}"
    assert [one for one in admin.sentences() if "connection" in one] == [
        f"Admin token ops added {place}",
        f"Admin token ops gave new credentials to {place}",
        f"Admin token ops removed {place}",
    ]
