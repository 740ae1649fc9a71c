"""What calls require of an agent's grants: the functions that most operations share, and the parts of the others.

Those of a single operation stand beside it. They look at nothing but the call and never raise, whatever it holds.
Whatever has an action of its own is needed by that action's name through every door that leads to it, so that an `off`
or a `hold` can't be walked around.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from deskhand.catalogue.operation import Action, Asked, Extent, Need, Of, Place, Resource
from deskhand.catalogue.values import LARGEST_ID
from deskhand.lib.text import fold

SENDS_MAIL = "reply_to_conversation"
"""Whatever can send mail to a customer takes the setting of this action."""


def need(asked: Asked, place: Place) -> Need:
    """What the operation says of itself, in a place."""
    operation = asked.operation
    return Need(_granted_with(operation.resource), operation.action, place, setting(operation.name))


def setting(operation: str) -> str:
    """The name under which grants set an operation apart: both versions of one go by the first."""
    return operation.removesuffix("_v3")


def _granted_with(resource: Resource) -> Resource:
    return Resource.THREADS if resource is Resource.ATTACHMENTS else resource


# -- Stock


def no_inbox(asked: Asked) -> tuple[Need, ...]:
    """The resource belongs to no inbox."""
    return (need(asked, Extent.NONE),)


def every_inbox(asked: Asked) -> tuple[Need, ...]:
    """The call spans all inboxes."""
    return (need(asked, Extent.EVERY),)


def by_inbox(asked: Asked) -> tuple[Need, ...]:
    """The path begins with an inbox."""
    return (need(asked, asked.path[0]),)


def by_conversation(asked: Asked) -> tuple[Need, ...]:
    """The path begins with a conversation."""
    return (need(asked, Of("conversation", asked.path[0])),)


def by_customer(asked: Asked) -> tuple[Need, ...]:
    """The path begins with a customer."""
    return (need(asked, Of("customer", asked.path[0])),)


def by_workflow(asked: Asked) -> tuple[Need, ...]:
    """The path begins with a workflow."""
    return (need(asked, Of("workflow", asked.path[0])),)


def by_webhook(asked: Asked) -> tuple[Need, ...]:
    """The path begins with a webhook; all inboxes it tells of must be granted."""
    return (need(asked, Of("webhook", asked.path[0], every=True)),)


# -- Parts


def places(inboxes: Iterable[int] | None, folders: Iterable[int] | None = None) -> tuple[Place, ...]:
    """Where a list looks: the inboxes and folders that its filters name, all of them; without any, everywhere."""
    lain_in = (Of("folder", id) for id in dict.fromkeys(folders or ()))
    named: tuple[Place, ...] = (*dict.fromkeys(inboxes or ()), *lain_in)
    return named or (Extent.EVERY,)


def threads_read(*where: Place) -> tuple[Need, ...]:
    """The answer shows threads, or tells what is in them."""
    return tuple(Need(Resource.THREADS, Action.READ, place, "list_threads") for place in where)


def inboxes_named(ids: Iterable[int]) -> tuple[Need, ...]:
    """Inboxes that a call names beside what it is about, so that a foreign one is refused like an unknown one."""
    return tuple(Need(Resource.INBOXES, Action.READ, id, "get_inbox") for id in dict.fromkeys(ids))


def thread_written(place: Place, operation: str) -> Need:
    """A thread is written as by another operation."""
    return Need(Resource.THREADS, Action.WRITE, place, operation)


def conversation_written(place: Place, operation: str) -> Need:
    """A conversation is changed as by another operation."""
    return Need(Resource.CONVERSATIONS, Action.WRITE, place, operation)


def customer_named(id: int | None, email: str | None, place: Place) -> Need:
    """A customer that a call names: one that the agent may see, or else a new one, who will be where the call is.

    An id comes before an address, as on the desk, and makes nobody new. What names nobody is taken for somebody new.
    """
    if id is not None:
        return Need(Resource.CUSTOMERS, Action.WRITE, Extent.EVERY, "create_customer", unless=Of("customer", id))
    known = Of("email", str(email)) if email else None
    return Need(Resource.CUSTOMERS, Action.WRITE, place, "create_customer", unless=known)


def distinct(needs: Iterable[Need]) -> tuple[Need, ...]:
    """Each need once, in order."""
    return tuple(dict.fromkeys(needs))


def given_id(value: Any) -> int | None:
    """The id that a value means where a body may hold anything; None unless it surely is one."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID else None


def letters(path: str) -> str:
    """A path of a JSON Patch by its letters alone, so that no spelling that some desk may take hides what it means."""
    return _NO_LETTERS.sub("", fold(path))


_NO_LETTERS = re.compile(r"[^a-z]")


# -- Search queries

_HARMLESS = frozenset(
    (
        "assigned", "createdat", "customerids", "email", "id", "mailbox", "mailboxid", "modifiedat", "number",
        "status", "subject", "tag",
    )
)  # fmt: skip
"""The fields of a query that tell nothing of threads; who replied and whether there are attachments does."""

# Narrower than the language: whatever two readers could take for different things counts as text.
# Possessive quantifiers (`++`) never go back, which keeps the reading linear.
_PHRASE = r'"(?: [ !#-\[\]-~] | [^\W_] )*+"'  # neither quotation marks of other kinds nor backslashes
_TIME = r"(?: [0-9]{4}-[0-9:TZ-]*+ | NOW[0-9A-Z+/-]*+ )"
_END = rf"(?: {_PHRASE} | {_TIME} | [0-9]++ | \* )"
_RANGE = rf"[\[{{] [ ]*+ {_END} [ ]++ TO [ ]++ {_END} [ ]*+ [\]}}]"
_QUERY = re.compile(
    rf"""
    (?P<space> [ ]++ ) | (?P<open> \( ) | (?P<close> \) ) | (?P<operator> (?: AND | OR | NOT ) (?= [ (] ) )
    | [+-]? (?P<field> [A-Za-z]++ ) :
    | (?P<value> (?: {_PHRASE} | {_TIME} | {_RANGE} | [A-Za-z0-9_.@*+-]++ ) (?= [ )] | \Z ) )
    """,
    re.VERBOSE,
)


def reads_texts(query: str) -> bool:
    """Whether a query may look into threads: unless it surely consists of fields that tell nothing of them.

    Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/list (its section "Query")
    """
    at, named, owned = 0, False, [False]  # whether a field was named just now; per open parenthesis, whether one was
    while at < len(query):
        found = _QUERY.match(query, at)
        if found is None:
            return True
        at, kind = found.end(), found.lastgroup
        if kind == "space":
            continue
        if named and kind not in ("open", "value"):
            return True
        match kind:
            case "open":
                owned.append(named or owned[-1])
            case "close":
                owned.pop()
            case "field" if owned[-1] or found["field"].lower() not in _HARMLESS:
                return True
            case "value" if not (named or owned[-1]):
                return True
        if not owned:
            return True
        named = kind == "field"
    return named
