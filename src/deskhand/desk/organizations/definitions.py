"""What the definitions of customers' and of organizations' properties have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, AlreadyThere, BadRequest, FieldError, empty, invalid
from deskhand.db.engine import Writer
from deskhand.db.statements import P, value
from deskhand.desk.call import Actor
from deskhand.desk.users.tables import account

_SLUG = re.compile(r"[A-Za-z0-9_-]+")
_LOCK = value(int, sa.select(account.c.id).where(account.c.id == P("account_id")).with_for_update())


def require_may_define(actor: Actor) -> None:
    """Raises AccessDenied for light users; all others may change what the account keeps of people.

    The sources say nothing about it.
    """
    if actor.role == "light user":
        raise AccessDenied


def require_room(slugs: Sequence[str], slug: str, most: int) -> None:
    """Raises BadRequest when the account has all definitions it can have, AlreadyThere for a slug that is taken."""
    if slug in slugs:
        raise AlreadyThere(FieldError("slug", "belongs to a property already", "Unique", slug))
    if len(slugs) >= most:
        raise invalid("slug", f"an account can define {most} properties at most", "Size", slug)


def lock(tx: Writer, actor: Actor) -> None:
    """Let no other transaction define properties in this account until this one ends."""
    tx.one(_LOCK, account_id=actor.account_id)


def is_slug(text: str) -> bool:
    """Whether a text can be a property's slug."""
    return _SLUG.fullmatch(text) is not None


def require_slug(slug: str, reserved: Sequence[str] = ()) -> None:
    """Raises BadRequest for a slug with other characters than letters, digits, - and _, or with a meaning already."""
    if not is_slug(slug):
        raise invalid("slug", "must have only letters, digits, - and _", "Pattern", slug)
    if slug.lower() in {word.lower() for word in reserved}:
        raise invalid("slug", "is reserved", "Reserved", slug)


def require_options(labels: Sequence[str]) -> None:
    """Raises BadRequest when a dropdown has no options, or two with the same label."""
    if not labels:
        raise BadRequest(empty("options"))
    for position, label in enumerate(labels):
        if not label.strip():
            raise BadRequest(empty(f"options[{position}].label"))
        if label in labels[:position]:
            raise invalid(f"options[{position}].label", "must be unique", "Unique", label)
