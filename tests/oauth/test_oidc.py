"""Signing in by a real OpenID provider on loopback, and ID tokens that must not be believed."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from deskhand.oauth import oidc
from deskhand.oauth.oidc import Identity, Provider, ProviderError, ProviderSettings, UnknownKey, challenge, verified
from tests.live import LiveServer
from tests.oauth.doors import Browser, Door, Person, add_person, deactivate, rename_account
from tests.oauth.test_code_page import App
from tests.oauth.test_sign_in import is_signed_in
from tests.world import Desk, open_desk, unique


@contextmanager
def provider_running() -> Iterator[str]:
    """The issuer of a provider in a process of its own: it lets everybody in as whom they say they are."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "--port",
        str(port),
        "--require-nonce",
        "true",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                requests.get(f"{issuer}/.well-known/openid-configuration", timeout=30).raise_for_status()
                break
            except requests.RequestException:
                assert process.poll() is None and time.monotonic() < deadline, "the provider did not start"
                time.sleep(0.05)
        yield issuer
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider_running() as running:
        yield running


@pytest.fixture(scope="module")
def oidc_door(server: LiveServer, issuer: str) -> Iterator[Door]:
    door = Door(server, provider=ProviderSettings(issuer, "deskhand", "hidden", "Example Login"))
    yield door
    door.close()


def know(issuer: str, email: str, verified: bool = True) -> str:
    """Have the provider know somebody; gives their subject."""
    subject = unique("subject")
    claims = {"email": email, "email_verified": verified}
    requests.put(f"{issuer}/users/{subject}", json=claims, timeout=30).raise_for_status()
    return subject


def go(browser: Browser, subject: str, path: str = "/sign-in/oidc") -> requests.Response:
    """Sign in at the provider as somebody; gives what Deskhand answers then."""
    return browser.get(came_back(browser, subject, path))


def came_back(browser: Browser, subject: str, path: str = "/sign-in/oidc") -> str:
    """The path by which the provider sends somebody back."""
    away = browser.get(path)
    assert away.status_code == 303, away.text
    back = requests.post(away.headers["location"], data={"sub": subject}, allow_redirects=False, timeout=30)
    assert back.status_code in (302, 303), back.text
    url = urlsplit(back.headers["location"])
    return f"{url.path}?{url.query}"


def test_a_user_is_found_by_a_verified_address_and_stays_linked(
    oidc_door: Door, desk: Desk, person: Person, issuer: str
) -> None:
    subject = know(issuer, person.email.upper())
    browser = Browser(oidc_door)
    assert "Sign in with Example Login" in browser.get("/sign-in").text
    answer = go(browser, subject, "/sign-in/oidc?next=%2Fconsole")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console"), answer.text
    assert is_signed_in(browser)
    requests.put(
        f"{issuer}/users/{subject}", json={"email": "other@desk.example", "email_verified": True}, timeout=30
    ).raise_for_status()
    again = Browser(oidc_door)
    assert go(again, subject).headers["location"] == "/"
    assert is_signed_in(again)


def test_the_request_has_pkce_state_and_nonce_and_a_cookie_that_is_sealed(oidc_door: Door, issuer: str) -> None:
    browser = Browser(oidc_door)
    answer = browser.get("/sign-in/oidc")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert asked["response_type"] == "code" and asked["scope"] == "openid email"
    assert asked["redirect_uri"] == f"{oidc_door.url}/sign-in/oidc/callback"
    assert asked["code_challenge_method"] == "S256" and re.fullmatch("[A-Za-z0-9_-]{43}", asked["code_challenge"])
    assert len(asked["state"]) == len(asked["nonce"]) == 43
    [line] = [one for one in answer.raw.headers.getlist("set-cookie") if one.startswith("deskhand_oidc=")]
    assert "HttpOnly; Max-Age=600; Path=/sign-in/oidc; SameSite=lax" in line
    assert asked["state"] not in line and asked["nonce"] not in line


@pytest.mark.parametrize("verified", [True, False])
def test_nobody_is_created_and_nobody_believed_without_proof(
    oidc_door: Door, desk: Desk, person: Person, issuer: str, verified: bool
) -> None:
    email = "stranger@elsewhere.example" if verified else person.email
    browser = Browser(oidc_door)
    answer = go(browser, know(issuer, email, verified))
    assert answer.status_code == 403 and "Nobody here by that name" in answer.text
    assert not is_signed_in(browser)


def test_another_identity_can_not_take_a_linked_user_over(
    oidc_door: Door, desk: Desk, person: Person, issuer: str
) -> None:
    assert go(Browser(oidc_door), know(issuer, person.email)).status_code == 303
    assert go(Browser(oidc_door), know(issuer, person.email)).status_code == 403


def test_who_has_left_does_not_get_in(oidc_door: Door, desk: Desk, person: Person, issuer: str) -> None:
    subject = know(issuer, person.email)
    assert go(Browser(oidc_door), subject).status_code == 303
    deactivate(desk, person.user_id)
    assert go(Browser(oidc_door), subject).status_code == 403
    invited = add_person(desk, state="invited")
    assert go(Browser(oidc_door), know(issuer, invited.email)).status_code == 403


def test_a_second_factor_is_asked_for_all_the_same(oidc_door: Door, desk: Desk, person: Person, issuer: str) -> None:
    app = App(desk, person)
    browser = Browser(oidc_door)
    answer = go(browser, know(issuer, person.email))
    assert answer.headers["location"] == "/sign-in/code" and not is_signed_in(browser)
    assert browser.send(browser.get("/sign-in/code"), "/sign-in/code", code=app.code(1)).status_code == 303
    assert is_signed_in(browser)


def test_who_works_in_two_accounts_chooses(oidc_door: Door, desk: Desk, person: Person, issuer: str) -> None:
    other = rename_account(open_desk(desk.server), "Other Desk")
    add_person(other, person.email)
    browser = Browser(oidc_door)
    page = go(browser, know(issuer, person.email))
    assert page.status_code == 200 and "Other Desk" in page.text
    assert browser.send(page, "/sign-in/oidc/account", account="999999").status_code == 403
    done = browser.send(page, "/sign-in/oidc/account", account=str(other.account_id))
    assert done.status_code == 303 and is_signed_in(browser)


def test_an_answer_for_another_browser_or_state_or_too_late_is_refused(
    oidc_door: Door, desk: Desk, person: Person, issuer: str
) -> None:
    subject = know(issuer, person.email)
    mine, other = Browser(oidc_door), Browser(oidc_door)
    path = came_back(mine, subject)
    other.get("/sign-in/oidc")
    assert other.get(path).status_code == 400  # an attacker's answer, put upon somebody
    assert Browser(oidc_door).get(path).status_code == 400
    changed = re.sub("state=[^&]+", "state=" + "x" * 43, path)
    assert mine.get(changed).status_code == 400
    assert mine.get(re.sub("code=[^&]+", "error=access_denied", path)).status_code == 403
    assert mine.get(f"{path}&iss=https%3A%2F%2Fevil.example").status_code == 403
    assert mine.get(path).status_code == 303
    assert Browser(oidc_door).get("/sign-in/oidc/callback").status_code == 400


def test_a_code_is_exchanged_once(oidc_door: Door, desk: Desk, person: Person, issuer: str) -> None:
    browser = Browser(oidc_door)
    path = came_back(browser, know(issuer, person.email))
    kept = browser.http.cookies.get("deskhand_oidc", path="/sign-in/oidc")
    assert browser.get(path).status_code == 303
    again = Browser(oidc_door)
    again.http.cookies.set("deskhand_oidc", str(kept), domain="127.0.0.1", path="/sign-in/oidc")
    assert again.get(path).status_code == 502


def test_a_provider_that_is_away_or_another_one_is_said_so(server: LiveServer, issuer: str) -> None:
    for wrong in ("http://127.0.0.1:9", f"{issuer}/"):
        door = Door(server, provider=ProviderSettings(wrong, "deskhand", "", "Example Login"))
        try:
            answer = Browser(door).get("/sign-in/oidc")
            assert answer.status_code == 502 and "Example Login did not sign you in" in answer.text
        finally:
            door.close()


def test_without_a_provider_there_is_no_such_page(browser: Browser) -> None:
    assert browser.get("/sign-in/oidc").status_code == 404
    assert "/sign-in/oidc" not in browser.get("/sign-in").text


# -- ID tokens

OURS = ProviderSettings("https://login.example", "deskhand", "hidden", "Example")
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True, auto_kid=False)
STRANGER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True, auto_kid=False)
KEYS = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
NONCE = "n" * 43


def id_token(key: Any = KEY, alg: str = "RS256", kid: str = "one", **changed: Any) -> str:
    now = int(time.time())
    claims = {"iss": OURS.issuer, "aud": "deskhand", "sub": "s1", "exp": now + 300, "iat": now, "nonce": NONCE}
    claims = {name: value for name, value in (claims | changed).items() if value is not None}
    return jwt.encode({"alg": alg, "kid": kid}, claims, key, algorithms=[alg])


def test_a_right_id_token_is_believed() -> None:
    assert verified(id_token(), KEYS, OURS, NONCE)["sub"] == "s1"
    assert verified(id_token(aud=["deskhand"]), KEYS, OURS, NONCE)["sub"] == "s1"
    assert verified(id_token(aud=["deskhand", "x"], azp="deskhand"), KEYS, OURS, NONCE)["sub"] == "s1"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"}, {"iss": None}, {"aud": "somebody-else"}, {"aud": None}, {"aud": ["x"]},
        {"aud": ["deskhand", "x"]}, {"aud": ["deskhand", "x"], "azp": "x"}, {"azp": "x"}, {"exp": 1}, {"exp": None},
        {"iat": None}, {"iat": 99_999_999_999}, {"nonce": "another"}, {"nonce": None}, {"sub": None}, {"sub": ""},
        {"sub": "x" * 256}, {"sub": 7},
    ],
)  # fmt: skip
def test_an_id_token_that_is_not_for_us_and_now_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ProviderError):
        verified(id_token(**changed), KEYS, OURS, NONCE)


def test_an_id_token_that_the_provider_has_not_signed_is_refused() -> None:
    right = id_token()
    head, body, signature = right.split(".")
    secret = OctKey.import_key(OURS.client_secret * 8)
    for forged in (
        id_token(STRANGER), f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", "", "a.b.c", right + ".x",
        id_token(secret, "HS256"),
    ):  # fmt: skip
        with pytest.raises(ProviderError):
            verified(forged, KEYS, OURS, NONCE)
    with pytest.raises(UnknownKey):
        verified(id_token(kid="two"), KEYS, OURS, NONCE)


class Answers:
    """What a provider answers, by path; remembers what it was sent."""

    def __init__(self, *tokens: str, keys: list[Any] | None = None, **told: Any) -> None:
        self.tokens, self.keys, self.told = list(tokens), keys or [KEY.as_dict(private=False)], told
        self.sent: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []

    async def asked(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        path = urlsplit(url).path
        self.sent.append((path, parse_qs(body.decode()), headers))
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
        match path:
            case "/.well-known/openid-configuration":
                return {"issuer": OURS.issuer, **{name: f"{OURS.issuer}/{name}" for name in names}}
            case "/jwks_uri":
                return {"keys": self.keys}
            case "/userinfo_endpoint":
                return self.told
        return {"id_token": self.tokens.pop(0), "access_token": "access"}

    def finish(self, monkeypatch: pytest.MonkeyPatch) -> Identity:
        monkeypatch.setattr(oidc, "_asked", self.asked)
        return asyncio.run(Provider(OURS, "https://desk.example").finish("code", NONCE, "verifier"))


def test_a_code_is_exchanged_with_the_verifier_and_our_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(id_token(email="A@Desk.example", email_verified=True))
    assert answers.finish(monkeypatch) == Identity(OURS.issuer, "s1", "a@desk.example")
    [(fields, headers)] = [(fields, headers) for path, fields, headers in answers.sent if path == "/token_endpoint"]
    assert fields == {
        "grant_type": ["authorization_code"], "code": ["code"], "code_verifier": ["verifier"],
        "redirect_uri": ["https://desk.example/sign-in/oidc/callback"],
    }  # fmt: skip
    assert headers["Authorization"] == "Basic ZGVza2hhbmQ6aGlkZGVu"  # deskhand:hidden


def test_an_address_that_only_userinfo_tells_counts_if_it_speaks_of_the_same_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: dict[str, Any] = {"sub": "s1", "email": "a@desk.example", "email_verified": True}
    assert Answers(id_token(), **told).finish(monkeypatch).email == "a@desk.example"
    assert Answers(id_token(), **told | {"email_verified": False}).finish(monkeypatch).email == ""
    assert Answers(id_token(email="a@desk.example"), **told).finish(monkeypatch).email == ""  # not verified there
    with pytest.raises(ProviderError, match="somebody else"):
        Answers(id_token(), **told | {"sub": "s2"}).finish(monkeypatch)


def test_keys_that_have_changed_are_fetched_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "_LOOK_AGAIN_S", -1.0)
    answers = Answers(id_token(kid="two"))
    with pytest.raises(UnknownKey):
        answers.finish(monkeypatch)
    assert [path for path, _, _ in answers.sent].count("/jwks_uri") == 2


def test_the_challenge_is_that_of_the_rfc() -> None:
    # RFC 7636 appendix B
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_secrets_of_the_provider_are_not_written_into_logs() -> None:
    assert "hidden" not in repr(OURS) and "hidden" not in repr(Provider(OURS, "https://desk.example").settings)
