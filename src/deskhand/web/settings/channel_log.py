"""The mail of an inbox that came, and that of ours which did not arrive: page by page, to be tried again."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import NotFound, PreconditionFailed
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations.mail import received_listing, receiving, resending
from deskhand.desk.conversations.mail.received_listing import Key, Listed
from deskhand.desk.conversations.mail.resending import Undelivered as Gone
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.web import words
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.channels import HERE, inbox_of, path_of
from deskhand.web.settings.turning import Leaf, Turn, asked_for, leaf

PAGES = Pages("administrator")
STATES = {"": "All", "failed": "Failed", "skipped": "Skipped", "waiting": "Waiting", "taken": "Taken"}
LISTED_MOST = 100


# -- What came


@PAGES.get(HERE + "/received")
async def received(asked: Asked) -> Response:
    """What came to an inbox, and what became of it."""
    state = asked.query("state") if asked.query("state") in STATES else ""
    path = f"{path_of(asked)}/received"

    def read(db: Reader) -> tuple[InboxRow, Leaf[Listed]]:
        inbox = inbox_of(db, asked)

        def load(turn: Turn, most: int) -> list[Listed]:
            return received_listing.of_inbox(
                db, asked.account_id, inbox.id, most, state=state, turned=turn.turned, key=turn.key
            )

        return inbox, leaf(asked_for(asked), LISTED_MOST, load, _by_time, path, state=state)

    inbox, found = await asked.read(read, "slow")
    return await asked.page(
        "settings/channels_received.html", inbox=inbox, messages=found.items, leaf=found, state=state, states=STATES
    )


@PAGES.post(HERE + "/received/again")
async def read_again(asked: Asked) -> Response:
    """Have a message read again that could not be, or all of them."""
    id = asked.form.id("id")

    def again(tx: Writer) -> int:
        inbox = inbox_of(tx, asked)
        if id is None:
            return receiving.retry_failed(tx, asked.account_id, inbox.id, asked.now)
        return int(receiving.retry(tx, asked.account_id, id, asked.now))

    count = await asked.write(again)
    text = f"{words.counted(count, 'message')} will be read again." if count else "It has been read again already."
    return asked.back(f"{path_of(asked)}/received", text)


# -- What did not arrive


@PAGES.get(HERE + "/undelivered")
async def undelivered(asked: Asked) -> Response:
    """Mails from an inbox that did not arrive, or not everywhere."""

    path = f"{path_of(asked)}/undelivered"

    def read(db: Reader) -> tuple[InboxRow, Leaf[Gone]]:
        inbox = inbox_of(db, asked)

        def load(turn: Turn, most: int) -> list[Gone]:
            thread_id = turn.key.id if turn.key else None
            return resending.undelivered_from(
                db, asked.account_id, inbox.id, most, turned=turn.turned, thread_id=thread_id
            )

        return inbox, leaf(asked_for(asked), LISTED_MOST, load, _by_thread, path)

    inbox, found = await asked.read(read, "slow")
    mails = [(one, _recipients(one)) for one in found.items]
    return await asked.page("settings/channels_undelivered.html", inbox=inbox, mails=mails, leaf=found)


@PAGES.post(HERE + "/undelivered/again")
async def send_again(asked: Asked) -> Response:
    """Send a mail again to those whom it did not reach."""
    thread_id = asked.form.id("thread")
    if thread_id is None:
        raise NotFound
    path = f"{path_of(asked)}/undelivered"
    try:
        await asked.write(lambda tx: resending.resend_of(tx, asked.account_id, thread_id, asked.now))
    except PreconditionFailed as problem:
        text = "; ".join(error.message for error in problem.errors)
        return asked.go(path, f"{text[:1].upper()}{text[1:]}.", fault=True)
    return asked.go(path, "It is tried again.")


def _by_time(one: Listed) -> Key:
    return Key(one.received_at, one.id)


def _by_thread(one: Gone) -> Key:
    return Key("", one.thread_id)


def _recipients(one: Gone) -> list[str]:
    return [to for listed in (one.recipients, one.cc, one.bcc) for to in msgspec.json.decode(listed, type=list[str])]
