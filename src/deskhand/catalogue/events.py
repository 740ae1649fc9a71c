"""The names of webhook events. Source: https://developer.helpscout.com/webhooks (the list of events)."""

from __future__ import annotations

CONVERSATION_CREATED = "convo.created"
CONVERSATION_DELETED = "convo.deleted"
CONVERSATION_ASSIGNED = "convo.assigned"
CONVERSATION_STATUS = "convo.status"
CONVERSATION_TAGS = "convo.tags"
CONVERSATION_MOVED = "convo.moved"
CONVERSATION_CUSTOM_FIELDS = "convo.custom-fields"
CUSTOMER_REPLY_CREATED = "convo.customer.reply.created"
AGENT_REPLY_CREATED = "convo.agent.reply.created"  # on the wire "agent" means a user of the support staff
NOTE_CREATED = "convo.note.created"
CUSTOMER_CREATED = "customer.created"
CUSTOMER_UPDATED = "customer.updated"
TAG_CREATED = "tag.created"
