"""The rows of a page of conversations: ids first, all that is shown after."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.conversations import PAGE_SIZE
from deskhand.db.engine import Reader
from deskhand.desk import counters
from deskhand.desk.conversations.listing.filters import STATUSES, Shape, Wanted, order, sorted_by
from deskhand.desk.conversations.queries import Shown, shown
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.inboxes.folders import Folder

FARTHEST = 2**31


class Listed(Shown, gc=False):
    """A conversation of a page, and what the page is sorted by."""

    key: Any


class Counted(Listed, gc=False):
    """The same, and how many conversations there are in all."""

    total: int


def page(shape: Shape, ids: sa.Select[Any]) -> sa.Select[Any]:
    """The conversations with these ids, in order: pages that lie deep are skipped in the index alone.

    Where `ids` has a second column, it is each row's `total`.
    """
    chosen = ids.subquery("page")
    joined = chosen.join(conversation, conversation.c.id == chosen.c.id)
    return columns(shape, joined, *list(chosen.c)[1:]).order_by(*order(shape))


def columns(shape: Shape, source: Any = conversation, *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The columns of Listed, and more."""
    return shown(source).add_columns(sorted_by(shape).label("key"), *more)


def of_folder(db: Reader, wanted: Wanted) -> int | None:
    """How many conversations a folder has, where that is all that is asked for; None where it is not."""
    alone = wanted.folder is not None and msgspec.structs.replace(wanted, folder=None).countable
    if wanted.folder is None or not alone or wanted.status not in ("all", "active"):
        return None
    suffix = "_active" if wanted.status == "active" else ""
    inbox_id, kind = divmod(wanted.folder, 10)
    if wanted.inboxes is not None and inbox_id not in wanted.inboxes:
        return 0
    if kind == Folder.MINE:
        return counters.of_key(db, wanted.account_id, f"owner{suffix}", wanted.user_id, (inbox_id,))
    return counters.of_key(db, wanted.account_id, f"folder{suffix}", wanted.folder, (inbox_id,))


def skipped(number: int, size: int = PAGE_SIZE) -> int:
    """How many conversations lie before a page."""
    return min((number - 1) * size, FARTHEST)


def size(db: Reader, wanted: Wanted) -> int:
    """How many conversations of its status and inboxes there are, whatever else is asked."""
    codes = [counters.STATUS_CODES[status] for status in STATUSES[wanted.status]]
    if len(codes) == 1:
        return counters.of_key(db, wanted.account_id, "status", codes[0], wanted.inboxes)
    by_status = counters.by_key(db, wanted.account_id, "status", wanted.inboxes)
    return sum(by_status.get(code, 0) for code in codes)
