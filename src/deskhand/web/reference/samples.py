"""The one story that all examples tell: Joanne's lamp came broken. Most ids are those of a sandbox as it starts.

Values are looked up by `Shape.field` first, then by the field's name on the wire.
"""

from __future__ import annotations

from typing import Any

CONVERSATION, THREAD, CUSTOMER, INBOX = 3_100_000_187, 9_100_000_749, 88_076, 501
USER, TEAM, TAG, ATTACHMENT, ORGANIZATION = 7, 10, 307, 640_073, 41
_MADE, _CHANGED, _LATER = "2026-09-22T11:26:21Z", "2026-11-20T12:27:07Z", "2026-11-24T08:00:00Z"

IDS = {
    "conversation_id": CONVERSATION, "thread_id": THREAD, "attachment_id": ATTACHMENT, "customer_id": CUSTOMER,
    "entry_id": 90_168, "organization_id": ORGANIZATION, "inbox_id": INBOX, "folder_id": 5015, "user_id": USER,
    "system_user_id": 12, "team_id": TEAM, "tag_id": TAG, "workflow_id": 901, "rating_id": 55_001, "webhook_id": 12,
    "saved_reply_id": 7001, "reply_id": 7001,
}  # fmt: skip
SLUGS = {"/v2/customer-properties/": "loyalty", "/v2/organizations/": "tier"}

_JOANNE = {
    "id": CUSTOMER, "type": "customer", "first": "Joanne", "last": "Halvorsen",
    "email": "joanne.halvorsen@quillmail.example",
}  # fmt: skip
_SAYURI = {"id": USER, "type": "user", "first": "Sayuri", "last": "Kanda", "email": "sayuri@brindlewick.example"}

SAMPLES: dict[str, Any] = {
    # -- Everywhere
    "page": 1, "createdAt": _MADE, "updatedAt": _CHANGED, "modifiedAt": _CHANGED, "timezone": "Europe/Dublin",
    "modifiedSince": "2026-11-01T00:00:00Z", "createdSince": "2026-11-01T00:00:00Z", "photoUrl": None, "order": 1,
    "color": "#A63D40", "comments": "Quick and kind.", "description": "Lamps for people who read at night.",
    "label": "Gold", "slug": "damaged", "name": "Orders", "phone": "+1 218 555 0142", "title": "Hello",
    "cursor": "eyJpZCI6ODgwNzZ9", "summary": "A lamp arrived broken.", "time": _CHANGED, "count": 1,
    # -- Conversations
    "Conversation.id": CONVERSATION, "number": 1187, "threads": 3, "Conversation.type": "email", "folderId": 5015,
    "status": "active", "state": "published", "subject": "Order BW-50329 arrived broken",
    "preview": "Hi Sayuri, My order BW-50329 has a small sequel: the socket has gone missing.",
    "mailboxId": INBOX, "mailboxIds": [INBOX], "assignee": _SAYURI, "createdBy": _JOANNE, "closedBy": 0,
    "userUpdatedAt": _CHANGED, "primaryCustomer": _JOANNE, "closedAt": _CHANGED, "closedByUser": _SAYURI,
    "customerWaitingSince": {"time": "2026-11-20T12:02:25Z", "friendly": "25 minutes ago",
                             "latestReplyFrom": "customer"},
    "Waiting.friendly": "25 minutes ago", "latestReplyFrom": "customer", "Source.type": "email", "via": "customer",
    "Conversation.source": {"type": "email", "via": "customer"}, "cc": [], "bcc": [],
    "ConversationTag.id": TAG, "ConversationTag.tag": "damaged", "SetTags.tags": ["damaged", "replacement"],
    "NewConversation.tags": ["damaged"], "FieldValue.id": 11, "FieldValue.name": "Order number",
    "FieldValue.value": "BW-50329", "FieldValue.text": "BW-50329", "GivenField.id": 11,
    "GivenField.value": "BW-50329", "snoozedBy": USER, "snoozedUntil": _LATER, "unsnoozeOnCustomerReply": True,
    "eventType": "snooze", "userId": USER, "cancelOnCustomerReply": True, "conversationId": CONVERSATION,
    "conversationNumber": 1187, "assignTo": USER, "NewConversation.type": "email", "NewConversation.status": "active",
    "ConversationEmbedded.threads": [], "customFieldsByIds": "12:903", "mailbox": str(INBOX), "tag": "damaged",
    "assigned_to": USER, "query": '(subject:"broken" AND tag:damaged)', "folder": 5015, "embed": "threads",
    # -- Threads
    "Thread.id": THREAD, "Thread.type": "message", "Thread.status": "active", "ThreadAction.type": "default",
    "associatedEntities": {}, "body": "<p>A new Puddle table lamp leaves us today.</p>",
    "Thread.source": {"type": "web", "via": "user"}, "Thread.customer": _JOANNE, "Thread.createdBy": _SAYURI,
    "assignedTo": _SAYURI, "savedReplyId": 0, "to": ["joanne.halvorsen@quillmail.example"], "openedAt": _LATER,
    "threadId": THREAD, "NewThread.type": "customer", "NewThread.text": "My lamp arrived in two pieces.",
    "NewReply.text": "A new Puddle table lamp leaves us today.", "NewNote.text": "Second broken Puddle this week.",
    "NewChat.text": "Joanne called: the new lamp has arrived and shines.", "text": "A new lamp leaves us today.",
    "NewCustomerThread.text": "The new lamp is here. Thank you!", "NewReply.status": "pending",
    "scheduledBy": USER, "scheduledFor": _LATER, "unscheduleOnCustomerReply": True, "sendAsCreator": False,
    "Rating.customerId": CUSTOMER, "rating": "great", "customerId": CUSTOMER, "original": "From: joanne\u2026",
    # -- Attachments
    "Attachment.id": ATTACHMENT, "filename": "IMG_5506.png", "fileName": "lamp.png", "mimeType": "image/png",
    "width": 120, "height": 90, "size": 10_988, "data": "iVBORw0KGgo=", "Attachment.state": "valid",
    # -- Customers
    "Customer.id": CUSTOMER, "firstName": "Joanne", "lastName": "Halvorsen", "gender": "Female",
    "jobTitle": "Bookbinder", "location": "Duluth", "organization": "Quill & Thread",
    "organizationId": ORGANIZATION, "photoType": "unknown", "Customer.photoUrl": "", "age": "40-45",
    "background": "Prefers e-mail.", "draft": False, "email": "joanne.halvorsen@quillmail.example",
    "CustomerReference.id": CUSTOMER, "Person.id": CUSTOMER, "Person.type": "customer", "Person.first": "Joanne",
    "Person.last": "Halvorsen", "Entry.id": 90_168, "Entry.type": "work", "LinkedEntry.id": 90_168,
    "LinkedEntry.type": "work", "Entry.value": "joanne.halvorsen@quillmail.example",
    "LinkedEntry.value": "joanne.halvorsen@quillmail.example", "Website.id": 90_171, "LinkedWebsite.id": 90_171,
    "NewEmail.type": "work", "NewPhone.type": "mobile", "NewChat.type": "skype", "NewSocialProfile.type": "linkedin",
    "NewEmail.value": "joanne@quillandthread.example", "NewPhone.value": "+1 218 555 0142",
    "NewWebsite.value": "https://quillandthread.example", "NewSocialProfile.value": "joanne-halvorsen",
    "Website.value": "https://quillandthread.example", "LinkedWebsite.value": "https://quillandthread.example",
    "NewChat.value": "joanne.halvorsen", "Property.source": {"name": "api"},
    "CustomerEmbedded.properties": [], "city": "Duluth",
    "Address.state": "MN", "LinkedAddress.state": "MN", "NewAddress.state": "MN",
    "postalCode": "55802", "country": "US", "lines": ["12 Canal Park Drive"], "CustomerEmbedded.phones": [],
    "CustomerEmbedded.chats": [], "CustomerEmbedded.social_profiles": [], "CustomerEmbedded.websites": [],
    "Property.type": "text", "Property.slug": "plan", "Property.name": "Plan", "Property.value": "Shop",
    "Property.text": "Shop", "PropertySource.name": "api",
    # -- Organizations
    "Organization.id": ORGANIZATION, "Organization.name": "Quill & Thread", "NewOrganization.name": "Quill & Thread",
    "domain": "quillmail.example", "domains": ["quillmail.example"], "website": "https://quillandthread.example",
    "note": "Renews in May.", "Organization.location": "US", "brandColor": "#0A7F5A", "customerCount": 3,
    "conversationCount": 19, "Organization.phones": ["+1 218 555 0142"], "logoUrl": None, "sort": "name,asc",
    "OrganizationValue.definitionId": 7, "OrganizationValue.slug": "tier", "OrganizationValue.name": "Tier",
    "OrganizationValue.type": "dropdown", "OrganizationValue.value": "Gold", "NewOrganizationValue.value": "Gold",
    "OrganizationProperty.slug": "tier", "OrganizationProperty.name": "Tier", "OrganizationProperty.type": "dropdown",
    "NewOrganizationProperty.slug": "region", "NewOrganizationProperty.name": "Region",
    "NewOrganizationProperty.type": "dropdown", "NewOrganizationProperty.options": [
        {"label": "Coast"}, {"label": "Inland"}],
    "OverwrittenOrganizationProperty.name": "Tier", "OverwrittenOrganizationProperty.options": [
        {"label": "Gold"}, {"label": "Silver"}, {"label": "Bronze"}],
    "OverwrittenOrganization.name": "Quill & Thread", "CustomerProperty.type": "dropdown",
    "CustomerProperty.slug": "loyalty", "CustomerProperty.name": "Loyalty", "NewCustomerProperty.type": "dropdown",
    "NewCustomerProperty.slug": "plan", "NewCustomerProperty.name": "Plan",
    "NewCustomerProperty.options": [{"label": "Shop"}, {"label": "Home"}],
    "PropertyOption.id": "4b0e2f0e-0d8a-4c56-9e0f-5f6d3f3c8a11", "PropertyOption.label": "Shop",
    # -- Inboxes, staff, tags
    "Inbox.id": INBOX, "Inbox.slug": "e2b4336a80a071a4", "Inbox.email": "orders@brindlewick.example",
    "InboxField.id": 12, "InboxField.name": "Parcel state", "InboxField.type": "dropdown", "InboxField.required": False,
    "FieldOption.id": 903, "FieldOption.label": "Lost for now", "Folder.id": 5015, "Folder.name": "Assigned",
    "Folder.type": "assigned", "Folder.userId": 0, "totalCount": 41, "activeCount": 17,
    "User.id": USER, "User.firstName": "Sayuri", "User.lastName": "Kanda", "User.email": "sayuri@brindlewick.example",
    "User.role": "user", "User.type": "user", "User.jobTitle": "Customer support", "mention": "sayuri",
    "initials": "SK", "alternateEmails": [], "User.phone": "", "companyId": 1,
    "Team.id": TEAM, "Team.name": "Orders desk", "Team.mention": "orders-desk", "Team.initials": "OD",
    "Tag.id": TAG, "Tag.name": "damaged", "ticketCount": 23,
    "SystemUser.firstName": "Wick", "SystemUser.lastName": "", "SystemUser.initials": "W", "SystemUser.role": "user",
    "NewUser.firstName": "Nell", "NewUser.lastName": "Ashby", "NewUser.email": "nell@brindlewick.example",
    "NewUser.role": "user", "addedUserIds": [USER], "deletedUserIds": [], "performedBy": USER, "chat": {
        "status": "unavailable", "mailboxStatuses": {}}, "CustomStatus.text": "Lunch", "emoji": "\U0001f35c",
    "emojiName": ":ramen:", "SetUserStatus.status": "away", "hours": 1, "minutes": 30, "Routing.state": "enabled",
    "SetRouting.state": "enabled", "assignmentLimit": 12, "userIds": [6, USER], "rotation": [
        {"userId": 6, "conversationsCount": 4, "eligible": True},
        {"userId": USER, "conversationsCount": 12, "eligible": False, "reason": "at_capacity"}],
    "SavedReplyPreview.id": 7001, "SavedReplyPreview.name": "Where is my parcel?", "SavedReply.id": 7001,
    "SavedReplyPreview.preview": "Thanks for writing. Your lamp is on its way.",
    "SavedReply.name": "Where is my parcel?", "SavedReplyFields.name": "Broken in the post",
    "chatPreview": "It left us already.",
    "SavedReply.text": "<p>Thanks for writing. Your lamp is on its way.</p>", "chatText": "It left us already.",
    "SavedReplyFields.text": "<p>I am sorry that your lamp came broken.</p>",
    "RatedUser.id": USER, "RatedUser.email": "sayuri@brindlewick.example", "RatedUser.firstName": "Sayuri",
    "RatedUser.lastName": "Kanda", "RatingCustomer.id": CUSTOMER,
    # -- Workflows, webhooks, reports
    "Workflow.id": 901, "Workflow.name": "Hand over to the orders desk", "Workflow.type": "manual", "Webhook.id": 12,
    "Webhook.label": "Order desk", "Webhook.state": "enabled", "async": True,
    "conversationIds": [CONVERSATION], "url": "https://hooks.brindlewick.example/desk", "secret": "moth-and-lantern",
    "events": ["convo.created", "convo.customer.reply.created"], "notification": False, "payloadVersion": "V3",
    "start": "2026-11-01T00:00:00Z", "end": "2026-11-30T23:59:59Z", "previousStart": "2026-10-01T00:00:00Z",
    "previousEnd": "2026-10-31T23:59:59Z", "viewBy": "day", "mailboxes": str(INBOX), "types": "email",
    "AskFieldsDrilldown.field": "tagid", "fieldid": TAG, "user": USER, "rows": 25, "BusyTime.day": 1,
    "BusyTime.hour": 10, "BusyTime.count": 14,
}  # fmt: skip

SHOWN: dict[str, tuple[str, ...]] = {
    "NewConversation": ("assignTo", "tags"),
    "NewThread": ("customer",),
    "NewReply": ("status",),
    "NewCustomer": ("firstName", "lastName", "jobTitle", "emails", "address"),
    "NewAttachment": ("fileName",),
    "NewOrganization": ("domain", "website"),
    "OverwrittenOrganization": ("domains", "website", "note"),
    "NewOrganizationProperty": ("options",),
    "OverwrittenOrganizationProperty": ("options",),
    "NewCustomerProperty": ("options",),
    "OverwrittenWebhook": ("payloadVersion", "mailboxIds"),
    "NewEmail": ("type",),
    "NewPhone": ("type",),
    "NewSocialProfile": ("type",),
    "NewChat": ("type",),
    "NewWebhook": ("payloadVersion", "mailboxIds"),
    "SavedReplyFields": ("text",),
    "SetUserStatus": ("customStatus",),
    "CustomStatus": ("emoji", "emojiName"),
    "Snoozing": ("unsnoozeOnCustomerReply",),
    "NewSnooze": ("unsnoozeOnCustomerReply",),
    "OverwrittenCustomer": ("firstName", "lastName", "jobTitle", "location"),
    "CustomerReference": ("email",),
}
"""Fields a request can do without that its example shows all the same; the rest of the optional ones is left out."""

LEFT_OUT: dict[str, tuple[str, ...]] = {
    "Conversation": ("closedAt", "closedByUser", "snooze", "nextEvent"),
    "Thread": ("linkedConversationId", "scheduled", "openedAt", "rating"),
    "ThreadAction": ("text",),
    "Person": ("photoUrl",),
    "User": ("companyId",),
    "Customer": ("organizationId",),
    "RatingCustomer": ("photoUrl",),
    "ConversationsReport": ("previous", "deltas"),
    "HappinessReport": ("previous", "deltas"),
    "ChannelVolumes": ("previous",),
    "StartCounts": ("previous",),
    "CustomersHelpedReport": ("previous",),
    "ChatReport": ("previous", "deltas"),
    "UserChatReport": ("previous", "deltas"),
    "PhoneReport": ("previous", "deltas"),
    "EmailReport": ("previous", "deltas"),
    "ProductivityReport": ("previous", "deltas"),
    "CompanyReport": ("previous", "deltas"),
    "UserReport": ("previous", "deltas"),
    "TimesReport": ("previous",),
    "RepliesReport": ("previous",),
    "ResolvedReport": ("previous",),
    "DocsReport": ("previous", "deltas"),
}
"""Fields that an example answer goes without, since they would not fit the story."""

BODIES: dict[str, Any] = {
    "update_conversation": {"op": "replace", "path": "/status", "value": "closed"},
    "update_customer": [
        {"op": "replace", "path": "/jobTitle", "value": "Bookbinder"},
        {"op": "add", "path": "/emails", "value": {"type": "home", "value": "joanne@halvorsen.example"}},
    ],
    "update_customer_properties": [{"op": "replace", "path": "/loyalty", "value": "Gold"}],
    "update_thread": {"op": "replace", "path": "/text", "value": "A new Puddle leaves us on Tuesday."},
    "send_scheduled_thread": {"op": "replace", "path": "/state", "value": "published"},
    "update_workflow": {"op": "replace", "path": "/status", "value": "inactive"},
}
"""Bodies that say more than their shapes do: JSON Patch."""

QUERIES: dict[str, dict[str, str]] = {
    "list_conversations": {"mailbox": str(INBOX), "status": "open", "tag": "damaged", "sortField": "waitingSince"},
    "list_customers": {"firstName": "Joanne", "sortField": "modifiedAt"},
    "list_users": {"mailbox": str(INBOX)},
}
"""Query strings that show what an operation is for; others give what is required alone."""

LINKS: dict[str, dict[str, str]] = {
    "Conversation": {
        "self": f"/v2/conversations/{CONVERSATION}", "mailbox": f"/v2/mailboxes/{INBOX}",
        "primaryCustomer": f"/v2/customers/{CUSTOMER}", "createdByCustomer": f"/v2/customers/{CUSTOMER}",
        "threads": f"/v2/conversations/{CONVERSATION}/threads", "assignee": f"/v2/users/{USER}",
        "web": f"/conversation/{CONVERSATION}/1187",
    },
    "Thread": {
        "assignedTo": f"/v2/users/{USER}", "createdByUser": f"/v2/users/{USER}",
        "customer": f"/v2/customers/{CUSTOMER}",
    },
    "Attachment": {
        "self": f"/v2/conversations/{CONVERSATION}/attachments/{ATTACHMENT}",
        "data": f"/v2/conversations/{CONVERSATION}/attachments/{ATTACHMENT}/data",
    },
    "Customer": {
        "self": f"/v2/customers/{CUSTOMER}", "emails": f"/v2/customers/{CUSTOMER}/emails",
        "address": f"/v2/customers/{CUSTOMER}/address",
    },
    "User": {"self": f"/v2/users/{USER}"},
    "Inbox": {
        "self": f"/v2/mailboxes/{INBOX}", "fields": f"/v2/mailboxes/{INBOX}/fields",
        "folders": f"/v2/mailboxes/{INBOX}/folders",
    },
}  # fmt: skip
"""Links of shapes that have more of them than one to themselves."""

_TAGS = [{"id": TAG, "name": "damaged"}, {"id": 308, "name": "replacement"}]
_WICK = {"id": 12, "type": "system_user", "first": "Wick", "last": ""}

_MONTH = {"startDate": "2026-11-01T00:00:00Z", "endDate": "2026-11-30T23:59:59Z"}
_STARTS = {"current": [
    {"start": "2026-11-01T00:00:00Z", "count": 12}, {"start": "2026-11-02T00:00:00Z", "count": 20},
]}  # fmt: skip
_HELPED = {"current": [
    {"date": "2026-11-01T00:00:00Z", "customers": 8}, {"date": "2026-11-02T00:00:00Z", "customers": 15},
]}  # fmt: skip
_REPLIES = {"current": [
    {"date": "2026-11-01T00:00:00Z", "replies": 9}, {"date": "2026-11-02T00:00:00Z", "replies": 22},
]}  # fmt: skip
_RESOLVED = {"current": [
    {"date": "2026-11-01T00:00:00Z", "resolved": 4}, {"date": "2026-11-02T00:00:00Z", "resolved": 11},
]}  # fmt: skip
_WAITS = {"current": [
    {"date": "2026-11-01T00:00:00Z", "time": 6120.5}, {"date": "2026-11-02T00:00:00Z", "time": 4380.0},
]}  # fmt: skip


def _ranges(*counts: int) -> list[dict[str, Any]]:
    """A histogram's ranges from the first on."""
    whole = sum(counts)
    return [{"id": id, "count": n, "percent": 100 * n / whole} for id, n in enumerate(counts, 1)]


_HAPPINESS = {"filterTags": _TAGS, "current": {
    "great": 50.0, "okay": 30.0, "notGood": 20.0, "greatCount": 10, "okayCount": 6, "notGoodCount": 4,
    "ratingsCount": 20, "totalCustomers": 80, "totalCustomersWithRatings": 16, "ratingsPercent": 20.0,
    "happinessScore": 30.0,
}}  # fmt: skip
_RATINGS = {"results": [{
    "number": 1187, "threadid": THREAD, "threadCreatedAt": "2026-09-22T16:03:26Z", "id": CONVERSATION,
    "type": "email", "ratingId": 1, "ratingCustomerId": CUSTOMER, "ratingComments": "Quick and kind.",
    "ratingCreatedAt": "2026-09-23T07:40:11Z", "ratingCustomerName": "Joanne Halvorsen", "ratingUserId": USER,
    "ratingUserName": "Sayuri Kanda",
}]}  # fmt: skip
_DRILLDOWN = {"conversations": {"results": [{
    "id": CONVERSATION, "number": 1187, "type": "email", "mailboxid": INBOX, "attachments": True,
    "subject": "Order BW-50329 arrived broken", "status": "active", "threadCount": 3,
    "preview": "Hi Sayuri, My order BW-50329 has a small sequel: the socket has gone missing.",
    "customerName": "Joanne Halvorsen", "customerEmail": "joanne.halvorsen@quillmail.example",
    "customerIds": [CUSTOMER], "modifiedAt": "2026-11-20T12:27:07Z", "assignedid": USER,
    "tags": [{"id": TAG, "name": "damaged", "color": "#A63D40"}], "assignedName": "Sayuri Kanda",
}], "page": 1, "pages": 7, "count": 161}}  # fmt: skip

ANSWERS: dict[str, dict[str, Any]] = {
    "phones": {"id": 90_169, "value": "+1 218 555 0142", "type": "mobile"},
    "chats": {"id": 90_170, "value": "joanne.halvorsen", "type": "skype"},
    "social-profiles": {"id": 90_172, "value": "joanne-halvorsen", "type": "linkedin"},
    "get_conversation_v3": {"assignee": _WICK},
    "get_conversations_report": {
        "filterTags": _TAGS, "busiestDay": {"day": 1, "hour": 10, "count": 14}, "busyTimeStart": 10, "busyTimeEnd": 11,
        "current": {
            "startDate": "2026-11-01T00:00:00Z", "endDate": "2026-11-30T23:59:59Z", "totalConversations": 250,
            "conversationsCreated": 203, "newConversations": 203, "customers": 171, "conversationsPerDay": 7,
        },
        "tags": {"count": 158, "top": [{"name": "damaged", "id": TAG, "count": 25, "percent": 10.0}]},
        "customers": {"count": 171, "top": [{"name": "Joanne Halvorsen", "id": CUSTOMER, "count": 5, "percent": 2.0}]},
        "replies": {"count": 40, "top": [
            {"name": "Where is my parcel?", "id": 7001, "mailboxId": INBOX, "count": 20, "percent": 8.0}]},
        "workflows": {"count": 10, "top": [
            {"name": "Hand over to the orders desk", "id": 901, "count": 10, "percent": 4.0}]},
    },
    "get_happiness_report": _HAPPINESS,
    "get_happiness_ratings_report": _RATINGS,
    "get_channel_volumes_report": {"current": [
        {"date": "2026-11-01T00:00:00Z", "chat": 3, "email": 9, "phone": 0},
        {"date": "2026-11-02T00:00:00Z", "chat": 5, "email": 14, "phone": 1},
    ]},
    "get_new_conversations_report": _STARTS,
    "get_received_messages_report": _STARTS,
    "get_company_customers_helped_report": _HELPED,
    "get_user_customers_helped_report": _HELPED,
    "get_conversations_drilldown": _DRILLDOWN,
    "get_conversation_fields_drilldown": _DRILLDOWN,
    "get_new_conversations_drilldown": _DRILLDOWN,
    "get_user_drilldown": _DRILLDOWN,
    "get_company_drilldown": _DRILLDOWN,
    "get_docs_report": {"current": {
        **_MONTH, "visitors": 0, "browseAction": 0.0, "searchAction": 0.0, "foundAnAnswerResult": 0.0,
        "sentAnEmailResult": 0.0, "failedResult": 0.0, "docsViewedPerVisit": 0.0,
    }, "popularSearches": [], "failedSearches": [], "topArticles": [], "topCategories": []},
    "get_user_happiness_report": _HAPPINESS,
    "get_user_ratings_report": _RATINGS,
    "get_user_chat_report": {"current": {
        **_MONTH, "totalDays": 29, "newConversations": 21, "messagesPerChat": 11.5, "responseTime": 45, "waitTime": 38,
        "duration": 655,
    }},
    "get_chat_report": {"current": {
        **_MONTH,
        "volume": {"chatConversations": 62, "completedChats": 58, "missedChats": 4, "chatsPerDay": 2.137931},
        "responses": {"waitTime": 40, "responseTime": 52},
        "resolutions": {"messagesPerChat": 14.5, "duration": 700},
    }},
    "get_company_report": {"filterTags": _TAGS, "current": {
        **_MONTH, "customersHelped": 180, "closed": 270, "totalReplies": 580, "totalUsers": 4, "totalDays": 29,
        "repliesPerDayPerUser": 5.0, "repliesPerDay": 20.0, "resolvedPerDay": 8.0,
    }, "users": [{
        "user": str(USER), "name": "Sayuri Kanda", "customersHelped": 60, "replies": 200, "happinessScore": 30.0,
        "handleTime": 0.0,
    }]},
    "get_productivity_report": {
        "filterTags": _TAGS,
        "current": {
            **_MONTH, "totalConversations": 330, "resolutionTime": 64_800.5, "repliesToResolve": 2.4,
            "responseTime": 5400.0, "firstResponseTime": 3600.0, "resolved": 250, "resolvedOnFirstReply": 100,
            "closed": 270, "repliesSent": 610, "handleTime": 0.0, "percentResolvedOnFirstReply": 40.0,
        },
        "responseTime": {"count": 400, "ranges": _ranges(80, 60, 60, 60, 40, 40, 20, 20, 12, 8)},
        "handleTime": {"count": 0, "ranges": []},
        "firstResponseTime": {"count": 250, "ranges": _ranges(60, 45, 40, 35, 20, 20, 10, 10, 6, 4)},
        "repliesToResolve": {"count": 250, "ranges": [
            one | {"resolutionTime": 20_100.0 * one["id"]} for one in _ranges(100, 60, 40, 25, 25)
        ]},
    },
    "get_first_response_times_report": _WAITS,
    "get_response_times_report": _WAITS,
    "get_resolution_times_report": _WAITS,
    "get_replies_sent_report": _REPLIES,
    "get_resolved_report": _RESOLVED,
    "get_user_replies_report": _REPLIES,
    "get_user_resolutions_report": _RESOLVED,
    "get_user_report": {
        "filterTags": _TAGS,
        "user": {
            "id": USER, "name": "Sayuri Kanda", "hasPhoto": True,
            "photoUrl": "https://brindlewick.example/sayuri.png", "createdAt": "2025-03-02T09:00:00Z",
            "totalCustomersHelped": 60,
        },
        "current": {
            **_MONTH, "totalDays": 29, "resolved": 58, "conversationsCreated": 7, "closed": 64, "totalReplies": 203,
            "resolvedOnFirstReply": 29, "percentResolvedOnFirstReply": 50.0, "repliesToResolve": 2.1,
            "handleTime": 0.0, "happinessScore": 30.0, "responseTime": 5100.0, "resolutionTime": 60_200.0,
            "repliesPerDay": 7.0, "customersHelped": 60, "totalConversations": 87, "conversationsPerDay": 3.0,
            "busiestDay": 2,
        },
    },
    "get_user_conversation_history": {"results": [{
        "id": CONVERSATION, "number": 1187, "status": "active",
        "customers": [{"id": CUSTOMER, "name": "Joanne Halvorsen"}], "avgHandleTime": 0.0,
        "firstResponseTime": 2940.0, "repliesSent": 2, "responseTime": 3120.0, "resolveTime": None,
    }], "page": 1, "count": 87, "pages": 4},
    "get_email_report": {"filterTags": _TAGS, "current": {
        **_MONTH,
        "volume": {"emailConversations": 260, "emailsCreated": 240, "repliesSent": 480, "messagesReceived": 510},
        "resolutions": {
            "resolved": 200, "resolvedOnFirstReply": 80, "percentResolvedOnFirstReply": 0.4,
            "resolutionTime": 64_800.0, "repliesToResolve": 2.3, "handleTime": 0.0, "closed": 214,
        },
        "responses": {"responseTime": 5400.0, "firstResponseTime": 3600.0},
    }},
    "get_phone_report": {"current": {
        **_MONTH,
        "volume": {"phoneConversations": 31, "phonesCreated": 27},
        "resolutions": {
            "resolved": 10, "resolvedOnFirstReply": 4, "percentResolvedOnFirstReply": 0.4, "resolutionTime": 64800.0,
            "repliesToResolve": 1.9, "handleTime": 0.0, "closed": 24,
        },
        "responses": {"responseTime": 5400.0, "firstResponseTime": 3600.0},
    }},
    "list_threads_v3": {"createdBy": _WICK, "assignedTo": _WICK},
}  # fmt: skip
"""What an answer says instead, by the operation's name or a literal part of its path."""

CREATED: dict[str, tuple[int | None, str]] = {
    "create_customer_address": (None, ""),
    "create_customer_property": (None, "/plan"),
    "create_organization": (ORGANIZATION, f"/{ORGANIZATION}?includeCounts=false&includeProperties=false"),
    "create_organization_property": (10, "/region"),
}
"""What is created: its id, if it has one, and where it is, behind the path; others are at their id."""
