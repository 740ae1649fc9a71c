"""Adding files to threads that are there already, and taking them away from drafts.

Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/attachments/create
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.attachments import NewAttachment
from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, NotFound
from deskhand.db.engine import Writer
from deskhand.db.statements import P, command, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations.erasure import files
from deskhand.desk.conversations.tables import attachment, thread
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.threads.editing import require_not_outgoing
from deskhand.desk.conversations.writing import add_file, save, show_anew, take
from deskhand.lib.blobs import Blob

_COUNT = command(
    sa.update(thread)
    .where(thread.c.account_id == P("account_id"), thread.c.id == P("id"))
    .values(attachments=thread.c.attachments + P("by", sa.Integer))
)
_REMOVE = command(sa.delete(attachment).where(attachment.c.account_id == P("account_id"), attachment.c.id == P("id")))
_ANY = value(
    int,
    sa.select(attachment.c.id)
    .where(attachment.c.account_id == P("account_id"), attachment.c.conversation_id == P("conversation_id"))
    .limit(sa.literal_column("1")),
)


def attach_file(tx: Writer, actor: Actor, id: int, thread_id: int, given: NewAttachment, blob: Blob, now: str) -> int:
    """Add a file to a thread of any kind but line items; gives the attachment's id.

    Raises NotFound, AccessDenied, PreconditionFailed (locked by age) and BadRequest.
    """
    head = take(tx, actor, id, now)
    found = thread_queries.head(tx, actor.account_id, head.id, thread_id)
    if found.type == "lineitem":
        raise BadRequest(FieldError("threadId", "line items have no attachments", "ValidIdentifier", found.id, "URI"))
    if found.type == "message" and actor.role == "light user":
        raise AccessDenied
    require_not_outgoing(tx, actor, found)
    made = add_file(tx, head.account_id, head.id, found.id, given, blob)
    tx.run(_COUNT, account_id=head.account_id, id=found.id, by=1)
    save(tx, head, msgspec.structs.replace(head, attachments=1, modified_at=now, user_updated_at=now))
    show_anew(tx)
    return made


def remove_file(tx: Writer, actor: Actor, id: int, attachment_id: int, now: str) -> None:
    """Take an attachment away from a conversation that is a draft; raises as `attach_file` does.

    The file goes a little later, unless somebody else has the same one.
    """
    head = take(tx, actor, id, now)
    found = thread_queries.one_attachment(tx, actor.account_id, head.id, attachment_id)
    if found is None:
        raise NotFound
    if actor.role == "light user":
        raise AccessDenied
    if head.state != "draft":
        text = "can only be deleted while the conversation is a draft"
        raise BadRequest(FieldError("attachmentId", text, "ValidIdentifier", found.id, "URI"))
    tx.run(_REMOVE, account_id=head.account_id, id=found.id)
    files.remove_unnamed(tx, head.account_id, [found.sha256], now)
    tx.run(_COUNT, account_id=head.account_id, id=found.thread_id, by=-1)
    left = tx.one(_ANY, account_id=head.account_id, conversation_id=head.id) is not None
    save(tx, head, msgspec.structs.replace(head, attachments=int(left), modified_at=now, user_updated_at=now))
    show_anew(tx)
