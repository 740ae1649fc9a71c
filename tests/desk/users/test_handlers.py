"""Users as clients read them."""

from __future__ import annotations

from typing import Any

from deskhand.desk.users import verbs as users
from tests.world import Desk, open_desk


def test_list_gives_the_people_of_the_account(desk: Desk) -> None:
    ines = desk.add_user("Ines", "Okafor")
    answer = desk.get("/v2/users")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/hal+json")
    body = answer.json()
    assert [user["id"] for user in body["_embedded"]["users"]] == [desk.user_id, ines]
    assert body["page"] == {"size": 50, "totalElements": 2, "totalPages": 1, "number": 1}


def test_list_finds_one_by_email(desk: Desk) -> None:
    desk.add_user()
    email = desk.get("/v2/users/me").json()["email"]
    assert [user["id"] for user in desk.get("/v2/users", email=email).json()["_embedded"]["users"]] == [desk.user_id]


def test_me_is_the_user_of_the_token(desk: Desk) -> None:
    ines = desk.add_user("Ines", "Okafor")
    assert desk.as_user(ines).get("/v2/users/me").json()["id"] == ines


def test_a_user_of_another_account_is_unknown(desk: Desk) -> None:
    stranger = open_desk(desk.server)
    assert stranger.get(f"/v2/users/{desk.user_id}").status_code == 404


def test_the_email_filter_is_exact_whatever_the_case(desk: Desk) -> None:
    email = desk.get("/v2/users/me").json()["email"]
    assert ids(desk, email=email.upper()) == [desk.user_id]
    assert ids(desk, email="x" + email) == []
    answer = desk.get("/v2/users", email="nobody")
    assert answer.status_code == 400
    assert answer.json()["_embedded"]["errors"][0]["path"] == "email"


def test_an_email_is_found_however_it_was_written(desk: Desk) -> None:
    desk.write(lambda tx: users.add_staff(tx, staff(desk, email="Lea.Lind@Desk.Example")))
    body = desk.get("/v2/users", email="lea.lind@desk.example").json()
    assert [user["email"] for user in body["_embedded"]["users"]] == ["lea.lind@desk.example"]


def test_the_mailbox_filter_gives_who_sees_the_inbox(desk: Desk) -> None:
    support, sales = desk.add_inbox(), desk.add_inbox()
    admin = desk.add_user("Omar", role="admin")
    ines = desk.add_user("Ines", inboxes=(support,))
    desk.add_user("Lea", inboxes=(sales,))
    assert ids(desk, mailbox=support) == [desk.user_id, admin, ines]
    email = desk.get(f"/v2/users/{ines}").json()["email"]
    assert ids(desk, mailbox=support, email=email) == [ines]
    assert ids(desk, mailbox=sales, email=email) == []


def test_links_keep_the_filter(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    for _ in range(50):
        desk.add_user(inboxes=(inbox_id,))
    body = desk.get("/v2/users", mailbox=inbox_id).json()
    assert body["page"]["totalElements"] == 51
    rest = desk.get(body["_links"]["next"]["href"]).json()
    assert len(rest["_embedded"]["users"]) == 1
    assert f"mailbox={inbox_id}" in rest["_links"]["previous"]["href"]


def test_the_list_has_the_invited_but_no_deactivated_teams_or_system_users(desk: Desk) -> None:
    gone = desk.add_user()
    desk.write(lambda tx: users.set_state(tx, desk.account_id, gone, "inactive", desk.now))
    invited = desk.write(lambda tx: users.add_staff(tx, staff(desk, state="invited")))
    desk.write(lambda tx: users.add_staff(tx, staff(desk, type="system_user")))
    desk.add_team()
    assert ids(desk) == [desk.user_id, invited]
    assert desk.get(f"/v2/users/{gone}").status_code == 200


def test_v2_shows_a_system_user_as_a_user(desk: Desk) -> None:
    id = desk.write(lambda tx: users.add_staff(tx, staff(desk, type="system_user")))
    body = desk.get(f"/v2/users/{id}").json()
    assert (body["id"], body["type"], body["email"]) == (id, "user", None)


def test_a_team_is_no_user(desk: Desk) -> None:
    assert desk.get(f"/v2/users/{desk.add_team()}").status_code == 404


def test_a_page_far_beyond_the_end_is_empty(desk: Desk) -> None:
    body = desk.get("/v2/users", page=1_000_000_000).json()
    assert list(body["_embedded"].values()) == [[]]
    assert body["page"]["number"] == 1_000_000_000


def ids(desk: Desk, **filters: Any) -> list[int]:
    return [user["id"] for user in desk.get("/v2/users", **filters).json()["_embedded"]["users"]]


def staff(desk: Desk, **given: Any) -> users.NewStaff:
    return users.NewStaff(
        account_id=desk.account_id,
        first_name="Lea",
        last_name="Lind",
        created_at=desk.now,
        updated_at=desk.now,
        **given,
    )
