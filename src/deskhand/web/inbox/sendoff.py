"""Sending a form for a new conversation or a forward: once, at once or held, and over no other window's text."""

from __future__ import annotations

import asyncio

import msgspec

from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations.drafts import departing, once
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.departing import Along, Ready
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


class _Tried(Exception):
    """It could be begun; what that has made is taken back."""


async def kept_files(asked: Asked, key: str) -> list[UnsentFile]:
    """The files that a form has already."""
    return await asked.read(lambda db: forms.files_of(db, asked.account_id, forms.of(db, asked.actor, key)))


async def send(asked: Asked, typed: Typed, ready: Ready, files: given.Files, *, held: bool, path: str = "") -> Sent:
    """Send it; raises what starting.start does, at once even where it is held, and Elsewhere.

    `held`: it can be taken back for as long as the visitor or the inbox wants. `path`: where it leads when it is sent
    once more; empty: to the conversation.
    """
    actor, now = asked.actor, asked.now

    def look(db: Reader) -> int:
        return given.undo_seconds(db, asked, ready.new.mailbox_id) if held else 0

    seconds = await asked.read(look)
    kept: list[UnsentFile | Along] = [*(await kept_files(asked, typed.key)), *ready.along]
    before = [] if seconds else await asyncio.to_thread(departing.loaded, asked.web.blobs, kept)
    if seconds:
        await _try(asked, ready)

    def work(tx: Writer) -> Sent:
        token = typed.form
        if token and (led_to := once.sent_before(tx, asked.account_id, asked.visitor.id, token, now)) is not None:
            return Sent(led_to=led_to)
        if other := forms.written_elsewhere(tx, actor, typed, asked.form.text("known_form")):
            raise Elsewhere(other)
        if seconds:
            unsent_id = forms.keep(tx, actor, typed, now, files)
            departing.depart(tx, actor, unsent_id, ready, now, seconds)
            once.led_to(tx, asked.account_id, asked.visitor.id, token, path)
            return Sent(seconds=seconds)
        known = forms.of(tx, actor, typed.key)
        if known is not None:
            forms.require_unsent(known)
        id = departing.begin(tx, actor, known, ready, [*before, *((new, blob, "") for new, blob in files)], now)
        once.led_to(tx, asked.account_id, asked.visitor.id, token, path or f"/conversation/{id}")
        return Sent(id)

    return await asked.write(work)


async def _try(asked: Asked, ready: Ready) -> None:
    """What is wrong with it is to be said now, not when its time is over and its writer has gone on."""

    def work(tx: Writer) -> None:
        departing.begin(tx, asked.actor, None, ready, (), asked.now)
        raise _Tried

    try:
        await asked.write(work)
    except _Tried:
        return
