"""Administrators' own tokens, with which programs administer an account."""

from __future__ import annotations

from deskhand.db.engine import Writer
from deskhand.gateway import admin_tokens
from deskhand.gateway.admin_tokens import AdminToken, MadeToken
from deskhand.gateway.administering.who import Ground, Who


class TokenVerbs:
    """What is done to the tokens for this administration."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def listed(self, account_id: int) -> list[AdminToken]:
        """The tokens for this administration."""
        return await self._ground.database.read(lambda db: admin_tokens.listed(db, account_id))

    async def make(self, who: Who, name: str, expires_at: str | None = None) -> MadeToken:
        """Make a token for this administration."""
        ground = self._ground

        def write(tx: Writer) -> MadeToken:
            made = admin_tokens.create(tx, who.account_id, name, ground.clock.now(), expires_at, mint=ground.mint)
            particulars = {"change": "admin_token_created", "admin_token_id": made.id, "expires_at": expires_at}
            ground.log(tx, who, f"made admin token {made.name}, {made.prefix}…", particulars)
            return made

        return await ground.database.write(write)

    async def revoke(self, who: Who, id: int) -> None:
        """Take an administrator's token away."""

        def write(tx: Writer) -> None:
            before = admin_tokens.revoke(tx, who.account_id, id)
            particulars = {"change": "admin_token_revoked", "admin_token_id": id}
            self._ground.log(tx, who, f"revoked admin token {before.name}, {before.prefix}…", particulars)

        await self._ground.database.write(write)
