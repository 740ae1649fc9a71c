"""What people write in the editor, as it is kept and sent: a few kinds of formatting and nothing else.

Pictures in the text are files of the draft: the editor shows them by their address, the mail by their content id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

import nh3

from deskhand.catalogue.problems import FieldError, TooLarge
from deskhand.lib.html_text import looks_like_html, readable
from deskhand.lib.text import plain
from deskhand.mail.safe_html import safe

_TAGS = {
    *("a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "hr", "i", "img", "li", "ol", "p", "pre"),
    *("s", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"),
}
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "width", "height"}, "ol": {"start"}}
_DROPPED = {"script", "style", "title", "template", "noscript", "head", "svg", "math", "iframe", "object"}
_LINKS = {"http", "https", "mailto", "tel"}
_BLOCK = re.compile(
    r"<(/?)(?:div|section|article|header|footer|main|figure|address|center|h[4-6])\b[^>]*(?:>|\Z)", re.IGNORECASE
)
_EMPTY = re.compile(r"<p>\s*</p>")
# What a text ends with for nothing, read from its end: searched for from the beginning it would take for ever.
_LAST_TURNED = re.compile(r"(?:\s|>p/<(?:\s|;psbn&|>rb<)*>p<|>rb<)+")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b[^>]*(?:>|\Z)", re.IGNORECASE)
_ALONE = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_DEEPEST = 500
"""How deep tags may lie in each other; what is deeper takes long to read, and nobody writes it."""
OF_CONVERSATIONS, OF_FORMS = "/attachments/", "/new/files/"
"""Where the files lie that a text may show: those of threads, and those of forms that were not sent."""
_FILE_ID = re.compile(r"[0-9]{1,18}")
_PICTURE = re.compile(r'<img\b[^>]*\bsrc="cid:([^"]+)"')
_NO_PICTURE = re.compile(r"<img(?![^>]*\ssrc=)[^>]*>")
LONGEST = 500_000
"""Characters of a text; pictures are files and do not count."""


def written(html: str, text: str, pictures: Mapping[int, str] | None = None, place: str = OF_CONVERSATIONS) -> str:
    """What was written, as HTML that may be kept and sent; plain `text` where there is no `html`.

    `pictures` has the content ids of the draft's files, which lie at `place`; other pictures of ours are left out.
    Empty: nothing was said. Raises TooLarge. A long text takes up to a second: see given.text.
    """
    if max(len(html), len(text)) > LONGEST:
        raise TooLarge(FieldError("", f"the text is longer than {LONGEST:,} characters: attach it as a file", "Size"))
    made = _cleaned(html, pictures or {}, place) if html.strip() else paragraphs(text)
    return made if plain(made) or "<img" in made or "<hr" in made else ""


def paragraphs(text: str) -> str:
    """A plain text as HTML: empty lines part paragraphs, other lines stay lines."""
    pieces = [piece.strip("\n") for piece in re.split(r"\n[ \t]*\n", text.strip())]
    return "".join(f"<p>{escape(piece, quote=False).replace(chr(10), '<br>')}</p>" for piece in pieces if piece.strip())


def editable(html: str, pictures: Mapping[str, int] | None = None, place: str = OF_CONVERSATIONS) -> str:
    """A kept text as the editor shows it: cleaned, its pictures by their addresses. `pictures` is by content id."""
    known = pictures or {}
    html = html[:LONGEST]
    made = _cleaner({}, known, place).clean(_blocks(_shallow(html) if looks_like_html(html) else paragraphs(html)))
    return _EMPTY.sub("", made)


def as_text(html: str) -> str:
    """A kept text for whom there is no editor."""
    return readable(html) if looks_like_html(html) else html


def content_ids(html: str) -> set[str]:
    """The pictures that a text shows."""
    return {found[1] for found in _PICTURE.finditer(html)}


def _cleaned(html: str, pictures: Mapping[int, str], place: str) -> str:
    made = _cleaner(pictures, {}, place).clean(_blocks(_shallow(html)))
    return safe(_ended(_EMPTY.sub("", _NO_PICTURE.sub("", made))))


def _ended(html: str) -> str:
    """A text without empty lines at its end."""
    found = _LAST_TURNED.match(html[::-1])
    return html[: len(html) - found.end()] if found else html


def _shallow(html: str) -> str:
    """A text as it is; of one whose tags lie in each other without end, what it says."""
    depth = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() not in _ALONE:
            depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > _DEEPEST:
            return paragraphs(readable(html))
    return html


def _blocks(html: str) -> str:
    """Every block as a paragraph, so that lines stay lines when tags go."""
    return _BLOCK.sub(r"<\1p>", html)


def _cleaner(by_id: Mapping[int, str], by_content_id: Mapping[str, int], place: str) -> nh3.Cleaner:
    """Pictures are renamed on the way: from their address to their content id, or back."""

    def named(tag: str, name: str, value: str) -> str | None:
        if tag != "img" or name != "src":
            return value
        found = _FILE_ID.fullmatch(value.strip().removeprefix(place))
        if found and value.strip().startswith(place):
            content_id = by_id.get(int(found[0]))
            return f"cid:{content_id}" if content_id else None
        if value.startswith("cid:"):
            file = by_content_id.get(value[4:])
            return f"{place}{file}" if file else None
        return value if value.lower().startswith("https://") else None

    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags=_DROPPED,
        url_schemes=_LINKS | {"cid"},
        link_rel=None,
        attribute_filter=named,
    )
