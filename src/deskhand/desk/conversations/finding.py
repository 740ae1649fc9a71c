"""Finding conversations: filters, order and pages of the list.

The statement depends only on which filters are present, so each combination is compiled once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.conversations import PAGE_SIZE
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, texts_in
from deskhand.db.statements import P, Statement, rows, value
from deskhand.desk import counters
from deskhand.desk.conversations.queries import Shown, shown
from deskhand.desk.conversations.tables import conversation, conversation_field, conversation_tag
from deskhand.desk.inboxes.folders import Folder, folder_id
from deskhand.desk.inboxes.tables import custom_field
from deskhand.desk.tags.tables import tag
from deskhand.lib.text import containing

FARTHEST = 2**31
FIELD_FILTERS_MOST = 10

STATUSES = {
    "active": ("active",),
    "pending": ("pending",),
    "closed": ("closed",),
    "spam": ("spam",),
    "open": ("active", "pending"),
    "all": ("active", "pending", "closed", "spam"),
}
"""What each value of the `status` parameter means. Source: conversations/list."""

_SORTS = {
    "createdAt": "created_at",
    "customerEmail": "customer_email",
    "customerName": "customer_name",
    "mailboxid": "inbox_id",
    "modifiedAt": "modified_at",
    "number": "number",
    "score": "created_at",
    "status": "status",
    "subject": "subject_key",
    "waitingSince": "waiting_since",
}


class Wanted(msgspec.Struct, frozen=True):
    """Which conversations, in which order. `inboxes` None means all of the account's."""

    account_id: int
    user_id: int
    inboxes: tuple[int, ...] | None
    status: str = "active"
    folder: int | None = None
    tags: tuple[str, ...] = ()
    assigned_to: int | None = None
    modified_since: str | None = None
    number: int | None = None
    fields: tuple[tuple[int, str], ...] = ()
    customer_id: int | None = None
    search: Any = None  # a condition on conversations
    sort: str = "createdAt"
    descending: bool = True
    page: int = 1

    @property
    def indexed(self) -> bool:
        """Whether an index has just these conversations in just this order."""
        several = self.inboxes is not None and len(self.inboxes) > 1
        return self.countable and self.sort == "createdAt" and not several and len(STATUSES[self.status]) == 1

    @property
    def countable(self) -> bool:
        """Whether a counter row tells how many there are."""
        return not (
            self.tags or self.assigned_to or self.modified_since or self.number or self.fields or self.customer_id
            or self.folder or self.search is not None
        )  # fmt: skip


def find(db: Reader, wanted: Wanted) -> tuple[list[Shown], int]:
    """A page of conversations and how many there are in all."""
    if wanted.inboxes == ():
        return [], 0
    given = _parameters(wanted)
    if wanted.page == 1 and wanted.indexed:
        first = db.all(_first_page(wanted.status, wanted.descending, wanted.inboxes is not None), **given)
        return list(first), first[0].total if first else 0
    shape = _shape(wanted)
    if wanted.search is None:
        page, count = _statements(shape)
    else:
        page, count = _build(shape, wanted.search)
    start = min((wanted.page - 1) * PAGE_SIZE, FARTHEST)
    found = db.all(page, **given, size=PAGE_SIZE, start=start)
    if wanted.countable:
        return found, _counted(db, wanted)
    if wanted.page == 1 and len(found) < PAGE_SIZE:
        return found, len(found)
    return found, db.first(count, **given)


def _counted(db: Reader, wanted: Wanted) -> int:
    codes = [counters.STATUS_CODES[status] for status in STATUSES[wanted.status]]
    if len(codes) == 1:
        return counters.of_key(db, wanted.account_id, "status", codes[0], wanted.inboxes)
    by_status = counters.by_key(db, wanted.account_id, "status", wanted.inboxes)
    return sum(by_status.get(code, 0) for code in codes)


def _shape(wanted: Wanted) -> tuple[str, ...]:
    """What the statement's text depends on."""
    parts = [f"sort {wanted.sort}", "desc" if wanted.descending else "asc", f"status {wanted.status}"]
    if wanted.inboxes is not None:
        parts.append("inbox" if len(wanted.inboxes) == 1 else "inboxes")
    if wanted.folder is not None:
        parts.append("mine" if wanted.folder % 10 == Folder.MINE else "folder")
    for name in ("tags", "assigned_to", "modified_since", "number", "customer_id"):
        if getattr(wanted, name):
            parts.append(name)
    parts += [f"field {position}" for position in range(len(wanted.fields))]
    return tuple(parts)


def _parameters(wanted: Wanted) -> dict[str, Any]:
    """A value for every parameter that the statement may have."""
    given: dict[str, Any] = {
        "account_id": wanted.account_id,
        "user_id": wanted.user_id,
        "assigned_to": wanted.assigned_to,
        "modified_since": wanted.modified_since,
        "number": wanted.number,
        "customer_id": wanted.customer_id,
        "folder": wanted.folder,
    }
    if wanted.inboxes is not None:
        given["inbox"] = wanted.inboxes[0]
        given["inboxes"] = msgspec.json.encode(wanted.inboxes).decode()
    if wanted.folder is not None and wanted.folder % 10 == Folder.MINE:
        given["folder"] = folder_id(wanted.folder // 10, Folder.ASSIGNED)
    if wanted.tags:
        given["tags"] = msgspec.json.encode(wanted.tags).decode()
    for position, (field_id, text) in enumerate(wanted.fields):
        given[f"field{position}"], given[f"value{position}"] = field_id, text
        given[f"pattern{position}"], given[f"typed{position}"] = containing(text.lower()), containing(text)
    return given


class Counted(Shown, gc=False):
    """A conversation of a first page, and how many there are in all."""

    total: int


@lru_cache(maxsize=64)
def _first_page(status: str, descending: bool, one_inbox: bool) -> Statement[Counted]:
    """What is asked for most: the first page of a status, in one statement with its total.

    Without parameters for limit and offset PostgreSQL plans it once and not for each call.
    """
    shape = ("sort createdAt", "desc" if descending else "asc", f"status {status}", *(("inbox",) if one_inbox else ()))
    number = counters.counter.c
    counted = [
        number.account_id == P("account_id"),
        number.kind == sa.literal_column("'status'"),
        number.key == sa.literal_column(str(counters.STATUS_CODES[STATUSES[status][0]])),
    ]
    if one_inbox:
        counted.append(number.inbox_id == P("inbox"))
    total = sa.cast(sa.func.coalesce(sa.func.sum(number.n), sa.literal_column("0")), sa.Integer)
    page = shown().add_columns(sa.select(total).where(*counted).scalar_subquery().label("total"))
    column, id = conversation.c.created_at, conversation.c.id
    order = (column.desc(), id.desc()) if descending else (column.asc(), id.asc())
    page = page.where(*_conditions(shape)).order_by(*order).limit(sa.literal_column(str(PAGE_SIZE)))
    return rows(Counted, page, keep=False)


@lru_cache(maxsize=512)
def _statements(shape: tuple[str, ...]) -> tuple[Statement[Shown], Statement[int]]:
    return _build(shape, None)


def _build(shape: tuple[str, ...], search: sa.ColumnElement[bool] | None) -> tuple[Statement[Shown], Statement[int]]:
    conditions = _conditions(shape)
    if search is not None:
        conditions.append(search)
    column = conversation.c[_SORTS[shape[0].removeprefix("sort ")]]
    down = shape[1] == "desc"
    order = (column.desc(), conversation.c.id.desc()) if down else (column.asc(), conversation.c.id.asc())
    if column is conversation.c.waiting_since:
        # Those nobody waits for come last, whichever the order.
        order = (column.is_(None), *order)  # type: ignore[assignment]
    count = sa.select(sa.func.count()).select_from(conversation).where(*conditions)
    # Ids first, rows after: pages that lie deep are skipped in the index alone.
    ids = (
        sa.select(conversation.c.id)
        .where(*conditions)
        .order_by(*order)
        .limit(P("size", sa.Integer))
        .offset(P("start", sa.BigInteger))
        .subquery("page")
    )
    page = shown(ids.join(conversation, conversation.c.id == ids.c.id)).order_by(*order)
    return rows(Shown, page, keep=False), value(int, count, keep=False)


def _conditions(shape: tuple[str, ...]) -> list[sa.ColumnElement[bool]]:
    c = conversation.c
    found = [c.account_id == P("account_id"), c.merged_into.is_(None)]
    for part in shape[2:]:
        word, _, detail = part.partition(" ")
        match word:
            case "status":
                if detail != "all":
                    found.append(_among(c.status, STATUSES[detail]))
            case "inbox":
                found.append(c.inbox_id == P("inbox"))
            case "inboxes":
                found.append(ids_in(c.inbox_id, P("inboxes", sa.Text)))
            case "folder":
                found.append(c.folder_id == P("folder"))
            case "mine":
                found += [c.folder_id == P("folder"), c.assignee_id == P("user_id")]
            case "tags":
                found.append(c.id.in_(_tagged()))
            case "assigned_to":
                found.append(c.assignee_id == P("assigned_to"))
            case "modified_since":
                found.append(c.modified_at > P("modified_since"))
            case "number":
                found.append(c.number == P("number"))
            case "customer_id":
                found.append(c.customer_id == P("customer_id"))
            case "field":
                found.append(c.id.in_(_with_field(int(detail))))
    return found


def _among(column: sa.ColumnElement[Any], words: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """One of some fixed words, written into the statement so that indexes by status can be used."""
    if len(words) == 1:
        return column == sa.literal_column(f"'{words[0]}'")
    return column.in_([sa.literal_column(f"'{word}'") for word in words])


def _tagged() -> sa.Select[Any]:
    from_list = texts_in(tag.c.folded, P("tags", sa.Text))
    return (
        sa.select(conversation_tag.c.conversation_id)
        .join(tag, tag.c.id == conversation_tag.c.tag_id)
        .where(tag.c.account_id == P("account_id"), from_list)
    )


def _with_field(position: int) -> sa.Select[Any]:
    """Exactly the value; in a single line of text, anywhere. Source: conversations/list (customFieldsByIds)."""
    value, wanted = conversation_field.c.value, P(f"value{position}", sa.Text)
    # SQLite lowers ASCII letters only, so others are found as they were typed.
    anywhere = sa.or_(
        sa.func.lower(value).like(P(f"pattern{position}", sa.Text), escape="\\"),
        value.like(P(f"typed{position}", sa.Text), escape="\\"),
    )
    return (
        sa.select(conversation_field.c.conversation_id)
        .join(custom_field, custom_field.c.id == conversation_field.c.field_id)
        .where(
            conversation_field.c.account_id == P("account_id"),
            conversation_field.c.field_id == P(f"field{position}"),
            sa.or_(value == wanted, sa.and_(custom_field.c.type == sa.literal_column("'singleline'"), anywhere)),
        )
    )
