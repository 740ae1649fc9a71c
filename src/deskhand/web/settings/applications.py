"""Programs that use the API, and administrators' tokens for the administration of agents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest, NotFound
from deskhand.db.engine import Reader
from deskhand.desk.users import queries as users
from deskhand.desk.users.queries import Person
from deskhand.gateway.administering.who import Who
from deskhand.gateway.audit import By
from deskhand.lib.clock import to_wire
from deskhand.oauth import registering
from deskhand.oauth.registering import Registered
from deskhand.web.account.confirming import asked_first, confirmed
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, ask_first, tried, wrong_with

PAGES = Pages("administrator")
_HERE = "/settings/applications"
LIVES = {"": "Until it is revoked", "1": "For a day", "30": "For 30 days", "90": "For 90 days", "365": "For a year"}
"""How long an administrator's token can be good for, in days."""


@PAGES.get(_HERE)
async def show_all(asked: Asked) -> Response:
    """All applications, and the administrators' tokens."""
    return await _list(asked, {}, {})


async def _list(asked: Asked, given: Mapping[str, str], wrong: Wrong) -> Response:
    account_id = asked.account_id

    def read(db: Reader) -> tuple[list[Registered], dict[int, str], dict[int, Person]]:
        found = registering.listed(db, account_id)
        return (
            found,
            registering.last_tokens(db, account_id),
            users.people(db, account_id, [one.user_id for one in found]),
        )

    found, used, people = await asked.read(read)
    return await asked.page(
        "settings/applications/list.html", 400 if wrong else 200, applications=found, used=used, people=people,
        tokens=await asked.web.administration.tokens.listed(account_id), lives=LIVES.items(), wrong=wrong,
        given={"name": "", "days": "90"} | dict(given),
    )  # fmt: skip


@PAGES.get(f"{_HERE}/new")
async def ask_new(asked: Asked) -> Response:
    """The form that registers an application."""
    return await _form(asked, None, {}, {})


@PAGES.post(f"{_HERE}/new")
@confirmed("Making an application")
async def create(asked: Asked) -> Response:
    """Register an application; its secret is shown this once."""
    name, url = asked.form.text("name"), asked.form.text("redirect_url")
    made, wrong = await tried(asked, lambda tx: registering.create(tx, asked.actor, name, url, asked.now))
    if made is None:
        return await _form(asked, None, {"name": name, "redirect_url": url}, wrong)
    return await asked.page("settings/applications/made.html", name=name, made=made, renewed=False)


@PAGES.get(f"{_HERE}/tokens")
async def again(asked: Asked) -> Response:
    """Where a form was sent to there is nothing to be read."""
    return asked.go(_HERE)


@PAGES.post(f"{_HERE}/tokens")
@confirmed("Making an administrator’s token")
async def create_token(asked: Asked) -> Response:
    """Make an administrator's token, which is shown this once."""
    name, days = asked.form.text("name"), asked.form.text("days")
    if days not in LIVES:
        days = ""
    ends = to_wire(asked.web.clock.now() + timedelta(days=int(days))) if days else None
    try:
        made = await asked.web.administration.tokens.make(_who(asked), name, ends)
    except BadRequest as problem:
        return await _list(asked, {"name": name, "days": days}, wrong_with(problem))
    return await asked.page("settings/applications/token.html", made=made)


@PAGES.get(f"{_HERE}/tokens/{{id}}/delete")
async def ask_revoke(asked: Asked) -> Response:
    """What revoking an administrator's token would do."""
    id = asked.id()
    known = {one.id: one for one in await asked.web.administration.tokens.listed(asked.account_id)}
    if id not in known:
        raise NotFound
    name = known[id].name
    does = [f"Programs that use {name} can't administer agents any more, from this moment on."]
    return await ask_first(asked, f"Revoke {name}?", does, up=_HERE, above="Applications", button="Revoke token")


@PAGES.post(f"{_HERE}/tokens/{{id}}/delete")
async def revoke(asked: Asked) -> Response:
    """Revoke an administrator's token."""
    await asked.web.administration.tokens.revoke(_who(asked), asked.id())
    return asked.go(_HERE, "The token is revoked.")


@PAGES.get(_HERE + "/{id}")
async def show(asked: Asked) -> Response:
    """An application, to be changed."""
    return await _form(asked, asked.id(), {}, {})


@PAGES.post(_HERE + "/{id}")
async def change(asked: Asked) -> Response:
    """Rename an application and decide where people go who approved it."""
    id, name, url = asked.id(), asked.form.text("name"), asked.form.text("redirect_url")
    before = await _one(asked)
    if url != before.redirect_url:  # who approves it is sent there, with a code that lets it in
        first = await asked_first(asked, "Changing where an application leads to")
        if first is not None:
            return first
    _, wrong = await tried(asked, lambda tx: registering.change(tx, asked.actor, id, name, url))
    if wrong:
        return await _form(asked, id, {"name": name, "redirect_url": url}, wrong)
    return asked.go(_HERE, f"The application {name} is saved.")


@PAGES.get(_HERE + "/{id}/secret")
async def ask_secret(asked: Asked) -> Response:
    """What a new secret would do."""
    found = await _one(asked)
    does = [
        "The secret that it has now stops working at once.",
        "It is signed out: everybody who uses it has to let it in again.",
        "The new secret is shown once, on the next page.",
    ]
    return await ask_first(
        asked, f"Give {found.name} a new secret?", does, up=f"{_HERE}/{found.id}", above=found.name, button="New secret"
    )  # fmt: skip


@PAGES.post(_HERE + "/{id}/secret")
@confirmed("Making a new secret")
async def renew_secret(asked: Asked) -> Response:
    """Give an application a new secret, which is shown this once."""
    found = await _one(asked)
    made = await asked.write(lambda tx: registering.new_secret(tx, asked.actor, found.id))
    return await asked.page("settings/applications/made.html", name=found.name, made=made, renewed=True)


@PAGES.get(_HERE + "/{id}/delete")
async def ask_delete(asked: Asked) -> Response:
    """What deleting an application would do."""
    found = await _one(asked)
    does = [f"{found.name} can't use the API any more: its tokens end at once.", "What it did stays as it is."]
    return await ask_first(
        asked, f"Delete {found.name}?", does, up=f"{_HERE}/{found.id}", above=found.name, button="Delete application"
    )  # fmt: skip


@PAGES.post(_HERE + "/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Delete an application with its tokens."""
    id = asked.id()
    before = await asked.write(lambda tx: registering.delete(tx, asked.actor, id))
    return asked.go(_HERE, f"The application {before.name} is deleted.")


async def _one(asked: Asked) -> Registered:
    id = asked.id()
    return await asked.read(lambda db: registering.one(db, asked.account_id, id))


async def _form(asked: Asked, id: int | None, given: Mapping[str, Any], wrong: Wrong) -> Response:
    found, person = None, None
    if id is not None:
        found = await _one(asked)
        row = found
        person = (await asked.read(lambda db: users.people(db, asked.account_id, [row.user_id]))).get(row.user_id)
    stored = {"name": found.name, "redirect_url": found.redirect_url} if found else {"name": "", "redirect_url": ""}
    return await asked.page(
        "settings/applications/form.html", 400 if wrong else 200, found=found, person=person, wrong=wrong,
        given=stored | dict(given), base_url=asked.web.base_url,
    )  # fmt: skip


def _who(asked: Asked) -> Who:
    return Who(asked.account_id, By("user", asked.visitor.id), asked.visitor.name)
