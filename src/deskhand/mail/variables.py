"""Variables in signatures, saved replies and automatic answers.

Such as `{%user.firstName%}` and `{%customer.firstName,fallback=there%}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape

NAMES = (
    *("user.firstName", "user.lastName", "user.fullName", "user.email"),
    *("customer.firstName", "customer.lastName", "customer.fullName", "customer.email"),
    *("mailbox.name", "mailbox.email", "conversation.number", "conversation.subject"),
)
"""The variables there are. Any other is left as it stands, so that a slip of the pen can be seen."""

_VARIABLE = re.compile(r"\{%\s*([A-Za-z.]{1,40})\s*(?:,\s*fallback=([^%{}]{0,200}))?%\}")


def people(kind: str, first: str | None, last: str | None, email: str | None) -> dict[str, str]:
    """The variables about a user or a customer."""
    first, last = first or "", last or ""
    return {
        f"{kind}.firstName": first,
        f"{kind}.lastName": last,
        f"{kind}.fullName": f"{first} {last}".strip(),
        f"{kind}.email": email or "",
    }


def filled(html: str, values: Mapping[str, str]) -> str:
    """HTML with its variables replaced; what is not known of somebody by the fall-back, or by nothing."""
    return _replaced(html, {name: escape(value) for name, value in values.items()})


def filled_line(text: str, values: Mapping[str, str]) -> str:
    """As `filled`, for a text that is no HTML."""
    return unescape(_replaced(escape(text), {name: escape(value) for name, value in values.items()}))


def marked(html: str, values: Mapping[str, str]) -> str:
    """As `filled`, but what is not known and has no fall-back stays as it stands, marked for whoever writes on."""
    known = {name: escape(value) for name, value in values.items()}

    def replaced(found: re.Match[str]) -> str:
        return known.get(found[1]) or (found[2] or "").strip() or f"<mark>{found[0]}</mark>"

    return _VARIABLE.sub(replaced, html) if "{%" in html else html


def unfilled(text: str) -> list[str]:
    """The variables that stand in a text, each once, as they are written."""
    return list(dict.fromkeys(found[0] for found in _VARIABLE.finditer(text) if found[1] in NAMES))


def _replaced(text: str, values: Mapping[str, str]) -> str:
    if "{%" not in text:
        return text
    return _VARIABLE.sub(lambda found: _value(found, values), text)


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    known = values.get(found[1])
    return found[0] if known is None else known or (found[2] or "").strip()
