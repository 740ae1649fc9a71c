"""From a query's tree to a condition on conversations.

Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/list (the section about `query`)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.db.statements import P
from deskhand.desk.conversations.tables import conversation, conversation_tag, thread
from deskhand.desk.customers.tables import customer_entry
from deskhand.desk.inboxes.tables import inbox
from deskhand.desk.search.language import (
    ANY,
    And,
    Match,
    Node,
    Not,
    Or,
    Phrase,
    Range,
    SyntaxProblem,
    Word,
    interval,
    parse,
)
from deskhand.desk.search.matching import text_matches
from deskhand.desk.tags.tables import tag
from deskhand.desk.users.tables import staff
from deskhand.lib.clock import to_wire
from deskhand.lib.text import beginning, containing, fold

Condition = sa.ColumnElement[bool]
_ACCOUNT = P("account_id")


class _Compiler:
    """Compiles one query for one account at one moment."""

    def __init__(self, account_id: int, now: datetime) -> None:
        self.account_id = account_id
        self.now = now

    def node(self, node: Node) -> Condition:
        match node:
            case And(parts):
                return sa.and_(sa.true(), *map(self.node, parts))
            case Or(parts):
                return sa.or_(sa.false(), *map(self.node, parts))
            case Not(part):
                return sa.not_(self.node(part))
            case Match(None, _):
                return self._text(node, None)
            case Match(name, _):
                compiler = _FIELDS.get(str(name).lower())
                if compiler is None:
                    known = ", ".join(_NAMES)
                    raise SyntaxProblem(node.position, f"There is no field {str(name)[:50]}; there are {known}.")
                return compiler(self, node)

    def _text(self, match: Match, column: Literal["subject", "body"] | None) -> Condition:
        if isinstance(match.value, Range):
            raise SyntaxProblem(match.position, "Texts can't be compared with a range.")
        return text_matches(match.value, column, self.account_id)

    def subject(self, match: Match) -> Condition:
        return conversation.c.subject != "" if match.value == ANY else self._text(match, "subject")

    def body(self, match: Match) -> Condition:
        return sa.true() if match.value == ANY else self._text(match, "body")

    def email(self, match: Match) -> Condition:
        if match.value == ANY:
            return conversation.c.customer_email != ""
        text, prefix = _word(match)
        address = text.strip().lower()
        entry = customer_entry.c
        exact = "@" in address and not prefix
        known = (
            entry.folded == address
            if exact
            else entry.folded.like(beginning(address) if prefix else containing(address), escape="\\")
        )
        copied = f'"{address}"' if exact else address
        of_customer = sa.select(entry.customer_id).where(
            entry.account_id == _ACCOUNT, entry.kind == sa.literal_column("'email'"), known
        )
        return sa.or_(
            conversation.c.customer_id.in_(of_customer),
            sa.func.lower(conversation.c.cc).like(containing(copied), escape="\\"),
            sa.func.lower(conversation.c.bcc).like(containing(copied), escape="\\"),
        )

    def tag(self, match: Match) -> Condition:
        carried = sa.select(conversation_tag.c.conversation_id).where(conversation_tag.c.account_id == _ACCOUNT)
        if match.value != ANY:
            text, prefix = _word(match)
            name = tag.c.folded
            found = name.like(beginning(fold(text)), escape="\\") if prefix else name == fold(text)
            carried = carried.join(tag, tag.c.id == conversation_tag.c.tag_id).where(found)
        return conversation.c.id.in_(carried)

    def inbox(self, match: Match) -> Condition:
        text, prefix = _word(match)
        found = _named(inbox.c.name, text, prefix)
        return conversation.c.inbox_id.in_(sa.select(inbox.c.id).where(inbox.c.account_id == _ACCOUNT, found))

    def assigned(self, match: Match) -> Condition:
        owner = conversation.c.assignee_id
        if match.value == ANY:
            return owner.is_not(None)
        text, prefix = _word(match)
        wanted = text.strip()
        if wanted.lower() == "unassigned":
            return owner.is_(None)
        first, last = staff.c.first_name, staff.c.last_name
        full = sa.func.trim(first.concat(sa.literal_column("' '", sa.Text)).concat(last))
        found = sa.or_(*(_named(name, wanted, prefix) for name in (first, last, full)))
        return owner.in_(sa.select(staff.c.id).where(staff.c.account_id == _ACCOUNT, found))

    def status(self, match: Match) -> Condition:
        text, _ = _word(match)
        if text == "open":
            return conversation.c.status.in_([sa.literal_column("'active'"), sa.literal_column("'pending'")])
        return sa.true() if match.value == ANY or text == "all" else conversation.c.status == text.lower()

    def attachments(self, match: Match) -> Condition:
        text, _ = _word(match)
        if text.lower() not in ("true", "false"):
            raise SyntaxProblem(match.position, "attachments takes true or false.")
        return conversation.c.attachments == sa.literal_column("1" if text.lower() == "true" else "0")

    def replied(self, match: Match) -> Condition:
        authors = sa.select(thread.c.conversation_id).where(
            thread.c.account_id == _ACCOUNT,
            thread.c.type == sa.literal_column("'message'"),
            thread.c.state == sa.literal_column("'published'"),
            thread.c.created_by_type != sa.literal_column("'customer'"),
        )
        if match.value != ANY:
            authors = authors.where(_numbers(match, thread.c.created_by_id))
        return conversation.c.id.in_(authors)

    def moment(self, match: Match, column: sa.ColumnElement[str]) -> Condition:
        if match.value == ANY:
            return sa.true()
        start, end = interval(match, self.now)
        bounds = [] if start is None else [column >= to_wire(start)]
        bounds += [] if end is None else [column < to_wire(end)]
        return sa.and_(sa.true(), *bounds)


def condition(text: str, account_id: int, now: datetime) -> Condition:
    """The condition of a query; raises BadRequest that names the position of what can't be understood."""
    try:
        return _Compiler(account_id, now).node(parse(text))
    except SyntaxProblem as problem:
        raise BadRequest(FieldError("query", str(problem), "query", text[:200], "QUERY")) from None


def _word(match: Match) -> tuple[str, bool]:
    """A value that must be a word or a quoted text, and whether only its beginning is given."""
    match match.value:
        case Word(text, prefix):
            return text, prefix
        case Phrase(text):
            return text, False
        case _:
            raise SyntaxProblem(match.position, f"{match.field} can't be compared with a range.")


def _named(name: sa.ColumnElement[str], text: str, prefix: bool) -> Condition:
    """Whether a name is the text, or begins so, whatever the case; SQLite lowers ASCII letters only."""
    lowered = sa.func.lower(name)
    if prefix:
        return sa.or_(name.like(beginning(text), escape="\\"), lowered.like(beginning(text.lower()), escape="\\"))
    return sa.or_(name == text, lowered == text.lower())


def _numbers(match: Match, column: sa.ColumnElement[int]) -> Condition:
    if match.value == ANY:
        return sa.true()
    if isinstance(match.value, Range):
        low, high = match.value.low, match.value.high
        bounds = []
        if low is not None:
            number = _number(low, match)
            bounds.append(column >= number if match.value.low_included else column > number)
        if high is not None:
            number = _number(high, match)
            bounds.append(column <= number if match.value.high_included else column < number)
        return sa.and_(sa.true(), *bounds)
    return column == _number(_word(match)[0], match)


def _number(text: str, match: Match) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise SyntaxProblem(match.position, f"{match.field} takes numbers.")
    return int(text)


_c = conversation.c
_FIELDS: dict[str, Callable[[_Compiler, Match], Condition]] = {
    "subject": _Compiler.subject,
    "body": _Compiler.body,
    "email": _Compiler.email,
    "tag": _Compiler.tag,
    "mailbox": _Compiler.inbox,
    "mailboxid": lambda _, match: _numbers(match, _c.inbox_id),
    "assigned": _Compiler.assigned,
    "status": _Compiler.status,
    "customerids": lambda _, match: _numbers(match, _c.customer_id),
    "number": lambda _, match: _numbers(match, _c.number),
    "id": lambda _, match: _numbers(match, _c.id),
    "attachments": _Compiler.attachments,
    "attachment": _Compiler.attachments,
    "createdat": lambda compiler, match: compiler.moment(match, _c.created_at),
    "modifiedat": lambda compiler, match: compiler.moment(match, _c.modified_at),
    "replyuserids": _Compiler.replied,
}
_NAMES = (
    "subject", "body", "email", "tag", "mailbox", "mailboxid", "assigned", "status", "customerIds", "number", "id",
    "attachments", "createdAt", "modifiedAt", "replyUserIds",
)  # fmt: skip
