"""Users and who the token acts as, their statuses, and system users.

Creating a user is the inboxes' slice's, deleting one the conversations'.
"""

from __future__ import annotations

from deskhand.catalogue import users as operations
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.users import (
    ListSystemUsers,
    ListUsers,
    ListUserStatuses,
    Reassignment,
    SetUserStatus,
    SystemUser,
    User,
    UserStatus,
)
from deskhand.desk import access
from deskhand.desk.call import Call, Page, implements
from deskhand.desk.users import queries, represent, statuses
from deskhand.desk.users.queries import PAGE_SIZE


@implements(operations.list_users)
def list_users(call: Call[ListUsers, NoBody]) -> Page[User]:
    wanted = call.query
    if wanted.mailbox is not None and not access.may_know(call.actor, wanted.mailbox):
        return Page([], wanted.page, PAGE_SIZE, 0)
    found, total = queries.find(call.tx, call.actor.account_id, wanted.email, wanted.mailbox, wanted.page)
    return Page([represent.user(row, call.base) for row in found], wanted.page, PAGE_SIZE, total)


@implements(operations.get_me)
def get_me(call: Call[NoQuery, NoBody]) -> User:
    row = queries.by_id(call.tx, call.actor.account_id, call.actor.user_id)
    if row is None:
        raise NotFound
    return represent.user(row, call.base, company_id=call.actor.account_id)


@implements(operations.get_user)
def get_user(call: Call[NoQuery, NoBody]) -> User:
    row = queries.by_id(call.tx, call.actor.account_id, call.path[0])
    if row is None or row.type == "team":
        raise NotFound
    return represent.user(row, call.base)


@implements(operations.list_user_statuses)
def list_user_statuses(call: Call[ListUserStatuses, NoBody]) -> Page[UserStatus]:
    page = call.query.page
    found, total = statuses.find(call.tx, call.actor.account_id, page)
    return Page([represent.status(row, call.base, call.actor.only) for row in found], page, PAGE_SIZE, total)


@implements(operations.get_user_status)
def get_user_status(call: Call[NoQuery, NoBody]) -> UserStatus:
    found = statuses.of_user(call.tx, call.actor.account_id, call.path[0])
    return represent.status(found, call.base, call.actor.only)


@implements(operations.set_user_status)
def set_user_status(call: Call[NoQuery, SetUserStatus]) -> None:
    statuses.set_status(call.tx, call.actor, call.path[0], call.body, call.now)


@implements(operations.get_user_reassignment)
def get_user_reassignment(call: Call[NoQuery, NoBody]) -> Reassignment:
    return represent.reassignment(statuses.while_away(call.tx, call.actor.account_id, call.path[0]))


@implements(operations.set_user_reassignment)
def set_user_reassignment(call: Call[NoQuery, Reassignment]) -> None:
    statuses.set_while_away(call.tx, call.actor, call.path[0], call.body)


@implements(operations.list_system_users)
def list_system_users(call: Call[ListSystemUsers, NoBody]) -> Page[SystemUser]:
    page = call.query.page
    found, total = queries.find_system_users(call.tx, call.actor.account_id, page)
    return Page([represent.system_user(row, call.base) for row in found], page, PAGE_SIZE, total)


@implements(operations.get_system_user)
def get_system_user(call: Call[NoQuery, NoBody]) -> SystemUser:
    row = queries.by_id(call.tx, call.actor.account_id, call.path[0])
    if row is None or row.type != "system_user" or row.state == "inactive":
        raise NotFound
    return represent.system_user(row, call.base)
