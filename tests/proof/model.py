"""A desk in memory, as simple as can be: what the real one must agree with after any sequence of calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Said:
    """One thread that is no line item."""

    type: str
    words: tuple[str, ...]
    draft: bool = False


@dataclass
class Talk:
    """A conversation."""

    id: int
    number: int
    inbox: int
    subject: tuple[str, ...]
    customer: str
    status: str
    assignee: int | None
    tags: frozenset[str] = frozenset()
    draft: bool = False
    snoozed: bool = False
    wakes_on_reply: bool = False
    said: list[Said] = field(default_factory=list)

    @property
    def folder(self) -> str:
        """The type of the one folder it lies in."""
        if self.draft:
            return "drafts"
        if self.status in ("spam", "closed"):
            return self.status
        if self.snoozed:
            return "custom"
        return "open" if self.assignee is None else "assigned"

    @property
    def words(self) -> set[str]:
        """All that a search for a word alone finds it by."""
        return {*self.subject, *self.body}

    @property
    def body(self) -> set[str]:
        return {word for one in self.said for word in one.words}

    @property
    def published(self) -> int:
        return sum(1 for one in self.said if not one.draft)

    def reactivate(self, status: str = "active") -> None:
        self.status = status


@dataclass
class Model:
    """All conversations by id, in the order in which they were made."""

    talks: dict[int, Talk] = field(default_factory=dict)

    def newest_first(self, fits: Callable[[Talk], bool] = lambda talk: True) -> list[int]:
        return sorted((talk.id for talk in self.talks.values() if fits(talk)), reverse=True)

    def folders(self, inbox: int) -> dict[str, tuple[int, int]]:
        """Total and active conversations by the folder's type."""
        total: Counter[str] = Counter()
        active: Counter[str] = Counter()
        for talk in self.talks.values():
            if talk.inbox == inbox:
                total[talk.folder] += 1
                active[talk.folder] += talk.status == "active"
        return {kind: (total[kind], active[kind]) for kind in total}

    def tags(self) -> Counter[str]:
        return Counter(tag for talk in self.talks.values() for tag in talk.tags)
