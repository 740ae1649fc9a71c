"""How somebody else gets in: signing them out, and letting them in without a code who lost the app that makes them."""

from __future__ import annotations

from starlette.responses import Response

from deskhand.db.engine import Writer
from deskhand.desk.users import changing
from deskhand.desk.users.queries import UserRow
from deskhand.oauth import of_users, second_factor
from deskhand.web.account.confirming import confirmed
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.users import HERE, name_of

PAGES = Pages("administrator")


@PAGES.post(HERE + "/{id}/sign-out")
async def sign_out(asked: Asked) -> Response:
    """Sign a user out everywhere."""
    id = asked.id()

    def work(tx: Writer) -> UserRow:
        row = changing.user(tx, asked.account_id, id)
        changing.require_may_change(asked.actor, row)
        of_users.sign_out(tx, asked.account_id, id)
        return row

    row = await asked.write(work)
    return asked.go(f"{HERE}/{id}", f"{row.first_name} is signed out of all browsers and programs.")


@PAGES.get(HERE + "/{id}/second-factor")
async def ask_second_factor(asked: Asked) -> Response:
    """Whether somebody's second factor shall be turned off; nobody does so for themselves here."""
    id = asked.id()
    row = await asked.read(lambda db: changing.user(db, asked.account_id, id))
    if id == asked.visitor.id:
        return asked.go("/account/second-factor/off")
    changing.require_may_change(asked.actor, row)
    return await asked.page(
        "account/confirm.html", title=f"Turn off the second factor of {name_of(row)}?",
        text="Then their password alone is enough to sign in, until they set up another app. They are signed out "
        "everywhere, and a mail tells them of it.",
        button="Turn it off", danger=True, up=f"{HERE}/{id}", how="recent", provider="", wrong="",
    )  # fmt: skip


@PAGES.post(HERE + "/{id}/second-factor")
@confirmed("Turning off somebody’s second factor")
async def drop_second_factor(asked: Asked) -> Response:
    """Let somebody in without a code who lost the app that makes them; they can set up another."""
    id = asked.id()
    if id == asked.visitor.id:
        return asked.go("/account/second-factor/off")

    def work(tx: Writer) -> UserRow:
        row = second_factor.switch_off_for(tx, asked.actor, id, asked.now, asked.visitor.name)
        of_users.sign_out(tx, asked.account_id, id)
        return row

    row = await asked.write(work)
    return asked.go(f"{HERE}/{id}", f"{row.first_name} signs in without a code now, until they set up another app.")
