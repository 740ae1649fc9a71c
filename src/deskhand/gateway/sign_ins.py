"""Agents that sign in with client id and secret, as an unmodified Help Scout client does."""

from __future__ import annotations

import contextlib

from deskhand.db.engine import Database
from deskhand.gateway import tokens
from deskhand.gateway.audit import Audit, AuditUnavailable, Named
from deskhand.gateway.credentials import CLIENT_ID
from deskhand.gateway.tokens import ClientOf
from deskhand.lib.clock import Clock


class SignIns:
    """The gateway's side of the token endpoint."""

    def __init__(self, database: Database, clock: Clock, audit: Audit) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    @staticmethod
    def knows(client_id: str) -> bool:
        """Whether a client id is an agent's, by its form."""
        return client_id.startswith(CLIENT_ID)

    async def sign_in(self, client_id: str, client_secret: str, *, issue: bool) -> str | None:
        """An access token, or an empty text unless one is to be issued; None when the two don't belong together.

        A paused agent gets one too: its calls are refused with the reason.
        """
        found = await self._database.read(lambda db: tokens.by_client_id(db, client_id))
        right = tokens.is_secret_of(found, client_secret)
        if found is None or not right:
            if found is not None:
                await self._note_failed(found)
            return None
        if not issue:
            return ""
        account_id, agent_id, now = found.account_id, found.agent_id, self._clock.now()
        return await self._database.write(lambda tx: tokens.issue(tx, account_id, agent_id, now))

    async def _note_failed(self, found: ClientOf) -> None:
        agent = Named(found.agent_id, found.name)
        with contextlib.suppress(AuditUnavailable):  # it is refused in any case
            await self._audit.failed_sign_in(found.account_id, "its client secret is wrong", agent=agent)
