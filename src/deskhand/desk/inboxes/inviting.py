"""Inviting somebody to the support staff and letting them into inboxes.

Source: https://developer.helpscout.com/mailbox-api/endpoints/users/create
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from deskhand.catalogue.problems import BadRequest, FieldError, empty
from deskhand.catalogue.users import InboxOfUser, NewUser
from deskhand.db.engine import Reader, Writer
from deskhand.desk import access
from deskhand.desk.access import require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.inboxes import queries
from deskhand.desk.users import sign_in_links
from deskhand.desk.users import verbs as users


def invite(tx: Writer, actor: Actor, new: NewUser, now: str) -> int:
    """Add a user who has yet to accept the invitation, which is mailed unless it is not wanted; gives their id.

    Raises AccessDenied, BadRequest, and AlreadyThere when the account has somebody with this e-mail address.
    """
    require_administrator(actor)
    inboxes = new.mailboxes or ()
    faults = [*_faults(new), *_unknown(tx, actor, inboxes)]
    if faults:
        raise BadRequest(*faults)
    users.free_address(tx, actor.account_id, new.email)
    added = users.NewStaff(
        account_id=actor.account_id,
        first_name=new.first_name.strip(),
        last_name=new.last_name.strip(),
        email=str(new.email),
        role=new.role,
        state="invited",
        timezone=new.timezone or actor.policy.timezone,
        job_title=new.job_title or "",
        phone=new.phone or "",
        created_at=now,
        updated_at=now,
    )
    user_id = users.add_staff(tx, added)
    seen = tuple(dict.fromkeys(inbox.id for inbox in inboxes if inbox.email_access is not False))
    users.set_inboxes(tx, actor.account_id, user_id, seen)
    if new.send_invite is not False:
        sign_in_links.issue(tx, actor.account_id, user_id, "welcome", now)
    return user_id


def _faults(new: NewUser) -> list[FieldError]:
    faults = [
        empty(path) for path, text in (("firstName", new.first_name), ("lastName", new.last_name)) if not text.strip()
    ]
    if new.timezone and not _is_zone(new.timezone):
        text = "must name a time zone, such as Europe/Lisbon"
        faults.append(FieldError("timezone", text, "EnumValue", new.timezone))
    return faults


def _is_zone(name: str) -> bool:
    try:
        return name == "UTC" or ZoneInfo(name) is not None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _unknown(db: Reader, actor: Actor, inboxes: Sequence[InboxOfUser]) -> list[FieldError]:
    known = queries.by_ids(db, actor.account_id, (inbox.id for inbox in inboxes))
    return [
        FieldError(f"mailboxes[{position}].id", "no such inbox", "ValidIdentifier", inbox.id)
        for position, inbox in enumerate(inboxes)
        if inbox.id not in known or not access.may_know(actor, inbox.id)
    ]
