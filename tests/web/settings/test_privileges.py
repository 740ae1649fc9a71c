"""Nobody gets more than they have: no owner of an administrator, no setting for users, no mail from light users."""

from __future__ import annotations

import pytest

from deskhand.desk.users import queries
from deskhand.desk.users.queries import UserRow
from deskhand.oauth import second_factor
from tests.oauth.doors import add_person
from tests.oauth.test_code_page import App
from tests.web.people import add_conversation, signed_in
from tests.world import Desk

pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)


def row(desk: Desk, id: int) -> UserRow:
    found = desk.server.app.database.read_now(lambda db: queries.by_id(db, desk.account_id, id))
    assert found is not None
    return found


def test_an_administrator_can_not_take_an_owners_place(desk: Desk) -> None:
    owner, admin = desk.user_id, desk.add_user("Rita", "Sand", role="admin")
    person, before = signed_in(desk, admin), row(desk, owner)
    wanted = {"first_name": "Rita", "last_name": "Sand", "role": "owner", "job_title": ""}
    mail = {"email": row(desk, admin).email or ""}
    forms = [
        (f"/settings/users/{admin}", wanted | mail),
        (f"/settings/users/{owner}", wanted | mail | {"role": "admin", "email": "rita@elsewhere.example"}),
        (f"/settings/users/{owner}", wanted | {"email": "rita@elsewhere.example"}),
        (f"/settings/users/{owner}/sign-out", {}),
        (f"/settings/users/{owner}/second-factor", {}),
        (f"/settings/users/{owner}/delete", {}),
        ("/settings/users/new", wanted | {"email": "new@elsewhere.example"}),
        ("/settings/account", {"name": "Mine", "plan": "pro", "timezone": "UTC", "rate_limit": "1"}),
        (f"/settings/applications/{desk.application_id}/secret", {}),
        (f"/settings/applications/{desk.application_id}", {"name": "x", "redirect_url": "https://evil.example/"}),
    ]  # fmt: skip
    for path, fields in forms:
        assert person.send(path, **fields).status_code >= 400, path
    assert (row(desk, owner), row(desk, admin).role) == (before, "admin")


def test_nobody_switches_their_own_second_factor_off_without_their_password(desk: Desk) -> None:
    who = add_person(desk)
    wanted = {"first_name": "Mina", "last_name": "Voss", "role": "admin", "job_title": "", "email": who.email}
    signed_in(desk).send(f"/settings/users/{who.user_id}", **wanted)
    assert row(desk, who.user_id).role == "admin"
    App(desk, who)
    person = signed_in(desk, who.user_id)
    answer = person.send(f"/settings/users/{who.user_id}/second-factor")
    assert "Your password" in answer.text
    assert desk.server.app.database.read_now(lambda db: second_factor.is_on(db, desk.account_id, who.user_id))


def test_a_light_user_sends_nothing_and_deletes_nothing(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id, other = add_conversation(desk, inbox), add_conversation(desk, inbox)
    draft = desk.post(
        f"/v2/conversations/{id}/reply",
        {"customer": {"email": "paul@buyer.example"}, "text": "Mine.", "draft": True},
    ).headers["Resource-ID"]
    light = signed_in(desk, desk.add_user(role="light user", inboxes=(inbox,)))
    before = desk.get(f"/v2/conversations/{id}/threads").json()
    forms = [
        (f"/conversation/{id}/reply", {"text": "x", "to": "paul@buyer.example"}),
        (f"/conversation/{id}/draft", {"text": "x", "kind": "reply"}),
        (f"/conversation/{id}/forward", {"forward_to": "a@b.example", "text": "x"}),
        ("/new", {"to": "a@b.example", "subject": "x", "text": "x", "inbox": str(inbox)}),
        (f"/conversation/{id}/merge", {"into": str(other)}),
        (f"/conversation/{id}/delete", {}),
        ("/bulk", {"do": "delete", "id": str(id)}),
        *((f"/conversation/{id}/draft/{draft}/{verb}", {}) for verb in ("send", "take", "discard")),
        *((f"/conversation/{id}/threads/{draft}/{verb}", {}) for verb in ("send", "unschedule", "undo", "again")),
        (f"/conversation/{id}/threads/{draft}/edit", {"text": "x"}),
        (f"/conversation/{id}/threads/{draft}/hide", {"hidden": "1"}),
        (f"/conversation/{id}/discard", {"kind": "reply"}),
    ]  # fmt: skip
    for path, fields in forms:
        assert light.send(path, **fields).status_code >= 400, path
    assert light.send(f"/conversation/{id}/files", files={"file": ("x.txt", b"x", "text/plain")}).status_code >= 400
    assert desk.get(f"/v2/conversations/{id}/threads").json() == before
    assert desk.get(f"/v2/conversations/{id}").json()["state"] == "published"
