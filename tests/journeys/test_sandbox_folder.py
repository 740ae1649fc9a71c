"""A sandbox that is started again in the folder that one left."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deskhand.sandbox.setup import credential
from tests.journeys.sandboxes import NOW, Sandbox, approved, sandbox

READY_AGAIN_S = 60  # on a busy machine; on an idle one 2
OPTIONS = ("--seed", "8", "--now", NOW, "--rate-limit", "77")
FEW = ("--conversations", "200")


class Left(NamedTuple):
    """A folder that a sandbox left, with a note in a conversation, and when it was there."""

    folder: Path
    description: dict[str, Any]
    conversation: int
    note: int
    token: str
    now: datetime


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """A folder whose clock was never moved."""
    folder = tmp_path_factory.mktemp("left") / "data"
    with sandbox(folder, *OPTIONS, *FEW) as running:
        running.sign_in()
        id = running.description["examples"]["merged"]["into"]
        note = running.call("POST", f"/v2/conversations/{id}/notes", json={"text": "Before the restart."})
        assert note.status_code == 201
        time.sleep(1.2)
        return Left(folder, running.description, id, int(note.headers["Resource-ID"]), running.token, running.now())


@pytest.fixture(scope="module")
def moved(left: Left, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """The same, but its clock was moved."""
    folder = copy(left, tmp_path_factory.mktemp("moved"))
    with sandbox(folder, *OPTIONS, *FEW) as running:
        running.control("clock", {"advance": "30h"})
        return left._replace(folder=folder, now=running.now())


def copy(left: Left, where: Path) -> Path:
    return Path(shutil.copytree(left.folder, where / "data"))


def notes(running: Sandbox, left: Left) -> list[int]:
    answer = running.get(f"/v2/conversations/{left.conversation}/threads")
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-RateLimit-Limit-Minute"] == "77"
    return [one["id"] for one in answer.json()["_embedded"]["threads"] if one.get("body") == "Before the restart."]


def test_a_restart_in_the_same_folder_goes_on(moved: Left, tmp_path: Path) -> None:
    with sandbox(copy(moved, tmp_path), *OPTIONS, *FEW) as again:
        sys.stdout.write(f"ready again after {again.seconds:.2f} s\n")
        assert again.seconds < READY_AGAIN_S
        assert again.description["sandbox"] == moved.description["sandbox"]
        assert again.description["apps"][0]["client_id"] == moved.description["apps"][0]["client_id"]
        assert again.description["apps"][0]["client_id"] != credential(7, "client_id"), "another seed's"
        assert 0 <= (again.now() - moved.now).total_seconds() < 3600  # its clock goes on
        again.token = moved.token
        assert notes(again, moved) == [moved.note]
        again.control("reset")
        again.sign_in()
        assert notes(again, moved) == []
        assert abs((again.now() - datetime.fromisoformat(NOW)).total_seconds()) < 300


def test_its_application_follows_it_to_another_port(left: Left, tmp_path: Path) -> None:
    with sandbox(copy(left, tmp_path), *OPTIONS, *FEW) as again:
        assert again.url != left.description["base_url"]
        wanted = again.description["apps"][0]["redirect_url"]
        assert wanted.startswith(again.url)
        assert approved(again).startswith(wanted + "?code=")
        again.control("reset")
        assert approved(again).startswith(wanted + "?code=")


def test_the_time_it_was_told_does_not_come_back_at_a_restart(left: Left, tmp_path: Path) -> None:
    with sandbox(copy(left, tmp_path), *OPTIONS, *FEW) as again:
        assert 0 <= (again.now() - left.now).total_seconds() < 3600


def test_a_folder_goes_on_as_it_is_without_its_options(left: Left, tmp_path: Path) -> None:
    """As the words at the start say: `--data FOLDER` starts it again as it is."""
    with sandbox(copy(left, tmp_path)) as again:
        assert again.description["sandbox"] == left.description["sandbox"]
        again.sign_in()
        assert notes(again, left) == [left.note]
        assert 0 <= (again.now() - left.now).total_seconds() < 3600


def test_other_options_make_the_folder_anew_with_a_clock_of_its_own(moved: Left, tmp_path: Path) -> None:
    with sandbox(copy(moved, tmp_path), *OPTIONS, "--conversations", "201") as other:
        assert abs((other.now() - datetime.fromisoformat(NOW)).total_seconds()) < 300
        other.sign_in()
        assert notes(other, moved) == []


def test_it_ends_well_when_it_is_told_to_stop(left: Left, tmp_path: Path) -> None:
    with sandbox(copy(left, tmp_path), *OPTIONS, *FEW) as running:
        running.process.send_signal(signal.SIGTERM)  # as a supervisor or a container does
        assert running.process.wait(30) == 0
