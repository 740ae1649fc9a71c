"""The webhook events: their names, when each happens, what is sent, and which of them this desk causes.

Source: https://developer.helpscout.com/webhooks (the list of events)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Those that verbs record.
CONVERSATION_CREATED = "convo.created"
CONVERSATION_DELETED = "convo.deleted"
CONVERSATION_ASSIGNED = "convo.assigned"
CONVERSATION_STATUS = "convo.status"
CONVERSATION_TAGS = "convo.tags"
CONVERSATION_MOVED = "convo.moved"
CONVERSATION_MERGED = "convo.merged"
CONVERSATION_CUSTOM_FIELDS = "convo.custom-fields"
CUSTOMER_REPLY_CREATED = "convo.customer.reply.created"
AGENT_REPLY_CREATED = "convo.agent.reply.created"  # on the wire "agent" means a user of the support staff
NOTE_CREATED = "convo.note.created"
CUSTOMER_CREATED = "customer.created"
CUSTOMER_UPDATED = "customer.updated"
CUSTOMER_DELETED = "customer.deleted"
ORGANIZATION_CREATED = "organization.created"
ORGANIZATION_UPDATED = "organization.updated"
ORGANIZATION_DELETED = "organization.deleted"
TAG_CREATED = "tag.created"
RATING_GIVEN = "satisfaction.ratings"
USER_STATUS_CHANGED = "user.status.changed"

Payload = Literal[
    "conversation",
    "conversation with threads",
    "customer",
    "rating",
    "tag",
    "organization",
    "user status",
    "id",
    "chat",
    "survey response",
]
"""What a webhook's body holds: the resource as the API's version 2 shows it, or `{"id": n}` of what is gone."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event: `summary` says when it happens.

    `emitted`: this desk causes it; the others can be subscribed to, and never come. `listed`: one of the eleven that
    the reference guide of June 2026 lists.
    """

    name: str
    summary: str
    payload: Payload
    emitted: bool = True
    listed: bool = False

    @property
    def group(self) -> str:
        """What it is about: the name's first part, as clients choose the type of a body by it."""
        return self.name.partition(".")[0]

    @property
    def by_inbox(self) -> bool:
        """Whether a webhook's `mailboxIds` narrow it."""
        return self.group == "convo"


EVENTS: tuple[EventKind, ...] = (
    EventKind(
        CONVERSATION_CREATED, "A conversation begins, started by a customer or a user; a draft once it is published.",
        "conversation", listed=True,
    ),
    EventKind(
        AGENT_REPLY_CREATED, "A user's reply is added to a conversation; a draft counts once it is published.",
        "conversation with threads", listed=True,
    ),
    EventKind(
        CUSTOMER_REPLY_CREATED, "A customer writes in a conversation that there is.",
        "conversation with threads", listed=True,
    ),
    EventKind(NOTE_CREATED, "A note is left for the team.", "conversation with threads", listed=True),
    EventKind(CONVERSATION_ASSIGNED, "A conversation gets another owner, or none.", "conversation", listed=True),
    EventKind(CONVERSATION_STATUS, "A conversation's status changes.", "conversation", listed=True),
    EventKind(CONVERSATION_TAGS, "A conversation's tags change.", "conversation", listed=True),
    EventKind(CONVERSATION_DELETED, "A conversation is deleted.", "id", listed=True),
    EventKind(CUSTOMER_CREATED, "A customer is new, whatever the inbox.", "customer", listed=True),
    EventKind(CUSTOMER_UPDATED, "What is known about a customer changes.", "customer", listed=True),
    EventKind(RATING_GIVEN, "A customer rates a reply.", "rating", listed=True),
    EventKind(CONVERSATION_MOVED, "A conversation moves to another inbox.", "conversation"),
    EventKind(CONVERSATION_CUSTOM_FIELDS, "A conversation's custom fields change.", "conversation"),
    EventKind(CONVERSATION_MERGED, "Two conversations become one; the body is the one that stays.", "conversation"),
    EventKind(CUSTOMER_DELETED, "A customer is deleted, and all their conversations are.", "id"),
    EventKind(TAG_CREATED, "A tag is used for the first time.", "tag"),
    EventKind("tag.updated", "A tag gets another name or colour.", "tag", emitted=False),
    EventKind("tag.deleted", "A tag is deleted.", "id", emitted=False),
    EventKind(ORGANIZATION_CREATED, "An organization is new.", "organization"),
    EventKind(ORGANIZATION_UPDATED, "Something about an organization changes.", "organization"),
    EventKind(ORGANIZATION_DELETED, "An organization is deleted.", "id"),
    EventKind(USER_STATUS_CHANGED, "A user comes, goes or changes their status.", "user status"),
    EventKind(
        "convo.ai-answers-email.reply.created", "An AI answers a customer's mail.", "conversation", emitted=False
    ),
    EventKind(
        "convo.ai-answers-email.resolution", "An AI's answer settles a conversation.", "conversation", emitted=False
    ),
    EventKind("beacon.chat.created", "A chat begins in a Beacon.", "chat", emitted=False),
    EventKind("beacon.chat.customer.replied", "A customer writes in a Beacon chat.", "chat", emitted=False),
    EventKind("message.survey.response.received", "A customer answers a survey.", "survey response", emitted=False),
)  # fmt: skip

BY_NAME = {kind.name: kind for kind in EVENTS}
