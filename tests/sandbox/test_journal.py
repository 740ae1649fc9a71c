"""The sandbox's journal: what was asked, by whom, and why it was refused."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
import requests

from deskhand.lib.clock import SystemClock, from_wire
from deskhand.sandbox.journal import MOST, NOBODY, Journal, Who
from deskhand.testing import SandboxDesk

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def of(desk: SandboxDesk, **query: Any) -> requests.Response:
    return requests.get(f"{desk.base_url}/sandbox/journal", query, timeout=30)


def test_a_call_is_remembered_with_who_made_it_and_how_it_ended(fresh: SandboxDesk) -> None:
    fresh.get("/v2/conversations", status="active")
    [one] = fresh.journal(operation="list_conversations")
    assert (one["method"], one["path"], one["query"], one["status"]) == (
        "GET", "/v2/conversations", {"status": "active"}, 200,
    )  # fmt: skip
    assert one["who"] == {"kind": "application", "name": "Sandbox app", "id": one["who"]["id"], "user_id": 2}
    assert 0 < one["ms"] < 60_000
    assert abs((fresh.now() - from_wire(one["at"])).total_seconds()) < 60
    assert "reason" not in one


def test_bad_input_is_told_field_by_field(fresh: SandboxDesk) -> None:
    answer = fresh.call("POST", "/v2/conversations", {"subject": "", "type": "email", "mailboxId": "x"})
    [one] = fresh.journal(status="400")
    assert one["operation"] == "create_conversation"
    assert {"path": "mailboxId", "message": "must be an integer"} in one["fields"]
    assert "mailboxId must be an integer" in one["reason"]
    assert one["log_ref"] == answer.json["logRef"]


def test_an_agent_is_named_and_so_is_what_it_lacks(fresh: SandboxDesk) -> None:
    answer = fresh.call("DELETE", "/v2/conversations/1", key=fresh.agent("Reader")["key"])
    assert answer.status == 403
    [one] = fresh.journal(status="4xx")
    assert (one["who"]["kind"], one["who"]["name"]) == ("agent", "Reader")
    assert one["needs"] == {"resource": "conversations", "level": "full"}
    assert (one["code"], one["operation"]) == ("missing_grant", "delete_conversation")
    assert one["reason"].startswith("This agent may not delete conversations")


@pytest.mark.parametrize(
    ("path", "hint"), [("/v2/nowhere", "no operation has this path"), ("/v2/customers/1", "there is no such thing")]
)
def test_of_what_was_not_found_the_journal_tells_which_part(fresh: SandboxDesk, path: str, hint: str) -> None:
    assert fresh.call("GET", path).status == 404
    assert hint in fresh.journal(status="404")[0]["reason"]


def test_an_expired_token_is_told_as_such_and_still_has_a_name(fresh: SandboxDesk) -> None:
    token = fresh.token
    fresh.advance("3d")
    assert fresh.call("GET", "/v2/tags", key=token).status == 401
    one = fresh.journal(status="401")[0]
    assert one["reason"] == "The access token is invalid or has expired"
    assert one["who"]["name"] == "Sandbox app"
    requests.get(f"{fresh.base_url}/v2/tags", timeout=30)
    assert fresh.journal()[0]["who"] == {"kind": "nobody"}


def test_nothing_secret_gets_into_it(fresh: SandboxDesk) -> None:
    admin = fresh.description["admin_token"]
    requests.get(f"{fresh.base_url}/admin/v1/agents", headers={"Authorization": f"Bearer {admin}"}, timeout=30)
    wrong = {"grant_type": "client_credentials", "client_id": fresh.client_id, "client_secret": "s3cret-and-wrong"}
    for way in ({"params": wrong}, {"data": wrong}):
        answer = requests.post(f"{fresh.base_url}/v2/oauth2/token", timeout=30, **way)  # type: ignore[arg-type]
        assert answer.status_code == 400
    hook = {"url": "nonsense", "events": ["convo.created"], "secret": "an-all-too-long-secret" * 9}
    assert fresh.call("POST", "/v2/webhooks", hook).status == 400
    shown = json.dumps(fresh.journal()) + of_page(fresh)
    assert "Invalid client authentication" in shown
    for secret in (fresh.token, admin, fresh.client_secret, "s3cret-and-wrong", "an-all-too-long-secret"):
        assert secret not in shown
    assert fresh.journal()[-1]["who"] == {"kind": "administrator", "name": "sandbox", "id": 1}


def test_of_an_error_too_long_to_be_kept_no_value_is_shown(fresh: SandboxDesk) -> None:
    hook = {"url": "http://127.0.0.1:9/", "events": ["convo.created"], "secret": "x", "notes-on-secret": "hush" * 9_000}
    assert fresh.call("POST", "/v2/webhooks", hook | {"url": "hush" * 9_000}).status == 400
    [one] = fresh.journal(status="400")
    assert one["reason"]
    assert "hush" not in json.dumps(one)


def test_the_last_thousand_are_kept_and_can_be_emptied(fresh: SandboxDesk) -> None:
    headers = fresh.headers
    with requests.Session() as session:
        for n in range(MOST + 20):
            session.head(f"{fresh.base_url}/v2/tags?page={n + 1}", headers=headers, timeout=30)
    found = fresh.journal(limit=MOST)
    assert len(found) == MOST
    assert found[0]["query"] == {"page": str(MOST + 20)}, "the newest is the first"
    assert requests.delete(f"{fresh.base_url}/sandbox/journal", timeout=30).status_code == 204
    assert fresh.journal() == []


def test_people_get_a_page_on_which_hostile_input_is_text(fresh: SandboxDesk) -> None:
    fresh.call("GET", "/v2/<script>alert(1)</script>")
    shown = of_page(fresh)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown or "%3Cscript%3E" in shown
    assert "<script>alert" not in shown
    assert "no operation has this path" in shown


@pytest.mark.parametrize(
    ("query", "field"),
    [({"status": "4x"}, "status"), ({"status": "9xx"}, "status"), ({"operation": "fly"}, "operation"),
     ({"limit": "0"}, "limit"), ({"limit": "1001"}, "limit"), ({"limit": "many"}, "limit")],
)  # fmt: skip
def test_a_bad_question_is_refused_with_its_field(fresh: SandboxDesk, query: dict[str, str], field: str) -> None:
    answer = of(fresh, **query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == field


def test_a_reset_keeps_it_and_everything_does_not(fresh: SandboxDesk) -> None:
    fresh.get("/v2/tags")
    fresh.reset()
    assert [one["path"] for one in fresh.journal()] == ["/v2/tags", "/v2/oauth2/token"]
    requests.post(f"{fresh.base_url}/sandbox/reset", json={"everything": True}, timeout=30)
    assert fresh.journal() == []


def test_it_costs_next_to_nothing() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def find(_: str) -> Who:
        return NOBODY

    async def nowhere(_: Any) -> None:
        return None

    scope = {
        "type": "http", "path": "/v2/conversations", "method": "GET", "query_string": b"page=1",
        "headers": [(b"host", b"x"), (b"authorization", b"Bearer abcdefghijklmnopqrstuvwxyz123456")],
    }  # fmt: skip
    journal = Journal(app, SystemClock(), find)

    async def took(door: Any) -> float:
        best = 1.0
        for _ in range(5):
            began = time.thread_time()
            for _ in range(1_000):
                await door(scope, None, nowhere)
            best = min(best, (time.thread_time() - began) / 1_000)
        return best

    async def both() -> float:
        return await took(journal) - await took(app)

    assert asyncio.run(both()) < 60e-6, "20 µs on a quiet machine, and some patience"


def of_page(desk: SandboxDesk) -> str:
    answer = requests.get(f"{desk.base_url}/sandbox/journal", headers=BROWSER, timeout=30)
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return answer.text
