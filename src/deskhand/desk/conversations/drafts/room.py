"""How many forms that were not sent somebody has, and how many of them, with how large files, they may have."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import FieldError, PreconditionFailed
from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import unsent, unsent_file

FORMS_MOST = 100
"""Forms that a user can keep at a time, those included that are about to leave."""
BYTES_MOST = 100 * 1024 * 1024
"""Of files in all of a user's forms."""


class Standing(msgspec.Struct, frozen=True):
    """How many forms of somebody's were not sent, and with how many of them that could not be done."""

    forms: int
    faulty: int


_THEIRS = (unsent.c.account_id == P("account_id"), unsent.c.user_id == P("user_id"))
_FAULTY: sa.ColumnElement[int] = sa.case(
    (unsent.c.fault != sa.literal_column("''"), sa.literal_column("1")), else_=sa.literal_column("0")
)
_COUNTS: list[sa.ColumnElement[Any]] = [
    sa.func.count().label("forms"), sa.func.coalesce(sa.func.sum(_FAULTY), sa.literal_column("0")).label("faulty"),
]  # fmt: skip
_STANDING = rows(Standing, sa.select(*_COUNTS).select_from(unsent).where(*_THEIRS, unsent.c.ready.is_(None)))
_HOW_MANY = value(int, sa.select(sa.func.count()).select_from(unsent).where(*_THEIRS))
_BYTES = value(
    int,
    sa.select(sa.func.coalesce(sa.func.sum(unsent_file.c.size), sa.literal_column("0")))
    .select_from(unsent_file)
    .join(unsent, unsent.c.id == unsent_file.c.unsent_id)
    .where(*_THEIRS, unsent_file.c.account_id == P("account_id")),
)


def standing(db: Reader, actor: Actor) -> Standing:
    """How many there are of the caller's, as every page tells them; what is about to leave does not count."""
    return db.first(_STANDING, account_id=actor.account_id, user_id=actor.user_id)


def require_for_form(db: Reader, actor: Actor) -> None:
    """Raises PreconditionFailed where the caller has as many forms as can be kept."""
    if db.first(_HOW_MANY, account_id=actor.account_id, user_id=actor.user_id) >= FORMS_MOST:
        text = f"you have {FORMS_MOST} forms that were not sent, and more can't be kept: send or discard some first"
        raise PreconditionFailed(FieldError("", text, "Size"))


def require_for_file(db: Reader, actor: Actor, size: int) -> None:
    """Raises PreconditionFailed where a file of so many bytes is more than the caller's forms may have together."""
    if db.first(_BYTES, account_id=actor.account_id, user_id=actor.user_id) + size > BYTES_MOST:
        most = BYTES_MOST // 1024 // 1024
        text = f"the files of what you have not sent would be more than {most} MB: send or discard some of it first"
        raise PreconditionFailed(FieldError("", text, "Size"))
