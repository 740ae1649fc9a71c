"""Webhooks: list, get, create, change and delete, as clients know them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import Desk, open_desk


def new(**changes: Any) -> dict[str, Any]:
    return {"url": "https://h.example/hs", "events": ["convo.created"], "secret": "s3cret"} | changes


def created(desk: Desk, **changes: Any) -> int:
    answer = desk.post("/v2/webhooks", new(**changes))
    assert answer.status_code == 201, answer.text
    assert answer.content == b""
    assert answer.headers["Location"] == f"{desk.server.url}/v2/webhooks/{answer.headers['Resource-ID']}"
    return int(answer.headers["Resource-ID"])


def shown(desk: Desk, id: int) -> dict[str, Any]:
    answer = desk.get(f"/v2/webhooks/{id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def faults(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [error["path"] for error in answer.json()["_embedded"]["errors"]]


def test_a_new_webhook_has_the_documented_defaults_and_hides_its_secret(desk: Desk) -> None:
    id = created(desk)
    assert shown(desk, id) == {
        "id": id, "url": "https://h.example/hs", "state": "enabled", "events": ["convo.created"],
        "notification": False, "payloadVersion": "V2", "label": None, "mailboxIds": [],
        "_links": {"self": {"href": f"{desk.server.url}/v2/webhooks/{id}"}},
    }  # fmt: skip


def test_everything_given_reads_back(desk: Desk) -> None:
    inbox = desk.add_inbox()
    given = {
        "events": ["convo.tags", "customer.created", "convo.tags"], "notification": True, "payloadVersion": "v3",
        "label": "CRM sync", "mailboxIds": [inbox, inbox], "url": "http://h.example:8080/a?b=c",
    }  # fmt: skip
    read = shown(desk, created(desk, **given))
    expected = given | {"payloadVersion": "V3", "events": ["convo.tags", "customer.created"], "mailboxIds": [inbox]}
    assert {name: read[name] for name in expected} == expected
    assert "secret" not in str(read)


def test_the_list_has_the_oldest_first_in_pages_of_50(desk: Desk) -> None:
    ids = [created(desk, label=str(number)) for number in range(51)]
    first, second = desk.get("/v2/webhooks").json(), desk.get("/v2/webhooks", page=2).json()
    assert [one["id"] for body in (first, second) for one in body["_embedded"]["webhooks"]] == ids
    assert first["page"] == {"size": 50, "totalElements": 51, "totalPages": 2, "number": 1}
    assert "s3cret" not in str(first)


def test_an_account_without_webhooks_lists_none(desk: Desk) -> None:
    assert desk.get("/v2/webhooks").json()["_embedded"] == {"webhooks": []}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"url": None}, "url"),
        ({"url": ""}, "url"),
        ({"url": "h.example"}, "url"),
        ({"url": "ftp://h.example"}, "url"),
        ({"url": "http://"}, "url"),
        ({"url": "http://user:word@h.example"}, "url"),
        ({"url": "http://user@h.example"}, "url"),
        ({"url": "http://h.example/a b"}, "url"),
        ({"url": "http://h.example/\r\nX: y"}, "url"),
        ({"url": "http://[::1"}, "url"),
        ({"url": "http://h.example:99999"}, "url"),
        ({"url": "http://h.example/" + "a" * 2048}, "url"),
        ({"events": []}, "events"),
        ({"events": None}, "events"),
        ({"events": ["convo.created", "convo.snoozed"]}, "events[1]"),
        ({"events": ["helpscout.test"]}, "events[0]"),
        ({"events": [""]}, "events[0]"),
        ({"events": "convo.created"}, "events"),
        ({"secret": None}, "secret"),
        ({"secret": ""}, "secret"),
        ({"secret": "x" * 41}, "secret"),
        ({"payloadVersion": "V1"}, "payloadVersion"),
        ({"payloadVersion": "3"}, "payloadVersion"),
        ({"notification": "yes"}, "notification"),
        ({"label": 7}, "label"),
        ({"mailboxIds": [0]}, "mailboxIds[0]"),
        ({"mailboxIds": [999_999_999]}, "mailboxIds[0]"),
    ],
)
def test_what_is_wrong_is_named(desk: Desk, changes: dict[str, Any], place: str) -> None:
    assert faults(desk.post("/v2/webhooks", new(**changes))) == [place]
    assert desk.get("/v2/webhooks").json()["page"]["totalElements"] == 0


def test_a_secret_of_40_characters_is_fine(desk: Desk) -> None:
    created(desk, secret="é" * 40)


def test_all_faults_are_named_together(desk: Desk) -> None:
    given = new(events=["a", "convo.tags", "b"], payloadVersion="V1", url="x")
    assert sorted(faults(desk.post("/v2/webhooks", given))) == ["events[0]", "events[2]", "payloadVersion", "url"]


def test_state_and_id_in_a_new_webhook_are_ignored(desk: Desk) -> None:
    id = created(desk, state="disabled", id=7)
    assert shown(desk, id)["state"] == "enabled"


def test_a_put_replaces_everything_but_the_state(desk: Desk) -> None:
    id = created(desk, label="Old", notification=True, payloadVersion="V3", mailboxIds=[desk.add_inbox()])
    answer = desk.put(f"/v2/webhooks/{id}", new(url="https://other.example/", events=["tag.created"]))
    assert (answer.status_code, answer.content) == (204, b"")
    read = shown(desk, id)
    assert (read["url"], read["events"]) == ("https://other.example/", ["tag.created"])
    assert (read["label"], read["notification"], read["payloadVersion"], read["mailboxIds"]) == (None, False, "V2", [])


@pytest.mark.parametrize("missing", ["url", "events", "secret"])
def test_a_put_needs_what_a_post_needs(desk: Desk, missing: str) -> None:
    id = created(desk)
    before = shown(desk, id)
    body = new(label="New")
    del body[missing]
    assert faults(desk.put(f"/v2/webhooks/{id}", body)) == [missing]
    assert faults(desk.put(f"/v2/webhooks/{id}", new(state="broken"))) == ["state"]
    assert shown(desk, id) == before


def test_a_put_switches_off_and_on(desk: Desk) -> None:
    id = created(desk)
    for state in ("disabled", "enabled"):
        assert desk.put(f"/v2/webhooks/{id}", new(state=state)).status_code == 204
        assert shown(desk, id)["state"] == state
        assert desk.put(f"/v2/webhooks/{id}", new()).status_code == 204
        assert shown(desk, id)["state"] == state, "without a word about it, it stays"


def test_a_deleted_webhook_is_gone(desk: Desk) -> None:
    id = created(desk)
    answer = desk.delete(f"/v2/webhooks/{id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert desk.get(f"/v2/webhooks/{id}").status_code == 404
    assert desk.delete(f"/v2/webhooks/{id}").status_code == 404
    assert desk.put(f"/v2/webhooks/{id}", new()).status_code == 404


def test_a_user_may_and_a_light_user_may_not(desk: Desk) -> None:
    id = created(desk.as_user(desk.add_user(role="user")))
    light = desk.as_user(desk.add_user(role="light user"))
    answers = [
        light.get("/v2/webhooks"), light.get(f"/v2/webhooks/{id}"), light.post("/v2/webhooks", new()),
        light.put(f"/v2/webhooks/{id}", new()), light.delete(f"/v2/webhooks/{id}"),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [403] * 5
    assert shown(desk, id)["state"] == "enabled"


def test_only_inboxes_that_the_caller_sees_can_be_named(desk: Desk) -> None:
    seen, hidden, foreign = desk.add_inbox(), desk.add_inbox(), open_desk(desk.server).add_inbox()
    user = desk.as_user(desk.add_user(inboxes=(seen,)))
    id = created(user, mailboxIds=[seen])
    assert user.put(f"/v2/webhooks/{id}", new(mailboxIds=[seen, hidden])).status_code == 403
    assert faults(user.put(f"/v2/webhooks/{id}", new(mailboxIds=[seen, foreign]))) == ["mailboxIds[1]"]
    assert shown(desk, id)["mailboxIds"] == [seen]
