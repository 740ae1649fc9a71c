"""Files of any size outside the database, kept under the hash of their content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


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
        if not path.exists():
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

    def path(self, sha256: str) -> Path:
        """Where a file is; it need not exist."""
        return self.folder / sha256[:2] / sha256
