"""Changing a customer by JSON Patch: the steps are tried on a draft, which is written when all of them went well.

Source: https://developer.helpscout.com/mailbox-api/endpoints/customers/update
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, get_args

import msgspec

from deskhand.catalogue.customers import (
    ENTRIES_MOST,
    ENTRY_MOST,
    LINE_MOST,
    NAME_MOST,
    TEXT_MOST,
    ChatType,
    CustomerChange,
    EmailType,
    PhoneType,
    SocialType,
)
from deskhand.catalogue.problems import AlreadyThere, BadRequest, empty, invalid
from deskhand.catalogue.properties import PropertyChange
from deskhand.catalogue.values import Email, decode_hook
from deskhand.db.engine import Writer
from deskhand.desk.call import Actor
from deskhand.desk.customers import entries, properties, queries, verbs
from deskhand.desk.customers import given as give
from deskhand.desk.customers.following import Addresses
from deskhand.desk.customers.given import Profile
from deskhand.desk.customers.queries import CustomerRow, EntryRow, folded_email

STEPS_MOST = 500
LINES_MOST = 10

_TYPES: dict[str, tuple[str, ...]] = {
    "email": get_args(EmailType),
    "phone": get_args(PhoneType),
    "chat": get_args(ChatType),
    "social_profile": get_args(SocialType),
    "website": (),
}
_KINDS = give.COLLECTIONS | {"socialProfiles": "social_profile"}


@dataclass(slots=True)
class _Entry:
    """An entry of the draft; one without an id is new."""

    id: int | None
    kind: str
    type: str | None
    value: str
    changed: bool = False


@dataclass(slots=True)
class _Draft:
    fields: dict[str, Any]
    address: dict[str, Any]
    entries: list[_Entry]


def change(tx: Writer, actor: Actor, customer_id: int, steps: list[CustomerChange], now: str) -> None:
    """Carry out all steps or none; raises NotFound, Locked, AlreadyThere, or BadRequest naming the step or field."""
    before = verbs.to_change(tx, actor, customer_id)
    _require_few(steps)
    known = queries.entries(tx, actor.account_id, [customer_id])[customer_id]
    draft = _Draft(
        msgspec.structs.asdict(verbs.profile_of(before)),
        msgspec.json.decode(before.address or "{}"),
        [_Entry(row.id, row.kind, row.type, row.value) for row in known],
    )
    for position, step in enumerate(steps):
        _take(draft, step, f"[{position}]")
    _write(tx, actor, before, known, draft, now)


def change_properties(tx: Writer, actor: Actor, customer_id: int, steps: list[PropertyChange], now: str) -> None:
    """Set or remove values of properties, all or none; raises NotFound, Locked, or BadRequest naming the step."""
    before = verbs.to_change(tx, actor, customer_id)
    _require_few(steps)
    defined = properties.all_defined(tx, actor.account_id)
    wanted = dict(
        properties.checked(
            defined, step.path.removeprefix("/"), step.value if step.op == "replace" else None,
            f"[{position}].value", f"[{position}].path",
        )
        for position, step in enumerate(steps)
    )  # fmt: skip
    slugs = {one.id: one.slug for one in defined}
    values = {row.slug: row.value for row in properties.values(tx, actor.account_id, [customer_id])[customer_id]}
    if any(values.get(slugs[id]) != value for id, value in wanted.items()):
        properties.put(tx, actor.account_id, customer_id, wanted)
        verbs.save(tx, actor, before, verbs.profile_of(before), now)


def _require_few(steps: Sequence[Any]) -> None:
    if len(steps) > STEPS_MOST:
        raise invalid("", f"must have at most {STEPS_MOST} steps", "Size")


# -- The steps, on the draft


def _take(draft: _Draft, step: CustomerChange, at: str) -> None:
    match step.path.split("/"):
        case ["", name] if name in _FIELDS:
            column, read = _FIELDS[name]
            if step.op == "add":
                _impossible(step, at)
            draft.fields[column] = None if step.op == "remove" else read(step.value, name)
        case ["", "address", name] if name in _ADDRESS:
            draft.address[name] = None if step.op == "remove" else _ADDRESS[name](step.value, f"address.{name}")
        case ["", collection] if collection in _KINDS:
            _take_collection(draft, step, at, collection)
        case ["", collection, id] if collection in _KINDS and step.op == "remove":
            draft.entries.remove(_find(draft, step, at, _KINDS[collection], id))
        case ["", collection, id, "value"] if collection in _KINDS and step.op == "replace":
            entry = _find(draft, step, at, _KINDS[collection], id)
            entry.value, entry.changed = _value(entry.kind, step.value, f"{collection}.value"), True
        case ["", collection, id, "type"] if _TYPES.get(_KINDS.get(collection, "")) and step.op == "replace":
            entry = _find(draft, step, at, _KINDS[collection], id)
            entry.type, entry.changed = _type(entry.kind, step.value, f"{collection}.type"), True
        case _:
            _impossible(step, at)


def _take_collection(draft: _Draft, step: CustomerChange, at: str, collection: str) -> None:
    """Add an entry; or, as clients do though no page tells it, put a list in place of all entries of the kind."""
    kind = _KINDS[collection]
    if step.op == "add":
        draft.entries.append(_entry(kind, step.value, collection))
    elif step.op == "replace" and isinstance(step.value, list):
        draft.entries = [entry for entry in draft.entries if entry.kind != kind]
        draft.entries += [_entry(kind, value, f"{collection}[{n}]") for n, value in enumerate(step.value)]
    else:
        _impossible(step, at)
    if sum(entry.kind == kind for entry in draft.entries) > ENTRIES_MOST:
        raise invalid(collection, f"must have at most {ENTRIES_MOST} elements", "Size")


def _find(draft: _Draft, step: CustomerChange, at: str, kind: str, id: str) -> _Entry:
    for entry in draft.entries:
        if entry.kind == kind and entry.id is not None and str(entry.id) == id:
            return entry
    raise invalid(f"{at}.path", "no such entry", "ValidIdentifier", step.path[:TEXT_MOST])


def _impossible(step: CustomerChange, at: str) -> NoReturn:
    raise invalid(f"{at}.path", f"{step.op} is not possible here", "EnumValue", step.path[:TEXT_MOST])


# -- Values


def _text(given: Any, path: str, most: int) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str):
        raise invalid(path, "must be a string", "Size")
    if len(given) > most:
        raise invalid(path, f"must have at most {most} elements or characters", "Size", given[:TEXT_MOST])
    return given


def _name(given: Any, path: str) -> str | None:
    if given == "":
        raise BadRequest(empty(path))
    return _text(given, path, NAME_MOST)


def _gender(given: Any, path: str) -> str | None:
    return give.gender(_text(given, path, LINE_MOST), path)


def _photo_type(given: Any, path: str) -> str | None:
    return give.photo_type(_text(given, path, LINE_MOST), path)


def _organization_id(given: Any, path: str) -> int | None:
    if given is not None and (not isinstance(given, int) or isinstance(given, bool) or not 0 < given < 2**63):
        raise invalid(path, "must be an id", "ValidIdentifier")
    return given


def _country(given: Any, path: str) -> str | None:
    return give.country(_text(given, path, TEXT_MOST), path)


def _lines(given: Any, path: str) -> list[str]:
    if given is not None and not isinstance(given, list):
        raise invalid(path, "must be a list", "Size")
    lines = [_text(line, f"{path}[{position}]", TEXT_MOST) for position, line in enumerate(given or [])]
    if len(lines) > LINES_MOST:
        raise invalid(path, f"must have at most {LINES_MOST} elements or characters", "Size")
    return [line for line in lines if line]


_line = partial(_text, most=LINE_MOST)
_long = partial(_text, most=TEXT_MOST)

_FIELDS: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    "firstName": ("first_name", _name),
    "lastName": ("last_name", _name),
    "gender": ("gender", _gender),
    "age": ("age", _line),
    "jobTitle": ("job_title", _line),
    "photoUrl": ("photo_url", _long),
    "photoType": ("photo_type", _photo_type),
    "background": ("background", _long),
    "location": ("location", _line),
    "organization": ("organization", _line),
    "organizationId": ("organization_id", _organization_id),
}
_ADDRESS: dict[str, Callable[[Any, str], Any]] = {
    "city": _long,
    "state": _long,
    "postalCode": _long,
    "country": _country,
    "lines": _lines,
}


def _entry(kind: str, given: Any, path: str) -> _Entry:
    if not isinstance(given, dict):
        raise invalid(path, "must be an object", "NotNull")
    value = _value(kind, given.get("value"), f"{path}.value")
    type = given.get("type")
    known = give.entry(kind, None if type is None or kind == "website" else _type(kind, type, f"{path}.type"), value)
    return _Entry(None, kind, known.type, value)


def _value(kind: str, given: Any, path: str) -> str:
    text = _text(given, path, ENTRY_MOST)
    if not text:
        raise BadRequest(empty(path))
    if kind != "email":
        return text
    try:
        return str(decode_hook(Email, text))
    except ValueError as problem:
        raise invalid(path, str(problem), "Email", text[:TEXT_MOST]) from None


def _type(kind: str, given: Any, path: str) -> str:
    if given not in _TYPES[kind]:
        listed = ", ".join(f"'{choice}'" for choice in _TYPES[kind])
        rejected = given[:TEXT_MOST] if isinstance(given, str) else msgspec.UNSET
        raise invalid(path, f"Expected one of these: {listed}", "EnumValue", rejected)
    return str(given)


# -- Writing the draft


def _write(tx: Writer, actor: Actor, before: CustomerRow, known: list[EntryRow], draft: _Draft, now: str) -> None:
    after = Profile(**(draft.fields | {"address": give.stored_address(draft.address)}))
    kept = {entry.id for entry in draft.entries}
    removed = [entry.id for entry in known if entry.id not in kept]
    changed = [entry for entry in draft.entries if entry.changed]
    added = [entry for entry in draft.entries if entry.id is None]
    if not (removed or changed or added) and after == verbs.profile_of(before):
        return
    emails = [entry.value for entry in draft.entries if entry.kind == "email"]
    _require_unused(tx, actor.account_id, before.id, draft, emails)
    if removed:
        entries.remove(tx, actor.account_id, before.id, removed)
    entries.change(tx, actor.account_id, before.id, [entry for entry in changed if entry.id is not None])
    new = (give.GivenEntry(entry.kind, entry.type, entry.value) for entry in added)
    entries.add_many(tx, actor.account_id, before.id, new)
    verbs.save(tx, actor, before, after, now, _addresses(known, emails, changed))


def _addresses(known: list[EntryRow], emails: list[str], changed: list[_Entry]) -> Addresses | None:
    before = {entry.id: entry.value for entry in known if entry.kind == "email"}
    if list(before.values()) == emails:
        return None
    replaced = {folded_email(before[entry.id]): entry.value for entry in changed if entry.id in before}
    return Addresses(list(before.values()), emails, replaced)


def _require_unused(tx: Writer, account_id: int, customer_id: int, draft: _Draft, emails: list[str]) -> None:
    folded = [folded_email(email) for email in emails]
    if len(set(folded)) < len(folded):
        raise AlreadyThere(verbs.in_use(next(email for email in emails if folded.count(folded_email(email)) > 1)))
    if any(entry.kind == "email" and (entry.changed or entry.id is None) for entry in draft.entries):
        verbs.require_unused(tx, account_id, emails, customer_id)
