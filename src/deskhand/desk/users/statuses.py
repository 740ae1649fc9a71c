"""Whether users are there: active or away, in words of their own, and what becomes of their conversations meanwhile."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.problems import AccessDenied, NotFound
from deskhand.catalogue.users import ChatPresence, Presence, Reassignment, SetUserStatus, StatusSource
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk.access import SEES_ALL
from deskhand.desk.call import Actor
from deskhand.desk.users.queries import PAGE_SIZE, WORKING
from deskhand.desk.users.tables import reassignment, staff, user_status
from deskhand.outbox.events import Event, record


class Status(msgspec.Struct, frozen=True):
    """A user's status; `chat_inboxes` is a JSON object of statuses by inbox."""

    user_id: int
    status: Presence
    updated_at: str
    performed_by: int
    source: StatusSource
    custom_text: str | None
    emoji: str | None
    emoji_name: str | None
    chat_status: ChatPresence
    chat_inboxes: str


class _StatusRow(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    user_id: int
    status: str
    updated_at: str
    performed_by: int
    source: str
    custom_text: str | None
    emoji: str | None
    emoji_name: str | None
    chat_status: str
    chat_inboxes: str


class WhileAway(msgspec.Struct, frozen=True):
    """Whether a user's conversations go to others, and after how long."""

    enabled: int
    hours: int
    minutes: int


class _WhileAwayRow(msgspec.Struct, frozen=True):
    account_id: int
    user_id: int
    enabled: int
    hours: int
    minutes: int


# Who never said anything is active since they came.
_UNSAID: dict[str, sa.ColumnElement[str] | sa.ColumnElement[int]] = {
    "status": sa.literal_column("'active'"),
    "updated_at": staff.c.created_at,
    "performed_by": staff.c.id,
    "source": sa.literal_column("'ui'"),
    "chat_status": sa.literal_column("'unavailable'"),
    "chat_inboxes": sa.literal_column("'{}'"),
}
_ALL = (
    sa.select(
        staff.c.id.label("user_id"),
        *(
            sa.func.coalesce(user_status.c[name], _UNSAID[name]).label(name) if name in _UNSAID else user_status.c[name]
            for name in Status.__struct_fields__[1:]
        ),
    )
    .outerjoin(
        user_status, sa.and_(user_status.c.user_id == staff.c.id, user_status.c.account_id == staff.c.account_id)
    )
    .where(staff.c.account_id == P("account_id"), *WORKING)
)
_PAGE = rows(Status, _ALL.order_by(staff.c.id).limit(P("size", sa.Integer)).offset(P("start", sa.BigInteger)))
_COUNT = value(
    int, sa.select(sa.func.count()).select_from(staff).where(staff.c.account_id == P("account_id"), *WORKING)
)
_ONE = rows(Status, _ALL.where(staff.c.id == P("user_id")))
_ADD = Insert(user_status, _StatusRow)
_CLEAR = command(
    sa.delete(user_status).where(user_status.c.account_id == P("account_id"), user_status.c.user_id == P("user_id"))
)
_WHILE_AWAY = rows(
    WhileAway,
    sa.select(*columns(reassignment, *WhileAway.__struct_fields__)).where(
        reassignment.c.account_id == P("account_id"), reassignment.c.user_id == P("user_id")
    ),
)
_ADD_WHILE_AWAY = Insert(reassignment, _WhileAwayRow)
_CLEAR_WHILE_AWAY = command(
    sa.delete(reassignment).where(reassignment.c.account_id == P("account_id"), reassignment.c.user_id == P("user_id"))
)


def find(db: Reader, account_id: int, page: int) -> tuple[list[Status], int]:
    """A page of the statuses of an account's users, oldest users first, and how many there are."""
    found = db.all(_PAGE, account_id=account_id, size=PAGE_SIZE, start=(page - 1) * PAGE_SIZE)
    return found, db.first(_COUNT, account_id=account_id)


def of_user(db: Reader, account_id: int, user_id: int) -> Status:
    """A user's status; raises NotFound for whom the account does not have as a user, or no longer."""
    found = db.one(_ONE, account_id=account_id, user_id=user_id)
    if found is None:
        raise NotFound
    return found


def set_status(tx: Writer, actor: Actor, user_id: int, new: SetUserStatus, now: str) -> None:
    """Make a user active or away; raises NotFound, and AccessDenied for anybody but themselves and administrators."""
    before = of_user(tx, actor.account_id, user_id)
    _require_oneself(actor, user_id)
    own = new.custom_status
    after = Status(
        user_id=user_id,
        status="active" if new.status == "available" else new.status,
        updated_at=now,
        performed_by=actor.user_id,
        source="api",
        custom_text=own.text if own else None,
        emoji=(own.emoji or None) if own else None,
        emoji_name=(own.emoji_name or None) if own else None,
        chat_status=before.chat_status,
        chat_inboxes=before.chat_inboxes,
    )
    tx.run(_CLEAR, account_id=actor.account_id, user_id=user_id)
    tx.add_many(_ADD, (_StatusRow(account_id=actor.account_id, **msgspec.structs.asdict(after)),))
    if _said(before) != _said(after):
        particulars = msgspec.json.encode({"before": before.status, "after": after.status}).decode()
        fact = Event(
            account_id=actor.account_id,
            name=events.USER_STATUS_CHANGED,
            subject_id=user_id,
            actor_id=actor.user_id,
            at=now,
            particulars=particulars,
        )
        record(tx, fact)


def _said(status: Status) -> tuple[str | None, ...]:
    """What others see change."""
    return status.status, status.custom_text, status.emoji, status.emoji_name


def while_away(db: Reader, account_id: int, user_id: int) -> WhileAway:
    """What becomes of a user's conversations while they are away; raises NotFound as `of_user` does."""
    of_user(db, account_id, user_id)
    return db.one(_WHILE_AWAY, account_id=account_id, user_id=user_id) or WhileAway(0, 0, 0)


def set_while_away(tx: Writer, actor: Actor, user_id: int, new: Reassignment) -> None:
    """Decide what becomes of a user's conversations while they are away; raises as `set_status` does."""
    of_user(tx, actor.account_id, user_id)
    _require_oneself(actor, user_id)
    tx.run(_CLEAR_WHILE_AWAY, account_id=actor.account_id, user_id=user_id)
    away = new.away_duration
    row = _WhileAwayRow(actor.account_id, user_id, int(new.enabled), away.hours, away.minutes)
    tx.add_many(_ADD_WHILE_AWAY, (row,))


def _require_oneself(actor: Actor, user_id: int) -> None:
    if actor.user_id != user_id and actor.role not in SEES_ALL:
        raise AccessDenied
