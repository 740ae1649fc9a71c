"""Signing in with a second factor: a code after the password, or a recovery code."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from deskhand.db.statements import P, command, value
from deskhand.lib.clock import MovableClock
from deskhand.lib.sealing import Sealer
from deskhand.oauth import second_factor, sessions, steps, totp
from deskhand.oauth.tables import second_factor as factors
from deskhand.oauth.tables import sign_in_step
from tests.oauth.doors import Browser, Door, Person, add_person, deactivate
from tests.oauth.test_sign_in import cookie_of, is_signed_in
from tests.world import Desk

_SPOIL = command(sa.update(factors).where(factors.c.user_id == P("id")).values(sealed="v1.AAAA"), keep=False)
_SEALED = value(str, sa.select(factors.c.sealed).where(factors.c.user_id == P("id")), keep=False)
_STEPS = value(str, sa.select(sign_in_step.c.step_hash).where(sign_in_step.c.user_id == P("id")), keep=False)


class App:
    """Somebody's authenticator app, once it is switched on."""

    def __init__(self, desk: Desk, person: Person) -> None:
        self.desk, self.person, self.clock = desk, person, desk.server.clock
        early = self.clock.now().timestamp() % totp.STEP_S
        self.clock.advance(timedelta(seconds=totp.STEP_S - early + 1))  # so that no step turns while a test runs
        self.sealer: Sealer = desk.server.app.gateway.sealer
        who = desk.account_id, person.user_id
        now = self.clock.now()
        desk.write(lambda tx: second_factor.begin(tx, self.sealer, *who, now))
        found = desk.server.app.database.read_now(lambda db: second_factor.factor(db, *who))
        assert found is not None
        self.secret = second_factor.secret(self.sealer, *who, found)
        codes = desk.write(lambda tx: second_factor.switch_on(tx, self.sealer, *who, self.code(), now))
        assert codes is not None
        self.recovery = codes

    def code(self, away: int = 0) -> str:
        return totp.code(self.secret, int(self.clock.now().timestamp()) // 30 + away)


def half_in(browser: Browser, person: Person, **fields: str) -> None:
    """Give the password; there is no session yet."""
    answer = browser.sign_in(person, **fields)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in/code"), answer.text
    assert browser.cookie is None


def enter(browser: Browser, code: str, path: str = "/sign-in/code") -> int:
    return browser.send(browser.get(path), "/sign-in/code", code=code).status_code


def test_a_code_is_asked_for_after_the_password(
    browser: Browser, desk: Desk, person: Person, clock: MovableClock
) -> None:
    app = App(desk, person)
    answer = browser.sign_in(person, next="/console?page=2")
    assert answer.headers["location"] == "/sign-in/code?next=%2Fconsole%3Fpage%3D2"
    assert not any(line.startswith(sessions.COOKIE) for line in answer.raw.headers.getlist("set-cookie"))
    line = cookie_of(answer, steps.COOKIE)
    assert "; HttpOnly; Max-Age=600; Path=/sign-in; SameSite=lax" in line
    assert not is_signed_in(browser)
    done = browser.send(browser.get(answer.headers["location"]), "/sign-in/code", code=app.code(1))
    assert (done.status_code, done.headers["location"]) == (303, "/console?page=2")
    assert is_signed_in(browser)
    assert browser.http.cookies.get(steps.COOKIE) is None


def test_a_code_is_never_taken_twice(door: Door, desk: Desk, person: Person, clock: MovableClock) -> None:
    app = App(desk, person)
    first, second = Browser(door), Browser(door)
    for browser in (first, second):
        half_in(browser, person)
    assert enter(first, app.code()) == 400  # it was used to switch it on
    assert enter(first, app.code(1)) == 303
    assert enter(second, app.code(1)) == 400
    assert enter(second, app.code(-1)) == 400  # nor one from before
    clock.advance(timedelta(seconds=90))
    assert enter(second, app.code()) == 303


def test_each_recovery_code_works_once_however_it_is_written(door: Door, desk: Desk, person: Person) -> None:
    app = App(desk, person)
    given = app.recovery[3]
    first, second = Browser(door), Browser(door)
    half_in(first, person)
    assert "recovery code" in first.get("/sign-in/code?with=recovery").text
    assert enter(first, f" {given.upper().replace('-', ' ')} ", "/sign-in/code?with=recovery") == 303
    half_in(second, person)
    assert enter(second, given, "/sign-in/code?with=recovery") == 400
    left = desk.server.app.database.read_now(lambda db: second_factor.codes_left(db, desk.account_id, person.user_id))
    assert left == second_factor.RECOVERY_CODES - 1


def test_somebody_elses_codes_are_of_no_use(door: Door, desk: Desk, person: Person) -> None:
    App(desk, person)
    other = App(desk, add_person(desk))
    browser = Browser(door)
    half_in(browser, person)
    assert enter(browser, other.code(1)) == 400
    assert enter(browser, other.recovery[0]) == 400


def test_guessing_codes_is_slowed_down_and_time_helps(
    browser: Browser, desk: Desk, person: Person, clock: MovableClock
) -> None:
    app = App(desk, person)
    half_in(browser, person)
    assert [enter(browser, "000000") for _ in range(6)] == [400] * 5 + [429]
    right = browser.send(browser.get("/sign-in/code"), "/sign-in/code", code=app.code(1))
    assert right.status_code == 429 and int(right.headers["retry-after"]) > 60
    clock.advance(timedelta(seconds=16 * 60))
    half_in(browser, person)  # what was begun then is over
    assert enter(browser, app.code()) == 303


def test_what_is_half_done_ends_by_itself_and_with_the_password(
    door: Door, desk: Desk, person: Person, clock: MovableClock
) -> None:
    app = App(desk, person)
    late, changed, gone = (Browser(door) for _ in range(3))
    half_in(late, person)
    clock.advance(timedelta(seconds=steps.LIFE_S + 1))
    assert late.get("/sign-in/code").headers["location"] == "/sign-in"
    half_in(changed, person)
    desk.write(lambda tx: sessions.end_of_user(tx, desk.account_id, person.user_id))
    assert changed.get("/sign-in/code", next="/x").headers["location"] == "/sign-in?next=%2Fx"
    half_in(gone, person)
    page = gone.get("/sign-in/code")
    deactivate(desk, person.user_id)
    assert gone.send(page, "/sign-in/code", code=app.code(1)).headers["location"] == "/sign-in"


def test_nothing_is_stored_that_lets_anybody_in(browser: Browser, desk: Desk, person: Person) -> None:
    app = App(desk, person)
    half_in(browser, person)
    read = desk.server.app.database.read_now
    assert app.secret not in read(lambda db: db.first(_SEALED, id=person.user_id))
    assert browser.http.cookies[steps.COOKIE] not in read(lambda db: db.all(_STEPS, id=person.user_id))


def test_where_the_key_is_missing_recovery_codes_still_work(browser: Browser, desk: Desk, person: Person) -> None:
    app = App(desk, person)
    desk.write(lambda tx: tx.run(_SPOIL, id=person.user_id))
    half_in(browser, person)
    answer = browser.send(browser.get("/sign-in/code"), "/sign-in/code", code="123456")
    assert answer.status_code == 503 and "recovery code" in answer.text
    assert enter(browser, app.recovery[0]) == 303


def test_the_form_must_be_ours(browser: Browser, desk: Desk, person: Person) -> None:
    app = App(desk, person)
    half_in(browser, person)
    fields = {"csrf": "x" * 32, "next": "/", "code": app.code(1)}
    assert browser.post("/sign-in/code", fields).status_code == 403
    assert enter(browser, app.code(1)) == 303  # it was not used up


def test_a_secret_that_was_never_proved_is_not_asked_for(browser: Browser, desk: Desk, person: Person) -> None:
    sealer, now = desk.server.app.gateway.sealer, desk.server.clock.now()
    desk.write(lambda tx: second_factor.begin(tx, sealer, desk.account_id, person.user_id, now))
    assert browser.sign_in(person).headers["location"] == "/"
