"""Grants beside grants: what changes from one to the other, and what each version changed, in words."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from deskhand.db.engine import Reader
from deskhand.desk.users import queries as users
from deskhand.gateway import grant_words, grants
from deskhand.gateway.administering.agents import ShownAgent
from deskhand.gateway.administering.grants import ShownVersion
from deskhand.gateway.audit import By
from deskhand.gateway.policy import Grants
from deskhand.web import words
from deskhand.web.console.knowing import Called, Known, changed_words, local_moment, names_of
from deskhand.web.pages import Asked


class Change(msgspec.Struct, frozen=True):
    """A line of what changes: what, how it is and how it will be."""

    what: str
    before: str
    after: str


class Past(msgspec.Struct, frozen=True):
    """An earlier version: who decided so, and what it changed."""

    version: ShownVersion
    by: str
    changes: list[Change]


async def past(asked: Asked, agent: ShownAgent, about: Known) -> list[Past]:
    """The versions of an agent's grants, the latest first."""
    versions = await asked.web.administration.grants.history(asked.account_id, agent.id)
    people = {one.made_by.id for one in versions if one.made_by.type == "user" and one.made_by.id is not None}
    names = await asked.read(lambda db: _names(db, asked.account_id, people))
    called = names_of(agent, about)
    found = []
    if len(versions) == grants.SHOWN_MOST:  # of the last of them it is not known what it changed
        versions, oldest = versions[:-1], grants.read_grants(versions[-1].grants)
    else:
        oldest = Grants()
    before = [*(grants.read_grants(one.grants) for one in versions[1:]), oldest]
    for one, old in zip(versions, before, strict=False):
        changes = compared(old, grants.read_grants(one.grants), called)
        found.append(Past(one, _by(one.made_by, names), told(asked, changes)))
    return found


def compared(old: Grants, new: Grants, called: Called) -> list[Change]:
    """What changes from one to the other; `called` is how inboxes and people are called, see `names_of`."""
    return [Change(*one) for one in grant_words.changes(old, new, *called)]


def endless(held: Grants, called: Called) -> str:
    """What grants allow, as what follows "it"; when they end is said apart, in the visitor's time zone."""
    return grant_words.in_words(msgspec.structs.replace(held, expires_at=None), *called)


def told(asked: Asked, changes: list[Change]) -> list[Change]:
    """Changes with the names that people use, and times in the visitor's zone."""

    def moment(text: str) -> str:
        return local_moment(asked, text).replace("T", " ") if text != "never" else text

    return [
        Change(changed_words(one.what), moment(one.before), moment(one.after))
        if one.what == "end"
        else Change(changed_words(one.what), one.before, one.after)
        for one in changes
    ]


def _names(db: Reader, account_id: int, ids: set[int]) -> dict[int, str]:
    found = users.people(db, account_id, ids)
    return {id: words.full_name(one.first, one.last, one.email or "") for id, one in found.items()}


def _by(made_by: By, names: Mapping[int, str]) -> str:
    match made_by.type:
        case "user":
            return names.get(made_by.id or 0, "Somebody who has left")
        case "admin_token":
            return "An administrator’s token"
        case "command_line":
            return "The command line"
        case other:
            return other.capitalize()
