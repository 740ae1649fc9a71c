"""Replies that could be taken back, when they are to leave: who wrote one may not be allowed to send it any more.

Then it is a draft again. Its mail's job decides, as long as nobody was told of the reply; see announcing.py.
"""

from __future__ import annotations

import msgspec

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.drafts import rights, withheld
from deskhand.desk.conversations.mail import announcing, mail_queries, undoing
from deskhand.desk.conversations.mail.mailing import ATTEMPTS, Handover, Mailing
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.lib.clock import to_wire
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Kind, Then


def kind(mailing: Mailing) -> Kind:
    """How the jobs are carried out that send replies. Twice does no harm: a draft is not sent, nor made one again."""

    async def carry(work: Work) -> Then | None:
        handover = msgspec.json.decode(work.payload, type=Handover)
        why = await mailing.database.read(lambda db: _why_not(db, work.account_id, handover))
        if not why:
            return await mailing.carry(work)
        return lambda tx: keep(tx, work.account_id, handover.thread_id, why, to_wire(mailing.clock.now()))

    return Kind(carry, attempts=ATTEMPTS)


def _why_not(db: Reader, account_id: int, handover: Handover) -> str:
    """Why a held reply may not leave the inbox that it was written in; empty for whatever else leaves."""
    found = mail_queries.held(db, account_id, handover.thread_id)
    if found is None or not announcing.is_to_come(db, account_id, handover.thread_id):
        return ""
    return rights.fault(db, account_id, handover.inbox_id, found.user_id)


def keep(tx: Writer, account_id: int, thread_id: int, why: str, now: str) -> None:
    """Make a held reply a draft again, with a line that says why; one that was taken back meanwhile stays as it is."""
    found = mail_queries.held(tx, account_id, thread_id)
    if found is None:
        return
    try:
        head = queries.head(tx, on_behalf_of(account_id, 0), found.conversation_id, lock=True)
        thread = thread_queries.head(tx, account_id, head.id, thread_id)
    except NotFound:  # deleted or merged meanwhile
        return
    if thread.state == "published":
        announcing.withdraw(tx, account_id, thread_id)
        after = undoing.as_draft(tx, head, thread, now)
        withheld.stay(tx, head, after, thread.created_by_id, why, now, known=after)
