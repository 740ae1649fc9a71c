"""Ways to remote desks: how they are, making one, new credentials, removing one. Secrets are never shown."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import AlreadyThere, BadRequest, NotFound
from deskhand.gateway import agents, connections
from deskhand.gateway.agents import AgentRow
from deskhand.gateway.connections import NoKey, Shown
from deskhand.web.console.knowing import who
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")
PATH = "/console/connections"
FIELDS = ("name", "base_url", "client_id", "client_secret", "grant", "code", "refresh_token")
SECRETS = ("client_secret", "code", "refresh_token")


class Card(msgspec.Struct, frozen=True):
    """A connection, whether it worked last, and the agents that use it."""

    shown: Shown
    works: bool
    agents: list[AgentRow]


@PAGES.get(PATH)
async def index(asked: Asked) -> Response:
    """All connections, with how they are."""
    return await asked.page("oversight/connections.html", cards=await _cards(asked))


@PAGES.get(PATH + "/new")
async def new(asked: Asked) -> Response:
    """The form for another connection."""
    return await _form(asked, {"base_url": "https://api.helpscout.net", "grant": "client_credentials"})


@PAGES.post(PATH)
async def make(asked: Asked) -> Response:
    """Make a connection, after it was tried by one call."""
    given = _given(asked)
    try:
        made = await asked.web.connections.make(
            asked.account_id,
            connections.read_given(given),
            asked.web.administration.logs_connection(who(asked), "added"),
        )
    except (BadRequest, NoKey) as problem:
        return await _form(asked, given, problem)
    return asked.go(PATH, f"{made.name} was tried and works.")


@PAGES.get(PATH + "/{id}/credentials")
async def credentials(asked: Asked) -> Response:
    """The form for new credentials of a connection."""
    before = await _shown(asked)
    return await _form(asked, {"grant": before.grant}, before=before)


@PAGES.post(PATH + "/{id}/credentials")
async def renew(asked: Asked) -> Response:
    """Give a connection new credentials for the same desk, after they were tried."""
    before = await _shown(asked)
    given = _given(asked) | {
        "name": before.name, "base_url": before.base_url, "client_id": before.client_id, "grant": before.grant,
    }  # fmt: skip
    also = asked.web.administration.logs_connection(who(asked), "renewed")
    try:
        await asked.web.connections.sign_in_again(asked.account_id, before.id, connections.read_given(given), also)
    except (BadRequest, NoKey) as problem:
        return await _form(asked, given, problem, before)
    return asked.go(PATH, f"{before.name} has new credentials, and they work.")


@PAGES.post(PATH + "/{id}/remove")
async def remove(asked: Asked) -> Response:
    """Remove a connection that no agent uses."""
    before = await _shown(asked)
    also = asked.web.administration.logs_connection(who(asked), "removed")
    try:
        await asked.web.connections.remove(asked.account_id, before.id, also)
    except AlreadyThere as problem:
        text = f"{before.name} can’t be removed: {problem.errors[0].message}. Delete those agents first."
        return await asked.page("oversight/connections.html", 409, cards=await _cards(asked), message=text)
    return asked.go(PATH, f"{before.name} was removed.")


async def _cards(asked: Asked) -> list[Card]:
    shown = await asked.web.connections.listed(asked.account_id)
    living = await asked.read(lambda db: agents.living(db, asked.account_id))
    return [Card(one, _works(one), [agent for agent in living if agent.connection_id == one.id]) for one in shown]


def _works(shown: Shown) -> bool:
    """Whether it went well later than it last went wrong."""
    wrong = shown.health.last_error
    return wrong is None or (shown.health.last_ok or "") >= wrong.at


async def _shown(asked: Asked) -> Shown:
    id = asked.id()
    found = next((one for one in await asked.web.connections.listed(asked.account_id) if one.id == id), None)
    if found is None:
        raise NotFound
    return found


def _given(asked: Asked) -> dict[str, Any]:
    """What was typed. Fields of the other kind of grant don't count."""
    given = {name: text for name in FIELDS if (text := asked.form.text(name))}
    if given.get("grant") != "authorization_code":
        given.pop("code", None)
        given.pop("refresh_token", None)
    return given


async def _form(
    asked: Asked, given: dict[str, Any], problem: BadRequest | NoKey | None = None, before: Shown | None = None
) -> Response:
    """The form with what was typed, but for secrets."""
    errors = {one.path: f"{one.message[:1].upper()}{one.message[1:]}." for one in problem.errors} if problem else {}
    typed = {name: "" if name in SECRETS else str(given.get(name, "")) for name in FIELDS}
    message = problem.message if isinstance(problem, NoKey) else ""
    return await asked.page(
        "oversight/connection.html", problem.status if problem else 200, typed=typed, errors=errors, before=before,
        message=message,
    )  # fmt: skip
