"""Comparing the files of attachments with the attachments."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows
from deskhand.desk.checking.finding import Finding, counted
from deskhand.desk.conversations.tables import attachment

BATCH = 10_000
YOUNG_S = 3600
"""A file is stored before the transaction that names it, so a younger one is nobody's yet."""


class _Named(msgspec.Struct, frozen=True):
    id: int
    sha256: str


_NAMED = rows(
    _Named,
    sa.select(attachment.c.id, attachment.c.sha256)
    .where(attachment.c.id > P("after"))
    .order_by(attachment.c.id)
    .limit(P("size", sa.Integer)),
)


def check(db: Reader, folder: Path) -> Finding:
    """Whether every attachment has its file. Files that are nobody's do no harm and are only told of."""
    named = _named(db)  # first: what is added meanwhile has a file before it has a name
    stored = dict(_files(folder))
    lost = sorted(named - stored.keys())
    if lost:
        words = tuple(f"the file {name} is not in {folder}" for name in lost)
        return Finding("files", False, f"{counted(len(lost), 'file')} of attachments lost", words)
    young = time.time() - YOUNG_S
    orphans = [size for name, (size, changed) in stored.items() if name not in named and changed < young]
    text = f"{counted(len(named), 'file')}, none lost"
    if orphans:
        text += f"; {counted(len(orphans), 'other')} ({sum(orphans):,} bytes) belong to no attachment"
    return Finding("files", True, text)


def _named(db: Reader) -> set[str]:
    found: set[str] = set()
    after = 0
    while batch := db.all(_NAMED, after=after, size=BATCH):
        found.update(each.sha256 for each in batch)
        after = batch[-1].id
    return found


def _files(folder: Path) -> Iterator[tuple[str, tuple[int, float]]]:
    """Names, sizes and times of change of all stored files; half-written ones count as files that are nobody's."""
    if not folder.is_dir():
        return
    for part in os.scandir(folder):
        if part.is_dir():
            for file in os.scandir(part):
                state = file.stat()
                yield file.name, (state.st_size, state.st_mtime)
