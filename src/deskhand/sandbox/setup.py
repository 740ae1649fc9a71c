"""Making a sandbox's folder ready: database, invented account, credentials, and the copy that a reset returns to."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from deskhand.db.database import SQLITE_FILE
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.sqlite import open_sqlite, save_copy
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import StoppedClock, from_wire, to_wire
from deskhand.lib.secrets import Mint
from deskhand.oauth import applications, passwords
from deskhand.sandbox import agents, shop, snapshots
from deskhand.sandbox import seed as seeding
from deskhand.sandbox import world as invention
from deskhand.sandbox.clock import CLOCK_FILE
from deskhand.sandbox.options import CALLBACK, DEFAULTS, DESCRIPTION, PASSWORD, SEEDED_COPY, Options, Sandbox
from deskhand.sandbox.records import World
from deskhand.sandbox.seed import Progress

_APP_NAME = "Sandbox app"


@dataclass(frozen=True, slots=True)
class _Made:
    """What a folder was made from, as sandbox.json keeps it. The clock began `offset_s` seconds from the real one."""

    seed: int
    conversations: int
    rate_limit: int
    now: str
    offset_s: float


class _Earlier(NamedTuple):
    """What an earlier run left."""

    made: _Made
    agents: agents.Made


def prepare(options: Options, base_url: str, progress: Callable[[int], Progress] = lambda total: _silent) -> Sandbox:
    """Fill the folder, or take it as it is where it was filled with the options that are given.

    `progress` is told how many conversations are to be made; what it gives back is told how many are done.
    """
    earlier = _read(options.folder / DESCRIPTION)
    if earlier is not None and _fits(options, earlier):
        made, found = earlier
    else:
        made = _make(options)
        _clear(options.folder)
        found = _fill(options.folder, made, base_url, progress(made.conversations))
    description = _described(made, found, base_url)
    # Last, so that a folder whose filling was interrupted is filled anew.
    _write(options.folder / DESCRIPTION, description)
    return Sandbox(description, timedelta(seconds=made.offset_s))


def _silent(done: int) -> None:
    """The progress nobody looks at."""


def _fits(options: Options, earlier: _Earlier) -> bool:
    """Whether what the folder was made from is what is asked for."""
    made = earlier.made
    if not (options.folder / SQLITE_FILE).exists():
        return False
    asked = {"seed": options.seed, "conversations": options.conversations, "rate_limit": options.rate_limit}
    differs = any(value is not None and value != getattr(made, name) for name, value in asked.items())
    return not differs and (options.now is None or to_wire(options.now) == made.now)


def _make(options: Options) -> _Made:
    real = datetime.now(UTC).replace(microsecond=0)
    now = options.now or real
    asked = {"seed": options.seed, "conversations": options.conversations, "rate_limit": options.rate_limit}
    chosen = {name: DEFAULTS[name] if value is None else value for name, value in asked.items()}
    return _Made(**chosen, now=to_wire(now), offset_s=(now - real).total_seconds())


def credential(seed: int, name: str, length: int = 32) -> str:
    """A credential that the same seed always gives; a sandbox guards nothing."""
    return hmac.new(b"deskhand sandbox", f"{seed}:{name}".encode(), hashlib.sha256).hexdigest()[:length]


def _fill(folder: Path, made: _Made, base_url: str, progress: Progress) -> agents.Made:
    folder.mkdir(parents=True, exist_ok=True)
    upgrade(sqlalchemy_url("", folder / SQLITE_FILE))
    world = invention.account(made.seed, from_wire(made.now))
    database = open_sqlite(folder / SQLITE_FILE)
    try:
        seeding.fill(
            database,
            BlobStore(folder / "blobs"),
            world,
            made.conversations,
            password_hash=passwords.hash(PASSWORD),
            rate_limit=made.rate_limit,
            progress=progress,
        )
        _register(database, made, base_url, world)
        found = agents.make(database, StoppedClock(world.now), folder, world.account_id, _mint(made.seed))
        save_copy(database, folder / SEEDED_COPY)
        return found
    finally:
        database.close()


def _register(database: Database, made: _Made, base_url: str, world: World) -> None:
    database.write_now(
        lambda tx: applications.register(
            tx,
            account_id=world.account_id,
            user_id=world.users[0].id,
            name=_APP_NAME,
            client_id=credential(made.seed, "client_id"),
            client_secret=credential(made.seed, "client_secret"),
            redirect_url=base_url + CALLBACK,
            now=made.now,
        )
    )


def _mint(seed: int) -> Mint:
    """Credentials that the same seed always gives, one after the other."""
    count = itertools.count(1)
    return lambda length: credential(seed, f"agents {next(count)}", length)


def _described(made: _Made, found: agents.Made, base_url: str) -> dict[str, Any]:
    world = invention.account(made.seed, from_wire(made.now))
    return {
        "base_url": base_url,
        "account": {"id": world.account_id, "name": world.account_name},
        "apps": [
            {
                "name": _APP_NAME,
                "client_id": credential(made.seed, "client_id"),
                "client_secret": credential(made.seed, "client_secret"),
                "redirect_url": base_url + CALLBACK,
                "user_id": world.users[0].id,
            }
        ],
        "users": [
            {"id": user.id, "email": user.email, "password": PASSWORD, "role": user.role}
            for user in world.users
            if user.accepted
        ],
        "inboxes": [{"id": inbox.id, "name": inbox.name, "email": inbox.email} for inbox in world.inboxes],
        "manual_workflow": {"id": shop.WORKFLOW, "inbox_id": shop.ORDERS},
        "examples": _examples(world, made.conversations),
        "agents": found.agents,
        "admin_token": found.admin_token,
        "mail": {"captured": base_url + "/sandbox/mail"},
        "sandbox": asdict(made),
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


def _read(path: Path) -> _Earlier | None:
    """What an earlier run noted, where it is readable."""
    try:
        found = json.loads(path.read_text())
        return _Earlier(_Made(**found["sandbox"]), agents.Made(found["agents"], found["admin_token"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(path: Path, description: dict[str, Any]) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(description, indent=1) + "\n")
    os.replace(temporary, path)


def _clear(folder: Path) -> None:
    """Remove what an earlier sandbox left; anything else in the folder stays."""
    for name in (DESCRIPTION, SEEDED_COPY, SQLITE_FILE, f"{SQLITE_FILE}-wal", f"{SQLITE_FILE}-shm", CLOCK_FILE):
        (folder / name).unlink(missing_ok=True)
    snapshots.clear(folder)
