"""Inboxes, their custom fields, folders and routing, as far as the caller may see them; and who is let in anew."""

from __future__ import annotations

from deskhand.catalogue import inboxes as operations
from deskhand.catalogue import users as user_operations
from deskhand.catalogue.inboxes import (
    Folder,
    Inbox,
    InboxField,
    ListInboxes,
    ListInboxFields,
    ListInboxFolders,
    Routing,
    SetRouting,
)
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.users import NewUser
from deskhand.desk.call import Call, Created, Page, implements
from deskhand.desk.inboxes import inviting, queries, represent, routing
from deskhand.desk.inboxes.queries import PAGE_SIZE


@implements(operations.list_inboxes)
def list_inboxes(call: Call[ListInboxes, NoBody]) -> Page[Inbox]:
    actor, page = call.actor, call.query.page
    found, total = queries.find(call.tx, actor.account_id, actor.inboxes, page)
    return Page([represent.inbox(row, call.base) for row in found], page, PAGE_SIZE, total)


@implements(operations.get_inbox)
def get_inbox(call: Call[NoQuery, NoBody]) -> Inbox:
    return represent.inbox(queries.seen_by(call.tx, call.actor, call.path[0]), call.base)


@implements(operations.list_inbox_fields)
def list_inbox_fields(call: Call[ListInboxFields, NoBody]) -> Page[InboxField]:
    inbox, page = queries.seen_by(call.tx, call.actor, call.path[0]), call.query.page
    found = queries.fields_of(call.tx, call.actor.account_id, (inbox.id,))
    start = (page - 1) * PAGE_SIZE
    return Page([represent.field(row) for row in found[start : start + PAGE_SIZE]], page, PAGE_SIZE, len(found))


@implements(operations.list_inbox_folders)
def list_inbox_folders(call: Call[ListInboxFolders, NoBody]) -> Page[Folder]:
    page, folders = call.query.page, _folders(call)
    return Page(folders if page == 1 else [], page, PAGE_SIZE, len(folders))


@implements(operations.get_inbox_folder)
def get_inbox_folder(call: Call[NoQuery, NoBody]) -> Folder:
    for folder in _folders(call):
        if folder.id == call.path[1]:
            return folder
    raise NotFound


def _folders(call: Call[ListInboxFolders, NoBody] | Call[NoQuery, NoBody]) -> list[Folder]:
    inbox = queries.seen_by(call.tx, call.actor, call.path[0])
    found = queries.folders_of(call.tx, call.actor, inbox.id)
    return [represent.folder(row, inbox, call.actor.user_id, call.base) for row in found]


@implements(operations.get_inbox_routing)
def get_inbox_routing(call: Call[NoQuery, NoBody]) -> Routing:
    inbox = queries.seen_by(call.tx, call.actor, call.path[0])
    return represent.routing(routing.of_inbox(call.tx, call.actor.account_id, inbox.id), inbox.id, call.base)


@implements(operations.set_inbox_routing)
def set_inbox_routing(call: Call[NoQuery, SetRouting]) -> None:
    routing.set_routing(call.tx, call.actor, call.path[0], call.body)


@implements(user_operations.create_user)
def create_user(call: Call[NoQuery, NewUser]) -> Created:
    id = inviting.invite(call.tx, call.actor, call.body, call.now)
    return Created(id, f"/v2/users/{id}")
