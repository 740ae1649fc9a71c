"""Webhooks in their wire form."""

from __future__ import annotations

from deskhand.catalogue.links import Link
from deskhand.catalogue.values import stored
from deskhand.catalogue.webhooks import Webhook
from deskhand.desk.webhooks.queries import WebhookRow


def webhook(row: WebhookRow, base: str) -> Webhook:
    """A webhook as the API shows it."""
    return Webhook(
        id=row.id,
        url=row.url,
        state=row.state,  # type: ignore[arg-type]
        events=stored(list[str], row.events),
        notification=bool(row.notification),
        payload_version=row.payload_version,  # type: ignore[arg-type]
        label=row.label,
        mailbox_ids=stored(list[int], row.inbox_ids),
        links={"self": Link(f"{base}/v2/webhooks/{row.id}")},
    )
