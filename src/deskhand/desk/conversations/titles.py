"""What conversations are called, for those that are only named."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, columns, rows
from deskhand.desk.access import may_see
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.customers.tables import customer


class Title(msgspec.Struct, frozen=True):
    """A conversation's number and subject, and whose it is."""

    id: int
    number: int
    inbox_id: int
    subject: str
    customer_email: str
    customer_first: str | None
    customer_last: str | None


_TITLES = rows(
    Title,
    sa.select(
        *columns(conversation, "id", "number", "inbox_id", "subject", "customer_email"),
        customer.c.first_name.label("customer_first"),
        customer.c.last_name.label("customer_last"),
    )
    .outerjoin(customer, customer.c.id == conversation.c.customer_id)
    .where(unindexed(conversation.c.account_id) == P("account_id"), ids_in(conversation.c.id, P("ids", sa.Text))),
)


def titles(db: Reader, actor: Actor, ids: Iterable[int]) -> dict[int, Title]:
    """Those of some conversations that are there and that the caller may see, by id."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = db.all(_TITLES, account_id=actor.account_id, ids=msgspec.json.encode(wanted).decode())
    return {one.id: one for one in found if may_see(actor, one.inbox_id)}
