"""The console's first page: an account's agents, what each may do and did, and making another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import AlreadyThere, BadRequest, invalid
from deskhand.gateway.activity import Activity, activity
from deskhand.gateway.administering.agents import ShownAgent
from deskhand.gateway.policy import Grants
from deskhand.lib.clock import to_wire
from deskhand.web import words
from deskhand.web.account.confirming import confirmed
from deskhand.web.console import explaining
from deskhand.web.console.knowing import (
    PRESETS,
    Known,
    belongs_to_inboxes,
    held,
    in_words,
    inbox_names,
    known,
    stopped,
    stored_moment,
    who,
    wrongs,
)
from deskhand.web.pages import Asked, Pages
from deskhand.web.said import Undo

PAGES = Pages("administrator")


class Card(msgspec.Struct, frozen=True):
    """An agent at a glance. `where` are its inboxes in words, `ended` whether its grants have expired."""

    agent: ShownAgent
    may: str
    where: str
    stopped: str
    activity: Activity
    last_used: str | None
    expires_at: str | None
    ended: bool
    connection: str


@PAGES.get("/console")
async def show(asked: Asked) -> Response:
    """All agents as cards."""
    return await asked.page("console/agents.html", **await _cards(asked))


@PAGES.get("/console/agents")
async def elsewhere(asked: Asked) -> Response:
    """The same page by another name."""
    return asked.go("/console")


@PAGES.get("/console/agents/new")
async def begin(asked: Asked) -> Response:
    """The form that makes an agent."""
    return await asked.page("console/new.html", **await making(asked))


@PAGES.post("/console/agents")
@confirmed("Making an agent with a key")
async def make(asked: Asked) -> Response:
    """Make an agent; its key and secret are shown on this page and never again."""
    form, all_inboxes = asked.form, asked.form.text("scope") != "chosen"
    preset = form.text("preset")
    inboxes: Literal["all"] | list[int] | None = None
    if preset:
        inboxes = "all" if all_inboxes else form.ids("inboxes")
    try:
        if form.text("connection") and inboxes not in (None, "all"):
            raise invalid("inboxes", "those of another help desk are chosen afterwards", "ValidIdentifier")
        made = await asked.web.administration.agents.create(
            who(asked),
            form.text("name"),
            preset=preset or None,
            inboxes=inboxes,
            connection_id=form.id("connection"),
            key_expires_at=stored_moment(asked, "key_expires_at"),
        )
    except (BadRequest, AlreadyThere) as problem:
        wrong = wrongs(problem)
        return await asked.page("console/new.html", problem.status, **await making(asked, wrong=wrong))
    agent = await asked.web.administration.agents.one(asked.account_id, made.id)
    about = await asked.read(lambda db: known(db, asked.account_id))
    first = await explaining.first_call(asked, made.id)
    return await asked.page(
        "console/made.html", made=made, agent=agent, may=in_words(agent, about), base_url=asked.web.base_url, call=None,
        first_call=first or explaining.CALLS[0], refused=not first,
    )  # fmt: skip


@PAGES.post("/console/agents/{id}/pause")
async def pause(asked: Asked) -> Response:
    """Let an agent do nothing for now."""
    agent = await asked.web.administration.agents.pause(who(asked), asked.id())
    undo = Undo(f"/console/agents/{agent.id}/resume", {})
    return asked.back("/console", f"{agent.name} is paused: its calls are refused from now on.", undo=undo)


@PAGES.post("/console/agents/{id}/resume")
async def resume(asked: Asked) -> Response:
    """Let a paused agent go on."""
    agent = await asked.web.administration.agents.resume(who(asked), asked.id())
    return asked.back("/console", f"{agent.name} goes on.")


async def making(asked: Asked, wrong: dict[str, str] | None = None) -> dict[str, Any]:
    """What the form that makes an agent shows, with what was typed."""
    about = await asked.read(lambda db: known(db, asked.account_id))
    form = asked.form
    typed = {name: form.text(name) for name in ("name", "preset", "scope", "connection", "key_expires_at")}
    if not form.names():
        typed["preset"] = "drafter"
    return {
        "known": about, "presets": PRESETS, "connections": await asked.web.connections.listed(asked.account_id),
        "typed": typed, "ticked": form.texts("inboxes"), "wrong": wrong or {},
    }  # fmt: skip


async def _cards(asked: Asked) -> dict[str, Any]:
    administration, account_id = asked.web.administration, asked.account_id
    since = to_wire(asked.web.clock.now() - timedelta(days=1))
    found = await administration.agents.listed(account_id)
    stops = await administration.stops.listed(account_id)
    did = await asked.read(lambda db: activity(db, account_id, since), "slow")
    about = await asked.read(lambda db: known(db, account_id))
    connections = {one.id: one.name for one in await asked.web.connections.listed(account_id)}
    cards = []
    for agent in found:
        grants = held(agent)
        used = [one.last_used_at for one in agent.keys if one.last_used_at]
        its = did.get(agent.id, Activity())
        cards.append(
            Card(
                agent, in_words(agent, about), _where(grants, agent, about), stopped(agent, stops, about), its,
                max([*used, *([its.last] if its.last else [])], default=None), grants.expires_at,
                grants.expires_at is not None and grants.expires_at <= asked.now,
                connections.get(agent.connection_id or 0, ""),
            )
        )  # fmt: skip
    return {"cards": cards}


def _where(grants: Grants, agent: ShownAgent, about: Known) -> str:
    """The inboxes that an agent reaches, in a few words."""
    scopes = [one.inboxes for key, one in grants.resources.items() if one.level and belongs_to_inboxes(key)]
    if not scopes:
        return "No inbox"
    reached: set[int] = set()
    for scope in scopes:
        if scope is None:
            return "Every inbox"
        reached |= scope
    names = inbox_names(agent, about) or {}
    listed = [names.get(id) or f"inbox {id}" for id in sorted(reached)]
    return words.joined(listed) if len(listed) < 4 else f"{', '.join(listed[:2])} and {len(listed) - 2} more"
