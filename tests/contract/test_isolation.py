"""What one account, or one inbox, holds is nobody else's business: for every operation there is.

The tests walk the catalogue. An operation without a case fails, and so does a new field that takes an id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import inspect

from deskhand.catalogue import values
from deskhand.catalogue.operation import Action, AnyOperation, ListOf, NoBody, Resource
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import conversation as conversation_table
from deskhand.desk.conversations.threads.rating import rate
from deskhand.desk.users import verbs as users
from deskhand.desk.workflows.actions import Assign
from tests.desk.conversations.received import received
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

EVERYBODY = "everybody@writes.example"

_UNPUBLISH = command(
    sa.update(conversation_table)
    .where(conversation_table.c.account_id == P("account_id"), conversation_table.c.id == P("id"))
    .values(state=sa.literal_column("'draft'")),
    keep=False,
)


@dataclass(frozen=True)
class Side:
    """One account, or one inbox of it, with one of everything, as somebody sees it.

    What has no number of its own, such as a subject or an address, is called by `word`, which nobody else uses.
    """

    desk: Desk
    word: str
    inbox: int
    folder: int
    field: int
    option: int
    user: int
    team: int
    conversation: int
    number: int
    thread: int
    attachment: int
    customer: int
    tag: int
    entries: dict[str, int]
    system_user: int
    workflow: int
    saved_reply: int
    webhook: int
    rating: int

    organization: int

    @property
    def slug(self) -> str:
        """What a property of customers is called, and one of organizations."""
        return self.word

    @property
    def email(self) -> str:
        return f"{self.word}@buyer.example"


def furnish(desk: Desk, earlier: int = 0) -> Side:
    """An inbox in which everything has happened once, and `earlier` conversations before that."""
    word = unique("word")
    inbox = desk.add_inbox(f"Inbox {word}")
    user = desk.add_user(f"First{word}", "Okafor", inboxes=(inbox,))
    team = desk.add_team(f"Team {word}", members=(user,))
    field = desk.add_field(inbox, "Plan", "dropdown", ("Free", "Pro"))
    (shown,) = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"]
    option = shown["options"][1]["id"]
    for _ in range(earlier):
        created(desk, "/v2/conversations", plain(inbox))
    customer = {"email": f"{word}@buyer.example", "firstName": f"First{word}", "lastName": "Meyer"}
    conversation = created(
        desk, "/v2/conversations",
        plain(inbox) | {
            "subject": f"Subject {word}", "customer": customer, "assignTo": user, "tags": [word, "everybody"],
            "fields": [{"id": field, "value": str(option)}],
            "threads": [
                {
                    "type": "customer", "text": f"Body {word}", "customer": customer,
                    "attachments": [{"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}],
                },
                {"type": "reply", "text": "Here", "customer": customer, "user": user},
            ],
        },
    )  # fmt: skip
    whole = desk.get(f"/v2/conversations/{conversation}", embed="threads").json()
    # A draft that goes out in many years; it is there to be changed.
    reply = {"text": "x", "customer": {"id": whole["primaryCustomer"]["id"]}, "draft": True}
    draft = created(desk, f"/v2/conversations/{conversation}/reply", reply)
    assert desk.put(f"/v2/conversations/{conversation}/threads/{draft}/schedule", IN_MANY_YEARS).status_code == 204
    place = whole["_links"]["primaryCustomer"]["href"]
    known = [step("add", f"/{kind}", {"value": "x"}) for kind in ("phones", "chats", "social-profiles", "websites")]
    assert desk.patch(place, [*known, step("replace", "/address/city", "Leeds")]).status_code == 204
    organization = created(desk, "/v2/organizations", {"name": f"Organization {word}", "domain": f"{word}.example"})
    assert desk.patch(place, [step("replace", "/organizationId", organization)]).status_code == 204
    for path in ("/v2/customer-properties", "/v2/organizations/properties"):
        assert desk.post(path, {"type": "text", "slug": word, "name": word}).status_code == 201
    person = desk.get(place).json()
    return Side(
        desk=desk, word=word, inbox=inbox, folder=whole["folderId"], field=field, option=option, user=user, team=team,
        conversation=conversation, number=whole["number"], thread=draft,
        attachment=whole["_embedded"]["threads"][-1]["_embedded"]["attachments"][0]["id"], customer=person["id"],
        tag=next(tag["id"] for tag in whole["tags"] if tag["tag"] == word),
        entries={
            kind.replace("_", "-"): found[0]["id"]
            for kind, found in person["_embedded"].items() if kind not in ("properties", "address")
        },
        organization=organization, system_user=desk.add_system_user(f"System {word}"),
        workflow=desk.add_workflow(inbox, Assign(user), name=f"Workflow {word}"),
        saved_reply=created(desk, f"/v2/mailboxes/{inbox}/saved-replies", {"name": f"Reply {word}", "text": word}),
        webhook=created(desk, "/v2/webhooks", new_webhook(label=word)),
        rating=desk.write(lambda tx: rate(tx, desk.account_id, reply_in(whole), "great", word, desk.now)),
    )  # fmt: skip


def reply_in(conversation: dict[str, Any]) -> int:
    """The thread that can be rated."""
    return int(next(thread["id"] for thread in conversation["_embedded"]["threads"] if thread["type"] == "message"))


def plain(inbox: int) -> dict[str, Any]:
    """The body of a conversation such as every account has."""
    return {
        "subject": "Everybody asks", "type": "email", "mailboxId": inbox, "status": "active", "tags": ["everybody"],
        "customer": {"email": EVERYBODY},
        "threads": [{"type": "customer", "text": "Everybody", "customer": {"email": EVERYBODY}}],
    }  # fmt: skip


def created(desk: Desk, path: str, body: Any) -> int:
    answer = desk.post(path, body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def changes(request: pytest.FixtureRequest) -> bool:
    """Whether a test may leave its side so changed that others could not use it; bodies of `CASES` change little."""
    operation = request.node.callspec.params.get("operation")
    return operation is None or operation.action is Action.DELETE or operation.name in USING_UP


@pytest.fixture(scope="module")
def theirs(server: LiveServer) -> Side:
    """Another account, whose conversations are numbered beyond ours."""
    return furnish(open_desk(server), earlier=3)


@pytest.fixture(scope="module")
def lasting(server: LiveServer) -> Side:
    """Our account, for tests that leave it much as it is."""
    return furnish(open_desk(server))


@pytest.fixture
def mine(request: pytest.FixtureRequest, server: LiveServer, lasting: Side) -> Side:
    """Our account."""
    return furnish(open_desk(server)) if changes(request) else lasting


# -- What is tried on each operation

IN_MANY_YEARS = {"scheduledFor": "2099-01-01T00:00:00Z", "unscheduleOnCustomerReply": True}
USING_UP = {"send_scheduled_thread"}
"""Operations that work but once on what a side has, without deleting it."""

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


def step(op: str, path: str, value: Any) -> dict[str, Any]:
    return {"op": op, "path": path, "value": value}


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


def new_webhook(**changes: Any) -> dict[str, Any]:
    """A webhook for what never happens."""
    return {"url": "http://127.0.0.1:9/", "events": ["convo.merged"], "secret": "x"} | changes


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

PLACES = {
    "conversation_id", "attachment_id", "user_id", "team_id", "tag_id", "inbox_id", "folder_id", "customer_id",
    "workflow_id", "saved_reply_id", "system_user_id", "thread_id", "organization_id", "webhook_id", "slug",
    "rating_id",
}  # fmt: skip
"""Parameters of paths that are named after what of a side they take."""

NO_FILTERS = {"page", "embed", "status", "sortField", "sortOrder", "modifiedSince", "createdSince", "cursor", "sort"}
"""Parameters that name nothing of anybody's."""

with_path = pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.parameters], ids=lambda operation: operation.name
)
with_part = pytest.mark.parametrize(
    "operation",
    # Properties are the whole account's.
    [one for one in OPERATIONS if len(one.parameters) > 1 and "slug" not in one.parameters],
    ids=lambda operation: operation.name,
)
with_body = pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.body is not NoBody], ids=lambda operation: operation.name
)
with_ids = pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, case in CASES.items() for number in range(len(case.ids))]
)
each_list = pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if isinstance(one.returns, ListOf)], ids=lambda operation: operation.name
)


def test_every_operation_has_a_case() -> None:
    assert set(CASES) == set(BY_NAME)
    assert {name for operation in OPERATIONS for name in operation.parameters} == PLACES | {"entry_id"}


@with_body
def test_every_field_that_takes_an_id_is_tried(operation: AnyOperation) -> None:
    case = CASES[operation.name]
    assert case.body is not None
    assert set(ids_in(inspect.type_info(operation.body))) <= {place for place, _ in case.ids}


def ids_in(kind: inspect.Type, place: str = "") -> Iterator[str]:
    """The places of a body that take an id: whole numbers from 1 or 2 to the largest there can be."""
    match kind:
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from ids_in(field.type, f"{place}.{field.encode_name}" if place else field.encode_name)
        case inspect.UnionType(types=types):
            for one in types:
                yield from ids_in(one, place)
        case inspect.ListType(item_type=item):
            yield from ids_in(item, f"{place}[0]")
        case inspect.IntType(ge=1 | 2, le=values.LARGEST_ID):
            yield place


def filled(operation: AnyOperation, *sides: Side) -> str:
    """An operation's path, each parameter of the side in its place."""
    pieces, values = operation.path.split("/"), iter(sides)
    for position, piece in enumerate(pieces):
        if piece == "{entry_id}":
            pieces[position] = str(next(values).entries[pieces[position - 1]])
        elif piece.startswith("{"):
            assert piece[1:-1] in PLACES
            pieces[position] = str(getattr(next(values), piece[1:-1].removesuffix("_id")))
    return "/".join(pieces)


def all_of(operation: AnyOperation, side: Side) -> str:
    """An operation's path with ids of one side alone."""
    return filled(operation, *[side] * len(operation.parameters))


def everything_of(side: Side, method: str = "") -> list[Any]:
    """All that is seen of a side, to notice a change; nothing after a call that can't have made one."""
    if method == "GET":
        return []
    paths = (
        f"/v2/conversations/{side.conversation}?embed=threads", "/v2/customers", "/v2/tags",
        f"/v2/mailboxes/{side.inbox}/folders",
    )  # fmt: skip
    return [side.desk.get(path).json() for path in paths]


# -- Another account's


@with_path
def test_another_accounts_id_in_a_path_is_404(mine: Side, theirs: Side, operation: AnyOperation) -> None:
    body = CASES[operation.name].body or nothing
    for side in (mine, theirs):
        CASES[operation.name].ready(side)
    before = everything_of(theirs, operation.method)
    for sides in product((mine, theirs), repeat=len(operation.parameters)):
        if theirs in sides:
            for given in (body(mine), body(theirs)):
                answer = mine.desk.request(operation.method, filled(operation, *sides), json=given)
                assert answer.status_code == 404, answer.text
                assert theirs.word not in answer.text
    assert everything_of(theirs, operation.method) == before
    answer = mine.desk.request(operation.method, all_of(operation, mine), json=body(mine))
    assert answer.status_code == operation.returns.status, "so 404 was not for all"


def nothing(side: Side) -> None:
    """The body of an operation that takes none."""


@with_ids
def test_another_accounts_id_in_a_body_is_400_and_named(mine: Side, theirs: Side, name: str, number: int) -> None:
    operation, (place, body) = BY_NAME[name], CASES[name].ids[number]
    path = all_of(operation, mine)
    before, own = everything_of(theirs), everything_of(mine)
    answer = mine.desk.request(operation.method, path, json=body(mine, theirs))
    assert answer.status_code == 400, answer.text
    assert [error["path"] for error in answer.json()["_embedded"]["errors"]] == [place]
    assert theirs.word not in answer.text
    assert (everything_of(theirs), everything_of(mine)) == (before, own)
    good = mine.desk.request(operation.method, path, json=body(mine, mine))
    assert good.status_code == operation.returns.status, "so 400 was not for all"


@each_list
def test_no_list_shows_another_accounts_rows(mine: Side, theirs: Side, operation: AnyOperation) -> None:
    assert isinstance(operation.returns, ListOf)
    key = operation.returns.key

    def listed(side: Side) -> tuple[set[int], str]:
        path = all_of(operation, side)
        answer = side.desk.get(path, status="all", embed="threads")
        assert answer.status_code == 200, answer.text
        body = answer.json()
        ids = {item.get("id", item.get("userId", item.get("slug"))) for item in body["_embedded"][key]}
        assert len(ids) == len(body["_embedded"][key]) == body.get("page", {}).get("totalElements", len(ids))
        return ids, answer.text

    (ours, text), (others, their_text) = listed(mine), listed(theirs)
    assert not ours & others
    assert theirs.word not in text and mine.word not in their_text


@each_list
def test_no_filter_finds_another_accounts_rows(mine: Side, theirs: Side, operation: AnyOperation) -> None:
    assert isinstance(operation.returns, ListOf)
    key, filters = operation.returns.key, CASES[operation.name].filters
    fields = inspect.type_info(operation.query)
    assert isinstance(fields, inspect.StructType)
    names = {field.encode_name for field in fields.fields} - NO_FILTERS
    assert names <= {name for one in filters(mine) for name in one}, "each filter is tried"
    for wanted, own in zip(filters(theirs), filters(mine), strict=True):
        answer = mine.desk.get(operation.path, **wanted)
        assert answer.status_code == 200, (wanted, answer.text)
        body = answer.json()
        assert (body["_embedded"][key], body.get("page", {}).get("totalElements", 0)) == ([], 0), wanted
        assert mine.desk.get(operation.path, **own).json()["_embedded"][key], f"so {own} does find something"


def test_a_foreign_field_finds_nothing_in_an_inbox_of_ones_own(mine: Side, theirs: Side) -> None:
    by_field = f"{theirs.field}:{theirs.option}"
    for inboxes in (mine.inbox, f"{mine.inbox},{theirs.inbox}"):
        answer = mine.desk.get("/v2/conversations", mailbox=inboxes, customFieldsByIds=by_field, status="all")
        assert answer.json()["_embedded"]["conversations"] == []


def test_inboxes_of_two_accounts_together_list_ones_own_alone(mine: Side, theirs: Side) -> None:
    answer = mine.desk.get("/v2/conversations", mailbox=f"{theirs.inbox},{mine.inbox}", status="all").json()
    assert [item["id"] for item in answer["_embedded"]["conversations"]] == [mine.conversation]
    assert answer["page"]["totalElements"] == 1


def test_what_has_the_same_name_is_counted_apart(mine: Side, theirs: Side) -> None:
    """Both accounts have conversations with the tag "everybody", each in folders of its own."""
    for side, count in ((mine, 1), (theirs, 4)):
        tags = {tag["name"]: tag["ticketCount"] for tag in side.desk.get("/v2/tags").json()["_embedded"]["tags"]}
        assert tags == {"everybody": count, side.word: 1}
        folders = side.desk.get(f"/v2/mailboxes/{side.inbox}/folders").json()["_embedded"]["folders"]
        assert sum(folder["totalCount"] for folder in folders if folder["type"] != "mytickets") == count
    shared = {one["id"] for side in (mine, theirs) for one in side.desk.get("/v2/tags").json()["_embedded"]["tags"]}
    assert len(shared) == 4


def test_an_address_of_another_account_is_free_here(mine: Side, theirs: Side) -> None:
    before = everything_of(theirs)
    made = created(mine.desk, "/v2/customers", {"firstName": "Mine", "emails": [{"value": theirs.email}]})
    assert made != theirs.customer
    body = plain(mine.inbox) | {"customer": {"email": theirs.email, "firstName": "Ignored"}}
    id = created(mine.desk, "/v2/conversations", body)
    customer = mine.desk.get(f"/v2/conversations/{id}").json()["primaryCustomer"]
    assert (customer["id"], customer["first"]) == (made, "Mine")
    assert everything_of(theirs) == before


# -- An inbox that a user may not see

TIED = {
    "conversation_id", "thread_id", "attachment_id", "inbox_id", "folder_id", "workflow_id", "saved_reply_id",
    "rating_id",
}  # fmt: skip
"""What belongs to an inbox, by the parameters of paths."""

FREE = {
    # Not tied to an inbox: everybody in the account may see them.
    "get_me", "list_users", "get_user", "list_teams", "get_team", "list_team_members", "list_tags", "get_tag",
    "list_customers", "create_customer", "get_customer", "overwrite_customer", "update_customer",
    "list_customer_emails", "list_customer_phones", "list_customer_chats", "list_customer_social_profiles",
    "list_customer_websites", "get_customer_address", "get_customer_email", "get_customer_phone", "get_customer_chat",
    "get_customer_social_profile", "get_customer_website",
    # Lists without what is hidden, and a body that names an inbox: tested one by one below.
    "list_conversations", "list_inboxes", "create_conversation", "list_workflows",
    "list_customers_v3", "create_customer_address", "update_customer_address", "delete_customer_address",
    *(f"{verb}_customer_{kind}" for verb in ("add", "update", "delete")
      for kind in ("email", "phone", "chat", "social_profile", "website")),
    "list_customer_properties", "create_customer_property", "delete_customer_property", "update_customer_properties",
    *(one.name for one in OPERATIONS if one.resource is Resource.ORGANIZATIONS),
    "list_webhooks", "get_webhook", "create_webhook", "update_webhook", "delete_webhook",
    "list_user_statuses", "get_user_status", "get_user_reassignment", "list_system_users", "get_system_user",
    *(one.name for one in OPERATIONS if one.resource is Resource.REPORTS),
}  # fmt: skip

RULED = {
    "create_user", "delete_user", "set_user_status", "set_user_reassignment", "update_team_members",
    "set_inbox_routing", "update_workflow",
}  # fmt: skip
"""What takes an owner or administrator, who see every inbox; a user may only say of themselves that they are away."""


def with_outsider(desk: Desk) -> tuple[Side, Side]:
    """An inbox of an account as a user sees it who is in no other; and another inbox, as the owner sees it."""
    seen, hidden = furnish(desk), furnish(desk)
    outsider = desk.as_user(desk.add_user("Out", "Sider", inboxes=(seen.inbox,)))
    return replace(seen, desk=outsider), hidden


@pytest.fixture(scope="module")
def lasting_pair(server: LiveServer) -> tuple[Side, Side]:
    """The two inboxes, for tests that leave them much as they are."""
    return with_outsider(open_desk(server, thread_editing=1))


@pytest.fixture
def pair(request: pytest.FixtureRequest, server: LiveServer, lasting_pair: tuple[Side, Side]) -> tuple[Side, Side]:
    return with_outsider(open_desk(server, thread_editing=1)) if changes(request) else lasting_pair


@pytest.fixture
def outsider(pair: tuple[Side, Side]) -> Side:
    """Our first inbox as a user sees it who is in no other."""
    return pair[0]


@pytest.fixture
def hidden(pair: tuple[Side, Side]) -> Side:
    """What lies in an inbox of our account that the outsider may not see."""
    return pair[1]


def test_every_operation_is_tied_to_an_inbox_or_not() -> None:
    tied = {operation.name for operation in OPERATIONS if TIED & set(operation.parameters)} | {"delete_customer"}
    assert tied | FREE | RULED == set(BY_NAME)
    assert not (tied | RULED) & FREE


@with_path
def test_what_lies_in_a_hidden_inbox_is_403(outsider: Side, hidden: Side, operation: AnyOperation) -> None:
    body = CASES[operation.name].body or nothing
    for side in (outsider, hidden):
        CASES[operation.name].ready(side)
    before = everything_of(hidden, operation.method)
    answer = outsider.desk.request(operation.method, all_of(operation, hidden), json=body(hidden))
    if operation.name in FREE:
        assert answer.status_code == operation.returns.status, answer.text
        return
    assert answer.status_code == 403, answer.text
    assert answer.json()["message"] == "Access denied"
    assert hidden.word not in answer.text
    assert everything_of(hidden, operation.method) == before
    if operation.name in RULED:
        return
    allowed = outsider.desk.request(operation.method, all_of(operation, outsider), json=body(outsider))
    assert allowed.status_code == operation.returns.status, "so 403 was not for all"


@with_part
def test_a_part_of_something_hidden_is_not_found_below_something_seen(
    outsider: Side, hidden: Side, operation: AnyOperation
) -> None:
    path = filled(operation, outsider, *[hidden] * (len(operation.parameters) - 1))
    body = CASES[operation.name].body or nothing
    assert outsider.desk.request(operation.method, path, json=body(hidden)).status_code == 404


def test_nothing_can_be_put_into_a_hidden_inbox(outsider: Side, hidden: Side) -> None:
    before = everything_of(hidden)
    for method, path, body in (
        ("POST", "/v2/conversations", plain(hidden.inbox)),
        ("PATCH", f"/v2/conversations/{outsider.conversation}", step("move", "/mailboxId", hidden.inbox)),
    ):
        assert outsider.desk.request(method, path, json=body).status_code == 403
    assert everything_of(hidden) == before


def test_lists_leave_out_what_is_hidden(outsider: Side, hidden: Side) -> None:
    body = outsider.desk.get("/v2/conversations", status="all", embed="threads").json()
    assert [item["id"] for item in body["_embedded"]["conversations"]] == [outsider.conversation]
    assert body["page"]["totalElements"] == 1
    for path, key, own in (
        ("/v2/mailboxes", "mailboxes", outsider.inbox), ("/v2/workflows", "workflows", outsider.workflow),
    ):  # fmt: skip
        body = outsider.desk.get(path).json()
        assert [item["id"] for item in body["_embedded"][key]] == [own]
        assert body["page"]["totalElements"] == 1
    hidden_ones = outsider.desk.get("/v2/workflows", mailboxId=hidden.inbox).json()
    assert (hidden_ones["_embedded"]["workflows"], hidden_ones["page"]["totalElements"]) == ([], 0)
    tags = {tag["name"]: tag["ticketCount"] for tag in outsider.desk.get("/v2/tags").json()["_embedded"]["tags"]}
    assert (tags["everybody"], tags.get(hidden.word, 0)) == (1, 0)
    assert outsider.desk.get(f"/v2/tags/{hidden.tag}").json()["ticketCount"] == 0


def test_no_filter_finds_what_is_hidden(outsider: Side, hidden: Side) -> None:
    for wanted, own in zip(conversation_filters(hidden), conversation_filters(outsider), strict=True):
        body = outsider.desk.get("/v2/conversations", **wanted).json()
        assert (body["_embedded"]["conversations"], body["page"]["totalElements"]) == ([], 0), wanted
        found = outsider.desk.get("/v2/conversations", **own).json()["_embedded"]["conversations"]
        assert [item["id"] for item in found] == [outsider.conversation], own
    both = f"{hidden.inbox},{outsider.inbox}"
    body = outsider.desk.get("/v2/conversations", mailbox=both, status="all").json()
    assert [item["id"] for item in body["_embedded"]["conversations"]] == [outsider.conversation]


def test_who_wrote_to_a_hidden_inbox_is_not_told(outsider: Side, hidden: Side) -> None:
    answer = outsider.desk.get("/v2/customers", mailbox=hidden.inbox)
    if answer.status_code == 200:
        assert answer.json()["_embedded"]["customers"] == []
    else:
        assert answer.status_code == 403


def test_a_user_without_inboxes_sees_none_of_this(mine: Side) -> None:
    nobody = mine.desk.as_user(mine.desk.add_user("No", "Body"))
    for path, key in (("/v2/conversations", "conversations"), ("/v2/mailboxes", "mailboxes")):
        for params in ({}, {"mailbox": mine.inbox}, {"query": f"subject:{mine.word}"}):
            body = nobody.get(path, status="all", **params).json()
            assert (body["_embedded"][key], body["page"]["totalElements"]) == ([], 0)
    assert nobody.get(f"/v2/conversations/{mine.conversation}").status_code == 403


def test_losing_an_inbox_takes_effect_at_once(mine: Side) -> None:
    from_now_on = mine.desk.as_user(mine.user)
    assert from_now_on.get(f"/v2/conversations/{mine.conversation}").status_code == 200
    shut_out(mine.desk, mine.user)
    assert from_now_on.get(f"/v2/conversations/{mine.conversation}").status_code == 403
    assert from_now_on.get("/v2/conversations").json()["page"]["totalElements"] == 0


def shut_out(desk: Desk, user_id: int) -> None:
    desk.write(lambda tx: users.set_inboxes(tx, desk.account_id, user_id, ()))
