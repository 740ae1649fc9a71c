"""Who administers an account, and what all their verbs stand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from deskhand.db.engine import Database, Reader, Writer
from deskhand.gateway import connections
from deskhand.gateway.agents import AgentRow, Authors
from deskhand.gateway.audit import Audit, By, Named
from deskhand.lib.clock import Clock
from deskhand.lib.secrets import Mint
from deskhand.outbox.events import PAGES

InboxNames = Callable[[Reader, int], Mapping[int, str]]
"""What the inboxes of an account are called on the desk here."""


class Who(msgspec.Struct, frozen=True):
    """Who administers an account; `words` begin the sentences about what they do."""

    account_id: int
    by: By
    words: str


def command_line(account_id: int) -> Who:
    """Whoever types a command on the machine."""
    return Who(account_id, By("command_line"), "Somebody at the command line")


class About(Protocol):
    """An agent that an entry is about."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Ground:
    """What verbs stand on. Without `authors` and `inbox_names` there is no desk here: agents act on remote ones."""

    database: Database
    clock: Clock
    audit: Audit
    authors: Authors | None
    inbox_names: InboxNames | None
    mint: Mint

    def log(self, tx: Writer, who: Who, text: str, particulars: Mapping[str, Any], about: About | None = None) -> None:
        """Log what somebody did, and let pages that show it hear of it."""
        named = None if about is None else Named(about.id, about.name)
        self.audit.admin(tx, who.account_id, who.by, f"{who.words} {text}", particulars, named)
        tx.changed(PAGES)

    def all_inboxes(self, db: Reader, account_id: int) -> Mapping[int, str] | None:
        """The inboxes in which any agent can act; None where some may be a remote desk's."""
        if self.inbox_names is None or connections.first(db, account_id) is not None:
            return None
        return self.inbox_names(db, account_id)

    def inboxes_of(self, db: Reader, row: AgentRow) -> Mapping[int, str] | None:
        """The inboxes of the desk that an agent acts on; None where only that desk knows them."""
        if row.connection_id is not None or self.inbox_names is None:
            return None
        return self.inbox_names(db, row.account_id)
