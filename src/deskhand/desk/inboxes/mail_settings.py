"""How an inbox's mail comes and goes: its own servers, its signature, and what it does by itself.

The URLs of servers hold passwords. They are kept sealed, bound to the inbox and to what they are for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, empty
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk.inboxes.tables import inbox, inbox_mail
from deskhand.lib.sealing import Sealer, SealingError
from deskhand.lib.text import plain
from deskhand.mail import imap_positions
from deskhand.mail.headers import one_line
from deskhand.mail.safe_html import safe
from deskhand.settings import ImapServer, SmtpServer, imap_server, smtp_server

TEXT_MOST = 50_000
"""Characters of a signature, and of an automatic answer."""
LINE_MOST = 200
URL_MOST = 2_000
UNDO_MOST_S = 60

Kind = Literal["smtp", "imap"]


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox's mail settings; `smtp` and `imap` are sealed URLs, see `smtp_of` and `imap_of`; empty: none.

    The defaults are those of an inbox for which nobody decided anything. An empty `answer_subject` means the subject of
    what is answered.
    """

    smtp: str = ""
    imap: str = ""
    imap_folder: str = "INBOX"
    signature: str = ""
    reply_token: bool = False
    subject_token: bool = False
    ratings: bool = False
    answer: bool = False
    answer_subject: str = ""
    answer_text: str = ""
    undo_s: int = 10
    changed_at: str | None = None


class MailChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different; what is unset stays. `smtp` and `imap` are URLs with user and password; None: none."""

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


class Fetched(msgspec.Struct, frozen=True):
    """An inbox that is fetched from a mailbox; `imap` is the sealed URL."""

    account_id: int
    inbox_id: int
    email: str
    imap: str
    imap_folder: str


class _Row(msgspec.Struct, frozen=True):
    account_id: int
    inbox_id: int
    smtp: str
    imap: str
    imap_folder: str
    signature: str
    reply_token: int
    subject_token: int
    ratings: int
    answer: int
    answer_subject: str
    answer_text: str
    undo_s: int
    changed_at: str


_ONE = (inbox_mail.c.account_id == P("account_id"), inbox_mail.c.inbox_id == P("inbox_id"))
_READ = rows(_Row, sa.select(*columns(inbox_mail, *_Row.__struct_fields__)).where(*_ONE))
_ADD = Insert(inbox_mail, _Row)
_CLEAR = command(sa.delete(inbox_mail).where(*_ONE))
_HOLD = value(
    int,
    sa.select(inbox.c.id).where(inbox.c.account_id == P("account_id"), inbox.c.id == P("inbox_id")).with_for_update(),
)
_OF_ACCOUNT = sa.select(inbox_mail.c.inbox_id).where(inbox_mail.c.account_id == P("account_id"))
_ASKING, _ANSWERING = (
    value(int, _OF_ACCOUNT.where(flag == sa.literal_column("1")).order_by(inbox_mail.c.inbox_id))
    for flag in (inbox_mail.c.ratings, inbox_mail.c.answer)
)
# Of all accounts: the server fetches for everybody.
_FETCHED = rows(
    Fetched,
    sa.select(
        inbox_mail.c.account_id, inbox_mail.c.inbox_id, inbox.c.email, inbox_mail.c.imap, inbox_mail.c.imap_folder
    )
    .join(inbox, sa.and_(inbox.c.id == inbox_mail.c.inbox_id, inbox.c.account_id == inbox_mail.c.account_id))
    .where(inbox_mail.c.imap != sa.literal_column("''"))
    .order_by(inbox_mail.c.inbox_id),
)


def read(db: Reader, account_id: int, inbox_id: int) -> MailSettings:
    """An inbox's mail settings; the defaults where nobody decided anything."""
    found = db.one(_READ, account_id=account_id, inbox_id=inbox_id)
    return MailSettings() if found is None else _settings(found)


def asking(db: Reader, account_id: int) -> set[int]:
    """The inboxes of an account whose replies ask how they were."""
    return set(db.all(_ASKING, account_id=account_id))


def answering(db: Reader, account_id: int) -> set[int]:
    """The inboxes of an account that answer new conversations automatically."""
    return set(db.all(_ANSWERING, account_id=account_id))


def fetched(db: Reader) -> list[Fetched]:
    """The inboxes of all accounts that are fetched from a mailbox."""
    return db.all(_FETCHED)


def change(
    tx: Writer, account_id: int, inbox_id: int, wanted: MailChange, sealer: Sealer, now: str
) -> MailSettings:  # fmt: skip
    """Change an inbox's mail settings; gives all of them.

    Raises NotFound where the account has no such inbox, BadRequest naming each field at fault, and SealingError.
    """
    if tx.one(_HOLD, account_id=account_id, inbox_id=inbox_id) is None:
        raise NotFound
    faults: list[FieldError] = []
    given = {
        name: _CHECKS[name](name, asked, faults)
        for name, asked in msgspec.structs.asdict(wanted).items()
        if asked is not UNSET
    }
    before = read(tx, account_id, inbox_id)
    after = msgspec.structs.replace(before, **given)
    if after.answer and not plain(after.answer_text) and not faults:
        faults.append(empty("answer_text"))
    if faults:
        raise BadRequest(*faults)
    kinds: tuple[Kind, Kind] = ("smtp", "imap")
    sealed = {kind: sealer.seal(given[kind], _context(account_id, inbox_id, kind)) for kind in kinds if given.get(kind)}
    if after.imap and _is_another(sealer, account_id, inbox_id, before, given):
        imap_positions.forget(tx, account_id, inbox_id)
    after = msgspec.structs.replace(after, **sealed, changed_at=now)
    tx.run(_CLEAR, account_id=account_id, inbox_id=inbox_id)
    tx.add_many(_ADD, (_row(account_id, inbox_id, after),))
    return after


def smtp_of(sealer: Sealer, account_id: int, inbox_id: int, sealed: str) -> SmtpServer | None:
    """The inbox's own server; None where it has none. Raises SealingError."""
    return smtp_server(_url(sealer, account_id, inbox_id, "smtp", sealed)) if sealed else None


def imap_of(sealer: Sealer, account_id: int, inbox_id: int, sealed: str) -> ImapServer | None:
    """The mailbox that the inbox is fetched from; None where there is none. Raises SealingError."""
    return imap_server(_url(sealer, account_id, inbox_id, "imap", sealed)) if sealed else None


def _is_another(sealer: Sealer, account_id: int, inbox_id: int, before: MailSettings, given: Mapping[str, Any]) -> bool:
    """Whether another mailbox is fetched from now on: one of another user or server, not of another password."""
    if not given.get("imap") or not before.imap:
        return False
    try:
        was = imap_of(sealer, account_id, inbox_id, before.imap)
    except SealingError:
        return False  # nothing is lost when it is looked at from where the other one was left
    now = imap_server(given["imap"])
    return was is not None and (was.host, was.user) != (now.host, now.user)


def _url(sealer: Sealer, account_id: int, inbox_id: int, kind: Kind, sealed: str) -> str:
    return sealer.open(sealed, _context(account_id, inbox_id, kind))


def _context(account_id: int, inbox_id: int, kind: Kind) -> str:
    return f"{kind} of inbox {inbox_id} in account {account_id}"


def _settings(row: _Row) -> MailSettings:
    found = {name: getattr(row, name) for name in MailSettings.__struct_fields__}
    return MailSettings(**found | {name: bool(found[name]) for name in _FLAGS})


def _row(account_id: int, inbox_id: int, settings: MailSettings) -> _Row:
    values = msgspec.structs.asdict(settings)
    return _Row(account_id=account_id, inbox_id=inbox_id, **values | {name: int(values[name]) for name in _FLAGS})


# -- What each field may be

_Check = Callable[[str, Any, list[FieldError]], Any]
_FLAGS = ("reply_token", "subject_token", "ratings", "answer")


def _server(check: Callable[[str], object]) -> _Check:
    def checked(name: str, given: str | None, faults: list[FieldError]) -> str:
        """A URL as it was given. What is wrong with it is said without repeating it: it may hold a password."""
        try:
            if given:
                check(given if _is_text(given, URL_MOST) else "")
        except ValueError as problem:
            faults.append(FieldError(name, str(problem), "ValidUrl"))
        return given or ""

    return checked


def _line(name: str, given: str, faults: list[FieldError]) -> str:
    if not _is_text(given, LINE_MOST):
        faults.append(FieldError(name, f"must be a text of at most {LINE_MOST} characters", "Size"))
    return one_line(given)


def _folder(name: str, given: str, faults: list[FieldError]) -> str:
    folder = _line(name, given, faults)
    if not folder:
        faults.append(empty(name))
    return folder


def _html(name: str, given: str, faults: list[FieldError]) -> str:
    if not _is_text(given, TEXT_MOST):
        faults.append(FieldError(name, f"must be a text of at most {TEXT_MOST} characters", "Size"))
        return ""
    return safe(given).strip()


def _seconds(name: str, given: int, faults: list[FieldError]) -> int:
    if not 0 <= given <= UNDO_MOST_S:
        faults.append(FieldError(name, f"must be from 0 to {UNDO_MOST_S}", "Range", given))
    return given


def _flag(_: str, given: bool, __: list[FieldError]) -> bool:
    return given


def _is_text(given: str, most: int) -> bool:
    """Whether it has at most so many characters, and none that can't be stored."""
    return len(given) <= most and "\0" not in given and not any("\ud800" <= one <= "\udfff" for one in given)


_CHECKS: dict[str, _Check] = {
    "smtp": _server(smtp_server),
    "imap": _server(imap_server),
    "imap_folder": _folder,
    "signature": _html,
    "answer_subject": _line,
    "answer_text": _html,
    "undo_s": _seconds,
    **dict.fromkeys(_FLAGS, _flag),
}
