"""Reading webhooks as they were set up."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.webhooks import PAGE_SIZE
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.inboxes.tables import inbox
from deskhand.desk.webhooks.tables import webhook


class WebhookRow(msgspec.Struct, frozen=True):
    """A webhook as stored, without its secret."""

    id: int
    url: str
    state: str
    events: str
    notification: int
    payload_version: str
    label: str | None
    inbox_ids: str
    disabled_because: str
    created_by: int

    def is_known_to(self, actor: Actor) -> bool:
        """Whether the caller may know of it: an agent narrowed to some inboxes only when it tells of no others."""
        if actor.only is None:
            return True
        told_of = msgspec.json.decode(self.inbox_ids, type=set[int])
        return bool(told_of) and told_of <= actor.only


_ROW = sa.select(*columns(webhook, *WebhookRow.__struct_fields__)).where(webhook.c.account_id == P("account_id"))
_BY_ID = rows(WebhookRow, _ROW.where(webhook.c.id == P("id")))
_PAGE = rows(WebhookRow, _ROW.order_by(webhook.c.id).limit(P("size", sa.Integer)).offset(P("start", sa.BigInteger)))
_OF_SOME = rows(WebhookRow, _ROW.where(webhook.c.inbox_ids != sa.literal_column("'[]'")).order_by(webhook.c.id))
_COUNT = value(int, sa.select(sa.func.count()).select_from(webhook).where(webhook.c.account_id == P("account_id")))
_SECRET = value(
    str, sa.select(webhook.c.secret).where(webhook.c.account_id == P("account_id"), webhook.c.id == P("id"))
)
_INBOXES = value(
    int,
    sa.select(inbox.c.id).where(inbox.c.account_id == P("account_id"), ids_in(inbox.c.id, P("ids", sa.Text))),
)


def find(db: Reader, actor: Actor, page: int) -> tuple[list[WebhookRow], int]:
    """A page of the webhooks that the caller may know of, the oldest first, and how many there are."""
    start = (page - 1) * PAGE_SIZE
    if actor.only is not None:  # an account has few, and which inboxes they name only their lists tell
        known = [row for row in db.all(_OF_SOME, account_id=actor.account_id) if row.is_known_to(actor)]
        return known[start : start + PAGE_SIZE], len(known)
    found = db.all(_PAGE, account_id=actor.account_id, size=PAGE_SIZE, start=start)
    return found, db.first(_COUNT, account_id=actor.account_id)


def by_id(db: Reader, account_id: int, id: int) -> WebhookRow | None:
    """A webhook, or None."""
    return db.one(_BY_ID, account_id=account_id, id=id)


def known_to(db: Reader, actor: Actor, id: int) -> WebhookRow:
    """A webhook; raises NotFound, also for one that the caller may not know of."""
    row = by_id(db, actor.account_id, id)
    if row is None or not row.is_known_to(actor):
        raise NotFound
    return row


def secret_of(db: Reader, actor: Actor, id: int) -> str:
    """What signs a webhook's deliveries; never shown to anybody. Raises NotFound."""
    known_to(db, actor, id)
    return db.first(_SECRET, account_id=actor.account_id, id=id)


def inboxes_there_are(db: Reader, account_id: int, ids: Iterable[int]) -> set[int]:
    """Those of the ids that are inboxes of the account."""
    return set(db.all(_INBOXES, account_id=account_id, ids=msgspec.json.encode(sorted(set(ids))).decode()))
