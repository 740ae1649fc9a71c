"""Single requests to a remote desk, and what of its answers can be relied on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec

from deskhand import __version__
from deskhand.gateway.upstream import UpstreamDown
from deskhand.lib.outbound import Allowed, NoAnswer, Outbound, Whole

CONNECT_S = 5.0
TOTAL_S = 30.0
"""How long a call may take, everything together."""
LARGEST = 30 * 1024 * 1024
"""Bytes of an answer."""
ELEMENTS_MOST = 1_000_000
"""What an answer may have of commas and opening brackets: each part takes memory many times its length."""
TOKEN_PATH = "/v2/oauth2/token"
ME_PATH = "/v2/users/me"
_ALLOWED = Allowed(loopback=True, private=True)  # an administrator names the address; clouds' credentials stay refused
_WORDS_MOST = 200
_UNSPEAKABLE = re.compile(r"[^\x20-\x7e\xa0-\uffff]+")

T = TypeVar("T")


class Tokens(msgspec.Struct, frozen=True):
    """What a token endpoint gives; `expires_in` is in seconds."""

    access_token: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,4096}$")]
    expires_in: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 172_800
    refresh_token: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] | None = None


class Denied(Exception):
    """The desk refuses the credentials; the text is what it says about them."""


def pool(total_s: float = TOTAL_S, connect_s: float = CONNECT_S) -> Outbound:
    """The connections to all remote desks; use it as `async with`."""
    return Outbound(f"Deskhand/{__version__} gateway", _ALLOWED, total_s, connect_s)


async def ask(
    outbound: Outbound, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Whole:
    """One request; raises UpstreamDown where there is no answer that could be taken."""
    try:
        return await outbound.ask(method, url, body, {"Accept": "application/json", **(headers or {})}, LARGEST)
    except NoAnswer as problem:
        raise UpstreamDown(str(problem), slow=problem.slow) from problem


async def sign_in(outbound: Outbound, base_url: str, form: Mapping[str, str]) -> Tokens:
    """Ask for an access token; raises Denied and UpstreamDown.

    Source: https://developer.helpscout.com/mailbox-api/overview/authentication
    """
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await ask(outbound, "POST", base_url + TOKEN_PATH, urlencode(form).encode(), headers)
    if answer.status in (400, 401, 403):
        raise Denied(_said(answer))
    if answer.status != 200:
        raise UpstreamDown(f"its token endpoint answered {answer.status}")
    return decoded(answer, Tokens)


def decoded(answer: Whole, shape: type[T]) -> T:
    """The JSON of an answer; raises UpstreamDown where it is none, of another shape, or of too many parts."""
    body = answer.body
    if len(body) > ELEMENTS_MOST and sum(map(body.count, b"[{,")) > ELEMENTS_MOST:
        raise UpstreamDown(f"its answer has more than {ELEMENTS_MOST:,} parts, so no JSON that was expected")
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise UpstreamDown("its answer is not the JSON that was expected") from problem


def _said(answer: Whole) -> str:
    """What an error of the token endpoint says, fit to be shown."""
    try:
        content: Any = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        content = None
    words = content.get("error_description") if isinstance(content, dict) else None
    if not isinstance(words, str) or not words.strip():
        return f"status {answer.status}"
    return _UNSPEAKABLE.sub(" ", words).strip()[:_WORDS_MOST]
