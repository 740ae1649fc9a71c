"""Saved replies: texts that an inbox's users answer with again and again."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from deskhand.catalogue.needs import by_inbox
from deskhand.catalogue.operation import HS, Action, BareList, Created, NoContent, One, Operation, Resource
from deskhand.catalogue.values import Shape

NAME_MOST = 255
TEXT_MOST = 100_000
"""Characters of a name and of a text. Source: our choice."""

Name = Annotated[str, Meta(min_length=1, max_length=NAME_MOST)]
Text = Annotated[str, Meta(max_length=TEXT_MOST)]


class SavedReplyPreview(Shape, kw_only=True):
    """A saved reply in a list: how its texts begin. `chat_preview` is there when it has a text for chats."""

    id: int
    name: str
    preview: str
    chat_preview: str | UnsetType = UNSET


class SavedReply(Shape, kw_only=True):
    """A saved reply: its text for e-mail, as HTML, and its text for chats; null where it has none."""

    id: int
    name: str
    text: str | None
    chat_text: str | None


class SavedReplyFields(Shape, kw_only=True):
    """All that a saved reply is; a text that is left out is none."""

    name: Name
    text: Text | None = None
    chat_text: Text | None = None


class ListSavedReplies(Shape, kw_only=True):
    """Whether to list those too that have a text for chats alone."""

    include_chat_replies: bool = False


_ALL = "/v2/mailboxes/{inbox_id}/saved-replies"
_ONE = _ALL + "/{saved_reply_id}"
_HIDDEN = (403, "the caller may not see this inbox")
_REFUSED = (403, "the caller may not see this inbox, or is a light user")
_PAGES = HS + "inboxes/saved_Replies/"

list_saved_replies = Operation(
    name="list_saved_replies", method="GET", path=_ALL,
    resource=Resource.SAVED_REPLIES, action=Action.READ, needs=by_inbox,
    query=ListSavedReplies, returns=BareList(SavedReplyPreview),
    errors=(_HIDDEN,),
    phrase="list saved replies of inbox {inbox_id}",
    summary="List an inbox's saved replies by name, each with how it begins; a bare array without pages.",
    source=_PAGES + "list", since="2023-04-05",
)  # fmt: skip

create_saved_reply = Operation(
    name="create_saved_reply", method="POST", path=_ALL,
    resource=Resource.SAVED_REPLIES, action=Action.WRITE, needs=by_inbox,
    body=SavedReplyFields, returns=Created(), errors=(_REFUSED,),
    phrase="create a saved reply in inbox {inbox_id}",
    summary="Create a saved reply with a text for e-mail, a text for chats or both.",
    source=_PAGES + "create", since="2023-04-05",
)  # fmt: skip

get_saved_reply = Operation(
    name="get_saved_reply", method="GET", path=_ONE,
    resource=Resource.SAVED_REPLIES, action=Action.READ, needs=by_inbox, returns=One(SavedReply), errors=(_HIDDEN,),
    phrase="read saved reply {saved_reply_id} of inbox {inbox_id}",
    summary="One saved reply with its texts.",
    source=_PAGES + "get", since="2023-04-05",
)  # fmt: skip

update_saved_reply = Operation(
    name="update_saved_reply", method="PUT", path=_ONE,
    resource=Resource.SAVED_REPLIES, action=Action.WRITE, needs=by_inbox, body=SavedReplyFields, returns=NoContent(),
    errors=(_REFUSED,),
    phrase="change saved reply {saved_reply_id} of inbox {inbox_id}",
    summary="Replace a saved reply's name and texts; a text that is left out is removed.",
    source=_PAGES + "update", since="2023-07-04",
)  # fmt: skip

delete_saved_reply = Operation(
    name="delete_saved_reply", method="DELETE", path=_ONE,
    resource=Resource.SAVED_REPLIES, action=Action.DELETE, needs=by_inbox, returns=NoContent(), errors=(_REFUSED,),
    phrase="delete saved reply {saved_reply_id} of inbox {inbox_id}",
    summary="Delete a saved reply; threads that were written with it keep naming it.",
    source=_PAGES + "delete", since="2023-04-05",
)  # fmt: skip

OPERATIONS = (list_saved_replies, create_saved_reply, get_saved_reply, update_saved_reply, delete_saved_reply)
