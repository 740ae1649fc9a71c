"""An agent narrowed to some inboxes of a remote desk, a second Deskhand, sees exactly these, by its database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.catalogue.operation import Of
from deskhand.db.statements import value
from deskhand.desk import for_agents
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.conversations.threads import rating
from deskhand.desk.workflows.actions import SetStatus
from deskhand.gateway.calls import Answer
from deskhand.gateway.connections import Connection
from deskhand.gateway.policy import Found
from deskhand.gateway.upstream import Foreign, Unanswerable
from tests.desk.conversations.builders import add, merge, patch, reply, start, threads
from tests.gateway.remote_world import House, allowed, granted, open_house, send
from tests.live import LiveServer
from tests.world import Desk, open_desk

SPAN = "start=2020-01-01T00:00:00Z&end=2100-01-01T00:00:00Z"


@dataclass
class World:
    """A remote desk with three inboxes, and a gateway with a connection to it."""

    desk: Desk
    house: House
    connection: Connection
    a: int
    b: int
    c: int
    in_a: list[int]
    in_b: list[int]
    in_c: list[int]

    def ask(
        self, inboxes: set[int] | None, operation: str, *ids: Any, query: str = "", hide: tuple[str, ...] = ()
    ) -> Answer:
        """What an agent narrowed to these inboxes is answered."""
        agent = self.house.agent(self.connection, granted(inboxes))
        decision = allowed(inboxes, *hide)

        async def work(remotes: Any) -> Answer:
            answer = await send(remotes.of(agent), agent, operation, *ids, query=query, decision=decision)
            self.look_ups = remotes.of(agent).look_ups
            return answer

        return self.house.run(work)

    look_ups = 0

    def read(self, inboxes: set[int] | None, operation: str, *ids: Any, **given: Any) -> Any:
        answer = self.ask(inboxes, operation, *ids, **given)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def walk(self, inboxes: set[int] | None, operation: str, key: str, query: str = "") -> list[Any]:
        """All items of a list, by following its links; the page numbers must fit."""
        items: list[Any] = []
        number = 1
        asked = query
        while True:
            page = self.read(inboxes, operation, query=asked)
            items += page["_embedded"][key]
            total = page["page"]["totalElements"]
            assert (page["page"]["number"], page["page"]["totalPages"]) == (number, -(-total // page["page"]["size"]))
            if "next" not in page["_links"]:
                assert len(items) == total
                return items
            following = page["_links"]["next"]["href"]
            assert following.startswith(f"{self.desk.server.url}/v2/")
            asked, number = following.partition("?")[2], number + 1

    def look_up(self, inboxes: set[int] | None, *wanted: Of) -> dict[Of, Found | None]:
        agent = self.house.agent(self.connection, granted(inboxes))

        async def work(remotes: Any) -> Any:
            found = await remotes.of(agent).look_up(agent, frozenset(wanted))
            self.look_ups = remotes.of(agent).look_ups
            return found

        return dict(self.house.run(work))

    def where(self, *wanted: Of) -> dict[Of, frozenset[int] | None]:
        """The inboxes of things, as the remote's own database has them."""
        places = self.desk.server.app.database.read_now(
            lambda db: for_agents.look_up(db, self.desk.account_id, frozenset(wanted))
        )
        return {of: None if place is None else place.inboxes for of, place in places.items()}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    live = LiveServer(tmp_path_factory.mktemp("remote"))
    desk = open_desk(live, plan="pro")
    house = open_house(tmp_path_factory.mktemp("gateway"))
    a, b, c = (desk.add_inbox(name) for name in ("Orders", "Returns", "Press"))
    # Customers 0 to 9 write to all inboxes, the others to one; 60 of them to A.
    everybody = [f"buyer{number}@buyer.example" for number in range(70)]
    in_a = [start_from(desk, a, everybody[number]) for number in range(60)]
    in_b = [start_from(desk, b, everybody[number]) for number in (*range(10), 60, 61, 62)]
    in_c = [start_from(desk, c, everybody[number]) for number in (*range(3), 63, 64)]
    for id in (*in_a[:7], *in_b[:3], in_c[0]):
        assert patch(desk, id, "/status", "closed").ok
    for id in (*in_a[10:30], *in_b[3:6]):
        assert desk.put(f"/v2/conversations/{id}/tags", {"tags": ["vip"]}).ok
    connection = house.connect(live.url, desk.client_id, desk.client_secret)
    yield World(desk, house, connection, a, b, c, in_a, in_b, in_c)
    live.stop()
    house.database.close()


def start_from(desk: Desk, inbox: int, email: str) -> int:
    customer = {"email": email, "firstName": f"Paul {email[5:7].strip('@')}"}
    return start(
        desk, inbox, subject=f"Order {email}", customer=customer,
        threads=[{"type": "customer", "text": f"Where is it, {email}?", "customer": customer}],
    )  # fmt: skip


def ids(items: list[Any]) -> list[int]:
    return [one["id"] for one in items]


# -- Conversations


def test_the_table_says_the_same_as_the_owners_list(world: World) -> None:
    count = value(int, sa.select(sa.func.count()).select_from(conversation).where(
        conversation.c.account_id == world.desk.account_id, conversation.c.inbox_id == world.a,
        conversation.c.merged_into.is_(None),
    ), keep=False)  # fmt: skip
    expected = world.desk.server.app.database.read_now(lambda db: db.first(count))
    assert len(world.walk({world.a}, "list_conversations", "conversations", "status=all")) == expected


@pytest.mark.parametrize(
    "query",
    [
        "", "status=all", "status=closed", "status=all&sortField=mailboxid&sortOrder=asc", "status=all&tag=vip",
        "status=all&query=%28subject%3A%22order%22%29", "status=all&query=%28email%3A%22buyer1%40buyer.example%22%29",
        "status=all&query=%28mailbox%3A%22Returns%22%20OR%20subject%3A%22order%22%29", "status=all&embed=threads",
        "status=all&modifiedSince=2020-01-01T00%3A00%3A00Z", "status=all&query=buyer6",
        "status=all&sortField=number&sortOrder=asc",
    ],
)  # fmt: skip
def test_a_list_has_exactly_the_conversations_of_the_granted_inboxes(world: World, query: str) -> None:
    for inboxes in ({world.a}, {world.b, world.c}, {world.c, 10**9}):
        everything = world.walk(None, "list_conversations", "conversations", query)
        expected = [one for one in everything if one["mailboxId"] in inboxes]
        assert ids(world.walk(inboxes, "list_conversations", "conversations", query)) == ids(expected)
    assert {one["mailboxId"] for one in everything} >= {world.a} or "closed" in query


def test_one_more_filter_narrows_further(world: World) -> None:
    both = {world.a, world.b}
    found = world.walk(both, "list_conversations", "conversations", f"status=all&mailbox={world.b}")
    assert {one["mailboxId"] for one in found} == {world.b}
    named = f"status=all&mailbox={world.b},{world.c}"
    assert {one["mailboxId"] for one in world.walk(both, "list_conversations", "conversations", named)} == {world.b}
    with pytest.raises(Foreign):
        world.ask({world.a}, "list_conversations", query=f"mailbox={world.c}")


def test_links_repeat_what_the_agent_asked_for_and_nothing_else(world: World) -> None:
    page = world.read({world.a}, "list_conversations", query="status=all&page=2")
    here = f"{world.desk.server.url}/v2/conversations?status=all"
    assert page["_links"] == {
        "self": {"href": f"{here}&page=2"}, "next": {"href": f"{here}&page=3"},
        "previous": {"href": f"{here}&page=1"}, "first": {"href": f"{here}&page=1"},
        "last": {"href": f"{here}&page=3"}, "page": {"href": f"{here}{{&page}}", "templated": True},
    }  # fmt: skip
    whole = world.desk.get("/v2/conversations", status="all", page=2, mailbox=world.a).json()
    assert page["page"] == whole["page"] and list(page) == list(whole)


def test_a_page_behind_the_last_is_empty(world: World) -> None:
    page = world.read({world.c}, "list_conversations", query="status=all&page=9")
    assert page["_embedded"]["conversations"] == []
    assert page["page"]["totalElements"] == 5
    assert page["_links"]["previous"]["href"].endswith("page=1")


def test_one_conversation_is_read_where_it_is_granted(world: World) -> None:
    for name in ("get_conversation", "get_conversation_v3"):
        assert world.read({world.a}, name, world.in_a[0])["id"] == world.in_a[0]
        with pytest.raises(Foreign):
            world.ask({world.a}, name, world.in_b[0])


def test_previews_are_hidden_where_threads_may_not_be_read(world: World) -> None:
    hide = ("preview",)
    shown = world.read({world.a}, "list_conversations")["_embedded"]["conversations"]
    assert all("preview" in one for one in shown)
    for inboxes in (None, {world.a}):
        page = world.read(inboxes, "list_conversations", hide=hide)
        assert all("preview" not in one and "subject" in one for one in page["_embedded"]["conversations"])
        assert "preview" not in world.read(inboxes, "get_conversation", world.in_a[0], hide=hide)


def test_line_items_name_no_foreign_inbox(world: World) -> None:
    desk, id = world.desk, start_from(world.desk, world.a, "moved@buyer.example")
    for inbox in (world.b, world.a):
        assert patch(desk, id, "/mailboxId", inbox, op="move").ok
    assert "Returns" in desk.get(f"/v2/conversations/{id}/threads").text
    for answer in (
        world.ask({world.a}, "list_threads", id),
        world.ask({world.a}, "list_threads_v3", id),
        world.ask({world.a}, "get_conversation", id, query="embed=threads"),
        world.ask({world.a}, "list_conversations", query="status=all&embed=threads"),
    ):
        assert answer.status == 200
        assert b"Returns" not in answer.body and f'"mailbox":{world.b}'.encode() not in answer.body
    assert b"Returns" in world.ask(None, "list_threads", id).body
    desk.delete(f"/v2/conversations/{id}")


def test_threads_are_read_where_their_conversation_lies_and_still_does(world: World) -> None:
    page = world.read({world.a}, "list_threads", world.in_a[0])
    assert page["_embedded"]["threads"][-1]["body"].startswith("Where is it")
    assert world.look_ups == 1
    for name in ("list_threads", "list_threads_v3"):
        with pytest.raises(Foreign):  # as if it had been moved after the decision
            world.ask({world.a}, name, world.in_b[0])


def test_a_merged_conversation_leads_on_where_the_survivor_is_granted(world: World) -> None:
    desk = world.desk
    gone, other = (start_from(desk, world.a, "merged@buyer.example") for _ in range(2))
    merge(desk, gone, world.in_a[1])
    merge(desk, other, world.in_b[1])
    answer = world.ask({world.a}, "get_conversation", gone)
    assert (answer.status, dict(answer.headers)["Location"].rpartition("/")[2]) == (301, str(world.in_a[1]))
    with pytest.raises(Foreign):
        world.ask({world.a}, "get_conversation", other)
    found = world.look_up({world.a}, Of("conversation", gone), Of("conversation", other))
    assert [None if one is None else one.inboxes for one in found.values()].count(frozenset({world.a})) == 1


# -- Customers


def expected_customers(world: World, inboxes: set[int], query: str = "") -> list[int]:
    """The customers with a conversation in one of the inboxes, in the desk's own order."""
    everybody = world.walk(None, "list_customers", "customers", query)
    where = world.where(*(Of("customer", one["id"]) for one in everybody))
    return [one["id"] for one in everybody if (where[Of("customer", one["id"])] or frozenset()) & inboxes]


@pytest.mark.parametrize(
    "query",
    [
        "", "sortField=firstName&sortOrder=asc", "sortField=modifiedAt", "firstName=Paul%201",
        "email=buyer1%40buyer.example", "query=%28email%3A%22buyer2%22%29", "sortField=createdAt&sortOrder=asc",
    ],
)  # fmt: skip
def test_customers_are_those_who_wrote_to_a_granted_inbox(world: World, query: str) -> None:
    for inboxes in ({world.a}, {world.b, world.c}, {world.a, world.b, 10**9}):
        expected = expected_customers(world, inboxes, query)
        assert ids(world.walk(inboxes, "list_customers", "customers", query)) == expected
    assert expected


def test_customers_of_one_named_inbox(world: World) -> None:
    both = {world.a, world.b}
    found = world.walk(both, "list_customers", "customers", f"mailbox={world.b}")
    assert ids(found) == expected_customers(world, {world.b})
    with pytest.raises(Foreign):
        world.ask(both, "list_customers", query=f"mailbox={world.c}")


def test_too_many_inboxes_to_ask_one_by_one_are_said_to_be(world: World) -> None:
    with pytest.raises(Unanswerable, match="name one inbox"):
        world.ask(set(range(1, 30)), "list_customers")


# -- Inboxes, workflows, webhooks


def test_inboxes_workflows_and_webhooks_are_filtered_and_counted(world: World) -> None:
    desk = world.desk
    for inbox in (world.a, world.a, world.b, world.c):
        desk.add_workflow(inbox, SetStatus("closed"))
    hooks = {}
    for name, told, events in (
        ("a", [world.a], ["convo.created"]), ("ab", [world.a, world.b], ["convo.created"]),
        ("all", [], ["convo.created"]), ("customers", [world.a], ["convo.created", "customer.created"]),
        ("b", [world.b], ["convo.tags"]),
    ):  # fmt: skip
        body = {"url": "http://127.0.0.1:9/", "events": events, "secret": "x", "mailboxIds": told, "label": name}
        hooks[name] = int(desk.post("/v2/webhooks", body).headers["Resource-ID"])

    def seen(inboxes: set[int], operation: str, key: str, query: str = "") -> list[int]:
        return ids(world.walk(inboxes, operation, key, query))

    def in_words(inboxes: set[int]) -> list[str]:
        return [one["label"] for one in world.walk(inboxes, "list_webhooks", "webhooks")]

    assert seen({world.a}, "list_inboxes", "mailboxes") == [world.a]
    assert seen({world.c, world.b}, "list_inboxes", "mailboxes") == [world.b, world.c]
    all_workflows = world.walk(None, "list_workflows", "workflows")
    for inboxes in ({world.a}, {world.b, world.c}):
        expected = ids([one for one in all_workflows if one["mailboxId"] in inboxes])
        assert seen(inboxes, "list_workflows", "workflows") == expected
        assert expected
    assert seen({world.a, world.b}, "list_workflows", "workflows", f"mailboxId={world.b}") == ids(
        [one for one in all_workflows if one["mailboxId"] == world.b]
    )
    assert in_words({world.a}) == ["a"]
    assert in_words({world.a, world.b}) == ["a", "ab", "b"]
    for name, mine in (("a", True), ("ab", False), ("all", False), ("customers", False), ("b", False)):
        found = world.look_up({world.a}, Of("webhook", hooks[name], every=True))[Of("webhook", hooks[name], every=True)]
        assert found is not None and (found.inboxes <= {world.a}) is mine
        if mine:
            assert world.read({world.a}, "get_webhook", hooks[name])["label"] == name
        else:
            with pytest.raises(Foreign):
                world.ask({world.a}, "get_webhook", hooks[name])


def test_one_inbox_or_workflow_is_read_where_it_is_granted(world: World) -> None:
    workflow = world.desk.add_workflow(world.b, SetStatus("closed"))
    assert world.read({world.b}, "get_workflow", workflow)["id"] == workflow
    assert world.read({world.b}, "get_inbox", world.b)["id"] == world.b
    for operation, id in (("get_workflow", workflow), ("get_inbox", world.b)):
        with pytest.raises(Foreign):
            world.ask({world.a}, operation, id)


# -- Reports


@pytest.mark.parametrize("operation", ["conversations", "happiness", "happiness/ratings"])
def test_reports_count_the_granted_inboxes_alone(world: World, operation: str) -> None:
    name = f"get_{operation.replace('/', '_')}_report"
    for inboxes in ({world.a}, {world.b, world.c}):
        named = ",".join(map(str, sorted(inboxes)))
        whole = world.desk.get(f"/v2/reports/{operation}?{SPAN}&mailboxes={named}").json()
        assert world.read(inboxes, name, query=SPAN) == whole
    with pytest.raises(Foreign):
        world.ask({world.a}, name, query=f"{SPAN}&mailboxes={world.b}")


# -- What has no inbox, and what can't be told honestly


def test_counts_over_all_inboxes_are_left_out(world: World) -> None:
    tags = world.read({world.a}, "list_tags", hide=("tag_counts",))["_embedded"]["tags"]
    assert [one["name"] for one in tags] == ["vip"] and "ticketCount" not in tags[0]
    assert "ticketCount" in world.read(None, "list_tags")["_embedded"]["tags"][0]
    made = world.desk.post("/v2/organizations", {"name": "Acme", "domains": ["buyer.example"]}).headers["Resource-ID"]
    counted = {"customerCount", "conversationCount"}
    assert not counted & world.read({world.a}, "get_organization", made, query="includeCounts=true").keys()
    assert counted <= world.read(None, "get_organization", made, query="includeCounts=true").keys()


@pytest.mark.parametrize(
    ("operation", "path"),
    [("list_customers_v3", ()), ("list_organization_customers", (1,)), ("list_organization_conversations", (1,))],
)
def test_what_can_not_be_narrowed_is_refused_unsent(world: World, operation: str, path: Any) -> None:
    with pytest.raises(Unanswerable, match="can't"):
        world.ask({world.a}, operation, *path)


# -- Look-ups say the same as the remote's own database


def test_where_things_lie(world: World) -> None:
    desk = world.desk
    thread = reply(desk, world.in_b[4])
    published = next(one for one in threads(desk, world.in_b[4]) if one.id == thread)
    given = desk.write(lambda tx: rating.rate(tx, desk.account_id, published.id, "great", "", desk.now))
    workflow = desk.add_workflow(world.b, SetStatus("closed"))
    folders = [desk.get(f"/v2/mailboxes/{one}/folders").json()["_embedded"]["folders"] for one in (world.a, world.b)]
    customers = [one["id"] for one in world.walk(None, "list_customers", "customers", "sortOrder=asc")]
    lonely = desk.post("/v2/customers", {"emails": [{"value": "lonely@buyer.example"}]}).headers["Resource-ID"]
    wanted = [
        *(Of("conversation", id) for id in (world.in_a[3], world.in_b[3], world.in_c[3], 10**12)),
        *(Of("customer", id) for id in (*customers[:3], customers[5], customers[-1], int(lonely), 10**12)),
        *(Of("email", f"buyer{number}@Buyer.example") for number in (0, 20, 61, 64)),
        Of("email", "lonely@buyer.example"), Of("email", "nobody@buyer.example"), Of("email", "uyer1@buyer.example"),
        Of("rating", given), Of("rating", 10**12), Of("workflow", workflow), Of("workflow", 10**12),
        *(Of("folder", one["id"]) for one in (folders[0][0], folders[1][1])), Of("folder", 10**15),
    ]  # fmt: skip
    truth = world.where(*wanted)
    for inboxes in ({world.a}, {world.b, world.c}, {world.a, world.b}):
        found = world.look_up(inboxes, *wanted)
        for of in wanted:
            there, known = found[of], truth[of]
            mine = frozenset() if known is None else known & inboxes
            assert (frozenset() if there is None else there.inboxes & inboxes) == mine, of
            if of.kind in ("conversation", "rating", "workflow") and known is None:
                assert there is None


def test_all_inboxes_of_a_customer_are_found_where_all_must_be_granted(world: World) -> None:
    customers = [one["id"] for one in world.walk(None, "list_customers", "customers", "sortOrder=asc")][:12]
    many = start_from(world.desk, world.a, "buyer1@buyer.example")
    customer = world.desk.get(f"/v2/conversations/{many}").json()["primaryCustomer"]["id"]
    more = [start_from(world.desk, world.a, "buyer1@buyer.example") for _ in range(30)]
    wanted = [Of("customer", id, every=True) for id in (*customers, customer)]
    truth, found = world.where(*wanted), world.look_up({world.a}, *wanted)
    assert {of: one and one.inboxes for of, one in found.items()} == truth
    assert truth[Of("customer", customer, every=True)] == frozenset({world.a, world.b, world.c})
    for id in (many, *more):
        world.desk.delete(f"/v2/conversations/{id}")


def test_foreign_and_unknown_things_take_the_same_number_of_requests(world: World) -> None:
    foreign = {"conversation": world.in_b[0], "customer": None, "rating": None}
    alone = world.desk.get("/v2/customers", email="buyer61@buyer.example").json()["_embedded"]["customers"][0]["id"]
    foreign["customer"] = alone
    for kind, id in (("conversation", world.in_b[0]), ("customer", alone)):
        taken = []
        for one in (id, 10**12):
            world.look_up({world.a}, Of(kind, one))  # type: ignore[arg-type]
            taken.append(world.look_ups)
        assert taken == [1, 1]


def test_a_conversations_mark_changes_when_somebody_writes_or_decides(world: World) -> None:
    desk, id = world.desk, start_from(world.desk, world.c, "mark@buyer.example")

    def mark() -> str:
        found = world.look_up({world.c}, Of("conversation", id))[Of("conversation", id)]
        assert found is not None and found.number
        return found.mark

    before = mark()
    assert desk.put(f"/v2/conversations/{id}/tags", {"tags": ["x"]}).ok
    assert add(desk, id, "reply", customer={"email": "mark@buyer.example"}, text="x", draft=True).ok
    assert mark() == before
    marks = [before]
    for change in (
        lambda: add(desk, id, "customer", customer={"email": "mark@buyer.example"}, text="Hello?"),
        lambda: add(desk, id, "reply", customer={"email": "mark@buyer.example"}, text="Here"),
        lambda: patch(desk, id, "/status", "closed"),
        lambda: patch(desk, id, "/assignTo", desk.user_id),
        lambda: patch(desk, id, "/mailboxId", world.b, op="move"),
    ):
        assert change().ok
        marks.append(mark())
    assert len(set(marks)) == len(marks)


def test_a_workflow_may_do_anything_anywhere(world: World) -> None:
    workflow = world.desk.add_workflow(world.a, SetStatus("closed"))
    found = world.look_up({world.a}, Of("workflow", workflow))[Of("workflow", workflow)]
    assert found is not None and found.inboxes == {world.a}
    assert {"reply_to_conversation", "delete_conversation"} <= set(found.does)
    assert not found.into <= {world.a, world.b, world.c}


def test_names_of_inboxes_are_known(world: World) -> None:
    agent = world.house.agent(world.connection)
    names = world.house.run(lambda remotes: remotes.of(agent).inbox_names(agent.account_id))
    assert names == {world.a: "Orders", world.b: "Returns", world.c: "Press"}
