"""What one account holds is nobody else's business: for every operation there is; the tests walk the catalogue."""

from __future__ import annotations

from itertools import product

import pytest
from msgspec import inspect

from deskhand.catalogue.operation import AnyOperation, ListOf
from deskhand.catalogue.operations import BY_NAME
from tests.contract.isolation.cases import CASES
from tests.contract.isolation.sides import Side, created, furnish, plain
from tests.contract.isolation.walking import (
    NO_FILTERS,
    all_of,
    each_list,
    everything_of,
    filled,
    nothing,
    with_ids,
    with_path,
)
from tests.live import LiveServer
from tests.world import open_desk


@pytest.fixture(scope="module")
def theirs(server: LiveServer) -> Side:
    """Another account, whose conversations are numbered beyond ours."""
    return furnish(open_desk(server), earlier=3)


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
