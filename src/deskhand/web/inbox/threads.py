"""A conversation's threads as its page shows them: messages with their files and fate, and what happened between them.

The newest stands at the top, as the API lists them: what is to be answered is seen at once below where one writes,
without a jump, on a telephone and without script as well, and what came before follows as one reads on. Of a long
conversation only the newest and the very first are open; the others are a line each that opens where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from deskhand.db.engine import Reader
from deskhand.desk.access import SEES_ALL
from deskhand.desk.conversations.mail.mail_queries import Failure
from deskhand.desk.conversations.threads import showing, thread_queries
from deskhand.desk.conversations.threads.showing import File, More
from deskhand.desk.conversations.threads.thread_queries import ShownThread
from deskhand.lib.clock import from_wire
from deskhand.lib.text import preview
from deskhand.web import words
from deskhand.web.inbox import bodies, files
from deskhand.web.inbox.bodies import Body
from deskhand.web.inbox.files import FileLink
from deskhand.web.visiting import Visitor

OPEN = 6
"""So many messages are open; of two or three more folding would hide more than it saves."""
FOLDED_FROM = 10
_BODIES_MOST = 400_000
"""Characters of texts that one page holds; those of further folded messages are on pages of their own."""
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_FOR_GOOD = "2100-12-31T23:59:59Z"
_KINDS = {"customer": "customer", "message": "reply", "note": "note", "chat": "chat", "phone": "phone"}
_FAILED = ("fail", "softfail", "permerror")


class Who(msgspec.Struct, frozen=True):
    """Somebody who wrote; `kind` is customer, user or agent."""

    id: int
    kind: str
    name: str
    email: str
    photo: str


class Trouble(msgspec.Struct, frozen=True):
    """What went wrong with a mail, and whether it can be sent again."""

    words: str
    again: bool
    final: bool


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A message, note or call. `state` is published, hidden, draft, scheduled or held (it can still be taken back)."""

    id: int
    kind: str
    state: str
    who: Who
    at: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    body: Body | None
    """None: it is too long for this page."""
    preview: str
    files: list[FileLink]
    trouble: Trouble | None
    doubts: str
    """What speaks against the sender's being who they say."""
    automatic: bool
    imported: bool
    edited: bool
    has_source: bool
    opened_at: str | None
    rating: str | None
    rating_comments: str
    scheduled_for: str | None
    unless_reply: bool
    linked: int | None
    may_write: bool
    may_edit: bool
    may_hide: bool
    open: bool = True


class Line(msgspec.Struct, frozen=True):
    """Something that happened, in words."""

    id: int
    text: str
    at: str


class Run(msgspec.Struct, frozen=True):
    """Things that happened one after the other, the newest first."""

    id: int
    lines: list[Line]
    kind: str = "lines"


class Timeline(msgspec.Struct, frozen=True):
    """A page of a conversation's threads. `remote`: pictures from elsewhere that are left out, or shown if `images`."""

    items: list[Entry | Run]
    page: int
    last_page: int
    total: int
    remote: int
    images: bool
    newest_id: int


def timeline(db: Reader, visitor: Visitor, id: int, *, page: int = 1, images: bool = False) -> Timeline:
    """A page of the threads of a conversation that the visitor may see."""
    account_id = visitor.account_id
    rows, total = thread_queries.page(db, account_id, id, page)
    more = showing.more_of(db, account_id, [row.id for row in rows])
    attached = showing.files_of(db, account_id, [row.id for row in rows if row.attachments])
    last_page = max(1, -(-total // thread_queries.PAGE_SIZE))
    entries = _entries(rows, more, attached, visitor, images=images, whole=page == last_page)
    remote = sum(one.body.remote for one in entries.values() if one.body is not None)
    newest = max((row.id for row in rows), default=0) if page == 1 else 0
    return Timeline(_items(rows, entries, visitor), page, last_page, total, remote, images, newest)


def entry(db: Reader, visitor: Visitor, id: int, thread_id: int, *, images: bool = False) -> Entry | None:
    """One message of a conversation by itself, whatever its length; None where there is no such."""
    row = thread_queries.shown(db, visitor.account_id, id, thread_id)
    if row is None or row.type == "lineitem":
        return None
    more = showing.more_of(db, visitor.account_id, [row.id])[row.id]
    return _entry(row, more, showing.files_of(db, visitor.account_id, [row.id])[row.id], visitor, images=images)


def _entries(
    rows: Sequence[ShownThread],
    more: dict[int, More],
    attached: dict[int, list[File]],
    visitor: Visitor,
    *,
    images: bool,
    whole: bool,
) -> dict[int, Entry]:
    messages = [row for row in rows if row.type != "lineitem"]
    folds = len(messages) >= FOLDED_FROM
    made: dict[int, Entry] = {}
    room = _BODIES_MOST
    for number, row in enumerate(messages):
        is_first = whole and number == len(messages) - 1
        opened = not folds or number < OPEN or is_first or row.state == "draft"
        length = len(row.body or "") + len(more[row.id].quoted or "")
        fits = opened or length <= room
        room -= length
        found = attached.get(row.id, [])
        made[row.id] = _entry(row, more[row.id], found, visitor, images=images, opened=opened, with_body=fits)
    return made


def _entry(
    row: ShownThread,
    more: More,
    attached: Sequence[File],
    visitor: Visitor,
    *,
    images: bool,
    opened: bool = True,
    with_body: bool = True,
) -> Entry:
    inline = {one.content_id: one.id for one in attached if one.content_id and files.is_picture(one)}
    body = bodies.body(row.body or "", more.quoted or "", files=inline, images=images) if with_body else None
    shown = str(body.html) + str(body.quoted) if body else ""
    actor = visitor.actor
    edits = actor.role in SEES_ALL or (bool(actor.policy.thread_editing) and actor.role != "light user")
    return Entry(
        id=row.id,
        kind=_KINDS.get(row.type, "note" if row.type.startswith("forward") else "reply"),
        state=_state(row, more),
        who=_author(row),
        at=row.created_at,
        to=_listed(row.recipients),
        cc=_listed(row.cc),
        bcc=_listed(row.bcc),
        body=body,
        preview=preview(row.body or "") or "(no text)",
        files=[files.link(one) for one in attached if f'"/attachments/{one.id}"' not in shown],
        trouble=_trouble(row, more, sends=actor.role != "light user"),
        doubts=doubts(more.verdicts),
        automatic=bool(more.automatic),
        imported=bool(more.imported),
        edited=bool(more.edited),
        has_source=bool(more.has_source) and more.direction == "in",
        opened_at=row.opened_at,
        rating=row.rating,
        rating_comments=row.rating_comments or "",
        scheduled_for=row.scheduled_for,
        unless_reply=bool(row.unschedule_on_reply),
        linked=row.linked_conversation_id,
        may_write=actor.role != "light user",
        may_edit=edits,
        may_hide=edits and row.type in ("customer", "message") and row.state in ("published", "hidden"),
        open=opened,
    )


def _state(row: ShownThread, more: More) -> str:
    if row.state == "draft" and row.scheduled_for is not None:
        return "scheduled"
    return "held" if row.state == "published" and more.held else row.state


def _author(row: ShownThread) -> Who:
    if row.created_by_type == "customer":
        email = row.author_customer_email or ""
        name = words.full_name(row.author_customer_first, row.author_customer_last, email or "Somebody")
        return Who(row.created_by_id, "customer", bodies.one_line(name), email, row.author_customer_photo or "")
    name = words.full_name(row.author_first, row.author_last, row.author_email or "Somebody")
    kind = "agent" if row.author_type == "system_user" else "user"
    return Who(row.created_by_id, kind, bodies.one_line(name), row.author_email or "", row.author_photo or "")


def _trouble(row: ShownThread, more: More, *, sends: bool) -> Trouble | None:
    if more.direction != "out" or not more.error or more.state is None:
        return None
    failure = Failure(row.id, more.state, more.error)
    text = failure.words[:1].upper() + failure.words[1:]
    return Trouble(text, sends and more.state != "waiting", more.state in ("failed", "bounced"))


def doubts(verdicts: str | None) -> str:
    """What the checks of a mail's sender say against them, in words; empty where they say nothing of the kind."""
    if not verdicts:
        return ""
    said: dict[str, str] = msgspec.json.decode(verdicts)
    if said.get("dmarc") == "pass":
        return ""  # what counts has been proved; forwarding alone breaks SPF
    failed = [name.upper() for name in ("spf", "dkim", "dmarc") if said.get(name) in _FAILED]
    return f"{words.joined(failed)} failed: this may not come from whom it names as its sender." if failed else ""


def _items(rows: Sequence[ShownThread], entries: dict[int, Entry], visitor: Visitor) -> list[Entry | Run]:
    items: list[Entry | Run] = []
    for row in rows:
        if row.type != "lineitem":
            items.append(entries[row.id])
            continue
        line = Line(row.id, _happened(row, visitor), row.created_at)
        last = items[-1] if items else None
        if isinstance(last, Run):
            last.lines.append(line)
        else:
            items.append(Run(row.id, [line]))
    return items


def _happened(row: ShownThread, visitor: Visitor) -> str:
    """What a line item says, the moments in it as the visitor's clock has them."""
    if not row.action_text:
        who = _author(row).name
        return f"{who} marked as {row.status}" if row.status != "nochange" else f"{who} changed the conversation"
    text = row.action_text.replace(f" until {_FOR_GOOD}", " until they answer")
    return _MOMENT.sub(lambda found: words.full_time(visitor.local(from_wire(found[0]))), text)


def _listed(addresses: str) -> list[str]:
    return msgspec.json.decode(addresses, type=list[str])
