"""`deskhand mail check`: what lies on mail servers, what came, and whether anything is missing.

Each message on a server must be here, or have a reason why it is not. Nothing is changed by looking.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import msgspec
from rich.console import Console

from deskhand.cli.administering import show
from deskhand.cli.clocks import clock_for
from deskhand.cli.mail import Desk, desk_of
from deskhand.cli.refused import Refused
from deskhand.desk.conversations.mail.reconciling import Came, OnServer, Reconciling, Wrong
from deskhand.desk.inboxes import queries
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.mail.headers import one_line
from deskhand.settings import Settings


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
        comparing = _comparing(desk)
        came = comparing.came()
        reports = [_report(comparing, one, came.get(one.id, Came())) for one in inboxes]
    ok = not any(one.wrong for one in reports)
    show({"ok": ok, "inboxes": reports}, lambda: "\n".join(line for one in reports for line in _words(one)), json=json)
    if not ok:
        sys.stdout.flush()
        raise Refused(f"not in order: {', '.join(f'inbox {one.inbox}' for one in reports if one.wrong)}")


def _comparing(desk: Desk) -> Reconciling:
    every_s, now = desk.settings.mail_imap_every_s, clock_for(desk.settings).now()
    return Reconciling(desk.database, desk.sealer, desk.account_id, every_s, now)


def _report(comparing: Reconciling, inbox: InboxRow, came: Came) -> Report:
    found = comparing.stands(inbox, came)
    wrong = [_with_remedy(one, inbox.id) for one in found.wrong]
    return Report(inbox.id, inbox.name, inbox.email, found.came, found.server, wrong)


def _with_remedy(one: Wrong, inbox_id: int) -> str:
    match one.remedy:
        case "failed":
            return f'{one.words}: "deskhand mail failed" says why'
        case "again":
            return f'{one.words}: "deskhand mail again --inbox {inbox_id}" reads the mailbox anew'
    return one.words


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
