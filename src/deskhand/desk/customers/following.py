"""Letting conversations follow their customer: the name that they are sorted by and the address that they show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, command, rows
from deskhand.desk.customers.queries import conversation, folded_email


class Addresses(NamedTuple):
    """A customer's e-mail addresses before and after a change; `replaced` has the new ones by the old, folded."""

    before: Sequence[str]
    after: Sequence[str]
    replaced: Mapping[str, str] = {}

    @property
    def first(self) -> str | None:
        """The address that stands for the customer."""
        return self.after[0] if self.after else None

    @property
    def added(self) -> list[str]:
        """Those that are new."""
        known = {folded_email(email) for email in self.before}
        return [email for email in self.after if folded_email(email) not in known]


class _Followed(msgspec.Struct, frozen=True):
    id: int
    customer_email: str


_THEIRS = (conversation.c.account_id == P("account_id"), conversation.c.customer_id == P("customer_id"))
_FOLLOWED = rows(
    _Followed,
    sa.select(conversation.c.id, conversation.c.customer_email).where(*_THEIRS).order_by(conversation.c.id),
)
_RENAME = command(
    sa.update(conversation).where(*_THEIRS, conversation.c.customer_name != P("name")).values(customer_name=P("name"))
)
_READDRESS = command(
    sa.update(conversation)
    .where(unindexed(conversation.c.account_id) == P("account_id"), ids_in(conversation.c.id, P("ids", sa.Text)))
    .values(customer_email=P("email"))
)


def follow(tx: Writer, account_id: int, customer_id: int, name: str, addresses: Addresses | None) -> None:
    """Bring a customer's conversations up to date; `name` is in the form by which they are sorted.

    A conversation whose address was replaced shows the new one; one whose address is gone, the customer's first.
    Without `addresses` these are as they were.
    """
    tx.run(_RENAME, account_id=account_id, customer_id=customer_id, name=name)
    if addresses is None:
        return
    moved: dict[str, list[int]] = defaultdict(list)
    for row in tx.all(_FOLLOWED, account_id=account_id, customer_id=customer_id):
        email = _address(row.customer_email, addresses)
        if email != row.customer_email:
            moved[email].append(row.id)
    for email, ids in moved.items():
        tx.run(_READDRESS, account_id=account_id, ids=msgspec.json.encode(ids).decode(), email=email)


def _address(shown: str, addresses: Addresses) -> str:
    folded = folded_email(shown)
    if folded in addresses.replaced:
        return addresses.replaced[folded]
    if any(folded_email(email) == folded for email in addresses.after):
        return shown
    return addresses.first or ""
