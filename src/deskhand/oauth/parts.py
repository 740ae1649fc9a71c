"""What the pages of signing in are made with."""

from __future__ import annotations

from dataclasses import dataclass, field

from deskhand.db.engine import Database
from deskhand.lib.clock import Clock
from deskhand.lib.sealing import Sealer
from deskhand.oauth.oidc import Provider
from deskhand.oauth.passwords import Passwords


@dataclass(frozen=True, slots=True)
class Parts:
    """What signing in needs; `provider` is the OpenID provider by which it is possible as well."""

    database: Database
    clock: Clock
    base_url: str
    sealer: Sealer
    passwords: Passwords = field(default_factory=Passwords)
    provider: Provider | None = None

    @property
    def provider_name(self) -> str:
        """What people call the OpenID provider; empty where there is none."""
        return self.provider.settings.name if self.provider else ""

    @property
    def secure(self) -> bool:
        """Whether cookies are for https alone."""
        return self.base_url.startswith("https://")
