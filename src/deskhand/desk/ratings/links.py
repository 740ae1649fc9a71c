"""The links in a reply's mail by which its customer rates it: signed, so that nobody can make one for another reply."""

from __future__ import annotations

import hmac
import re

from deskhand.lib.sealing import Sealer

PATH = "/rate"
_HEX = 40
"""Hexadecimal digits of a signature: 160 bits."""
_SIGNED = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{40})", re.ASCII)


class RatingLinks:
    """Makes such links and reads them; both raise SealingError where the key is missing."""

    def __init__(self, sealer: Sealer, base_url: str) -> None:
        self._sealer = sealer
        self._base_url = base_url
        self._key: bytes | None = None

    def url(self, account_id: int, thread_id: int) -> str:
        """Where a reply is rated."""
        return f"{self._base_url}{PATH}/{thread_id}/{account_id:x}-{self._signature(account_id, thread_id)}"

    def account_of(self, thread_id: int, signed: str) -> int | None:
        """The account whose reply a link is about; None when it is not one of ours."""
        found = _SIGNED.fullmatch(signed)
        if found is None:
            return None
        account_id = int(found[1], 16)
        genuine = hmac.compare_digest(found[2], self._signature(account_id, thread_id))
        return account_id if genuine and found[1] == f"{account_id:x}" else None

    def _signature(self, account_id: int, thread_id: int) -> str:
        if self._key is None:
            self._key = self._sealer.derived("rating links")
        return hmac.new(self._key, f"{account_id}/{thread_id}".encode(), "sha256").hexdigest()[:_HEX]
