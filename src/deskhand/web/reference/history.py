"""What changed in the Mailbox API and when, newest first, in our words.

Source: https://developer.helpscout.com/mailbox-api/changelog
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One dated change; `operations` are those that came with it or are touched by it."""

    date: str
    title: str
    text: str
    operations: tuple[str, ...] = ()
    breaking: bool = False


CHANGES = (
    Change(
        "2026-06-10", "Attachments lose their web link",
        "`_links` of an attachment no longer has `web`; `data` leads to the content.",
        ("list_threads", "get_attachment_data"), breaking=True,
    ),
    Change(
        "2026-05-20", "Webhook payload V3",
        "V3 keeps the type `system_user` for AI agents and integrations; V2 goes on calling them users.",
        ("create_webhook", "update_webhook"),
    ),
    Change(
        "2026-02-06", "Users who come and go are an event",
        "`user.status.changed` tells receivers when somebody goes away or comes back.", ("set_user_status",),
    ),
    Change(
        "2026-01-08", "User status",
        "Set, list and read whether people are active or away. What was first called `available` is `active` "
        "since 19 January.",
        ("set_user_status", "list_user_statuses", "get_user_status"),
    ),
    Change(
        "2025-12-19", "Routing shows its rotation",
        "The routing of an inbox tells who is next, and why somebody is passed over.", ("get_inbox_routing",),
    ),
    Change(
        "2025-12-08", "Organization properties",
        "Properties of your own for organizations, with definitions and values.",
        ("list_organization_properties", "create_organization_property", "set_organization_value"),
    ),
    Change(
        "2025-11-10", "List organizations", "All organizations, sorted by name, counts or last contact.",
        ("list_organizations",),
    ),
    Change(
        "2025-10-27", "Customers v3",
        "A list of customers that is walked with a cursor and never repeats or skips anybody.", ("list_customers_v3",),
    ),
    Change(
        "2025-09-09", "Organizations",
        "Create, read, change and delete organizations; customers point to theirs with `organizationId`.",
        ("create_organization", "get_organization", "update_organization", "delete_organization"),
    ),
    Change(
        "2025-07-28", "Webhooks for some inboxes",
        "`mailboxIds` narrows a webhook's conversation events to the inboxes you name.",
        ("create_webhook", "update_webhook"),
    ),
    Change(
        "2025-03-24", "Owner ids are greater than 1",
        "An owner must be a positive whole number greater than 1; anything else is a 400 where it was taken before.",
        ("create_conversation", "update_conversation", "reply_to_conversation"), breaking=True,
    ),
    Change(
        "2024-10-21", "Ratings know the conversation's number", "A rating carries `conversationNumber`.",
        ("get_rating",),
    ),
    Change(
        "2024-08-27", "Attachments have a state", "`state` is `valid`, or `virus` for a file that is not handed out.",
        ("get_attachment",),
    ),
    Change(
        "2024-06-13", "Send later",
        "A draft can be scheduled, sent ahead of time or taken back; `nextEvent` of the conversation tells what comes.",
        ("schedule_thread", "send_scheduled_thread", "unschedule_thread"),
    ),
    Change(
        "2024-05-31", "Snooze", "Put a conversation aside until a time, or until the customer writes.",
        ("snooze_conversation", "unsnooze_conversation"),
    ),
    Change(
        "2023-09-12", "Ratings on threads", "A rated reply carries what the customer thought of it.",
        ("list_threads",),
    ),
    Change(
        "2023-08-30", "New threads tell their id", "Creating a thread answers with `Resource-ID`.",
        ("reply_to_conversation", "add_note"),
    ),
    Change("2023-07-04", "Saved replies can be changed", "Beside listing, reading, creating and deleting since April.",
           ("update_saved_reply",)),
    Change(
        "2022-10-20", "Delete a customer", "With their conversations, up to a hundred of them.", ("delete_customer",),
    ),
    Change(
        "2022-05-25", "Webhook payload V1 ends", "Bodies in the shapes of API version 1 are sent no more.",
        breaking=True,
    ),
    Change("2021-05-01", "Webhook payload V2", "Bodies have the shapes that this API answers with."),
    Change("2018-11-13", "Workflows", "List workflows, switch them on and off, run manual ones.",
           ("list_workflows", "run_workflow")),
    Change("2018-09-26", "Change a thread", "The text of a thread can be replaced.", ("update_thread",)),
    Change(
        "2018-09-12", "State in the authorization flow", "What you send as `state` comes back with the code.",
    ),
    Change(
        "2018-08-29", "Tags and custom fields at once", "A new conversation takes `tags` and `fields`.",
        ("create_conversation",),
    ),
    Change(
        "2018-08-21", "Drafts", "`draft` keeps a reply unpublished.", ("reply_to_conversation", "create_conversation"),
    ),
    Change(
        "2018-08-10", "Threads inside", "`embed=threads` saves a call for each conversation.", ("get_conversation",)
    ),
)  # fmt: skip
"""Newest first. An operation that does not exist here is left out where the page names them."""
