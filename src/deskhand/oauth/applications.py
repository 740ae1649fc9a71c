"""OAuth applications: what a client's id and secret stand for."""

from __future__ import annotations

import hmac

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, command, rows
from deskhand.desk.access import STALE
from deskhand.desk.users.tables import account
from deskhand.lib.secrets import digest
from deskhand.oauth.tables import application, code, token


class NewApplication(msgspec.Struct, frozen=True, kw_only=True):
    """An application to be registered."""

    account_id: int
    user_id: int
    name: str
    client_id: str
    secret_hash: str
    redirect_url: str
    created_at: str


class Application(msgspec.Struct, frozen=True):
    """A registered application. Its client credentials act as `user_id`."""

    id: int
    account_id: int
    account_name: str
    user_id: int
    name: str
    client_id: str
    secret_hash: str
    redirect_url: str


_ADD = Insert(application, NewApplication)
_BY_CLIENT_ID = rows(
    Application,
    sa.select(
        application.c.id,
        application.c.account_id,
        account.c.name.label("account_name"),
        application.c.user_id,
        application.c.name,
        application.c.client_id,
        application.c.secret_hash,
        application.c.redirect_url,
    )
    .join(account, account.c.id == application.c.account_id)
    .where(application.c.client_id == P("client_id")),
)
_REMOVE = command(
    sa.delete(application).where(application.c.account_id == P("account_id"), application.c.id == P("id"))
)
_REMOVE_CODES = command(sa.delete(code).where(code.c.account_id == P("account_id"), code.c.application_id == P("id")))
_REMOVE_TOKENS = command(
    sa.delete(token).where(token.c.account_id == P("account_id"), token.c.application_id == P("id"))
)
_REDIRECT_TO = command(
    sa.update(application)
    .where(application.c.account_id == P("account_id"), application.c.client_id == P("client_id"))
    .values(redirect_url=P("redirect_url"))
)
_NO_SECRET = "0" * 64


def register(
    tx: Writer,
    *,
    account_id: int,
    user_id: int,
    name: str,
    client_id: str,
    client_secret: str,
    redirect_url: str,
    now: str,
) -> int:
    """Register an application whose client credentials act as `user_id`; only the secret's hash is kept."""
    return tx.add(
        _ADD,
        NewApplication(
            account_id=account_id,
            user_id=user_id,
            name=name,
            client_id=client_id,
            secret_hash=digest(client_secret),
            redirect_url=redirect_url,
            created_at=now,
        ),
    )


def redirect_to(tx: Writer, account_id: int, client_id: str, redirect_url: str) -> None:
    """Change where people go who approved an application."""
    tx.run(_REDIRECT_TO, account_id=account_id, client_id=client_id, redirect_url=redirect_url)


def by_client_id(db: Reader, client_id: str) -> Application | None:
    """The application a client id names."""
    return db.one(_BY_CLIENT_ID, client_id=client_id)


def authenticate(db: Reader, client_id: str, client_secret: str) -> Application | None:
    """The application, if the secret is its own; takes the same time whichever of the two is wrong."""
    found = by_client_id(db, client_id)
    right = hmac.compare_digest(found.secret_hash if found else _NO_SECRET, digest(client_secret))
    return found if right else None


def remove(tx: Writer, account_id: int, application_id: int) -> bool:
    """Remove an application with its codes and tokens, which stop working at once; False when there is none."""
    for statement in (_REMOVE_CODES, _REMOVE_TOKENS):
        tx.run(statement, account_id=account_id, id=application_id)
    tx.changed(STALE)
    return tx.run(_REMOVE, account_id=account_id, id=application_id) == 1
