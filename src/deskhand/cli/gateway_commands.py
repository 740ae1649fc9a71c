"""The commands that administer the gateway: names, options and help. Each is a verb of `/admin/v1` as well."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deskhand.cli.options import Account, Json, group, module, moment, settings

agents = group("agents", "Make AI agents, see and stop them, and ask what one may do.")
grants = group("grants", "Decide what an agent may do.")
approvals = group("approvals", "Decide about calls of agents that wait for a person.")
connections = group("connections", "Lead agents to other help desks.")
admin_tokens = group("admin-tokens", "Let programs administer agents over HTTP, at /admin/v1.")
GROUPS = (agents, grants, approvals, connections, admin_tokens)

Name = Annotated[str | None, typer.Argument(help="The name.", show_default=False)]
NameOption = Annotated[str | None, typer.Option("--name", help="The same as an option.")]
Agent = Annotated[str, typer.Argument(help="The agent's id or name.")]
Inbox = Annotated[
    list[int] | None, typer.Option(help="Only in this inbox, by id; may be repeated.", show_default="all", min=1)
]
Expires = Annotated[str | None, typer.Option(help="When it ends, as 2026-11-30T09:00:00Z.", show_default="never")]
Grants = Annotated[Path, typer.Argument(help="A file with the grants as JSON; - reads stdin.", allow_dash=True)]
Secret = Annotated[str | None, typer.Option(help="The client secret; - reads a line from stdin.", show_default="asks")]


def _one(argument: str | None, option: str | None, what: str = "name") -> str:
    """A text that may be given either way."""
    if (argument is None) == (option is None):
        raise typer.BadParameter(f"give one {what}")
    return argument or option or ""


# -- Agents


@agents.command("list")
def agents_list(account: Account = None, json: Json = False) -> None:
    """All agents, and what they may do."""
    module("agents").listed(settings(), account, json=json)


@agents.command("show")
def agents_show(agent: Agent, account: Account = None, json: Json = False) -> None:
    """An agent, its keys and what it may do."""
    module("agents").show_one(settings(), account, agent, json=json)


@agents.command("create")
def agents_create(
    given_name: Name = None,
    name: NameOption = None,
    preset: Annotated[
        str | None, typer.Option(help="What it may do: reader, drafter, triage, closer or analyst.")
    ] = None,
    inbox: Inbox = None,
    grants: Annotated[
        Path | None, typer.Option(help="A file with the grants as JSON; - reads stdin.", allow_dash=True)
    ] = None,
    connection: Annotated[int | None, typer.Option(help="The connection to another help desk, by id.", min=1)] = None,
    expires: Expires = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Make an agent, which people see as the author of what it writes; its secrets are shown this once."""
    moment(expires, "--expires")
    wanted = {"preset": preset, "inboxes": inbox or None, "connection_id": connection, "key_expires_at": expires}
    module("agents").create(settings(), account, _one(given_name, name), grants, wanted, json=json)


@agents.command("rename")
def agents_rename(
    agent: Agent,
    name: Annotated[str, typer.Argument(help="The new name.")],
    account: Account = None,
    json: Json = False,
) -> None:
    """Give an agent another name."""
    module("agents").rename(settings(), account, agent, name, json=json)


@agents.command("pause")
def agents_pause(agent: Agent, account: Account = None, json: Json = False) -> None:
    """Refuse all calls of an agent until it is resumed."""
    module("agents").pause(settings(), account, agent, json=json)


@agents.command("resume")
def agents_resume(agent: Agent, account: Account = None, json: Json = False) -> None:
    """Let a paused agent go on."""
    module("agents").resume(settings(), account, agent, json=json)


@agents.command("delete")
def agents_delete(agent: Agent, account: Account = None, json: Json = False) -> None:
    """End an agent with its keys and tokens; the log goes on naming it."""
    module("agents").delete(settings(), account, agent, json=json)


@agents.command("key")
def agents_key(agent: Agent, expires: Expires = None, account: Account = None, json: Json = False) -> None:
    """Give an agent another key, shown this once; it may have two, so that one can take over from the other."""
    moment(expires, "--expires")
    module("agents").add_key(settings(), account, agent, expires, json=json)


@agents.command("revoke-key")
def agents_revoke_key(
    agent: Agent,
    key: Annotated[int, typer.Argument(help="The key's id, as `agents show` tells.", min=1)],
    account: Account = None,
    json: Json = False,
) -> None:
    """Take a key away from an agent, at once."""
    module("agents").revoke_key(settings(), account, agent, key, json=json)


@agents.command("secret")
def agents_secret(agent: Agent, account: Account = None, json: Json = False) -> None:
    """Give an agent another client secret, shown this once; the old one ends with the tokens got by it."""
    module("agents").renew_secret(settings(), account, agent, json=json)


@agents.command("explain")
def agents_explain(
    agent: Agent,
    method: Annotated[str, typer.Argument(help="As GET.")],
    path: Annotated[str, typer.Argument(help="As /v2/conversations, also with a query string.")],
    body: Annotated[str | None, typer.Option(help="The body as JSON; - reads stdin.")] = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Tell what would become of a call, which rule decides and what would change it."""
    module("explaining").explain(settings(), account, agent, method, path, body, json=json)


@agents.command("stop")
def agents_stop(
    agent: Annotated[str | None, typer.Option(help="Everything this agent does, by id or name.")] = None,
    inbox: Annotated[int | None, typer.Option(help="What agents write in this inbox, by id.", min=1)] = None,
    writes: Annotated[bool, typer.Option("--writes", help="All that agents write.")] = False,
    all: Annotated[bool, typer.Option("--all", help="All that agents do.")] = False,
    account: Account = None,
    json: Json = False,
) -> None:
    """Stop agents within a second; people go on."""
    if [agent is not None, inbox is not None, writes, all].count(True) != 1:
        raise typer.BadParameter("say one of --agent, --inbox, --writes and --all")
    module("agents").stop(settings(), account, agent, inbox, "writes" if writes else "all", json=json)


@agents.command("stops")
def agents_stops(account: Account = None, json: Json = False) -> None:
    """What is stopped."""
    module("agents").stops(settings(), account, json=json)


@agents.command("lift")
def agents_lift(
    stop: Annotated[int | None, typer.Argument(help="The stop's id, as `agents stops` tells.", min=1)] = None,
    all: Annotated[bool, typer.Option("--all", help="Every stop.")] = False,
    account: Account = None,
    json: Json = False,
) -> None:
    """Take back one stop, or all."""
    if (stop is None) == (not all):
        raise typer.BadParameter("give a stop's id or --all")
    module("agents").lift(settings(), account, stop, json=json)


# -- Grants


@grants.command("show")
def grants_show(agent: Agent, account: Account = None, json: Json = False) -> None:
    """What an agent may do."""
    module("grants").show_one(settings(), account, agent, json=json)


@grants.command("set")
def grants_set(agent: Agent, file: Grants, account: Account = None, json: Json = False) -> None:
    """Let an agent do what a file says, and nothing else."""
    module("grants").put(settings(), account, agent, file, json=json)


@grants.command("preset")
def grants_preset(
    agent: Agent,
    preset: Annotated[str, typer.Argument(help="reader, drafter, triage, closer or analyst.")],
    inbox: Inbox = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Let an agent do what a preset says, and nothing else."""
    module("grants").preset(settings(), account, agent, preset, inbox or None, json=json)


@grants.command("presets")
def grants_presets(json: Json = False) -> None:
    """What the presets say."""
    module("grants").presets(json=json)


@grants.command("history")
def grants_history(agent: Agent, account: Account = None, json: Json = False) -> None:
    """Every version of what an agent might do, and who decided so."""
    module("grants").history(settings(), account, agent, json=json)


@grants.command("diff")
def grants_diff(
    agent: Agent,
    since: Annotated[int | None, typer.Option("--from", help="A version.", min=0, show_default="before")] = None,
    until: Annotated[int | None, typer.Option("--to", help="A version.", min=0, show_default="now")] = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """What is different between two versions, in words."""
    module("grants").diff(settings(), account, agent, since, until, json=json)


@grants.command("revert")
def grants_revert(
    agent: Agent,
    version: Annotated[int, typer.Argument(help="The version to bring back.", min=1)],
    account: Account = None,
    json: Json = False,
) -> None:
    """Let an agent do again what it might in an earlier version."""
    module("grants").revert(settings(), account, agent, version, json=json)


@grants.command("cedar")
def grants_cedar(agent: Agent, account: Account = None, json: Json = False) -> None:
    """Write what an agent may do as Cedar policies."""
    module("grants").cedar(settings(), account, agent, json=json)


# -- Approvals


@approvals.command("list")
def approvals_list(
    state: Annotated[
        str, typer.Option(help="waiting, executed, failed, denied, expired, returned, or all.")
    ] = "waiting",
    cursor: Annotated[int | None, typer.Option(help="Go on where a page ended.", min=1)] = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Calls that wait for a person, or did, the newest first."""
    module("approving").listed(settings(), account, state, cursor, json=json)


@approvals.command("show")
def approvals_show(
    id: Annotated[int, typer.Argument(help="The approval's id.", min=1)], account: Account = None, json: Json = False
) -> None:
    """A call that waits: what would be done, and what would be written."""
    module("approving").show_one(settings(), account, id, json=json)


@approvals.command("approve")
def approvals_approve(
    id: Annotated[int, typer.Argument(help="The approval's id.", min=1)],
    text: Annotated[str | None, typer.Option(help="Write this instead; - reads stdin.")] = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Carry out a call that waits, once and now."""
    module("approving").approve(settings(), account, id, text, json=json)


@approvals.command("deny")
def approvals_deny(
    id: Annotated[int, typer.Argument(help="The approval's id.", min=1)],
    given_reason: Annotated[
        str | None, typer.Argument(metavar="reason", help="Why; the agent is told.", show_default=False)
    ] = None,
    reason: Annotated[str | None, typer.Option(help="The same as an option.")] = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Refuse a call that waits."""
    module("approving").deny(settings(), account, id, _one(given_reason, reason, "reason"), json=json)


# -- Connections


@connections.command("list")
def connections_list(account: Account = None, json: Json = False) -> None:
    """The ways to other help desks, and whether they work."""
    module("connecting").listed(settings(), account, json=json)


@connections.command("add")
def connections_add(
    name: Annotated[str, typer.Option(help="What to call it.")],
    base_url: Annotated[str, typer.Option(help="As https://api.helpscout.net.")],
    client_id: Annotated[str, typer.Option(help="The application's client id.")],
    client_secret: Secret = None,
    code: Annotated[str | None, typer.Option(help="An authorization code, to act as the user who gave it.")] = None,
    refresh_token: Annotated[str | None, typer.Option(help="A refresh token, to act as its user.")] = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Try a way to another help desk and keep it; its secrets are stored encrypted."""
    given = {"name": name, "base_url": base_url, "client_id": client_id, "code": code, "refresh_token": refresh_token}
    module("connecting").add(settings(), account, given, client_secret, json=json)


@connections.command("remove")
def connections_remove(
    id: Annotated[int, typer.Argument(help="The connection's id.", min=1)], account: Account = None, json: Json = False
) -> None:
    """Remove a way to another help desk that no agent uses."""
    module("connecting").remove(settings(), account, id, json=json)


# -- Administrators' tokens


@admin_tokens.command("create")
def admin_tokens_create(
    given_name: Name = None,
    name: NameOption = None,
    expires: Expires = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Make a token for /admin/v1, shown this once; the log goes by its name."""
    moment(expires, "--expires")
    module("admin_tokens").create(settings(), account, _one(given_name, name), expires, json=json)


@admin_tokens.command("list")
def admin_tokens_list(account: Account = None, json: Json = False) -> None:
    """The tokens that there are."""
    module("admin_tokens").listed(settings(), account, json=json)


@admin_tokens.command("revoke")
def admin_tokens_revoke(
    id: Annotated[int, typer.Argument(help="The token's id.", min=1)], account: Account = None, json: Json = False
) -> None:
    """Take a token away, at once."""
    module("admin_tokens").revoke(settings(), account, id, json=json)
