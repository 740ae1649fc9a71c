"""Mail that comes by HTTP, kept like any other; mail that did not arrive, and sending it again."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from deskhand.admin.call import Asked, Calls, Given, Raw
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import BadRequest, FieldError, NotFound
from deskhand.desk.conversations.mail import resending
from deskhand.desk.conversations.mail.resending import Undelivered
from deskhand.desk.inboxes import queries
from deskhand.lib.clock import to_wire
from deskhand.mail.inbound import LARGEST, Delivery, Place

CALLS = Calls("mail")
MESSAGE = "message/rfc822"
_WAIT_S = 300.0


class Taken(msgspec.Struct, frozen=True):
    """A message that is kept; `known` when it had come before, and was not kept a second time."""

    id: int
    known: bool


@CALLS.add(
    "POST", "/inboxes/{id}/mail", body=bytes, raw=Raw(MESSAGE, LARGEST, _WAIT_S), answers=Taken, status=202,
    errors=((400, "the body is empty"), (503, "the message can't be kept now; send it again later")),
)  # fmt: skip
async def take_mail(asked: Asked[NoQuery, bytes]) -> Any:
    """Take a raw message for an inbox, as if it had come by SMTP; it is safe once this is answered."""
    keeper = asked.parts.keeper
    inbox = await asked.parts.database.read(lambda db: queries.by_id(db, asked.account_id, asked.id))
    if keeper is None or inbox is None:
        raise NotFound
    if not asked.body.strip():
        raise BadRequest(FieldError("body", "must be a message", "NotEmpty"))
    kept = await keeper.keep(Place(asked.account_id, inbox.id, inbox.email), Delivery(asked.body, "post"))
    return Taken(kept.id, kept.known)


class HowMany(Given, kw_only=True):
    """How many mails to list."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class UndeliveredMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that has not arrived, or not everywhere.

    `state` is waiting (it is still tried), sent (not to all), failed or bounced, since `at`; `error` says why.
    """

    thread_id: int
    conversation_id: int
    number: int
    inbox_id: int
    subject: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    state: str
    error: str
    automatic: bool
    at: str


class UndeliveredMails(msgspec.Struct, frozen=True):
    """Mails that have not arrived, the newest first."""

    mails: list[UndeliveredMail]


@CALLS.add("GET", "/mail/undelivered", query=HowMany, answers=UndeliveredMails)
async def list_undelivered_mail(asked: Asked[HowMany, NoBody]) -> UndeliveredMails:
    """List replies and automatic answers whose mail has not arrived, or not everywhere."""
    found = await asked.parts.database.read(
        lambda db: resending.undelivered(db, asked.account_id, asked.query.limit), "slow"
    )
    return UndeliveredMails([_shown(one) for one in found])


@CALLS.add(
    "POST", "/mail/undelivered/{id}/resend", status=202,
    errors=((412, "it was delivered, or is still being tried"),),
)  # fmt: skip
async def resend_mail(asked: Asked[NoQuery, NoBody]) -> None:
    """Send the mail of a thread again, to those whom it did not reach."""
    now = to_wire(asked.parts.clock.now())
    await asked.parts.database.write(lambda tx: resending.resend_of(tx, asked.account_id, asked.id, now))


def _shown(one: Undelivered) -> UndeliveredMail:
    found = msgspec.structs.asdict(one)
    to, cc, bcc = (msgspec.json.decode(found.pop(name), type=list[str]) for name in ("recipients", "cc", "bcc"))
    return UndeliveredMail(**found | {"to": to, "cc": cc, "bcc": bcc, "automatic": bool(one.automatic)})
