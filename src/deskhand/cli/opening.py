"""`deskhand init`: the first account, with all that is needed to sign in and to use the API."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import sqlalchemy as sa
import typer

from deskhand.cli.databases import opened, require_current
from deskhand.cli.refused import Refused
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import value
from deskhand.desk.inboxes import verbs as inboxes
from deskhand.desk.users import verbs as users
from deskhand.desk.users.tables import account
from deskhand.lib.clock import to_wire
from deskhand.lib.secrets import new_token
from deskhand.oauth import applications, passwords
from deskhand.settings import Settings

PASSWORD_LEAST = 8
_QUESTIONS = {
    "account": "Name of the account (your company)",
    "name": "Your name",
    "email": "Your e-mail address, to sign in with",
    "password": "A password",
    "inbox": "Name of the first inbox",
    "inbox_email": "The address customers write to",
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_COUNT = value(int, sa.select(sa.func.count().label("n")).select_from(account))


class Answers(msgspec.Struct, frozen=True):
    """What the account begins with; `password` as it was typed."""

    account: str
    name: str
    email: str
    password: str
    inbox: str
    inbox_email: str
    application: str
    redirect_url: str
    timezone: str


class _Account(msgspec.Struct):
    id: int
    name: str


class _User(msgspec.Struct):
    id: int
    email: str
    role: str


class _Inbox(msgspec.Struct):
    id: int
    name: str
    email: str


class _App(msgspec.Struct):
    name: str
    client_id: str
    client_secret: str
    redirect_url: str
    user_id: int


class Opened(msgspec.Struct):
    """What was opened, in the shape of the sandbox's `sandbox.json`."""

    base_url: str
    account: _Account
    users: list[_User]
    inboxes: list[_Inbox]
    apps: list[_App]


def init(settings: Settings, given: Mapping[str, str | None], *, another: bool, json: bool) -> None:
    """Open an account, asking for what was not given; raises Refused where there is one already."""
    with opened(settings) as database:
        require_current(database)
        if not another:
            database.read_now(_require_none)
        answers = _answers(given, settings.base_url)
        password_hash = passwords.hash(answers.password)

        def write(tx: Writer) -> Opened:
            if not another:
                _require_none(tx)
            return _open(tx, answers, password_hash, settings.base_url)

        made = database.write_now(write)
    typer.echo(msgspec.json.encode(made).decode() if json else _words(made))


def _require_none(db: Reader) -> None:
    if db.first(_COUNT):
        raise Refused("there is an account already; --another opens one more")


def _answers(given: Mapping[str, str | None], base_url: str) -> Answers:
    """What was given, and what people say when asked for the rest; raises typer.BadParameter for the unusable."""
    missing = [name for name in _QUESTIONS if given[name] is None]
    if missing and not sys.stdin.isatty():
        options = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
        raise typer.BadParameter(f"nobody is there to be asked: give {options}")
    answers = {name: text for name, text in given.items() if text is not None}
    answers.setdefault("redirect_url", base_url)
    if answers.get("password") == "-":
        answers["password"] = sys.stdin.readline().rstrip("\r\n")
    for name, text in answers.items():
        if problem := _problem(name, text):
            raise typer.BadParameter(f"--{name.replace('_', '-')} {problem}")
    return Answers(**answers, **{name: _ask(name) for name in missing})


def _ask(name: str) -> str:
    while True:
        secret = name == "password"
        said: str = typer.prompt(_QUESTIONS[name], err=True, hide_input=secret, confirmation_prompt=secret)
        problem = _problem(name, said)
        if not problem:
            return said
        typer.echo(f"It {problem}.", err=True)


def _problem(name: str, text: str) -> str:
    """What is wrong with an answer; empty: nothing."""
    return next((words for names, wrong, words in _RULES if name in names and wrong(text)), "")


def _open(tx: Writer, answers: Answers, password_hash: str, base_url: str) -> Opened:
    now = to_wire(datetime.now(UTC))
    account_id = users.open_account(
        tx, users.NewAccount(name=answers.account.strip(), timezone=answers.timezone, created_at=now)
    )
    user_id = users.add_staff(tx, _owner(answers, account_id, password_hash, now))
    inbox = inboxes.NewInbox(
        account_id=account_id,
        name=answers.inbox.strip(),
        email=answers.inbox_email.strip().lower(),
        created_at=now,
        updated_at=now,
    )
    inbox_id = inboxes.open_inbox(tx, inbox)
    app = _App(answers.application, new_token(), new_token(), answers.redirect_url, user_id)
    applications.register(
        tx, account_id=account_id, user_id=user_id, name=app.name, client_id=app.client_id,
        client_secret=app.client_secret, redirect_url=app.redirect_url, now=now,
    )  # fmt: skip
    return Opened(
        base_url,
        _Account(account_id, answers.account.strip()),
        [_User(user_id, answers.email.strip().lower(), "owner")],
        [_Inbox(inbox_id, inbox.name, inbox.email)],
        [app],
    )


def _owner(answers: Answers, account_id: int, password_hash: str, now: str) -> users.NewStaff:
    first, _, last = answers.name.strip().partition(" ")
    return users.NewStaff(
        account_id=account_id,
        first_name=first,
        last_name=last.strip(),
        email=answers.email.strip().lower(),  # as the sign-in page looks for it
        role="owner",
        timezone=answers.timezone,
        password_hash=password_hash,
        created_at=now,
        updated_at=now,
    )


def _words(made: Opened) -> str:
    user, inbox, app = made.users[0], made.inboxes[0], made.apps[0]
    return "\n".join(
        [
            f"Account {made.account.id} is open: {made.account.name}",
            f"  owner          {user.email} (user {user.id}) signs in at {made.base_url}/sign-in",
            f"  inbox          {inbox.name} <{inbox.email}> (inbox {inbox.id})",
            f"  application    {app.name}",
            f"  client_id      {app.client_id}",
            f"  client_secret  {app.client_secret}",
            "The secret is shown this once: only its hash is kept.",
            '"deskhand agents create" makes an AI agent, "deskhand admin-tokens create" a token for /admin/v1.',
        ]
    )


def _unknown_zone(name: str) -> bool:
    try:
        return name != "UTC" and ZoneInfo(name) is None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return True


_RULES: tuple[tuple[tuple[str, ...], Callable[[str], bool], str], ...] = (
    (tuple(Answers.__struct_fields__), lambda text: not text.strip(), "may not be empty"),
    (("email", "inbox_email"), lambda text: not _EMAIL.fullmatch(text.strip()), "must be an e-mail address"),
    (("password",), lambda text: len(text) < PASSWORD_LEAST, f"must have at least {PASSWORD_LEAST} characters"),
    (("redirect_url",), lambda text: not text.startswith(("https://", "http://")), "must be a URL"),
    (("timezone",), _unknown_zone, "must name a time zone, such as Europe/Lisbon"),
)
