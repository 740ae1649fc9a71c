"""Keys, client secret, programs, name and end of an agent."""

from __future__ import annotations

import base64
import hashlib

from lxml import html

from deskhand.db.engine import Writer
from deskhand.gateway import mcp_clients
from tests.agents import AgentOf, add_agent, log_of
from tests.web.console.forms import form_to, said, send, words
from tests.web.people import Person, signed_in
from tests.world import Desk


def with_key(agent: AgentOf, key: str) -> int:
    """What the agent's calls are answered with another key."""
    return AgentOf(agent.desk, agent.id, agent.name, key, "", "").get("/v2/conversations").status_code


def access(person: Person, agent: AgentOf) -> html.HtmlElement:
    """The page about how an agent gets in."""
    return person.page(f"/console/agents/{agent.id}/access")


def test_a_key_is_rotated(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    path = f"/console/agents/{agent.id}/keys"
    answer = send(person, form_to(access(person, agent), path))
    new = words(html.fromstring(answer.text).get_element_by_id("secret-1"))
    assert new.startswith("dh_agent_")
    assert with_key(agent, new) == 200
    page = access(person, agent)
    assert new not in html.tostring(page).decode()
    assert not [one for one in page.forms if one.get("action") == path]  # two are the most
    assert person.send(path).status_code == 409
    revoke = [one for one in page.forms if one.get("action", "").endswith("/revoke")]
    assert len(revoke) == 2
    assert "revoked" in send(person, revoke[0]).text
    assert with_key(agent, agent.key) == 401
    assert with_key(agent, new) == 200
    assert log_of(desk, type="admin")[0].actor == {"type": "user", "id": desk.user_id}


def test_a_key_may_end_by_itself_but_not_in_the_past(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    form = form_to(access(person, agent), f"/console/agents/{agent.id}/keys")
    wrong = send(person, form, {"expires_at": "2020-01-01T00:00"})
    assert wrong.status_code == 400
    assert html.fromstring(wrong.text).get_element_by_id("expires_at").get("value") == "2020-01-01T00:00"
    assert html.fromstring(wrong.text).xpath("//*[@role='alert']")
    assert send(person, form, {"expires_at": "2090-01-02T03:04"}).status_code == 200
    shown = desk.server.run(desk.server.app.gateway.administration.agents.one(desk.account_id, agent.id))
    assert [key.expires_at for key in shown.keys] == [None, "2090-01-02T03:04:00Z"]


def test_a_new_client_secret_takes_the_place_of_the_old(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    answer = person.send(f"/console/agents/{agent.id}/secret")
    page = html.fromstring(answer.text)
    assert words(page.get_element_by_id("secret-1")) == agent.client_id
    secret = words(page.get_element_by_id("secret-2"))
    for given, status in ((secret, 200), (agent.client_secret, 400)):
        body = {"grant_type": "client_credentials", "client_id": agent.client_id, "client_secret": given}
        assert person.http.post(f"{desk.server.url}/v2/oauth2/token", data=body, timeout=30).status_code == status


def test_a_programs_access_is_ended(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    assert "None. MCP clients" in words(access(person, agent))
    now, address, verifier = desk.server.clock.now(), "https://a.example/", "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()

    def let_in(tx: Writer) -> str:
        made = mcp_clients.register(tx, "Ledger <3", (address,), now)
        assert made is not None
        code = mcp_clients.issue_code(tx, desk.account_id, agent.id, made.client_id, address, challenge, now)
        given = mcp_clients.spend_code(tx, made.client_id, code, address, verifier, now)
        assert isinstance(given, mcp_clients.Given)
        return given.access

    token = desk.write(let_in)
    assert with_key(agent, token) == 200
    page = access(person, agent)
    assert "Ledger <3" in words(page)
    (end,) = (one for one in page.forms if one.get("action", "").endswith("/end"))
    assert "acts for this agent no longer" in send(person, end).text
    assert with_key(agent, token) == 401
    assert send(person, end).status_code == 404


def test_an_agent_is_renamed(desk: Desk) -> None:
    agent, other, person = add_agent(desk), add_agent(desk), signed_in(desk)
    path = f"/console/agents/{agent.id}/name"
    assert "It is called Ledger now." in person.send(path, name="Ledger").text
    assert words(access(person, agent).xpath("//h1")[0]) == "Ledger"
    answer = person.send(path, name=other.name)
    assert answer.status_code == 409
    assert html.fromstring(answer.text).get_element_by_id("name").get("value") == other.name
    assert "Another agent has this name" in said(answer)


def test_deleting_takes_the_name(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    path = f"/console/agents/{agent.id}/delete"
    for typed in ("", "Somebody else"):
        answer = person.send(path, typed=typed)
        assert answer.status_code == 400
        assert f"Type {agent.name}" in said(answer)
    assert agent.get("/v2/conversations").status_code == 200
    assert "is deleted" in person.send(path, typed=agent.name.upper()).text
    assert agent.get("/v2/conversations").status_code == 401
    assert person.get(f"/console/agents/{agent.id}").status_code == 404
