"""A query's shape as conditions on conversations, in two forms.

- *Found*: through the indexes of words, tags and people; for looking at all conversations.
- *Read*: by reading the rows and texts of each conversation at hand; for the few newest ones.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from deskhand.db.statements import Dialect, P
from deskhand.desk.conversations.listing.search import EVERYTHING, Shape, parameter
from deskhand.desk.conversations.tables import conversation, conversation_tag, has_copies, thread
from deskhand.desk.customers.tables import customer_entry
from deskhand.desk.inboxes.tables import inbox
from deskhand.desk.search import matching
from deskhand.desk.tags.tables import tag
from deskhand.desk.users.tables import staff

Condition = sa.ColumnElement[bool]
Form = Literal["found", "read"]
_ACCOUNT = P("account_id")
_ONE: sa.ColumnElement[int] = sa.literal_column("1")
_c = conversation.c
_other = conversation.alias("other")


class Candidates(NamedTuple):
    """The ids of conversations that may match, some of them several times, and what else must hold for a match."""

    ids: sa.Select[Any] | sa.CompoundSelect[Any]
    rest: Shape


def condition(shape: Shape, form: Form, id: sa.ColumnElement[int] = _c.id) -> Condition:
    """The condition of a query; with another `id` than the conversation's, only for a query of texts."""
    match shape:
        case ("and", *parts):
            return sa.and_(sa.true(), *(condition(part, form, id) for part in parts))
        case ("or", *parts):
            return sa.or_(sa.false(), *(condition(part, form, id) for part in parts))
        case ("not", part):
            return sa.not_(condition(part, form, id))
        case ("text", place, words):
            looked_for = matching.text_matches if form == "found" else matching.text_contains
            return looked_for(words, _texts(place), id)
    kind, place, *details = shape
    return _KINDS[kind](_Test(place, form), *details)


def candidates(shape: Shape, dialect: Dialect) -> Candidates | None:
    """Where the index of words tells which conversations come into question: those, and what else is asked."""
    match shape:
        case ("text", place, words):
            return Candidates(matching.found_ids(words, _texts(place), dialect), EVERYTHING)
        case ("and", *parts):
            for part in parts:
                if (found := candidates(part, dialect)) is not None:
                    others = tuple(other for other in parts if other is not part)
                    return Candidates(found.ids, ("and", found.rest, *others))
        case ("email" | "email_like" | "tag" as kind, place, *details):
            return Candidates(_IDS[kind](_Test(place, "found"), *details), EVERYTHING)
        case ("or", *parts) if parts:
            every = [candidates(part, dialect) for part in parts]
            if None not in every:
                ids = sa.union_all(*(sa.select(one.ids.subquery().c.id) for one in every if one is not None))
                plain = all(one is not None and not needs_more(one.rest) for one in every)
                return Candidates(ids, EVERYTHING if plain else shape)
    return None


def of_texts(shape: Shape) -> bool:
    """Whether nothing but texts is asked for, which conversations' ids are enough for."""
    if shape[0] in ("and", "or", "not"):
        return all(of_texts(part) for part in shape[1:])
    return bool(shape[0] == "text")


def has_text(shape: Shape) -> bool:
    """Whether any text is asked for."""
    if shape[0] in ("and", "or", "not"):
        return any(has_text(part) for part in shape[1:])
    return bool(shape[0] == "text")


def needs_more(rest: Shape) -> bool:
    """Whether the rest of candidates asks for anything."""
    return rest[0] != "and" or any(needs_more(part) for part in rest[1:])


def _texts(place: int) -> matching.Bind:
    return lambda name: P(parameter(place, name), sa.Text)


class _Test:
    """A test at its place: its parameters, and the form it is wanted in."""

    def __init__(self, place: int, form: Form) -> None:
        self.place = place
        self.form = form

    def value(self, name: str, type_: Any = sa.Text) -> sa.BindParameter[Any]:
        return P(parameter(self.place, name), type_)

    def has_subject(self) -> Condition:
        return _c.subject != sa.literal_column("''")

    def has_email(self) -> Condition:
        return _c.customer_email != sa.literal_column("''")

    def email(self) -> Condition:
        """An address of the customer's, or one that got a copy. Source: conversations/list (query, email)."""
        return _c.id.in_(self.email_ids()) if self.form == "found" else sa.or_(*self._ways_of_email(conversation))

    def email_like(self) -> Condition:
        if self.form == "found":
            return _c.id.in_(self.email_like_ids())
        return sa.or_(*self._ways_of_email_like(conversation))

    def email_ids(self) -> sa.CompoundSelect[Any]:
        return self._each_way(self._ways_of_email(_other))

    def email_like_ids(self) -> sa.CompoundSelect[Any]:
        return self._each_way(self._ways_of_email_like(_other))

    @staticmethod
    def _each_way(ways: list[Condition]) -> sa.CompoundSelect[Any]:
        """Each way has an index of its own; joined by OR, none would be used."""
        listed = (_other.c.account_id == _ACCOUNT, _other.c.merged_into.is_(None))
        return sa.union_all(*(sa.select(_other.c.id).where(*listed, way) for way in ways))

    def _ways_of_email(self, of: sa.FromClause) -> list[Condition]:
        known, typed = self.value("known"), self.value("typed")
        used = of.c.customer_email.in_([known, typed])
        return [self._of_customer(of, customer_entry.c.folded == known), used, self._copied(of)]

    def _ways_of_email_like(self, of: sa.FromClause) -> list[Condition]:
        known = self.value("known")
        used = sa.func.lower(of.c.customer_email).like(known, escape="\\")
        return [self._of_customer(of, customer_entry.c.folded.like(known, escape="\\")), used, self._copied(of)]

    def _of_customer(self, of: sa.FromClause, known: Condition) -> Condition:
        entry = customer_entry.c
        of_account = entry.account_id == _ACCOUNT
        return of.c.customer_id.in_(
            sa.select(entry.customer_id).where(of_account, entry.kind == sa.literal_column("'email'"), known)
        )

    def _copied(self, of: sa.FromClause) -> Condition:
        got = (sa.func.lower(column).like(self.value("copied"), escape="\\") for column in (of.c.cc, of.c.bcc))
        return sa.and_(has_copies(of), sa.or_(*got))

    def has_tag(self) -> Condition:
        return self._carries(sa.true())

    def tag(self, prefix: bool) -> Condition:
        return _c.id.in_(self.tag_ids(prefix)) if self.form == "found" else self._carries(self._tagged(prefix))

    def tag_ids(self, prefix: bool) -> sa.Select[Any]:
        return sa.select(conversation_tag.c.conversation_id.label("id")).where(self._tagged(prefix))

    def _tagged(self, prefix: bool) -> Condition:
        name = self.value("name")
        found = tag.c.folded.like(name, escape="\\") if prefix else tag.c.folded == name
        return conversation_tag.c.tag_id.in_(sa.select(tag.c.id).where(tag.c.account_id == _ACCOUNT, found))

    def _carries(self, tagged: Condition) -> Condition:
        of_conversation = sa.select(_ONE).where(conversation_tag.c.conversation_id == _c.id, tagged)
        return sa.exists(of_conversation.correlate(conversation))

    def inbox(self, prefix: bool) -> Condition:
        found = self._named(inbox.c.name, prefix)
        return _c.inbox_id.in_(sa.select(inbox.c.id).where(inbox.c.account_id == _ACCOUNT, found))

    def has_owner(self) -> Condition:
        return _c.assignee_id.is_not(None)

    def owner(self, prefix: bool) -> Condition:
        first, last = staff.c.first_name, staff.c.last_name
        full = sa.func.trim(first.concat(sa.literal_column("' '", sa.Text)).concat(last))
        found = sa.or_(*(self._named(name, prefix) for name in (first, last, full)))
        owners = sa.select(staff.c.id).where(staff.c.account_id == _ACCOUNT, found)
        # Without the first half NOT would leave out those that have no owner.
        return sa.and_(_c.assignee_id.is_not(None), _c.assignee_id.in_(owners))

    def _named(self, name: sa.ColumnElement[str], prefix: bool) -> Condition:
        """Whether a name is the text, or begins so, whatever the case; SQLite lowers ASCII letters only."""
        typed, lowered = self.value("typed"), self.value("lowered")
        if prefix:
            return sa.or_(name.like(typed, escape="\\"), sa.func.lower(name).like(lowered, escape="\\"))
        return sa.or_(name == typed, sa.func.lower(name) == lowered)

    def open(self) -> Condition:
        return _c.status.in_([sa.literal_column("'active'"), sa.literal_column("'pending'")])

    def status(self) -> Condition:
        return _c.status == self.value("status")

    def attachments(self, some: bool) -> Condition:
        return _c.attachments == sa.literal_column("1" if some else "0")

    def replied(self, hows: tuple[str, ...] = ()) -> Condition:
        written = thread.c
        answers = sa.select(_ONE).where(
            written.account_id == _ACCOUNT,
            written.conversation_id == _c.id,
            written.type == sa.literal_column("'message'"),
            written.state == sa.literal_column("'published'"),
            written.created_by_type != sa.literal_column("'customer'"),
            self.within(written.created_by_id, hows),
        )
        return sa.exists(answers.correlate(conversation))

    def within(self, column: sa.ColumnElement[Any], hows: tuple[str, ...]) -> Condition:
        ends = (self.value(f"end{number}", column.type) for number in range(len(hows)))
        return sa.and_(sa.true(), *(_COMPARED[how](column, end) for how, end in zip(hows, ends, strict=True)))


_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt,
}  # fmt: skip


def _comparing(column: sa.ColumnElement[Any]) -> Callable[..., Condition]:
    return lambda test, hows: test.within(column, hows)


_KINDS: dict[str, Callable[..., Condition]] = {
    "has_subject": _Test.has_subject,
    "has_email": _Test.has_email,
    "email": _Test.email,
    "email_like": _Test.email_like,
    "has_tag": _Test.has_tag,
    "tag": _Test.tag,
    "inbox": _Test.inbox,
    "has_owner": _Test.has_owner,
    "owner": _Test.owner,
    "open": _Test.open,
    "status": _Test.status,
    "attachments": _Test.attachments,
    "replied": _Test.replied,
    "mailboxid": _comparing(_c.inbox_id),
    "customerids": _comparing(_c.customer_id),
    "number": _comparing(_c.number),
    "id": _comparing(_c.id),
    "createdat": _comparing(_c.created_at),
    "modifiedat": _comparing(_c.modified_at),
}
_IDS: dict[str, Callable[..., sa.Select[Any] | sa.CompoundSelect[Any]]] = {
    "email": _Test.email_ids,
    "email_like": _Test.email_like_ids,
    "tag": _Test.tag_ids,
}
