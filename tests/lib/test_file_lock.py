"""A lock on a file is one process's at a time and ends with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deskhand.lib.file_lock import Held, file_lock
from tests.commands import ROOT

HOLD = """
import sys
from pathlib import Path
from deskhand.lib.file_lock import file_lock
with file_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_holds_it_until_that_ends(tmp_path: Path):
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Held) as caught, file_lock(path):
            pass
        assert caught.value.process == str(holder.pid)
        holder.kill()
    with file_lock(path):
        assert path.read_text() == f"{os.getpid()}\n"
