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
from deskhand.desk.conversations.timing.scheduling import set_departure
from deskhand.desk.conversations.timing.snoozing import set_alarm
from deskhand.desk.conversations.writing import count, tag_ids
from deskhand.desk.customers import tables as customers
from deskhand.desk.inboxes import tables as inboxes
from deskhand.desk.organizations import tables as organizations
from deskhand.desk.ratings import tables as ratings
from deskhand.desk.saved_replies import tables as saved_replies
from deskhand.desk.search import index
from deskhand.desk.tags import tables as tags
from deskhand.desk.teams import tables as teams
from deskhand.desk.users import tables as users
from deskhand.desk.workflows import tables as workflows

# In the order in which they are filled.
_TABLES: tuple[sa.Table, ...] = (
    users.account, users.staff, users.inbox_access, users.user_status, teams.team_member,
    inboxes.inbox, inboxes.custom_field, inboxes.field_option, inboxes.routing, tags.tag,
    organizations.organization, organizations.organization_domain, organizations.organization_property,
    organizations.organization_value,
    customers.customer, customers.customer_entry, customers.customer_property, customers.customer_value,
    saved_replies.saved_reply, workflows.workflow,
    conversations.conversation, conversations.thread, conversations.attachment,
    conversations.conversation_tag, conversations.conversation_field, conversations.thread_mail,
    ratings.rating, workflows.workflow_run,
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
            if head.snoozed_until and head.merged_into is None:
                set_alarm(tx, head.account_id, head.id, head.snoozed_until, head.modified_at)
            for tag_id in tag_ids(head):
                self.add("conversation_tag", account_id=head.account_id, conversation_id=head.id, tag_id=tag_id)
        for row in self._rows["thread"]:
            known = msgspec.structs.asdict(row)
            if known["scheduled_for"]:
                place = known["account_id"], known["conversation_id"], known["id"]
                set_departure(tx, *place, known["scheduled_for"], known["scheduled_at"])
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
