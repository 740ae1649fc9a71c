"""Users: list, get, and who the token acts as."""

from __future__ import annotations

from deskhand.catalogue import users as operations
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.users import ListUsers, User
from deskhand.desk.call import Call, Page, implements
from deskhand.desk.users import queries, represent


@implements(operations.list_users)
def list_users(call: Call[ListUsers, NoBody]) -> Page[User]:
    wanted = call.query
    found, total = queries.find(call.tx, call.actor.account_id, wanted.email, wanted.mailbox, wanted.page)
    return Page([represent.user(row, call.base) for row in found], wanted.page, queries.PAGE_SIZE, total)


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
