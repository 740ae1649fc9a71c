"""`deskhand grants`: deciding what an agent may do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from deskhand.cli.administering import bench, read_file, run, show, table
from deskhand.gateway import grant_words, grants
from deskhand.gateway.administering.grants import ShownGrants
from deskhand.gateway.audit import By
from deskhand.gateway.presets import all_presets
from deskhand.settings import Settings


def show_one(settings: Settings, account: int | None, agent: str, *, json: bool) -> None:
    """Show what an agent may do: the grants as JSON, as `set` takes them."""
    with bench(settings, account) as here:
        held = run(here.administration.grants.current(here.account_id, here.agent(agent)))
    show(held, lambda: _pretty(held), json=json)


def put(settings: Settings, account: int | None, agent: str, file: Path, *, json: bool) -> None:
    """Let an agent do what a file says."""
    given = read_file(file, "the file with the grants")
    with bench(settings, account) as here:
        held = run(here.administration.grants.put(here.who, here.agent(agent), given))
        names = here.inbox_names()
    show(held, lambda: _now(held, names), json=json)


def preset(
    settings: Settings, account: int | None, agent: str, name: str, inboxes: Sequence[int] | None, *, json: bool
) -> None:
    """Let an agent do what a preset says."""
    with bench(settings, account) as here:
        held = run(here.administration.grants.put_preset(here.who, here.agent(agent), name, inboxes or "all"))
        names = here.inbox_names()
    show(held, lambda: _now(held, names), json=json)


def presets(*, json: bool) -> None:
    """Show what the presets say."""
    found = all_presets()
    rows = [(name, grant_words.in_words(grants.read_grants(given))) for name, given in found.items()]
    show({"presets": found}, lambda: table(("NAME", "WHAT IT MAY DO"), rows, ""), json=json)


def history(settings: Settings, account: int | None, agent: str, *, json: bool) -> None:
    """Show every version of an agent's grants."""
    with bench(settings, account) as here:
        found = run(here.administration.grants.history(here.account_id, here.agent(agent)))
        names = here.inbox_names()
    rows = [
        (one.version, one.made_at, _by(one.made_by), grant_words.in_words(grants.read_grants(one.grants), names))
        for one in found
    ]
    heads = ("VERSION", "SINCE", "BY", "WHAT IT MIGHT DO")
    show({"versions": found}, lambda: table(heads, rows, "Nothing was ever granted."), json=json)


def diff(
    settings: Settings, account: int | None, agent: str, since: int | None, until: int | None, *, json: bool
) -> None:
    """Show what is different between two versions."""
    with bench(settings, account) as here:
        changes = run(here.administration.grants.diff(here.account_id, here.agent(agent), since, until))
    show({"changes": changes}, lambda: "\n".join(changes) or "There is no difference.", json=json)


def revert(settings: Settings, account: int | None, agent: str, version: int, *, json: bool) -> None:
    """Bring back an earlier version."""
    with bench(settings, account) as here:
        held = run(here.administration.grants.revert(here.who, here.agent(agent), version))
        names = here.inbox_names()
    show(held, lambda: _now(held, names), json=json)


def cedar(settings: Settings, account: int | None, agent: str, *, json: bool) -> None:
    """Show what an agent may do as Cedar policies."""
    with bench(settings, account) as here:
        policies = run(here.administration.grants.cedar(here.account_id, here.agent(agent)))
    show({"policies": policies}, lambda: policies.rstrip(), json=json)


def _now(held: ShownGrants, names: dict[int, str]) -> str:
    given = {name: value for name, value in msgspec.structs.asdict(held).items() if name != "version"}
    return f"Version {held.version}: it {grant_words.in_words(grants.read_grants(given), names)}."


def _pretty(held: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(held), indent=2).decode()


def _by(by: By) -> str:
    return by.type.replace("_", " ") + ("" if by.id is None else f" {by.id}")
