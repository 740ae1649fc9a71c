"""Which account a command is about."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.cli.refused import Refused
from deskhand.db.engine import Reader
from deskhand.db.statements import P, value
from deskhand.desk.users.tables import account, staff

_IS_ACCOUNT = value(int, sa.select(account.c.id).where(account.c.id == P("id")))
_ACCOUNTS = value(int, sa.select(account.c.id).order_by(account.c.id).limit(2))
_PERSON = value(
    int,
    sa.select(staff.c.id)
    .where(staff.c.account_id == P("account_id"), staff.c.type == sa.literal_column("'user'"))
    .limit(sa.literal_column("1")),
)


def meant(db: Reader, given: int | None) -> int:
    """The account that was named, or the only one there is; raises Refused."""
    if given is not None:
        if db.one(_IS_ACCOUNT, id=given) is None:
            raise Refused(f"there is no account {given}")
        return given
    found = db.all(_ACCOUNTS)
    if not found:
        raise Refused('there is no account yet: run "deskhand init"')
    if len(found) > 1:
        raise Refused("there are several accounts: say which by --account")
    return found[0]


def has_desk(db: Reader, account_id: int) -> bool:
    """Whether people work on the account here; else it is of a gateway that stands alone before another desk."""
    return db.one(_PERSON, account_id=account_id) is not None
