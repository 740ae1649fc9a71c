"""Showing once more that it is still the same who sits there: by password, by code, and at the OpenID provider."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.responses import Response

from deskhand.db.engine import Reader
from deskhand.lib.clock import MovableClock, to_wire
from deskhand.lib.secrets import digest
from deskhand.oauth import kept_form, oidc, sessions
from deskhand.oauth.authorize import AUTHORIZE_PATH
from deskhand.oauth.oidc import Provider, ProviderSettings
from tests.live import LiveServer
from tests.oauth.doors import Browser, Door, Person, sent_back, signed_in
from tests.oauth.test_code_page import App
from tests.oauth.test_oidc import Answers, came_back, go, id_token, know, provider_running
from tests.world import Desk

CONFIRM = "/sign-in/oidc/confirm"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider_running() as running:
        yield running


@pytest.fixture(scope="module")
def oidc_door(server: LiveServer, issuer: str) -> Iterator[Door]:
    door = Door(server, provider=ProviderSettings(issuer, "deskhand", "hidden", "Example Login"))
    yield door
    door.close()


def session_of(desk: Desk, browser: Browser) -> int:
    """The session of a browser."""
    hash = digest(browser.cookie or "")
    found = desk.server.app.database.read_now(
        lambda db: db.one(sessions._CURRENT, hash=hash, now=to_wire(desk.server.clock.now()))
    )
    assert found is not None
    return found.session_id


def is_sure(desk: Desk, browser: Browser, person: Person) -> bool:
    id, now = session_of(desk, browser), desk.server.clock.now()

    def read(db: Reader) -> bool:
        return sessions.is_confirmed(db, desk.account_id, person.user_id, id, now)

    return desk.server.app.database.read_now(read)


def told_when(monkeypatch: pytest.MonkeyPatch, at: float | None) -> None:
    """Have the provider say when somebody signed in there."""
    monkeypatch.setattr(oidc, "_moment", lambda _: at)


# -- The page


def test_letting_an_application_in_takes_the_password_once_more(
    door: Door, desk: Desk, person: Person, clock: MovableClock
) -> None:
    browser = signed_in(door, person)
    fresh = browser.get(AUTHORIZE_PATH, client_id=desk.client_id, state="a b")
    clock.advance(timedelta(minutes=11))
    left_open = browser.send(fresh, AUTHORIZE_PATH, decision="approve")
    assert left_open.status_code == 303 and left_open.headers["location"].startswith("/sign-in/confirm?next=%2F")
    away = browser.get(AUTHORIZE_PATH, client_id=desk.client_id, state="a b")
    assert away.status_code == 303
    page = browser.get(away.headers["location"])
    assert page.status_code == 200 and "Confirm that it’s you" in page.text
    wrong = browser.send(page, "/sign-in/confirm", current="not it")
    assert wrong.status_code == 400 and "This is not your password." in wrong.text
    right = browser.send(wrong, "/sign-in/confirm", current=person.password)
    assert right.status_code == 303
    answer = browser.send(browser.get(right.headers["location"]), AUTHORIZE_PATH, decision="approve")
    assert answer.status_code == 302 and set(sent_back(answer)) == {"code", "state"}
    assert sent_back(answer)["state"] == ["a b"]
    assert browser.get("/sign-in/confirm").headers["location"] == "/"  # it isn't asked again


def test_the_page_is_for_who_is_signed_in_sends_its_token_and_leads_nowhere_else(
    door: Door, person: Person, clock: MovableClock
) -> None:
    assert Browser(door).get("/sign-in/confirm").headers["location"] == "/sign-in"
    browser = signed_in(door, person)
    clock.advance(timedelta(minutes=11))
    page = browser.get("/sign-in/confirm?next=//evil.example")
    assert browser.send(page, "/sign-in/confirm", current=person.password, csrf="x").status_code == 403
    done = browser.send(page, "/sign-in/confirm", current=person.password, next="//evil.example")
    assert done.headers["location"] == "/"


def test_guessing_there_is_slowed_down(door: Door, person: Person, clock: MovableClock) -> None:
    browser = signed_in(door, person)
    clock.advance(timedelta(minutes=11))
    page = browser.get("/sign-in/confirm")
    for _ in range(5):
        browser.send(page, "/sign-in/confirm", current="x")
    late = browser.send(page, "/sign-in/confirm", current=person.password)
    assert late.status_code == 400 and "Too many attempts" in late.text


def test_a_session_that_was_put_into_a_browser_is_not_made_sure_for_its_maker(
    door: Door, desk: Desk, person: Person, clock: MovableClock
) -> None:
    mine, theirs = signed_in(door, person), signed_in(door, person)
    clock.advance(timedelta(minutes=11))
    assert mine.send(mine.get("/sign-in/confirm"), "/sign-in/confirm", current=person.password).status_code == 303
    assert is_sure(desk, mine, person) and not is_sure(desk, theirs, person)


# -- At the provider


def test_signing_in_by_the_provider_makes_sure_only_if_it_was_just_now(
    oidc_door: Door, desk: Desk, person: Person, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = know(issuer, person.email)
    for at, sure in ((None, False), (time.time() - 3600, False), (time.time(), True)):
        told_when(monkeypatch, at)
        browser = Browser(oidc_door)
        assert go(browser, subject).status_code == 303
        assert is_sure(desk, browser, person) is sure


def test_a_code_after_the_provider_makes_sure(
    oidc_door: Door, desk: Desk, person: Person, issuer: str, clock: MovableClock
) -> None:
    app, browser = App(desk, person), Browser(oidc_door)
    go(browser, know(issuer, person.email))
    assert browser.send(browser.get("/sign-in/code"), "/sign-in/code", code=app.code(1)).status_code == 303
    assert is_sure(desk, browser, person)


def test_the_provider_is_asked_to_ask_anew(
    oidc_door: Door, desk: Desk, person: Person, issuer: str, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = know(issuer, person.email)
    browser = Browser(oidc_door)
    told_when(monkeypatch, None)
    go(browser, subject)
    away = browser.get(f"{CONFIRM}?next=/console")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(away.headers["location"]).query).items()}
    assert (asked["prompt"], asked["max_age"], asked["login_hint"]) == ("login", "0", person.email)
    told_when(monkeypatch, time.time() - 300)  # it let them pass all the same
    refused = go(browser, subject, f"{CONFIRM}?next=/console")
    assert refused.status_code == 403 and "That does not count" in refused.text
    assert not is_sure(desk, browser, person)
    for at in (time.time(), None):
        told_when(monkeypatch, at)
        done = go(browser, subject, f"{CONFIRM}?next=/console")
        assert (done.status_code, done.headers["location"]) == (303, "/console")
        assert is_sure(desk, browser, person)
        clock.advance(timedelta(minutes=11))
        assert not is_sure(desk, browser, person)


def test_somebody_else_at_the_provider_does_not_count(
    oidc_door: Door, desk: Desk, person: Person, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_when(monkeypatch, None)
    browser = Browser(oidc_door)
    go(browser, know(issuer, person.email))
    answer = go(browser, know(issuer, "mallory@elsewhere.example"), CONFIRM)
    assert answer.status_code == 403 and "That is somebody else" in answer.text
    assert go(browser, know(issuer, person.email), CONFIRM).status_code == 403  # the same address, another identity
    assert not is_sure(desk, browser, person)


def test_what_was_begun_counts_for_that_session_alone(oidc_door: Door, desk: Desk, person: Person, issuer: str) -> None:
    subject = know(issuer, person.email)
    browser = Browser(oidc_door)
    go(browser, subject)
    path = came_back(browser, subject, CONFIRM)
    browser.http.cookies.clear(domain="127.0.0.1", path="/", name=sessions.COOKIE)
    assert browser.get(path).status_code == 400
    assert Browser(oidc_door).get(CONFIRM).headers["location"] == "/sign-in"


def test_a_form_that_waited_is_sent_on_by_its_user(oidc_door: Door, desk: Desk, person: Person, issuer: str) -> None:
    subject, browser = know(issuer, person.email), Browser(oidc_door)
    go(browser, subject)
    given = [("name", '"><script>'), ("days", "1"), ("inboxes", "1"), ("inboxes", "2")]
    set_kept(desk, browser, session_of(desk, browser), given)
    page = go(browser, subject, f"{CONFIRM}?next=/settings/applications/tokens")
    assert page.status_code == 200 and "<script>" not in page.text
    assert page.text.count('name="inboxes"') == 2 and 'action="/settings/applications/tokens"' in page.text
    assert "deskhand_kept" not in browser.http.cookies
    set_kept(desk, browser, session_of(desk, browser) + 1, given)  # another's
    assert go(browser, subject, f"{CONFIRM}?next=/console").headers["location"] == "/console"


def set_kept(desk: Desk, browser: Browser, session_id: int, fields: list[tuple[str, str]]) -> None:
    """Have a browser keep a form, as the pages do."""

    response, sealer = Response(), desk.server.app.gateway.sealer
    where = "/settings/applications/tokens", "Making a token"
    kept_form.keep(response, sealer, desk.server.clock.now(), session_id, *where, fields, secure=False)
    value = response.headers["set-cookie"].partition("=")[2].partition(";")[0].strip('"')
    browser.http.cookies.set(kept_form.COOKIE, value, domain="127.0.0.1", path="/sign-in")


def test_a_time_that_is_none_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("now", True, [1]):
        with pytest.raises(oidc.ProviderError, match="time"):
            Answers(id_token(email="a@b.example", auth_time=wrong)).finish(monkeypatch)
    assert Answers(id_token(email="a@b.example", auth_time=17)).finish(monkeypatch).signed_in_at == 17
    assert Answers(id_token(email="a@b.example")).finish(monkeypatch).signed_in_at is None


def test_signing_in_as_ever_does_not_ask_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "_asked", Answers().asked)
    provider = Provider(ProviderSettings("https://login.example", "deskhand", "", "Example"), "https://desk.example")
    assert "prompt" not in parse_qs(urlsplit(asyncio.run(provider.begin()).url).query)
