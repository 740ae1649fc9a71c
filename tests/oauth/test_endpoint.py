"""Getting tokens. The numbers are those of the specification's acceptance facts."""

from __future__ import annotations

import base64
import json
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
import requests

from deskhand.db.engine import Writer
from deskhand.lib.clock import MovableClock
from deskhand.oauth import codes
from deskhand.oauth.endpoint import TOKEN_PATH
from tests.oauth.doors import Door, Person, add_application, add_person, approve, deactivate
from tests.world import Desk, open_desk

INVALID_CLIENT = b'{"error_description":"Invalid client authentication","error":"invalid_client"}'
INVALID_CODE = b'{"error_description":"Invalid code","error":"invalid_request"}'
INVALID_REFRESH = b'{"error_description":"Invalid refresh_token","error":"invalid_request"}'
INVALID_GRANT = b'{"error_description":"Invalid grant_type","error":"unsupported_grant_type"}'


def ask(door: Door, given: dict[str, Any] | None = None, **kwargs: Any) -> requests.Response:
    """One request for a token; parameters go as a form unless said otherwise."""
    return requests.post(door.url + TOKEN_PATH, data=given, allow_redirects=False, timeout=30, **kwargs)


def post_raw(door: Door, body: bytes, content_type: str) -> requests.Response:
    """A request with exactly these bytes."""
    headers = {"Content-Type": content_type} if content_type else {}
    return requests.post(door.url + TOKEN_PATH, data=body, headers=headers, timeout=30)


def credentials(desk: Desk, grant: str = "client_credentials", **more: str) -> dict[str, str]:
    return {"grant_type": grant, "client_id": desk.client_id, "client_secret": desk.client_secret, **more}


def new_code(desk: Desk, user_id: int | None = None) -> str:
    """A code as the approval page makes it."""

    def issue(tx: Writer) -> str:
        return codes.issue(
            tx, account_id=desk.account_id, application_id=desk.application_id, user_id=user_id or desk.user_id,
            now=desk.server.clock.now(),
        )  # fmt: skip

    code = desk.write(issue)
    assert isinstance(code, str)
    return code


def exchange(door: Door, desk: Desk, code: str, **more: str) -> requests.Response:
    return ask(door, credentials(desk, "authorization_code", code=code, **more))


def refresh(door: Door, desk: Desk, token: str) -> requests.Response:
    return ask(door, credentials(desk, "refresh_token", refresh_token=token))


def user_of(desk: Desk, token: str) -> int | None:
    """Whom the API takes the bearer of a token for."""
    answer = requests.get(
        desk.server.url + "/v2/users/me", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )  # fmt: skip
    assert answer.status_code in (200, 401)
    return answer.json()["id"] if answer.status_code == 200 else None


def assert_granted(answer: requests.Response) -> None:
    assert answer.status_code == 200, answer.text
    assert re.fullmatch(
        rb'\{"token_type":"bearer","access_token":"[A-Za-z0-9]{32}","expires_in":172800\}', answer.content
    )


def assert_granted_with_refresh(answer: requests.Response) -> None:
    assert answer.status_code == 200, answer.text
    assert re.fullmatch(
        rb'\{"refresh_token":"[A-Za-z0-9]{32}","token_type":"bearer","access_token":"[A-Za-z0-9]{32}",'
        rb'"expires_in":172800\}',
        answer.content,
    )


def assert_refused(answer: requests.Response, body: bytes, status: int = 400) -> None:
    assert (answer.status_code, answer.content) == (status, body)
    assert answer.headers["content-type"] == "application/json"


# --- client credentials, in every form that clients use


def test_01_client_credentials_in_a_form(door: Door, desk: Desk) -> None:
    answer = ask(door, credentials(desk))
    assert_granted(answer)
    assert user_of(desk, answer.json()["access_token"]) == desk.user_id
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["correlation-id"]


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json;charset=UTF-8", "Application/JSON; charset=iso-8859-1", "text/plain", ""],
)
def test_02_client_credentials_in_json(door: Door, desk: Desk, content_type: str) -> None:
    assert_granted(post_raw(door, json.dumps(credentials(desk)).encode(), content_type))


def test_03_client_credentials_in_the_query_string(door: Door, desk: Desk) -> None:
    assert_granted(requests.post(door.url + TOKEN_PATH, params=credentials(desk), timeout=30))


def test_04_client_credentials_through_http_basic(door: Door, desk: Desk) -> None:
    answer = ask(door, {"grant_type": "client_credentials"}, auth=(desk.client_id, desk.client_secret))
    assert_granted(answer)


def test_client_credentials_in_a_multipart_form(door: Door, desk: Desk) -> None:
    parts: Any = {name: (None, value) for name, value in credentials(desk).items()}
    assert_granted(requests.post(door.url + TOKEN_PATH, files=parts, timeout=30))


def test_parameters_may_come_from_several_places(door: Door, desk: Desk) -> None:
    given = credentials(desk)
    assert_granted(
        requests.post(
            door.url + TOKEN_PATH,
            params={"client_id": given.pop("client_id"), "client_secret": "not this one"},
            data=given,
            timeout=30,
        )
    )


def test_parameters_go_before_http_basic(door: Door, desk: Desk) -> None:
    assert_granted(ask(door, credentials(desk), auth=("someone", "else")))
    assert_granted(ask(door, credentials(desk), headers={"Authorization": "Bearer left over from before"}))
    assert_granted(
        ask(
            door,
            {"grant_type": "client_credentials", "client_id": "", "client_secret": ""},
            auth=(desk.client_id, desk.client_secret),
        )
    )


def test_client_credentials_have_no_refresh_token(door: Door, desk: Desk) -> None:
    assert "refresh_token" not in ask(door, credentials(desk)).json()


def test_an_older_token_stays_valid_beside_a_new_one(door: Door, desk: Desk) -> None:
    older, newer = (ask(door, credentials(desk)).json()["access_token"] for _ in range(2))
    assert older != newer
    assert user_of(desk, older) == user_of(desk, newer) == desk.user_id


# --- refusals


def test_05_a_wrong_secret_is_refused(door: Door, desk: Desk) -> None:
    assert_refused(ask(door, credentials(desk) | {"client_secret": "wrong"}), INVALID_CLIENT)
    assert_refused(ask(door, credentials(desk) | {"client_id": "nobody"}), INVALID_CLIENT)
    assert_refused(ask(door, {"grant_type": "client_credentials"}), INVALID_CLIENT)


@pytest.mark.parametrize(
    "header", ["Basic bm9ib2R5OndoYXQ=", "basic  bm9ib2R5OndoYXQ=", "Basic ***", "Basic", "Basic AAAA"]
)
def test_wrong_credentials_through_http_basic_are_refused_with_a_challenge(door: Door, header: str) -> None:
    answer = ask(door, {"grant_type": "client_credentials"}, headers={"Authorization": header})
    assert_refused(answer, INVALID_CLIENT, 401)
    assert answer.headers["www-authenticate"] == 'Basic realm="OAuth2.0"'


def test_06_an_unknown_or_missing_grant_type_is_refused(door: Door, desk: Desk) -> None:
    assert_refused(ask(door, credentials(desk, "password")), INVALID_GRANT)
    given = credentials(desk)
    del given["grant_type"]
    assert_refused(ask(door, given), INVALID_GRANT)
    assert_refused(ask(door, {}), INVALID_GRANT)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_refused(door: Door, method: str) -> None:
    answer = requests.request(method, door.url + TOKEN_PATH, timeout=30)
    words = f"The HTTP method {method} is invalid for the token endpoint".encode()
    assert_refused(answer, b'{"error_description":"' + words + b'","error":"invalid_method"}', 405)
    assert answer.headers["cache-control"] == "no-store"
    assert "POST" in answer.headers["allow"]


def test_a_browser_may_ask_from_another_site(door: Door) -> None:
    answer = requests.options(
        door.url + TOKEN_PATH,
        headers={"Origin": "https://a.example", "Access-Control-Request-Method": "POST"},
        timeout=30,
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "Authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    "body",
    [
        {"client_id": 1, "client_secret": ["x"], "grant_type": "client_credentials"},
        {"client_id": {"a": 1}, "client_secret": None, "grant_type": "client_credentials"},
        {"client_id": "a\0b", "client_secret": "x", "grant_type": "client_credentials"},
    ],
)
def test_values_of_a_wrong_type_count_as_missing(door: Door, body: Any) -> None:
    assert_refused(post_raw(door, json.dumps(body).encode(), "application/json"), INVALID_CLIENT)


@pytest.mark.parametrize(
    "body", [b"[]", b'"x"', b"{oops", b"null", b"[" * 60_000, b"\xff\xfe", b'{"grant_type":5}', b'{"x":"\\ud800"}']
)
def test_json_that_is_no_object_has_no_parameters(door: Door, body: bytes) -> None:
    assert_refused(post_raw(door, body, "application/json"), INVALID_GRANT)


def test_a_body_over_64_kilobytes_is_refused(door: Door, desk: Desk) -> None:
    answer = post_raw(door, b"grant_type=client_credentials&x=" + b"y" * 65_536, "application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert answer.json()["error"] == "invalid_request"
    assert_granted(ask(door, credentials(desk, x="y" * 60_000)))


def test_the_application_of_a_deactivated_user_is_refused(door: Door, desk: Desk) -> None:
    token = ask(door, credentials(desk)).json()["access_token"]
    deactivate(desk, desk.user_id)
    assert_refused(ask(door, credentials(desk)), INVALID_CLIENT)
    assert user_of(desk, token) is None


# --- codes


def test_07_a_code_gives_an_access_and_a_refresh_token(door: Door, desk: Desk, person: Person) -> None:
    answer = exchange(door, desk, approve(door, desk.client_id, person)["code"][0])
    assert_granted_with_refresh(answer)
    assert user_of(desk, answer.json()["access_token"]) == person.user_id


def test_08_a_code_works_once(door: Door, desk: Desk) -> None:
    code = new_code(desk)
    assert_granted_with_refresh(exchange(door, desk, code))
    assert_refused(exchange(door, desk, code), INVALID_CODE)


def test_11_unknown_parameters_are_ignored(door: Door, desk: Desk) -> None:
    answer = exchange(door, desk, new_code(desk), redirect_uri="https://a.example", scope="all", code_verifier="x")
    assert_granted_with_refresh(answer)


def test_an_expired_code_is_refused(door: Door, desk: Desk, clock: MovableClock) -> None:
    in_time, late = new_code(desk), new_code(desk)
    clock.advance(timedelta(seconds=codes.LIFE_S - 10))
    assert_granted_with_refresh(exchange(door, desk, in_time))
    clock.advance(timedelta(seconds=11))
    assert_refused(exchange(door, desk, late), INVALID_CODE)


@pytest.mark.parametrize("code", ["", "nonsense", "x" * 10_000])
def test_an_unknown_code_is_refused(door: Door, desk: Desk, code: str) -> None:
    assert_refused(exchange(door, desk, code), INVALID_CODE)


def test_a_code_is_no_use_to_another_application(door: Door, desk: Desk) -> None:
    code = new_code(desk)
    client_id, secret = add_application(desk, "https://b.example/cb")
    other = {"client_id": client_id, "client_secret": secret}
    assert_refused(ask(door, credentials(desk, "authorization_code", code=code) | other), INVALID_CODE)
    assert_refused(exchange(door, open_desk(desk.server), code), INVALID_CODE)
    assert_granted_with_refresh(exchange(door, desk, code))


def test_a_code_of_a_deactivated_user_is_refused(door: Door, desk: Desk) -> None:
    person = add_person(desk)
    code = new_code(desk, person.user_id)
    deactivate(desk, person.user_id)
    assert_refused(exchange(door, desk, code), INVALID_CODE)


def test_of_parallel_exchanges_of_one_code_exactly_one_wins(door: Door, desk: Desk) -> None:
    for _ in range(5):
        code = new_code(desk)
        answers = at_once(8, lambda code=code: exchange(door, desk, code))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
        assert {answer.content for answer in answers if answer.status_code == 400} == {INVALID_CODE}


# --- refresh tokens


def test_09_a_refresh_token_gives_new_tokens(door: Door, desk: Desk) -> None:
    first = exchange(door, desk, new_code(desk)).json()
    answer = refresh(door, desk, first["refresh_token"])
    assert_granted_with_refresh(answer)
    assert answer.json()["refresh_token"] != first["refresh_token"]
    assert user_of(desk, answer.json()["access_token"]) == desk.user_id


def test_10_a_refresh_token_works_once(door: Door, desk: Desk) -> None:
    first = exchange(door, desk, new_code(desk)).json()
    second = refresh(door, desk, first["refresh_token"]).json()
    assert_refused(refresh(door, desk, first["refresh_token"]), INVALID_REFRESH)
    assert_granted_with_refresh(refresh(door, desk, second["refresh_token"]))


def test_refreshing_leaves_the_older_access_token_valid_until_it_expires(
    door: Door, desk: Desk, clock: MovableClock
) -> None:
    first = exchange(door, desk, new_code(desk)).json()
    clock.advance(timedelta(days=1))
    second = refresh(door, desk, first["refresh_token"]).json()
    assert user_of(desk, first["access_token"]) == desk.user_id
    clock.advance(timedelta(days=1, seconds=1))
    assert user_of(desk, first["access_token"]) is None
    assert user_of(desk, second["access_token"]) == desk.user_id


def test_a_refresh_token_outlives_its_access_token(door: Door, desk: Desk, clock: MovableClock) -> None:
    first = exchange(door, desk, new_code(desk)).json()
    clock.advance(timedelta(days=90))
    for _ in range(3):
        ask(door, credentials(desk))  # deletes what has expired
    assert_granted_with_refresh(refresh(door, desk, first["refresh_token"]))


def test_a_refresh_token_is_no_use_to_another_application(door: Door, desk: Desk) -> None:
    token = exchange(door, desk, new_code(desk)).json()["refresh_token"]
    assert_refused(refresh(door, open_desk(desk.server), token), INVALID_REFRESH)
    assert_granted_with_refresh(refresh(door, desk, token))


def test_a_refresh_token_of_a_deactivated_user_is_refused(door: Door, desk: Desk) -> None:
    person = add_person(desk)
    token = exchange(door, desk, new_code(desk, person.user_id)).json()["refresh_token"]
    deactivate(desk, person.user_id)
    assert_refused(refresh(door, desk, token), INVALID_REFRESH)


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_an_unknown_refresh_token_is_refused(door: Door, desk: Desk, token: str) -> None:
    assert_refused(refresh(door, desk, token), INVALID_REFRESH)


def test_an_access_token_is_no_refresh_token(door: Door, desk: Desk) -> None:
    made = exchange(door, desk, new_code(desk)).json()
    assert_refused(refresh(door, desk, made["access_token"]), INVALID_REFRESH)
    assert user_of(desk, made["refresh_token"]) is None


def test_of_parallel_refreshes_exactly_one_wins(door: Door, desk: Desk) -> None:
    token = exchange(door, desk, new_code(desk)).json()["refresh_token"]
    for _ in range(5):
        answers = at_once(8, lambda token=token: refresh(door, desk, token))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
        token = next(answer.json()["refresh_token"] for answer in answers if answer.status_code == 200)


def at_once(number: int, work: Any) -> list[requests.Response]:
    """Do the same several times at the same moment."""
    start = threading.Barrier(number)
    answers: list[requests.Response] = []

    def run() -> None:
        start.wait()
        answers.append(work())

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == number
    return answers


def test_basic_credentials_may_hold_any_characters(door: Door, desk: Desk) -> None:
    given = base64.b64encode(f"{desk.client_id}:{desk.client_secret}:ü".encode()).decode()
    answer = ask(door, {"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {given}"})
    assert_refused(answer, INVALID_CLIENT, 401)
