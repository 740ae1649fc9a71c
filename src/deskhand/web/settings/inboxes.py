"""Inboxes: the addresses customers write to, and who answers there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.desk import counters
from deskhand.desk.conversations.erasure import closing
from deskhand.desk.inboxes import mail_settings, queries
from deskhand.desk.inboxes import managing as inboxes
from deskhand.desk.inboxes.mail_settings import MailSettings
from deskhand.desk.inboxes.managing import InboxChange
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.saved_replies import listing as saved_replies
from deskhand.desk.teams import managing as teams
from deskhand.desk.users import changing
from deskhand.desk.users.queries import UserRow
from deskhand.desk.workflows.mentioning import mentioning
from deskhand.web import words
from deskhand.web.forms import Form
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, ask_first, tried

PAGES = Pages("administrator")
_HERE = "/settings/inboxes"
STATUSES = {"active": "Active", "pending": "Pending", "closed": "Closed"}


class _Line(msgspec.Struct, frozen=True):
    """An inbox as the list shows it."""

    row: InboxRow
    conversations: int
    people: int
    answers: bool


@PAGES.get(_HERE)
async def show_all(asked: Asked) -> Response:
    """All inboxes."""
    account_id = asked.account_id

    def read(db: Reader) -> list[_Line]:
        let_in, users = inboxes.seen_by(db, account_id), changing.all_of(db, account_id)
        everywhere = {row.id for row in users if row.role in ("owner", "admin")}
        active = mail_settings.answering(db, account_id)
        found = queries.all_of(db, account_id)
        totals = counters.by_inbox(db, account_id, "status")
        return [
            _Line(row, totals.get(row.id, 0), len(everywhere | set(let_in.get(row.id, []))), row.id in active)
            for row in found
        ]

    return await asked.page("settings/inboxes/list.html", lines=await asked.read(read))


@PAGES.get(f"{_HERE}/new")
async def ask_new(asked: Asked) -> Response:
    """The form that makes an inbox."""
    return await _form(asked, None, None, {})


@PAGES.post(f"{_HERE}/new")
async def create(asked: Asked) -> Response:
    """Make an inbox."""
    wanted, users = _wanted(asked.form)
    id, wrong = await tried(asked, lambda tx: inboxes.create(tx, asked.actor, wanted, users, asked.now))
    if id is None:
        return await _form(asked, None, _given(wanted, users), wrong)
    return asked.go(f"{_HERE}/{id}/mail", f"The inbox {wanted.name} is added. Now decide how its mail comes and goes.")


@PAGES.get(_HERE + "/{id}")
async def show(asked: Asked) -> Response:
    """An inbox, to be changed."""
    return await _form(asked, asked.id(), None, {})


@PAGES.post(_HERE + "/{id}")
async def change(asked: Asked) -> Response:
    """Change an inbox and who sees it."""
    id = asked.id()
    wanted, users = _wanted(asked.form)
    _, wrong = await tried(asked, lambda tx: inboxes.change(tx, asked.actor, id, wanted, users, asked.now))
    if wrong:
        return await _form(asked, id, _given(wanted, users), wrong)
    return asked.go(f"{_HERE}/{id}", f"The inbox {wanted.name} is saved.")


@PAGES.get(_HERE + "/{id}/delete")
async def ask_delete(asked: Asked) -> Response:
    """What deleting an inbox would do; one with conversations can't be deleted."""
    id, account_id = asked.id(), asked.account_id

    def read(db: Reader) -> tuple[InboxRow, str, int, int, list[str]]:
        row = _one(db, account_id, id)
        fields, replies = queries.fields_of(db, account_id, [id]), saved_replies.of_inboxes(db, account_id, [id])
        named = [one.name for one in mentioning(db, account_id, "inbox", id)]
        return row, closing.what_keeps_inbox(db, account_id, id), len(fields), len(replies), named

    row, blocked, fields, replies, workflows = await asked.read(read)
    does = [f"Mail to {row.email} is no longer taken."]
    if fields or replies:
        counted = (words.counted(fields, "custom field"), words.counted(replies, "saved reply", "saved replies"))
        does.append(f"{words.joined(counted)} of it are deleted.")
    if workflows:
        does.append(f"These workflows name it and stop until they are changed: {words.joined(workflows)}.")
    return await ask_first(
        asked, f"Delete the inbox {row.name}?", does, up=f"{_HERE}/{id}", above=row.name, button="Delete inbox",
        blocked=blocked,
    )  # fmt: skip


@PAGES.post(_HERE + "/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Delete an empty inbox."""
    id = asked.id()

    def work(tx: Writer) -> str:
        name = _one(tx, asked.account_id, id).name
        closing.close_inbox(tx, asked.actor, id, asked.now)
        return name

    return asked.go(_HERE, f"The inbox {await asked.write(work)} is deleted.")


async def _form(asked: Asked, id: int | None, given: Mapping[str, Any] | None, wrong: Wrong) -> Response:
    account_id = asked.account_id

    def read(db: Reader) -> dict[str, Any]:
        users = changing.all_of(db, account_id)
        row, mail = None, MailSettings()
        stored: dict[str, Any] = {
            "name": "", "email": "", "slug": "", "default_status": "active", "default_assignee_id": None,
            "users": [one.id for one in users],
        }  # fmt: skip
        if id is not None:
            row, mail = _one(db, account_id, id), mail_settings.read(db, account_id, id)
            stored |= msgspec.structs.asdict(row)
            stored |= {"users": inboxes.seen_by(db, account_id).get(id, [])}
        return {
            "inbox": row,
            "mail": mail,
            "given": stored | dict(given or {}),
            "people": [one for one in users if one.role not in ("owner", "admin")],
            "everywhere": [words.full_name(one.first_name, one.last_name) for one in users if _sees_all(one)],
            "owners": _owners(users, teams.all_of(db, account_id)),
        }

    found = await asked.read(read)
    return await asked.page(
        "settings/inboxes/form.html", 400 if wrong else 200, wrong=wrong, statuses=STATUSES, **found
    )  # fmt: skip


def _sees_all(row: UserRow) -> bool:
    return row.role in ("owner", "admin")


def _owners(users: Sequence[UserRow], found: Sequence[UserRow]) -> list[tuple[str, str]]:
    """Who can own new conversations: nobody, users and teams."""
    people = [(str(one.id), words.full_name(one.first_name, one.last_name, one.email or "")) for one in users]
    return [("", "Nobody"), *people, *((str(one.id), f"{one.first_name} (team)") for one in found)]


def _wanted(form: Form) -> tuple[InboxChange, list[int]]:
    """What a form says about an inbox, and who sees it."""
    wanted = InboxChange(
        name=form.text("name"), email=form.text("email"), slug=form.text("slug"),
        default_assignee_id=form.id("default_assignee_id"), default_status=form.text("default_status") or "active",
    )  # fmt: skip
    return wanted, form.ids("users")


def _given(wanted: InboxChange, users: Sequence[int]) -> dict[str, Any]:
    return msgspec.structs.asdict(wanted) | {"users": list(users)}


def _one(db: Reader, account_id: int, id: int) -> InboxRow:
    found = queries.by_id(db, account_id, id)
    if found is None:
        raise NotFound
    return found
