"""Beginning a conversation: a mail to a customer, a note of a call, or a note for the team alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import AccessDenied, BadRequest, NotFound, PreconditionFailed, Problem, TooLarge
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.drafts import departed, mentions
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.mentions import Colleague
from deskhand.desk.conversations.drafts.unsent import Typed, UnsentFile, UnsentLine
from deskhand.desk.customers.suggesting import suggestions
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.web import words
from deskhand.web.inbox import becoming, cleaning, given, kept, sendoff, unsent
from deskhand.web.inbox.onward import came_from
from deskhand.web.inbox.panel import STATUSES
from deskhand.web.inbox.picking import Pick, answered
from deskhand.web.inbox.sendoff import Before
from deskhand.web.pages import Asked, Pages, worded

PAGES = Pages()
_TYPED = ("to", "name", "cc", "bcc", "subject", "tags", "owner", "back")
_ELSEWHERE = "You wrote something else here in another window. What is below goes out when you send it now."


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
    version: int = 0
    """How many times it has been sent."""
    already: Before | None = None
    """What was sent of it from another window."""

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
        return asked.go(becoming.path_of_sent(key))
    if known is None and (made := await asked.read(lambda db: _became(db, asked, key))):
        return asked.go(f"/conversation/{made}", "This has been sent.")
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
        ready = await becoming.ready_of(asked, typed, has_files=has_files, draft=asked.form.has("keep"))
        held = _kind(asked) == "email" and not asked.form.has("keep")
        path = await becoming.landing(asked, key, back, ready.new) if held else ""
        sent = await sendoff.send(asked, typed, ready, files, held=held, path=path)
    except sendoff.Already as already:
        return await _sent_already(asked, typed, files, already)
    except sendoff.Elsewhere as elsewhere:
        return await _again(asked, key, elsewhere)
    except (BadRequest, TooLarge, becoming.Faults) as problem:
        return await _again(asked, key, problem)
    if sent.led_to is not None:
        return asked.go(sent.led_to or "/", "Sent.")
    if sent.seconds:
        return asked.go(path, "Sent.", undo=unsent.undo_of(key, sent.seconds))
    said = {"email": "Sent.", "phone": "Call noted.", "note": "Noted."}[_kind(asked)]
    return asked.go(f"/conversation/{sent.conversation_id}", said)


@PAGES.get("/new/customers")
async def customers(asked: Asked) -> Response:
    """Customers whose name or address begins with what was typed."""
    found = await asked.read(lambda db: suggestions(db, asked.account_id, asked.query("q")))
    return answered(
        [Pick(one.id, words.full_name(one.first_name, one.last_name, one.email), one.email) for one in found]
    )


def _kind(asked: Asked) -> str:
    return becoming.kind_of(asked.form.text("kind"))


def _became(db: Reader, asked: Asked, key: str) -> int | None:
    """The conversation that a form has become, if the visitor sees it."""
    found = departed.of(db, asked.actor, key)
    if found is None or not found.newest or found.made is None:
        return None
    with suppress(NotFound, AccessDenied):
        return queries.head(db, asked.actor, found.made).id
    return None


async def _sent_already(asked: Asked, typed: Typed, files: given.Files, already: sendoff.Already) -> Response:
    """What another window has sent of this form, with this one's text below it, as a form of its own from here on."""
    key, now = kept.new_token(), asked.now

    def work(tx: Writer) -> None:
        forms.rename(tx, asked.actor, typed.key, key)
        with suppress(PreconditionFailed):  # there is no room: the page has it all the same
            forms.keep(tx, asked.actor, msgspec.structs.replace(typed, key=key), now, files)

    found = await sendoff.before(asked, typed.key, already.found)
    await asked.write(work)
    return await _again(asked, key, found)


async def _again(
    asked: Asked, key: str, problem: BadRequest | TooLarge | becoming.Faults | sendoff.Elsewhere | Before
) -> Response:
    """The form as it was sent, with what is wrong at its fields; what has been kept of it stays as it is."""
    form = asked.form
    faults: dict[str, str] = {}
    wrong, other, known_form = [], "", form.text("known_form")
    if isinstance(problem, sendoff.Elsewhere):
        wrong, known_form = [_ELSEWHERE], problem.other.form
        other = cleaning.as_text(problem.other.body)
    elif isinstance(problem, Before):
        known_form = given.token(asked)
    elif isinstance(problem, TooLarge):
        wrong = worded(problem)[1]
    else:
        faults = problem.faults if isinstance(problem, becoming.Faults) else _by_field(problem)
        wrong = worded(problem)[1] if isinstance(problem, Problem) and not faults else list(faults.values())
    typed: dict[str, Any] = {name: form.text(name) for name in _TYPED}
    files = await sendoff.kept_files(asked, key)
    already = problem if isinstance(problem, Before) else None
    # A script shows what was sent already; its browser would complain of an error.
    return await _page(
        asked,
        400 if already is None else 200 if given.by_script(asked) else 412,
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
        already=already,
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
            version=departed.version(db, asked.actor, key),
            others=[one for one in forms.listing(db, asked.actor) if one.key != key],
            **{"status": offered if offered in STATUSES else "closed"} | typed,
        )

    form = await asked.read(read)
    if form is None:
        return await asked.page("writing/no_inbox.html", 200 if answer == 200 else 412)
    return await asked.page("writing/new.html", answer, form=form, kinds=becoming.KINDS)


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
        "known_form": one.form, "saved": True,
        "wrong": [f"It could not be sent: {one.fault}."] if one.fault else [],
    }  # fmt: skip
