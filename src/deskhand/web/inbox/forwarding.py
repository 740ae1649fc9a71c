"""Forwarding: the conversation's text goes to somebody else, as a conversation of its own.

So what they answer comes to the team and never before the customer's eyes, it has an owner and a status of its own, and
each leads to the other. A thread within the conversation, as some desks have it, would mix two people's answers.
"""

from __future__ import annotations

from html import escape

from starlette.responses import Response

from deskhand.catalogue.attachments import NewAttachment
from deskhand.catalogue.conversations import NewConversation, NewThread
from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, PreconditionFailed
from deskhand.catalogue.values import Email, Recipient
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import queries, starting
from deskhand.desk.conversations.drafts import once
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.threads.thread_queries import AttachmentRow, ShownThread
from deskhand.desk.conversations.writing import add_line_item, take
from deskhand.lib.blobs import Blob
from deskhand.lib.clock import from_wire
from deskhand.mail.body import as_html
from deskhand.mail.safe_html import quotable
from deskhand.outbox import events
from deskhand.web import words
from deskhand.web.inbox import cleaning, given
from deskhand.web.inbox.onward import here
from deskhand.web.pages import Asked, Pages

PAGES = Pages()
_ATTACHED_MOST = 25 * 1024 * 1024
"""Bytes of files that go along: more than this no mail server takes."""
_THREADS_MOST = 50
_SAID = ("customer", "message", "chat", "phone")


@PAGES.post("/conversation/{id}/forward")
async def forward(asked: Asked) -> Response:
    """Forward what was said to an address; notes stay here."""
    id, now, form = asked.id(), asked.now, asked.form
    to = given.addresses(form.text("forward_to"), "to")
    if not to:
        raise BadRequest(FieldError("", "Name the address that it goes to", "NotEmpty"))
    head, threads, attached = await asked.read(lambda db: _read(db, asked, id))
    files = [*(await given.files(asked)), *_files(asked, attached if form.has("with_files") else [])]
    comment = cleaning.written(form.raw("html"), form.raw("text"))
    customer = CustomerReference(email=Email(to[0]))
    thread = NewThread(
        type="reply",
        text=comment + _said(asked, head, threads),
        customer=customer,
        cc=[Recipient(one) for one in to[1:]] or None,
        attachments=[new for new, _ in files] or None,
    )
    subject = head.subject if head.subject.lower().startswith(("fwd:", "fw:")) else f"Fwd: {head.subject}".strip()
    new = NewConversation(
        subject=subject, type="email", mailbox_id=head.inbox_id, status="pending", customer=customer,
        threads=[thread], assign_to=asked.visitor.id,
    )  # fmt: skip

    def work(tx: Writer) -> bool:
        token = form.text("token")
        if token and once.sent_before(tx, asked.account_id, asked.visitor.id, token, now) is not None:
            return False
        made = starting.start(tx, asked.actor, new, [blob for _, blob in files], now)
        _tell_of_each_other(tx, asked, id, made, to, now)
        return True

    await asked.write(work)
    return asked.go(here(asked, id), f"Forwarded to {words.joined(to)}.")


def _read(db: Reader, asked: Asked, id: int) -> tuple[Head, list[ShownThread], list[AttachmentRow]]:
    """What was said, oldest first, and the files that came along."""
    if asked.actor.role == "light user":
        raise NotFound
    head = queries.head(db, asked.actor, id)
    found, _ = thread_queries.page(db, asked.account_id, id, 1)
    said = [one for one in reversed(found) if one.type in _SAID and one.state == "published"][-_THREADS_MOST:]
    files = thread_queries.attachments_of(db, asked.account_id, said)
    return head, said, [file for one in said for file in files.get(one.id, []) if file.state == "valid"]


def _files(asked: Asked, rows: list[AttachmentRow]) -> given.Files:
    """The files themselves; raises PreconditionFailed where they are too many for one mail."""
    if sum(one.size for one in rows) > _ATTACHED_MOST:
        text = f"together the files are larger than {words.size(_ATTACHED_MOST)}: forward it without them"
        raise PreconditionFailed(FieldError("", text, "Size"))
    found: given.Files = []
    for one in rows:
        path = asked.web.blobs.path(one.sha256)
        if path.is_file():
            new = NewAttachment(file_name=one.filename or "file", mime_type=one.mime_type, data=path.read_bytes())
            found.append((new, Blob(one.sha256, one.size)))
    return found


def _said(asked: Asked, head: Head, threads: list[ShownThread]) -> str:
    """The texts as mail programs forward them: newest first, each with who wrote it and when."""
    pieces = ["<p>---------- Forwarded conversation ----------</p>", f"<p><b>Subject:</b> {escape(head.subject)}</p>"]
    for one in reversed(threads):
        if one.created_by_type == "customer":
            name, email = words.full_name(one.author_customer_first, one.author_customer_last), head.customer_email
        else:
            name, email = words.full_name(one.author_first, one.author_last), ""
        who = escape(f"{name} <{email}>" if name and email else name or email)
        at = words.full_time(asked.visitor.local(from_wire(one.created_at)))
        pieces.append(f"<p><b>{who}</b>, {at}:</p><blockquote>{quotable(as_html(one.body or ''))}</blockquote>")
    return "".join(pieces)


def _tell_of_each_other(tx: Writer, asked: Asked, id: int, made: int, to: tuple[str, ...], now: str) -> None:
    """A line in each conversation that leads to the other."""
    head = take(tx, asked.actor, id, now)
    other = queries.head(tx, asked.actor, made)
    name = asked.visitor.name
    text = f"{name} forwarded this conversation to {words.joined(to)} as #{other.number}"
    add_line_item(tx, head, asked.actor, now, text, forwardedConversation=other.id)
    back = f"{name} forwarded this from conversation #{head.number}"
    add_line_item(tx, other, asked.actor, now, back, originalConversation=head.id)
    tx.changed(events.PAGES)
