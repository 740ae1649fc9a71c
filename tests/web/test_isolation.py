"""A session of one account sees nothing of another, by whatever page or form."""

from __future__ import annotations

import pytest

from tests.web.people import add_conversation, signed_in
from tests.web.test_all_pages import FORMS, PAGES, filled
from tests.world import Desk, open_desk


def test_a_session_of_one_account_sees_nothing_of_another(desk: Desk) -> None:
    person = signed_in(desk)
    other = open_desk(desk.server)
    inbox = other.add_inbox("Secret inbox of theirs")
    id = add_conversation(other, inbox, "Secret words of theirs.", subject="Secret subject of theirs")
    # A number of theirs may be that of something else of one's own: one's own user would end the session.
    theirs = [one for one in (id, inbox, other.user_id, inbox * 10 + 1, other.application_id) if one != desk.user_id]
    for path, _ in PAGES:
        for foreign in theirs if "{" in path else [0]:
            answer = person.get(filled(path, foreign))
            assert "of theirs" not in answer.text, (path, foreign)
    for path, _ in FORMS:
        if "{" in path:
            for foreign in theirs:
                assert "of theirs" not in person.send(filled(path, foreign)).text
    assert other.get(f"/v2/conversations/{id}").json()["subject"] == "Secret subject of theirs"


_FIELDS = (
    *("id", "ids", "inbox", "inboxes", "inbox_id", "mailbox_ids", "members", "users", "owner", "default_assignee_id"),
    *("into", "workflow", "thread", "file", "field", "agent", "connection", "saved_reply_id", "a1.pick", "c1.pick"),
    *("limits.assign_to", "resources.conversations.inboxes", "back", "place", "list", "next"),
)
"""Every field that may name something by its id."""


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_a_form_takes_no_ids_of_another_account(desk: Desk) -> None:
    person, other = signed_in(desk), open_desk(desk.server)
    mine = desk.add_inbox("Mine")
    id = add_conversation(desk, mine)
    inbox = other.add_inbox("Secret inbox of theirs")
    foreign = add_conversation(other, inbox, "Secret words of theirs.", subject="Secret subject of theirs")
    user = other.add_user("Secret", "of theirs", inboxes=(inbox,))
    paths = dict.fromkeys(filled(path, one) for path, _ in FORMS for one in (id if "conversation" in path else mine,))
    ending = ("/account", "sign-out", f"/inboxes/{mine}/delete", f"/conversation/{id}/delete", "/lift", "/stops")
    csrf = person.csrf
    for path in paths:
        if not any(one in path for one in ending):
            for theirs in (inbox, user):
                fields = {"csrf": csrf} | dict.fromkeys(_FIELDS, str(theirs)) | _others(theirs)
                answer = person.http.post(person.server.url + path, data=fields, timeout=30)
                assert answer.status_code < 500, (path, answer.text[:300])
                assert "of theirs" not in answer.text, (path, theirs)
    for path, _ in PAGES:
        for one in (id, mine, mine * 10 + 1) if "{" in path else [0]:
            assert "of theirs" not in person.get(filled(path, one)).text, path
    assert other.get(f"/v2/conversations/{foreign}").json()["subject"] == "Secret subject of theirs"
    assert other.get(f"/v2/mailboxes/{inbox}").json()["name"] == "Secret inbox of theirs"


def _others(theirs: int) -> dict[str, str]:
    """What forms need beside ids to get anywhere."""
    return {
        "name": f"Name {theirs}", "email": f"a{theirs}@b.example", "status": "active", "text": "x", "type": "manual",
        "do": f"assign:{theirs}", "conditions": "c1", "actions": "a1", "a1.about": "assign", "c1.about": "assignee",
        "scope": "some", "role": "user", "first_name": "A", "last_name": "B", "value": "x", "kind": "email",
        "to": "a@b.example", "subject": "x", "forward_to": "a@b.example", "add": "x", "url": "https://x.example/",
        "events": "convo.created", "choice": "tomorrow",
    }  # fmt: skip
