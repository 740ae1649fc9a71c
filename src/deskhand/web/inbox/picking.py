"""What is picked while writing: saved replies with their variables filled in, and colleagues to be named."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from deskhand.catalogue.matching import read_id
from deskhand.db.engine import Reader
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.drafts import mentions
from deskhand.desk.conversations.queries import Head
from deskhand.desk.customers import queries as customers
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.saved_replies import queries as saved_replies
from deskhand.desk.users import queries as users
from deskhand.lib.text import preview
from deskhand.mail.variables import marked, people
from deskhand.web.inbox import cleaning
from deskhand.web.pages import HEADERS, Asked, Pages

PAGES = Pages()
_MOST = 1_000


class Pick(msgspec.Struct, frozen=True):
    """Something to be picked: its name, and a few words about it."""

    id: int
    name: str
    about: str


class Filled(msgspec.Struct, frozen=True):
    """A saved reply as it is put into the text; what could not be filled in is marked in it."""

    id: int
    html: str


def answered(value: object, status: int = 200) -> Response:
    """JSON for our own scripts."""
    return Response(msgspec.json.encode(value), status, HEADERS, "application/json")


@PAGES.get("/inboxes/{id}/saved-replies")
async def replies(asked: Asked) -> Response:
    """The saved replies of an inbox, by name."""
    id = asked.id()
    found = await asked.read(lambda db: saved_replies.beginnings(db, asked.actor, id, with_chat=False))
    return answered([Pick(one.id, one.name, preview(one.text or "")) for one in found[:_MOST]])


@PAGES.get("/inboxes/{id}/saved-replies/{reply_id}")
async def reply(asked: Asked) -> Response:
    """A saved reply with what is known filled in; `conversation` says of whom."""
    id, reply_id, conversation = asked.id(), asked.id("reply_id"), asked.query("conversation")

    def read(db: Reader) -> Filled:
        row = saved_replies.seen_by(db, asked.actor, id, reply_id)
        of = read_id(conversation)
        head = queries.head(db, asked.actor, of) if of is not None else None
        html = cleaning.editable(row.text or row.chat_text or "")
        return Filled(row.id, marked(html, variables(db, asked, head, id)))

    return answered(await asked.read(read))


@PAGES.get("/inboxes/{id}/colleagues")
async def colleagues(asked: Asked) -> Response:
    """Who can be named in a note of an inbox."""
    id = asked.id()

    def read(db: Reader) -> list[Pick]:
        inboxes.seen_by(db, asked.actor, id)
        found = mentions.colleagues(db, asked.account_id, id)
        return [Pick(one.id, one.name, "Team" if one.type == "team" else "") for one in found]

    return answered(await asked.read(read))


def variables(db: Reader, asked: Asked, head: Head | None, inbox_id: int) -> dict[str, str]:
    """What the variables stand for where a conversation is answered, or one is begun (`head` None)."""
    user = users.by_id(db, asked.account_id, asked.visitor.id)
    inbox = inboxes.by_id(db, asked.account_id, inbox_id)
    known = people("user", user.first_name if user else "", user.last_name if user else "", asked.visitor.email)
    known |= {"mailbox.name": inbox.name if inbox else "", "mailbox.email": inbox.email if inbox else ""}
    if head is None:
        return known
    customer = customers.by_id(db, asked.account_id, head.customer_id)
    first, last = (customer.first_name, customer.last_name) if customer else ("", "")
    return known | {
        **people("customer", first, last, head.customer_email),
        "conversation.number": str(head.number),
        "conversation.subject": head.subject,
    }
