"""Tags: list and get."""

from __future__ import annotations

from deskhand.catalogue import tags as operations
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.tags import ListTags, Tag
from deskhand.desk.call import Call, Page, implements
from deskhand.desk.tags import queries, represent


@implements(operations.list_tags)
def list_tags(call: Call[ListTags, NoBody]) -> Page[Tag]:
    actor, page = call.actor, call.query.page
    found, total = queries.find(call.tx, actor.account_id, actor.inboxes, page)
    return Page([represent.tag(row, actor.hide) for row in found], page, queries.PAGE_SIZE, total)


@implements(operations.get_tag)
def get_tag(call: Call[NoQuery, NoBody]) -> Tag:
    row = queries.by_id(call.tx, call.actor.account_id, call.path[0], call.actor.inboxes)
    if row is None:
        raise NotFound
    return represent.tag(row, call.actor.hide)
