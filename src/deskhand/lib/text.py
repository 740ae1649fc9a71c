"""Plain text from HTML and from names: previews, folding for comparison, initials."""

from __future__ import annotations

import re
import unicodedata
from html import unescape

PREVIEW_LENGTH = 185
"""Characters of a conversation's preview. Source: the v1 documentation of the same field."""

# A tag ends at its bracket or with the text, so that none, however long or unclosed, is scanned more than once.
_DROPPED = re.compile(r"<(script|style|head|title)\b[^>]*(?:>|\Z).*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(?:/?[a-zA-Z]|!)[^>]*(?:>|\Z)")
_SPACE = re.compile(r"\s+")


def plain(html: str) -> str:
    """The readable text of an HTML fragment on one line; plain text passes through."""
    if "<" in html:
        html = _TAG.sub(" ", _DROPPED.sub(" ", html))
    if "&" in html:
        html = unescape(html)
    return _SPACE.sub(" ", html).strip()


def preview(html: str) -> str:
    """The first characters of a message as shown in lists."""
    # Ten times the length holds enough text under any ordinary markup and bounds the work for a 10 MB body.
    return plain(html[: PREVIEW_LENGTH * 20])[:PREVIEW_LENGTH].rstrip()


_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/blockquote|/h[1-6])\b[^>]*(?:>|\Z)|\r?\n\s*\r?\n", re.IGNORECASE)


def paragraphs(html: str) -> list[str]:
    """The readable text of an HTML fragment, a text per paragraph or line."""
    return [text for piece in _BREAK.split(_DROPPED.sub(" ", html)) if piece and (text := plain(piece))]


def beginning(text: str) -> str:
    """A LIKE pattern, escaped by a backslash, for texts that begin so."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def containing(text: str) -> str:
    """A LIKE pattern, escaped by a backslash, for texts that have it anywhere."""
    return "%" + beginning(text)


SORT_KEY_LENGTH = 100


def sort_key(text: str) -> str:
    """By what texts are sorted, whatever the case. It is short, because an index entry has to be."""
    return fold(text)[:SORT_KEY_LENGTH]


def fold(text: str) -> str:
    """A form in which texts that people take for equal are equal, whatever case or composition."""
    return unicodedata.normalize("NFKC", text).casefold()
