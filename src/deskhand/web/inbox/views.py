"""Views: searches that were given a name, looked at like folders."""

from __future__ import annotations

from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest
from deskhand.db.engine import Reader
from deskhand.desk.conversations import views
from deskhand.desk.conversations.listing.counting import MOST, NUMBERS, Counted
from deskhand.outbox import events
from deskhand.web.inbox import lists, places
from deskhand.web.inbox.picking import answered
from deskhand.web.pages import Asked, Pages

PAGES = Pages()
_COUNTED_MOST = 50
"""Views with numbers, those that come first: more are no list that somebody keeps an eye on."""


@PAGES.post("/views")
async def add(asked: Asked) -> Response:
    """Save a search under a name."""
    name, query, for_all = asked.form.text("name"), asked.form.text("query"), asked.form.has("for_all")
    id = await asked.write(lambda tx: views.add(tx, asked.actor, name, query, asked.now, for_all=for_all))
    return asked.go(f"/views/{id}", "Saved as a view.")


@PAGES.get("/views/numbers")
async def numbers(asked: Asked) -> Response:
    """How many conversations each view shows: for a script that asks once the page is there, as counting takes time."""
    versions = asked.web.database.versions
    mark = (versions[events.EVENTS], versions[events.PAGES])
    visitor, now = asked.visitor, asked.web.clock.now()

    def count(db: Reader) -> Counted:
        found = views.views_of(db, visitor.account_id, visitor.id)[:_COUNTED_MOST]
        wanted = {one.id: places.wanted_by(visitor, one, now) for one in found}
        return NUMBERS.of(db, {id: one for id, one in wanted.items() if one is not None}, mark)

    counted = await asked.read(count, "slow")
    shown = {id: f"{MOST - 1}+" if n >= MOST else str(n or "") for id, n in counted.numbers.items()}
    return answered({"numbers": shown, "again_s": counted.again_s})


@PAGES.get("/views/{id}")
async def show(asked: Asked) -> Response:
    """What a view shows now."""
    id, order, now = asked.id(), asked.query("order"), asked.web.clock.now()
    return await lists.show(asked, lambda db: places.view(db, asked.visitor, id, now, order))


@PAGES.post("/views/{id}")
async def change(asked: Asked) -> Response:
    """Give a view another name or another search."""
    id, form = asked.id(), asked.form
    name, query, for_all = form.text("name"), form.text("query"), form.has("for_all")
    try:
        await asked.write(lambda tx: views.change(tx, asked.actor, id, name, query, for_all=for_all))
    except BadRequest as problem:
        now, wrong = asked.web.clock.now(), {one.path: one.message for one in problem.errors}
        typed = {"name": name, "query": query, "for_all": for_all, "wrong": wrong}
        return await lists.show(asked, lambda db: places.view(db, asked.visitor, id, now), status=400, typed=typed)
    return asked.go(f"/views/{id}", "Saved.")


@PAGES.post("/views/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Forget a view; its conversations stay."""
    id = asked.id()
    found = await asked.read(lambda db: views.by_id(db, asked.actor, id))
    await asked.write(lambda tx: views.delete(tx, asked.actor, id))
    return asked.go("/search", f"The view {found.name} is deleted.")
