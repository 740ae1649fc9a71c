"""Questions that people have, with answers; `code` stands in backticks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question, its answer paragraph by paragraph, and where to read on as (text, address)."""

    key: str
    question: str
    answer: tuple[str, ...]
    more: tuple[tuple[str, str], ...] = ()


QUESTIONS = (
    Question(
        "my-client", "I have a program written for Help Scout. What must I change?",
        ("Its base URL and its credentials. Paths, bodies, headers, errors and the OAuth flows are the same, so a "
         "client that lets you set the base URL needs no other change.",),
        (("An existing client", "/reference/authentication#existing-client"),),
    ),
    Question(
        "which-flow", "Client credentials or authorization code?",
        ("Client credentials for a program of your own: it trades an id and a secret for a token, with nobody "
         "watching. Authorization code if other people install your program: each of them approves it in the browser "
         "and it then acts as that person.",
         "Only the second gives a refresh token. With the first you simply ask again."),
        (("Authentication", "/reference/authentication"),),
    ),
    Question(
        "scopes", "Can I give a token fewer rights than its user has?",
        ("No. The API has no scopes: a token can do what its user can do, in the inboxes that user can see. To give a "
         "program less, make a user for it and let that user into fewer inboxes.",
         "The permission shown with each operation, such as `conversations: read`, says what a finer grant "
         "would need."),
    ),
    Question(
        "expiry", "How long does a token live?",
        ("Two days, whichever way you got it: `expires_in` says 172800 seconds. Keep it and use it until a call "
         "answers 401, then get another and repeat that call once. Asking for a new token before every call is slow "
         "and needless.",),
        (("Authentication", "/reference/authentication#expiry"),),
    ),
    Question(
        "reply-or-note", "What is the difference between a reply and a note?",
        ("A reply is mailed to the customer. A note is for the team; the customer never sees it. They are made by "
         "different operations, so mixing them up takes some doing.",
         "A reply with `draft` set to true is kept for somebody to look over; nothing is sent until it is published."),
        (("Reply to conversation", "/reference/reply_to_conversation"), ("Add note", "/reference/add_note")),
    ),
    Question(
        "missing-conversations", "Why does the list not show a conversation that I can see?",
        ("Most likely because it is not active. Without `status` only active conversations are listed, and that holds "
         "for `query` and `number` as well. Ask with `status=all`.",
         "If that is not it, the token's user may not see the inbox it is in: such conversations are left out "
         "silently."),
        (("List conversations", "/reference/list_conversations"),),
    ),
    Question(
        "the-id", "A create call answers with an empty body. Where is the new id?",
        ("In the header `Resource-ID`. `Location` beside it is the address of the new resource.",),
    ),
    Question(
        "change-one-field", "How do I change a single field of a conversation?",
        ("With PATCH and one step of JSON Patch, such as `{\"op\": \"replace\", \"path\": \"/status\", \"value\": "
         "\"closed\"}`. To take the owner away, use `{\"op\": \"remove\", \"path\": \"/assignTo\"}`.",
         "Customers are patched too, but there the body is always a list of steps."),
        (("Update conversation", "/reference/update_conversation"), ("Update customer", "/reference/update_customer")),
    ),
    Question(
        "add-a-tag", "How do I add one tag without losing the others?",
        ("Setting tags replaces the whole list. Read the conversation, add your tag to the names you find, and send "
         "them all. Names that do not exist yet are created on the way.",),
        (("Set conversation tags", "/reference/set_conversation_tags"),),
    ),
    Question(
        "import", "How do I bring in old conversations without mailing anybody?",
        ("Set `imported` to true on the conversation and on its threads. Nothing is sent, nobody is notified, and then "
         "you may also set `createdAt`, so that everything keeps its date. A conversation takes up to 100 threads.",),
        (("Create conversation", "/reference/create_conversation"),),
    ),
    Question(
        "merged", "A conversation answers 301 or 404, though it was there yesterday. Why?",
        ("It was merged into another one. Reading it answers 301 with the survivor's address in `Location` for 60 "
         "days, and 404 after that. Every other call on the old id answers 404 at once: use the survivor's id.",),
        (("Status codes", "/reference/errors#status-404"),),
    ),
    Question(
        "412", "What does 412 mean when I add a thread?",
        ("That the conversation takes no more: it holds 100 threads, or the account locks conversations after some "
         "time and this one is older. Start a new conversation and refer to the old one.",),
        (("Status codes", "/reference/errors#status-412"),),
    ),
    Question(
        "how-fast", "How many calls may I make?",
        ("400 units a minute on the Plus plan, for the whole account. Reading costs one unit, writing two. Every "
         "answer says how many are left; one that came too soon is 429 and says how long to wait.",),
        (("Rate limits", "/reference/rate-limits"),),
    ),
    Question(
        "polling", "How do I notice new conversations without asking all the time?",
        ("Register a webhook for `convo.created` and `convo.customer.reply.created`. If your program cannot be reached "
         "from outside, ask for `modifiedSince` with the time of your last look, sorted by `modifiedAt`.",),
        (("Webhook events", "/reference/events"),),
    ),
    Question(
        "signature", "How do I know that a webhook delivery is genuine?",
        ("Compute the HMAC-SHA1 of the body's exact bytes with the webhook's secret, encode it in base64, and compare "
         "it with `X-HelpScout-Signature`. Do it before you parse the body: JSON that was parsed and written again has "
         "other bytes.",),
        (("Checking the signature", "/reference/events#signature"),),
    ),
    Question(
        "twice", "The same delivery came twice. Is that a fault?",
        ("No. If your answer is lost on its way, the delivery is repeated, so every receiver must bear it. The order "
         "is not promised either: go by the times in the body.",),
        (("Retries", "/reference/events#retries"),),
    ),
    Question(
        "all-pages", "How do I read a whole list?",
        ("Follow `_links.next` until an answer has none. The links keep your filters. Building the addresses by hand "
         "works as well, but it breaks on lists that are walked with a cursor.",),
        (("Pagination", "/reference/pagination"),),
    ),
    Question(
        "page-size", "Can I have larger pages?",
        ("No: 25 conversations a page, 50 of everything else. Other sizes are ignored. If it is the number of calls "
         "that hurts, `embed=threads` saves one call for each conversation.",),
    ),
    Question(
        "dates", "Which form must times have?",
        ("UTC to the second: `2026-11-20T12:02:25Z`. Milliseconds and offsets such as `+02:00` are refused with a 400. "
         "Answers use the same form.",),
    ),
    Question(
        "nulls", "Why are some fields missing from the answer?",
        ("What a conversation or a thread does not have is left out rather than null: no subject, no `subject`. Read "
         "fields as optional, and treat fields you do not know as if they were not there; new ones come without "
         "notice.",),
    ),
    Question(
        "mailbox", "Why does it say mailbox in some places and inbox in others?",
        ("The product renamed mailboxes to inboxes; the addresses and field names kept the old word, so that programs "
         "go on working. They mean the same.",),
    ),
    Question(
        "try", "Where can I try things without breaking anything?",
        ("Start a sandbox with `./bin/sandbox`: an invented shop with a thousand conversations on your own machine. It "
         "sends no mail, can be reset, has a clock you can move, and fails on demand. Most of the examples on these "
         "pages work there as they stand.",),
    ),
)  # fmt: skip
