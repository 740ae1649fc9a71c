"""Forwarding: what was said goes to somebody else, with its files and without notes, as a conversation of its own."""

from __future__ import annotations

from typing import Any

from deskhand.desk.conversations.drafts.ready import BEGIN_CONVERSATION
from tests.desk.conversations.builders import add, created, read, reply, start, wrote
from tests.desk.conversations.passing import let_pass
from tests.web.inbox.forms import alerts, post, said, thread_list, write_form
from tests.web.people import signed_in
from tests.world import Desk

FILE = {"fileName": "photo.txt", "mimeType": "text/plain", "data": "SGVsbG8="}


def lines(desk: Desk, id: int) -> list[str]:
    found = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    return [one["action"]["text"] for one in found if one["type"] == "lineitem"]


def conversations(desk: Desk) -> list[dict[str, Any]]:
    return list(desk.get("/v2/conversations", status="all").json()["_embedded"]["conversations"])


def test_it_becomes_a_conversation_of_its_own(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), subject="Broken", threads=[wrote("It <i>flickers</i>.", attachments=[FILE])])
    reply(desk, id, text="<p>Really?</p>")
    created(add(desk, id, "notes", text="He is difficult."))
    person = signed_in(desk)
    fields = write_form(person, id, "forward") | {"forward_to": "Maker <maker@parts.example>", "text": "Please look."}
    answer = post(person, f"/conversation/{id}/forward", fields)
    post(person, f"/conversation/{id}/forward", fields)
    assert said(answer) == "Forwarded to maker@parts.example."
    assert len(conversations(desk)) == 1
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    other = next(one for one in conversations(desk) if one["id"] != id)
    assert len(conversations(desk)) == 2
    assert (other["subject"], other["status"], other["assignee"]["id"]) == ("Fwd: Broken", "pending", desk.user_id)
    (sent,) = thread_list(desk, other["id"])
    assert sent["to"] == ["maker@parts.example"]
    body = sent["body"]
    assert body.startswith("<p>Please look.</p>")
    assert body.index("Really?") < body.index("It <i>flickers</i>.")
    assert "difficult" not in body
    assert [one["filename"] for one in sent["_embedded"]["attachments"]] == ["photo.txt"]
    assert any(f"as #{other['number']}" in line for line in lines(desk, id))
    assert any(f"from conversation #{read(desk, id)['number']}" in line for line in lines(desk, other["id"]))


def test_files_stay_here_unless_they_are_asked_for(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[wrote(attachments=[FILE])])
    person = signed_in(desk)
    fields = write_form(person, id, "forward") | {"forward_to": "maker@parts.example"}
    fields.pop("with_files")
    post(person, f"/conversation/{id}/forward", fields)
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    other = next(one for one in conversations(desk) if one["id"] != id)
    assert thread_list(desk, other["id"])[0]["_embedded"]["attachments"] == []
    refused = post(person, f"/conversation/{id}/forward", fields | {"forward_to": "nobody", "token": "x"})
    assert (refused.status_code, "not an address" in alerts(refused)) == (400, True)
