"""What an agent writes as a draft stays one, and nothing goes out without the right to reply."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.isolation.sides import IN_MANY_YEARS, created
from tests.proof.bypass_world import World
from tests.proof.writing import WHO, messages, written
from tests.world import unique

# -- Drafts stay drafts


DRAFTED: list[tuple[str, dict[str, Any], int]] = [
    ("nothing about drafts", {}, 201),
    ("that it is none", {"draft": False}, 201),
    ("nothing by null", {"draft": None}, 201),
    ("that it is none, in a text", {"draft": "false"}, 400),
    ("that it is none, in a number", {"draft": 0}, 400),
    ("that it is none, in capitals", {"Draft": False, "DRAFT": False}, 201),
    ("that it is published", {"state": "published", "published": True, "isDraft": False}, 201),
    ("when it shall go out", {"scheduledFor": "2026-01-01T00:00:00Z", "sendAt": "now"}, 201),
    ("a status", {"status": "closed"}, 403),
    ("the status that there is", {"status": "active"}, 403),
    ("the inbox's status", {"status": "inbox_predefined"}, 403),
    ("an owner", {"assignTo": 2}, 403),
    ("no owner", {"assignTo": None}, 403),
    ("a copy", {"cc": ["x@x.example"]}, 403),
    ("a copy as an object", {"cc": [{"email": "x@x.example"}]}, 403),
    ("a hidden copy", {"bcc": ["x@x.example"]}, 403),
    ("no copies", {"cc": [], "bcc": []}, 201),
    ("another author", {"user": 2}, 403),
    ("that it is imported", {"imported": True}, 403),
    ("an earlier time", {"createdAt": "2020-01-01T00:00:00Z", "imported": True}, 403),
]  # fmt: skip


@pytest.mark.parametrize(("more", "status"), [one[1:] for one in DRAFTED], ids=[one[0] for one in DRAFTED])
def test_a_reply_that_must_be_a_draft_is_one_if_it_says(world: World, more: dict[str, Any], status: int) -> None:
    agent = world.standing("drafting", **written(world, reply_to_conversation="draft"))
    conversation, mails = world.begin(), world.mails()
    before = world.desk.get(f"/v2/conversations/{conversation}").json()
    with world.watched(agent, writes=True) as attempt:
        body = {"text": unique("Drafted "), "customer": WHO, **more}
        answer = attempt.send("POST", f"/v2/conversations/{conversation}/reply", body)
        assert answer.status == status, answer.everything
        if status == 403:
            assert answer.reason == "limit" and answer.json()["path"] in more
    assert [state for state, _ in messages(world, conversation)] == (["draft"] if status == 201 else [])
    after = world.desk.get(f"/v2/conversations/{conversation}").json()
    assert [after[name] for name in ("status", "cc", "bcc", "threads")] == [
        before[name] for name in ("status", "cc", "bcc", "threads")
    ]
    assert world.mails() == mails


BEGUN: list[tuple[str, dict[str, Any], int]] = [
    ("a reply that is none", {"threads": [{"type": "reply", "draft": False}]}, 201),
    ("two replies", {"threads": [{"type": "note"}, {"type": "reply", "draft": False}, {"type": "reply"}]}, 201),
    ("a reply in capitals", {"threads": [{"type": "Reply"}]}, 400),
    ("a reply by its other name", {"threads": [{"type": "message"}]}, 400),
    ("an automatic reply", {"threads": [{"type": "note"}], "autoReply": True}, 403),
    ("a copy", {"threads": [{"type": "reply", "cc": ["x@x.example"]}]}, 403),
    ("another status", {"threads": [{"type": "reply"}], "status": "closed"}, 403),
    ("an owner", {"threads": [{"type": "reply"}], "assignTo": 2}, 403),
    ("another author", {"threads": [{"type": "reply", "user": 2}]}, 403),
    ("words of the customer", {"threads": [{"type": "reply"}, {"type": "customer"}]}, 403),
]


@pytest.mark.parametrize(("more", "status"), [one[1:] for one in BEGUN], ids=[one[0] for one in BEGUN])
def test_no_mail_leaves_with_a_conversation_begun_with(world: World, more: dict[str, Any], status: int) -> None:
    agent = world.standing("drafting", **written(world, reply_to_conversation="draft"))
    mails = world.mails()
    threads = [{"text": unique("Begun "), "customer": WHO} | one for one in more["threads"]]
    body = {
        "subject": "Begun", "type": "email", "mailboxId": world.own.inbox, "status": "active", "customer": WHO,
        **more, "threads": threads,
    }  # fmt: skip
    with world.watched(agent, writes=True) as attempt:
        answer = attempt.send("POST", "/v2/conversations", body)
        assert answer.status == status, answer.everything
    if status == 201:
        states = {state for state, _ in messages(world, int(answer.headers["resource-id"]))}
        assert states <= {"draft"}
    assert world.mails() == mails


# -- Nothing goes out


PUBLISHED: list[tuple[str, str, str, Any]] = [
    ("publishing the conversation", "PATCH", "", {"op": "replace", "path": "/draft", "value": False}),
    ("publishing without a slash", "PATCH", "", {"op": "replace", "path": "draft", "value": False}),
    ("publishing in capitals", "PATCH", "", {"op": "replace", "path": "/DRAFT", "value": False}),
    ("publishing with signs between", "PATCH", "", {"op": "add", "path": "/d.r-a_f t", "value": False}),
    ("publishing as the second step", "PATCH", "",
     [{"op": "replace", "path": "/subject", "value": "x"}, {"op": "replace", "path": "/draft", "value": False}]),
    ("scheduling", "PUT", "/threads/{draft}/schedule", IN_MANY_YEARS),
    ("scheduling as its author", "PUT", "/threads/{draft}/schedule", IN_MANY_YEARS | {"sendAsCreator": True}),
    ("sending what is scheduled", "PATCH", "/threads/{planned}/schedule",
     {"op": "replace", "path": "/state", "value": "published"}),
    ("publishing the thread", "PATCH", "/threads/{draft}", {"op": "replace", "path": "/state", "value": "published"}),
    ("publishing the thread by another path", "PATCH", "/threads/{draft}",
     {"op": "replace", "path": "/draft", "value": False}),
    ("a thread's step with two slashes", "PATCH", "/threads/{draft}",
     {"op": "replace", "path": "//text", "value": "stolen"}),
    ("a thread's step in capitals", "PATCH", "/threads/{draft}", {"op": "replace", "path": "/Text", "value": "stolen"}),
    ("the text of what goes out by itself", "PATCH", "/threads/{planned}",
     {"op": "replace", "path": "/text", "value": "stolen"}),
    ("the text of what goes out, without a slash", "PATCH", "/threads/{planned}",
     {"op": "replace", "path": "text", "value": "stolen"}),
    ("a file for what goes out by itself", "POST", "/threads/{planned}/attachments",
     {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}),
    ("the text of a reply that is on its way", "PATCH", "/threads/{sent}",
     {"op": "replace", "path": "/text", "value": "stolen"}),
    ("a file for a reply that is on its way", "POST", "/threads/{sent}/attachments",
     {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}),
]  # fmt: skip


@pytest.mark.parametrize("chosen", ["off", "draft", "hold"])
@pytest.mark.parametrize(
    ("method", "path", "body"), [one[1:] for one in PUBLISHED], ids=[one[0] for one in PUBLISHED]
)  # fmt: skip
def test_nothing_goes_out_without_the_right_to_reply_by(
    world: World, chosen: str, method: str, path: str, body: Any
) -> None:
    agent = world.standing(f"replies {chosen}", **written(world, reply_to_conversation=chosen))
    conversation = world.begin()
    made = {}
    for name, draft in (("draft", True), ("planned", True), ("sent", False)):
        new = {"text": f"as it was: {name}", "customer": WHO, "draft": draft}
        made[name] = created(world.desk, f"/v2/conversations/{conversation}/reply", new)
    planned = f"/v2/conversations/{conversation}/threads/{made['planned']}/schedule"
    assert world.desk.put(planned, IN_MANY_YEARS).status_code == 204
    before, mails = messages(world, conversation), world.mails()
    with world.watched(agent, writes=True) as attempt:
        answer = attempt.send(method, f"/v2/conversations/{conversation}{path.format(**made)}", body)
        assert answer.status in ((400, 403, 202) if chosen == "hold" else (400, 403)), answer.everything
    assert (messages(world, conversation), world.mails()) == (before, mails)
    files = [one for thread in world.threads(conversation) for one in thread["_embedded"]["attachments"]]
    assert files == []


def test_an_ordinary_draft_and_a_note_may_be_edited_without_the_right_to_reply(world: World) -> None:
    agent = world.standing("replies draft", **written(world, reply_to_conversation="draft"))
    conversation = world.begin()
    with world.watched(agent, writes=True) as attempt:
        for kind, body in (("reply", {"text": unique("x"), "customer": WHO}), ("notes", {"text": unique("x")})):
            made = attempt.send("POST", f"/v2/conversations/{conversation}/{kind}", body).headers["resource-id"]
            thread = f"/v2/conversations/{conversation}/threads/{made}"
            better = {"op": "replace", "path": "/text", "value": "better"}
            assert attempt.send("PATCH", thread, better).status == 204
            file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}
            assert attempt.send("POST", f"{thread}/attachments", file).status == 201
