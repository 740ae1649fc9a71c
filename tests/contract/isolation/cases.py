"""How to call each operation there is: with what is one's own, and with what is another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from deskhand.catalogue.operation import Resource
from deskhand.catalogue.operations import OPERATIONS
from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import conversation as conversation_table
from tests.contract.isolation.sides import IN_MANY_YEARS, Side, new_webhook, step
from tests.desk.conversations.received import received
from tests.world import unique

_UNPUBLISH = command(
    sa.update(conversation_table)
    .where(conversation_table.c.account_id == P("account_id"), conversation_table.c.id == P("id"))
    .values(state=sa.literal_column("'draft'")),
    keep=False,
)

Body = Callable[[Side], Any]
"""A body that names things of a side."""


@dataclass(frozen=True)
class Case:
    """How to call an operation.

    `body` works when all it names is one's own, and `ready` has been done with the side. `ids` are bodies by the place
    that must be found at fault when the thing it names is another account's: they are given one's own side, then the
    other. `filters` are queries that find something of the side they are given.
    """

    body: Body | None = None
    ready: Callable[[Side], None] = lambda side: None
    ids: tuple[tuple[str, Callable[[Side, Side], Any]], ...] = ()
    filters: Callable[[Side], tuple[dict[str, Any], ...]] = lambda side: ()


def new_conversation(
    mine: Side, inbox: int = 0, customer: int = 0, writer: int = 0, author: int = 0, field: int = 0, **changes: Any
) -> dict[str, Any]:
    """A conversation's body, with one id that is another's."""
    thread = {
        "type": "note", "text": "x", "customer": {"id": writer or mine.customer}, "user": author or mine.user,
    }  # fmt: skip
    return {
        "subject": "x", "type": "email", "mailboxId": inbox or mine.inbox, "status": "active",
        "customer": {"id": customer or mine.customer}, "assignTo": mine.user, "user": mine.user, "threads": [thread],
        "fields": [{"id": field or mine.field, "value": str(mine.option)}],
    } | changes  # fmt: skip


def unpublish(side: Side) -> None:
    """Make a draft of a conversation, for what can be done to drafts alone."""
    side.desk.write(lambda tx: tx.run(_UNPUBLISH, account_id=side.desk.account_id, id=side.conversation))


def mailed(side: Side) -> None:
    """Let the thread be one that came by mail."""
    received(side.desk, side.conversation, side.thread, f"Subject: {side.word}\r\n\r\nx".encode())


def new_thread(side: Side, **changes: Any) -> dict[str, Any]:
    return {"text": "x", "customer": {"id": side.customer}} | changes


def conversation_filters(side: Side) -> tuple[dict[str, Any], ...]:
    found: list[dict[str, Any]] = [
        {"mailbox": side.inbox}, {"folder": side.folder}, {"assigned_to": side.user}, {"tag": side.word},
        {"number": side.number}, {"mailbox": side.inbox, "customFieldsByIds": f"{side.field}:{side.option}"},
    ]  # fmt: skip
    queries = (
        f"subject:{side.word}", f"body:{side.word}", side.word, f'email:"{side.email}"', f"tag:{side.word}",
        f'mailbox:"Inbox {side.word}"', f"mailboxid:{side.inbox}", f"assigned:First{side.word}",
        f"customerIds:{side.customer}", f"id:{side.conversation}", f"number:{side.number}",
        f"replyUserIds:{side.user}", f"attachments:true AND subject:{side.word}",
    )  # fmt: skip
    return tuple(one | {"status": "all"} for one in (*found, *({"query": query} for query in queries)))


def customer_filters(side: Side) -> tuple[dict[str, Any], ...]:
    return (
        {"mailbox": side.inbox}, {"firstName": f"First{side.word}"}, {"email": side.email},
        {"lastName": "Meyer", "firstName": f"First{side.word}"}, {"query": f'(email:"{side.email}")'},
        {"query": f"(firstName:First{side.word})"},
    )  # fmt: skip


def walk_filters(side: Side) -> tuple[dict[str, Any], ...]:
    return tuple(one for one in customer_filters(side) if "mailbox" not in one)


def entry_cases(collection: str) -> dict[str, Case]:
    """The cases of one way to reach a customer; an e-mail address stays the one that filters find."""
    emails = collection == "emails"
    kind = collection.removesuffix("s").replace("-", "_")
    return {
        f"get_customer_{kind}": Case(),
        f"add_customer_{kind}": Case(body=lambda side: {"value": f"{unique('entry')}@buyer.example"}),
        f"update_customer_{kind}": Case(body=lambda side: {"value": side.email if emails else "x"}),
        f"delete_customer_{kind}": Case(),
    }


def property_change(slug: str) -> list[dict[str, Any]]:
    return [step("replace", f"/{slug}", "x")]


def new_property(side: Side) -> dict[str, Any]:
    return {"type": "text", "slug": unique("slug"), "name": "x"}


def user_filters(side: Side) -> tuple[dict[str, Any], ...]:
    return ({"mailbox": side.inbox}, {"email": side.desk.get(f"/v2/users/{side.user}").json()["email"]})


def workflow_filters(side: Side) -> tuple[dict[str, Any], ...]:
    return ({"mailboxId": side.inbox}, {"mailboxId": side.inbox, "type": "manual"})


def new_user(side: Side, **changes: Any) -> dict[str, Any]:
    return {
        "firstName": "New", "lastName": "User", "email": f"{unique('new')}@desk.example", "role": "user",
        "mailboxes": [{"id": side.inbox}],
    } | changes  # fmt: skip


def members(*added: int, deleted: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"addedUserIds": list(added), "deletedUserIds": list(deleted)}


def routing(side: Side, user: int = 0) -> dict[str, Any]:
    return {
        "state": "enabled", "assignmentLimit": 5, "assignmentMethod": "balanced", "userIds": [user or side.user],
    }  # fmt: skip


CASES: dict[str, Case] = {
    "list_conversations": Case(filters=conversation_filters),
    "get_conversation": Case(),
    "get_conversation_v3": Case(),
    "create_conversation": Case(
        body=new_conversation,
        ids=(
            ("mailboxId", lambda mine, other: new_conversation(mine, inbox=other.inbox)),
            ("customer.id", lambda mine, other: new_conversation(mine, customer=other.customer)),
            ("assignTo", lambda mine, other: new_conversation(mine, assignTo=other.user)),
            ("assignTo", lambda mine, other: new_conversation(mine, assignTo=other.team)),
            ("user", lambda mine, other: new_conversation(mine, user=other.user)),
            ("threads[0].customer.id", lambda mine, other: new_conversation(mine, writer=other.customer)),
            ("threads[0].user", lambda mine, other: new_conversation(mine, author=other.user)),
            ("fields[0].id", lambda mine, other: new_conversation(mine, field=other.field)),
        ),
    ),
    "update_conversation": Case(
        body=lambda side: step("replace", "/primaryCustomer.id", side.customer),
        ids=(
            ("value", lambda mine, other: step("move", "/mailboxId", other.inbox)),
            ("value", lambda mine, other: step("replace", "/assignTo", other.user)),
            ("value", lambda mine, other: step("replace", "/assignTo", other.team)),
            ("value", lambda mine, other: step("replace", "/primaryCustomer.id", other.customer)),
        ),
    ),
    "delete_conversation": Case(),
    "set_conversation_tags": Case(body=lambda side: {"tags": [side.word, "everybody"]}),
    "snooze_conversation": Case(body=lambda side: {"snoozedUntil": "2099-01-01T00:00:00Z"}),
    "unsnooze_conversation": Case(),
    "set_conversation_fields": Case(
        body=lambda side: {"fields": [{"id": side.field, "value": str(side.option)}]},
        ids=(
            ("fields[0].id", lambda mine, other: {"fields": [{"id": other.field, "value": str(other.option)}]}),
            ("fields[0].value", lambda mine, other: {"fields": [{"id": mine.field, "value": str(other.option)}]}),
        ),
    ),
    "list_threads": Case(),
    "list_threads_v3": Case(),
    "reply_to_conversation": Case(
        body=new_thread,
        ids=(
            ("customer.id", lambda mine, other: new_thread(other)),
            ("user", lambda mine, other: new_thread(mine, user=other.user)),
            ("assignTo", lambda mine, other: new_thread(mine, assignTo=other.user)),
        ),
    ),
    "add_note": Case(
        body=lambda side: {"text": "x"}, ids=(("user", lambda mine, other: {"text": "x", "user": other.user}),)
    ),
    "add_chat": Case(body=new_thread, ids=(("customer.id", lambda mine, other: new_thread(other)),)),
    "add_phone": Case(body=new_thread, ids=(("customer.id", lambda mine, other: new_thread(other)),)),
    "add_customer_thread": Case(body=new_thread, ids=(("customer.id", lambda mine, other: new_thread(other)),)),
    "update_thread": Case(body=lambda side: step("replace", "/text", "x")),
    "schedule_thread": Case(body=lambda side: IN_MANY_YEARS),
    "send_scheduled_thread": Case(body=lambda side: step("replace", "/state", "published")),
    "unschedule_thread": Case(),
    "get_original_source": Case(ready=lambda side: mailed(side)),
    "get_attachment": Case(),
    "get_attachment_data": Case(),
    "add_attachment": Case(body=lambda side: {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}),
    "delete_attachment": Case(ready=lambda side: unpublish(side)),
    "list_users": Case(filters=user_filters),
    "create_user": Case(
        body=new_user,
        ids=(("mailboxes[0].id", lambda mine, other: new_user(mine, mailboxes=[{"id": other.inbox}])),),
    ),
    "get_me": Case(),
    "get_user": Case(),
    "delete_user": Case(),
    "list_user_statuses": Case(),
    "get_user_status": Case(),
    "set_user_status": Case(body=lambda side: {"status": "away"}),
    "get_user_reassignment": Case(),
    "set_user_reassignment": Case(
        body=lambda side: {"enabled": True, "awayDuration": {"hours": 1, "minutes": 30}},
    ),
    "list_system_users": Case(),
    "get_system_user": Case(),
    "list_teams": Case(),
    "get_team": Case(),
    "list_team_members": Case(),
    "update_team_members": Case(
        body=lambda side: members(side.user),
        ids=(
            ("addedUserIds[0]", lambda mine, other: members(other.user)),
            ("deletedUserIds[0]", lambda mine, other: members(deleted=(other.user,))),
        ),
    ),
    "list_tags": Case(),
    "get_tag": Case(),
    "list_inboxes": Case(),
    "get_inbox": Case(),
    "list_inbox_fields": Case(),
    "list_inbox_folders": Case(),
    "get_inbox_folder": Case(),
    "get_inbox_routing": Case(),
    "set_inbox_routing": Case(body=routing, ids=(("userIds[0]", lambda mine, other: routing(mine, user=other.user)),)),
    "list_saved_replies": Case(),
    "create_saved_reply": Case(body=lambda side: {"name": "x", "text": "y"}),
    "get_saved_reply": Case(),
    "update_saved_reply": Case(body=lambda side: {"name": f"Reply {side.word}", "text": side.word}),
    "delete_saved_reply": Case(),
    "list_webhooks": Case(),
    "get_webhook": Case(),
    "create_webhook": Case(
        body=lambda side: new_webhook(),
        ids=(("mailboxIds[0]", lambda mine, other: new_webhook(mailboxIds=[other.inbox])),),
    ),
    "update_webhook": Case(
        body=lambda side: new_webhook(label=side.word),
        ids=(("mailboxIds[0]", lambda mine, other: new_webhook(mailboxIds=[other.inbox])),),
    ),
    "delete_webhook": Case(),
    "list_workflows": Case(filters=workflow_filters),
    "get_workflow": Case(),
    "update_workflow": Case(body=lambda side: step("replace", "/status", "active")),
    "run_workflow": Case(
        body=lambda side: {"conversationIds": [side.conversation]},
        ids=(("conversationIds[0]", lambda mine, other: {"conversationIds": [other.conversation]}),),
    ),
    "list_customers": Case(filters=customer_filters),
    "list_customers_v3": Case(filters=walk_filters),
    "create_customer": Case(
        body=lambda side: {"firstName": "Mira", "organizationId": side.organization},
        ids=(("organizationId", lambda mine, other: {"organizationId": other.organization}),),
    ),
    "get_customer": Case(),
    "overwrite_customer": Case(
        body=lambda side: {
            "firstName": f"First{side.word}",
            "lastName": "Meyer",
            "organizationId": side.organization,
        },
        ids=(("organizationId", lambda mine, other: {"organizationId": other.organization}),),
    ),
    "delete_customer": Case(),
    "update_customer": Case(
        body=lambda side: [step("replace", f"/emails/{side.entries['emails']}/value", side.email)],
        ids=(
            ("[0].path", lambda mine, other: [{"op": "remove", "path": f"/emails/{other.entries['emails']}"}]),
            (
                "[0].path",
                lambda mine, other: [step("replace", f"/emails/{other.entries['emails']}/value", "x@y.example")],
            ),
        ),
    ),
    "list_customer_emails": Case(),
    "list_customer_phones": Case(),
    "list_customer_chats": Case(),
    "list_customer_social_profiles": Case(),
    "list_customer_websites": Case(),
    **entry_cases("emails"),
    **entry_cases("phones"),
    **entry_cases("chats"),
    **entry_cases("social-profiles"),
    **entry_cases("websites"),
    "get_customer_address": Case(),
    "create_customer_address": Case(body=lambda side: {"city": "Leeds"}),
    "update_customer_address": Case(body=lambda side: {"city": "Leeds"}),
    "delete_customer_address": Case(),
    "list_customer_properties": Case(),
    "create_customer_property": Case(body=new_property),
    "delete_customer_property": Case(),
    "update_customer_properties": Case(
        body=lambda side: property_change(side.slug),
        ids=(("[0].path", lambda mine, other: property_change(other.slug)),),
    ),
    "get_rating": Case(),
    # What reports count is told one by one in tests/desk/reports, and for hidden inboxes in test_reports.py.
    **{one.name: Case() for one in OPERATIONS if one.resource is Resource.REPORTS},
    "list_organizations": Case(),
    "create_organization": Case(body=lambda side: {"name": "x"}),
    "get_organization": Case(),
    "update_organization": Case(body=lambda side: {"name": f"Organization {side.word}"}),
    "delete_organization": Case(),
    "list_organization_customers": Case(),
    "list_organization_conversations": Case(),
    "list_organization_properties": Case(),
    "create_organization_property": Case(body=new_property),
    "get_organization_property": Case(),
    "update_organization_property": Case(body=lambda side: {"name": side.word}),
    "delete_organization_property": Case(),
    "set_organization_value": Case(body=lambda side: {"value": side.word}),
    "delete_organization_value": Case(),
}
