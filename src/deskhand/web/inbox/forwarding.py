"""Forwarding: the conversation's text goes to somebody else, as a conversation of its own.

So what they answer comes to the team and never before the customer's eyes, it has an owner and a status of its own, and
each leads to the other. A thread within the conversation, as some desks have it, would mix two people's answers.
"""

from __future__ import annotations

from contextlib import suppress
from html import escape

import msgspec
from starlette.responses import Response

from deskhand.catalogue.conversations import NewConversation, NewThread
from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, PreconditionFailed
from deskhand.catalogue.values import Email, Recipient
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.ready import Along, Ready
from deskhand.desk.conversations.drafts.unsent import Typed
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.threads import thread_queries
from deskhand.desk.conversations.threads.thread_queries import AttachmentRow, ShownThread
from deskhand.lib.clock import from_wire
from deskhand.mail.body import as_html
from deskhand.mail.safe_html import quotable
from deskhand.web import words
from deskhand.web.inbox import cleaning, given, kept, sendoff, unsent
from deskhand.web.inbox.onward import here
from deskhand.web.inbox.panel import panel
from deskhand.web.pages import Asked, Pages, worded

PAGES = Pages()
_ELSEWHERE = "You wrote something else here in another window. What is below goes out when you forward it now"
_ATTACHED_MOST = 25 * 1024 * 1024
"""Bytes of files that go along: more than this no mail server takes."""
_THREADS_MOST = 50
_SAID = ("customer", "message", "chat", "phone")


@PAGES.post("/conversation/{id}/forward")
async def forward(asked: Asked) -> Response:
    """Forward what was said to an address; notes stay here."""
    id, key = asked.id(), kept.forward_key(asked.id())
    await asked.read(lambda db: _head(db, asked, id))
    typed = await unsent.typed(asked, key)
    ready = await ready_of(asked, typed)
    files = await given.files(asked)
    try:
        sent = await sendoff.send(asked, typed, ready, files, held=True, path=here(asked, id))
    except sendoff.Elsewhere as elsewhere:
        return await _elsewhere(asked, id, elsewhere)
    except sendoff.Already as already:
        return await _sent_already(asked, id, typed, files, already)
    undo = unsent.undo_of(key, sent.seconds)
    return asked.go(here(asked, id), forwarded_to(typed), undo=undo)


async def ready_of(asked: Asked, typed: Typed) -> Ready:
    """The conversation that a form becomes which forwards one; raises NotFound and BadRequest."""
    id = typed.conversation_id or 0
    head, threads, attached = await asked.read(lambda db: _read(db, asked, id))
    to = given.addresses(typed.recipients, "to")
    if not to:
        raise BadRequest(FieldError("", "Name the address that it goes to", "NotEmpty"))
    ready = _ready(asked, id, head, to, typed.body + _said(asked, head, threads))
    return msgspec.structs.replace(ready, along=_along(attached if "with_files" in typed.fields else []))


def forwarded_to(typed: Typed) -> str:
    """What is said once it is sent."""
    return f"Forwarded to {words.joined(given.addresses(typed.recipients, 'to'))}."


def _ready(asked: Asked, id: int, head: Head, to: tuple[str, ...], text: str) -> Ready:
    """The conversation that it becomes."""
    customer = CustomerReference(email=Email(to[0]))
    thread = NewThread(type="reply", text=text, customer=customer, cc=[Recipient(one) for one in to[1:]] or None)
    subject = head.subject if head.subject.lower().startswith(("fwd:", "fw:")) else f"Fwd: {head.subject}".strip()
    new = NewConversation(
        subject=subject, type="email", mailbox_id=head.inbox_id, status="pending", customer=customer,
        threads=[thread], assign_to=asked.visitor.id,
    )  # fmt: skip
    return Ready(new, text, forwarded=id)


async def _sent_already(
    asked: Asked, id: int, typed: Typed, files: given.Files, already: sendoff.Already
) -> Response:  # fmt: skip
    """What another window has forwarded, with this one's text below it, to be sent as well or not."""
    now, before = asked.now, await sendoff.before(asked, typed.key, already.found)

    def work(tx: Writer) -> None:
        with suppress(PreconditionFailed):  # that one is about to leave, or there is no room: the page has it
            forms.keep(tx, asked.actor, typed, now, files)

    await asked.write(work)
    attached = await sendoff.kept_files(asked, typed.key)
    pictures = {one.content_id: one.id for one in attached if one.content_id}
    found = await asked.read(lambda db: panel(db, asked.visitor, id, now))
    changed = msgspec.structs.replace(
        found.forward, to=typed.recipients, html=cleaning.editable(typed.body, pictures, cleaning.OF_FORMS),
        text=cleaning.as_text(typed.body), with_files="with_files" in typed.fields, known_form=typed.form, held=False,
    )  # fmt: skip
    status = 200 if given.by_script(asked) else 412  # a script shows it, and its browser would complain of an error
    return await asked.page(
        "writing/stopped.html", status, panel=msgspec.structs.replace(found, forward=changed), mode="forward", news=[],
        texts=[], other="", already=before,
    )  # fmt: skip


async def _elsewhere(asked: Asked, id: int, elsewhere: sendoff.Elsewhere) -> Response:
    """The text of the other window, with this one below it; a script asks which is to stay by itself."""
    problem = PreconditionFailed(FieldError("", _ELSEWHERE, "precondition-failed"))
    if given.by_script(asked):
        raise problem
    found = await asked.read(lambda db: panel(db, asked.visitor, id, asked.now))
    changed = msgspec.structs.replace(
        found.forward, to=asked.form.text("forward_to"), html="", text=asked.form.raw("text"),
        with_files=asked.form.has("with_files"), known_form=elsewhere.other.form,
    )  # fmt: skip
    shown = msgspec.structs.replace(found, forward=changed)
    return await asked.page(
        "writing/stopped.html", 412, panel=shown, mode="forward", news=[], texts=worded(problem)[1],
        other=cleaning.as_text(elsewhere.other.body),
    )  # fmt: skip


def _read(db: Reader, asked: Asked, id: int) -> tuple[Head, list[ShownThread], list[AttachmentRow]]:
    """What was said, oldest first, and the files that came along."""
    head = _head(db, asked, id)
    found, _ = thread_queries.page(db, asked.account_id, id, 1)
    said = [one for one in reversed(found) if one.type in _SAID and one.state == "published"][-_THREADS_MOST:]
    files = thread_queries.attachments_of(db, asked.account_id, said)
    return head, said, [file for one in said for file in files.get(one.id, []) if file.state == "valid"]


def _head(db: Reader, asked: Asked, id: int) -> Head:
    if asked.actor.role == "light user":
        raise NotFound
    return queries.head(db, asked.actor, id)


def _along(rows: list[AttachmentRow]) -> list[Along]:
    """The files that go along; raises PreconditionFailed where they are too many for one mail."""
    if sum(one.size for one in rows) > _ATTACHED_MOST:
        text = f"together the files are larger than {words.size(_ATTACHED_MOST)}: forward it without them"
        raise PreconditionFailed(FieldError("", text, "Size"))
    return [Along(one.filename or "file", one.mime_type, one.size, one.sha256) for one in rows]


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
