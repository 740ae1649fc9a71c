"""The kill switch: what is stopped, stopping something after a word was typed, lifting it."""

from __future__ import annotations

from typing import get_args

import msgspec
from starlette.responses import Response

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import BadRequest
from deskhand.db.engine import Reader
from deskhand.desk.inboxes import queries as inboxes
from deskhand.gateway import agents, stops
from deskhand.gateway.stops import Scope, Standing
from deskhand.web.console import acting
from deskhand.web.console.knowing import who
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")
PATH = "/console/stops"
WORD = "stop"
"""What has to be typed."""


class Named(msgspec.Struct, frozen=True):
    """An agent or an inbox to choose."""

    id: int
    name: str


class Stopped(msgspec.Struct, frozen=True):
    """Something that is stopped, and by whom."""

    stop: Standing
    by: str


class Typed(msgspec.Struct, frozen=True):
    """What was chosen in the form."""

    scope: str = ""
    agent: int | None = None
    inbox: int | None = None


@PAGES.get(PATH)
async def show(asked: Asked) -> Response:
    """What is stopped now, and the form that stops more; an agent may be named in the address."""
    agent = read_id(asked.query("agent"))
    return await _page(asked, Typed("agent" if agent else "", agent))


@PAGES.post(PATH)
async def stop(asked: Asked) -> Response:
    """Stop something, if the word was typed."""
    form = asked.form
    scope = next((one for one in get_args(Scope) if one == form.text("scope")), None)
    typed = Typed(scope or "", form.id("agent"), form.id("inbox"))
    wrong = {}
    if scope is None:
        wrong["scope"] = "Choose what to stop."
    if form.text("word").casefold() != WORD:
        wrong["word"] = f"Type the word {WORD} to confirm."
    target = {"agent": typed.agent, "inbox_writes": typed.inbox}.get(scope or "")
    if scope == "agent" and target is None:
        wrong["agent"] = "Choose the agent."
    if scope == "inbox_writes" and target is None:
        wrong["inbox"] = "Choose the inbox."
    if wrong or scope is None:
        return await _page(asked, typed, wrong)
    try:
        await asked.web.administration.stops.add(who(asked), scope, target)
    except BadRequest as problem:
        return await _page(
            asked, typed, {"agent" if scope == "agent" else "inbox": f"There is {problem.errors[0].message}."}
        )
    return asked.go(PATH, "Stopped. It takes effect within a second.")


@PAGES.post(PATH + "/lift")
async def lift_all(asked: Asked) -> Response:
    """Lift every stop."""
    count = await asked.web.administration.stops.lift_all(who(asked))
    return asked.go(PATH, "Every stop is lifted." if count else "Nothing was stopped.")


@PAGES.post(PATH + "/{id}/lift")
async def lift(asked: Asked) -> Response:
    """Lift one stop."""
    await asked.web.administration.stops.lift(who(asked), asked.id())
    return asked.go(PATH, "Lifted: it goes on at once.")


async def _page(asked: Asked, typed: Typed, wrong: dict[str, str] | None = None) -> Response:
    account_id = asked.account_id

    def read(db: Reader) -> tuple[list[Stopped], list[Named], list[Named]]:
        standing = stops.standing(db, account_id)
        by = acting.named(db, account_id, [one.by for one in standing])
        return (
            [Stopped(one, by[one.by]) for one in standing],
            [Named(one.id, one.name) for one in agents.living(db, account_id)],
            [Named(one.id, one.name) for one in inboxes.all_of(db, account_id)],
        )

    stopped, its_agents, its_inboxes = await asked.read(read)
    return await asked.page(
        "oversight/stops.html", 400 if wrong else 200, stopped=stopped, agents=its_agents, inboxes=its_inboxes,
        names={one.id: one.name for one in its_inboxes}, typed=typed, wrong=wrong or {}, word=WORD,
    )  # fmt: skip
