"""What was not sent: forms that are still being written, and those that could not be sent, with why."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, NotFound
from deskhand.db.engine import Reader
from deskhand.desk.conversations.drafts import departed
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.unsent import Typed, Unsent, UnsentFile
from deskhand.web.inbox import becoming, forwarding, given, kept, sendoff, unsent
from deskhand.web.pages import Asked, Pages

PAGES = Pages()


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A form as it is read: `held` where it is about to leave, and what it became once it has left."""

    key: str
    kind: str = "new"
    to: str = ""
    subject: str = ""
    text: str = ""
    files: list[UnsentFile] = []
    fault: str = ""
    held: bool = False
    at: str = ""
    path: str = ""
    """Where it is gone on with."""
    made: sendoff.Before | None = None


@PAGES.get("/unsent")
async def show_all(asked: Asked) -> Response:
    """All that the visitor has not sent, what could not be sent first."""
    found = await asked.read(lambda db: forms.listing(db, asked.actor))
    found.sort(key=lambda one: not one.fault)
    return await asked.page("writing/unsent.html", found=found, token=kept.new_token(), days=forms.FORGOTTEN_DAYS)


@PAGES.get("/unsent/form")
async def show(asked: Asked) -> Response:
    """What a form has, or what it became; this may be what was just sent."""
    key = asked.query("unsent")

    def read(db: Reader) -> Shown | None:
        one = forms.of(db, asked.actor, key)
        if one is None:
            return None
        _, text, files = kept.shown(db, asked.account_id, one)
        subject = one.subject or ("" if one.kind == "new" else "Forward")
        return Shown(
            key=key, kind=one.kind, to=one.recipients, subject=subject, text=text, files=files, fault=one.fault,
            held=one.ready is not None, at=one.at, path=unsent.page_of(asked, one.key, one.conversation_id),
        )  # fmt: skip

    found = await asked.read(read)
    if found is None:
        gone = await asked.read(lambda db: departed.of(db, asked.actor, key))
        if gone is None or not gone.newest:
            return asked.go("/unsent")
        found = Shown(key=key, at=gone.at, made=await sendoff.before(asked, key, gone))
    return await asked.page("writing/unsent_form.html", form=found, token=kept.new_token())


@PAGES.post("/unsent/again")
async def again(asked: Asked) -> Response:
    """Try once more to send what could not be sent, as it stands."""
    key = asked.form.text("unsent")
    known = await asked.read(lambda db: forms.of(db, asked.actor, key))
    if known is None:
        raise NotFound
    if asked.actor.role == "light user":
        text = "you are a light user now, and light users write to nobody"
        raise AccessDenied(FieldError("", text, "access-denied"))
    forms.require_unsent(known)
    sent, text = await _send(asked, known)
    return asked.go("/unsent", text, undo=unsent.undo_of(key, sent.seconds))


async def _send(asked: Asked, known: Unsent) -> tuple[sendoff.Sent, str]:
    typed = Typed(
        key=known.key, kind=known.kind, conversation_id=known.conversation_id, recipients=known.recipients,
        subject=known.subject, body=known.body, fields=known.typed, form=given.token(asked),
    )  # fmt: skip
    if known.kind == "forward":
        ready, text = await forwarding.ready_of(asked, typed), forwarding.forwarded_to(typed)
    else:
        has_files, text = bool(await sendoff.kept_files(asked, known.key)), "Sent."
        try:
            ready = await becoming.ready_of(asked, typed, has_files=has_files)
        except becoming.Faults as problem:
            raise BadRequest(
                *(FieldError("", fault.rstrip("."), "NotEmpty") for fault in problem.faults.values())
            ) from None
    return await sendoff.send(asked, typed, ready, [], held=True, path="/unsent", kept=known), text
