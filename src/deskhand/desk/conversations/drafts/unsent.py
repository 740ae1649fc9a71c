"""New conversations and forwards that somebody is writing: forms with their files, kept while they are filled in.

Nothing of the desk comes of one before it is sent: no conversation, customer or number, nothing that anybody else sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.attachments import NewAttachment
from deskhand.catalogue.problems import AccessDenied, FieldError, PreconditionFailed
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import add_missing, ids_in
from deskhand.db.statements import Insert, P, columns, command, rows
from deskhand.desk.call import Actor
from deskhand.desk.conversations.drafts import room
from deskhand.desk.conversations.erasure import files
from deskhand.desk.conversations.tables import unsent, unsent_file
from deskhand.lib.blobs import Blob
from deskhand.lib.clock import from_wire, to_wire

Kind = Literal["new", "forward"]
FORGOTTEN_DAYS = 180
"""After which a form that nobody has touched is forgotten."""
_LISTED_MOST = 200


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """A form as it stands. `body` is HTML; `fields` has what else was typed, by the names of its fields."""

    key: str
    kind: Kind = "new"
    conversation_id: int | None = None
    recipients: str = ""
    subject: str = ""
    body: str = ""
    fields: dict[str, str] = {}
    form: str = ""
    """The form that it was written in, by its token."""


class Unsent(msgspec.Struct, frozen=True):
    """A form that is kept; `ready` is what it becomes in a moment, see departing.py."""

    id: int
    user_id: int
    key: str
    kind: Kind
    conversation_id: int | None
    recipients: str
    subject: str
    body: str
    fields: str
    form: str
    ready: str | None
    fault: str
    at: str

    @property
    def typed(self) -> dict[str, str]:
        """What its fields have."""
        return msgspec.json.decode(self.fields, type=dict[str, str])


class UnsentLine(msgspec.Struct, frozen=True):
    """A kept form in a list."""

    key: str
    kind: Kind
    conversation_id: int | None
    recipients: str
    subject: str
    fault: str
    at: str


class UnsentFile(msgspec.Struct, frozen=True):
    """A file of a kept form; with a `content_id` it is a picture that the text shows."""

    id: int
    filename: str
    mime_type: str
    size: int
    sha256: str
    content_id: str | None


class _File(msgspec.Struct, frozen=True):
    account_id: int
    unsent_id: int
    conversation_id: int | None
    filename: str
    mime_type: str
    size: int
    sha256: str
    content_id: str | None


_THEIRS = (unsent.c.account_id == P("account_id"), unsent.c.user_id == P("user_id"))
_ONE = (*_THEIRS, unsent.c.key == P("key"))
_FORMS = sa.select(*columns(unsent, *Unsent.__struct_fields__))
_OF, _TAKE = rows(Unsent, _FORMS.where(*_ONE)), rows(Unsent, _FORMS.where(*_ONE).with_for_update())
_LIST = rows(
    UnsentLine,
    sa.select(*columns(unsent, *UnsentLine.__struct_fields__))
    .where(*_THEIRS, unsent.c.ready.is_(None))
    .order_by(unsent.c.at.desc(), unsent.c.id.desc())
    .limit(sa.literal_column(str(_LISTED_MOST))),
)
_ABANDONED = rows(
    Unsent,
    _FORMS.where(*_THEIRS, unsent.c.ready.is_(None), unsent.c.at < P("before")).order_by(unsent.c.id).with_for_update(),
)
_RENAME = command(
    sa.update(unsent)
    .where(unsent.c.account_id == P("for_account"), unsent.c.id == P("id"))
    .values(key=P("to_key"), form=sa.literal_column("''"))
)
_ADD = add_missing(
    unsent, "account_id", "user_id", "key", "kind", "conversation_id",
    "recipients", "subject", "body", "fields", "form", "fault", "at",
)  # fmt: skip
_CHANGE = command(
    sa.update(unsent)
    .where(unsent.c.account_id == P("for_account"), unsent.c.id == P("id"))
    .values({name: P(name) for name in ("recipients", "subject", "body", "fields", "form", "fault", "at")})
)
_DROP = command(sa.delete(unsent).where(unsent.c.account_id == P("account_id"), unsent.c.id == P("id")))
_FILES = rows(
    UnsentFile,
    sa.select(*columns(unsent_file, *UnsentFile.__struct_fields__))
    .where(unsent_file.c.account_id == P("account_id"), unsent_file.c.unsent_id == P("unsent_id"))
    .order_by(unsent_file.c.id),
)
_FILE = rows(
    UnsentFile,
    sa.select(*columns(unsent_file, *UnsentFile.__struct_fields__))
    .join(unsent, unsent.c.id == unsent_file.c.unsent_id)
    .where(*_THEIRS, unsent_file.c.id == P("id")),
)
_ADD_FILE = Insert(unsent_file, _File)
_DROP_FILES = command(
    sa.delete(unsent_file).where(
        unsent_file.c.account_id == P("account_id"), ids_in(unsent_file.c.id, P("ids", sa.Text))
    )
)


def forward_key(conversation_id: int) -> str:
    """The key of the form that forwards a conversation; everybody has one for each."""
    return f"forward-{conversation_id}"


def of(db: Reader, actor: Actor, key: str) -> Unsent | None:
    """A form of the caller's."""
    return db.one(_OF, account_id=actor.account_id, user_id=actor.user_id, key=key)


def listing(db: Reader, actor: Actor) -> list[UnsentLine]:
    """The caller's forms that were not sent, those they wrote last first."""
    return db.all(_LIST, account_id=actor.account_id, user_id=actor.user_id)


def files_of(db: Reader, account_id: int, one: Unsent | None) -> list[UnsentFile]:
    """The files of a form."""
    return db.all(_FILES, account_id=account_id, unsent_id=one.id) if one else []


def one_file(db: Reader, actor: Actor, id: int) -> UnsentFile | None:
    """A file of a form of the caller's."""
    return db.one(_FILE, account_id=actor.account_id, user_id=actor.user_id, id=id)


def written_elsewhere(db: Reader, actor: Actor, typed: Typed, known_form: str) -> Unsent | None:
    """The kept form, if another window has kept another text in it, as own.written_elsewhere says it of replies."""
    known = of(db, actor, typed.key)
    if known is None or not typed.form or known.form in ("", typed.form, known_form):
        return None
    return known if known.body not in ("", typed.body) else None


def keep(tx: Writer, actor: Actor, typed: Typed, now: str, stored: Sequence[tuple[NewAttachment, Blob]] = ()) -> int:
    """Keep a form as it stands, in place of what was kept of it before; gives its id.

    Raises AccessDenied, and PreconditionFailed where it has been sent and can still be taken back, or where the caller
    has as many forms as can be kept, or files.
    """
    if actor.role == "light user":
        raise AccessDenied
    values = {
        "recipients": typed.recipients, "subject": typed.subject, "body": typed.body,
        "fields": msgspec.json.encode(typed.fields).decode(), "form": typed.form, "fault": "", "at": now,
    }  # fmt: skip
    known = _taken(tx, actor, typed.key)
    if known is None:
        _forget_abandoned(tx, actor, now)
        room.require_for_form(tx, actor)
        mine = {"account_id": actor.account_id, "user_id": actor.user_id, "key": typed.key}
        tx.run(_ADD, **mine, kind=typed.kind, conversation_id=typed.conversation_id, **values)
        known = _taken(tx, actor, typed.key)
        assert known is not None
    require_unsent(known)
    tx.run(_CHANGE, for_account=actor.account_id, id=known.id, **values)
    for given, blob in stored:
        _add_file(tx, actor, known, given, blob)
    return known.id


def rename(tx: Writer, actor: Actor, key: str, to_key: str) -> None:
    """Let a form be known by another key, which none has yet; one that is about to leave keeps its own."""
    known = _taken(tx, actor, key)
    if known is not None and known.ready is None:
        tx.run(_RENAME, for_account=actor.account_id, id=known.id, to_key=to_key)


def require_unsent(one: Unsent) -> None:
    """Raises PreconditionFailed where a form is about to leave."""
    if one.ready is not None:
        text = "this has been sent: undo that first"
        raise PreconditionFailed(FieldError("", text, "precondition-failed"))


def attach(
    tx: Writer, actor: Actor, typed: Typed, given: NewAttachment, blob: Blob, now: str, *, content_id: str = ""
) -> int:
    """Add a file to a form, which is kept as `typed` has it if it was not yet; gives the file's id."""
    known = _taken(tx, actor, typed.key)
    if known is None:
        keep(tx, actor, typed, now)
        known = _taken(tx, actor, typed.key)
        assert known is not None
    require_unsent(known)
    return _add_file(tx, actor, known, given, blob, content_id)


def detach(tx: Writer, actor: Actor, key: str, file_ids: Sequence[int], now: str) -> None:
    """Take files away from a form; those that are not there are passed over."""
    known = _taken(tx, actor, key)
    if known is not None:
        require_unsent(known)
        _drop_files(tx, actor, [one for one in files_of(tx, actor.account_id, known) if one.id in file_ids], now)


def discard(tx: Writer, actor: Actor, key: str, now: str) -> None:
    """Throw a form away; raises PreconditionFailed where it is about to leave."""
    known = _taken(tx, actor, key)
    if known is not None:
        require_unsent(known)
        drop(tx, actor, known, now)


def drop(tx: Writer, actor: Actor, one: Unsent, now: str) -> None:
    """Forget a form with its files; those that a conversation has by now stay."""
    _drop_files(tx, actor, files_of(tx, actor.account_id, one), now)
    tx.run(_DROP, account_id=actor.account_id, id=one.id)


def _forget_abandoned(tx: Writer, actor: Actor, now: str) -> None:
    before = to_wire(from_wire(now) - timedelta(days=FORGOTTEN_DAYS))
    for one in tx.all(_ABANDONED, account_id=actor.account_id, user_id=actor.user_id, before=before):
        drop(tx, actor, one, now)


def _taken(tx: Writer, actor: Actor, key: str) -> Unsent | None:
    return tx.one(_TAKE, account_id=actor.account_id, user_id=actor.user_id, key=key)


def _add_file(
    tx: Writer, actor: Actor, one: Unsent, given: NewAttachment, blob: Blob, content_id: str = ""
) -> int:  # fmt: skip
    room.require_for_file(tx, actor, blob.size)
    row = _File(
        actor.account_id, one.id, one.conversation_id, given.file_name or given.lower_filename or "file",
        given.mime_type, blob.size, blob.sha256, content_id or None,
    )  # fmt: skip
    return tx.add(_ADD_FILE, row)


def _drop_files(tx: Writer, actor: Actor, gone: Sequence[UnsentFile], now: str) -> None:
    if gone:
        ids = msgspec.json.encode([one.id for one in gone]).decode()
        tx.run(_DROP_FILES, account_id=actor.account_id, ids=ids)
        files.remove_unnamed(tx, actor.account_id, [one.sha256 for one in gone], now)
