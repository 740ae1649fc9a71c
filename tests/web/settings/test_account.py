"""The settings of inboxes, applications, the account and its office hours."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from lxml import html

from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.users import accounts
from deskhand.desk.users.accounts import AccountRow
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk, unique


def alert(answer: requests.Response) -> str:
    found = html.fromstring(answer.text).cssselect("[role=alert]")
    assert found, answer.text[:2000]
    return " ".join(found[0].text_content().split())


def account(desk: Desk) -> AccountRow:
    return desk.server.app.database.read_now(lambda db: accounts.of(db, desk.account_id))


# -- Inboxes


def form(**more: Any) -> dict[str, Any]:
    return {"name": "Orders", "email": f"{unique('orders')}@desk.example", "default_status": "active"} | more


def test_an_inbox_is_made_and_seen_by_who_was_chosen(desk: Desk) -> None:
    ines, lea = desk.add_user(), desk.add_user("Lea")
    given = form(users=[ines], default_status="pending", default_assignee_id=ines)
    answer = signed_in(desk).send("/settings/inboxes/new", **given)
    (made,) = desk.get("/v2/mailboxes").json()["_embedded"]["mailboxes"]
    assert answer.url.endswith(f"/settings/inboxes/{made['id']}/mail")
    assert made["name"] == "Orders" and made["email"] == given["email"]
    assert desk.as_user(ines).get(f"/v2/mailboxes/{made['id']}").status_code == 200
    assert desk.as_user(lea).get(f"/v2/mailboxes/{made['id']}").status_code == 403
    row = desk.server.app.database.read_now(lambda db: inboxes.by_id(db, desk.account_id, made["id"]))
    assert row is not None and (row.default_status, row.default_assignee_id) == ("pending", ines)


def test_an_inbox_is_changed_and_an_administrator_s_access_is_kept(desk: Desk) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox("Other")
    admin, ines = desk.add_user(role="admin", inboxes=(inbox,)), desk.add_user(inboxes=(inbox, other))
    ada = signed_in(desk)
    answer = ada.send(f"/settings/inboxes/{inbox}", **form(name="Parcels", slug="00ff00ff00ff00ff"))
    assert answer.status_code == 200, answer.text[:500]
    shown = desk.get(f"/v2/mailboxes/{inbox}").json()
    assert (shown["name"], shown["slug"]) == ("Parcels", "00ff00ff00ff00ff")
    assert desk.as_user(ines).get(f"/v2/mailboxes/{inbox}").status_code == 403
    assert desk.as_user(ines).get(f"/v2/mailboxes/{other}").status_code == 200
    person = ada.page(f"/settings/users/{admin}")
    assert person.cssselect(f"input[name=inboxes][value='{inbox}'][checked]")


@pytest.mark.parametrize(
    "given, fault",
    [
        ({"name": ""}, "Name may not be empty."),
        ({"email": "orders"}, "The address must be an e-mail address."),
        ({"slug": "orders"}, "The name in the API must have 16 characters"),
        ({"default_status": "spam"}, "The status must be active, pending or closed."),
    ],
)
def test_an_inbox_that_can_t_be_is_refused(desk: Desk, given: dict[str, str], fault: str) -> None:
    answer = signed_in(desk).send("/settings/inboxes/new", **form(**given))
    assert answer.status_code == 400 and fault in alert(answer)
    assert desk.get("/v2/mailboxes").json()["page"]["totalElements"] == 0


def test_an_address_is_one_inbox_s_and_an_owner_sees_it(desk: Desk) -> None:
    theirs = open_desk(desk.server)
    address = f"{unique('taken')}@desk.example"
    theirs.add_inbox(email=address)
    ines = desk.add_user()
    answer = signed_in(desk).send("/settings/inboxes/new", **form(email=address.upper(), default_assignee_id=ines))
    assert answer.status_code == 400
    assert "The address belongs to another inbox." in alert(answer) and "a user who sees this inbox" in alert(answer)


def test_only_an_empty_inbox_is_deleted(desk: Desk) -> None:
    used, empty = desk.add_inbox("Used"), desk.add_inbox("Empty")
    desk.add_field(empty, "Plan", "dropdown", ("Pro",))
    customer = {"email": "paul@buyer.example"}
    body = {
        "subject": "Refund", "type": "email", "mailboxId": used, "status": "active", "customer": customer,
        "threads": [{"type": "customer", "text": "Where?", "customer": customer}],
    }  # fmt: skip
    assert desk.post("/v2/conversations", body).status_code == 201
    ada = signed_in(desk)
    assert "It has conversations" in ada.page(f"/settings/inboxes/{used}/delete").text_content()
    answer = ada.send(f"/settings/inboxes/{used}/delete")
    assert answer.status_code == 412 and "It has conversations" in alert(answer)
    assert "1 custom field" in ada.page(f"/settings/inboxes/{empty}/delete").text_content()
    assert ada.send(f"/settings/inboxes/{empty}/delete").status_code == 200
    assert [one["id"] for one in desk.get("/v2/mailboxes").json()["_embedded"]["mailboxes"]] == [used]


# -- Applications


def credentials(answer: requests.Response) -> dict[str, str]:
    page = html.fromstring(answer.text)
    return {str(one.get("id")): one.text_content() for one in page.cssselect(".credentials code")}


def token(desk: Desk, id: str, secret: str) -> requests.Response:
    body = {"grant_type": "client_credentials", "client_id": id, "client_secret": secret}
    return requests.post(f"{desk.url}/v2/oauth2/token", data=body, timeout=30)


def made_by(person: Person) -> dict[str, str]:
    answer = person.send("/settings/applications/new", name="Ledger", redirect_url="https://ledger.example/back")
    assert answer.status_code == 200, answer.text[:500]
    return credentials(answer)


def test_an_application_works_until_its_secret_is_renewed(desk: Desk) -> None:
    ada = signed_in(desk)
    made = made_by(ada)
    access = token(desk, made["client-id"], made["client-secret"]).json()["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}
    assert requests.get(f"{desk.url}/v2/users/me", headers=bearer, timeout=30).json()["id"] == desk.user_id
    page = ada.page("/settings/applications")
    (path,) = [str(one.get("href")) for one in page.cssselect(".things .reach") if one.text_content() == "Ledger"]
    assert made["client-secret"] not in ada.get(path).text
    renewed = credentials(ada.send(f"{path}/secret"))
    assert renewed["client-id"] == made["client-id"] and renewed["client-secret"] != made["client-secret"]
    assert requests.get(f"{desk.url}/v2/users/me", headers=bearer, timeout=30).status_code == 401
    assert token(desk, made["client-id"], made["client-secret"]).status_code == 400
    assert token(desk, renewed["client-id"], renewed["client-secret"]).status_code == 200
    assert ada.send(f"{path}/delete").status_code == 200
    assert token(desk, renewed["client-id"], renewed["client-secret"]).status_code == 400


def test_an_application_needs_a_name_and_a_whole_address(desk: Desk) -> None:
    ada = signed_in(desk)
    for url in ("", "ledger.example", "javascript:alert(1)", "https://", "https://a.example/#x"):
        answer = ada.send("/settings/applications/new", name="", redirect_url=url)
        assert answer.status_code == 400
        assert alert(answer).startswith("Name may not be empty. The address must be a whole address")


def test_what_acts_as_an_owner_is_not_for_others_to_take(desk: Desk) -> None:
    lea = signed_in(desk, desk.add_user("Lea", role="admin"))
    path = f"/settings/applications/{desk.application_id}"
    assert lea.send(f"{path}/secret").status_code == 403
    answer = lea.send(path, name="Mine", redirect_url="https://evil.example/")
    assert answer.status_code == 400 and "only an owner can change it" in alert(answer)
    assert token(desk, desk.client_id, desk.client_secret).status_code == 200
    stranger = signed_in(open_desk(desk.server))
    assert stranger.get(path).status_code == stranger.send(f"{path}/delete").status_code == 404


def test_an_administrator_s_token_is_made_once_and_revoked(desk: Desk) -> None:
    ada = signed_in(desk)
    answer = ada.send("/settings/applications/tokens", name="Terraform", days="30")
    secret = credentials(answer)["token"]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert requests.get(f"{desk.url}/admin/v1/agents", headers=bearer, timeout=30).status_code == 200
    page = ada.page("/settings/applications")
    assert "Terraform" in page.text_content() and secret not in html.tostring(page, encoding="unicode")
    (path,) = [str(one.get("href")) for one in page.cssselect(".things a.danger")]
    assert ada.send(path).status_code == 200
    assert requests.get(f"{desk.url}/admin/v1/agents", headers=bearer, timeout=30).status_code == 401
    answer = ada.send("/settings/applications/tokens", name=" ", days="30")
    assert answer.status_code == 400 and alert(answer) == "Name may not be empty."


# -- The account


def changed(**more: Any) -> dict[str, Any]:
    given = {"name": "Northwind", "plan": "plus", "timezone": "Europe/Lisbon", "rate_limit": 0, "lock_after_days": 0}
    return {name: str(value) for name, value in (given | more).items()}


def test_an_owner_changes_the_account_and_calls_heed_it(desk: Desk) -> None:
    ada = signed_in(desk)
    assert (
        ada.send("/settings/account", **changed(name="Southwind", rate_limit=120, thread_editing=1)).status_code == 200
    )
    row = account(desk)
    assert (row.name, row.timezone, row.rate_limit, row.thread_editing) == ("Southwind", "Europe/Lisbon", 120, 1)
    assert desk.get("/v2/tags").headers["X-RateLimit-Limit-Minute"] == "120"
    assert ada.send("/settings/account", **changed()).status_code == 200
    assert account(desk).thread_editing == 0


@pytest.mark.parametrize(
    "given, fault",
    [
        ({"name": " "}, "Name may not be empty."),
        ({"plan": "gold"}, "Plan is not one of the plans."),
        ({"timezone": "Mars/Base"}, "The time zone must name a time zone"),
        ({"rate_limit": "-1"}, "The rate limit must be a whole number from 0 to 1,000,000."),
        ({"rate_limit": "many"}, "The rate limit must be a whole number"),
        ({"lock_after_days": "4000"}, "The number of days must be a whole number from 0 to 3,650."),
    ],
)
def test_an_account_that_can_t_be_is_refused(desk: Desk, given: dict[str, str], fault: str) -> None:
    before = account(desk)
    answer = signed_in(desk).send("/settings/account", **changed(**given))
    assert answer.status_code == 400 and fault in alert(answer)
    assert account(desk) == before


def test_administrators_see_the_account_and_owners_change_it(desk: Desk) -> None:
    lea = signed_in(desk, desk.add_user("Lea", role="admin"))
    assert not lea.page("/settings/account").cssselect("form .button.first")
    assert lea.send("/settings/account", **changed(name="Mine")).status_code == 403
    assert account(desk).name == "Northwind"


# -- Office hours


def hours(**days: tuple[str, str]) -> dict[str, str]:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    given: dict[str, str] = {}
    for name, (since, until) in days.items():
        number = names.index(name)
        given |= {f"open-{number}": "1", f"from-{number}": since, f"until-{number}": until}
    return given


def test_office_hours_are_kept_and_shown(desk: Desk) -> None:
    ada = signed_in(desk)
    assert ada.send("/settings/hours", **hours(mon=("09:00", "17:30"), sun=("22:00", "00:00"))).status_code == 200
    assert account(desk).hours == [(540, 1050), None, None, None, None, None, (1320, 1440)]
    page = ada.page("/settings/hours")
    assert [one.get("name") for one in page.cssselect("input[type=checkbox][checked]")] == ["open-0", "open-6"]
    assert page.cssselect("input[name=until-6]")[0].get("value") == "00:00"
    assert ada.send("/settings/hours").status_code == 200 and account(desk).hours is None


@pytest.mark.parametrize("day", [("17:00", "09:00"), ("09:00", "09:00"), ("", "10:00"), ("25:00", "26:00"), ("x", "y")])
def test_office_hours_that_can_t_be_are_refused(desk: Desk, day: tuple[str, str]) -> None:
    answer = signed_in(desk).send("/settings/hours", **hours(tue=day))
    assert answer.status_code == 400 and alert(answer) == "Tuesday must end after it begins."
    assert account(desk).hours is None
