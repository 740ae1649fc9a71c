"""Colour for JSON and shell examples: the text as HTML, with keys, texts and numbers marked."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_JSON = re.compile(
    r'(?P<k>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<s>"(?:[^"\\]|\\.)*")|(?P<n>\b(?:true|false|null|-?\d[\d.]*)\b)'
)
_QUOTED = re.compile(r'(?P<k>"(?:[^"\\\n]|\\.)*")(?=:)|(?P<s>"(?:[^"\\\n]|\\.)*")')
_SLASH = re.compile(r"(?<=\w)(?=[/?&]\w)")
_HEADER = re.compile(r"^(?P<k>[A-Za-z-]+)(?=: )", re.M)


def coloured(text: str) -> Markup:
    """JSON, or header lines, as HTML."""
    return _marked(text, _JSON if text.lstrip()[:1] in ("{", "[") else _HEADER)


def quoted(text: str) -> Markup:
    """A shell command or a piece of Python as HTML, what stands in double quotes marked."""
    return _marked(text, _QUOTED)


def _marked(text: str, pattern: re.Pattern[str]) -> Markup:
    made, at = [], 0
    for match in pattern.finditer(text):
        made += [_soft(text[at : match.start()]), Markup("<i class={}>{}</i>").format(match.lastgroup, _soft(match[0]))]
        at = match.end()
    return Markup("").join([*made, _soft(text[at:])])


def _soft(text: str) -> Markup:
    """The text as HTML; addresses may be broken before a slash."""
    return Markup("<wbr>").join(escape(part) for part in _SLASH.split(text))


def ticked(text: str) -> Markup:
    """A sentence with `code` in backticks."""
    parts = [escape(part) if at % 2 == 0 else Markup("<code>{}</code>").format(part)
             for at, part in enumerate(text.split("`"))]  # fmt: skip
    return Markup("").join(parts)


def breakable(path: str) -> Markup:
    """A path that may be broken before each slash, its parameters marked."""
    pieces = [Markup("<var>{}</var>").format(one) if one.startswith("{") else escape(one) for one in path.split("/")]
    return Markup("<wbr>/").join(pieces)
