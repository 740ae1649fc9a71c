"""Connections: ways to remote help desks, with credentials that no agent ever sees.

Each is tried before it is kept. Its secrets are encrypted, bound to account, address and client: moved to another
address, they can't be opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AlreadyThere, BadRequest, FieldError, NotFound, Problem, empty, invalid
from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.gateway import remote_http
from deskhand.gateway.remote_http import Denied, Tokens
from deskhand.gateway.tables import agent, connection
from deskhand.gateway.upstream import UpstreamDown
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.outbound import Outbound
from deskhand.lib.sealing import KEY_FILE as SEALING_KEY_FILE
from deskhand.lib.sealing import Sealer, SealingError

Grant = Literal["client_credentials", "authorization_code"]

KEY_FILE = SEALING_KEY_FILE
"""The file in the data folder that holds the key which secrets are encrypted with."""
NAME_MOST = 100
URL_MOST = 500
SECRET_MOST = 2_000
CHANGED = "connections"
"""The name under which changes of connections are announced to memory caches."""
_EARLY_S = 300.0
"""How long before its end a token is renewed; of a short-lived one a tenth of its life."""
_TEXTS = ("name", "base_url", "client_id", "client_secret", "grant", "code", "refresh_token")
_REQUIRED = ("name", "base_url", "client_id", "client_secret")
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class NoKey(Problem):
    """The key that secrets are encrypted with is missing or another one than before."""

    status = 503

    def __init__(self, words: str) -> None:
        self.message = f"Secrets can't be kept: {words}"
        super().__init__()


class Secrets(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept encrypted. `good_until` is when the access token should be renewed."""

    client_secret: str
    refresh_token: str | None = None
    access_token: str | None = None
    good_until: str | None = None


class Connection(msgspec.Struct, frozen=True):
    """A connection as stored; `link_base` is what the desk's own links begin with."""

    id: int
    account_id: int
    name: str
    base_url: str
    link_base: str
    grant_type: Grant
    client_id: str
    secrets: str
    created_at: str
    last_ok_at: str | None
    last_error_at: str | None
    last_error: str | None


class Given(msgspec.Struct, frozen=True):
    """A connection as it was asked for. By authorization code either `code` or `refresh_token` is given."""

    name: str
    base_url: str
    client_id: str
    client_secret: str
    grant: Grant = "client_credentials"
    code: str | None = None
    refresh_token: str | None = None


class _New(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    name: str
    base_url: str
    link_base: str
    grant_type: Grant
    client_id: str
    secrets: str
    created_at: str
    last_ok_at: str


class LastError(msgspec.Struct, frozen=True):
    """What went wrong last with a connection."""

    at: str
    words: str


class Health(msgspec.Struct, frozen=True):
    """When a connection last worked and what last went wrong; each to the minute."""

    last_ok: str | None
    last_error: LastError | None


class Shown(msgspec.Struct, frozen=True):
    """A connection as people see it: never its secrets."""

    id: int
    name: str
    base_url: str
    grant: Grant
    client_id: str
    created_at: str
    health: Health


class _Using(msgspec.Struct, frozen=True):
    id: int
    name: str


_ONE = (connection.c.account_id == P("account_id"), connection.c.id == P("id"))
_ROW = sa.select(*columns(connection, *Connection.__struct_fields__))
_ADD = Insert(connection, _New)
_BY_ID = rows(Connection, _ROW.where(*_ONE))
_HELD = rows(Connection, _ROW.where(*_ONE).with_for_update())
_ALL = rows(Connection, _ROW.where(connection.c.account_id == P("account_id")).order_by(connection.c.id))
_FIRST = value(int, sa.select(sa.func.min(connection.c.id)).where(connection.c.account_id == P("account_id")))
_REMOVE = command(sa.delete(connection).where(*_ONE))
_RENEW = command(
    sa.update(connection).where(*_ONE, connection.c.secrets == P("known")).values(secrets=P("given_secrets"))
)
_REPLACE = command(
    sa.update(connection)
    .where(*_ONE)
    .values(secrets=P("given_secrets"), link_base=P("given_base"), last_ok_at=P("now"))
)
_WORKED = command(sa.update(connection).where(*_ONE).values(last_ok_at=P("now")))
_FAILED = command(sa.update(connection).where(*_ONE).values(last_error_at=P("now"), last_error=P("words")))
_USING = rows(
    _Using,
    sa.select(agent.c.id, agent.c.name)
    .where(
        agent.c.account_id == P("account_id"),
        agent.c.connection_id == P("connection_id"),
        agent.c.state != sa.literal_column("'deleted'"),
    )
    .order_by(agent.c.id),
)


# -- What may be asked for


def read_given(given: Any) -> Given:
    """A connection as an administrator describes it in JSON; raises BadRequest naming each field at fault."""
    if not isinstance(given, dict):
        raise invalid("", "must be an object", "NotNull")
    errors = [FieldError(str(name), "is not known here", "ValidIdentifier") for name in given if name not in _TEXTS]
    for name in _TEXTS:
        text = given.get(name)
        if text is None and name not in _REQUIRED:
            continue
        if text is None or text == "":
            errors.append(empty(name))
        elif wrong := _wrong(name, text):
            errors.append(FieldError(name, wrong, "Size"))
    grant = given.get("grant") or "client_credentials"
    errors += _about_grant(grant, [name for name in ("code", "refresh_token") if given.get(name)])
    if errors:
        raise BadRequest(*errors)
    texts = {name: given[name].strip() for name in _TEXTS if given.get(name)}
    return Given(**{**texts, "base_url": read_base_url(texts["base_url"])})


def _wrong(name: str, text: Any) -> str:
    if not isinstance(text, str):
        return "must be a text"
    most = {"name": NAME_MOST, "base_url": URL_MOST}.get(name, SECRET_MOST)
    if len(text) > most or not text.strip():
        return f"must have 1 to {most} characters"
    return "may not contain control characters" if _CONTROL.search(text) else ""


def _about_grant(grant: Any, ways: list[str]) -> list[FieldError]:
    if grant == "client_credentials":
        return [FieldError(name, 'goes with "grant": "authorization_code"', "ValidIdentifier") for name in ways]
    if grant != "authorization_code":
        words = "Expected one of these: 'client_credentials', 'authorization_code'"
        return [FieldError("grant", words, "EnumValue")]
    return [] if len(ways) == 1 else [FieldError("code", "give either code or refresh_token", "NotEmpty")]


def read_base_url(text: str) -> str:
    """A desk's address without `/v2`; raises BadRequest.

    It must be https, but on this machine, so that credentials never travel in the clear.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise _bad_url("must be a URL like https://api.helpscout.net") from None
    if parts.scheme not in ("https", "http") or not host or any(one.isspace() or one in "\\%" for one in text.strip()):
        raise _bad_url("must be a URL like https://api.helpscout.net")
    if "@" in parts.netloc:
        raise _bad_url("may not hold a user or a password")
    if parts.query or parts.fragment or text.rstrip().endswith(("?", "#")):
        raise _bad_url("may not have a query or a fragment")
    path = parts.path.rstrip("/").removesuffix("/v2").rstrip("/")
    if not _PATH.fullmatch(path):
        raise _bad_url("has a path with characters that can't be used here")
    if parts.scheme == "http" and not _is_loopback(host):
        raise _bad_url("must begin with https://, but for an address of this machine")
    place = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{place}{f':{port}' if port else ''}{path}"


def _bad_url(words: str) -> BadRequest:
    return invalid("base_url", words, "ValidIdentifier")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# -- What is stored


def by_id(db: Reader, account_id: int, id: int) -> Connection | None:
    """A connection, or None."""
    return db.one(_BY_ID, account_id=account_id, id=id)


def first(db: Reader, account_id: int) -> int | None:
    """The account's first connection."""
    return db.one(_FIRST, account_id=account_id)


def of_account(db: Reader, account_id: int) -> list[Connection]:
    """An account's connections in the order they were made."""
    return db.all(_ALL, account_id=account_id)


def shown(row: Connection) -> Shown:
    """A connection as people see it."""
    wrong = LastError(row.last_error_at, row.last_error or "") if row.last_error_at else None
    health = Health(row.last_ok_at, wrong)
    return Shown(row.id, row.name, row.base_url, row.grant_type, row.client_id, row.created_at, health)


def remove(tx: Writer, account_id: int, id: int) -> Connection:
    """Remove a connection; gives what it was. Raises NotFound, and AlreadyThere while agents use it."""
    before = tx.one(_HELD, account_id=account_id, id=id)
    if before is None:
        raise NotFound
    if using := tx.all(_USING, account_id=account_id, connection_id=id):
        names = ", ".join(one.name for one in using[:5]) + (" and others" if len(using) > 5 else "")
        raise AlreadyThere(FieldError("id", f"agents use this connection: {names}", "ValidIdentifier", source="URI"))
    tx.run(_REMOVE, account_id=account_id, id=id)
    tx.changed(CHANGED)
    return before


def renew(tx: Writer, row: Connection, sealed: str) -> bool:
    """Keep new secrets in place of those that were read; False where these are no longer there."""
    return bool(tx.run(_RENEW, account_id=row.account_id, id=row.id, known=row.secrets, given_secrets=sealed))


def note(tx: Writer, account_id: int, id: int, now: str, wrong: str | None) -> None:
    """Note that a connection worked, or in words what was wrong."""
    if wrong is None:
        tx.run(_WORKED, account_id=account_id, id=id, now=now)
    else:
        tx.run(_FAILED, account_id=account_id, id=id, now=now, words=wrong)


# -- How secrets are encrypted


def seal(sealer: Sealer, account_id: int, base_url: str, client_id: str, secrets: Secrets) -> str:
    """Secrets as they are stored; raises SealingError."""
    return sealer.seal(msgspec.json.encode(secrets).decode(), _context(account_id, base_url, client_id))


def unseal(sealer: Sealer, row: Connection) -> Secrets:
    """A connection's secrets; raises SealingError."""
    text = sealer.open(row.secrets, _context(row.account_id, row.base_url, row.client_id))
    return msgspec.json.decode(text, type=Secrets)


def unsealed(sealer: Sealer, row: Connection) -> Secrets:
    """A connection's secrets; raises NoKey."""
    try:
        return unseal(sealer, row)
    except SealingError as problem:
        raise NoKey(str(problem)) from problem


def _context(account_id: int, base_url: str, client_id: str) -> str:
    return f"connection\n{account_id}\n{base_url}\n{client_id}"


def form(row: Connection | Given, secrets: Secrets) -> dict[str, str]:
    """What the token endpoint is asked with to get a first or a new access token."""
    asked = {"client_id": row.client_id, "client_secret": secrets.client_secret}
    if secrets.refresh_token is None:
        return {"grant_type": "client_credentials", **asked}
    return {"grant_type": "refresh_token", "refresh_token": secrets.refresh_token, **asked}


def renewed(secrets: Secrets, tokens: Tokens, now: datetime) -> Secrets:
    """Secrets with the tokens that were given for them; a refresh token that was not replaced goes on being used."""
    good_for = tokens.expires_in - min(_EARLY_S, tokens.expires_in / 10)
    refresh = (tokens.refresh_token or secrets.refresh_token) if secrets.refresh_token is not None else None
    return Secrets(
        client_secret=secrets.client_secret,
        refresh_token=refresh,
        access_token=tokens.access_token,
        good_until=to_wire(now + timedelta(seconds=good_for)),
    )


# -- Making and listing them

Also = Callable[[Writer, Connection], None]
"""What else is to happen in the transaction of a change: its entry in the log."""


def _nothing_else(tx: Writer, row: Connection) -> None:
    """The change alone."""


class Connections:
    """An administrator's verbs about connections."""

    def __init__(self, database: Database, clock: Clock, sealer: Sealer, outbound: Outbound) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._outbound = outbound

    async def make(self, account_id: int, given: Given, also: Also = _nothing_else) -> Connection:
        """Try a connection and keep it; raises BadRequest where it doesn't work, NoKey."""
        await self._require_key(account_id)
        secrets, link_base = await self._tried(given)
        now = to_wire(self._clock.now())
        new = _New(
            account_id=account_id,
            name=given.name,
            base_url=given.base_url,
            link_base=link_base,
            grant_type=given.grant,
            client_id=given.client_id,
            secrets=self._sealed(account_id, given, secrets),
            created_at=now,
            last_ok_at=now,
        )

        def write(tx: Writer) -> Connection:
            made = by_id(tx, account_id, tx.add(_ADD, new))
            assert made is not None
            tx.changed(CHANGED)
            also(tx, made)
            return made

        return await self._database.write(write)

    async def sign_in_again(self, account_id: int, id: int, given: Given, also: Also = _nothing_else) -> None:
        """Give a connection new secrets, after they were tried: its agents stay with it.

        Address, client and kind of grant must be what they were. Raises NotFound, BadRequest and NoKey.
        """
        before = await self._database.read(lambda db: by_id(db, account_id, id))
        if before is None:
            raise NotFound
        for name, was, is_now in (
            ("base_url", before.base_url, given.base_url),
            ("client_id", before.client_id, given.client_id),
            ("grant", before.grant_type, given.grant),
        ):
            if was != is_now:
                raise invalid(name, f"must be {was} as before; make another connection instead", "ValidIdentifier")
        secrets, link_base = await self._tried(given)
        sealed = self._sealed(account_id, given, secrets)
        now = to_wire(self._clock.now())

        def write(tx: Writer) -> None:
            if not tx.run(_REPLACE, account_id=account_id, id=id, given_secrets=sealed, given_base=link_base, now=now):
                raise NotFound
            tx.changed(CHANGED)
            also(tx, before)

        await self._database.write(write)

    def has_secret(self, row: Connection, secret: str) -> bool:
        """Whether a connection was made with this client secret; raises NoKey."""
        return unsealed(self._sealer, row).client_secret == secret

    async def listed(self, account_id: int) -> list[Shown]:
        """An account's connections."""
        return [shown(row) for row in await self._database.read(lambda db: of_account(db, account_id))]

    async def remove(self, account_id: int, id: int, also: Also = _nothing_else) -> None:
        """Remove a connection; raises NotFound, and AlreadyThere while agents use it."""
        await self._database.write(lambda tx: also(tx, remove(tx, account_id, id)))

    async def _require_key(self, account_id: int) -> None:
        """Raises NoKey where the key is not the one that other connections were encrypted with."""
        for row in (await self._database.read(lambda db: of_account(db, account_id)))[:1]:
            unsealed(self._sealer, row)

    def _sealed(self, account_id: int, given: Given, secrets: Secrets) -> str:
        try:
            return seal(self._sealer, account_id, given.base_url, given.client_id, secrets)
        except SealingError as problem:
            raise NoKey(str(problem)) from problem

    async def _tried(self, given: Given) -> tuple[Secrets, str]:
        """The secrets with a first access token, and what the desk's links begin with; raises BadRequest."""
        secrets = Secrets(client_secret=given.client_secret, refresh_token=given.refresh_token)
        asked = form(given, secrets)
        if given.code is not None:
            asked |= {"grant_type": "authorization_code", "code": given.code}
        try:
            tokens = await remote_http.sign_in(self._outbound, given.base_url, asked)
            if given.grant == "authorization_code" and tokens.refresh_token is None and given.refresh_token is None:
                raise UpstreamDown("it gave no refresh token")
            headers = {"Authorization": f"Bearer {tokens.access_token}"}
            answer = await remote_http.ask(self._outbound, "GET", given.base_url + remote_http.ME_PATH, headers=headers)
            if answer.status != 200:
                raise UpstreamDown(f"it answered {answer.status} to {remote_http.ME_PATH}")
            me = remote_http.decoded(answer, _Me)
        except Denied as problem:
            path = "code" if given.code else "refresh_token" if given.refresh_token else "client_secret"
            raise invalid(path, f"the help desk refuses these credentials: {problem}", "ValidIdentifier") from problem
        except UpstreamDown as problem:
            raise _bad_url(f"no help desk could be used there: {problem}") from problem
        granted = Secrets(client_secret=given.client_secret, refresh_token=tokens.refresh_token or given.refresh_token)
        if given.grant == "client_credentials":
            granted = Secrets(client_secret=given.client_secret)
        return renewed(granted, tokens, self._clock.now()), _link_base(me, given.base_url)


class _Link(msgspec.Struct):
    href: str


class _MyLinks(msgspec.Struct):
    own: _Link | None = msgspec.field(name="self", default=None)


class _Me(msgspec.Struct):
    """The user that a desk says the credentials are of."""

    id: int
    links: _MyLinks | None = msgspec.field(name="_links", default=None)


def _link_base(me: _Me, base_url: str) -> str:
    """What a desk's links begin with, by its link to the user; the address itself where that tells nothing."""
    href = me.links.own.href if me.links is not None and me.links.own is not None else ""
    begins, found, rest = href.partition(f"/v2/users/{me.id}")
    return begins if found and not rest and re.fullmatch(r"https?://[^\s\"?#]{1,500}", begins) else base_url
