"""The lock files say exactly what is installed and from nowhere in particular."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-test.lock"]

PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;]+)(?: ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_hashes_and_nothing_else(lock: str):
    # Read by shape, so that a URL, an index, a path or an editable has no line to stand on.
    lines = (ROOT / lock).read_text().splitlines()
    odd = [line for line in lines if not PIN.fullmatch(line) and not HASH.fullmatch(line)]
    assert odd == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str):
    lines = (ROOT / lock).read_text().splitlines()
    bare = [
        line for line, below in zip(lines, [*lines[1:], ""], strict=True) if PIN.match(line) and not HASH.match(below)
    ]
    assert bare == []


def test_the_test_lock_holds_the_runtime_lock():
    assert pins("requirements.lock").items() <= pins("requirements-test.lock").items()


def test_the_locks_hold_what_the_project_asks_for():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = {name_of(line) for line in asked["project"]["dependencies"] + asked["build-system"]["requires"]}
    assert runtime <= pins("requirements.lock").keys()
    assert {name_of(line) for line in asked["project"]["optional-dependencies"]["test"]} <= pins(LOCKS[1]).keys()


def pins(lock: str) -> dict[str, str]:
    found = map(PIN.fullmatch, (ROOT / lock).read_text().splitlines())
    return {pin["name"]: pin["version"] for pin in found if pin}


def name_of(requirement: str) -> str:
    name = re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()
