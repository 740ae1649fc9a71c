"""The note that somebody is writing in a conversation, kept while they write: one of each user, seen by nobody else."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import note_draft
from deskhand.desk.conversations.writing import take


class _Note(msgspec.Struct, frozen=True):
    account_id: int
    conversation_id: int
    user_id: int
    body: str
    at: str
    form: str


class OwnNote(msgspec.Struct, frozen=True):
    """A note that somebody is writing, and the form that it was kept by last."""

    body: str
    form: str


_MY_NOTE = (
    note_draft.c.account_id == P("account_id"),
    note_draft.c.conversation_id == P("conversation_id"),
    note_draft.c.user_id == P("user_id"),
)
_NOTE = rows(OwnNote, sa.select(note_draft.c.body, note_draft.c.form).where(*_MY_NOTE))
_ADD_NOTE = Insert(note_draft, _Note)
_CHANGE_NOTE = command(sa.update(note_draft).where(*_MY_NOTE).values(body=P("text"), form=P("form"), at=P("now")))
_OF_ONE = rows(
    _Note,
    sa.select(*columns(note_draft, *_Note.__struct_fields__))
    .where(note_draft.c.account_id == P("account_id"), note_draft.c.conversation_id == P("conversation_id"))
    .order_by(note_draft.c.user_id)
    .with_for_update(),
)
_DROP_NOTE = command(sa.delete(note_draft).where(*_MY_NOTE))


def of(db: Reader, account_id: int, conversation_id: int, user_id: int) -> OwnNote | None:
    """The note that a user is writing in a conversation."""
    return db.one(_NOTE, account_id=account_id, conversation_id=conversation_id, user_id=user_id)


def written_elsewhere(db: Reader, actor: Actor, id: int, text: str, form: str, known_form: str) -> OwnNote | None:
    """The caller's note, if another form has kept another text, as own.written_elsewhere says it of replies."""
    known = of(db, actor.account_id, id, actor.user_id)
    if known is None or not form or known.form in ("", form, known_form):
        return None
    return known if known.body != text else None


def keep(tx: Writer, actor: Actor, id: int, text: str, now: str, form: str = "") -> None:
    """Keep the note that the caller is writing; nothing but its text. Raises NotFound and AccessDenied."""
    head = take(tx, actor, id, now)
    mine = {"account_id": actor.account_id, "conversation_id": head.id, "user_id": actor.user_id}
    if not text:
        tx.run(_DROP_NOTE, **mine)
    elif not tx.run(_CHANGE_NOTE, **mine, text=text, form=form, now=now):
        tx.add_many(_ADD_NOTE, [_Note(actor.account_id, head.id, actor.user_id, text, now, form)])


def discard(tx: Writer, actor: Actor, id: int) -> None:
    """Forget the note that the caller is writing."""
    tx.run(_DROP_NOTE, account_id=actor.account_id, conversation_id=id, user_id=actor.user_id)


def follow(tx: Writer, account_id: int, from_id: int, to_id: int) -> None:
    """Let the notes that are being written in a conversation go on in another, into which it is merged.

    Who is writing one there as well has both in one; a window that knows only one of them is told, as of another's.
    """
    there = {one.user_id: one for one in tx.all(_OF_ONE, account_id=account_id, conversation_id=to_id)}
    for one in tx.all(_OF_ONE, account_id=account_id, conversation_id=from_id):
        mine = {"account_id": account_id, "conversation_id": to_id, "user_id": one.user_id}
        if (other := there.get(one.user_id)) is None:
            tx.add_many(_ADD_NOTE, [msgspec.structs.replace(one, conversation_id=to_id)])
        else:
            tx.run(_CHANGE_NOTE, **mine, text=f"{other.body}<hr>{one.body}", form=f"merged-{from_id}", now=one.at)
        tx.run(_DROP_NOTE, **mine | {"conversation_id": from_id})
