"""A reply through `deskhand serve` reaches a real SMTP server; `deskhand check` says whether it could; secrets stay."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from deskhand.db.database import SQLITE_FILE
from deskhand.db.migrate import sqlalchemy_url, upgrade
from tests.commands import Served, run, serving
from tests.mail.post_office import PostOffice, post_office, wait

PASSWORD = "hunter2 :@/"
INIT = [
    "--account", "Northwind", "--name", "Ada Holm", "--email", "ada@desk.example", "--password", "correct horse",
    "--inbox", "Support", "--inbox-email", "help@desk.example",
]  # fmt: skip


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office(asks=True) as running:
        yield running


@pytest.fixture(scope="module")
def opened_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("opened")
    (folder / "data").mkdir()
    upgrade(sqlalchemy_url("", folder / "data" / SQLITE_FILE))
    done = run(folder, "init", "--json", *INIT)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


@pytest.fixture
def folder(opened_once: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A folder with an account."""
    shutil.copytree(opened_once[0] / "data", tmp_path / "data")
    return tmp_path


def url(office: PostOffice, password: str = PASSWORD) -> str:
    written = password.replace(":", "%3A").replace("@", "%40").replace("/", "%2F").replace(" ", "%20")
    return f"smtp://desk:{written}@127.0.0.1:{office.port}"


def reply(served: Served, made: dict[str, Any], email: str = "paul@buyer.example") -> int:
    """A reply to somebody new; gives the conversation's id."""
    app, customer = made["apps"][0], {"email": email}
    form = {"grant_type": "client_credentials", "client_id": app["client_id"], "client_secret": app["client_secret"]}
    token = requests.post(f"{served.url}/v2/oauth2/token", form, timeout=30).json()["access_token"]
    body = {
        "subject": "Hello", "type": "email", "mailboxId": made["inboxes"][0]["id"], "status": "active",
        "customer": customer, "threads": [{"type": "reply", "text": "Hello", "customer": customer}],
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.post(f"{served.url}/v2/conversations", json=body, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def state(folder: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(folder / "data" / SQLITE_FILE) as connection:
        found = connection.execute("SELECT state, error FROM thread_mail").fetchall()
    connection.close()
    return found


def test_a_reply_is_sent_by_the_server_of_the_settings(
    folder: Path, opened_once: tuple[Path, dict[str, Any]], office: PostOffice
) -> None:
    (folder / "deskhand.toml").write_text(
        f'smtp_url = "smtp://127.0.0.1:9"\n[smtp_by_inbox]\n"Help@Desk.example" = "{url(office)}"\n'
    )
    with serving(folder, log_level="debug") as served:
        reply(served, opened_once[1])
        (received,) = office.wait_for(1)
        wait(lambda: state(folder) == [("sent", "")])
    assert received.recipients == ["paul@buyer.example"]
    assert received.message["From"] == "Ada Holm <help@desk.example>"
    assert office.signed_in == ["desk"]
    assert "hunter2" not in served.log.read_text()


def test_a_refused_sign_in_is_told_without_the_password(
    folder: Path, opened_once: tuple[Path, dict[str, Any]], office: PostOffice
) -> None:
    with serving(folder, log_level="debug", smtp_url=url(office, "hunter3")) as served:
        reply(served, opened_once[1])
        wait(lambda: [one[0] for one in state(folder) if one[1]] == ["waiting"])
    ((_, error),) = state(folder)
    assert "refused the sign-in" in error
    log = served.log.read_text()
    assert "was not sent" in log
    assert "hunter3" not in log + error
    assert office.attempts == []


def test_check_signs_in_and_sends_nothing(folder: Path, office: PostOffice) -> None:
    right = checked(folder, smtp_url=url(office))
    assert right["mail"] == {
        "name": "mail", "ok": True, "text": f"127.0.0.1 port {office.port}, signed in", "differences": [],
    }  # fmt: skip
    assert (office.signed_in, office.attempts) == (["desk"], [])
    assert "mail by inbox" not in right


def test_check_says_what_is_wrong(folder: Path, office: PostOffice) -> None:
    wrong = checked(folder, smtp_url=url(office, "hunter3"), smtp_by_inbox="info@desk.example=smtp://127.0.0.1:9")
    assert wrong["mail"]["text"] == "2 of 2 SMTP servers can't be used"
    refused, away = wrong["mail"]["differences"]
    assert f"the SMTP server 127.0.0.1 port {office.port} refused the sign-in" in refused
    assert away.startswith("the SMTP server 127.0.0.1 port 9 can't be used: ")
    assert wrong["mail by inbox"]["ok"] is False
    assert wrong["mail by inbox"]["differences"] == ["no inbox has the address info@desk.example"]
    assert "hunter3" not in json.dumps(wrong)


def test_check_knows_a_desk_without_mail(folder: Path) -> None:
    finding = checked(folder)["mail"]
    assert finding["ok"] is True
    assert "no SMTP server is set up" in finding["text"]


def test_check_does_not_mind_replies_that_no_server_was_set_up_for(
    folder: Path, opened_once: tuple[Path, dict[str, Any]], office: PostOffice
) -> None:
    with serving(folder) as served:
        reply(served, opened_once[1])
        wait(lambda: [one[0] for one in state(folder)] == ["failed"])
    assert checked(folder)["jobs"]["ok"] is True
    assert checked(folder, smtp_url=url(office))["jobs"]["differences"] == ["1 send_email"]


def checked(folder: Path, **settings: str) -> dict[str, Any]:
    """What `deskhand check` finds, by name."""
    done = run(folder, "check", "--json", **settings)
    assert "hunter" not in done.stderr
    content = json.loads(done.stdout)
    assert (done.returncode == 0) == content["ok"]
    return {one["name"]: one for one in content["checks"]}
