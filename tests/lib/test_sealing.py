"""Sealed texts come back with the right key in the right place, and in no other case."""

from __future__ import annotations

import base64
import os
import threading
from pathlib import Path

import pytest

from deskhand.lib.sealing import LEAST, Sealer, SealingError

KEY = "k" * LEAST


def file_of(folder: Path) -> Path:
    return folder / "gateway.key"


@pytest.mark.parametrize("key", ["", KEY])
def test_what_was_sealed_can_be_opened_again(tmp_path: Path, key: str) -> None:
    sealed = Sealer(key, file_of(tmp_path)).seal("geheim 🗝", "connection 1")
    assert Sealer(key, file_of(tmp_path)).open(sealed, "connection 1") == "geheim 🗝"


def test_it_hides_the_text_and_is_another_each_time(tmp_path: Path) -> None:
    sealer = Sealer(KEY, file_of(tmp_path))
    first, second = sealer.seal("secret" * 9, "x"), sealer.seal("secret" * 9, "x")
    assert first != second
    assert b"secret" not in base64.urlsafe_b64decode(first.removeprefix("v1."))


def test_it_can_be_opened_in_its_own_place_alone(tmp_path: Path) -> None:
    sealer = Sealer(KEY, file_of(tmp_path))
    with pytest.raises(SealingError, match="not the key"):
        sealer.open(sealer.seal("secret", "connection 1"), "connection 2")


@pytest.mark.parametrize("change", [lambda text: text[:-6] + "AAAA==", lambda text: "", lambda text: "v1.%%%"])
def test_what_was_changed_is_refused(tmp_path: Path, change) -> None:
    sealer = Sealer(KEY, file_of(tmp_path))
    with pytest.raises(SealingError):
        sealer.open(change(sealer.seal("a secret of some length", "x")), "x")


def test_every_changed_bit_is_noticed(tmp_path: Path) -> None:
    sealer = Sealer(KEY, file_of(tmp_path))
    content = bytearray(base64.urlsafe_b64decode(sealer.seal("secret", "x").removeprefix("v1.")))
    for place in range(len(content)):
        content[place] ^= 1
        with pytest.raises(SealingError):
            sealer.open("v1." + base64.urlsafe_b64encode(content).decode(), "x")
        content[place] ^= 1


def test_another_key_is_told_from_a_missing_one(tmp_path: Path) -> None:
    sealed = Sealer("", file_of(tmp_path)).seal("secret", "x")
    with pytest.raises(SealingError, match="secret_key is not the key"):
        Sealer(KEY, file_of(tmp_path)).open(sealed, "x")
    file_of(tmp_path).unlink()
    with pytest.raises(SealingError, match="is missing"):
        Sealer("", file_of(tmp_path)).open(sealed, "x")
    assert not file_of(tmp_path).exists()  # opening makes none


def test_the_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "gateway.key"
    sealed = Sealer("", file).seal("secret", "x")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["gateway.key"]
    file.chmod(0o640)
    with pytest.raises(SealingError, match="chmod 600"):
        Sealer("", file).open(sealed, "x")


def test_many_at_once_agree_on_one_key(tmp_path: Path) -> None:
    sealed: list[str] = []
    start = threading.Barrier(8)

    def seal() -> None:
        start.wait()
        sealed.append(Sealer("", file_of(tmp_path)).seal("secret", "x"))

    threads = [threading.Thread(target=seal) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [Sealer("", file_of(tmp_path)).open(one, "x") for one in sealed] == ["secret"] * 8
    assert os.listdir(tmp_path) == ["gateway.key"]


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SealingError, match="at least 32"):
        Sealer("short", file_of(tmp_path)).seal("secret", "x")
    file_of(tmp_path).touch(mode=0o600)
    with pytest.raises(SealingError, match=r"gateway\.key holds must have at least 32"):
        Sealer("", file_of(tmp_path)).seal("secret", "x")
