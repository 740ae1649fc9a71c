"""Beginning a conversation: a mail to a customer, a note of a call, or a note for the team alone."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from deskhand.catalogue.conversations import NewConversation, NewThread
from deskhand.catalogue.customers import NAME_MOST, CustomerReference
from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, Problem
from deskhand.catalogue.values import Email, Recipient
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import starting
from deskhand.desk.conversations.drafts import mentions, once
from deskhand.desk.conversations.drafts.mentions import Colleague
from deskhand.desk.customers.suggesting import suggestions
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.mail.variables import marked, unfilled
from deskhand.web import words
from deskhand.web.inbox import cleaning, given
from deskhand.web.inbox.panel import STATUSES, new_token
from deskhand.web.inbox.picking import Pick, answered, variables
from deskhand.web.pages import Asked, Pages, worded

PAGES = Pages()
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
    faults: dict[str, str] = {}
    wrong: list[str] = []

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """What sending may set, with the one first that is offered first."""
        first = [(self.status, STATUSES[self.status])] if self.status in STATUSES else []
        return [*first, *((key, said) for key, said in STATUSES.items() if key != self.status)]


@PAGES.get("/new")
async def show(asked: Asked) -> Response:
    """The form, for the inbox and the address that the query names."""
    form = await _form(asked, asked.query("inbox"), to=asked.query("to"), subject=asked.query("subject"))
    return await asked.page("writing/new.html", form=form, kinds=KINDS)


@PAGES.post("/new")
async def begin(asked: Asked) -> Response:
    """Begin it, and show it."""
    try:
        new, stored = await _given(asked)

        def work(tx: Writer) -> int | str:
            token = asked.form.text("token")
            if (
                token
                and (path := once.sent_before(tx, asked.account_id, asked.visitor.id, token, asked.now)) is not None
            ):
                return path or "/"
            id = starting.start(tx, asked.actor, new, [blob for _, blob in stored], asked.now)
            once.led_to(tx, asked.account_id, asked.visitor.id, token, f"/conversation/{id}")
            return id

        made = await asked.write(work)
    except (BadRequest, _Faults) as problem:
        return await _again(asked, problem)
    if isinstance(made, str):
        return asked.go(made)
    said = {"email": "Sent.", "phone": "Call noted.", "note": "Noted."}[_kind(asked)]
    return asked.go(f"/conversation/{made}", said)


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


async def _given(asked: Asked) -> tuple[NewConversation, given.Files]:
    """The conversation that the form has; raises _Faults and BadRequest."""
    form, kind = asked.form, _kind(asked)
    faults: dict[str, str] = {}
    to: tuple[str, ...] = ()
    copies: dict[str, list[Recipient]] = {}
    for name in ("to", "cc", "bcc"):
        try:
            found = given.addresses(form.text(name), name)
            copies[name] = [Recipient(one) for one in found]
        except BadRequest as problem:
            faults[name] = f"{problem.errors[0].message}."
    to = tuple(str(one) for one in copies.get("to", ()))
    if not to and "to" not in faults:
        faults["to"] = "Name the customer by an e-mail address."
    inbox_id = form.id("inbox") or 0
    text = await _text(asked, inbox_id, faults)
    files = await given.files(asked)
    if not text and not files:
        faults["text"] = "Write a text."
    subject = form.text("subject")
    if not subject:
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
        cc=[*(Recipient(one) for one in to[1:]), *copies["cc"]] or None if kind == "email" else None,
        bcc=copies["bcc"] or None if kind == "email" else None,
        draft=True if kind == "email" and form.has("keep") else None,
        attachments=[new for new, _ in files] or None,
    )
    new = NewConversation(
        subject=subject,
        type="phone" if kind == "phone" else "email",
        mailbox_id=inbox_id,
        status=given.status(form.text("send") or form.text("status")) or "active",  # type: ignore[arg-type]
        customer=customer,
        threads=[thread],
        assign_to=given.owner(form.text("owner")),
        tags=[one for piece in form.text("tags").split(",") if (one := piece.strip())] or None,
    )
    return new, files


async def _text(asked: Asked, inbox_id: int, faults: dict[str, str]) -> str:
    """The text with its variables filled in, as far as they are known before there is a conversation."""
    text = cleaning.written(asked.form.raw("html"), asked.form.raw("text"))
    if "{%" not in text:
        return text
    known = await asked.read(lambda db: variables(db, asked, None, inbox_id))
    text = marked(text, known).replace("<mark>", "").replace("</mark>", "")
    if missing := unfilled(text):
        faults["text"] = f"{words.joined(missing)} can't be filled in: write it yourself."
    return text


async def _again(asked: Asked, problem: BadRequest | _Faults) -> Response:
    """The form as it was sent, with what is wrong at its fields."""
    faults = problem.faults if isinstance(problem, _Faults) else _by_field(problem)
    form = asked.form
    typed: dict[str, Any] = {name: form.text(name) for name in ("to", "name", "cc", "bcc", "subject", "tags", "owner")}
    shown = await _form(
        asked,
        form.text("inbox"),
        **typed,
        kind=_kind(asked),
        status=form.text("send") or form.text("status") or "closed",
        html=cleaning.editable(form.raw("html")) if form.raw("html").strip() else "",
        text=form.raw("text"),
        faults=faults,
        wrong=worded(problem)[1] if isinstance(problem, Problem) and not faults else list(faults.values()),
    )
    return await asked.page("writing/new.html", 400, form=shown, kinds=KINDS)


_FIELDS = {"customer": "to", "mailboxId": "inbox", "subject": "subject", "assignTo": "owner", "tags": "tags"}


def _by_field(problem: BadRequest) -> dict[str, str]:
    found: dict[str, str] = {}
    for error in problem.errors:
        name = error.path.replace("threads[0].", "").partition(".")[0]
        found[_FIELDS.get(name, name)] = f"{error.message[:1].upper()}{error.message[1:]}."
    return found


async def _form(asked: Asked, inbox: str, **typed: Any) -> Beginning:
    """The form with the inboxes that the visitor sees; raises AccessDenied for whoever may not begin anything."""
    if asked.actor.role == "light user":
        raise AccessDenied

    def read(db: Reader) -> Beginning:
        seen = asked.actor.inboxes
        found = [one for one in inboxes.all_of(db, asked.account_id) if seen is None or one.id in seen]
        if not found:
            raise BadRequest(FieldError("", "There is no inbox yet that you see", "NotEmpty"))
        chosen = next((one for one in found if str(one.id) == inbox), found[0])
        status = asked.visitor.preferences.send_status or chosen.default_status
        return Beginning(
            inboxes=found,
            inbox_id=chosen.id,
            colleagues=mentions.colleagues(db, asked.account_id, chosen.id),
            token=new_token(),
            **{"status": status if status in STATUSES else "closed"} | typed,
        )

    return await asked.read(read)
