"""Creating, changing and deleting webhooks.

A webhook acts for the user who saved it last: it is told of no conversation that they may not see. One that an agent
saved is told of the inboxes it names; an agent narrowed to some can have it told of nothing else.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.events import BY_NAME, RATING_GIVEN
from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, NotFound, empty, shown, unknown_id
from deskhand.catalogue.webhooks import NewWebhook, OverwrittenWebhook, State
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.webhooks import queries
from deskhand.desk.webhooks.tables import webhook, webhook_attempt, webhook_delivery

_VERSIONS = ("V2", "V3")
_PLAIN_URL = re.compile(r"https?://[!-~\u00a1-\U0010ffff]+", re.IGNORECASE)
"""Without spaces and control characters."""


class WebhookToAdd(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it begins."""

    account_id: int
    url: str
    secret: str
    events: str
    notification: int
    payload_version: str
    label: str | None
    inbox_ids: str
    state: str = "enabled"
    disabled_because: str = ""
    discarded: int = 0
    created_by: int
    created_at: str
    updated_at: str


_ADD = Insert(webhook, WebhookToAdd)
_MINE = (webhook.c.account_id == P("account_id"), webhook.c.id == P("id"))
_SAVED = (
    "url", "secret", "events", "notification", "payload_version", "label", "inbox_ids", "created_by", "updated_at",
)  # fmt: skip
_UPDATE = command(sa.update(webhook).where(*_MINE).values({name: P(name) for name in _SAVED}))
_SWITCH = command(
    sa.update(webhook)
    .where(*_MINE)
    .values(state=P("state"), disabled_because=P("because"), discarded=sa.literal_column("0"))
)
_DELETE = command(sa.delete(webhook).where(*_MINE))
_UNSENT = (
    webhook_delivery.c.account_id == P("account_id"),
    webhook_delivery.c.webhook_id == P("id"),
    webhook_delivery.c.state != sa.literal_column("'delivered'"),
)
_FORGET_UNSENT = (
    command(
        sa.delete(webhook_attempt).where(
            webhook_attempt.c.delivery_id.in_(sa.select(webhook_delivery.c.id).where(*_UNSENT))
        )
    ),
    command(sa.delete(webhook_delivery).where(*_UNSENT)),
)


def create(tx: Writer, actor: Actor, new: NewWebhook, now: str) -> int:
    """Create a webhook; gives its id. Raises AccessDenied, and BadRequest naming what is wrong."""
    return tx.add(_ADD, WebhookToAdd(**_checked(tx, actor, new, now), account_id=actor.account_id, created_at=now))


def overwrite(tx: Writer, actor: Actor, id: int, new: OverwrittenWebhook, now: str) -> None:
    """Replace a webhook's settings; raises NotFound, and as `create` does.

    Enabling it, even where it was enabled, forgets how many deliveries were given up. What could not be sent yet is not
    for the eyes of somebody else who does not see all inboxes, nor of an agent that may have seen more then.
    """
    row = queries.known_to(tx, actor, id)
    mine = {"account_id": actor.account_id, "id": id}
    tx.run(_UPDATE, **mine, **_checked(tx, actor, new, now))
    if actor.inboxes is not None and (actor.user_id != row.created_by or actor.only is not None):
        for statement in _FORGET_UNSENT:
            tx.run(statement, **mine)
    if new.state is not None:
        because = "it was switched off through the API" if new.state == "disabled" else ""
        tx.run(_SWITCH, **mine, state=new.state, because=because)


def change(tx: Writer, actor: Actor, id: int, new: OverwrittenWebhook, now: str) -> None:
    """As `overwrite`; an empty secret stays what it is."""
    secret = new.secret or queries.secret_of(tx, actor, id)
    overwrite(tx, actor, id, msgspec.structs.replace(new, secret=secret), now)


def switch(tx: Writer, actor: Actor, id: int, state: State, now: str) -> None:
    """Switch a webhook on or off; it acts for the caller from now on. Raises as `overwrite` does."""
    overwrite(tx, actor, id, _as_it_is(tx, actor, id, state=state), now)


def renew_secret(tx: Writer, actor: Actor, id: int, secret: str, now: str) -> None:
    """Have a webhook's deliveries signed with another secret from now on. Raises as `overwrite` does."""
    overwrite(tx, actor, id, _as_it_is(tx, actor, id, secret=secret), now)


def _as_it_is(tx: Writer, actor: Actor, id: int, *, state: State | None = None, secret: str = "") -> OverwrittenWebhook:
    row = queries.known_to(tx, actor, id)
    return OverwrittenWebhook(
        url=row.url,
        events=msgspec.json.decode(row.events, type=list[str]),
        secret=secret or queries.secret_of(tx, actor, id),
        notification=bool(row.notification),
        payload_version=row.payload_version,
        label=row.label,
        mailbox_ids=msgspec.json.decode(row.inbox_ids, type=list[int]),
        state=state,
    )


def delete(tx: Writer, actor: Actor, id: int) -> None:
    """Delete a webhook; raises NotFound. What was sent to it stays in the log until its time has come."""
    if actor.only is not None:
        queries.known_to(tx, actor, id)
    if not tx.run(_DELETE, account_id=actor.account_id, id=id):
        raise NotFound


def _checked(tx: Writer, actor: Actor, new: NewWebhook, now: str) -> dict[str, Any]:
    """What is saved; raises BadRequest and AccessDenied."""
    version = (new.payload_version or "V2").upper()
    faults = [*_faults_of_events(new.events), *_faults_of_reach(actor, new)]
    if version not in _VERSIONS:
        listed = ", ".join(f"'{one}'" for one in _VERSIONS)
        given = shown(new.payload_version)
        faults.append(FieldError("payloadVersion", f"Expected one of these: {listed}", "EnumValue", given))
    if wrong := fault_of_url(new.url):
        faults.append(FieldError("url", wrong, "URL", shown(new.url)))
    if faults:
        raise BadRequest(*faults)
    inbox_ids = new.mailbox_ids or []
    _require_inboxes(tx, actor, inbox_ids)
    return {
        "url": new.url,
        "secret": new.secret,
        "events": _json(list(dict.fromkeys(new.events))),
        "notification": int(bool(new.notification)),
        "payload_version": version,
        "label": new.label,
        "inbox_ids": _json(list(dict.fromkeys(inbox_ids))),
        "created_by": actor.user_id,
        "updated_at": now,
    }


def _faults_of_events(names: list[str]) -> list[FieldError]:
    return [
        FieldError(f"events[{position}]", "no such event", "EnumValue", shown(name))
        for position, name in enumerate(names)
        if name not in BY_NAME
    ]


def _faults_of_reach(actor: Actor, new: NewWebhook) -> list[FieldError]:
    """What an agent narrowed to some inboxes can't have told: of all inboxes, or what belongs to none."""
    if actor.only is None:
        return []
    text = "is told of whatever happens in the account, and the caller may know of some inboxes only"
    faults = [
        FieldError(f"events[{position}]", text, "EnumValue", shown(name))
        for position, name in enumerate(new.events)
        if name in BY_NAME and not (BY_NAME[name].by_inbox or name == RATING_GIVEN)
    ]
    return faults if new.mailbox_ids else [*faults, empty("mailboxIds")]


def fault_of_url(url: str) -> str:
    """What is wrong with an address, or nothing. Where it leads is checked whenever something is sent to it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "not a well-formed URL"
    if not _PLAIN_URL.fullmatch(url) or not host:
        return "must be an http or https URL with a host"
    return "may not hold a user name or a password" if "@" in parts.netloc else ""


def _require_inboxes(tx: Writer, actor: Actor, ids: list[int]) -> None:
    if not ids:
        return
    there = queries.inboxes_there_are(tx, actor.account_id, ids)
    for position, id in enumerate(ids):
        if id not in there or not access.may_know(actor, id):
            raise unknown_id(f"mailboxIds[{position}]", id, "inbox")
        access.require_inbox(actor, id)


def require_full_user(actor: Actor) -> None:
    """Raises AccessDenied for light users, who can't set up anything."""
    if actor.role == "light user":
        raise AccessDenied


def _json(listed: list[str] | list[int]) -> str:
    return msgspec.json.encode(listed).decode()
