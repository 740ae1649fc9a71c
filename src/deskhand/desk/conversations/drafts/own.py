"""What somebody is writing in a conversation, kept while they write: one reply of each user.

It is a draft as the API knows it, so everybody sees it and an agent's can be gone on with. Notes are in notes.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from deskhand.catalogue.attachments import NewAttachment
from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.problems import AccessDenied, FieldError, NotFound, PreconditionFailed, invalid
from deskhand.catalogue.threads import NewReply
from deskhand.catalogue.values import Email, Recipient
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, command, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations import replying
from deskhand.desk.conversations.erasure import files
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.replying import listed
from deskhand.desk.conversations.tables import attachment, thread
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.threads.attaching import attach_file
from deskhand.desk.conversations.threads.editing import search_anew
from deskhand.desk.conversations.timing import schedules
from deskhand.desk.conversations.writing import save, take
from deskhand.desk.customers import queries as customers
from deskhand.lib.blobs import Blob
from deskhand.outbox import events


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A reply as it stands: its text (HTML), to whom, and what sending it sets. `to` empty: where replies go."""

    text: str
    to: str = ""
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    status: str | None = None
    owner: int | None | UnsetType = UNSET
    saved_reply_id: int = 0
    form: str = ""
    """The form that it was written in, by its token."""


class OwnDraft(msgspec.Struct, frozen=True):
    """A reply that somebody is writing."""

    id: int
    body: str | None
    recipients: str
    cc: str
    bcc: str
    on_publish: str
    saved_reply_id: int
    attachments: int

    @property
    def form(self) -> str:
        """The form that it was kept by last; empty where it was none."""
        return str(msgspec.json.decode(self.on_publish).get("form", ""))


class DraftFile(msgspec.Struct, frozen=True):
    """A file of a draft; with a `content_id` it is a picture that the text shows."""

    id: int
    filename: str
    mime_type: str
    size: int
    state: str
    sha256: str
    content_id: str | None


_MINE = (
    thread.c.account_id == P("account_id"),
    thread.c.conversation_id == P("conversation_id"),
    thread.c.type == sa.literal_column("'message'"),
    thread.c.state == sa.literal_column("'draft'"),
    thread.c.scheduled_for.is_(None),
    thread.c.created_by_type == sa.literal_column("'user'"),
    thread.c.created_by_id == P("user_id"),
)
_OWN = rows(
    OwnDraft,
    sa.select(*columns(thread, *OwnDraft.__struct_fields__))
    .where(*_MINE)
    .order_by(thread.c.id.desc())
    .limit(sa.literal_column("1")),
)
_FILES = rows(
    DraftFile,
    sa.select(*columns(attachment, *DraftFile.__struct_fields__))
    .where(attachment.c.account_id == P("account_id"), attachment.c.thread_id == P("thread_id"))
    .order_by(attachment.c.id),
)
_ONE = (thread.c.account_id == P("for_account"), thread.c.id == P("id"))
_CHANGE = command(
    sa.update(thread)
    .where(*_ONE)
    .values(
        {name: P(name) for name in ("body", "recipients", "cc", "bcc", "on_publish", "saved_reply_id", "assigned_to")}
    )
)
_SET_ON_PUBLISH = command(sa.update(thread).where(*_ONE).values(on_publish=P("on_publish")))
_SET_RECIPIENTS = command(sa.update(thread).where(*_ONE).values(recipients=P("recipients")))
_TAKE_OVER = command(
    sa.update(thread)
    .where(*_ONE)
    .values(created_by_type=sa.literal_column("'user'"), created_by_id=P("user_id"), **schedules.NONE)
)
_COUNT_FILES = command(sa.update(thread).where(*_ONE).values(attachments=thread.c.attachments + P("by", sa.Integer)))
_SHOWN_IN_TEXT = command(
    sa.update(attachment)
    .where(attachment.c.account_id == P("for_account"), attachment.c.id == P("id"))
    .values(content_id=P("content_id"))
)
_DELETE = command(sa.delete(thread).where(*_ONE))
_DELETE_FILES = command(
    sa.delete(attachment).where(attachment.c.account_id == P("account_id"), ids_in(attachment.c.id, P("ids", sa.Text)))
)
_ANY_FILE = value(
    int,
    sa.select(attachment.c.id)
    .where(attachment.c.account_id == P("account_id"), attachment.c.conversation_id == P("conversation_id"))
    .limit(sa.literal_column("1")),
)


def draft_of(db: Reader, account_id: int, conversation_id: int, user_id: int) -> OwnDraft | None:
    """The reply that a user is writing in a conversation; what goes out by itself later is none."""
    return db.one(_OWN, account_id=account_id, conversation_id=conversation_id, user_id=user_id)


def files_of(db: Reader, account_id: int, draft: OwnDraft | None) -> list[DraftFile]:
    """The files of a draft; no query where it has none."""
    return db.all(_FILES, account_id=account_id, thread_id=draft.id) if draft and draft.attachments else []


def written_elsewhere(db: Reader, actor: Actor, id: int, wanted: Wanted, known_form: str) -> OwnDraft | None:
    """The caller's draft, if another form has kept another text since `wanted.form` was shown, which knew `known_form`.

    Somebody with two windows loses nothing of what they wrote in one by what they type in the other.
    """
    draft = draft_of(db, actor.account_id, id, actor.user_id)
    if draft is None or not wanted.form or draft.form in ("", wanted.form, known_form):
        return None
    return draft if (draft.body or "") not in ("", wanted.text) else None


def keep(tx: Writer, actor: Actor, id: int, wanted: Wanted, now: str, files: replying.Files = ()) -> int:
    """Keep what the caller is writing, in place of what was kept before; gives the draft's id.

    Raises as replying.reply does, and BadRequest for an address that is not the customer's.
    """
    if actor.role == "light user":
        raise AccessDenied
    head = take(tx, actor, id, now)
    recipients = _recipients(tx, head, wanted.to)
    on_publish: dict[str, int | str | None] = {"status": wanted.status or "active"}
    if wanted.owner is not UNSET:
        on_publish["owner"] = wanted.owner
    if wanted.form:
        on_publish["form"] = wanted.form
    known = draft_of(tx, actor.account_id, head.id, actor.user_id)
    if known is None:
        made = replying.reply(
            tx, actor, id, _new(head, wanted), files, now, saved_reply_id=wanted.saved_reply_id, source_type="web"
        )
        if recipients:
            tx.run(_SET_RECIPIENTS, for_account=head.account_id, id=made, recipients=listed(recipients))
        if wanted.form:
            asked = msgspec.json.encode(on_publish).decode()
            tx.run(_SET_ON_PUBLISH, for_account=head.account_id, id=made, on_publish=asked)
        tx.changed(events.PAGES)
        return made
    tx.run(
        _CHANGE,
        for_account=head.account_id,
        id=known.id,
        body=wanted.text,
        recipients=listed(recipients) if recipients else known.recipients,
        cc=listed([Recipient(one) for one in wanted.cc]),
        bcc=listed([Recipient(one) for one in wanted.bcc]),
        on_publish=msgspec.json.encode(on_publish).decode(),
        saved_reply_id=wanted.saved_reply_id or known.saved_reply_id,
        assigned_to=head.assignee_id,
    )
    for given, blob in files:
        attach_file(tx, actor, id, known.id, given, blob, now)
    return known.id


def _new(head: Head, wanted: Wanted) -> NewReply:
    return NewReply(
        text=wanted.text,
        customer=CustomerReference(id=head.customer_id),
        draft=True,
        status=wanted.status,  # type: ignore[arg-type] # the caller has checked it
        assign_to=wanted.owner,
        cc=[Recipient(one) for one in wanted.cc],
        bcc=[Recipient(one) for one in wanted.bcc],
    )


def _recipients(tx: Writer, head: Head, to: str) -> list[str]:
    """The address that was chosen, as the customer has it; none where nothing was chosen."""
    if not to:
        return []
    if to.lower() == head.customer_email.lower():
        return [head.customer_email]
    known = customers.entries(tx, head.account_id, [head.customer_id])[head.customer_id]
    for entry in known:
        if entry.kind == "email" and entry.value.lower() == to.lower():
            return [entry.value]
    raise invalid("to", "is not an address of this customer", "Email", Email(to))


def attach(
    tx: Writer, actor: Actor, id: int, given: NewAttachment, blob: Blob, now: str, *, content_id: str = ""
) -> tuple[int, int]:
    """Add a file to what the caller is writing, which begins with it if need be; gives the draft's id and the file's.

    With a `content_id` it is a picture in the text.
    """
    known = draft_of(tx, actor.account_id, id, actor.user_id)
    thread_id = known.id if known else keep(tx, actor, id, Wanted(text=""), now)
    made = attach_file(tx, actor, id, thread_id, given, blob, now)
    if content_id:
        tx.run(_SHOWN_IN_TEXT, for_account=actor.account_id, id=made, content_id=content_id)
    return thread_id, made


def detach(tx: Writer, actor: Actor, id: int, attachment_ids: Sequence[int], now: str) -> None:
    """Take files away from what the caller is writing; those that are not there are passed over."""
    head = take(tx, actor, id, now)
    known = draft_of(tx, actor.account_id, head.id, actor.user_id)
    if known is None:
        return
    gone = [one for one in files_of(tx, actor.account_id, known) if one.id in attachment_ids]
    if gone:
        _remove_files(tx, head, gone, now)
        tx.run(_COUNT_FILES, for_account=head.account_id, id=known.id, by=-len(gone))
        save(tx, head, _with_files(tx, head, now))


def discard(tx: Writer, actor: Actor, id: int, now: str, thread_id: int | None = None) -> int | None:
    """Throw away what the caller is writing, or a draft of somebody else (`thread_id`); gives its id if there was one.

    Raises NotFound, AccessDenied and PreconditionFailed (locked by age, or the conversation is nothing but this).
    """
    if actor.role == "light user":
        raise AccessDenied
    head = take(tx, actor, id, now)
    if thread_id is None:
        known = draft_of(tx, actor.account_id, head.id, actor.user_id)
        if known is None:
            return None
        thread_id = known.id
    found = thread_queries.head(tx, actor.account_id, head.id, thread_id)
    if found.state != "draft" or found.type != "message":
        raise NotFound
    if head.state == "draft" and head.capped_threads == 1:
        text = "there is nothing else in this conversation: delete the conversation instead"
        raise PreconditionFailed(FieldError("threadId", text, "precondition-failed", source="URI"))
    _remove_files(tx, head, tx.all(_FILES, account_id=head.account_id, thread_id=thread_id), now)
    tx.run(_DELETE, for_account=head.account_id, id=thread_id)
    after = msgspec.structs.replace(_with_files(tx, head, now), capped_threads=head.capped_threads - 1)
    save(tx, head, schedules.with_earliest(tx, after))
    search_anew(tx, head)
    tx.changed(events.PAGES)
    return thread_id


def take_over(tx: Writer, actor: Actor, id: int, thread_id: int, now: str) -> None:
    """Make a draft the caller's own, to go on with it; if it was to go out by itself, it is not any more.

    Raises NotFound, AccessDenied, and PreconditionFailed where the caller is writing something else there.
    """
    if actor.role == "light user":
        raise AccessDenied
    head = take(tx, actor, id, now)
    found = thread_queries.head(tx, actor.account_id, head.id, thread_id)
    if found.state != "draft" or found.type != "message":
        raise NotFound
    known = draft_of(tx, actor.account_id, head.id, actor.user_id)
    if known is not None and known.id != thread_id:
        if known.attachments or (known.body or "").strip():
            text = "you are writing a reply here already: send or discard it first"
            raise PreconditionFailed(FieldError("threadId", text, "precondition-failed", source="URI"))
        discard(tx, actor, id, now, known.id)
        head = take(tx, actor, id, now)
    tx.run(_TAKE_OVER, for_account=head.account_id, id=thread_id, user_id=actor.user_id)
    save(tx, head, schedules.with_earliest(tx, msgspec.structs.replace(head, modified_at=now)))
    tx.changed(events.PAGES)


def _remove_files(tx: Writer, head: Head, gone: Sequence[DraftFile], now: str) -> None:
    if gone:
        ids = msgspec.json.encode([one.id for one in gone]).decode()
        tx.run(_DELETE_FILES, account_id=head.account_id, ids=ids)
        files.remove_unnamed(tx, head.account_id, [one.sha256 for one in gone], now)


def _with_files(tx: Writer, head: Head, now: str) -> Head:
    left = tx.one(_ANY_FILE, account_id=head.account_id, conversation_id=head.id) is not None
    return msgspec.structs.replace(head, attachments=int(left), modified_at=now)
