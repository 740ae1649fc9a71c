"""Calls of agents that wait for a person: the list, one of them with its conversation beside it, the decision."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import msgspec
from starlette.responses import Response

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import BadRequest, NotFound, Problem, invalid
from deskhand.db.engine import Reader
from deskhand.desk.conversations import titles
from deskhand.desk.conversations.titles import Title
from deskhand.gateway import agents, approval_rows, approvals_listing
from deskhand.gateway.approvals_listing import MOST, Line
from deskhand.gateway.held_calls import Changed, NotReleased, Shown, State
from deskhand.lib.clock import from_wire
from deskhand.web import words
from deskhand.web.console import acting, beside, effects, held_text, knowing, since
from deskhand.web.console.beside import Beside
from deskhand.web.console.effects import Effect, Names
from deskhand.web.console.held_text import Text
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")
PATH = "/console/approvals"

TABS: tuple[tuple[State, str, str], ...] = (
    ("waiting", "Waiting", "Nothing waits for you"),
    ("executed", "Sent", "No call was sent after asking yet"),
    ("failed", "Failed", "No call has failed after it was approved"),
    ("denied", "Denied", "Nobody has denied a call yet"),
    ("expired", "Expired", "No call has waited too long"),
    ("returned", "Returned", "No call went back because its conversation had changed"),
)
"""The states with what lists of them are called, and what an empty one says."""


class Row(msgspec.Struct, frozen=True):
    """A call in a list, and the conversation that it is about where the visitor may see it."""

    line: Line
    title: Title | None
    left: str
    changed: bool


class Place(msgspec.Struct, frozen=True):
    """Where a waiting call stands in the queue."""

    at: int
    of: int
    before: int | None
    after: int | None


class Opened(msgspec.Struct, frozen=True):
    """One call with all that a decision needs."""

    shown: Shown
    left: str
    remote: bool
    beside: Beside | None
    text: Text | None
    effects: list[Effect]
    mails_to: str
    decided_by: str
    inbox: str
    place: Place | None
    changes: list[str]
    """What sends the call back if it is approved now."""


@PAGES.get(PATH)
async def index(asked: Asked) -> Response:
    """The calls in a state; those that wait the longest first."""
    state = _state(asked.query("state"))
    waiting = await asked.web.approvals.waiting(asked.account_id)  # and what is too old expires now
    before = read_id(asked.query("before"))

    def listed(db: Reader) -> list[Line]:
        if state == "waiting":
            return approvals_listing.queue(db, asked.account_id)
        return approvals_listing.newest(db, asked.account_id, state, before)

    lines = await asked.read(listed)
    changed = await asked.web.approvals.changed(asked.account_id, [one.id for one in lines if state == "waiting"])

    def read(db: Reader) -> list[Row]:
        here = [one.conversation_id for one in lines if one.conversation_id is not None and not one.remote]
        named = titles.titles(db, asked.actor, here)
        now = asked.web.clock.now()
        return [
            Row(
                one, None if one.remote else named.get(one.conversation_id or 0), left(one.until, now),
                one.id in changed,
            )
            for one in lines
        ]  # fmt: skip

    rows = await asked.read(read)
    older = rows[-1].line.id if state != "waiting" and len(rows) == MOST else None
    return await asked.page(
        "oversight/approvals.html", rows=rows, state=state, tabs=TABS, waiting=waiting, older=older,
        nothing=next(text for name, _, text in TABS if name == state),
    )  # fmt: skip


@PAGES.get(PATH + "/{id}")
async def show(asked: Asked) -> Response:
    """One call, to be decided about or to see what became of it."""
    return await _page(asked, asked.id())


@PAGES.post(PATH + "/{id}/approve")
async def approve(asked: Asked) -> Response:
    """Let a call go, perhaps with another text."""
    id, who = asked.id(), knowing.who(asked)
    shown = await asked.web.approvals.one(asked.account_id, id)
    edited = None
    if asked.form.has("text") and shown.text is not None:
        edited = held_text.changed(shown.text, asked.form.raw("text"))
    try:
        if edited is not None and not edited.strip():
            raise invalid("edited_text", "may not be empty", "NotEmpty")
        outcome = await asked.web.approvals.approve(asked.account_id, id, who.by, who.words, edited)
    except NotFound:
        raise
    except Problem as problem:
        return await _not_released(asked, id, problem, edited)
    if outcome.state == "failed":
        after = await asked.web.approvals.one(asked.account_id, id)
        return asked.go(f"{PATH}/{id}", f"It failed: {after.reason}", fault=True)
    how = ", with your text" if edited is not None else ""
    return await _onwards(asked, id, f"Approved and done{how}: {shown.call}.")


@PAGES.post(PATH + "/{id}/deny")
async def deny(asked: Asked) -> Response:
    """Refuse a call, with a reason that the agent is told."""
    id, who = asked.id(), knowing.who(asked)
    shown = await asked.web.approvals.one(asked.account_id, id)
    try:
        await asked.web.approvals.deny(asked.account_id, id, who.by, who.words, asked.form.raw("reason"))
    except NotFound:
        raise
    except Problem as problem:
        return await _not_released(asked, id, problem)
    return await _onwards(asked, id, f"Denied: {shown.agent.name} is told why.")


def left(until: str, now: datetime) -> str:
    """How long a call still waits."""
    seconds = (from_wire(until) - now).total_seconds()
    return words.lasting(seconds) if seconds > 0 else ""


def _state(given: str) -> State:
    return next((name for name in get_args(State) if name == given and name != "executing"), "waiting")


async def _onwards(asked: Asked, id: int, text: str) -> Response:
    """To where the form came from, or to the next call that waits."""
    if asked.form.text("back"):
        return asked.back(PATH, text)
    after = await asked.read(lambda db: approvals_listing.next_waiting(db, asked.account_id, id))
    return asked.go(f"{PATH}/{after}" if after else PATH, text)


async def _not_released(asked: Asked, id: int, problem: Problem, edited: str | None = None) -> Response:
    """The call again, with what was typed and why it was not sent; where it has gone elsewhere, that is shown."""
    if isinstance(problem, NotReleased) and problem.state == "returned" and edited is None:
        return asked.go(f"{PATH}/{id}", problem.message, fault=True)
    errors = {error.path: error.message for error in problem.errors}
    message = (
        "" if isinstance(problem, BadRequest) and errors else f"{getattr(problem, 'words', '') or problem.message}."
    )
    return await _page(
        asked, id, problem.status, message=message[:1].upper() + message[1:], errors=errors,
        typed=asked.form.raw("text") if asked.form.has("text") else None, reason=asked.form.raw("reason"),
        unsent=held_text.editable(edited) if edited else None,
    )  # fmt: skip


async def _page(
    asked: Asked, id: int, status: int = 200, *, message: str = "", errors: dict[str, str] | None = None,
    typed: str | None = None, reason: str = "", unsent: Text | None = None,
) -> Response:  # fmt: skip
    await asked.web.approvals.waiting(asked.account_id)  # what is too old expires now
    shown = await asked.web.approvals.one(asked.account_id, id)
    waits = [id] if shown.state == "waiting" else []
    changed = (await asked.web.approvals.changed(asked.account_id, waits)).get(id)
    opened = await asked.read(lambda db: _opened(db, asked, shown, changed))
    return await asked.page(
        "oversight/approval.html", status, one=opened, call=shown, message=message, errors=errors or {}, typed=typed,
        unsent=unsent, reason=reason, tabs=TABS,
        all_of_it=msgspec.json.format(msgspec.json.encode(shown.arguments)).decode(),
    )  # fmt: skip


def _opened(db: Reader, asked: Asked, shown: Shown, changed: Changed | None) -> Opened:
    account_id = asked.account_id
    row = agents.by_id(db, account_id, shown.agent.id)
    remote = row is not None and row.connection_id is not None
    around = None if remote else beside.of(db, asked.actor, shown.conversation_id, shown.created_at)
    inboxes = {} if remote else beside.inbox_names(db, account_id)
    people = {} if remote else beside.names(db, account_id, effects.staff_in(shown.arguments))
    named = Names(people, inboxes, around.tags if around else ())
    return Opened(
        shown,
        left(shown.until, asked.web.clock.now()),
        remote,
        around,
        held_text.editable(shown.text) if shown.text is not None else None,
        effects.effects(shown.arguments, named),
        _mails_to(shown, around),
        acting.named(db, account_id, [shown.decided_by]).get(shown.decided_by, "") if shown.decided_by else "",
        inboxes.get(shown.inbox_id or 0, ""),
        _place(db, account_id, shown) if shown.state == "waiting" else None,
        since.words(db, asked.actor, shown.created_at, changed, around, inboxes) if changed else [],
    )


def _mails_to(shown: Shown, around: Beside | None) -> str:
    known = (around.row.customer_id, around.email) if around else (0, "")
    return effects.mails_to(shown.operation, shown.arguments, *known)


def _place(db: Reader, account_id: int, shown: Shown) -> Place | None:
    ids = [one.id for one in approvals_listing.queue(db, account_id)]
    count = approval_rows.count_waiting(db, account_id)
    if shown.id not in ids:
        return Place(0, count, ids[-1] if ids else None, None)
    at = ids.index(shown.id)
    after = ids[at + 1] if at + 1 < len(ids) else None
    return Place(at + 1, count, ids[at - 1] if at else None, after)
