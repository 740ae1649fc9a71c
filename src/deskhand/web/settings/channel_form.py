"""The form of an inbox's mail: its fields out of what is kept or was sent, and into a change."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import UNSET

from deskhand.catalogue.problems import BadRequest
from deskhand.desk.inboxes.mail_servers import PORTS, Channel, url_of
from deskhand.desk.inboxes.mail_settings import Kind, MailChange
from deskhand.settings import ImapServer, SmtpServer, Tls
from deskhand.web.forms import Form
from deskhand.web.settings.forms import Wrong
from deskhand.web.settings.plain_html import as_html, as_text

_TLS: tuple[Tls, ...] = ("implicit", "starttls", "none")


class ServerFields(msgspec.Struct, frozen=True):
    """A server as the form has it; `kept`: there is a password, which stays as long as none is typed."""

    own: bool = False
    host: str = ""
    port: str = ""
    tls: Tls = "implicit"
    user: str = ""
    password: str = ""
    kept: bool = False
    verify: bool = True


class Text(msgspec.Struct, frozen=True):
    """A text as it is edited: as plain text, or as HTML where it is more than that."""

    text: str = ""
    is_html: bool = False

    @property
    def html(self) -> str:
        """As it is kept."""
        return self.text if self.is_html else as_html(self.text)


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """All fields of the form."""

    smtp: ServerFields
    imap: ServerFields
    folder: str = "INBOX"
    begin: Literal["now", "all", ""] = ""
    signature: Text = Text()
    answer: bool = False
    answer_subject: str = ""
    answer_text: Text = Text()
    ratings: bool = False
    reply_token: bool = False
    subject_token: bool = False
    undo_s: str = "10"


def kept(channel: Channel) -> Typed:
    """The form of what is kept."""
    settings = channel.settings
    return Typed(
        smtp=_fields("smtp", channel.smtp, lost=bool(settings.smtp and not channel.smtp)),
        imap=_fields("imap", channel.imap, lost=bool(settings.imap and not channel.imap)),
        folder=settings.imap_folder,
        begin="" if channel.position else "now",
        signature=Text(*as_text(settings.signature)),
        answer=settings.answer,
        answer_subject=settings.answer_subject,
        answer_text=Text(*as_text(settings.answer_text)),
        ratings=settings.ratings,
        reply_token=settings.reply_token,
        subject_token=settings.subject_token,
        undo_s=str(settings.undo_s),
    )


def _fields(kind: Kind, server: SmtpServer | ImapServer | None, *, lost: bool) -> ServerFields:
    if server is None:
        return ServerFields(own=lost, port=str(PORTS[kind]["implicit"]))
    password = bool(server.password)
    return ServerFields(True, server.host, str(server.port), server.tls, server.user, "", password, server.verify)


def sent(form: Form, channel: Channel) -> Typed:
    """The form as it was sent."""
    begin = form.text("begin")
    return Typed(
        smtp=_sent_server(form, "smtp", channel.smtp),
        imap=_sent_server(form, "imap", channel.imap),
        folder=form.text("imap_folder"),
        begin="all" if begin == "all" else "now" if begin == "now" else "",
        signature=_sent_text(form, "signature"),
        answer=form.has("answer"),
        answer_subject=form.text("answer_subject"),
        answer_text=_sent_text(form, "answer_text"),
        ratings=form.has("ratings"),
        reply_token=form.has("reply_token"),
        subject_token=form.has("subject_token"),
        undo_s=form.text("undo_s"),
    )


def _sent_text(form: Form, name: str) -> Text:
    return Text(form.raw(name).strip("\n"), form.has(f"{name}_html"))


def _sent_server(form: Form, kind: Kind, before: SmtpServer | ImapServer | None) -> ServerFields:
    tls: Tls = next((one for one in _TLS if one == form.text(f"{kind}_tls")), "implicit")
    host = form.text(f"{kind}_host").removeprefix("[").removesuffix("]")
    return ServerFields(
        own=form.text(f"{kind}_own") == "own",
        host=host,
        port=form.text(f"{kind}_port") or str(PORTS[kind][tls]),
        tls=tls,
        user=form.text(f"{kind}_user"),
        password=form.raw(f"{kind}_password").strip("\n"),
        kept=bool(before and before.password),
        verify=before.verify if before and before.host == host else True,
    )


# -- Into a change


@dataclass(slots=True)
class _Reading:
    """Reads servers out of the form and gathers what is wrong with them."""

    channel: Channel
    wrong: Wrong

    def smtp(self, typed: ServerFields) -> SmtpServer | None:
        """The server by which mail leaves; None: that of the installation."""
        found = self._server("smtp", typed, self.channel.smtp)
        return None if found is None else SmtpServer(*found)

    def imap(self, typed: ServerFields) -> ImapServer | None:
        """The mailbox that is read; None: none."""
        found = self._server("imap", typed, self.channel.imap)
        return None if found is None else ImapServer(*found)

    def _server(
        self, kind: Kind, typed: ServerFields, before: SmtpServer | ImapServer | None
    ) -> tuple[str, int, Tls, str, str, bool] | None:
        if not typed.own:
            return None
        port = int(typed.port) if typed.port.isascii() and typed.port.isdigit() and len(typed.port) < 6 else 0
        password = typed.password
        if not typed.host or any(one.isspace() or one in "/@?#\\" for one in typed.host):
            self.wrong[f"{kind}_host"] = "Write the host’s name, as in mail.example.com."
        if not 0 < port < 65536:
            self.wrong[f"{kind}_port"] = "The port is a number from 1 to 65535."
        if kind == "imap" and not typed.user:
            self.wrong["imap_user"] = "Write the name by which the mailbox’s owner signs in."
        elif password and not typed.user:
            self.wrong[f"{kind}_user"] = "Write the user whose password this is."
        if typed.user and not password:
            if before is not None and (before.host, before.user) == (typed.host, typed.user):
                password = before.password
            elif before is not None and before.password:
                self.wrong[f"{kind}_password"] = "Type the password again: the server or its user is another one."
            else:
                self.wrong[f"{kind}_password"] = "Type the password."
        if typed.user and typed.tls == "none" and not _is_here(typed.host):
            self.wrong[f"{kind}_tls"] = "Choose an encryption: the password would be sent for everybody to read."
        return typed.host, port, typed.tls, typed.user, password, typed.verify or not _is_here(typed.host)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def change(typed: Typed, channel: Channel) -> tuple[MailChange, Wrong]:
    """What is to be different, and what is wrong with the form."""
    wrong: Wrong = {}
    reading = _Reading(channel, wrong)
    smtp, imap = reading.smtp(typed.smtp), reading.imap(typed.imap)
    undo_s = int(typed.undo_s) if typed.undo_s.isascii() and typed.undo_s.isdigit() and len(typed.undo_s) < 4 else -1
    if not 0 <= undo_s <= 60:
        wrong["undo_s"] = "Choose from 0 to 60 seconds."
    if typed.imap.own and not typed.folder:
        wrong["imap_folder"] = "Write the folder’s name, mostly INBOX."
    wanted = MailChange(
        smtp=None if smtp is None or wrong else url_of("smtp", smtp),
        imap=None if imap is None or wrong else url_of("imap", imap),
        imap_folder=typed.folder or UNSET,
        signature=typed.signature.html,
        reply_token=typed.reply_token,
        subject_token=typed.subject_token,
        ratings=typed.ratings,
        answer=typed.answer,
        answer_subject=typed.answer_subject,
        answer_text=typed.answer_text.html,
        undo_s=undo_s,
    )
    return wanted, wrong


_NAMES = {
    "smtp": "smtp_host", "imap": "imap_host", "imap_folder": "imap_folder", "signature": "signature",
    "answer_subject": "answer_subject", "answer_text": "answer_text", "undo_s": "undo_s",
}  # fmt: skip
_WORDS = {"answer_text": {"NotEmpty": "Write what the automatic answer says."}}


def refused(problem: BadRequest) -> Wrong:
    """What the desk found wrong, at the form's fields."""
    found: Wrong = {}
    for error in problem.errors:
        words = _WORDS.get(error.path, {}).get(error.anchor, f"{error.message[:1].upper()}{error.message[1:]}.")
        found.setdefault(_NAMES.get(error.path, error.path), words)
    return found
