"""The audit log: every call of an agent and every change of its administration, before anything is done about it.

A call is two records of one chain (chain.py): the decision, committed before the call is sent, and its completion.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from deskhand.db.engine import Database, Writer
from deskhand.gateway import chain
from deskhand.gateway.calls import Door
from deskhand.gateway.policy import Outcome
from deskhand.gateway.sentences import failed_sign_in, one_line
from deskhand.lib.clock import Clock
from deskhand.lib.signing_keys import SigningKey

log = logging.getLogger("deskhand.gateway")

KEY_FILE = "audit.key"
"""The file in the data folder that holds the key for signing checkpoints."""
LINGER_S = 0.005
"""How long a completion may wait for company: most are written together with the next call's decision."""
_AGAIN_AFTER_S = 1.0
_TOGETHER_MOST = 1_000
_UNWRITTEN_MOST = 100_000
_PATH_MOST = 500
_SIGN_INS_MOST = 20
"""Failed sign-ins of an account that are each logged in a minute; of more only their number is."""


class AuditUnavailable(Exception):
    """The entry could not be written, so the call must not be sent."""


class By(msgspec.Struct, frozen=True):
    """Who made a change."""

    type: Literal["user", "admin_token", "agent", "command_line"]
    id: int | None = None


class Named(msgspec.Struct, frozen=True):
    """An agent as entries name it."""

    id: int
    name: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is logged of a call when it has been decided.

    `resource` is the key of a resource as grants name it, `action` is read, write or delete. `arguments` are plain
    JSON; they are kept only where the settings say so.
    """

    account_id: int
    agent: Named | None
    door: Door
    decision: Outcome
    reason: str
    sentence: str
    rule: str = ""
    operation: str | None = None
    resource: str | None = None
    action: str | None = None
    method: str | None = None
    path: str | None = None
    inbox_id: int | None = None
    conversation_id: int | None = None
    conversation_number: int | None = None
    grant_version: int | None = None
    arguments_hash: str | None = None
    approval_id: int | None = None
    arguments: Any = None


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    """A record on its way into the chain, and who waits for its number."""

    account_id: int
    content: dict[str, Any]
    done: asyncio.Future[int] | None = None


class Audit:
    """Writes the log. What comes in while a write is under way shares the next transaction.

    Belongs to one event loop, but for `admin`. With `keep_arguments` entries have the calls' arguments, not only their
    hash; without a key no checkpoint is signed.
    """

    def __init__(
        self, database: Database, clock: Clock, key: SigningKey | None, *, keep_arguments: bool = False
    ) -> None:
        self._database = database
        self._clock = clock
        self._key = key
        self.keeps_arguments = keep_arguments
        self._decided: list[_Waiting] = []
        self._completed: list[_Waiting] = []
        self._writing = False
        self._timer: asyncio.TimerHandle | None = None
        self._ends: list[asyncio.Future[bool]] = []
        self._sign_ins: dict[int, _Minute] = {}

    async def decided(self, entry: Entry) -> int:
        """Log what was decided about a call; it is committed when this gives its number. Raises AuditUnavailable."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._decided.append(_Waiting(entry.account_id, self._content(entry), done))
        self._write_soon()
        return await done

    async def completed(
        self, account_id: int, number: int, status: int, milliseconds: float, resource_id: int | None = None
    ) -> None:
        """Log how a call ended; it is written within milliseconds and never an error: the call has been made."""
        content = {
            "type": "completion",
            "of": number,
            "status": status,
            "milliseconds": round(milliseconds),
            "resource_id": resource_id,
        }
        self._completed.append(_Waiting(account_id, content))
        if not self._writing:
            self._write_within(LINGER_S)

    def admin(
        self,
        tx: Writer,
        account_id: int,
        by: By | None,
        what: str,
        particulars: Mapping[str, Any] | None = None,
        agent: Named | None = None,
    ) -> int:
        """Log a change in the transaction that makes it, as its last act: until it ends, all other calls wait.

        `what` is the whole sentence; `by` is None for what happens by itself, `agent` whom the change is about.
        """
        content = {
            "type": "admin",
            "actor": None if by is None else {"type": by.type, "id": by.id},
            "agent": _agent(agent),
            "sentence": one_line(what),
            "particulars": {} if particulars is None else dict(particulars),
        }
        return chain.append(tx, account_id, [content], self._clock.now(), self._key)[0]

    async def failed_sign_in(
        self, account_id: int, why: str, *, agent: Named | None = None, door: Door = "rest", prefix: str = ""
    ) -> int | None:
        """Log that a credential was refused: `why` in words, and what people may see of it; never the secret.

        Gives no number where there were too many within a minute; how many is logged with the next one.
        """
        minute = self._sign_ins.setdefault(account_id, _Minute())
        if not minute.admits(int(self._clock.now().timestamp()) // 60):
            return None
        content = {
            "type": "decision",
            "agent": _agent(agent),
            "door": door,
            "operation": None,
            "decision": "refused",
            "reason": "sign_in",
            "rule": one_line(why),
            "sentence": failed_sign_in(agent.name if agent else None, why, minute.left_out),
            "status": 401,
            "prefix": one_line(prefix),
            "not_logged": minute.left_out,
        }
        minute.left_out = 0
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._decided.append(_Waiting(account_id, content, done))
        self._write_soon()
        return await done

    async def settle(self) -> None:
        """Wait until what was noted so far has been written, as far as it can be."""
        while self._decided or self._completed or self._writing:
            self._write_soon()
            end: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._ends.append(end)
            if not await end:
                return

    def _content(self, entry: Entry) -> dict[str, Any]:
        content: dict[str, Any] = {
            "type": "decision",
            "agent": _agent(entry.agent),
            "door": entry.door,
            "operation": entry.operation,
            "resource": entry.resource,
            "action": entry.action,
            "method": entry.method and one_line(entry.method, 20),
            "path": entry.path and one_line(entry.path, _PATH_MOST),
            "inbox_id": entry.inbox_id,
            "conversation_id": entry.conversation_id,
            "conversation_number": entry.conversation_number,
            "decision": entry.decision,
            "reason": entry.reason,
            "rule": one_line(entry.rule),
            "sentence": one_line(entry.sentence),
            "grant_version": entry.grant_version,
            "arguments_hash": entry.arguments_hash,
            "approval_id": entry.approval_id,
        }
        if self.keeps_arguments and entry.arguments is not None:
            content["arguments"] = entry.arguments
        return content

    def _write_within(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._write_soon)

    def _write_soon(self) -> None:
        """Write what waits, or leave it to the end of the write that is under way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing or not (self._decided or self._completed):
            return
        # Completions first, so that a chain reads in the order in which things happened.
        batch = (self._completed + self._decided)[:_TOGETHER_MOST]
        taken = min(len(self._completed), len(batch))
        del self._completed[:taken], self._decided[: len(batch) - taken]
        self._writing = True
        loop = asyncio.get_running_loop()

        def tell(numbers: list[int] | None, problem: BaseException | None) -> None:
            loop.call_soon_threadsafe(self._ended, batch, numbers, problem)

        self._database.write_then(lambda tx: self._append(tx, batch), tell)

    def _ended(self, batch: list[_Waiting], numbers: list[int] | None, problem: BaseException | None) -> None:
        self._writing = False
        if numbers is None:
            # Whatever the problem is: what isn't logged must not be done.
            log.error("the audit log can't be written: %s", problem)
            self._refuse(batch, AuditUnavailable(str(problem)))
        else:
            for one, number in zip(batch, numbers, strict=True):
                if one.done is not None and not one.done.done():
                    one.done.set_result(number)
            if self._decided:
                self._write_soon()
            elif self._completed:
                self._write_within(LINGER_S)
        ends, self._ends = self._ends, []
        for end in ends:
            if not end.done():
                end.set_result(numbers is not None)

    def _refuse(self, batch: list[_Waiting], problem: AuditUnavailable) -> None:
        """Whoever waits is told; completions are tried again later."""
        for one in [*batch, *self._decided]:
            if one.done is not None and not one.done.done():
                one.done.set_exception(problem)
        self._decided.clear()
        self._completed[:0] = [one for one in batch if one.done is None]
        if (left_out := len(self._completed) - _UNWRITTEN_MOST) > 0:
            log.error("%s completions are left out of the audit log", left_out)
            del self._completed[:left_out]
        self._write_within(_AGAIN_AFTER_S)

    def _append(self, tx: Writer, batch: Sequence[_Waiting]) -> list[int]:
        """Append a batch, account by account in one order, so that processes never wait for each other in a circle."""
        places: dict[int, list[int]] = defaultdict(list)
        contents = []
        for place, one in enumerate(batch):
            places[one.account_id].append(place)
            contents.append(one.content)
        numbers = [0] * len(contents)
        now = self._clock.now()
        for account_id in sorted(places):
            its = places[account_id]
            appended = chain.append(tx, account_id, [contents[place] for place in its], now, self._key)
            for place, number in zip(its, appended, strict=True):
                numbers[place] = number
        return numbers


class _Minute:
    """How many failed sign-ins of an account were logged in the current minute, and how many were left out since."""

    def __init__(self) -> None:
        self.which = 0
        self.logged = 0
        self.left_out = 0

    def admits(self, minute: int) -> bool:
        if minute != self.which:
            self.which, self.logged = minute, 0
        if self.logged >= _SIGN_INS_MOST:
            self.left_out += 1
            return False
        self.logged += 1
        return True


def _agent(agent: Named | None) -> dict[str, Any] | None:
    return None if agent is None else {"id": agent.id, "name": one_line(agent.name)}
