"""The applications of an account, as its administrators make, change and remove them."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, NotFound, empty
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, columns, command, rows
from deskhand.desk.access import STALE, require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.users import queries as users
from deskhand.lib.secrets import digest, new_token
from deskhand.oauth import applications
from deskhand.oauth.tables import application, code, token
from deskhand.outbox import events

NAME_MOST = 80
URL_MOST = 2_000


class Registered(msgspec.Struct, frozen=True):
    """An application as administrators see it; client credentials act as `user_id`, who made it."""

    id: int
    user_id: int
    name: str
    client_id: str
    redirect_url: str
    created_at: str


class Made(msgspec.Struct, frozen=True):
    """What an application's program is set up with; the secret is shown this once."""

    id: int
    client_id: str
    client_secret: str


class _Used(msgspec.Struct, frozen=True):
    application_id: int
    tokens: int
    last_at: str


_MINE = application.c.account_id == P("account_id")
_ONE = (_MINE, application.c.id == P("id"))
_SHOWN = sa.select(*columns(application, *Registered.__struct_fields__))
_LIST = rows(Registered, _SHOWN.where(_MINE).order_by(application.c.id))
_BY_ID = rows(Registered, _SHOWN.where(*_ONE))
_CHANGE = command(sa.update(application).where(*_ONE).values(name=P("name"), redirect_url=P("redirect_url")))
_SET_SECRET = command(sa.update(application).where(*_ONE).values(secret_hash=P("hash")))
_END = tuple(
    command(sa.delete(table).where(table.c.account_id == P("account_id"), table.c.application_id == P("id")))
    for table in (code, token)
)
_USED = rows(
    _Used,
    sa.select(token.c.application_id, sa.func.count().label("tokens"), sa.func.max(token.c.created_at).label("last_at"))
    .where(token.c.account_id == P("account_id"))
    .group_by(token.c.application_id),
)


def listed(db: Reader, account_id: int) -> list[Registered]:
    """An account's applications, oldest first."""
    return db.all(_LIST, account_id=account_id)


def one(db: Reader, account_id: int, id: int) -> Registered:
    """An application; raises NotFound."""
    found = db.one(_BY_ID, account_id=account_id, id=id)
    if found is None:
        raise NotFound
    return found


def last_tokens(db: Reader, account_id: int) -> dict[int, str]:
    """When applications were last given a token that has not been cleared away yet, by application."""
    return {used.application_id: used.last_at for used in db.all(_USED, account_id=account_id)}


def create(tx: Writer, actor: Actor, name: str, redirect_url: str, now: str) -> Made:
    """Register an application that acts as the caller; raises AccessDenied and BadRequest."""
    require_administrator(actor)
    name, redirect_url = _checked(name, redirect_url)
    client_id, secret = new_token(), new_token()
    tx.changed(events.PAGES)
    id = applications.register(
        tx, account_id=actor.account_id, user_id=actor.user_id, name=name, client_id=client_id, client_secret=secret,
        redirect_url=redirect_url, now=now,
    )  # fmt: skip
    return Made(id, client_id, secret)


def change(tx: Writer, actor: Actor, id: int, name: str, redirect_url: str) -> None:
    """Rename an application and decide where people go who approved it; raises NotFound, AccessDenied, BadRequest."""
    _require_may_change(tx, actor, one(tx, actor.account_id, id))
    name, redirect_url = _checked(name, redirect_url)
    tx.run(_CHANGE, account_id=actor.account_id, id=id, name=name, redirect_url=redirect_url)
    tx.changed(events.PAGES)


def new_secret(tx: Writer, actor: Actor, id: int) -> Made:
    """Give an application another secret and end its tokens, all at once; raises NotFound and AccessDenied."""
    found = one(tx, actor.account_id, id)
    _require_may_change(tx, actor, found)
    secret = new_token()
    tx.run(_SET_SECRET, account_id=actor.account_id, id=id, hash=digest(secret))
    for statement in _END:
        tx.run(statement, account_id=actor.account_id, id=id)
    tx.changed(STALE)
    return Made(id, found.client_id, secret)


def delete(tx: Writer, actor: Actor, id: int) -> Registered:
    """Remove an application, whose tokens stop working at once; gives what it was. Raises NotFound, AccessDenied."""
    require_administrator(actor)
    found = one(tx, actor.account_id, id)
    applications.remove(tx, actor.account_id, id)
    tx.changed(events.PAGES)
    return found


def _require_may_change(db: Reader, actor: Actor, found: Registered) -> None:
    """Who has the secret acts as its user, so an owner's is not for other administrators to renew."""
    require_administrator(actor)
    user = users.by_id(db, actor.account_id, found.user_id)
    if user is not None and user.role == "owner" and actor.role != "owner":
        raise AccessDenied(FieldError("", "It acts as an owner, so only an owner can change it", "ValidIdentifier"))


def _checked(name: str, redirect_url: str) -> tuple[str, str]:
    name, redirect_url, faults = name.strip(), redirect_url.strip(), []
    if not name:
        faults.append(empty("name"))
    elif len(name) > NAME_MOST:
        faults.append(FieldError("name", f"must have at most {NAME_MOST} characters", "Size"))
    if not _is_url(redirect_url):
        faults.append(FieldError("redirect_url", "must be a whole address, such as https://app.example/back", "Url"))
    if faults:
        raise BadRequest(*faults)
    return name, redirect_url


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            len(text) <= URL_MOST and parts.scheme in ("https", "http") and bool(parts.hostname)
            and not parts.fragment and not any(one.isspace() for one in text)
        )  # fmt: skip
    except ValueError:
        return False
