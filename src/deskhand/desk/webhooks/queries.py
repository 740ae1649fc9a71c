"""Reading webhooks as they were set up."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.webhooks import PAGE_SIZE
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, rows, value
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


_ROW = sa.select(*columns(webhook, *WebhookRow.__struct_fields__)).where(webhook.c.account_id == P("account_id"))
_BY_ID = rows(WebhookRow, _ROW.where(webhook.c.id == P("id")))
_PAGE = rows(WebhookRow, _ROW.order_by(webhook.c.id).limit(P("size", sa.Integer)).offset(P("start", sa.BigInteger)))
_COUNT = value(int, sa.select(sa.func.count()).select_from(webhook).where(webhook.c.account_id == P("account_id")))
_INBOXES = value(
    int,
    sa.select(inbox.c.id).where(inbox.c.account_id == P("account_id"), ids_in(inbox.c.id, P("ids", sa.Text))),
)


def find(db: Reader, account_id: int, page: int) -> tuple[list[WebhookRow], int]:
    """A page of an account's webhooks, the oldest first, and how many there are."""
    found = db.all(_PAGE, account_id=account_id, size=PAGE_SIZE, start=(page - 1) * PAGE_SIZE)
    return found, db.first(_COUNT, account_id=account_id)


def by_id(db: Reader, account_id: int, id: int) -> WebhookRow | None:
    """A webhook, or None."""
    return db.one(_BY_ID, account_id=account_id, id=id)


def inboxes_there_are(db: Reader, account_id: int, ids: Iterable[int]) -> set[int]:
    """Those of the ids that are inboxes of the account."""
    return set(db.all(_INBOXES, account_id=account_id, ids=msgspec.json.encode(sorted(set(ids))).decode()))
