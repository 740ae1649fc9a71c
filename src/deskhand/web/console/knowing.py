"""What the console's pages about agents need to know of the desk around them, and of who looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from deskhand.catalogue.operation import Resource
from deskhand.catalogue.operations import BY_NAME
from deskhand.catalogue.problems import Problem, invalid
from deskhand.db.engine import Reader
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.users import queries as users
from deskhand.gateway import grant_words, grants
from deskhand.gateway.administering.agents import ShownAgent
from deskhand.gateway.administering.who import Who
from deskhand.gateway.audit import By
from deskhand.gateway.policy import WITHOUT_INBOXES, Grants
from deskhand.gateway.sentences import phrase
from deskhand.gateway.stops import Stop
from deskhand.lib.clock import from_wire, to_wire
from deskhand.web import words
from deskhand.web.pages import Asked

RESOURCES = [one for one in Resource if one is not Resource.ATTACHMENTS]
"""What agents are granted, in the order in which it is shown. Attachments go with threads."""
ABOUT = {
    Resource.CONVERSATIONS: "Status, owner, tags, snooze",
    Resource.THREADS: "Messages, notes, replies, attachments",
    Resource.CUSTOMERS: "Names, addresses, properties",
    Resource.INBOXES: "Names, folders, fields, routing",
    Resource.USERS: "The people of the team",
    Resource.TEAMS: "Teams and who is in them",
    Resource.TAGS: "The list of tags",
    Resource.ORGANIZATIONS: "Companies and their customers",
    Resource.SAVED_REPLIES: "Texts kept ready",
    Resource.WORKFLOWS: "Rules, and running them",
    Resource.RATINGS: "What customers thought of replies",
    Resource.REPORTS: "Numbers about the work",
    Resource.WEBHOOKS: "Sending events elsewhere",
}
PRESETS = {
    "reader": "Reads everything, changes nothing.",
    "drafter": "Reads everything, writes notes and draft replies; its tags wait for a person.",
    "triage": "Reads everything, writes notes, sets status, owner and tags; doesn’t reply.",
    "closer": "As triage, and sends replies by itself.",
    "analyst": "Reads reports and tags, no text of customers.",
}


class Known(msgspec.Struct, frozen=True):
    """What there is on the desk here: the inboxes by name, and the people agents could assign to."""

    inboxes: Mapping[int, str]
    people: Mapping[int, str]


Called = tuple[Mapping[int, str] | None, Mapping[int, str] | None]
"""The inboxes and the people of a desk by name, or None twice."""


def who(asked: Asked) -> Who:
    """The visitor as the log names them."""
    return Who(asked.account_id, By("user", asked.visitor.id), asked.visitor.name)


def known(db: Reader, account_id: int) -> Known:
    """Inboxes and people of an account."""
    people = {
        one.id: words.full_name(one.first_name, one.last_name, one.email or "")
        for one in [*users.find(db, account_id, None, None, 1)[0], *users.find_teams(db, account_id, 1)[0]]
    }
    return Known({one.id: one.name for one in inboxes.all_of(db, account_id)}, people)


async def agent_of(asked: Asked) -> tuple[ShownAgent, Known]:
    """The agent that the path names, and what there is on the desk; raises NotFound."""
    agent = await asked.web.administration.agents.one(asked.account_id, asked.id())
    return agent, await asked.read(lambda db: known(db, asked.account_id))


async def around(asked: Asked, agent: ShownAgent, about: Known) -> dict[str, Any]:
    """What the head of an agent's pages shows."""
    stops = await asked.web.administration.stops.listed(asked.account_id)
    end = agent.grants["expires_at"]
    return {
        "agent": agent, "may": in_words(agent, about), "stopped": stopped(agent, stops, about), "end_at": end,
        "has_ended": end is not None and end <= asked.now,
    }  # fmt: skip


def inbox_names(agent: ShownAgent, about: Known) -> Mapping[int, str] | None:
    """The inboxes of the desk that an agent acts on; None where only that desk knows them."""
    return about.inboxes if agent.connection_id is None else None


def names_of(agent: ShownAgent, about: Known) -> Called:
    """The inboxes and the people that an agent's grants speak of, by name; None where only another desk knows them."""
    return inbox_names(agent, about), about.people if agent.connection_id is None else None


def held(agent: ShownAgent) -> Grants:
    """What an agent may do, ready to compare and decide with."""
    return grants.read_grants(agent.grants)


def in_words(agent: ShownAgent, about: Known) -> str:
    """What an agent may do, as a sentence that begins with it: "Reads everything in Orders". Its end is said apart."""
    endless = msgspec.structs.replace(held(agent), expires_at=None)
    said = grant_words.in_words(endless, *names_of(agent, about))
    return f"{said[:1].upper()}{said[1:]}."


def action_words(name: str) -> str:
    """An operation as people say it: `reply to a conversation`."""
    found = BY_NAME.get(name)
    return phrase(found) if found is not None else name


def changed_words(what: str) -> str:
    """The name of what changed in grants, see `grant_words.changes`."""
    return {"limits": "Limits for all it does", "end": "End"}.get(what) or _first_upper(action_words(what))


_LIMITS = {
    "statuses": "statuses", "assign_to": "who it may assign to", "tags": "tags", "recipient_domains": "domains",
    "max_text": "longest text", "patch_paths": "fields it may change", "speak_for_others": "in the name of others",
    "hours": "hours",
}  # fmt: skip


def place_words(path: str) -> str:
    """A field of grants as people find it on the page: `Threads, inboxes`, `Limits for all it does, hours`."""
    match path.split("."):
        case ["resources", key, *rest]:
            return ", ".join([_first_upper(key.replace("_", " ")), *rest])
        case ["actions", name, "limits", limit, *_]:
            return f"{_first_upper(action_words(name))}, {_LIMITS.get(limit, limit)}"
        case ["actions", name, *_]:
            return _first_upper(action_words(name))
        case ["limits", limit, *_]:
            return f"{changed_words('limits')}, {_LIMITS.get(limit, limit)}"
        case ["expires_at"]:
            return "End"
    return path


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def stopped(agent: ShownAgent, stops: list[Stop], about: Known) -> str:
    """What the kill switch keeps an agent from, in a word or two; empty for nothing."""
    scopes = {one.scope for one in stops if one.scope != "agent" or one.target_id == agent.id}
    if scopes & {"all", "agent"}:
        return "Stopped"
    if "writes" in scopes:
        return "Writes stopped"
    held_up = [one.target_id for one in stops if one.scope == "inbox_writes" and one.target_id is not None]
    if held_up and agent.connection_id is None:
        return f"Writes stopped in {words.joined([about.inboxes.get(id) or f'inbox {id}' for id in held_up])}"
    return ""


def belongs_to_inboxes(resource: Resource) -> bool:
    """Whether a resource can be granted in some inboxes alone."""
    return resource not in WITHOUT_INBOXES


# -- Moments in forms


def local_moment(asked: Asked, at: str | None) -> str:
    """A stored moment as a field for date and time has it, in the visitor's zone."""
    return asked.visitor.local(from_wire(at)).strftime("%Y-%m-%dT%H:%M") if at else ""


def stored_moment(asked: Asked, name: str, was: str | None = None) -> str | None:
    """What such a field was set to, as it is stored; None where it is empty. `was` stays if nobody touched it."""
    given = asked.form.text(name)
    if not given:
        return None
    if was and given == local_moment(asked, was):
        return was
    try:
        moment = datetime.strptime(given[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=asked.visitor.zone)
    except ValueError:
        raise invalid(name, "must be a date and a time", "Pattern", given[:100]) from None
    return to_wire(moment)


def wrongs(problem: Problem) -> dict[str, str]:
    """What is wrong, by the field of the form; the position in a list does not matter there."""
    return {one.path.partition("[")[0]: f"{one.message[:1].upper()}{one.message[1:]}." for one in problem.errors}
