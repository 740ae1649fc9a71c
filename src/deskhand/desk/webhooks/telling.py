"""What was done to a webhook, as the audit log is told of it: by its label or host, for its URL may hold a secret."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from deskhand.desk.call import Change
from deskhand.desk.webhooks.queries import WebhookRow


def done(did: str, row: WebhookRow, change: str) -> Change:
    """What was done to it, in words and by the change's key: `gave another secret to` and `secret_renewed`."""
    name = row.label or urlsplit(row.url).hostname or f"{row.id}"
    return Change(did, "webhook", name, {"change": f"webhook_{change}", "webhook_id": row.id})


def switched(row: WebhookRow) -> Change:
    """It is on now, or off."""
    on = "on" if row.state == "enabled" else "off"
    return done(f"switched {on}", row, f"switched_{on}")


def overwritten(before: WebhookRow, after: WebhookRow, *, same_secret: bool) -> list[Change]:
    """What writing a webhook anew amounts to: it was changed, switched on or off, or both."""
    turned = before.state != after.state
    but_for_that = msgspec.structs.replace(
        after, state=before.state, disabled_because=before.disabled_because, created_by=before.created_by
    )
    changed = [] if turned and same_secret and but_for_that == before else [done("changed", after, "changed")]
    return [*changed, switched(after)] if turned else changed
