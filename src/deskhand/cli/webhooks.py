"""`deskhand webhooks`: what was sent to a webhook and what came of it; sends a delivery again."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from deskhand.cli.databases import opened, require_current
from deskhand.cli.refused import Refused
from deskhand.db.engine import Reader, Writer
from deskhand.desk.webhooks import history, queries
from deskhand.desk.webhooks.history import Logged, LoggedAttempt
from deskhand.desk.webhooks.queries import WebhookRow
from deskhand.mail.headers import one_line
from deskhand.settings import Settings

_ANSWER_MOST = 100
"""Characters of an answer shown to people; JSON has all that was kept."""


def log(settings: Settings, webhook_id: int, *, most: int, json: bool) -> None:
    """Show the newest deliveries of a webhook, the newest first."""

    def read(db: Reader) -> tuple[WebhookRow | None, list[Logged]]:
        account_id = history.account_of_webhook(db, webhook_id)
        if account_id is None:
            raise Refused(f"there is no webhook {webhook_id}")
        return queries.by_id(db, account_id, webhook_id), history.log(db, account_id, webhook_id, most)

    with opened(settings) as database:
        require_current(database)
        webhook, deliveries = database.read_now(read, "slow")
    if json:
        typer.echo(msgspec.json.encode({"webhook": webhook, "deliveries": deliveries}).decode())
    elif webhook is not None:
        _show(webhook, deliveries)


def replay(settings: Settings, delivery_id: int, *, json: bool) -> None:
    """Have a delivery sent again by the worker."""

    def again(tx: Writer) -> None:
        account_id = history.account_of_delivery(tx, delivery_id)
        if account_id is None:
            raise Refused(f"there is no delivery {delivery_id}")
        history.replay(tx, account_id, delivery_id, datetime.now(UTC))

    with opened(settings) as database:
        require_current(database)
        database.write_now(again)
    typer.echo(f'{{"again":{delivery_id}}}' if json else f"Delivery {delivery_id} will be sent again.")


def _show(webhook: WebhookRow, deliveries: list[Logged]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    because = f" because {webhook.disabled_because}" if webhook.disabled_because else ""
    console.print(Text(f"Webhook {webhook.id} to {webhook.url} is {webhook.state}{because}."))
    if not deliveries:
        console.print("Nothing was sent to it.")
    for logged in deliveries:
        one = logged.delivery
        console.print(Text(f"{one.id:>8}  {one.event} of {one.created_at}: {one.state} ({one.key})"))
        for attempt in logged.attempts:
            console.print(Text(f"{'':10}{attempt.at}  {_came_of_it(attempt)}"))
    if deliveries:
        console.print('"deskhand webhooks replay ID" sends a delivery again; --json shows what was sent.')


def _came_of_it(attempt: LoggedAttempt) -> str:
    beginning = one_line(attempt.answer)[:_ANSWER_MOST]  # without what a terminal would obey
    words = f"{attempt.status} {beginning}".rstrip() if attempt.status else attempt.error
    return f"{words} ({attempt.milliseconds} ms)"
