"""`deskhand mail`: how an inbox's mail comes and goes, whether that works, and what came."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

import msgspec
import typer
from msgspec import UNSET, UnsetType

from deskhand.catalogue.problems import NotFound, PreconditionFailed
from deskhand.cli import accounts
from deskhand.cli.administering import refusing, show
from deskhand.cli.clocks import clock_for
from deskhand.cli.databases import opened, require_current
from deskhand.cli.refused import Refused
from deskhand.db.engine import Database, Writer
from deskhand.desk.conversations.mail import received_listing, receiving, resending
from deskhand.desk.conversations.mail.received_listing import Listed
from deskhand.desk.conversations.mail.resending import Undelivered as Gone
from deskhand.desk.inboxes import mail_servers, mail_settings, queries, telling
from deskhand.desk.inboxes.mail_settings import MailChange, MailSettings
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.gateway.administering import desk_changes
from deskhand.gateway.administering.who import command_line
from deskhand.gateway.audit import KEY_FILE as AUDIT_KEY_FILE
from deskhand.gateway.audit import Audit
from deskhand.lib.clock import to_wire
from deskhand.lib.sealing import KEY_FILE, Sealer, SealingError
from deskhand.lib.signing_keys import SigningKey
from deskhand.mail import imap_in, imap_positions
from deskhand.mail.headers import one_line
from deskhand.mail.post import Undelivered
from deskhand.mail.smtp_out import test_smtp
from deskhand.settings import ImapServer, Settings, SmtpServer

NONE, STDIN = "none", "-"
PASSWORDS = {"imap": "DESKHAND_IMAP_PASSWORD", "smtp": "DESKHAND_SMTP_PASSWORD"}
_SUBJECT_MOST = 60


@dataclass(frozen=True, slots=True)
class Desk:
    """An account, as commands about its mail see it."""

    settings: Settings
    database: Database
    account_id: int

    @property
    def sealer(self) -> Sealer:
        """What opens the passwords of mail servers."""
        return Sealer(self.settings.secret_key, self.settings.data_dir / KEY_FILE)

    def inbox(self, id: int) -> InboxRow:
        """One of its inboxes; raises Refused."""
        found = self.database.read_now(lambda db: queries.by_id(db, self.account_id, id))
        if found is None:
            raise Refused(f"there is no inbox {id}")
        return found

    def mail_settings(self, inbox_id: int) -> MailSettings:
        """How an inbox's mail comes and goes."""
        return self.database.read_now(lambda db: mail_settings.read(db, self.account_id, inbox_id))

    def imap(self, inbox_id: int) -> ImapServer | None:
        """The mailbox that an inbox is fetched from; raises Refused."""
        sealed = self.mail_settings(inbox_id).imap
        with unsealing():
            return mail_settings.imap_of(self.sealer, self.account_id, inbox_id, sealed)


@contextmanager
def desk_of(settings: Settings, account: int | None) -> Iterator[Desk]:
    """The account that was named, or the only one there is; raises Refused for whatever is refused."""
    with opened(settings) as database:
        require_current(database)
        account_id = database.read_now(lambda db: accounts.meant(db, account))
        with refusing():
            yield Desk(settings, database, account_id)


@contextmanager
def unsealing() -> Iterator[None]:
    """Let a key that is missing or wrong be one line of words."""
    try:
        yield
    except (SealingError, ValueError) as problem:
        raise Refused(problem) from problem


def change(
    settings: Settings, account: int | None, inbox_id: int, *, imap: str | None, folder: str | None, smtp: str | None,
    begin: str | None, json: bool,
) -> None:  # fmt: skip
    """Change by which servers an inbox's mail comes and goes; passwords that are missing are asked for."""
    with desk_of(settings, account) as desk:
        inbox = desk.inbox(inbox_id)
        wanted = MailChange(
            imap=_url("imap", imap), smtp=_url("smtp", smtp), imap_folder=UNSET if folder is None else folder
        )
        clock = clock_for(settings)
        now = clock.now()
        begun: Literal["now", "all", ""] = "" if begin is None else "all" if begin == "all" else "now"

        audit = Audit(desk.database, clock, SigningKey(settings.data_dir / AUDIT_KEY_FILE))

        def write(tx: Writer) -> MailSettings:
            before = mail_servers.channel(tx, desk.account_id, inbox_id, desk.sealer)
            made = mail_servers.change(tx, desk.account_id, inbox_id, wanted, desk.sealer, to_wire(now), begun)
            told = telling.changed(before, mail_servers.channel(tx, desk.account_id, inbox_id, desk.sealer))
            if told is not None:
                desk_changes.log(audit, tx, command_line(desk.account_id), told)
            return made

        with unsealing():
            after = desk.database.write_now(write)
        server = desk.imap(inbox_id)
        position = desk.database.read_now(
            lambda db: imap_positions.one(db, desk.account_id, inbox_id, after.imap_folder)
        )
    told = {
        "inbox": inbox_id,
        "imap": _shown(server),
        "imap_folder": after.imap_folder if server else None,
        "from": None if position is None or server is None else position.since or "all",
        "smtp": bool(after.smtp),
    }
    show(told, lambda: _changed(inbox, server, after, told["from"]), json=json)


def test(settings: Settings, account: int | None, inbox_id: int, *, json: bool) -> None:
    """Connect to an inbox's servers; ends with status 1 when one can't be used."""
    with desk_of(settings, account) as desk:
        inbox = desk.inbox(inbox_id)
        found = {"imap": _test_imap(desk, inbox_id), "smtp": _test_smtp(desk, inbox)}
    ok = all(worked for worked, _ in found.values())
    told = {"ok": ok} | {name: {"ok": worked, "text": words} for name, (worked, words) in found.items()}
    lines = [f"{'ok' if worked else 'WRONG':<6}{name}: {words}" for name, (worked, words) in found.items()]
    show(told, lambda: "\n".join(lines), json=json)
    if not ok:
        raise Refused(f"not in order: {', '.join(name for name, (worked, _) in found.items() if not worked)}")


def again(settings: Settings, account: int | None, inbox_id: int, *, json: bool) -> None:
    """Have an inbox's mailbox read anew."""
    with desk_of(settings, account) as desk:
        desk.inbox(inbox_id)
        if not desk.database.write_now(lambda tx: imap_positions.look_again(tx, desk.account_id, inbox_id)):
            raise Refused(f"no mailbox of inbox {inbox_id} has been read yet")
    show({"again": inbox_id}, lambda: f"The mailbox of inbox {inbox_id} will be read anew.", json=json)


def failed(settings: Settings, account: int | None, *, most: int, json: bool) -> None:
    """Show the messages that could not be read, and the mails that did not arrive."""
    with desk_of(settings, account) as desk:
        found = desk.database.read_now(lambda db: received_listing.failed(db, desk.account_id, most), "slow")
        gone = desk.database.read_now(lambda db: resending.undelivered(db, desk.account_id, most), "slow")
    end = ['"deskhand mail retry ID" has one read again.'] if found else []
    sent = [*map(_sent_line, gone), '"deskhand mail resend THREAD" sends one again.'] if gone else []
    lines = [*map(_line, found), *end, *sent] or ["No message failed."]
    show({"messages": found, "undelivered": gone}, lambda: "\n".join(lines), json=json)


def resend(settings: Settings, account: int | None, thread_id: int, *, json: bool) -> None:
    """Have a mail sent again by the worker that did not arrive."""
    now = to_wire(clock_for(settings).now())
    with desk_of(settings, account) as desk:
        try:
            desk.database.write_now(lambda tx: resending.resend_of(tx, desk.account_id, thread_id, now))
        except NotFound:
            raise Refused(f"thread {thread_id} has no mail that left or was to leave") from None
        except PreconditionFailed as problem:
            raise Refused("; ".join(error.message for error in problem.errors)) from None
    show({"resend": thread_id}, lambda: f"The mail of thread {thread_id} will be sent again.", json=json)


def retry(settings: Settings, account: int | None, id: int, *, json: bool) -> None:
    """Have a message read again by the worker."""
    now = to_wire(clock_for(settings).now())
    with desk_of(settings, account) as desk:
        if not desk.database.write_now(lambda tx: receiving.retry(tx, desk.account_id, id, now)):
            raise Refused(f"there is no message {id} that failed")
    show({"again": id}, lambda: f"Message {id} will be read again.", json=json)


def log(settings: Settings, account: int | None, inbox_id: int | None, *, most: int, json: bool) -> None:
    """Show what came, the newest first."""
    with desk_of(settings, account) as desk:
        if inbox_id is not None:
            desk.inbox(inbox_id)
        found = desk.database.read_now(
            lambda db: received_listing.newest(db, desk.account_id, inbox_id, most), "slow"
        )  # fmt: skip
    show({"messages": found}, lambda: "\n".join(map(_line, found)) or "No mail came yet.", json=json)


# -- Servers and passwords


def _url(kind: str, given: str | None) -> str | UnsetType | None:
    """A URL with its password, wherever that comes from; raises BadParameter."""
    if given is None:
        return UNSET
    if given == NONE:
        return None
    if given == STDIN:
        return sys.stdin.readline().strip()
    try:
        parts = urlsplit(given)
        if not parts.username or parts.password is not None:
            return given
    except ValueError:
        return given  # which is refused, in words
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(_password(kind, user), safe='')}@{host}").geturl()


def _password(kind: str, user: str) -> str:
    variable = PASSWORDS[kind]
    if password := os.environ.get(variable, ""):
        return password
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            f"nobody is there to be asked: put the password into {variable}", param_hint=f"--{kind}"
        )
    asked: str = typer.prompt(f"The password of {user} ({kind.upper()})", err=True, hide_input=True)
    return asked


def _test_imap(desk: Desk, inbox_id: int) -> tuple[bool, str]:
    folder = desk.mail_settings(inbox_id).imap_folder
    try:
        server = desk.imap(inbox_id)
        if server is None:
            return True, 'no mailbox is read: "deskhand mail set --imap" names one'
        with imap_in.opened(server, folder) as found:
            words = f"the IMAP server {server.host} port {server.port} answers, {found.encryption}"
            signed_in = f"signed in as {server.user}"
            return True, f"{words}, {signed_in}, the folder {folder} has {found.on_server:,} messages"
    except (imap_in.ImapFailed, Refused) as problem:
        return False, str(problem)


def _test_smtp(desk: Desk, inbox: InboxRow) -> tuple[bool, str]:
    try:
        server = _smtp(desk, inbox)
        if server is None:
            return True, 'replies are not mailed: "deskhand mail set --smtp" or DESKHAND_SMTP_URL names a server'
        return True, asyncio.run(test_smtp(server, desk.settings.base_url, inbox.email))
    except Undelivered as problem:
        return False, problem.reason
    except Refused as problem:
        return False, str(problem)


def _smtp(desk: Desk, inbox: InboxRow) -> SmtpServer | None:
    """The server by which an inbox's replies leave."""
    with unsealing():
        own = mail_settings.smtp_of(desk.sealer, desk.account_id, inbox.id, desk.mail_settings(inbox.id).smtp)
    return own or desk.settings.smtp_by_inbox.get(inbox.email.casefold(), desk.settings.smtp_url)


# -- Words


def _shown(server: ImapServer | None) -> dict[str, str | int] | None:
    """A server without its password."""
    if server is None:
        return None
    return {"host": server.host, "port": server.port, "tls": server.tls, "user": server.user}


def _changed(inbox: InboxRow, server: ImapServer | None, after: MailSettings, begin: object) -> str:
    lines = [f"Inbox {inbox.id}, {inbox.name} <{inbox.email}>:"]
    if server is None:
        lines.append("  no mailbox is read")
    else:
        what = "all that lies there" if begin == "all" else f"what has come since {begin}"
        lines.append(f"  {server.user} at {server.host} is read, folder {after.imap_folder}: {what}")
    lines.append(f"  its replies leave by {'a server of its own' if after.smtp else 'the server of the settings'}")
    return "\n".join([*lines, f'"deskhand mail test --inbox {inbox.id}" tries it.'])


def _line(one: Listed) -> str:
    where = f" in conversation {one.conversation_id}" if one.conversation_id else ""
    why = f": {one_line(one.reason)}" if one.reason else ""
    sender = f" from {one_line(one.sender)}" if one.sender else ""
    recipients = ", ".join(map(one_line, msgspec.json.decode(one.recipients, type=list[str])))
    to = f" to {recipients}" if recipients else f" to inbox {one.inbox_id}"
    head = f"{one.id:>8}  {one.received_at} by {one.way}{sender}{to}, {one.size:,} bytes"
    return f"{head}\n{'':10}{one.state}{where}{why}{_named(one)}"


def _sent_line(one: Gone) -> str:
    lists = (one.recipients, one.cc, one.bcc)
    to = ", ".join(one_line(to) for listed in lists for to in msgspec.json.decode(listed, type=list[str]))
    what = "automatic answer" if one.automatic else "reply"
    head = f"{one.thread_id:>8}  {one.at} {what} in conversation {one.conversation_id} to {to}"
    how = "still tried" if one.state == "waiting" else "not to all" if one.state == "sent" else one.state
    return f"{head}\n{'':10}{how}: {one_line(one.error)}"


def _named(one: Listed) -> str:
    return f" {one_line(one.message_id)[:_SUBJECT_MOST]}" if one.message_id else ""
