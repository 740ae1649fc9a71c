"""What conditions and actions may name: everything there is to choose from, for somebody who writes a workflow."""

from __future__ import annotations

import json

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, rows
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import Field
from deskhand.desk.saved_replies.tables import saved_reply
from deskhand.desk.tags.tables import tag
from deskhand.desk.users.tables import staff
from deskhand.desk.workflows.naming import WEBHOOKS, Webhook, called

TAGS_MOST = 2_000


class Named(msgspec.Struct, frozen=True):
    """Something that can be chosen."""

    id: int
    name: str


class _Owner(msgspec.Struct, frozen=True):
    id: int
    type: str
    first_name: str
    last_name: str


class _Reply(msgspec.Struct, frozen=True):
    id: int
    inbox_id: int
    name: str


class Choices(msgspec.Struct, frozen=True):
    """All there is to choose from; fields and saved replies by the inbox that they belong to."""

    inboxes: list[Named]
    users: list[Named]
    teams: list[Named]
    system_users: list[Named]
    tags: list[Named]
    webhooks: list[Named]
    fields: dict[int, list[Field]]
    replies: dict[int, list[Named]]

    @property
    def owners(self) -> list[Named]:
        """Whoever can own a conversation."""
        return [*self.users, *self.teams, *self.system_users]


_OWNERS = rows(
    _Owner,
    sa.select(staff.c.id, staff.c.type, staff.c.first_name, staff.c.last_name)
    .where(staff.c.account_id == P("account_id"), staff.c.state != sa.literal_column("'inactive'"))
    .order_by(staff.c.first_name, staff.c.last_name, staff.c.id),
)
_TAGS = rows(
    Named,
    sa.select(tag.c.id, tag.c.name)
    .where(tag.c.account_id == P("account_id"))
    .order_by(tag.c.folded)
    .limit(P("most", sa.Integer)),
)
_REPLIES = rows(
    _Reply,
    sa.select(saved_reply.c.id, saved_reply.c.inbox_id, saved_reply.c.name)
    .where(
        saved_reply.c.account_id == P("account_id"),
        ids_in(saved_reply.c.inbox_id, P("inbox_ids", sa.Text)),
        saved_reply.c.deleted == sa.literal_column("0"),
        saved_reply.c.text.is_not(None),
    )
    .order_by(saved_reply.c.name, saved_reply.c.id),
)
_WEBHOOKS = rows(Webhook, WEBHOOKS)


def of(db: Reader, account_id: int) -> Choices:
    """What there is to choose from in an account; six statements."""
    there = inboxes.all_of(db, account_id)
    ids = [one.id for one in there]
    staff_of: dict[str, list[Named]] = {"user": [], "team": [], "system_user": []}
    for one in db.all(_OWNERS, account_id=account_id):
        name = f"{one.first_name} {one.last_name}".strip() or f"{one.id}"
        staff_of.setdefault(one.type, []).append(Named(one.id, name))
    fields: dict[int, list[Field]] = {}
    for field in inboxes.fields_of(db, account_id, ids):
        fields.setdefault(field.inbox_id, []).append(field)
    replies: dict[int, list[Named]] = {}
    for reply in db.all(_REPLIES, account_id=account_id, inbox_ids=json.dumps(ids)):
        replies.setdefault(reply.inbox_id, []).append(Named(reply.id, reply.name))
    return Choices(
        inboxes=[Named(one.id, one.name) for one in there],
        users=staff_of["user"],
        teams=staff_of["team"],
        system_users=staff_of["system_user"],
        tags=db.all(_TAGS, account_id=account_id, most=TAGS_MOST),
        webhooks=[Named(one.id, called(one)) for one in db.all(_WEBHOOKS, account_id=account_id)],
        fields=fields,
        replies=replies,
    )
