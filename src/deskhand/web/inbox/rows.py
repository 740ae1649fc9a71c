"""The rows of a list as people read them: who wrote, what about, who has it, how long somebody has been waiting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from deskhand.catalogue.conversations import PAGE_SIZE as HALF
from deskhand.db.engine import Reader
from deskhand.desk.conversations import presence
from deskhand.desk.conversations.bulk import deleting
from deskhand.desk.conversations.listing import finding, marks
from deskhand.desk.conversations.listing.filters import Wanted
from deskhand.desk.conversations.listing.listed import Listed
from deskhand.desk.conversations.listing.marks import Draft, More
from deskhand.desk.conversations.presence import Here
from deskhand.desk.conversations.queries import Shown
from deskhand.desk.conversations.tagging import ShownTag
from deskhand.lib.clock import from_wire
from deskhand.web import words
from deskhand.web.inbox import snoozes
from deskhand.web.inbox.bodies import one_line
from deskhand.web.inbox.places import Place
from deskhand.web.visiting import Visitor

PAGE_SIZE = 2 * HALF
LONG, VERY_LONG = timedelta(days=1), timedelta(days=3)
"""From when on a waiting time is marked."""
TAGS_MOST = 3
_NO_MORE = More(0, None, None)


class Owner(msgspec.Struct, frozen=True):
    """Who has a conversation."""

    id: int
    name: str
    photo: str
    kind: str


class Row(msgspec.Struct, frozen=True):
    """A conversation in a list. `waits` is how long somebody has waited for us, `level` how bad that is."""

    id: int
    number: int
    path: str
    who: str
    subject: str
    preview: str
    threads: int
    tags: list[ShownTag]
    tags_more: int
    status: str
    waits: str
    level: str
    at: str
    """When it was what the list's order goes by; empty where the waiting time says so already."""
    snoozed: str
    owner: Owner | None
    attachments: bool
    inbox: str
    inbox_id: int
    here: list[Here]
    draft: Draft | None
    doomed: bool

    @property
    def ours(self) -> bool:
        """Whether it is our turn."""
        return bool(self.waits)


class Listing(msgspec.Struct, frozen=True):
    """A page of a list, and how many conversations the list has in all."""

    rows: list[Row]
    total: int
    page: int

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def first_shown(self) -> int:
        return (self.page - 1) * PAGE_SIZE + 1


def listing(db: Reader, visitor: Visitor, place: Place, page: int, now: datetime, names: dict[int, str]) -> Listing:
    """A page of a list: a few statements, however many conversations there are. `names` are those of inboxes."""
    found, total = _page(db, place.wanted, page)
    ids = [one.id for one in found]
    more = marks.more(db, visitor.account_id, ids)
    here = presence.here(db, visitor.account_id, ids, now, but=visitor.id)
    doomed = deleting.doomed(db, visitor.account_id, ids)
    local = visitor.local(now)
    listed = [
        _row(
            one, place, local, more.get(one.id, _NO_MORE), here.get(one.id, []),
            names.get(one.inbox_id, "") if place.inbox_id is None else "", doomed=one.id in doomed,
        )
        for one in found
    ]  # fmt: skip
    return Listing(listed, total, page)


def _page(db: Reader, wanted: Wanted, number: int) -> tuple[list[Listed], int]:
    """A page, and how many conversations the list has; searches give one in two halves."""
    if wanted.search is None:
        return finding.find(db, msgspec.structs.replace(wanted, page=number, size=PAGE_SIZE))
    found, total = finding.find(db, msgspec.structs.replace(wanted, page=2 * number - 1))
    if len(found) == HALF and total > (2 * number - 1) * HALF:
        found = [*found, *finding.find(db, msgspec.structs.replace(wanted, page=2 * number))[0]]
    return found, total


def _row(
    one: Listed, place: Place, now: datetime, more: More, here: Sequence[Here], inbox: str, *,
    doomed: bool,
) -> Row:  # fmt: skip
    tags = msgspec.json.decode(one.tags, type=list[ShownTag])
    (waits, level), at = _waiting(one, now), _moment(one, place)
    return Row(
        id=one.id,
        number=one.number,
        path=place.of(one),
        who=words.full_name(one.customer_first, one.customer_last, one.customer_email) or "Somebody",
        subject=one_line(one.subject) or "(no subject)",
        preview=one_line(one.preview),
        threads=one.threads,
        tags=tags[:TAGS_MOST],
        tags_more=max(0, len(tags) - TAGS_MOST),
        status=one.status,
        waits=waits,
        level=level,
        at=at if not waits or words.since(at, now) != waits else "",
        snoozed=snoozes.in_words(one.snoozed_until, now) if one.snoozed_until else "",
        owner=_owner(one, more),
        attachments=bool(more.attachments),
        inbox=inbox,
        inbox_id=one.inbox_id,
        here=list(here),
        draft=more.draft,
        doomed=doomed,
    )


def _waiting(one: Shown, now: datetime) -> tuple[str, str]:
    """How long somebody has been waiting for us; nothing for those who are not."""
    if one.waiting_since is None or one.status != "active" or one.snoozed_until is not None:
        return "", ""
    waited = now - from_wire(one.waiting_since)
    level = "bad" if waited >= VERY_LONG else "warn" if waited >= LONG else ""
    return words.since(one.waiting_since, now), level


def _moment(one: Listed, place: Place) -> str:
    """The time that the list's order goes by."""
    return str(one.key) if one.key and place.order != "waiting" else one.waiting_since or one.user_updated_at


def _owner(one: Shown, more: More) -> Owner | None:
    if one.assignee_id is None:
        return None
    name = words.full_name(one.assignee_first, one.assignee_last, one.assignee_email or "Somebody")
    return Owner(one.assignee_id, name, more.photo_url or "", one.assignee_type or "user")
