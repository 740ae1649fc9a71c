"""Calls to the desk in this process: the same answers as over HTTP, narrowed as was decided."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

import msgspec
import pytest
import sqlalchemy as sa

from deskhand.api.rate_limit import RateLimit
from deskhand.catalogue.operation import Of
from deskhand.catalogue.operations import BY_NAME
from deskhand.db.engine import Unavailable
from deskhand.db.statements import P, command
from deskhand.desk import call, for_agents
from deskhand.desk.call import AsAgent
from deskhand.desk.users.tables import account
from deskhand.desk.workflows.actions import Move
from deskhand.gateway import local
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Answer, Request
from deskhand.gateway.local import ANSWER_MOST, Local
from deskhand.gateway.policy import Decision, Found, Grants
from deskhand.gateway.upstream import UpstreamDown
from deskhand.lib.clock import SystemClock
from tests.desk.conversations.builders import start
from tests.desk.conversations.received import received
from tests.world import Desk, open_desk

T = TypeVar("T")
JSON = {"content-type": "application/json"}

_LIMIT = command(sa.update(account).where(account.c.id == P("id")).values(rate_limit=P("rate_limit")), keep=False)


def upstream(desk: Desk) -> Local:
    """The upstream as the application makes it."""
    app, database = desk.server.app, desk.server.app.database
    return Local(
        app.api, desk.server.url, as_agent=AsAgent,
        look_up=lambda account_id, wanted: database.read(lambda db: for_agents.look_up(db, account_id, wanted)),
        inbox_names=lambda account_id: database.read(lambda db: for_agents.inbox_names(db, account_id)),
        limit=lambda account_id: database.read(lambda db: for_agents.rate_limit(db, account_id)),
        left=app.rate_limit.left,
    )  # fmt: skip


def agent_of(desk: Desk, user_id: int | None = 0) -> Agent:
    user_id = desk.add_system_user() if user_id == 0 else user_id
    return Agent(1, desk.account_id, "Triage", "active", user_id, None, Grants())


def decision(*inboxes: int, everywhere: bool = False, **particulars: Any) -> Decision:
    return Decision(
        "allowed", "granted", "", inboxes=None if everywhere else frozenset(inboxes), **particulars
    )  # fmt: skip


def send(desk: Desk, request: Request, decided: Decision | None = None, name: str = "get_me") -> Answer:
    """One call of an agent that may see everything, unless it was decided otherwise."""
    decided = decided or decision(everywhere=True)
    return asyncio.run(upstream(desk).send(agent_of(desk), BY_NAME[name], request, decided))


def run(work: Awaitable[T]) -> T:
    async def wait() -> T:
        return await work

    return asyncio.run(wait())


def test_both_rooms_mean_the_same_key_of_the_scope() -> None:
    assert local.AS_AGENT == call.AS_AGENT


def test_an_answer_is_the_one_that_http_brings(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    for path, query in (
        (f"/v2/conversations/{id}", "embed=threads"), ("/v2/conversations", "status=all&page=2"),
        ("/v2/conversations", "page=x"), ("/v2/conversations/1", ""), ("/v2/nowhere", ""),
    ):  # fmt: skip
        answer, over_http = send(desk, Request("GET", path, query)), desk.get(f"{path}?{query}")
        assert (answer.status, answer.media_type) == (over_http.status_code, over_http.headers["Content-Type"])
        own, others = dict(answer.headers), {name.lower(): value for name, value in over_http.headers.items()}
        assert own.pop("correlation-id") != others["correlation-id"]
        assert own.items() <= others.items()
        assert set(others) - set(own) <= {
            "correlation-id", "access-control-allow-origin", "access-control-expose-headers", "content-type",
            "content-length", "date", "server",
        }  # fmt: skip
        body, other = msgspec.json.decode(answer.body), over_http.json()
        assert {**body, "logRef": None} == {**other, "logRef": None}


def test_a_body_goes_with_a_call_and_headers_come_back(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    path = f"/v2/conversations/{id}/notes"
    answer = send(desk, Request("POST", path, headers=JSON, body=b'{"text": "Noted."}'), name="add_note")
    headers = dict(answer.headers)
    assert (answer.status, answer.body, answer.media_type) == (201, b"", "")
    (note, _) = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    assert (note["body"], headers["resource-id"]) == ("Noted.", str(note["id"]))
    assert headers["location"] == f"{desk.server.url}/v2/conversations/{id}/threads/{note['id']}"
    refused = send(desk, Request("POST", path, headers={"content-type": "text/plain"}, body=b"x"), name="add_note")
    assert refused.status == 415
    assert send(desk, Request("POST", path, body=b"{"), name="add_note").status == 400


def test_what_a_client_accepts_is_passed_on_and_no_other_header(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    (thread,) = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    received(desk, id, thread["id"], b"Subject: Hi\r\n\r\nx")
    path = f"/v2/conversations/{id}/threads/{thread['id']}/original-source"
    others = {"authorization": "Bearer x", "x-http-method-override": "DELETE", "content-length": "5"}
    answer = send(desk, Request("GET", path, headers={"accept": "message/rfc822", **others}))
    assert (answer.status, answer.media_type, answer.body) == (200, "message/rfc822", b"Subject: Hi\r\n\r\nx")


def test_an_attachment_comes_whole(desk: Desk) -> None:
    data = base64.b64encode(bytes(range(256)) * 8_000).decode()
    file = {"fileName": "a.bin", "mimeType": "application/octet-stream", "data": data}
    id = start(desk, desk.add_inbox(), threads=[{"type": "customer", "text": "x", "attachments": [file]}])
    (thread,) = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    path = f"/v2/conversations/{id}/attachments/{thread['_embedded']['attachments'][0]['id']}/data"
    assert msgspec.json.decode(send(desk, Request("GET", path)).body)["data"] == data


def test_head_gives_headers_alone(desk: Desk) -> None:
    answer = send(desk, Request("HEAD", "/v2/mailboxes"))
    assert (answer.status, answer.body, answer.media_type) == (200, b"", "application/hal+json")


def test_a_call_is_narrowed_as_was_decided(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    near, far = start(desk, granted), start(desk, other)
    listing = Request("GET", "/v2/conversations")
    narrowed, blind = decision(granted), decision(granted, hide=frozenset({"preview"}))
    for decided, found in ((decision(everywhere=True), {near, far}), (narrowed, {near}), (decision(), set())):
        listed = msgspec.json.decode(send(desk, listing, decided).body)["_embedded"]["conversations"]
        assert {one["id"] for one in listed} == found
    for decided, shown in ((narrowed, True), (blind, False)):
        (one,) = msgspec.json.decode(send(desk, listing, decided).body)["_embedded"]["conversations"]
        assert ("preview" in one) == shown
    assert send(desk, Request("GET", f"/v2/conversations/{far}"), narrowed).status == 404


def test_who_is_nobody_on_the_desk_gets_no_answer(desk: Desk) -> None:
    for user_id in (None, desk.user_id, 999_999_999):
        with pytest.raises(UpstreamDown, match="nobody"):
            run(
                upstream(desk).send(
                    agent_of(desk, user_id), BY_NAME["get_me"], Request("GET", "/v2/users/me"),
                    decision(everywhere=True),
                )
            )  # fmt: skip


def test_things_are_looked_up(desk: Desk) -> None:
    inbox = desk.add_inbox()
    workflow = desk.add_workflow(inbox, Move(inbox))
    wanted = {Of("workflow", workflow), Of("folder", inbox * 10 + 1), Of("conversation", 1)}
    assert run(upstream(desk).look_up(agent_of(desk), wanted)) == {
        Of("workflow", workflow): Found(
            frozenset({inbox}), does=("update_conversation",), into=frozenset({inbox})
        ),
        Of("folder", inbox * 10 + 1): Found(frozenset({inbox})),
        Of("conversation", 1): None,
    }  # fmt: skip
    assert run(upstream(desk).look_up(agent_of(desk), set())) == {}


def test_names_of_inboxes_are_remembered_for_a_while(desk: Desk) -> None:
    inbox, asked = desk.add_inbox("Orders"), upstream(desk)
    assert run(asked.inbox_names(desk.account_id)) == {inbox: "Orders"}
    desk.add_inbox("Wholesale")
    assert run(asked.inbox_names(desk.account_id)) == {inbox: "Orders"}
    asked._names[desk.account_id] = (0, {})
    assert len(run(asked.inbox_names(desk.account_id))) == 2


def test_what_is_left_of_the_accounts_units_is_known(desk: Desk) -> None:
    limited = open_desk(desk.server, rate_limit=400)
    asked, agent = upstream(limited), agent_of(limited)
    run(asked.look_up(agent, set()))
    assert asked.left(limited.account_id) == (400, 400)
    note = Request("POST", "/v2/conversations/1/notes", headers=JSON, body=b'{"text": "x"}')
    for request, left in ((Request("GET", "/v2/users/me"), 399), (note, 397)):
        answer = run(asked.send(agent, BY_NAME["get_me"], request, decision(everywhere=True)))
        assert dict(answer.headers)["x-ratelimit-remaining-minute"] == str(left)
        assert asked.left(limited.account_id) == (400, left)
    unlimited = upstream(desk)
    run(unlimited.look_up(agent_of(desk), set()))
    run(unlimited.send(agent_of(desk), BY_NAME["get_me"], Request("GET", "/v2/users/me"), decision(everywhere=True)))
    assert unlimited.left(desk.account_id) == (0, 0)


def test_another_limit_is_heard_from_answers(desk: Desk) -> None:
    limited = open_desk(desk.server, rate_limit=400)
    asked = upstream(limited)
    for limit in (200, 0, 100):
        limited.write(lambda tx: tx.run(_LIMIT, id=limited.account_id, rate_limit=limit))  # noqa: B023
        me = Request("GET", "/v2/users/me")
        run(asked.send(agent_of(limited), BY_NAME["get_me"], me, decision(everywhere=True)))
        assert asked.left(limited.account_id)[0] == limit


# -- A desk that gives no answer


Scope = MutableMapping[str, Any]
Send = Callable[[Scope], Awaitable[None]]


def broken(app: Callable[[Scope, Any, Send], Awaitable[None]], wait_s: float = 5) -> Local:
    async def away(*_: Any) -> Any:
        raise Unavailable("the database can't be reached")

    return Local(
        app, "http://desk.example", as_agent=AsAgent, look_up=away, inbox_names=away, limit=away,
        left=RateLimit(SystemClock()).left, wait_s=wait_s,
    )  # fmt: skip


AGENT = Agent(1, 1, "Triage", "active", 2, None, Grants())


def test_an_answer_that_is_too_large_is_none() -> None:
    async def much(scope: Scope, receive: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"x" * (ANSWER_MOST // 2), "more_body": True})

    with pytest.raises(UpstreamDown, match="too large"):
        run(broken(much).send(AGENT, BY_NAME["get_me"], Request("GET", "/v2/users/me"), decision()))


def test_no_answer_is_a_desk_that_is_away() -> None:
    async def nothing(scope: Scope, receive: Any, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"

    with pytest.raises(UpstreamDown, match="no answer"):
        run(broken(nothing).send(AGENT, BY_NAME["get_me"], Request("GET", "/v2/users/me"), decision()))
    with pytest.raises(UpstreamDown, match="reached"):
        run(broken(nothing).look_up(AGENT, {Of("conversation", 1)}))


def test_an_answer_that_ends_in_the_middle_is_none() -> None:
    async def half(scope: Scope, receive: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"_embedded":', "more_body": True})

    with pytest.raises(UpstreamDown, match="cut off"):
        run(broken(half).send(AGENT, BY_NAME["get_me"], Request("GET", "/v2/users/me"), decision()))


def test_a_desk_that_takes_too_long_is_too_slow() -> None:
    async def sleepy(scope: Scope, receive: Any, send: Send) -> None:
        await asyncio.sleep(10)

    with pytest.raises(UpstreamDown, match="too long") as caught:
        run(broken(sleepy, wait_s=0.01).send(AGENT, BY_NAME["get_me"], Request("GET", "/v2/users/me"), decision()))
    assert caught.value.slow
