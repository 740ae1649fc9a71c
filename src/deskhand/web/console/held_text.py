"""The text of a call that waits, as a person reads and changes it: of plain markup they see nothing."""

from __future__ import annotations

import re
from html import escape, unescape

import msgspec
import nh3
from markupsafe import Markup

# No piece of a text is looked at more than once: an agent wrote it.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s[^<>]*)?/?)>|<!")
_PLAIN_TAGS = {"p", "br", "div"}
_LINK_ONLY = re.compile(r'href="[^"<>]*"')
_ATTRIBUTE = r'[a-zA-Z][a-zA-Z-]*="[^"<>]*"'
_PICTURE = re.compile(rf"{_ATTRIBUTE}(?:\s+{_ATTRIBUTE})*")
_PICTURES = re.compile(r"<img(?=[\s/>])[^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-zA-Z]+|#[0-9]+|#x[0-9a-fA-F]+);")
_EDITED_TAGS = {
    *("a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "hr", "i", "li", "ol", "p", "pre", "s"),
    *("strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"),
}
"""What the editor keeps as it is."""
_CLEANER = nh3.Cleaner(
    tags={*_EDITED_TAGS, "div", "h4", "span"},
    attributes={"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
    clean_content_tags={"script", "style", "title", "template", "noscript"},
    url_schemes={"http", "https", "mailto", "tel"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


class Text(msgspec.Struct, frozen=True):
    """A text to be changed: what stands in the field, and what it would look like where that is its source."""

    written: str
    is_markup: bool = False
    """It has paragraphs, but nothing that a field could not show; what is written is made into such again."""
    is_source: bool = False
    is_rich: bool = False
    """It has formatting or pictures, all kept by the editor: with a script it is changed there, not as source."""
    looks: Markup | None = None


def editable(text: str) -> Text:
    """A text of a call as it is put into a field."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    tags = list(_TAG.finditer(text))
    if not tags and not _ENTITY.search(text):
        return Text(text)
    if all((one[2] or "!").lower() in _PLAIN_TAGS and not (one[3] or "").strip(" /") for one in tags):
        return Text(_without_markup(text), is_markup=True)
    return Text(text, is_source=True, is_rich=all(map(_edited, tags)), looks=_look(text))


def changed(text: str, written: str) -> str | None:
    """What shall be sent in place of a text, by what stands in the field now; None where that is the same."""
    before = editable(text)
    written = written.replace("\r\n", "\n")
    if written.strip() == before.written.strip():
        return None
    if not before.is_markup:
        return written
    pieces = re.split(r"\n{2,}", written.strip())
    return "".join(f"<p>{escape(piece, quote=False).replace(chr(10), '<br>')}</p>" for piece in pieces)


def _look(text: str) -> Markup:
    """What is harmless of it; that there is a picture is said in its place."""
    return Markup(_CLEANER.clean(_PICTURES.sub("[picture]", text)))


def _edited(tag: re.Match[str]) -> bool:
    """Whether the editor would leave a tag as it is, with its attributes."""
    name, attributes = (tag[2] or "!").lower(), (tag[3] or "").strip(" /\n\t")
    if name == "img":  # the editor shows where it is from, and keeps all it has
        return bool(_PICTURE.fullmatch(attributes))
    return name in _EDITED_TAGS and (not attributes or name == "a" and bool(_LINK_ONLY.fullmatch(attributes)))


def _without_markup(text: str) -> str:
    """Paragraphs and line breaks in place of their tags. Line breaks of the source mean nothing in HTML."""
    text = re.sub(r"(?<!\s)\s*\n\s*", " ", text) if _TAG.search(text) else text
    text = re.sub(r"<br\s*/?>\s*", "\n", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<!\s)\s*</div>\s*", "\n", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<!\s)\s*</p>\s*", "\n\n", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<![ \t])[ \t]*<(?:p|div)\s*/?>\s*", "", text, flags=re.IGNORECASE)
    return unescape(re.sub(r"\n{3,}", "\n\n", text)).strip()
