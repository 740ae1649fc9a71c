"""Which conversations a report is about, and in which span of time.

Reports leave out spam, what was deleted or merged into another conversation, and drafts. What happened in a
conversation: it began, or it got a thread that is no draft, which includes line items (a status, an owner, a workflow).
Source: https://docs.helpscout.com/article/46-reporting (total conversations)
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError
from deskhand.catalogue.reports import PLANS, TYPES, UNTAGGED, AskChannel, AskCompared, AskPlain, AskSpan
from deskhand.catalogue.reports_conversations import AskDocs
from deskhand.db.portable import ids_from, ids_in, texts_in, unindexed
from deskhand.db.statements import P
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation, conversation_tag, thread
from deskhand.desk.inboxes.folders import Folder, folder_id

Filters = frozenset[str]
"""Which filters are present: what the text of a statement depends on."""


class Span(msgspec.Struct, frozen=True):
    """From the first second to the last."""

    start: str
    end: str


class Selection(msgspec.Struct, frozen=True):
    """Which conversations: `inboxes` None means all; `given` are the parameters of the filters that are present."""

    account_id: int
    filters: Filters
    given: dict[str, Any]

    def parameters(self, span: Span) -> dict[str, Any]:
        """A value for every parameter that a statement may have."""
        return {"account_id": self.account_id, "start": span.start, "end": span.end, **self.given}


def require_plan(actor: Actor) -> None:
    """Raises AccessDenied where the account's plan has no reports."""
    if actor.policy.plan not in PLANS:
        raise AccessDenied


def span_of(query: AskPlain) -> Span:
    """The span asked for; raises BadRequest where it ends before it begins."""
    if faults := _disorder({"start": query.start, "end": query.end}):
        raise BadRequest(*faults)
    return Span(str(query.start), str(query.end))


def spans(query: AskCompared | AskChannel | AskDocs) -> tuple[Span, Span | None]:
    """The span asked for and the one it is compared with; raises BadRequest naming each parameter at fault."""
    given = {"start": query.start, "end": query.end}
    faults = _disorder(given)
    earlier = {"previousStart": query.previous_start, "previousEnd": query.previous_end}
    missing = [name for name, moment in earlier.items() if moment is None]
    if len(missing) == 1:
        text = "previousStart and previousEnd go together"
        faults.append(FieldError(missing[0], text, "NotNull", source="QUERY"))
    if not missing:
        faults += _disorder({name: str(moment) for name, moment in earlier.items()})
    if faults:
        raise BadRequest(*faults)
    previous = None if missing else Span(str(query.previous_start), str(query.previous_end))
    return Span(str(query.start), str(query.end)), previous


def _disorder(given: dict[str, Any]) -> list[FieldError]:
    (first, start), (last, end) = given.items()
    return [] if start <= end else [FieldError(last, f"may not lie before {first}", "Range", str(end), "QUERY")]


def select(actor: Actor, query: AskPlain, types: tuple[str, ...] = ()) -> Selection:
    """The conversations that a caller may see and asks for; raises BadRequest for an unknown type.

    `types` are those of a report that is about nothing else.
    """
    given: dict[str, Any] = {}
    inboxes: tuple[int, ...] | None = actor.inboxes
    if query.mailboxes:
        asked = tuple(query.mailboxes)
        inboxes = asked if actor.inboxes is None else tuple(id for id in asked if id in actor.inboxes)
    if inboxes is not None:
        given["inboxes"] = _json(inboxes)
    if actor.only is not None:
        given["known"] = _json(sorted(actor.only))
    if wanted := types or (query.types if isinstance(query, AskSpan) else None):
        given["types"] = _json(_known_types(wanted))
    tags = set(query.tags or ())
    if tags - {UNTAGGED}:
        given["tags"] = _json(sorted(tags - {UNTAGGED}))
    if query.folders:
        mine = [id // 10 for id in query.folders if id % 10 == Folder.MINE]
        given["folders"] = _json([id for id in query.folders if id % 10 != Folder.MINE])
        given["mine"] = _json([folder_id(inbox, Folder.ASSIGNED) for inbox in mine])
        given["user_id"] = actor.user_id
    filters = frozenset(given) | ({"untagged"} if UNTAGGED in tags else set())
    return Selection(actor.account_id, filters, given)


def _known_types(types: tuple[str, ...]) -> tuple[str, ...]:
    for one in types:
        if one not in TYPES:
            listed = ", ".join(f"'{type}'" for type in TYPES)
            raise BadRequest(FieldError("types", f"Expected one of these: {listed}", "EnumValue", one[:200], "QUERY"))
    return types


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# -- In SQL

_REPORTED = (
    conversation.c.merged_into.is_(None),
    conversation.c.state == sa.literal_column("'published'"),
    conversation.c.status != sa.literal_column("'spam'"),
)
"""The conversations that reports count at all; in the words of the index made for them."""


def within(moment: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """A moment in the span, its first and its last second included."""
    return sa.and_(moment >= P("start"), moment <= P("end"))


def happened() -> tuple[sa.ColumnElement[bool], ...]:
    """Threads that tell of something in the span; in the words of the index made for them."""
    return (
        thread.c.account_id == P("account_id"),
        within(thread.c.created_at),
        thread.c.state != sa.literal_column("'draft'"),
    )


def replied(filters: Filters) -> tuple[sa.ColumnElement[bool], ...]:
    """Replies of the staff, or of some users where those are asked for; in the words of the index of them."""
    of_users = [ids_in(thread.c.created_by_id, P("users", sa.Text))] if "users" in filters else []
    return (
        thread.c.account_id == P("account_id"),
        thread.c.type == sa.literal_column("'message'"),
        thread.c.state == sa.literal_column("'published'"),
        thread.c.created_by_type == sa.literal_column("'user'"),
        thread.c.source_type != sa.literal_column("'workflows'"),
        *of_users,
    )


def received() -> tuple[sa.ColumnElement[bool], ...]:
    """Published messages of customers; in the words of the index of them."""
    return (
        thread.c.account_id == P("account_id"),
        thread.c.created_by_type == sa.literal_column("'customer'"),
        thread.c.state == sa.literal_column("'published'"),
        thread.c.type != sa.literal_column("'lineitem'"),
    )


def reported() -> tuple[sa.ColumnElement[bool], ...]:
    """All the account's conversations that reports count; in the words of the index made for them."""
    return conversation.c.account_id == P("account_id"), *_REPORTED


def began() -> tuple[sa.ColumnElement[bool], ...]:
    """Conversations that began in the span; in the words of the index made for them."""
    return within(conversation.c.created_at), *reported()


def conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """What a conversation must be to be reported on and pass the filters."""
    c = conversation.c
    # By its account alone SQLite would look at every conversation rather than at those that are asked for.
    found = [unindexed(c.account_id) == P("account_id"), *_REPORTED]
    if "inboxes" in filters:
        # By inbox and status SQLite would walk through the whole of its past.
        found.append(ids_in(unindexed(c.inbox_id), P("inboxes", sa.Text)))
    if "types" in filters:
        found.append(texts_in(c.type, P("types", sa.Text)))
    if "folders" in filters:
        mine = sa.and_(ids_in(c.folder_id, P("mine", sa.Text)), c.assignee_id == P("user_id"))
        found.append(sa.or_(ids_in(c.folder_id, P("folders", sa.Text)), mine))
    if "tags" in filters or "untagged" in filters:
        carried = sa.select(conversation_tag.c.conversation_id).where(
            conversation_tag.c.account_id == P("account_id"), conversation_tag.c.conversation_id == c.id
        )
        one_of = carried.where(ids_in(conversation_tag.c.tag_id, P("tags", sa.Text))).exists()
        tagged = [one_of] if "tags" in filters else []
        found.append(sa.or_(*tagged, *([~carried.exists()] if "untagged" in filters else [])))
    return found


def active(filters: Filters) -> sa.CTE:
    """The conversations in which something happened: id, customer, and 1 where it began in the span.

    Nearly all of them began in it, and an index alone tells which; only the others are looked up by their threads.
    """
    c, wanted = conversation.c, conditions(filters)
    new = sa.select(c.id, c.customer_id, sa.literal_column("1").label("began")).where(*began(), *wanted)
    others = sa.select(thread.c.conversation_id).where(*happened()).except_(sa.select(c.id).where(*began()))
    older = sa.select(c.id, c.customer_id, sa.literal_column("0").label("began")).where(ids_from(c.id, others), *wanted)
    return new.union_all(older).cte("active")


def answered(filters: Filters) -> sa.CTE:
    """The conversations in which the staff replied in the span, or some users: id and customer."""
    c = conversation.c
    replies = sa.select(thread.c.conversation_id).where(*replied(filters), within(thread.c.created_at))
    return sa.select(c.id, c.customer_id).where(ids_from(c.id, replies), *conditions(filters)).cte("answered")
