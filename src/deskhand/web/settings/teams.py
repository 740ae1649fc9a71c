"""Teams: groups of users that conversations can be given to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations.erasure import closing
from deskhand.desk.teams import managing as teams
from deskhand.desk.teams.managing import TeamMember
from deskhand.desk.users import changing
from deskhand.desk.users.queries import UserRow
from deskhand.desk.workflows.mentioning import mentioning
from deskhand.web import words
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, ask_first, tried

PAGES = Pages("administrator")
_HERE = "/settings/teams"


@PAGES.get(_HERE)
async def show_all(asked: Asked) -> Response:
    """All teams with their members."""

    def read(db: Reader) -> tuple[list[UserRow], dict[int, list[TeamMember]]]:
        return teams.all_of(db, asked.account_id), teams.members(db, asked.account_id)

    found, members = await asked.read(read)
    return await asked.page("settings/teams/list.html", teams=found, members=members)


@PAGES.get(f"{_HERE}/new")
async def ask_new(asked: Asked) -> Response:
    """The form that makes a team."""
    return await _form(asked, None, {}, {})


@PAGES.post(f"{_HERE}/new")
async def create(asked: Asked) -> Response:
    """Make a team."""
    name, members = asked.form.text("name"), asked.form.ids("members")
    _, wrong = await tried(asked, lambda tx: teams.create(tx, asked.actor, name, members, asked.now))
    if wrong:
        return await _form(asked, None, {"name": name, "members": members}, wrong)
    return asked.go(_HERE, f"The team {name} is added.")


@PAGES.get(_HERE + "/{id}")
async def show(asked: Asked) -> Response:
    """A team, to be changed."""
    return await _form(asked, asked.id(), {}, {})


@PAGES.post(_HERE + "/{id}")
async def change(asked: Asked) -> Response:
    """Give a team another name and other members."""
    id, name, members = asked.id(), asked.form.text("name"), asked.form.ids("members")
    _, wrong = await tried(asked, lambda tx: teams.change(tx, asked.actor, id, name, members, asked.now))
    if wrong:
        return await _form(asked, id, {"name": name, "members": members}, wrong)
    return asked.go(_HERE, f"The team {name} is saved.")


@PAGES.get(_HERE + "/{id}/delete")
async def ask_delete(asked: Asked) -> Response:
    """What deleting a team would do."""
    id, account_id = asked.id(), asked.account_id

    def read(db: Reader) -> tuple[UserRow, int, int, list[str]]:
        members = teams.members(db, account_id).get(id, [])
        named = [one.name for one in mentioning(db, account_id, "owner", id)]
        return teams.team(db, account_id, id), len(members), closing.owned(db, account_id, id), named

    team, members, owned, workflows = await asked.read(read)
    does = []
    if owned:
        does.append(f"{words.counted(owned, 'conversation')} of the team will have no owner. None is deleted.")
    does.append(f"{words.counted(members, 'user')} will no longer be in it. Nobody is deleted.")
    if workflows:
        does.append(f"These workflows name it and stop until they are changed: {words.joined(workflows)}.")
    name = team.first_name
    return await ask_first(
        asked, f"Delete the team {name}?", does, up=f"{_HERE}/{id}", above=name, button="Delete team"
    )  # fmt: skip


@PAGES.post(_HERE + "/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Delete a team."""
    id = asked.id()

    def work(tx: Writer) -> str:
        name = teams.team(tx, asked.account_id, id).first_name
        closing.close_team(tx, asked.actor, id, asked.now)
        return name

    return asked.go(_HERE, f"The team {await asked.write(work)} is deleted.")


async def _form(asked: Asked, id: int | None, given: Mapping[str, Any], wrong: Wrong) -> Response:
    account_id = asked.account_id

    def read(db: Reader) -> tuple[dict[str, Any], str, list[UserRow]]:
        stored: dict[str, Any] = {"name": "", "members": []}
        if id is not None:
            team = teams.team(db, account_id, id)
            stored = {"name": team.first_name, "members": [one.id for one in teams.members(db, account_id).get(id, [])]}
        return stored | dict(given), stored["name"], changing.all_of(db, account_id)

    values, name, users = await asked.read(read)
    return await asked.page(
        "settings/teams/form.html", 400 if wrong else 200, id=id, name=name, given=values, wrong=wrong, users=users
    )  # fmt: skip
