"""The audit log as sentences: the newest first, narrowed by what people look for, an entry with all its facts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.operation import Resource
from deskhand.catalogue.operations import OPERATIONS
from deskhand.catalogue.problems import BadRequest, NotFound
from deskhand.db.engine import Reader
from deskhand.desk.conversations import numbered
from deskhand.desk.conversations.numbered import Numbered
from deskhand.desk.inboxes import queries as inboxes
from deskhand.gateway import agents, audit_listing, chain
from deskhand.gateway.audit import By
from deskhand.gateway.audit_listing import Entry, Filters, read_filters
from deskhand.lib.clock import to_wire
from deskhand.web.console import acting
from deskhand.web.pages import Asked, Pages
from deskhand.web.words import counted

PAGES = Pages("administrator")
PATH = "/console/log"

NAMES = ("agent", "decision", "resource", "operation", "inbox", "conversation", "text", "type", "since", "until")
"""The fields that narrow the log, in the order in which addresses have them."""
MOMENTS = ("since", "until")
NEW_MOST = 50
"""Entries that are put on top of an open page at a time; of more it says that there are."""


class Choice(msgspec.Struct, frozen=True):
    """An option of a field."""

    value: str
    label: str


class Choices(msgspec.Struct, frozen=True):
    """What can be chosen: agents and inboxes by name, and what the catalogue knows."""

    agents: list[Choice]
    inboxes: list[Choice]
    resources: list[Choice]
    operations: list[str]


class Searched(msgspec.Struct, frozen=True):
    """What is looked for: as it was given, as filters, and what is wrong with it."""

    given: dict[str, str]
    filters: Filters
    cursor: str | None = None
    wrong: dict[str, str] = {}

    @property
    def query(self) -> str:
        return urlencode(self.given)

    def link(self, **more: str) -> str:
        """The address of what is looked for, with something else besides."""
        fields = {name: text for name, text in (self.given | more).items() if text}
        return f"{PATH}?{urlencode(fields)}" if fields else PATH

    def without(self, name: str) -> str:
        """The address without one of the fields."""
        return self.link(**{name: ""})


@PAGES.get(PATH)
async def index(asked: Asked) -> Response:
    """The log, narrowed; the newest first."""
    looked = await searched(asked)
    await asked.web.audit.settle()

    def read(db: Reader) -> tuple[Choices, audit_listing.Page, int]:
        newest = audit_listing.newest(db, asked.account_id)
        page = audit_listing.Page([], None)
        if not looked.wrong:
            page = audit_listing.entries(db, asked.account_id, looked.filters, looked.cursor)
            page = msgspec.structs.replace(page, entries=acting.people_named(db, asked.account_id, page.entries))
        return _choices(db, asked.account_id), page, newest

    choices, page, newest = await asked.read(read, "slow")
    older = looked.link(cursor=page.next) if page.next else ""
    return await asked.page(
        "oversight/log.html", 400 if looked.wrong else 200, searched=looked, choices=choices, entries=page.entries,
        older=older, newest=newest, live=looked.cursor is None and not looked.given.get("until"),
        narrowed=_narrowed(looked, choices),
    )  # fmt: skip


@PAGES.get(PATH + "/new")
async def new(asked: Asked) -> Response:
    """What has come since an open page was made: rows to be put on its top."""
    looked = await searched(asked)
    after = read_id(asked.query("after")) or 0
    if looked.wrong:
        raise BadRequest
    await asked.web.audit.settle()

    def read(db: Reader) -> tuple[list[Entry], int]:
        through = audit_listing.newest(db, asked.account_id)
        low = max(after + 1, through - audit_listing.SPAN)
        found = audit_listing.entries_between(db, asked.account_id, looked.filters, low, through, NEW_MOST + 1)
        return acting.people_named(db, asked.account_id, found), through

    found, through = await asked.read(read)
    entries = [] if len(found) > NEW_MOST else list(reversed(found))
    return asked.piece("oversight/log_new.html", entries=entries, newest=through, many=len(found) > NEW_MOST)


@PAGES.get(PATH + "/{number}")
async def show(asked: Asked) -> Response:
    """An entry with all its facts."""
    number = asked.id("number")
    await asked.web.audit.settle()

    def read(db: Reader) -> tuple[Entry, str, str, bool]:
        found = audit_listing.entry(db, asked.account_id, number)
        if found is None:
            raise NotFound
        [found] = acting.people_named(db, asked.account_id, [found])
        by = _by(found.actor)
        actor = acting.named(db, asked.account_id, [by]).get(by, "") if by else ""
        row = inboxes.by_id(db, asked.account_id, found.inbox_id) if found.inbox_id else None
        return found, actor, row.name if row else "", _is_remote(db, asked.account_id, found)

    entry, actor, inbox, remote = await asked.read(read)
    return await asked.page(
        "oversight/entry.html", entry=entry, actor=actor, inbox=inbox, remote=remote,
        begins=entry.previous_hash == chain.START, particulars=_pretty(entry.particulars),
        arguments=_pretty(entry.arguments), result=_result(entry),
    )  # fmt: skip


# -- What is looked for


async def searched(asked: Asked) -> Searched:
    """The fields of the form in the address; those that are wrong are named and left out."""
    given = {name: text for name in NAMES if (text := asked.query(name))}
    wire: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, text in list(given.items()):
        if name in MOMENTS:
            moment = _moment(asked, text)
            if moment is None:
                wrong[name] = "Must be a date and a time."
            else:
                wire[name] = moment
                given[name] = text if "T" in text else f"{text}T00:00"  # as the field takes it
        elif name == "conversation":
            wire[name] = await _conversation(asked, text)
        else:
            wire[name] = text
    try:
        filters, cursor, _ = read_filters(wire | {"cursor": asked.query("cursor")})
    except BadRequest as problem:
        wrong |= {error.path: f"{error.message[:1].upper()}{error.message[1:]}." for error in problem.errors}
        filters, cursor = Filters(), None
    return Searched(given, filters, cursor, wrong)


async def _conversation(asked: Asked, text: str) -> str:
    """The id of a conversation that is named by its number, as people know it, or by its id, as links have it."""
    given, account_id = text.removeprefix("#").strip(), asked.account_id
    id = read_id(given)
    if id is None:
        return given

    def read(db: Reader) -> Numbered | None:
        by_id, by_number = numbered.by_id, numbered.by_number
        first, then = (by_number, by_id) if text.startswith("#") else (by_id, by_number)
        return first(db, account_id, id) or then(db, account_id, id)

    found = await asked.read(read)
    return str(found.id) if found else given


def _moment(asked: Asked, text: str) -> str | None:
    """A moment as it is stored, from a field for date and time in the visitor's zone."""
    for form in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"):
        try:
            return to_wire(datetime.strptime(text, form).replace(tzinfo=asked.visitor.zone))
        except (ValueError, OverflowError):
            continue
    return None


def _choices(db: Reader, account_id: int) -> Choices:
    return Choices(
        [Choice(str(one.id), one.name) for one in agents.living(db, account_id)],
        [Choice(str(one.id), one.name) for one in inboxes.all_of(db, account_id)],
        [Choice(one.key, one.value[:1].upper() + one.value[1:]) for one in Resource],
        sorted({one.name for one in OPERATIONS}),
    )


class Narrowed(msgspec.Struct, frozen=True):
    """One thing that the log is narrowed by, in words, and the address without it."""

    words: str
    without: str


def _narrowed(looked: Searched, choices: Choices) -> list[Narrowed]:
    named = {
        "agent": {one.value: one.label for one in choices.agents},
        "inbox": {one.value: one.label for one in choices.inboxes},
        "resource": {one.value: one.label for one in choices.resources},
        "type": {"decision": "Calls of agents", "admin": "Changes by people"},
    }
    phrases = {
        "agent": "{}", "decision": "{}", "resource": "{}", "operation": "{}", "inbox": "in {}", "type": "{}",
        "conversation": "conversation {}", "text": "“{}”", "since": "from {}", "until": "before {}",
    }  # fmt: skip
    found = []
    for name, text in looked.given.items():
        if name not in looked.wrong:
            shown = text.replace("T", " ") if name in MOMENTS else named.get(name, {}).get(text, text)
            found.append(Narrowed(phrases[name].format(shown), looked.without(name)))
    return found


# -- An entry


def _by(actor: Any) -> By | None:
    try:
        return msgspec.convert(actor, By) if actor else None
    except msgspec.ValidationError:
        return None


def _is_remote(db: Reader, account_id: int, entry: Entry) -> bool:
    """Whether its ids are those of a remote desk."""
    row = agents.by_id(db, account_id, int(entry.agent["id"])) if entry.agent else None
    return row is not None and row.connection_id is not None


def _pretty(given: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(given)).decode() if given else ""


def _result(entry: Entry) -> str:
    """How a call ended, in words."""
    if entry.type != "decision":
        return ""
    if entry.status is None:
        return "It is under way, or its end is not known: the process or its machine may have died."
    took = "" if entry.milliseconds is None else f" after {counted(entry.milliseconds, 'millisecond')}"
    return f"Answered {entry.status}{took}"
