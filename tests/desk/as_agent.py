"""An account as an agent sees it: calls go to the API in this process and are narrowed, as the gateway's are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from deskhand.desk.call import AS_AGENT, AsAgent
from tests.world import Desk


@dataclass
class AgentDesk(Desk):
    """One account on a live server, as an agent acts on it; `inboxes` None means all."""

    inboxes: frozenset[int] | None = None
    hide: frozenset[str] = frozenset()

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """One call; no credential goes with it."""
        url = path if path.startswith("http") else self.server.url + path
        asked = requests.Request(method, url, **kwargs).prepare()
        return asyncio.run(self._call(asked))

    async def _call(self, asked: requests.PreparedRequest) -> requests.Response:
        parts = urlsplit(str(asked.url))
        body = asked.body.encode() if isinstance(asked.body, str) else asked.body or b""
        scope = {
            "type": "http", "method": asked.method, "path": parts.path, "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in asked.headers.items()],
            AS_AGENT: AsAgent(self.account_id, self.user_id, self.inboxes, self.hide),
        }  # fmt: skip
        answer, pieces = requests.Response(), []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status_code = message["status"]
                headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
                answer.headers = CaseInsensitiveDict(headers)
            else:
                pieces.append(message.get("body", b""))

        await self.server.app.api(scope, receive, send)
        answer._content, answer.encoding = b"".join(pieces), "utf-8"
        return answer


def as_agent(
    desk: Desk, *inboxes: int, hide: Iterable[str] = (), everywhere: bool = False, user_id: int = 0
) -> AgentDesk:
    """The account as an agent narrowed to these inboxes sees it, or one that may see `everywhere`."""
    return AgentDesk(
        desk.server, desk.account_id, user_id or desk.add_system_user(), desk.application_id, "", "", "",
        inboxes=None if everywhere else frozenset(inboxes), hide=frozenset(hide),
    )  # fmt: skip
