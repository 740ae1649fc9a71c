"""`deskhand agents` and its like: the verbs of `/admin/v1` on the database itself, beside a server that is running."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from deskhand.cli import app
from deskhand.cli.refused import Refused
from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.desk.users import verbs as users
from deskhand.lib.clock import to_wire
from tests.commands import Served, run, serving
from tests.live import migrate

FLAGS = [
    "--account", "Northwind", "--name", "Ada Holm", "--email", "ada@desk.example", "--password", "correct horse",
    "--inbox", "Orders", "--inbox-email", "help@desk.example",
]  # fmt: skip
CREATE = ("agents", "create", "Triage")


class CommandLine:
    """The commands in this process, which is quicker than a new one each time."""

    desk: dict[str, str]
    """The application that was made with the account."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: object, stdin: str = "") -> str:
        """What a command prints that must go well."""
        status, shown = self._run(arguments, stdin)
        assert status == 0, shown
        return shown

    def json(self, *arguments: object, stdin: str = "") -> Any:
        return json.loads(self(*arguments, "--json", stdin=stdin))

    def refused(self, *arguments: object, stdin: str = "") -> str:
        """The line with which a command refuses."""
        status, shown = self._run(arguments, stdin)
        assert status == 1, shown
        return shown

    def _run(self, arguments: tuple[object, ...], stdin: str) -> tuple[int, str]:
        given = {"DESKHAND_DATA_DIR": str(self.folder / "data")}
        done = CliRunner().invoke(app, [str(one) for one in arguments], input=stdin, env=given)
        if isinstance(done.exception, Refused):
            return 1, str(done.exception)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A folder with an account."""
    commands = CommandLine(tmp_path_factory.mktemp("opened"))
    (commands.folder / "data").mkdir()
    migrate("", commands.folder / "data" / SQLITE_FILE)
    commands.desk = commands.json("init", *FLAGS)["apps"][0]
    return commands


@pytest.fixture
def deskhand(opened: CommandLine, tmp_path: Path) -> CommandLine:
    """A folder of the test's own, with an account."""
    shutil.copytree(opened.folder / "data", tmp_path / "data")
    return CommandLine(tmp_path)


@pytest.fixture(scope="module")
def settled(opened: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A folder with an agent, for what changes nothing."""
    folder = tmp_path_factory.mktemp("settled")
    shutil.copytree(opened.folder / "data", folder / "data")
    commands = CommandLine(folder)
    commands(*CREATE)
    return commands


# -- Beside a server


@pytest.fixture(scope="module")
def running(opened: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[CommandLine, Served, str]]:
    """Commands beside `deskhand serve` on the same folder, and a token of the owner."""
    folder = tmp_path_factory.mktemp("beside")
    shutil.copytree(opened.folder / "data", folder / "data")
    commands = CommandLine(folder)
    commands.desk = opened.desk
    with serving(folder) as served:
        asked = {
            "grant_type": "client_credentials",
            **{name: opened.desk[name] for name in ("client_id", "client_secret")},
        }
        token = requests.post(f"{served.url}/v2/oauth2/token", data=asked, timeout=30).json()["access_token"]
        yield commands, served, token


def ask(served: Served, credential: str, path: str = "/v2/conversations", method: str = "GET", **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {credential}"}
    return requests.request(method, served.url + path, headers=headers, timeout=30, **more)


def seconds_until(status: int, asking: Callable[[], Any]) -> float:
    began = time.monotonic()
    while asking().status_code != status:
        assert time.monotonic() < began + 30, "it never was"
        time.sleep(0.02)
    return time.monotonic() - began


def test_what_a_command_decides_the_server_obeys_within_a_second(running: tuple[CommandLine, Served, str]) -> None:
    deskhand, served, _ = running
    made = deskhand.json("agents", "create", "Obedient", "--preset", "reader", "--inbox", 501)
    calls = lambda: ask(served, made["key"])  # noqa: E731
    assert calls().status_code == 200
    for command, status in (
        (("agents", "pause", "Obedient"), 403), (("agents", "resume", made["id"]), 200),
        (("agents", "stop", "--agent", "obedient"), 403), (("agents", "lift", "--all"), 200),
        (("agents", "stop", "--all"), 403), (("agents", "lift", "--all"), 200),
        (("agents", "delete", made["id"]), 401),
    ):  # fmt: skip
        deskhand(*command)
        assert seconds_until(status, calls) < 20, command  # one second, and the machine may be busy


def test_a_held_call_is_carried_out_by_a_command(running: tuple[CommandLine, Served, str]) -> None:
    deskhand, served, owner = running
    paul = {"email": "paul@buyer.example"}
    body = {
        "subject": "Refund", "type": "email", "mailboxId": 501, "status": "active", "customer": paul,
        "threads": [{"type": "customer", "customer": paul, "text": "Where?"}],
    }  # fmt: skip
    conversation = ask(served, owner, method="POST", json=body).headers["Resource-ID"]
    made = deskhand.json("agents", "create", "--name", "Waiting", "--preset", "drafter")
    path = f"/v2/conversations/{conversation}/tags"
    first, second = (
        ask(served, made["key"], path, "PUT", json={"tags": [tag]}).json()["approval_id"] for tag in ("vip", "late")
    )

    assert "Waiting" in deskhand("approvals", "list")
    assert [one["id"] for one in deskhand.json("approvals", "list")["approvals"]] == [second, first]
    assert '"tags":["vip"]' in deskhand("approvals", "show", first)
    assert deskhand("approvals", "approve", first) == f"Approval {first} is executed: the help desk answered 204.\n"
    tags = ask(served, owner, f"/v2/conversations/{conversation}").json()["tags"]
    assert [one["tag"] for one in tags] == ["vip"]
    assert "already" in deskhand.refused("approvals", "approve", first)
    assert deskhand.json("approvals", "deny", second, "Not late")["state"] == "denied"
    assert ask(served, made["key"], f"/v2/approvals/{second}").json()["reason"] == "Not late"
    assert deskhand("approvals", "list") == "Nothing waits.\n"
    assert {one["state"] for one in deskhand.json("approvals", "list", "--state", "all")["approvals"]} == {
        "executed", "denied",
    }  # fmt: skip
    assert deskhand.refused("approvals", "show", 10**9) == "there is none with this id"
    sentences = [one["sentence"] for one in deskhand.json("audit", "list", "--limit", 5)["entries"]]
    assert any(one.startswith("Somebody at the command line denied the request of Waiting") for one in sentences)


def test_whoever_decides_sees_all_that_an_agent_wrote_and_their_terminal_obeys_nothing_of_it(
    running: tuple[CommandLine, Served, str],
) -> None:
    deskhand, served, owner = running
    paul = {"email": "paul@buyer.example"}
    body = {
        "subject": "Refund", "type": "email", "mailboxId": 501, "status": "active", "customer": paul,
        "threads": [{"type": "customer", "customer": paul, "text": "Where?"}],
    }  # fmt: skip
    conversation = ask(served, owner, method="POST", json=body).headers["Resource-ID"]
    made = deskhand.json("agents", "create", "Sly", "--preset", "closer")
    grants = deskhand.json("grants", "show", "Sly") | {"actions": {"add_note": "hold"}}
    deskhand("grants", "set", "Sly", "-", stdin=json.dumps(grants))
    note = {"text": "Pay him " + "x" * 3_000 + "\x9b8m 9,000 euro\x9b0m \u202eoruE"}
    time.sleep(1)  # the server may remember for so long what the agent might do before
    held = ask(served, made["key"], f"/v2/conversations/{conversation}/notes", "POST", json=note).json()
    shown = deskhand("approvals", "show", held["approval_id"])
    assert "9,000 euro" in shown
    assert shown.replace("\n", "").isprintable()
    deskhand("approvals", "approve", held["approval_id"], "--text", "Pay him nothing")
    assert "  sent text  Pay him nothing\n" in deskhand("approvals", "show", held["approval_id"])


def test_a_token_made_by_a_command_opens_the_administration(running: tuple[CommandLine, Served, str]) -> None:
    deskhand, served, _ = running
    made = deskhand.json("admin-tokens", "create", "ops")
    answer = ask(served, made["token"], "/admin/v1/agents")
    assert answer.json() == deskhand.json("agents", "list")
    for path, command in (
        ("/kill-switch", ("agents", "stops")), ("/presets", ("grants", "presets")),
        ("/approvals", ("approvals", "list", "--state", "all")), ("/connections", ("connections", "list")),
    ):  # fmt: skip
        assert ask(served, made["token"], f"/admin/v1{path}").json() == deskhand.json(*command), path
    assert f"{made['prefix']}…" in deskhand("admin-tokens", "list")
    assert made["token"] not in deskhand("admin-tokens", "list")
    deskhand("admin-tokens", "revoke", made["id"])
    assert seconds_until(401, lambda: ask(served, made["token"], "/admin/v1/agents")) < 20
    assert deskhand("admin-tokens", "list") == "There are no admin tokens.\n"


def test_an_agent_is_led_to_another_desk(running: tuple[CommandLine, Served, str], deskhand: CommandLine) -> None:
    there, served, _ = running
    client = there.desk["client_id"], there.desk["client_secret"]
    given = ("--name", "Other", "--base-url", served.url, "--client-id", client[0], "--client-secret", "-")
    added = deskhand("connections", "add", *given, stdin=f"{client[1]}\n")
    assert added == f"Connection 1 to {served.url} works. Agents use it by --connection 1.\n"
    assert served.url in deskhand("connections", "list")
    assert "client_secret: the help desk refuses" in deskhand.refused("connections", "add", *given, stdin="wrong\n")
    deskhand.json(*CREATE, "--connection", 1, "--preset", "reader")
    assert "is active on connection 1." in deskhand("agents", "show", 1)
    assert deskhand.refused("connections", "remove", 1) == "id: agents use this connection: Triage"
    assert "ok     connections: 1 connection, all credentials can be decrypted\n" in deskhand("check")
    key = (deskhand.folder / "data" / "gateway.key").rename(deskhand.folder / "gateway.key")
    assert deskhand.refused("check") == "not in order: connections"
    key.rename(deskhand.folder / "data" / "gateway.key")
    deskhand("agents", "delete", 1)
    assert deskhand("connections", "remove", 1) == "Connection 1 is removed.\n"
    assert client[1] not in deskhand("audit", "list", "--json")


# -- On a folder


def test_an_agent_is_made_and_shown_in_words(deskhand: CommandLine) -> None:
    made = deskhand(*CREATE, "--preset", "drafter", "--inbox", 501, "--expires", "2099-01-01T00:00:00Z")
    assert made.startswith("Agent 1, Triage, is made: it reads everything in Orders; ")
    assert "  client_secret  " in made and "shown this once" in made
    shown = deskhand("agents", "show", "TRIAGE")
    assert "Agent 1, Triage, is active." in shown
    assert "last used never, ends 2099-01-01T00:00:00Z" in shown
    assert deskhand("agents", "list").splitlines()[0].split() == [
        "ID",
        "NAME",
        "STATE",
        "KEYS",
        "WHAT",
        "IT",
        "MAY",
        "DO",
    ]
    key = next(line.split()[-1] for line in made.splitlines() if line.startswith("  key "))
    assert key not in deskhand("agents", "list") + shown + deskhand("audit", "list")


def test_credentials_are_given_and_taken(deskhand: CommandLine) -> None:
    made = deskhand.json(*CREATE)
    second = deskhand.json("agents", "key", "Triage")
    assert set(second) == {"id", "key", "prefix", "expires_at"}
    assert deskhand.refused("agents", "key", 1) == "key: there are 2 keys already: revoke one first"
    assert deskhand("agents", "revoke-key", 1, 1) == "Key 1 is revoked.\n"
    assert deskhand.refused("agents", "revoke-key", 1, 1) == "there is none with this id"
    assert [key["id"] for key in deskhand.json("agents", "show", 1)["keys"]] == [second["id"]]
    renewed = deskhand.json("agents", "secret", 1)
    assert renewed["client_id"] == made["client_id"]
    assert renewed["client_secret"] != made["client_secret"]
    assert "ends 2099-01-01T00:00:00Z" in deskhand("agents", "key", 1, "--expires", "2099-01-01T00:00:00Z")


def test_grants_are_set_from_a_file_compared_and_brought_back(deskhand: CommandLine, tmp_path: Path) -> None:
    deskhand(*CREATE)
    file = tmp_path / "grants.json"
    file.write_text('{"resources": {"conversations": {"level": "read", "inboxes": [501]}}}')
    assert deskhand("grants", "set", "Triage", file) == "Version 1: it reads conversations in Orders.\n"
    assert deskhand.json("grants", "set", 1, "-", stdin="{}")["version"] == 2
    assert deskhand("grants", "diff", 1) == "conversations: read in Orders → off\n"
    assert deskhand("grants", "diff", 1, "--from", 2, "--to", 2) == "There is no difference.\n"
    assert deskhand("grants", "revert", 1, 1) == "Version 3: it reads conversations in Orders.\n"
    versions = deskhand("grants", "history", 1).splitlines()
    assert [line.split()[0] for line in versions] == ["VERSION", "3", "2", "1"]
    assert "command line" in versions[1]
    assert 'Agent::"1"' in deskhand("grants", "cedar", 1)
    assert "its replies become drafts" in deskhand("grants", "preset", 1, "drafter", "--inbox", 501)
    held = deskhand("grants", "show", 1)
    assert deskhand("grants", "set", 1, "-", stdin=held).startswith("Version 5: ")
    assert deskhand.refused("grants", "set", 1, "-", stdin=held) == "version: is not the present one, which is 5"
    assert deskhand("grants", "presets").splitlines()[1].startswith("reader")


@pytest.mark.parametrize(
    ("command", "stdin", "words"),
    [
        (("agents", "show", "Nobody"), "", "there is no agent Nobody"),
        (("agents", "create", "Triage"), "", "name: another agent has this name"),
        (("agents", "rename", 1, " "), "", "name: may not be empty"),
        (("agents", "create", "X", "--preset", "reeder"), "", "did you mean reader?"),
        (("agents", "create", "X", "--preset", "reader", "--inbox", 999), "", "inboxes[0]: no such inbox (999)"),
        (("agents", "create", "X", "--grants", "nowhere.json"), "", "can't be read: nowhere.json: No such file"),
        (("agents", "create", "X", "--grants", "-"), '{"resources":{},"resources":{}}', "is given more than once"),
        (("agents", "explain", 1, "PUT", "/v2/conversations/1/tags", "--body", '{"tags":[],"tags":[]}'), "",
         "tags: is given more than once"),
        (("agents", "stop", "--inbox", 510), "", "id: no such inbox (510)"),
        (("approvals", "show", 9), "", "there is none with this id"),
        (("approvals", "deny", 9, "--reason", "no"), "", "there is none with this id"),
        (("approvals", "show", 10**20), "", "a number is too large to be an id"),
        (("agents", "list", "--account", 10**20), "", "a number is too large to be an id"),
        (("grants", "revert", 1, 10**20), "", "version: no such version"),
        (("agents", "create", "X", "--connection", 9), "", "connection_id: no such connection"),
        (("agents", "key", 1, "--expires", "2020-01-01T00:00:00Z"), "", "expires_at: must be in the future"),
        (("grants", "set", 1, "-"), "{", "the file with the grants is not JSON"),
        (("grants", "set", 1, "-"), "[]", "the file with the grants must be a JSON object"),
        (("grants", "set", 1, "-"), '{"resources":{"conversations":{"level":"red"}}}', "did you mean read?"),
        (("grants", "revert", 1, 7), "", "version: no such version"),
        (("agents", "lift", 9), "", "there is none with this id"),
        (("agents", "list", "--account", 9), "", "there is no account 9"),
        (("connections", "add", "--name", "x", "--base-url", "http://10.0.0.1", "--client-id", "a",
          "--client-secret", "-"), "s\n", "base_url: must begin with https://"),
        (("connections", "remove", 9), "", "there is none with this id"),
        (("admin-tokens", "revoke", 9), "", "there is none with this id"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_in_one_line(
    settled: CommandLine, command: tuple[object, ...], stdin: str, words: str
) -> None:
    refused = settled.refused(*command, stdin=stdin)
    assert words in refused
    assert "\n" not in refused


def test_a_call_is_explained(deskhand: CommandLine) -> None:
    deskhand(*CREATE, "--preset", "drafter")
    told = deskhand("agents", "explain", "Triage", "get", "/v2/conversations?status=all")
    assert told.startswith("allowed: ")
    told = deskhand("agents", "explain", 1, "DELETE", "/v2/conversations/1")
    assert told.startswith("refused: ")
    assert 'It would need {"resource":"conversations","level":"full"}.' in told
    body = '{"tags": ["vip"]}'
    assert deskhand.json("agents", "explain", 1, "PUT", "/v2/conversations/1/tags", "--body", body)["decision"] in (
        "held", "refused",
    )  # fmt: skip
    assert "the body is not JSON" in deskhand.refused("agents", "explain", 1, "PUT", "/v2/x", "--body", "-", stdin="{")


def test_what_is_stopped_is_told(deskhand: CommandLine) -> None:
    assert deskhand("agents", "stops") == "Nothing is stopped.\n"
    assert deskhand("agents", "lift", "--all") == "Nothing was stopped.\n"
    deskhand("agents", "stop", "--inbox", 501)
    deskhand("agents", "stop", "--writes")
    assert "what agents write in inbox 501 is stopped" in deskhand("agents", "stops")
    assert deskhand("agents", "lift", 1) == "Lifted.\n"
    assert [one["scope"] for one in deskhand.json("agents", "stops")["stops"]] == ["writes"]


def test_in_a_sandbox_commands_go_by_its_clock(deskhand: CommandLine) -> None:
    """Else a command would let calls expire that still wait there, and take keys for expired."""
    behind, now = timedelta(days=400), datetime.now(UTC)
    made = {"sandbox": {"offset_s": -behind.total_seconds()}}
    (deskhand.folder / "data" / "sandbox.json").write_text(json.dumps(made))
    key = deskhand.json("agents", "create", "Triage", "--expires", to_wire(now - timedelta(days=300)))["key"]
    assert key.startswith("dh_agent_")
    (entry,) = deskhand.json("audit", "list")["entries"]
    assert entry["at"] <= to_wire(now - timedelta(days=399))
    # It was moved since, and moved back by a reset.
    (deskhand.folder / "data" / "clock.json").write_text(json.dumps({"offset_s": 0}))
    assert deskhand.refused("agents", "key", 1, "--expires", to_wire(now - timedelta(days=300))).endswith("future")
    (deskhand.folder / "data" / "clock.json").unlink()
    deskhand("agents", "key", 1, "--expires", to_wire(now - timedelta(days=300)))


def test_with_several_accounts_one_must_be_named(deskhand: CommandLine) -> None:
    deskhand("init", "--another", *FLAGS)
    assert deskhand.refused("agents", "list") == "there are several accounts: say which by --account"
    deskhand(*CREATE, "--account", 2)
    assert deskhand("agents", "list", "--account", 1) == "There are no agents yet.\n"
    assert len(deskhand.json("agents", "list", "--account", 2)["agents"]) == 1


def test_without_an_account_nothing_can_be_administered(migrated: Path) -> None:
    commands = CommandLine(migrated)
    assert commands.refused("agents", "list") == 'there is no account yet: run "deskhand init"'
    assert commands.refused("approvals", "list") == 'there is no account yet: run "deskhand init"'


def test_where_nobody_works_there_is_no_desk_for_an_agent(deskhand: CommandLine) -> None:
    """An account without people is that of a gateway alone, whose agents work over a connection."""
    database = open_database("", deskhand.folder / "data")
    new = users.NewAccount(name="Gateway", created_at="2026-11-23T09:00:00Z")
    account_id = database.write_now(lambda tx: users.open_account(tx, new))
    database.close()
    assert deskhand.refused(*CREATE, "--account", account_id) == "connection_id: may not be empty"


@pytest.mark.parametrize(
    "arguments",
    [
        ["agents"], ["agents", "create"], ["agents", "create", "A", "--name", "B"], ["agents", "stop"],
        ["agents", "stop", "--all", "--writes"], ["agents", "lift"], ["agents", "lift", "1", "--all"],
        ["agents", "create", "A", "--expires", "soon"], ["approvals", "list", "--state", "open"],
        ["approvals", "deny", "1"], ["approvals", "deny", "1", "no", "--reason", "no"],
        ["connections", "add", "--name", "x", "--base-url", "https://x.example", "--client-id", "a"],
    ],
)  # fmt: skip
def test_wrong_usage_is_told_as_such(settled: CommandLine, arguments: list[str]) -> None:
    assert settled._run(tuple(arguments), "")[0] == 2


def test_help_tells_every_command(tmp_path: Path) -> None:
    shown = run(tmp_path, "--help")
    for group in ("agents", "grants", "approvals", "connections", "admin-tokens"):
        assert f"  {group} " in shown.stdout
        assert CliRunner().invoke(app, [group, "--help"]).exit_code == 0


def test_a_refusal_ends_with_1_and_one_line(migrated: Path) -> None:
    done = run(migrated, "agents", "list")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == 'deskhand: there is no account yet: run "deskhand init"\n'
