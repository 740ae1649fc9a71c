"""A key that signs (Ed25519) and lies in a file of its own, so that whoever can write to the database can't sign."""

from __future__ import annotations

import base64
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class KeyUnusable(Exception):
    """The key's file can't be read or written, or holds something else; the text says it in words."""


class SigningKey:
    """Signs with the key in a file (PEM); the file is made when the key is first needed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._key: Ed25519PrivateKey | None = None

    @property
    def public(self) -> str:
        """The public key, in base64. Raises KeyUnusable."""
        return _base64(self._opened().public_key().public_bytes_raw())

    def sign(self, content: bytes) -> str:
        """The signature over `content`, in base64. Raises KeyUnusable."""
        return _base64(self._opened().sign(content))

    def _opened(self) -> Ed25519PrivateKey:
        if self._key is None:
            # Reading files of keys brings certificates and more, which only those who sign should wait for.
            from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

            try:
                if not self.file.exists():
                    _make(self.file)
                found = load_pem_private_key(self.file.read_bytes(), None)
            except OSError as problem:
                raise KeyUnusable(f"the key {self.file} can't be used: {problem.strerror}") from problem
            except (ValueError, TypeError) as problem:
                raise KeyUnusable(f"{self.file} holds no key for signing") from problem
            if not isinstance(found, Ed25519PrivateKey):
                raise KeyUnusable(f"{self.file} holds a key of another kind than Ed25519")
            self._key = found
        return self._key


def is_signed(public: str, signature: str, content: bytes) -> bool:
    """Whether the signature over `content` is that of the public key's owner; of ways to write it one counts."""
    try:
        given = base64.b64decode(signature, validate=True)
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True)).verify(given, content)
    except (InvalidSignature, ValueError):
        return False
    return _base64(given) == signature


def _make(file: Path) -> None:
    """Write a new key, whole before it has its name; where another process was quicker, its key stays."""
    from cryptography.hazmat.primitives import serialization as to  # noqa: PLC0415 - as above

    pem = Ed25519PrivateKey.generate().private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption())
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name)  # for its owner alone
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(pem)
            written.flush()
            os.fsync(written.fileno())
        with suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        os.unlink(temporary)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
