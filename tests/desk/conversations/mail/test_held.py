"""A held reply does not leave once its writer may not send it any more: it is a draft again, and a line says why."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
import sqlalchemy as sa

from deskhand.catalogue.parsing import parse_body
from deskhand.catalogue.threads import NewReply
from deskhand.db.statements import P, command, value
from deskhand.desk import access
from deskhand.desk.conversations.mail import mailing
from deskhand.desk.conversations.mail.announcing import ANNOUNCE_REPLY
from deskhand.desk.conversations.replying import reply
from deskhand.desk.users import verbs as users
from deskhand.outbox.tables import job
from tests.desk.conversations.builders import counted, read, recounted, threads
from tests.desk.conversations.mail.leaving import Case, left, mails, settled
from tests.desk.conversations.mail.test_undoing import HELD_S, happened
from tests.desk.conversations.passing import jobs_left
from tests.mail.post_office import wait

WHY = "A reply was not sent and is a draft again: Ines Okafor, who sent it, "
_DUE = command(
    sa.update(job).where(job.c.account_id == P("account_id"), job.c.kind == P("kind")).values(due_at=P("due")),
    keep=False,
)


_ANNOUNCEMENTS = value(
    int, sa.select(job.c.id).where(job.c.account_id == P("account_id"), job.c.kind == ANNOUNCE_REPLY), keep=False
)


def announcements(case: Case) -> list[int]:
    """The jobs that tell of replies."""
    return case.desk.server.app.database.read_now(lambda db: db.all(_ANNOUNCEMENTS, account_id=case.desk.account_id))


def begun(case: Case) -> tuple[int, int]:
    """Ines, and a reply of hers that closes the conversation and is held."""
    ines = case.desk.add_user("Ines", inboxes=(case.inbox_id,))
    case.start()
    given = {"text": "Turn it off.", "customer": {"email": case.customer["email"]}, "status": "closed"}
    new = parse_body(NewReply, msgspec.json.encode(given))
    actor = case.desk.server.app.database.read_now(lambda db: access.actor(db, ines))
    assert actor is not None
    return ines, case.desk.write(lambda tx: reply(tx, actor, case.id, new, (), case.desk.now, hold_s=HELD_S))


def put(case: Case, kind: str, due: int) -> None:
    """Have the jobs of a kind done at a time."""
    case.desk.write(lambda tx: tx.run(_DUE, account_id=case.desk.account_id, kind=kind, due=due))


def remove(case: Case, user_id: int) -> None:
    case.desk.write(lambda tx: users.set_state(tx, case.desk.account_id, user_id, "inactive", case.desk.now))


def pass_by(case: Case) -> None:
    case.desk.server.clock.advance(timedelta(seconds=HELD_S + 1))


def state(case: Case, thread_id: int) -> str:
    return next(one.state for one in threads(case.desk, case.id) if one.id == thread_id)


def stayed(case: Case, thread_id: int, why: str) -> None:
    """Wait until it is a draft again, of which nobody was told and no mail is left."""
    wait(lambda: state(case, thread_id) == "draft")
    wait(lambda: left(case.desk) == [] and jobs_left(case.desk, ANNOUNCE_REPLY) == 0)
    assert [one.action_text for one in threads(case.desk, case.id) if one.type == "lineitem"] == [WHY + why]
    assert (mails(case.desk), case.attempts(), read(case.desk, case.id)["status"]) == ([], [], "active")
    assert happened(case) == ["convo.created"]
    assert counted(case.desk) == recounted(case.desk)


@pytest.mark.parametrize("later", [None, ANNOUNCE_REPLY])
def test_who_was_removed_meanwhile_sends_nothing(case: Case, later: str | None) -> None:
    ines, thread_id = begun(case)
    remove(case, ines)
    if later is not None:
        put(case, later, 2**52)
    pass_by(case)
    stayed(case, thread_id, "is no active user any more")


def test_nobody_is_told_before_the_mail_is_decided_about(case: Case) -> None:
    ines, thread_id = begun(case)
    remove(case, ines)
    put(case, mailing.SEND_EMAIL, 2**52)
    first = announcements(case)
    pass_by(case)
    wait(lambda: announcements(case) not in ([], first))
    assert (state(case, thread_id), happened(case)) == ("published", ["convo.created"])
    put(case, mailing.SEND_EMAIL, 0)
    stayed(case, thread_id, "is no active user any more")


def test_who_lost_the_inbox_meanwhile_sends_nothing(case: Case) -> None:
    ines, thread_id = begun(case)
    case.desk.write(lambda tx: users.set_inboxes(tx, case.desk.account_id, ines, ()))
    pass_by(case)
    stayed(case, thread_id, "no longer sees this inbox")


def test_what_was_told_of_leaves_whoever_goes_then(case: Case) -> None:
    ines, thread_id = begun(case)
    put(case, mailing.SEND_EMAIL, 2**52)
    pass_by(case)
    wait(lambda: "convo.agent.reply.created" in happened(case))
    remove(case, ines)
    put(case, mailing.SEND_EMAIL, 0)
    case.arrived()
    settled(case.desk, "sent")
    assert state(case, thread_id) == "published"
