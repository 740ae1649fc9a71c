"""Who did things to agents and their calls, by name, and whom the sentences of the log speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from deskhand.db.engine import Reader
from deskhand.desk.users import queries as users
from deskhand.gateway import agents
from deskhand.gateway.audit import By
from deskhand.gateway.audit_listing import Entry
from deskhand.web.words import full_name

_OTHERS = {
    "admin_token": "a program with an administrator’s token",
    "agent": "an agent",
    "command_line": "somebody at the command line",
    "user": "somebody who has left",
}


_USER = re.compile(r"\buser ([1-9]\d{0,17})\b")


def named(db: Reader, account_id: int, wanted: Iterable[By | None]) -> dict[By, str]:
    """Who did things, by name."""
    given = {one for one in wanted if one is not None}
    people = users.people(db, account_id, [one.id for one in given if one.type == "user" and one.id is not None])

    def name(by: By) -> str:
        found = people.get(by.id or 0) if by.type == "user" else None
        return _OTHERS[by.type] if found is None else full_name(found.first, found.last, found.email or "")

    return {one: name(one) for one in given}


def people_named(db: Reader, account_id: int, entries: Sequence[Entry]) -> list[Entry]:
    """Entries of the log with people's present names in the sentences about grants, which are written with their ids.

    An agent that acts on a remote desk has that desk's ids, which say nothing here.
    """
    speaks = [one for one in entries if one.type == "admin" and one.agent and _USER.search(_of_grants(one)[1])]
    if not speaks:
        return list(entries)
    local = {one.id for one in agents.living(db, account_id) if one.connection_id is None}
    wanted = {int(id) for one in speaks for id in _USER.findall(_of_grants(one)[1])}
    people = users.people(db, account_id, wanted)
    names = {id: full_name(one.first, one.last, one.email or "") for id, one in people.items()}
    speaking = {one.id for one in speaks if one.agent and int(one.agent["id"]) in local}

    def said(entry: Entry) -> Entry:
        if entry.id not in speaking:
            return entry
        begin, grants = _of_grants(entry)
        called = _USER.sub(lambda found: names.get(int(found[1])) or found[0], grants)
        return msgspec.structs.replace(entry, sentence=begin + called)

    return [said(one) for one in entries]


def _of_grants(entry: Entry) -> tuple[str, str]:
    """A sentence as what stands before grants in words, an agent's name say, and those."""
    about = f"agent {entry.agent['name']}" if entry.agent else ""
    for before in (f"{about}: it ", f"{about}, which "):
        begin, found, rest = entry.sentence.partition(before)
        if about and found:
            return begin + found, rest
    return entry.sentence, ""
