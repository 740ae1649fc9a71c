"""All operations there are. What is not here does not exist, for clients and for the gateway alike."""

from __future__ import annotations

from deskhand.catalogue import (
    attachments,
    conversations,
    customer_entries,
    customers,
    inboxes,
    organizations,
    properties,
    ratings,
    reports,
    reports_conversations,
    reports_phone,
    reports_productivity,
    saved_replies,
    tags,
    teams,
    threads,
    users,
    webhooks,
    workflows,
)
from deskhand.catalogue.operation import AnyOperation

OPERATIONS: tuple[AnyOperation, ...] = (
    *conversations.OPERATIONS,
    *threads.OPERATIONS,
    *attachments.OPERATIONS,
    *customers.OPERATIONS,
    *customer_entries.OPERATIONS,
    *properties.OPERATIONS,
    *organizations.OPERATIONS,
    *inboxes.OPERATIONS,
    *saved_replies.OPERATIONS,
    *users.OPERATIONS,
    *teams.OPERATIONS,
    *tags.OPERATIONS,
    *workflows.OPERATIONS,
    *ratings.OPERATIONS,
    *reports.OPERATIONS,
    *reports_conversations.OPERATIONS,
    *reports_productivity.OPERATIONS,
    *reports_phone.OPERATIONS,
    *webhooks.OPERATIONS,
)

BY_NAME = {operation.name: operation for operation in OPERATIONS}
