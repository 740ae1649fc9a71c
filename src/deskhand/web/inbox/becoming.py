"""What the form for a new conversation becomes, and where sending it leads."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from deskhand.catalogue.conversations import NewConversation, NewThread
from deskhand.catalogue.customers import NAME_MOST, CustomerReference
from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import BadRequest
from deskhand.catalogue.values import Email, Recipient
from deskhand.desk.conversations.drafts.ready import Ready
from deskhand.desk.conversations.drafts.unsent import Typed
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.folders import Folder, folder_id, home
from deskhand.mail.variables import marked, unfilled
from deskhand.web import words
from deskhand.web.inbox import given
from deskhand.web.inbox.picking import variables
from deskhand.web.pages import Asked

_WORK = ("/folder/", "/inbox/", "/search", "/views/", "/conversation/", "/customers/")
"""Where one works: pages to which one goes back."""
KINDS = {"email": "E-mail", "phone": "Phone call", "note": "Note for the team"}


class Faults(Exception):
    """What is wrong with which fields."""

    def __init__(self, faults: dict[str, str]) -> None:
        self.faults = faults


def kind_of(kind: str) -> str:
    """What a form begins, by the name of its choice."""
    return kind if kind in KINDS else "email"


async def ready_of(asked: Asked, typed: Typed, *, has_files: bool, draft: bool = False) -> Ready:
    """The conversation that a form has; raises Faults and BadRequest."""
    given_here = typed.fields.get
    kind = kind_of(given_here("kind", ""))
    faults: dict[str, str] = {}
    copies: dict[str, list[Recipient]] = {"to": [], "cc": [], "bcc": []}
    for name in copies:
        try:
            text = typed.recipients if name == "to" else given_here(name, "")
            copies[name] = [Recipient(one) for one in given.addresses(text, name)]
        except BadRequest as problem:
            faults[name] = f"{problem.errors[0].message}."
    to = copies["to"]
    if not to and "to" not in faults:
        faults["to"] = "Name the customer by an e-mail address."
    inbox_id = read_id(given_here("inbox", "")) or 0
    text = await _text(asked, typed.body, inbox_id, faults)
    if not text and not has_files:
        faults["text"] = "Write a text."
    if not typed.subject:
        faults["subject"] = "Write a subject."
    if faults:
        raise Faults(faults)
    first, _, last = given_here("name", "").partition(" ")
    customer = CustomerReference(
        email=Email(to[0]), first_name=first[:NAME_MOST] or None, last_name=last.strip()[:NAME_MOST] or None
    )
    thread = NewThread(
        type={"email": "reply", "phone": "phone", "note": "note"}[kind],  # type: ignore[arg-type]
        text=text,
        customer=customer,
        cc=[*to[1:], *copies["cc"]] or None if kind == "email" else None,
        bcc=copies["bcc"] or None if kind == "email" else None,
        draft=True if kind == "email" and draft else None,
    )
    new = NewConversation(
        subject=typed.subject,
        type="phone" if kind == "phone" else "email",
        mailbox_id=inbox_id,
        status=given.status(given_here("status", "")) or "active",  # type: ignore[arg-type]
        customer=customer,
        threads=[thread],
        assign_to=given.owner(given_here("owner", "")),
        tags=[one for piece in given_here("tags", "").split(",") if (one := piece.strip())] or None,
    )
    return Ready(new, text)


async def landing(asked: Asked, key: str, back: str, new: NewConversation) -> str:
    """Where one goes on while a mail leaves: as with replies, to what was sent or back to where one works.

    Whoever came from elsewhere, settings say, sees the folder in which the conversation will lie.
    """
    if asked.visitor.preferences.after_send == "stay":
        return path_of_sent(key)
    if back.startswith(_WORK):
        return back
    owner: int | UnsetType | None = new.assign_to
    if owner is UNSET:
        inbox = await asked.read(lambda db: inboxes.by_id(db, asked.account_id, new.mailbox_id))
        owner = inbox.default_assignee_id if inbox else None
    kind = home(state="published", status=new.status, assigned=bool(owner), snoozed=False)
    if kind is Folder.ASSIGNED and owner == asked.visitor.id:
        kind = Folder.MINE
    return f"/folder/{folder_id(new.mailbox_id, kind)}"


def path_of_sent(key: str) -> str:
    """The page of what was sent by a form."""
    return f"/unsent/form?unsent={key}"


async def _text(asked: Asked, text: str, inbox_id: int, faults: dict[str, str]) -> str:
    """The text with its variables filled in, as far as they are known before there is a conversation."""
    if "{%" not in text:
        return text
    known = await asked.read(lambda db: variables(db, asked, None, inbox_id))
    text = marked(text, known).replace("<mark>", "").replace("</mark>", "")
    if missing := unfilled(text):
        faults["text"] = f"{words.joined(missing)} can't be filled in: write it yourself."
    return text
