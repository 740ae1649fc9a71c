"""What a form becomes once it leaves, and the job that lets it leave."""

from __future__ import annotations

import msgspec

from deskhand.catalogue.conversations import NewConversation
from deskhand.catalogue.values import decode_hook

BEGIN_CONVERSATION = "begin_conversation"
"""The kind of job that begins a conversation."""


class Along(msgspec.Struct, frozen=True):
    """A file of the forwarded conversation that goes along."""

    filename: str
    mime_type: str
    size: int
    sha256: str
    content_id: str | None = None


class Ready(msgspec.Struct, frozen=True):
    """What a form becomes: a conversation whose one thread has this text (HTML), and files beside the form's own.

    `forwarded`: the conversation that it came from.
    """

    new: NewConversation
    text: str
    along: list[Along] = []
    forwarded: int | None = None


class Departure(msgspec.Struct, frozen=True):
    """Which form is sent, and whose."""

    unsent_id: int
    user_id: int


def packed(ready: Ready) -> str:
    """As it is kept. A text may be empty where there are files, but not in what is read back: so it lies beside it."""
    (thread,) = ready.new.threads
    new = msgspec.structs.replace(ready.new, threads=[msgspec.structs.replace(thread, text="-", attachments=None)])
    return msgspec.json.encode(msgspec.structs.replace(ready, new=new), enc_hook=str).decode()


def unpacked(kept: str) -> Ready:
    """As it was before it was kept."""
    return msgspec.json.decode(kept, type=Ready, dec_hook=decode_hook)
