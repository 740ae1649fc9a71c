"""Links by which a user chooses a password: those who forgot theirs, and those who are invited.

A link's token follows from its row and a key outside the database, which only the job that mails it needs. So nothing
that would open a door is stored, and a mail that goes out twice holds the same link.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import FieldError, NotFound, PreconditionFailed
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows
from deskhand.desk.access import STALE, require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.users import queries, security_notices
from deskhand.desk.users.tables import account, sign_in_link, staff
from deskhand.lib.clock import from_wire, to_wire
from deskhand.lib.sealing import Sealer
from deskhand.lib.secrets import digest, new_token
from deskhand.outbox import jobs
from deskhand.outbox.jobs import NewJob

Purpose = Literal["reset", "welcome"]
LIFE: dict[Purpose, timedelta] = {"reset": timedelta(hours=1), "welcome": timedelta(days=7)}
"""How long a link can be used, and its mail is tried to be sent."""
MAIL_LINK = "mail_sign_in_link"
"""The kind of jobs that mail links; see desk/sign_in_mail.py."""
_STATE: dict[str, str] = {"reset": "active", "welcome": "invited"}
_EXPIRED_AT_ONCE = 20


class Handover(msgspec.Struct, frozen=True):
    """What a job says: which link is to be mailed."""

    link_id: int


class Mailable(msgspec.Struct, frozen=True):
    """A link with whom it is for, as its mail needs it."""

    id: int
    user_id: int
    purpose: Purpose
    mark: str
    expires_at: str
    created_at: str
    first_name: str
    last_name: str
    email: str
    account_name: str


class Link(msgspec.Struct, frozen=True):
    """A link that can be used, and whose it is."""

    id: int
    account_id: int
    user_id: int
    purpose: Purpose
    first_name: str
    last_name: str
    email: str
    account_name: str


class _NewLink(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    user_id: int
    purpose: str
    mark: str
    expires_at: str
    created_at: str


class _Known(msgspec.Struct, frozen=True):
    id: int
    account_id: int
    state: str


_ADD = Insert(sign_in_link, _NewLink)
_JOINED = (
    sign_in_link.join(
        staff, sa.and_(staff.c.id == sign_in_link.c.user_id, staff.c.account_id == sign_in_link.c.account_id)
    )
).join(account, account.c.id == sign_in_link.c.account_id)
_ABOUT_WHOM = (staff.c.first_name, staff.c.last_name, staff.c.email, account.c.name.label("account_name"))
# A link is of use to people in the state that it is for, and to nobody else any more.
_OF_USE = sa.or_(
    *(
        sa.and_(
            sign_in_link.c.purpose == sa.literal_column(f"'{purpose}'"),
            staff.c.state == sa.literal_column(f"'{state}'"),
        )
        for purpose, state in _STATE.items()
    )
)
_MAILABLE = rows(
    Mailable,
    sa.select(*columns(sign_in_link, *Mailable.__struct_fields__[:6]), *_ABOUT_WHOM)
    .select_from(_JOINED)
    .where(
        sign_in_link.c.account_id == P("account_id"),
        sign_in_link.c.id == P("id"),
        sign_in_link.c.expires_at > P("now"),
        staff.c.email.is_not(None),
        _OF_USE,
    ),
)
_BY_HASH = rows(
    Link,
    sa.select(*columns(sign_in_link, *Link.__struct_fields__[:4]), *_ABOUT_WHOM)
    .select_from(_JOINED)
    .where(sign_in_link.c.token_hash == P("hash"), sign_in_link.c.expires_at > P("now"), _OF_USE),
)
_KNOW_TOKEN = command(
    sa.update(sign_in_link)
    .where(sign_in_link.c.account_id == P("account_id"), sign_in_link.c.id == P("id"))
    .values(token_hash=P("hash"))
)
_WITHDRAW = command(
    sa.delete(sign_in_link).where(sign_in_link.c.account_id == P("account_id"), sign_in_link.c.user_id == P("user_id"))
)
_SPEND = command(
    sa.delete(sign_in_link).where(sign_in_link.c.account_id == P("account_id"), sign_in_link.c.id == P("id"))
)
_EXPIRED = (
    sa.select(sign_in_link.c.id)
    .where(sign_in_link.c.expires_at <= P("now"))
    .limit(sa.literal_column(str(_EXPIRED_AT_ONCE)))
    .with_for_update(skip_locked=True)
)
_DELETE_EXPIRED = command(sa.delete(sign_in_link).where(sign_in_link.c.id.in_(_EXPIRED)))
# Of all accounts: somebody may work in several with one address.
_WITH_EMAIL = rows(
    _Known,
    sa.select(*columns(staff, *_Known.__struct_fields__))
    .where(
        staff.c.email == P("email"),
        staff.c.type == sa.literal_column("'user'"),
        staff.c.state != sa.literal_column("'inactive'"),
    )
    .order_by(staff.c.id)
    .limit(sa.literal_column("20")),
)
_CHOOSE = command(
    sa.update(staff)
    .where(staff.c.account_id == P("account_id"), staff.c.id == P("id"))
    .values(password_hash=P("password_hash"), state=sa.literal_column("'active'"), updated_at=P("now"))
)


def issue(tx: Writer, account_id: int, user_id: int, purpose: Purpose, now: str) -> None:
    """Have a link mailed to a user, in place of any that they were sent before."""
    tx.run(_DELETE_EXPIRED, now=now)
    tx.run(_WITHDRAW, account_id=account_id, user_id=user_id)
    made = _NewLink(
        account_id=account_id,
        user_id=user_id,
        purpose=purpose,
        mark=new_token(),
        expires_at=to_wire(from_wire(now) + LIFE[purpose]),
        created_at=now,
    )
    handover = Handover(tx.add(_ADD, made))
    job = NewJob(
        account_id=account_id,
        kind=MAIL_LINK,
        target=f"sign-in:{account_id}",
        payload=msgspec.json.encode(handover).decode(),
        due_at=jobs.milliseconds(from_wire(now)),
        created_at=now,
    )
    jobs.add_many(tx, [job])


def invite_again(tx: Writer, actor: Actor, user_id: int, now: str) -> None:
    """Mail an invited user another link to accept with; the one before stops working.

    Raises AccessDenied for callers who are no administrators, NotFound, and PreconditionFailed for users who have
    accepted.
    """
    require_administrator(actor)
    user = queries.by_id(tx, actor.account_id, user_id)
    if user is None or user.type != "user" or user.state == "inactive":
        raise NotFound
    if user.state != "invited":
        raise PreconditionFailed(FieldError("userId", "has accepted already", "ValidIdentifier", user_id, "URI"))
    issue(tx, actor.account_id, user_id, "welcome", now)


def forgot(tx: Writer, email: str, now: str) -> None:
    """Have links mailed to whoever has an e-mail address, in each account; to nobody where nobody has it.

    Who has not accepted an invitation yet gets that once more.
    """
    for one in tx.all(_WITH_EMAIL, email=email.lower()):
        issue(tx, one.account_id, one.id, "welcome" if one.state == "invited" else "reset", now)


def withdraw(tx: Writer, account_id: int, user_id: int) -> None:
    """Let the links stop working that a user was sent, as when they chose a password in another way."""
    tx.run(_WITHDRAW, account_id=account_id, user_id=user_id)


def mailable(db: Reader, account_id: int, id: int, now: str) -> Mailable | None:
    """A link that is still to be mailed; None when it was withdrawn, has expired or is of no use any more."""
    return db.one(_MAILABLE, account_id=account_id, id=id, now=now)


def token(sealer: Sealer, account_id: int, link: Mailable) -> str:
    """What the address of a link ends with, 256 bits; always the same for one link. Raises SealingError."""
    said = f"{account_id}/{link.id}/{link.mark}".encode()
    made = hmac.digest(sealer.derived("sign-in links"), said, "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def know_token(tx: Writer, account_id: int, id: int, token: str) -> None:
    """Let a link work from now on: by its token's hash it will be found."""
    tx.run(_KNOW_TOKEN, account_id=account_id, id=id, hash=digest(token))


def find(db: Reader, given: str, now: datetime) -> Link | None:
    """The link with a token; None when it was used, has expired or never was."""
    return db.one(_BY_HASH, hash=digest(given), now=to_wire(now))


def choose_password(tx: Writer, given: str, password_hash: str, now: datetime) -> Link | None:
    """Use a link: the user's password is the chosen one, and who was invited has accepted.

    None when it can't be used any more. Of two transactions that use one link, the database lets one delete the row.
    """
    found = find(tx, given, now)
    if found is None or tx.run(_SPEND, account_id=found.account_id, id=found.id) != 1:
        return None
    tx.run(_CHOOSE, account_id=found.account_id, id=found.user_id, password_hash=password_hash, now=to_wire(now))
    if found.purpose == "reset":
        security_notices.tell(tx, found.account_id, found.user_id, "password", to_wire(now))
    tx.changed(STALE)
    return found
