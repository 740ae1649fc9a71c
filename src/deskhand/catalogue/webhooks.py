"""Webhooks: addresses that are told of events.

Source: https://developer.helpscout.com/mailbox-api/endpoints/webhooks/create
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, field

from deskhand.catalogue.events import BY_NAME, EventKind
from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import by_webhook, distinct, every_inbox, need, places, threads_read
from deskhand.catalogue.operation import (
    HS,
    Action,
    Asked,
    Created,
    Extent,
    ListOf,
    Need,
    NoContent,
    One,
    Operation,
    Place,
    Resource,
)
from deskhand.catalogue.values import Id, NonEmpty, PageNumber, Shape

PAGE_SIZE = 50
SECRET_MOST = 40
"""Characters of a secret."""
URL_MOST = 2048
"""Characters of an address. Source: our choice."""
LISTED_MOST = 1000
"""Events or inboxes that one webhook may name. Source: our choice."""

State = Literal["enabled", "disabled"]


class Webhook(Shape, kw_only=True):
    """A webhook as it is read; its secret is never told. `mailbox_ids` of none means all inboxes."""

    id: int
    url: str
    state: State
    events: list[str]
    notification: bool
    payload_version: Literal["V2", "V3"]
    label: str | None
    mailbox_ids: list[int]
    links: Links = field(name="_links")


class NewWebhook(Shape, kw_only=True):
    """A webhook to be created. `payload_version` is V2 or V3 in any case; the default is V2."""

    url: Annotated[str, Meta(min_length=1, max_length=URL_MOST)]
    events: Annotated[list[NonEmpty], Meta(min_length=1, max_length=LISTED_MOST)]
    secret: Annotated[str, Meta(min_length=1, max_length=SECRET_MOST)]
    notification: bool | None = None
    payload_version: str | None = None
    label: Annotated[str, Meta(max_length=500)] | None = None
    mailbox_ids: Annotated[list[Id], Meta(max_length=LISTED_MOST)] | None = None


class OverwrittenWebhook(NewWebhook, kw_only=True):
    """A webhook's new settings, all of them; what is left out gets its default, but for `state`, which stays."""

    state: State | None = None


class ListWebhooks(Shape, kw_only=True):
    """Which webhooks to list."""

    page: PageNumber = 1


def _created(asked: Asked) -> tuple[Need, ...]:
    return distinct(_told(asked))


def _overwritten(asked: Asked) -> tuple[Need, ...]:
    """As it was and as it will be."""
    return distinct((*by_webhook(asked), *_told(asked)))


_CARRIED = {
    "customer": Need(Resource.CUSTOMERS, Action.READ, Extent.EVERY, "get_customer"),
    "rating": Need(Resource.RATINGS, Action.READ, Extent.NONE, "get_rating"),
    "tag": Need(Resource.TAGS, Action.READ, Extent.NONE, "get_tag"),
    "organization": Need(Resource.ORGANIZATIONS, Action.READ, Extent.NONE, "get_organization"),
    "user status": Need(Resource.USERS, Action.READ, Extent.NONE, "get_user_status"),
}
"""What must be readable to have it sent. Conversations are what a webhook's inboxes are granted for."""


def _told(asked: Asked) -> Iterator[Need]:
    """What a webhook over these inboxes and events would send; only conversations are narrowed to its inboxes."""
    new: NewWebhook = asked.body
    where = places(new.mailbox_ids)
    yield from (need(asked, place) for place in where)
    for name in new.events:
        kind = BY_NAME.get(name)
        if kind is None or not kind.by_inbox:
            yield need(asked, Extent.EVERY)
        yield from _carried(kind, where)


def _carried(kind: EventKind | None, where: tuple[Place, ...]) -> Iterator[Need]:
    """What an event's body shows; one that is unknown here may show anything."""
    match kind.payload if kind else "":
        case "conversation" | "id":
            pass
        case "conversation with threads":
            yield from threads_read(*where)
        case "customer" | "tag" | "organization" | "user status" as payload:
            yield _CARRIED[payload]
        case "rating":
            yield _CARRIED["rating"]
            yield from threads_read(Extent.EVERY)
        case _:
            yield from threads_read(Extent.EVERY)


_PATH = "/v2/webhooks/{webhook_id}"
_REFUSED = (403, "light users have nothing to do with webhooks; an inbox that the caller may not see")
_LIGHT = (403, "light users have nothing to do with webhooks")

list_webhooks = Operation(
    name="list_webhooks", method="GET", path="/v2/webhooks",
    resource=Resource.WEBHOOKS, action=Action.READ, needs=every_inbox,
    query=ListWebhooks, returns=ListOf("webhooks", Webhook, PAGE_SIZE),
    phrase="list webhooks",
    summary="List the account's webhooks in the order in which they were created; their secrets are not told.",
    source=HS + "webhooks/list", errors=(_LIGHT,),
)  # fmt: skip

get_webhook = Operation(
    name="get_webhook", method="GET", path=_PATH,
    resource=Resource.WEBHOOKS, action=Action.READ, needs=by_webhook, returns=One(Webhook),
    phrase="read webhook {webhook_id}",
    summary="One webhook; its state says whether it is still being told of events.",
    source=HS + "webhooks/get", errors=(_LIGHT,),
)  # fmt: skip

create_webhook = Operation(
    name="create_webhook", method="POST", path="/v2/webhooks",
    resource=Resource.WEBHOOKS, action=Action.WRITE, needs=_created, body=NewWebhook, returns=Created(),
    phrase="create a webhook",
    summary="Have events of your choice sent to an address, signed by a secret; only what you may see is sent.",
    source=HS + "webhooks/create", errors=(_REFUSED,),
)  # fmt: skip

update_webhook = Operation(
    name="update_webhook", method="PUT", path=_PATH,
    resource=Resource.WEBHOOKS, action=Action.WRITE, needs=_overwritten, body=OverwrittenWebhook, returns=NoContent(),
    phrase="change webhook {webhook_id}",
    summary="Replace all settings of a webhook, which then sends what you may see; state switches it on or off.",
    source=HS + "webhooks/update", errors=(_REFUSED,),
)  # fmt: skip

delete_webhook = Operation(
    name="delete_webhook", method="DELETE", path=_PATH,
    resource=Resource.WEBHOOKS, action=Action.DELETE, needs=by_webhook, returns=NoContent(),
    phrase="delete webhook {webhook_id}",
    summary="Delete a webhook; what waits to be sent to it is not sent.",
    source=HS + "webhooks/delete", errors=(_LIGHT,),
)  # fmt: skip

OPERATIONS = (list_webhooks, get_webhook, create_webhook, update_webhook, delete_webhook)
