"""Inboxes, users, teams and tags as clients read them; and that nothing is read without a token.

Facts: §4-§6 and facts 49-51, 56, 57, 65, 94 of the wire contract's half B
(https://developer.helpscout.com/mailbox-api/endpoints/inboxes/, users/, teams/, tags/).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from deskhand.catalogue.operation import AnyOperation
from deskhand.catalogue.operations import OPERATIONS
from deskhand.desk.inboxes.verbs import FieldType
from deskhand.desk.users import verbs as users
from tests.live import LiveServer
from tests.world import Desk, unique


def items(desk: Desk, path: str, key: str, **params: Any) -> list[Any]:
    """What a list of one page holds."""
    answer = desk.get(path, **params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    found = list(body["_embedded"][key])
    assert body["page"] == {"size": 50, "totalElements": len(found), "totalPages": min(1, len(found)), "number": 1}
    return found


def start(desk: Desk, inbox: int, **changes: Any) -> int:
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active",
        "customer": {"email": "paul@buyer.example"}, "threads": [{"type": "note", "text": "x"}],
    } | changes  # fmt: skip
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def add_staff(desk: Desk, type: Any = "user", **fields: Any) -> int:
    new = users.NewStaff(
        account_id=desk.account_id, type=type, first_name="Some", created_at=desk.now, updated_at=desk.now, **fields
    )
    return desk.write(lambda tx: users.add_staff(tx, new))


# -- Inboxes (facts 49-51)


def test_inboxes_are_listed(desk: Desk) -> None:
    support, sales = desk.add_inbox("Support"), desk.add_inbox("Sales")
    found = items(desk, "/v2/mailboxes", "mailboxes")
    assert [inbox["id"] for inbox in found] == [support, sales]
    for inbox in found:
        assert set(inbox) == {"id", "name", "slug", "email", "createdAt", "updatedAt", "_links"}
        assert re.fullmatch(r"[0-9a-f]{16}", inbox["slug"])
        place = f"{desk.server.url}/v2/mailboxes/{inbox['id']}"
        assert {rel: link["href"] for rel, link in inbox["_links"].items()} == {
            "self": place, "folders": f"{place}/folders", "fields": f"{place}/fields",
        }  # fmt: skip
        assert desk.get(place).json() == inbox
    assert len({inbox["slug"] for inbox in found}) == 2
    assert desk.get("/v2/mailboxes/999999999").status_code == 404


def test_inboxes_are_listed_50_a_page(desk: Desk) -> None:
    ids = [desk.add_inbox() for _ in range(51)]
    pages = [desk.get("/v2/mailboxes", page=number).json() for number in (1, 2)]
    assert [len(page["_embedded"]["mailboxes"]) for page in pages] == [50, 1]
    assert [inbox["id"] for page in pages for inbox in page["_embedded"]["mailboxes"]] == ids


def test_the_custom_fields_of_an_inbox(desk: Desk) -> None:
    inbox = desk.add_inbox()
    kinds: tuple[FieldType, ...] = ("dropdown", "singleline", "multiline", "number", "date")
    made = [
        desk.add_field(inbox, f"A {kind}", kind, ("Free", "Pro") if kind == "dropdown" else (), kind == "date")
        for kind in kinds
    ]
    desk.add_field(desk.add_inbox(), "Elsewhere", "number")
    found = items(desk, f"/v2/mailboxes/{inbox}/fields", "fields")
    assert [field["id"] for field in found] == made
    assert [(field["type"], field["name"]) for field in found] == [(kind, f"A {kind}") for kind in kinds]
    for field in found:
        assert {"id", "required", "order", "type", "name"} <= set(field)
        assert field["required"] is (field["type"] == "date")
        assert type(field["order"]) is int
    options = found[0]["options"]
    assert [set(option) for option in options] == [{"id", "order", "label"}] * 2
    assert [option["label"] for option in options] == ["Free", "Pro"]
    assert [option["order"] for option in options] == sorted(option["order"] for option in options)
    assert all(not field.get("options") for field in found[1:])
    assert items(desk, f"/v2/mailboxes/{desk.add_inbox()}/fields", "fields") == []
    assert desk.get("/v2/mailboxes/999999999/fields").status_code == 404


def test_the_folders_of_an_inbox(desk: Desk) -> None:
    inbox = desk.add_inbox()
    found = items(desk, f"/v2/mailboxes/{inbox}/folders", "folders")
    types = [folder["type"] for folder in found]
    assert {"open", "mytickets", "needsattention", "drafts", "assigned", "closed", "spam"} <= set(types)
    assert set(types) <= {
        "open", "mytickets", "needsattention", "drafts", "assigned", "closed", "spam", "team", "custom",
    }  # fmt: skip
    assert len({folder["id"] for folder in found}) == len(found)
    for folder in found:
        assert set(folder) == {
            "id", "name", "type", "userId", "totalCount", "activeCount", "updatedAt", "_links",
        }  # fmt: skip
        assert folder["userId"] == (desk.user_id if folder["type"] == "mytickets" else 0)
        assert (folder["totalCount"], folder["activeCount"]) == (0, 0)
        assert desk.get(folder["_links"]["self"]["href"]).json() == folder
    assert desk.get("/v2/mailboxes/999999999/folders").status_code == 404


def test_folders_count_conversations_and_the_active_ones_among_them(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ines = desk.add_user(inboxes=(inbox,))
    start(desk, inbox)
    start(desk, inbox, status="pending")
    start(desk, inbox, assignTo=ines)
    start(desk, inbox, assignTo=desk.user_id, status="pending")
    start(desk, inbox, status="closed")
    start(desk, inbox, threads=[{"type": "reply", "text": "x", "draft": True, "customer": {"email": "a@b.example"}}])

    def counts(seen_by: Desk) -> dict[str, tuple[int, int]]:
        found = items(seen_by, f"/v2/mailboxes/{inbox}/folders", "folders")
        return {one["type"]: (one["totalCount"], one["activeCount"]) for one in found if one["totalCount"]}

    shared = {"open": (2, 1), "assigned": (2, 1), "closed": (1, 0), "drafts": (1, 1)}
    assert counts(desk) == shared | {"mytickets": (1, 0)}
    assert counts(desk.as_user(ines)) == shared | {"mytickets": (1, 1)}


# -- Users (facts 56, 57)

USER_KEYS = {
    "id", "firstName", "lastName", "email", "role", "timezone", "photoUrl", "createdAt", "updatedAt", "type", "mention",
    "initials", "jobTitle", "phone", "alternateEmails", "_links",
}  # fmt: skip


def test_users_are_listed_with_the_invited_and_without_teams_and_system_users(desk: Desk) -> None:
    ines = desk.add_user("Ines", "Okafor", role="light user")
    invited = add_staff(desk, email=f"{unique('new')}@desk.example", state="invited")
    desk.add_team()
    add_staff(desk, "system_user")
    found = items(desk, "/v2/users", "users")
    assert [user["id"] for user in found] == [desk.user_id, ines, invited]
    for user in found:
        assert set(user) == USER_KEYS
        assert user["type"] == "user"
        assert user["_links"]["self"]["href"] == f"{desk.server.url}/v2/users/{user['id']}"
        assert desk.get(f"/v2/users/{user['id']}").json() == user
    by_id = {user["id"]: user for user in found}
    assert (by_id[ines]["firstName"], by_id[ines]["lastName"], by_id[ines]["role"]) == ("Ines", "Okafor", "light user")
    assert by_id[ines]["initials"] == "IO" and by_id[ines]["alternateEmails"] == []
    assert by_id[desk.user_id]["role"] == "owner"


def test_a_user_is_found_by_their_exact_address(desk: Desk) -> None:
    ines = desk.add_user("Ines")
    email = desk.get(f"/v2/users/{ines}").json()["email"]
    assert [user["id"] for user in items(desk, "/v2/users", "users", email=email)] == [ines]
    assert items(desk, "/v2/users", "users", email="nobody@desk.example") == []
    assert items(desk, "/v2/users", "users", email=email[1:]) == []


def test_the_users_of_an_inbox(desk: Desk) -> None:
    support, sales = desk.add_inbox(), desk.add_inbox()
    ines, lea = desk.add_user(inboxes=(support,)), desk.add_user(inboxes=(support, sales))
    found = {user["id"] for user in items(desk, "/v2/users", "users", mailbox=support)}
    assert found >= {ines, lea}
    assert ines not in {user["id"] for user in items(desk, "/v2/users", "users", mailbox=sales)}
    assert items(desk, "/v2/users", "users", mailbox=999_999_999) == []


def test_me_is_whom_the_token_stands_for(desk: Desk) -> None:
    ines = desk.add_user("Ines", "Okafor")
    for seen_by in (desk, desk.as_user(ines)):
        me = seen_by.get("/v2/users/me").json()
        assert me["id"] == seen_by.user_id
        assert set(me) - {"companyId"} == USER_KEYS
        assert me == seen_by.get(f"/v2/users/{seen_by.user_id}").json() | {"companyId": me["companyId"]}


def test_who_is_no_user_is_404(desk: Desk) -> None:
    for id in (999_999_999, desk.add_team()):
        assert desk.get(f"/v2/users/{id}").status_code == 404


def test_who_has_not_accepted_or_was_deactivated_gets_401(desk: Desk) -> None:
    ines = desk.as_user(desk.add_user())
    assert ines.get("/v2/users/me").status_code == 200
    for state in ("inactive", "invited"):
        set_state(ines, state)
        answer = ines.get("/v2/users/me")
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    set_state(ines, "active")
    assert ines.get("/v2/users/me").status_code == 200


def set_state(desk: Desk, state: str) -> None:
    desk.write(lambda tx: users.set_state(tx, desk.account_id, desk.user_id, state, desk.now))


# -- Teams (fact 64, its reading half)


def test_teams_are_listed_with_their_users(desk: Desk) -> None:
    ines, lea = desk.add_user("Ines"), desk.add_user("Lea")
    team, empty = desk.add_team("Tier Two", members=(ines, lea)), desk.add_team("Nobody")
    found = items(desk, "/v2/teams", "teams")
    assert [one["id"] for one in found] == [team, empty]
    for one in found:
        assert set(one) - {"memberCount"} == {
            "id", "name", "timezone", "photoUrl", "mention", "initials", "createdAt", "updatedAt", "_links",
        }  # fmt: skip
        assert desk.get(one["_links"]["self"]["href"]).json() == one
    assert found[0]["name"] == "Tier Two"
    members = items(desk, f"/v2/teams/{team}/members", "users")
    assert [user["id"] for user in members] == [ines, lea]
    assert members[0] == desk.get(f"/v2/users/{ines}").json()
    assert items(desk, f"/v2/teams/{empty}/members", "users") == []
    for id in (999_999_999, ines):
        assert desk.get(f"/v2/teams/{id}/members").status_code == 404


# -- Tags (fact 65)


def test_tags_are_listed_by_name_with_how_many_carry_them(desk: Desk) -> None:
    inbox = desk.add_inbox()
    start(desk, inbox, tags=["refund", "Étude", "Needs review", "zebra"])
    id = start(desk, inbox, tags=["refund", "apple"])
    found = items(desk, "/v2/tags", "tags")
    names = [tag["name"] for tag in found]
    assert [name for name in names if name.isascii()] == ["apple", "Needs review", "refund", "zebra"]
    assert set(names) == {"apple", "Needs review", "refund", "zebra", "Étude"}
    for tag in found:
        assert {"id", "name", "slug", "color", "createdAt", "ticketCount"} <= set(tag)
        assert tag["ticketCount"] == (2 if tag["name"] == "refund" else 1)
        assert re.fullmatch(r"[\w-]+", tag["slug"]) and tag["color"]
        assert desk.get(f"/v2/tags/{tag['id']}").json() == tag
    desk.put(f"/v2/conversations/{id}/tags", {"tags": []})
    counts = {tag["name"]: tag["ticketCount"] for tag in items(desk, "/v2/tags", "tags")}
    assert (counts["refund"], counts["apple"]) == (1, 0)
    assert desk.get("/v2/tags/999999999").status_code == 404


def test_a_tag_in_a_conversation_is_the_tag_of_the_list(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), tags=["refund"])
    (tag,) = items(desk, "/v2/tags", "tags")
    shown = {"id": tag["id"], "color": tag["color"], "tag": "refund"}
    assert desk.get(f"/v2/conversations/{id}").json()["tags"] == [shown]


def test_tags_cannot_be_made_directly(desk: Desk) -> None:
    answer = desk.post("/v2/tags", {"name": "x"})
    assert answer.status_code == 400
    assert [link["href"].partition("#")[2] for link in answer.json()["_links"].values()] == ["invalid-http-method"]


# -- Without a token (fact 94)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_without_a_token_nothing_is_answered(server: LiveServer, operation: AnyOperation) -> None:
    url = server.url + re.sub(r"{\w+}", "1", operation.path)
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer dh_agent_x"}):
        answer = requests.request(operation.method, url, headers=headers, timeout=30)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert set(answer.json()) == {"error", "error_description"}
