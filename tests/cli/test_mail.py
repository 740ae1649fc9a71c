"""`deskhand mail`: an inbox is given a mailbox, and nothing that lies in it is missing without its being said."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from deskhand.cli import app
from deskhand.cli.refused import Refused
from deskhand.db.database import SQLITE_FILE
from deskhand.desk.conversations.mail import reconciling, tombstones
from deskhand.settings import SettingsError, SmtpServer
from tests import dovecot
from tests.commands import free_port
from tests.desk.conversations.mail.leaving import Case, settled
from tests.dovecot import Dovecot
from tests.live import LiveServer, migrate
from tests.mail.post_office import post_office, wait
from tests.world import open_desk

USER = "help@shop.example"
USERS = [f"box{number}@shop.example" for number in range(8)]
INIT = (
    "init", "--account", "Northwind", "--name", "Ada Byron", "--email", "ada@shop.example", "--password", "-",
    "--inbox", "Help", "--inbox-email", USER, "--json",
)  # fmt: skip
READ = "deskhand_imap_last_look_age_seconds"


def mail(name: object, more: str = "") -> bytes:
    return f"From: p@{name}.example\r\nSubject: {name}\r\nMessage-ID: <{name}@b.example>\r\n\r\n{more}\r\n".encode()


@dataclass
class Done:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


def run(folder: Path, *arguments: str, stdin: str = "", **settings: str) -> Done:
    """A command in this process, which is quicker than a new one each time."""
    given = {"DESKHAND_DATA_DIR": str(folder / "data")}
    given |= {f"DESKHAND_{name.upper()}": value for name, value in settings.items()}
    done = CliRunner().invoke(app, arguments, input=stdin, env=given)
    if isinstance(done.exception, Refused | SettingsError):
        return Done(1, done.stdout, str(done.exception))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


@contextmanager
def serving(folder: Path) -> Iterator[LiveServer]:
    """A server on the same data, which looks at mailboxes each second."""
    live = LiveServer(folder / "data", mail_imap_every_s=1)
    try:
        yield live
    finally:
        live.stop()


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[Dovecot]:
    with dovecot.running(USER, *USERS) as server:
        yield server


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    folder = tmp_path_factory.mktemp("opened")
    (folder / "data").mkdir()
    migrate("", folder / "data" / SQLITE_FILE)
    made = run(folder, *INIT, stdin="a long password\n")
    assert made.status == 0, made.stderr
    return folder, json.loads(made.stdout)["inboxes"][0]["id"]


@pytest.fixture
def desk(opened: tuple[Path, int], tmp_path: Path) -> tuple[Path, int]:
    """A folder with an account, and its inbox."""
    folder, inbox = opened
    shutil.copytree(folder / "data", tmp_path / "data")
    return tmp_path, inbox


def told(folder: Path, *arguments: object, status: int = 0, stdin: str = "", **settings: str) -> Any:
    """What a command says as JSON."""
    done = run(folder, "mail", *map(str, arguments), "--json", stdin=stdin, **settings)
    assert done.status == status, done.stderr + done.stdout
    return json.loads(done.stdout)


def ask(folder: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(folder / "data" / "deskhand.sqlite", timeout=20)
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def change(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "data" / "deskhand.sqlite", timeout=20)
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_mailbox_is_set_read_compared_and_read_again(desk: tuple[Path, int], mailboxes: Dovecot) -> None:
    folder, inbox = desk
    mailboxes.lay(USER, *map(mail, range(5)), mail(0))
    set_up = told(
        folder, "set", "--inbox", inbox, "--imap", f"imap://help%40shop.example@127.0.0.1:{mailboxes.port}",
        "--from", "all", imap_password=mailboxes.password,
    )  # fmt: skip
    assert set_up["imap"] == {"host": "127.0.0.1", "port": mailboxes.port, "tls": "none", "user": USER}
    assert set_up["from"] == "all"
    tested = told(folder, "test", "--inbox", inbox)
    assert "signed in as help@shop.example, the folder INBOX has 6 messages" in tested["imap"]["text"]
    # Nobody has looked yet, and it is said.
    before = told(folder, "check", status=1)["inboxes"][0]
    assert (before["server"]["not_looked_at"], before["server"]["missing"]) == (6, [])
    assert before["wrong"] == ["its mailbox was never looked at: does a server or worker run?"]
    with serving(folder) as served:
        wait(lambda: _taken(folder) == 5)
        _until_read(served)
    checked = told(folder, "check")
    (report,) = checked["inboxes"]
    assert checked["ok"] is True
    assert report["came"] == {"taken": 5, "waiting": 0, "skipped": {}, "failed": {}}
    assert (report["server"]["messages"], report["server"]["here"]) == (6, 5)
    assert report["server"]["skipped"] == {"came before: another time, or by another way": 1}
    listed = told(folder, "log", "--inbox", inbox, "--most", 3)["messages"]
    assert [one["message_id"] for one in listed] == ["<4@b.example>", "<3@b.example>", "<2@b.example>"]
    words = run(folder, "mail", "log").stdout
    assert words.count("by imap to inbox") == 5
    assert words.count("taken in conversation") == 5
    # Something is lost here: it is found, and read again.
    change(folder, "DELETE FROM received_mail WHERE message_id = '<3@b.example>'")
    wrong = run(folder, "mail", "check")
    assert wrong.status == 1
    assert "1 message is on the server and not here (UID 4)" in wrong.stdout
    assert wrong.stderr == f"not in order: inbox {inbox}"
    assert told(folder, "again", "--inbox", inbox) == {"again": inbox}
    with serving(folder):
        wait(lambda: _taken(folder) == 5)
    assert told(folder, "check")["ok"] is True


def _taken(folder: Path) -> int:
    ((count,),) = ask(folder, "SELECT count(*) FROM received_mail WHERE state = 'taken'")
    return int(count)


def _until_read(live: LiveServer) -> None:
    wait(lambda: READ in requests.get(f"{live.url}/metrics", timeout=30).text)


def test_passwords_are_taken_from_wherever_nobody_else_reads_them(desk: tuple[Path, int], mailboxes: Dovecot) -> None:
    folder, inbox = desk
    url = f"imap://{USER.replace('@', '%40')}@127.0.0.1:{mailboxes.port}"
    nobody = run(folder, "mail", "set", "--inbox", str(inbox), "--imap", url)
    assert nobody.status == 2
    assert "DESKHAND_IMAP_PASSWORD" in nobody.stderr
    told(folder, "set", "--inbox", inbox, "--imap", "-", stdin=mailboxes.url(USER) + "\n")
    assert told(folder, "test", "--inbox", inbox)["imap"]["ok"] is True
    told(folder, "set", "--inbox", inbox, "--imap", url, imap_password="wr/ng %")
    wrong = told(folder, "test", "--inbox", inbox, status=1)
    assert wrong["imap"]["ok"] is False
    assert "refused the sign-in of help@shop.example" in wrong["imap"]["text"]
    file = (folder / "data" / "deskhand.sqlite").read_bytes()
    assert mailboxes.password.encode() not in file
    assert b"wr/ng" not in file
    assert told(folder, "set", "--inbox", inbox, "--imap", "none")["imap"] is None
    assert told(folder, "check")["inboxes"][0]["server"] is None


def test_what_was_changed_stands_in_the_audit_log(desk: tuple[Path, int]) -> None:
    folder, inbox = desk
    server = "smtp://help:secret%20words@127.0.0.1:2525"
    for _ in range(2):  # the second time nothing is different
        told(folder, "set", "--inbox", inbox, "--smtp", "-", stdin=server + "\n")
    told(folder, "set", "--inbox", inbox, "--smtp", "none", "--imap-folder", "Help")
    logged = json.loads(run(folder, "audit", "list", "--json").stdout)["entries"]
    begins = "Somebody at the command line changed the mail of the inbox 'Help': the server that sends"
    assert [one["sentence"] for one in reversed(logged)] == [begins, f"{begins} and the folder that is read"]
    assert "secret" not in json.dumps(logged)


REFUSED = [
    (("set", "--inbox", "1"), 2, "say what is to be different"),
    (("set", "--inbox", "9", "--imap", "none"), 1, "there is no inbox 9"),
    (("set", "--inbox", "{inbox}", "--imap", "imap://u:p@mail.example.com"), 1, "send the password in the clear"),
    (("again", "--inbox", "{inbox}"), 1, "has been read yet"),
    (("retry", "5"), 1, "there is no message 5 that failed"),
]


def test_what_can_t_be_is_refused_in_words(desk: tuple[Path, int]) -> None:
    folder, inbox = desk
    for arguments, status, words in REFUSED:
        done = run(folder, "mail", *(one.format(inbox=inbox) for one in arguments))
        assert done.status == status, done.stderr
        assert words in " ".join(done.stderr.split())


def test_old_mail_stays_where_it_is(desk: tuple[Path, int], mailboxes: Dovecot) -> None:
    folder, inbox = desk
    mailboxes.lay(USERS[1], *map(mail, range(3)), arrived='"01-Nov-2026 10:00:00 +0000"')
    told(folder, "set", "--inbox", inbox, "--imap", "-", stdin=mailboxes.url(USERS[1]))
    with serving(folder) as served:
        _until_read(served)
        mailboxes.lay(USERS[1], mail("new"))
        wait(lambda: _taken(folder) == 1)
    server = told(folder, "check")["inboxes"][0]["server"]
    assert (server["messages"], server["here"]) == (4, 1)
    assert server["skipped"] == {"lay there before Deskhand began to read the folder": 3}


def test_what_failed_is_shown_and_read_again(desk: tuple[Path, int]) -> None:
    folder, inbox = desk
    assert run(folder, "mail", "failed").stdout == "No message failed.\n"
    raw, sha256 = mail("late"), "ab" * 32
    change(
        folder,
        "INSERT INTO received_mail (id, account_id, inbox_id, way, place, sha256, size, fingerprint, message_id,"
        " sender, recipients, state, reason, received_at, settled_at)"
        f" VALUES (7, 1, {inbox}, 'smtp', '', '{sha256}', {len(raw)}, 'f', '<late@b.example>', 'p@late.example',"
        " '[\"help@shop.example\"]', 'failed', 'the moon was full', '2026-11-23T10:00:00Z', '2026-11-23T10:00:01Z')",
    )
    shown = run(folder, "mail", "failed").stdout
    assert "2026-11-23T10:00:00Z by smtp from p@late.example to help@shop.example" in shown
    assert "failed: the moon was full" in shown
    checked = run(folder, "check")
    assert checked.status == 1
    assert '1 message could not be read: "deskhand mail failed" says why' in checked.stdout
    report = told(folder, "check", status=1)["inboxes"][0]
    assert report["came"]["failed"] == {"the moon was full": 1}
    blob = folder / "data" / "blobs" / sha256[:2] / sha256
    blob.parent.mkdir(parents=True)
    blob.write_bytes(raw)
    assert told(folder, "retry", 7) == {"again": 7}
    with serving(folder):
        wait(lambda: _taken(folder) == 1)


def test_check_tells_of_what_is_missing_deleted_and_not_looked_at(
    desk: tuple[Path, int], mailboxes: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, inbox = desk
    mailboxes.lay(USERS[2], *map(mail, range(6)))
    told(folder, "set", "--inbox", inbox, "--imap", "-", "--from", "all", stdin=mailboxes.url(USERS[2]))
    with serving(folder) as served:
        wait(lambda: _taken(folder) == 6)
        _until_read(served)
        wait(lambda: ask(folder, "SELECT last_uid FROM imap_position") == [(6,)])
        # The conversation of the first is deleted for good.
        ((conversation,),) = ask(folder, "SELECT conversation_id FROM received_mail WHERE message_id = '<0@b.example>'")
        ids = json.dumps([conversation])
        served.app.database.write_now(lambda tx: tombstones.bury(tx, 1, ids, "2026-11-23T10:00:00Z"))
    change(folder, "DELETE FROM received_mail WHERE message_id = '<0@b.example>'")
    checked = told(folder, "check")["inboxes"][0]
    assert checked["server"]["skipped"] == {"came, and was deleted here with its conversation": 1}
    assert checked["wrong"] == []
    # As if nobody had looked for two days; and more is missing than is looked for.
    change(folder, "UPDATE imap_position SET checked_at = '2026-01-01T10:00:00Z'")
    change(folder, "DELETE FROM received_mail")
    monkeypatch.setattr(reconciling, "MISSING_MOST", 2)
    report = told(folder, "check", status=1)["inboxes"][0]
    assert report["wrong"][0].startswith("nobody has looked for ")
    assert "2 messages are on the server and not here (UID 2, 3); 3 more were not compared" in report["wrong"][1]
    server = report["server"]
    assert server["messages"] == 6 == sum(server["skipped"].values()) + len(server["missing"]) + server["not_compared"]


def test_both_servers_are_tried(desk: tuple[Path, int]) -> None:
    folder, inbox = desk
    with post_office() as office:
        told(folder, "set", "--inbox", inbox, "--smtp", f"smtp://127.0.0.1:{office.port}")
        tested = told(folder, "test", "--inbox", inbox)
        assert f"the SMTP server 127.0.0.1 port {office.port} answers" in tested["smtp"]["text"]
        assert tested["imap"]["text"].startswith("no mailbox is read")
    wrong = told(folder, "test", "--inbox", inbox, status=1)
    assert wrong["smtp"]["ok"] is False


def test_a_mailbox_that_fails_is_told_of_by_check(desk: tuple[Path, int]) -> None:
    folder, inbox = desk
    port = free_port()
    told(folder, "set", "--inbox", inbox, "--imap", "-", stdin=f"imap://u:p@127.0.0.1:{port}\n")
    with serving(folder) as served:
        wait(
            lambda: (
                f'deskhand_imap_failing{{inbox="{inbox}"}} 1.0'
                in requests.get(f"{served.url}/metrics", timeout=30).text
            )
        )
    checked = run(folder, "check")
    assert checked.status == 1
    assert f"inbox {inbox}, Help: the IMAP server 127.0.0.1 port {port} can't be used" in checked.stdout
    report = told(folder, "check", status=1)["inboxes"][0]
    assert any("the last look at its mailbox failed" in one for one in report["wrong"])


def test_a_server_refuses_to_start_where_it_can_t_listen(migrated: Path) -> None:
    with post_office() as office:
        done = run(migrated, "serve", "--port", str(free_port()), mail_smtp_listen=f"127.0.0.1:{office.port}")
    assert done.status == 1
    assert f"can't listen at 127.0.0.1:{office.port} (mail_smtp_listen): another program listens there" in done.stderr
    done = run(migrated, "serve", mail_smtp_listen="2525")
    assert "must be like 127.0.0.1:2525" in done.stderr


def test_what_did_not_arrive_is_shown_and_sent_again(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with post_office() as office:
        live = LiveServer(tmp_path / "data", smtp_url=SmtpServer("127.0.0.1", office.port))
        try:
            case = Case(open_desk(live), office)
            case.start()
            office.answers = ["554 Not this"]
            thread = case.reply()
            settled(case.desk, "failed")
            account = ("--account", case.desk.account_id)
            shown = run(tmp_path, "mail", "failed", *map(str, account)).stdout
            assert f"reply in conversation {case.id} to {case.customer['email']}\n" in shown
            assert "554 Not this" in shown
            assert shown.endswith('"deskhand mail resend THREAD" sends one again.\n')
            (listed,) = told(tmp_path, "failed", *account)["undelivered"]
            assert (listed["thread_id"], listed["state"]) == (thread, "failed")
            assert told(tmp_path, "resend", thread, *account) == {"resend": thread}
            case.arrived()
            settled(case.desk, "sent")
            again = run(tmp_path, "mail", "resend", str(thread), *map(str, account))
            assert (again.status, again.stderr) == (1, "the mail was delivered")
            never = run(tmp_path, "mail", "resend", "1", *map(str, account))
            assert (never.status, never.stderr) == (1, "thread 1 has no mail that left or was to leave")
        finally:
            live.stop()
