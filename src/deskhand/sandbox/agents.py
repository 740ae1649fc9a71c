"""The sandbox's agents: one for each preset, with credentials that the same seed always gives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from deskhand.db.engine import Database
from deskhand.desk import for_agents
from deskhand.gateway.administering.administration import Administration
from deskhand.gateway.administering.who import Who
from deskhand.gateway.audit import KEY_FILE, Audit, By
from deskhand.lib.clock import Clock
from deskhand.lib.secrets import Mint
from deskhand.lib.signing_keys import SigningKey
from deskhand.sandbox import shop

_WHO = "The sandbox"


class Cast(NamedTuple):
    """An agent to be made, and what it may do in words."""

    name: str
    preset: str
    inboxes: Literal["all"] | Sequence[int]
    describes: str


AGENTS = (
    Cast("Reader", "reader", "all", "reads everything but webhooks, changes nothing"),
    Cast(
        "Drafter", "drafter", (shop.ORDERS,),
        "sees the inbox Orders only; its replies become drafts, changing tags waits for a person",
    ),
    Cast(
        "Triage", "triage", (shop.ORDERS, shop.PRODUCTS),
        "sees Orders and Products; sets status, owner and tags, writes notes, sends no replies",
    ),
    Cast("Closer", "closer", "all", "as Triage but everywhere, and it sends replies"),
    Cast("Analyst", "analyst", "all", "reads reports and tags, nothing that customers wrote"),
)  # fmt: skip


class Made(NamedTuple):
    """The agents as sandbox.json has them, and an administrator's token."""

    agents: list[dict[str, Any]]
    admin_token: str


def make(database: Database, clock: Clock, folder: Path, account_id: int, mint: Mint) -> Made:
    """Make the agents and the token, with credentials by `mint`."""
    audit = Audit(database, clock, SigningKey(folder / KEY_FILE))
    verbs = Administration(database, clock, audit, for_agents.Authors(), for_agents.inbox_names, mint)
    who = Who(account_id, By("command_line"), _WHO)

    async def make() -> Made:
        made = [
            (await verbs.agents.create(who, one.name, preset=one.preset, inboxes=one.inboxes), one) for one in AGENTS
        ]
        token = await verbs.tokens.make(who, "sandbox")
        agents = [
            {
                "name": agent.name,
                "key": agent.key,
                "client_id": agent.client_id,
                "client_secret": agent.client_secret,
                "describes": one.describes,
            }
            for agent, one in made
        ]
        return Made(agents, token.token)

    return asyncio.run(make())
