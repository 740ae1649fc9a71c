"""Attachments of threads."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType, field

from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import by_conversation
from deskhand.catalogue.operation import HS, Action, Created, NoContent, One, Operation, Resource
from deskhand.catalogue.values import NonEmpty, Shape

LARGEST = 10 * 1024 * 1024
"""Bytes of one attachment, decoded. Source: https://developer.helpscout.com/mailbox-api/overview/errors (413)."""


class Attachment(Shape, kw_only=True):
    """An attachment as it is read.

    `state` is `virus` for the EICAR test file alone, so that clients can be tried with it: nothing else is scanned.
    """

    id: int
    filename: str
    mime_type: str
    width: int | UnsetType = UNSET
    height: int | UnsetType = UNSET
    size: int
    state: Literal["valid", "virus"]
    links: Links = field(name="_links")


class AttachmentData(Shape):
    """An attachment's content in base64."""

    data: bytes


class NewAttachment(Shape, kw_only=True):
    """A file for a thread; some clients write `filename`, as answers do."""

    file_name: NonEmpty | None = None
    lower_filename: NonEmpty | None = field(name="filename", default=None)
    mime_type: NonEmpty
    data: bytes


get_attachment = Operation(
    name="get_attachment", method="GET", path="/v2/conversations/{conversation_id}/attachments/{attachment_id}",
    resource=Resource.ATTACHMENTS, action=Action.READ, needs=by_conversation, returns=One(Attachment),
    phrase="read attachment {attachment_id} of conversation {conversation_id}",
    summary="What is known of an attachment: its name, kind and size.",
    source=HS + "conversations/attachments/get-data",
)  # fmt: skip

get_attachment_data = Operation(
    name="get_attachment_data", method="GET",
    path="/v2/conversations/{conversation_id}/attachments/{attachment_id}/data",
    resource=Resource.ATTACHMENTS, action=Action.READ, needs=by_conversation, returns=One(AttachmentData),
    phrase="read the content of attachment {attachment_id} of conversation {conversation_id}",
    summary="An attachment's content in base64.",
    source=HS + "conversations/attachments/get-data",
)  # fmt: skip

add_attachment = Operation(
    name="add_attachment", method="POST", path="/v2/conversations/{conversation_id}/threads/{thread_id}/attachments",
    resource=Resource.ATTACHMENTS, action=Action.WRITE, needs=by_conversation, body=NewAttachment, returns=Created(),
    phrase="add an attachment to thread {thread_id} of conversation {conversation_id}",
    summary="Add a file of at most 10 MB to a thread.",
    source=HS + "conversations/attachments/create",
    errors=(
        (404, "unknown, deleted or merged conversation, or no such thread in it"),
        (412, "company policy has locked the conversation"),
        (413, "the attachment is larger than 10 MB"),
    ),
)  # fmt: skip

delete_attachment = Operation(
    name="delete_attachment", method="DELETE", path="/v2/conversations/{conversation_id}/attachments/{attachment_id}",
    resource=Resource.ATTACHMENTS, action=Action.DELETE, needs=by_conversation, returns=NoContent(),
    phrase="delete attachment {attachment_id} of conversation {conversation_id}",
    summary="Delete an attachment; only possible while the conversation is a draft.",
    source=HS + "conversations/attachments/delete",
    errors=(
        (400, "the conversation is not a draft"),
        (404, "unknown, deleted or merged conversation, or no such attachment in it"),
        (412, "company policy has locked the conversation"),
    ),
)  # fmt: skip

OPERATIONS = (get_attachment, get_attachment_data, add_attachment, delete_attachment)
