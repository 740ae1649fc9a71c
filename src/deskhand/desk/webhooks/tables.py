"""Webhooks, what was delivered to them, and how each attempt went."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Flag, Id, Json, Moment, Text, account_column, id_column, partial_index, table

_DISCARDED = sa.text("state = 'discarded'")

webhook = table(
    "webhook",
    id_column(),
    account_column(),
    sa.Column("url", Text, nullable=False),
    sa.Column("secret", Text, nullable=False),
    sa.Column("events", Json, nullable=False),  # their names
    sa.Column("notification", Flag, nullable=False),  # 1: bodies name the resource and nothing more
    sa.Column("payload_version", Text, nullable=False),  # V2 or V3
    sa.Column("label", Text),
    sa.Column("inbox_ids", Json, nullable=False),  # []: all
    sa.Column("state", Text, nullable=False),  # enabled or disabled
    sa.Column("disabled_because", Text, nullable=False),
    sa.Column("discarded", sa.Integer, nullable=False),  # deliveries given up since the last that arrived
    sa.Column("created_by", Id, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_webhook_account", "account_id", "id"),
    first_id=12,
)

webhook_delivery = table(
    "webhook_delivery",
    id_column(),
    account_column(),
    sa.Column("webhook_id", Id, nullable=False),
    sa.Column("event_id", Id, nullable=False),
    sa.Column("event", Text, nullable=False),  # its name
    sa.Column("key", Text, nullable=False),  # a UUID: the same whenever this delivery is tried again
    sa.Column("body", Text, nullable=False),  # the exact text that is signed and sent
    sa.Column("state", Text, nullable=False),  # waiting, delivered or discarded
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Index("ix_webhook_delivery_webhook", "account_id", "webhook_id", "id"),
    partial_index(  # what may be sent again
        "ix_webhook_delivery_discarded",
        "account_id",
        "webhook_id",
        "id",
        where=_DISCARDED,
    ),
)

webhook_attempt = table(
    "webhook_attempt",
    id_column(),
    account_column(),
    sa.Column("delivery_id", Id, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("status", sa.Integer),  # of the answer; empty: there was none
    sa.Column("answer", Text, nullable=False),  # its beginning
    sa.Column("error", Text, nullable=False),  # why there was none, in words
    sa.Column("milliseconds", sa.Integer, nullable=False),
    sa.Index("ix_webhook_attempt_delivery", "delivery_id", "id"),
)
