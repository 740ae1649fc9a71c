"""Choosing a password by a link that came by mail."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from deskhand.db.statements import P, value
from deskhand.desk.sign_in_mail import PATHS
from deskhand.desk.users import sign_in_links
from deskhand.desk.users.tables import sign_in_link
from deskhand.lib.clock import MovableClock, to_wire
from deskhand.lib.secrets import digest
from tests.oauth.doors import Browser, Door, Person, add_person, deactivate, signed_in
from tests.oauth.test_sign_in import is_signed_in
from tests.world import Desk, open_desk

_LINKS = value(
    int,
    sa.select(sign_in_link.c.id).where(sign_in_link.c.user_id == P("user_id")).order_by(sign_in_link.c.id),
    keep=False,
)
_HASHES = value(str, sa.select(sign_in_link.c.token_hash).where(sign_in_link.c.user_id == P("user_id")), keep=False)
NEW = "seven calm harbours"


def links(desk: Desk, person: Person) -> list[int]:
    return desk.server.app.database.read_now(lambda db: db.all(_LINKS, user_id=person.user_id))


def link(desk: Desk, person: Person) -> str:
    """The path of the link that a person was mailed, as the job that mails it makes it."""
    [id] = links(desk, person)
    now = to_wire(desk.server.clock.now())
    found = desk.server.app.database.read_now(lambda db: sign_in_links.mailable(db, desk.account_id, id, now))
    assert found is not None
    token = sign_in_links.token(desk.server.app.gateway.sealer, desk.account_id, found)
    desk.write(lambda tx: sign_in_links.know_token(tx, desk.account_id, id, token))
    return PATHS[found.purpose] + token


def ask(browser: Browser, email: str) -> tuple[int, str]:
    answer = browser.send(browser.get("/sign-in/forgot"), "/sign-in/forgot", email=email)
    return answer.status_code, answer.text.replace(email.strip(), "…")


def choose(browser: Browser, path: str, password: str = NEW, again: str | None = None) -> tuple[int, str]:
    page = browser.get(path)
    if page.status_code != 200:
        return page.status_code, page.text
    answer = browser.send(page, path, password=password, again=password if again is None else again)
    return answer.status_code, answer.headers.get("location", answer.text)


def test_a_new_password_is_chosen_by_a_link_and_ends_all_sessions(door: Door, desk: Desk, person: Person) -> None:
    elsewhere, browser = signed_in(door, person), Browser(door)
    assert ask(browser, f" {person.email.upper()} ")[0] == 200
    path = link(desk, person)
    assert person.email in browser.get(path).text
    assert choose(browser, path) == (303, "/sign-in?said=password")
    assert not is_signed_in(elsewhere) and not is_signed_in(browser)
    assert "Your new password is set" in browser.get("/sign-in?said=password").text
    assert browser.sign_in(person).status_code == 400
    assert browser.sign_in(person, password=NEW).status_code == 303


def test_the_answer_is_the_same_whoever_is_asked_about(door: Door, desk: Desk, person: Person) -> None:
    away = add_person(desk)
    deactivate(desk, away.user_id)
    answers = [ask(Browser(door), email) for email in (person.email, "nobody@desk.example", away.email)]
    plain = {text.split("<main>")[1] for _, text in answers}
    assert {status for status, _ in answers} == {200} and len(plain) == 1
    assert len(links(desk, person)) == 1
    assert links(desk, away) == []


def test_a_link_works_once_and_for_an_hour(door: Door, desk: Desk, person: Person, clock: MovableClock) -> None:
    browser = Browser(door)
    ask(browser, person.email)
    path = link(desk, person)
    page = browser.get(path)  # looking at it uses nothing up
    assert choose(browser, path)[0] == 303
    again = browser.send(page, path, password="another long one", again="another long one")
    assert again.status_code == 404 and "/sign-in/forgot" in again.text
    ask(browser, person.email)
    path = link(desk, person)
    clock.advance(timedelta(minutes=58))
    assert browser.get(path).status_code == 200
    clock.advance(timedelta(minutes=2))
    assert choose(browser, path)[0] == 404


def test_a_newer_link_ends_the_one_before(browser: Browser, desk: Desk, person: Person) -> None:
    ask(browser, person.email)
    before = link(desk, person)
    ask(browser, person.email)
    after = link(desk, person)
    assert browser.get(before).status_code == 404
    assert browser.get(after).status_code == 200


def test_a_link_is_of_no_use_to_whoever_has_left(browser: Browser, desk: Desk, person: Person) -> None:
    ask(browser, person.email)
    path = link(desk, person)
    deactivate(desk, person.user_id)
    assert browser.get(path).status_code == 404


def test_the_token_is_not_stored(browser: Browser, desk: Desk, person: Person) -> None:
    ask(browser, person.email)
    token = link(desk, person).rpartition("/")[2]
    assert len(token) == 43  # 256 bits
    assert desk.server.app.database.read_now(lambda db: db.all(_HASHES, user_id=person.user_id)) == [digest(token)]


@pytest.mark.parametrize(
    ("password", "again", "words"),
    [
        ("short", None, "at least 8 characters"), ("x" * 501, None, "at most 500"), (NEW, NEW + "!", "differ"),
        ("Password1", None, "first that would be guessed"), ("aaaaaaaaaa", None, "first that would be guessed"),
    ],
)  # fmt: skip
def test_a_poor_password_is_refused_in_words(
    browser: Browser, desk: Desk, person: Person, password: str, again: str | None, words: str
) -> None:
    ask(browser, person.email)
    path = link(desk, person)
    status, text = choose(browser, path, password, again)
    assert status == 400 and words in text
    assert choose(browser, path)[0] == 303  # the link still works


def test_ones_own_address_is_no_password(browser: Browser, desk: Desk, person: Person) -> None:
    ask(browser, person.email)
    status, text = choose(browser, link(desk, person), person.email)
    assert status == 400 and "e-mail address" in text


def test_asking_is_slowed_down_by_address_and_by_network(
    door: Door, desk: Desk, person: Person, clock: MovableClock
) -> None:
    assert [ask(Browser(door), person.email)[0] for _ in range(6)] == [200] * 5 + [429]
    one = Browser(door)
    assert [ask(one, f"nobody{n}@desk.example")[0] for n in range(21)] == [200] * 20 + [429]
    clock.advance(timedelta(minutes=61))
    assert ask(one, person.email)[0] == 200


def test_the_page_tells_nobody_its_address(browser: Browser, desk: Desk, person: Person) -> None:
    ask(browser, person.email)
    headers = browser.get(link(desk, person)).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]


def test_forms_must_be_ours(browser: Browser, desk: Desk, person: Person) -> None:
    assert browser.post("/sign-in/forgot", {"csrf": "x", "email": person.email}).status_code == 403
    assert links(desk, person) == []
    ask(browser, person.email)
    path = link(desk, person)
    assert browser.post(path, {"csrf": "x", "password": NEW, "again": NEW}).status_code == 403
    assert browser.get(path).status_code == 200


def test_who_works_in_two_accounts_gets_a_link_for_each(door: Door, desk: Desk, person: Person) -> None:
    other = open_desk(desk.server)
    there = add_person(other, person.email)
    ask(Browser(door), person.email)
    assert choose(Browser(door), link(other, there))[0] == 303
    browser = Browser(door)
    assert browser.sign_in(person, password=NEW).status_code == 303  # there
    assert Browser(door).sign_in(person).status_code == 303  # here it is the old one


def test_an_invitation_lets_choose_a_password_and_in(door: Door, desk: Desk) -> None:
    body = {"firstName": "Noor", "lastName": "Haddad", "email": "noor@welcome.example", "role": "user"}
    id = int(desk.post("/v2/users", body).headers["Resource-ID"])
    noor = Person(id, "noor@welcome.example", NEW)
    path = link(desk, noor)
    assert path.startswith("/sign-in/welcome/")
    browser = Browser(door)
    page = browser.get(path).text
    assert "Welcome, Noor" in page
    assert browser.get(path.replace("welcome", "password")).status_code == 404
    assert choose(browser, path) == (303, "/")
    assert is_signed_in(browser)
    assert browser.get(path).status_code == 404
    assert Browser(door).sign_in(noor).status_code == 303
    users = {one["id"]: one for one in desk.get("/v2/users").json()["_embedded"]["users"]}
    assert id in users


def test_an_invitation_holds_a_week_and_can_be_sent_again(door: Door, desk: Desk, clock: MovableClock) -> None:
    quiet = {"firstName": "Noor", "lastName": "Haddad", "email": "quiet@welcome.example", "role": "user"}
    quiet_id = int(desk.post("/v2/users", quiet | {"sendInvite": False}).headers["Resource-ID"])
    invited = Person(quiet_id, "quiet@welcome.example", NEW)
    assert links(desk, invited) == []
    ask(Browser(door), invited.email)  # who forgot what they never had
    path = link(desk, invited)
    assert path.startswith("/sign-in/welcome/")
    clock.advance(timedelta(days=7, seconds=1))
    assert Browser(door).get(path).status_code == 404
