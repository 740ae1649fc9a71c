"""First steps: from no agent to one whose first call has arrived."""

from __future__ import annotations

from starlette.responses import Response

from deskhand.gateway.activity import newest_call
from deskhand.web.console import explaining
from deskhand.web.console.agents import making
from deskhand.web.console.knowing import action_words, known
from deskhand.web.console.knowing import in_words as in_words_of
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")


@PAGES.get("/console/start")
async def show(asked: Asked) -> Response:
    """The steps for the agent that the query names, or for the one that was made last."""
    agents = await asked.web.administration.agents.listed(asked.account_id)
    newest = agents[-1] if agents else None
    agent = next((one for one in agents if str(one.id) == asked.query("agent")), newest)
    call, first = None, ""
    if agent is not None:
        id = agent.id
        call = await asked.read(lambda db: newest_call(db, asked.account_id, id))
        first = await explaining.first_call(asked, id)
    about = await asked.read(lambda db: known(db, asked.account_id))
    return await asked.page(
        "console/start.html", agents=agents, agent=agent, call=call, base_url=asked.web.base_url,
        may=in_words_of(agent, about) if agent is not None else "", action_words=action_words, made=None,
        first_call=first or explaining.CALLS[0], refused=not first,
        **await making(asked),
    )  # fmt: skip
