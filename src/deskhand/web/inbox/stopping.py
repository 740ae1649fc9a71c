"""Where nothing was sent: what was typed is shown once more, with why, and is sent from there or changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest, FieldError, PreconditionFailed, Problem, TooLarge
from deskhand.desk.conversations.drafts import notes, own
from deskhand.desk.conversations.drafts.arrived import Arrived
from deskhand.lib.text import preview
from deskhand.web import words
from deskhand.web.inbox import cleaning, given
from deskhand.web.inbox.panel import Panel, panel
from deskhand.web.pages import Asked, worded

_ELSEWHERE = "You wrote something else here in another window: choose which text is to stay, and send it then"


class News(msgspec.Struct, frozen=True):
    """Something that arrived while somebody was writing, in words."""

    who: str
    did: str
    at: str
    text: str
    kind: str


class Elsewhere(Exception):
    """Another window of the writer's has kept another text, and this one has not seen it."""

    def __init__(self, body: str, form: str) -> None:
        self.body, self.form = body, form


async def stopped(asked: Asked, id: int, kind: str, found: list[Arrived]) -> Response:
    """What arrived, with the text below it to be sent all the same or changed."""
    status = 200 if given.by_script(asked) else 412  # a script shows it, and its browser would complain of an error
    return await _again(asked, status, await _kept(asked, id, kind), kind, news=[_news(one) for one in found])


async def undecided(asked: Asked, id: int, kind: str, other: Elsewhere) -> Response:
    """The text of the other window, with this one below it; a script asks which is to stay by itself."""
    problem = PreconditionFailed(FieldError("", _ELSEWHERE, "precondition-failed"))
    if given.by_script(asked):
        raise problem
    shown = _as_typed(asked, kind, await asked.read(lambda db: panel(db, asked.visitor, id, asked.now)))
    known = {"note_form": other.form} if kind == "note" else {"known_form": other.form}
    shown = msgspec.structs.replace(shown, **known)
    return await _again(
        asked, problem.status, shown, kind, texts=worded(problem)[1], other=cleaning.as_text(other.body)
    )


async def refused(asked: Asked, id: int, kind: str, problem: Problem) -> Response:
    """What is wrong, with the text below it; a script has kept the text in its place and needs only the words."""
    if given.by_script(asked) or isinstance(problem, PreconditionFailed) or problem.status in (403, 404):
        raise problem
    return await _again(asked, problem.status, await _kept(asked, id, kind), kind, texts=worded(problem)[1])


async def _again(
    asked: Asked, status: int, shown: Panel, kind: str, *,
    news: Sequence[News] = (), texts: Sequence[str] = (), other: str = "",
) -> Response:  # fmt: skip
    """The form once more, which leads where it did."""
    ways: dict[str, Any] = {"after": asked.form.text("next"), "up": {"path": asked.form.text("list")}}
    return await asked.page(
        "writing/stopped.html",
        status,
        panel=shown,
        mode=kind,
        news=news,
        texts=texts,
        other=cleaning.as_text(other),
        **ways,
    )


async def _kept(asked: Asked, id: int, kind: str) -> Panel:
    """The panel with what was typed, which is kept as a draft first, so that it can't be lost from here on."""
    now, kept = asked.now, False
    with suppress(BadRequest, TooLarge):  # an address that is none: the fields show it as it was typed
        if kind == "note":
            text = await given.text(asked)
            await asked.write(lambda tx: notes.keep(tx, asked.actor, id, text, now, given.token(asked)))
        else:
            wanted = await given.reply(asked, id)
            files = await given.files(asked)
            await asked.write(lambda tx: own.keep(tx, asked.actor, id, wanted, now, files))
        kept = True
    found = await asked.read(lambda db: panel(db, asked.visitor, id, now))
    return found if kept and kind == "note" else _as_typed(asked, kind, found, texts=not kept)


def _as_typed(asked: Asked, kind: str, shown: Panel, *, texts: bool = True) -> Panel:
    """The panel with the fields as the form has them, and with its text where that is not kept (`texts`)."""
    form = asked.form
    if kind == "note":
        return msgspec.structs.replace(shown, note_html="", note_text=form.raw("text"))
    typed = {name: form.text(name) for name in ("cc", "bcc", "owner") if form.has(name)}
    if wanted := given.status(form.text("send")):
        typed["status"] = wanted
    if texts or not shown.html:
        typed |= {"html": cleaning.editable(form.raw("html")), "text": form.raw("text")}
    return msgspec.structs.replace(shown, **typed)


def _news(one: Arrived) -> News:
    if one.by == "oneself":
        return News("You", "replied from another window", one.created_at, preview(one.body or ""), "user")
    name = words.full_name(one.first, one.last, "The customer" if one.by == "customer" else "Somebody")
    did = {"note": "wrote a note", "customer": "wrote", "chat": "wrote", "phone": "noted a call"}.get(
        one.type, "replied"
    )
    if one.state == "draft":
        did = "drafted a reply"
    return News(name, did, one.created_at, preview(one.body or ""), "note" if one.type == "note" else one.by)
