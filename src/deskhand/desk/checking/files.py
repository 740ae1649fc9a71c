"""Comparing the files that are stored with the attachments and mails that name them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, Statement, rows
from deskhand.desk.checking.finding import Finding, counted
from deskhand.desk.conversations.tables import attachment, thread_mail, unsent_file
from deskhand.mail.tables import received_mail

BATCH = 10_000
YOUNG_S = 3600
"""A file is stored before the transaction that names it, so a younger one is nobody's yet."""


class _Named(msgspec.Struct, frozen=True):
    id: int
    sha256: str


def _naming(id: sa.Column[Any], sha256: sa.Column[Any]) -> Statement[_Named]:
    there = sa.and_(sha256.is_not(None), sha256 != sa.literal_column("''"))
    named = sa.select(id.label("id"), sha256.label("sha256")).where(id > P("after"), there)
    return rows(_Named, named.order_by(id).limit(P("size", sa.Integer)))


_NAMED = (
    _naming(attachment.c.id, attachment.c.sha256),
    _naming(unsent_file.c.id, unsent_file.c.sha256),
    _naming(received_mail.c.id, received_mail.c.sha256),
    _naming(thread_mail.c.thread_id, thread_mail.c.source_sha256),
)


def check(db: Reader, folder: Path) -> Finding:
    """Whether every attachment and every mail that came has its file. Files that are nobody's are only told of."""
    named = _named(db)  # first: what is added meanwhile has a file before it has a name
    stored = dict(_files(folder))
    lost = sorted(named - stored.keys())
    if lost:
        words = tuple(f"the file {name} is not in {folder}" for name in lost)
        return Finding("files", False, f"{counted(len(lost), 'file')} of attachments and mails lost", words)
    young = time.time() - YOUNG_S
    orphans = [size for name, (size, changed) in stored.items() if name not in named and changed < young]
    text = f"{counted(len(named), 'file')}, none lost"
    if orphans:
        text += f"; {counted(len(orphans), 'other')} ({sum(orphans):,} bytes) belong to no attachment or mail"
    return Finding("files", True, text)


def _named(db: Reader) -> set[str]:
    found: set[str] = set()
    for naming in _NAMED:
        after = 0
        while batch := db.all(naming, after=after, size=BATCH):
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
