"""What was said before a reply, as far as its mail repeats it: between the inbox and the customer it goes to.

What others wrote into the conversation, and what was said to others, is theirs and is not repeated. Nor is what
somebody who gets a copy now has not got before, nor a reply that may still be taken back.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows
from deskhand.desk.conversations.mail.mail_queries import HELD, Reply
from deskhand.desk.conversations.tables import thread, thread_mail
from deskhand.desk.customers.tables import customer
from deskhand.desk.users.tables import staff
from deskhand.lib.clock import from_wire
from deskhand.mail.body import QUOTED_LENGTH, QUOTED_MOST, Said


class _Earlier(msgspec.Struct, frozen=True):
    type: str
    body: str
    created_at: str
    customer_first: str | None
    customer_last: str | None
    author_first: str | None
    author_last: str | None
    recipients: str
    cc: str
    bcc: str


_author = staff.alias("author")
_BEFORE = rows(
    _Earlier,
    sa.select(
        thread.c.type,
        sa.func.substr(thread.c.body, sa.literal_column("1"), P("length", sa.Integer)).label("body"),
        thread.c.created_at,
        customer.c.first_name.label("customer_first"),
        customer.c.last_name.label("customer_last"),
        _author.c.first_name.label("author_first"),
        _author.c.last_name.label("author_last"),
        thread.c.recipients,
        thread.c.cc,
        thread.c.bcc,
    )
    .outerjoin(
        thread_mail,
        sa.and_(thread_mail.c.thread_id == thread.c.id, thread_mail.c.account_id == thread.c.account_id),
    )
    .outerjoin(customer, sa.and_(customer.c.id == thread.c.customer_id, customer.c.account_id == thread.c.account_id))
    .outerjoin(
        _author,
        sa.and_(
            _author.c.id == sa.func.coalesce(thread.c.send_as_id, thread.c.created_by_id),
            _author.c.account_id == thread.c.account_id,
            thread.c.created_by_type != sa.literal_column("'customer'"),
        ),
    )
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.conversation_id == P("conversation_id"),
        thread.c.customer_id == P("customer_id"),
        thread.c.type.in_([sa.literal_column("'customer'"), sa.literal_column("'message'")]),
        thread.c.state == sa.literal_column("'published'"),
        thread.c.body.is_not(None),
        sa.or_(thread_mail.c.thread_id.is_(None), sa.not_(HELD)),
        sa.or_(
            thread.c.created_at < P("created_at"),
            sa.and_(thread.c.created_at == P("created_at"), thread.c.id < P("id")),
        ),
    )
    .order_by(thread.c.created_at.desc(), thread.c.id.desc())
    .limit(P("most", sa.Integer)),
)


def before(db: Reader, account_id: int, reply: Reply) -> list[Said]:
    """The newest that was said before a reply, the newest first."""
    if reply.first or reply.customer_id is None:
        return []
    found = db.all(
        _BEFORE,
        account_id=account_id,
        conversation_id=reply.conversation_id,
        customer_id=reply.customer_id,
        created_at=reply.created_at,
        id=reply.id,
        length=QUOTED_LENGTH + 1,  # so that it can be seen that there is more
        most=QUOTED_MOST,
    )
    to = next(iter(msgspec.json.decode(reply.recipients, type=list[str])), "")
    others = _addresses(reply.cc, reply.bcc) - {to.casefold()}
    return [_said(one, reply, to) for one in found if others <= _addresses(one.recipients, one.cc, one.bcc)]


def _addresses(*lists: str) -> set[str]:
    return {one.casefold() for listed in lists for one in msgspec.json.decode(listed, type=list[str])}


def _said(one: _Earlier, reply: Reply, customer_email: str) -> Said:
    if one.type == "customer":
        name, email = name_of(one.customer_first, one.customer_last), customer_email
    else:
        name, email = name_of(one.author_first, one.author_last) or reply.inbox_name, reply.inbox_email
    return Said(name, email, from_wire(one.created_at), one.body)


def name_of(first: str | None, last: str | None) -> str:
    """Somebody's whole name."""
    return f"{first or ''} {last or ''}".strip()
