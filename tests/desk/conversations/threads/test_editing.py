"""Changing threads afterwards: their text, what finds them then, and hiding them."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import sqlalchemy as sa

from deskhand.db.statements import P, value
from deskhand.desk.conversations.tables import thread
from tests.desk.conversations.builders import (
    add,
    counted,
    created,
    done,
    events,
    faults,
    read,
    recounted,
    reply,
    start,
    threads,
    told,
    wrote,
)
from tests.world import Desk, open_desk

_ORIGINAL = value(
    str,
    sa.select(thread.c.original_body).where(thread.c.account_id == P("account_id"), thread.c.id == P("id")),
    keep=False,
)


def edit(desk: Desk, id: int, thread_id: int, path: str, value: Any, op: str = "replace") -> requests.Response:
    step = {"op": op, "path": path, "value": value}
    return desk.patch(f"/v2/conversations/{id}/threads/{thread_id}", step)


def original(desk: Desk, thread_id: int) -> str | None:
    """What a thread said before it was edited."""
    return desk.server.app.database.read_now(lambda db: db.first(_ORIGINAL, account_id=desk.account_id, id=thread_id))


def state(desk: Desk, id: int, thread_id: int) -> str:
    (found,) = [one.state for one in threads(desk, id) if one.id == thread_id]
    return found


def found(desk: Desk, words: str) -> list[int]:
    """The conversations that have words in some thread."""
    answer = desk.get("/v2/conversations", query=f'body:"{words}"', status="all")
    return [item["id"] for item in answer.json()["_embedded"]["conversations"]]


# The text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reply", "notes", "chats", "phones", "customer"])
def test_the_text_is_replaced_and_the_first_one_kept(desk: Desk, kind: str) -> None:
    id = start(desk, desk.add_inbox())
    customer = {"id": read(desk, id)["primaryCustomer"]["id"]}
    thread_id = created(add(desk, id, kind, text="<p>The frist</p>", customer=customer))
    for text in ("<p>The first</p>", "<p>The second</p>"):
        done(edit(desk, id, thread_id, "/text", text))
        assert threads(desk, id)[-1].body == text
        assert original(desk, thread_id) == "<p>The frist</p>"
    assert read(desk, id)["preview"] == "The second"
    assert not [name for name in told(desk, id) if "edit" in name or "update" in name]


def test_it_is_found_by_its_new_words_and_no_more_by_the_old(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), subject="Zebra", threads=[wrote("An apricot pie"), wrote("A banana split")])
    (first, _) = [one.id for one in threads(desk, id)]
    done(edit(desk, id, first, "/text", "A <b>cherry</b> cake"))
    assert (found(desk, "apricot"), found(desk, "cherry cake"), found(desk, "banana split")) == ([], [id], [id])
    people = read(desk, id)["primaryCustomer"]["email"]
    for query in ("subject:zebra", f'email:"{people}"'):
        assert [
            item["id"] for item in desk.get("/v2/conversations", query=query).json()["_embedded"]["conversations"]
        ] == [id]


def test_the_preview_shows_the_latest_thread_whichever_was_edited(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    (first,) = [one.id for one in threads(desk, id)]
    reply(desk, id, text="The latest")
    draft = reply(desk, id, text="Not sent", draft=True)
    done(edit(desk, id, first, "/text", "Edited"))
    done(edit(desk, id, draft, "/text", "Not sent yet"))
    assert read(desk, id)["preview"] == "The latest"
    alone = start(desk, desk.add_inbox(), threads=[{"type": "reply", "text": "Soon.", "draft": True}])
    done(edit(desk, alone, threads(desk, alone)[0].id, "/text", "Sooner."))
    assert read(desk, alone)["preview"] == "Sooner."


def test_the_same_text_again_changes_nothing(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[wrote("As it was")])
    (first,) = [one.id for one in threads(desk, id)]
    done(edit(desk, id, first, "/text", "As it was"))
    assert original(desk, first) is None


# Hiding ---------------------------------------------------------------------------------------------------------------


def test_a_hidden_thread_is_not_counted_and_not_shown_in_lists(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[wrote("The first")])
    answer = reply(desk, id, text="The second")
    for _ in range(2):
        done(edit(desk, id, answer, "/hidden", True))
        assert (read(desk, id)["threads"], read(desk, id)["preview"]) == (1, "The first")
        assert state(desk, id, answer) == "hidden"
    for _ in range(2):
        done(edit(desk, id, answer, "/hidden", False))
        assert (read(desk, id)["threads"], read(desk, id)["preview"]) == (2, "The second")
        assert state(desk, id, answer) == "published"
    assert counted(desk) == recounted(desk)


def test_when_all_is_hidden_there_is_no_preview(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    done(edit(desk, id, threads(desk, id)[0].id, "/hidden", True))
    assert ("preview" in read(desk, id), read(desk, id)["threads"]) == (False, 0)


def test_only_replies_and_messages_of_customers_are_hidden(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    customer = {"id": read(desk, id)["primaryCustomer"]["id"]}
    others = [created(add(desk, id, kind, customer=customer)) for kind in ("notes", "chats", "phones")]
    for thread_id in (*others, reply(desk, id, draft=True)):
        assert faults(edit(desk, id, thread_id, "/hidden", True)) == ["threadId"]
        assert state(desk, id, thread_id) in ("published", "draft")


# Who may --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "editing", "allowed"),
    [
        ("owner", 0, True), ("admin", 0, True), ("user", 0, False), ("user", 1, True),
        ("light user", 0, False), ("light user", 1, False),
    ],
)  # fmt: skip
def test_administrators_edit_and_others_where_the_account_lets_them(
    desk: Desk, role: str, editing: int, allowed: bool
) -> None:
    here = open_desk(desk.server, thread_editing=editing)
    inbox = here.add_inbox()
    somebody = here.as_user(here.add_user(role=role, inboxes=(inbox,)))
    id = start(here, inbox, threads=[wrote("As it was")])
    (first,) = [one.id for one in threads(here, id)]
    codes = [edit(somebody, id, first, path, new).status_code for path, new in (("/text", "x"), ("/hidden", True))]
    assert codes == ([204, 204] if allowed else [403, 403])
    assert threads(here, id)[0].body == ("x" if allowed else "As it was")


def test_line_items_can_not_be_changed(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    done(desk.patch(f"/v2/conversations/{id}", {"op": "replace", "path": "/status", "value": "closed"}))
    (item,) = [one.id for one in threads(desk, id) if one.type == "lineitem"]
    for path, new in (("/text", "x"), ("/hidden", True)):
        assert faults(edit(desk, id, item, path, new)) == ["threadId"]
    assert threads(desk, id)[-1].body is None


@pytest.mark.parametrize(
    ("path", "op", "new", "fault"),
    [
        ("/text", "replace", "", "value"), ("/text", "replace", 5, "value"), ("/text", "replace", None, "value"),
        ("/hidden", "replace", "yes", "value"), ("/hidden", "replace", 1, "value"),
        ("/text", "remove", "x", "op"), ("/hidden", "add", True, "op"), ("/body", "replace", "x", "path"),
        ("/state", "replace", "published", "path"),
    ],
)  # fmt: skip
def test_a_step_that_can_not_be_taken_is_named(desk: Desk, path: str, op: str, new: Any, fault: str) -> None:
    id = start(desk, desk.add_inbox())
    before, facts = threads(desk, id), events(desk, id)
    assert faults(edit(desk, id, before[0].id, path, new, op)) == [fault]
    assert (threads(desk, id), events(desk, id)) == (before, facts)
