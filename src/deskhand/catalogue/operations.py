"""All operations there are. What is not here does not exist, for clients and for the gateway alike."""

from __future__ import annotations

from deskhand.catalogue import attachments, conversations, customers, inboxes, tags, teams, threads, users
from deskhand.catalogue.matching import AnyOperation

OPERATIONS: tuple[AnyOperation, ...] = (
    *conversations.OPERATIONS,
    *threads.OPERATIONS,
    *attachments.OPERATIONS,
    *users.OPERATIONS,
    *teams.OPERATIONS,
    *tags.OPERATIONS,
    *inboxes.OPERATIONS,
    *customers.OPERATIONS,
)

BY_NAME = {operation.name: operation for operation in OPERATIONS}
