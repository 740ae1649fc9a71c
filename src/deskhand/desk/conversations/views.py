"""Views: searches that a user has given a name, for themselves or for everybody."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, NotFound, invalid
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import saved_view
from deskhand.outbox import events

NAME_MOST = 60
QUERY_MOST = 1_000
"""Characters of a search on pages, and of a view; the API takes longer queries."""
VIEWS_MOST = 100
"""How many views a user may have, and as many everybody of the account together."""


class View(msgspec.Struct, frozen=True):
    """A named search. `user_id` None: everybody of the account sees it."""

    id: int
    account_id: int
    user_id: int | None
    name: str
    query: str
    created_at: str


class _New(msgspec.Struct, frozen=True):
    account_id: int
    user_id: int | None
    name: str
    query: str
    created_at: str


_SEEN = (
    saved_view.c.account_id == P("account_id"),
    sa.or_(saved_view.c.user_id == P("user_id"), saved_view.c.user_id.is_(None)),
)
_VIEWS = sa.select(*columns(saved_view, *View.__struct_fields__)).where(*_SEEN)
_OF = rows(View, _VIEWS.order_by(saved_view.c.name, saved_view.c.id).limit(sa.literal_column(str(2 * VIEWS_MOST))))
_BY_ID = rows(View, _VIEWS.where(saved_view.c.id == P("id")))
_ONE = (saved_view.c.account_id == P("account_id"), saved_view.c.id == P("id"))
_MINE = value(
    int,
    sa.select(sa.func.count())
    .select_from(saved_view)
    .where(saved_view.c.account_id == P("account_id"), saved_view.c.user_id == P("user_id")),
)
_FOR_ALL = value(
    int,
    sa.select(sa.func.count())
    .select_from(saved_view)
    .where(saved_view.c.account_id == P("account_id"), saved_view.c.user_id.is_(None)),
)
_ADD = Insert(saved_view, _New)
_CHANGE = command(
    sa.update(saved_view).where(*_ONE).values(user_id=P("now_user_id"), name=P("now_name"), query=P("now_query"))
)
_DELETE = command(sa.delete(saved_view).where(*_ONE))


def views_of(db: Reader, account_id: int, user_id: int) -> list[View]:
    """The views that a user sees, by name."""
    return db.known(_OF, account_id=account_id, user_id=user_id)


def by_id(db: Reader, actor: Actor, id: int) -> View:
    """A view that the user sees; raises NotFound."""
    found = db.one(_BY_ID, account_id=actor.account_id, user_id=actor.user_id, id=id)
    if found is None:
        raise NotFound
    return found


def too_long(query: str) -> str:
    """What is wrong with a search that has more characters than it may, in words; or nothing."""
    if len(query) <= QUERY_MOST:
        return ""
    return f"A search may have at most {QUERY_MOST:,} characters, and this has {len(query):,}"


def may_change(actor: Actor, view: View) -> bool:
    """Whether a user may change a view: their own ones, administrators also those of everybody."""
    return view.user_id == actor.user_id or (view.user_id is None and actor.role in access.SEES_ALL)


def add(tx: Writer, actor: Actor, name: str, query: str, now: str, *, for_all: bool) -> int:
    """Save a search; raises BadRequest for names that are empty or long and where there are as many views as may be.

    Raises AccessDenied where it may not be for all.
    """
    new = _New(actor.account_id, _owner(actor, for_all=for_all), _named(name), _asked(query), now)
    _require_room(tx, actor, new.user_id)
    tx.changed(events.PAGES)
    return tx.add(_ADD, new)


def change(tx: Writer, actor: Actor, id: int, name: str, query: str, *, for_all: bool) -> None:
    """Give a view another name, query or public; raises as `add`, and NotFound."""
    found = by_id(tx, actor, id)
    if not may_change(actor, found):
        raise AccessDenied
    owner = _owner(actor, for_all=for_all)
    values = {"now_user_id": owner, "now_name": _named(name), "now_query": _asked(query)}
    if owner != found.user_id:
        _require_room(tx, actor, owner)
    tx.run(_CHANGE, account_id=actor.account_id, id=id, **values)
    tx.changed(events.PAGES)


def delete(tx: Writer, actor: Actor, id: int) -> None:
    """Forget a view; raises NotFound and AccessDenied."""
    if not may_change(actor, by_id(tx, actor, id)):
        raise AccessDenied
    tx.run(_DELETE, account_id=actor.account_id, id=id)
    tx.changed(events.PAGES)


def _require_room(db: Reader, actor: Actor, owner: int | None) -> None:
    """Raises BadRequest where whoever a view shall belong to has as many as may be."""
    if owner is None:
        whose, there = "The account has", db.first(_FOR_ALL, account_id=actor.account_id)
    else:
        whose, there = "You have", db.first(_MINE, account_id=actor.account_id, user_id=owner)
    if there >= VIEWS_MOST:
        raise BadRequest(
            FieldError("", f"{whose} {VIEWS_MOST} views already: remove one that is no longer needed", "Size")
        )


def _owner(actor: Actor, *, for_all: bool) -> int | None:
    if for_all:
        access.require_administrator(actor)
        return None
    return actor.user_id


def _named(name: str) -> str:
    if not 0 < len(name.strip()) <= NAME_MOST:
        raise invalid("name", f"must have 1 to {NAME_MOST} characters", "Size", name)
    return name.strip()


def _asked(query: str) -> str:
    if fault := too_long(query):
        raise BadRequest(FieldError("query", fault, "Size", query[:200]))
    return query.strip()
