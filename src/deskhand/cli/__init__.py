"""The command line. Exit status: 0 done, 1 refused or failed with one line on stderr, 2 wrong usage.

Here are names, options and help. What a command does lives in a module of its own, imported when it runs and not
before: `deskhand --help` then needs neither a database driver nor a server.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from deskhand import __version__
from deskhand.cli import audit_commands, gateway_commands, mail_commands, workflow_commands
from deskhand.cli.options import Json
from deskhand.cli.options import module as _module
from deskhand.cli.options import moment as _moment
from deskhand.cli.options import settings as _settings
from deskhand.cli.refused import Refused
from deskhand.sandbox.options import Options
from deskhand.settings import SettingsError

app = typer.Typer(
    name="deskhand",
    help="Deskhand, a help desk for people and AI agents. Settings come from DESKHAND_* and ./deskhand.toml.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # loading rich takes longer than all the rest
)

webhooks = typer.Typer(
    name="webhooks",
    help="See what was sent to a webhook, and send it again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(webhooks)

for commands in (mail_commands.mail, workflow_commands.workflows, audit_commands.audit, *gateway_commands.GROUPS):
    app.add_typer(commands)


def main() -> None:
    """Run the command that the arguments name; ends the process."""
    try:
        app(prog_name="deskhand")
    except (Refused, SettingsError) as problem:
        _fail(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as problem:
        if os.environ.get("DESKHAND_LOG_LEVEL") == "debug":
            raise
        _fail(f"{type(problem).__name__}: {problem} (DESKHAND_LOG_LEVEL=debug shows where)")


def _fail(text: str) -> None:
    typer.echo(f"deskhand: {' '.join(text.split())}", err=True)
    sys.exit(1)


# ---------------------------------------------------------------------------------------------------------------------


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=1, max=65535, show_default="8080")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes; several need PostgreSQL.", min=1, max=256, show_default="1")
    ] = None,
) -> None:
    """Run the server."""
    _module("serving").serve(_settings(host=host, port=port, workers=workers))


@app.command()
def gateway(
    upstream: Annotated[str | None, typer.Option(help="The help desk's URL, as https://api.helpscout.net.")] = None,
    client_id: Annotated[str | None, typer.Option(help="The application's id there, at the first start.")] = None,
    client_secret: Annotated[
        str | None, typer.Option(help="Its secret; - reads a line from stdin. Kept encrypted.", show_default=False)
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=1, max=65535, show_default="8080")] = None,
) -> None:
    """Run the gateway alone, in front of a remote help desk: Help Scout itself, or another Deskhand.

    Its own database holds agents, grants and the audit log; it is made on the first start.
    """
    asks = client_secret == "-"
    settings = _settings(
        upstream_url=upstream, upstream_client_id=client_id,
        upstream_client_secret=None if asks else client_secret, host=host, port=port,
    )  # fmt: skip
    _module("gatewaying").gateway(settings, ask_secret=asks)


@app.command()
def worker() -> None:
    """Carry out jobs beside the server.

    For PostgreSQL, as many as you like; start the servers with DESKHAND_WORKER=separate.
    """
    _module("working").work(_settings())


@app.command()
def jobs(
    again: Annotated[
        bool, typer.Option("--again", help="Run jobs that gave up again: all, or those named below.")
    ] = False,
    id: Annotated[int | None, typer.Option(help="Only this job.", min=1, max=2**63 - 1)] = None,
    kind: Annotated[str | None, typer.Option(help="Only jobs of this kind.")] = None,
    since: Annotated[str | None, typer.Option(help="Only jobs made since, as 2026-11-30T09:00:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Only jobs made before.")] = None,
    json: Json = False,
) -> None:
    """Show what waits to be done and what gave up, with the reason."""
    for name, text in (("--since", since), ("--until", until)):
        _moment(text, name)
    chosen = {"id": id, "kind": kind, "since": since, "until": until}
    _module("jobs").jobs(_settings(), chosen, again=again, json=json)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 finds a free one.", min=0, max=65535)] = 8080,
    data: Annotated[Path | None, typer.Option(help="Folder to fill, or to go on with.", show_default="new")] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same seed gives the same data and ids.", show_default="42")
    ] = None,
    conversations: Annotated[
        int | None, typer.Option(help="How many conversations.", min=1, max=10_000_000, show_default="1000")
    ] = None,
    rate_limit: Annotated[
        int | None, typer.Option(help="Units a minute; 0 turns the limit off.", min=0, show_default="400")
    ] = None,
    now: Annotated[str | None, typer.Option(help="When it is in the sandbox, as 2026-11-30T09:00:00Z.")] = None,
    json: Json = False,
) -> None:
    """Run an invented account to build and test against, on loopback; no mail leaves it."""
    options = Options(Path(), seed, conversations, rate_limit, _moment(now, "--now"))
    _module("sandboxing").sandbox(options, port=port, as_json=json, given_folder=data)


@app.command()
def init(
    account: Annotated[str | None, typer.Option(help="The account's name.")] = None,
    name: Annotated[str | None, typer.Option(help="The owner's name.")] = None,
    email: Annotated[str | None, typer.Option(help="The owner's e-mail address, to sign in with.")] = None,
    password: Annotated[str | None, typer.Option(help="The owner's password; - reads a line from stdin.")] = None,
    inbox: Annotated[str | None, typer.Option(help="The first inbox's name.")] = None,
    inbox_email: Annotated[str | None, typer.Option(help="The address customers write to.")] = None,
    application: Annotated[str, typer.Option(help="The name of the application that may use the API.")] = "API",
    redirect_url: Annotated[
        str | None, typer.Option(help="Where the application awaits people who approved it.", show_default="base_url")
    ] = None,
    timezone: Annotated[str, typer.Option(help="The account's time zone.")] = "UTC",
    another: Annotated[bool, typer.Option("--another", help="Even if there is an account already.")] = False,
    json: Json = False,
) -> None:
    """Open the first account.

    With an owner, an inbox and an application that may use the API; asks for what no option says.
    """
    wanted = {
        "account": account, "name": name, "email": email, "password": password, "inbox": inbox,
        "inbox_email": inbox_email, "application": application, "redirect_url": redirect_url, "timezone": timezone,
    }  # fmt: skip
    _module("opening").init(_settings(), wanted, another=another, json=json)


@app.command()
def migrate(json: Json = False) -> None:
    """Bring the database's schema up to date."""
    _module("migrating").migrate(_settings(), json=json)


@app.command()
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Set right counters and tags that are wrong.")] = False,
    json: Json = False,
) -> None:
    """Verify that all is in order.

    Settings, database, counters, tags, files, audit chain, clock and disk; says what is wrong in words.
    """
    _module("checking").check(lambda: _settings(), repair=repair, json=json)


@app.command()
def mcp(
    key: Annotated[
        str, typer.Option(envvar="DESKHAND_MCP_KEY", help="The agent's key; best given by the environment.")
    ],
    url: Annotated[
        str, typer.Option(envvar="DESKHAND_MCP_URL", help="Where Deskhand listens.")
    ] = "http://127.0.0.1:8080",
) -> None:
    """Speak MCP over stdin and stdout, for one agent."""
    _module("mcp").mcp(key, url)


@webhooks.command("log")
def webhooks_log(
    webhook: Annotated[int, typer.Argument(help="The webhook's id.", min=1)],
    most: Annotated[int, typer.Option(help="How many deliveries.", min=1, max=10_000)] = 50,
    json: Json = False,
) -> None:
    """What was sent to a webhook in the last thirty days, the newest first, and what came of each attempt."""
    _module("webhooks").log(_settings(), webhook, most=most, json=json)


@webhooks.command("replay")
def webhooks_replay(
    delivery: Annotated[int, typer.Argument(help="The delivery's id, as the log shows it.", min=1)], json: Json = False
) -> None:
    """Send a delivery again: the same body under the same key."""
    _module("webhooks").replay(_settings(), delivery, json=json)


@app.command()
def version(json: Json = False) -> None:
    """Say which version this is."""
    typer.echo(f'{{"version":"{__version__}"}}' if json else f"deskhand {__version__}")
