"""Who changes a workflow or a webhook by another door than the settings stands in the audit log all the same."""

from __future__ import annotations

from typing import Any

from deskhand.desk.workflows.actions import SetStatus
from tests.admin.door import administer
from tests.agents import add_agent, log_of
from tests.world import Desk

OFF = {"op": "replace", "path": "/status", "value": "inactive"}
ON = {"op": "replace", "path": "/status", "value": "active"}
HOOK = {"url": "https://hooks.example/in?token=hushhush", "events": ["convo.created"], "secret": "keepthis"}


def told(desk: Desk) -> list[str]:
    """What the log says was changed, the oldest first; no secret ever stands in it."""
    found = log_of(desk, type="admin")
    assert not any(secret in str(found) for secret in ("hushhush", "keepthis", "another"))
    return [one.sentence for one in reversed(found)]


def test_workflows_that_are_switched_through_the_api(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = desk.add_workflow(inbox, SetStatus("closed"))
    path = f"/v2/workflows/{id}"
    for patch in (OFF, OFF, ON):
        assert desk.patch(path, patch).status_code == 204
    assert desk.patch(path, {**OFF, "value": "nonsense"}).status_code == 400
    assert told(desk) == [
        "Ada Holm switched off the workflow 'Close it' through the application 'Test'",
        "Ada Holm switched on the workflow 'Close it' through the application 'Test'",
    ]
    newest = log_of(desk, type="admin")[0]
    assert newest.actor == {"type": "user", "id": desk.user_id}
    assert newest.particulars == {
        "change": "workflow_switched_on", "workflow_id": id, "inbox_id": inbox, "application": "Test",
    }  # fmt: skip


def test_webhooks_that_are_changed_through_the_api(desk: Desk) -> None:
    path = f"/v2/webhooks/{desk.post('/v2/webhooks', HOOK).headers['Resource-ID']}"
    assert desk.put(path, {**HOOK, "label": "Ledger"}).status_code == 204
    named: dict[str, Any] = {**HOOK, "label": "Ledger"}
    assert desk.put(path, {**named, "state": "disabled"}).status_code == 204
    assert desk.put(path, {**named, "state": "disabled", "secret": "another"}).status_code == 204
    assert desk.put(path, {**HOOK, "label": "Books", "state": "enabled"}).status_code == 204
    assert desk.put(path, {**named, "url": "nonsense"}).status_code == 400
    assert desk.delete(path).status_code == 204
    through = "through the application 'Test'"
    assert told(desk) == [
        f"Ada Holm added the webhook 'hooks.example' {through}",
        f"Ada Holm changed the webhook 'Ledger' {through}",
        f"Ada Holm switched off the webhook 'Ledger' {through}",
        f"Ada Holm changed the webhook 'Ledger' {through}",
        f"Ada Holm changed the webhook 'Books' {through}",
        f"Ada Holm switched on the webhook 'Books' {through}",
        f"Ada Holm deleted the webhook 'Books' {through}",
    ]


def test_a_change_that_is_refused_at_the_end_leaves_no_entry(desk: Desk) -> None:
    assert desk.delete("/v2/webhooks/99999999").status_code == 404
    assert desk.post("/v2/webhooks", {**HOOK, "events": ["nonsense"]}).status_code == 400
    assert told(desk) == []


def test_what_an_agent_changes_is_told_once_as_its_call(desk: Desk) -> None:
    agent = add_agent(desk, resources={"webhooks": {"level": "full"}})
    assert agent.post("/v2/webhooks", {**HOOK, "mailboxIds": [desk.add_inbox()]}).status_code == 201
    assert agent.sentences()[-1] == f"{agent.name} was allowed to create a webhook in Support"
    assert not [one for one in log_of(desk, type="admin") if "hooks.example" in one.sentence]


def test_workflows_that_are_changed_by_an_administration_token(desk: Desk) -> None:
    inbox, admin = desk.add_inbox(), administer(desk, "ops")
    given = {
        "inbox_id": inbox, "name": "Refunds", "type": "manual", "actions": [{"do": "status", "value": "pending"}],
    }  # fmt: skip
    path = f"/workflows/{admin.post('/workflows', given)['id']}"
    admin.put(path, {**given, "name": "Late"})
    assert admin.refused("PUT", path, {**given, "name": ""})[0] == 400
    admin.delete(path)
    assert admin.refused("DELETE", path)[0] == 404
    found = [one for one in log_of(desk, type="admin") if "workflow" in one.sentence]
    assert [one.sentence for one in reversed(found)] == [
        "Admin token ops made the workflow 'Refunds'",
        "Admin token ops changed the workflow 'Late'",
        "Admin token ops deleted the workflow 'Late'",
    ]
    assert {(one.actor or {})["type"] for one in found} == {"admin_token"}
