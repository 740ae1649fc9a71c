"""A key in a file that signs, and what everybody can check with its public half."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from deskhand.lib.signing_keys import KeyUnusable, SigningKey, is_signed


def test_what_was_signed_is_known_by_the_public_key(tmp_path: Path):
    key = SigningKey(tmp_path / "some.key")
    signature = key.sign(b"content")
    assert is_signed(key.public, signature, b"content")
    assert not is_signed(key.public, signature, b"other content")
    assert not is_signed(SigningKey(tmp_path / "other.key").public, signature, b"content")
    assert not is_signed(key.public, key.sign(b"x"), b"content")


@pytest.mark.parametrize(("public", "signature"), [("", ""), ("é", "x"), ("AAAA", "AAAA"), ("=", "=")])
def test_what_is_no_key_or_no_signature_signs_nothing(public: str, signature: str):
    assert not is_signed(public, signature, b"")


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path):
    file = tmp_path / "new" / "some.key"
    public = SigningKey(file).public
    assert file.stat().st_mode & 0o777 == 0o600
    assert SigningKey(file).public == public
    assert [each.name for each in file.parent.iterdir()] == ["some.key"]


def test_processes_that_start_together_share_one_key(tmp_path: Path):
    found: list[str] = []
    ready = threading.Barrier(8)

    def start() -> None:
        ready.wait()
        found.append(SigningKey(tmp_path / "some.key").public)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_a_file_that_holds_something_else_is_told(tmp_path: Path):
    (tmp_path / "some.key").write_text("nothing")
    with pytest.raises(KeyUnusable, match="holds no key for signing"):
        _ = SigningKey(tmp_path / "some.key").public
    with pytest.raises(KeyUnusable, match="can't be used"):
        _ = SigningKey(tmp_path).public
