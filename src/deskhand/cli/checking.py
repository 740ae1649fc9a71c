"""`deskhand check`: one line for each thing looked at, in words."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa
from rich.console import Console
from rich.text import Text

from deskhand.cli import auditing
from deskhand.cli.clocks import clock_for
from deskhand.cli.databases import opened
from deskhand.cli.refused import Refused
from deskhand.db.database import SQLITE_FILE
from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.statements import value
from deskhand.db.version import SchemaState, schema_state, server_seconds, server_version
from deskhand.desk.checking import counters, files, mail, replies, tags
from deskhand.desk.checking.finding import Finding, counted
from deskhand.desk.conversations.mail.mailing import SEND_EMAIL
from deskhand.desk.inboxes.tables import inbox
from deskhand.desk.users.sign_in_links import MAIL_LINK
from deskhand.gateway import chain, connections
from deskhand.lib.clock import from_wire
from deskhand.lib.sealing import Sealer, SealingError
from deskhand.mail.post import Undelivered
from deskhand.mail.smtp_out import signed_in
from deskhand.outbox import jobs
from deskhand.outbox.tables import event
from deskhand.settings import Settings, SettingsError, SmtpServer

BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows a time before this."""
CLOCKS_APART_S = 5
FREE_LEAST = 500 * 1024**2
"""Bytes on the data folder's disk. SQLite needs room for its journal, and a full disk stops all writing."""
LATE_S = 300
"""How long a job that is due may wait before something must be wrong."""
SHOWN_MOST = 20
"""Differences shown to people; JSON has all of them."""

_INBOXES = value(str, sa.select(inbox.c.email))
_NEWEST = value(str, sa.select(event.c.at).order_by(event.c.id.desc()).limit(1))


def check(read_settings: Callable[[], Settings], *, repair: bool, json: bool) -> None:
    """Look at everything, say what is wrong; ends with status 1 if anything is."""
    findings: list[Finding] = []
    console = Console(highlight=False, soft_wrap=True)
    for finding in _findings(read_settings, repair=repair):
        findings.append(finding)
        if not json:
            _show(console, finding)
    ok = all(finding.ok for finding in findings)
    if json:
        sys.stdout.write(msgspec.json.encode({"ok": ok, "checks": [asdict(each) for each in findings]}).decode() + "\n")
    if not ok:
        wrong = [finding.name for finding in findings if not finding.ok]
        raise Refused(f"not in order: {', '.join(wrong)}")


def _findings(read_settings: Callable[[], Settings], *, repair: bool) -> Iterator[Finding]:
    try:
        settings = read_settings()
    except SettingsError as problem:
        yield Finding("settings", False, str(problem), tuple(problem.problems))
        return
    yield Finding("settings", True, f"data in {settings.data_dir}, URL {settings.base_url}")
    if settings.data_dir.is_dir():
        yield _disk(settings)
    if not settings.database_url and not (settings.data_dir / SQLITE_FILE).exists():
        yield Finding("database", False, f'there is none in {settings.data_dir} yet: run "deskhand migrate"')
        return
    try:
        with opened(settings) as database:
            yield from _of_database(database, settings, repair=repair)
    except Refused as problem:
        yield Finding("database", False, str(problem))
    yield asyncio.run(_mail(settings))


def _of_database(database: Database, settings: Settings, *, repair: bool) -> Iterator[Finding]:
    def read(work: Callable[[Reader], Finding]) -> Finding:
        return database.read_now(work, "slow")

    yield Finding("database", True, database.read_now(server_version))
    state: SchemaState = database.read_now(schema_state)
    yield Finding("schema", state.current, state.words)
    if not state.current:
        return
    clock = clock_for(settings)
    yield read(lambda db: _clock(db, clock.now()))
    if repair:
        yield database.write_now(_repair)
    yield from database.read_now(counters.check, "slow")
    yield read(tags.check)
    yield read(replies.check)
    yield read(lambda db: files.check(db, settings.data_dir / "blobs"))
    yield auditing.check(database, settings)
    yield read(lambda db: _connections(db, settings))
    yield read(lambda db: _jobs(db, clock.now(), mails=bool(settings.smtp_url or settings.smtp_by_inbox)))
    yield read(lambda db: mail.check(db, clock.now(), settings.mail_imap_every_s))
    if settings.smtp_by_inbox:
        yield read(lambda db: _mail_addresses(db, settings.smtp_by_inbox))


def _repair(tx: Writer) -> Finding:
    tagged = tags.repair(tx)
    replied = replies.repair(tx)
    repaired = counters.repair(tx)
    fixed = (counted(repaired, "counter"), counted(tagged, "tagged conversation"), counted(replied, "answered one"))
    return Finding("repair", True, f"{fixed[0]}, {fixed[1]} and {fixed[2]} set right")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.data_dir).free
    words = f"{free / 1024**3:,.1f} GB free for {settings.data_dir}"
    return Finding("disk", free >= FREE_LEAST, words if free >= FREE_LEAST else f"only {words}")


def _clock(db: Reader, now: datetime) -> Finding:
    """`now` is the desk's time, which in a sandbox is not the machine's."""
    if datetime.now(UTC) < BUILT:
        return Finding("clock", False, f"it shows {now:%Y-%m-%d}, which is long ago")
    apart = abs(server_seconds(db) - time.time())
    if apart > CLOCKS_APART_S:
        return Finding("clock", False, f"it is {apart:,.0f} seconds apart from the database's")
    newest = db.one(_NEWEST)
    if newest is not None and (ahead := (from_wire(newest) - now).total_seconds()) > CLOCKS_APART_S:
        return Finding("clock", False, f"it is {ahead:,.0f} seconds behind the newest event: it was set back")
    return Finding("clock", True, f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _connections(db: Reader, settings: Settings) -> Finding:
    """Whether the credentials of other help desks can be decrypted; none of these is called."""
    sealer = Sealer(settings.secret_key, settings.data_dir / connections.KEY_FILE)
    # Making a connection is logged, so its account has a log.
    rows = [row for account_id in chain.accounts(db) for row in connections.of_account(db, account_id)]
    wrong = []
    for row in rows:
        try:
            connections.unseal(sealer, row)
        except SealingError as problem:
            wrong.append(f"connection {row.id} of account {row.account_id}, {row.name}: {problem}")
    if wrong:
        return Finding("connections", False, "some credentials can't be decrypted", tuple(wrong))
    return Finding("connections", True, f"{counted(len(rows), 'connection')}, all credentials can be decrypted")


def _jobs(db: Reader, now: datetime, *, mails: bool) -> Finding:
    """Where no SMTP server is set up, that no reply and no invitation could be mailed is as it was wanted."""
    tally = [row for row in jobs.tally(db) if mails or row.kind not in (SEND_EMAIL, MAIL_LINK) or row.state != "failed"]
    gave_up = tuple(f"{row.n:,} {row.kind}" for row in tally if row.state == "failed")
    if gave_up:
        return Finding("jobs", False, 'some gave up; "deskhand jobs" says why and runs them again', gave_up)
    late_s = max((now.timestamp() - row.first_due_at / 1000 for row in tally), default=0)
    if late_s > LATE_S:
        return Finding("jobs", False, f"one has waited for {late_s:,.0f} seconds: does a worker run?")
    return Finding("jobs", True, f"{counted(sum(row.n for row in tally), 'job')} waiting, none gave up")


async def _mail(settings: Settings) -> Finding:
    """Whether each SMTP server can be reached and signed in to; nothing is sent."""
    servers = list(dict.fromkeys(filter(None, (settings.smtp_url, *settings.smtp_by_inbox.values()))))
    if not servers:
        return Finding("mail", True, "no SMTP server is set up, so replies are not mailed: see DESKHAND_SMTP_URL")
    wrong = []
    for server in servers:
        try:
            async with signed_in(server, settings.base_url):
                pass
        except Undelivered as problem:
            wrong.append(problem.reason)
    if wrong:
        return Finding(
            "mail", False, f"{len(wrong)} of {counted(len(servers), 'SMTP server')} can't be used", tuple(wrong)
        )
    listed = ", ".join(
        f"{one.host} port {one.port}{'' if one.tls == 'none' else ', encrypted'}{', signed in' if one.user else ''}"
        for one in servers
    )
    return Finding("mail", True, listed)


def _mail_addresses(db: Reader, by_inbox: Mapping[str, SmtpServer]) -> Finding:
    inboxes = {email.casefold() for email in db.all(_INBOXES)}
    unknown = tuple(f"no inbox has the address {one}" for one in by_inbox if one.casefold() not in inboxes)
    words = f"{counted(len(by_inbox), 'inbox has', 'inboxes have')} an SMTP server of their own"
    return Finding("mail by inbox", not unknown, words if not unknown else "some servers are nobody's", unknown)


def _show(console: Console, finding: Finding) -> None:
    mark, style = ("ok", "green") if finding.ok else ("WRONG", "bold red")
    console.print(Text(f"{mark:<6}", style), Text(f"{finding.name}: {finding.text}"))
    for words in finding.differences[:SHOWN_MOST]:
        console.print(Text(f"         {words}"))
    if len(finding.differences) > SHOWN_MOST:
        console.print(Text(f"         and {len(finding.differences) - SHOWN_MOST:,} more (--json lists all)"))
