"""Small secrets that must be kept and sent on: encrypted (AES-256-GCM) with a key that lies outside the database.

What is sealed is bound to a context in words; put anywhere else, it can't be opened.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_FILE = "gateway.key"
"""The file in the data folder that holds the key, where no setting does."""
LEAST = 32
"""Characters that a key must have."""
_NONCE = 12
_VERSION = "v1."


class SealingError(Exception):
    """The key is missing, unusable or not the one that something was sealed with; the text says it in words."""


class Sealer:
    """Seals and opens with the key that was given, else with the one in a file, which sealing makes on first use."""

    def __init__(self, given: str, file: Path) -> None:
        self._given = given
        self._file = file
        self._known: str | None = None
        self._cipher: AESGCM | None = None

    def seal(self, text: str, context: str) -> str:
        """Encrypt a text; raises SealingError."""
        self._require()
        nonce = os.urandom(_NONCE)
        content = nonce + self._opened().encrypt(nonce, text.encode(), context.encode())
        return _VERSION + base64.urlsafe_b64encode(content).decode()

    def open(self, sealed: str, context: str) -> str:
        """The text that was sealed in this context; raises SealingError."""
        cipher = self._opened()
        try:
            content = base64.b64decode(sealed.removeprefix(_VERSION), altchars=b"-_", validate=True)
            return cipher.decrypt(content[:_NONCE], content[_NONCE:], context.encode()).decode()
        except (InvalidTag, ValueError):
            raise SealingError(f"{self._source} is not the key that this was encrypted with") from None

    def derived(self, purpose: str) -> bytes:
        """A key of 32 bytes for another purpose than sealing, always the same one; raises SealingError."""
        self._require()
        return hmac.digest(self._key().encode(), b"deskhand " + purpose.encode(), "sha256")

    def _require(self) -> None:
        if not self._given and not self._file.exists():
            _make(self._file)

    @property
    def _source(self) -> str:
        return "the setting secret_key" if self._given else f"what {self._file} holds"

    def _opened(self) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(hashlib.sha256(b"deskhand sealing\n" + self._key().encode()).digest())
        return self._cipher

    def _key(self) -> str:
        if self._known is None:
            key = self._given or _read(self._file)
            if len(key) < LEAST:
                raise SealingError(f"{self._source} must have at least {LEAST} characters to be a key")
            self._known = key
        return self._known


def _make(file: Path) -> None:
    """Write a new key, whole before it has its name; where another process was quicker, its key stays."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name)  # for its owner alone
        try:
            with os.fdopen(descriptor, "w") as written:
                written.write(secrets.token_urlsafe(LEAST) + "\n")
                written.flush()
                os.fsync(written.fileno())
            with suppress(FileExistsError):
                os.link(temporary, file)
        finally:
            os.unlink(temporary)
    except OSError as problem:
        raise SealingError(f"the key file {file} can't be written: {problem.strerror}") from problem


def _read(file: Path) -> str:
    try:
        with file.open() as opened:
            if os.fstat(opened.fileno()).st_mode & 0o077:
                raise SealingError(f"the key file {file} may be read by others than its owner: chmod 600 {file}")
            return opened.read().strip()
    except FileNotFoundError:
        raise SealingError(f"the key file {file} is missing: bring it back, or set secret_key") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise SealingError(f"the key file {file} can't be read: {problem}") from problem
