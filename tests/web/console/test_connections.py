"""Connections in the console: made after one call, with health in words, and never with their secrets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import html

from deskhand.gateway import connections
from tests.agents import add_agent, log_of, somebody
from tests.live import LiveServer
from tests.web.console.overseen import first, said, words
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A second Deskhand, which stands for any remote desk."""
    live = LiveServer(tmp_path_factory.mktemp("elsewhere"))
    yield open_desk(live)
    live.stop()


def fields(elsewhere: Desk, **more: str) -> dict[str, str]:
    return {
        "name": "Elsewhere", "base_url": elsewhere.url, "client_id": elsewhere.client_id,
        "client_secret": elsewhere.client_secret, "grant": "client_credentials", "code": "", "refresh_token": "",
    } | more  # fmt: skip


def made(desk: Desk, person: Person, elsewhere: Desk) -> int:
    answer = person.send("/console/connections", **fields(elsewhere))
    assert said(answer) == "Elsewhere was tried and works.", answer.text
    return desk.server.run(desk.server.app.gateway.remotes.connections.listed(desk.account_id))[0].id


def test_a_connection_is_tried_and_shown_without_its_secret(desk: Desk, elsewhere: Desk) -> None:
    person = signed_in(desk)
    assert "No connections yet" in words(person.page("/console/connections"))
    id = made(desk, person, elsewhere)
    page = person.page("/console/connections")
    card = words(page, ".connection")
    assert "Works" in card
    assert elsewhere.url in card
    assert elsewhere.client_id in card
    for path in ("/console/connections", f"/console/connections/{id}/credentials"):
        assert elsewhere.client_secret not in person.get(path).text
    assert log_of(desk)[0].sentence == f"Ada Holm added connection Elsewhere to {elsewhere.url}"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"base_url": "http://desk.example"}, "base_url"),
        ({"base_url": "http://127.0.0.1:9"}, "base_url"),
        ({"client_secret": "wrong-secret"}, "client_secret"),
        ({"client_secret": ""}, "client_secret"),
        ({"grant": "authorization_code"}, "code"),
        ({"grant": "authorization_code", "refresh_token": "x"}, "refresh_token"),
    ],
)
def test_what_does_not_work_is_said_at_its_field(
    desk: Desk, elsewhere: Desk, change: dict[str, str], wrong: str
) -> None:
    person = signed_in(desk)
    answer = person.send("/console/connections", **fields(elsewhere, **change))
    assert answer.status_code == 400
    page = html.fromstring(answer.text)
    assert page.cssselect(f"#{wrong}-hint.wrong"), answer.text
    kept = first(page, "#client_id").get("value")
    assert kept == elsewhere.client_id
    assert not first(page, "#client_secret").get("value")
    assert elsewhere.client_secret not in answer.text
    assert not person.page("/console/connections").cssselect(".connection")


def test_the_last_error_is_shown_in_words(desk: Desk, elsewhere: Desk) -> None:
    person = signed_in(desk)
    id = made(desk, person, elsewhere)
    desk.write(lambda tx: connections.note(tx, desk.account_id, id, "2200-01-01T00:00:00Z", "it answered 500"))
    card = words(person.page("/console/connections"), ".connection")
    assert "Failing" in card
    assert "it answered 500" in card


def test_new_credentials_are_tried(desk: Desk, elsewhere: Desk) -> None:
    person = signed_in(desk)
    id = made(desk, person, elsewhere)
    path = f"/console/connections/{id}/credentials"
    assert person.send(path, client_secret="wrong").status_code == 400
    answer = person.send(path, client_secret=elsewhere.client_secret, base_url="https://evil.example", name="Other")
    assert said(answer) == "Elsewhere has new credentials, and they work."
    assert log_of(desk)[0].sentence == f"Ada Holm gave new credentials to connection Elsewhere to {elsewhere.url}"


def test_one_that_agents_use_stays(desk: Desk, elsewhere: Desk) -> None:
    person = signed_in(desk)
    id = made(desk, person, elsewhere)
    agent = add_agent(desk, "Away", connection_id=id)
    assert agent.name in words(person.page("/console/connections"), ".connection")
    answer = person.send(f"/console/connections/{id}/remove")
    assert answer.status_code == 409
    assert f"agents use this connection: {agent.name}" in words(html.fromstring(answer.text), "[role=alert]")
    desk.server.run(desk.server.app.gateway.administration.agents.delete(somebody(desk), agent.id))
    assert said(person.send(f"/console/connections/{id}/remove")) == "Elsewhere was removed."
    assert person.send(f"/console/connections/{id}/remove").status_code == 404


def test_others_can_not(desk: Desk, elsewhere: Desk) -> None:
    id = made(desk, signed_in(desk), elsewhere)
    user, stranger = signed_in(desk, desk.add_user()), signed_in(open_desk(desk.server))
    assert user.get("/console/connections").status_code == 403
    assert stranger.get(f"/console/connections/{id}/credentials").status_code == 404
    assert stranger.send(f"/console/connections/{id}/remove").status_code == 404
    assert not stranger.page("/console/connections").cssselect(".connection")
