"""Inboxes, custom fields and folders as clients read them."""

from __future__ import annotations

import re

import pytest

from deskhand.db.engine import Writer
from deskhand.desk import counters
from deskhand.desk.inboxes.folders import Folder, folder_id
from tests.world import Desk, open_desk


def count(desk: Desk, kind: str, key: int, inbox_id: int, n: int) -> None:
    def work(tx: Writer) -> None:
        counters.add(tx, (desk.account_id, kind, key, inbox_id), n)

    desk.write(work)


def test_an_inbox_is_shown_with_its_links(desk: Desk) -> None:
    inbox_id = desk.add_inbox("Support", email="support@desk.example", slug="83ebc5d87292a795")
    answer = desk.get(f"/v2/mailboxes/{inbox_id}")
    assert answer.headers["content-type"] == "application/hal+json"
    body = answer.json()
    place = f"{desk.server.url}/v2/mailboxes/{inbox_id}"
    assert body == {
        "id": inbox_id,
        "name": "Support",
        "slug": "83ebc5d87292a795",
        "email": "support@desk.example",
        "createdAt": body["createdAt"],
        "updatedAt": body["updatedAt"],
        "_links": {
            "self": {"href": place},
            "folders": {"href": f"{place}/folders"},
            "fields": {"href": f"{place}/fields"},
        },
    }
    assert all(desk.get(link["href"]).status_code == 200 for link in body["_links"].values())


def test_a_slug_is_made_up_where_none_is_given(desk: Desk) -> None:
    first, second = (desk.get(f"/v2/mailboxes/{desk.add_inbox()}").json()["slug"] for _ in range(2))
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert first != second


def test_the_list_has_the_inboxes_of_the_account_alone(desk: Desk) -> None:
    open_desk(desk.server).add_inbox()
    ids = [desk.add_inbox("Support"), desk.add_inbox("Sales")]
    body = desk.get("/v2/mailboxes").json()
    assert [inbox["id"] for inbox in body["_embedded"]["mailboxes"]] == ids
    assert body["page"] == {"size": 50, "totalElements": 2, "totalPages": 1, "number": 1}
    assert desk.get("/v2/mailboxes", page=2).json()["_embedded"]["mailboxes"] == []


def test_an_account_without_inboxes_has_an_empty_list(desk: Desk) -> None:
    body = desk.get("/v2/mailboxes").json()
    assert body["_embedded"] == {"mailboxes": []}
    assert body["page"]["totalElements"] == 0


def test_more_than_fifty_inboxes_take_two_pages(desk: Desk) -> None:
    ids = [desk.add_inbox() for _ in range(51)]
    body = desk.get("/v2/mailboxes").json()
    rest = desk.get(body["_links"]["next"]["href"]).json()
    shown = body["_embedded"]["mailboxes"] + rest["_embedded"]["mailboxes"]
    assert [inbox["id"] for inbox in shown] == ids
    assert rest["page"] == {"size": 50, "totalElements": 51, "totalPages": 2, "number": 2}
    assert "next" not in rest["_links"]


def test_a_user_sees_the_inboxes_they_were_let_into(desk: Desk) -> None:
    seen, hidden = desk.add_inbox("Support"), desk.add_inbox("Board")
    ines = desk.as_user(desk.add_user(inboxes=(seen,)))
    body = ines.get("/v2/mailboxes").json()
    assert [inbox["id"] for inbox in body["_embedded"]["mailboxes"]] == [seen]
    assert body["page"]["totalElements"] == 1
    for path in ("", "/fields", "/folders", f"/folders/{folder_id(hidden, Folder.MINE)}"):
        assert ines.get(f"/v2/mailboxes/{hidden}{path}").status_code == 403, path
        assert ines.get(f"/v2/mailboxes/{seen}{path.replace(str(hidden), str(seen))}").status_code == 200, path


def test_a_user_without_inboxes_sees_none(desk: Desk) -> None:
    desk.add_inbox()
    assert desk.as_user(desk.add_user()).get("/v2/mailboxes").json()["_embedded"]["mailboxes"] == []


@pytest.mark.parametrize("path", ["", "/fields", "/folders", "/folders/1"])
def test_an_unknown_inbox_is_not_found(desk: Desk, path: str) -> None:
    foreign = open_desk(desk.server).add_inbox()
    assert desk.get(f"/v2/mailboxes/{foreign}{path}").status_code == 404
    assert desk.get(f"/v2/mailboxes/999999999{path}").status_code == 404


def test_fields_are_listed_in_order_and_dropdowns_have_options(desk: Desk) -> None:
    inbox_id, other = desk.add_inbox(), desk.add_inbox()
    plan = desk.add_field(inbox_id, "Plan", "dropdown", ("Free", "Plus"))
    desk.add_field(other, "Elsewhere", "singleline")
    order = desk.add_field(inbox_id, "Order number", "number", required=True)
    empty = desk.add_field(inbox_id, "Region", "dropdown")
    body = desk.get(f"/v2/mailboxes/{inbox_id}/fields").json()
    shown = body["_embedded"]["fields"]
    options = shown[0]["options"]
    assert shown == [
        {"id": plan, "required": False, "order": 1, "type": "dropdown", "name": "Plan", "options": options},
        {"id": order, "required": True, "order": 2, "type": "number", "name": "Order number"},
        {"id": empty, "required": False, "order": 3, "type": "dropdown", "name": "Region", "options": []},
    ]
    assert [(one["order"], one["label"]) for one in options] == [(1, "Free"), (2, "Plus")]
    assert all(set(one) == {"id", "order", "label"} and isinstance(one["id"], int) for one in options)
    assert body["page"] == {"size": 50, "totalElements": 3, "totalPages": 1, "number": 1}


def test_folders_are_the_same_in_every_inbox(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    body = desk.get(f"/v2/mailboxes/{inbox_id}/folders").json()
    folders = body["_embedded"]["folders"]
    assert [(folder["type"], folder["name"]) for folder in folders] == [
        ("open", "Unassigned"),
        ("mytickets", "Mine"),
        ("needsattention", "Needs Attention"),
        ("drafts", "Drafts"),
        ("assigned", "Assigned"),
        ("closed", "Closed"),
        ("spam", "Spam"),
        ("custom", "Snoozed"),
    ]
    assert body["page"] == {"size": 50, "totalElements": 8, "totalPages": 1, "number": 1}
    assert folders[0] == {
        "id": folder_id(inbox_id, Folder.UNASSIGNED),
        "name": "Unassigned",
        "type": "open",
        "userId": 0,
        "totalCount": 0,
        "activeCount": 0,
        "updatedAt": desk.get(f"/v2/mailboxes/{inbox_id}").json()["updatedAt"],
        "_links": {"self": {"href": f"{desk.server.url}/v2/mailboxes/{inbox_id}/folders/{folders[0]['id']}"}},
    }
    assert [folder["userId"] for folder in folders] == [0, desk.user_id, 0, 0, 0, 0, 0, 0]


def test_folders_count_the_conversations_in_them(desk: Desk) -> None:
    inbox_id, other = desk.add_inbox(), desk.add_inbox()
    unassigned = folder_id(inbox_id, Folder.UNASSIGNED)
    count(desk, "folder", unassigned, inbox_id, 5)
    count(desk, "folder_active", unassigned, inbox_id, 3)
    count(desk, "folder", folder_id(other, Folder.UNASSIGNED), other, 7)
    shown = {
        folder["id"]: folder for folder in desk.get(f"/v2/mailboxes/{inbox_id}/folders").json()["_embedded"]["folders"]
    }
    assert (shown[unassigned]["totalCount"], shown[unassigned]["activeCount"]) == (5, 3)
    assert sum(folder["totalCount"] for folder in shown.values()) == 5


def test_mine_counts_what_the_caller_owns(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    ines = desk.add_user(inboxes=(inbox_id,))
    for owner, total, active in ((desk.user_id, 4, 1), (ines, 2, 2)):
        count(desk, "owner", owner, inbox_id, total)
        count(desk, "owner_active", owner, inbox_id, active)
    path = f"/v2/mailboxes/{inbox_id}/folders/{folder_id(inbox_id, Folder.MINE)}"
    mine, hers = desk.get(path).json(), desk.as_user(ines).get(path).json()
    assert (mine["userId"], mine["totalCount"], mine["activeCount"]) == (desk.user_id, 4, 1)
    assert (hers["userId"], hers["totalCount"], hers["activeCount"]) == (ines, 2, 2)


def test_each_folder_links_to_itself(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    for folder in desk.get(f"/v2/mailboxes/{inbox_id}/folders").json()["_embedded"]["folders"]:
        assert desk.get(folder["_links"]["self"]["href"]).json() == folder


def test_a_folder_of_another_inbox_is_not_found(desk: Desk) -> None:
    inbox_id, other = desk.add_inbox(), desk.add_inbox()
    assert desk.get(f"/v2/mailboxes/{inbox_id}/folders/{folder_id(other, Folder.MINE)}").status_code == 404
    assert desk.get(f"/v2/mailboxes/{inbox_id}/folders/{inbox_id * 10}").status_code == 404
    assert desk.get(f"/v2/mailboxes/{inbox_id}/folders", page=2).json()["_embedded"]["folders"] == []


def test_inboxes_cannot_be_written(desk: Desk) -> None:
    answer = desk.post("/v2/mailboxes", {"name": "New"})
    assert answer.status_code == 400
    assert answer.json()["_links"]["self"]["href"].endswith("#invalid-http-method")


def test_a_page_that_is_no_number_is_named(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    for path in ("", f"/{inbox_id}/fields", f"/{inbox_id}/folders"):
        answer = desk.get(f"/v2/mailboxes{path}", page=0)
        assert answer.status_code == 400
        assert answer.json()["_embedded"]["errors"][0]["path"] == "page"


def test_a_page_far_beyond_the_end_is_empty(desk: Desk) -> None:
    body = desk.get("/v2/mailboxes", page=1_000_000_000).json()
    assert list(body["_embedded"].values()) == [[]]
    assert body["page"]["number"] == 1_000_000_000
