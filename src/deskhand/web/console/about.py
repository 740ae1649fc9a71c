"""What agents did, drafted and wait to do in a conversation, for its page."""

from __future__ import annotations

import msgspec

from deskhand.db.engine import Reader
from deskhand.gateway import in_conversation
from deskhand.gateway.in_conversation import Did, Drafted, Waits


class About(msgspec.Struct, frozen=True):
    """What the template oversight/about.html shows; empty where no agent had to do with the conversation.

    Of what waits, only what had not expired at `now` is there.
    """

    conversation_id: int
    drafted: list[Drafted] = []
    waits: list[Waits] = []
    did: list[Did] = []

    @property
    def anything(self) -> bool:
        return bool(self.drafted or self.waits or self.did)

    def drafted_by(self, thread_id: int) -> str:
        """The agent that wrote a draft; empty for a person's."""
        return next((one.agent_name for one in self.drafted if one.thread_id == thread_id), "")


def about(db: Reader, account_id: int, conversation_id: int, now: str = "") -> About:
    """What agents have to do with a conversation of the account."""
    return About(conversation_id, *in_conversation.about(db, account_id, conversation_id, now))
