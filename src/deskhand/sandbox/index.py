"""What a sandbox can do beside being a desk: a list for programs (GET /sandbox), and for its start page."""

from __future__ import annotations

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deskhand.sandbox.http import SAFE, route


class Path(NamedTuple):
    """One of the sandbox's own paths; `example` is a body to begin with, where there is one."""

    method: str
    path: str
    does: str
    example: str = ""


PATHS = (
    Path("POST", "/sandbox/enter", "signs a browser in as the user whose user_id the form has"),
    Path(
        "POST", "/sandbox/reset", "puts data and clock back; with everything, journal and snapshots go too",
        '{"everything": true}',
    ),
    Path("GET", "/sandbox/clock", "tells the time here"),
    Path("POST", "/sandbox/clock", "moves time: what was due meanwhile happens", '{"advance": "2d"}'),
    Path("POST", "/sandbox/settle", "waits until mails, webhooks and workflows that are due have been carried out"),
    Path(
        "POST", "/sandbox/customer-writes", "has a customer write a real mail; with conversation_id they answer",
        '{"email": "paul@buyer.example", "inbox_id": 501, "subject": "My lamp", "text": "It bows."}',
    ),
    Path("POST", "/sandbox/mail/inbound", "takes a raw RFC 822 message as mail for the inboxes it is addressed to"),
    Path("POST", "/sandbox/bounce", "has the mail of a reply bounce", '{"thread_id": 1, "reason": "mailbox full"}'),
    Path("POST", "/sandbox/rate", "has a customer rate a reply", '{"thread_id": 1, "rating": "great"}'),
    Path("POST", "/sandbox/day", "plays a working day in fast motion", '{"conversations": 40, "staff": true}'),
    Path("GET", "/sandbox/mail", "shows the mail that would have left, as a page or as JSON"),
    Path("DELETE", "/sandbox/mail", "empties that list"),
    Path("GET", "/sandbox/mail/{id}", "shows one of them"),
    Path("GET", "/sandbox/mail/{id}/body", "is its HTML"),
    Path("GET", "/sandbox/mail/{id}/raw", "is the message as it would have been sent"),
    Path("GET", "/sandbox/journal", "shows the last requests, and of each that was refused why, as a page or as JSON"),
    Path("DELETE", "/sandbox/journal", "empties it"),
    Path("GET", "/sandbox/faults", "lists the faults that wait for calls"),
    Path(
        "POST", "/sandbox/faults", "makes calls go wrong on purpose",
        '{"operation": "list_conversations", "status": 429, "times": 2}',
    ),
    Path("DELETE", "/sandbox/faults", "ends that"),
    Path("GET", "/sandbox/webhook-faults", "lists the faults that wait for deliveries"),
    Path(
        "POST", "/sandbox/webhook-faults", "makes webhooks come twice, late, in the wrong order, or not at first",
        '{"kind": "duplicate", "times": 1}',
    ),
    Path("DELETE", "/sandbox/webhook-faults", "ends that"),
    Path("GET", "/sandbox/snapshots", "lists the snapshots"),
    Path("PUT", "/sandbox/snapshots/{name}", "keeps the state under a name"),
    Path("POST", "/sandbox/snapshots/{name}/restore", "puts that state back, and the clock"),
    Path("DELETE", "/sandbox/snapshots/{name}", "forgets it"),
)  # fmt: skip


def routes() -> list[Route]:
    """The path /sandbox."""

    async def get_index(_: Request) -> Response:
        listed = [{name: value for name, value in one._asdict().items() if value} for one in PATHS]
        return JSONResponse({"paths": listed, "docs": "docs/sandbox.md"}, headers=SAFE)

    return [route("GET", "/sandbox", get_index)]
