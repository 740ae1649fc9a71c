"""The people who work here: inviting them, what they may do and see, and letting them go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.catalogue.users import NewUser
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations.erasure import closing, leaving
from deskhand.desk.inboxes import inviting
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.teams import managing as teams
from deskhand.desk.users import changing, sign_in_links
from deskhand.desk.users import verbs as users
from deskhand.desk.users.changing import UserChange
from deskhand.desk.users.queries import UserRow
from deskhand.desk.workflows.mentioning import mentioning
from deskhand.lib.text import fold
from deskhand.oauth import of_users, second_factor
from deskhand.oauth.of_users import Seen
from deskhand.outbox import events
from deskhand.web import words
from deskhand.web.account.confirming import asked_first, confirmed
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, ask_first, page_number, shaped, tried

PAGES = Pages("administrator")
HERE = "/settings/users"
_SHOWN = 50
ROLES = {
    "owner": ("Owner", "Everything, the account and other owners included."),
    "admin": ("Administrator", "All inboxes, all settings and all agents."),
    "user": ("User", "Answers customers in the inboxes chosen below."),
    "light user": ("Light user", "Reads and writes notes in the inboxes chosen below, but doesn't answer customers."),
}
"""What the roles are called, and what they are for."""


class _Line(msgspec.Struct, frozen=True):
    """A user as the list shows them."""

    row: UserRow
    name: str
    role: str
    inboxes: str
    seen: Seen | None
    second_factor: bool


@PAGES.get(HERE)
async def show_all(asked: Asked) -> Response:
    """All users; `q` looks in names and addresses."""
    q, page = asked.query("q"), page_number(asked)

    def read(db: Reader) -> list[_Line]:
        account_id = asked.account_id
        names = {row.id: row.name for row in inboxes.all_of(db, account_id)}
        let_in, seen = changing.seen_inboxes(db, account_id), of_users.seen(db, account_id, asked.now)
        secured = of_users.with_second_factor(db, account_id)
        return [
            _Line(
                row, name_of(row), ROLES[row.role][0] if row.role in ROLES else row.role,
                _inboxes(row, let_in.get(row.id, []), names), seen.get(row.id), row.id in secured,
            )
            for row in changing.all_of(db, account_id)
            if not q or fold(q) in fold(f"{row.first_name} {row.last_name} {row.email}")
        ]  # fmt: skip

    found = await asked.read(read)
    last = max(1, -(-len(found) // _SHOWN))
    page = min(page, last)
    shown = found[(page - 1) * _SHOWN : page * _SHOWN]
    return await asked.page("settings/users/list.html", lines=shown, total=len(found), q=q, number=page, last=last)


@PAGES.get(f"{HERE}/new")
async def ask_new(asked: Asked) -> Response:
    """The form that invites somebody."""
    return await _new(asked, {"role": "user", "inboxes": [row.id for row in await _all_inboxes(asked)]}, {})


@PAGES.post(f"{HERE}/new")
@confirmed("Inviting somebody")
async def invite(asked: Asked) -> Response:
    """Invite somebody, who gets a mail with a link."""
    form = asked.form
    given = {name: form.text(name) for name in ("first_name", "last_name", "email", "role", "job_title")}
    chosen = form.ids("inboxes")

    def work(tx: Writer) -> int:
        if given["role"] not in ("admin", "user", "light user"):
            raise BadRequest(FieldError("role", "must be one of those shown", "EnumValue"))
        new = shaped(
            NewUser,
            {
                "firstName": given["first_name"], "lastName": given["last_name"], "email": given["email"],
                "role": given["role"], "jobTitle": given["job_title"] or None,
                "mailboxes": [{"id": id} for id in chosen],
            },
        )  # fmt: skip
        tx.changed(events.PAGES)
        return inviting.invite(tx, asked.actor, new, asked.now)

    id, wrong = await tried(asked, work)
    if id is None:
        return await _new(asked, given | {"inboxes": chosen}, wrong)
    return asked.go(HERE, f"{given['first_name']} has been invited. A mail is on its way to {given['email']}.")


async def _new(asked: Asked, given: Mapping[str, Any], wrong: Wrong) -> Response:
    empty = dict.fromkeys(("first_name", "last_name", "email", "job_title"), "")
    roles = {name: words for name, words in ROLES.items() if name != "owner"}
    return await asked.page(
        "settings/users/new.html", 400 if wrong else 200, given=empty | dict(given), wrong=wrong, roles=roles,
        inboxes=await _all_inboxes(asked),
    )  # fmt: skip


@PAGES.get(HERE + "/{id}")
async def show(asked: Asked) -> Response:
    """A user, to be changed."""
    return await _show(asked, None, {})


@PAGES.post(HERE + "/{id}")
async def change(asked: Asked) -> Response:
    """Change a user's name, address, role and inboxes."""
    id, form = asked.id(), asked.form
    wanted = UserChange(
        first_name=form.text("first_name"), last_name=form.text("last_name"), email=form.text("email"),
        role=form.text("role"), job_title=form.text("job_title"),
    )  # fmt: skip
    chosen = form.ids("inboxes")
    given = msgspec.structs.asdict(wanted) | {"inboxes": chosen}
    before = await asked.read(lambda db: changing.user(db, asked.account_id, id))
    opens = _opens(before, wanted)
    first = await asked_first(asked, opens) if opens else None
    if first is not None:
        return first

    def work(tx: Writer) -> None:
        changing.change(tx, asked.actor, id, wanted, asked.now)
        known = inboxes.by_ids(tx, asked.account_id, chosen)
        if len(known) < len(set(chosen)):
            raise BadRequest(FieldError("inboxes", "must be inboxes of this account", "ValidIdentifier"))
        users.set_inboxes(tx, asked.account_id, id, tuple(known))

    _, wrong = await tried(asked, work)
    if wrong:
        return await _show(asked, given, wrong)
    return asked.go(f"{HERE}/{id}", f"{wanted.first_name}'s settings are saved.")


async def _show(asked: Asked, given: Mapping[str, Any] | None, wrong: Wrong) -> Response:
    id, account_id = asked.id(), asked.account_id

    def read(db: Reader) -> dict[str, Any]:
        row = changing.user(db, account_id, id)
        stored = msgspec.structs.asdict(row) | {"inboxes": changing.seen_inboxes(db, account_id).get(id, [])}
        return {
            "row": row,
            "given": stored | dict(given or {}),
            "inboxes": inboxes.all_of(db, account_id),
            "seen": of_users.seen(db, account_id, asked.now).get(id),
            "second_factor": second_factor.is_on(db, account_id, id),
            "teams": [
                team
                for team in teams.all_of(db, account_id)
                if any(one.id == id for one in teams.members(db, account_id).get(team.id, []))
            ],
        }

    found = await asked.read(read)
    return await asked.page(
        "settings/users/form.html", 400 if wrong else 200, wrong=wrong, roles=_roles(asked, found["row"]),
        name=name_of(found["row"]), mine=id == asked.visitor.id, may=_may(asked, found["row"]), **found,
    )  # fmt: skip


@PAGES.post(HERE + "/{id}/invite")
async def invite_again(asked: Asked) -> Response:
    """Mail an invitation again."""
    id = asked.id()
    await asked.write(lambda tx: sign_in_links.invite_again(tx, asked.actor, id, asked.now))
    return asked.go(f"{HERE}/{id}", "The invitation is on its way again. The link sent before no longer works.")


@PAGES.get(HERE + "/{id}/delete")
async def ask_delete(asked: Asked) -> Response:
    """What deleting a user would do."""
    id, account_id = asked.id(), asked.account_id

    def read(db: Reader) -> tuple[UserRow, int, list[str]]:
        row = changing.user(db, account_id, id)
        named = [one.name for one in mentioning(db, account_id, "owner", id)]
        return row, closing.owned(db, account_id, id), named

    row, owned, workflows = await asked.read(read)
    first = row.first_name or name_of(row)
    blocked = ""
    if row.id == asked.visitor.id:
        blocked = "Nobody can delete themselves. Somebody else has to do it."
    elif row.role == "owner":
        blocked = "An owner can't be deleted. Make them an administrator first."
    does = [f"{first} is signed out everywhere and can't sign in any more."]
    if owned:
        does.append(f"{words.counted(owned, 'conversation')} of theirs will have no owner. None is deleted.")
    does.append(f"{first} leaves all teams and inboxes. Their name stays at what they wrote.")
    if workflows:
        does.append(f"These workflows name {first} and stop until they are changed: {words.joined(workflows)}.")
    return await ask_first(
        asked, f"Delete {name_of(row)}?", does, up=f"{HERE}/{id}", above=name_of(row), button="Delete user",
        blocked=blocked,
    )  # fmt: skip


@PAGES.post(HERE + "/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Delete a user; their conversations have no owner then."""
    id = asked.id()

    def work(tx: Writer) -> UserRow:
        row = changing.user(tx, asked.account_id, id)
        leaving.leave(tx, asked.actor, id, asked.now)
        of_users.sign_out(tx, asked.account_id, id)
        sign_in_links.withdraw(tx, asked.account_id, id)
        tx.changed(events.PAGES)
        return row

    row = await asked.write(work)
    return asked.go(HERE, f"{name_of(row)} is deleted.")


async def _all_inboxes(asked: Asked) -> list[InboxRow]:
    return await asked.read(lambda db: inboxes.all_of(db, asked.account_id))


def name_of(row: UserRow) -> str:
    """A user's name, or else their address."""
    return words.full_name(row.first_name, row.last_name, row.email or "")


def _inboxes(row: UserRow, let_in: Sequence[int], names: Mapping[int, str]) -> str:
    """Which inboxes somebody sees, in a few words."""
    if row.role in ("owner", "admin"):
        return "All inboxes"
    known = [names[id] for id in let_in if id in names]
    if not known:
        return "No inbox"
    return words.joined(known) if len(known) <= 3 else f"{known[0]}, {known[1]} and {len(known) - 2} more"


def _opens(before: UserRow, wanted: UserChange) -> str:
    """What of a change could let somebody in for good; empty where nothing could."""
    if wanted.email.strip().lower() != before.email:  # whoever has somebody's address can take their place
        return "Changing somebody’s address"
    names = list(ROLES)
    known = wanted.role in names and before.role in names
    return "Giving somebody more rights" if known and names.index(wanted.role) < names.index(before.role) else ""


def _may(asked: Asked, row: UserRow) -> bool:
    """Whether the visitor may change them."""
    return row.role != "owner" or asked.actor.role == "owner"


def _roles(asked: Asked, row: UserRow) -> dict[str, tuple[str, str]]:
    """The roles that the visitor can give somebody: nobody raises themselves, and only owners make owners."""
    names = list(ROLES)
    if asked.actor.role != "owner" and row.role != "owner":
        names.remove("owner")
    if row.id == asked.visitor.id:
        names = [name for name in names if list(ROLES).index(name) >= list(ROLES).index(row.role)]
    return {name: ROLES[name] for name in names}
