"""How a conversation stands towards a call that waits: its mark, which is another one once that matters."""

from __future__ import annotations

import msgspec


class Standing(msgspec.Struct, frozen=True):
    """What a mark is made of. `said` is another number whenever a message is published or hidden; owner 0: nobody."""

    status: str
    inbox_id: int
    owner_id: int
    said: int

    @property
    def mark(self) -> str:
        return f"{self.status} {self.inbox_id} {self.owner_id} {self.said}"


def read(mark: str) -> Standing | None:
    """How a conversation stood, by its mark; None where that is of several conversations together."""
    match mark.split(" "):
        case [status, inbox_id, owner_id, said]:
            return Standing(status, int(inbox_id), int(owner_id), int(said))
    return None
