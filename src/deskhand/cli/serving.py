"""`deskhand serve`: refuses early and in words, then runs uvicorn in this process or in several workers.

When PostgreSQL is away at the start, the server runs and answers 503 until it is there, because whoever starts both at
once should not have to care for their order. It is looked for every two seconds; should its schema then turn out not to
be current, the server stops and refuses as it would have at the start.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from deskhand import __version__
from deskhand.app import App
from deskhand.app.alone import GatewayAlone
from deskhand.app.mail import NotUsable, require_usable
from deskhand.cli.databases import require_current, require_folder
from deskhand.cli.refused import Refused
from deskhand.db.database import open_database
from deskhand.db.engine import Unavailable
from deskhand.lib import logs
from deskhand.lib.file_lock import Held, file_lock
from deskhand.settings import Settings

log = logging.getLogger("deskhand.serve")

LOCK_FILE = "serve.lock"
STOP_WITHIN_S = 20
"""How long calls that are under way may take to finish when the server stops."""
KEEP_ALIVE_S = 75
"""Longer than proxies keep idle connections (nginx: 60 s), so that none sends a call into a closing one."""
WORKER_ANSWERS_WITHIN_S = 90
"""After that a worker counts as hung and is replaced. It must be long: where there is much to do, even starting is."""
LOOK_EVERY_S = 2.0


Make = Callable[[Settings], App | GatewayAlone]


def serve(settings: Settings, make: Make = App) -> None:
    """Run the server that `make` makes until it is told to stop; raises Refused where it can't."""
    if settings.workers > 1 and not settings.database_url:
        raise Refused(
            f"{settings.workers} workers need PostgreSQL: set DESKHAND_DATABASE_URL, or take 1 worker with SQLite"
        )
    if settings.worker == "separate" and not settings.database_url:
        raise Refused("with SQLite the server carries out the jobs itself: set DESKHAND_WORKER to inside")
    logs.set_up(settings.log_format, settings.log_level)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        require_folder(settings.data_dir)
        if not settings.database_url:
            stack.enter_context(alone_on(settings.data_dir))
        if make is App and settings.worker == "inside":
            _require_mail(settings)
        watch = _Watch(settings)
        watch.look_or_wait()
        listener = stack.enter_context(_listening(settings.host, settings.port))
        database = "PostgreSQL" if settings.database_url else f"SQLite in {settings.data_dir}"
        log.info(
            "Deskhand %s listens on %s port %d, its URL is %s, its database %s",
            __version__, settings.host, settings.port, settings.base_url, database,
        )  # fmt: skip
        status = _run(settings, listener, make)
        log.info("stopped")
        watch.require_no_refusal()
        if status:
            raise Refused("the server failed; its log says why")


def build(make: Make, settings: Settings, figures: Path | None = None) -> App | GatewayAlone:
    """The application of one process; workers share a folder for their figures."""
    app = make(settings)
    if figures is not None:
        logs.set_up(settings.log_format, settings.log_level)
        app.metrics.share_in(figures)
    return app


def _run(settings: Settings, listener: socket.socket, make: Make) -> int:
    """Serve on the socket until told to stop; gives the exit status."""
    app = build(
        make, settings
    )  # also where workers serve: what can't be built is then said once and not by each of them
    if settings.workers == 1:
        try:
            uvicorn.Server(_config(settings, app)).run([listener])
        except (SystemExit, KeyboardInterrupt) as stop:  # uvicorn sends itself the signal again once it is done
            return int(getattr(stop, "code", 0) or 0)
        return 0
    app.database.close()
    figures = Path(tempfile.mkdtemp(prefix="deskhand-figures-"))
    try:
        config = _config(settings, partial(build, make, settings, figures), factory=True)
        logging.getLogger("uvicorn").setLevel(logging.INFO)  # it tells of workers that died
        workers = Multiprocess(config, [listener])
        workers.run()
        return int(any(process.exitcode == STARTUP_FAILURE for process in workers.processes))
    finally:
        shutil.rmtree(figures, ignore_errors=True)


def _config(settings: Settings, app: object, *, factory: bool = False) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        factory=factory,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # the API writes a line for each call
        server_header=False,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
        timeout_worker_healthcheck=WORKER_ANSWERS_WITHIN_S,
    )


@contextmanager
def alone_on(folder: Path) -> Iterator[None]:
    """SQLite has one server: rate limits and caches live in its memory."""
    try:
        with file_lock(folder / LOCK_FILE):
            yield
    except Held as held:
        raise Refused(f"another server (process {held.process}) already runs on the data folder {folder}") from held


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        both = host == "::" and socket.has_dualstack_ipv6()  # every address there is, those of IPv4 too
        listener = socket.create_server(address[:2], family=family, backlog=2048, dualstack_ipv6=both)
    except socket.gaierror as problem:
        raise Refused(f"can't listen on {host}: {problem.strerror}") from problem
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise Refused(f"port {port} of {host} is taken by another program: choose one with --port") from problem
        words = os.strerror(problem.errno) if problem.errno else problem
        raise Refused(f"can't listen on {host} port {port}: {words}") from problem
    with listener:
        yield listener


def _require_mail(settings: Settings) -> None:
    try:
        require_usable(settings)
    except NotUsable as problem:
        raise Refused(problem) from problem


class _Watch:
    """Looks at the schema before the start, or as soon as the database is there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._refusal: Refused | None = None

    def look_or_wait(self) -> None:
        """Raises Refused for a schema that is not current; a database that is away is watched for in the background."""
        try:
            self._look()
        except Unavailable as problem:
            if not self._settings.database_url:
                raise Refused(problem) from problem
            log.warning("%s; answering 503 until it is there", problem)
            threading.Thread(target=self._wait, name="deskhand-watch", daemon=True).start()

    def require_no_refusal(self) -> None:
        """Raises what was refused in the background."""
        if self._refusal is not None:
            raise self._refusal

    def _wait(self) -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_EVERY_S):
            try:
                self._look()
            except Unavailable as problem:
                log.warning("still waiting for the database: %s", problem)
            except Refused as refusal:
                self._refusal = refusal
                os.kill(os.getpid(), signal.SIGTERM)
                return
            else:
                log.info("the database is there")
                return

    def _look(self) -> None:
        database = open_database(self._settings.database_url, self._settings.data_dir)
        try:
            require_current(database)
        finally:
            database.close()
