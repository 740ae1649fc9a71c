"""Slowing down who guesses passwords or codes, or has mail sent: counted by e-mail address and by network address.

An attempt is counted before the password is looked at and taken back when it was right, so that many at once don't slip
through. Taking back one's own is all that success does: somebody with an account elsewhere under the same e-mail
address can't wipe the count.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.portable import upsert
from deskhand.db.statements import P, command, rows
from deskhand.lib.secrets import digest
from deskhand.oauth.tables import failed_sign_in


@dataclass(frozen=True, slots=True)
class Rule:
    """How often something may be tried in some minutes: about one e-mail address, and from one network address."""

    name: str
    minutes: int
    by_email: int
    by_address: int


PASSWORD = Rule("", 5, 5, 30)
CODE = Rule("code ", 15, 5, 30)
"""Of 10^6 codes three fit at a time, so whoever has the password guesses one in two years."""
MAIL = Rule("mail ", 60, 5, 20)
"""Mails that let choose a password; each counts, for none of them is ever wrong."""
PROVIDER = Rule("provider ", 5, 30, 30)
"""What makes this server call an OpenID provider; by network address alone."""
SERVER = Rule("mail server ", 10, 20, 100)
"""Tries of mail servers: by account in place of an e-mail address. Whoever sets one up needs few, a port scan many."""
WINDOW_MINUTES = PASSWORD.minutes
MOST_BY_EMAIL = PASSWORD.by_email
MOST_BY_ADDRESS = PASSWORD.by_address
_KEPT_MINUTES = 60


class _Minute(msgspec.Struct, frozen=True):
    minute: int
    failures: int


_COUNT = upsert(failed_sign_in, ("who", "minute"), ("failures",))
_RECENT = rows(
    _Minute,
    sa.select(failed_sign_in.c.minute, failed_sign_in.c.failures)
    .where(failed_sign_in.c.who == P("who"), failed_sign_in.c.minute > P("since"), failed_sign_in.c.minute <= P("now"))
    .order_by(failed_sign_in.c.minute),
)
_DELETE_OLD = command(sa.delete(failed_sign_in).where(failed_sign_in.c.minute <= P("until")))


class TooMany(Exception):
    """Too many sign-ins failed; the next makes sense after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, by default to sign in: with which e-mail address, from which network address, when."""

    email: str
    host: str
    at: datetime
    rule: Rule = PASSWORD

    def begin(self, tx: Writer) -> None:
        """Count the attempt; raises TooMany, and then it is not counted."""
        self._count(tx, 1)
        now_s = int(self.at.timestamp())
        now = now_s // 60
        since = now - self.rule.minutes
        for who, most in self._who():
            # The row of this minute is locked by the count above, so of attempts at once none is missed (but for one
            # or two at the turn of a minute).
            recent = tx.all(_RECENT, who=who, since=since, now=now)
            over = sum(minute.failures for minute in recent) - most
            if over > 0:
                raise TooMany((_falls_to(recent, over) + self.rule.minutes) * 60 - now_s)
        tx.run(_DELETE_OLD, until=now - _KEPT_MINUTES)

    def succeed(self, tx: Writer) -> None:
        """Take the count back: the password was right."""
        self._count(tx, -1)

    def _count(self, tx: Writer, by: int) -> None:
        minute = int(self.at.timestamp()) // 60
        for who, _ in self._who():  # always in this order, so that two attempts never wait for each other
            tx.run(_COUNT, who=who, minute=minute, failures=by)

    def _who(self) -> tuple[tuple[str, int], ...]:
        rule = self.rule
        by_email = digest(f"{rule.name}email {self.email}"), rule.by_email
        by_address = digest(f"{rule.name}address {network(self.host)}"), rule.by_address
        return by_email, by_address


def network(host: str) -> str:
    """The address that counts: an IPv6 user has 2^64 of them, so all of a /64 are one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)


def _falls_to(recent: list[_Minute], over: int) -> int:
    """The minute whose failures, with those before, are as many as are too many."""
    for minute in recent:
        over -= minute.failures
        if over <= 0:
            return minute.minute
    raise AssertionError("more failures than there are")
