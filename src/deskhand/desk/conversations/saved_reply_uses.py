"""How often saved replies are written with."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, rows
from deskhand.desk.conversations.tables import thread


class Uses(msgspec.Struct, frozen=True):
    """How many messages were written with a saved reply, and when the last of them was."""

    saved_reply_id: int
    n: int
    last_at: str


_USES = rows(
    Uses,
    sa.select(thread.c.saved_reply_id, sa.func.count().label("n"), sa.func.max(thread.c.created_at).label("last_at"))
    .where(
        thread.c.account_id == P("account_id"),
        ids_in(thread.c.saved_reply_id, P("ids", sa.Text)),
        # In the words of its index, without which SQLite would read every thread.
        thread.c.saved_reply_id > sa.literal_column("0"),
    )
    .group_by(thread.c.saved_reply_id),
)


def uses(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, Uses]:
    """How often saved replies were used; those that never were are left out."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = db.all(_USES, account_id=account_id, ids=msgspec.json.encode(wanted).decode())
    return {one.saved_reply_id: one for one in found}
