"""Organizations, their customers and conversations.

Facts: 41-44, 48 of the wire contract's half B (https://developer.helpscout.com/mailbox-api/endpoints/organizations/list).
Properties are in test_properties.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests

from deskhand.lib.clock import MovableClock
from tests.desk.customers.builders import add_conversations, add_customer, events, faults, read
from tests.live import LiveServer
from tests.world import Desk, open_desk

PATH = "/v2/organizations"
FULL: dict[str, Any] = {
    "name": "Northwind Tea", "domains": ["northwind.example", "tea.example"], "website": "https://northwind.example",
    "description": "Sells tea", "location": "gb", "note": "Renews in May", "phones": ["+44 113 496 0000", "ext. 7"],
    "brandColor": "#0A7F5A",
}  # fmt: skip


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before


def add(desk: Desk, name: str = "N", **fields: Any) -> int:
    answer = desk.post(PATH, {"name": name} | fields)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def get(desk: Desk, id: int, **params: str) -> Any:
    answer = desk.get(f"{PATH}/{id}", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(desk: Desk, path: str = PATH, key: str = "organizations", **params: Any) -> list[int]:
    """The ids that a list of one page gives, in its order."""
    answer = desk.get(path, **params)
    assert answer.status_code == 200, answer.text
    ids = [one["id"] for one in answer.json()["_embedded"][key]]
    assert answer.json()["page"]["totalElements"] == len(ids)
    return ids


def write(desk: Desk, inbox: int, customer: int) -> int:
    """A conversation of a customer."""
    who = {"id": customer}
    body = {
        "subject": "x", "type": "email", "mailboxId": inbox, "status": "active", "customer": who,
        "threads": [{"type": "customer", "text": "x", "customer": who}],
    }  # fmt: skip
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def eventually(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)


# -- Create, get, update, delete


def test_create_answers_with_the_place_of_the_organization(desk: Desk) -> None:
    answer = desk.post(PATH, {"name": "N", "domain": "n.example"})
    assert (answer.status_code, answer.content) == (201, b"")
    id = int(answer.headers["Resource-ID"])
    place = f"{desk.server.url}{PATH}/{id}"
    assert answer.headers["Location"] == f"{place}?includeCounts=false&includeProperties=false"
    assert desk.get(answer.headers["Location"]).json()["domains"] == ["n.example"]
    assert events(desk) == [("organization.created", id)]


def test_it_reads_back_with_every_field(desk: Desk) -> None:
    id = add(desk, **FULL)
    found = get(desk, id)
    times = {name: found.pop(name) for name in ("createdAt", "updatedAt")}
    assert times == dict.fromkeys(times, desk.now) or all(times.values())
    links = {"self": {"href": f"{desk.server.url}{PATH}/{id}"}}
    assert found == FULL | {"id": id, "location": "GB", "logoUrl": None, "_links": links}


def test_domain_comes_before_domains_and_each_is_kept_once(desk: Desk) -> None:
    id = add(desk, domain="C.example", domains=["a.example", "@b.example", " A.example ", "c.example"])
    assert get(desk, id)["domains"] == ["c.example", "a.example", "b.example"]


def test_what_is_not_given_is_null_or_empty(desk: Desk) -> None:
    nulls: dict[str, Any] = dict.fromkeys((*FULL, "domain", "id", "logoUrl")) | {"name": "N"}
    found = get(desk, add(desk, **nulls))
    assert [found[name] for name in ("website", "description", "location", "note", "brandColor", "logoUrl")] == [
        None
    ] * 6
    assert (found["domains"], found["phones"]) == ([], [])


def test_counts_and_properties_come_when_they_are_asked_for(desk: Desk) -> None:
    id, inbox = add(desk), desk.add_inbox()
    customers = [add_customer(desk, organizationId=id) for _ in range(3)]
    for customer in customers[:2]:
        write(desk, inbox, customer)
    write(desk, inbox, add_customer(desk))
    names = {"customerCount", "conversationCount", "properties"}
    assert not names & set(get(desk, id))
    assert not names & set(get(desk, id, includeCounts="false", includeProperties="false"))
    counted = get(desk, id, includeCounts="true")
    assert (counted["customerCount"], counted["conversationCount"]) == (3, 2)
    assert "properties" not in counted
    assert get(desk, id, includeProperties="true")["properties"] == []
    assert faults(desk.get(f"{PATH}/{id}", includeCounts="maybe")) == ["includeCounts"]


def test_put_replaces_everything_but_the_logo(desk: Desk) -> None:
    id = add(desk, **FULL)
    answer = desk.put(f"{PATH}/{id}", {"name": "N2", "logoUrl": "https://x.example", "id": 7})
    assert (answer.status_code, answer.content) == (204, b"")
    found = get(desk, id)
    assert found["name"] == "N2"
    assert [found[name] for name in ("website", "description", "location", "note", "brandColor", "logoUrl")] == [
        None
    ] * 6
    assert (found["domains"], found["phones"]) == ([], [])
    assert desk.put(f"{PATH}/{id}", {"name": "N2"}).status_code == 204
    assert events(desk) == [("organization.created", id), ("organization.updated", id)], "the second changed nothing"
    assert desk.put(f"{PATH}/{id}", FULL).status_code == 204
    assert get(desk, id)["domains"] == FULL["domains"]


def test_delete_unlinks_its_customers(desk: Desk) -> None:
    id, other = add(desk, domain="n.example"), add(desk)
    mira, paul = add_customer(desk, "mira@n.example"), add_customer(desk, organizationId=other)
    assert read(desk, mira)["organizationId"] == id
    assert desk.delete(f"{PATH}/{id}").status_code == 204
    assert desk.get(f"{PATH}/{id}").status_code == 404
    assert desk.delete(f"{PATH}/{id}").status_code == 404
    assert "organizationId" not in read(desk, mira)
    assert read(desk, paul)["organizationId"] == other
    assert events(desk)[-1] == ("organization.deleted", id)
    add(desk, domain="n.example")  # the domain is free again


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": None}, "name"), ({"name": ""}, "name"), ({"name": "  "}, "name"), ({"name": 1}, "name"),
        ({"name": "x" * 256}, "name"), ({"domains": "n.example"}, "domains"), ({"domains": [1]}, "domains[0]"),
        ({"domains": ["a.example", "b"]}, "domains[1]"), ({"domains": ["a_b.example"]}, "domains[0]"),
        ({"domains": ["a%.example"]}, "domains[0]"), ({"domains": ["a..example"]}, "domains[0]"),
        ({"domains": [f"{'x' * 64}.example"]}, "domains[0]"), ({"domains": [""]}, "domains[0]"),
        ({"domains": [f"n{n}.example" for n in range(101)]}, "domains"), ({"location": "GBR"}, "location"),
        ({"location": "1!"}, "location"), ({"brandColor": "green"}, "brandColor"),
        ({"brandColor": "#12345"}, "brandColor"),
        ({"phones": "1"}, "phones"), ({"phones": [{"value": "1"}]}, "phones[0]"), ({"website": "x" * 256}, "website"),
        ({"note": "x" * 10_001}, "note"), ({"description": 1}, "description"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(desk: Desk, method: str, fields: dict[str, Any], path: str) -> None:
    id = add(desk, **FULL)
    answer = desk.request(method, PATH if method == "POST" else f"{PATH}/{id}", json={"name": "N"} | fields)
    assert faults(answer) == [path]
    assert listed(desk) == [id]
    assert get(desk, id)["domains"] == FULL["domains"]


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b"{", b"", b"\xff", b"[" * 5000, b'{"name": "\\u0000"}'])
def test_a_body_of_another_form_is_a_400(desk: Desk, body: bytes) -> None:
    answer = desk.request("POST", PATH, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("id", ["999999999", "0", "x", str(2**70)])
def test_an_unknown_organization_is_a_404(desk: Desk, id: str) -> None:
    for method, path in (
        ("GET", id), ("PUT", id), ("DELETE", id), ("GET", f"{id}/customers"), ("GET", f"{id}/conversations"),
    ):  # fmt: skip
        assert desk.request(method, f"{PATH}/{path}", json={"name": "N"}).status_code == 404, (method, path)


# -- Domains


def test_a_domain_belongs_to_one_organization(desk: Desk) -> None:
    add(desk, domains=["n.example", "m.example"])
    for fields in ({"domain": "N.example"}, {"domains": ["free.example", "m.example"]}):
        assert faults(desk.post(PATH, {"name": "Other"} | fields), 409) == ["domains"]
    other = add(desk, domain="o.example")
    taken = desk.put(f"{PATH}/{other}", {"name": "Other", "domains": ["m.example", "n.example"]})
    assert faults(taken, 409) == ["domains", "domains"]
    assert get(desk, other)["domains"] == ["o.example"]
    add(open_desk(desk.server), domain="n.example")


def test_of_many_who_claim_a_domain_at_once_one_gets_it(desk: Desk) -> None:
    def claim(_: int) -> requests.Response:
        return desk.as_user(desk.user_id).post(PATH, {"name": "N", "domain": "n.example"})

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(claim, range(8)))
    assert sorted(answer.status_code for answer in made) == [201] + [409] * 7
    assert all(faults(answer, 409) == ["domains"] for answer in made if answer.status_code == 409)
    assert len(listed(desk)) == 1


def test_a_new_customer_belongs_to_the_organization_of_their_domain(desk: Desk) -> None:
    id, other = add(desk, domains=["n.example", "m.example"]), add(desk)
    inbox = desk.add_inbox()
    created = read(desk, add_customer(desk, "x@elsewhere.example", "Mira@N.example"))
    assert created["organizationId"] == id
    assert created["_links"]["organization"]["href"] == f"{desk.server.url}{PATH}/{id}"
    named = add_customer(desk, "paul@n.example", organizationId=other)
    assert read(desk, named)["organizationId"] == other, "what is given wins"
    assert "organizationId" not in read(desk, add_customer(desk, "x@sub.n.example", "x@xn.example"))
    body = {
        "subject": "x", "type": "email", "mailboxId": inbox, "status": "active", "customer": {"email": "new@m.example"},
        "threads": [{"type": "customer", "text": "x", "customer": {"email": "new@m.example"}}],
    }  # fmt: skip
    place = desk.post("/v2/conversations", body).headers["Location"]
    writer = desk.get(place).json()["primaryCustomer"]["id"]
    assert read(desk, writer)["organizationId"] == id


def test_a_customer_who_gets_an_address_comes_to_its_organization(desk: Desk) -> None:
    id, other = add(desk, domain="n.example"), add(desk, domain="o.example")
    mira, paul, lea = (add_customer(desk) for _ in range(3))
    assert desk.post(f"/v2/customers/{mira}/emails", {"value": "mira@n.example"}).status_code == 201
    assert read(desk, mira)["organizationId"] == id
    step = {"op": "add", "path": "/emails", "value": {"value": "paul@n.example"}}
    assert desk.patch(f"/v2/customers/{paul}", [step]).status_code == 204
    assert read(desk, paul)["organizationId"] == id
    entry = desk.post(f"/v2/customers/{lea}/emails", {"value": "lea@elsewhere.example"}).headers["Location"]
    assert desk.put(entry, {"value": "lea@o.example"}).status_code == 204
    assert read(desk, lea)["organizationId"] == other
    assert desk.post(f"/v2/customers/{lea}/emails", {"value": "lea@n.example"}).status_code == 201
    assert read(desk, lea)["organizationId"] == other, "whoever belongs to one stays"
    step = {"op": "remove", "path": "/organizationId"}
    assert desk.patch(f"/v2/customers/{lea}", [step]).status_code == 204
    assert desk.post(f"/v2/customers/{lea}/phones", {"value": "1"}).status_code == 201
    assert "organizationId" not in read(desk, lea), "nor is anybody brought back without a new address"


def test_an_organization_that_gets_a_domain_gets_the_customers_without_one(desk: Desk) -> None:
    other = add(desk)
    mira, paul, lea = (
        add_customer(desk, "mira@n.example"), add_customer(desk, "paul@n.example", organizationId=other),
        add_customer(desk, "lea@m.example"),
    )  # fmt: skip
    add_customer(desk, "x@xn.example")
    id = add(desk, domain="n.example")
    eventually(lambda: read(desk, mira).get("organizationId") == id)
    assert read(desk, paul)["organizationId"] == other
    assert desk.put(f"{PATH}/{id}", {"name": "N", "domains": ["m.example"]}).status_code == 204
    eventually(lambda: read(desk, lea).get("organizationId") == id)
    assert sorted(listed(desk, f"{PATH}/{id}/customers", "customers")) == sorted([mira, lea])


def test_customers_are_linked_by_hand_too(desk: Desk) -> None:
    id = add(desk)
    mira = add_customer(desk, organizationId=id)
    assert read(desk, mira)["organizationId"] == id
    assert desk.put(f"/v2/customers/{mira}", {"firstName": "Mira"}).status_code == 204
    assert "organizationId" not in read(desk, mira), "what a PUT leaves out is emptied"
    step = {"op": "replace", "path": "/organizationId", "value": id}
    assert desk.patch(f"/v2/customers/{mira}", [step]).status_code == 204
    assert read(desk, mira)["organizationId"] == id
    strange = add(open_desk(desk.server))
    for unknown in (999_999_999, strange):
        assert faults(desk.post("/v2/customers", {"organizationId": unknown})) == ["organizationId"]
        assert faults(desk.put(f"/v2/customers/{mira}", {"organizationId": unknown})) == ["organizationId"]
        assert faults(desk.patch(f"/v2/customers/{mira}", [step | {"value": unknown}])) == ["organizationId"]
    assert read(desk, mira)["organizationId"] == id


# -- List


def test_organizations_are_listed_50_a_page(desk: Desk) -> None:
    ids = [add(desk, f"N{n:02}") for n in range(51)]
    first, second = (desk.get(PATH, sort="name,asc", page=number).json() for number in (1, 2))
    assert first["page"] == {"size": 50, "totalElements": 51, "totalPages": 2, "number": 1}
    assert "sort=name%2Casc" in first["_links"]["next"]["href"]
    assert [one["id"] for body in (first, second) for one in body["_embedded"]["organizations"]] == ids
    assert "next" not in second["_links"]
    assert first["_embedded"]["organizations"][0] == get(desk, ids[0])
    for sort in ("customerCount", "conversationCount", "lastInteractionAt"):
        pages = [desk.get(PATH, sort=sort, page=number).json()["_embedded"]["organizations"] for number in (1, 2, 3)]
        assert sorted(one["id"] for page in pages for one in page) == ids, sort


def test_the_order_is_by_name_count_or_last_interaction(desk: Desk, clock: MovableClock) -> None:
    inbox = desk.add_inbox()
    many, busy, quiet, late = (add(desk, name) for name in ("beta", "Alpha", "delta", "Gamma"))
    of_many = [add_customer(desk, organizationId=many) for _ in range(3)]
    of_busy = [add_customer(desk, organizationId=busy) for _ in range(2)]
    of_late = add_customer(desk, organizationId=late)
    wrote = {}
    for customer in (of_many[0], of_busy[0], of_busy[0], of_busy[1], of_late):
        clock.advance(timedelta(seconds=1))
        wrote[customer] = write(desk, inbox, customer)
    for sort, ascending in {
        "name": [busy, many, quiet, late],
        "customerCount": [quiet, late, busy, many],
        "conversationCount": [quiet, many, late, busy],
        "lastInteractionAt": [quiet, many, busy, late],
    }.items():
        assert listed(desk, sort=f"{sort},asc") == ascending, sort
        assert listed(desk, sort=f"{sort},desc") == listed(desk, sort=sort) == ascending[::-1], sort
    assert listed(desk) == [late, busy, many, quiet], "the last interaction, newest first"
    encoded = desk.request("GET", f"{PATH}?sort=name%2Casc").json()["_embedded"]["organizations"]
    assert encoded[0]["id"] == busy
    clock.advance(timedelta(seconds=1))
    reply = {"text": "x", "customer": {"id": of_many[0]}}
    assert desk.post(f"/v2/conversations/{wrote[of_many[0]]}/reply", reply).status_code == 201
    assert listed(desk) == [many, late, busy, quiet]
    assert desk.delete(f"/v2/conversations/{wrote[of_late]}").status_code == 204
    assert listed(desk) == [many, busy, late, quiet]


@pytest.mark.parametrize("sort", ["id", "name,up", "name,asc,desc", "Name", ",asc", "name asc", "x" * 3_000])
def test_an_unknown_order_is_a_400(desk: Desk, sort: str) -> None:
    assert faults(desk.get(PATH, sort=sort)) == ["sort"]


# -- Customers and conversations


def test_the_customers_of_an_organization_are_whole_and_newest_first(desk: Desk, clock: MovableClock) -> None:
    id, other = add(desk), add(desk)
    mira = add_customer(desk, "mira@n.example", organizationId=id, firstName="Mira")
    clock.advance(timedelta(seconds=1))
    paul = add_customer(desk, organizationId=id)
    add_customer(desk, organizationId=other)
    body = desk.get(f"{PATH}/{id}/customers").json()
    assert body["_embedded"]["customers"] == [read(desk, paul), read(desk, mira)]
    assert body["page"] == {"size": 50, "totalElements": 2, "totalPages": 1, "number": 1}
    assert listed(desk, f"{PATH}/{add(desk)}/customers", "customers") == []
    for _ in range(49):
        add_customer(desk, organizationId=id)
    assert desk.get(f"{PATH}/{id}/customers").json()["page"]["totalElements"] == 51
    assert len(desk.get(f"{PATH}/{id}/customers", page=2).json()["_embedded"]["customers"]) == 1


def test_the_conversations_of_an_organization_come_without_threads(desk: Desk, clock: MovableClock) -> None:
    id, inbox = add(desk), desk.add_inbox()
    mira, paul = (add_customer(desk, f"{name}@n.example", organizationId=id) for name in ("mira", "paul"))
    first = write(desk, inbox, mira)
    clock.advance(timedelta(seconds=1))
    second = write(desk, inbox, paul)
    write(desk, inbox, add_customer(desk))
    assert desk.patch(f"/v2/conversations/{second}", {"op": "replace", "path": "/status", "value": "closed"}).ok
    assert listed(desk, f"{PATH}/{id}/conversations", "conversations") == [second, first]
    for one in desk.get(f"{PATH}/{id}/conversations").json()["_embedded"]["conversations"]:
        whole = desk.get(f"/v2/conversations/{one['id']}").json()
        assert one.pop("_embedded", {}) == {}
        assert one == {name: value for name, value in whole.items() if name != "_embedded"}
        assert "web" in one["_links"] and one["primaryCustomer"]["id"] in (mira, paul)


def test_only_what_the_caller_may_see_is_listed_and_counted(desk: Desk, clock: MovableClock) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    outsider = desk.as_user(desk.add_user(inboxes=(seen,)))
    nobody = desk.as_user(desk.add_user())
    one, other = add(desk, "one"), add(desk, "other")
    mira, paul = add_customer(desk, organizationId=one), add_customer(desk, organizationId=other)
    visible = write(desk, seen, mira)
    clock.advance(timedelta(seconds=1))
    for _ in range(2):
        write(desk, hidden, paul)
    for who, counts, conversations, order in (
        (desk, (1, 2), 2, [other, one]), (outsider, (1, 0), 0, [one, other]), (nobody, (0, 0), 0, None),
    ):  # fmt: skip
        found = [get(who, id, includeCounts="true")["conversationCount"] for id in (one, other)]
        assert tuple(found) == counts
        assert get(who, other, includeCounts="true")["customerCount"] == 1
        body = who.get(f"{PATH}/{other}/conversations").json()
        assert (len(body["_embedded"]["conversations"]), body["page"]["totalElements"]) == (
            conversations,
            conversations,
        )
        if order:
            assert listed(who) == listed(who, sort="conversationCount") == order
    assert listed(outsider, f"{PATH}/{one}/conversations", "conversations") == [visible]
    assert listed(nobody, f"{PATH}/{one}/conversations", "conversations") == []


def test_merged_conversations_are_not_counted(desk: Desk) -> None:
    id, inbox = add(desk), desk.add_inbox()
    mira = add_customer(desk, organizationId=id)
    add_conversations(desk, mira, inbox, count=60)
    add_conversations(desk, mira, inbox, count=3, merged_into=1)
    assert get(desk, id, includeCounts="true")["conversationCount"] == 60
    body = desk.get(f"{PATH}/{id}/conversations", page=2).json()
    assert (len(body["_embedded"]["conversations"]), body["page"]["totalElements"]) == (10, 60)
