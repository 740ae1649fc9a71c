"""An agent's calls of tools: arguments in, result out, through the relay like the calls of every door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from deskhand.catalogue.operation import AnyOperation
from deskhand.catalogue.problems import BadRequest, Problem
from deskhand.entrance import tools
from deskhand.entrance.results import CREATED, Result, result
from deskhand.entrance.tools import Arguments, Tool
from deskhand.gateway.agents import Agent
from deskhand.gateway.relay import Relay


class Toolbox:
    """The tools there are, by name, and the way to the desk."""

    def __init__(self, operations: Sequence[AnyOperation], relay: Relay) -> None:
        self._operations = operations
        self._relay = relay

    @cached_property
    def tools(self) -> Sequence[Tool]:
        """Every operation as a tool; made when first asked for, because it takes longer than all else at the start."""
        return tools.derived(self._operations)

    @cached_property
    def _by_name(self) -> Mapping[str, Tool]:
        return {tool.name: tool for tool in self.tools}

    def knows(self, operation: str) -> bool:
        """Whether an operation can be called here."""
        return operation in self._by_name

    def operation(self, name: str) -> AnyOperation:
        """An operation by its name."""
        return self._by_name[name].operation

    async def call(self, agent: Agent, name: str, arguments: Arguments, idempotency_key: Any = None) -> Result:
        """Carry out an operation, or hear why not."""
        tool = self._by_name.get(name)
        if tool is None:
            return result(await self._relay.unknown(agent, name, "mcp"))
        try:
            request = tools.request(tool, arguments, idempotency_key)
        except BadRequest as problem:
            return await self.refuse(agent, tool.operation.method, tool.operation.path, problem)
        found = result(await self._relay.call(agent, request, "mcp"), tool.operation.resource)
        if found.content.get("status") == CREATED and tools.left_as_draft(tool, arguments, agent.grants):
            found.content["draft"] = True
        return found

    async def approval(self, agent: Agent, id: int) -> Result:
        """How a held call of the agent stands."""
        return result(await self._relay.approval(agent, id, "mcp"))

    async def refuse(self, agent: Agent, method: str, path: str, problem: Problem) -> Result:
        """Refuse, and log, what no call can be made of."""
        return result(await self._relay.unclean(agent, method, path, problem, "mcp"))
