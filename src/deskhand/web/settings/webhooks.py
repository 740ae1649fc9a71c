"""Webhooks: which there are and whether they work, what was delivered to them, and sending it again."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest
from deskhand.catalogue.webhooks import PAGE_SIZE, NewWebhook, OverwrittenWebhook
from deskhand.db.engine import Reader, Writer
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.users import queries as users
from deskhand.desk.webhooks import delivering, history, queries, verbs
from deskhand.desk.webhooks.history import Line, Logged
from deskhand.desk.webhooks.queries import WebhookRow
from deskhand.lib.clock import to_wire
from deskhand.web import words
from deskhand.web.account.confirming import asked_first, confirmed
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings import forms, tracing, webhook_form
from deskhand.web.settings.forms import Wrong

PAGES = Pages("administrator")
HERE = "/settings/webhooks"
LISTED = 50
SECRET_BYTES = 20
STATES = {"": "All", "delivered": "Delivered", "waiting": "Waiting", "discarded": "Given up"}
SPANS = {"1": "the last hour", "24": "the last 24 hours", "168": "the last 7 days", "720": "the last 30 days"}
"""Since when deliveries are sent again, in hours."""


@PAGES.get(HERE)
async def listed(asked: Asked) -> Response:
    """All webhooks, and whether they work."""
    page = forms.page_number(asked)

    def read(db: Reader) -> tuple[list[WebhookRow], int, list[InboxRow], dict[int, Any]]:
        found, total = queries.find(db, asked.actor, page)
        staff = users.people(db, asked.account_id, {one.created_by for one in found})
        return found, total, inboxes.all_of(db, asked.account_id), staff

    found, total, every, staff = await asked.read(read)
    return await asked.page(
        "settings/webhooks.html", webhooks=[webhook_form.shown(one, every) for one in found], staff=staff, number=page,
        last=-(-total // PAGE_SIZE),
    )  # fmt: skip


@PAGES.get(HERE + "/new")
async def begin(asked: Asked) -> Response:
    """The form for a new one."""
    return await _form(asked, webhook_form.Typed())


@PAGES.post(HERE + "/new")
@confirmed("Adding a webhook")
async def add(asked: Asked) -> Response:
    """Add a webhook. A secret that was made here is shown once."""
    typed = webhook_form.sent(asked.form)
    secret = typed.secret or secrets.token_hex(SECRET_BYTES)
    try:
        new = forms.shaped(NewWebhook, webhook_form.given(typed, secret))
        id = await asked.write(lambda tx: _create(tx, asked, new))
    except BadRequest as problem:
        return await _form(asked, typed, wrong=webhook_form.wrong(problem), status=400)
    if typed.secret:
        return asked.go(f"{HERE}/{id}", "The webhook is added.")
    return await _once(asked, id, secret, "The webhook is added")


@PAGES.get(HERE + "/{id}")
async def show(asked: Asked) -> Response:
    """A webhook with the log of its deliveries."""
    state = asked.query("state") if asked.query("state") in STATES else ""
    before = asked.query("before")
    start = {"before_id": int(before)} if before.isdecimal() and len(before) < 19 else {}

    def read(db: Reader) -> tuple[WebhookRow, list[InboxRow], list[Line], Any]:
        row = queries.known_to(db, asked.actor, asked.id())
        lines = history.lines(db, asked.account_id, row.id, state, **start, most=LISTED + 1)
        owner = users.people(db, asked.account_id, [row.created_by]).get(row.created_by)
        return row, inboxes.all_of(db, asked.account_id), lines, owner

    row, every, lines, owner = await asked.read(read)
    more = lines[LISTED - 1].delivery.id if len(lines) > LISTED else None
    return await asked.page(
        "settings/webhooks_show.html", hook=webhook_form.shown(row, every), owner=owner, lines=lines[:LISTED],
        state=state, states=STATES, spans=SPANS, more=more, wire=_wire,
        busy=any(one.delivery.state == "waiting" for one in lines),
    )  # fmt: skip


@PAGES.get(HERE + "/{id}/change")
async def edit(asked: Asked) -> Response:
    """The form for one that is there."""
    row = await asked.read(lambda db: queries.known_to(db, asked.actor, asked.id()))
    typed = webhook_form.Typed(
        url=row.url,
        label=row.label or "",
        events=tuple(msgspec.json.decode(row.events, type=list[str])),
        inbox_ids=tuple(msgspec.json.decode(row.inbox_ids, type=list[int])),
        version=row.payload_version,
        notification=bool(row.notification),
    )
    return await _form(asked, typed, row)


@PAGES.post(HERE + "/{id}/change")
async def change(asked: Asked) -> Response:
    """Change a webhook; its secret stays unless another was typed."""
    row = await asked.read(lambda db: queries.known_to(db, asked.actor, asked.id()))
    typed = webhook_form.sent(asked.form)
    if typed.url != row.url:
        first = await asked_first(asked, "Changing where a webhook goes")
        if first is not None:
            return first
    try:
        new = forms.shaped(OverwrittenWebhook, webhook_form.given(typed, typed.secret or "kept"))
        new = msgspec.structs.replace(new, secret=typed.secret)
        await asked.write(lambda tx: _change(tx, asked, row.id, new))
    except BadRequest as problem:
        return await _form(asked, typed, row, webhook_form.wrong(problem), 400)
    return asked.go(f"{HERE}/{row.id}", "The webhook is saved. It tells what you may see from now on.")


@PAGES.post(HERE + "/{id}/switch")
async def switch(asked: Asked) -> Response:
    """Switch a webhook on or off."""
    state: Literal["enabled", "disabled"] = "enabled" if asked.form.text("state") == "enabled" else "disabled"
    on = "on" if state == "enabled" else "off"

    def work(tx: Writer) -> None:
        verbs.switch(tx, asked.actor, asked.id(), state, asked.now)
        row = queries.known_to(tx, asked.actor, asked.id())
        tracing.of_webhook(asked, tx, f"switched {on}", row, f"switched_{on}")

    await asked.write(work)
    text = "The webhook is on. What it missed can be sent again." if state == "enabled" else "The webhook is off."
    return asked.back(f"{HERE}/{asked.id()}", text)


@PAGES.post(HERE + "/{id}/secret")
async def renew(asked: Asked) -> Response:
    """Sign with another secret from now on, which is shown once."""
    secret = secrets.token_hex(SECRET_BYTES)

    def work(tx: Writer) -> None:
        verbs.renew_secret(tx, asked.actor, asked.id(), secret, asked.now)
        row = queries.known_to(tx, asked.actor, asked.id())
        tracing.of_webhook(asked, tx, "gave another secret to", row, "secret_renewed")

    await asked.write(work)
    return await _once(asked, asked.id(), secret, "The secret is another one now")


@PAGES.post(HERE + "/{id}/test")
async def test(asked: Asked) -> Response:
    """Have something harmless delivered."""

    def send(tx: Writer) -> bool:
        row = queries.known_to(tx, asked.actor, asked.id())
        if row.state != "enabled":
            return False
        history.send_test(tx, asked.account_id, row.id, asked.web.clock.now())
        return True

    if not await asked.write(send):
        return asked.go(f"{HERE}/{asked.id()}", "Switch it on first: nothing is sent while it is off.", fault=True)
    return asked.go(f"{HERE}/{asked.id()}", "A test is on its way; the log below tells how it went.")


@PAGES.post(HERE + "/{id}/replay")
async def replay(asked: Asked) -> Response:
    """Send again what was given up in a span of time."""
    hours = asked.form.text("hours")
    since = asked.web.clock.now() - timedelta(hours=int(hours) if hours in SPANS else 24)

    def again(tx: Writer) -> int | None:
        row = queries.known_to(tx, asked.actor, asked.id())
        if row.state != "enabled":
            return None
        return history.replay_since(tx, asked.account_id, row.id, to_wire(since), asked.web.clock.now())

    count = await asked.write(again)
    if count is None:
        return asked.go(f"{HERE}/{asked.id()}", "Switch it on first: nothing is sent while it is off.", fault=True)
    if not count:
        return asked.go(f"{HERE}/{asked.id()}", "Nothing was given up in that time.")
    more = " There may be more: send them again after these." if count == history.REPLAYED_MOST else ""
    return asked.go(
        f"{HERE}/{asked.id()}", f"{words.counted(count, 'delivery', 'deliveries')} will be sent again.{more}"
    )


@PAGES.get(HERE + "/{id}/deliveries/{delivery}")
async def delivery(asked: Asked) -> Response:
    """One delivery: what was sent, and how each attempt went."""

    def read(db: Reader) -> tuple[WebhookRow, Logged, int | None, str]:
        row = queries.known_to(db, asked.actor, asked.id())
        logged, due = history.one(db, asked.account_id, row.id, asked.id("delivery"))
        return row, logged, due, queries.secret_of(db, asked.actor, row.id)

    row, logged, due, secret = await asked.read(read)
    one = logged.delivery
    return await asked.page(
        "settings/webhooks_delivery.html", hook=webhook_form.shown(row, []), one=one, attempts=logged.attempts,
        due=_wire(due) if due else "", headers=delivering.headers(one.event, one.key, secret, one.body.encode()),
        body=_pretty(one.body), size=len(one.body.encode()),
    )  # fmt: skip


@PAGES.post(HERE + "/{id}/deliveries/{delivery}/replay")
async def replay_one(asked: Asked) -> Response:
    """Send one delivery again."""

    def again(tx: Writer) -> bool:
        row = queries.known_to(tx, asked.actor, asked.id())
        if row.state != "enabled":
            return False
        history.replay_one(tx, asked.account_id, row.id, asked.id("delivery"), asked.web.clock.now())
        return True

    path = f"{HERE}/{asked.id()}/deliveries/{asked.id('delivery')}"
    if not await asked.write(again):
        return asked.go(path, "Switch the webhook on first: nothing is sent while it is off.", fault=True)
    return asked.back(path, "It is sent again.")


@PAGES.get(HERE + "/{id}/delete")
async def ask(asked: Asked) -> Response:
    """Ask before one is deleted."""
    row = await asked.read(lambda db: queries.known_to(db, asked.actor, asked.id()))
    name = row.label or urlsplit(row.url).hostname or row.url
    return await forms.ask_first(
        asked, f"Delete the webhook {name}?",
        ["It is told nothing more, and what waits to be sent to it is not sent.",
         "Workflows that call it can’t run any more."],
        up=f"{HERE}/{row.id}", above=name, button="Delete the webhook",
    )  # fmt: skip


@PAGES.post(HERE + "/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Delete a webhook."""

    def work(tx: Writer) -> None:
        row = queries.known_to(tx, asked.actor, asked.id())
        verbs.delete(tx, asked.actor, row.id)
        tracing.of_webhook(asked, tx, "deleted", row, "deleted")

    await asked.write(work)
    return asked.go(HERE, "The webhook is deleted.")


def _create(tx: Writer, asked: Asked, new: NewWebhook) -> int:
    id = verbs.create(tx, asked.actor, new, asked.now)
    tracing.of_webhook(asked, tx, "added", queries.known_to(tx, asked.actor, id), "added")
    return id


def _change(tx: Writer, asked: Asked, id: int, new: OverwrittenWebhook) -> None:
    verbs.change(tx, asked.actor, id, new, asked.now)
    tracing.of_webhook(asked, tx, "changed", queries.known_to(tx, asked.actor, id), "changed")


async def _form(
    asked: Asked,
    typed: webhook_form.Typed,
    row: WebhookRow | None = None,
    wrong: Wrong | None = None,
    status: int = 200,
) -> Response:
    every = await asked.read(lambda db: inboxes.all_of(db, asked.account_id))
    scope = asked.form.text("scope") or ("some" if typed.inbox_ids else "")
    return await asked.page(
        "settings/webhooks_form.html", status, hook=webhook_form.shown(row, every) if row else None, typed=typed,
        wrong=wrong or {}, inboxes=every, groups=webhook_form.groups(typed.events), scope=scope,
    )  # fmt: skip


async def _once(asked: Asked, id: int, secret: str, title: str) -> Response:
    """The page that shows a secret, this one time."""
    row = await asked.read(lambda db: queries.known_to(db, asked.actor, id))
    return await asked.page(
        "settings/webhooks_secret.html", hook=webhook_form.shown(row, []), secret=secret, title=title
    )


def _wire(milliseconds: int) -> str:
    return to_wire(datetime.fromtimestamp(milliseconds / 1000, UTC))


def _pretty(body: str) -> str:
    """A body as people can read it; it was sent without these spaces."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
