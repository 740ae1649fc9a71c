"""`deskhand mail …`: names, options and help."""

from __future__ import annotations

from typing import Annotated

import typer

from deskhand.cli.options import Account, Json, group, module, settings

mail = group("mail", "Set up how mail comes and goes, try it, and see that none is missing.")

Inbox = Annotated[int, typer.Option(help="The inbox's id.", min=1)]
AnyInbox = Annotated[int | None, typer.Option(help="Only this inbox, by id.", min=1, show_default="all")]
Most = Annotated[int, typer.Option(help="How many messages.", min=1, max=10_000)]


@mail.command("set")
def mail_set(
    inbox: Inbox,
    imap: Annotated[
        str | None,
        typer.Option(
            help="The mailbox to read, as imaps://user@host; its password is asked for, or taken from "
            "DESKHAND_IMAP_PASSWORD. - reads the whole URL from stdin, none reads no mailbox any more.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[
        str | None, typer.Option("--imap-folder", help="The folder that is read.", show_default="INBOX")
    ] = None,
    smtp: Annotated[
        str | None,
        typer.Option(
            help="The server its replies leave by, as smtps://user@host; the password as above, from "
            "DESKHAND_SMTP_PASSWORD. - and none as above.",
            show_default=False,
        ),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", help="Take what comes from now on, or all that lies there.", show_default="now"),
    ] = None,
    account: Account = None,
    json: Json = False,
) -> None:
    """Say from which mailbox an inbox's mail is fetched, and by which server its replies leave."""
    if begin not in (None, "now", "all"):
        raise typer.BadParameter("must be now or all", param_hint="--from")
    if imap is None and folder is None and smtp is None and begin is None:
        raise typer.BadParameter("say what is to be different: --imap, --imap-folder, --smtp or --from")
    module("mail").change(settings(), account, inbox, imap=imap, folder=folder, smtp=smtp, begin=begin, json=json)


@mail.command("test")
def mail_test(inbox: Inbox, account: Account = None, json: Json = False) -> None:
    """Connect to an inbox's mail servers and say what works; nothing is sent and nothing is taken."""
    module("mail").test(settings(), account, inbox, json=json)


@mail.command("check")
def mail_check(inbox: AnyInbox = None, account: Account = None, json: Json = False) -> None:
    """Compare what lies on mail servers with what is here; status 1 when a message is missing or stuck."""
    module("mail_checking").check(settings(), account, inbox, json=json)


@mail.command("again")
def mail_again(inbox: Inbox, account: Account = None, json: Json = False) -> None:
    """Read an inbox's mailbox anew from the beginning; what is here already is not taken twice."""
    module("mail").again(settings(), account, inbox, json=json)


@mail.command("failed")
def mail_failed(most: Most = 100, account: Account = None, json: Json = False) -> None:
    """Messages that could not be made into a conversation, mails of yours that did not arrive, and why."""
    module("mail").failed(settings(), account, most=most, json=json)


@mail.command("retry")
def mail_retry(
    id: Annotated[int, typer.Argument(help="The message's id, as `failed` and `log` show it.", min=1)],
    account: Account = None,
    json: Json = False,
) -> None:
    """Have a message read again that failed."""
    module("mail").retry(settings(), account, id, json=json)


@mail.command("resend")
def mail_resend(
    thread: Annotated[int, typer.Argument(help="The id of its thread, as `failed` shows it.", min=1)],
    account: Account = None,
    json: Json = False,
) -> None:
    """Send a mail again that did not arrive, to those whom it did not reach."""
    module("mail").resend(settings(), account, thread, json=json)


@mail.command("log")
def mail_log(inbox: AnyInbox = None, most: Most = 50, account: Account = None, json: Json = False) -> None:
    """What came, the newest first, and what became of it."""
    module("mail").log(settings(), account, inbox, most=most, json=json)
