"""The servers of an inbox's mail as people name them, field by field, and as URLs, in which they are kept."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

import msgspec

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.desk.inboxes import mail_settings, queries
from deskhand.desk.inboxes.mail_settings import Kind, MailChange, MailSettings
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.lib.clock import SystemClock, from_wire
from deskhand.lib.sealing import Sealer, SealingError
from deskhand.mail import imap_positions
from deskhand.mail.imap_positions import Position
from deskhand.settings import ImapServer, SmtpServer, Tls

_SCHEMES: dict[Kind, dict[Tls, str]] = {
    "smtp": {"none": "smtp", "starttls": "smtp+starttls", "implicit": "smtps"},
    "imap": {"none": "imap", "starttls": "imap+starttls", "implicit": "imaps"},
}
PORTS: dict[Kind, dict[Tls, int]] = {
    "smtp": {"none": 25, "starttls": 587, "implicit": 465},
    "imap": {"none": 143, "starttls": 143, "implicit": 993},
}
"""Where servers usually listen."""


class Channel(msgspec.Struct, frozen=True):
    """How an inbox's mail stands: its settings, and its own servers with their passwords, for nobody's eyes.

    `lost` says why passwords can't be read any more. `position` tells how far its mailbox has been read.
    """

    inbox: InboxRow
    settings: MailSettings
    smtp: SmtpServer | None
    imap: ImapServer | None
    position: Position | None
    lost: str = ""


def channel(db: Reader, account_id: int, inbox_id: int, sealer: Sealer) -> Channel:
    """How an inbox's mail comes and goes; raises NotFound."""
    inbox = queries.by_id(db, account_id, inbox_id)
    if inbox is None:
        raise NotFound
    settings = mail_settings.read(db, account_id, inbox_id)
    position = imap_positions.one(db, account_id, inbox_id, settings.imap_folder)
    try:
        smtp = mail_settings.smtp_of(sealer, account_id, inbox_id, settings.smtp)
        imap = mail_settings.imap_of(sealer, account_id, inbox_id, settings.imap)
    except (SealingError, ValueError) as problem:
        return Channel(inbox, settings, None, None, position, str(problem))
    return Channel(inbox, settings, smtp, imap, position)


def change(
    tx: Writer, account_id: int, inbox_id: int, wanted: MailChange, sealer: Sealer, now: str,
    begin: Literal["now", "all", ""] = "",
) -> MailSettings:  # fmt: skip
    """Change how an inbox's mail comes and goes; a mailbox is read from now on, or all that lies there.

    With `begin` what was read before is forgotten. Raises as `mail_settings.change` does.
    """
    after = mail_settings.change(tx, account_id, inbox_id, wanted, sealer, now)
    if begin:
        imap_positions.forget(tx, account_id, inbox_id)
    if after.imap:  # where reading has begun already, it goes on
        # Mail servers don't go by the desk's clock, which a sandbox moves.
        since = None if begin == "all" else SystemClock().now()
        imap_positions.begin(tx, account_id, inbox_id, after.imap_folder, since, from_wire(now))
    return after


def url_of(kind: Kind, server: SmtpServer | ImapServer) -> str:
    """The URL of a server, with user and password."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    user = f"{quote(server.user, safe='')}:{quote(server.password, safe='')}@" if server.user else ""
    verify = "" if server.verify else "?verify=no"
    return f"{_SCHEMES[kind][server.tls]}://{user}{host}:{server.port}/{verify}"
