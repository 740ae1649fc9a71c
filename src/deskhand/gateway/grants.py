"""Grants as people write them and as they are stored: read strictly and kept in versions."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, get_args

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.needs import SENDS_MAIL, setting
from deskhand.catalogue.operation import Resource
from deskhand.catalogue.operations import BY_NAME
from deskhand.catalogue.problems import (
    BadRequest,
    FieldError,
    InvalidJson,
    NotFound,
    Problem,
    TooLarge,
    invalid,
    shown,
)
from deskhand.catalogue.values import LARGEST_ID
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, rows, value
from deskhand.gateway.audit import By
from deskhand.gateway.credentials import AGENTS_CHANGED
from deskhand.gateway.limits import Hours, Limits, clock_time, patch_path, time_zone
from deskhand.gateway.policy import LEVELS, OWN, WITHOUT_INBOXES, Granted, Grants, Rule, Setting
from deskhand.gateway.tables import agent, grant_version
from deskhand.lib.clock import from_wire, to_wire
from deskhand.lib.text import fold

BYTES_MOST = 256 * 1024
LISTED_MOST = 1_000
"""Inboxes, tags, users … that one list may name."""
NAME_MOST = 255
TEXT_MOST = 10_000_000
SHOWN_MOST = 200
_VERSION_MOST = 2**31 - 1  # what their column holds
"""Versions that a history shows."""

RESOURCES = {one.key: one for one in Resource if one is not Resource.ATTACHMENTS}
ACTIONS = frozenset(setting(name) for name in BY_NAME)
STATUSES = ("active", "pending", "closed", "spam", "inbox_predefined")
_FAULTS_MOST = 100
_NOTHING = {"level": "off"}
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_DOMAIN = re.compile(r"[^\s@,;]{1,253}")


# -- Reading


def read_grants(raw: Mapping[str, Any] | bytes, inboxes: Container[int] | None = None) -> Grants:
    """Grants as people write them; `inboxes` are those of the account, where they are known.

    Raises BadRequest naming the field at fault, InvalidJson or TooLarge. A `version`, as answers have it, is passed
    over.
    """
    grants = _read(_parsed(raw) if isinstance(raw, bytes) else raw, inboxes)
    if len(msgspec.json.encode(as_json(grants))) > BYTES_MOST:
        raise TooLarge
    return grants


def faults(given: Mapping[str, Any], inboxes: Container[int] | None = None) -> list[FieldError]:
    """Everything that keeps grants from being read, a fault for each field; raises TooLarge.

    What is wrong is taken out of a copy, which is then read on.
    """
    left = copy.deepcopy(dict(given))
    found: dict[str, FieldError] = {}
    for _ in range(_FAULTS_MOST):
        try:
            read_grants(left, inboxes)
            break
        except BadRequest as problem:
            error = problem.errors[0]
            found.setdefault(error.path.partition("[")[0], error)
            if not _taken_out(left, error.path.partition("[")[0].split(".")):
                break
    return list(found.values())


def _taken_out(given: dict[str, Any], names: list[str]) -> bool:
    """Take a member out, or what should have it; False where there is nothing to take."""
    *above, last = names
    within: Any = given
    for name in above:
        within = within.get(name) if isinstance(within, dict) else None
    if isinstance(within, dict) and last in within:
        if above == ["resources"] and last in RESOURCES and within[last] != _NOTHING:
            within[last] = dict(_NOTHING)  # it stays named, or each of its actions would seem to be wrong as well
        else:
            del within[last]
        return True
    return bool(above) and _taken_out(given, above)


def _read(raw: Any, inboxes: Container[int] | None) -> Grants:
    given = _object(raw, "")
    _only(given, "", ("resources", "actions", "limits", "expires_at", "version"))
    resources = {
        (resource := _resource(name)): _granted(one, f"resources.{name}", resource, inboxes)
        for name, one in _object(given.get("resources", {}), "resources").items()
    }
    actions = {name: _rule(name, one, resources) for name, one in _object(given.get("actions", {}), "actions").items()}
    limits = _limits(given["limits"], "limits") if given.get("limits") is not None else None
    expires_at = _wire_time(given["expires_at"], "expires_at") if given.get("expires_at") is not None else None
    return Grants(0, resources, actions, limits or Limits(), expires_at)


def _parsed(raw: bytes) -> Any:
    if len(raw) > BYTES_MOST:
        raise TooLarge
    try:
        msgspec.json.decode(raw)  # is strict about everything but names that come twice
        return json.loads(raw, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):
        raise InvalidJson from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless two of its members have one name: which of them counts would be anybody's guess."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _resource(name: str) -> Resource:
    if name not in RESOURCES:
        if name == Resource.ATTACHMENTS.key:
            raise invalid("resources.attachments", "attachments are granted with threads", "EnumValue")
        raise _unknown(f"resources.{name[:NAME_MOST]}", "resource", name, RESOURCES)
    return RESOURCES[name]


def _granted(raw: Any, path: str, resource: Resource, known: Container[int] | None) -> Granted:
    given = _object(raw, path)
    _only(given, path, ("level", "inboxes"))
    level = _one_of(given.get("level"), f"{path}.level", LEVELS)
    inboxes = given.get("inboxes", "all")
    if inboxes == "all":
        return Granted(LEVELS.index(level))
    path += ".inboxes"
    if resource in WITHOUT_INBOXES:
        raise invalid(path, f'{resource.value} belong to no inbox: only "all" makes sense', "EnumValue")
    if not isinstance(inboxes, list):
        raise invalid(path, 'must be "all" or a list of inbox ids', "EnumValue", shown(inboxes))
    if not inboxes:
        raise invalid(path, 'may not be empty: name inboxes, or say "all"', "NotEmpty")
    ids = _list(inboxes, path, _id)
    for position, id in enumerate(inboxes):
        if known is not None and id not in known:
            raise invalid(f"{path}[{position}]", "no such inbox", "ValidIdentifier", id)
    return Granted(LEVELS.index(level), ids)


def _rule(name: str, raw: Any, resources: Mapping[Resource, Granted]) -> Rule:
    path = f"actions.{name[:NAME_MOST]}"
    if name not in ACTIONS:
        if name in BY_NAME:
            raise invalid(path, f"both versions of it go by {setting(name)}", "EnumValue")
        raise _unknown(path, "action", name, ACTIONS)
    if isinstance(raw, dict):
        _only(raw, path, ("setting", "limits"))
        chosen: Setting = _one_of(raw.get("setting"), f"{path}.setting", get_args(Setting))
        limits = _limits(raw["limits"], f"{path}.limits") if raw.get("limits") is not None else None
    else:
        chosen, limits = _one_of(raw, path, get_args(Setting)), None
    if chosen == "draft" and name != SENDS_MAIL:
        raise invalid(path, f"only {SENDS_MAIL} can be set to draft", "EnumValue", chosen)
    if chosen != "off" and OWN[name] not in resources:
        key = OWN[name].key
        text = f"without {key} among the resources it has no inboxes; name them there, if only with the level off"
        raise invalid(path, text, "NotNull", chosen)
    return Rule(chosen, limits)


def _limits(raw: Any, path: str) -> Limits | None:
    """Limits; None when nothing is limited."""
    given = _object(raw, path)
    _only(given, path, _LIMITS)
    found = Limits(
        **{name: _LIMITS[name](one, f"{path}.{name}") for name, one in given.items() if one is not None}
    )  # fmt: skip
    return None if found == Limits() else found


def _statuses(raw: Any, path: str) -> frozenset[str]:
    def status(one: Any, path: str) -> str:
        return "active" if one == "open" else _one_of(one, path, STATUSES)

    return _list(raw, path, status)


def _ids(raw: Any, path: str) -> frozenset[int]:
    return _list(raw, path, _id)


def _tags(raw: Any, path: str) -> frozenset[str]:
    return _list(raw, path, lambda one, path: fold(_text(one, path).strip()))


def _domains(raw: Any, path: str) -> frozenset[str]:
    def domain(one: Any, path: str) -> str:
        name = _text(one, path).strip().removeprefix("@").lower()
        if not _DOMAIN.fullmatch(name):
            raise invalid(path, "must be a domain, as in example.com", "Pattern", shown(one))
        return name

    return _list(raw, path, domain)


def _most(raw: Any, path: str) -> int:
    return _integer(raw, path, 1, TEXT_MOST)


def _paths(raw: Any, path: str) -> frozenset[str]:
    def patched(one: Any, path: str) -> str:
        name = patch_path(_text(one, path).strip().rstrip("/"))
        if name == "/":
            raise invalid(path, "must be a path, as in /status", "Pattern", one)
        return name

    return _list(raw, path, patched)


def _flag(raw: Any, path: str) -> bool:
    if not isinstance(raw, bool):
        raise invalid(path, "must be true or false", "NotNull", shown(raw))
    return raw


def _hours(raw: Any, path: str) -> Hours:
    given = _object(raw, path)
    _only(given, path, ("from", "to", "zone", "days"))
    start, end = (_minute(given.get(name), f"{path}.{name}") for name in ("from", "to"))
    if start == end:
        raise invalid(f"{path}.to", "must differ from the beginning; for whole days leave hours out", "EnumValue")
    zone = _text(given.get("zone"), f"{path}.zone")
    if time_zone(zone) is None:
        raise invalid(f"{path}.zone", "no such time zone; they are named like Europe/Berlin", "EnumValue", zone)
    days = _list(given.get("days", [*range(1, 8)]), f"{path}.days", lambda one, path: _integer(one, path, 1, 7))
    return Hours(start, end, zone, days)


def _minute(raw: Any, path: str) -> int:
    if not isinstance(raw, str) or not _TIME.fullmatch(raw):
        raise invalid(path, "must be a time of day, as in 08:00", "Pattern", shown(raw))
    return int(raw[:2]) * 60 + int(raw[3:])


_LIMITS: Mapping[str, Callable[[Any, str], Any]] = {
    "statuses": _statuses,
    "assign_to": _ids,
    "tags": _tags,
    "recipient_domains": _domains,
    "max_text": _most,
    "patch_paths": _paths,
    "speak_for_others": _flag,
    "hours": _hours,
}


def _object(raw: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict) or not all(isinstance(name, str) for name in raw):
        raise invalid(path, "must be an object", "NotNull", shown(raw))
    return raw


def _only(given: Mapping[str, Any], path: str, known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise _unknown(f"{path}.{name[:NAME_MOST]}".removeprefix("."), "field", name, known)


def _one_of(raw: Any, path: str, known: Collection[Any]) -> Any:
    if raw is None:
        raise invalid(path, f"may not be empty: {', '.join(known)}", "NotNull")
    if not isinstance(raw, str) or raw not in known:
        raise invalid(path, f"Expected one of these: {', '.join(known)}{_near(raw, known)}", "EnumValue", shown(raw))
    return raw


def _list(raw: Any, path: str, read: Callable[[Any, str], Any]) -> frozenset[Any]:
    if not isinstance(raw, list) or not raw:
        raise invalid(path, "must be a list that names something", "NotEmpty", shown(raw))
    if len(raw) > LISTED_MOST:
        raise invalid(path, f"must have at most {LISTED_MOST} elements", "Size")
    return frozenset(read(one, f"{path}[{position}]") for position, one in enumerate(raw))


def _id(raw: Any, path: str) -> int:
    return _integer(raw, path, 1, LARGEST_ID)


def _integer(raw: Any, path: str, least: int, most: int) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not least <= raw <= most:
        raise invalid(path, f"must be a whole number from {least} to {most}", "ValidIdentifier", shown(raw))
    return raw


def _text(raw: Any, path: str) -> str:
    if not isinstance(raw, str) or not raw.strip() or len(raw) > NAME_MOST or "\0" in raw:
        raise invalid(path, f"must be a text of 1 to {NAME_MOST} characters", "Size", shown(raw))
    return raw


def _wire_time(raw: Any, path: str) -> str:
    try:
        return to_wire(from_wire(_text(raw, path)))
    except ValueError as problem:
        raise invalid(path, str(problem), "Pattern", shown(raw)) from None


def _unknown(path: str, what: str, name: str, known: Iterable[str]) -> Problem:
    return invalid(path, f"no such {what}{_near(name, known)}", "EnumValue", name)


def _near(name: Any, known: Iterable[str]) -> str:
    near = get_close_matches(name[:NAME_MOST], known, 1) if isinstance(name, str) else []
    return f"; did you mean {near[0]}?" if near else ""


# -- Writing


def as_json(grants: Grants) -> dict[str, Any]:
    """Grants in the one form in which they are stored and answered: what was left out is said, in a fixed order."""
    return {
        "resources": {
            one.key: {"level": LEVELS[held.level], "inboxes": "all" if held.inboxes is None else sorted(held.inboxes)}
            for one in Resource
            if (held := grants.resources.get(one)) is not None
        },
        "actions": {
            name: rule.setting if rule.limits is None else {"setting": rule.setting, "limits": _as_json(rule.limits)}
            for name, rule in sorted(grants.actions.items())
        },
        "limits": _as_json(grants.limits),
        "expires_at": grants.expires_at,
    }


def _as_json(limits: Limits) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in Limits.__struct_fields__:
        held = getattr(limits, name)
        if isinstance(held, Hours):
            times = {"from": clock_time(held.start), "to": clock_time(held.end)}
            held = {**times, "zone": held.zone, "days": sorted(held.days)}
        elif isinstance(held, frozenset):
            held = sorted(held)
        if held is not None:
            found[name] = held
    return found


# -- Versions


class Version(msgspec.Struct, frozen=True):
    """A version of an agent's grants."""

    version: int
    grants: Grants
    made_by: By
    made_at: str


class _Row(msgspec.Struct, frozen=True):
    version: int
    grants: str
    made_by: str
    made_at: str


class _NewVersion(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    agent_id: int
    version: int
    grants: str
    made_by: str
    made_at: str


_OF_AGENT = (grant_version.c.account_id == P("account_id"), grant_version.c.agent_id == P("agent_id"))
_ROW = sa.select(*columns(grant_version, *_Row.__struct_fields__)).where(*_OF_AGENT)
_CURRENT = rows(
    _Row,
    _ROW.join(
        agent,
        sa.and_(
            agent.c.account_id == grant_version.c.account_id,
            agent.c.id == grant_version.c.agent_id,
            agent.c.grant_version == grant_version.c.version,
        ),
    ),
)
_AT = rows(_Row, _ROW.where(grant_version.c.version == P("version")))
_HISTORY = rows(_Row, _ROW.order_by(grant_version.c.version.desc()).limit(P("most", sa.Integer)))
_ADD = Insert(grant_version, _NewVersion)
# Whoever adds a version holds the agent until it is there, so that versions follow one another.
_NEXT = value(
    int,
    sa.update(agent)
    .where(
        agent.c.account_id == P("account_id"),
        agent.c.id == P("agent_id"),
        agent.c.state != sa.literal_column("'deleted'"),
    )
    .values(grant_version=agent.c.grant_version + sa.literal_column("1"))
    .returning(agent.c.grant_version),
)


def current(db: Reader, account_id: int, agent_id: int) -> Grants:
    """What an agent holds now; nothing, unless somebody granted something."""
    found = db.one(_CURRENT, account_id=account_id, agent_id=agent_id)
    return Grants() if found is None else _version(found).grants


def at_version(db: Reader, account_id: int, agent_id: int, version: int) -> Version | None:
    """A version of what an agent held."""
    if not 0 < version <= _VERSION_MOST:
        return None
    found = db.one(_AT, account_id=account_id, agent_id=agent_id, version=version)
    return None if found is None else _version(found)


def history(db: Reader, account_id: int, agent_id: int, most: int = SHOWN_MOST) -> list[Version]:
    """The versions of what an agent held, the latest first."""
    return [_version(row) for row in db.all(_HISTORY, account_id=account_id, agent_id=agent_id, most=most)]


def put(tx: Writer, account_id: int, agent_id: int, given: Grants, made_by: By, now: datetime) -> int:
    """Let an agent hold this and nothing else; gives the new version. Raises NotFound without such an agent."""
    version = tx.one(_NEXT, account_id=account_id, agent_id=agent_id)
    if version is None:
        raise NotFound
    new = _NewVersion(
        account_id=account_id,
        agent_id=agent_id,
        version=version,
        grants=msgspec.json.encode(as_json(given)).decode(),
        made_by=msgspec.json.encode(made_by).decode(),
        made_at=to_wire(now),
    )
    tx.add_many(_ADD, [new])
    tx.changed(AGENTS_CHANGED)
    return version


def revert(tx: Writer, account_id: int, agent_id: int, version: int, made_by: By, now: datetime) -> int:
    """Let an agent hold again what it held in an old version; gives the new one. Raises NotFound."""
    old = at_version(tx, account_id, agent_id, version)
    if old is None:
        raise NotFound
    return put(tx, account_id, agent_id, old.grants, made_by, now)


def _version(row: _Row) -> Version:
    grants = msgspec.structs.replace(_stored(row.grants), version=row.version)
    return Version(row.version, grants, msgspec.json.decode(row.made_by, type=By), row.made_at)


@lru_cache(maxsize=1024)
def _stored(text: str) -> Grants:
    """Stored grants; what can't be understood any more grants nothing."""
    try:
        return _read(json.loads(text), None)
    except (Problem, ValueError):
        return Grants()
