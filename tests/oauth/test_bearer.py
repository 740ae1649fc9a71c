"""From a bearer token to the acting user."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from deskhand.desk.users import verbs as users
from deskhand.lib.clock import MovableClock
from deskhand.lib.secrets import digest
from deskhand.oauth import applications, tokens
from deskhand.oauth.bearer import Bearers, Unauthorized, read_bearer
from tests.world import Desk, open_desk

MISSING = {"error_description": "The access token is missing", "error": "invalid_request"}
INVALID = {"error_description": "The access token is invalid or has expired", "error": "invalid_token"}


def call(desk: Desk, authorization: str | bytes | None) -> requests.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return requests.get(desk.server.url + "/v2/users/me", headers=headers, timeout=30)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic YTpi", "Bearer two words", "nonsense"])
def test_14_a_call_without_a_token_is_refused(desk: Desk, header: str | None) -> None:
    answer = call(desk, header)
    assert (answer.status_code, answer.json()) == (401, MISSING)
    assert answer.headers["www-authenticate"] == 'Bearer realm="service"'


def test_15_an_expired_token_is_refused(desk: Desk, clock: MovableClock) -> None:
    assert call(desk, f"Bearer {desk.token}").status_code == 200
    clock.advance(timedelta(seconds=tokens.LIFE_S - 90))
    assert call(desk, f"Bearer {desk.token}").status_code == 200
    clock.advance(timedelta(seconds=90))
    answer = call(desk, f"Bearer {desk.token}")
    assert (answer.status_code, answer.json()) == (401, INVALID)
    assert answer.headers["www-authenticate"].startswith('Bearer realm="service" error="invalid_token"')


@pytest.mark.parametrize(
    "token", ["x", "x" * 512, "x" * 60_000, "dh_agent_abc", "dh_admin_abc", "\u00e9\u00ff", "%00", "'; DROP TABLE"]
)
def test_an_unknown_token_is_refused(desk: Desk, token: str) -> None:
    answer = call(desk, f"Bearer {token}".encode("latin-1"))
    assert answer.status_code == 401
    assert answer.json() == (MISSING if " " in token else INVALID)


@pytest.mark.parametrize("prefix", ["dh_agent_", "dh_admin_"])
def test_a_credential_of_another_door_never_opens_this_one(desk: Desk, prefix: str) -> None:
    """Even if the store held a token of that name."""
    token = prefix + "0123456789"
    stored = tokens.NewToken(
        account_id=desk.account_id, application_id=desk.application_id, user_id=desk.user_id,
        access_hash=digest(token), refresh_hash=None, expires_at="2999-01-01T00:00:00Z", created_at=desk.now,
    )  # fmt: skip
    desk.write(lambda tx: tx.add(tokens._ADD, stored))
    try:
        assert call(desk, f"Bearer {token}").status_code == 401
    finally:
        desk.write(lambda tx: tokens.revoke_of_user(tx, desk.account_id, desk.user_id))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER   abc  ", "abc"),
        (" Bearer\tabc", "abc"),
        ("Bearerabc", None),
        ("Bearer a b", None),
        ("Token abc", None),
        (None, None),
    ],
)
def test_the_header_may_be_written_in_several_ways(header: str | None, expected: str | None) -> None:
    assert read_bearer(header) == expected


@given(st.text())
def test_no_header_makes_reading_fail(header: str) -> None:
    given = read_bearer(header)
    assert given is None or digest(given)


def test_a_deactivated_user_is_refused_at_once(desk: Desk) -> None:
    ines = desk.as_user(desk.add_user())
    assert ines.get("/v2/users/me").status_code == 200
    desk.write(lambda tx: users.set_state(tx, desk.account_id, ines.user_id, "inactive", desk.now))
    assert ines.get("/v2/users/me").status_code == 401


def test_a_user_whose_tokens_are_revoked_is_refused_at_once(desk: Desk) -> None:
    ines = desk.as_user(desk.add_user())
    assert ines.get("/v2/users/me").status_code == 200
    desk.write(lambda tx: tokens.revoke_of_user(tx, desk.account_id, ines.user_id))
    assert ines.get("/v2/users/me").status_code == 401
    assert desk.get("/v2/users/me").status_code == 200


def test_a_removed_application_is_refused_at_once(desk: Desk) -> None:
    stranger = open_desk(desk.server)
    assert stranger.get("/v2/users/me").status_code == desk.get("/v2/users/me").status_code == 200
    assert not desk.write(lambda tx: applications.remove(tx, stranger.account_id, desk.application_id))
    assert desk.get("/v2/users/me").status_code == 200
    assert desk.write(lambda tx: applications.remove(tx, desk.account_id, desk.application_id))
    assert desk.get("/v2/users/me").status_code == 401
    assert stranger.get("/v2/users/me").status_code == 200


def test_what_changed_while_a_token_was_looked_up_is_not_remembered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = desk.server.app.database
    bearers = Bearers(database, desk.server.clock)
    header = f"Bearer {desk.token}"
    look_up = bearers._look_up

    async def run() -> None:
        async def read(work: object) -> object:
            found = await real_read(lambda db: look_up(db, desk.token))
            await database.write(lambda tx: tokens.revoke_of_user(tx, desk.account_id, desk.user_id))
            monkeypatch.setattr(database, "read", real_read)
            with pytest.raises(Unauthorized):
                await bearers.actor(header)  # another call, which has seen the change
            return found

        real_read = database.read
        monkeypatch.setattr(database, "read", read)
        await bearers.actor(header)  # read before it
        with pytest.raises(Unauthorized):
            await bearers.actor(header)

    asyncio.run(run())
