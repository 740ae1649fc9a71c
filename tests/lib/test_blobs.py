"""Files under the hash of their content: putting and removing them, also at the same time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deskhand.lib.blobs import YOUNG_S, BlobStore


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path)


def age(store: BlobStore, name: str) -> None:
    os.utime(store.path(name), (time.time() - 2 * YOUNG_S,) * 2)


def files(store: BlobStore) -> list[str]:
    return [path.name for path in store.folder.rglob("*") if path.is_file()]


def test_an_old_file_is_removed(store: BlobStore) -> None:
    name, other = store.put(b"x").sha256, store.put(b"y").sha256
    age(store, name)
    assert store.remove(name)
    assert files(store) == [other]
    assert store.remove(name), "it is gone"


def test_a_file_put_lately_stays(store: BlobStore) -> None:
    name = store.put(b"x").sha256
    assert not store.remove(name)
    age(store, name)
    assert store.put(b"x").sha256 == name, "this makes it young again"
    assert not store.remove(name)
    assert store.path(name).read_bytes() == b"x"


def between(monkeypatch: pytest.MonkeyPatch, doing: str, first: Callable[[], Any]) -> None:
    """Let something happen just before the store calls a function of `os`."""
    plain = getattr(os, doing)
    happened: list[bool] = []

    def call(*given: Any) -> Any:
        if not happened:
            happened.append(True)
            first()
        return plain(*given)

    monkeypatch.setattr(os, doing, call)


def test_a_file_put_while_it_is_looked_at_stays(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    name = store.put(b"x").sha256
    age(store, name)
    between(monkeypatch, "rename", lambda: store.put(b"x"))
    assert not store.remove(name)
    assert store.path(name).read_bytes() == b"x"
    assert files(store) == [name]


def test_what_somebody_took_aside_and_left_there_is_removed(store: BlobStore) -> None:
    name = store.put(b"x").sha256
    age(store, name)
    os.rename(store.path(name), store.path(name).with_name(f".gone-{name}"))
    assert store.remove(name)
    assert files(store) == []


def test_what_was_taken_aside_too_soon_is_put_back(store: BlobStore) -> None:
    name = store.put(b"x").sha256
    os.rename(store.path(name), store.path(name).with_name(f".gone-{name}"))
    assert not store.remove(name)
    assert files(store) == [name]


def test_whoever_puts_a_file_while_others_remove_it_has_it(store: BlobStore) -> None:
    name = store.put(b"x").sha256

    age(store, name)
    with ThreadPoolExecutor(8) as pool:
        removed = pool.map(lambda _: store.remove(name), range(100))
        put = pool.map(lambda _: store.put(b"x"), range(100))
        assert (len(list(removed)), len(list(put))) == (100, 100)
    assert files(store) == [name]
    assert store.path(name).read_bytes() == b"x"
