"""What agents sign in with: keys, client secrets, and the programs that people let act for them."""

from __future__ import annotations

from deskhand.db.engine import Reader, Writer
from deskhand.gateway import agents, keys, mcp_clients, tokens
from deskhand.gateway.administering.who import Ground, Who
from deskhand.gateway.keys import MadeKey
from deskhand.gateway.mcp_clients import Access
from deskhand.gateway.tokens import Client


class CredentialVerbs:
    """What is done to agents' credentials."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def add_key(self, who: Who, id: int, expires_at: str | None = None) -> MadeKey:
        """Give an agent another key."""
        ground = self._ground

        def write(tx: Writer) -> MadeKey:
            row = agents.hold(tx, who.account_id, id)
            made = keys.add(tx, who.account_id, id, ground.clock.now(), expires_at, mint=ground.mint)
            end = f" until {expires_at}" if expires_at else ""
            particulars = {"change": "key_created", "key_id": made.id, "prefix": made.prefix, "expires_at": expires_at}
            ground.log(tx, who, f"gave agent {row.name} a key, {made.prefix}…{end}", particulars, row)
            return made

        return await ground.database.write(write)

    async def revoke_key(self, who: Who, id: int, key_id: int) -> None:
        """Take a key away from an agent."""

        def write(tx: Writer) -> None:
            row = agents.hold(tx, who.account_id, id)
            key = keys.revoke(tx, who.account_id, id, key_id)
            particulars = {"change": "key_revoked", "key_id": key.id, "prefix": key.prefix}
            self._ground.log(tx, who, f"revoked a key of agent {row.name}, {key.prefix}…", particulars, row)

        await self._ground.database.write(write)

    async def renew_secret(self, who: Who, id: int) -> Client:
        """Give an agent another client secret."""

        def write(tx: Writer) -> Client:
            row = agents.hold(tx, who.account_id, id)
            made = Client(row.client_id, tokens.new_secret(tx, who.account_id, id))
            self._ground.log(tx, who, f"gave agent {row.name} a new client secret", {"change": "secret_renewed"}, row)
            return made

        return await self._ground.database.write(write)

    async def programs(self, account_id: int, id: int) -> list[Access]:
        """The programs that act for an agent because a person let them in."""

        def read(db: Reader) -> list[Access]:
            agents.require(db, account_id, id)
            return mcp_clients.of_agent(db, account_id, id, self._ground.clock.now())

        return await self._ground.database.read(read)

    async def end_program(self, who: Who, id: int, program_id: int) -> None:
        """Let a program act for an agent no longer."""

        def write(tx: Writer) -> None:
            row = agents.hold(tx, who.account_id, id)
            ended = mcp_clients.end(tx, who.account_id, id, program_id, self._ground.clock.now())
            particulars = {"change": "program_ended", "program_id": ended.id, "program": ended.name}
            text = f"ended the access of the program {ended.name} as agent {row.name}"
            self._ground.log(tx, who, text, particulars, row)

        await self._ground.database.write(write)
