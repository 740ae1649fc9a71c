"""Earlier versions of what an agent may do, going back to one, and the grants as Cedar policies."""

from __future__ import annotations

from starlette.responses import Response

from deskhand.catalogue.problems import NotFound
from deskhand.gateway import grants
from deskhand.web.console.comparing import compared, endless, past, told
from deskhand.web.console.knowing import agent_of, around, held, names_of, who
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")


@PAGES.get("/console/agents/{id}/history")
async def history(asked: Asked) -> Response:
    """All versions of the grants, the latest first."""
    agent, about = await agent_of(asked)
    found = await past(asked, agent, about)
    return await asked.page(
        "console/history.html", past=found, most=grants.SHOWN_MOST, **await around(asked, agent, about)
    )


@PAGES.get("/console/agents/{id}/versions/{version}")
async def version(asked: Asked) -> Response:
    """An earlier version: what it allowed, and what going back to it would change."""
    agent, about = await agent_of(asked)
    called, number = names_of(agent, about), asked.id("version")
    found = [one for one in await past(asked, agent, about) if one.version.version == number]
    if not found:
        raise NotFound
    then = grants.read_grants(found[0].version.grants)
    would = endless(then, called)
    changes = told(asked, compared(held(agent), then, called))
    return await asked.page(
        "console/version.html", one=found[0], would=would, changes=changes, **await around(asked, agent, about)
    )


@PAGES.post("/console/agents/{id}/versions/{version}")
async def revert(asked: Asked) -> Response:
    """Go back to an earlier version."""
    id, number = asked.id(), asked.id("version")
    await asked.web.administration.grants.revert(who(asked), id, number)
    return asked.go(f"/console/agents/{id}", f"Version {number} holds again.")


@PAGES.get("/console/agents/{id}/cedar")
async def cedar(asked: Asked) -> Response:
    """The grants as Cedar policies, to be copied."""
    agent, about = await agent_of(asked)
    text = await asked.web.administration.grants.cedar(asked.account_id, agent.id)
    return await asked.page("console/cedar.html", text=text, **await around(asked, agent, about))
