"""Saved replies, as far as the caller may see their inboxes."""

from __future__ import annotations

from deskhand.catalogue import saved_replies as operations
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.saved_replies import ListSavedReplies, SavedReply, SavedReplyFields, SavedReplyPreview
from deskhand.desk.call import All, Call, Created, implements
from deskhand.desk.saved_replies import queries, represent, verbs


@implements(operations.list_saved_replies)
def list_saved_replies(call: Call[ListSavedReplies, NoBody]) -> All[SavedReplyPreview]:
    with_chat = call.query.include_chat_replies
    found = queries.beginnings(call.tx, call.actor, call.path[0], with_chat=with_chat)
    return All([represent.beginning(row) for row in found])


@implements(operations.create_saved_reply)
def create_saved_reply(call: Call[NoQuery, SavedReplyFields]) -> Created:
    inbox_id = call.path[0]
    id = verbs.add(call.tx, call.actor, inbox_id, call.body, call.now)
    return Created(id, f"/v2/mailboxes/{inbox_id}/saved-replies/{id}")


@implements(operations.get_saved_reply)
def get_saved_reply(call: Call[NoQuery, NoBody]) -> SavedReply:
    return represent.whole(queries.seen_by(call.tx, call.actor, *call.path))


@implements(operations.update_saved_reply)
def update_saved_reply(call: Call[NoQuery, SavedReplyFields]) -> None:
    inbox_id, id = call.path
    verbs.change(call.tx, call.actor, inbox_id, id, call.body, call.now)


@implements(operations.delete_saved_reply)
def delete_saved_reply(call: Call[NoQuery, NoBody]) -> None:
    inbox_id, id = call.path
    verbs.delete(call.tx, call.actor, inbox_id, id, call.now)
