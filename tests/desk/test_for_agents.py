"""Agents on the desk: who they are there, for others and for themselves."""

from __future__ import annotations

from deskhand.desk.conversations.threads.rating import rate
from deskhand.desk.for_agents import Authors
from deskhand.desk.workflows.actions import SetStatus
from deskhand.oauth import tokens
from tests.desk.answers import ALWAYS, ids, items, threads_of
from tests.desk.as_agent import as_agent
from tests.desk.conversations.builders import add, created, done, patch, read, start
from tests.world import Desk, open_desk


def test_what_an_agent_writes_is_by_a_user_in_v2_and_a_system_user_in_v3(desk: Desk) -> None:
    inbox = desk.add_inbox()
    agent = as_agent(desk, inbox)
    customer = {"email": "mira@buyer.example"}
    id = start(agent, inbox, customer=customer, threads=[{"type": "reply", "text": "Hello", "customer": customer}])
    created(add(agent, id, "notes"))
    created(add(agent, id, "reply", customer=customer))
    done(patch(agent, id, "/assignTo", agent.user_id))
    done(patch(agent, id, "/status", "closed"))
    me = f"{desk.server.url}/v2/users/{agent.user_id}"
    for version, kind in (("v2", "user"), ("v3", "system_user")):
        whole = desk.get(f"/{version}/conversations/{id}", embed="threads").json()
        listed = threads_of(desk, id, version)
        for shown in (whole["createdBy"], whole["closedByUser"], whole["assignee"]):
            assert (shown["id"], shown["type"]) == (agent.user_id, kind)
        for found in (listed, whole["_embedded"]["threads"]):
            assert {(one["type"], one["createdBy"]["type"], one["createdBy"]["first"]) for one in found} == {
                (one, kind, "Triage") for one in ("message", "note", "lineitem")
            }
            assert {one["assignedTo"]["type"] for one in found if "assignedTo" in one} <= {kind}
        assert whole["_links"]["createdByUser"]["href"] == whole["_links"]["assignee"]["href"] == me
        assert whole["closedBy"] == agent.user_id
    assert desk.get(me).json()["firstName"] == "Triage"
    assert [one["action"]["text"] for one in listed if one["type"] == "lineitem"] == [
        "Triage marked as closed", "Triage assigned to Triage",
    ]  # fmt: skip


def test_an_agent_has_a_folder_of_its_own(desk: Desk) -> None:
    inbox = desk.add_inbox()
    agent = as_agent(desk, inbox)
    id = start(desk, inbox, assignTo=agent.user_id)
    start(desk, inbox, assignTo=desk.user_id)
    (mine,) = (one for one in items(agent.get(f"/v2/mailboxes/{inbox}/folders")) if one["type"] == "mytickets")
    assert (mine["userId"], mine["totalCount"], mine["activeCount"]) == (agent.user_id, 1, 1)
    assert ids(agent.get("/v2/conversations", folder=mine["id"])) == [id]
    report = agent.get("/v2/reports/conversations", **ALWAYS, folders=mine["id"]).json()
    assert report["current"]["totalConversations"] == 1


def test_an_agent_is_told_who_it_is(desk: Desk) -> None:
    agent = as_agent(desk, desk.add_inbox())
    me = agent.get("/v2/users/me")
    assert (me.status_code, me.json()["id"], me.json()["companyId"]) == (200, agent.user_id, desk.account_id)
    assert ids(agent.get("/v3/system-users")) == [agent.user_id]


def test_ratings_and_reports_name_an_agent_that_was_rated(desk: Desk) -> None:
    inbox = desk.add_inbox()
    agent = as_agent(desk, inbox)
    id = start(desk, inbox, customer={"email": "mira@buyer.example"})
    written = created(add(agent, id, "reply", customer={"email": "mira@buyer.example"}))
    rating = desk.write(lambda tx: rate(tx, desk.account_id, written, "great", "Quick!", desk.now))
    assert agent.get(f"/v2/ratings/{rating}").json()["user"] == {"id": agent.user_id, "firstName": "Triage"}
    (result,) = agent.get("/v2/reports/happiness/ratings", **ALWAYS).json()["results"]
    assert (result["ratingUserId"], result["ratingUserName"]) == (agent.user_id, "Triage")


def test_an_agent_has_an_administrators_rights_in_its_inboxes(desk: Desk) -> None:
    inbox, user = desk.add_inbox(), desk.add_user()
    agent = as_agent(desk, inbox)
    id = start(desk, inbox)
    written = threads_of(desk, id)[0]["id"]
    done(agent.patch(f"/v2/conversations/{id}/threads/{written}", {"op": "replace", "path": "/text", "value": "x"}))
    workflow = desk.add_workflow(inbox, SetStatus("closed"))
    done(agent.patch(f"/v2/workflows/{workflow}", {"op": "replace", "path": "/status", "value": "inactive"}))
    done(agent.put(f"/v2/users/{user}/status", {"status": "away"}))


def test_no_credential_stands_for_an_agent(desk: Desk) -> None:
    agent = as_agent(desk, everywhere=True)
    issued = desk.write(
        lambda tx: tokens.issue(
            tx, account_id=desk.account_id, application_id=desk.application_id, user_id=agent.user_id,
            now=desk.server.clock.now(), refreshable=False,
        )
    )  # fmt: skip
    for headers in ({"Authorization": f"Bearer {issued.access}"}, {"Deskhand.Agent": "1", "Authorization": ""}):
        assert desk.request("GET", "/v2/users/me", headers=headers).status_code == 401


def test_only_a_system_user_of_the_account_can_be_an_agent(desk: Desk) -> None:
    stranger = open_desk(desk.server).add_system_user()
    for user_id in (desk.user_id, desk.add_team(), stranger, 999_999_999):
        agent = as_agent(desk, everywhere=True, user_id=user_id)
        assert agent.get("/v2/mailboxes").status_code == 401


def test_an_agent_that_was_retired_is_nobody_at_once(desk: Desk) -> None:
    agent, authors = as_agent(desk, everywhere=True), Authors()
    inbox = desk.add_inbox()
    id = start(desk, inbox, assignTo=agent.user_id)
    assert agent.get("/v2/mailboxes").status_code == 200
    desk.write(lambda tx: authors.retire(tx, desk.account_id, agent.user_id, desk.server.clock.now()))
    assert agent.get("/v2/mailboxes").status_code == 401
    assert "assignee" not in read(desk, id)
    folders = {one["type"]: one["totalCount"] for one in items(desk.get(f"/v2/mailboxes/{inbox}/folders"))}
    assert (folders["open"], folders["assigned"]) == (1, 0)


def test_an_author_is_added_and_renamed(desk: Desk) -> None:
    authors, now = Authors(), desk.server.clock.now()
    added = desk.write(lambda tx: authors.add(tx, desk.account_id, "Triage", now))
    agent = as_agent(desk, everywhere=True, user_id=added)
    id = start(desk, desk.add_inbox())
    created(add(agent, id, "notes"))
    desk.write(lambda tx: authors.rename(tx, desk.account_id, added, "Sorter", now))
    desk.write(lambda tx: authors.rename(tx, desk.account_id, desk.user_id, "Nobody", now))
    assert threads_of(desk, id, "v3")[0]["createdBy"] == {"id": added, "type": "system_user", "first": "Sorter"}
    assert desk.get(f"/v2/users/{desk.user_id}").json()["firstName"] == "Ada"
