"""Connections to remote desks: what may be asked for, what is tried, how secrets are kept, and when one may go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deskhand.catalogue.problems import AlreadyThere, BadRequest, NotFound
from deskhand.db.engine import Session
from deskhand.gateway import connections
from deskhand.gateway.connections import Connection, NoKey, read_given
from deskhand.oauth import tokens
from tests import postgresql
from tests.gateway.fake_desk import FakeDesk, Says, error, faking
from tests.gateway.remote_world import House, open_house, send
from tests.live import LiveServer
from tests.world import Desk

GOOD = {"name": "Help Scout", "base_url": "https://api.helpscout.net/v2", "client_id": "id", "client_secret": "s"}


@pytest.fixture(scope="module")
def module_house(server: LiveServer, request: Any, tmp_path_factory: Any) -> Iterator[House]:
    """A gateway on the same kind of database as the desk."""
    url = ""
    if server.app.database.dialect == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), "gateway_connections")
    house = open_house(tmp_path_factory.mktemp("house"), url)
    yield house
    house.database.close()


@pytest.fixture
def house(module_house: House) -> House:
    return module_house.another()


@pytest.fixture(scope="module")
def sqlite_house(tmp_path_factory: Any) -> Iterator[House]:
    house = open_house(tmp_path_factory.mktemp("house"))
    yield house
    house.database.close()


@pytest.fixture
def fake() -> Iterator[FakeDesk]:
    with faking() as fake:
        yield fake


def faults(given: Any) -> dict[str, str]:
    with pytest.raises(BadRequest) as caught:
        read_given(given)
    return {one.path: one.message for one in caught.value.errors}


# -- What may be asked for


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://api.helpscout.net", "https://api.helpscout.net"),
        ("https://api.helpscout.net/", "https://api.helpscout.net"),
        ("https://api.helpscout.net/v2", "https://api.helpscout.net"),
        ("https://api.helpscout.net/v2/", "https://api.helpscout.net"),
        ("HTTPS://Desk.Example:8443/help/v2", "https://desk.example:8443/help"),
        ("https://desk.example/a/b/", "https://desk.example/a/b"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:8080/v2", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        (" https://10.0.0.7 ", "https://10.0.0.7"),
    ],
)
def test_an_address_is_taken_with_and_without_its_version(given: str, address: str) -> None:
    assert read_given(GOOD | {"base_url": given}).base_url == address


@pytest.mark.parametrize(
    "given",
    [
        "http://api.helpscout.net", "http://10.0.0.7", "http://desk.internal", "http://127.0.0.1.example",
        "http://localhost.example", "http://[::ffff:8.8.8.8]", "https://user@desk.example",
        "https://user:pw@desk.example", "https://@desk.example", "https://desk.example?x=1", "https://desk.example#x",
        "https://desk.example?", "ftp://desk.example", "desk.example", "https://", "https://desk.example:x",
        "https://desk.example:99999", "https://desk.example/../x", "https://desk.example//x", "https://desk example",
        "https://desk.example/%2e", "https://desk.example\\@else", "file:///etc/passwd", "https://desk.example/a b",
        "http://0.0.0.0", "javascript:x",
    ],
)  # fmt: skip
def test_an_address_that_is_none_or_unsafe_is_refused(given: str) -> None:
    assert list(faults(GOOD | {"base_url": given})) == ["base_url"]


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({}, {"name", "base_url", "client_id", "client_secret"}),
        (GOOD | {"client_secret": ""}, {"client_secret"}),
        (GOOD | {"client_secret": "   "}, {"client_secret"}),
        (GOOD | {"client_secret": "a\nb"}, {"client_secret"}),
        (GOOD | {"client_id": 7}, {"client_id"}),
        (GOOD | {"name": "x" * 101}, {"name"}),
        (GOOD | {"name": "a\x00b"}, {"name"}),
        (GOOD | {"token": "x", "scope": 1}, {"token", "scope"}),
        (GOOD | {"grant": "password"}, {"grant"}),
        (GOOD | {"grant": ["client_credentials"]}, {"grant"}),
        (GOOD | {"code": "x"}, {"code"}),
        (GOOD | {"grant": "authorization_code"}, {"code"}),
        (GOOD | {"grant": "authorization_code", "code": "x", "refresh_token": "y"}, {"code"}),
        ([], {""}),
    ],
)
def test_what_is_wrong_is_named(given: Any, paths: set[str]) -> None:
    assert faults(given).keys() == paths


def test_no_secret_is_repeated_in_what_is_wrong() -> None:
    wrong = GOOD | {"client_secret": "hush\x00hush", "refresh_token": "hush", "code": "hush"}
    with pytest.raises(BadRequest) as caught:
        read_given(wrong)
    assert "hush" not in str(caught.value) + repr(caught.value.errors)


# -- Trying it


def test_a_second_deskhand_can_be_connected(desk: Desk, house: House) -> None:
    made = house.connect(desk.server.url + "/v2", desk.client_id, desk.client_secret)
    assert (made.base_url, made.link_base) == (desk.server.url, desk.server.url)
    agent = house.agent(made)
    answer = house.run(lambda remotes: send(remotes.of(agent), agent, "get_me"))
    assert json.loads(answer.body)["id"] == desk.user_id


def test_by_refresh_token_too(desk: Desk, house: House) -> None:
    given = desk.write(
        lambda tx: tokens.issue(
            tx, account_id=desk.account_id, application_id=desk.application_id, user_id=desk.user_id,
            now=desk.server.clock.now(), refreshable=True,
        )
    ).refresh  # fmt: skip
    assert given is not None
    made = house.connect(
        desk.server.url, desk.client_id, desk.client_secret, grant="authorization_code", refresh_token=given
    )
    secrets = connections.unseal(house.sealer, made)
    assert secrets.refresh_token not in (None, given)
    agent = house.agent(made)
    assert house.run(lambda remotes: send(remotes.of(agent), agent, "get_me")).status == 200


def test_by_a_code(sqlite_house: House, fake: FakeDesk) -> None:
    house = sqlite_house.another()
    fake.tokens = lambda _: fake.new_token(refresh_token="r1")
    made = house.connect(fake.url, grant="authorization_code", code="c0de")
    form = fake.token_calls[0].form
    assert (form["grant_type"], form["code"], form["client_secret"]) == ("authorization_code", "c0de", "s3cret")
    assert connections.unseal(house.sealer, made).refresh_token == "r1"


def refused(house: House, **given: str) -> dict[str, str]:
    with pytest.raises(BadRequest) as caught:
        house.connect(**given)
    return {one.path: one.message for one in caught.value.errors}


def test_wrong_credentials_are_refused_in_the_desks_words(desk: Desk, house: House) -> None:
    wrong = refused(house, base_url=desk.server.url, client_id=desk.client_id, client_secret="wrong")
    assert wrong == {"client_secret": "the help desk refuses these credentials: Invalid client authentication"}
    given = {"base_url": desk.server.url, "client_id": desk.client_id, "client_secret": desk.client_secret}
    by_code = given | {"grant": "authorization_code"}
    assert list(refused(house, **by_code, code="no")) == ["code"]
    assert list(refused(house, **by_code, refresh_token="no")) == ["refresh_token"]


@pytest.mark.parametrize(
    "says",
    [
        error(404), error(500), Says(body=b"<html>"), Says(content={}), Says(content={"access_token": "a\nb"}),
        Says(content={"access_token": 5}), Says(content=[]), Says(302, headers=(("Location", "/"),)),
    ],
)  # fmt: skip
def test_where_no_desk_is_nothing_is_kept(sqlite_house: House, fake: FakeDesk, says: Says) -> None:
    house = sqlite_house.another()
    fake.tokens = lambda _: says
    assert list(refused(house, base_url=fake.url)) == ["base_url"]
    assert house.run(lambda remotes: remotes.connections.listed(house.account_id)) == []


def test_a_desk_that_takes_the_credentials_but_not_the_token_is_refused(sqlite_house: House) -> None:
    with faking() as fake:
        fake.me = error(401)
        assert list(refused(sqlite_house.another(), base_url=fake.url)) == ["base_url"]


def test_its_links_may_begin_with_another_name(desk: Desk, house: House) -> None:
    inside = desk.server.url.replace("127.0.0.1", "localhost")
    made = house.connect(inside, desk.client_id, desk.client_secret)
    assert (made.base_url, made.link_base) == (inside, desk.server.url)
    agent = house.agent(made)

    async def work(remotes: Any) -> Any:
        remote = remotes.of(agent)
        body = json.dumps({"emails": [{"value": "new@buyer.example"}]}).encode()
        return await send(remote, agent, "create_customer", body=body), remote.base_url

    answer, base_url = house.run(work)
    assert dict(answer.headers)["Location"].startswith(f"{desk.server.url}/v2/customers/")
    assert base_url == desk.server.url


# -- Keeping it


def test_secrets_are_stored_encrypted_and_never_shown(desk: Desk, house: House) -> None:
    made = house.connect(desk.server.url, desk.client_id, desk.client_secret)
    secrets = connections.unseal(house.sealer, made)
    assert secrets.client_secret == desk.client_secret and secrets.access_token
    stored = repr(house.database.read_now(lambda db: connections.of_account(db, house.account_id)))
    (shown,) = house.run(lambda remotes: remotes.connections.listed(house.account_id))
    for text in (stored, repr(shown)):
        assert desk.client_secret not in text and secrets.access_token not in text
    assert "secrets" not in shown.__struct_fields__
    assert (shown.name, shown.client_id, shown.grant) == ("Desk", desk.client_id, "client_credentials")
    assert shown.health.last_ok == shown.created_at and shown.health.last_error is None


def test_another_accounts_connections_are_not_there(desk: Desk, house: House) -> None:
    made = house.connect(desk.server.url, desk.client_id, desk.client_secret)
    other = house.another()
    assert other.run(lambda remotes: remotes.connections.listed(other.account_id)) == []
    assert other.database.read_now(lambda db: connections.by_id(db, other.account_id, made.id)) is None
    with pytest.raises(NotFound):
        other.run(lambda remotes: remotes.connections.remove(other.account_id, made.id))


def test_without_the_key_none_is_made_beside_others(sqlite_house: House, fake: FakeDesk, tmp_path: Any) -> None:
    house = sqlite_house.another()
    house.connect(fake.url)
    elsewhere = House(tmp_path, house.database, house.clock, house.account_id)
    with pytest.raises(NoKey, match="missing"):
        elsewhere.connect(fake.url)
    (tmp_path / "gateway.key").write_text("another key, which is long enough to be one")
    (tmp_path / "gateway.key").chmod(0o600)
    with pytest.raises(NoKey, match="not the key"):
        elsewhere.connect(fake.url)


def add_agent(house: House, connection: Connection, state: str = "active") -> None:
    names = "account_id, name, state, connection_id, client_id, secret_hash, grant_version, created_at"
    text = f"INSERT INTO agent ({names}) VALUES ({house.account_id}, 'Triage', '{state}', {connection.id}, "

    def work(session: Session) -> None:
        session.begin()
        session._execute(f"{text}'c{house.account_id}{state}', 'x', 0, 'x')", ())
        session.commit()

    house.database.lanes["write"].run_now(work)


def test_one_that_agents_use_is_not_removed(desk: Desk, house: House) -> None:
    made = house.connect(desk.server.url, desk.client_id, desk.client_secret)
    add_agent(house, made, "paused")
    with pytest.raises(AlreadyThere, match="Triage"):
        house.run(lambda remotes: remotes.connections.remove(house.account_id, made.id))
    assert len(house.run(lambda remotes: remotes.connections.listed(house.account_id))) == 1


def test_one_that_none_uses_is_removed_with_its_entry_in_the_log(desk: Desk, house: House) -> None:
    made = house.connect(desk.server.url, desk.client_id, desk.client_secret)
    add_agent(house, made, "deleted")
    told: list[str] = []
    house.run(
        lambda remotes: remotes.connections.remove(house.account_id, made.id, lambda tx, row: told.append(row.name))
    )
    assert told == ["Desk"]
    assert house.run(lambda remotes: remotes.connections.listed(house.account_id)) == []


def test_what_can_not_be_logged_does_not_happen(desk: Desk, house: House) -> None:
    made = house.connect(desk.server.url, desk.client_id, desk.client_secret)

    def fail(tx: Any, row: Connection) -> None:
        raise RuntimeError("the log is full")

    with pytest.raises(RuntimeError):
        house.run(lambda remotes: remotes.connections.remove(house.account_id, made.id, fail))
    given = read_given(GOOD | {"base_url": desk.server.url, "client_id": desk.client_id} | {
        "client_secret": desk.client_secret
    })  # fmt: skip
    with pytest.raises(RuntimeError):
        house.run(lambda remotes: remotes.connections.make(house.account_id, given, fail))
    assert len(house.run(lambda remotes: remotes.connections.listed(house.account_id))) == 1


def test_new_secrets_take_the_place_of_old_ones_for_the_same_desk_alone(sqlite_house: House, fake: FakeDesk) -> None:
    house = sqlite_house.another()
    made = house.connect(fake.url)
    given = {"name": "Desk", "base_url": fake.url, "client_id": "client", "client_secret": "newer"}
    house.run(lambda remotes: remotes.connections.sign_in_again(house.account_id, made.id, read_given(given)))
    row = house.database.read_now(lambda db: connections.by_id(db, house.account_id, made.id))
    assert row is not None and connections.unseal(house.sealer, row).client_secret == "newer"
    for change in ({"base_url": "https://else.example"}, {"client_id": "other"}):
        with pytest.raises(BadRequest) as caught:
            house.run(
                lambda remotes, change=change: remotes.connections.sign_in_again(  # type: ignore[misc]
                    house.account_id, made.id, read_given(given | change)
                )
            )
        assert [one.path for one in caught.value.errors] == list(change)
    with pytest.raises(NotFound):
        house.run(lambda remotes: remotes.connections.sign_in_again(house.account_id, 10**6, read_given(given)))
