"""Telling users by mail what has changed about how they sign in, so that nobody changes it behind their back.

A notice holds no link: there is nothing in it that would open a door, and nothing to be imitated.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from deskhand.db.engine import Writer
from deskhand.desk.users import queries
from deskhand.lib.clock import from_wire
from deskhand.outbox import jobs
from deskhand.outbox.jobs import NewJob

What = Literal["password", "address", "factor_on", "factor_off", "codes", "code_used"]
TELL = "mail_security_notice"
"""The kind of jobs that mail notices; see desk/security_mail.py."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What has happened to a user, and where that is mailed to.

    `by` names whoever did it in their place. `address` is the new one, `left` how many recovery codes there are yet.
    """

    what: What
    user_id: int
    email: str
    at: str
    by: str = ""
    address: str = ""
    left: int = 0


def tell(
    tx: Writer, account_id: int, user_id: int, what: What, now: str, *, by: str = "", address: str = "", left: int = 0
) -> None:
    """Have a user told of something at the address that they have now; call it before that changes."""
    found = queries.by_id(tx, account_id, user_id)
    if found is not None and found.email and found.state == "active":
        notice = Notice(what=what, user_id=user_id, email=found.email, at=now, by=by, address=address, left=left)
        tell_all(tx, account_id, [notice])


def tell_all(tx: Writer, account_id: int, notices: list[Notice]) -> None:
    """Have notices mailed."""
    jobs.add_many(
        tx,
        [
            NewJob(
                account_id=account_id,
                kind=TELL,
                target=f"sign-in:{account_id}",
                payload=msgspec.json.encode(one).decode(),
                due_at=jobs.milliseconds(from_wire(one.at)),
                created_at=one.at,
            )
            for one in notices
        ],
    )
