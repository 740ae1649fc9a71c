"""Sandboxes in processes of their own, as the command starts them; what they are asked, and what their lists say."""

from __future__ import annotations

import difflib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from tests.commands import free_port
from tests.oauth.doors import forms

NOW = "2026-11-20T09:30:00Z"
ROOT = Path(__file__).parents[2]


class Sandbox:
    """A running `deskhand sandbox --json`."""

    def __init__(self, process: subprocess.Popen[str], description: dict[str, Any], seconds: float) -> None:
        self.process = process
        self.description = description
        self.seconds = seconds
        self.url: str = description["base_url"]
        self.http = requests.Session()
        self.token = ""

    def sign_in(self) -> dict[str, Any]:
        """A token for the sandbox's application, which later calls use."""
        app = self.description["apps"][0]
        form = {"grant_type": "client_credentials"} | {name: app[name] for name in ("client_id", "client_secret")}
        answer = self.http.post(f"{self.url}/v2/oauth2/token", data=form, timeout=30)
        assert answer.status_code == 200, answer.text
        token: dict[str, Any] = answer.json()
        self.token = token["access_token"]
        return token

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = path if path.startswith("http") else self.url + path
        return self.http.request(method, url, headers=headers, allow_redirects=False, timeout=30, **kwargs)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    def control(self, what: str, body: Any = None) -> Any:
        answer = self.http.post(f"{self.url}/sandbox/{what}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def now(self) -> datetime:
        return datetime.fromisoformat(self.http.get(f"{self.url}/sandbox/clock", timeout=30).json()["now"])

    def stop(self) -> int:
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)
        return self.process.returncode


@contextmanager
def sandbox(folder: Path, *options: str) -> Iterator[Sandbox]:
    """The command, from its start until it answers; stopped as people stop it."""
    port = free_port()
    began = time.monotonic()
    log = folder.with_name(f"sandbox-{port}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deskhand", "sandbox", "--json", "--port", str(port), "--data", folder, *options],
            stdout=subprocess.PIPE, stderr=output, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text()
        until_it_answers(f"http://127.0.0.1:{port}", process)
        running = Sandbox(process, json.loads(line), time.monotonic() - began)
        assert running.url == f"http://127.0.0.1:{port}"
        yield running
        assert running.stop() == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def until_it_answers(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            assert requests.get(url + "/sandbox/clock", timeout=30).ok
            return
        except requests.ConnectionError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)


def approved(sandbox: Sandbox, **query: str) -> str:
    """Where its owner is sent after letting the application act for them."""
    with requests.Session() as browser:
        assert signed_in(sandbox, browser, sandbox.description["users"][0]).status_code == 303
        query["client_id"] = sandbox.description["apps"][0]["client_id"]
        page = browser.get(f"{sandbox.url}/authentication/authorizeClientApplication", params=query, timeout=30)
        address, fields = next(form for form in forms(page.text).items() if "authorize" in form[0])
        decided = fields | {"decision": "approve"}
        sent = browser.post(urljoin(page.url, address), decided, allow_redirects=False, timeout=30)
        assert sent.status_code == 302, sent.text
        return str(sent.headers["location"])


def signed_in(sandbox: Sandbox, browser: requests.Session, user: dict[str, Any]) -> requests.Response:
    page = browser.get(f"{sandbox.url}/sign-in", timeout=30)
    fields = forms(page.text)["/sign-in"] | {"email": user["email"], "password": user["password"]}
    return browser.post(f"{sandbox.url}/sign-in", fields, allow_redirects=False, timeout=30)


def all_threads(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    url = f"{sandbox.url}/v2/conversations?embed=threads&status=all&sortField=number&sortOrder=asc"
    while url:
        body = sandbox.get(url).json()
        for conversation in body["_embedded"]["conversations"]:
            yield from conversation["_embedded"]["threads"]
        url = body["_links"].get("next", {}).get("href", "")


AT = "2026-11-20T09:31:00Z"
LISTS = (
    "/v2/conversations?status=all",
    "/v2/conversations?status=all&page=40",
    "/v2/conversations?status=closed&embed=threads&sortField=modifiedAt",
    "/v2/conversations?sortField=waitingSince&sortOrder=asc&query=(subject:lamp)",
    "/v2/customers",
    "/v2/customers?sortField=lastName&page=2",
    "/v2/mailboxes",
    "/v2/mailboxes/501/folders",
    "/v2/mailboxes/501/fields",
    "/v2/users",
    "/v2/teams",
    "/v2/tags",
)


def answers(sandbox: Sandbox) -> list[bytes]:
    """What the lists say at one second of the sandbox's time, wherever it listens.

    Nothing is due between its beginning and then: what wakes says when it woke, which differs by a second. Workflows
    that look at the time have looked.
    """
    before: list[bytes] = []
    for _ in range(20):
        sandbox.control("clock", {"set": AT})
        sandbox.control("settle")
        time.sleep(1)
        found = answers_now(sandbox)
        if found == before:
            return found
        before = found
    raise AssertionError("its lists never come to rest")


def answers_now(sandbox: Sandbox) -> list[bytes]:
    return [at_one_second(sandbox, path).replace(sandbox.url.encode(), b"http://here") for path in LISTS]


def differing(before: list[bytes], after: list[bytes]) -> list[str]:
    """The lines that two readings of the lists don't have in common."""
    was, now = (
        [line for answer in answers for line in json.dumps(json.loads(answer), indent=1).splitlines()]
        for answers in (before, after)
    )
    return [line for line in difflib.unified_diff(was, now, lineterm="", n=12) if line]


def at_one_second(sandbox: Sandbox, path: str) -> bytes:
    for _ in range(20):
        sandbox.control("clock", {"set": AT})
        answer = sandbox.get(path)
        assert answer.status_code == 200, answer.text
        if sandbox.now().second == 0:
            return answer.content
    raise AssertionError("no answer within a second")
