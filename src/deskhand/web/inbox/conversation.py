"""A conversation's page."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

import msgspec
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.responses import RedirectResponse, Response

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.desk.access import may_see
from deskhand.desk.conversations import fields, following, owners, presence, queries
from deskhand.desk.conversations.following import Follower
from deskhand.desk.conversations.owners import Staff
from deskhand.desk.conversations.presence import Here
from deskhand.desk.conversations.queries import Shown
from deskhand.desk.conversations.tagging import ShownTag
from deskhand.desk.conversations.timing import remembered
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import Field, InboxRow
from deskhand.desk.tags import queries as tags
from deskhand.desk.workflows import queries as workflows
from deskhand.desk.workflows.queries import WorkflowRow
from deskhand.web import words
from deskhand.web.console import about
from deskhand.web.console.about import About
from deskhand.web.inbox import customer, panel, places, snoozes, threads
from deskhand.web.inbox.bodies import one_line
from deskhand.web.inbox.customer import Known
from deskhand.web.inbox.panel import Panel
from deskhand.web.inbox.places import Beside
from deskhand.web.inbox.snoozes import Choice
from deskhand.web.inbox.threads import Entry, Timeline
from deskhand.web.pages import HEADERS, Asked, Pages
from deskhand.web.visiting import Visitor

PAGES = Pages()


class _Number(IntegerConvertor):
    """The number of a conversation in its address; Python reads no number of thousands of digits."""

    regex = "[0-9]{1,18}"


register_url_convertor("number", _Number())
TAGS_MOST = 200


class FieldValue(msgspec.Struct, frozen=True):
    """A custom field of the conversation's inbox with its value; `shown` is what people read."""

    field: Field
    value: str
    shown: str


class Head(msgspec.Struct, frozen=True):
    """What stands above the threads: what the conversation is, who has it, and what can be done with it."""

    subject: str
    inbox: InboxRow
    assignee: str
    tags: list[ShownTag]
    snoozed: str
    fields: list[FieldValue]
    followers: list[Follower]
    follows: bool
    here: list[Here]
    owners: list[Staff]
    inboxes: list[InboxRow]
    known_tags: list[str]
    workflows: list[WorkflowRow]
    snoozes: list[Choice]
    may_write: bool


class Whole(msgspec.Struct, frozen=True):
    """All that the page shows."""

    row: Shown
    head: Head
    timeline: Timeline
    customer: Known | None
    panel: Panel
    about: About
    beside: Beside


@PAGES.get("/conversation/{id}")
@PAGES.get("/conversation/{id}/{number:number}")
async def show(asked: Asked) -> Response:
    """A conversation with its threads; one that was merged leads to the one that goes on."""
    id, images, came_from = asked.id(), bool(asked.query("images")), asked.query("from")
    page = int(given) if (given := asked.query("page")).isdecimal() and 0 < len(given) < 5 else 1

    def read(db: Reader) -> Whole | int:
        row = queries.opened(db, asked.actor, id)
        if row.merged_into is not None:
            return row.merged_into
        known = customer.known(db, asked.visitor, row.customer_id, but=id)
        emails = [one.value for one in known.emails] if known else []
        return Whole(
            row,
            _head(db, asked.visitor, row, asked.web.clock.now()),
            threads.timeline(db, asked.visitor, id, page=max(1, page), images=images),
            known,
            panel.of(db, asked.visitor, row, emails, asked.now),
            about.about(db, asked.account_id, id, asked.now),
            places.neighbours(db, asked.visitor, came_from, row, asked.web.clock.now()),
        )

    whole = await asked.read(read)
    # What leads to another view of this page leads back to the same list from there.
    kept = f"{urlencode({'from': came_from})}&" if came_from else ""
    if isinstance(whole, int):
        return RedirectResponse(f"/conversation/{whole}" + (f"?{kept[:-1]}" if kept else ""), 303, HEADERS)
    return await asked.page(
        "conversation/show.html", images=images, row=whole.row, head=whole.head, timeline=whole.timeline,
        customer=whole.customer, panel=whole.panel, about=whole.about, up=whole.beside,
        before=whole.beside.before, after=whole.beside.after, own_draft=whole.panel.draft_id, kept=kept,
        with_images=images, current=whole.beside.path.partition("?")[0],
    )  # fmt: skip


@PAGES.get("/conversation/{id}/threads/{thread}")
async def show_thread(asked: Asked) -> Response:
    """One message by itself, for those that are too long to stand among others."""
    id, thread_id, images = asked.id(), asked.id("thread"), bool(asked.query("images"))

    def read(db: Reader) -> tuple[Shown, Entry]:
        row = queries.one(db, asked.actor, id)
        found = threads.entry(db, asked.visitor, id, thread_id, images=images)
        if found is None or row.merged_into is not None:
            raise NotFound
        return row, found

    row, entry = await asked.read(read)
    return await asked.page(
        "conversation/thread.html", images=images, row=row, entry=entry, kept="", with_images=images,
        current=f"/folder/{row.folder_id}",
    )  # fmt: skip


def _head(db: Reader, visitor: Visitor, row: Shown, now: datetime) -> Head:
    actor, account_id, local = visitor.actor, visitor.account_id, visitor.local(now)
    all_inboxes = inboxes.all_of(db, account_id)
    followers = following.followers(db, account_id, row.id)
    seen = [one for one in all_inboxes if may_see(actor, one.id)]
    return Head(
        subject=one_line(row.subject) or "(no subject)",
        inbox=next(one for one in all_inboxes if one.id == row.inbox_id),
        assignee=words.full_name(row.assignee_first, row.assignee_last) if row.assignee_id else "",
        tags=msgspec.json.decode(row.tags, type=list[ShownTag]),
        snoozed=snoozes.in_words(row.snoozed_until, local) if row.snoozed_until else "",
        fields=_fields(db, account_id, row),
        followers=followers,
        follows=any(one.id == visitor.id for one in followers),
        here=presence.here(db, account_id, [row.id], now, but=visitor.id).get(row.id, []),
        owners=owners.candidates(db, account_id, row.inbox_id),
        inboxes=seen,
        known_tags=[one.name for one in tags.first_of(db, account_id, TAGS_MOST)],
        workflows=workflows.by_hand(db, account_id, row.inbox_id),
        snoozes=snoozes.choices(local, remembered.last_choice(db, account_id, visitor.id)),
        may_write=actor.role != "light user",
    )


def _fields(db: Reader, account_id: int, row: Shown) -> list[FieldValue]:
    defined = inboxes.known_fields(db, account_id, row.inbox_id)
    values = {one.id: one for one in fields.from_json(row.custom_fields)}
    return [
        FieldValue(one, values[one.id].value, values[one.id].text) if one.id in values else FieldValue(one, "", "")
        for one in defined
    ]
