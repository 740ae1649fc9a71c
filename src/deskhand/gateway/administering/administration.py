"""All verbs of an administrator, by what they are about."""

from __future__ import annotations

from typing import Literal

from deskhand.db.engine import Database, Writer
from deskhand.gateway.administering.agents import AgentVerbs
from deskhand.gateway.administering.credentials import CredentialVerbs
from deskhand.gateway.administering.grants import GrantVerbs
from deskhand.gateway.administering.stops import StopVerbs
from deskhand.gateway.administering.tokens import TokenVerbs
from deskhand.gateway.administering.who import Ground, InboxNames, Who
from deskhand.gateway.agents import Authors
from deskhand.gateway.audit import Audit
from deskhand.gateway.connections import Also, Connection
from deskhand.lib.clock import Clock
from deskhand.lib.secrets import Mint, new_token


class Administration:
    """An administrator's verbs. They raise the API's problems: BadRequest, NotFound, AlreadyThere."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: Audit,
        authors: Authors | None,
        inbox_names: InboxNames | None,
        mint: Mint = new_token,
    ) -> None:
        """Without `authors` and `inbox_names` there is no desk here: agents act on remote ones, or on the default."""
        self._ground = Ground(database, clock, audit, authors, inbox_names, mint)
        self.agents = AgentVerbs(self._ground)
        self.credentials = CredentialVerbs(self._ground)
        self.grants = GrantVerbs(self._ground)
        self.stops = StopVerbs(self._ground)
        self.tokens = TokenVerbs(self._ground)

    def logs_connection(self, who: Who, change: Literal["added", "removed", "renewed"]) -> Also:
        """What logs a change of a connection, in the transaction that makes it."""
        words = {"added": "added", "removed": "removed", "renewed": "gave new credentials to"}[change]

        def log(tx: Writer, row: Connection) -> None:
            particulars = {"change": f"connection_{change}", "connection_id": row.id, "base_url": row.base_url}
            self._ground.log(tx, who, f"{words} connection {row.name} to {row.base_url}", particulars)

        return log
