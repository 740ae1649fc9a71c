"""Sandboxes for the tests of others: quick, fresh each time, and as docs/sandbox.md tells it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from deskhand.testing import CallFailed, Made, sandbox

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "sandbox.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
FRESH_WITHIN_S = 0.3


def test_each_is_fresh_within_three_tenths_of_a_second() -> None:
    with sandbox() as desk:  # the first one of a run may take longer
        before = desk.get("/v2/tags")
    took: list[float] = []
    while len(took) < 3 or (min(took) >= FRESH_WITHIN_S and len(took) < 30):  # the machine may be busy
        began = time.perf_counter()
        with sandbox() as desk:
            token = desk.token
            took.append(time.perf_counter() - began)
            assert len(token) == 32
            assert desk.journal() == [desk.journal()[0]], "nothing but the call for the token"
            assert desk.get("/v2/tags") == before
            assert desk.mails() == []
            desk.call("PUT", "/v2/conversations/3100000001/tags", {"tags": [f"left behind {len(took)}"]})
            desk.fault("list_tags", status=500, times=50)
            desk.snapshot("left-behind")
            desk.advance("3d")
    assert min(took) < FRESH_WITHIN_S, took


def test_two_at_a_time_do_not_see_each_other() -> None:
    with sandbox() as one, sandbox() as other:
        assert one.base_url != other.base_url
        made = one.call("POST", "/v2/customers", {"firstName": "Mira"}).id
        assert one.get(f"/v2/customers/{made}")["firstName"] == "Mira"
        assert other.call("GET", f"/v2/customers/{made}").status == 404


def test_the_same_seed_and_time_give_the_same_data() -> None:
    made = Made(seed=7, conversations=20, now=datetime(2026, 11, 23, 9, tzinfo=UTC))
    with sandbox(made) as one, sandbox(made) as other:
        for path in ("/v2/conversations", "/v2/customers", "/v2/users"):
            first, second = (desk.call("GET", path).text.replace(desk.base_url, "") for desk in (one, other))
            assert first == second
        assert abs((one.now() - datetime(2026, 11, 23, 9, tzinfo=UTC)).total_seconds()) < 600


def test_a_refused_wish_says_why() -> None:
    with sandbox() as desk:
        with pytest.raises(CallFailed, match="must be a length of time such as 2d"):
            desk.advance("soon")
        with pytest.raises(CallFailed, match="there is no snapshot of this name"):
            desk.restore("never-taken")


def test_the_token_is_good_whatever_the_clock_says() -> None:
    with sandbox() as desk:
        old = desk.token
        desk.advance("5d")
        assert desk.call("GET", "/v2/tags", key=old).status == 401
        assert desk.call("GET", "/v2/tags").status == 200


def test_time_and_raw_mail_have_levers_too() -> None:
    with sandbox() as desk:
        then = datetime(2031, 1, 2, 3, tzinfo=UTC)
        assert 0 <= (desk.set_clock(then) - then).total_seconds() < 600
        raw = b"From: lea@buyer.example\nSubject: Hi\n\nHello?\n"
        came = desk.mail_comes(raw, to=desk.description["inboxes"][1]["email"])
        assert came.inbox_id == desk.description["inboxes"][1]["id"]
        assert desk.get(f"/v2/conversations/{came.conversation_id}")["createdAt"].startswith("2031-01-02T03:")


def test_the_examples_of_the_docs_run_with_pytest(tmp_path: Path) -> None:
    conftest, tests, made, _ = PYTHON
    (tmp_path / "conftest.py").write_text(f"{made}\n\n{conftest}")
    (tmp_path / "test_program.py").write_text(tests)
    result = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_program.py")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 passed" in result.stdout


def test_the_example_without_pytest_runs_where_pytest_is_not(tmp_path: Path) -> None:
    """As on a machine without it: importing it fails."""
    (tmp_path / "pytest.py").write_text("raise ImportError('there is no pytest here')\n")
    (tmp_path / "program.py").write_text(PYTHON[-1])
    result = run(tmp_path, "program.py")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("http://127.0.0.1:")
    assert "Traceback" not in result.stderr


def test_the_sandbox_lists_all_its_paths_and_the_docs_tell_of_each() -> None:
    with sandbox() as desk:
        listed: list[dict[str, Any]] = requests.get(f"{desk.base_url}/sandbox", timeout=30).json()["paths"]
        page = requests.get(desk.base_url, headers={"Accept": "text/html"}, timeout=30).text
    served = {
        (method, path)
        for source in (ROOT / "src" / "deskhand" / "sandbox").glob("*.py")
        for method, path in re.findall(r'route\("([A-Z]+)", "(/sandbox/[^"]*)"', source.read_text())
    }
    assert {(one["method"], one["path"]) for one in listed} == served
    for one in listed:
        assert one["path"] in DOCS
        assert one["path"] in page
        assert one["does"]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120, env={"PYTHONPATH": f"{folder}:{ROOT / 'src'}"},
    )  # fmt: skip
