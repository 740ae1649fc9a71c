"""`deskhand mail check`: what lies on mail servers, what came, and whether anything is missing.

Each message on a server must be here, or have a reason why it is not. Nothing is changed by looking.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import msgspec
from rich.console import Console

from deskhand.cli.administering import show
from deskhand.cli.clocks import clock_for
from deskhand.cli.mail import Desk, desk_of
from deskhand.cli.refused import Refused
from deskhand.db.engine import Reader
from deskhand.desk.checking.finding import counted
from deskhand.desk.checking.mail import unlooked
from deskhand.desk.conversations.mail import received_listing, received_queries, tombstones
from deskhand.desk.conversations.mail.keeping import fingerprint
from deskhand.desk.inboxes import queries
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.lib.clock import from_wire
from deskhand.mail import imap_in, imap_positions
from deskhand.mail.headers import one_line
from deskhand.mail.imap_in import Folder, Found, ImapFailed, NotGiven
from deskhand.mail.imap_positions import Position
from deskhand.mail.imap_reading import KNOWN, LISTED_AT_ONCE, place_name, reason_against
from deskhand.settings import Settings

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


class Report(msgspec.Struct):
    """How an inbox's mail stands; `wrong` says in words what is not in order."""

    inbox: int
    name: str
    email: str
    came: Came
    server: OnServer | None
    wrong: list[str]


def check(settings: Settings, account: int | None, inbox_id: int | None, *, json: bool) -> None:
    """Look at each inbox; ends with status 1 when anything is missing, stuck or can't be looked at."""
    with desk_of(settings, account) as desk, Console(stderr=True).status("looking at mail servers"):
        if inbox_id is None:
            inboxes = desk.database.read_now(lambda db: queries.all_of(db, desk.account_id))
        else:
            inboxes = [desk.inbox(inbox_id)]
        came = _came(desk)
        now = clock_for(settings).now()
        reports = [_report(desk, one, came.get(one.id, Came()), now) for one in inboxes]
    ok = not any(one.wrong for one in reports)
    show({"ok": ok, "inboxes": reports}, lambda: "\n".join(line for one in reports for line in _words(one)), json=json)
    if not ok:
        sys.stdout.flush()
        raise Refused(f"not in order: {', '.join(f'inbox {one.inbox}' for one in reports if one.wrong)}")


def _came(desk: Desk) -> dict[int, Came]:
    found: dict[int, Came] = {}
    for one in desk.database.read_now(lambda db: received_listing.tally(db, desk.account_id), "slow"):
        came = found.setdefault(one.inbox_id, Came(skipped={}, failed={}))
        if one.state == "taken":
            came.taken += one.n
        elif one.state == "waiting":
            came.waiting += one.n
        else:
            (came.skipped if one.state == "skipped" else came.failed)[one.reason] = one.n
    return found


def _report(desk: Desk, inbox: InboxRow, came: Came, now: datetime) -> Report:
    wrong = []
    if came.failed:
        count = sum(came.failed.values())
        wrong.append(f'{counted(count, "message")} could not be read: "deskhand mail failed" says why')
    since = desk.database.read_now(lambda db: received_listing.oldest_waiting(db, desk.account_id, inbox.id))
    if since is not None and (late_s := (now - from_wire(since)).total_seconds()) > LATE_S:
        wrong.append(f"a message has waited for {late_s:,.0f} seconds to be read: does a worker run?")
    server = _compared(desk, inbox, now, wrong)
    return Report(inbox.id, inbox.name, inbox.email, came, server, wrong)


def _compared(desk: Desk, inbox: InboxRow, now: datetime, wrong: list[str]) -> OnServer | None:
    """What lies in the inbox's mailbox; None where there is none, or it can't be looked at."""
    folder = desk.mail_settings(inbox.id).imap_folder
    try:
        server = desk.imap(inbox.id)
    except Refused as problem:
        wrong.append(f"its mailbox can't be looked at: {problem}")
        return None
    if server is None:
        return None
    there = OnServer(server.host, folder, skipped={}, missing=[])
    position = desk.database.read_now(lambda db: imap_positions.one(db, desk.account_id, inbox.id, folder))
    if position is not None and position.error:
        wrong.append(f"the last look at its mailbox failed: {position.error}")
    elif position is None or not position.uid_validity:
        wrong.append("its mailbox was never looked at: does a server or worker run?")
    elif words := unlooked(position.checked_at, now, desk.settings.mail_imap_every_s):
        wrong.append(f"{words} at its mailbox: does a server or worker run?")
    try:
        with imap_in.opened(server, folder) as opened:
            _compare(desk, inbox.id, position, opened, there)
    except (ImapFailed, NotGiven) as problem:
        wrong.append(f"its mailbox can't be looked at: {problem}")
    if there.missing:
        uids = ", ".join(map(str, there.missing[:SHOWN_MOST])) + (", …" if len(there.missing) > SHOWN_MOST else "")
        more = f"; {there.not_compared:,} more were not compared" if there.not_compared else ""
        count = counted(len(there.missing), "message is", "messages are")
        wrong.append(
            f"{count} on the server and not here (UID {uids}){more}: "
            f'"deskhand mail again --inbox {inbox.id}" reads the mailbox anew'
        )
    return there


def _compare(desk: Desk, inbox_id: int, position: Position | None, folder: Folder, there: OnServer) -> None:
    found = list(_listed(folder))
    # After the server was asked: what came meanwhile is then known here.
    places = desk.database.read_now(lambda db: received_listing.places(db, desk.account_id, inbox_id), "slow")
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
        if reason := _why_not(desk, inbox_id, folder, uid):
            skipped[reason] += 1
        else:
            there.missing.append(uid)
    there.skipped = dict(sorted(skipped.items()))


def _listed(folder: Folder) -> Iterator[Found]:
    uid = 0
    while found := folder.after(uid, LISTED_AT_ONCE):
        yield from found
        uid = found[-1].uid


def _why_not(desk: Desk, inbox_id: int, folder: Folder, uid: int) -> str:
    """Why a message is not here under its own place; empty: it is missing."""
    try:
        raw = folder.raw(uid)
    except NotGiven:
        return ""
    if raw is None:
        return GONE
    mark = fingerprint(raw)

    def ask(db: Reader) -> str:
        if received_queries.known(db, desk.account_id, inbox_id, mark) is not None:
            return KNOWN
        return DELETED if tombstones.is_buried(db, desk.account_id, mark, "") else ""

    return desk.database.read_now(ask)


# -- Words


def _words(report: Report) -> Iterator[str]:
    came = report.came
    skipped, failed = sum(came.skipped.values()), sum(came.failed.values())
    total = came.taken + came.waiting + skipped + failed
    yield f"Inbox {report.inbox}, {one_line(report.name)} <{one_line(report.email)}>"
    states = f"{came.taken:,} taken, {skipped:,} skipped, {failed:,} failed, {came.waiting:,} waiting"
    yield f"  came       {total:,}: {states}"
    yield from _reasons("skipped", came.skipped)
    yield from _reasons("failed", came.failed)
    if (there := report.server) is not None:
        yield (
            f"  on server  {there.messages:,} in {there.folder} at {there.host}: {there.here:,} here, "
            f"{sum(there.skipped.values()):,} skipped, {there.not_looked_at:,} not looked at yet, "
            f"{len(there.missing):,} missing" + (f", {there.not_compared:,} not compared" if there.not_compared else "")
        )
        yield from _reasons("skipped", there.skipped)
    for words in report.wrong:
        yield f"  WRONG      {words}"


def _reasons(what: str, reasons: dict[str, int]) -> Iterator[str]:
    for reason, count in reasons.items():
        yield f"{'':13}{count:,} {what}: {one_line(reason)}"
