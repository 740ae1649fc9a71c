"""What single parts of a checked call cost: the decision, the two audit records of a call, and verifying the log."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvloop

from bench import data
from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import Asked, Of
from deskhand.catalogue.operations import OPERATIONS
from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.sqlite import open_sqlite
from deskhand.gateway import policy, reading
from deskhand.gateway.audit import Audit, Entry, Named
from deskhand.gateway.audit_export import JsonLines
from deskhand.gateway.calls import Request
from deskhand.gateway.grants import read_grants
from deskhand.gateway.policy import Found
from deskhand.gateway.presets import preset
from deskhand.gateway.verifying import Verification, verify_file
from deskhand.lib.clock import SystemClock
from deskhand.lib.signing_keys import SigningKey

INBOX = data.LIMITED_INBOX
LOOPED = 20
_JSON = {"content-type": "application/json"}
_REPLY = b'{"customer":{"email":"ann@buyer.example"},"text":"It is on its way."}'
_DECIDED = {
    "read a conversation": Request("GET", "/v2/conversations/5123"),
    "with its threads": Request("GET", "/v2/conversations/5123", "embed=threads"),
    "list an inbox": Request("GET", "/v2/conversations", f"mailbox={INBOX}"),
    "list its customers": Request("GET", "/v2/customers", f"mailbox={INBOX}"),
    "add a note": Request("POST", "/v2/conversations/5123/notes", "", _JSON, b'{"text":"It left this morning."}'),
    "reply, kept as a draft": Request("POST", "/v2/conversations/5123/reply", "", _JSON, _REPLY),
    "set tags, held": Request("PUT", "/v2/conversations/5123/tags", "", _JSON, b'{"tags":["vip"]}'),
    "delete, refused": Request("DELETE", "/v2/conversations/5123"),
}


# ---------------------------------------------------------------------------------------------------------------------
# The decision


def decisions(repeats: int) -> Mapping[str, float]:
    """Microseconds of a decision by kind of call."""
    return {name: decision_us(request, repeats) for name, request in _DECIDED.items()}


def decision_us(request: Request, repeats: int) -> float:
    """What deciding about a call of a drafter of one inbox takes, once it is read and its objects are known.

    The median of so many measurements of 20 decisions each.
    """
    asked: Asked = reading.read(Matcher(OPERATIONS), request)
    grants = read_grants(preset("drafter", [INBOX]))
    found: dict[Of, Found | None] = {
        of: Found(frozenset((INBOX,)), 1874, "active") for of in policy.wanted(asked)
    }  # fmt: skip
    now = SystemClock().now()
    taken = timeit.repeat(lambda: policy.decide(grants, asked, found, now), number=LOOPED, repeat=repeats)
    return statistics.median(taken) / LOOPED * 1e6


# ---------------------------------------------------------------------------------------------------------------------
# The log


@dataclass(frozen=True, slots=True)
class Logged:
    """CPU of a call's two records, and how long its decision is waited for."""

    cpu_us: float
    p50_ms: float


@contextmanager
def _log() -> Iterator[tuple[Path, Database, SigningKey]]:
    with tempfile.TemporaryDirectory(prefix="deskhand-bench-") as temporary:
        folder = Path(temporary)
        upgrade(sqlalchemy_url("", folder / SQLITE_FILE))
        database = open_database("", folder)
        try:
            yield folder, database, SigningKey(folder / "audit.key")
        finally:
            database.close()


def logging(calls: int, clients: int) -> Logged:
    """Decisions and completions of so many calls, by so many clients at a time."""
    with _log() as (_, database, key), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_logged(database, key, clients * 10, clients))
        began = time.process_time()
        waited = runner.run(_logged(database, key, calls, clients))
        return Logged((time.process_time() - began) / calls * 1e6, statistics.median(waited) * 1e3)


async def _logged(database: Database, key: SigningKey, calls: int, clients: int) -> list[float]:
    audit, waited, left = Audit(database, SystemClock(), key), list[float](), iter(range(calls))

    async def client() -> None:
        for number in left:
            began = time.perf_counter()
            decided = await audit.decided(_entry(number))
            waited.append(time.perf_counter() - began)
            await audit.completed(1, decided, 200, 1.5)

    await asyncio.gather(*(client() for _ in range(clients)))
    await audit.settle()
    return waited


def _entry(number: int) -> Entry:
    return Entry(
        account_id=1, agent=Named(7, "Drafter"), door="rest", decision="allowed", reason="granted",
        rule="its access to conversations is read",
        sentence=f"Drafter was allowed to read conversation #{number} in Orders", operation="get_conversation",
        resource="conversations", action="read", method="GET", path=f"/v2/conversations/{5123 + number}",
        inbox_id=INBOX, conversation_id=5123 + number, conversation_number=number, grant_version=1,
        arguments_hash="ab" * 32,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verified:
    """Records that are verified in a second: in an export far away, and in the database."""

    export: float
    database: float


def verifying(calls: int, rounds: int) -> Verified:
    """Write a log of so many calls, then verify it as often as there are rounds; the medians."""
    with _log() as (folder, database, key):
        uvloop.run(_logged(database, key, calls, 100))
        # As the server reads it and as the command does: in the thread that asks.
        export = folder / "log.jsonl"
        export.write_bytes(b"".join(_pieces(database, key)))
        records = verify_file(export).records
        assert records >= 2 * calls
        there = statistics.median(_seconds(partial(_verify_file, export)) for _ in range(rounds))
        again = open_sqlite(folder / SQLITE_FILE)
        here = statistics.median(_seconds(partial(_verify_database, again)) for _ in range(rounds))
        again.close()
        return Verified(records / there, records / here)


def _pieces(database: Database, key: SigningKey) -> Iterator[bytes]:
    lines = JsonLines(1, key, SystemClock().now())
    while piece := database.read_now(lines.piece):
        yield piece


def _verify_file(export: Path) -> None:
    assert verify_file(export).ok


def _verify_database(database: Database) -> None:
    verification = Verification(1)
    while (result := database.read_now(verification.page)) is None:
        pass
    assert result.ok


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
