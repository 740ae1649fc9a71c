"""Mail that comes to the sandbox from outside: a raw message, whatever program or person wrote it.

It takes the same path as mail that comes by SMTP, so it is kept, read and put in its place in the same way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from email.parser import BytesHeaderParser
from email.utils import getaddresses

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deskhand.mail.inbound import LARGEST, Delivery, Place
from deskhand.sandbox.http import Refused, read_bytes, route

_NAMING = ("delivered-to", "x-original-to", "envelope-to", "to", "cc", "resent-to", "bcc")
"""The header fields that may name an inbox, the surest first."""
_ADDRESSES_MOST = 200


class Arrived(msgspec.Struct, frozen=True):
    """What became of a mail: `state` is taken, skipped or failed, `reason` says why where it was not taken.

    One that was skipped, as a loop is, has no conversation.
    """

    conversation_id: int | None
    thread_id: int | None
    inbox_id: int
    state: str
    reason: str


class Arrivals:
    """Where mail arrives. `take` keeps a message and waits until it has its place."""

    def __init__(
        self,
        place_of: Callable[[str], Awaitable[Place | None]],
        take: Callable[[Place, Delivery], Awaitable[Arrived]],
    ) -> None:
        self._place_of = place_of
        self._take = take

    async def deliver(self, raw: bytes, *, sender: str = "", recipients: Sequence[str] = ()) -> list[Arrived]:
        """Deliver a message to each inbox that it is for: that its envelope names, else its header.

        Raises Refused when no inbox is.
        """
        places = await self._places(recipients or addressed(raw))
        if not places:
            named = ", ".join(recipients or addressed(raw)) or "nobody"
            raise Refused("to", f"no inbox here is addressed; the message is for {named[:500]}")
        delivery = Delivery(raw, "post", sender, tuple(recipients))
        return [await self._take(place, delivery) for place in places]

    async def _places(self, addresses: Iterable[str]) -> list[Place]:
        found: dict[int, Place] = {}
        for address in addresses:
            place = await self._place_of(address)
            if place is not None:
                found.setdefault(place.inbox_id, place)
        return list(found.values())


def addressed(raw: bytes) -> list[str]:
    """The addresses that a message says it is for."""
    header = BytesHeaderParser().parsebytes(raw)
    given = [str(value) for name in _NAMING for value in header.get_all(name, [])]
    return [address for _, address in getaddresses(given) if "@" in address][:_ADDRESSES_MOST]


def answer(arrived: Sequence[Arrived], **more: object) -> JSONResponse:
    """What is said of a mail that came: where it went, and where else if it was for several inboxes."""
    first, *others = msgspec.to_builtins(arrived)
    return JSONResponse(first | more | ({"others": others} if others else {}), 202)


def routes(arrivals: Arrivals) -> list[Route]:
    """The path /sandbox/mail/inbound."""

    async def post_inbound(request: Request) -> Response:
        """The body is the message; `?from=` and `?to=`, as often as need be, are its envelope."""
        given = request.query_params
        raw = await read_bytes(request, LARGEST)
        if not raw.strip():
            raise Refused("body", "must be a message as it goes over the wire (RFC 822)")
        if given.get("from") == "":  # nobody wants an answer: it says so as the server that delivers it would
            raw = b"Return-Path: <>\r\n" + raw
        recipients = [one for one in given.getlist("to") if one]
        return answer(await arrivals.deliver(raw, sender=given.get("from", ""), recipients=recipients))

    return [route("POST", "/sandbox/mail/inbound", post_inbound)]
