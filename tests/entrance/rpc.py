"""A client of `/mcp` by hand: what it sends is under the test's control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from tests.agents import AgentOf, log_of
from tests.world import Desk

CURRENT = "2026-07-28"
_META = {"io.modelcontextprotocol/protocolVersion": CURRENT, "io.modelcontextprotocol/clientCapabilities": {}}


@dataclass
class Rpc:
    """Calls as an agent, without a handshake, or as of the current revision."""

    agent: AgentOf

    def post(self, body: Any, **headers: str) -> requests.Response:
        """One message as it is given: bytes, or what becomes JSON."""
        given: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        named = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self.agent.request("POST", "/mcp", headers=named, **given)

    def ask(self, method: str, **params: Any) -> requests.Response:
        """A request as clients of older revisions send it."""
        return self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})

    def ask_current(self, method: str, **params: Any) -> requests.Response:
        """A request of the current revision, with the headers that repeat it."""
        headers = {"MCP_Protocol_Version": CURRENT, "Mcp_Method": method}
        if "name" in params:
            headers["Mcp_Name"] = params["name"]
        meta = _META | params.pop("_meta", {})
        return self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params | {"_meta": meta}}, **headers)

    def result(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a request that has one."""
        answer = self.ask(method, **params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["result"]
        return found

    def tools(self) -> list[str]:
        """The names of the tools that the agent is shown."""
        return [tool["name"] for tool in self.result("tools/list")["tools"]]

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """What a tool gives, which has to go well."""
        found = self.result("tools/call", name=name, arguments=arguments)
        assert not found["isError"], found
        content: dict[str, Any] = found["structuredContent"]
        return content

    def refusal(self, name: str, **arguments: Any) -> dict[str, Any]:
        """What a tool says that does not go well."""
        found = self.result("tools/call", name=name, arguments=arguments)
        assert found["isError"], found
        content: dict[str, Any] = found["structuredContent"]
        return content

    def logged(self) -> list[tuple[Any, Any, Any]]:
        """The operation, the decision and the reason of each entry about this agent's calls, the oldest first."""
        log = log_of(self.agent.desk, agent=self.agent.id)
        return [(one.operation, one.decision, one.reason) for one in reversed(log) if one.decision]


def add_conversation(desk: Desk, inbox_id: int, *texts: str, email: str = "paul@buyer.example", **more: Any) -> int:
    """A conversation of a customer who writes these texts."""
    customer = {"email": email, "firstName": "Paul"}
    threads = [{"type": "customer", "text": text, "customer": customer} for text in texts or ("Where is it?",)]
    body = {"subject": "Order", "type": "email", "mailboxId": inbox_id, "status": "active", "customer": customer}
    answer = desk.post("/v2/conversations", body | {"threads": threads} | more)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])
