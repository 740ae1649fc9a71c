"""Agents, their credentials and their grants."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from deskhand.admin.call import Asked, Calls, Given
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.values import Id, WireTime
from deskhand.gateway.administering.agents import ShownAgent
from deskhand.gateway.administering.grants import ShownGrants, ShownVersion
from deskhand.gateway.agents import Made
from deskhand.gateway.keys import MadeKey
from deskhand.gateway.mcp_clients import Access
from deskhand.gateway.presets import all_presets
from deskhand.gateway.tokens import Client

CALLS = Calls("agents")
UNIQUE = ((409, "another agent has this name"),)


class NewAgent(Given, kw_only=True):
    """An agent to be made; grants may be given, or a preset by its name with the inboxes it is to hold in."""

    name: str
    preset: str | None = None
    inboxes: list[Id] | Literal["all"] | None = None
    grants: dict[str, Any] | None = None
    connection_id: Id | None = None
    key_expires_at: WireTime | None = None


class AgentName(Given, kw_only=True):
    """Another name for an agent."""

    name: str


class NewKey(Given, kw_only=True):
    """A key to be made."""

    expires_at: WireTime | None = None


class WhichPreset(Given, kw_only=True):
    """A preset, and the inboxes in which it is to hold."""

    preset: str
    inboxes: list[Id] | Literal["all"] = "all"


class WhichVersion(Given, kw_only=True):
    """A version of an agent's grants."""

    version: Id


class Between(Given, kw_only=True):
    """Two versions of an agent's grants; by default the one now and the one before."""

    since: int | None = msgspec.field(name="from", default=None)
    until: int | None = msgspec.field(name="to", default=None)


class Agents(msgspec.Struct, frozen=True):
    """All agents of the account."""

    agents: list[ShownAgent]


class Programs(msgspec.Struct, frozen=True):
    """The MCP clients that act for an agent, in the order in which they were let in."""

    programs: list[Access]


class Versions(msgspec.Struct, frozen=True):
    """Every version an agent's grants ever had, the newest first."""

    versions: list[ShownVersion]


class Changes(msgspec.Struct, frozen=True):
    """What is different between two versions, in words."""

    changes: list[str]


class Presets(msgspec.Struct, frozen=True):
    """Presets by their names, as grants."""

    presets: dict[str, dict[str, Any]]


class Cedar(msgspec.Struct, frozen=True):
    """An agent's grants as Cedar policies."""

    policies: str


@CALLS.add("GET", "/agents", answers=Agents)
async def list_agents(asked: Asked[NoQuery, NoBody]) -> Agents:
    """List the agents, with their keys and grants."""
    return Agents(await asked.parts.administration.agents.listed(asked.account_id))


@CALLS.add("POST", "/agents", body=NewAgent, answers=Made, status=201, errors=UNIQUE)
async def create_agent(asked: Asked[NoQuery, NewAgent]) -> Made:
    """Make an agent; its key and its client secret are shown here and never again."""
    given = asked.body
    return await asked.parts.administration.agents.create(
        asked.who,
        given.name,
        given=given.grants,
        preset=given.preset,
        inboxes=given.inboxes,
        connection_id=given.connection_id,
        key_expires_at=_plain(given.key_expires_at),
    )


@CALLS.add("GET", "/agents/{agent_id}", answers=ShownAgent)
async def get_agent(asked: Asked[NoQuery, NoBody]) -> ShownAgent:
    """Show an agent."""
    return await asked.parts.administration.agents.one(asked.account_id, asked.id)


@CALLS.add("PATCH", "/agents/{agent_id}", body=AgentName, answers=ShownAgent, errors=UNIQUE)
async def rename_agent(asked: Asked[NoQuery, AgentName]) -> ShownAgent:
    """Give an agent another name."""
    return await asked.parts.administration.agents.rename(asked.who, asked.id, asked.body.name)


@CALLS.add("DELETE", "/agents/{agent_id}")
async def delete_agent(asked: Asked[NoQuery, NoBody]) -> None:
    """Delete an agent: its keys and tokens stop working at once, the log goes on naming it."""
    await asked.parts.administration.agents.delete(asked.who, asked.id)


@CALLS.add("POST", "/agents/{agent_id}/pause", answers=ShownAgent)
async def pause_agent(asked: Asked[NoQuery, NoBody]) -> ShownAgent:
    """Pause an agent: its calls are refused until it is resumed."""
    return await asked.parts.administration.agents.pause(asked.who, asked.id)


@CALLS.add("POST", "/agents/{agent_id}/resume", answers=ShownAgent)
async def resume_agent(asked: Asked[NoQuery, NoBody]) -> ShownAgent:
    """Let a paused agent go on."""
    return await asked.parts.administration.agents.resume(asked.who, asked.id)


@CALLS.add(
    "POST",
    "/agents/{agent_id}/keys",
    body=NewKey,
    optional_body=True,
    answers=MadeKey,
    status=201,
    errors=((409, "the agent has two keys already"),),
)
async def create_agent_key(asked: Asked[NoQuery, NewKey]) -> MadeKey:
    """Give an agent another key; it is shown here and never again."""
    return await asked.parts.administration.credentials.add_key(asked.who, asked.id, _plain(asked.body.expires_at))


@CALLS.add("DELETE", "/agents/{agent_id}/keys/{key_id}")
async def revoke_agent_key(asked: Asked[NoQuery, NoBody]) -> None:
    """Revoke a key, which stops working at once."""
    await asked.parts.administration.credentials.revoke_key(asked.who, asked.id, asked.ids[1])


@CALLS.add("POST", "/agents/{agent_id}/client-secret", answers=Client, status=201)
async def renew_client_secret(asked: Asked[NoQuery, NoBody]) -> Client:
    """Give an agent another client secret; the old one and the tokens got by it stop working at once."""
    return await asked.parts.administration.credentials.renew_secret(asked.who, asked.id)


@CALLS.add("GET", "/agents/{agent_id}/programs", answers=Programs)
async def list_agent_programs(asked: Asked[NoQuery, NoBody]) -> Programs:
    """List the MCP clients that act for an agent because somebody let them in."""
    return Programs(await asked.parts.administration.credentials.programs(asked.account_id, asked.id))


@CALLS.add("DELETE", "/agents/{agent_id}/programs/{program_id}")
async def end_agent_program(asked: Asked[NoQuery, NoBody]) -> None:
    """End an MCP client's access to an agent at once."""
    await asked.parts.administration.credentials.end_program(asked.who, asked.id, asked.ids[1])


@CALLS.add("GET", "/agents/{agent_id}/grants", answers=ShownGrants)
async def get_agent_grants(asked: Asked[NoQuery, NoBody]) -> ShownGrants:
    """Show what an agent may do."""
    return await asked.parts.administration.grants.current(asked.account_id, asked.id)


@CALLS.add(
    "PUT",
    "/agents/{agent_id}/grants",
    body=dict[str, Any],
    answers=ShownGrants,
    errors=((409, "the version that was given is not the present one"),),
)
async def set_agent_grants(asked: Asked[NoQuery, dict[str, Any]]) -> ShownGrants:
    """Decide what an agent may do, in place of what it might before; `version` guards against changes meanwhile."""
    return await asked.parts.administration.grants.put(asked.who, asked.id, asked.body)


@CALLS.add("POST", "/agents/{agent_id}/grants/preset", body=WhichPreset, answers=ShownGrants)
async def set_agent_preset(asked: Asked[NoQuery, WhichPreset]) -> ShownGrants:
    """Let an agent do what a preset says, in some inboxes or in all, in place of what it might before."""
    given = asked.body
    return await asked.parts.administration.grants.put_preset(asked.who, asked.id, given.preset, given.inboxes)


@CALLS.add("GET", "/agents/{agent_id}/grants/history", answers=Versions)
async def list_grant_versions(asked: Asked[NoQuery, NoBody]) -> Versions:
    """List every version an agent's grants ever had."""
    return Versions(await asked.parts.administration.grants.history(asked.account_id, asked.id))


@CALLS.add("GET", "/agents/{agent_id}/grants/diff", query=Between, answers=Changes)
async def compare_grant_versions(asked: Asked[Between, NoBody]) -> Changes:
    """Tell in words what is different between two versions of an agent's grants."""
    query = asked.query
    return Changes(await asked.parts.administration.grants.diff(asked.account_id, asked.id, query.since, query.until))


@CALLS.add("POST", "/agents/{agent_id}/grants/revert", body=WhichVersion, answers=ShownGrants)
async def revert_agent_grants(asked: Asked[NoQuery, WhichVersion]) -> ShownGrants:
    """Bring an earlier version of an agent's grants back, as a new one."""
    return await asked.parts.administration.grants.revert(asked.who, asked.id, asked.body.version)


@CALLS.add("GET", "/agents/{agent_id}/grants/cedar", answers=Cedar)
async def export_agent_grants(asked: Asked[NoQuery, NoBody]) -> Cedar:
    """Write an agent's grants as Cedar policies."""
    return Cedar(await asked.parts.administration.grants.cedar(asked.account_id, asked.id))


@CALLS.add("GET", "/presets", answers=Presets)
async def list_presets(asked: Asked[NoQuery, NoBody]) -> Presets:
    """Show the presets as the grants that they are."""
    return Presets(all_presets())


def _plain(moment: WireTime | None) -> str | None:
    """A time as the text that it is, for the log takes nothing else."""
    return None if moment is None else str(moment)
