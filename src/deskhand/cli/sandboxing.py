"""`deskhand sandbox`: makes a folder ready, says how to use it, and serves it on loopback."""

from __future__ import annotations

import errno
import json
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from deskhand.app import App
from deskhand.cli.refused import Refused
from deskhand.cli.serving import LOCK_FILE, STOP_WITHIN_S
from deskhand.lib import logs
from deskhand.lib.file_lock import Held, file_lock
from deskhand.sandbox.options import DESCRIPTION, PASSWORD, Options
from deskhand.sandbox.setup import prepare
from deskhand.settings import Settings

HOST = "127.0.0.1"
_WORTH_SHOWING = 3000  # conversations; fewer are there before anybody wonders


def sandbox(options: Options, *, port: int, as_json: bool, given_folder: Path | None) -> None:
    """Run a sandbox until it is told to stop; raises Refused where it can't."""
    logs.set_up("text", "warning")
    folder = (given_folder or Path(tempfile.mkdtemp(prefix="deskhand-sandbox-"))).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise Refused(f"the folder {folder} can't be made: {problem.strerror}") from problem
    port = _free_port(port)
    base_url = f"http://{HOST}:{port}"
    try:
        with file_lock(folder / LOCK_FILE):
            ready = prepare(replace(options, folder=folder), base_url, _progress)
            settings = Settings(data_dir=folder, base_url=base_url, host=HOST, port=port)
            app = App(settings, sandbox=ready)
            sys.stdout.write(json.dumps(ready.description) + "\n" if as_json else _words(ready.description, folder))
            sys.stdout.flush()
            _serve(app, port)
    except Held as held:
        raise Refused(f"another server (process {held.process}) already runs on the folder {folder}") from held


def _free_port(port: int) -> int:
    """The port, found free; 0 finds one. Nothing listens yet, because sandbox.json has to be there first."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                raise Refused(f"port {port} is taken by another program: choose one with --port") from problem
            raise Refused(f"can't listen on port {port}: {problem.strerror}") from problem
        return int(probe.getsockname()[1])


def _serve(app: App, port: int) -> None:
    config = uvicorn.Config(
        app,
        host=HOST,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn sends itself the signal again once it is done
    try:
        uvicorn.Server(config).run()
    except KeyboardInterrupt:
        return


def _progress(total: int) -> Callable[[int], None]:
    """Shows on stderr how far the filling is, where it takes long enough."""
    if total < _WORTH_SHOWING:
        return lambda done: None
    # Loading it takes a tenth of the time that a small sandbox needs to start.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("Filling the sandbox"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task("", total=total)
    bar.start()

    def tell(done: int) -> None:
        bar.update(task, completed=done)
        if done >= total:
            bar.stop()

    return tell


def _words(description: dict[str, Any], folder: Path) -> str:
    app, owner = description["apps"][0], description["users"][0]
    agents = ", ".join(agent["name"] for agent in description["agents"])
    return f"""
  {description["account"]["name"]}, a Deskhand sandbox

  Open            {description["base_url"]}/
  Base URL        {description["base_url"]}
  Application     {app["client_id"]}
  Secret          {app["client_secret"]}
  Sign in as      {owner["email"]} / {PASSWORD}
  Agents          {agents}, at /v2, /v3 and {description["base_url"]}/mcp
  All of it       {folder / DESCRIPTION}

  Ctrl+C stops it. `--data {folder}` starts it again as it is.

"""
