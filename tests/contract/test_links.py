"""Every link in every answer leads somewhere, and every answer has the shape that the catalogue declares.

One account in which nearly everything has happened is read through every GET operation there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import msgspec
import pytest

from deskhand.catalogue.operation import AnyOperation, BareList, ListOf, NoQuery, One, Report, Resource
from deskhand.catalogue.operations import OPERATIONS
from deskhand.catalogue.values import decode_hook
from deskhand.desk.conversations.threads.rating import rate
from deskhand.desk.users import verbs as users
from deskhand.desk.workflows.actions import SetStatus
from tests.desk.conversations.received import received
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

READING = [operation for operation in OPERATIONS if operation.method == "GET"]

each_reading = pytest.mark.parametrize("operation", READING, ids=lambda operation: operation.name)


class Account:
    """An account where much has happened; `ids` are by the parameters of paths."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        support, sales = desk.add_inbox("Support"), desk.add_inbox("Sales")
        plan = desk.add_field(support, "Plan", "dropdown", ("Free", "Pro"))
        order = desk.add_field(support, "Order", "number")
        (shown, _) = desk.get(f"/v2/mailboxes/{support}/fields").json()["_embedded"]["fields"]
        ines, gone = (desk.add_user(first, inboxes=(support, sales)) for first in ("Ines", "Gone"))
        triage = self._add_system_user()
        team, empty = desk.add_team("Tier Two", members=(ines, gone)), desk.add_team("Nobody")
        for path in ("/v2/customer-properties", "/v2/organizations/properties"):
            tier = {"type": "dropdown", "slug": "tier", "name": "Tier", "options": [{"label": "Gold"}]}
            assert desk.post(path, tier).status_code == 201
        tea = self._made("/v2/organizations", {"name": "Tea", "domain": "tea.example", "phones": ["1"]})
        assert desk.put(f"/v2/organizations/{tea}/properties/tier", {"value": "Gold"}).status_code == 204
        mira = self._made(
            "/v2/customers",
            {
                "organizationId": tea, "properties": [{"slug": "tier", "value": "Gold"}],
                "firstName": "Mira", "photoUrl": "https://x.example/p.png", "address": {"city": "Leeds"},
                "emails": [{"value": "mira@northwind.example"}, {"value": "m@home.example"}],
                "phones": [{"value": "1"}], "chats": [{"value": "m"}], "socialProfiles": [{"value": "@m"}],
                "websites": [{"value": "https://m"}],
            },
        )  # fmt: skip
        boss = {"email": "boss@northwind.example"}
        file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}
        fields = [{"id": plan, "value": str(shown["options"][0]["id"])}, {"id": order, "value": "5521"}]
        many = [f"tag {number}" for number in range(59)]
        asked = self._start(
            support, {"id": mira}, self._thread("customer", attachments=[file, file], cc=["cc@buyer.example"]),
            tags=["vip", *many], fields=fields, assignTo=ines,
        )  # fmt: skip
        closed = self._start(sales, boss, self._thread("note", user=gone), assignTo=team, user=gone)
        started = self._start(sales, boss, self._thread("reply", bcc=["b@buyer.example"]), assignTo=gone)
        draft = self._start(support, boss, self._thread("reply", draft=True), self._thread("phone"))
        by_agent = self._start(support, boss, self._thread("note", user=triage), user=triage, assignTo=triage)
        for kind in ("reply", "notes", "chats", "phones", "customer"):
            self._made(f"/v2/conversations/{asked}/{kind}", {"text": "x", "customer": boss, "attachments": [file]})
        self._made(f"/v2/conversations/{asked}/reply", {"text": "x", "customer": boss, "draft": True})
        for id, op, path, value in (
            (started, "move", "/mailboxId", support), (started, "replace", "/assignTo", ines),
            (closed, "replace", "/status", "closed"), (by_agent, "replace", "/status", "spam"),
            (started, "replace", "/primaryCustomer.id", mira), (started, "replace", "/assignTo", gone),
        ):  # fmt: skip
            step = {"op": op, "path": path, "value": value}
            assert desk.patch(f"/v2/conversations/{id}", step).status_code == 204
        as_gone = desk.as_user(gone)
        step = {"op": "replace", "path": "/status", "value": "closed"}
        assert as_gone.patch(f"/v2/conversations/{started}", step).status_code == 204
        desk.write(lambda tx: users.set_state(tx, desk.account_id, gone, "inactive", desk.now))
        whole = desk.get(f"/v2/conversations/{asked}", embed="threads").json()
        question = whole["_embedded"]["threads"][-1]["id"]
        received(desk, asked, question, b"Subject: x")
        answered = desk.get(f"/v2/conversations/{started}/threads").json()["_embedded"]["threads"][-1]["id"]
        hook = {"url": "https://hooks.example", "events": ["convo.merged"], "secret": "s", "mailboxIds": [support]}
        folders = desk.get(f"/v2/mailboxes/{support}/folders").json()["_embedded"]["folders"]
        entries = desk.get(f"/v2/customers/{mira}").json()["_embedded"]
        self.ids: dict[str, list[Any]] = {
            "conversation_id": [asked, closed, started, draft, by_agent],
            "thread_id": [question],
            "attachment_id": [
                one["id"] for thread in whole["_embedded"]["threads"] for one in thread["_embedded"]["attachments"]
            ],
            "user_id": [desk.user_id, ines, gone, triage],
            "team_id": [team, empty],
            "tag_id": [whole["tags"][0]["id"]],
            "inbox_id": [support, sales],
            "folder_id": [folder["id"] for folder in folders],
            "organization_id": [tea],
            "slug": ["tier"],
            "customer_id": [mira, whole["_embedded"]["threads"][0]["customer"]["id"]],
            "entry_id": [
                one["id"] for name, kind in entries.items() if name not in ("properties", "address") for one in kind
            ],
            "workflow_id": [desk.add_workflow(support, SetStatus("closed"))],
            "saved_reply_id": [
                self._made(f"/v2/mailboxes/{support}/saved-replies", {"name": "Hi", "text": "x", "chatText": "y"})
            ],
            "system_user_id": [triage],
            "webhook_id": [self._made("/v2/webhooks", hook)],
            "rating_id": [desk.write(lambda tx: rate(tx, desk.account_id, answered, "great", "Quick", desk.now))],
        }
        words = {"status": "away", "customStatus": {"text": "Lunch", "emoji": "🍜", "emojiName": ":ramen:"}}
        assert desk.put(f"/v2/users/{ines}/status", words).status_code == 204
        rules = {"state": "enabled", "assignmentLimit": 1, "assignmentMethod": "balanced", "userIds": [desk.user_id]}
        assert desk.put(f"/v2/mailboxes/{support}/routing", rules).status_code == 204

        self._read: dict[str, list[Any]] = {}

    def answers(self, operation: AnyOperation) -> list[Any]:
        """All that an operation answers when asked for each thing there is; what is not there is left out."""
        if operation.name not in self._read:
            self._read[operation.name] = list(self._ask(operation))
        assert self._read[operation.name]
        return self._read[operation.name]

    def _ask(self, operation: AnyOperation) -> Iterator[Any]:
        ways: list[dict[str, Any]] = [{}]
        if operation.resource is Resource.REPORTS:
            always = {
                "start": "2020-01-01T00:00:00Z", "end": "2099-01-01T00:00:00Z", "viewBy": "month",
                "user": self.desk.user_id, "field": "customerid", "fieldid": self.ids["customer_id"][0],
            }  # fmt: skip
            ways = [always, always | {"previousStart": "2019-01-01T00:00:00Z", "previousEnd": "2020-01-01T00:00:00Z"}]
        elif operation.query is not NoQuery:
            ways = [{}, {"status": "all", "embed": "threads"}, {"page": 2}]
        for values in product(*(self.ids[name] for name in operation.parameters)):
            path = operation.path.format(**dict(zip(operation.parameters, values, strict=True)))
            for params in ways:
                answer = self.desk.get(path, **params)
                if answer.status_code == 200:
                    yield answer.json()
                else:
                    assert answer.status_code == 404 and operation.parameters, (path, answer.text)

    def _made(self, path: str, body: Any) -> int:
        answer = self.desk.post(path, body)
        assert answer.status_code == 201, answer.text
        return int(answer.headers["Resource-ID"])

    def _start(self, inbox: int, customer: dict[str, Any], *threads: dict[str, Any], **more: Any) -> int:
        body = {
            "subject": unique("Subject "), "type": "email", "mailboxId": inbox, "status": "active",
            "customer": customer, "threads": [{"customer": customer} | thread for thread in threads],
        }  # fmt: skip
        return self._made("/v2/conversations", body | more)

    @staticmethod
    def _thread(type: str, **more: Any) -> dict[str, Any]:
        return {"type": type, "text": f"A {type}"} | more

    def _add_system_user(self) -> int:
        now = self.desk.now
        new = users.NewStaff(
            account_id=self.desk.account_id, type="system_user", first_name="Triage", created_at=now, updated_at=now
        )
        return self.desk.write(lambda tx: users.add_staff(tx, new))


@pytest.fixture(scope="module")
def account(server: LiveServer) -> Account:
    return Account(open_desk(server))


@pytest.fixture(scope="module")
def led_somewhere() -> set[str]:
    """Links that were followed already, so that none is twice."""
    return set()


def links(value: Any) -> Iterator[tuple[str, str]]:
    """The rels and addresses of all links in a document, templates filled in."""
    if isinstance(value, dict):
        for rel, link in value.get("_links", {}).items():
            yield rel, link["href"].replace("{?page}", "?page=1").replace("{&page}", "&page=1")
        for inner in value.values():
            yield from links(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from links(inner)


@each_reading
def test_every_link_leads_somewhere(account: Account, led_somewhere: set[str], operation: AnyOperation) -> None:
    for answer in account.answers(operation):
        for rel, url in links(answer):
            assert url.startswith(account.desk.server.url + "/"), (rel, url)
            assert "{" not in url
            if url not in led_somewhere:
                there = account.desk.get(url)
                # A person without a session is sent to sign in.
                expected = (200, 302, 303) if rel == "web" else (200,)
                assert there.status_code in expected, (rel, url, there.text[:200])
                led_somewhere.add(url)


@each_reading
def test_self_leads_to_the_same_resource(account: Account, operation: AnyOperation) -> None:
    if not isinstance(operation.returns, One) or operation.name in ("get_me", "get_attachment_data"):
        return
    for answer in account.answers(operation):
        if "self" in answer.get("_links", {}):
            again = account.desk.get(answer["_links"]["self"]["href"]).json()
            assert again.get("id") == answer.get("id")
            assert set(again) == set(answer)


@each_reading
def test_every_answer_has_the_declared_shape(account: Account, operation: AnyOperation) -> None:
    """Parts that are kept as JSON go into answers unparsed: here they are parsed."""
    returns = operation.returns
    for answer in account.answers(operation):
        assert isinstance(returns, One | ListOf | BareList | Report)
        bare = answer if isinstance(returns, BareList) else [answer]
        items = answer["_embedded"][returns.key] if isinstance(returns, ListOf) else bare
        for item in items:
            parsed = msgspec.convert(item, returns.shape, dec_hook=decode_hook)
            assert json.loads(msgspec.json.encode(parsed)) == item


def test_the_account_has_every_kind_of_link(account: Account) -> None:
    """So that the tests above do not pass for want of links."""
    rels = {rel for operation in READING for answer in account.answers(operation) for rel, _ in links(answer)}
    assert rels >= {
        "self", "first", "last", "next", "previous", "page", "web", "mailbox", "primaryCustomer", "createdByCustomer",
        "createdByUser", "closedBy", "assignee", "assignedTo", "threads", "customer", "data", "folders", "fields",
        "address", "chats", "emails", "phones", "social-profiles", "websites", "organization",
    }  # fmt: skip
