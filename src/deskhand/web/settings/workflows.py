"""Workflows: which there are, written as sentences, tried before they are saved, and where they ran."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import msgspec
from starlette.responses import Response

from deskhand.catalogue.conversations import Patch
from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import BadRequest, NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.workflows import choices, dry_run, given, queries, sentences, verbs
from deskhand.desk.workflows.choices import Choices
from deskhand.desk.workflows.dry_run import DryRun
from deskhand.desk.workflows.given import Shown
from deskhand.desk.workflows.queries import RunRow
from deskhand.desk.workflows.sentences import Sentence
from deskhand.desk.workflows.verbs import NewWorkflow
from deskhand.lib.clock import from_wire
from deskhand.web import words
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings import tracing
from deskhand.web.settings import workflow_faults as faults
from deskhand.web.settings import workflow_form as forms
from deskhand.web.settings import workflow_rows as rows
from deskhand.web.settings.workflow_form import Draft

PAGES = Pages("administrator")
HERE = "/settings/workflows"
TRIED = (25, 100, 500, dry_run.MOST)
"""Of how many conversations a dry run may be asked for."""
RUNS_SHOWN = 50


@PAGES.get(HERE)
async def listed(asked: Asked) -> Response:
    """All workflows by inbox, each as a sentence."""
    only = read_id(asked.query("inbox"))

    def read(db: Reader) -> tuple[list[InboxRow], list[Shown], dict[int, Sentence]]:
        found = given.shown(db, asked.account_id, queries.every(db, asked.account_id))
        every = inboxes.all_of(db, asked.account_id)
        return every, found, sentences.of_all(db, asked.account_id, found, _moment(asked))

    every, found, said = await asked.read(read)
    shown = [one for one in every if only is None or one.id == only]
    of_inbox = {
        one.id: [(kind, [flow for flow in found if flow.inbox_id == one.id and flow.type == kind]) for kind in _KINDS]
        for one in shown
    }
    return await asked.page(
        "settings/workflows.html", inboxes=every, shown=shown, only=only, of_inbox=of_inbox, sentences=said
    )


_KINDS = ("automatic", "manual")


@PAGES.get(HERE + "/new")
async def begin(asked: Asked) -> Response:
    """The form for a new one."""
    every = await asked.read(lambda db: inboxes.all_of(db, asked.account_id))
    wanted = asked.query("inbox")
    inbox = next((one for one in every if str(one.id) == wanted), every[0] if every else None)
    if inbox is None:
        return asked.go("/settings/inboxes", "Open an inbox first: a workflow belongs to one.")
    kind: Literal["manual", "automatic"] = "manual" if asked.query("type") == "manual" else "automatic"
    return await _form(asked, forms.blank(inbox.id, kind))


@PAGES.post(HERE + "/new")
async def add(asked: Asked) -> Response:
    """Add a workflow, try it, or change the form's rows."""
    inbox_id = asked.form.id("inbox_id") or 0
    if await asked.read(lambda db: inboxes.by_id(db, asked.account_id, inbox_id)) is None:
        raise NotFound
    return await _answer(asked, forms.sent(asked.form, inbox_id), None)


@PAGES.get(HERE + "/{id}")
async def show(asked: Asked) -> Response:
    """A workflow to be read and changed."""
    one = await _one(asked)
    return await _form(asked, forms.written(one, asked.visitor), one)


@PAGES.post(HERE + "/{id}")
async def change(asked: Asked) -> Response:
    """Change a workflow, try it, or change the form's rows. Its inbox and type stay."""
    one = await _one(asked)
    draft = msgspec.structs.replace(forms.sent(asked.form, one.inbox_id), type=one.type)
    return await _answer(asked, draft, one)


@PAGES.get(HERE + "/{id}/runs")
async def runs(asked: Asked) -> Response:
    """On which conversations a workflow ran."""
    one = await _one(asked)
    before = asked.query("before")
    most = RUNS_SHOWN + 1
    start = {"before_id": int(before)} if before.isdecimal() and len(before) < 19 else {}

    def read(db: Reader) -> list[RunRow]:
        return queries.runs(db, asked.account_id, one.id, **start, most=most)

    found = await asked.read(read)
    more = found[RUNS_SHOWN - 1].id if len(found) == most else None
    inbox = await _inbox(asked, one.inbox_id)
    return await asked.page("settings/workflows_runs.html", one=one, inbox=inbox, runs=found[:RUNS_SHOWN], more=more)


@PAGES.post(HERE + "/{id}/switch")
async def switch(asked: Asked) -> Response:
    """Switch a workflow on or off."""
    wanted = "active" if asked.form.text("status") == "active" else "inactive"
    patch = Patch(op="replace", path="/status", value=wanted)

    def work(tx: Writer) -> None:
        before = queries.by_id(tx, asked.account_id, asked.id())
        verbs.change(tx, asked.actor, asked.id(), [patch], asked.now)
        after = queries.existing(tx, asked.account_id, asked.id())
        if before is None or before.status != after.status:
            on = "on" if wanted == "active" else "off"
            tracing.of_workflow(asked, tx, f"switched {on}", after, f"switched_{on}")

    await asked.write(work)
    text = "It is on. It looks at what happens from now on." if wanted == "active" else "It is off."
    return asked.back(HERE, text)


@PAGES.post(HERE + "/{id}/shift")
async def shift(asked: Asked) -> Response:
    """Let a workflow have its turn earlier or later."""
    by: Literal[-1, 1] = -1 if asked.form.text("by") == "up" else 1

    def work(tx: Writer) -> None:
        before = queries.by_id(tx, asked.account_id, asked.id())
        verbs.shift(tx, asked.account_id, asked.id(), by)
        after = queries.existing(tx, asked.account_id, asked.id())
        if before is None or before.position != after.position:
            tracing.of_workflow(asked, tx, "changed the turn of", after, "shifted")

    await asked.write(work)
    return asked.back(HERE)


@PAGES.post(HERE + "/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Delete a workflow."""

    def work(tx: Writer) -> None:
        row = queries.by_id(tx, asked.account_id, asked.id())
        verbs.delete(tx, asked.account_id, asked.id(), asked.now)
        if row is not None:
            tracing.of_workflow(asked, tx, "deleted", row, "deleted")

    await asked.write(work)
    return asked.go(HERE, "The workflow is deleted; what it did stays.")


# -- The form


async def _answer(asked: Asked, draft: Draft, one: Shown | None) -> Response:
    """What a sent form leads to."""
    wish = asked.form.text("do")
    if wish not in ("save", "try", ""):
        return await _form(asked, forms.changed(draft, wish), one)
    if empty := faults.gaps(draft):
        return await _form(asked, msgspec.structs.replace(draft, faults=empty), one, 400)
    try:
        new = given.read(asked.account_id, forms.as_given(draft, asked.visitor), asked.now)
        if wish == "try":
            return await _form(asked, draft, one, tried=await _tried(asked, new, one))
        id = await asked.write(partial(_save, asked=asked, new=new, one=one))
    except BadRequest as problem:
        wrong = faults.at_their_rows(draft, problem.errors)
        return await _form(asked, msgspec.structs.replace(draft, faults=wrong), one, 400)
    return asked.go(HERE + f"?inbox={draft.inbox_id}#workflow-{id}", f"The workflow “{draft.name}” is saved.")


def _save(tx: Writer, asked: Asked, new: NewWorkflow, one: Shown | None) -> int:
    if one is None:
        id, did, change = verbs.add(tx, new), "made", "added"
    else:
        verbs.replace(tx, one.id, new)
        id, did, change = one.id, "changed", "changed"
    tracing.of_workflow(asked, tx, did, queries.existing(tx, asked.account_id, id), change)
    return id


async def _tried(asked: Asked, new: NewWorkflow, one: Shown | None) -> DryRun:
    most = asked.form.text("most")
    trying = partial(
        dry_run.of, wanted=new, most=int(most) if most in map(str, TRIED) else 100, now=asked.web.clock.now(),
        workflow_id=one.id if one else None,
    )  # fmt: skip
    return await asked.read(trying, "slow")


async def _form(
    asked: Asked, draft: Draft, one: Shown | None = None, status: int = 200, tried: DryRun | None = None
) -> Response:
    there = await asked.read(lambda db: choices.of(db, asked.account_id))
    return await asked.page(
        "settings/workflows_form.html", status, one=one, draft=draft, tried=tried, inboxes=there.inboxes,
        most=asked.form.text("most") or "100", counts=TRIED, **_given(draft, there),
    )  # fmt: skip


def _given(draft: Draft, there: Choices) -> dict[str, Any]:
    """What the form's rows let choose among."""
    every = (*draft.rows, *draft.actions)
    return {
        "abouts": rows.abouts(there, draft.inbox_id),
        "deeds": {row.key: rows.deeds(there, row.inbox_id) for row in draft.actions},
        "options": {row.key: rows.options(row, there) for row in every},
        "field_types": {row.key: rows.field_type(row, there) for row in draft.actions},
        "ops": rows.OPS,
        "units": rows.UNITS,
        "inbox_names": {str(one.id): one.name for one in there.inboxes},
    }


async def _one(asked: Asked) -> Shown:
    def read(db: Reader) -> Sequence[Shown]:
        row = queries.by_id(db, asked.account_id, asked.id())
        return [] if row is None else given.shown(db, asked.account_id, [row])

    found = await asked.read(read)
    if not found:
        raise NotFound
    return found[0]


async def _inbox(asked: Asked, id: int) -> InboxRow:
    found = await asked.read(lambda db: inboxes.by_id(db, asked.account_id, id))
    if found is None:
        raise NotFound
    return found


def _moment(asked: Asked) -> sentences.Moment:
    return lambda at: words.full_time(asked.visitor.local(from_wire(at)))
