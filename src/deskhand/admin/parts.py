"""What the administration is made of; app.py puts it together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from deskhand.db.engine import Database
from deskhand.gateway.admin_tokens import AdminTokens
from deskhand.gateway.administering.administration import Administration
from deskhand.gateway.approvals import Approvals
from deskhand.gateway.audit import Audit
from deskhand.gateway.budget import Budget
from deskhand.gateway.connections import Connections
from deskhand.lib.clock import Clock
from deskhand.lib.sealing import Sealer
from deskhand.lib.signing_keys import SigningKey
from deskhand.mail.inbound import Keeper

Explain = Callable[[int, int, str, str, Any, Any], Awaitable[dict[str, Any]]]
"""What would become of a call: account, agent, method, path, query and body in, the decision and its needs out."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The gateway and the desk as administrators reach them."""

    database: Database
    clock: Clock
    tokens: AdminTokens
    administration: Administration
    approvals: Approvals
    budget: Budget
    connections: Connections
    audit: Audit
    signing_key: SigningKey
    explain: Explain
    sealer: Sealer
    keeper: Keeper | None = None
