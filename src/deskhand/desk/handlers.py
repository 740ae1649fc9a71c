"""Imports every slice's handlers, so that each operation finds its own."""

from __future__ import annotations

from deskhand.desk.conversations import handlers as conversations
from deskhand.desk.conversations.erasure import leaving
from deskhand.desk.conversations.listing import neighbours
from deskhand.desk.conversations.threads import thread_handlers as threads
from deskhand.desk.customers import entry_handlers as customer_entries
from deskhand.desk.customers import handlers as customers
from deskhand.desk.customers import of_organizations
from deskhand.desk.inboxes import handlers as inboxes
from deskhand.desk.organizations import handlers as organizations
from deskhand.desk.ratings import handlers as ratings
from deskhand.desk.reports import handlers as reports
from deskhand.desk.reports import handlers_conversations as reports_conversations
from deskhand.desk.reports import handlers_productivity as reports_productivity
from deskhand.desk.saved_replies import handlers as saved_replies
from deskhand.desk.tags import handlers as tags
from deskhand.desk.teams import handlers as teams
from deskhand.desk.users import handlers as users
from deskhand.desk.webhooks import handlers as webhooks
from deskhand.desk.workflows import handlers as workflows

SLICES = (
    users, teams, tags, inboxes, organizations, customers, customer_entries, of_organizations, saved_replies, ratings,
    conversations, threads, leaving, neighbours, workflows, reports, reports_conversations, reports_productivity,
    webhooks,
)  # fmt: skip
