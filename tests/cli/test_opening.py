"""`deskhand init` opens an account that works: its owner can sign in, its application can use the API."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from deskhand.cli import opening
from deskhand.db.database import open_database
from deskhand.db.statements import value
from deskhand.desk.users.tables import staff
from deskhand.oauth import passwords
from tests.commands import WAIT_S, _command, _environment, run, serving

FLAGS = [
    "--account", "Northwind", "--name", "Ada Maria Holm", "--email", "Ada@Desk.example", "--password", "correct horse",
    "--inbox", "Support", "--inbox-email", "help@desk.example",
]  # fmt: skip


def test_the_application_can_use_the_api_as_the_owner(migrated: Path):
    done = run(migrated, "init", "--json", *FLAGS, base_url="https://desk.example.com")
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    assert made["base_url"] == "https://desk.example.com"
    assert made["account"] == {"id": 1, "name": "Northwind"}
    assert made["users"] == [{"id": 2, "email": "ada@desk.example", "role": "owner"}]
    assert made["inboxes"] == [{"id": 501, "name": "Support", "email": "help@desk.example"}]
    app = made["apps"][0]
    assert (app["redirect_url"], app["user_id"]) == ("https://desk.example.com", 2)
    with serving(migrated) as served:
        asked = {"grant_type": "client_credentials", **{name: app[name] for name in ("client_id", "client_secret")}}
        token = requests.post(f"{served.url}/v2/oauth2/token", data=asked, timeout=30).json()["access_token"]
        me = served.get("/v2/users/me", headers={"Authorization": f"Bearer {token}"}).json()
    assert (me["firstName"], me["lastName"], me["role"]) == ("Ada", "Maria Holm", "owner")


def test_the_password_is_kept_as_the_sign_in_page_reads_it(migrated: Path):
    run(migrated, "init", *FLAGS)
    hashes = value(str, sa.select(staff.c.password_hash).where(staff.c.email == "ada@desk.example"), keep=False)
    database = open_database("", migrated / "data")
    stored = database.read_now(lambda db: db.one(hashes))
    database.close()
    assert passwords.verify(stored, "correct horse")


def test_the_secret_is_shown_once_to_people_too(migrated: Path):
    shown = run(migrated, "init", *FLAGS).stdout
    assert "owner          ada@desk.example (user 2) signs in at http://127.0.0.1:8080/sign-in" in shown
    assert "client_secret  " in shown


def test_a_second_account_must_be_asked_for(migrated: Path):
    assert run(migrated, "init", *FLAGS).returncode == 0
    refused = run(migrated, "init", *FLAGS)
    assert refused.returncode == 1
    assert refused.stderr == "deskhand: there is an account already; --another opens one more\n"
    second = run(migrated, "init", "--json", "--another", *FLAGS)
    assert json.loads(second.stdout)["account"]["id"] == 2


def test_a_password_may_come_from_stdin(migrated: Path):
    flags = ["-" if flag == "correct horse" else flag for flag in FLAGS]
    assert run(migrated, "init", *flags, stdin="correct horse\n").returncode == 0


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("email", "ada", "must be an e-mail address"),
        ("inbox_email", "help@", "must be an e-mail address"),
        ("password", "short", "must have at least 8 characters"),
        ("account", " ", "may not be empty"),
        ("timezone", "Mars/Olympus", "must name a time zone, such as Europe/Lisbon"),
        ("timezone", "../../etc/passwd", "must name a time zone, such as Europe/Lisbon"),
        ("redirect_url", "javascript:1", "must be a URL"),
        ("timezone", "UTC", ""),
        ("email", "Ada@Desk.example ", ""),
    ],
)
def test_answers_that_can_not_be_used_are_told_in_words(name: str, text: str, words: str):
    assert opening._problem(name, text) == words


def test_an_option_that_can_not_be_used_is_wrong_usage(migrated: Path):
    refused = run(migrated, "init", *FLAGS, "--email", "ada")
    assert refused.returncode == 2
    assert "--email must be an e-mail address" in refused.stderr


def test_without_a_terminal_nobody_is_asked(migrated: Path):
    refused = run(migrated, "init", *FLAGS[:-2])
    assert refused.returncode == 2
    assert "give --inbox-email" in refused.stderr


def test_a_database_without_tables_is_refused(tmp_path: Path):
    refused = run(tmp_path, "init", *FLAGS)
    assert refused.returncode == 1
    assert 'run "deskhand migrate"' in refused.stderr


def test_on_a_terminal_it_asks_for_what_is_missing_and_asks_again_for_the_unusable(migrated: Path):
    dialogue = [
        ("Name of the account (your company):", "Northwind"),
        ("Your name:", "Ada Holm"),
        ("Your e-mail address, to sign in with:", "ada"),
        ("It must be an e-mail address.", "ada@desk.example"),
        ("A password:", "short"),
        ("Repeat for confirmation:", "short"),
        ("It must have at least 8 characters.", "correct horse"),
        ("Repeat for confirmation:", "correct horse"),
        ("Name of the first inbox:", "Support"),
        ("The address customers write to:", "help@desk.example"),
    ]
    with terminal(migrated, "init", "--json") as (process, keyboard):
        for question, answer in dialogue:
            screen = read_until(keyboard, question)
            assert "correct horse" not in screen
            os.write(keyboard, f"{answer}\n".encode())
        output, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0
    assert json.loads(output)["users"][0]["email"] == "ada@desk.example"


def read_until(screen: int, text: str) -> str:
    """What the command shows, until the text and a pause: passwords typed too early would be dropped."""
    shown, deadline = "", time.monotonic() + WAIT_S
    while True:
        if select.select([screen], [], [], 0.3)[0]:
            shown += os.read(screen, 1000).decode()
        elif text in shown:
            return shown
        assert time.monotonic() < deadline, shown


@contextmanager
def terminal(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command with a terminal for its questions; what it prints is still read from a pipe."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        _command(*arguments), cwd=folder, env=_environment({}), stdin=theirs, stdout=subprocess.PIPE, stderr=theirs,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        try:
            yield process, ours
        finally:
            process.kill()
            os.close(ours)
