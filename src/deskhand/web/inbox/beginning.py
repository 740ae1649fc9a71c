"""Beginning a conversation: a mail to a customer, a note of a call, or a note for the team alone."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.responses import Response

from deskhand.catalogue.conversations import NewConversation, NewThread
from deskhand.catalogue.customers import NAME_MOST, CustomerReference
from deskhand.catalogue.problems import AccessDenied, BadRequest, Problem, TooLarge
from deskhand.catalogue.values import Email, Recipient
from deskhand.db.engine import Reader
from deskhand.desk.conversations.drafts import mentions
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.departing import Ready
from deskhand.desk.conversations.drafts.mentions import Colleague
from deskhand.desk.conversations.drafts.unsent import Typed, UnsentFile, UnsentLine
from deskhand.desk.customers.suggesting import suggestions
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.mail.variables import marked, unfilled
from deskhand.web import words
from deskhand.web.inbox import cleaning, given, kept, sendoff, unsent
from deskhand.web.inbox.onward import came_from
from deskhand.web.inbox.panel import STATUSES
from deskhand.web.inbox.picking import Pick, answered, variables
from deskhand.web.pages import Asked, Pages, worded
from deskhand.web.said import Undo

PAGES = Pages()
_TYPED = ("to", "name", "cc", "bcc", "subject", "tags", "owner", "back")
_ELSEWHERE = "You wrote something else here in another window. What is below goes out when you send it now."
KINDS = {"email": "E-mail", "phone": "Phone call", "note": "Note for the team"}


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """The form for a new conversation as it stands."""

    inboxes: list[InboxRow]
    inbox_id: int
    colleagues: list[Colleague]
    kind: str = "email"
    to: str = ""
    name: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    tags: str = ""
    status: str = "closed"
    owner: str = ""
    token: str = ""
    key: str = ""
    """By which the form is kept."""
    known_form: str = ""
    """The form that kept it before."""
    saved: bool = False
    files: list[UnsentFile] = []
    back: str = "/"
    others: list[UnsentLine] = []
    """What else was not sent."""
    faults: dict[str, str] = {}
    wrong: list[str] = []
    other: str = ""
    """What another window has kept in this form."""

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """What sending may set, with the one first that is offered first."""
        first = [(self.status, STATUSES[self.status])] if self.status in STATUSES else []
        return [*first, *((key, said) for key, said in STATUSES.items() if key != self.status)]


@PAGES.get("/new")
async def show(asked: Asked) -> Response:
    """The form, for the inbox and the address that the query names, or one that is kept (`unsent`)."""
    key = kept.key_of(asked.query("unsent"))
    known = await asked.read(lambda db: _known(db, asked, key))
    if known is not None and known.get("held"):
        return asked.go("/new", "Sent.", undo=Undo("/new/undo", {"unsent": key}))
    given_here = {"to": asked.query("to"), "subject": asked.query("subject"), "back": came_from(asked)}
    typed = known or given_here
    return await _page(asked, 200, key, str(typed.pop("inbox", asked.query("inbox"))), **typed)


@PAGES.post("/new")
async def begin(asked: Asked) -> Response:
    """Begin it, and show it; a mail leaves a little later, and until then there is nothing to show."""
    key = kept.key_of(asked.form.text("unsent"))
    if kept.forwarded_by(key) is not None:
        raise BadRequest
    back = asked.form.text("back") or "/"
    try:
        typed = await unsent.typed(asked, key)
        files = await given.files(asked)
        has_files = bool(files) or bool(await sendoff.kept_files(asked, key))
        ready = await _ready(asked, typed, has_files=has_files)
        held = _kind(asked) == "email" and not asked.form.has("keep")
        sent = await sendoff.send(asked, typed, ready, files, held=held, path=back if held else "")
    except sendoff.Elsewhere as elsewhere:
        return await _again(asked, key, elsewhere)
    except (BadRequest, TooLarge, _Faults) as problem:
        return await _again(asked, key, problem)
    if sent.led_to is not None:
        return asked.go(sent.led_to or "/", "Sent.")
    if sent.seconds:
        return asked.go(back, "Sent.", undo=unsent.undo_of(key, sent.seconds))
    said = {"email": "Sent.", "phone": "Call noted.", "note": "Noted."}[_kind(asked)]
    return asked.go(f"/conversation/{sent.conversation_id}", said)


@PAGES.get("/new/customers")
async def customers(asked: Asked) -> Response:
    """Customers whose name or address begins with what was typed."""
    found = await asked.read(lambda db: suggestions(db, asked.account_id, asked.query("q")))
    return answered(
        [Pick(one.id, words.full_name(one.first_name, one.last_name, one.email), one.email) for one in found]
    )


class _Faults(Exception):
    """What is wrong with which fields."""

    def __init__(self, faults: dict[str, str]) -> None:
        self.faults = faults


def _kind(asked: Asked) -> str:
    kind = asked.form.text("kind")
    return kind if kind in KINDS else "email"


async def _ready(asked: Asked, typed: Typed, *, has_files: bool) -> Ready:
    """The conversation that the form has; raises _Faults and BadRequest."""
    form, kind = asked.form, _kind(asked)
    faults: dict[str, str] = {}
    copies: dict[str, list[Recipient]] = {"to": [], "cc": [], "bcc": []}
    for name in copies:
        try:
            copies[name] = [Recipient(one) for one in given.addresses(form.text(name), name)]
        except BadRequest as problem:
            faults[name] = f"{problem.errors[0].message}."
    to = copies["to"]
    if not to and "to" not in faults:
        faults["to"] = "Name the customer by an e-mail address."
    inbox_id = form.id("inbox") or 0
    text = await _text(asked, typed.body, inbox_id, faults)
    if not text and not has_files:
        faults["text"] = "Write a text."
    if not typed.subject:
        faults["subject"] = "Write a subject."
    if faults:
        raise _Faults(faults)
    first, _, last = form.text("name").partition(" ")
    customer = CustomerReference(
        email=Email(to[0]), first_name=first[:NAME_MOST] or None, last_name=last.strip()[:NAME_MOST] or None
    )
    thread = NewThread(
        type={"email": "reply", "phone": "phone", "note": "note"}[kind],  # type: ignore[arg-type]
        text=text,
        customer=customer,
        cc=[*to[1:], *copies["cc"]] or None if kind == "email" else None,
        bcc=copies["bcc"] or None if kind == "email" else None,
        draft=True if kind == "email" and form.has("keep") else None,
    )
    new = NewConversation(
        subject=typed.subject,
        type="phone" if kind == "phone" else "email",
        mailbox_id=inbox_id,
        status=given.status(form.text("send") or form.text("status")) or "active",  # type: ignore[arg-type]
        customer=customer,
        threads=[thread],
        assign_to=given.owner(form.text("owner")),
        tags=[one for piece in form.text("tags").split(",") if (one := piece.strip())] or None,
    )
    return Ready(new, text)


async def _text(asked: Asked, text: str, inbox_id: int, faults: dict[str, str]) -> str:
    """The text with its variables filled in, as far as they are known before there is a conversation."""
    if "{%" not in text:
        return text
    known = await asked.read(lambda db: variables(db, asked, None, inbox_id))
    text = marked(text, known).replace("<mark>", "").replace("</mark>", "")
    if missing := unfilled(text):
        faults["text"] = f"{words.joined(missing)} can't be filled in: write it yourself."
    return text


async def _again(asked: Asked, key: str, problem: BadRequest | TooLarge | _Faults | sendoff.Elsewhere) -> Response:
    """The form as it was sent, with what is wrong at its fields; what has been kept of it stays as it is."""
    form = asked.form
    faults: dict[str, str] = {}
    wrong, other, known_form = [], "", form.text("known_form")
    if isinstance(problem, sendoff.Elsewhere):
        wrong, known_form = [_ELSEWHERE], problem.other.form
        other = cleaning.as_text(problem.other.body)
    elif isinstance(problem, TooLarge):
        wrong = worded(problem)[1]
    else:
        faults = problem.faults if isinstance(problem, _Faults) else _by_field(problem)
        wrong = worded(problem)[1] if isinstance(problem, Problem) and not faults else list(faults.values())
    typed: dict[str, Any] = {name: form.text(name) for name in _TYPED}
    files = await sendoff.kept_files(asked, key)
    return await _page(
        asked,
        400,
        key,
        form.text("inbox"),
        **typed,
        kind=_kind(asked),
        status=form.text("send") or form.text("status") or "closed",
        html=(html := await _typed_html(asked, files)),
        text=form.raw("text") or cleaning.as_text(html),
        files=[one for one in files if not one.content_id],
        known_form=known_form,
        faults=faults,
        wrong=wrong,
        other=other,
    )


async def _typed_html(asked: Asked, files: list[UnsentFile]) -> str:
    """The text as the editor had it, with its pictures; empty where it is too long to be shown."""
    if not asked.form.raw("html").strip():
        return ""
    try:
        text = await given.text(asked, {one.id: one.content_id for one in files if one.content_id}, cleaning.OF_FORMS)
    except TooLarge:
        return ""
    pictures = {one.content_id: one.id for one in files if one.content_id}
    return await asyncio.to_thread(cleaning.editable, text, pictures, cleaning.OF_FORMS)


_FIELDS = {"customer": "to", "mailboxId": "inbox", "subject": "subject", "assignTo": "owner", "tags": "tags"}


def _by_field(problem: BadRequest) -> dict[str, str]:
    found: dict[str, str] = {}
    for error in problem.errors:
        name = error.path.replace("threads[0].", "").partition(".")[0]
        found[_FIELDS.get(name, name)] = f"{error.message[:1].upper()}{error.message[1:]}."
    return found


async def _page(asked: Asked, answer: int, key: str, inbox: str, **typed: Any) -> Response:
    """The form with the inboxes that the visitor sees, or what to do where there is none.

    Raises AccessDenied for whoever may not begin anything.
    """
    if asked.actor.role == "light user":
        raise AccessDenied

    def read(db: Reader) -> Beginning | None:
        seen = asked.actor.inboxes
        found = [one for one in inboxes.all_of(db, asked.account_id) if seen is None or one.id in seen]
        if not found:
            return None
        chosen = next((one for one in found if str(one.id) == inbox), found[0])
        offered = asked.visitor.preferences.send_status or chosen.default_status
        return Beginning(
            inboxes=found,
            inbox_id=chosen.id,
            colleagues=mentions.colleagues(db, asked.account_id, chosen.id),
            token=kept.new_token(),
            key=key,
            others=[one for one in forms.listing(db, asked.actor) if one.key != key],
            **{"status": offered if offered in STATUSES else "closed"} | typed,
        )

    form = await asked.read(read)
    if form is None:
        return await asked.page("writing/no_inbox.html", 200 if answer == 200 else 412)
    return await asked.page("writing/new.html", answer, form=form, kinds=KINDS)


def _known(db: Reader, asked: Asked, key: str) -> dict[str, Any] | None:
    """A form that is kept, by the names of its fields; one that is about to leave says only that (`held`)."""
    one = forms.of(db, asked.actor, key)
    if one is None or one.kind != "new":
        return None
    if one.ready is not None:
        return {"held": True}
    html, text, files = kept.shown(db, asked.account_id, one)
    fields = {name: value for name, value in one.typed.items() if name in (*_TYPED, "kind", "inbox", "status", "back")}
    return fields | {
        "to": one.recipients, "subject": one.subject, "html": html, "text": text, "files": files,
        "known_form": one.form, "saved": True, "wrong": [f"It could not be sent: {one.fault}."] if one.fault else [],
    }  # fmt: skip
