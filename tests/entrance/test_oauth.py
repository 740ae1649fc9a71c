"""OAuth for MCP clients: metadata, registration, the page, tokens; and what attackers try."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from deskhand.catalogue.problems import NotFound
from deskhand.entrance import oauth
from deskhand.entrance.oauth import OAuthError, Registrar
from deskhand.gateway import mcp_clients
from deskhand.lib.clock import MovableClock
from tests.agents import AgentOf, add_agent, log_of, somebody
from tests.entrance.flow import (
    AUTHORIZE,
    CALLBACK,
    REGISTER,
    TOKEN,
    Program,
    add_person,
    agents_offered,
    entered,
    form_of,
)
from tests.live import LiveServer
from tests.oauth.doors import Browser, Door
from tests.world import Desk, open_desk


@pytest.fixture
def door(server: LiveServer) -> Door:
    return cast(Door, SimpleNamespace(url=server.url, server=server))


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests come from one address."""
    monkeypatch.setattr(oauth, "REGISTRATIONS_AN_HOUR", 10**6)


@pytest.fixture
def agent(desk: Desk) -> AgentOf:
    return add_agent(desk, preset="reader", inboxes="all")


@pytest.fixture
def browser(desk: Desk, door: Door) -> Browser:
    """An administrator's, signed in."""
    return entered(desk, door, add_person(desk))


@pytest.fixture
def program(door: Door) -> Program:
    program = Program(door)
    assert program.register().status_code == 201
    return program


@pytest.fixture
def code(program: Program, browser: Browser, agent: AgentOf) -> str:
    return program.let_in(browser, agent.id)["code"][0]


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


# -- Where to ask


def test_metadata_leads_from_the_door_to_the_endpoints(server: LiveServer):
    for path in ("/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"):
        about = requests.get(server.url + path, timeout=30).json()
        assert about["resource"] == f"{server.url}/mcp"
        assert about["authorization_servers"] == [server.url]
    found = requests.get(f"{server.url}/.well-known/oauth-authorization-server", timeout=30).json()
    assert found["issuer"] == server.url
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["token_endpoint"] == server.url + TOKEN
    assert found["token_endpoint_auth_methods_supported"] == ["none"]


def test_help_scout_s_own_flow_knows_nothing_of_it(server: LiveServer, program: Program):
    form = {"grant_type": "client_credentials", "client_id": program.client_id, "client_secret": "x"}
    assert requests.post(f"{server.url}/v2/oauth2/token", data=form, timeout=30).status_code == 400


# -- Registration


def test_a_program_registers_as_a_public_client(door: Door):
    answer = Program(door).register("Claude\u202e\x00 Desktop ", token_endpoint_auth_method="client_secret_basic")
    made = answer.json()
    assert (answer.status_code, made["client_name"]) == (201, "Claude Desktop")
    assert made["token_endpoint_auth_method"] == "none"
    assert "client_secret" not in made
    assert made["grant_types"] == ["authorization_code", "refresh_token"]
    assert Program(door).register(name="").json()["client_name"] == "localhost:33418"


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)", "data:text/html,x", "http://evil.example/", "https://", "https://a@evil.example/", "/x",
        "https://a.example/#x", "https://a.example/ x", "http://localhost.evil.example/", "ftp://a.example/", "",
        "https://a.example/\n", "https://a.example:port/", "https://" + "a" * 500 + ".example/", "myapp://callback", 7,
        "http://127.0.0.1@evil.example/", "https://ä.example/", "http://[::1", "HTTPS:\\\\a.example",
    ],
)  # fmt: skip
def test_people_are_sent_to_https_or_their_own_computer_only(door: Door, uri: Any):
    assert error(Program(door).register(redirect_uris=[uri])) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize("uris", [[], None, "https://a.example", ["https://a.example/"] * 11, [None]])
def test_addresses_are_a_short_list(door: Door, uris: Any):
    assert error(Program(door).register(redirect_uris=uris)) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "uri", ["https://a.example/cb?x=1", "http://127.0.0.1:1/", "http://[::1]:9/x", "http://localhost"]
)
def test_https_and_loopback_addresses_are_taken(door: Door, uri: str):
    assert Program(door, redirect_uri=uri).register().status_code == 201


def test_what_is_no_registration_is_refused(door: Door):
    for body in (b"", b"{", b"[]", b"7", b"\xff", b"[" * 60_000):
        assert error(Program(door).post(REGISTER, data=body)) == (400, "invalid_client_metadata")
    assert Program(door).post(REGISTER, data=b"x" * 70_000).status_code == 413
    assert requests.get(door.url + REGISTER, timeout=30).status_code == 405


def test_registrations_are_slowed_down(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(oauth, "REGISTRATIONS_AN_HOUR", 2)
    registrar = Registrar()
    for number in range(2 * 15):
        registrar.admit(f"192.0.2.{number // 2}")
    for host in ("192.0.2.0", "198.51.100.1"):  # one that registered, and one more than all together may
        with pytest.raises(OAuthError) as refused:
            registrar.admit(host)
        assert refused.value.status == 429
        assert 0 < int(refused.value.headers["Retry-After"]) <= 3601


def test_what_was_slowed_down_is_answered_so(door: Door, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(oauth, "REGISTRATIONS_AN_HOUR", 1)
    answers = [Program(door).register() for _ in range(2)]
    assert error(answers[1]) == (429, "temporarily_unavailable")


def test_too_many_programs_make_room_within_the_hour(desk: Desk, door: Door, monkeypatch: pytest.MonkeyPatch):
    Program(door).register()
    monkeypatch.setattr(mcp_clients, "CLIENTS_MOST", 0)
    assert error(Program(door).register()) == (503, "temporarily_unavailable")
    later = desk.server.clock.now() + timedelta(hours=1, seconds=1)
    assert desk.write(lambda tx: mcp_clients.register(tx, "Ledger", (CALLBACK,), later)) is not None


# -- The page


def test_a_program_is_let_in_as_an_agent(desk: Desk, program: Program, browser: Browser, agent: AgentOf):
    page = browser.get(program.asks())
    assert "Ledger" in page.text
    assert "localhost:33418" in page.text
    assert "your own computer" in page.text
    assert agent.name in page.text
    assert page.headers["X-Frame-Options"] == "DENY"

    sent = program.let_in(browser, agent.id)
    assert sent.keys() == {"code", "state", "iss"}
    assert (sent["state"], sent["iss"]) == (["s &=1"], [desk.server.url])

    answer = program.exchange(sent["code"][0])
    assert answer.headers["Cache-Control"] == "no-store"
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert tokens["access_token"].startswith("dh_agent_")
    assert program.opens(tokens["access_token"])
    entry = next(one for one in log_of(desk, agent=agent.id) if "let the program" in one.sentence)
    assert entry.sentence == f"Mina Voss let the program Ledger (localhost:33418) act as {agent.name}"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_on_the_person_s_computer_any_port_will_do(door: Door, browser: Browser, agent: AgentOf, host: str):
    """Source: https://www.rfc-editor.org/rfc/rfc9700#section-4.1.3; VS Code registers an address without a port."""
    program = Program(door, redirect_uri=f"http://{host}/")
    program.register()
    program.redirect_uri = f"http://{host}:49152/"
    sent = program.let_in(browser, agent.id)
    wrong = program.exchange(sent["code"][0], redirect_uri=f"http://{host}:49153/")
    assert wrong.json()["error"] == "invalid_grant"  # it has to be the one that was asked with
    sent = program.let_in(browser, agent.id)
    assert program.opens(program.exchange(sent["code"][0]).json()["access_token"])


def test_elsewhere_the_port_belongs_to_the_address(door: Door, browser: Browser, agent: AgentOf):
    program = Program(door, redirect_uri="https://a.example/cb")
    program.register()
    assert browser.get(program.asks(redirect_uri="https://a.example:444/cb")).status_code == 400


def test_who_is_not_signed_in_does_that_first(desk: Desk, door: Door, program: Program, agent: AgentOf):
    browser = Browser(door)
    asked = browser.get(program.asks())
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/sign-in?next=%2Fmcp%2Foauth%2Fauthorize")
    person = add_person(desk, "owner")
    form = browser.get(asked.headers["location"])
    onward = browser.send(form, "/sign-in", email=person.email, password=person.password)
    assert browser.get(onward.headers["location"]).text.count(agent.name) == 1


def test_a_person_may_deny(program: Program, browser: Browser, agent: AgentOf):
    answer = browser.send(browser.get(program.asks()), AUTHORIZE, decision="deny")
    assert answer.status_code == 302
    assert "error=access_denied" in answer.headers["location"]
    assert "code=" not in answer.headers["location"]


def test_only_administrators_decide(desk: Desk, door: Door, program: Program, agent: AgentOf):
    browser = entered(desk, door, add_person(desk, "user"))
    assert browser.get(program.asks()).status_code == 403
    assert browser.post(program.asks(), {"decision": "approve", "agent": str(agent.id)}).status_code == 403


def test_only_agents_of_one_s_own_account_are_offered(desk: Desk, door: Door, program: Program, browser: Browser):
    foreign = add_agent(open_desk(desk.server))
    page = browser.get(program.asks())
    assert agents_offered(page) == 0
    assert "no agent yet" in page.text
    own = add_agent(desk)
    page = browser.get(program.asks())
    assert agents_offered(page) == 1
    for chosen in (str(foreign.id), "", "x", f"{own.id} "):
        refused = browser.post(program.asks(), form_of(page) | {"decision": "approve", "agent": chosen})
        assert refused.status_code == 400


def test_a_form_from_elsewhere_is_not_taken(program: Program, browser: Browser, agent: AgentOf):
    page = browser.get(program.asks())
    fields = form_of(page) | {"decision": "approve", "agent": str(agent.id)}
    assert browser.post(program.asks(), fields | {"csrf": "x"}).status_code == 403
    assert browser.post(program.asks(), fields, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "mcp_unknown"}, {"client_id": None}, {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://localhost:33418/callback/"}, {"redirect_uri": "http://127.0.0.1:33418/callback"},
        {"redirect_uri": "http://localhost:33419/elsewhere"}, {"redirect_uri": "https://localhost:33418/callback"},
        {"redirect_uri": "http://localhost:33418@evil.example/callback"},
        {"redirect_uri": "http://localhost:33418.evil.example/callback"},
        {"redirect_uri": "http://localhost:33419/callback\r\nX: 1"}, {"redirect_uri": "http://localhost:99999/callback"},
        {"redirect_uri": None}, {"response_type": "token"}, {"response_type": None}, {"code_challenge": None},
        {"code_challenge": "short"}, {"code_challenge_method": "plain"}, {"code_challenge_method": None},
        {"resource": "https://evil.example/mcp"}, {"resource": "http://127.0.0.1/mcp"},
    ],
    ids=str,
)  # fmt: skip
def test_a_request_that_is_not_right_is_told_to_the_person_and_never_sent_on(
    program: Program, browser: Browser, agent: AgentOf, changed: dict[str, str | None]
):
    page = browser.get(program.asks())
    for answer in (
        browser.get(program.asks(**changed)),
        browser.post(program.asks(**changed), form_of(page) | {"decision": "approve", "agent": str(agent.id)}),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers


def test_a_parameter_given_twice_is_refused(program: Program, browser: Browser):
    assert browser.get(program.asks() + "&redirect_uri=https%3A%2F%2Fevil.example%2F").status_code == 400


def test_names_and_addresses_of_programs_are_text_in_the_page(door: Door, browser: Browser, agent: AgentOf):
    program = Program(door, redirect_uri="https://a.example/cb?x='y")
    program.register("<script>alert(1)</script>")
    page = browser.get(program.asks())
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    answer = browser.send(page, AUTHORIZE, decision="deny")
    assert answer.headers["location"].startswith("https://a.example/cb?x='y&error=access_denied")


# -- Tokens


def test_a_code_counts_for_its_program_its_address_and_its_verifier(program: Program, code: str, door: Door):
    other = Program(door)
    other.register()
    assert error(program.exchange(code, client_id=other.client_id)) == (400, "invalid_grant")
    assert error(program.exchange(code, client_id="mcp_unknown")) == (401, "invalid_client")
    for missing in ("code", "client_id", "redirect_uri", "code_verifier"):
        assert error(program.exchange(code, **{missing: None})) == (400, "invalid_request")
    assert error(program.exchange(code, code_verifier="short")) == (400, "invalid_request")
    assert error(program.exchange(code, resource="https://evil.example/mcp")) == (400, "invalid_target")
    assert error(program.exchange(code, grant_type="password")) == (400, "unsupported_grant_type")
    assert error(program.exchange(code, grant_type="client_credentials")) == (400, "unsupported_grant_type")
    assert program.exchange(code).status_code == 200  # none of these was an attempt with the code itself


def test_a_wrong_verifier_spends_the_code(program: Program, code: str):
    assert error(program.exchange(code, code_verifier="v" * 64)) == (400, "invalid_grant")
    assert error(program.exchange(code)) == (400, "invalid_grant")


def test_another_address_than_the_one_asked_for_spends_the_code(door: Door, browser: Browser, agent: AgentOf):
    program = Program(door)
    program.register(redirect_uris=[program.redirect_uri, "https://a.example/"])
    code = program.let_in(browser, agent.id)["code"][0]
    assert error(program.exchange(code, redirect_uri="https://a.example/")) == (400, "invalid_grant")
    assert error(program.exchange(code)) == (400, "invalid_grant")


def test_the_challenge_itself_is_no_verifier(program: Program, code: str):
    assert error(program.exchange(code, code_verifier=program.challenge)) == (400, "invalid_grant")


def test_a_code_that_comes_again_ends_what_it_gave(desk: Desk, program: Program, code: str, agent: AgentOf):
    tokens = program.exchange(code).json()
    assert program.opens(tokens["access_token"])
    assert error(program.exchange(code)) == (400, "invalid_grant")
    assert not program.opens(tokens["access_token"])
    assert error(program.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert any("came twice" in one.sentence for one in log_of(desk, agent=agent.id))


def test_of_many_exchanges_of_one_code_at_most_one_gives_tokens(program: Program, code: str):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: program.exchange(code), range(6)))
    assert sum(answer.status_code == 200 for answer in answers) == 1
    assert {answer.status_code for answer in answers} == {200, 400}
    given = next(answer for answer in answers if answer.status_code == 200).json()
    assert not program.opens(given["access_token"])


def test_a_code_lives_for_a_minute(program: Program, code: str, clock: MovableClock):
    clock.advance(timedelta(seconds=61))
    assert error(program.exchange(code)) == (400, "invalid_grant")


def test_a_refresh_token_counts_once(program: Program, code: str):
    first = program.exchange(code).json()
    second = program.refresh(first["refresh_token"]).json()
    assert second.keys() == first.keys()
    assert program.opens(second["access_token"])
    assert not program.opens(first["access_token"])
    assert error(program.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert not program.opens(second["access_token"])  # somebody else has the old one, or the new one
    assert error(program.refresh(second["refresh_token"])) == (400, "invalid_grant")


def test_a_refresh_token_counts_for_its_program_only(program: Program, code: str, door: Door):
    given = program.exchange(code).json()
    other = Program(door)
    other.register()
    assert error(other.refresh(given["refresh_token"])) == (400, "invalid_grant")
    assert error(program.refresh(given["refresh_token"] + "x", client_id=other.client_id)) == (400, "invalid_grant")
    assert error(program.refresh("dh_refresh_guess")) == (400, "invalid_grant")
    assert program.opens(given["access_token"])  # what others try ends nothing
    assert program.refresh(given["refresh_token"]).status_code == 200


def test_access_ends_after_an_hour_and_is_renewed_for_a_month(program: Program, code: str, clock: MovableClock):
    given = program.exchange(code).json()
    clock.advance(timedelta(seconds=3601))
    assert not program.opens(given["access_token"])
    again = program.refresh(given["refresh_token"]).json()
    assert program.opens(again["access_token"])
    clock.advance(timedelta(days=31))
    assert error(program.refresh(again["refresh_token"])) == (400, "invalid_grant")


def test_a_program_may_give_its_access_back(program: Program, code: str):
    given = program.exchange(code).json()
    form = {"client_id": program.client_id, "token": given["access_token"]}
    assert program.post("/mcp/oauth/revoke", data=form | {"client_id": "mcp_other"}).status_code == 200
    assert program.opens(given["access_token"])
    assert program.post("/mcp/oauth/revoke", data=form).status_code == 200
    assert not program.opens(given["access_token"])
    assert error(program.refresh(given["refresh_token"])) == (400, "invalid_grant")


def test_deleting_the_agent_ends_its_programs(
    desk: Desk, program: Program, browser: Browser, agent: AgentOf, code: str
):
    given = program.exchange(code).json()
    late = program.let_in(browser, agent.id)["code"][0]
    desk.server.run(desk.server.app.gateway.administration.agents.delete(somebody(desk), agent.id))
    assert not program.opens(given["access_token"])
    assert error(program.refresh(given["refresh_token"])) == (400, "invalid_grant")
    assert error(program.exchange(late)) == (400, "invalid_grant")


def test_administrators_see_programs_and_end_their_access(desk: Desk, program: Program, code: str, agent: AgentOf):
    administration = desk.server.app.gateway.administration
    assert desk.server.run(administration.credentials.programs(desk.account_id, agent.id)) == []
    given = program.exchange(code).json()
    (found,) = desk.server.run(administration.credentials.programs(desk.account_id, agent.id))
    assert found.name == "Ledger"
    with pytest.raises(NotFound):
        desk.server.run(administration.credentials.end_program(somebody(desk), add_agent(desk).id, found.id))
    desk.server.run(administration.credentials.end_program(somebody(desk), agent.id, found.id))
    assert not program.opens(given["access_token"])
    assert error(program.refresh(given["refresh_token"])) == (400, "invalid_grant")
    assert log_of(desk, agent=agent.id)[0].sentence.endswith(f"access of the program Ledger as agent {agent.name}")


def test_a_token_is_the_agent_and_no_more(desk: Desk, program: Program, code: str, agent: AgentOf):
    headers = {"Authorization": f"Bearer {program.exchange(code).json()['access_token']}"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "delete_conversation"}}
    call["params"]["arguments"] = {"conversation_id": 7}  # type: ignore[index]
    result = program.post("/mcp", json=call, headers=headers).json()["result"]
    assert result["structuredContent"]["reason"] == "missing_grant"
    assert log_of(desk, agent=agent.id)[0].operation == "delete_conversation"
    assert requests.get(f"{desk.server.url}/admin/v1/agents", headers=headers, timeout=30).status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"grant_type=authorization_code&grant_type=refresh_token", b"a=%00"]
)
def test_what_is_no_request_for_a_token_is_refused(program: Program, body: bytes):
    answer = program.post(TOKEN, data=body)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("unsupported_grant_type", "invalid_request")
    assert program.post(TOKEN, data=b"x" * 70_000).status_code == 413


def test_an_open_browser_lets_no_program_in(
    desk: Desk, door: Door, program: Program, agent: AgentOf, clock: MovableClock
) -> None:
    person = add_person(desk)
    browser = entered(desk, door, person)
    page = browser.get(program.asks())
    clock.advance(timedelta(minutes=11))
    left_open = browser.send(page, AUTHORIZE, decision="approve", agent=str(agent.id))
    assert left_open.status_code == 303 and left_open.headers["location"].startswith("/sign-in/confirm?next=")
    asked = browser.get(browser.get(program.asks()).headers["location"])
    assert "Confirm that it’s you" in asked.text
    assert browser.send(asked, "/sign-in/confirm", current="not it").status_code == 400
    done = browser.send(asked, "/sign-in/confirm", current=person.password)
    answer = browser.send(browser.get(done.headers["location"]), AUTHORIZE, decision="approve", agent=str(agent.id))
    assert answer.status_code == 302 and "code=" in answer.headers["location"]
