"""Sending a form for a new conversation or a forward: once, at once or held, and over no other window's text."""

from __future__ import annotations

import asyncio

import msgspec

from deskhand.catalogue.problems import AccessDenied, NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.drafts import departed, departing, once
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.departed import Departed
from deskhand.desk.conversations.drafts.ready import Along, Ready
from deskhand.desk.conversations.drafts.unsent import Typed, Unsent, UnsentFile
from deskhand.web.inbox import given
from deskhand.web.pages import Asked


class Sent(msgspec.Struct, frozen=True):
    """What became of a form: a conversation, or it is held for some seconds; `led_to` when it was sent before."""

    conversation_id: int = 0
    seconds: int = 0
    led_to: str | None = None


class Elsewhere(Exception):
    """Another window of the writer's has kept another text in this form."""

    def __init__(self, other: Unsent) -> None:
        self.other = other


class Already(Exception):
    """The form has been sent from another window since this one was opened."""

    def __init__(self, found: Departed) -> None:
        self.found = found


class Before(msgspec.Struct, frozen=True):
    """What was sent already, as it is shown: `held` where it can be undone by its key, else what it became, if seen."""

    key: str
    at: str
    held: bool = False
    to: str = ""
    subject: str = ""
    conversation_id: int = 0
    number: int = 0


class _Tried(Exception):
    """It could be begun; what that has made is taken back."""


async def kept_files(asked: Asked, key: str) -> list[UnsentFile]:
    """The files that a form has already."""
    return await asked.read(lambda db: forms.files_of(db, asked.account_id, forms.of(db, asked.actor, key)))


async def send(
    asked: Asked, typed: Typed, ready: Ready, files: given.Files, *,
    held: bool, path: str = "", kept: Unsent | None = None,
) -> Sent:  # fmt: skip
    """Send it; raises what starting.start does, at once even where it is held, Already and Elsewhere.

    `held`: it can be taken back for as long as the visitor or the inbox wants. `path`: where it leads when it is sent
    once more; empty: to the conversation. `kept`: it is sent as it is kept, and from no window of its own.
    """
    actor, now, known_form = asked.actor, asked.now, kept.form if kept else asked.form.text("known_form")

    def look(db: Reader) -> int:
        return given.undo_seconds(db, asked, ready.new.mailbox_id) if held else 0

    seconds = await asked.read(look)
    along: list[UnsentFile | Along] = [*(await kept_files(asked, typed.key)), *ready.along]
    before = [] if seconds else await asyncio.to_thread(departing.loaded, asked.web.blobs, along)
    if seconds:
        await _try(asked, ready)

    def work(tx: Writer) -> Sent:
        token = typed.form
        if token and (led_to := once.sent_before(tx, asked.account_id, asked.visitor.id, token, now)) is not None:
            return Sent(led_to=led_to)
        if kept is None and (found := departed.since(tx, actor, typed.key, given.version(asked))):
            raise Already(found)
        if other := forms.written_elsewhere(tx, actor, typed, known_form):
            raise Elsewhere(other)
        if seconds:
            unsent_id = forms.keep(tx, actor, typed, now, files)
            departed.note(tx, actor, typed.key, now)
            departing.depart(tx, actor, unsent_id, ready, now, seconds)
            once.led_to(tx, asked.account_id, asked.visitor.id, token, path)
            return Sent(seconds=seconds)
        known = forms.of(tx, actor, typed.key)
        if known is not None:
            forms.require_unsent(known)
        id = departing.begin(tx, actor, known, ready, [*before, *((new, blob, "") for new, blob in files)], now)
        departed.note(tx, actor, typed.key, now)
        departed.became(tx, asked.account_id, actor.user_id, typed.key, id)
        once.led_to(tx, asked.account_id, asked.visitor.id, token, path or f"/conversation/{id}")
        return Sent(id)

    return await asked.write(work)


async def before(asked: Asked, key: str, found: Departed) -> Before:
    """What was sent already by a form, as far as the visitor sees it."""

    def read(db: Reader) -> Before:
        one = forms.of(db, asked.actor, key)
        if one is not None and one.ready is not None:
            return Before(key, one.at, held=True, to=one.recipients, subject=one.subject)
        try:
            head = queries.head(db, asked.actor, found.made or 0)
        except (NotFound, AccessDenied):
            return Before(key, found.at)
        return Before(key, found.at, False, head.customer_email, head.subject, head.id, head.number)

    return await asked.read(read)


async def _try(asked: Asked, ready: Ready) -> None:
    """What is wrong with it is to be said now, not when its time is over and its writer has gone on."""

    def work(tx: Writer) -> None:
        departing.begin(tx, asked.actor, None, ready, (), asked.now)
        raise _Tried

    try:
        await asked.write(work)
    except _Tried:
        return
