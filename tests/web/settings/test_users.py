"""The settings of users: inviting, changing, signing out and deleting them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from lxml import html

from deskhand.db.statements import P, command
from deskhand.desk.users import queries, security_notices
from deskhand.desk.users.queries import UserRow
from deskhand.desk.users.security_notices import Notice
from deskhand.desk.users.tables import staff
from deskhand.lib.clock import MovableClock
from deskhand.oauth import second_factor, sessions
from tests.oauth.doors import PASSWORD, add_person
from tests.oauth.test_code_page import App
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk, unique


@pytest.fixture
def clock(desk: Desk) -> Iterator[MovableClock]:
    """The server's clock, set back after the test."""
    before = desk.server.clock.offset
    yield desk.server.clock
    desk.server.clock.offset = before


def user(desk: Desk, id: int) -> UserRow:
    found = desk.server.app.database.read_now(lambda db: queries.by_id(db, desk.account_id, id))
    assert found is not None
    return found


def alert(answer_text: str) -> str:

    found = html.fromstring(answer_text).cssselect("[role=alert]")
    assert found, answer_text[:2000]
    return " ".join(found[0].text_content().split())


def form(**more: object) -> dict[str, object]:
    return {
        "first_name": "Ines",
        "last_name": "Okafor",
        "email": f"{unique('new')}@desk.example",
        "role": "user",
    } | more


def added(desk: Desk, person: Person, **more: object) -> UserRow:
    given = form(**more)
    answer = person.send("/settings/users/new", **given)
    assert answer.status_code == 200, answer.text[:1000]
    database = desk.server.app.database
    found = database.read_now(lambda db: queries.by_email(db, desk.account_id, str(given["email"])))
    assert found is not None
    return found


def test_the_index_leads_to_every_section(desk: Desk) -> None:
    page = signed_in(desk).page("/settings")
    names = [link.text_content() for link in page.cssselect(".settings-index a")]
    assert names[:3] == ["Users", "Teams", "Inboxes"] and "Webhooks" in names


def test_settings_are_for_administrators(desk: Desk) -> None:
    ines = signed_in(desk, desk.add_user())
    for path in ("/settings", "/settings/users", "/settings/users/new"):
        assert ines.get(path).status_code == 403
    assert ines.http.get(desk.url + "/settings/users").status_code == 403


def test_who_is_invited_is_listed_and_sees_what_was_chosen(desk: Desk) -> None:
    support, _ = desk.add_inbox("Support"), desk.add_inbox("Billing")
    ada = signed_in(desk)
    invited = added(desk, ada, inboxes=[support], job_title="Lead")
    assert (invited.state, invited.role, invited.job_title) == ("invited", "user", "Lead")
    (line,) = [one for one in ada.page("/settings/users").cssselect(".things li") if "Ines" in one.text_content()]
    assert "Support" in line.text_content() and "Billing" not in line.text_content()
    assert "Invited" in line.text_content()


def test_a_form_that_is_wrong_comes_back_as_it_was_typed(desk: Desk) -> None:
    ada = signed_in(desk)
    answer = ada.send("/settings/users/new", **form(first_name=" ", email="nonsense", last_name="Ré<b>"))
    assert answer.status_code == 400
    said = alert(answer.text)
    assert "First name may not be empty." in said and "The address" in said

    page = html.fromstring(answer.text)
    assert page.get_element_by_id("last_name").get("value") == "Ré<b>"
    assert page.get_element_by_id("email").get("aria-invalid") == "true"


def test_an_address_belongs_to_one_user(desk: Desk) -> None:
    ada = signed_in(desk)
    first = added(desk, ada)
    answer = ada.send("/settings/users/new", **form(email=str(first.email).upper()))
    assert answer.status_code == 400 and "The address" in alert(answer.text)
    second = added(desk, ada)
    answer = ada.send(f"/settings/users/{second.id}", **form(email=first.email))
    assert answer.status_code == 400 and "belongs to somebody here already" in alert(answer.text)


def test_a_change_keeps_what_was_chosen_and_ends_at_once(desk: Desk) -> None:
    support, billing = desk.add_inbox("Support"), desk.add_inbox("Billing")
    id = desk.add_user(inboxes=(support,))
    assert desk.as_user(id).get(f"/v2/mailboxes/{support}").status_code == 200
    ada = signed_in(desk)
    given = form(email=user(desk, id).email, first_name="Inês", inboxes=[billing])
    assert ada.send(f"/settings/users/{id}", **given).status_code == 200
    assert user(desk, id).first_name == "Inês"
    ines = desk.as_user(id)
    assert ines.get(f"/v2/mailboxes/{support}").status_code == 403
    assert ines.get(f"/v2/mailboxes/{billing}").status_code == 200


def test_nobody_raises_themselves_and_owners_stay(desk: Desk) -> None:
    admin = desk.add_user("Lea", role="admin")
    lea, ada = signed_in(desk, admin), signed_in(desk)
    answer = lea.send(f"/settings/users/{admin}", **form(email=user(desk, admin).email, role="owner"))
    assert "only an owner can make an owner" in alert(answer.text)
    answer = lea.send(f"/settings/users/{desk.user_id}", **form(email=user(desk, desk.user_id).email, role="admin"))
    assert "Only an owner can change an owner" in alert(answer.text)
    answer = ada.send(f"/settings/users/{desk.user_id}", **form(email=user(desk, desk.user_id).email, role="admin"))
    assert "must stay owner" in alert(answer.text)
    assert user(desk, desk.user_id).role == "owner" and user(desk, admin).role == "admin"
    assert ada.send(f"/settings/users/{admin}", **form(email=user(desk, admin).email, role="owner")).ok
    assert ada.send(f"/settings/users/{desk.user_id}", **form(email=user(desk, desk.user_id).email, role="admin")).ok
    assert user(desk, desk.user_id).role == "admin"


def test_deleting_says_what_it_does_and_leaves_conversations_to_nobody(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = desk.add_user(inboxes=(inbox,))
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active", "assignTo": id,
        "customer": {"email": "paul@buyer.example"},
        "threads": [{"type": "customer", "text": "Where?", "customer": {"email": "paul@buyer.example"}}],
    }  # fmt: skip
    conversation = desk.post("/v2/conversations", body).headers["Location"]
    ada, ines = signed_in(desk), signed_in(desk, id)
    words = ada.page(f"/settings/users/{id}/delete").cssselect(".losing")[0].text_content()
    assert "1 conversation of theirs will have no owner" in words
    assert ada.send(f"/settings/users/{id}/delete").status_code == 200
    assert user(desk, id).state == "inactive"
    assert "assignee" not in desk.get(conversation).json()
    assert "sign-in" in ines.get("/settings").url
    assert ada.get(f"/settings/users/{id}").status_code == 404


def test_an_owner_and_oneself_can_t_be_deleted(desk: Desk) -> None:
    ada = signed_in(desk)
    assert not ada.page(f"/settings/users/{desk.user_id}/delete").cssselect(".losing")
    assert ada.send(f"/settings/users/{desk.user_id}/delete").status_code == 403


def test_signing_somebody_out_ends_browsers_and_programs(desk: Desk) -> None:
    id = desk.add_user()
    ines, program = signed_in(desk, id), desk.as_user(id)
    assert program.get("/v2/users/me").status_code == 200 and "sign-in" not in ines.get("/account").url
    assert signed_in(desk).send(f"/settings/users/{id}/sign-out").status_code == 200
    assert program.get("/v2/users/me").status_code == 401 and "sign-in" in ines.get("/settings").url


def test_another_address_takes_the_administrators_password(desk: Desk, clock: MovableClock) -> None:
    boss, id = add_person(desk), desk.add_user("Ines", role="user")
    desk.write(lambda tx: tx.run(_RAISE, id=boss.user_id))
    lea, before = signed_in(desk, boss.user_id), user(desk, id)
    new = f"{unique('moved')}@desk.example"
    clock.advance(sessions.CONFIRMED_FOR)
    for given, text in (({}, ""), ({"current": ""}, "Enter your password"), ({"current": "x"}, "not your password")):
        answer = lea.send(f"/settings/users/{id}", **form(email=new, first_name="Kept"), **given)
        assert answer.status_code == 403 and text in answer.text
        page = html.fromstring(answer.text)
        assert page.xpath("//input[@name='first_name']/@value") == ["Kept"]
        assert page.get_element_by_id("current").get("type") == "password"
        assert user(desk, id) == before
    assert lea.send(f"/settings/users/{id}", **form(email=str(before.email).upper(), first_name="Bea")).ok
    assert user(desk, id).first_name == "Bea"  # all else takes no password
    assert lea.send(f"/settings/users/{id}", **form(email=new), current=PASSWORD).ok
    assert user(desk, id).email == new


def test_both_addresses_are_told_of_another(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Notice] = []
    monkeypatch.setattr(security_notices, "tell_all", lambda tx, account_id, notices: told.extend(notices))
    id = desk.add_user("Ines")
    before, new = user(desk, id).email, f"{unique('moved')}@desk.example"
    assert signed_in(desk).send(f"/settings/users/{id}", **form(email=new)).ok
    assert [(one.what, one.email, one.address) for one in told] == [("address", before, new), ("address", new, new)]
    owner = user(desk, desk.user_id)
    assert {one.by for one in told} == {f"{owner.first_name} {owner.last_name}".strip()}


def test_turning_off_a_second_factor_takes_the_administrators_password(desk: Desk, clock: MovableClock) -> None:
    boss, colleague = add_person(desk), add_person(desk)
    desk.write(lambda tx: tx.run(_RAISE, id=boss.user_id))
    App(desk, colleague)
    lea, path = signed_in(desk, boss.user_id), f"/settings/users/{colleague.user_id}/second-factor"
    assert "Turn off the second factor of Mina Voss?" in str(lea.page(path).findtext(".//h1"))

    def is_on() -> bool:
        read = desk.server.app.database.read_now
        return read(lambda db: second_factor.is_on(db, desk.account_id, colleague.user_id))

    clock.advance(sessions.CONFIRMED_FOR)
    assert lea.send(path, current="wrong").status_code == 403 and is_on()
    assert lea.send(path, current=PASSWORD).status_code == 200 and not is_on()


_RAISE = command(sa.update(staff).where(staff.c.id == P("id")).values(role="admin"), keep=False)


def test_another_accounts_users_are_not_there(desk: Desk) -> None:

    stranger = open_desk(desk.server).user_id
    ada = signed_in(desk)
    assert ada.get(f"/settings/users/{stranger}").status_code == 404
    assert ada.send(f"/settings/users/{stranger}", **form()).status_code == 404
    assert ada.send(f"/settings/users/{stranger}/sign-out").status_code == 404
    assert ada.send(f"/settings/users/{stranger}/delete").status_code == 404
