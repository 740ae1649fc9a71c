"""Answers of the desk made short for models: what is empty, usual, repeated or for programs only is left out, ids stay.

Objects in which customers' own words may stand are marked as untrusted, so that nobody takes those for instructions.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from deskhand.catalogue.operation import Resource
from deskhand.lib.html_text import readable

UNTRUSTED = "untrusted"
_OF_CUSTOMERS = frozenset((Resource.CUSTOMERS, Resource.RATINGS, Resource.ATTACHMENTS))
"""Resources that consist of what customers said; of conversations and threads each object tells by itself."""
_THEIRS = ("original", "customers", "results")
"""Where they speak in answers about something else: original mails, an organization's customers, two reports."""
_BY_CUSTOMERS = ("customer", "chat", "beaconchat", "phone", "forwardparent", "forwardchild")
"""Kinds of thread in which customers speak, whoever wrote them down."""
_PERSON = frozenset(("id", "type", "first", "last", "email", "photoUrl"))
_LEFT_OUT = frozenset(("_links", "_embedded", "photoUrl", "photoType", "color", "friendly"))
_ENVELOPE = frozenset(("_links", "_embedded", "page"))
_ZERO_IS_NOBODY = frozenset(("closedBy", "savedReplyId"))
_USUAL = {"state": "published", "status": "nochange", "action": {"type": "default"}}
_NUMBERS = (int, bool, float)  # a number or a boolean is never empty

_Known = dict[str, Any]
"""The persons that were told of: their kinds by their ids, which a customer and a user may share."""


def compact(content: Any, resource: Resource | None = None) -> dict[str, Any]:
    """A body of the desk made short; always an object, so that a bare list goes under `items`."""
    known: _Known = {}
    if not isinstance(content, dict):
        return {"items": _list(content, known) if isinstance(content, list) else content}
    if resource is Resource.REPORTS:
        short = {name: value for name, value in content.items() if name != "_links"}  # zeros and gaps mean something
    else:
        short = _object(content, known)
    if content.keys() <= _ENVELOPE:
        short = {name: [] for name in _inner(content, "_embedded")} | short | _place(content)
    if resource in _OF_CUSTOMERS or any(name in short for name in _THEIRS):
        short[UNTRUSTED] = True
    return short


def _object(content: dict[str, Any], known: _Known) -> dict[str, Any]:
    if 1 < len(content) <= len(_PERSON) and content.keys() <= _PERSON:
        return _person(content, known)
    short: dict[str, Any] = {}
    for name, value in content.items():  # lists have thousands of these
        if name in _LEFT_OUT:
            continue
        kind = type(value)
        if not value:
            if kind not in _NUMBERS or name in _ZERO_IS_NOBODY:
                continue
        elif kind is dict or kind is list:
            value = _object(value, known) if kind is dict else _list(value, known)
            if not value:
                continue
        if name in _USUAL and value == _USUAL[name]:
            continue
        short[name] = value
    if "_embedded" in content and (embedded := _inner(content, "_embedded")):
        short |= _embedded(embedded, known)
    if "primaryCustomer" in short:
        _shorten_conversation(short)
    elif "body" in short and isinstance(body := short["body"], str):
        short["body"] = readable(body)
    if "source" in short and (source := _inner(short, "source").get("type")):
        short["source"] = source  # from which side is told by who created it
    if "primaryCustomer" in short or "rating" in short or short.get("type") in _BY_CUSTOMERS:
        short[UNTRUSTED] = True
    return short


def _inner(content: dict[str, Any], name: str) -> dict[str, Any]:
    """An object within an object; a remote desk may have something else there."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _list(content: list[Any], known: _Known) -> list[Any]:
    return [_object(one, known) if type(one) is dict else one for one in content]


def _embedded(content: dict[str, Any], known: _Known) -> dict[str, Any]:
    """What is embedded stands beside the rest; of a list that comes under two spellings, one is enough."""
    short = _object(content, known)
    return {name: value for name, value in short.items() if "-" not in name or name.replace("-", "_") not in short}


def _person(content: dict[str, Any], known: _Known) -> dict[str, Any]:
    """Who somebody is: in full the first time, later by id and name."""
    short = {"id": content.get("id")}
    name = f"{content.get('first') or ''} {content.get('last') or ''}".strip()
    if name:
        short["name"] = name
    who, kind = str(short["id"]), content.get("type")
    if who not in known or kind not in (None, known[who]):
        short |= {field: content[field] for field in ("type", "email") if content.get(field)}
        known.setdefault(who, kind)
    return short


def _shorten_conversation(short: dict[str, Any]) -> None:
    """Say once what a conversation says twice."""
    if "closedByUser" in short:
        short.pop("closedBy", None)
    if "tags" in short:
        short["tags"] = [one.get("tag") if isinstance(one, dict) else one for one in short["tags"]]
    for field in short.get("customFields", ()):
        if isinstance(field, dict) and field.get("text") == field.get("value"):
            field.pop("text", None)


def _place(content: dict[str, Any]) -> dict[str, Any]:
    """Which part of a list this is, and how to go on."""
    page = _inner(content, "page")
    if page:
        return {"page": page.get("number"), "pages": page.get("totalPages"), "total": page.get("totalElements")}
    onward = str(_inner(_inner(content, "_links"), "next").get("href"))
    cursor = parse_qs(urlsplit(onward).query).get("cursor")
    return {"next_cursor": cursor[0]} if cursor else {}
