"""A reply written in the web can be taken back until its mail leaves, and a mail that came back be sent again."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from deskhand.catalogue.parsing import parse_body
from deskhand.catalogue.problems import AccessDenied, NotFound, PreconditionFailed
from deskhand.catalogue.threads import NewReply
from deskhand.db.statements import P, command, value
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations.mail import mailing
from deskhand.desk.conversations.mail.resending import resend
from deskhand.desk.conversations.mail.undoing import undo
from deskhand.desk.conversations.replying import reply
from deskhand.desk.conversations.tables import thread_mail
from deskhand.lib.clock import to_wire
from deskhand.outbox.tables import event, job
from tests.desk.conversations.builders import add, counted, created, done, read, recounted, threads
from tests.desk.conversations.mail.leaving import Case, left, mails, settled, tried
from tests.mail.post_office import wait
from tests.world import Desk, open_desk, unique

_BOUNCE = command(
    sa.update(thread_mail)
    .where(thread_mail.c.thread_id == P("id"))
    .values(state="bounced", error=P("words")),
    keep=False,
)  # fmt: skip


HELD_S = 600
"""Longer than a test takes on the busiest machine."""
_PUT_OFF = command(
    sa.update(job).where(job.c.account_id == P("account_id"), job.c.kind == P("kind")).values(due_at=2**52), keep=False
)
_HAPPENED = value(
    str, sa.select(event.c.name).where(event.c.account_id == P("account_id")).order_by(event.c.id), keep=False
)


def happened(case: Case) -> list[str]:
    """What was told of conversations so far."""
    found = case.desk.server.app.database.read_now(lambda db: db.all(_HAPPENED, account_id=case.desk.account_id))
    return [name for name in found if name.startswith("convo.")]


def me(desk: Desk) -> Actor:
    actor = desk.server.app.database.read_now(lambda db: access.actor(db, desk.user_id))
    assert actor is not None
    return actor


def hold(case: Case, seconds: int = HELD_S, **body: Any) -> int:
    """A reply as the web writes it, whose mail waits."""
    given = {"text": "Turn it off.", "customer": {"email": case.customer["email"]}, **body}
    new = _reply(given)
    actor = me(case.desk)
    return case.desk.write(lambda tx: reply(tx, actor, case.id, new, (), case.desk.now, hold_s=seconds))


def _reply(given: dict[str, Any]) -> NewReply:
    return parse_body(NewReply, msgspec.json.encode(given))


def take_back(case: Case, thread_id: int) -> None:
    actor = me(case.desk)
    case.desk.write(lambda tx: undo(tx, actor, case.id, thread_id, case.desk.now))


def shown(case: Case, thread_id: int) -> dict[str, Any]:
    return next(one for one in case.desk.get(f"/v2/conversations/{case.id}/threads").json()["_embedded"]["threads"]
                if one["id"] == thread_id)  # fmt: skip


def test_a_held_reply_leaves_when_its_time_is_over(case: Case) -> None:
    case.start()
    hold(case)
    case.reply("By API")
    case.arrived(1)
    case.desk.server.clock.advance(timedelta(seconds=HELD_S + 1))
    texts = [one.message.get_body(("plain",)).get_content()[:6] for one in case.arrived(2)]  # type: ignore[union-attr]
    assert texts == ["By API", "Turn i"]


def test_a_reply_that_is_taken_back_is_a_draft_and_all_is_as_before(case: Case) -> None:
    owner = case.desk.add_user(inboxes=(case.inbox_id,))
    case.start()
    before = read(case.desk, case.id)
    thread_id = hold(case, status="closed", assignTo=owner, cc=["lea@buyer.example"])
    assert read(case.desk, case.id)["status"] == "closed"
    take_back(case, thread_id)
    after = read(case.desk, case.id)
    changing = {"userUpdatedAt", "_links", "_embedded"}
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    assert shown(case, thread_id)["state"] == "draft"
    assert (left(case.desk), mails(case.desk)) == ([], [])
    assert counted(case.desk) == recounted(case.desk)
    at = to_wire(case.desk.server.clock.now() + timedelta(minutes=1))
    plan = {"scheduledFor": at, "unscheduleOnCustomerReply": False}
    done(case.desk.put(f"/v2/conversations/{case.id}/threads/{thread_id}/schedule", plan))
    case.desk.server.clock.advance(timedelta(minutes=2))
    case.arrived()
    after = read(case.desk, case.id)
    assert (after["status"], after["assignee"]["id"], shown(case, thread_id)["state"]) == (
        "closed", owner, "published",
    )  # fmt: skip
    assert counted(case.desk) == recounted(case.desk)


def test_nobody_is_told_of_a_reply_before_it_is_certain(case: Case) -> None:
    owner = case.desk.add_user(inboxes=(case.inbox_id,))
    case.start()
    before = happened(case)
    take_back(case, hold(case, status="closed"))
    case.desk.server.clock.advance(timedelta(seconds=HELD_S + 1))
    kept = hold(case, status="closed", assignTo=owner)
    assert happened(case) == before
    case.desk.server.clock.advance(timedelta(seconds=HELD_S + 1))
    case.arrived()
    names = ["convo.agent.reply.created", "convo.status", "convo.assigned"]
    wait(lambda: happened(case) == [*before, *names])
    with pytest.raises(PreconditionFailed):
        take_back(case, kept)


def test_a_reply_that_waits_for_its_server_can_t_be_taken_back_once_it_was_told_of(case: Case) -> None:
    case.start()
    before = happened(case)
    thread_id = hold(case)
    case.desk.write(lambda tx: tx.run(_PUT_OFF, account_id=case.desk.account_id, kind=mailing.SEND_EMAIL))
    case.desk.server.clock.advance(timedelta(seconds=HELD_S + 1))
    wait(lambda: happened(case) != before)
    with pytest.raises(PreconditionFailed):
        take_back(case, thread_id)
    assert (mails(case.desk)[0].state, shown(case, thread_id)["state"]) == ("waiting", "published")


def test_what_may_be_taken_back_is_in_no_other_mail(case: Case) -> None:
    case.start()
    held = hold(case, text="You are a fool.")
    waiting = next(one for one in mails(case.desk) if one.thread_id == held)
    case.desk.server.clock.advance(timedelta(seconds=2))
    case.reply("Turn it off.")
    message = case.message()
    assert b"fool" not in case.arrived()[0].raw
    assert "fool" not in str(message.get_body(("plain",)))
    assert (message["In-Reply-To"], waiting.message_id in str(message["References"])) == (None, False)
    take_back(case, held)


def test_what_others_did_meanwhile_stays(case: Case) -> None:
    case.start()
    thread_id = hold(case, status="closed")
    created(add(case.desk, case.id, "customer", text="Wait!", customer={"email": case.customer["email"]}))
    before = read(case.desk, case.id)
    take_back(case, thread_id)
    after = read(case.desk, case.id)
    assert (after["status"], after["preview"], after["threads"]) == ("active", "Wait!", before["threads"] - 1)
    assert after["customerWaitingSince"] == before["customerWaitingSince"]


def test_what_has_left_can_t_be_taken_back(case: Case) -> None:
    case.start()
    thread_id = hold(case, seconds=0)
    case.arrived()
    settled(case.desk, "sent")
    with pytest.raises(PreconditionFailed):
        take_back(case, thread_id)
    assert shown(case, thread_id)["state"] == "published"


def test_nobody_takes_back_what_is_not_theirs(case: Case) -> None:
    case.start()
    thread_id = hold(case)
    stranger = me(open_desk(case.desk.server))
    with pytest.raises(NotFound):
        case.desk.write(lambda tx: undo(tx, stranger, case.id, thread_id, case.desk.now))
    light = Actor(case.desk.account_id, case.desk.user_id, "light user", None, me(case.desk).policy)
    with pytest.raises(AccessDenied):
        case.desk.write(lambda tx: undo(tx, light, case.id, thread_id, case.desk.now))
    with pytest.raises(NotFound):
        take_back(case, threads(case.desk, case.id)[0].id)


def test_of_taking_back_and_leaving_exactly_one_happens(case: Case) -> None:
    replies = []
    for _ in range(12):
        case.start()
        replies.append((case.id, hold(case, seconds=5, text=unique("race"))))
    outcomes: dict[int, bool] = {}
    actor = me(case.desk)

    def race(id: int, thread_id: int) -> None:
        try:
            case.desk.write(lambda tx: undo(tx, actor, id, thread_id, case.desk.now))
            outcomes[thread_id] = True
        except PreconditionFailed:
            outcomes[thread_id] = False

    racers = [threading.Thread(target=race, args=one) for one in replies]
    case.desk.server.clock.advance(timedelta(seconds=6))
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    wait(lambda: left(case.desk) == [])
    assert len(outcomes) == 12
    sent = {one.message["Message-ID"].split(".")[1].split("@")[0] for one in case.office.to(case.customer["email"])}
    assert sent == {str(id) for id, undone in outcomes.items() if not undone}
    for case.id, thread_id in replies:
        assert shown(case, thread_id)["state"] == ("draft" if outcomes[thread_id] else "published")


# Sending again -------------------------------------------------------------------------------------------------------


def again(case: Case, thread_id: int) -> None:
    actor = me(case.desk)
    case.desk.write(lambda tx: resend(tx, actor, case.id, thread_id, case.desk.now))


def told(case: Case) -> list[str]:
    found = case.desk.server.app.database.read_now(lambda db: mailing.failures(db, case.desk.account_id, case.id))
    return [one.words for one in found]


def test_what_failed_is_sent_again_with_the_same_message_id(case: Case) -> None:
    case.start()
    case.office.answers = ["554 No"]
    thread_id = case.reply()
    (failed,) = settled(case.desk, "failed")
    again(case, thread_id)
    case.arrived()
    (sent,) = settled(case.desk, "sent")
    assert (sent.message_id, sent.error, left(case.desk), told(case)) == (failed.message_id, "", [], [])


def test_what_came_back_goes_again_to_whom_it_did_not_reach(case: Case) -> None:
    case.start()
    lea = f"{unique('lea')}@x.example"
    thread_id = case.reply(cc=[lea])
    case.arrived()
    settled(case.desk, "sent")
    case.desk.write(lambda tx: tx.run(_BOUNCE, id=thread_id, words=f"{lea}: 5.2.2 the mailbox is full"))
    assert told(case) == [f"came back: {lea}: 5.2.2 the mailbox is full"]
    again(case, thread_id)
    wait(lambda: len(case.office.to(lea)) == 2)
    settled(case.desk, "sent")
    assert (len(case.arrived()), told(case)) == (1, [])


def test_what_came_back_early_is_not_forgotten_when_it_is_noted_as_sent(case: Case) -> None:
    case.start()
    lea = f"{unique('lea')}@x.example"
    case.office.refusals = {lea: ["450 Greylisted"]}
    thread_id = case.reply(cc=[lea])
    wait(lambda: [one.state for one in mails(case.desk)] == ["sent"])
    words = f"{case.customer['email']}: 5.1.1 nobody here"
    case.desk.write(lambda tx: tx.run(_BOUNCE, id=thread_id, words=words))
    case.desk.server.clock.advance(timedelta(minutes=1, seconds=5))
    wait(lambda: bool(case.office.to(lea)) and left(case.desk) == [])
    assert told(case) == [f"came back: {words}"]


def test_what_is_still_tried_for_some_is_not_sent_to_them_twice(case: Case) -> None:
    case.start()
    lea = f"{unique('lea')}@x.example"
    case.office.refusals = {lea: ["450 Greylisted", "450 Greylisted"]}
    thread_id = case.reply(cc=[lea])
    wait(lambda: [one.state for one in mails(case.desk)] == ["sent"])
    case.desk.server.clock.advance(timedelta(minutes=1, seconds=5))
    tried(case.desk, 1)
    with pytest.raises(PreconditionFailed, match="still being tried"):
        again(case, thread_id)
    assert len(left(case.desk)) == 1


def test_what_went_well_or_is_being_tried_is_not_sent_again(case: Case) -> None:
    case.start()
    thread_id = case.reply()
    settled(case.desk, "sent")
    with pytest.raises(PreconditionFailed, match="the mail was delivered"):
        again(case, thread_id)
    held = hold(case)
    with pytest.raises(PreconditionFailed, match="still being tried"):
        again(case, held)
    with pytest.raises(NotFound):
        again(case, 1)
