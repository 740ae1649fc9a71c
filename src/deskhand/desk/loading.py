"""Putting whole accounts in at once, with their ids: for filling a sandbox and for imports."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.portable import continue_ids
from deskhand.db.statements import Insert
from deskhand.desk.conversations import reply_facts
from deskhand.desk.conversations import tables as conversations
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.reply_facts import ThreadFacts
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


# What is worked out of the threads when they are put in, rather than given.
_WORKED_OUT: dict[str, Any] = {"replies": 0, "first_reply_at": None, "waited_since": None, "first_reply": 0}


def _loader(table: sa.Table) -> Insert[msgspec.Struct]:
    """Adds rows of all columns; a row must name each that is given, so that a new column can't be forgotten."""
    fields: list[Any] = [
        (str(column.name), Any, *([_WORKED_OUT[column.name]] if column.name in _WORKED_OUT else []))
        for column in table.c
    ]
    return Insert(table, msgspec.defstruct(f"Loaded_{table.name}", fields, kw_only=True))


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
        self._work_out_replies()
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

    def _work_out_replies(self) -> None:
        """What is known of replies; a conversation comes in the same batch as its threads."""
        automatic = {mail.thread_id: mail.automatic for mail in map(_any, self._rows["thread_mail"])}
        of_conversation: dict[int, list[Any]] = defaultdict(list)
        for thread in map(_any, self._rows["thread"]):
            of_conversation[thread.conversation_id].append(thread)
        for conversation in map(_any, self._rows["conversation"]):
            threads = of_conversation[conversation.id]
            facts = reply_facts.of(_said(thread, automatic.get(thread.id, 0)) for thread in threads)
            conversation.replies, conversation.first_reply_at = facts.replies, facts.first_reply_at
            for thread in threads:
                thread.waited_since, thread.first_reply = facts.threads.get(thread.id, (None, 0))


def _any(row: msgspec.Struct) -> Any:
    """A row with the columns of whichever table."""
    return row


def _said(row: Any, automatic: int) -> ThreadFacts:
    return ThreadFacts(
        row.id, row.type, row.state, row.created_by_type, row.created_at, row.source_type, automatic=automatic
    )


def finish(tx: Writer) -> None:
    """After the last batch: let generated ids go on behind the loaded ones."""
    for table in _TABLES:
        if "id" in table.c:
            continue_ids(tx, table.name)
