"""What webhooks tell of agents; and an agent's own workflows and webhooks reach no further than it does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deskhand.desk.conversations.threads.rating import rate
from deskhand.desk.workflows.actions import Move, SetStatus
from tests.desk.answers import ids, threads_of, total
from tests.desk.as_agent import as_agent
from tests.desk.conversations.builders import add, created, done, faults, patch, read, start
from tests.desk.webhooks.builders import add_webhook, all_heard, deliveries, hook, hurry
from tests.receiver import Receiver, receiving
from tests.world import Desk


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_webhooks_tell_an_agent_from_a_user_in_their_newer_payload(desk: Desk, receiver: Receiver) -> None:
    inbox = desk.add_inbox()
    agent = as_agent(desk, inbox)
    for version in ("V2", "V3"):
        add_webhook(desk, receiver, "convo.note.created", payloadVersion=version, path=f"/{version}")
    created(add(agent, start(desk, inbox), "notes"))
    receiver.wait(lambda: len(receiver.received) == 2)
    authors = {
        one.path: one.json["_embedded"]["threads"][0]["createdBy"]["type"] for one in receiver.received
    }  # fmt: skip
    assert authors == {"/V2": "user", "/V3": "system_user"}


def test_a_workflow_runs_on_conversations_of_its_inbox_all_or_none(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    ours, theirs = start(desk, granted), start(desk, other)
    path = f"/v2/workflows/{desk.add_workflow(granted, SetStatus('closed'))}/run"
    refused = agent.post(path, {"conversationIds": [ours, theirs]})
    unknown = agent.post(path, {"conversationIds": [ours, 999_999_999]})
    assert faults(refused) == faults(unknown) == ["conversationIds[1]"]
    assert read(desk, ours)["status"] == "active"
    done(agent.post(path, {"conversationIds": [ours]}))
    assert read(desk, ours)["status"] == "closed"


def test_a_workflow_that_moves_conversations_away_is_not_run(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    id, workflow = start(desk, granted), desk.add_workflow(granted, SetStatus("closed"), Move(other))
    run = f"/v2/workflows/{workflow}/run", {"conversationIds": [id]}
    assert as_agent(desk, granted).post(*run).status_code == 403
    assert read(desk, id)["status"] == "active"
    done(as_agent(desk, granted, other).post(*run))


def test_a_narrowed_agent_has_webhooks_for_its_inboxes_alone(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    assert faults(agent.post("/v2/webhooks", hook())) == ["mailboxIds"]
    assert faults(agent.post("/v2/webhooks", hook(mailboxIds=[granted, other]))) == ["mailboxIds[1]"]
    reaching = ["convo.tags", "customer.created", "tag.created", "satisfaction.ratings", "user.status.changed"]
    answer = agent.post("/v2/webhooks", hook(mailboxIds=[granted], events=reaching))
    assert faults(answer) == ["events[1]", "events[2]", "events[4]"]
    made = created(agent.post("/v2/webhooks", hook(mailboxIds=[granted], events=["convo.tags"])))
    wider = [created(desk.post("/v2/webhooks", hook(mailboxIds=listed))) for listed in ([], [granted, other], [other])]
    found = agent.get("/v2/webhooks")
    assert (ids(found), total(found)) == ([made], 1)
    for id in wider:
        for answer in (
            agent.get(f"/v2/webhooks/{id}"), agent.delete(f"/v2/webhooks/{id}"),
            agent.put(f"/v2/webhooks/{id}", hook(mailboxIds=[granted])),
        ):  # fmt: skip
            assert answer.status_code == 404
    assert total(desk.get("/v2/webhooks")) == 4
    assert faults(agent.put(f"/v2/webhooks/{made}", hook())) == ["mailboxIds"]
    done(agent.put(f"/v2/webhooks/{made}", hook(mailboxIds=[granted], label="mine")))
    assert total(as_agent(desk, everywhere=True).get("/v2/webhooks")) == 4


def test_a_webhook_of_an_agent_is_told_of_the_inboxes_it_names(desk: Desk, receiver: Receiver) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    events = ("convo.created", "convo.note.created", "satisfaction.ratings")
    add_webhook(agent, receiver, *events, mailboxIds=[granted])
    rated = []
    for inbox in (other, granted):
        reply = {"type": "reply", "text": "Here", "customer": {"email": "mira@buyer.example"}}
        id = start(desk, inbox, customer={"email": "mira@buyer.example"}, threads=[reply])
        rated.append((id, threads_of(desk, id)[0]["id"]))
    for _, written in rated:
        desk.write(lambda tx: rate(tx, desk.account_id, written, "great", "", desk.now))  # noqa: B023
    near = rated[1][0]
    receiver.wait(lambda: all_heard(desk) and len(receiver.received) == 2)
    created(add(desk, rated[0][0], "notes"))
    done(patch(desk, near, "/mailboxId", other, op="move"))
    done(patch(desk, near, "/mailboxId", granted, op="move"))
    created(add(desk, near, "notes"))
    receiver.wait(lambda: all_heard(desk) and len(receiver.received) == 3)
    told = {one.event: one.json for one in receiver.received}
    assert set(told) == set(events)
    assert (told["convo.created"]["id"], told["satisfaction.ratings"]["mailboxId"]) == (near, granted)
    listed = told["convo.note.created"]["_embedded"]["threads"]
    assert [one["action"].get("text") for one in listed if one["type"] == "lineitem"] == [None, None]
    assert str(other) not in {str(one["action"]["associatedEntities"].get("mailbox")) for one in listed}


def test_what_could_not_be_sent_yet_goes_to_no_new_address_of_an_agent(desk: Desk, receiver: Receiver) -> None:
    granted = desk.add_inbox()
    agent = as_agent(desk, granted)
    id = created(agent.post("/v2/webhooks", hook(mailboxIds=[granted])))
    start(desk, granted)
    receiver.wait(lambda: deliveries(desk) == 1)
    done(agent.put(f"/v2/webhooks/{id}", hook(url=receiver.url, mailboxIds=[granted])))
    hurry(desk)
    later = start(desk, granted)
    receiver.wait(lambda: len(receiver.received) > 0)
    assert [one.json["id"] for one in receiver.received] == [later]
