"""The command line itself: help, versions, exit statuses, one clear line for each failure."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from deskhand import __version__
from tests.commands import run

COMMANDS = ["serve", "worker", "jobs", "init", "migrate", "check", "webhooks", "version"]


def test_help_names_every_command(tmp_path: Path):
    shown = run(tmp_path, "--help")
    assert shown.returncode == 0
    for name in COMMANDS:
        assert f"  {name} " in shown.stdout
        assert run(tmp_path, name, "--help").returncode == 0


def test_help_comes_at_once(tmp_path: Path):
    run(tmp_path, "--help")
    taken = []
    for _ in range(5):
        before = children_s()
        run(tmp_path, "--help")
        taken.append(children_s() - before)
    assert min(taken) < 0.5, taken


def children_s() -> float:
    """Seconds that processes which were waited for took from the processors, whoever else wanted them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_loads_no_database_driver_and_no_server(tmp_path: Path):
    code = "import sys, deskhand.cli; print([name for name in sys.modules if name.split('.')[0] in sys.argv[1:]])"
    heavy = ["sqlalchemy", "alembic", "psycopg", "starlette", "uvicorn", "argon2", "rich"]
    assert subprocess.check_output([sys.executable, "-c", code, *heavy], text=True).strip() == "[]"


def test_the_version_is_said(tmp_path: Path):
    assert run(tmp_path, "version").stdout == f"deskhand {__version__}\n"
    assert json.loads(run(tmp_path, "version", "--json").stdout) == {"version": __version__}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["nonsense"],
        ["serve", "--port", "http"],
        ["serve", "--port", "70000"],
        ["serve", "--workers", "0"],
    ],
)
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: list[str]):
    assert run(tmp_path, *arguments).returncode == 2


def test_a_refusal_is_one_line_and_ends_with_1(tmp_path: Path):
    refused = run(tmp_path, "serve", prot="1")
    assert refused.returncode == 1
    assert refused.stderr == (
        "deskhand: DESKHAND_PROT (in the environment) is not a setting: did you mean DESKHAND_PORT?\n"
    )
    assert refused.stdout == ""


def test_settings_come_from_a_file_in_the_current_folder(tmp_path: Path):
    (tmp_path / "deskhand.toml").write_text('data_dir = "elsewhere"\n')
    assert run(tmp_path, "migrate").returncode == 0
    assert (tmp_path / "elsewhere" / "deskhand.sqlite").exists()
