"""How new conversations of an inbox are given to users, and whose turn it can be.

Source: https://developer.helpscout.com/mailbox-api/endpoints/inboxes/routing/routing-configuration-get
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.inboxes import AssignmentMethod, NotEligible, RoutingState, SetRouting
from deskhand.catalogue.problems import BadRequest, FieldError, empty
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows
from deskhand.desk import counters
from deskhand.desk.access import require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.inboxes import queries
from deskhand.desk.inboxes.tables import routing
from deskhand.desk.users import queries as users
from deskhand.desk.users.queries import Presence


class Setting(msgspec.Struct, frozen=True):
    """How an inbox's new conversations are given out; `user_ids` is a JSON list, in the order of their turns."""

    state: RoutingState
    assignment_limit: int
    assignment_method: AssignmentMethod
    user_ids: str


class Turn(msgspec.Struct, frozen=True):
    """A user, their active conversations in the inbox, and why they can't be given more; None when they can."""

    user_id: int
    conversations: int
    reason: NotEligible | None


class Rotation(msgspec.Struct, frozen=True):
    """A setting and everybody who sees the inbox: those in rotation in their order, then the others."""

    setting: Setting
    turns: list[Turn]


class _Row(msgspec.Struct, frozen=True):
    account_id: int
    inbox_id: int
    state: str
    assignment_limit: int
    assignment_method: str
    user_ids: str


UNSET_YET = Setting("disabled", 100, "round_robin", "[]")
"""An inbox's setting before anybody chose one. Source: our choice."""

_SETTING = rows(
    Setting,
    sa.select(*columns(routing, *Setting.__struct_fields__)).where(
        routing.c.account_id == P("account_id"), routing.c.inbox_id == P("inbox_id")
    ),
)
_ADD = Insert(routing, _Row)
_CLEAR = command(sa.delete(routing).where(routing.c.account_id == P("account_id"), routing.c.inbox_id == P("inbox_id")))


def of_inbox(db: Reader, account_id: int, inbox_id: int) -> Rotation:
    """An inbox's setting, and whose turn it can be at this moment."""
    setting = db.one(_SETTING, account_id=account_id, inbox_id=inbox_id) or UNSET_YET
    present = users.at_work(db, account_id, inbox_id)
    owned = counters.of_inbox(db, account_id, "owner_active", inbox_id)
    return Rotation(setting, _turns(setting, present, owned))


def _turns(setting: Setting, present: Sequence[Presence], owned: dict[int, int]) -> list[Turn]:
    """Who was in rotation and sees the inbox no longer, or was deleted, is left out."""
    place = {id: number for number, id in enumerate(msgspec.json.decode(setting.user_ids, type=list[int]))}

    def reason(user: Presence) -> NotEligible | None:
        if user.id not in place:
            return "not_in_rotation"
        if user.status == "away":
            return "away"
        return "at_capacity" if owned.get(user.id, 0) >= setting.assignment_limit else None

    in_order = sorted(present, key=lambda user: (place.get(user.id, len(place)), user.id))
    return [Turn(user.id, owned.get(user.id, 0), reason(user)) for user in in_order]


def set_routing(tx: Writer, actor: Actor, inbox_id: int, new: SetRouting) -> None:
    """Decide how an inbox's new conversations are given out.

    Raises NotFound, AccessDenied, and BadRequest for users who don't see the inbox.
    """
    queries.seen_by(tx, actor, inbox_id)
    require_administrator(actor)
    if new.state == "enabled" and not new.user_ids:
        raise BadRequest(empty("userIds"))
    known = {user.id for user in users.at_work(tx, actor.account_id, inbox_id)}
    faults = [
        FieldError(f"userIds[{position}]", "no such user in this inbox", "ValidIdentifier", id)
        for position, id in enumerate(new.user_ids)
        if id not in known
    ]
    if faults:
        raise BadRequest(*faults)
    listed = msgspec.json.encode(list(dict.fromkeys(new.user_ids))).decode()
    tx.run(_CLEAR, account_id=actor.account_id, inbox_id=inbox_id)
    row = _Row(actor.account_id, inbox_id, new.state, new.assignment_limit, new.assignment_method, listed)
    tx.add_many(_ADD, (row,))
