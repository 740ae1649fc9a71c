"""Webhooks: list, get, create, change and delete."""

from __future__ import annotations

from deskhand.catalogue import webhooks as operations
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.webhooks import PAGE_SIZE, ListWebhooks, NewWebhook, OverwrittenWebhook, Webhook
from deskhand.desk.call import Call, Created, Page, implements
from deskhand.desk.webhooks import queries, represent, telling, verbs
from deskhand.desk.webhooks.verbs import require_full_user


@implements(operations.list_webhooks)
def list_webhooks(call: Call[ListWebhooks, NoBody]) -> Page[Webhook]:
    require_full_user(call.actor)
    found, total = queries.find(call.tx, call.actor, call.query.page)
    return Page([represent.webhook(row, call.base) for row in found], call.query.page, PAGE_SIZE, total)


@implements(operations.get_webhook)
def get_webhook(call: Call[NoQuery, NoBody]) -> Webhook:
    require_full_user(call.actor)
    return represent.webhook(queries.known_to(call.tx, call.actor, call.path[0]), call.base)


@implements(operations.create_webhook)
def create_webhook(call: Call[NoQuery, NewWebhook]) -> Created:
    require_full_user(call.actor)
    id = verbs.create(call.tx, call.actor, call.body, call.now)
    call.tell(telling.done("added", queries.known_to(call.tx, call.actor, id), "added"))
    return Created(id, f"/v2/webhooks/{id}")


@implements(operations.update_webhook)
def update_webhook(call: Call[NoQuery, OverwrittenWebhook]) -> None:
    require_full_user(call.actor)
    (id,) = call.path
    before, secret = queries.known_to(call.tx, call.actor, id), queries.secret_of(call.tx, call.actor, id)
    verbs.overwrite(call.tx, call.actor, id, call.body, call.now)
    after = queries.known_to(call.tx, call.actor, id)
    for change in telling.overwritten(before, after, same_secret=secret == call.body.secret):
        call.tell(change)


@implements(operations.delete_webhook)
def delete_webhook(call: Call[NoQuery, NoBody]) -> None:
    require_full_user(call.actor)
    row = queries.known_to(call.tx, call.actor, call.path[0])
    verbs.delete(call.tx, call.actor, row.id)
    call.tell(telling.done("deleted", row, "deleted"))
