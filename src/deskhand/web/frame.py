"""What stands around every page: the inboxes with their folders, and what waits for the visitor elsewhere."""

from __future__ import annotations

import msgspec

from deskhand.catalogue.matching import read_id
from deskhand.db.engine import Reader
from deskhand.desk import counters
from deskhand.desk.access import may_see
from deskhand.desk.conversations.drafts import room
from deskhand.desk.conversations.listing import marks
from deskhand.desk.conversations.views import View, views_of
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.folders import TYPES, Folder, folder_id
from deskhand.gateway import approval_rows, stops
from deskhand.gateway.stops import Standing
from deskhand.web.visiting import Visitor

_SHOWN = (
    (Folder.UNASSIGNED, "inbox", "i"),
    (Folder.MINE, "person", "m"),
    (Folder.NEEDS_ATTENTION, "flag", "n"),
    (Folder.DRAFTS, "draft", "d"),
    (Folder.ASSIGNED, "people", "a"),
    (Folder.SNOOZED, "clock", "z"),
    (Folder.CLOSED, "check", "c"),
    (Folder.SPAM, "spam", "!"),
)
"""The folders in their order, each with its icon and the key that leads there after G."""
INBOXES_OPEN_MOST = 6
NAMES = {kind: name for kind, (_, name) in TYPES.items()} | {Folder.NEEDS_ATTENTION: "Needs attention"}


class FolderLink(msgspec.Struct, frozen=True):
    """A folder of an inbox as the side bar shows it; `active` is the number beside it."""

    id: int
    kind: Folder
    name: str
    icon: str
    key: str
    active: int

    @property
    def path(self) -> str:
        return f"/folder/{self.id}"


class Numbers(msgspec.Struct, frozen=True):
    """What stands beside folders: sums by folder, and what is the visitor's and what is in trouble by inbox."""

    active: dict[int, int]
    total: dict[int, int]
    mine: dict[int, int]
    troubled: dict[int, int]

    def of(self, inbox_id: int, kind: Folder) -> int:
        """What is to be done in a folder: of snoozed ones and drafts all count, of closed ones and spam none."""
        id = folder_id(inbox_id, kind)
        if kind is Folder.MINE:
            return self.mine.get(inbox_id, 0)
        if kind is Folder.NEEDS_ATTENTION:
            return self.troubled.get(inbox_id, 0)
        if kind in (Folder.DRAFTS, Folder.SNOOZED):
            return self.total.get(id, 0)
        return 0 if kind in (Folder.CLOSED, Folder.SPAM) else self.active.get(id, 0)


class InboxLink(msgspec.Struct, frozen=True):
    """An inbox as the side bar shows it; its folders are made when they are asked for, as most are folded away."""

    id: int
    name: str
    email: str
    numbers: Numbers

    @property
    def waiting(self) -> int:
        """How many conversations there have no owner yet."""
        return self.numbers.of(self.id, Folder.UNASSIGNED)

    @property
    def folders(self) -> list[FolderLink]:
        """Its folders in their order."""
        return [
            FolderLink(folder_id(self.id, kind), kind, NAMES[kind], icon, key, self.numbers.of(self.id, kind))
            for kind, icon, key in _SHOWN
        ]


class Frame(msgspec.Struct, frozen=True):
    """The side bar: inboxes that the visitor sees, own views, calls of agents that wait for a person."""

    inboxes: list[InboxLink]
    views: list[View]
    approvals: int
    stops: list[Standing]
    """What the kill switch holds back, for those who administer."""
    unsent: room.Standing
    """What the visitor has written and not sent."""

    @property
    def many(self) -> bool:
        """Whether only one inbox can show its folders at a time."""
        return len(self.inboxes) > INBOXES_OPEN_MOST

    def number(self, path: str) -> int:
        """The number beside a folder."""
        inbox = self._of(path)
        return next((one.active for one in inbox.folders if one.path == path), 0) if inbox else 0

    def opened(self, current: str) -> int:
        """The inbox whose folders are shown on a page: the one that the page is of, or else the first."""
        inbox = self._of(current) or (self.inboxes[0] if self.inboxes else None)
        return inbox.id if inbox else 0

    def _of(self, path: str) -> InboxLink | None:
        """The inbox of a folder's address."""
        id = read_id(path.removeprefix("/folder/")) if path.startswith("/folder/") else None
        return next((one for one in self.inboxes if one.id == id // 10), None) if id else None


def load(db: Reader, visitor: Visitor) -> Frame:
    """The frame of a visitor's pages: a few statements, however many inboxes there are."""
    actor = visitor.actor
    found = inboxes.all_of(db, actor.account_id)
    counted = counters.of_folders(db, actor.account_id, actor.user_id)
    numbers = Numbers(
        {one.key: one.n for one in counted if one.kind == "folder_active"},
        {one.key: one.n for one in counted if one.kind == "folder"},
        {one.inbox_id: one.n for one in counted if one.kind == "owner_active"},
        marks.troubled(db, actor.account_id),
    )
    return Frame(
        [InboxLink(one.id, one.name, one.email, numbers) for one in found if may_see(actor, one.id)],
        views_of(db, actor.account_id, actor.user_id),
        approval_rows.count_waiting(db, actor.account_id) if visitor.administers else 0,
        stops.standing(db, actor.account_id) if visitor.administers else [],
        room.standing(db, actor),
    )
