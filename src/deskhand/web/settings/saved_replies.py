"""Saved replies: texts that are written again and again, for each inbox its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import nh3
from markupsafe import Markup
from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest, FieldError, empty
from deskhand.catalogue.saved_replies import SavedReplyFields
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations.saved_reply_uses import Uses, uses
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.saved_replies import listing, queries, verbs
from deskhand.desk.saved_replies.listing import Listed
from deskhand.desk.workflows.mentioning import mentioning
from deskhand.lib.text import fold, plain, preview
from deskhand.mail.safe_html import safe
from deskhand.mail.variables import filled, people
from deskhand.outbox import events
from deskhand.web import words
from deskhand.web.forms import Form
from deskhand.web.inbox import cleaning
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, ask_first, page_number, shaped, tried

PAGES = Pages("administrator")
_HERE = "/settings/saved-replies"
_SHOWN = 50
VARIABLES = {
    "customer.firstName": "the customer's first name",
    "customer.lastName": "their last name",
    "customer.fullName": "both names",
    "customer.email": "their address",
    "user.firstName": "the first name of whoever answers",
    "user.lastName": "their last name",
    "user.fullName": "both names",
    "user.email": "their address",
    "mailbox.name": "the inbox's name",
    "mailbox.email": "its address",
    "conversation.number": "the conversation's number",
    "conversation.subject": "its subject",
}
"""What can stand in a saved reply for what is different each time."""
_SHOWABLE = nh3.Cleaner(
    tags=nh3.ALLOWED_TAGS - {"img"}, attributes={"a": {"href"}}, link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)  # fmt: skip
"""What pages of ours may show: without styles and pictures, which their policy refuses."""


class _Line(msgspec.Struct, frozen=True):
    """A saved reply as the list shows it."""

    id: int
    name: str
    preview: str
    inbox: str
    used: Uses | None


@PAGES.get(_HERE)
async def show_all(asked: Asked) -> Response:
    """Saved replies of all inboxes or of the one that `inbox` names; `q` looks in names and beginnings."""
    wanted, q = asked.query("inbox"), asked.query("q")
    page = page_number(asked)

    def read(db: Reader) -> tuple[list[InboxRow], list[Listed], dict[int, Uses]]:
        found = inboxes.all_of(db, asked.account_id)
        ids = [one.id for one in found if wanted in ("", str(one.id))]
        listed = [
            one
            for one in listing.of_inboxes(db, asked.account_id, ids)
            if not q or fold(q) in fold(f"{one.name} {plain(one.text or '')}")
        ]
        shown = listed[(page - 1) * _SHOWN : page * _SHOWN]
        return found, listed, uses(db, asked.account_id, [one.id for one in shown])

    found, listed, used = await asked.read(read)
    names = {one.id: one.name for one in found}
    lines = [
        _Line(one.id, one.name, preview(one.text or ""), names[one.inbox_id], used.get(one.id))
        for one in listed[(page - 1) * _SHOWN : page * _SHOWN]
    ]
    return await asked.page(
        "settings/saved_replies/list.html", inboxes=found, lines=lines, total=len(listed), wanted=wanted, q=q,
        number=page, last=max(1, -(-len(listed) // _SHOWN)),
    )  # fmt: skip


@PAGES.get(f"{_HERE}/new")
async def ask_new(asked: Asked) -> Response:
    """The form that makes a saved reply."""
    return await _form(asked, None, {"inbox": asked.query("inbox")}, {})


@PAGES.post(f"{_HERE}/new")
async def create(asked: Asked) -> Response:
    """Make a saved reply."""
    inbox_id, name = asked.form.id("inbox") or 0, asked.form.text("name")

    def work(tx: Writer) -> int:
        tx.changed(events.PAGES)
        return verbs.add(tx, asked.actor, inbox_id, _fields(name, _typed(asked.form), None), asked.now)

    return await _done(asked, None, work)


@PAGES.get(_HERE + "/{id}")
async def show(asked: Asked) -> Response:
    """A saved reply, to be changed."""
    return await _form(asked, asked.id(), {}, {})


@PAGES.post(_HERE + "/{id}")
async def change(asked: Asked) -> Response:
    """Change a saved reply's name and text."""
    id, name = asked.id(), asked.form.text("name")

    def work(tx: Writer) -> int:
        inbox_id = listing.inbox_of(tx, asked.account_id, id)
        before = queries.seen_by(tx, asked.actor, inbox_id, id)
        given = _fields(name, _typed(asked.form, before.text or ""), before.chat_text)
        verbs.change(tx, asked.actor, inbox_id, id, given, asked.now)
        tx.changed(events.PAGES)
        return id

    return await _done(asked, id, work)


async def _done(asked: Asked, id: int | None, work: Any) -> Response:
    """Save, or show the form again with a preview or with what is wrong."""
    form = asked.form
    given = {"inbox": form.text("inbox"), "name": form.text("name"), "html": _typed(form)}
    if form.has("preview"):
        return await _form(asked, id, given, {}, shown=True)
    saved, wrong = await tried(asked, work)
    if saved is None:
        return await _form(asked, id, given, wrong)
    inbox_id = await asked.read(lambda db: listing.inbox_of(db, asked.account_id, saved))
    return asked.go(f"{_HERE}?inbox={inbox_id}", f"The saved reply {given['name']} is saved.")


@PAGES.get(_HERE + "/{id}/delete")
async def ask_delete(asked: Asked) -> Response:
    """What deleting a saved reply would do."""
    id, account_id = asked.id(), asked.account_id

    def read(db: Reader) -> tuple[str, Uses | None, list[str]]:
        row = queries.seen_by(db, asked.actor, listing.inbox_of(db, account_id, id), id)
        named = [one.name for one in mentioning(db, account_id, "reply", id)]
        return row.name, uses(db, account_id, [id]).get(id), named

    name, used, workflows = await asked.read(read)
    does = ["Nobody can write with it any more."]
    if used is not None:
        does.append(f"{words.counted(used.n, 'message')} written with it will stay as they are.")
    if workflows:
        does.append(f"These workflows send it and stop until they are changed: {words.joined(workflows)}.")
    return await ask_first(
        asked, f"Delete the saved reply {name}?", does, up=f"{_HERE}/{id}", above=name, button="Delete saved reply"
    )  # fmt: skip


@PAGES.post(_HERE + "/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Delete a saved reply."""
    id = asked.id()

    def work(tx: Writer) -> tuple[int, str]:
        inbox_id = listing.inbox_of(tx, asked.account_id, id)
        name = queries.seen_by(tx, asked.actor, inbox_id, id).name
        verbs.delete(tx, asked.actor, inbox_id, id, asked.now)
        tx.changed(events.PAGES)
        return inbox_id, name

    inbox_id, name = await asked.write(work)
    return asked.go(f"{_HERE}?inbox={inbox_id}", f"The saved reply {name} is deleted.")


async def _form(
    asked: Asked, id: int | None, given: Mapping[str, Any], wrong: Wrong, *, shown: bool = False
) -> Response:
    account_id = asked.account_id

    def read(db: Reader) -> tuple[dict[str, Any], list[InboxRow], Uses | None]:
        found = inboxes.all_of(db, account_id)
        stored: dict[str, Any] = {"inbox": "", "name": "", "html": ""}
        if id is not None:
            row = queries.seen_by(db, asked.actor, listing.inbox_of(db, account_id, id), id)
            stored = {"inbox": str(row.inbox_id), "name": row.name, "html": row.text or ""}
        return stored, found, uses(db, account_id, [id]).get(id) if id else None

    stored, found, used = await asked.read(read)
    values = stored | dict(given) | ({"inbox": stored["inbox"]} if id else {})
    inbox = next((one for one in found if str(one.id) == values["inbox"]), found[0] if found else None)
    html = values["html"]
    return await asked.page(
        "settings/saved_replies/form.html", 400 if wrong else 200, id=id, name=stored["name"], given=values,
        wrong=wrong, inboxes=found, used=used, variables=VARIABLES,
        editable=cleaning.editable(html), text=cleaning.as_text(html),
        sample=_sample(asked, html, inbox) if shown or "{%" in html else None,
    )  # fmt: skip


def _typed(form: Form, before: str = "") -> str:
    """The text that a form has. Without the editor it is plain, and what was left alone keeps its formatting."""
    if not form.raw("html") and before and form.raw("text").split() == cleaning.as_text(before).split():
        return before
    return cleaning.written(form.raw("html"), form.raw("text"))


def _fields(name: str, html: str, chat_text: str | None) -> SavedReplyFields:
    if not name:
        raise BadRequest(empty("name"))
    if not html and not chat_text:
        raise BadRequest(FieldError("text", "may not be empty", "NotEmpty"))
    return shaped(SavedReplyFields, {"name": name, "text": html or None, "chatText": chat_text})


def _sample(asked: Asked, html: str, inbox: InboxRow | None) -> Markup:
    """How a reply looks to a customer, with somebody's names in it. It has been cleaned, so it is no danger here."""
    first, _, last = asked.visitor.name.partition(" ")
    values = {
        **people("customer", "Mona", "Lind", "mona.lind@example.com"),
        **people("user", first, last, asked.visitor.email),
        "mailbox.name": inbox.name if inbox else "", "mailbox.email": inbox.email if inbox else "",
        "conversation.number": "1042", "conversation.subject": "Where is my order?",
    }  # fmt: skip
    return Markup(_SHOWABLE.clean(safe(filled(html, values))))
