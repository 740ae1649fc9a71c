"""Files of any size outside the database, kept under the hash of their content."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

YOUNG_S = 3600
"""No transaction takes this long, so a file that was put earlier is named by now, or never will be."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file: the SHA-256 of its bytes (hex) and its size in bytes."""

    sha256: str
    size: int


class BlobStore:
    """A folder of files named by their SHA-256; the same bytes are stored once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> Blob:
        """Store bytes durably; a reader sees the whole file or none."""
        name = hashlib.sha256(data).hexdigest()
        path = self.path(name)
        try:
            os.utime(path)  # from here on it is young again: see `remove`
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
        return Blob(name, len(data))

    def put_for_good(self, data: bytes) -> Blob:
        """As `put`, but the names are on the disk too: after a power cut the file is found."""
        blob = self.put(data)
        part = self.path(blob.sha256).parent
        for folder in (part, self.folder):
            _sync(folder)
        return blob

    def path(self, sha256: str) -> Path:
        """Where a file is; it need not exist."""
        return self.folder / sha256[:2] / sha256

    def remove(self, sha256: str) -> bool:
        """Remove a file that nobody names any more; False when it has to stay for now, because it was put lately.

        Whoever puts a file names it only afterwards, so one that was put lately may be about to be named. The file is
        taken aside first: who puts the same bytes from then on makes a new file, and who did before made it young.
        """
        path = self.path(sha256)
        aside = path.with_name(f".gone-{sha256}")
        try:
            if not _young(path):
                os.rename(path, aside)
        except FileNotFoundError:
            pass  # it may have been taken aside by somebody who was interrupted
        try:
            if _young(aside):
                os.replace(aside, path)
            else:
                aside.unlink()
        except FileNotFoundError:
            pass
        return not path.exists()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _young(path: Path) -> bool:
    return time.time() - path.stat().st_mtime < YOUNG_S
