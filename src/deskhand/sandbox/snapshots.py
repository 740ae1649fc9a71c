"""Snapshots: the whole state of a sandbox under a name, to come back to as often as one likes."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deskhand.lib.clock import from_wire, to_wire
from deskhand.sandbox.clock import SandboxClock
from deskhand.sandbox.http import Refused, route

FOLDER = "snapshots"
MOST = 100
"""Snapshots that a sandbox keeps."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_DATABASE, _ABOUT = ".sqlite", ".json"


class State(Protocol):
    """What a sandbox's state can do."""

    async def save(self, file: Path) -> None:
        """Write all of it into a file, once nothing is under way."""
        ...

    async def restore(self, file: Path) -> None:
        """Put it back as it is in a file."""
        ...


class Snapshots:
    """The snapshots in a sandbox's folder: database and clock. Files that were ever stored stay, so they need none."""

    def __init__(self, folder: Path, clock: SandboxClock, state: State) -> None:
        self._folder = folder / FOLDER
        self._clock = clock
        self._state = state

    async def take(self, name: str) -> dict[str, Any]:
        """Take one, in place of an earlier one of that name; raises Refused."""
        file = self._file(name)
        if not file.exists() and len(self.listed()) >= MOST:
            raise Refused("name", f"there are {MOST} snapshots already: delete some", 409)
        self._folder.mkdir(parents=True, exist_ok=True)
        await self._state.save(file)
        file.with_suffix(_ABOUT).write_text(json.dumps({"now": to_wire(self._clock.now())}))
        return self._described(file)

    async def restore(self, name: str) -> dict[str, Any]:
        """Put the state back as it was, and the clock to when it was; raises Refused."""
        file = self._found(name)
        self._clock.set(_taken_at(file))
        self._clock.keep()
        await self._state.restore(file)
        return {"state": "restored", "name": name, "now": to_wire(self._clock.now())}

    def listed(self) -> list[dict[str, Any]]:
        """All of them, by name."""
        return [self._described(file) for file in sorted(self._folder.glob(f"*{_DATABASE}")) if _is_whole(file)]

    def delete(self, name: str) -> None:
        """Forget one; raises Refused."""
        file = self._found(name)
        file.with_suffix(_ABOUT).unlink()
        file.unlink()

    def forget(self) -> None:
        """Forget all."""
        for one in self.listed():
            self.delete(one["name"])

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise Refused("name", "must be up to 64 letters, digits and . _ -, beginning with a letter or digit")
        return self._folder / (name + _DATABASE)

    def _found(self, name: str) -> Path:
        file = self._file(name)
        if not _is_whole(file):
            raise Refused("name", "there is no snapshot of this name", 404)
        return file

    @staticmethod
    def _described(file: Path) -> dict[str, Any]:
        name = file.name.removesuffix(_DATABASE)
        return {"name": name, "now": to_wire(_taken_at(file)), "bytes": file.stat().st_size}


def _is_whole(file: Path) -> bool:
    return file.exists() and file.with_suffix(_ABOUT).exists()


def _taken_at(file: Path) -> datetime:
    return from_wire(json.loads(file.with_suffix(_ABOUT).read_text())["now"])


def clear(folder: Path) -> None:
    """Remove the snapshots of a sandbox that is filled anew."""
    for file in (folder / FOLDER).glob("*"):
        if file.name.endswith((_DATABASE, _ABOUT)):
            file.unlink()


def routes(snapshots: Snapshots) -> list[Route]:
    """The paths under /sandbox/snapshots."""

    async def get_snapshots(_: Request) -> Response:
        return JSONResponse({"snapshots": snapshots.listed()})

    async def put_snapshot(request: Request) -> Response:
        return JSONResponse(await snapshots.take(request.path_params["name"]))

    async def delete_snapshot(request: Request) -> Response:
        snapshots.delete(request.path_params["name"])
        return Response(status_code=204)

    async def post_restore(request: Request) -> Response:
        return JSONResponse(await snapshots.restore(request.path_params["name"]))

    return [
        route("GET", "/sandbox/snapshots", get_snapshots),
        route("PUT", "/sandbox/snapshots/{name}", put_snapshot),
        route("DELETE", "/sandbox/snapshots/{name}", delete_snapshot),
        route("POST", "/sandbox/snapshots/{name}/restore", post_restore),
    ]
