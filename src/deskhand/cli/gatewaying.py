"""`deskhand gateway`: makes its own database and the connection to the remote desk, then serves agents before it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa

from deskhand.app.alone import GatewayAlone
from deskhand.app.gateway import Gateway
from deskhand.catalogue.problems import Problem
from deskhand.cli import accounts, serving
from deskhand.cli.databases import opened, require_folder
from deskhand.cli.refused import Refused
from deskhand.db.database import SQLITE_FILE
from deskhand.db.engine import Database, Unavailable, Writer
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.statements import value
from deskhand.desk.users import verbs as users
from deskhand.desk.users.tables import account
from deskhand.gateway import connections
from deskhand.gateway.administering.who import command_line
from deskhand.gateway.connections import Connection, read_base_url, read_given
from deskhand.lib.clock import SystemClock, to_wire
from deskhand.settings import Settings

UPSTREAM = "Upstream"
"""The name of the connection that the command makes."""
_ACCOUNT = value(int, sa.select(sa.func.min(account.c.id)))


def gateway(settings: Settings, *, ask_secret: bool) -> None:
    """Run the gateway alone until it is told to stop; raises Refused where it can't.

    `ask_secret`: the client's secret is the first line of stdin.
    """
    if not settings.upstream_url:
        raise Refused("in front of which help desk? Give --upstream https://api.helpscout.net")
    if ask_secret:
        settings = replace(settings, upstream_client_secret=sys.stdin.readline().rstrip("\r\n"))
    try:
        base_url = read_base_url(settings.upstream_url)
        connection = _prepared(settings, base_url)
    except Problem as problem:
        raise Refused(_words(problem)) from problem
    _tell(settings, connection)
    serving.serve(settings, partial(GatewayAlone, default_connection=connection.id))


def _prepared(settings: Settings, base_url: str) -> Connection:
    """The connection to the desk, once database, account and connection are there."""
    require_folder(settings.data_dir)
    try:
        with nullcontext() if settings.database_url else serving.alone_on(settings.data_dir):
            upgrade(sqlalchemy_url(settings.database_url, settings.data_dir / SQLITE_FILE))
            with opened(settings) as database:
                account_id = database.write_now(_account)
                return asyncio.run(_connection(settings, database, account_id, base_url))
    except Unavailable as problem:
        raise Refused(problem) from problem


def _account(tx: Writer) -> int:
    """The account that agents belong to, made where there is none; raises Refused in a help desk's database."""
    known = tx.one(_ACCOUNT)
    if known is not None and accounts.has_desk(tx, known):
        raise Refused(
            "this database is a help desk's, which has its own gateway: run deskhand serve, or choose another folder "
            "with DESKHAND_DATA_DIR"
        )
    return known or users.open_account(tx, users.NewAccount(name="Gateway", created_at=to_wire(datetime.now(UTC))))


async def _connection(settings: Settings, database: Database, account_id: int, base_url: str) -> Connection:
    rows = await database.read(lambda db: connections.of_account(db, account_id))
    known = next((row for row in rows if row.name == UPSTREAM), None)
    client_id, secret = settings.upstream_client_id, settings.upstream_client_secret
    if known is not None and known.base_url != base_url:
        raise Refused(
            f"this gateway stands in front of {known.base_url}, and its agents' grants name what is there: choose "
            "another folder with DESKHAND_DATA_DIR"
        )
    if known is not None and not secret:
        return known
    if not secret or not (client_id or known):
        raise Refused("whose account there? Give --client-id and --client-secret, or DESKHAND_UPSTREAM_CLIENT_SECRET")
    given = read_given(
        {"name": UPSTREAM, "base_url": base_url, "client_secret": secret}
        | {"client_id": client_id or (known.client_id if known else "")}
    )
    parts = Gateway(settings, database, SystemClock(), None)
    who = command_line(account_id)
    async with parts.running():
        made = parts.remotes.connections
        if known is None:
            return await made.make(account_id, given, parts.administration.logs_connection(who, "added"))
        if given.client_id != known.client_id or not made.has_secret(known, secret):
            also = parts.administration.logs_connection(who, "renewed")
            await made.sign_in_again(account_id, known.id, given, also)
    return known


def _tell(settings: Settings, connection: Connection) -> None:
    sys.stdout.write(f"""
  A gateway in front of {connection.base_url}

  Base URL        {settings.base_url}
  MCP             {settings.base_url}/mcp
  Its desk        {connection.base_url}, as connection {connection.id}

  With the same settings, DESKHAND_DATA_DIR={settings.data_dir.resolve()}:
  deskhand agents create --name Triage --preset drafter     makes an agent and shows its key
  deskhand admin-tokens create --name Console               makes a token for {settings.base_url}/admin/v1

""")
    sys.stdout.flush()


def _words(problem: Problem) -> str:
    """What is wrong, by the names of the options."""
    named = {"base_url": "--upstream", "client_id": "--client-id", "client_secret": "--client-secret"}
    if not problem.errors:
        return str(problem.message)
    return "; ".join(f"{named.get(one.path, one.path)}: {one.message}" for one in problem.errors)
