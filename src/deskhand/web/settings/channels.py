"""The mail of an inbox: its servers and whether they work, what replies carry, and whether anything is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest, NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations.mail import received_listing
from deskhand.desk.conversations.mail.reconciling import Came, Reconciling, Stands
from deskhand.desk.inboxes import mail_servers, queries, trial_mail
from deskhand.desk.inboxes.mail_servers import Channel, url_of
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.lib.sealing import SealingError
from deskhand.mail import imap_positions
from deskhand.mail.headers import Address
from deskhand.mail.imap_in import Wire
from deskhand.mail.post import Undelivered
from deskhand.mail.trying import CONNECT_S, Step, try_imap, try_smtp
from deskhand.oauth import pages, throttle
from deskhand.web.account.confirming import asked_first
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings import channel_form as forms
from deskhand.web.settings import tracing
from deskhand.web.settings.channel_form import Typed
from deskhand.web.settings.forms import Wrong

PAGES = Pages("administrator")
HERE = "/settings/inboxes/{id}/mail"
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
    sends = url_of("smtp", channel.smtp) if channel.smtp else None
    if isinstance(wanted.smtp, str) and wanted.smtp != sends:  # mails with links to sign in go there as well
        first = await asked_first(asked, "Changing the server that mail leaves by")
        if first is not None:
            return first
    begin = typed.begin if typed.imap.own and channel.position is None else ""

    def write(tx: Writer) -> None:
        before = tracing.mail_of(tx, asked, channel.inbox.id)
        mail_servers.change(tx, asked.account_id, channel.inbox.id, wanted, asked.web.sealer, asked.now, begin)
        tracing.of_mail(asked, tx, before)

    try:
        await asked.write(write)
    except BadRequest as problem:
        return await _form(asked, channel, typed, forms.refused(problem), status=400)
    except SealingError as problem:
        return await _form(asked, channel, typed, {"key": f"Passwords can’t be kept: {problem}."}, status=503)
    if asked.form.text("do") == "test":
        return await _tested(asked, await _channel(asked), saved=True)
    return asked.go(path_of(asked), "The mail settings are saved.")


@PAGES.post(HERE + "/test")
async def test(asked: Asked) -> Response:
    """Try the servers that are kept; nothing is sent or changed."""
    return await _tested(asked, await _channel(asked))


@PAGES.post(HERE + "/trial")
async def trial(asked: Asked) -> Response:
    """Send a mail to whoever asks for it."""
    channel = await _channel(asked)
    to = Address(asked.visitor.email, asked.visitor.name)
    if too_many := await _too_many(asked):
        return asked.go(path_of(asked), too_many, fault=True)
    try:
        if channel.lost:
            raise Undelivered(channel.lost)
        now = asked.web.clock.now()
        await trial_mail.send(asked.web.mail.post, asked.web.database, channel.inbox, channel.smtp, to, now)
    except Undelivered as problem:
        return asked.go(path_of(asked), f"The test mail did not leave: {problem.reason}.", fault=True)
    where = "It was caught: look into the sandbox’s mail." if asked.web.captured else "Look into your mailbox."
    return asked.go(path_of(asked), f"A test mail is on its way to {asked.visitor.email}. {where}")


async def _tested(asked: Asked, channel: Channel, *, saved: bool = False) -> Response:
    """The settings with what came of trying their servers."""
    if too_many := await _too_many(asked):
        return asked.go(path_of(asked), f"{'The mail settings are saved. ' if saved else ''}{too_many}", fault=True)
    return await _form(asked, channel, forms.kept(channel), tried=await _try(asked, channel), saved=saved)


async def _too_many(asked: Asked) -> str:
    """That servers were tried too often, so that this is no way to look through a network; else empty."""
    attempt = throttle.Attempt(
        str(asked.account_id), pages.host(asked.request), asked.web.clock.now(), throttle.SERVER
    )  # fmt: skip
    try:
        await asked.write(attempt.begin)
    except throttle.TooMany as refused:
        return pages.too_many(refused.retry_after_s)
    return ""


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
    if too_many := await _too_many(asked):
        return asked.go(f"{path_of(asked)}/check", too_many, fault=True)
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
        path = f"{path_of(asked)}/check"
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
        return imap_positions.look_again(tx, asked.account_id, inbox_of(tx, asked).id)

    done = await asked.write(again)
    text = "The mailbox will be read anew." if done else "No mailbox of this inbox has been read yet."
    return asked.go(f"{path_of(asked)}/check", text, fault=not done)


def path_of(asked: Asked) -> str:
    """The address of the mail settings that are asked about."""
    return HERE.replace("{id}", str(asked.id()))


async def _channel(asked: Asked) -> Channel:
    return await asked.read(lambda db: mail_servers.channel(db, asked.account_id, asked.id(), asked.web.sealer))


def inbox_of(db: Reader, asked: Asked) -> InboxRow:
    """The inbox that the path names; raises NotFound."""
    found = queries.by_id(db, asked.account_id, asked.id())
    if found is None:
        raise NotFound
    return found
