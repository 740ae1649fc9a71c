"""Imports every slice's handlers, so that each operation finds its own."""

from __future__ import annotations

from deskhand.desk.conversations import handlers as conversations
from deskhand.desk.customers import handlers as customers
from deskhand.desk.inboxes import handlers as inboxes
from deskhand.desk.tags import handlers as tags
from deskhand.desk.teams import handlers as teams
from deskhand.desk.users import handlers as users

SLICES = (users, teams, tags, inboxes, customers, conversations)
