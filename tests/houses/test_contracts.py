"""Imports point down (docs: the table of rooms); the contracts themselves stand in pyproject.toml."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(source: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            Path(sys.executable).with_name("lint-imports"),
            "--config",
            ROOT / "pyproject.toml",
            "--no-cache",
            "--no-logo",
        ],
        cwd=source,  # lint-imports looks for the package in its working folder
        env={**os.environ, "PYTHONPATH": str(source), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def test_the_house_keeps_its_contracts():
    result = lint_imports(ROOT / "src")
    assert result.returncode == 0, result.stdout + result.stderr


# Without these, a slip in pyproject.toml could switch a contract off unseen.
@pytest.mark.parametrize(
    ("module", "line", "complaint"),
    [
        ("lib/text.py", "import deskhand.db.engine", "deskhand.lib is not allowed to import deskhand.db"),
        (
            "gateway/relay.py",
            "import deskhand.desk.users.verbs",
            "deskhand.gateway is not allowed to import deskhand.desk",
        ),
        ("web/pages.py", "import deskhand.admin.agents", "deskhand.web is not allowed to import deskhand.admin"),
        ("app.py", "import deskhand.cli", "deskhand.app is not allowed to import deskhand.cli"),
        ("cupboard/things.py", "", "The following modules are not listed as layers"),
        ("desk/users/verbs.py", "import deskhand.desk.teams.verbs", "deskhand.desk.users is not allowed to import"),
        ("desk/tags/verbs.py", "import deskhand.desk.inboxes.verbs", "deskhand.desk.tags is not allowed to import"),
        ("gateway/relay.py", "from starlette.requests import Request", "deskhand is not allowed to import starlette"),
        ("cli.py", "import starlette", "deskhand is not allowed to import starlette"),
        ("api/routes.py", "import deskhand.oauth.tokens, starlette.requests", None),
        ("web/inbox/pages.py", "import starlette, deskhand.desk.users.verbs", None),
        ("app.py", "import starlette, deskhand.web.pages, deskhand.gateway.relay", None),
    ],
)
def test_the_contracts_notice(tmp_path: Path, module: str, line: str, complaint: str | None):
    house(tmp_path, {"db/engine.py", "desk/users/verbs.py", "desk/teams/verbs.py", "desk/inboxes/verbs.py"})
    house(tmp_path, {"admin/agents.py", "cli.py", "oauth/tokens.py", "web/pages.py", "gateway/relay.py"})
    house(tmp_path, {module}, line)
    result = lint_imports(tmp_path)
    if complaint is None:
        assert result.returncode == 0, result.stdout
    else:
        assert result.returncode == 1
        assert complaint in result.stdout


def house(folder: Path, modules: set[str], line: str = "") -> None:
    for module in modules:
        path = folder / "deskhand" / module
        path.parent.mkdir(parents=True, exist_ok=True)
        for package in [path.parent, *path.parent.parents]:
            if package.is_relative_to(folder / "deskhand"):
                (package / "__init__.py").touch()
        path.write_text(line + "\n")
