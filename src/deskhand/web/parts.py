"""What pages are made with; app.py puts it together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from deskhand.db.engine import Database
from deskhand.desk.ratings.links import RatingLinks
from deskhand.gateway.administering.administration import Administration
from deskhand.gateway.agents import Agents
from deskhand.gateway.approvals import Approvals
from deskhand.gateway.audit import Audit
from deskhand.gateway.budget import Budget
from deskhand.gateway.connections import Connections
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import Clock
from deskhand.lib.sealing import Sealer
from deskhand.lib.signing_keys import SigningKey
from deskhand.mail.post import Post
from deskhand.oauth.passwords import Passwords
from deskhand.settings import SmtpServer
from deskhand.web.live import Live

Explain = Callable[[int, int, str, str, Any, Any], Awaitable[dict[str, Any]]]
"""What would become of a call: account, agent, method, path, query and body in, the decision and its needs out."""
Welcome = Callable[[Request], Awaitable[Response]]
"""What the start page shows to somebody who is not signed in."""


@dataclass(frozen=True, slots=True)
class MailWays:
    """How mail goes for everybody: who takes it away, whose server for an address, how often mailboxes are read.

    `tries` bounds how many mail servers are tried at a time because somebody asks for it.
    """

    post: Post
    server_of: Callable[[str], SmtpServer | None]
    imap_every_s: int
    tries: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))


@dataclass(frozen=True, slots=True)
class Web:
    """The desk and the gateway as pages reach them. `welcome` None: who isn't signed in is asked to."""

    database: Database
    clock: Clock
    blobs: BlobStore
    base_url: str
    links: RatingLinks
    sealer: Sealer
    administration: Administration
    approvals: Approvals
    agents: Agents
    budget: Budget
    connections: Connections
    audit: Audit
    signing_key: SigningKey
    explain: Explain
    live: Live
    mail: MailWays
    passwords: Passwords = field(default_factory=Passwords)
    provider: str = ""
    """What people call the OpenID provider; empty where there is none."""
    welcome: Welcome | None = None
    allow_private: bool = False
    """Webhooks may go to private addresses."""
    captured: bool = False
    """Mail is captured and not sent: this is a sandbox."""

    @property
    def secure(self) -> bool:
        """Whether cookies are for https alone."""
        return self.base_url.startswith("https://")
