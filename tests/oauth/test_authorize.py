"""Letting an application act as a user."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from deskhand.lib.clock import MovableClock
from deskhand.oauth import codes
from deskhand.oauth.authorize import AUTHORIZE_PATH
from tests.oauth.doors import (
    Browser,
    Door,
    Person,
    add_application,
    add_person,
    approve,
    deactivate,
    forms,
    rename_account,
    sent_back,
    signed_in,
)
from tests.oauth.test_endpoint import assert_granted_with_refresh, exchange, user_of
from tests.world import Desk, open_desk


def test_12_approving_sends_code_and_state_to_the_registered_address(door: Door, desk: Desk, person: Person) -> None:
    browser = signed_in(door, person)
    page = browser.get(AUTHORIZE_PATH, client_id=desk.client_id, state="abc", redirect_uri="https://evil.example")
    answer = browser.send(page, AUTHORIZE_PATH, decision="approve")
    assert answer.status_code == 302
    assert re.fullmatch(
        r"http://127\.0\.0\.1:9/callback\?code=[A-Za-z0-9]{32}&state=abc", answer.headers["location"]
    ), answer.headers["location"]
    assert answer.headers["cache-control"] == "no-store"
    made = exchange(door, desk, sent_back(answer)["code"][0])
    assert_granted_with_refresh(made)
    assert user_of(desk, made.json()["access_token"]) == person.user_id


def test_13_no_state_comes_back_where_none_was_sent(door: Door, desk: Desk, person: Person) -> None:
    assert list(approve(door, desk.client_id, person)) == ["code"]
    assert approve(door, desk.client_id, person, state="")["state"] == [""]


@pytest.mark.parametrize(
    "state", ["a b+c&d=e?f#g/%20%", "\u00fc\u20ac\U0001f600", '"><script>', "\\", "x" * 2000, "a\nb\r\nc"]
)
def test_state_comes_back_as_it_was(door: Door, desk: Desk, person: Person, state: str) -> None:
    assert approve(door, desk.client_id, person, state=state)["state"] == [state]


def test_denying_says_so(door: Door, desk: Desk, person: Person) -> None:
    browser = signed_in(door, person)
    for state, query in (({"state": "abc"}, "error=access_denied&state=abc"), ({}, "error=access_denied")):
        page = browser.get(AUTHORIZE_PATH, client_id=desk.client_id, **state)
        answer = browser.send(page, AUTHORIZE_PATH, decision="deny")
        assert (answer.status_code, answer.headers["location"]) == (302, f"http://127.0.0.1:9/callback?{query}")


@pytest.mark.parametrize(
    ("redirect_url", "begins"),
    [
        ("https://a.example/cb?x=1", "https://a.example/cb?x=1&code="),
        ("https://a.example/cb", "https://a.example/cb?code="),
        ("https://a.example", "https://a.example?code="),
        ("ledger://callback", "ledger://callback?code="),
        ("https://a.example/cb#there", "https://a.example/cb?code="),
    ],
)
def test_the_answer_is_joined_to_any_address(
    door: Door, desk: Desk, person: Person, redirect_url: str, begins: str
) -> None:
    client_id, _ = add_application(desk, redirect_url)
    browser = signed_in(door, person)
    page = browser.get(AUTHORIZE_PATH, client_id=client_id, state="s")
    location = browser.send(page, AUTHORIZE_PATH, decision="approve").headers["location"]
    assert location.startswith(begins)
    assert location.endswith("state=s#there" if "#" in redirect_url else "state=s")


def test_the_page_says_who_and_what(door: Door, desk: Desk, person: Person) -> None:
    client_id, _ = add_application(desk, "https://ledger.example/cb", name="Ledger <b>&</b> Co")
    page = signed_in(door, person).get(AUTHORIZE_PATH, client_id=client_id)
    assert page.status_code == 200
    for words in ("Ledger &lt;b&gt;&amp;&lt;/b&gt; Co", "Northwind", "Mina Voss", person.email, "ledger.example"):
        assert words in page.text
    assert "<b>" not in page.text


def test_who_is_not_signed_in_does_that_first_and_comes_back(
    door: Door, desk: Desk, browser: Browser, person: Person
) -> None:
    answer = browser.get(AUTHORIZE_PATH, client_id=desk.client_id, state="a b&c=\u00fc")
    assert answer.status_code == 303
    url = urlsplit(answer.headers["location"])
    assert url.path == "/sign-in" and not url.netloc
    answer = browser.sign_in(person, next=parse_qs(url.query)["next"][0])
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    assert sent_back(browser.send(page, AUTHORIZE_PATH, decision="approve"))["state"] == ["a b&c=\u00fc"]


@pytest.mark.parametrize("client_id", ["nobody", "", "\0", "x" * 5000, "'"])
def test_an_unknown_application_is_a_page_and_never_a_redirect(
    door: Door, browser: Browser, person: Person, client_id: str
) -> None:
    for who in (browser, signed_in(door, person)):
        answers = [
            who.get(AUTHORIZE_PATH, client_id=client_id, redirect_uri="https://evil.example"),
            who.post(f"{AUTHORIZE_PATH}?{urlencode({'client_id': client_id})}", {"decision": "approve"}),
            who.get(AUTHORIZE_PATH),
        ]
        for answer in answers:
            assert answer.status_code == 400
            assert answer.headers["content-type"].startswith("text/html")
            assert "Unknown application" in answer.text
            assert "location" not in answer.headers


@pytest.mark.parametrize("redirect_url", ["", "nowhere", "http://[broken"])
def test_an_application_without_an_address_is_a_page(
    door: Door, desk: Desk, browser: Browser, redirect_url: str
) -> None:
    client_id, _ = add_application(desk, redirect_url)
    assert browser.get(AUTHORIZE_PATH, client_id=client_id).status_code == 400


def test_an_application_of_another_account_can_not_be_approved(door: Door, desk: Desk, person: Person) -> None:
    stranger = rename_account(open_desk(desk.server), "Fabrikam")
    browser = signed_in(door, person)
    page = browser.get(AUTHORIZE_PATH, client_id=stranger.client_id, state="s")
    assert page.status_code == 403
    assert "Fabrikam" in page.text
    assert list(forms(page.text)) == ["/sign-out"]
    csrf = forms(page.text)["/sign-out"]["csrf"]
    url = f"{AUTHORIZE_PATH}?client_id={stranger.client_id}"
    answer = browser.post(url, {"csrf": csrf, "decision": "approve"})
    assert answer.status_code == 403
    # Signing in as somebody else leads back here.
    answer = browser.send(page, "/sign-out")
    wanted = parse_qs(urlsplit(answer.headers["location"]).query)["next"][0]
    answer = browser.sign_in(add_person(stranger), next=wanted)
    assert browser.get(answer.headers["location"]).status_code == 200


def test_approving_must_come_from_our_page(door: Door, desk: Desk, person: Person) -> None:
    browser = signed_in(door, person)
    url = f"{AUTHORIZE_PATH}?client_id={desk.client_id}"
    right = forms(browser.get(url).text)[url] | {"decision": "approve"}
    other = forms(signed_in(door, person).get(url).text)[url]["csrf"]
    for csrf in ("", "D" * 32, other):
        answer = browser.post(url, right | {"csrf": csrf})
        assert answer.status_code == 403
        assert "location" not in answer.headers
    assert browser.post(url, right, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.post(url, right, **{"Sec-Fetch-Site": "same-origin"}).status_code == 302


def test_answering_after_the_session_ended_leads_to_signing_in(door: Door, desk: Desk, person: Person) -> None:
    browser = signed_in(door, person)
    page = browser.get(AUTHORIZE_PATH, client_id=desk.client_id, state="s")
    deactivate(desk, person.user_id)
    answer = browser.send(page, AUTHORIZE_PATH, decision="approve")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=%2Fauthentication")


def test_a_code_lives_for_five_minutes(door: Door, desk: Desk, person: Person, clock: MovableClock) -> None:
    code = approve(door, desk.client_id, person)["code"][0]
    clock.advance(timedelta(seconds=codes.LIFE_S + 1))
    assert exchange(door, desk, code).status_code == 400


def test_the_page_is_guarded_by_its_headers(door: Door, desk: Desk, person: Person) -> None:
    headers = signed_in(door, person).get(AUTHORIZE_PATH, client_id=desk.client_id).headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]


def test_an_application_s_own_scheme_may_be_opened_from_the_page(door: Door, desk: Desk, person: Person) -> None:
    client_id, _ = add_application(desk, "ledger://callback")
    policy = signed_in(door, person).get(AUTHORIZE_PATH, client_id=client_id).headers["content-security-policy"]
    assert policy.endswith("form-action 'self' http: https: ledger:")
