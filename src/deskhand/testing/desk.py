"""A sandbox as a test sees it: the desk's address and credentials, and a lever for each thing that happens outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from deskhand.lib.clock import from_wire, to_wire
from deskhand.testing.calls import Answer, call

Opinion = Literal["great", "okay", "not_good"]


class CallFailed(Exception):
    """The sandbox refused what a test asked of it; the text says why."""

    def __init__(self, what: str, answer: Answer) -> None:
        super().__init__(f"{what}: {answer.status} {answer.text}")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a mail that came: where it is now. One that was skipped has no conversation, and a `reason`."""

    conversation_id: int | None
    thread_id: int | None
    inbox_id: int
    state: str
    reason: str
    message_id: str


class SandboxDesk:
    """A help desk with an invented account, of a test's own.

    `base_url`, `client_id` and `client_secret` are what a program under test is set up with; `description` is all that
    sandbox.json says: users, inboxes, agents with their keys, examples.
    """

    def __init__(self, description: dict[str, Any], folder: Path) -> None:
        self.description = description
        self.folder = folder
        self.base_url: str = description["base_url"]
        self.client_id: str = description["apps"][0]["client_id"]
        self.client_secret: str = description["apps"][0]["client_secret"]
        self._token = ""

    # -- The API

    @property
    def token(self) -> str:
        """An access token of the application that is good now; another one once the clock was moved."""
        if not self._token:
            given = {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            }
            answer = call(self.base_url, "POST", "/v2/oauth2/token", given)
            self._token = _good("no token", answer).json["access_token"]
        return self._token

    @property
    def headers(self) -> dict[str, str]:
        """What a call as the application has to say."""
        return {"Authorization": f"Bearer {self.token}"}

    def call(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, Any] | None = None, key: str = ""
    ) -> Answer:
        """Call the API as the application, or with another credential such as an agent's key."""
        headers = {"Authorization": f"Bearer {key}"} if key else self.headers
        return call(self.base_url, method, path, body, query=query, headers=headers)

    def get(self, path: str, **query: Any) -> Any:
        """What the API has at a path; raises CallFailed when it refuses."""
        return _good(f"GET {path}", self.call("GET", path, query=query)).json

    def agent(self, name: str) -> dict[str, Any]:
        """One of the agents (Reader, Drafter, Triage, Closer, Analyst), with its key."""
        return next(one for one in self.description["agents"] if one["name"] == name)

    # -- What happens outside

    def customer_writes(
        self,
        text: str = "Hello, where is my lamp?",
        *,
        email: str = "",
        inbox_id: int | None = None,
        subject: str | None = None,
        name: str = "",
        conversation_id: int | None = None,
    ) -> Written:
        """A customer writes a mail; with `conversation_id` they answer the last reply in it."""
        given: dict[str, Any] = {"text": text, "email": email, "name": name, "subject": subject, "inbox_id": inbox_id}
        if conversation_id is None:
            given["email"] = email or "paul.buyer@letterbox.example"
            given["inbox_id"] = inbox_id or self.description["inboxes"][0]["id"]
            given["subject"] = "A question" if subject is None else subject
        else:
            given["conversation_id"] = conversation_id
        return Written(**_written(self._do("POST", "customer-writes", given)))

    def mail_comes(self, raw: bytes, *, to: str = "") -> Written:
        """A message comes as it is, byte for byte, for the inbox it is addressed to."""
        query = {"to": to} if to else None
        answer = call(self.base_url, "POST", "/sandbox/mail/inbound", raw, query=query)
        return Written(**_written(_good("mail/inbound", answer).json))

    def bounce(self, thread_id: int, *, final: bool = True, reason: str = "") -> Written:
        """The mail of a reply bounces."""
        return Written(**_written(self._do("POST", "bounce", _body(locals()))))

    def rate(self, thread_id: int, rating: Opinion = "great", comments: str = "") -> int:
        """A customer rates a reply; gives the rating's id."""
        return int(self._do("POST", "rate", _body(locals()))["rating_id"])

    def play_day(
        self, date: str | None = None, *, conversations: int = 40, seed: int | None = None, staff: bool = False
    ) -> dict[str, Any]:
        """A working day in fast motion; gives what happened."""
        given = {name: value for name, value in _body(locals()).items() if value is not None}
        played: dict[str, Any] = self._do("POST", "day", given)
        self._token = ""
        return played

    def mails(self) -> list[dict[str, Any]]:
        """The mails that would have left, the newest first, once all that are due have."""
        self.settle()
        found: list[dict[str, Any]] = self._do("GET", "mail")["messages"]
        return found

    # -- Time

    def now(self) -> datetime:
        """The time on the desk."""
        return from_wire(self._do("GET", "clock")["now"])

    def advance(self, by: str) -> datetime:
        """Let time pass, such as `2d` or `1h30m`, and all happen that is due by then; gives the time."""
        return self._moved({"advance": by})

    def set_clock(self, to: datetime) -> datetime:
        """Go to a moment, and let all happen that is due by then; gives the time."""
        return self._moved({"set": to_wire(to)})

    def settle(self, timeout_s: float = 10.0) -> bool:
        """Wait until mails, webhooks and workflows that are due have been carried out; False when it took too long."""
        return bool(self._do("POST", "settle", {"timeout_s": timeout_s})["settled"])

    # -- What goes wrong

    def fault(
        self, operation: str, *, status: int | None = None, delay_ms: int = 0, cut: bool = False, times: int = 1
    ) -> None:
        """The next calls of an operation (`*`: of any) go wrong: a status, late, or cut off."""
        self._do("POST", "faults", _body(locals()))

    def webhook_fault(
        self,
        kind: Literal["duplicate", "late", "reordered", "refused"],
        *,
        webhook_id: int | None = None,
        times: int = 1,
        delay_ms: int | None = None,
    ) -> None:
        """The next deliveries of webhooks go wrong."""
        self._do("POST", "webhook-faults", _body(locals()))

    def journal(self, *, status: str = "", operation: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """The last requests, the newest first, and of each that was refused the reason."""
        query = {name: value for name, value in _body(locals()).items() if value}
        found: list[dict[str, Any]] = self._do("GET", "journal", query=query)["requests"]
        return found

    # -- State

    def snapshot(self, name: str = "snapshot") -> None:
        """Keep the state under a name."""
        self._do("PUT", f"snapshots/{quote(name, safe='')}")

    def restore(self, name: str = "snapshot") -> None:
        """Put that state back, and the clock."""
        self._do("POST", f"snapshots/{quote(name, safe='')}/restore")
        self._token = ""

    def reset(self) -> None:
        """Put everything back as it was in the beginning."""
        self._do("POST", "reset")
        self._token = ""

    def _moved(self, wanted: dict[str, str]) -> datetime:
        self._do("POST", "clock", wanted)
        self._token = ""
        self.settle()
        return self.now()

    def _do(self, method: str, what: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        answer = _good(what, call(self.base_url, method, f"/sandbox/{what}", body, query=query))
        return answer.json if answer.body else None


def _body(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != "self"}


def _written(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer.get(name, "") for name in Written.__slots__}


def _good(what: str, answer: Answer) -> Answer:
    if answer.status >= 400:
        raise CallFailed(what, answer)
    return answer
