"""Signing in to the web pages, and out again."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from argon2 import PasswordHasher
from starlette.requests import Request
from starlette.responses import Response

from deskhand.db.engine import Unavailable
from deskhand.db.statements import P, value
from deskhand.desk.users.tables import staff
from deskhand.lib.clock import MovableClock
from deskhand.oauth import passwords, sessions, throttle
from deskhand.oauth.pages import STYLESHEET, Handler, guarded
from tests.live import LiveServer
from tests.oauth.doors import CHEAP, Browser, Door, Person, add_person, deactivate, forms, rename_account, signed_in
from tests.world import Desk, open_desk, unique

TOKENS = Path(__file__).parents[2] / "src/deskhand/web/static/css/tokens.css"
STORED = value(str, staff.select().with_only_columns(staff.c.password_hash).where(staff.c.id == P("id")), keep=False)


def is_signed_in(browser: Browser) -> bool:
    """The sign-in page sends straight on whoever is signed in."""
    return browser.get("/sign-in").status_code == 303


def cookie_of(answer: requests.Response, name: str) -> str:
    """The Set-Cookie line of a cookie."""
    lines = answer.raw.headers.getlist("set-cookie")
    found = [line for line in lines if line.startswith(name + "=")]
    assert len(found) == 1, lines
    assert isinstance(found[0], str)
    return found[0]


def test_signing_in_leads_to_where_one_wanted_to_go(browser: Browser, person: Person) -> None:
    answer = browser.sign_in(person, next="/console/agents?page=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/agents?page=2"
    assert is_signed_in(browser)


def test_signing_in_leads_to_the_start_page_otherwise(browser: Browser, person: Person) -> None:
    assert browser.sign_in(person).headers["location"] == "/"


def test_the_email_address_may_be_written_in_any_case(browser: Browser, person: Person) -> None:
    assert browser.sign_in(person, email=f" {person.email.upper()} ").status_code == 303


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser, person: Person) -> None:
    line = cookie_of(browser.sign_in(person), sessions.COOKIE)
    assert re.fullmatch(
        rf"{sessions.COOKIE}=[A-Za-z0-9]{{43}}; HttpOnly; Max-Age=1209600; Path=/; SameSite=lax", line
    ), line


def test_cookies_are_for_https_alone_where_the_base_url_is(desk: Desk, person: Person) -> None:
    door = Door(desk.server, "https://desk.example")
    try:
        browser = Browser(door)
        page = browser.get("/sign-in")
        assert "; Secure" in cookie_of(page, "deskhand_form")
        token = forms(page.text)["/sign-in"]["csrf"]
        answer = browser.post(
            "/sign-in", {"csrf": token, "email": person.email, "password": person.password},
            Cookie=f"deskhand_form={token}",
        )  # fmt: skip
        assert answer.status_code == 303
        assert "; Secure" in cookie_of(answer, sessions.COOKIE)
    finally:
        door.close()


def test_a_wrong_password_is_refused_in_words_that_tell_nothing(browser: Browser, person: Person) -> None:
    wrong = browser.sign_in(person, password="wrong")
    unknown = browser.sign_in(person, email="nobody@desk.example")
    assert wrong.status_code == unknown.status_code == 400
    assert plain(wrong, person.email) == plain(unknown, "nobody@desk.example")
    assert 'role="alert"' in wrong.text
    assert "wrong" not in wrong.text
    assert not is_signed_in(browser)


def plain(page: requests.Response, email: str) -> str:
    return page.text.replace(email, "…")


def test_unknown_people_cost_a_verification_too(server: LiveServer, desk: Desk, person: Person) -> None:
    cost = Counting(time_cost=1, memory_cost=8, parallelism=1)
    door = Door(server, cost=cost)
    try:
        browser = Browser(door)
        for email in (person.email, "nobody@desk.example", add_person(desk, state="invited").email):
            before = cost.verified
            assert browser.sign_in(person, email=email, password="wrong").status_code == 400
            assert cost.verified == before + 1
    finally:
        door.close()


class Counting(PasswordHasher):
    """Counts verifications."""

    verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        self.verified += 1
        return super().verify(hash, password)


@pytest.mark.parametrize("state", ["invited", "inactive"])
def test_only_active_users_sign_in(desk: Desk, browser: Browser, state: str) -> None:
    assert browser.sign_in(add_person(desk, state=state)).status_code == 400


def test_a_user_without_a_password_does_not_sign_in(desk: Desk, browser: Browser) -> None:
    email = desk.get("/v2/users/me").json()["email"]
    assert browser.sign_in(Person(desk.user_id, email, "")).status_code == 400
    assert browser.sign_in(Person(desk.user_id, email, "None")).status_code == 400


def test_email_and_password_must_be_given(browser: Browser, person: Person) -> None:
    for missing in ("email", "password"):
        answer = browser.sign_in(person, **{missing: ""})
        assert answer.status_code == 400
        assert "Enter your e-mail address" in answer.text


def test_what_was_typed_is_kept_but_for_the_password_and_never_markup(browser: Browser, person: Person) -> None:
    answer = browser.sign_in(person, email='"><script>alert(1)</script>', password="se<cret")
    assert "<script" not in answer.text
    assert "se&lt;cret" not in answer.text and "se<cret" not in answer.text
    assert forms(answer.text)["/sign-in"]["email"] == '"><script>alert(1)</script>'


def test_who_is_signed_in_goes_straight_on(door: Door, person: Person) -> None:
    answer = signed_in(door, person).get("/sign-in", next="/console")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


# --- sessions


def test_a_session_ends_after_fourteen_days(door: Door, person: Person, clock: MovableClock) -> None:
    browser = signed_in(door, person)
    clock.advance(timedelta(days=14, seconds=-10))
    assert is_signed_in(browser)
    clock.advance(timedelta(seconds=11))
    assert not is_signed_in(browser)


def test_signing_in_never_takes_over_a_cookie_that_was_there(browser: Browser, person: Person) -> None:
    planted = "A" * 43
    browser.http.cookies.set(sessions.COOKIE, planted, domain="127.0.0.1", path="/")
    browser.sign_in(person)
    assert browser.cookie not in (None, planted)
    assert is_signed_in(browser)
    thief = Browser(browser.door)
    thief.http.cookies.set(sessions.COOKIE, planted, domain="127.0.0.1", path="/")
    assert not is_signed_in(thief)


def test_signing_in_again_ends_the_session_before(browser: Browser, person: Person) -> None:
    page = browser.get("/sign-in")
    browser.send(page, "/sign-in", email=person.email, password=person.password)
    before = browser.cookie
    again = {"csrf": "B" * 32, "email": person.email, "password": person.password}
    browser.http.cookies.set("deskhand_form", "B" * 32, domain="127.0.0.1", path="/sign-in")
    assert browser.post("/sign-in", again).status_code == 303
    assert browser.cookie not in (None, before)
    older = Browser(browser.door)
    older.http.cookies.set(sessions.COOKIE, str(before), domain="127.0.0.1", path="/")
    assert not is_signed_in(older)


def test_a_deactivated_user_is_signed_out_at_once(door: Door, desk: Desk, person: Person) -> None:
    browser = signed_in(door, person)
    deactivate(desk, person.user_id)
    assert not is_signed_in(browser)


def test_a_user_can_be_signed_out_everywhere(door: Door, desk: Desk, person: Person) -> None:
    browsers = [signed_in(door, person), signed_in(door, person)]
    other = signed_in(door, add_person(desk))
    desk.write(lambda tx: sessions.end_of_user(tx, desk.account_id, person.user_id))
    assert not any(is_signed_in(browser) for browser in browsers)
    assert is_signed_in(other)


def test_signing_out_ends_the_session(door: Door, desk: Desk, person: Person) -> None:
    browser = signed_in(door, person)
    value = str(browser.cookie)
    page = browser.get("/authentication/authorizeClientApplication", client_id=desk.client_id)
    answer = browser.send(page, "/sign-out", next="/console")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fconsole")
    assert browser.cookie is None
    kept = Browser(door)
    kept.http.cookies.set(sessions.COOKIE, value, domain="127.0.0.1", path="/")
    assert not is_signed_in(kept)


def test_signing_out_without_a_session_leads_to_the_form(browser: Browser) -> None:
    answer = browser.post("/sign-out", {})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert browser.get("/sign-out").status_code == 405


# --- forms of other sites


def test_the_sign_in_form_must_come_from_our_page(door: Door, person: Person) -> None:
    right = {"email": person.email, "password": person.password}
    for csrf in ({}, {"csrf": ""}, {"csrf": "C" * 32}, {"csrf": "\u00e9"}):
        browser = Browser(door)
        assert browser.post("/sign-in", right | csrf).status_code == 403  # no page was loaded
        browser.get("/sign-in")
        answer = browser.post("/sign-in", right | csrf)
        assert answer.status_code == 403
        assert browser.cookie is None
        assert browser.send(answer, "/sign-in", **right).status_code == 303  # the page that says so works


def test_a_form_that_the_browser_says_is_foreign_is_refused(door: Door, person: Person) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 303)):
        browser = Browser(door)
        token = forms(browser.get("/sign-in").text)["/sign-in"]["csrf"]
        fields = {"csrf": token, "email": person.email, "password": person.password}
        assert browser.post("/sign-in", fields, **{"Sec-Fetch-Site": site}).status_code == status


def test_signing_out_must_come_from_our_page(door: Door, person: Person) -> None:
    browser = signed_in(door, person)
    assert browser.post("/sign-out", {"csrf": "x"}).status_code == 403
    assert browser.post("/sign-out", {}).status_code == 403
    assert is_signed_in(browser)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
        "/\t/evil.example", "/\n/evil.example", "\t//evil.example", "evil.example", "javascript:alert(1)", "",
        "/x\r\nSet-Cookie: a=b", "/\u00e9", "/" + "x" * 10_000,
    ],
)  # fmt: skip
def test_nobody_is_led_to_another_site(browser: Browser, person: Person, wanted: str) -> None:
    page = browser.get("/sign-in", next=wanted)
    assert forms(page.text)["/sign-in"]["next"] == "/"
    answer = browser.send(page, "/sign-in", email=person.email, password=person.password, next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/sign-in", next=wanted).headers["location"] == "/"
    assert browser.post("/sign-out", {"csrf": "x", "next": wanted}).status_code == 403


def test_a_form_too_large_is_refused(browser: Browser, person: Person) -> None:
    assert browser.sign_in(person, email="x" * 70_000).status_code == 413


@pytest.mark.parametrize("text", ["\0", "a\0b@desk.example", "\ud83d\ude00", "x" * 50_000])
def test_odd_texts_are_wrong_like_any_other(browser: Browser, person: Person, text: str) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16")
    assert browser.sign_in(person, email=text).status_code == 400
    assert browser.sign_in(person, password=text).status_code == 400


# --- guessing


def test_after_five_failures_the_right_password_must_wait_too(
    door: Door, desk: Desk, person: Person, clock: MovableClock
) -> None:
    for _ in range(throttle.MOST_BY_EMAIL):
        assert Browser(door).sign_in(person, password="guess").status_code == 400
    browser = Browser(door)
    answer = browser.sign_in(person)
    assert answer.status_code == 429
    wait_s = int(answer.headers["retry-after"])
    assert 0 < wait_s <= 300
    assert re.search(r"Too many attempts\. Please wait (a minute|[2-5] minutes) and try again\.", answer.text)
    assert Browser(door).sign_in(add_person(desk)).status_code == 303
    clock.advance(timedelta(seconds=wait_s))
    assert browser.sign_in(person).status_code == 303


def test_after_thirty_failures_an_address_must_wait(door: Door, desk: Desk, person: Person) -> None:
    browser = Browser(door)
    for _ in range(throttle.MOST_BY_ADDRESS):
        assert browser.sign_in(person, email=f"{unique('guess')}@desk.example").status_code == 400
    assert browser.sign_in(person).status_code == 429
    assert Browser(door).sign_in(person).status_code == 303


def test_guessing_in_parallel_gains_nothing(door: Door, person: Person, clock: MovableClock) -> None:
    clock.set(clock.now().replace(second=10))
    statuses: list[int] = []

    def guess() -> None:
        statuses.append(Browser(door).sign_in(person, password="guess").status_code)

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [400] * throttle.MOST_BY_EMAIL + [429] * (20 - throttle.MOST_BY_EMAIL)


def test_signing_in_often_is_no_guessing(door: Door, person: Person) -> None:
    for _ in range(throttle.MOST_BY_EMAIL + 2):
        signed_in(door, person)


# --- parameters that change, accounts that share an address


@pytest.fixture
def costlier(server: LiveServer) -> Iterator[Door]:
    door = Door(server, cost=PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    yield door
    door.close()


def test_a_password_is_stored_anew_when_the_parameters_have_changed(
    costlier: Door, door: Door, desk: Desk, person: Person
) -> None:
    def stored() -> str:
        return desk.server.app.database.read_now(lambda db: db.first(STORED, id=person.user_id))

    before = stored()
    signed_in(door, person)
    assert stored() == before
    signed_in(costlier, person)
    after = stored()
    assert "m=16,t=2" in after
    signed_in(costlier, person)
    assert stored() == after
    assert passwords.verify(after, person.password, CHEAP)


def test_of_several_accounts_the_password_decides(door: Door, desk: Desk, person: Person) -> None:
    elsewhere = open_desk(desk.server)
    other = add_person(elsewhere, email=person.email, password="another password")
    for one, home in ((person, desk), (other, elsewhere)):
        page = signed_in(door, one).get("/authentication/authorizeClientApplication", client_id=home.client_id)
        assert page.status_code == 200


def test_where_several_accounts_fit_one_is_chosen(door: Door, desk: Desk, browser: Browser, person: Person) -> None:
    elsewhere = rename_account(open_desk(desk.server), "Fabrikam")
    add_person(elsewhere, email=person.email)
    page = browser.sign_in(person, next="/console")
    assert page.status_code == 200
    assert browser.cookie is None
    assert "Northwind" in page.text and "Fabrikam" in page.text
    assert person.password not in page.text
    fields = {"email": person.email, "password": person.password, "account": str(elsewhere.account_id)}
    assert browser.send(page, "/sign-in", **fields | {"account": "0"}).status_code == 400
    assert browser.send(page, "/sign-in", **fields | {"password": "wrong"}).status_code == 400
    answer = browser.send(page, "/sign-in", **fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    page = browser.get("/authentication/authorizeClientApplication", client_id=elsewhere.client_id)
    assert page.status_code == 200


def test_the_accounts_of_somebody_are_told_only_to_who_knows_the_password(
    door: Door, desk: Desk, browser: Browser, person: Person
) -> None:
    add_person(rename_account(open_desk(desk.server), "Fabrikam"), email=person.email)
    assert "Fabrikam" not in browser.sign_in(person, password="wrong").text


# --- the page


def test_the_application_serves_these_pages(server: LiveServer) -> None:
    for path, status in (
        ("/sign-in", 200),
        ("/static/sign-in.css", 200),
        ("/authentication/authorizeClientApplication", 400),
    ):
        assert requests.get(server.url + path, timeout=30).status_code == status


def test_while_the_database_is_away_the_page_says_so() -> None:
    async def handler(_: Request) -> Response:
        raise Unavailable("it is away")

    response = asyncio.run(_call(guarded(handler)))
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert b"away" not in response.body


async def _call(handler: Handler) -> Response:
    return await handler(Request({"type": "http", "headers": []}))


def test_the_page_is_guarded_by_its_headers(browser: Browser) -> None:
    headers = browser.get("/sign-in").headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "form-action 'self'" in policy
    assert "unsafe" not in policy


def test_a_page_loads_its_stylesheet_and_the_icon_and_nothing_else(browser: Browser) -> None:
    html = browser.get("/sign-in").text
    assert "<script" not in html and "<style" not in html and "style=" not in html
    [sheet] = re.findall(r'<link rel="stylesheet" href="([^"]+)"', html)
    assert sheet.startswith("/static/sign-in.css?v=")
    others = set(re.findall(r'(?:<link|<img)[^>]+(?:href|src)="([^"]+)"', html)) - {sheet}
    assert others == {"/static/deskhand.svg"}
    assert browser.get("/static/deskhand.svg").headers["content-type"].startswith("image/svg")
    sheet = browser.get(sheet)
    assert sheet.status_code == 200
    assert sheet.headers["content-type"].startswith("text/css")
    assert "immutable" in sheet.headers["cache-control"]
    assert "url(" not in sheet.text and "@import" not in sheet.text


def test_every_field_has_a_label(browser: Browser) -> None:
    html = browser.get("/sign-in").text
    assert '<html lang="en">' in html
    for id in re.findall(r'<input id="([^"]+)"', html):
        assert f'<label for="{id}">' in html


def test_the_pages_have_the_colours_of_the_desks_pages() -> None:
    own, desks = (re.findall(r"(--[\w-]+): ([^;]+);", sheet) for sheet in (STYLESHEET.decode(), TOKENS.read_text()))
    assert len(own) > 20
    tokens = {(name, value) for name, value in desks}
    assert [one for one in own if one not in tokens] == []
