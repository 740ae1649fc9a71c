"""What lets somebody in for good takes more than an open browser: the password once more, a code, or the provider."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from lxml import html

from deskhand.db.statements import P, Statement, command, value
from deskhand.desk.users.tables import staff
from deskhand.gateway.tables import admin_token, agent, agent_key
from deskhand.lib.clock import MovableClock
from deskhand.oauth import sessions
from deskhand.oauth.tables import application
from tests.oauth.doors import PASSWORD, Person, add_person
from tests.oauth.test_code_page import App
from tests.web import people
from tests.web.people import signed_in
from tests.world import Desk, unique

USER = {"first_name": "Ines", "last_name": "Roth", "job_title": ""}
BACK = "https://ledger.example/back"
_RAISE = command(sa.update(staff).where(staff.c.id == P("id")).values(role="admin"), keep=False)


def _texts(column: sa.ColumnElement[str], table: sa.Table) -> Statement[str]:
    return value(str, sa.select(column).where(table.c.account_id == P("account_id")).order_by(table.c.id), keep=False)


_DOORS = (
    _texts(staff.c.role + sa.func.coalesce(staff.c.email, ""), staff),
    _texts(application.c.redirect_url + application.c.secret_hash, application),
    _texts(admin_token.c.token_hash, admin_token),
    _texts(agent.c.secret_hash, agent),
    _texts(agent_key.c.key_hash, agent_key),
)


@pytest.fixture
def clock(desk: Desk) -> Iterator[MovableClock]:
    """The server's clock, set back after the test."""
    before = desk.server.clock.offset
    yield desk.server.clock
    desk.server.clock.offset = before


@pytest.fixture
def lea(desk: Desk) -> Person:
    """An administrator with a password."""
    made = add_person(desk)
    desk.write(lambda tx: tx.run(_RAISE, id=made.user_id))
    return made


def at_an_open_browser(desk: Desk, clock: MovableClock, user_id: int) -> people.Person:
    """Somebody who signed in long ago, and may have left the room since."""
    found = signed_in(desk, user_id)
    clock.advance(timedelta(minutes=11))
    return found


def all_there_is(desk: Desk) -> list[Any]:
    """What lets people and programs in."""

    read = desk.server.app.database.read_now
    return [read(lambda db, one=one: db.all(one, account_id=desk.account_id)) for one in _DOORS]  # type: ignore[misc]


def hidden(answer: requests.Response) -> dict[str, Any]:
    """The fields that wait on the page, without the token."""
    inputs = html.fromstring(answer.text).xpath("//div[@id='account']//form/input[@type='hidden']")
    return {one.get("name"): one.get("value") for one in inputs if one.get("name") != "csrf"}


def forms(desk: Desk, boss: people.Person) -> dict[str, tuple[str, dict[str, Any]]]:
    """The forms that let somebody in for good, by what they do."""
    colleague = desk.add_user("Ines", role="user")
    email = desk.get(f"/v2/users/{colleague}").json()["email"]
    assert boss.send("/settings/applications/new", name="Ledger", redirect_url=BACK).status_code == 200
    app = boss.page("/settings/applications").xpath("//ul[@class='things'][1]//a/@href")[-1]
    made = boss.send("/console/agents", name=unique("Echo"), preset="")
    assert made.status_code == 200
    one = boss.page("/console").xpath("//a[starts-with(@href, '/console/agents/')]/@href")
    echo = next(path for path in one if path.split("/")[3].isdigit()).split("/")[3]
    return {
        "invite": ("/settings/users/new", {**USER, "email": f"{unique('new')}@desk.example", "role": "admin"}),
        "role": (f"/settings/users/{colleague}", {**USER, "email": email, "role": "admin"}),
        "address": (f"/settings/users/{colleague}", {**USER, "email": f"{unique('x')}@desk.example", "role": "user"}),
        "application": ("/settings/applications/new", {"name": "Ledger", "redirect_url": BACK}),
        "leads": (app, {"name": "Ledger", "redirect_url": "https://evil.example/back"}),
        "secret": (f"{app}/secret", {}),
        "token": ("/settings/applications/tokens", {"name": "Nightly", "days": ""}),
        "agent": ("/console/agents", {"name": unique("Fox"), "preset": ""}),
        "key": (f"/console/agents/{echo}/keys", {}),
        "agent secret": (f"/console/agents/{echo}/secret", {}),
    }


FORMS = [
    "invite", "role", "address", "application", "leads", "secret", "token", "agent", "key", "agent secret",
]  # fmt: skip


@pytest.mark.parametrize("what", FORMS)
def test_an_open_browser_lets_nobody_in_for_good(desk: Desk, lea: Person, clock: MovableClock, what: str) -> None:
    path, fields = forms(desk, signed_in(desk, lea.user_id))[what]
    left_alone = at_an_open_browser(desk, clock, lea.user_id)
    before = all_there_is(desk)
    asked = left_alone.send(path, **fields)
    assert asked.status_code == 403 and "Confirm that it’s you" in asked.text
    assert hidden(asked) == fields  # nothing that was typed is lost
    wrong = left_alone.send(path, **hidden(asked), current="not it")
    assert wrong.status_code == 403 and "This is not your password." in wrong.text
    assert all_there_is(desk) == before
    done = left_alone.send(path, **hidden(wrong), current=PASSWORD)
    assert done.status_code == 200, done.text
    assert "Confirm that it’s you" not in done.text
    assert all_there_is(desk) != before


def test_it_counts_for_ten_minutes_and_for_this_browser_alone(desk: Desk, lea: Person, clock: MovableClock) -> None:
    here = at_an_open_browser(desk, clock, lea.user_id)
    there = signed_in(desk, lea.user_id)
    clock.advance(timedelta(minutes=11))
    token = {"name": "Nightly", "days": "1"}
    assert here.send("/settings/applications/tokens", **token, current=PASSWORD).status_code == 200
    clock.advance(timedelta(minutes=9))
    assert here.send("/settings/applications/tokens", **token).status_code == 200
    assert there.send("/settings/applications/tokens", **token).status_code == 403
    clock.advance(timedelta(minutes=2))
    assert here.send("/settings/applications/tokens", **token).status_code == 403


def test_who_has_just_signed_in_is_not_asked(desk: Desk, lea: Person) -> None:
    assert signed_in(desk, lea.user_id).send("/settings/applications/tokens", name="A", days="1").status_code == 200


def test_what_lets_nobody_in_asks_for_nothing(desk: Desk, lea: Person, clock: MovableClock) -> None:
    colleague = desk.add_user("Ines", role="user")
    email = desk.get(f"/v2/users/{colleague}").json()["email"]
    late = at_an_open_browser(desk, clock, lea.user_id)
    fields = {**USER, "email": email.upper(), "role": "light user"}
    assert late.send(f"/settings/users/{colleague}", **fields).status_code == 200
    assert desk.get(f"/v2/users/{colleague}").json()["role"] == "light user"


def test_several_values_of_a_field_are_kept(desk: Desk, lea: Person, clock: MovableClock) -> None:
    late = at_an_open_browser(desk, clock, lea.user_id)
    fields = {**USER, "email": f"{unique('n')}@desk.example", "role": "user", "inboxes": ["1", "2"]}
    asked = late.send("/settings/users/new", **fields)
    kept = html.fromstring(asked.text).xpath("//input[@type='hidden'][@name='inboxes']/@value")
    assert kept == ["1", "2"] and not html.fromstring(asked.text).xpath("//input[@name='current']/@value")[0]


def test_guessing_is_slowed_down_together_with_signing_in(desk: Desk, lea: Person, clock: MovableClock) -> None:
    late = at_an_open_browser(desk, clock, lea.user_id)
    sent = [late.send("/settings/applications/tokens", name="A", days="", current="x") for _ in range(6)]
    assert "Too many attempts" in sent[-1].text
    right = late.send("/settings/applications/tokens", name="A", days="", current=PASSWORD)
    assert right.status_code == 403 and "Too many attempts" in right.text


def test_who_may_not_do_it_is_told_so_and_not_asked(desk: Desk, clock: MovableClock) -> None:
    late = at_an_open_browser(desk, clock, add_person(desk).user_id)
    answer = late.send("/settings/applications/tokens", name="A", days="", current=PASSWORD)
    assert answer.status_code == 403 and "Confirm" not in answer.text


def test_who_has_no_password_gives_a_code_which_counts_once(desk: Desk, clock: MovableClock) -> None:
    id = desk.add_user("Ines", role="admin")
    app = App(desk, Person(id, "", ""))
    late = at_an_open_browser(desk, clock, id)
    other = at_an_open_browser(desk, clock, id)
    token = {"name": "Nightly", "days": "1"}
    asked = late.send("/settings/applications/tokens", **token)
    assert "A code from your app" in asked.text and "Your password" not in asked.text
    assert late.send("/settings/applications/tokens", **token, current="000000").status_code == 403
    code = app.code()
    assert late.send("/settings/applications/tokens", **token, current=code).status_code == 200
    again = other.send("/settings/applications/tokens", **token, current=code)
    assert again.status_code == 403 and "used before" in again.text
    assert other.send("/settings/applications/tokens", **token, current=app.recovery[0]).status_code == 200
    clock.advance(timedelta(minutes=11))
    assert other.send("/settings/applications/tokens", **token, current=app.recovery[0]).status_code == 403


def test_who_has_neither_signs_in_anew(desk: Desk, clock: MovableClock) -> None:
    late = at_an_open_browser(desk, clock, desk.add_user("Ines", role="admin"))
    asked = late.send("/settings/applications/tokens", name="A", days="1", current="anything")
    assert asked.status_code == 403 and "Sign in again" in asked.text


def test_who_signs_in_by_the_provider_goes_there_and_the_form_waits(desk: Desk, clock: MovableClock) -> None:
    web, late = desk.server.app.web, at_an_open_browser(desk, clock, desk.add_user("Ines", role="admin"))
    object.__setattr__(web, "provider", "Example Login")
    try:
        asked = late.send("/settings/applications/tokens", name="Nightly", days="1", current="x")
    finally:
        object.__setattr__(web, "provider", "")
    assert asked.status_code == 403
    [link] = html.fromstring(asked.text).xpath("//a[starts-with(@href, '/sign-in/oidc/confirm?')]")
    assert link.text == "Sign in with Example Login again" and "tokens" in link.get("href")
    line = next(one for one in asked.raw.headers.getlist("set-cookie") if one.startswith("deskhand_kept="))
    assert "HttpOnly; Max-Age=600; Path=/sign-in; SameSite=lax" in line and "Nightly" not in line


def test_a_session_from_before_it_was_noted_is_not_sure(desk: Desk, lea: Person) -> None:
    now = desk.server.clock.now()
    start = {"account_id": desk.account_id, "user_id": lea.user_id, "now": now, "before": None, "confirmed": None}
    person = people.Person(desk.server, desk.write(lambda tx: sessions.start(tx, **start)))  # type: ignore[arg-type]
    assert person.send("/settings/applications/tokens", name="A", days="1").status_code == 403
