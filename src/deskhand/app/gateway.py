"""What stands between agents and a desk, put together: for the server with its desk, and for the gateway alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from typing import Any

from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from deskhand.admin import routes as admin_routes
from deskhand.admin.parts import Parts
from deskhand.api.errors import answer_problem
from deskhand.api.rate_limit import RateLimit
from deskhand.catalogue.events import CONVERSATION_DELETED
from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import Of
from deskhand.catalogue.operations import OPERATIONS
from deskhand.catalogue.problems import NotFound, Problem
from deskhand.db.engine import Database, Reader, Writer
from deskhand.desk import for_agents
from deskhand.desk.call import AsAgent
from deskhand.desk.drafts_sent import sent_draft
from deskhand.entrance import mcp
from deskhand.entrance.http import RestDoor
from deskhand.entrance.oauth import Endpoints
from deskhand.entrance.oauth_page import AuthorizePage
from deskhand.gateway import admin_tokens, approval_rows, connections, credentials, drafts, stops
from deskhand.gateway.admin_tokens import AdminTokens
from deskhand.gateway.administering.administration import Administration
from deskhand.gateway.agents import Agent, Agents
from deskhand.gateway.approvals import Approvals
from deskhand.gateway.audit import KEY_FILE, Audit
from deskhand.gateway.budget import Budget
from deskhand.gateway.calls import Answer
from deskhand.gateway.drafts import Draft, Drafts, Published
from deskhand.gateway.explaining import Explaining
from deskhand.gateway.judging import Judging
from deskhand.gateway.local import Local
from deskhand.gateway.noting import Noting
from deskhand.gateway.recording import Recording
from deskhand.gateway.relay import Relay
from deskhand.gateway.remembering import Remembering
from deskhand.gateway.remote import Remotes
from deskhand.gateway.retention import Upkeep
from deskhand.gateway.sending import Sending
from deskhand.gateway.sign_ins import SignIns
from deskhand.gateway.stops import Stops
from deskhand.gateway.upstream import Upstream
from deskhand.lib.clock import Clock
from deskhand.lib.sealing import Sealer
from deskhand.lib.signing_keys import SigningKey
from deskhand.mail.inbound import Keeper
from deskhand.outbox.events import Fact
from deskhand.outbox.worker import Listener
from deskhand.settings import Settings

ADMIN_PATH = "/admin/v1"
CACHED = (credentials.AGENTS_CHANGED, stops.CHANGED, admin_tokens.CHANGED)
"""The names under which the gateway's memories hear of changes."""


class Gateway:
    """The gateway's parts. Use `running` around serving: it holds the connections to remote desks."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        local: Local | None,
        default_connection: int | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        """Without a `local` desk all agents work on remote ones, those that name none on the default.

        `keeper` keeps mail that administrators hand over; without a desk there is none.
        """
        self._local = local
        self._keeper = keeper
        self.database = database
        self.clock = clock
        self.signing_key = SigningKey(settings.data_dir / KEY_FILE)
        self.audit = Audit(database, clock, self.signing_key, keep_arguments=settings.audit_arguments)
        self._upkeep = Upkeep(database, self.audit, self.signing_key, clock, settings.audit_days)
        self.agents = Agents(database, clock, self.audit)
        self.stops = Stops(database)
        self.sign_ins = SignIns(database, clock, self.audit)
        self.budget = Budget(clock, database, settings.workers)
        self.sealer = Sealer(settings.secret_key, settings.data_dir / connections.KEY_FILE)
        self.remotes = Remotes(database, clock, self.sealer, self.budget, default=default_connection)
        matcher = Matcher(OPERATIONS)
        self.judging = Judging(self._upstream_of, self.stops, clock)
        self.explaining = Explaining(matcher, self.judging, clock)
        recording = Recording(self.audit, self.budget, self._upstream_of)
        noting = Noting(matcher, self._upstream_of, Drafts(database, clock))
        sending = Sending(
            self._upstream_of, self.agents, self.judging, self.budget, recording, noting, settings.base_url
        )
        self.approvals = Approvals(
            database, clock, self.audit, self.agents, matcher, look=None if local is None else for_agents.look_up
        )
        self.relay = Relay(
            matcher, self.judging, recording, sending, self.approvals, Remembering(database, clock), _worded
        )
        self.approvals.release = self.relay.release
        self.administration = Administration(
            database,
            clock,
            self.audit,
            None if local is None else for_agents.Authors(),
            None if local is None else for_agents.inbox_names,
        )
        self.rest = RestDoor(self.relay, self.agents)
        self._mcp_parts = mcp.Parts(
            OPERATIONS, self.relay, self.agents, self.audit, database, clock, settings.base_url,
            sign_in=local is not None,
        )  # fmt: skip
        self.mcp = mcp.McpDoor(self._mcp_parts)

    @property
    def routes(self) -> list[BaseRoute]:
        """The pages of the gateway: administration, and OAuth for MCP clients."""
        parts = Parts(
            self.database, self.clock, AdminTokens(self.database, self.clock), self.administration, self.approvals,
            self.budget, self.remotes.connections, self.audit, self.signing_key, self.explain, self.sealer,
            self._keeper,
        )  # fmt: skip
        mcp_oauth = [*Endpoints(self._mcp_parts).routes, *AuthorizePage(self._mcp_parts).routes] if self._local else []
        return [Mount(ADMIN_PATH, routes=admin_routes.routes(parts)), *mcp_oauth]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep what calls need, and at the end write what is still to be written."""
        async with self.remotes:
            upkeep = asyncio.create_task(self._upkeep.run(), name="audit upkeep")
            try:
                yield
            finally:
                upkeep.cancel()
                await asyncio.gather(upkeep, return_exceptions=True)
                await self.audit.settle()

    async def explain(
        self, account_id: int, agent_id: int, method: str, path: str, query: Any, body: Any
    ) -> dict[str, Any]:
        """What would become of a call of an agent; raises NotFound for an unknown agent."""
        agent = await self.agents.by_id(account_id, agent_id)
        if agent is None:
            raise NotFound
        return await self.explaining.explain(agent, method, path, query, body)

    def _upstream_of(self, agent: Agent) -> Upstream:
        if self._local is None or agent.connection_id is not None:
            return self.remotes.of(agent)
        return self._local


def local_desk(app: ASGIApp, database: Database, rate_limit: RateLimit, base_url: str) -> Local:
    """The desk in this process, as the gateway reaches it."""

    async def look_up(account_id: int, wanted: Set[Of]) -> Mapping[Of, for_agents.Place | None]:
        return await database.read(lambda db: for_agents.look_up(db, account_id, wanted))

    async def inbox_names(account_id: int) -> Mapping[int, str]:
        return await database.read(lambda db: for_agents.inbox_names(db, account_id))

    async def limit(account_id: int) -> int:
        return await database.read(lambda db: for_agents.rate_limit(db, account_id))

    return Local(
        app, base_url, as_agent=AsAgent, look_up=look_up, inbox_names=inbox_names, limit=limit, left=rate_limit.left
    )  # fmt: skip


def listener(settings: Settings, database: Database, clock: Clock) -> Listener:
    """To be told of the desk's events: the log tells what becomes of agents' drafts; deleted texts go here too."""
    audit = Audit(database, clock, SigningKey(settings.data_dir / KEY_FILE))
    of_drafts = drafts.listener(audit, _look, clock)

    def listen(tx: Writer, facts: Sequence[Fact]) -> None:
        of_drafts(tx, facts)
        for fact in facts:
            if fact.name == CONVERSATION_DELETED:
                drafts.forget(tx, fact.account_id, fact.subject_id)
                approval_rows.forget(tx, fact.account_id, fact.subject_id)

    return listen


def _look(db: Reader, fact: Fact, draft: Draft) -> Published | None:
    """What an agent's draft became."""
    found = sent_draft(db, fact.account_id, draft.thread_id, fact.actor_id)
    if found is None:
        return None
    name = f"{found.first_name} {found.last_name}".strip()
    return Published(found.text, found.number, fact.actor_id, name)


def _worded(problem: Problem) -> Answer:
    """A problem as the API words it."""
    answer = answer_problem(problem, os.urandom(16).hex())
    return Answer(answer.status, answer.body, answer.media_type, answer.headers)
