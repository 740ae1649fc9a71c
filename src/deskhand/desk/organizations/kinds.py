"""The kinds of value that properties of customers and organizations hold, and how each is checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from deskhand.catalogue.problems import BadRequest, empty, invalid, shown

TEXT_MOST = 255
URL_MOST = 2_000

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_LABEL = r"[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+{_LABEL}")


def checked(type: str, given: Any, path: str) -> str:
    """A value as it is stored, for a property of this type; raises BadRequest that names `path`.

    Dropdowns are not for this: their values are among the options.
    """
    return _CHECKS[type](given, path)


def is_host(text: str) -> bool:
    """Whether a text can be the name of a host or domain, such as `northwind.example`."""
    return _HOST.fullmatch(text) is not None


def required_text(given: Any, path: str, most: int = TEXT_MOST) -> str:
    """A text that is not empty; raises BadRequest that names `path`."""
    if not isinstance(given, str):
        raise invalid(path, "must be a string", "Size", shown(given))
    if not given.strip():
        raise BadRequest(empty(path))
    if len(given) > most:
        raise invalid(path, f"must have at most {most} elements or characters", "Size", given)
    return given


def _number(given: Any, path: str) -> str:
    number = int(given) if isinstance(given, str) and _INTEGER.fullmatch(given.strip()) else given
    if isinstance(number, bool) or not isinstance(number, int):
        raise invalid(path, "must be a whole number", "Number", shown(given))
    if not -(2**63) <= number < 2**63:
        raise invalid(path, "must fit into 64 bits", "Number", shown(given))
    return str(number)


def _url(given: Any, path: str) -> str:
    """A URL, with or without its scheme: `google.com` counts. Source: properties/update."""
    text = required_text(given, path, URL_MOST).strip()
    try:
        parts = urlsplit(text if _SCHEME.match(text) else f"https://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not is_host(host) or port == 0 or re.search(r"[\s<>\"\\]", text):
        raise invalid(path, "must be a URL", "Url", text)
    return text


def _date(given: Any, path: str) -> str:
    text = required_text(given, path)
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        date.fromisoformat(text)
    except ValueError:
        raise invalid(path, "must be a date yyyy-MM-dd", "DateFormat", text) from None
    return text


_CHECKS: dict[str, Callable[[Any, str], str]] = {
    "text": required_text,
    "number": _number,
    "url": _url,
    "date": _date,
}
