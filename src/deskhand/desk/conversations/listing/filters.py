"""Which conversations a list has and in which order: filters, what statements depend on, and their conditions.

A statement's text depends only on its shape, which tells what filters are present, so each is made once.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.conversations import PAGE_SIZE
from deskhand.db.portable import ids_in, texts_in, unindexed
from deskhand.db.statements import P
from deskhand.desk.conversations.listing.search import Search
from deskhand.desk.conversations.tables import conversation, conversation_field, conversation_tag, thread_mail
from deskhand.desk.inboxes.folders import Folder, folder_id
from deskhand.desk.inboxes.tables import custom_field
from deskhand.desk.tags.tables import tag
from deskhand.lib.text import containing

Shape: TypeAlias = tuple[str, ...]
"""The order, the direction, and the filters that are present."""

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
    """Which conversations, in which order. `inboxes` None means all of the account's.

    `troubled`: those with a mail that could not be delivered.
    """

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
    troubled: bool = False
    search: Search | None = None
    sort: str = "createdAt"
    descending: bool = True
    page: int = 1
    size: int = PAGE_SIZE
    """How many conversations a page has; searches know of no other."""

    @property
    def indexed(self) -> bool:
        """Whether an index has just these conversations in just this order."""
        several = self.inboxes is not None and len(self.inboxes) > 1
        by_time = self.sort == "createdAt" and self.size == PAGE_SIZE
        return self.countable and by_time and not several and len(STATUSES[self.status]) == 1

    @property
    def countable(self) -> bool:
        """Whether a counter row tells how many there are."""
        return not (
            self.tags or self.assigned_to or self.modified_since or self.number or self.fields or self.customer_id
            or self.folder or self.troubled or self.search is not None
        )  # fmt: skip


def shape_of(wanted: Wanted) -> Shape:
    """What the statement's text depends on."""
    parts = [f"sort {wanted.sort}", "desc" if wanted.descending else "asc", f"status {wanted.status}"]
    if wanted.inboxes is not None:
        parts.append("inbox" if len(wanted.inboxes) == 1 else "inboxes")
    if wanted.folder is not None:
        parts.append("mine" if wanted.folder % 10 == Folder.MINE else "folder")
    for name in ("tags", "assigned_to", "modified_since", "number", "customer_id", "troubled"):
        if getattr(wanted, name):
            parts.append(name)
    parts += [f"field {position}" for position in range(len(wanted.fields))]
    return tuple(parts)


def around(wanted: Wanted) -> Wanted:
    """The list that an index has in this one's order of time and that holds all of it: other filters are left out."""
    one_inbox = wanted.inboxes is not None and len(wanted.inboxes) == 1
    if len(STATUSES[wanted.status]) > 1 or wanted.sort == "modifiedAt":
        return Wanted(wanted.account_id, wanted.user_id, None, "all", sort=wanted.sort, descending=wanted.descending)
    inboxes = wanted.inboxes if one_inbox else None
    return Wanted(wanted.account_id, wanted.user_id, inboxes, wanted.status, descending=wanted.descending)


def parameters(wanted: Wanted) -> dict[str, Any]:
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
    if wanted.search is not None:
        given |= wanted.search.values
    return given


def sorted_by(shape: Shape) -> sa.Column[Any]:
    """The column of the order."""
    return conversation.c[_SORTS[shape[0].removeprefix("sort ")]]


def order(shape: Shape, *, by_index: bool = True) -> tuple[sa.ColumnElement[Any], ...]:
    """What to order by: a column, then the id, so that no two are equal. Without `by_index`: see `unindexed`."""
    column, id = _column(shape, by_index), conversation.c.id
    first, second = (column.desc(), id.desc()) if _descending(shape) else (column.asc(), id.asc())
    # Those nobody waits for come last, whichever the order.
    return first.nulls_last() if sorted_by(shape).nullable else first, second


def behind(shape: Shape, *, empty: bool, by_index: bool = True) -> sa.ColumnElement[bool]:
    """Conversations that come after a given one; `empty` when that one has nothing in the column of the order."""
    column, id = _column(shape, by_index), conversation.c.id
    last_id = P("last_id", sa.BigInteger)
    if empty:
        return sa.and_(column.is_(None), id < last_id if _descending(shape) else id > last_id)
    here, last = sa.tuple_(column, id), sa.tuple_(P("last", column.type), last_id)
    further = here < last if _descending(shape) else here > last
    return sa.or_(column.is_(None), further) if sorted_by(shape).nullable else further


def _column(shape: Shape, by_index: bool) -> sa.ColumnElement[Any]:
    return sorted_by(shape) if by_index else unindexed(sorted_by(shape))


def _descending(shape: Shape) -> bool:
    return shape[1] == "desc"


def conditions(
    shape: Shape, account: sa.ColumnElement[Any] = conversation.c.account_id
) -> list[sa.ColumnElement[bool]]:
    """What conversations of a list of this shape are like."""
    c = conversation.c
    if "troubled" in shape:  # those are few, and looked up one by one
        account = unindexed(c.account_id)
    found = [account == P("account_id"), c.merged_into.is_(None)]
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
            case "troubled":
                found.append(c.id.in_(in_trouble()))
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


def in_trouble() -> sa.Select[Any]:
    """The conversations with a mail that could not be delivered; an index has just those."""
    return sa.select(thread_mail.c.conversation_id).where(
        thread_mail.c.account_id == P("account_id"),
        thread_mail.c.error != sa.literal_column("''"),
        thread_mail.c.direction == sa.literal_column("'out'"),
        thread_mail.c.state.in_([sa.literal_column("'failed'"), sa.literal_column("'bounced'")]),
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
