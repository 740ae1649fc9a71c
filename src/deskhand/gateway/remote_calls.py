"""Requests to one remote desk: with a good token, and tried again where that can do no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from deskhand.gateway import remote_http
from deskhand.gateway.remote_access import Access
from deskhand.gateway.upstream import UpstreamDown
from deskhand.lib.outbound import Outbound, Whole

_PAUSE_S = 0.2  # before a read is tried again
_RETRY_MOST_S = 3600
_LIMIT = "x-ratelimit-limit-minute"
_REMAINING = "x-ratelimit-remaining-minute"


class Calls:
    """Makes requests. `limit` and `remaining` are what the desk said last of the account's units; 0: nothing yet."""

    def __init__(self, outbound: Outbound, base_url: str, access: Access, total_s: float) -> None:
        self._outbound = outbound
        self._base_url = base_url
        self._access = access
        self._total_s = total_s
        self.limit = 0
        self.remaining = 0

    async def ask(
        self,
        method: str,
        path: str,
        query: str = "",
        body: bytes = b"",
        accept: str = "application/json",
        *,
        may_move: bool = False,
    ) -> Whole:
        """One request and its answer, which may be a refusal (4xx); raises UpstreamDown.

        `may_move` lets a 301 through, which is what a merged conversation answers; nothing follows it.
        """
        url = f"{self._base_url}{path}?{query}" if query else f"{self._base_url}{path}"
        headers = {"Accept": accept}
        if body:
            headers["Content-Type"] = "application/json"
        try:
            async with asyncio.timeout(self._total_s):
                answer = await self._in_time(method, url, body, headers)
        except TimeoutError as problem:
            raise UpstreamDown(f"it did not answer within {self._total_s:g} s", slow=True) from problem
        if answer.status >= 500:
            raise UpstreamDown(f"it answered {answer.status}")
        if answer.status < 200 or (300 <= answer.status < 400 and not (may_move and answer.status == 301)):
            raise UpstreamDown(f"it answered {answer.status}, which is not followed")
        return answer

    async def _in_time(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Whole:
        token = await self._access.token()
        answer = await self._tried(method, url, body, headers, token)
        if answer.status != 401:
            return answer
        token = await self._access.token(refused=token)
        answer = await self._tried(method, url, body, headers, token)
        if answer.status == 401:
            self._access.distrust()
            raise UpstreamDown("it refuses the access token that it gave")
        return answer

    async def _tried(self, method: str, url: str, body: bytes, headers: Mapping[str, str], token: str) -> Whole:
        """A read is tried twice; a write, which may have been carried out, once."""
        if method == "GET":
            try:
                answer = await self._once(method, url, body, headers, token)
                if answer.status < 500:
                    return answer
            except UpstreamDown as problem:
                if problem.slow:
                    raise
            await asyncio.sleep(_PAUSE_S)
        return await self._once(method, url, body, headers, token)

    async def _once(self, method: str, url: str, body: bytes, headers: Mapping[str, str], token: str) -> Whole:
        signed = {**headers, "Authorization": f"Bearer {token}"}
        answer = await remote_http.ask(self._outbound, method, url, body, signed)
        limit, remaining = _number(answer.headers.get(_LIMIT)), _number(answer.headers.get(_REMAINING))
        if limit is not None and remaining is not None:
            self.limit, self.remaining = limit, remaining
        return answer


def retry_after(answer: Whole) -> float:
    """For how many seconds a desk wants to be left alone.

    Source: https://developer.helpscout.com/mailbox-api/overview/rate-limiting
    """
    for name in ("x-ratelimit-retry-after", "retry-after"):
        seconds = _number(answer.headers.get(name))
        if seconds is not None:
            return float(min(max(1, seconds), _RETRY_MOST_S))
    return 1.0


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None
