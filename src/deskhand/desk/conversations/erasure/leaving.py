"""When a user leaves: nobody owns the conversations that were theirs."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue import users as operations
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.db.engine import Writer
from deskhand.db.statements import P, columns, rows
from deskhand.desk.call import Actor, Call, implements
from deskhand.desk.conversations import owners
from deskhand.desk.conversations.drafts import staying
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.conversations.timing import scheduling
from deskhand.desk.conversations.writing import add_line_item, count, tell
from deskhand.desk.inboxes import verbs as inboxes
from deskhand.desk.inboxes.folders import Folder, folder_id
from deskhand.desk.users import verbs as users


def _folder(kind: Folder) -> sa.ColumnElement[int]:
    """See inboxes/folders.py: an inbox's folders are numbered by its id and one digit."""
    return conversation.c.inbox_id * sa.literal_column("10") + sa.literal_column(str(int(kind)))


# One statement however many they are: a user may have owned very many.
_UNASSIGN = rows(
    Head,
    sa.update(conversation)
    .where(conversation.c.account_id == P("account_id"), conversation.c.assignee_id == P("owner_id"))
    .values(
        assignee_id=sa.null(),
        folder_id=sa.case(
            (conversation.c.folder_id == _folder(Folder.ASSIGNED), _folder(Folder.UNASSIGNED)),
            else_=conversation.c.folder_id,
        ),
        modified_at=P("now"),
        user_updated_at=P("now"),
    )
    .returning(*columns(conversation, *Head.__struct_fields__)),
)


@implements(operations.delete_user)
def delete_user(call: Call[NoQuery, NoBody]) -> None:
    leave(call.tx, call.actor, call.path[0], call.now)


def leave(tx: Writer, actor: Actor, user_id: int, now: str) -> None:
    """Delete a user with what they were writing, and let go of their conversations; raises as users.verbs.delete."""
    users.delete(tx, actor, user_id, now)
    staying.inherit(tx, actor, user_id, now)
    scheduling.stay_without(tx, actor.account_id, user_id, now)
    let_go(tx, actor, user_id, now)


def let_go(tx: Writer, actor: Actor, user_id: int, now: str) -> None:
    """Leave all conversations of somebody who has left to nobody."""
    inboxes.forget_assignee(tx, actor.account_id, user_id)
    who, left = (owners.by_id(tx, actor.account_id, id) for id in (actor.user_id, user_id))
    name = who.name if who else "Someone"
    text = f"{name} unassigned the conversation: {left.name if left else 'its owner'} has left"
    found = tx.all(_UNASSIGN, account_id=actor.account_id, owner_id=user_id, now=now)
    for after in sorted(found, key=lambda head: head.id):
        _recount(tx, after, user_id)
        if after.merged_into is None:
            add_line_item(tx, after, actor, now, text)
            tell(tx, actor, after, events.CONVERSATION_ASSIGNED, now, before=user_id, after=0)


def _recount(tx: Writer, after: Head, owner_id: int) -> None:
    """What is unassigned now was assigned before."""
    unassigned, assigned = (folder_id(after.inbox_id, kind) for kind in (Folder.UNASSIGNED, Folder.ASSIGNED))
    folder = assigned if after.folder_id == unassigned else after.folder_id
    count(tx, msgspec.structs.replace(after, assignee_id=owner_id, folder_id=folder), -1)
    count(tx, after, 1)
