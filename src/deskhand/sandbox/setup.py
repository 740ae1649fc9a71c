"""Making a sandbox's folder ready: database, invented account, credentials, and the copy that a reset returns to."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deskhand.db.database import SQLITE_FILE
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.sqlite import open_sqlite, save_copy
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import to_wire
from deskhand.oauth import applications, passwords
from deskhand.sandbox import seed as seeding
from deskhand.sandbox import world as invention
from deskhand.sandbox.options import CALLBACK, DESCRIPTION, PASSWORD, SEEDED_COPY, Options, Sandbox
from deskhand.sandbox.records import World
from deskhand.sandbox.seed import Progress

_APP_NAME = "Sandbox app"


def prepare(options: Options, base_url: str, progress: Progress = lambda done: None) -> Sandbox:
    """Fill the folder, or take it as it is when the same options filled it before."""
    wanted = _wanted(options)
    known = _read(options.folder / DESCRIPTION)
    if known is not None and _same(known["sandbox"], wanted) and (options.folder / SQLITE_FILE).exists():
        started = datetime.fromisoformat(known["sandbox"]["now"])
        description = _described(options, base_url, started)
        _write(options.folder / DESCRIPTION, description)
        return Sandbox(description, _offset(options, started))
    _clear(options.folder)
    started = (options.now or datetime.now(UTC)).replace(microsecond=0)
    _fill(options, base_url, started, progress)
    description = _described(options, base_url, started)
    # Last, so that a folder whose filling was interrupted is filled anew.
    _write(options.folder / DESCRIPTION, description)
    return Sandbox(description, _offset(options, started))


def credential(seed: int, name: str, length: int = 32) -> str:
    """A credential that the same seed always gives; a sandbox guards nothing."""
    return hmac.new(b"deskhand sandbox", f"{seed}:{name}".encode(), hashlib.sha256).hexdigest()[:length]


def _fill(options: Options, base_url: str, now: datetime, progress: Progress) -> None:
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    upgrade(sqlalchemy_url("", folder / SQLITE_FILE))
    world = invention.account(options.seed, now)
    database = open_sqlite(folder / SQLITE_FILE)
    try:
        seeding.fill(
            database,
            BlobStore(folder / "blobs"),
            world,
            options.conversations,
            password_hash=passwords.hash(PASSWORD),
            rate_limit=options.rate_limit,
            progress=progress,
        )
        _register(database, options, base_url, world, now)
        database.write_now(lambda tx: None)
        save_copy(database, folder / SEEDED_COPY)
    finally:
        database.close()


def _register(database: Database, options: Options, base_url: str, world: World, now: datetime) -> None:
    database.write_now(
        lambda tx: applications.register(
            tx,
            account_id=world.account_id,
            user_id=world.users[0].id,
            name=_APP_NAME,
            client_id=credential(options.seed, "client_id"),
            client_secret=credential(options.seed, "client_secret"),
            redirect_url=base_url + CALLBACK,
            now=to_wire(now),
        )
    )


def _described(options: Options, base_url: str, now: datetime) -> dict[str, Any]:
    world = invention.account(options.seed, now)
    return {
        "base_url": base_url,
        "account": {"id": world.account_id, "name": world.account_name},
        "apps": [
            {
                "name": _APP_NAME,
                "client_id": credential(options.seed, "client_id"),
                "client_secret": credential(options.seed, "client_secret"),
                "redirect_url": base_url + CALLBACK,
                "user_id": world.users[0].id,
            }
        ],
        "users": [
            {"id": user.id, "email": user.email, "password": PASSWORD, "role": user.role} for user in world.users
        ],
        "inboxes": [{"id": inbox.id, "name": inbox.name, "email": inbox.email} for inbox in world.inboxes],
        "manual_workflow": None,
        "examples": _examples(world, options.conversations),
        "agents": [],
        "admin_token": None,
        "mail": None,
        "sandbox": {**_wanted(options), "now": to_wire(now)},
    }


def _examples(world: World, conversations: int) -> dict[str, Any]:
    """Ids worth knowing; those of conversations only where enough of these are there for all of them."""
    locked = {"locked_customer": seeding.locked_customer(world)}
    if conversations < invention.LEAST:
        return locked
    examples = world.examples
    return {
        "merged": {"id": examples.merged, "into": examples.merged_into},
        "draft_conversation": examples.draft_conversation,
        **locked,
        "rated_thread": examples.rated_thread,
    }


def _wanted(options: Options) -> dict[str, Any]:
    return {
        "seed": options.seed,
        "conversations": options.conversations,
        "rate_limit": options.rate_limit,
        "now": to_wire(options.now) if options.now else None,
    }


def _same(known: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a folder was filled from the same options; without a wish for the time any will do."""
    return {**known, "now": wanted["now"] and known["now"]} == wanted


def _offset(options: Options, started: datetime) -> timedelta:
    return started - datetime.now(UTC) if options.now else timedelta()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) and isinstance(known.get("sandbox"), dict) else None


def _write(path: Path, description: dict[str, Any]) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(description, indent=1) + "\n")
    os.replace(temporary, path)


def _clear(folder: Path) -> None:
    """Remove what an earlier sandbox left; anything else in the folder stays."""
    for name in (DESCRIPTION, SEEDED_COPY, SQLITE_FILE, f"{SQLITE_FILE}-wal", f"{SQLITE_FILE}-shm"):
        (folder / name).unlink(missing_ok=True)
