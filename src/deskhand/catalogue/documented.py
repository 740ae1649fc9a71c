"""What is documented of the Mailbox API: all 145 pairs of method and path, the guide of June 2026, the dated additions.

Parameters are written `{}`; the names of operations here are ours. Coverage is measured against these lists.
Source: https://developer.helpscout.com/mailbox-api/ (the navigation), as the wire contract counts it.
"""

from __future__ import annotations

_CUSTOMER = "/v2/customers/{}"
_ORGANIZATION = "/v2/organizations/{}"
_INBOX = "/v2/mailboxes/{}"
_CONVERSATION = "/v2/conversations/{}"
_THREAD = _CONVERSATION + "/threads/{}"
_REPORTS = "/v2/reports/"

_ENTRIES = tuple(
    row
    for kind in ("chats", "emails", "phones", "social-profiles", "websites")
    for row in (
        ("GET", f"{_CUSTOMER}/{kind}"), ("POST", f"{_CUSTOMER}/{kind}"),
        ("PUT", f"{_CUSTOMER}/{kind}/{{}}"), ("DELETE", f"{_CUSTOMER}/{kind}/{{}}"),
    )
)  # fmt: skip

AREAS: dict[str, tuple[tuple[str, str], ...]] = {
    "Conversations": (
        ("GET", "/v2/conversations"), ("GET", _CONVERSATION), ("GET", "/v3/conversations/{}"),
        ("POST", "/v2/conversations"), ("PATCH", _CONVERSATION), ("DELETE", _CONVERSATION),
        ("PUT", f"{_CONVERSATION}/fields"), ("PUT", f"{_CONVERSATION}/tags"),
        ("PUT", f"{_CONVERSATION}/snooze"), ("DELETE", f"{_CONVERSATION}/snooze"),
    ),
    "Threads": (
        ("GET", f"{_CONVERSATION}/threads"), ("GET", "/v3/conversations/{}/threads"),
        ("POST", f"{_CONVERSATION}/reply"), ("POST", f"{_CONVERSATION}/notes"), ("POST", f"{_CONVERSATION}/chats"),
        ("POST", f"{_CONVERSATION}/phones"), ("POST", f"{_CONVERSATION}/customer"), ("PATCH", _THREAD),
        ("GET", f"{_THREAD}/original-source (JSON)"), ("GET", f"{_THREAD}/original-source (RFC 822)"),
        ("PUT", f"{_THREAD}/schedule"), ("PATCH", f"{_THREAD}/schedule"), ("DELETE", f"{_THREAD}/schedule"),
    ),
    "Attachments": (
        ("POST", f"{_THREAD}/attachments"), ("GET", f"{_CONVERSATION}/attachments/{{}}/data"),
        ("DELETE", f"{_CONVERSATION}/attachments/{{}}"),
    ),
    "Customers": (
        ("GET", "/v2/customers"), ("GET", "/v3/customers"), ("POST", "/v2/customers"), ("GET", _CUSTOMER),
        ("PUT", _CUSTOMER), ("PATCH", _CUSTOMER), ("DELETE", _CUSTOMER), ("DELETE", f"{_CUSTOMER}?async=true"),
        ("GET", f"{_CUSTOMER}/address"), ("POST", f"{_CUSTOMER}/address"), ("PUT", f"{_CUSTOMER}/address"),
        ("DELETE", f"{_CUSTOMER}/address"), *_ENTRIES,
    ),
    "Customer properties": (
        ("GET", "/v2/customer-properties"), ("POST", "/v2/customer-properties"),
        ("DELETE", "/v2/customer-properties/{}"), ("PATCH", f"{_CUSTOMER}/properties"),
    ),
    "Organizations": (
        ("GET", "/v2/organizations"), ("POST", "/v2/organizations"), ("GET", _ORGANIZATION), ("PUT", _ORGANIZATION),
        ("DELETE", _ORGANIZATION), ("GET", f"{_ORGANIZATION}/customers"), ("GET", f"{_ORGANIZATION}/conversations"),
    ),
    "Organization properties": (
        ("GET", "/v2/organizations/properties"), ("POST", "/v2/organizations/properties"),
        ("GET", "/v2/organizations/properties/{}"), ("PUT", "/v2/organizations/properties/{}"),
        ("DELETE", "/v2/organizations/properties/{}"), ("PUT", f"{_ORGANIZATION}/properties/{{}}"),
        ("DELETE", f"{_ORGANIZATION}/properties/{{}}"),
    ),
    "Inboxes": (
        ("GET", "/v2/mailboxes"), ("GET", _INBOX), ("GET", f"{_INBOX}/fields"), ("GET", f"{_INBOX}/folders"),
        ("GET", f"{_INBOX}/routing"), ("PUT", f"{_INBOX}/routing"),
    ),
    "Saved replies": (
        ("GET", f"{_INBOX}/saved-replies"), ("POST", f"{_INBOX}/saved-replies"),
        ("GET", f"{_INBOX}/saved-replies/{{}}"), ("PUT", f"{_INBOX}/saved-replies/{{}}"),
        ("DELETE", f"{_INBOX}/saved-replies/{{}}"),
    ),
    "Users": (
        ("GET", "/v2/users"), ("GET", "/v2/users/me"), ("GET", "/v2/users/{}"), ("POST", "/v2/users"),
        ("DELETE", "/v2/users/{}"), ("GET", "/v2/users/status"), ("GET", "/v2/users/{}/status"),
        ("PUT", "/v2/users/{}/status"), ("GET", "/v2/users/{}/conversation-reassignment"),
        ("PUT", "/v2/users/{}/conversation-reassignment"),
    ),
    "System users": (("GET", "/v3/system-users"), ("GET", "/v3/system-users/{}")),
    "Teams": (("GET", "/v2/teams"), ("GET", "/v2/teams/{}/members"), ("PUT", "/v2/teams/{}/members")),
    "Tags": (("GET", "/v2/tags"), ("GET", "/v2/tags/{}")),
    "Workflows": (("GET", "/v2/workflows"), ("PATCH", "/v2/workflows/{}"), ("POST", "/v2/workflows/{}/run")),
    "Ratings": (("GET", "/v2/ratings/{}"),),
    "Webhooks": (
        ("GET", "/v2/webhooks"), ("GET", "/v2/webhooks/{}"), ("POST", "/v2/webhooks"), ("PUT", "/v2/webhooks/{}"),
        ("DELETE", "/v2/webhooks/{}"),
    ),
    "Reports": tuple(
        ("GET", _REPORTS + name)
        for name in (
            "company", "company/customers-helped", "company/drilldown", "conversations",
            "conversations/volume-by-channel", "conversations/busy-times", "conversations/drilldown",
            "conversations/fields-drilldown", "conversations/new", "conversations/new-drilldown",
            "conversations/received-messages", "docs", "happiness", "happiness/ratings", "productivity",
            "productivity/first-response-time", "productivity/response-time", "productivity/resolution-time",
            "productivity/replies-sent", "productivity/resolved", "user", "user/conversation-history",
            "user/customers-helped", "user/drilldown", "user/happiness", "user/ratings", "user/replies",
            "user/resolutions", "user/chat", "chat", "email", "phone",
        )
    ),
}  # fmt: skip

GUIDE: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Conversations": (
        ("list_conversations", "GET", "/v2/conversations"),
        ("get_conversation", "GET", _CONVERSATION),
        ("create_conversation", "POST", "/v2/conversations"),
        ("update_conversation", "PATCH", _CONVERSATION),
        ("delete_conversation", "DELETE", _CONVERSATION),
        ("set_conversation_tags", "PUT", f"{_CONVERSATION}/tags"),
    ),
    "Threads": (
        ("list_threads", "GET", f"{_CONVERSATION}/threads"),
        ("reply_to_conversation", "POST", f"{_CONVERSATION}/reply"),
        ("add_note", "POST", f"{_CONVERSATION}/notes"),
        ("add_chat", "POST", f"{_CONVERSATION}/chats"),
        ("add_phone", "POST", f"{_CONVERSATION}/phones"),
    ),
    "Customers": (
        ("list_customers", "GET", "/v2/customers"),
        ("get_customer", "GET", _CUSTOMER),
        ("create_customer", "POST", "/v2/customers"),
        ("overwrite_customer", "PUT", _CUSTOMER),
    ),
    "Inboxes": (
        ("list_inboxes", "GET", "/v2/mailboxes"),
        ("get_inbox", "GET", _INBOX),
        ("list_inbox_fields", "GET", f"{_INBOX}/fields"),
        ("list_inbox_folders", "GET", f"{_INBOX}/folders"),
    ),
    "Users": (
        ("list_users", "GET", "/v2/users"),
        ("get_user", "GET", "/v2/users/{}"),
        ("get_me", "GET", "/v2/users/me"),
    ),
    "Tags": (("list_tags", "GET", "/v2/tags"),),
    "Workflows": (
        ("list_workflows", "GET", "/v2/workflows"),
        ("run_workflow", "POST", "/v2/workflows/{}/run"),
    ),
    "Reports": (
        ("get_conversations_report", "GET", _REPORTS + "conversations"),
        ("get_happiness_ratings_report", "GET", _REPORTS + "happiness/ratings"),
    ),
    "Webhooks": (("list_webhooks", "GET", "/v2/webhooks"), ("create_webhook", "POST", "/v2/webhooks")),
}
"""The 29 operations in nine groups of the reference guide of 23 June 2026, under the names we promise for them.

The guide tells of replacing and of patching a customer in one entry: `overwrite_customer`, beside `update_customer`.
"""

ADDITIONS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("2024-05-31", "Snooze, and `nextEvent`", AREAS["Conversations"][8:]),
    ("2024-06-13", "Threads sent later", AREAS["Threads"][10:]),
    ("2024-08-27", "`state` of attachments", (("GET", f"{_CONVERSATION}/threads"),)),
    ("2025-03-24", "Owner ids greater than 1", (("PATCH", _CONVERSATION),)),
    ("2025-07-28", "`mailboxIds` of webhooks", (("POST", "/v2/webhooks"), ("PUT", "/v2/webhooks/{}"))),
    (
        "2025-09-09", "Organizations: create, read, change, delete",
        (("POST", "/v2/organizations"), ("GET", _ORGANIZATION), ("PUT", _ORGANIZATION), ("DELETE", _ORGANIZATION)),
    ),
    ("2025-10-27", "Customers v3 with a cursor", (("GET", "/v3/customers"),)),
    ("2025-11-10", "List of organizations", (("GET", "/v2/organizations"),)),
    ("2025-12-08", "Organization properties", AREAS["Organization properties"]),
    ("2025-12-19", "Routing with its rotation", (("GET", f"{_INBOX}/routing"), ("PUT", f"{_INBOX}/routing"))),
    (
        "2026-01-08", "User status: set, list, one",
        (("PUT", "/v2/users/{}/status"), ("GET", "/v2/users/status"), ("GET", "/v2/users/{}/status")),
    ),
    (
        "2026-05-20", "`system_user` in v3 reads and in webhook payload V3",
        (("GET", "/v3/conversations/{}"), ("GET", "/v3/conversations/{}/threads")),
    ),
    ("2026-06-10", "No `web` link of attachments", (("GET", f"{_CONVERSATION}/attachments/{{}}/data"),)),
)  # fmt: skip
"""What the version history added: date, name, and the pairs it stands on."""

NOT_YET: dict[str, str] = {
    "Reports": "a later step; the two of the guide come first",
}
"""Why a row does not work yet, by area; other rows are simply not built yet."""
