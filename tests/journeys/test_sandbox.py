"""The sandbox as somebody meets it: the command in a process of its own, its file, its start page, its own paths."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.commands import free_port, run
from tests.journeys.sandboxes import NOW, Sandbox, all_threads, answers, approved, differing, sandbox, signed_in

READY_S = 120  # on a busy machine; on an idle one 6
RESET_S = 25  # on a busy machine; on an idle one 0.2


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox") / "data"
    with sandbox(folder, "--seed", "7", "--now", NOW, "--rate-limit", "0") as running:
        yield running


@pytest.fixture
def fresh(started: Sandbox) -> Sandbox:
    """The sandbox of 1,000 conversations as it began."""
    started.control("reset")
    started.sign_in()
    return started


# What it says of itself ----------------------------------------------------------------------------------------------


def test_it_is_ready_in_seconds(started: Sandbox) -> None:
    sys.stdout.write(f"ready with 1,000 conversations after {started.seconds:.2f} s\n")
    assert started.seconds < READY_S


def test_its_file_says_what_was_printed_and_what_is_there(fresh: Sandbox) -> None:
    described = fresh.description
    assert set(described) >= {
        "base_url", "account", "apps", "users", "inboxes", "manual_workflow", "examples", "agents", "admin_token",
        "mail",
    }  # fmt: skip
    folder = Path(re.findall(r"<code>(.*)/sandbox.json</code>", fresh.http.get(fresh.url + "/", timeout=30).text)[0])
    assert json.loads((folder / "sandbox.json").read_text()) == described
    shown = fresh.get("/v2/mailboxes").json()["_embedded"]["mailboxes"]
    assert [(one["id"], one["name"], one["email"]) for one in shown] == [
        (one["id"], one["name"], one["email"]) for one in described["inboxes"]
    ]
    users = {one["id"]: one for one in fresh.get("/v2/users").json()["_embedded"]["users"]}
    for user in described["users"]:
        assert (users[user["id"]]["email"], users[user["id"]]["role"]) == (user["email"], user["role"])
    assert fresh.get("/v2/users/me").json()["companyId"] == described["account"]["id"]
    total = fresh.get("/v2/conversations", status="all").json()["page"]["totalElements"]
    assert 990 <= total <= 1000  # merged ones are in no list


def test_its_application_signs_in_both_ways(fresh: Sandbox) -> None:
    app = fresh.description["apps"][0]
    token = fresh.sign_in()
    assert (token["expires_in"], token["token_type"]) == (172_800, "bearer")
    assert fresh.get("/v2/users/me").json()["id"] == app["user_id"]
    sent_to = approved(fresh, state="abc")
    assert sent_to.startswith(app["redirect_url"] + "?code=")
    shown = fresh.http.get(sent_to, timeout=30).text
    assert "state: abc" in shown
    code = re.findall(r"^code: (\S+)$", shown, re.MULTILINE)[0]
    names = {name: app[name] for name in ("client_id", "client_secret")}
    form = {"grant_type": "authorization_code", "code": code, **names}
    answer = fresh.http.post(f"{fresh.url}/v2/oauth2/token", form, timeout=30)
    assert answer.json().keys() >= {"access_token", "refresh_token"}


def test_everybody_in_it_signs_in_with_the_password_it_names(fresh: Sandbox) -> None:
    for user in fresh.description["users"]:
        with requests.Session() as browser:
            assert signed_in(fresh, browser, user).status_code == 303, user


def test_its_examples_behave_as_they_are_called(fresh: Sandbox) -> None:
    examples = fresh.description["examples"]
    merged, into = examples["merged"]["id"], examples["merged"]["into"]
    answer = fresh.get(f"/v2/conversations/{merged}")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{fresh.url}/v2/conversations/{into}")
    assert fresh.get(f"/v2/conversations/{into}").json()["id"] == into
    assert fresh.get(f"/v2/conversations/{examples['draft_conversation']}").json()["state"] == "draft"
    locked = f"/v2/customers/{examples['locked_customer']}"
    assert fresh.get(locked).status_code == 200
    change = [{"op": "replace", "path": "/firstName", "value": "Nobody"}]
    assert fresh.call("PATCH", locked, json=change).status_code == 423
    rated = [thread for thread in all_threads(fresh) if thread["id"] == examples["rated_thread"]]
    assert [thread["rating"]["rating"] in ("great", "okay", "not_good") for thread in rated] == [True]


# The start page ------------------------------------------------------------------------------------------------------


def test_the_start_page_shows_the_credentials_and_its_calls_work_as_printed(fresh: Sandbox, tmp_path: Path) -> None:
    page = fresh.http.get(fresh.url + "/", timeout=30)
    assert page.headers["content-type"].startswith("text/html")
    app = fresh.description["apps"][0]
    emails = [one["email"] for one in fresh.description["users"]]
    for text in (fresh.url, app["client_id"], app["client_secret"], *emails):
        assert html.escape(text) in page.text, text
    calls = [html.unescape(text) for text in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page.text, re.DOTALL)]
    assert len(calls) == 3
    script = "\n".join(
        ["set -eu", calls[0], 'echo "$TOKEN" > token', f"{calls[1]} > list.json", f"{calls[2]} > note.txt"]
    )
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\w{32}\n", (tmp_path / "token").read_text())
    listed = json.loads((tmp_path / "list.json").read_text())["_embedded"]["conversations"]
    assert len(listed) == 25
    assert {one["mailboxId"] for one in listed} == {fresh.description["inboxes"][0]["id"]}
    waiting = [one["customerWaitingSince"]["time"] for one in listed if "customerWaitingSince" in one]
    assert waiting == sorted(waiting) != []
    note = (tmp_path / "note.txt").read_text()
    assert " 201 " in note.splitlines()[0]
    conversation, id = re.findall(r"(?im)^location: (\S+)/threads/(\d+)", note)[0]
    assert re.findall(r"(?im)^resource-id: (\d+)", note) == [id]
    newest = fresh.get(conversation + "/threads").json()["_embedded"]["threads"][0]
    text = "Looked at by a machine. Seems friendly."
    assert (str(newest["id"]), newest["type"], newest["body"]) == (id, "note", text)


def test_its_links_lead_somewhere(fresh: Sandbox) -> None:
    page = fresh.http.get(fresh.url + "/", timeout=30).text
    links = [html.unescape(link) for link in re.findall(r'(?:href|src)="(/[^"]*)"', page)]
    assert len(links) >= 3
    for link in links:
        assert fresh.http.get(fresh.url + link, timeout=30).status_code == 200, link


# Reset ---------------------------------------------------------------------------------------------------------------


def test_a_reset_brings_everything_back(fresh: Sandbox) -> None:
    before, examples = answers(fresh), fresh.description["examples"]
    fresh.control("reset")
    fresh.sign_in()
    into, inbox = examples["merged"]["into"], fresh.description["inboxes"][0]["id"]
    made = fresh.call("POST", "/v2/conversations", json={
        "subject": "New", "type": "email", "mailboxId": inbox, "status": "active", "tags": ["new tag"],
        "customer": {"email": "new@buyer.example"},
        "threads": [{"type": "customer", "text": "Hello.", "customer": {"email": "new@buyer.example"}}],
    })  # fmt: skip
    assert made.status_code == 201
    for method, path, body in (
        ("POST", f"/v2/conversations/{into}/notes", {"text": "New."}),
        ("PATCH", f"/v2/conversations/{into}", {"op": "replace", "path": "/status", "value": "spam"}),
        ("DELETE", f"/v2/conversations/{examples['draft_conversation']}", None),
    ):
        assert fresh.call(method, path, json=body).ok
    assert answers(fresh) != before
    token = fresh.token
    fresh.control("faults", {"operation": "*", "status": 503, "times": 100})
    fresh.control("clock", {"advance": "40d"})
    began = time.monotonic()
    said = fresh.control("reset")
    seconds = time.monotonic() - began
    sys.stdout.write(f"reset at 1,000 conversations took {1000 * seconds:.0f} ms\n")
    assert seconds < RESET_S
    assert abs((datetime.fromisoformat(said["now"]) - datetime.fromisoformat(NOW)).total_seconds()) < 300
    assert fresh.http.get(f"{fresh.url}/sandbox/faults", timeout=30).json() == {"faults": []}
    assert fresh.get("/v2/users/me").status_code == 401, token
    fresh.sign_in()
    assert differing(before, answers(fresh)) == []
    assert fresh.call("GET", made.headers["Location"]).status_code == 404
    assert fresh.get("/v2/conversations", query="(tag:'new tag')").json()["page"]["totalElements"] == 0
    assert fresh.get(f"/v2/conversations/{examples['draft_conversation']}").json()["state"] == "draft"


def test_resets_are_never_half_seen(fresh: Sandbox) -> None:
    """Others read and write while it is reset; they sign in again, because a reset takes their tokens away."""
    total = fresh.get("/v2/conversations", status="all").json()["page"]["totalElements"]
    path = f"/v2/conversations/{fresh.description['examples']['merged']['into']}/notes"
    over = threading.Event()

    def use(writes: bool) -> set[tuple[int, int]]:
        one, seen = Sandbox(fresh.process, fresh.description, 0), set()
        with one.http:
            one.sign_in()
            while not over.is_set():
                answer = (
                    one.call("POST", path, json={"text": "New."}) if writes else one.get("/v2/conversations?status=all")
                )
                shown = answer.json()["page"]["totalElements"] if answer.status_code == 200 else total
                seen.add((answer.status_code, shown))
                if answer.status_code == 401:
                    one.sign_in()
        return seen

    with ThreadPoolExecutor(4) as pool:
        using = [pool.submit(use, writes) for writes in (False, False, True, True)]
        try:
            for _ in range(10):
                fresh.control("reset")
                time.sleep(0.05)
        finally:
            over.set()
        seen = set().union(*(one.result(60) for one in using))
    assert seen <= {(200, total), (201, total), (401, total)}
    assert len(seen) > 1


# The clock -----------------------------------------------------------------------------------------------------------


def test_the_clock_begins_where_it_was_told_and_moves(fresh: Sandbox) -> None:
    began = fresh.now()
    assert abs((began - datetime.fromisoformat(NOW)).total_seconds()) < 300
    moved = datetime.fromisoformat(fresh.control("clock", {"advance": "1d12h"})["now"])
    assert 36 * 3600 <= (moved - began).total_seconds() < 37 * 3600
    assert fresh.control("clock", {"set": "2030-01-01T00:00:00Z"})["now"] == "2030-01-01T00:00:00Z"
    assert fresh.get("/v2/users/me").status_code == 401  # the token has expired by then
    fresh.sign_in()
    id = fresh.description["examples"]["merged"]["into"]
    assert fresh.call("POST", f"/v2/conversations/{id}/notes", json={"text": "Later."}).status_code == 201
    newest = fresh.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"][0]
    assert newest["createdAt"].startswith("2030-01-01T00:00:")
    merged = fresh.description["examples"]["merged"]["id"]
    assert fresh.get(f"/v2/conversations/{merged}").status_code == 404  # 60 days are over


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "advance"), ({"advance": "2d", "set": "2030-01-01T00:00:00Z"}, "advance"),
        ({"advance": "soon"}, "advance"), ({"advance": ""}, "advance"), ({"advance": "1000000d"}, "advance"),
        ({"set": "tomorrow"}, "set"), ({"set": ""}, "set"), ({"set": "2030-01-01T00:00:00.5Z"}, "set"),
        ({"advance": 5}, "advance"), ({"forward": "2d"}, "forward"), ([], "body"),
    ],
)  # fmt: skip
def test_a_wrong_time_is_refused_in_words(fresh: Sandbox, body: Any, path: str) -> None:
    before = fresh.now()
    assert refused(fresh, "clock", json=body) == [path]
    assert (fresh.now() - before).total_seconds() < 60


def refused(sandbox: Sandbox, what: str, **given: Any) -> list[str]:
    answer = sandbox.http.post(f"{sandbox.url}/sandbox/{what}", timeout=30, **given)
    assert answer.status_code == 400, answer.text
    assert all(error["message"] for error in answer.json()["errors"])
    return [error["path"] for error in answer.json()["errors"]]


def test_the_clock_stays_where_times_can_be_written(fresh: Sandbox) -> None:
    for body in ({"set": "9999-12-31T23:59:59Z"}, {"set": "0001-01-01T00:00:00Z"}):
        assert refused(fresh, "clock", json=body) == ["set"]
    for _ in range(200):
        if fresh.http.post(f"{fresh.url}/sandbox/clock", json={"advance": "18000d"}, timeout=30).status_code == 400:
            break
    else:
        raise AssertionError("there was no end")
    assert fresh.http.get(f"{fresh.url}/", timeout=30).status_code == 200
    fresh.sign_in()
    assert fresh.get("/v2/conversations").status_code == 200


# Faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 423, 429, 500, 502, 503])
def test_a_status_is_answered_as_often_as_asked(fresh: Sandbox, status: int) -> None:
    fresh.control("faults", {"operation": "list_tags", "status": status, "times": 2})
    said = [fresh.get("/v2/tags") for _ in range(3)]
    assert [one.status_code for one in said] == [status, status, 200]
    assert all(one.json() for one in said)
    for one in said[:2]:
        assert ("Retry-After" in one.headers, "X-RateLimit-Retry-After" in one.headers) == ((status in (429, 503),) * 2)
    assert fresh.get("/v2/mailboxes").status_code == 200


def test_only_the_operation_named_is_hit_and_any_by_a_star(fresh: Sandbox) -> None:
    id = fresh.description["examples"]["merged"]["into"]
    fresh.control("faults", {"operation": "get_conversation", "status": 500})
    assert fresh.get("/v2/conversations").status_code == 200
    assert fresh.get(f"/v2/conversations/{id}/threads").status_code == 200
    assert fresh.get(f"/v2/conversations/{id}").status_code == 500
    fresh.control("faults", {"operation": "*", "status": 503, "times": 3})
    assert [fresh.get(path).status_code for path in ("/v2/tags", "/v2/users/me", "/v2/mailboxes", "/v2/tags")] == [
        503, 503, 503, 200,
    ]  # fmt: skip


def test_a_fault_keeps_a_write_from_happening(fresh: Sandbox) -> None:
    path = f"/v2/conversations/{fresh.description['examples']['merged']['into']}"
    before = fresh.get(path + "/threads").json()["page"]["totalElements"]
    fresh.control("faults", {"operation": "add_note", "status": 503})
    assert fresh.call("POST", path + "/notes", json={"text": "Never."}).status_code == 503
    assert fresh.get(path + "/threads").json()["page"]["totalElements"] == before


def test_a_delay_comes_before_the_true_answer(fresh: Sandbox) -> None:
    true = fresh.get("/v2/tags").content
    fresh.control("faults", {"operation": "list_tags", "delay_ms": 400})
    began = time.monotonic()
    assert fresh.get("/v2/tags").content == true
    assert 0.4 <= time.monotonic() - began < 25
    fresh.control("faults", {"operation": "list_tags", "delay_ms": 300, "status": 500})
    began = time.monotonic()
    assert fresh.get("/v2/tags").status_code == 500
    assert time.monotonic() - began >= 0.3


def test_a_cut_connection_ends_in_the_middle(fresh: Sandbox) -> None:
    fresh.control("faults", {"operation": "list_tags", "cut": True, "times": 2})
    for _ in range(2):
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            fresh.get("/v2/tags")
    assert fresh.get("/v2/tags").status_code == 200


def test_heads_are_hit_like_gets_and_what_browsers_ask_first_is_not(fresh: Sandbox) -> None:
    fresh.control("faults", {"operation": "list_tags", "status": 503})
    assert fresh.call("HEAD", "/v2/tags").status_code == 503
    fresh.control("faults", {"operation": "*", "status": 503})
    assert fresh.call("OPTIONS", "/v2/tags").status_code == 204
    assert fresh.get("/v2/tags").status_code == 503


def test_faults_are_listed_played_in_order_and_called_off(fresh: Sandbox) -> None:
    for status in (500, 404):
        fresh.control("faults", {"operation": "list_tags", "status": status})
    listed = fresh.http.get(f"{fresh.url}/sandbox/faults", timeout=30).json()["faults"]
    assert [(one["operation"], one["status"], one["times"]) for one in listed] == [
        ("list_tags", 500, 1),
        ("list_tags", 404, 1),
    ]
    assert [fresh.get("/v2/tags").status_code for _ in range(3)] == [500, 404, 200]
    fresh.control("faults", {"operation": "*", "status": 500, "times": 1000})
    assert fresh.http.delete(f"{fresh.url}/sandbox/faults", timeout=30).status_code == 204
    assert fresh.get("/v2/tags").status_code == 200


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"operation": "list_ticket", "status": 500}, "operation"), ({"operation": "", "status": 500}, "operation"),
        ({"status": 500}, "operation"), ({"operation": "*", "status": 200}, "status"),
        ({"operation": "*", "times": 0}, "times"), ({"operation": "*", "delay_ms": -1}, "delay_ms"),
        ({"operation": 5}, "operation"), ([], "body"),
    ],
)  # fmt: skip
def test_a_wrong_fault_is_refused_and_not_played(fresh: Sandbox, body: Any, path: str) -> None:
    assert refused(fresh, "faults", json=body) == [path]
    assert fresh.http.get(f"{fresh.url}/sandbox/faults", timeout=30).json() == {"faults": []}


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"null", b'"x"'])
def test_bad_json_is_refused(fresh: Sandbox, data: bytes) -> None:
    for what in ("faults", "clock"):
        assert refused(fresh, what, data=data) == ["body"]


# The same again ------------------------------------------------------------------------------------------------------


def test_what_came_by_mail_lately_can_be_read_as_it_came(fresh: Sandbox) -> None:
    newest = fresh.get("/v2/conversations", status="all", embed="threads").json()["_embedded"]["conversations"]
    sources = [
        f"/v2/conversations/{one['id']}/threads/{thread['id']}/original-source"
        for one in newest if one["type"] == "email"
        for thread in one["_embedded"]["threads"] if thread["type"] == "customer"
    ]  # fmt: skip
    found = [answer.json()["original"] for source in sources if (answer := fresh.get(source)).status_code == 200]
    assert found
    assert all("Message-ID: <" in original for original in found)


def test_the_same_seed_and_time_give_the_same_bytes(started: Sandbox, tmp_path: Path) -> None:
    started.control("reset")
    started.sign_in()
    mine = answers(started)
    with sandbox(tmp_path / "other", "--seed", "7", "--now", NOW, "--rate-limit", "0") as other:
        other.sign_in()
        assert answers(other) == mine
        for name in ("account", "users", "inboxes", "examples"):
            assert other.description[name] == started.description[name]
        secrets = [one.description["apps"][0]["client_secret"] for one in (started, other)]
        assert secrets[0] == secrets[1]
        files = (file for thread in all_threads(other) for file in thread["_embedded"]["attachments"])
        address = next(files)["_links"]["data"]["href"]
        contents = [one.get(address.replace(other.url, one.url)).json()["data"] for one in (other, started)]
        assert contents[0] == contents[1]
        assert base64.b64decode(contents[0])


# The command ---------------------------------------------------------------------------------------------------------


def test_a_taken_port_a_taken_folder_and_a_wrong_time_are_refused_in_one_line(started: Sandbox, tmp_path: Path) -> None:
    port = started.url.rpartition(":")[2]
    taken = run(tmp_path, "sandbox", "--port", port, "--data", str(tmp_path / "data"), "--conversations", "200")
    assert (taken.returncode, len(taken.stderr.splitlines())) == (1, 1)
    assert port in taken.stderr
    page = started.http.get(started.url + "/", timeout=30).text
    folder = re.findall(r"<code>(.*)/sandbox.json</code>", page)[0]
    taken = run(tmp_path, "sandbox", "--port", str(free_port()), "--data", folder)
    assert (taken.returncode, len(taken.stderr.splitlines())) == (1, 1)
    assert folder in taken.stderr
    wrong = run(tmp_path, "sandbox", "--now", "tomorrow")
    assert wrong.returncode == 2
    assert started.http.get(started.url + "/sandbox/clock", timeout=30).ok
