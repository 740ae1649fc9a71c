"""`deskhand webhooks`: the log of a webhook, and sending a delivery again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.commands import run

WEBHOOK = (
    "INSERT INTO webhook VALUES (12, 1, 'https://h.example', 'topsecret', '[\"convo.created\"]', 0, 'V2', NULL, '[]',"
    " 'disabled', 'the receiver answered 410', 0, 2, '2026-11-01T00:00:00Z', '2026-11-01T00:00:00Z')"
)
DELIVERY = (
    "INSERT INTO webhook_delivery VALUES (7, 1, 12, 3, 'convo.created', 'some-key', '{\"id\":42}', 'discarded', 2,"
    " '2026-11-02T00:00:00Z', '2026-11-02T00:02:00Z')"
)
ATTEMPTS = (
    "INSERT INTO webhook_attempt VALUES (1, 1, 7, '2026-11-02T00:00:01Z', NULL, '', 'the connection was refused', 3),"
    " (2, 1, 7, '2026-11-02T00:01:01Z', 410, 'no\nmore', '', 12)"
)


@pytest.fixture
def folder(migrated: Path) -> Path:
    connection = sqlite3.connect(migrated / "data" / "deskhand.sqlite")
    with connection:
        for statement in (WEBHOOK, DELIVERY, ATTEMPTS):
            connection.execute(statement)
    connection.close()
    return migrated


def test_people_read_what_came_of_each_attempt(folder: Path):
    shown = run(folder, "webhooks", "log", "12")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines() == [
        "Webhook 12 to https://h.example is disabled because the receiver answered 410.",
        "       7  convo.created of 2026-11-02T00:00:00Z: discarded (some-key)",
        "          2026-11-02T00:00:01Z  the connection was refused (3 ms)",
        "          2026-11-02T00:01:01Z  410 no more (12 ms)",
        '"deskhand webhooks replay ID" sends a delivery again; --json shows what was sent.',
    ]


def test_what_a_receiver_answers_can_do_nothing_to_a_terminal(folder: Path):
    answer = "no\x1b]0;gone\x07\x9b2J\r\u2028more"
    connection = sqlite3.connect(folder / "data" / "deskhand.sqlite")
    with connection:
        connection.execute("UPDATE webhook_attempt SET answer = ? WHERE id = 2", (answer,))
    connection.close()
    shown = run(folder, "webhooks", "log", "12")
    assert "  410 no ]0;gone 2J more (12 ms)" in shown.stdout
    assert all(character.isprintable() or character == "\n" for character in shown.stdout)


def test_json_has_all_but_the_secret(folder: Path):
    shown = run(folder, "webhooks", "log", "12", "--json")
    content = json.loads(shown.stdout)
    (one,) = content["deliveries"]
    assert (one["delivery"]["body"], one["delivery"]["key"]) == ('{"id":42}', "some-key")
    assert [attempt["status"] for attempt in one["attempts"]] == [None, 410]
    assert content["webhook"]["state"] == "disabled"
    assert "topsecret" not in shown.stdout


def test_a_delivery_is_put_back_to_be_sent(folder: Path):
    assert run(folder, "webhooks", "replay", "7").stdout == "Delivery 7 will be sent again.\n"
    assert json.loads(run(folder, "webhooks", "replay", "7", "--json").stdout) == {"again": 7}
    (one,) = json.loads(run(folder, "webhooks", "log", "12", "--json").stdout)["deliveries"]
    assert one["delivery"]["state"] == "waiting"
    waiting = json.loads(run(folder, "jobs", "--json").stdout)["jobs"]
    assert [(row["kind"], row["state"], row["n"]) for row in waiting] == [("deliver_webhook", "waiting", 2)]


@pytest.mark.parametrize(
    ("command", "words"), [("log", "there is no webhook 99"), ("replay", "there is no delivery 99")]
)
def test_what_there_is_not_is_refused_in_one_line(folder: Path, command: str, words: str):
    refused = run(folder, "webhooks", command, "99")
    assert (refused.returncode, refused.stderr) == (1, f"deskhand: {words}\n")


def test_wrong_usage_ends_with_2(folder: Path):
    assert run(folder, "webhooks", "log", "x").returncode == 2
    assert run(folder, "webhooks", "log", "0").returncode == 2
