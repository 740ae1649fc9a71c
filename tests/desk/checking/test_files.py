"""Every attachment must have its file; files that are nobody's are told of."""

from __future__ import annotations

import os
import time
from pathlib import Path

from deskhand.desk.checking import files
from deskhand.desk.checking.finding import Finding
from deskhand.lib.blobs import BlobStore
from tests.world import Desk


def check(desk: Desk) -> Finding:
    return desk.server.app.database.read_now(lambda db: files.check(db, folder(desk)))


def folder(desk: Desk) -> Path:
    return desk.server.app.settings.data_dir / "blobs"


def test_files_that_many_attachments_share_are_counted_once(full: Desk):
    assert check(full) == Finding("files", True, "1 file, none lost")


def test_a_file_that_is_lost_is_named(full: Desk):
    (path,) = folder(full).glob("*/*")
    aside = path.rename(path.with_name("aside"))
    found = check(full)
    aside.rename(path)
    assert (found.ok, found.text) == (False, "1 file of attachments and mails lost")
    assert found.differences == (f"the file {path.name} is not in {folder(full)}",)


def test_files_that_are_nobodys_are_told_of_unless_they_are_young(full: Desk):
    store = BlobStore(folder(full))
    old, young = (store.path(store.put(data).sha256) for data in (b"nobody's", b"not yet anybody's"))
    long_ago = time.time() - files.YOUNG_S - 1
    os.utime(old, (long_ago, long_ago))
    found = check(full)
    old.unlink()
    young.unlink()
    assert found == Finding("files", True, "1 file, none lost; 1 other (8 bytes) belong to no attachment or mail")
