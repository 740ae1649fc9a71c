"""The visitor's own profile."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest, NotFound
from deskhand.desk.users import profile, queries
from deskhand.desk.users.profile import Profile
from deskhand.web.pages import Asked, Pages

PAGES = Pages()
PATH = "/account"


@PAGES.get(PATH)
async def show(asked: Asked) -> Response:
    """The profile, to be changed."""
    row = await asked.read(lambda db: queries.by_id(db, asked.account_id, asked.visitor.id))
    if row is None:
        raise NotFound
    found = {name: getattr(row, name) for name in Profile.__struct_fields__}
    return await _form(asked, Profile(**found | {"timezone": asked.visitor.timezone}))


@PAGES.post(PATH)
async def change(asked: Asked) -> Response:
    """Change it."""
    wanted = Profile(**{name: asked.form.text(name) for name in Profile.__struct_fields__})
    try:
        await asked.write(lambda tx: profile.change(tx, asked.actor, wanted, asked.now))
    except BadRequest as problem:
        return await _form(asked, wanted, {one.path: one.message for one in problem.errors})
    return asked.go(PATH, "Your profile is saved.")


async def _form(asked: Asked, values: Profile, wrong: dict[str, str] | None = None) -> Response:
    return await asked.page(
        "account/profile.html",
        400 if wrong else 200,
        values=msgspec.structs.asdict(values),
        wrong=wrong or {},
        regions=profile.zones_of_regions(),
    )
