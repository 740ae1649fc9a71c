"""What an agent narrowed to one inbox is answered is what anybody is answered where no other inbox ever existed.

Two accounts hold the same inbox; one of them also has another, whose customers, tags, ratings, workflows, webhooks and
organizations are mixed with the first one's as much as they can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.catalogue.operation import Resource
from deskhand.catalogue.operations import OPERATIONS
from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import thread
from deskhand.desk.conversations.threads.rating import rate
from tests.contract.isolation.cases import conversation_filters, customer_filters, walk_filters
from tests.contract.isolation.sides import Side, created, furnish, plain, reply_in, step
from tests.desk.as_agent import as_agent
from tests.desk.test_for_agents_isolation import UNKNOWN, nowhere, tells_of_its_inbox
from tests.live import LiveServer
from tests.world import Desk, open_desk

ALWAYS = {"start": "2000-01-01T00:00:00Z", "end": "2098-12-31T23:59:59Z"}
BEFORE = {"previousStart": "1990-01-01T00:00:00Z", "previousEnd": "1999-12-31T23:59:59Z"}
BOTH = "both@writes.example"

_USE = command(
    sa.update(thread)
    .where(thread.c.account_id == P("for_account"), thread.c.id == P("id"))
    .values(saved_reply_id=P("reply_id")),
    keep=False,
)


@dataclass(frozen=True)
class Twin:
    """An inbox as somebody sees it, and the other one, or nothing in its place."""

    side: Side
    other: Side


def first_inbox(desk: Desk) -> Side:
    """The inbox that both accounts have."""
    furnished = furnish(desk)
    side = tells_of_its_inbox(furnished)
    assert desk.delete(f"/v2/webhooks/{furnished.webhook}").status_code == 204  # it is told of every inbox
    created(desk, "/v2/conversations", asks(side, BOTH, "Common question"))
    assert desk.post(f"/v2/workflows/{side.workflow}/run", {"conversationIds": [side.conversation]}).status_code == 204
    use_saved_reply(side)
    return side


def asks(side: Side, email: str, subject: str, *tags: str) -> dict[str, Any]:
    customer = {"email": email}
    threads = [{"type": "customer", "text": subject, "customer": customer}]
    return plain(side.inbox) | {"subject": subject, "customer": customer, "threads": threads, "tags": list(tags)}


def use_saved_reply(side: Side) -> None:
    whole = side.desk.get(f"/v2/conversations/{side.conversation}", embed="threads").json()
    given = {"for_account": side.desk.account_id, "id": reply_in(whole), "reply_id": side.saved_reply}
    side.desk.write(lambda tx: tx.run(_USE, **given))


def mix(first: Side) -> Side:
    """Another inbox beside the first, with as much as possible in common."""
    desk = first.desk
    other = tells_of_its_inbox(furnish(desk))
    shared = created(desk, "/v2/conversations", asks(other, BOTH, "Foreign question", first.word, other.word))
    created(desk, "/v2/conversations", asks(other, f"only.{other.word}@{first.word}.example", "From the same house"))
    created(desk, "/v2/conversations", asks(other, first.email, "By the first one's customer", first.word))
    assert desk.post(f"/v2/workflows/{other.workflow}/run", {"conversationIds": [shared]}).status_code == 204
    created(desk, "/v2/customers", {"firstName": f"First{first.word}", "organizationId": first.organization})
    path = f"/v2/customers/{other.customer}"
    assert desk.patch(path, [step("replace", "/organizationId", first.organization)]).status_code == 204
    use_saved_reply(other)
    made = created(desk, f"/v2/conversations/{shared}/reply", {"text": "Here", "customer": {"email": BOTH}})
    desk.write(lambda tx: rate(tx, desk.account_id, made, "not_good", f"{other.word} is slow", desk.now))
    everywhere = {"label": f"{other.word} and all", "events": ["convo.merged"], "secret": "x"}
    for inboxes in ([], [first.inbox, other.inbox]):
        body = everywhere | {"url": f"http://127.0.0.1:9/{other.word}", "mailboxIds": inboxes}
        created(desk, "/v2/webhooks", body)
    return other


@pytest.fixture(scope="module")
def twins(server: LiveServer) -> tuple[Twin, Twin]:
    """The inbox alone, as somebody sees it who sees all; and beside another, as an agent narrowed to it sees it."""
    alone, first = first_inbox(open_desk(server)), first_inbox(open_desk(server))
    other = mix(first)
    nothing = replace(nowhere(alone), word=re.sub(r"\d", "9", other.word))
    # Both are system users, so that what is theirs is nobody else's.
    return (
        Twin(replace(alone, desk=as_agent(alone.desk, everywhere=True)), nothing),
        Twin(replace(first, desk=as_agent(first.desk, first.inbox)), other),
    )


def questions(twin: Twin) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whatever can be read of an inbox, and of what another one holds."""
    side, other = twin.side, twin.other
    conversation, customer = f"/v2/conversations/{side.conversation}", f"/v2/customers/{side.customer}"
    for one in (side, other):
        for wanted in conversation_filters(one):
            yield "/v2/conversations", wanted
        for wanted in customer_filters(one):
            yield "/v2/customers", wanted
        for wanted in walk_filters(one):
            yield "/v3/customers", wanted
    for status in ("all", "open", "closed", "spam", "active"):
        yield "/v2/conversations", {"status": status, "embed": "threads"}
    for sort in ("createdAt", "customerEmail", "mailboxid", "modifiedAt", "number", "score", "status", "subject"):
        for order in ("asc", "desc"):
            yield "/v2/conversations", {"status": "all", "sortField": sort, "sortOrder": order}
    for query in (
        "body:question", "question", f"NOT tag:{side.word}", f'email:"{BOTH}"', "(attachments:true)",
        f"tag:{side.word}", f"NOT body:{other.word}", "mailbox:Inbox*",
        "subject:question OR subject:Foreign", "createdAt:[* TO NOW]",
    ):  # fmt: skip
        yield "/v2/conversations", {"status": "all", "query": query}
    yield "/v2/conversations", {"status": "all", "mailbox": f"{side.inbox},{other.inbox}"}
    yield "/v2/conversations", {"status": "all", "page": 2}
    for path in ("", "/threads", f"/threads/{side.thread}/original-source", f"/attachments/{side.attachment}"):
        yield conversation + path, {}
    yield conversation, {"embed": "threads"}
    yield f"/v3/conversations/{side.conversation}", {"embed": "threads"}
    yield f"/v3/conversations/{side.conversation}/threads", {}
    for sort in ("createdAt", "firstName", "lastName", "modifiedAt", "score"):
        for order in ("asc", "desc"):
            yield "/v2/customers", {"sortField": sort, "sortOrder": order}
    for wanted in (
        {}, {"page": 2}, {"lastName": "Meyer"}, {"email": BOTH}, {"modifiedSince": "2020-01-01T00:00:00Z"},
        {"query": "(email:example)"}, {"query": "NOT firstName:Nobody"}, {"query": f"(email:{other.word})"},
        {"mailbox": side.inbox, "query": "(email:both)"}, {"mailbox": other.inbox, "email": BOTH},
    ):  # fmt: skip
        yield "/v2/customers", wanted
        if not {"mailbox", "page"} & set(wanted):
            yield "/v3/customers", wanted
    yield "/v3/customers", {"createdSince": "2020-01-01T00:00:00Z"}
    yield customer, {}
    for part in ("emails", "phones", "chats", "social-profiles", "websites", "address"):
        yield f"{customer}/{part}", {}
        yield f"/v2/customers/{other.customer}/{part}", {}
    organization = f"/v2/organizations/{side.organization}"
    yield organization, {"includeCounts": "true", "includeProperties": "true"}
    for path in (f"{organization}/customers", f"{organization}/conversations"):
        yield path, {}
        yield path, {"page": 2}
    yield "/v2/mailboxes", {}
    for part in ("", "/fields", "/folders", f"/folders/{side.folder}", "/routing", "/saved-replies"):
        yield f"/v2/mailboxes/{side.inbox}{part}", {}
        yield f"/v2/mailboxes/{other.inbox}{part}", {}
    yield f"/v2/mailboxes/{side.inbox}/saved-replies/{side.saved_reply}", {}
    for wanted in ({}, {"mailboxId": side.inbox}, {"mailboxId": other.inbox}, {"type": "manual"}):
        yield "/v2/workflows", wanted
    for one in (side, other):
        for path in (f"workflows/{one.workflow}", f"ratings/{one.rating}", f"webhooks/{one.webhook}"):
            yield f"/v2/{path}", {}
    yield "/v2/webhooks", {}
    yield f"/v2/tags/{side.tag}", {}
    yield "/v2/users", {"mailbox": other.inbox}
    for report in ("conversations", "happiness", "happiness/ratings"):
        for wanted in (
            {}, BEFORE, {"mailboxes": side.inbox}, {"mailboxes": other.inbox}, {"tags": side.tag}, {"tags": other.tag},
            {"mailboxes": f"{side.inbox},{other.inbox}"}, {"folders": f"{side.inbox}5,{side.inbox}1"},
            {"folders": f"{other.inbox}5,{other.inbox}1,{other.inbox}2"}, {"types": "email"}, {"tags": 1},
        ):  # fmt: skip
            yield f"/v2/reports/{report}", ALWAYS | wanted
    more = {"viewBy": "month", "user": side.desk.user_id, "field": "customerid", "fieldid": side.customer}
    for operation in OPERATIONS:
        if operation.resource is Resource.REPORTS:
            for wanted in ({}, BEFORE, {"mailboxes": f"{side.inbox},{other.inbox}"}, {"tags": other.tag}):
                yield operation.path, ALWAYS | more | wanted
    for field, id in (("tagid", other.tag), ("replyid", other.saved_reply), ("workflowid", other.workflow)):
        yield "/v2/reports/conversations/fields-drilldown", ALWAYS | {"field": field, "fieldid": id}


PARTS = range(6)
"""The questions are dealt out, so that a failure says more."""


@pytest.mark.parametrize("part", PARTS)
def test_an_agent_is_answered_as_if_its_inbox_was_the_only_one(twins: tuple[Twin, Twin], part: int) -> None:
    alone, beside = twins
    both = list(zip(questions(alone), questions(beside), strict=True))
    for (path, wanted), (its_path, its_wanted) in both[part :: len(PARTS)]:
        answer, its = alone.side.desk.get(path, **wanted), beside.side.desk.get(its_path, **its_wanted)
        assert told(its) == told(answer), (its_path, its_wanted)
        if "subject:question" not in str(its_wanted) and beside.other.word not in str(its_wanted):
            assert beside.other.word not in its.text, (its_path, its_wanted)


def test_every_operation_that_reads_what_lies_in_inboxes_is_asked(twins: tuple[Twin, Twin]) -> None:
    matching = {path.partition("?")[0] for path, _ in questions(twins[1])}
    unasked = {
        operation.name for operation in OPERATIONS
        if operation.method == "GET" and not any(fits(operation.path, path) for path in matching)
    }  # fmt: skip
    assert unasked == {
        # Of the whole account: the gateway grants them whole or not at all.
        "get_me", "get_user", "list_teams", "get_team", "list_team_members", "list_tags", "list_organizations",
        "list_user_statuses", "get_user_status", "get_user_reassignment", "list_system_users", "get_system_user",
        "list_customer_properties", "list_organization_properties", "get_organization_property",
        # Parts of what is asked for whole.
        "get_customer_email", "get_customer_phone", "get_customer_chat", "get_customer_social_profile",
        "get_customer_website", "get_attachment_data",
    }  # fmt: skip


def fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", r"\\d+", template), path) is not None


# -- What differs between accounts


def told(answer: Any) -> tuple[int, Any]:
    """An answer without ids and times."""
    return answer.status_code, settled(answer.json())


_IDS = {"closedBy", "number", "snoozedBy", "scheduledBy", "userId", "rejectedValue", "assignedTo"}
_CHANCE = {"logRef", "slug", "friendly", "busyTimeStart", "busyTimeEnd", "busiestDay"}


def settled(value: Any, key: str = "", within: str = "") -> Any:
    """A value in which no id, time or made up word stands any more; how many there are of what is kept."""
    match value:
        case dict():
            return {
                name if not name.isdigit() else "0": settled(one, name, key)
                for name, one in value.items() if name not in _CHANCE
            }  # fmt: skip
        case list() if key.endswith("Ids"):
            return len(value)
        case list():
            return [settled(one, key, within) for one in value]
        case bool():
            return value
        case int() if within != "page" and (key in _IDS or key.lower().endswith("id")):
            return min(value, 1)
        case int() if within == "associatedEntities":
            return 0
        case str():
            return re.sub(r"\d+", "0", re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "T", value))
    return value


def test_a_difference_would_be_noticed(twins: tuple[Twin, Twin]) -> None:
    """The same questions of somebody who sees both inboxes are answered otherwise, nearly all of them."""
    alone, beside = twins
    sees_both = as_agent(beside.other.desk, beside.side.inbox, beside.other.inbox)
    different = 0
    for (path, wanted), (its_path, its_wanted) in zip(questions(alone), questions(beside), strict=True):
        different += told(sees_both.get(its_path, **its_wanted)) != told(alone.side.desk.get(path, **wanted))
    assert different > 100
    assert UNKNOWN not in (beside.other.inbox, beside.other.customer)
