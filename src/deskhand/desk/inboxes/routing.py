"""How new conversations of an inbox are given to users, and whose turn it can be.

Source: https://developer.helpscout.com/mailbox-api/endpoints/inboxes/routing/routing-configuration-get
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.inboxes import AssignmentMethod, NotEligible, RoutingState, SetRouting
from deskhand.catalogue.problems import BadRequest, FieldError, empty
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk import counters
from deskhand.desk.access import require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.inboxes import queries
from deskhand.desk.inboxes.tables import routing
from deskhand.desk.users import queries as users
from deskhand.desk.users import verbs
from deskhand.desk.users.queries import Presence
from deskhand.desk.users.tables import account


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


class Enabled(msgspec.Struct, frozen=True):
    """An inbox whose new conversations are given out."""

    account_id: int
    inbox_id: int


class _State(msgspec.Struct, frozen=True):
    """What happened by a setting so far: who got the last conversation, and the system user who gave it."""

    last_user_id: int | None
    assigner_id: int | None


class _Row(msgspec.Struct, frozen=True):
    account_id: int
    inbox_id: int
    state: str
    assignment_limit: int
    assignment_method: str
    user_ids: str
    last_user_id: int | None
    assigner_id: int | None


ASSIGNER = "Automatic assignment"
"""What the system user is called who gives conversations out."""
UNSET_YET = Setting("disabled", 100, "round_robin", "[]")
"""An inbox's setting before anybody chose one. Source: our choice."""

_SETTING = rows(
    Setting,
    sa.select(*columns(routing, *Setting.__struct_fields__)).where(
        routing.c.account_id == P("account_id"), routing.c.inbox_id == P("inbox_id")
    ),
)
_OF_INBOX = (routing.c.account_id == P("account_id"), routing.c.inbox_id == P("inbox_id"))
_STATE = sa.select(*columns(routing, *_State.__struct_fields__)).where(*_OF_INBOX)
# Whoever gives out the next conversation waits for who gives out this one.
_TAKEN = rows(_State, _STATE.where(routing.c.state == sa.literal_column("'enabled'")).with_for_update())
_ENABLED = rows(
    Enabled,
    sa.select(routing.c.account_id, routing.c.inbox_id).where(
        ids_in(routing.c.account_id, P("account_ids", sa.Text)), routing.c.state == sa.literal_column("'enabled'")
    ),
)
_ASSIGNER = value(
    int,
    sa.select(routing.c.assigner_id)
    .where(routing.c.account_id == P("account_id"), routing.c.assigner_id.is_not(None))
    .limit(sa.literal_column("1")),
)
_GAVE = command(
    sa.update(routing).where(*_OF_INBOX).values(last_user_id=P("last_user_id"), assigner_id=P("assigner_id"))
)
_LOCK = value(int, sa.select(account.c.id).where(account.c.id == P("account_id")).with_for_update())
_ADD = Insert(routing, _Row)
_CHANGE = command(
    sa.update(routing)
    .where(*_OF_INBOX)
    .values({name: P(name) for name in ("state", "assignment_limit", "assignment_method", "user_ids")})
)


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
    # In place, so that whoever waits for the row to give out a conversation finds it afterwards.
    changed = tx.run(
        _CHANGE, account_id=actor.account_id, inbox_id=inbox_id, state=new.state,
        assignment_limit=new.assignment_limit, assignment_method=new.assignment_method, user_ids=listed,
    )  # fmt: skip
    if not changed:
        row = _Row(
            actor.account_id, inbox_id, new.state, new.assignment_limit, new.assignment_method, listed, None, None
        )
        tx.add_many(_ADD, (row,))


# -- Giving out


def enabled(db: Reader, account_ids: Iterable[int]) -> set[Enabled]:
    """The inboxes of some accounts whose new conversations are given out."""
    listed = msgspec.json.encode(sorted(set(account_ids))).decode()
    return set(db.all(_ENABLED, account_ids=listed))


def take_turn(tx: Writer, account_id: int, inbox_id: int) -> int | None:
    """Whose turn it is to get a conversation of an inbox; None when nobody's. Others wait until this transaction ends.

    Whoever was given it is remembered by `gave`.
    """
    state = tx.one(_TAKEN, account_id=account_id, inbox_id=inbox_id)
    return None if state is None else next_of(of_inbox(tx, account_id, inbox_id), state.last_user_id)


def next_of(rotation: Rotation, last_user_id: int | None) -> int | None:
    """Whose turn it is after whoever got the last one: the next in order, or whoever has the fewest of them."""
    order: list[int] = msgspec.json.decode(rotation.setting.user_ids, type=list[int])
    at = order.index(last_user_id) + 1 if last_user_id in order else 0
    turn = {id: place for place, id in enumerate([*order[at:], *order[:at]])}
    balanced = rotation.setting.assignment_method == "balanced"
    eligible = [one for one in rotation.turns if one.reason is None]
    if not eligible:
        return None
    return min(eligible, key=lambda one: (one.conversations if balanced else 0, turn[one.user_id])).user_id


def gave(tx: Writer, account_id: int, inbox_id: int, user_id: int, assigner_id: int) -> None:
    """Remember who got the last conversation of an inbox, from which system user."""
    tx.run(_GAVE, account_id=account_id, inbox_id=inbox_id, last_user_id=user_id, assigner_id=assigner_id)


def assigner(tx: Writer, account_id: int, now: str) -> int:
    """The system user who gives out an account's conversations, made when one is given for the first time."""
    if (found := tx.one(_ASSIGNER, account_id=account_id)) is not None:
        return found
    tx.one(_LOCK, account_id=account_id)  # two inboxes may give their first ones out at once
    if (found := tx.one(_ASSIGNER, account_id=account_id)) is not None:
        return found
    new = verbs.NewStaff(
        account_id=account_id, type="system_user", first_name=ASSIGNER, last_name="", created_at=now, updated_at=now
    )
    return verbs.add_staff(tx, new)
