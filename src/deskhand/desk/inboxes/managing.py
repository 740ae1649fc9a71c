"""Making and changing inboxes, and who sees them. Deleting one is the conversations' slice's."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, empty
from deskhand.catalogue.values import Email, decode_hook
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, command, rows, value
from deskhand.desk.access import SEES_ALL, STALE, require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.inboxes import queries, verbs
from deskhand.desk.inboxes.tables import custom_field, field_option, inbox, inbox_mail, routing
from deskhand.desk.users import queries as users
from deskhand.desk.users.tables import inbox_access, staff
from deskhand.desk.users.verbs import Access
from deskhand.outbox import events

NAME_MOST = 80
STATUSES = ("active", "pending", "closed")
"""What a conversation can be after a reply, where the reply does not say it."""
_SLUG = re.compile(r"[0-9a-f]{16}")


class InboxChange(msgspec.Struct, frozen=True, kw_only=True):
    """All that is decided about an inbox itself; an empty `slug` is made up, or left as it is."""

    name: str
    email: str
    slug: str = ""
    default_assignee_id: int | None = None
    default_status: str = "active"


class SeenBy(msgspec.Struct, frozen=True):
    """That a user was let into an inbox."""

    inbox_id: int
    user_id: int


_CHANGE = command(
    sa.update(inbox)
    .where(inbox.c.account_id == P("account_id"), inbox.c.id == P("id"))
    .values({name: P(name) for name in InboxChange.__struct_fields__} | {"updated_at": P("now")})
)
# In all accounts: mail is given to an inbox by its address alone.
_WITH_EMAIL = value(int, sa.select(inbox.c.id).where(sa.func.lower(inbox.c.email) == P("email")).order_by(inbox.c.id))
_WITH_SLUG = value(int, sa.select(inbox.c.id).where(inbox.c.account_id == P("account_id"), inbox.c.slug == P("slug")))
_SEEN_BY = rows(
    SeenBy,
    sa.select(inbox_access.c.inbox_id, inbox_access.c.user_id)
    .join(staff, sa.and_(staff.c.id == inbox_access.c.user_id, staff.c.account_id == inbox_access.c.account_id))
    .where(inbox_access.c.account_id == P("account_id"), *users.WORKING)
    .order_by(inbox_access.c.inbox_id, inbox_access.c.user_id),
)
_LET_IN = Insert(inbox_access, Access)
_LET_NOBODY_IN = command(
    sa.delete(inbox_access).where(
        inbox_access.c.account_id == P("account_id"), inbox_access.c.inbox_id == P("inbox_id")
    )
)
_FORGET = tuple(
    command(statement)
    for statement in (
        sa.delete(field_option).where(
            field_option.c.account_id == P("account_id"),
            field_option.c.field_id.in_(
                sa.select(custom_field.c.id).where(
                    custom_field.c.account_id == P("account_id"), custom_field.c.inbox_id == P("inbox_id")
                )
            ),
        ),
        *(
            sa.delete(table).where(table.c.account_id == P("account_id"), table.c.inbox_id == P("inbox_id"))
            for table in (custom_field, routing, inbox_mail)
        ),
        sa.delete(inbox).where(inbox.c.account_id == P("account_id"), inbox.c.id == P("inbox_id")),
    )
)


def seen_by(db: Reader, account_id: int) -> dict[int, list[int]]:
    """The users who were let into inboxes, by inbox; owners and administrators see all and may be missing."""
    found: dict[int, list[int]] = {}
    for one in db.all(_SEEN_BY, account_id=account_id):
        found.setdefault(one.inbox_id, []).append(one.user_id)
    return found


def create(tx: Writer, actor: Actor, wanted: InboxChange, user_ids: Sequence[int], now: str) -> int:
    """Make an inbox that some users see; gives its id. Raises AccessDenied and BadRequest."""
    require_administrator(actor)
    checked = _checked(tx, actor, wanted, user_ids)
    id = verbs.open_inbox(
        tx,
        verbs.NewInbox(
            account_id=actor.account_id, created_at=now, updated_at=now,
            **msgspec.structs.asdict(checked),
        ),
    )  # fmt: skip
    _let_in(tx, actor.account_id, id, user_ids)
    return id


def change(tx: Writer, actor: Actor, id: int, wanted: InboxChange, user_ids: Sequence[int], now: str) -> None:
    """Change an inbox and who sees it; raises NotFound, AccessDenied and BadRequest."""
    require_administrator(actor)
    before = queries.by_id(tx, actor.account_id, id)
    if before is None:
        raise NotFound
    if not wanted.slug:
        wanted = msgspec.structs.replace(wanted, slug=before.slug)
    checked = _checked(tx, actor, wanted, user_ids, id)
    tx.run(_CHANGE, account_id=actor.account_id, id=id, now=now, **msgspec.structs.asdict(checked))
    _let_in(tx, actor.account_id, id, [*user_ids, *_who_need_not(tx, actor.account_id, id)])


def forget(tx: Writer, account_id: int, id: int) -> None:
    """Remove an inbox with its custom fields, routing and mail settings; the caller knows that nothing is in it."""
    tx.run(_LET_NOBODY_IN, account_id=account_id, inbox_id=id)
    for statement in _FORGET:
        tx.run(statement, account_id=account_id, inbox_id=id)
    tx.changed(STALE)
    tx.changed(events.PAGES)


def _who_need_not(db: Reader, account_id: int, id: int) -> list[int]:
    """Who was let in and sees all inboxes by now: it counts again when they are no administrators any more."""
    let_in = seen_by(db, account_id).get(id, [])
    return [one for one, row in users.by_ids(db, account_id, let_in).items() if row.role in SEES_ALL]


def _let_in(tx: Writer, account_id: int, id: int, user_ids: Sequence[int]) -> None:
    tx.run(_LET_NOBODY_IN, account_id=account_id, inbox_id=id)
    tx.add_many(_LET_IN, (Access(account_id, user_id, id) for user_id in dict.fromkeys(user_ids)))
    tx.changed(STALE)
    tx.changed(events.PAGES)


def _checked(
    db: Reader, actor: Actor, wanted: InboxChange, user_ids: Sequence[int], id: int | None = None
) -> InboxChange:
    """What is wanted in its stored form; raises BadRequest naming each field at fault."""
    faults: list[FieldError] = []
    name, email, slug = wanted.name.strip(), wanted.email.strip().lower(), wanted.slug.strip().lower()
    if not name:
        faults.append(empty("name"))
    elif len(name) > NAME_MOST:
        faults.append(FieldError("name", f"must have at most {NAME_MOST} characters", "Size"))
    try:
        decode_hook(Email, email)
        if any(one != id for one in db.all(_WITH_EMAIL, email=email)):
            faults.append(FieldError("email", "belongs to another inbox", "Unique"))
    except ValueError:
        faults.append(FieldError("email", "must be an e-mail address", "Email"))
    if slug and not _SLUG.fullmatch(slug):
        faults.append(FieldError("slug", "must have 16 characters out of 0 to 9 and a to f", "Pattern"))
    elif slug and any(one != id for one in db.all(_WITH_SLUG, account_id=actor.account_id, slug=slug)):
        faults.append(FieldError("slug", "belongs to another inbox", "Unique"))
    if wanted.default_status not in STATUSES:
        faults.append(FieldError("default_status", "must be active, pending or closed", "EnumValue"))
    owner = wanted.default_assignee_id
    known = users.by_ids(db, actor.account_id, (*user_ids, *([owner] if owner else [])))
    if any((row := known.get(one)) is None or row.type != "user" or row.state == "inactive" for one in user_ids):
        faults.append(FieldError("users", "must be users of this account", "ValidIdentifier"))
    if owner is not None and not _may_own(known.get(owner), user_ids):
        faults.append(FieldError("default_assignee_id", "must be a team, or a user who sees this inbox", "EnumValue"))
    if faults:
        raise BadRequest(*faults)
    return InboxChange(
        name=name, email=email, slug=slug, default_assignee_id=owner, default_status=wanted.default_status
    )  # fmt: skip


def _may_own(row: users.UserRow | None, user_ids: Sequence[int]) -> bool:
    if row is None or row.state == "inactive":
        return False
    return row.type == "team" or (row.type == "user" and (row.role in SEES_ALL or row.id in user_ids))
