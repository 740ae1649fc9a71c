"""Who sees only some inboxes learns nothing of the others and changes nothing there, by whatever page or form."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from deskhand.desk.workflows.actions import SetStatus
from tests.web.people import add_conversation, signed_in
from tests.web.test_all_pages import FORMS, PAGES, filled
from tests.world import Desk

pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)
_LISTS = (
    "id",
    "ids",
    "conversation",
    "into",
    "thread",
    "file",
    "workflow",
    "inbox",
    "inboxes",
    "agent",
    "owner",
    "back",
)


def stored(desk: Desk, id: int) -> Any:
    """A conversation with its threads, without what changes by itself: how many minutes somebody has waited."""
    found = desk.get(f"/v2/conversations/{id}", embed="threads").json()
    found["customerWaitingSince"].pop("friendly")
    return found


def test_pages_and_forms_tell_nothing_of_an_inbox_that_is_hidden(desk: Desk) -> None:
    seen, hidden = (
        desk.add_inbox("Open to all"),
        desk.add_inbox("Inbox of the hidden", email="hidden-inbox@acme.example"),
    )
    own = add_conversation(desk, seen, "Mine.", subject="Mine")
    secret = add_conversation(desk, hidden, "Words of the hidden.", subject="Subject of the hidden")
    view = add_conversation(desk, hidden, "More words of the hidden.", subject="Second of the hidden")
    workflow = desk.add_workflow(hidden, SetStatus("closed"), name="Workflow of the hidden")
    reply = desk.post(f"/v2/mailboxes/{hidden}/saved-replies", {"name": "Saved of the hidden", "text": "x"})
    saved = int(reply.headers["Resource-ID"])
    threads = [one["id"] for one in desk.get(f"/v2/conversations/{secret}/threads").json()["_embedded"]["threads"]]
    before = [stored(desk, one) for one in (secret, view)]
    user = signed_in(desk, desk.add_user(inboxes=(seen,)))
    ids = [hidden, secret, workflow, saved, *threads, hidden * 10 + 1, hidden * 10 + 5]
    queries = [
        "",
        *(
            urlencode({"from": f"/folder/{hidden * 10 + 1}", "inbox": id, "into": id, "number": id, "conversation": id})
            for id in (hidden, secret)
        ),
        urlencode({"query": "hidden", "q": "hidden"}), urlencode({"query": 'mailbox:"Inbox', "q": "#2"}),
        urlencode({"query": f"mailboxid:{hidden}", "q": "Inbox"}), urlencode({"query": "assigned:"}),
    ]  # fmt: skip
    for path, who in PAGES:
        if who == "user":
            for id in [*ids, own] if "{" in path else [own]:
                for query in queries if id in (own, hidden, secret) else queries[:1]:
                    answer = user.get(f"{filled(path, id)}?{query}")
                    assert answer.status_code < 500, (path, id, query)
                    for word in ("of the hidden", "hidden-inbox@"):
                        assert word not in answer.text, (path, id, query)
    csrf, tried, places = user.csrf, [(own, secret), (own, hidden)], [(secret, hidden), (hidden, secret)]
    for path, who in FORMS:
        if who == "user" and "/account" not in path:
            for id, about in (*places, *tried) if "{" in path else tried:
                fields = dict.fromkeys(_LISTS, str(about)) | {
                    "place": f"/folder/{hidden * 10 + 1}", "all": "1", "query": f"mailboxid:{hidden}", "name": "x",
                    "do": f"move:{hidden}", "to": "a@b.example", "forward_to": "a@b.example", "text": "x",
                    "subject": "x", "status": "closed", "choice": "tomorrow", "add": "x", "email": "a@b.example",
                    "back": f"/conversation/{secret}", "next": f"/conversation/{secret}", "doing": "writing",
                    "with_files": "1", "saved_reply_id": str(saved), "hidden": "1",
                }  # fmt: skip
                answer = user.http.post(user.server.url + filled(path, id), data={"csrf": csrf} | fields)
                assert answer.status_code < 500, (path, id)
                assert "of the hidden" not in answer.text, (path, id, about)
    assert [stored(desk, one) for one in (secret, view)] == before


def test_a_change_of_many_names_no_hidden_inbox(desk: Desk) -> None:
    seen, hidden = desk.add_inbox("Open to all"), desk.add_inbox("Inbox of the hidden")
    desk.add_inbox("Another")
    own = add_conversation(desk, seen)
    user = signed_in(desk, desk.add_user(inboxes=(seen,)))
    user.send("/bulk", id=str(own), do=f"move:{hidden}", place=f"/folder/{seen * 10 + 1}")
    assert "of the hidden" not in user.get(f"/folder/{seen * 10 + 1}").text


@pytest.mark.parametrize("action", ["delete", "status:closed", "tag:x", "assign:", "snooze:tomorrow"])
def test_a_change_of_many_leaves_hidden_conversations_alone(desk: Desk, action: str) -> None:
    seen, hidden = desk.add_inbox("Open to all"), desk.add_inbox("Hidden")
    own, secret = add_conversation(desk, seen), add_conversation(desk, hidden)
    user, boss = signed_in(desk, desk.add_user(inboxes=(seen,))), signed_in(desk)
    before = stored(desk, secret)
    user.send("/bulk", id=[str(own), str(secret)], do=action, place=f"/folder/{seen * 10 + 1}")
    assert stored(desk, secret) == before
    row = boss.page(f"/folder/{hidden * 10 + 1}").cssselect(f'[data-row="{secret}"]')
    assert row and "doomed" not in row[0].get("class", "") and "Deleted" not in row[0].text_content()
