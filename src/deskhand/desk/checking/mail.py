"""Mail that came: what waits to be read, what could not be, and mailboxes that can't be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import rows, value
from deskhand.desk.checking.finding import Finding, counted
from deskhand.desk.inboxes.tables import inbox, inbox_mail
from deskhand.lib.clock import from_wire
from deskhand.mail.tables import imap_position, received_mail

LATE_S = 300
"""How long nobody need have looked at a mailbox, at least."""


class ReadFolder(msgspec.Struct, frozen=True):
    """A folder that an inbox is fetched from; an empty `error`: the last look went well, at `checked_at`."""

    account_id: int
    inbox_id: int
    name: str
    error: str
    checked_at: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages that wait to be read, those that could not be, and the mailboxes that are looked at."""

    waiting: int
    failed: int
    folders: tuple[ReadFolder, ...]


_COUNT = sa.select(sa.func.count().label("n")).select_from(received_mail)
_WAITING = value(int, _COUNT.where(received_mail.c.state == sa.literal_column("'waiting'")))
_FAILED = value(int, _COUNT.where(received_mail.c.state == sa.literal_column("'failed'")))
_FOLDERS = rows(
    ReadFolder,
    sa.select(
        imap_position.c.account_id, imap_position.c.inbox_id, inbox.c.name, imap_position.c.error,
        imap_position.c.checked_at,
    )
    .select_from(imap_position)
    .join(
        inbox_mail,
        sa.and_(
            inbox_mail.c.inbox_id == imap_position.c.inbox_id,
            inbox_mail.c.account_id == imap_position.c.account_id,
            inbox_mail.c.imap_folder == imap_position.c.folder,
            inbox_mail.c.imap != sa.literal_column("''"),
        ),
    )
    .join(inbox, sa.and_(inbox.c.id == inbox_mail.c.inbox_id, inbox.c.account_id == inbox_mail.c.account_id))
    .order_by(imap_position.c.inbox_id),
)  # fmt: skip


def figures(db: Reader) -> Figures:
    """How mail stands, of all accounts together."""
    return Figures(db.first(_WAITING), db.first(_FAILED), tuple(db.all(_FOLDERS)))


def unlooked(checked_at: str, now: datetime, every_s: int) -> str:
    """That nobody has looked at a mailbox for too long, in words; empty: somebody has."""
    passed = (now - from_wire(checked_at)).total_seconds()
    return f"nobody has looked for {passed:,.0f} seconds" if passed > max(LATE_S, 5 * every_s) else ""


def check(db: Reader, now: datetime, every_s: int) -> Finding:
    """Whether all mail that came was read, and all mailboxes can be looked at, which is done every so many seconds."""
    found = figures(db)
    wrong = [f"inbox {one.inbox_id}, {one.name}: {one.error}" for one in found.folders if one.error]
    for one in found.folders:
        if not one.error and (words := unlooked(one.checked_at, now, every_s)):
            wrong.append(f"inbox {one.inbox_id}, {one.name}: {words}")
    if found.failed:
        wrong.append(f'{counted(found.failed, "message")} could not be read: "deskhand mail failed" says why')
    if wrong:
        return Finding("mail in", False, "not all mail comes in", tuple(wrong))
    words = f"{counted(len(found.folders), 'mailbox is', 'mailboxes are')} looked at, {found.waiting:,} waiting"
    return Finding("mail in", True, f"{words}, none failed")
