"""The administration of a test's account, by real HTTP with a token of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from deskhand.gateway import admin_tokens
from tests.world import Desk

PREFIX = "/admin/v1"


@dataclass
class Admin:
    """Whoever holds an administrator's token."""

    desk: Desk
    token: str

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """One call beneath `/admin/v1`."""
        headers = {"Authorization": f"Bearer {self.token}"} | kwargs.pop("headers", {})
        url = self.desk.server.url + PREFIX + path
        return self.desk.http.request(method, url, headers=headers, allow_redirects=False, timeout=30, **kwargs)

    def get(self, path: str, **params: Any) -> Any:
        """What a call answers that must go well."""
        return self._good(self.call("GET", path, params=params))

    def post(self, path: str, body: Any = None) -> Any:
        return self._good(self.call("POST", path, json=body))

    def put(self, path: str, body: Any) -> Any:
        return self._good(self.call("PUT", path, json=body))

    def patch(self, path: str, body: Any) -> Any:
        return self._good(self.call("PATCH", path, json=body))

    def delete(self, path: str) -> None:
        assert self._good(self.call("DELETE", path)) is None

    def refused(self, method: str, path: str, body: Any = None, **kwargs: Any) -> tuple[int, list[tuple[str, str]]]:
        """The status of a call that is refused, and which field was wrong how."""
        answer = self.call(method, path, json=body, **kwargs)
        assert answer.headers["Content-Type"] == "application/vnd.error+json"
        errors = answer.json().get("_embedded", {}).get("errors", [])
        return answer.status_code, [(error["path"], error["message"]) for error in errors]

    def sentences(self) -> list[str]:
        """What the log says, the oldest first."""
        return [entry["sentence"] for entry in self.get("/audit", limit=500)["entries"]][::-1]

    def agent(self, name: str = "Triage", **more: Any) -> dict[str, Any]:
        """An agent, with the secrets that are shown once."""
        made: dict[str, Any] = self.post("/agents", {"name": name, **more})
        return made

    def as_agent(
        self, key: str, path: str = "/v2/conversations", method: str = "GET", **kwargs: Any
    ) -> requests.Response:
        """A call of an agent."""
        headers = {"Authorization": f"Bearer {key}"}
        return requests.request(method, self.desk.server.url + path, headers=headers, timeout=30, **kwargs)

    @staticmethod
    def _good(answer: requests.Response) -> Any:
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json() if answer.content else None


def administer(desk: Desk, name: str = "ops") -> Admin:
    """A new administrator's token for the account."""
    now = desk.server.clock.now()
    made = desk.write(lambda tx: admin_tokens.create(tx, desk.account_id, name, now))
    return Admin(desk, made.token)
