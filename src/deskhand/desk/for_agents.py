"""What the gateway asks of the desk: where things lie, before it decides about a call; and who agents are here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.operation import Of
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, texts_in, unindexed
from deskhand.db.statements import P, command, rows, value
from deskhand.desk.conversations.erasure.leaving import let_go
from deskhand.desk.conversations.narrowing import LIES_IN, WITH_SURVIVOR
from deskhand.desk.conversations.standing import Standing
from deskhand.desk.conversations.tables import conversation, thread, thread_mail
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.customers.queries import folded_email
from deskhand.desk.customers.tables import customer, customer_entry
from deskhand.desk.inboxes.folders import TYPES
from deskhand.desk.inboxes.tables import inbox
from deskhand.desk.ratings.tables import rating
from deskhand.desk.users import verbs as users
from deskhand.desk.users.tables import account, staff
from deskhand.desk.webhooks.tables import webhook
from deskhand.desk.workflows.actions import (
    AddNote,
    AddTags,
    Assign,
    CallWebhook,
    Move,
    RemoveTags,
    Reply,
    SetField,
    SetStatus,
    Snooze,
    Unsnooze,
    from_json,
)
from deskhand.desk.workflows.tables import workflow
from deskhand.lib.clock import to_wire

EVERYWHERE = -1
"""Stands among the inboxes of a webhook that is told of all there are, also of those to come. No inbox has this id."""

_AMOUNTS_TO: dict[type, str] = {
    SetStatus: "update_conversation",
    Assign: "update_conversation",
    Move: "update_conversation",
    AddTags: "set_conversation_tags",
    RemoveTags: "set_conversation_tags",
    AddNote: "add_note",
    SetField: "set_conversation_fields",
    Reply: "reply_to_conversation",
    Snooze: "snooze_conversation",
    Unsnooze: "unsnooze_conversation",
    CallWebhook: "create_webhook",
}
"""Which operation does what an action of a workflow does."""


class Place(msgspec.Struct, frozen=True):
    """Where something lies. A customer is in every inbox in which they have a conversation, so maybe in none.

    `number` and `mark` are a conversation's: the mark is another one once the customer or somebody of the staff wrote
    to the other, and when status, owner or inbox changed. `does` and `into` are a workflow's: the operations that
    running it amounts to, and the inboxes to which it moves conversations.
    """

    inboxes: frozenset[int]
    number: int | None = None
    mark: str = ""
    does: tuple[str, ...] = ()
    into: frozenset[int] = frozenset()


class _Conversation(msgspec.Struct, frozen=True):
    id: int
    inbox_id: int
    number: int
    status: str
    assignee_id: int | None
    said: int


class _Workflow(msgspec.Struct, frozen=True):
    id: int
    inbox_id: int
    actions: str


class _In(msgspec.Struct, frozen=True):
    """Something by its id, and an inbox in which it is; None: it is in none."""

    id: int
    inbox_id: int | None


class _AddressIn(msgspec.Struct, frozen=True):
    """The same of a customer, by their address."""

    address: str
    inbox_id: int | None


class _Webhook(msgspec.Struct, frozen=True):
    id: int
    inbox_ids: str


class _Name(msgspec.Struct, frozen=True):
    id: int
    name: str


_ACCOUNT, _IDS = P("account_id"), P("ids", sa.Text)
_NOTHING: sa.ColumnElement[int] = sa.literal_column("0", sa.BigInteger)
_ONE: sa.ColumnElement[int] = sa.literal_column("1")
# The sum of ids is another one whenever a thread is published or hidden, whichever that is.
_SAID = (
    sa.select(sa.cast(sa.func.coalesce(sa.func.sum(thread.c.id), _NOTHING), sa.BigInteger))
    .where(
        thread.c.conversation_id == conversation.c.id,
        unindexed(thread.c.account_id) == _ACCOUNT,
        thread.c.state == sa.literal_column("'published'"),
        thread.c.type.in_([sa.literal_column(f"'{type}'") for type in ("customer", "message", "chat", "phone")]),
    )
    .correlate(conversation)
    .scalar_subquery()
)
_CONVERSATIONS = rows(
    _Conversation,
    sa.select(
        conversation.c.id,
        LIES_IN.label("inbox_id"),
        conversation.c.number,
        conversation.c.status,
        conversation.c.assignee_id,
        _SAID.label("said"),
    )
    .select_from(WITH_SURVIVOR)
    .where(unindexed(conversation.c.account_id) == _ACCOUNT, ids_in(conversation.c.id, _IDS), LIES_IN.is_not(None)),
)
# Each inbox of the account is tried by an index, so that it takes no longer however many conversations somebody has.
_WROTE_THERE = sa.exists(
    sa.select(_ONE)
    .where(
        conversation.c.account_id == _ACCOUNT,
        conversation.c.customer_id == customer.c.id,
        conversation.c.inbox_id == inbox.c.id,
        conversation.c.merged_into.is_(None),
    )
    .correlate(customer, inbox)
)
_THEIR_INBOXES = sa.and_(inbox.c.account_id == _ACCOUNT, _WROTE_THERE)
_CUSTOMERS = rows(
    _In,
    sa.select(customer.c.id, inbox.c.id.label("inbox_id"))
    .select_from(customer.outerjoin(inbox, _THEIR_INBOXES))
    .where(unindexed(customer.c.account_id) == _ACCOUNT, ids_in(customer.c.id, _IDS)),
)
_BY_ADDRESS = rows(
    _AddressIn,
    sa.select(customer_entry.c.folded.label("address"), inbox.c.id.label("inbox_id"))
    .select_from(
        customer_entry.join(customer, customer.c.id == customer_entry.c.customer_id).outerjoin(inbox, _THEIR_INBOXES)
    )
    .where(
        customer_entry.c.account_id == _ACCOUNT,
        customer_entry.c.kind == sa.literal_column("'email'"),
        texts_in(customer_entry.c.folded, P("emails", sa.Text)),
    ),
)
_WORKFLOWS = rows(
    _Workflow,
    sa.select(workflow.c.id, workflow.c.inbox_id, workflow.c.actions).where(
        unindexed(workflow.c.account_id) == _ACCOUNT, ids_in(workflow.c.id, _IDS)
    ),
)
_WEBHOOKS = rows(
    _Webhook,
    sa.select(webhook.c.id, webhook.c.inbox_ids).where(
        unindexed(webhook.c.account_id) == _ACCOUNT, ids_in(webhook.c.id, _IDS)
    ),
)
_RATINGS = rows(
    _In,
    sa.select(rating.c.id, conversation.c.inbox_id)
    .join(conversation, conversation.c.id == rating.c.conversation_id)
    .where(unindexed(rating.c.account_id) == _ACCOUNT, ids_in(rating.c.id, _IDS)),
)
# Scheduled, or with a mail that is still to be sent to somebody, or may be sent again.
_STILL_TO_SEND = sa.exists(
    sa.select(_ONE)
    .where(
        thread_mail.c.account_id == _ACCOUNT,
        thread_mail.c.thread_id == thread.c.id,
        thread_mail.c.direction == sa.literal_column("'out'"),
        sa.or_(thread_mail.c.state != sa.literal_column("'sent'"), thread_mail.c.error != sa.literal_column("''")),
    )
    .correlate(thread)
)
_OUTGOING = value(
    int,
    sa.select(thread.c.id)
    .where(
        unindexed(thread.c.account_id) == _ACCOUNT,
        ids_in(thread.c.id, _IDS),
        sa.or_(thread.c.scheduled_for.is_not(None), _STILL_TO_SEND),
    )
    .order_by(thread.c.id),
)
_INBOXES = value(int, sa.select(inbox.c.id).where(unindexed(inbox.c.account_id) == _ACCOUNT, ids_in(inbox.c.id, _IDS)))
_NAMES = rows(_Name, sa.select(inbox.c.id, inbox.c.name).where(inbox.c.account_id == _ACCOUNT).order_by(inbox.c.id))
_RATE_LIMIT = value(int, sa.select(account.c.rate_limit).where(account.c.id == _ACCOUNT))
_RENAME = command(
    sa.update(staff)
    .where(staff.c.account_id == _ACCOUNT, staff.c.id == P("id"), staff.c.type == sa.literal_column("'system_user'"))
    .values(first_name=P("name"), updated_at=P("now"))
)


def look_up(db: Reader, account_id: int, wanted: Set[Of]) -> dict[Of, Place | None]:
    """Where things lie; None for what the account does not have. One statement for each kind.

    A merged conversation lies where the one does that it leads to.
    """
    ids: dict[str, set[int | str]] = defaultdict(set)
    for of in wanted:
        ids[of.kind].add(of.id)
    found = {kind: _KINDS[kind](db, account_id, listed) for kind, listed in ids.items()}
    return {of: found[of.kind].get(of.id) for of in wanted}


def inbox_names(db: Reader, account_id: int) -> dict[int, str]:
    """What the account's inboxes are called."""
    return {row.id: row.name for row in db.all(_NAMES, account_id=account_id)}


def rate_limit(db: Reader, account_id: int) -> int:
    """The units a minute that the account has for all its callers together; 0: no limit."""
    return db.one(_RATE_LIMIT, account_id=account_id) or 0


class Authors:
    """Agents as authors on the desk: a system user each, under whose name stands what it writes."""

    def add(self, tx: Writer, account_id: int, name: str, now: datetime) -> int:
        """Add a system user; gives their id. Nobody can sign in as them."""
        moment = to_wire(now)
        new = users.NewStaff(
            account_id=account_id, type="system_user", first_name=name, created_at=moment, updated_at=moment
        )
        return users.add_staff(tx, new)

    def rename(self, tx: Writer, account_id: int, user_id: int, name: str, now: datetime) -> None:
        """Call them by another name, also for what they wrote before."""
        tx.run(_RENAME, account_id=account_id, id=user_id, name=name, now=to_wire(now))

    def retire(self, tx: Writer, account_id: int, user_id: int, now: datetime) -> None:
        """Let them act no more; they stay known by name, and what they owned is nobody's."""
        moment = to_wire(now)
        users.set_state(tx, account_id, user_id, "inactive", moment)
        let_go(tx, on_behalf_of(account_id, user_id), user_id, moment)


# -- By kind

_Ids = Collection[int | str]
_Places = Mapping[int | str, Place]


def _conversations(db: Reader, account_id: int, ids: _Ids) -> _Places:
    return {
        row.id: Place(
            frozenset((row.inbox_id,)),
            row.number,
            Standing(row.status, row.inbox_id, row.assignee_id or 0, row.said).mark,
        )
        for row in db.all(_CONVERSATIONS, account_id=account_id, ids=_json(ids))
    }


def _customers(db: Reader, account_id: int, ids: _Ids) -> _Places:
    found = db.all(_CUSTOMERS, account_id=account_id, ids=_json(ids))
    return _together((row.id, row.inbox_id) for row in found)


def _addresses(db: Reader, account_id: int, given: _Ids) -> _Places:
    # PostgreSQL keeps no text with a zero byte, so such an address is nobody's.
    folded = {address: folded_email(str(address)) for address in given if "\0" not in str(address)}
    found = db.all(_BY_ADDRESS, account_id=account_id, emails=_json(set(folded.values())))
    places = _together((row.address, row.inbox_id) for row in found)
    return {address: places[known] for address, known in folded.items() if known in places}


def _together(found: Iterable[tuple[int | str, int | None]]) -> dict[int | str, Place]:
    inboxes: dict[int | str, set[int]] = defaultdict(set)
    for key, inbox_id in found:
        inboxes[key].update(() if inbox_id is None else (inbox_id,))
    return {key: Place(frozenset(of)) for key, of in inboxes.items()}


def _workflows(db: Reader, account_id: int, ids: _Ids) -> _Places:
    found = db.all(_WORKFLOWS, account_id=account_id, ids=_json(ids))
    return {row.id: _workflow(row) for row in found}


def _workflow(row: _Workflow) -> Place:
    actions = from_json(row.actions) or ()  # the desk does not run one whose actions make no sense
    does = dict.fromkeys(_AMOUNTS_TO[type(action)] for action in actions)
    into = frozenset(action.value for action in actions if isinstance(action, Move))
    return Place(frozenset((row.inbox_id,)), does=tuple(does), into=into)


def _webhooks(db: Reader, account_id: int, ids: _Ids) -> _Places:
    found = db.all(_WEBHOOKS, account_id=account_id, ids=_json(ids))
    told_of = {row.id: msgspec.json.decode(row.inbox_ids, type=frozenset[int]) for row in found}
    return {id: Place(inboxes or frozenset((EVERYWHERE,))) for id, inboxes in told_of.items()}


def _ratings(db: Reader, account_id: int, ids: _Ids) -> _Places:
    return _together((row.id, row.inbox_id) for row in db.all(_RATINGS, account_id=account_id, ids=_json(ids)))


def _folders(db: Reader, account_id: int, ids: _Ids) -> _Places:
    """Folders have no table: each has its inbox's id and a digit, see inboxes/folders.py."""
    inboxes = {id: int(id) // 10 for id in ids if int(id) % 10 in TYPES}
    there = set(db.all(_INBOXES, account_id=account_id, ids=_json(set(inboxes.values()))))
    return {id: Place(frozenset((inbox_id,))) for id, inbox_id in inboxes.items() if inbox_id in there}


def _outgoing(db: Reader, account_id: int, ids: _Ids) -> _Places:
    """Threads that customers get, or may still get, as they are made now; others are not found."""
    return {id: Place(frozenset()) for id in db.all(_OUTGOING, account_id=account_id, ids=_json(ids))}


def _json(listed: Collection[Any]) -> str:
    return msgspec.json.encode(sorted(listed)).decode()


_KINDS: dict[str, Callable[[Reader, int, _Ids], _Places]] = {
    "conversation": _conversations,
    "customer": _customers,
    "email": _addresses,
    "workflow": _workflows,
    "webhook": _webhooks,
    "rating": _ratings,
    "folder": _folders,
    "outgoing": _outgoing,
}
