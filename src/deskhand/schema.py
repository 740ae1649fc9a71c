"""All tables of all rooms, for migrations and for tests that compare them with a real database."""

from __future__ import annotations

from deskhand.db.tables import metadata
from deskhand.desk import counters, rate_leases
from deskhand.desk.conversations import tables as conversations
from deskhand.desk.customers import tables as customers
from deskhand.desk.inboxes import tables as inboxes
from deskhand.desk.organizations import tables as organizations
from deskhand.desk.ratings import tables as ratings
from deskhand.desk.saved_replies import tables as saved_replies
from deskhand.desk.search import tables as search
from deskhand.desk.tags import tables as tags
from deskhand.desk.teams import tables as teams
from deskhand.desk.users import tables as users
from deskhand.desk.webhooks import tables as webhooks
from deskhand.desk.workflows import tables as workflows
from deskhand.gateway import tables as gateway
from deskhand.mail import tables as mail
from deskhand.oauth import tables as oauth
from deskhand.outbox import tables as outbox

METADATA = metadata
ROOMS = (
    search, users, teams, tags, inboxes, counters, rate_leases, organizations, customers, saved_replies, ratings,
    conversations, workflows, webhooks, gateway, mail, oauth, outbox,
)  # fmt: skip
