"""A real Dovecot for the tests, with a configuration, users and mailboxes of its own in a temporary folder.

It runs as whoever runs the tests; root's runs its parts as the users that Debian's package makes.
"""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

WAIT_S = 30
HOW = 'these tests need Dovecot: "apt-get install dovecot-imapd", or name its program in DESKHAND_TEST_DOVECOT'


class Missing(Exception):
    """There is no Dovecot."""


@dataclass
class Dovecot:
    """An IMAP server on `port` of 127.0.0.1; all users have one password."""

    folder: Path
    port: int
    password: str = "s3cret"
    certificate: Path | None = None
    _process: subprocess.Popen[bytes] | None = None

    def url(self, user: str, scheme: str = "imap", options: str = "") -> str:
        """The mailbox of a user, as settings name it."""
        return f"{scheme}://{user.replace('@', '%40')}:{self.password}@127.0.0.1:{self.port}/{options}"

    @contextmanager
    def opened(self, user: str) -> Iterator[imaplib.IMAP4]:
        """The mailbox of a user, as another mail program has it."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=WAIT_S) as client:
            client.login(user, self.password)
            yield client

    def lay(self, user: str, *raw: bytes, folder: str = "INBOX", arrived: str = "") -> None:
        """Put messages into a folder; `arrived` is when they got there, as IMAP writes it."""
        with self.opened(user) as client:
            for one in raw:
                status, said = client.append(folder, "", arrived or None, one)
                assert status == "OK", said

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        """The flags of all messages, in order."""
        with self.opened(user) as client:
            client.select(folder, readonly=True)
            found = client.fetch("1:*", "(FLAGS)")[1]
        return [line.decode().partition("FLAGS ")[2] for line in found if isinstance(line, bytes)]

    def files(self, user: str) -> list[Path]:
        """The files in which the server has a user's messages, oldest first."""
        found = [*(self.folder / "mail" / user).glob("cur/*"), *(self.folder / "mail" / user).glob("new/*")]
        return sorted(found, key=_laid_at)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(
            [program(), "-F", "-c", self.folder / "dovecot.conf"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + WAIT_S
        while True:
            with suppress(OSError, imaplib.IMAP4.error):
                imaplib.IMAP4("127.0.0.1", self.port, timeout=30).logout()
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Dovecot does not start: {self._said()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once, with all its processes and whatever they are doing."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(WAIT_S)
            assert self._process.stderr is not None
            self._process.stderr.close()
            self._process = None

    def _said(self) -> str:
        assert self._process is not None and self._process.stderr is not None
        if self._process.poll() is None:
            return "it takes too long"
        log = self.folder / "dovecot.log"
        return self._process.stderr.read().decode(errors="replace") + (log.read_text() if log.exists() else "")


def _laid_at(file: Path) -> tuple[int, int]:
    """Seconds and microseconds, as Dovecot writes them into a file's name: 1795453000.M8524P77.desk,S=120,W=124."""
    second, microsecond = re.match(r"(\d+)\.M(\d+)P", file.name).groups()  # type: ignore[union-attr]
    return int(second), int(microsecond)


@contextmanager
def running(*users: str, certificate: Path | None = None) -> Iterator[Dovecot]:
    """A server with a mailbox for each user; with a certificate it knows STARTTLS.

    Its folder has a short name, because paths of sockets may not be long, and lies where its own users may go, which
    is not so of folders that pytest makes for root.
    """
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    server, owner = Dovecot(folder, _free_port(), certificate=certificate), _owner()
    folder.chmod(0o755)
    (folder / "mail").mkdir()
    shutil.chown(folder / "mail", *owner)
    (folder / "users").write_text("".join(f"{user}:{{PLAIN}}{server.password}\n" for user in users))
    (folder / "dovecot.conf").write_text(_configuration(server, owner))
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def program() -> str:
    """Where Dovecot is; raises Missing."""
    given = os.environ.get("DESKHAND_TEST_DOVECOT", "dovecot")
    found = shutil.which(given, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing(HOW)
    return found


def _owner() -> tuple[str, str]:
    """Whose the mailboxes are: root may have none."""
    if os.geteuid() == 0:
        return "dovecot", "dovecot"
    return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name


def _configuration(server: Dovecot, owner: tuple[str, str]) -> str:
    told = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True).stdout
    version = re.match(r"(\d+)\.(\d+)\.\d+", told)
    assert version, told
    newer = (int(version[1]), int(version[2])) >= (2, 4)
    lines = _newer(version[0], server, owner) if newer else _older(server, owner)
    if os.geteuid() != 0:
        user, group = owner
        lines += [
            f"default_internal_user = {user}",
            f"default_internal_group = {group}",
            f"default_login_user = {user}",
        ]
        lines += [f"service {name} {{\n  chroot =\n}}" for name in ("anvil", "imap-login", "stats")]
    return "\n".join([
        *lines, f"base_dir = {server.folder / 'run'}", f"state_dir = {server.folder / 'run'}",
        f"log_path = {server.folder / 'dovecot.log'}",
        "protocols = imap", "listen = 127.0.0.1", "first_valid_uid = 1", "mail_max_userip_connections = 100",
        "service imap-login {", "  inet_listener imap {", f"    port = {server.port}", "  }",
        "  inet_listener imaps {", "    port = 0", "  }", "}",
        # Without this, wrong passwords make everybody wait.
        "service anvil {", "  unix_listener anvil-auth-penalty {", "    mode = 0", "  }", "}", "",

    ])  # fmt: skip


def _older(server: Dovecot, owner: tuple[str, str]) -> list[str]:
    """What only the versions before 2.4 understand."""
    uid, gid = pwd.getpwnam(owner[0]).pw_uid, grp.getgrnam(owner[1]).gr_gid
    mail, certificate = server.folder / "mail", server.certificate
    return [
        "disable_plaintext_auth = no", "auth_failure_delay = 0", f"mail_location = maildir:{mail}/%u",
        f"passdb {{\n  driver = passwd-file\n  args = {server.folder / 'users'}\n}}",
        f"userdb {{\n  driver = static\n  args = uid={uid} gid={gid} home={mail}/%u\n}}",
        *([f"ssl_cert = <{certificate}", f"ssl_key = <{certificate}"] if certificate else ["ssl = no"]),
    ]  # fmt: skip


def _newer(version: str, server: Dovecot, owner: tuple[str, str]) -> list[str]:
    """The same for version 2.4 and later."""
    uid, gid = pwd.getpwnam(owner[0]).pw_uid, grp.getgrnam(owner[1]).gr_gid
    mail, certificate = server.folder / "mail", server.certificate
    tls = [f"ssl_server_cert_file = {certificate}", f"ssl_server_key_file = {certificate}"]
    return [
        f"dovecot_config_version = {version}", f"dovecot_storage_version = {version}", "auth_allow_cleartext = yes",
        "auth_failure_delay = 0",
        "mail_driver = maildir", f"mail_path = {mail}/%{{user}}", f"mail_home = {mail}/%{{user}}",
        f"passdb passwd-file {{\n  passwd_file_path = {server.folder / 'users'}\n}}",
        f"userdb static {{\n  fields {{\n    uid = {uid}\n    gid = {gid}\n  }}\n}}",
        *(tls if certificate else ["ssl = no"]),
    ]  # fmt: skip


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
