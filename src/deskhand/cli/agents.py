"""`deskhand agents`: making agents, seeing and stopping them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from deskhand.cli.administering import NEVER, Bench, bench, read_file, run, show, table
from deskhand.gateway import grant_words, grants
from deskhand.gateway.administering.agents import ShownAgent
from deskhand.gateway.stops import Stop
from deskhand.settings import Settings

ONCE = "The secrets are shown this once: only their hashes are kept."


def listed(settings: Settings, account: int | None, *, json: bool) -> None:
    """Show all agents."""
    with bench(settings, account) as here:
        found = run(here.administration.agents.listed(here.account_id))
        rows = [(one.id, one.name, one.state, len(one.keys), _may(here, one)) for one in found]
    show(
        {"agents": found},
        lambda: table(("ID", "NAME", "STATE", "KEYS", "WHAT IT MAY DO"), rows, "There are no agents yet."),
        json=json,
    )


def show_one(settings: Settings, account: int | None, agent: str, *, json: bool) -> None:
    """Show an agent with its keys."""
    with bench(settings, account) as here:
        found = run(here.administration.agents.one(here.account_id, here.agent(agent)))
        may = _may(here, found)
    show(found, lambda: _words(found, may), json=json)


def create(
    settings: Settings, account: int | None, name: str, file: Path | None, wanted: Mapping[str, Any], *, json: bool
) -> None:
    """Make an agent."""
    given = None if file is None else read_file(file, "the file with the grants")
    with bench(settings, account) as here:
        made = run(here.administration.agents.create(here.who, name, given=given, **wanted))
        may = _may(here, run(here.administration.agents.one(here.account_id, made.id)))
    lines = (
        f"Agent {made.id}, {made.name}, is made: it {may}.",
        f"  key            {made.key}",
        f"  client_id      {made.client_id}",
        f"  client_secret  {made.client_secret}",
        ONCE,
    )
    show(made, lambda: "\n".join(lines), json=json)


def rename(settings: Settings, account: int | None, agent: str, name: str, *, json: bool) -> None:
    """Give an agent another name."""
    with bench(settings, account) as here:
        after = run(here.administration.agents.rename(here.who, here.agent(agent), name))
    show(after, lambda: f"Agent {after.id} is called {after.name} now.", json=json)


def pause(settings: Settings, account: int | None, agent: str, *, json: bool) -> None:
    """Refuse all calls of an agent."""
    with bench(settings, account) as here:
        after = run(here.administration.agents.pause(here.who, here.agent(agent)))
    show(after, lambda: f"Agent {after.id}, {after.name}, is paused.", json=json)


def resume(settings: Settings, account: int | None, agent: str, *, json: bool) -> None:
    """Let an agent go on."""
    with bench(settings, account) as here:
        after = run(here.administration.agents.resume(here.who, here.agent(agent)))
    show(after, lambda: f"Agent {after.id}, {after.name}, goes on.", json=json)


def delete(settings: Settings, account: int | None, agent: str, *, json: bool) -> None:
    """End an agent."""
    with bench(settings, account) as here:
        id = here.agent(agent)
        run(here.administration.agents.delete(here.who, id))
    show({"deleted": id}, lambda: f"Agent {id} is deleted.", json=json)


# -- Credentials


def add_key(settings: Settings, account: int | None, agent: str, expires: str | None, *, json: bool) -> None:
    """Give an agent another key."""
    with bench(settings, account) as here:
        made = run(here.administration.credentials.add_key(here.who, here.agent(agent), expires))
    lines = (f"Key {made.id}, which ends {expires or NEVER}:", f"  key  {made.key}", ONCE)
    show(made, lambda: "\n".join(lines), json=json)


def revoke_key(settings: Settings, account: int | None, agent: str, key: int, *, json: bool) -> None:
    """Take a key away."""
    with bench(settings, account) as here:
        run(here.administration.credentials.revoke_key(here.who, here.agent(agent), key))
    show({"revoked": key}, lambda: f"Key {key} is revoked.", json=json)


def renew_secret(settings: Settings, account: int | None, agent: str, *, json: bool) -> None:
    """Give an agent another client secret."""
    with bench(settings, account) as here:
        made = run(here.administration.credentials.renew_secret(here.who, here.agent(agent)))
    lines = (f"  client_id      {made.client_id}", f"  client_secret  {made.client_secret}", ONCE)
    show(made, lambda: "\n".join(lines), json=json)


# -- The kill switch


def stop(
    settings: Settings,
    account: int | None,
    agent: str | None,
    inbox: int | None,
    scope: Literal["writes", "all"],
    *,
    json: bool,
) -> None:
    """Stop agents."""
    with bench(settings, account) as here:
        if agent is not None:
            made = run(here.administration.stops.add(here.who, "agent", here.agent(agent)))
        elif inbox is not None:
            made = run(here.administration.stops.add(here.who, "inbox_writes", inbox))
        else:
            made = run(here.administration.stops.add(here.who, scope))
    lift = f'"deskhand agents lift {made.id}" takes it back.'
    show(made, lambda: f"Stop {made.id}: {_stopped(made)} within a second. {lift}", json=json)


def stops(settings: Settings, account: int | None, *, json: bool) -> None:
    """Show what is stopped."""
    with bench(settings, account) as here:
        found = run(here.administration.stops.listed(here.account_id))
    rows = [(one.id, one.made_at, _stopped(one)) for one in found]
    show({"stops": found}, lambda: table(("ID", "SINCE", "WHAT"), rows, "Nothing is stopped."), json=json)


def lift(settings: Settings, account: int | None, stop: int | None, *, json: bool) -> None:
    """Take back a stop, or all."""
    with bench(settings, account) as here:
        if stop is None:
            count = run(here.administration.stops.lift_all(here.who))
        else:
            run(here.administration.stops.lift(here.who, stop))
            count = 1
    show({"lifted": count}, lambda: "Lifted." if count else "Nothing was stopped.", json=json)


# -- In words


def _may(here: Bench, one: ShownAgent) -> str:
    names = here.inbox_names() if one.connection_id is None else {}
    return grant_words.in_words(grants.read_grants(one.grants), names)


def _words(one: ShownAgent, may: str) -> str:
    where = "" if one.connection_id is None else f" on connection {one.connection_id}"
    lines = [
        f"Agent {one.id}, {one.name}, is {one.state}{where}.",
        f"  client_id  {one.client_id}",
        *(
            f"  key {key.id:<6} {key.prefix}…, made {key.created_at}, last used {key.last_used_at or NEVER}, "
            f"ends {key.expires_at or NEVER}"
            for key in one.keys
        ),
        f"  grants     version {one.grant_version}: {may}",
    ]
    return "\n".join(lines)


def _stopped(one: Stop) -> str:
    return {
        "agent": f"agent {one.target_id} is stopped",
        "inbox_writes": f"what agents write in inbox {one.target_id} is stopped",
        "writes": "all that agents write is stopped",
        "all": "all agents are stopped",
    }[one.scope]
