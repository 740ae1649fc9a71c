"""Making tags: a tag comes into being when something is first marked with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from deskhand.catalogue import events
from deskhand.catalogue.problems import BadRequest, FieldError, empty
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert
from deskhand.desk.tags import queries
from deskhand.desk.tags.queries import TagRow
from deskhand.desk.tags.tables import tag
from deskhand.lib.text import fold
from deskhand.outbox.events import Event, record

NAME_MOST = 100
"""Characters of a tag's name. Source: our choice."""
_FOLDED_MOST = 600  # a few characters fold to up to 18; PostgreSQL indexes no text over 2,700 bytes
COLOR = "#929499"
_NOT_IN_SLUGS = re.compile(r"[\W_]+")


class NewTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag as it begins; see `slug` and lib.text.fold for the forms of its name."""

    account_id: int
    name: str
    folded: str
    slug: str
    color: str = COLOR
    created_at: str
    updated_at: str


_ADD = Insert(tag, NewTag)


def named(tx: Writer, account_id: int, names: Sequence[str], now: str, *, actor_id: int = 0) -> list[TagRow]:
    """The tags of these names, in the order given and each once; those that are missing are made.

    Names are the same whatever their case; spaces around them are dropped. `actor_id` is the user who caused it, 0 when
    no user did. Raises BadRequest naming each name at fault as `tags[i]`.
    """
    wanted = _folded(names)
    if not wanted:
        return []
    found = queries.by_folded(tx, account_id, list(wanted))
    # In one order for all, so that two transactions that make the same tags do not wait for each other.
    for folded in sorted(wanted.keys() - found.keys()):
        found[folded] = _make(tx, account_id, wanted[folded], folded, now, actor_id)
    return [found[folded] for folded in wanted]


def slug(name: str) -> str:
    """A tag's name as part of a URL: `Feature request!` gives `feature-request`."""
    return _NOT_IN_SLUGS.sub("-", fold(name)).strip("-") or "tag"


def _folded(names: Sequence[str]) -> dict[str, str]:
    """The trimmed names by their folded form; of equal ones the first counts."""
    wanted: dict[str, str] = {}
    faults: list[FieldError] = []
    for position, given in enumerate(names):
        path, name = f"tags[{position}]", given.strip()
        folded = fold(name)
        if not name:
            faults.append(empty(path))
        elif len(name) > NAME_MOST or len(folded) > _FOLDED_MOST:
            text = f"must have at most {NAME_MOST} characters"
            faults.append(FieldError(path, text, "Size", given[:200]))
        else:
            wanted.setdefault(folded, name)
    if faults:
        raise BadRequest(*faults)
    return wanted


def _make(tx: Writer, account_id: int, name: str, folded: str, now: str, actor_id: int) -> TagRow:
    """Add a tag; raises Duplicate when another transaction was quicker, which makes this one run again."""
    new = NewTag(account_id=account_id, name=name, folded=folded, slug=slug(name), created_at=now, updated_at=now)
    id = tx.add(_ADD, new)
    actor_type = "user" if actor_id else "system_user"
    fact = Event(
        account_id=account_id, name=events.TAG_CREATED, subject_id=id, actor_type=actor_type, actor_id=actor_id, at=now
    )
    record(tx, fact)
    return TagRow(id=id, **msgspec.structs.asdict(new))
