"""Comparing a mail server with what is here: each message there must be here, or have a reason why it is not.

Nothing is changed by looking. All of it waits for the network, so it is called from threads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from deskhand.db.engine import Database, Reader
from deskhand.desk.checking.finding import counted
from deskhand.desk.checking.mail import unlooked
from deskhand.desk.conversations.mail import received_listing, received_queries, tombstones
from deskhand.desk.conversations.mail.keeping import fingerprint
from deskhand.desk.conversations.mail.received_listing import Tally
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.lib.clock import from_wire
from deskhand.lib.sealing import Sealer, SealingError
from deskhand.mail import imap_in, imap_positions
from deskhand.mail.imap_in import STEP_S, Folder, Found, ImapFailed, NotGiven, Wire
from deskhand.mail.imap_positions import Position
from deskhand.mail.imap_reading import KNOWN, LISTED_AT_ONCE, place_name, reason_against

LATE_S = 300
"""How long a message that was kept may wait to be read."""
MISSING_MOST = 200
"""When so many are missing no more are looked for: it is known that something is wrong."""
SHOWN_MOST = 20
GONE = "deleted on the server meanwhile"
DELETED = "came, and was deleted here with its conversation"


class Came(msgspec.Struct):
    """What became of the messages that came to an inbox, by whichever way; `skipped` and `failed` by reason."""

    taken: int = 0
    waiting: int = 0
    skipped: dict[str, int] = {}
    failed: dict[str, int] = {}

    def add(self, one: Tally) -> None:
        """Count so many messages more."""
        if one.state == "taken":
            self.taken += one.n
        elif one.state == "waiting":
            self.waiting += one.n
        else:
            (self.skipped if one.state == "skipped" else self.failed)[one.reason] = one.n


class OnServer(msgspec.Struct):
    """What lies in a mailbox: how many of it are here, skipped for a reason, not looked at yet, or missing (UIDs)."""

    host: str
    folder: str
    messages: int = 0
    here: int = 0
    skipped: dict[str, int] = {}
    not_looked_at: int = 0
    not_compared: int = 0
    missing: list[int] = []


class Wrong(msgspec.Struct, frozen=True):
    """What is not in order, in words; `remedy`: what shows more of it or mends it."""

    words: str
    remedy: Literal["", "failed", "again"] = ""


class Stands(msgspec.Struct):
    """How an inbox's mail stands; there is no `server` where none is fetched, or it can't be looked at."""

    came: Came
    server: OnServer | None
    wrong: list[Wrong]


@dataclass(frozen=True, slots=True)
class Reconciling:
    """What comparing is done with; `wire` can be cut meanwhile. A mailbox is looked at every so many seconds."""

    database: Database
    sealer: Sealer
    account_id: int
    every_s: int
    now: datetime
    step_s: float = STEP_S
    wire: Wire | None = None

    def came(self) -> dict[int, Came]:
        """What came to each inbox of the account."""
        found: dict[int, Came] = {}
        for one in self.database.read_now(lambda db: received_listing.tally(db, self.account_id), "slow"):
            found.setdefault(one.inbox_id, Came(skipped={}, failed={})).add(one)
        return found

    def stands(self, inbox: InboxRow, came: Came) -> Stands:
        """How an inbox's mail stands."""
        wrong = []
        if came.failed:
            wrong.append(Wrong(f"{counted(sum(came.failed.values()), 'message')} could not be read", "failed"))
        since = self.database.read_now(lambda db: received_listing.oldest_waiting(db, self.account_id, inbox.id))
        if since is not None and (late_s := (self.now - from_wire(since)).total_seconds()) > LATE_S:
            wrong.append(Wrong(f"a message has waited for {late_s:,.0f} seconds to be read: does a worker run?"))
        server = self._compared(inbox, wrong)
        return Stands(came, server, wrong)

    def _compared(self, inbox: InboxRow, wrong: list[Wrong]) -> OnServer | None:
        """What lies in the inbox's mailbox; None where there is none, or it can't be looked at."""
        settings = self.database.read_now(lambda db: mail_settings.read(db, self.account_id, inbox.id))
        folder = settings.imap_folder
        try:
            server = mail_settings.imap_of(self.sealer, self.account_id, inbox.id, settings.imap)
        except (SealingError, ValueError) as problem:
            wrong.append(Wrong(f"its mailbox can't be looked at: {problem}"))
            return None
        if server is None:
            return None
        there = OnServer(server.host, folder, skipped={}, missing=[])
        position = self.database.read_now(lambda db: imap_positions.one(db, self.account_id, inbox.id, folder))
        if position is not None and position.error:
            wrong.append(Wrong(f"the last look at its mailbox failed: {position.error}"))
        elif position is None or not position.uid_validity:
            wrong.append(Wrong("its mailbox was never looked at: does a server or worker run?"))
        elif words := unlooked(position.checked_at, self.now, self.every_s):
            wrong.append(Wrong(f"{words} at its mailbox: does a server or worker run?"))
        try:
            with imap_in.opened(server, folder, self.step_s, self.wire) as opened:
                self._compare(inbox.id, position, opened, there)
        except (ImapFailed, NotGiven) as problem:
            wrong.append(Wrong(f"its mailbox can't be looked at: {problem}"))
        if there.missing:
            uids = ", ".join(map(str, there.missing[:SHOWN_MOST])) + (", …" if len(there.missing) > SHOWN_MOST else "")
            more = f"; {there.not_compared:,} more were not compared" if there.not_compared else ""
            count = counted(len(there.missing), "message is", "messages are")
            wrong.append(Wrong(f"{count} on the server and not here (UID {uids}){more}", "again"))
        return there

    def _compare(self, inbox_id: int, position: Position | None, folder: Folder, there: OnServer) -> None:
        found = list(_listed(folder))
        # After the server was asked: what came meanwhile is then known here.
        places = self.database.read_now(lambda db: received_listing.places(db, self.account_id, inbox_id), "slow")
        skipped: Counter[str] = Counter()
        doubtful = []
        for one in found:
            if place_name(there.folder, folder.uid_validity, one.uid) in places:
                there.here += 1
            elif position is None or folder.uid_validity != position.uid_validity or one.uid > position.last_uid:
                there.not_looked_at += 1
            elif reason := reason_against(one, position.since):
                skipped[reason] += 1
            else:
                doubtful.append(one.uid)
        there.messages = len(found)
        for number, uid in enumerate(doubtful):
            if len(there.missing) >= MISSING_MOST:
                there.not_compared = len(doubtful) - number
                break
            if reason := self._why_not(inbox_id, folder, uid):
                skipped[reason] += 1
            else:
                there.missing.append(uid)
        there.skipped = dict(sorted(skipped.items()))

    def _why_not(self, inbox_id: int, folder: Folder, uid: int) -> str:
        """Why a message is not here under its own place; empty: it is missing."""
        try:
            raw = folder.raw(uid)
        except NotGiven:
            return ""
        if raw is None:
            return GONE
        mark = fingerprint(raw)

        def ask(db: Reader) -> str:
            if received_queries.known(db, self.account_id, inbox_id, mark) is not None:
                return KNOWN
            return DELETED if tombstones.is_buried(db, self.account_id, mark, "") else ""

        return self.database.read_now(ask)


def _listed(folder: Folder) -> Iterator[Found]:
    uid = 0
    while found := folder.after(uid, LISTED_AT_ONCE):
        yield from found
        uid = found[-1].uid
