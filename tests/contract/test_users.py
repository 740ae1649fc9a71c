"""Inviting and deleting users, whether they are there, system users, and who is in a team.

Facts: §5 and facts 56, 58-64 of the wire contract's half B
(https://developer.helpscout.com/mailbox-api/endpoints/users/create/, users/status/, system-users/, teams/).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from deskhand.desk.users import verbs as users
from tests.desk.conversations.builders import created, done, events, faults, read
from tests.world import Desk, open_desk, unique


def new_user(**changes: Any) -> dict[str, Any]:
    return {
        "firstName": "Ines", "lastName": "Okafor", "email": f"{unique('new')}@desk.example", "role": "user",
    } | changes  # fmt: skip


def colleagues(desk: Desk, *roles: str) -> list[Desk]:
    return [desk.as_user(desk.add_user(role=role)) for role in roles]


def listed(desk: Desk, path: str, key: str) -> list[Any]:
    answer = desk.get(path)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["page"]["number"] == 1 and body["page"]["size"] == 50
    return list(body["_embedded"][key])


# -- Creating (fact 58)


def test_a_user_is_invited(desk: Desk) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox()
    body = new_user(
        timezone="Europe/Lisbon", jobTitle="Support", phone="+1 5", role="light user", sendInvite=False,
        mailboxes=[{"id": inbox}, {"id": other, "emailAccess": False}, {"id": inbox, "emailAccess": True}],
    )  # fmt: skip
    answer = desk.post("/v2/users", body)
    id = created(answer)
    assert answer.content == b"" and answer.headers["Location"] == f"{desk.server.url}/v2/users/{id}"
    user = desk.get(f"/v2/users/{id}").json()
    assert {name: user[name] for name in body if name in user} == {
        name: body[name] for name in body if name not in ("sendInvite", "mailboxes")
    }
    assert (user["initials"], user["type"]) == ("IO", "user")
    assert id in [one["id"] for one in listed(desk, "/v2/users", "users")], "the invited are listed"
    assert id in [one["id"] for one in listed(desk, f"/v2/users?mailbox={inbox}", "users")]
    assert id not in [one["id"] for one in listed(desk, f"/v2/users?mailbox={other}", "users")]
    assert desk.as_user(id).get("/v2/users/me").status_code == 401, "until they have accepted"


def test_without_a_time_zone_a_user_has_the_accounts(desk: Desk) -> None:
    desk = open_desk(desk.server, timezone="Europe/Dublin")
    id = created(desk.post("/v2/users", new_user(firstName=" Ines ")))
    user = desk.get(f"/v2/users/{id}").json()
    assert (user["timezone"], user["firstName"], user["jobTitle"], user["phone"]) == ("Europe/Dublin", "Ines", "", "")


def test_what_is_null_counts_as_left_out(desk: Desk) -> None:
    inbox = desk.add_inbox()
    body = new_user(timezone=None, jobTitle=None, phone=None, sendInvite=None)
    answer = desk.post("/v2/users", body | {"mailboxes": [{"id": inbox, "emailAccess": None}]})
    assert answer.status_code == 201, answer.text
    seen = desk.get("/v2/users", mailbox=inbox).json()["_embedded"]["users"]
    assert int(answer.headers["Resource-ID"]) in [one["id"] for one in seen]
    assert desk.post("/v2/users", new_user(mailboxes=None)).status_code == 201


def test_roles_that_can_be_given(desk: Desk) -> None:
    for role in ("admin", "user", "light user"):
        id = created(desk.post("/v2/users", new_user(role=role)))
        assert desk.get(f"/v2/users/{id}").json()["role"] == role
    for wrong in ("owner", "Admin", "", None, 1):
        assert faults(desk.post("/v2/users", new_user(role=wrong))) == ["role"]


def test_only_owners_and_administrators_invite(desk: Desk) -> None:
    admin, user, light = colleagues(desk, "admin", "user", "light user")
    created(admin.post("/v2/users", new_user()))
    before = len(listed(desk, "/v2/users", "users"))
    assert user.post("/v2/users", new_user()).status_code == light.post("/v2/users", new_user()).status_code == 403
    assert len(listed(desk, "/v2/users", "users")) == before


@pytest.mark.parametrize(
    ("changes", "at_fault"),
    [
        ({"firstName": "x" * 41}, ["firstName"]),
        ({"lastName": "x" * 41, "jobTitle": "x" * 51}, ["lastName", "jobTitle"]),
        ({"firstName": "", "lastName": None}, ["firstName", "lastName"]),
        ({"firstName": " ", "lastName": "\t", "timezone": "Nowhere"}, ["firstName", "lastName", "timezone"]),
        ({"email": "nobody"}, ["email"]),
        ({"email": None}, ["email"]),
        ({"timezone": "Europe"}, ["timezone"]),
        ({"timezone": "../../etc/passwd"}, ["timezone"]),
        ({"timezone": "x" * 101}, ["timezone"]),
        ({"phone": 5}, ["phone"]),
        ({"sendInvite": "yes"}, ["sendInvite"]),
        ({"mailboxes": {}}, ["mailboxes"]),
        ({"mailboxes": [{}]}, ["mailboxes[0].id"]),
        ({"mailboxes": [{"id": 999_999_999}, {"id": 2**63 - 1}]}, ["mailboxes[0].id", "mailboxes[1].id"]),
        ({"mailboxes": [{"id": 1, "emailAccess": 1}]}, ["mailboxes[0].emailAccess"]),
        ({"mailboxes": [{"id": 1}] * 1_001}, ["mailboxes"]),
    ],
)
def test_a_wrong_user_is_refused_and_named(desk: Desk, changes: dict[str, Any], at_fault: list[str]) -> None:
    assert faults(desk.post("/v2/users", new_user(**changes))) == at_fault
    assert [one["id"] for one in listed(desk, "/v2/users", "users")] == [desk.user_id]


def test_an_address_in_use_is_409(desk: Desk) -> None:
    body = new_user()
    created(desk.post("/v2/users", body))
    again = desk.post("/v2/users", body | {"email": body["email"].upper()})
    assert faults(again, 409) == ["email"]
    created(open_desk(desk.server).post("/v2/users", body))


def test_the_address_of_a_deleted_user_is_free_again(desk: Desk) -> None:
    body = new_user()
    first = created(desk.post("/v2/users", body))
    done(desk.delete(f"/v2/users/{first}"))
    second = created(desk.post("/v2/users", body))
    assert second != first
    assert [one["id"] for one in listed(desk, f"/v2/users?email={body['email']}", "users")] == [second]


# -- Deleting


def test_a_deleted_user_is_off_every_list_and_signed_out(desk: Desk) -> None:
    ines = desk.as_user(desk.add_user())
    team = desk.add_team(members=(ines.user_id,))
    assert ines.get("/v2/users/me").status_code == 200
    done(desk.delete(f"/v2/users/{ines.user_id}"))
    assert ines.get("/v2/users/me").status_code == 401
    assert [one["id"] for one in listed(desk, "/v2/users", "users")] == [desk.user_id]
    assert [one["userId"] for one in listed(desk, "/v2/users/status", "userStatuses")] == [desk.user_id]
    assert listed(desk, f"/v2/teams/{team}/members", "users") == []
    assert desk.get(f"/v2/users/{ines.user_id}").status_code == 200, "what they wrote still names them"
    for path in ("", "/status", "/conversation-reassignment"):
        method = "GET" if path else "DELETE"
        assert desk.request(method, f"/v2/users/{ines.user_id}{path}").status_code == 404


def test_who_may_delete_whom(desk: Desk) -> None:
    admin, other_admin, user, light = colleagues(desk, "admin", "admin", "user", "light user")
    for caller in (user, light):
        assert caller.delete(f"/v2/users/{admin.user_id}").status_code == 403
        assert caller.delete(f"/v2/users/{caller.user_id}").status_code == 403
    assert faults(admin.delete(f"/v2/users/{desk.user_id}"), 403) == ["userId"], "not the owner"
    assert faults(admin.delete(f"/v2/users/{admin.user_id}"), 403) == ["userId"], "not oneself"
    assert len(listed(desk, "/v2/users", "users")) == 5
    done(admin.delete(f"/v2/users/{other_admin.user_id}"))
    for id in (desk.add_team(), desk.add_system_user(), 999_999_999):
        assert desk.delete(f"/v2/users/{id}").status_code == 404


def test_me_cannot_be_deleted_by_that_name(desk: Desk) -> None:
    assert desk.delete("/v2/users/me").status_code == 400


# -- Statuses (facts 59-61)


def status(desk: Desk, id: int) -> Any:
    answer = desk.get(f"/v2/users/{id}/status")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_who_never_said_anything_is_active(desk: Desk) -> None:
    ines = desk.add_user()
    known = desk.get(f"/v2/users/{ines}").json()
    assert status(desk, ines) == {
        "userId": ines,
        "email": {"status": "active", "updatedAt": known["createdAt"], "performedBy": ines, "source": "ui"},
        "chat": {"status": "unavailable", "mailboxStatuses": {}},
        "_links": {"self": {"href": f"{desk.server.url}/v2/users/{ines}/status"}},
    }


def test_going_away_is_shown_with_who_said_so(desk: Desk) -> None:
    ines = desk.as_user(desk.add_user())
    done(ines.put(f"/v2/users/{ines.user_id}/status", {"status": "away"}))
    shown = status(desk, ines.user_id)["email"]
    assert shown == {
        "status": "away", "updatedAt": shown["updatedAt"], "performedBy": ines.user_id, "source": "api",
    }  # fmt: skip
    done(desk.put(f"/v2/users/{ines.user_id}/status", {"status": "available"}))
    shown = status(desk, ines.user_id)["email"]
    assert (shown["status"], shown["performedBy"]) == ("active", desk.user_id), "available is another word for active"


def test_a_status_has_the_time_it_was_set(desk: Desk) -> None:
    before = desk.server.clock.offset
    try:
        desk.server.clock.offset += timedelta(hours=1)
        now = desk.now
        done(desk.put(f"/v2/users/{desk.user_id}/status", {"status": "away"}))
        assert now <= status(desk, desk.user_id)["email"]["updatedAt"] <= desk.now
    finally:
        desk.server.clock.offset = before


def test_a_status_in_ones_own_words(desk: Desk) -> None:
    place, words = f"/v2/users/{desk.user_id}/status", {"text": "Lunch", "emoji": "🍜", "emojiName": ":ramen:"}
    done(desk.put(place, {"status": "away", "customStatus": words}))
    assert status(desk, desk.user_id)["email"]["customStatus"] == words
    done(desk.put(place, {"status": "away", "customStatus": {"text": "Out", "emoji": None}}))
    assert status(desk, desk.user_id)["email"]["customStatus"] == {"text": "Out"}
    done(desk.put(place, {"status": "away"}))
    assert "customStatus" not in status(desk, desk.user_id)["email"]


@pytest.mark.parametrize(
    ("body", "at_fault"),
    [
        ({}, ["status"]),
        ({"status": None}, ["status"]),
        ({"status": "busy"}, ["status"]),
        ({"status": ["away"]}, ["status"]),
        ({"status": "away", "customStatus": {}}, ["customStatus.text"]),
        ({"status": "away", "customStatus": {"emoji": "🍜"}}, ["customStatus.text"]),
        ({"status": "away", "customStatus": {"text": ""}}, ["customStatus.text"]),
        ({"status": "away", "customStatus": {"text": "x" * 101}}, ["customStatus.text"]),
        ({"status": "away", "customStatus": {"text": "x", "emoji": 1}}, ["customStatus.emoji"]),
        ({"status": "away", "customStatus": "Lunch"}, ["customStatus"]),
    ],
)
def test_a_wrong_status_is_refused_and_named(desk: Desk, body: dict[str, Any], at_fault: list[str]) -> None:
    before = status(desk, desk.user_id)
    assert faults(desk.put(f"/v2/users/{desk.user_id}/status", body)) == at_fault
    assert status(desk, desk.user_id) == before


def test_a_user_speaks_for_themselves_alone(desk: Desk) -> None:
    admin, user, light = colleagues(desk, "admin", "user", "light user")
    gone = {"status": "away"}
    for caller in (user, light):
        assert caller.put(f"/v2/users/{admin.user_id}/status", gone).status_code == 403
        done(caller.put(f"/v2/users/{caller.user_id}/status", gone))
        assert caller.get(f"/v2/users/{admin.user_id}/status").status_code == 200
    assert status(desk, admin.user_id)["email"]["status"] == "active"
    done(admin.put(f"/v2/users/{desk.user_id}/status", gone))
    for id in (desk.add_team(), desk.add_system_user(), 999_999_999):
        for answer in (desk.get(f"/v2/users/{id}/status"), desk.put(f"/v2/users/{id}/status", gone)):
            assert answer.status_code == 404


def test_statuses_are_listed_page_by_page(desk: Desk) -> None:
    ids = [desk.user_id, *(desk.add_user() for _ in range(50))]
    desk.add_team()
    desk.add_system_user()
    done(desk.put(f"/v2/users/{ids[1]}/status", {"status": "away", "customStatus": {"text": "Lunch"}}))
    pages = [desk.get("/v2/users/status", page=number).json() for number in (1, 2)]
    found = [one for page in pages for one in page["_embedded"]["userStatuses"]]
    assert [one["userId"] for one in found] == ids
    assert [len(page["_embedded"]["userStatuses"]) for page in pages] == [50, 1]
    assert found[1] == status(desk, ids[1])
    assert pages[0]["page"]["totalElements"] == 51
    assert desk.get("/v2/users/status", page=1_000_000_000).json()["_embedded"] == {"userStatuses": []}


def test_a_changed_status_is_an_event_and_a_repeated_one_is_none(desk: Desk) -> None:
    ines = desk.add_user()
    place = f"/v2/users/{ines}/status"
    for body in (
        {"status": "active"}, {"status": "away"}, {"status": "away"}, {"status": "away", "customStatus": {"text": "x"}},
        {"status": "available"},
    ):  # fmt: skip
        done(desk.put(place, body))
    found = [fact for fact in events(desk, ines) if fact.name == "user.status.changed"]
    assert [msgspec.json.decode(fact.particulars) for fact in found] == [
        {"before": "active", "after": "away"}, {"before": "away", "after": "away"},
        {"before": "away", "after": "active"},
    ]  # fmt: skip
    assert {(fact.inbox_id, fact.actor_type, fact.actor_id) for fact in found} == {(None, "user", desk.user_id)}


# -- Conversation reassignment (fact 62)


def away(hours: Any, minutes: Any, enabled: Any = True) -> dict[str, Any]:
    return {"enabled": enabled, "awayDuration": {"hours": hours, "minutes": minutes}}


def test_reassignment_is_off_until_it_is_set(desk: Desk) -> None:
    place = f"/v2/users/{desk.add_user()}/conversation-reassignment"
    assert desk.get(place).json() == {"enabled": False, "awayDuration": {"hours": 0, "minutes": 0}}
    for wanted in (away(1, 30), away(8760, 59, enabled=False)):
        done(desk.put(place, wanted))
        assert desk.get(place).json() == wanted


@pytest.mark.parametrize(
    ("body", "at_fault"),
    [
        (away(1, 60), ["awayDuration.minutes"]),
        (away(-1, -1), ["awayDuration.hours", "awayDuration.minutes"]),
        (away(10**12, 0), ["awayDuration.hours"]),
        (away(1.5, "0"), ["awayDuration.hours", "awayDuration.minutes"]),
        ({"enabled": True, "awayDuration": {}}, ["awayDuration.hours", "awayDuration.minutes"]),
        ({"enabled": True, "awayDuration": 90}, ["awayDuration"]),
        ({"enabled": True}, ["awayDuration"]),
        ({"awayDuration": {"hours": 1, "minutes": 0}}, ["enabled"]),
        (away(1, 0, enabled=1), ["enabled"]),
    ],
)
def test_a_wrong_reassignment_is_refused_and_named(desk: Desk, body: dict[str, Any], at_fault: list[str]) -> None:
    place = f"/v2/users/{desk.user_id}/conversation-reassignment"
    assert faults(desk.put(place, body)) == at_fault
    assert desk.get(place).json()["enabled"] is False


def test_who_may_decide_about_reassignment(desk: Desk) -> None:
    admin, user = colleagues(desk, "admin", "user")
    body = away(1, 0)
    assert user.put(f"/v2/users/{admin.user_id}/conversation-reassignment", body).status_code == 403
    done(user.put(f"/v2/users/{user.user_id}/conversation-reassignment", body))
    done(admin.put(f"/v2/users/{desk.user_id}/conversation-reassignment", body))
    assert desk.put(f"/v2/users/{desk.add_team()}/conversation-reassignment", body).status_code == 404


# -- System users (facts 56, 63)


def test_system_users_are_listed_apart(desk: Desk) -> None:
    triage, wick = desk.add_system_user("Triage"), desk.add_system_user("Wick")
    desk.add_team()
    found = listed(desk, "/v3/system-users", "system_users")
    assert [one["id"] for one in found] == [triage, wick]
    place = f"{desk.server.url}/v3/system-users/{triage}"
    known = found[0]
    assert known == {
        "id": triage, "type": "system_user", "firstName": "Triage", "lastName": "", "initials": "T", "email": None,
        "mention": None, "timezone": "UTC", "role": "user", "photoUrl": None, "createdAt": known["createdAt"],
        "updatedAt": known["updatedAt"], "_links": {"self": {"href": place}},
    }  # fmt: skip
    assert desk.get(place).json() == known
    assert all(one["type"] == "user" for one in listed(desk, "/v2/users", "users"))
    for id in (desk.user_id, desk.add_team(), 999_999_999):
        assert desk.get(f"/v3/system-users/{id}").status_code == 404
    assert desk.get("/v2/system-users").status_code == 404


# -- Who is in a team (fact 64)


def change(desk: Desk, team: int, added: Any = (), deleted: Any = ()) -> Any:
    return desk.put(f"/v2/teams/{team}/members", {"addedUserIds": list(added), "deletedUserIds": list(deleted)})


def members(desk: Desk, team: int) -> list[int]:
    return [one["id"] for one in listed(desk, f"/v2/teams/{team}/members", "users")]


def test_users_come_into_a_team_and_leave_it(desk: Desk) -> None:
    ines, lea, omar = (desk.add_user() for _ in range(3))
    team, other = desk.add_team("One", (ines,)), desk.add_team("Two", (ines,))
    done(change(desk, team, [lea, omar, lea, ines], []))
    assert members(desk, team) == [ines, lea, omar]
    done(change(desk, team, [], [ines, omar, ines]))
    done(change(desk, team, [lea], [omar]))
    done(change(desk, team))
    assert (members(desk, team), members(desk, other)) == ([lea], [ines])


def test_who_was_deleted_can_leave_a_team_but_not_come_into_one(desk: Desk) -> None:
    gone = desk.add_user()
    team = desk.add_team(members=(gone,))
    desk.write(lambda tx: users.set_state(tx, desk.account_id, gone, "inactive", desk.now))
    assert faults(change(desk, team, [gone])) == ["addedUserIds[0]"]
    done(change(desk, team, [], [gone]))
    desk.write(lambda tx: users.set_state(tx, desk.account_id, gone, "active", desk.now))
    assert members(desk, team) == []


def test_wrong_changes_of_a_team_are_refused_and_named(desk: Desk) -> None:
    ines = desk.add_user()
    team = desk.add_team(members=(ines,))
    place = f"/v2/teams/{team}/members"
    assert faults(desk.put(place, {})) == ["addedUserIds", "deletedUserIds"]
    assert faults(desk.put(place, {"addedUserIds": [desk.user_id]})) == ["deletedUserIds"]
    assert faults(change(desk, team, ["x", 0])) == ["addedUserIds[0]", "addedUserIds[1]"]
    assert faults(change(desk, team, [desk.user_id, team, desk.add_system_user(), 999_999_999])) == [
        "addedUserIds[1]", "addedUserIds[2]", "addedUserIds[3]",
    ]  # fmt: skip
    assert faults(change(desk, team, [], [ines, team])) == ["deletedUserIds[1]"]
    assert faults(change(desk, team, [ines], [ines])) == ["deletedUserIds[0]"]
    assert faults(change(desk, team, range(1, 1_002))) == ["addedUserIds"]
    assert members(desk, team) == [ines]
    for id in (ines, 999_999_999):
        assert change(desk, id).status_code == 404


def test_only_owners_and_administrators_change_teams(desk: Desk) -> None:
    admin, user, light = colleagues(desk, "admin", "user", "light user")
    team = desk.add_team()
    assert change(user, team, [user.user_id]).status_code == change(light, team).status_code == 403
    assert members(desk, team) == []
    done(change(admin, team, [user.user_id]))
    assert members(desk, team) == [user.user_id]


def test_what_a_deleted_user_wrote_still_names_them(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ines = desk.as_user(desk.add_user("Ines", "Okafor", inboxes=(inbox,)))
    body = {
        "subject": "x", "type": "email", "mailboxId": inbox, "status": "active", "customer": {"email": "a@b.example"},
        "threads": [{"type": "note", "text": "x"}], "assignTo": ines.user_id,
    }  # fmt: skip
    id = created(ines.post("/v2/conversations", body))
    done(desk.delete(f"/v2/users/{ines.user_id}"))
    whole = read(desk, id, embed="threads")
    assert "assignee" not in whole
    assert whole["createdBy"]["id"] == ines.user_id
    assert desk.get(whole["_links"]["createdByUser"]["href"]).json()["firstName"] == "Ines"
