"""What an agent may do: the editor of its grants, what a change means in words before it is saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import AlreadyThere, BadRequest, FieldError, Problem
from deskhand.gateway import grants, presets
from deskhand.gateway.administering.agents import ShownAgent
from deskhand.gateway.policy import Grants
from deskhand.web.console import editing
from deskhand.web.console.comparing import Change, compared, endless, past, told
from deskhand.web.console.knowing import (
    PRESETS,
    Known,
    agent_of,
    around,
    held,
    inbox_names,
    local_moment,
    names_of,
    place_words,
    stored_moment,
    who,
    wrongs,
)
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")


class Drafted(msgspec.Struct, frozen=True):
    """Grants as somebody edited them, beside the version they began with."""

    agent: ShownAgent
    about: Known
    given: dict[str, Any]
    version: int

    @property
    def changes(self) -> list[Change]:
        """What would change; raises BadRequest for what can't be."""
        inboxes, people = names_of(self.agent, self.about)
        return compared(held(self.agent), grants.read_grants(self.given, inboxes), (inboxes, people))


@PAGES.get("/console/agents/{id}")
async def edit(asked: Asked) -> Response:
    """The editor; `preset` in the query fills it with one, which is not saved by that."""
    agent, about = await agent_of(asked)
    given = dict(agent.grants)
    preset = asked.query("preset")
    if preset in presets.PRESETS:
        wanted = [int(one) for one in asked.request.query_params.getlist("inboxes") if read_id(one) is not None]
        given = presets.preset(preset, wanted[:1000] or "all") | {"expires_at": agent.grants["expires_at"]}
    return await _editor(asked, Drafted(agent, about, given, agent.grant_version), preset=preset)


@PAGES.get("/console/agents/{id}/review")
@PAGES.get("/console/agents/{id}/edit")
@PAGES.get("/console/agents/{id}/grants")
async def again(asked: Asked) -> Response:
    """Where forms were sent to there is nothing to be read."""
    return asked.go(f"/console/agents/{asked.id()}")


@PAGES.post("/console/agents/{id}/edit")
async def go_on(asked: Asked) -> Response:
    """Back from the review to the editor, with what was reviewed."""
    agent, about = await agent_of(asked)
    try:
        return await _editor(asked, await _drafted(asked))
    except BadRequest as problem:
        return await _editor(asked, _typed(asked, agent, about), wrong=wrongs(problem))


@PAGES.post("/console/agents/{id}/difference")
async def difference(asked: Asked) -> Response:
    """What the form would change, in words: a piece of the editor's page."""
    try:
        draft = await _drafted(asked)
        return asked.piece("console/difference.html", agent=draft.agent, changes=told(asked, draft.changes), wrong={})
    except BadRequest as problem:
        wrong = {place_words(at): text for at, text in wrongs(problem).items()}
        return asked.piece("console/difference.html", agent=None, changes=[], wrong=wrong)


@PAGES.post("/console/agents/{id}/review")
async def review(asked: Asked) -> Response:
    """What the form would change, to be saved or edited further."""
    agent, about = await agent_of(asked)
    try:
        draft = await _drafted(asked)
        changes = draft.changes
    except BadRequest as problem:
        return await _editor(asked, _typed(asked, agent, about), wrong=wrongs(problem))
    return await _review(asked, draft, changes)


@PAGES.post("/console/agents/{id}/grants")
async def save(asked: Asked) -> Response:
    """Save what was reviewed, if nobody changed the grants meanwhile; else show what changed."""
    agent, about = await agent_of(asked)
    try:
        draft = await _drafted(asked)
        changes = draft.changes
        if not changes:
            return asked.go(f"/console/agents/{agent.id}", "Nothing was changed.")
        await asked.web.administration.grants.put(who(asked), agent.id, draft.given | {"version": draft.version})
    except BadRequest as problem:
        return await _editor(asked, _typed(asked, agent, about), wrong=wrongs(problem))
    except AlreadyThere:
        return await _conflict(asked)
    return asked.go(f"/console/agents/{agent.id}", f"Saved. {agent.name} may do this from now on.")


# -- From the form


async def _drafted(asked: Asked) -> Drafted:
    """What was sent: the fields of the editor, or JSON from the review; raises BadRequest with all that is wrong."""
    agent, about = await agent_of(asked)
    wrong: list[FieldError] = []
    if asked.form.has("grants"):
        given = _json(asked.form.raw("grants"))
    else:
        given = editing.sent(asked.form)
        try:
            given["expires_at"] = stored_moment(asked, "expires_at", asked.form.text("expires_at.was"))
        except BadRequest as problem:
            wrong += problem.errors
    wrong = [*editing.faults(given, inbox_names(agent, about)), *wrong]
    if wrong:
        raise BadRequest(*wrong)
    return Drafted(agent, about, given, _version(asked))


def _typed(asked: Asked, agent: ShownAgent, about: Known) -> Drafted:
    """The same, although something in it is wrong."""
    try:
        given = _json(asked.form.raw("grants")) if asked.form.has("grants") else editing.sent(asked.form)
    except Problem:
        given = dict(agent.grants)
    return Drafted(agent, about, {**given, "expires_at": agent.grants["expires_at"]}, _version(asked))


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest from None
    if not isinstance(found, dict):
        raise BadRequest
    return found


def _version(asked: Asked) -> int:
    given = asked.form.text("version")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


# -- To pages


async def _editor(
    asked: Asked, draft: Drafted, *, wrong: Mapping[str, str] | None = None, preset: str = ""
) -> Response:
    try:
        changes = [] if wrong else told(asked, draft.changes)
    except BadRequest as problem:
        changes, wrong = [], wrongs(problem)
    end = draft.given.get("expires_at")
    values: dict[str, Any] = {
        "form": editing.editor(draft.given), "version": draft.version, "changes": changes, "wrong": wrong or {},
        "end": local_moment(asked, end) if isinstance(end, str) else "", "end_was": end or "",
        "place": place_words, "known": draft.about, "inboxes": inbox_names(draft.agent, draft.about),
        "presets": PRESETS, "preset": preset,
    }  # fmt: skip
    if wrong and asked.form.has("expires_at"):
        values["end"] = asked.form.text("expires_at")
    return await asked.page(
        "console/grants.html", 400 if wrong else 200, **values, **await around(asked, draft.agent, draft.about)
    )


async def _review(asked: Asked, draft: Drafted, changes: list[Change], **more: Any) -> Response:
    called = names_of(draft.agent, draft.about)
    after = grants.read_grants(draft.given, called[0])
    values: dict[str, Any] = {
        "changes": told(asked, changes), "given": json.dumps(draft.given), "version": draft.version,
        "after": endless(after, called), "over": after.expires_at is not None and after.expires_at <= asked.now,
        "meanwhile": [], "between": [],
    }  # fmt: skip
    status = 409 if more.get("meanwhile") else 200
    return await asked.page(
        "console/review.html", status, **{**values, **more}, **await around(asked, draft.agent, draft.about)
    )


async def _conflict(asked: Asked) -> Response:
    """Somebody else was quicker: what they changed, and what these changes would do now."""
    draft = await _drafted(asked)
    agent, called = draft.agent, names_of(draft.agent, draft.about)
    earlier = await past(asked, agent, draft.about)
    began = next((one.version.grants for one in earlier if one.version.version == draft.version), None)
    since = compared(Grants() if began is None else grants.read_grants(began), held(agent), called)
    between = [one for one in earlier if one.version.version > draft.version]
    now = msgspec.structs.replace(draft, version=agent.grant_version)
    return await _review(asked, now, now.changes, meanwhile=told(asked, since), between=between)
