"""Settings: read from the environment and `deskhand.toml` once, then passed on as values."""

from __future__ import annotations

import difflib
import ipaddress
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

PREFIX = "DESKHAND_"
OF_THE_TESTS = "DESKHAND_TEST_"
"""How names in the environment begin that belong to the test suite and are no settings."""
OF_A_COMMAND = ("DESKHAND_MCP_", "DESKHAND_IMAP_PASSWORD", "DESKHAND_SMTP_PASSWORD")
"""As above: options of `deskhand mcp`, which reads no settings, and passwords for `deskhand mail set`."""

SECRET_KEY_LEAST = 32
"""Characters that `secret_key` must have."""

WorkerPlace = Literal["inside", "separate"]
LogFormat = Literal["json", "text"]
LogLevel = Literal["debug", "info", "warning", "error"]
Tls = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """An SMTP server as a URL names it. `verify`: its certificate is checked; an empty `user` signs in nowhere."""

    host: str
    port: int
    tls: Tls = "none"
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    verify: bool = True


@dataclass(frozen=True, slots=True)
class ImapServer:
    """A mailbox on an IMAP server as a URL names it; see SmtpServer."""

    host: str
    port: int
    tls: Tls
    user: str = field(repr=False)
    password: str = field(repr=False)
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen: on a port of a host, or at a path of this machine."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return self.path or (f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a server.

    `base_url` is what every link in an answer begins with, without a slash at its end. An empty `database_url` means
    SQLite in `data_dir`. `worker` says where jobs are carried out: inside the server, or by `deskhand worker`.
    `trusted_proxies` are the addresses and networks whose X-Forwarded-* headers are believed. Replies leave by the
    server of `smtp_by_inbox` that their inbox's address names, else by that of `smtp_url`. Mail is taken at
    `mail_smtp_listen` and `mail_lmtp_listen`, encrypted where `mail_tls_certificate` (with its key in the same file or
    in `mail_tls_key`) is given, and looked for on IMAP servers every `mail_imap_every_s` seconds. What mail servers
    found out about senders counts where `mail_trusted_server` wrote it. Webhooks may go to addresses of private
    networks and of this machine where `webhook_private_addresses` says so. Credentials of remote
    desks and of mail servers are encrypted with `secret_key`, else with a key in a file in `data_dir`. The audit log is
    kept for `audit_days` (0: for ever), and has what agents sent where `audit_arguments` says so. People may sign in by
    the OpenID provider `oidc_issuer`, which they know by `oidc_name`. `upstream_url` and
    what follows it are for `deskhand gateway`.
    """

    data_dir: Path = Path("data")
    database_url: str = field(default="", repr=False)  # it may hold a password
    base_url: str = "http://127.0.0.1:8080"
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    worker: WorkerPlace = "inside"
    log_format: LogFormat = "json"
    log_level: LogLevel = "info"
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    smtp_url: SmtpServer | None = field(default=None, repr=False)
    smtp_by_inbox: Mapping[str, SmtpServer] = field(default_factory=dict, repr=False)
    mail_smtp_listen: Listen | None = None
    mail_lmtp_listen: Listen | None = None
    mail_tls_certificate: Path | None = None
    mail_tls_key: Path | None = None
    mail_imap_every_s: int = 60
    mail_trusted_server: str = ""
    webhook_private_addresses: bool = False
    secret_key: str = field(default="", repr=False)
    audit_days: int = 0
    audit_arguments: bool = False
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    oidc_name: str = "single sign-on"
    upstream_url: str = ""
    upstream_client_id: str = ""
    upstream_client_secret: str = field(default="", repr=False)


NAMES = tuple(each.name for each in fields(Settings))


class SettingsError(Exception):
    """Settings that can't be used; the text names each one, what is wrong with it and where it came from."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as somebody wrote it, and where."""

    value: Any
    source: str


def read(environ: Mapping[str, str], toml_path: Path, options: Mapping[str, Any] | None = None) -> Settings:
    """The settings: `options` of the command line over DESKHAND_* in the environment over the file over the defaults.

    The file need not exist. Raises SettingsError.
    """
    problems: list[str] = []
    given = _from_file(toml_path, problems) | _from_environment(environ, problems)
    given |= {name: _Given(value, f"--{name.replace('_', '-')}") for name, value in (options or {}).items()}
    values: dict[str, Any] = {}
    for name, one in given.items():
        try:
            values[name] = _READERS[name](one.value)
        except ValueError as problem:
            problems.append(f"{name} (from {one.source}) {problem}")
    if problems:
        raise SettingsError(problems)
    settings = Settings(**values)
    if bool(settings.oidc_issuer) != bool(settings.oidc_client_id):
        raise SettingsError(["oidc_issuer and oidc_client_id are only of use together"])
    return settings if "base_url" in values else replace(settings, base_url=_own_url(settings.host, settings.port))


def _from_file(path: Path, problems: list[str]) -> dict[str, _Given]:
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        problems.append(f"{path} can't be read: {problem}")
        return {}
    for name in found.keys() - set(NAMES):
        problems.append(f"{name} (in {path}) is not a setting{_meant(name, NAMES)}")
    return {name: _Given(found[name], str(path)) for name in NAMES if name in found}


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, _Given]:
    known = {PREFIX + name.upper(): name for name in NAMES}
    given = {}
    for variable, text in _ours(environ):
        name = known.get(variable)
        if name is None:
            problems.append(f"{variable} (in the environment) is not a setting{_meant(variable, known)}")
        elif text or name == "database_url":  # any other that is empty counts as not given
            given[name] = _Given(text, variable)
    return given


def _ours(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for variable, text in sorted(environ.items()):
        if variable.startswith(PREFIX) and not variable.startswith((OF_THE_TESTS, *OF_A_COMMAND)):
            yield variable, text.strip()


def _meant(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f": did you mean {close[0]}?" if close else ""


def _own_url(host: str, port: int) -> str:
    if host in ("0.0.0.0", "::"):  # every address of the machine; links need one
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {value!r}")
    return value


def _folder(value: Any) -> Path:
    if not _text(value):
        raise ValueError("must name a folder")
    return Path(value).expanduser()


def _database_url(value: Any) -> str:
    # What was given is left out of the words: it may hold a password.
    wrong = "must be empty (SQLite) or like postgresql://user:password@host:5432/name"
    try:
        parts = urlsplit(_text(value))
        _ = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    if value and (parts.scheme not in ("postgresql", "postgres") or not value.startswith(f"{parts.scheme}://")):
        raise ValueError(wrong)
    return str(value)


def _base_url(value: Any) -> str:
    wrong = f"must be a URL like https://desk.example.com, not {value!r}"
    try:
        parts = urlsplit(_text(value))
        _ = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    plain = not (parts.query or parts.fragment or parts.username or any(c.isspace() for c in value))
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ValueError(wrong)
    return str(value).rstrip("/")


def _issuer(value: Any) -> str:
    """An OpenID issuer exactly as it is given, because it must be what the provider calls itself."""
    if not _text(value):
        return ""
    found = _base_url(value)
    if not found.startswith("https://") and not _is_loopback(urlsplit(found).hostname or ""):
        raise ValueError(f"must be a URL that begins with https://, not {value!r}")
    return str(value)


def _host(value: Any) -> str:
    if not _text(value) or any(c.isspace() or c in "/@" for c in value):
        raise ValueError(f"must be an address or a host's name, not {value!r}")
    return str(value)


def _number(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
        if type(number) is not int or not least <= number <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {value!r}")
        return number

    return read


def _one_of(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"must be {' or '.join(choices)}, not {value!r}")
        return str(value)

    return read


def _yes_or_no(value: Any) -> bool:
    """`true` or `false`, a text in the environment."""
    found = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return found


def _proxies(value: Any) -> tuple[str, ...]:
    """A list of texts, or one text with commas as the environment has it."""
    listed = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise ValueError(f"must be a list of addresses, not {value!r}")
    for one in filter(None, listed):
        try:
            ipaddress.ip_network(_text(one), strict=False)
        except ValueError:
            if one != "*":
                raise ValueError(f"must hold addresses, networks or *, not {one!r}") from None
    return tuple(one for one in listed if one)


_Schemes = Mapping[str, tuple[Tls, int]]
_SMTP: _Schemes = {"smtp": ("none", 25), "smtp+starttls": ("starttls", 587), "smtps": ("implicit", 465)}
_IMAP: _Schemes = {"imap": ("none", 143), "imap+starttls": ("starttls", 143), "imaps": ("implicit", 993)}


def smtp_server(value: Any) -> SmtpServer:
    """The SMTP server of a URL; raises ValueError, whose words never repeat what was given: it may hold a password."""
    wrong = "must be like smtp://host:25, smtp+starttls://user:password@host:587 or smtps://user:password@host:465"
    return SmtpServer(*_mail_server(value, _SMTP, wrong))


def imap_server(value: Any) -> ImapServer:
    """The mailbox of a URL, which always names a user; raises ValueError as `smtp_server` does."""
    wrong = "must be like imaps://user:password@host:993 or imap+starttls://user:password@host:143"
    server = ImapServer(*_mail_server(value, _IMAP, wrong))
    if not server.user:
        raise ValueError(wrong)
    return server


def _mail_server(value: Any, schemes: _Schemes, wrong: str) -> tuple[str, int, Tls, str, str, bool]:
    """Host, port, encryption, user, password, and whether the certificate is checked."""
    if not isinstance(value, str):
        raise ValueError(wrong)
    try:
        parts = urlsplit(value)
        given_port, query = (
            parts.port,
            dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))),
        )
    except ValueError:
        raise ValueError(wrong) from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme not in schemes or not parts.hostname or parts.path not in ("", "/") or parts.fragment:
        raise ValueError(f"{wrong}, with / # @ and : in user and password written as %2F %23 %40 %3A")
    if any(c.isspace() for c in parts.hostname) or bool(user) != bool(password) or given_port == 0:
        raise ValueError(wrong)
    tls, port = schemes[parts.scheme]
    if query not in ({}, {"verify": "yes"}, {"verify": "no"}):
        raise ValueError("knows no option but verify=no")
    verify = query.get("verify") != "no"
    if not verify and not _is_loopback(parts.hostname):
        raise ValueError("may have verify=no only for a server on this machine")
    if user and tls == "none" and not _is_loopback(parts.hostname):
        _, starttls, implicit = schemes
        raise ValueError(f"would send the password in the clear: use {starttls}:// or {implicit}://")
    return parts.hostname, given_port or port, tls, user, password, verify


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _smtp_servers(value: Any) -> dict[str, SmtpServer]:
    """A table, or as the environment has it: `address=url` one after the other, with spaces between."""
    wrong = "must be a table of inbox addresses and URLs, or a text like support@example.com=smtps://…"
    if isinstance(value, str):
        pairs = [one.partition("=")[::2] for one in value.split()]
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        raise ValueError(wrong)
    servers = {}
    for address, url in pairs:
        if "@" not in address or "://" in address:
            raise ValueError(wrong)
        try:
            servers[address.casefold()] = smtp_server(url)
        except ValueError as problem:
            raise ValueError(f"has a URL for {address} that {problem}") from None
    return servers


def _listen(value: Any, *, paths: bool = False) -> Listen | None:
    """`host:port`, with brackets around addresses of IPv6, or a path where these are taken; nothing means nowhere."""
    text = _text(value)
    if not text:
        return None
    if paths and text.startswith("/"):
        return Listen(path=text)
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    wrong = any(c.isspace() or c in "/@[]" for c in bare) or (":" in bare and bare == host)
    if wrong or not (bare and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        path = " or a path like /run/deskhand/lmtp" if paths else ""
        raise ValueError(f"must be like 127.0.0.1:{2424 if paths else 2525}{path}, not {value!r}")
    return Listen(bare, int(port))


def _listen_or_path(value: Any) -> Listen | None:
    return _listen(value, paths=True)


def _file(value: Any) -> Path:
    if not _text(value):
        raise ValueError("must name a file")
    return Path(value).expanduser()


def _secret(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # which is not repeated
    return value


def _secret_key(value: Any) -> str:
    if len(_secret(value)) < SECRET_KEY_LEAST:
        raise ValueError(f"must have at least {SECRET_KEY_LEAST} characters")
    return str(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "data_dir": _folder,
    "database_url": _database_url,
    "base_url": _base_url,
    "host": _host,
    "port": _number(1, 65535),
    "workers": _number(1, 256),
    "worker": _one_of("inside", "separate"),
    "log_format": _one_of("json", "text"),
    "log_level": _one_of("debug", "info", "warning", "error"),
    "trusted_proxies": _proxies,
    "smtp_url": smtp_server,
    "smtp_by_inbox": _smtp_servers,
    "mail_smtp_listen": _listen,
    "mail_lmtp_listen": _listen_or_path,
    "mail_tls_certificate": _file,
    "mail_tls_key": _file,
    "mail_imap_every_s": _number(1, 3600),
    "mail_trusted_server": _host,
    "webhook_private_addresses": _yes_or_no,
    "secret_key": _secret_key,
    "audit_days": _number(0, 36_500),
    "audit_arguments": _yes_or_no,
    "oidc_issuer": _issuer,
    "oidc_client_id": _text,
    "oidc_client_secret": _secret,
    "oidc_name": _text,
    "upstream_url": _text,
    "upstream_client_id": _text,
    "upstream_client_secret": _secret,
}
