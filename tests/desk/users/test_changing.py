"""Changing users, and what becomes of the links that they were mailed."""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.catalogue.problems import AccessDenied, AlreadyThere, BadRequest, NotFound
from deskhand.db.engine import Writer
from deskhand.desk import access
from deskhand.desk.users import changing, queries, sign_in_links
from deskhand.desk.users.changing import UserChange
from deskhand.desk.users.queries import UserRow
from tests.world import Desk, open_desk, unique


def user(desk: Desk, id: int) -> UserRow:
    found = desk.server.app.database.read_now(lambda db: queries.by_id(db, desk.account_id, id))
    assert found is not None
    return found


def change(desk: Desk, id: int, by: int | None = None, **wanted: Any) -> None:
    """Change somebody, the rest of them as it is."""
    before = user(desk, id)
    given = {name: getattr(before, name) for name in UserChange.__struct_fields__} | wanted

    def work(tx: Writer) -> None:
        actor = access.actor(tx, by or desk.user_id)
        assert actor is not None
        changing.change(tx, actor, id, UserChange(**given), desk.now)

    desk.write(work)


def test_a_change_is_kept_without_spaces_around_it(desk: Desk) -> None:
    id, address = desk.add_user(), f"{unique('New')}@Desk.example"
    change(desk, id, first_name=" Inês ", email=f" {address} ", job_title=" Lead ", role="light user")
    row = user(desk, id)
    assert (row.first_name, row.email, row.job_title, row.role) == ("Inês", address.lower(), "Lead", "light user")


def test_every_fault_is_named(desk: Desk) -> None:
    with pytest.raises(BadRequest) as refused:
        change(desk, desk.add_user(), first_name=" ", last_name="x" * 41, email="x", role="king", job_title="x" * 51)
    named = {error.path for error in refused.value.errors}
    assert named == {"first_name", "last_name", "email", "role", "job_title"}


def test_an_address_is_taken_by_the_living_and_freed_by_the_gone(desk: Desk) -> None:
    first, second = desk.add_user(), desk.add_user()
    with pytest.raises(AlreadyThere):
        change(desk, second, email=user(desk, first).email)
    address = user(desk, first).email
    assert desk.delete(f"/v2/users/{first}").status_code == 204
    change(desk, second, email=address)
    assert user(desk, second).email == address and user(desk, first).email is None


@pytest.mark.parametrize("role", ["user", "light user"])
def test_only_administrators_change_users(desk: Desk, role: str) -> None:
    id = desk.add_user(role=role)
    with pytest.raises(AccessDenied):
        change(desk, id, by=id, role="admin")


def test_the_last_owner_stays_and_one_of_two_may_go(desk: Desk) -> None:
    other = desk.add_user("Lea")
    with pytest.raises(BadRequest):
        change(desk, desk.user_id, role="admin")
    change(desk, other, role="owner")
    change(desk, desk.user_id, by=other, role="user")
    with pytest.raises(BadRequest):
        change(desk, other, by=other, role="admin")
    assert user(desk, other).role == "owner"


def test_who_has_not_accepted_becomes_no_owner(desk: Desk) -> None:
    made = desk.post(
        "/v2/users", {"firstName": "Lea", "lastName": "B", "email": f"{unique('lea')}@desk.example", "role": "admin"}
    )
    with pytest.raises(BadRequest):
        change(desk, int(made.headers["Resource-ID"]), role="owner")


def test_a_new_address_gets_the_invitation_and_the_old_one_opens_nothing(desk: Desk) -> None:
    body = {"firstName": "Lea", "lastName": "B", "email": f"{unique('lea')}@desk.example", "role": "user"}
    id = int(desk.post("/v2/users", body).headers["Resource-ID"])

    def links() -> list[int]:
        return [
            link
            for link in range(1, 500)
            if desk.server.app.database.read_now(
                lambda db, link=link: sign_in_links.mailable(db, desk.account_id, link, desk.now)  # type: ignore[misc]
            )
        ]

    (before,) = links()
    change(desk, id, job_title="Lead")
    assert links() == [before]
    change(desk, id, email=f"{unique('lea')}@desk.example")
    (after,) = links()
    assert after != before


def test_another_accounts_users_are_not_there(desk: Desk) -> None:
    stranger = open_desk(desk.server).user_id
    wanted = UserChange(first_name="A", last_name="B", email="a@b.example", role="user")

    def work(tx: Writer) -> None:
        actor = access.actor(tx, desk.user_id)
        assert actor is not None
        changing.change(tx, actor, stranger, wanted, desk.now)

    with pytest.raises(NotFound):
        desk.write(work)
