"""How an inbox's mail comes and goes: servers, signature, ratings and automatic answer. Passwords are never shown."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from deskhand.admin.call import Asked, Calls, Given
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.desk.inboxes import mail_settings, queries
from deskhand.desk.inboxes.mail_settings import MailChange, MailSettings
from deskhand.gateway.connections import NoKey
from deskhand.lib.clock import to_wire
from deskhand.lib.sealing import Sealer, SealingError
from deskhand.settings import ImapServer, SmtpServer

CALLS = Calls("mail")
PATH = "/inboxes/{id}/mail-settings"


class NewMailSettings(Given, kw_only=True):
    """What is to be different; what is left out stays as it is, and a server that is null is taken away."""

    smtp: str | UnsetType | None = UNSET
    imap: str | UnsetType | None = UNSET
    imap_folder: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    reply_token: bool | UnsetType = UNSET
    subject_token: bool | UnsetType = UNSET
    ratings: bool | UnsetType = UNSET
    answer: bool | UnsetType = UNSET
    answer_subject: str | UnsetType = UNSET
    answer_text: str | UnsetType = UNSET
    undo_s: int | UnsetType = UNSET


class ShownServer(msgspec.Struct, frozen=True):
    """A server without its password; `problem` says why it can't be used, when the key is not there any more."""

    host: str = ""
    port: int = 0
    encryption: str = ""
    user: str = ""
    problem: str | None = None


class ShownMailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox's mail settings; without servers of its own its mail goes as the settings say, and none is fetched."""

    smtp: ShownServer | None
    imap: ShownServer | None
    imap_folder: str
    signature: str
    reply_token: bool
    subject_token: bool
    ratings: bool
    answer: bool
    answer_subject: str
    answer_text: str
    undo_s: int
    changed_at: str | None


@CALLS.add("GET", PATH, answers=ShownMailSettings)
async def get_mail_settings(asked: Asked[NoQuery, NoBody]) -> ShownMailSettings:
    """Show how an inbox's mail comes and goes."""

    def read(db: Reader) -> MailSettings:
        if queries.by_id(db, asked.account_id, asked.id) is None:
            raise NotFound
        return mail_settings.read(db, asked.account_id, asked.id)

    found = await asked.parts.database.read(read)
    return shown(asked.parts.sealer, asked.account_id, asked.id, found)


@CALLS.add(
    "PUT", PATH, body=NewMailSettings, answers=ShownMailSettings, errors=((503, "the key for secrets is missing"),)
)
async def set_mail_settings(asked: Asked[NoQuery, NewMailSettings]) -> ShownMailSettings:
    """Change how an inbox's mail comes and goes; what is left out stays as it is."""
    wanted = MailChange(**msgspec.structs.asdict(asked.body))
    sealer, now = asked.parts.sealer, to_wire(asked.parts.clock.now())
    try:
        after = await asked.parts.database.write(
            lambda tx: mail_settings.change(tx, asked.account_id, asked.id, wanted, sealer, now)
        )
    except SealingError as problem:
        raise NoKey(str(problem)) from problem
    return shown(sealer, asked.account_id, asked.id, after)


def shown(sealer: Sealer, account_id: int, inbox_id: int, settings: MailSettings) -> ShownMailSettings:
    """Mail settings as people may see them."""
    try:
        smtp = _server(mail_settings.smtp_of(sealer, account_id, inbox_id, settings.smtp))
        imap = _server(mail_settings.imap_of(sealer, account_id, inbox_id, settings.imap))
    except SealingError as problem:
        lost = ShownServer(problem=str(problem))
        smtp, imap = (lost if sealed else None for sealed in (settings.smtp, settings.imap))
    return ShownMailSettings(**msgspec.structs.asdict(settings) | {"smtp": smtp, "imap": imap})


def _server(server: SmtpServer | ImapServer | None) -> ShownServer | None:
    return None if server is None else ShownServer(server.host, server.port, server.tls, server.user)
