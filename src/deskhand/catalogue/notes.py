"""What is worth knowing about an operation beyond its summary, in sentences of ours, by the operation's name."""

from __future__ import annotations

NOTES: dict[str, tuple[str, ...]] = {
    "list_conversations": (
        "Without `status` you get active conversations only, even with `query` or `number`; `status=all` gives all.",
        "A page holds 25 conversations, not 50 as elsewhere.",
        "`mailbox` and `tag` take several values joined by commas; a conversation needs to match one of each.",
        'Examples of `query`: `(subject:"lamp" AND tag:"vip")`, `(email:"paul@buyer.example")`, '
        "`(createdAt:[2026-01-01T00:00:00Z TO *])`, `(customerIds:88012)`.",
    ),
    "get_conversation": (
        "A conversation merged into another answers 301 for 60 days, its survivor in `Location`; after that 404.",
        "Line items, notes and drafts are threads too: `embed=threads` gives them all, newest first.",
    ),
    "get_conversation_v3": ("AI agents appear as `system_user` here; under /v2 the same people are plain `user`s.",),
    "create_conversation": (
        "The customer is named by `id` or by `email`; if both are given, `id` wins.",
        "An address nobody has yet makes a new customer from the other fields; one that is known ignores them.",
        "A first thread of type `reply` is mailed to the customer, unless it is a draft or `imported`.",
    ),
    "update_conversation": (
        "The body is one JSON Patch step; a list of steps is taken too, and then all happen or none.",
        "Paths: `/subject`, `/status`, `/assignTo`, `/mailboxId`, `/primaryCustomer.id` and `/draft`.",
        "Replacing `/draft` by false publishes the draft, and that sends mail.",
    ),
    "delete_conversation": ("There is no undo, and the conversation's number is not given again.",),
    "set_conversation_tags": (
        "This is the whole list: what is not in it is taken off. Read the tags first if you only want to add one.",
    ),
    "set_conversation_fields": ("This is the whole list: a field that is not in it is emptied.",),
    "snooze_conversation": (
        "A new call replaces the snooze there is; `snooze` and `nextEvent` of the conversation tell of it.",
    ),
    "unsnooze_conversation": ("A conversation that is not snoozed answers 204 as well.",),
    "list_threads": ("A merged conversation answers 404 here, not 301.",),
    "list_threads_v3": ("AI agents appear as `system_user` here; under /v2 they are plain `user`s.",),
    "reply_to_conversation": (
        "Without `draft` the reply goes out by e-mail; `imported` sends nothing and needs no `createdAt`.",
        "A reply without `status` makes the conversation active again, a closed one too.",
        "It reads back as a thread of type `message`, its text under `body`.",
    ),
    "add_note": ("Only the team sees a note; no mail is sent.",),
    "add_chat": ("This writes down a chat that took place elsewhere; it sends nothing.",),
    "add_phone": ("This writes down a phone call; it sends nothing.",),
    "add_customer_thread": ("The conversation is active again afterwards, unless the thread is `imported`.",),
    "update_thread": ("Allowed to administrators, and to others if the account lets people edit threads.",),
    "list_customers": ('`query` also finds customers by a part of an e-mail address: `(email:"halvorsen")`.',),
    "create_customer": ("An e-mail address that belongs to somebody already answers 409: look that customer up.",),
    "overwrite_customer": (
        "For changing one field and keeping the rest, use `update_customer`.",
        "Without `organizationId` the customer belongs to no organization afterwards.",
    ),
    "update_customer": (
        "The body is a list of steps, even for a single one.",
        "Entries are changed by their id: `/emails/90168/value` is replaced, `/emails/90168` removed.",
    ),
    "delete_customer": (
        "Their conversations and ratings go with them; that is what privacy laws ask for.",
        "With more than 100 conversations, use `async=true`.",
        "Each conversation is told of by `convo.deleted`; `customer.deleted` comes when everything is gone.",
    ),
    "create_organization": (
        "Customers who belong to none come to it a moment later if their e-mail address has one of its domains.",
    ),
    "update_organization": (
        "Customers stay with an organization that loses a domain; nobody moves from one organization to another.",
    ),
    "list_inboxes": ("The path says mailboxes for historical reasons; they are called inboxes everywhere else.",),
    "list_inbox_fields": ("Ask for these before setting custom fields: values go by the field's id.",),
    "list_users": ("People who have not yet accepted their invitation are listed too.",),
    "get_me": ("A good first call: it tells that the token works and what it can reach.",),
    "schedule_thread": (
        "Only a draft can be scheduled; a new call replaces the schedule there is.",
        "With `unscheduleOnCustomerReply` it stays a draft if the customer writes first.",
    ),
    "send_scheduled_thread": (
        "The only way to publish a draft thread: schedule it, then send it ahead of time by this call.",
    ),
    "get_original_source": (
        "`Accept: message/rfc822` gives the message as it is; otherwise it comes as a text inside JSON.",
        "Only mail that came in has a source.",
    ),
    "add_attachment": ("`data` is base64 and at most 10 MB when decoded.",),
    "delete_attachment": ("Only while the conversation is a draft.",),
    "list_customers_v3": (
        "Newest first, always. The `next` link carries a cursor; there are no page numbers and no total.",
    ),
    "create_user": ("Allowed to owners and administrators; nobody can be made an owner this way.",),
    "set_user_status": ("Your own, or anybody's if you are an owner or administrator.",),
    "set_inbox_routing": ("This is the whole configuration; `userIds` may not be empty while routing is enabled.",),
    "update_webhook": ("This is the whole webhook: what is left out returns to its default.",),
    "run_workflow": ("Only manual workflows, and only conversations of the workflow's own inbox, up to 50 a call.",),
    "create_webhook": (
        "The secret signs every delivery and is never shown again; keep it where your receiver finds it.",
    ),
    "get_conversations_report": ("A second range, `previousStart` to `previousEnd`, adds `previous` and `deltas`.",),
}
