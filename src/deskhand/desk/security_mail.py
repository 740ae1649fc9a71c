"""Mails that tell users what has changed about how they sign in: the job `mail_security_notice`.

Where no mail leaves, none of these is waited for. A job may be carried out twice: the Message-ID stays the same.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from deskhand.db.engine import Database, Reader, Writer
from deskhand.desk import sign_in_mail
from deskhand.desk.sign_in_mail import Sender
from deskhand.desk.users import accounts, queries
from deskhand.desk.users.queries import UserRow
from deskhand.desk.users.security_notices import Notice, What
from deskhand.lib.clock import from_wire
from deskhand.lib.sealing import Sealer, SealingError
from deskhand.mail.addresses import BadAddress, routable
from deskhand.mail.compose import LOOP_FIELD, Outgoing, compose, document, loop_mark
from deskhand.mail.headers import Address, one_line
from deskhand.mail.post import Envelope, NoServer, Post, Undelivered
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Failed, Kind, Then

_SUBJECTS: dict[What, str] = {
    "password": "Your password was changed",
    "address": "Your e-mail address was changed",
    "factor_on": "Your second factor was switched on",
    "factor_off": "Your second factor was switched off",
    "codes": "New recovery codes were made",
    "code_used": "A recovery code was used to sign in",
}


@dataclass(frozen=True, slots=True)
class SecurityMail:
    """Sends the notices."""

    database: Database
    post: Post
    sealer: Sealer | None

    @property
    def kind(self) -> Kind:
        """How the jobs are carried out."""
        return Kind(self.carry)

    async def carry(self, work: Work) -> Then | None:
        """Send a notice."""
        notice = msgspec.json.decode(work.payload, type=Notice)

        def read(db: Reader) -> tuple[UserRow | None, Sender | None, str]:
            account_name = accounts.of(db, work.account_id).name
            user = queries.by_id(db, work.account_id, notice.user_id)
            return user, sign_in_mail.sender_of(db, work.account_id), account_name

        user, sender, account_name = await self.database.read(read)
        if user is None or sender is None:
            return None  # there is nobody to tell, or no address that the mail could come from
        try:
            mail = outgoing(notice, user, sender, account_name, work.id)
            server = sign_in_mail.own_server(self.sealer, work.account_id, sender) if self.sealer else None
            raw = await asyncio.to_thread(compose, mail)
            sent = await self.post.send(
                mail, raw, Envelope(work.account_id, 0, mail.sender.email, mail.recipients, server)
            )
        except NoServer:
            return None
        except (Undelivered, BadAddress, SealingError) as problem:
            final = isinstance(problem, BadAddress) or (isinstance(problem, Undelivered) and problem.final)
            raise Failed(str(problem), final=final) from problem
        if sent.refused:  # it has one recipient, so this is whom it was for
            raise Failed(sent.refused[0].reason, final=sent.refused[0].final)
        then = sent.then

        def write(tx: Writer) -> None:
            if then:
                then(tx)

        return write


def outgoing(notice: Notice, user: UserRow, sender: Sender, account_name: str, job_id: int) -> Outgoing:
    """The mail of a notice; raises BadAddress."""
    address = routable(sender.email)
    lines = _lines(notice, user, account_name)
    mark = hashlib.sha256(f"notice {job_id} {notice.at} {notice.email}".encode()).hexdigest()[:32]
    return Outgoing(
        message_id=f"<{mark}.{job_id}@{address.rpartition('@')[2]}>",
        sender=Address(address, account_name),
        reply_to=Address(address),
        to=(Address(routable(notice.email), " ".join(filter(None, (user.first_name, user.last_name)))),),
        subject=_SUBJECTS[notice.what],
        html=document("\n".join(f"<p>{escape(one)}</p>" for one in lines)),
        text="\n\n".join(lines),
        date=from_wire(notice.at),
        headers=(*sign_in_mail.AUTOMATIC, (LOOP_FIELD, loop_mark(address))),
    )


def _lines(notice: Notice, user: UserRow, account_name: str) -> tuple[str, ...]:
    greeting = f"Hello {user.first_name}," if user.first_name else "Hello,"
    if notice.what == "address" and not notice.by:
        end = f"If this was you, there is nothing to do. If it was not you, tell an owner of {account_name} at once."
    elif notice.by:
        end = f"If you did not expect this, ask {notice.by} or another administrator of {account_name}."
    else:
        end = (
            "If this was you, there is nothing to do. If it was not you, open Deskhand's sign-in page as you always "
            f'do, choose a new password with "Forgot it?", and tell an administrator of {account_name} at once.'
        )
    where = f"That was in Deskhand, the help desk of {account_name}, on {_at(notice.at, user.timezone)}."
    # Names may hold line breaks, and nobody shall write lines of such a mail by theirs.
    return one_line(greeting), one_line(f"{_said(notice)} {where}"), one_line(end)


def _said(notice: Notice) -> str:
    by = f" by {notice.by}" if notice.by else ""
    match notice.what:
        case "password":
            return f"your password was changed{by}. You were signed out everywhere else."
        case "address":
            return f"the e-mail address that you sign in with was changed{by} to {notice.address}."
        case "factor_on":
            return f"your second factor was switched on{by}: signing in takes a code from an app as well from now on."
        case "factor_off":
            return f"your second factor was switched off{by}: no code is asked for after the password any more."
        case "codes":
            return f"new recovery codes were made{by}. Those before don't work any more."
        case _:
            left = "none is left" if not notice.left else f"{notice.left} {'is' if notice.left == 1 else 'are'} left"
            return f"somebody signed in as you with one of your recovery codes; {left}."


def _at(moment: str, zone_name: str) -> str:
    try:
        zone = ZoneInfo(zone_name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    local = from_wire(moment).astimezone(zone)
    return f"{local.day} {local:%B %Y} at {local:%H:%M} ({zone.key.replace('_', ' ')})"
