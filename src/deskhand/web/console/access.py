"""How an agent gets in: its keys, its client secret, the programs that act for it; its name, and its end."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from deskhand.catalogue.problems import AlreadyThere, BadRequest, Problem
from deskhand.gateway.keys import LIVE_MOST
from deskhand.web.account.confirming import confirmed
from deskhand.web.console.knowing import agent_of, around, stored_moment, who, wrongs
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")


@PAGES.get("/console/agents/{id}/access")
async def show(asked: Asked) -> Response:
    """Keys, client, programs, name."""
    return await _page(asked)


@PAGES.get("/console/agents/{id}/keys")
@PAGES.get("/console/agents/{id}/secret")
@PAGES.get("/console/agents/{id}/name")
@PAGES.get("/console/agents/{id}/delete")
async def again(asked: Asked) -> Response:
    """Where forms were sent to there is nothing to be read."""
    return asked.go(_path(asked))


@PAGES.post("/console/agents/{id}/keys")
@confirmed("Making a key")
async def add_key(asked: Asked) -> Response:
    """Give an agent another key, shown on this page and never again."""
    try:
        made = await asked.web.administration.credentials.add_key(
            who(asked), asked.id(), stored_moment(asked, "expires_at")
        )
    except (BadRequest, AlreadyThere) as problem:
        return await _page(asked, problem)
    return await _page(asked, secrets=[("Key", made.key)])


@PAGES.post("/console/agents/{id}/keys/{key}/revoke")
async def revoke_key(asked: Asked) -> Response:
    """Take a key away."""
    await asked.web.administration.credentials.revoke_key(who(asked), asked.id(), asked.id("key"))
    return asked.go(_path(asked), "The key is revoked and opens nothing any more.")


@PAGES.post("/console/agents/{id}/secret")
@confirmed("Making a new secret")
async def renew_secret(asked: Asked) -> Response:
    """Give an agent another client secret, shown on this page and never again."""
    made = await asked.web.administration.credentials.renew_secret(who(asked), asked.id())
    return await _page(asked, secrets=[("Client id", made.client_id), ("Client secret", made.client_secret)])


@PAGES.post("/console/agents/{id}/programs/{program}/end")
async def end_program(asked: Asked) -> Response:
    """Let a program act for the agent no longer."""
    await asked.web.administration.credentials.end_program(who(asked), asked.id(), asked.id("program"))
    return asked.go(_path(asked), "The program acts for this agent no longer.")


@PAGES.post("/console/agents/{id}/name")
async def rename(asked: Asked) -> Response:
    """Give an agent another name."""
    try:
        agent = await asked.web.administration.agents.rename(who(asked), asked.id(), asked.form.text("name"))
    except (BadRequest, AlreadyThere) as problem:
        return await _page(asked, problem)
    return asked.go(_path(asked), f"It is called {agent.name} now.")


@PAGES.post("/console/agents/{id}/delete")
async def delete(asked: Asked) -> Response:
    """End an agent for good, if its name was typed."""
    agent, _ = await agent_of(asked)
    if asked.form.text("typed").casefold() != agent.name.casefold():
        return await _page(asked, wrong={"typed": f"Type {agent.name}, so that no other agent is deleted by a slip."})
    await asked.web.administration.agents.delete(who(asked), agent.id)
    return asked.go("/console", f"{agent.name} is deleted; what it wrote stays.")


def _path(asked: Asked) -> str:
    return f"/console/agents/{asked.id()}/access"


async def _page(
    asked: Asked,
    problem: Problem | None = None,
    *,
    secrets: list[tuple[str, str]] | None = None,
    wrong: dict[str, str] | None = None,
) -> Response:
    """The page, with what went wrong or with secrets that are shown this once."""
    agent, about = await agent_of(asked)
    programs = await asked.web.administration.credentials.programs(asked.account_id, agent.id)
    found = wrong or ({} if problem is None else wrongs(problem))
    values: dict[str, Any] = {
        "programs": programs, "secrets": secrets or [], "wrong": found, "typed": asked.form,
        "keys_most": LIVE_MOST, "now_stored": asked.now,
    }  # fmt: skip
    status = 200 if not found else problem.status if problem is not None else 400
    return await asked.page("console/access.html", status, **values, **await around(asked, agent, about))
