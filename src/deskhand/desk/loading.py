"""Putting whole accounts in at once, with their ids: for filling a sandbox and for imports."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.portable import continue_ids
from deskhand.db.statements import Insert
from deskhand.desk.conversations import tables as conversations
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.writing import count, tag_ids
from deskhand.desk.customers import tables as customers
from deskhand.desk.inboxes import tables as inboxes
from deskhand.desk.search import index
from deskhand.desk.tags import tables as tags
from deskhand.desk.teams import tables as teams
from deskhand.desk.users import tables as users

# In the order in which they are filled.
_TABLES: tuple[sa.Table, ...] = (
    users.account, users.staff, users.inbox_access, teams.team_member,
    inboxes.inbox, inboxes.custom_field, inboxes.field_option, tags.tag,
    customers.customer, customers.customer_entry,
    conversations.conversation, conversations.thread, conversations.attachment,
    conversations.conversation_tag, conversations.conversation_field,
)  # fmt: skip


def _loader(table: sa.Table) -> Insert[msgspec.Struct]:
    """Adds rows of all columns; a row must name each, so that a new column can't be forgotten."""
    return Insert(table, msgspec.defstruct(f"Loaded_{table.name}", [(str(column.name), Any) for column in table.c]))


_LOADERS = {table.name: _loader(table) for table in _TABLES}
_HEAD = frozenset(Head.__struct_fields__)


class Batch:
    """Rows to be put in together, by table."""

    def __init__(self) -> None:
        self._rows: dict[str, list[msgspec.Struct]] = defaultdict(list)
        self._texts: list[index.Texts] = []

    def add(self, table: str, **row: Any) -> None:
        """Add a row; raises TypeError when a column is missing or unknown."""
        self._rows[table].append(_LOADERS[table].shape(**row))

    def add_texts(self, texts: index.Texts) -> None:
        """Add what search finds a conversation by."""
        self._texts.append(texts)

    def load(self, tx: Writer) -> None:
        """Put everything in, count it, make it searchable, and begin anew."""
        for row in self._rows["conversation"]:
            known = msgspec.structs.asdict(row)
            head = Head(**{name: known[name] for name in _HEAD})
            count(tx, head, 1)
            for tag_id in tag_ids(head):
                self.add("conversation_tag", account_id=head.account_id, conversation_id=head.id, tag_id=tag_id)
        for table in _TABLES:
            tx.add_many(_LOADERS[table.name], self._rows[table.name])
        index.add_many(tx, self._texts)
        self._rows.clear()
        self._texts.clear()


def finish(tx: Writer) -> None:
    """After the last batch: let generated ids go on behind the loaded ones."""
    for table in _TABLES:
        if "id" in table.c:
            continue_ids(tx, table.name)
