"""`deskhand connections`: ways to other help desks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping

import typer

from deskhand.cli.administering import NEVER, refusing, show, table
from deskhand.cli.serviced import served
from deskhand.gateway import connections
from deskhand.gateway.connections import Shown
from deskhand.settings import Settings


def listed(settings: Settings, account: int | None, *, json: bool) -> None:
    """Show the connections, and whether they work."""

    async def read() -> list[Shown]:
        async with served(settings, account) as here:
            return await here.gateway.remotes.connections.listed(here.who.account_id)

    found = asyncio.run(read())
    heads = ("ID", "NAME", "ADDRESS", "AS", "LAST WORKED", "LAST TROUBLE")
    rows = [
        (one.id, one.name, one.base_url, one.client_id, one.health.last_ok or NEVER, _trouble(one)) for one in found
    ]
    show({"connections": found}, lambda: table(heads, rows, "There are no connections."), json=json)


def add(
    settings: Settings, account: int | None, given: Mapping[str, str | None], secret: str | None, *, json: bool
) -> None:
    """Try a connection and keep it."""
    asked = {name: value for name, value in given.items() if value is not None} | {"client_secret": _secret(secret)}
    if "code" in asked or "refresh_token" in asked:
        asked["grant"] = "authorization_code"
    with refusing():
        read = connections.read_given(asked)

    async def make() -> int:
        async with served(settings, account) as here:
            also = here.gateway.administration.logs_connection(here.who, "added")
            return (await here.gateway.remotes.connections.make(here.who.account_id, read, also)).id

    id = asyncio.run(make())
    words = f"Connection {id} to {read.base_url} works. Agents use it by --connection {id}."
    show({"id": id}, lambda: words, json=json)


def remove(settings: Settings, account: int | None, id: int, *, json: bool) -> None:
    """Remove a connection."""

    async def go() -> None:
        async with served(settings, account) as here:
            also = here.gateway.administration.logs_connection(here.who, "removed")
            await here.gateway.remotes.connections.remove(here.who.account_id, id, also)

    asyncio.run(go())
    show({"removed": id}, lambda: f"Connection {id} is removed.", json=json)


def _secret(given: str | None) -> str:
    if given == "-":
        return sys.stdin.readline().rstrip("\r\n")
    if given is None and not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked: give --client-secret")
    return typer.prompt("The client secret", err=True, hide_input=True) if given is None else given


def _trouble(one: Shown) -> str:
    wrong = one.health.last_error
    return NEVER if wrong is None else f"{wrong.at}: {wrong.words}"
