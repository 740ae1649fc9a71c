"""`deskhand workflows`: made from files, shown in words, tried, switched and deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import run

OPEN = (
    "init", "--account", "Northwind", "--name", "Ada Holm", "--email", "ada@desk.example",
    "--password", "a long one 123", "--inbox", "Support", "--inbox-email", "help@desk.example", "--json",
)  # fmt: skip


WRITTEN = {
    "inbox_id": 501,
    "name": "Refunds",
    "type": "automatic",
    "conditions": [
        {"any": [{"about": "subject", "op": "contains", "value": "refund"}, {"about": "attachment", "value": True}]},
        {"any": [{"about": "assignee", "op": "is", "value": [None]}]},
    ],
    "actions": [{"do": "status", "value": "pending"}, {"do": "snooze", "value": 2, "unit": "days"}],
}


@pytest.fixture
def folder(migrated: Path) -> Path:
    opened = run(migrated, *OPEN)
    assert opened.returncode == 0, opened.stderr
    (migrated / "refunds.json").write_text(json.dumps(WRITTEN))
    return migrated


def said(folder: Path, *arguments: str) -> str:
    done = run(folder, "workflows", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_is_made_shown_switched_changed_tried_and_deleted(folder: Path) -> None:
    words = [
        "Workflow 901, Refunds: automatic, active, 1 in its inbox.",
        "if the subject contains “refund” or it has an attachment",
        "and the owner is nobody",
        "then marked as pending, snoozed the conversation for 2 days",
    ]
    assert said(folder, "add", "--file", "refunds.json").splitlines() == words
    assert said(folder, "show", "901").splitlines() == words
    assert said(folder, "list").split() == [
        "ID", "INBOX", "ORDER", "TYPE", "STATUS", "NAME", "901", "501", "1", "automatic", "active", "Refunds"
    ]  # fmt: skip
    assert json.loads(said(folder, "disable", "901", "--json"))["status"] == "inactive"
    assert json.loads(said(folder, "enable", "901", "--json"))["status"] == "active"
    changed = json.loads((folder / "refunds.json").read_text()) | {"name": "Other"}
    (folder / "refunds.json").write_text(json.dumps(changed))
    assert said(folder, "change", "901", "--file", "refunds.json").startswith("Workflow 901, Other: ")
    for arguments in (("901",), ("--file", "refunds.json")):
        assert said(folder, "dry-run", *arguments) == "Of 0 conversations 0 match; it would run on 0.\n"
    assert said(folder, "delete", "901") == "Workflow 901 is deleted; what it did stays.\n"
    assert said(folder, "list") == "There are no workflows.\n"
    logged = json.loads(run(folder, "audit", "list", "--json").stdout)["entries"]
    assert [(one["sentence"], one["actor"]) for one in reversed(logged)] == [
        (f"Somebody at the command line {did}", {"type": "command_line", "id": None})
        for did in (
            "made the workflow 'Refunds'", "switched off the workflow 'Refunds'", "switched on the workflow 'Refunds'",
            "changed the workflow 'Other'", "deleted the workflow 'Other'",
        )
    ]  # fmt: skip


def test_what_makes_no_sense_is_named_in_one_line(folder: Path) -> None:
    given = json.loads((folder / "refunds.json").read_text())
    given["conditions"][0]["any"][0]["value"] = ""
    given["actions"].append({"do": "dance"})
    (folder / "refunds.json").write_text(json.dumps(given))
    refused = run(folder, "workflows", "add", "--file", "refunds.json")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [
        "deskhand: conditions[0].any[0].value: may not be empty; actions[2].do: Expected one of these: "
        "'status', 'assign', 'tag', 'untag', 'move', 'note', 'field', 'reply', 'snooze', 'unsnooze', 'webhook'"
    ]
    for arguments in (("show", "7"), ("delete", "7"), ("dry-run", "7")):
        refused = run(folder, "workflows", *arguments)
        assert (refused.returncode, refused.stderr) == (1, "deskhand: there is none with this id\n")
    assert run(folder, "workflows", "dry-run").returncode == 2
