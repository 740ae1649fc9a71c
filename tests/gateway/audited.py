"""An account with an audit log of its own, on both databases, and small ways to write into it and to look at it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import rfc8785
import sqlalchemy as sa

from deskhand.db.engine import Database, Writer
from deskhand.db.statements import Statement, command
from deskhand.gateway.audit import Audit, Entry, Named
from deskhand.gateway.audit_export import JsonLines
from deskhand.gateway.tables import audit_record
from deskhand.gateway.verifying import Result, Verification, read_page, verify_lines
from deskhand.lib.clock import MovableClock
from deskhand.lib.signing_keys import SigningKey

T = TypeVar("T")
_accounts = itertools.count(1)
TRIAGE = Named(7, "Triage")


def refusal(account_id: int, **changed: Any) -> Entry:
    """An entry about a refused call, unless it says otherwise."""
    given: dict[str, Any] = {
        "account_id": account_id, "agent": TRIAGE, "door": "rest", "decision": "refused", "reason": "missing_grant",
        "sentence": "Triage was refused to delete conversation #1874 in Orders", "rule": "deleting needs full",
        "operation": "delete_conversation", "resource": "conversations", "action": "delete", "method": "DELETE",
        "path": "/v2/conversations/5123", "inbox_id": 501, "conversation_id": 5123, "conversation_number": 1874,
        "grant_version": 3, "arguments_hash": "ab" * 32,
    }  # fmt: skip
    return Entry(**(given | changed))


@dataclass
class Audited:
    """The log of one account, in a database that other tests use as well; `again` opens it as another process does."""

    database: Database
    again: Callable[[], Database]
    account_id: int
    key: SigningKey
    clock: MovableClock = field(default_factory=MovableClock)
    keep_arguments: bool = False

    def entry(self, **changed: Any) -> Entry:
        """An entry of this account."""
        return refusal(self.account_id, **changed)

    def audit(self) -> Audit:
        """A writer, as each process has one."""
        return Audit(self.database, self.clock, self.key, keep_arguments=self.keep_arguments)

    def run(self, work: Callable[[Audit], Awaitable[T]]) -> T:
        """Let a writer work in an event loop of its own, until all is written."""

        async def whole() -> T:
            audit = self.audit()
            result = await work(audit)
            await audit.settle()
            return result

        return asyncio.run(whole())

    def add(self, *entries: Entry, status: int | None = 403) -> list[int]:
        """Log calls one after the other; their numbers."""

        async def work(audit: Audit) -> list[int]:
            numbers = []
            for entry in entries:
                numbers.append(await audit.decided(entry))
                if status is not None:
                    await audit.completed(self.account_id, numbers[-1], status, 3.4)
                    await audit.settle()
            return numbers

        return self.run(work)

    def records(self) -> list[dict[str, Any]]:
        """The raw records as they are stored, with their hashes."""
        stored = self.database.read_now(lambda db: read_page(db, self.account_id, 0, 100_000))
        return [json.loads(record.content) | {"hash": record.hash} for record in stored]

    def export(self) -> list[bytes]:
        """The lines of an export."""
        source = JsonLines(self.account_id, self.key, self.clock.now())
        whole = b""
        while piece := self.database.read_now(source.piece):
            whole += piece
        return whole.splitlines()

    def verify(self, **options: Any) -> Result:
        """What verifying the database finds."""
        verification = Verification(self.account_id, **options)
        while (result := self.database.read_now(verification.page)) is None:
            pass
        return result

    def change(self, which: int, /, **values: Any) -> None:
        """Tamper with a record's columns."""
        found = (audit_record.c.account_id == self.account_id) & (audit_record.c.number == which)
        changed = {audit_record.c[name]: sa.literal(value) for name, value in values.items()}
        statement = command(sa.update(audit_record).where(found).values(changed), keep=False)
        assert self.database.write_now(lambda tx: tx.run(statement)) == 1

    def remove(self, *numbers: int) -> None:
        """Tamper with the chain by removing records."""
        for number in numbers:
            found = (audit_record.c.account_id == self.account_id) & (audit_record.c.number == number)
            statement = command(sa.delete(audit_record).where(found), keep=False)
            assert self.database.write_now(partial(_carried_out, statement)) == 1


def _carried_out(statement: Statement[None], tx: Writer) -> int:
    return tx.run(statement)


def first_account(again: Callable[[], Database], database: Database, key: SigningKey) -> Audited:
    """A log that nobody has written to."""
    return Audited(database, again, next(_accounts), key)


def another_account(log: Audited) -> Audited:
    """The log of another account in the same database."""
    return replace(log, account_id=next(_accounts), clock=MovableClock())


def assert_chained(records: Sequence[dict[str, Any]], previous: str = "0" * 64) -> None:
    """Each record's hash is what the contract says, reckoned by other means than the product's."""
    for record in records:
        content = {name: value for name, value in record.items() if name != "hash"}
        assert content["previous_hash"] == previous
        previous = hashlib.sha256(f"{previous}\n".encode() + rfc8785.dumps(content)).hexdigest()
        assert record["hash"] == previous


def faults(result: Result) -> list[tuple[int, str]]:
    """What was found, as pairs."""
    assert result.ok == (not result.problems)
    return [(fault.record, fault.problem) for fault in result.problems]


def lines_faults(lines: Sequence[bytes], **options: Any) -> list[tuple[int, str]]:
    """What verifying these lines of an export finds."""
    return faults(verify_lines([line + b"\n" for line in lines], **options))
