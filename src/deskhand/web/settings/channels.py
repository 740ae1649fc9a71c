"""The mail of an inbox: its servers and whether they work, what replies carry, what came and what did not arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest, NotFound, PreconditionFailed
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations.mail import received_listing, receiving, resending
from deskhand.desk.conversations.mail.received_listing import Listed
from deskhand.desk.conversations.mail.reconciling import Came, Reconciling, Stands
from deskhand.desk.conversations.mail.resending import Undelivered as Gone
from deskhand.desk.inboxes import mail_servers, queries, trial_mail
from deskhand.desk.inboxes.mail_servers import Channel
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.lib.sealing import SealingError
from deskhand.mail import imap_positions
from deskhand.mail.headers import Address
from deskhand.mail.imap_in import Wire
from deskhand.mail.post import Undelivered
from deskhand.mail.trying import CONNECT_S, Step, try_imap, try_smtp
from deskhand.web import words
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings import channel_form as forms
from deskhand.web.settings.channel_form import Typed
from deskhand.web.settings.forms import Wrong

PAGES = Pages("administrator")
HERE = "/settings/inboxes/{id}/mail"
STATES = {"": "All", "failed": "Failed", "skipped": "Skipped", "waiting": "Waiting", "taken": "Taken"}
LISTED_MOST = 100
COMPARE_S = 60.0
"""How long comparing may take: somebody waits for it."""


_NO_SERVER = "No server is named here or for the whole installation, so replies are not mailed."


class Tried(msgspec.Struct, frozen=True):
    """A server that was tried; without `steps` there is none to try, and `words` says so."""

    title: str
    where: str
    steps: list[Step]
    words: str = ""

    @property
    def well(self) -> bool:
        """Whether everything works."""
        return all(step.state == "well" for step in self.steps)


# -- Settings


@PAGES.get(HERE)
async def show(asked: Asked) -> Response:
    """How an inbox's mail comes and goes."""
    channel = await _channel(asked)
    return await _form(asked, channel, forms.kept(channel))


@PAGES.post(HERE)
async def change(asked: Asked) -> Response:
    """Change how an inbox's mail comes and goes, and try it if that is wished."""
    channel = await _channel(asked)
    typed = forms.sent(asked.form, channel)
    wanted, wrong = forms.change(typed, channel)
    if wrong:
        return await _form(asked, channel, typed, wrong, status=400)
    begin = typed.begin if typed.imap.own and channel.position is None else ""

    def write(tx: Writer) -> None:
        mail_servers.change(tx, asked.account_id, channel.inbox.id, wanted, asked.web.sealer, asked.now, begin)

    try:
        await asked.write(write)
    except BadRequest as problem:
        return await _form(asked, channel, typed, forms.refused(problem), status=400)
    except SealingError as problem:
        return await _form(asked, channel, typed, {"key": f"Passwords can’t be kept: {problem}."}, status=503)
    if asked.form.text("do") == "test":
        channel = await _channel(asked)
        return await _form(asked, channel, forms.kept(channel), tried=await _try(asked, channel), saved=True)
    return asked.go(_path(asked), "The mail settings are saved.")


@PAGES.post(HERE + "/test")
async def test(asked: Asked) -> Response:
    """Try the servers that are kept; nothing is sent or changed."""
    channel = await _channel(asked)
    return await _form(asked, channel, forms.kept(channel), tried=await _try(asked, channel))


@PAGES.post(HERE + "/trial")
async def trial(asked: Asked) -> Response:
    """Send a mail to whoever asks for it."""
    channel = await _channel(asked)
    to = Address(asked.visitor.email, asked.visitor.name)
    try:
        if channel.lost:
            raise Undelivered(channel.lost)
        now = asked.web.clock.now()
        await trial_mail.send(asked.web.mail.post, asked.web.database, channel.inbox, channel.smtp, to, now)
    except Undelivered as problem:
        return asked.go(_path(asked), f"The test mail did not leave: {problem.reason}.", fault=True)
    where = "It was caught: look into the sandbox’s mail." if asked.web.captured else "Look into your mailbox."
    return asked.go(_path(asked), f"A test mail is on its way to {asked.visitor.email}. {where}")


async def _try(asked: Asked, channel: Channel) -> list[Tried]:
    """Both ways at once."""
    email = channel.inbox.email
    smtp = channel.smtp or asked.web.mail.server_of(email)
    imap = channel.imap

    async def out() -> Tried:
        title = "Outgoing mail"
        if channel.lost:
            return Tried(title, "", [Step("Name", "wrong", channel.lost, "Type the passwords anew.")])
        if smtp is None:
            return Tried(title, "", [], "It is caught by the sandbox." if asked.web.captured else _NO_SERVER)
        where = f"{smtp.host}, port {smtp.port}"
        return Tried(title, where, await try_smtp(smtp, asked.web.base_url, email))

    async def into() -> Tried:
        title = "Incoming mail"
        if imap is None:
            return Tried(title, "", [], "No mailbox is read for this inbox.")
        folder = channel.settings.imap_folder
        return Tried(title, f"{imap.host}, port {imap.port}", await try_imap(imap, folder))

    async with asked.web.mail.tries:
        return list(await asyncio.gather(out(), into()))


async def _form(
    asked: Asked, channel: Channel, typed: Typed, wrong: Wrong | None = None, status: int = 200,
    tried: Sequence[Tried] = (), saved: bool = False,
) -> Response:  # fmt: skip
    server = asked.web.mail.server_of(channel.inbox.email)
    shared = f"{server.host}, port {server.port}" if server else "the sandbox catches it" if asked.web.captured else ""
    return await asked.page(
        "settings/channels.html", status, channel=channel, inbox=channel.inbox, typed=typed, wrong=wrong or {},
        tried=tried, saved=saved, shared=shared,
    )  # fmt: skip


# -- What came


@PAGES.get(HERE + "/received")
async def received(asked: Asked) -> Response:
    """What came to an inbox, and what became of it."""
    state = asked.query("state") if asked.query("state") in STATES else ""

    def read(db: Reader) -> tuple[InboxRow, list[Listed]]:
        inbox = _inbox(db, asked)
        if state:
            return inbox, received_listing.in_state(db, asked.account_id, inbox.id, state, LISTED_MOST)
        return inbox, received_listing.newest(db, asked.account_id, inbox.id, LISTED_MOST)

    inbox, found = await asked.read(read, "slow")
    return await asked.page(
        "settings/channels_received.html", inbox=inbox, messages=found, state=state, states=STATES, most=LISTED_MOST
    )


@PAGES.post(HERE + "/received/again")
async def read_again(asked: Asked) -> Response:
    """Have a message read again that could not be, or all of them."""
    id = asked.form.id("id")

    def again(tx: Writer) -> int:
        inbox = _inbox(tx, asked)
        if id is None:
            return receiving.retry_failed(tx, asked.account_id, inbox.id, asked.now)
        return int(receiving.retry(tx, asked.account_id, id, asked.now))

    count = await asked.write(again)
    text = f"{words.counted(count, 'message')} will be read again." if count else "It has been read again already."
    return asked.back(f"{_path(asked)}/received", text)


# -- What did not arrive


@PAGES.get(HERE + "/undelivered")
async def undelivered(asked: Asked) -> Response:
    """Mails from an inbox that did not arrive, or not everywhere."""

    def read(db: Reader) -> tuple[InboxRow, list[Gone]]:
        inbox = _inbox(db, asked)
        return inbox, resending.undelivered_from(db, asked.account_id, inbox.id, LISTED_MOST)

    inbox, found = await asked.read(read, "slow")
    mails = [(one, _recipients(one)) for one in found]
    return await asked.page("settings/channels_undelivered.html", inbox=inbox, mails=mails, most=LISTED_MOST)


@PAGES.post(HERE + "/undelivered/again")
async def send_again(asked: Asked) -> Response:
    """Send a mail again to those whom it did not reach."""
    thread_id = asked.form.id("thread")
    if thread_id is None:
        raise NotFound
    path = f"{_path(asked)}/undelivered"
    try:
        await asked.write(lambda tx: resending.resend_of(tx, asked.account_id, thread_id, asked.now))
    except PreconditionFailed as problem:
        text = "; ".join(error.message for error in problem.errors)
        return asked.go(path, f"{text[:1].upper()}{text[1:]}.", fault=True)
    return asked.go(path, "It is tried again.")


def _recipients(one: Gone) -> list[str]:
    return [to for listed in (one.recipients, one.cc, one.bcc) for to in msgspec.json.decode(listed, type=list[str])]


# -- Is anything missing


@PAGES.get(HERE + "/check")
async def compare(asked: Asked) -> Response:
    """What came; the mail server is asked only by a press of the button."""
    channel = await _channel(asked)
    tally = await asked.read(lambda db: received_listing.tally(db, asked.account_id), "slow")
    came = Came(skipped={}, failed={})
    for one in tally:
        if one.inbox_id == channel.inbox.id:
            came.add(one)
    return await asked.page(
        "settings/channels_check.html", inbox=channel.inbox, channel=channel, came=came, stands=None
    )


@PAGES.post(HERE + "/check")
async def compare_now(asked: Asked) -> Response:
    """Compare the mailbox with what is here, message by message."""
    channel = await _channel(asked)
    wire = Wire()
    comparing = Reconciling(
        asked.web.database, asked.web.sealer, asked.account_id, asked.web.mail.imap_every_s, asked.web.clock.now(),
        CONNECT_S, wire,
    )  # fmt: skip

    def work() -> Stands:
        came = comparing.came().get(channel.inbox.id, Came(skipped={}, failed={}))
        return comparing.stands(channel.inbox, came)

    try:
        async with asked.web.mail.tries, asyncio.timeout(COMPARE_S):
            stands = await asyncio.to_thread(work)
    except TimeoutError:
        path = f"{_path(asked)}/check"
        return asked.go(
            path, f"Comparing takes longer than {COMPARE_S:g} seconds: use “deskhand mail check”.", fault=True
        )
    finally:
        wire.cut()
    return await asked.page(
        "settings/channels_check.html", inbox=channel.inbox, channel=channel, came=stands.came, stands=stands
    )


@PAGES.post(HERE + "/again")
async def look_again(asked: Asked) -> Response:
    """Have the mailbox read anew from its beginning; what is here already is known again."""

    def again(tx: Writer) -> bool:
        return imap_positions.look_again(tx, asked.account_id, _inbox(tx, asked).id)

    done = await asked.write(again)
    text = "The mailbox will be read anew." if done else "No mailbox of this inbox has been read yet."
    return asked.go(f"{_path(asked)}/check", text, fault=not done)


def _path(asked: Asked) -> str:
    return HERE.replace("{id}", str(asked.id()))


async def _channel(asked: Asked) -> Channel:
    return await asked.read(lambda db: mail_servers.channel(db, asked.account_id, asked.id(), asked.web.sealer))


def _inbox(db: Reader, asked: Asked) -> InboxRow:
    found = queries.by_id(db, asked.account_id, asked.id())
    if found is None:
        raise NotFound
    return found
