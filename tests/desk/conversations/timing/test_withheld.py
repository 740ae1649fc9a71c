"""Scheduled replies whose author may not send them any more when their time comes: drafts again, with a line why."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db.statements import P, command
from deskhand.desk.users import verbs as users
from deskhand.desk.users.tables import staff
from tests.desk.conversations.builders import counted, done, read, recounted, reply, start, threads, told
from tests.desk.conversations.passing import ahead, jobs_left, let_pass
from tests.desk.conversations.timing.test_scheduling import mails, schedule, thread
from tests.world import Desk, open_desk

KIND = "send_scheduled"
_SET_ROLE = command(
    sa.update(staff).where(staff.c.account_id == P("for_account"), staff.c.id == P("id")).values(role=P("role")),
    keep=False,
)
BEGINS = "A reply was not sent and is a draft again: "


def lines(desk: Desk, id: int) -> list[str]:
    """Why replies stayed here, by the conversation's line items."""
    found = [one.action_text for one in threads(desk, id) if one.type == "lineitem"]
    return [one.removeprefix(BEGINS) for one in found if one.startswith(BEGINS)]


def planned(desk: Desk, user_id: int, id: int, **body: Any) -> int:
    """A reply that a user lets leave in an hour."""
    ines = desk.as_user(user_id)
    draft = reply(ines, id, draft=True, text="It is on its way.")
    schedule(ines, id, draft, ahead(desk, hours=1), **body)
    return draft


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        ("state", "is no active user any more"),
        ("inbox", "no longer sees this inbox"),
        ("role", "is a light user now, and light users write to nobody"),
    ],
)
def test_who_lost_the_right_to_send_sends_nothing(timed: Desk, lost: str, why: str) -> None:
    inbox = timed.add_inbox()
    ines = timed.add_user("Ines", inboxes=(inbox,))
    id = start(timed, inbox, status="closed")
    draft = planned(timed, ines, id)
    if lost == "state":
        timed.write(lambda tx: users.set_state(tx, timed.account_id, ines, "inactive", timed.now))
    elif lost == "inbox":
        timed.write(lambda tx: users.set_inboxes(tx, timed.account_id, ines, ()))
    else:
        timed.write(lambda tx: tx.run(_SET_ROLE, for_account=timed.account_id, id=ines, role="light user"))
    let_pass(timed, KIND, hours=1, minutes=1)
    found, shown = thread(timed, id, draft), read(timed, id)
    assert (found.state, mails(timed, draft)) == ("draft", 0)
    assert lines(timed, id) == [f"Ines Okafor, who sent it, {why}"]
    assert (shown["status"], "nextEvent" in shown) == ("active", False)
    assert told(timed, id) == ["convo.created", "convo.status"]
    assert counted(timed) == recounted(timed) and jobs_left(timed, KIND) == 0


@pytest.mark.parametrize("as_creator", [True, False])
def test_nothing_leaves_in_the_name_of_somebody_who_has_left(timed: Desk, as_creator: bool) -> None:
    ines = timed.add_user("Ines", role="admin")
    id = start(timed, timed.add_inbox())
    draft = reply(timed.as_user(ines), id, draft=True, text="It is on its way.")
    schedule(timed, id, draft, ahead(timed, hours=1), sendAsCreator=as_creator)
    timed.write(lambda tx: users.set_state(tx, timed.account_id, ines, "inactive", timed.now))
    let_pass(timed, KIND, hours=1, minutes=1)
    assert thread(timed, id, draft).state == ("draft" if as_creator else "published")
    why = "Ines Okafor, in whose name it was to leave, is no active user any more"
    assert lines(timed, id) == ([why] if as_creator else [])


def test_what_a_deleted_user_scheduled_is_a_draft_at_once(timed: Desk) -> None:
    inbox = timed.add_inbox()
    ines, lea = (timed.add_user(name, inboxes=(inbox,)) for name in ("Ines", "Lea"))
    first, second, third, spam = (start(timed, inbox, status=one) for one in ("closed", "active", "closed", "spam"))
    mine = {id: planned(timed, ines, id) for id in (first, second, spam)}
    kept = planned(timed, lea, third)
    elsewhere = open_desk(timed.server)
    other = start(elsewhere, elsewhere.add_inbox())
    theirs = planned(elsewhere, elsewhere.user_id, other)
    done(timed.delete(f"/v2/users/{ines}"))
    for id, draft in mine.items():
        assert (thread(timed, id, draft).state, "nextEvent" in read(timed, id)) == ("draft", False)
        assert lines(timed, id) == ["Ines Okafor, who sent it, is no active user any more"]
    assert [read(timed, id)["status"] for id in (first, second, third, spam)] == ["active", "active", "closed", "spam"]
    assert counted(timed) == recounted(timed)
    let_pass(timed, KIND, hours=1, minutes=1)
    assert {thread(timed, id, draft).state for id, draft in mine.items()} == {"draft"}
    assert (thread(timed, third, kept).state, thread(elsewhere, other, theirs).state) == ("published", "published")
    assert lines(timed, third) == lines(elsewhere, other) == []


def test_who_gets_the_right_back_in_time_is_not_kept_from_sending(timed: Desk) -> None:
    inbox = timed.add_inbox()
    ines = timed.add_user("Ines", inboxes=(inbox,))
    id = start(timed, inbox)
    draft = planned(timed, ines, id)
    for seen in ((), (inbox,)):
        timed.write(lambda tx, seen=seen: users.set_inboxes(tx, timed.account_id, ines, seen))  # type: ignore[misc]
    let_pass(timed, KIND, hours=1, minutes=1)
    assert (thread(timed, id, draft).state, lines(timed, id)) == ("published", [])


def test_what_an_agent_scheduled_leaves_while_the_agent_is_there(timed: Desk) -> None:
    inbox = timed.add_inbox()
    for state, came_of_it in (("active", "published"), ("inactive", "draft")):
        agent, id = timed.add_system_user("Triage"), start(timed, inbox)
        draft = reply(timed, id, draft=True, text="It is on its way.", user=agent)
        schedule(timed, id, draft, ahead(timed, hours=1), sendAsCreator=True)
        timed.write(
            lambda tx, agent=agent, state=state: users.set_state(tx, timed.account_id, agent, state, timed.now)  # type: ignore[misc]
        )
        let_pass(timed, KIND, hours=1, minutes=1)
        assert thread(timed, id, draft).state == came_of_it
