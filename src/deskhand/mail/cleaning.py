"""The HTML of a mail that came: without what could harm or follow its reader, and parted from the history below it.

lxml finds the history, nh3 has the last word on what is let through. Both are given only what they handle in bounded
time: so much text, so many elements, so deep.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote, unquote_to_bytes

import nh3
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from deskhand.lib.html_text import readable
from deskhand.mail.charsets import clean, from_base64
from deskhand.mail.pages import parted
from deskhand.mail.quoting import as_html, of_text

LONGEST_HTML = 2_000_000
"""Characters of HTML that are read as such."""
MOST_ELEMENTS = 40_000
"""Elements of a page; one with more is shown as text."""

FindPicture = Callable[[str], str]
"""The content id of the file that a `cid:` link means; empty where there is none."""

_LONGEST_TAG = 20_000
_LONGEST_ADDRESS = 4_000
_LONGEST_STYLE = 1_000
_DEEPEST_FORMAT = 8
_GROWS_TO = 6
_MOST_ENTITIES = 100_000

_TAGS = {
    *("a", "abbr", "address", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code", "dd"),
    *("del", "dfn", "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins"),
    *("kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var"),
}
_ATTRIBUTES = {
    "*": {"style", "title", "dir", "lang"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color"},
    "ol": {"start", "type"},
    "td": {"align", "valign", "colspan", "rowspan"},
    "th": {"align", "valign", "colspan", "rowspan"},
}
_STYLES = {
    *("color", "background-color", "direction", "font-style", "font-weight", "text-align", "text-decoration"),
    *("vertical-align", "white-space"),
}
_DROPPED = {
    *("script", "style", "title", "template", "noscript", "head", "object", "embed", "applet", "iframe", "frame"),
    *("svg", "math", "audio", "video", "select", "option", "textarea", "button", "input", "xml", "map"),
}
_FORMATS = frozenset({"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"})
_TAG = re.compile(r"<[^>]*>?")
_DATA = re.compile(r"""(["'])data:(image/[a-z.+-]{1,40});base64,([^"'<>]*)(["'])""", re.IGNORECASE)
_PICTURES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp", "image/bmp"})
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_TINY = re.compile(r"\s*(?:0*[01]|0*\.\d+|0+\.\d+)(?:\.0*)?\s*(?:px|pt)?\s*", re.IGNORECASE)
_SIZE = re.compile(r"(?:^|[;\s])(?:max-)?(?:width|height)\s*:([^;]{0,20})", re.IGNORECASE)
_CALL = re.compile(r"\\|(?<!rgb)(?<!rgba)(?<!hsl)(?<!hsla)\(", re.IGNORECASE)
_STYLED = re.compile(rf"(?:^|;)\s*(?:{'|'.join(sorted(_STYLES))})\s*:", re.IGNORECASE)
_TOO_DEEP = "depth"

_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    clean_content_tags=_DROPPED - {"input", "option", "map"},
    url_schemes={"http", "https", "mailto", "cid"},
    url_relative="deny",
    filter_style_properties=_STYLES,
    link_rel="noopener noreferrer",
    attribute_filter=lambda tag, name, value: _attribute(name, value),
)


def cleaned(html: str, picture: FindPicture, *, answer: bool) -> tuple[str, str, bool]:
    """What was written and the history of a mail in HTML, both clean, and whether it is shown as it was made."""
    body = _read(html)
    if body is not None:
        _tidy(body, picture)
        pages = parted(body, answer=answer)
        # Time to clean a text grows with the square of those in it.
        if sum(page.count("&") for page in pages) <= _MOST_ENTITIES:
            written, quoted = map(_clean, pages)
            if len(written) + len(quoted) <= _GROWS_TO * len(html) + 10_000:
                return written, quoted, True
    written, quoted = of_text(clean(readable(html[:LONGEST_HTML])), answer=answer)
    return as_html(written), as_html(quoted), False


def without_data(html: str, most: int, first: int) -> tuple[str, list[tuple[str, bytes]]]:
    """The page with a `cid:` link wherever a picture stood in the HTML itself, and those pictures with their type.

    `first` is the number of the first of them, see `data_id`.
    """
    taken: list[tuple[str, bytes]] = []

    def take(found: re.Match[str]) -> str:
        kind = found[2].lower()
        if kind not in _PICTURES or len(taken) >= most:
            return f"{found[1]}{found[4]}"
        taken.append((kind, from_base64(unquote_to_bytes(found[3]))))
        return f"{found[1]}cid:{data_id(first + len(taken) - 1)}{found[4]}"

    return (_DATA.sub(take, html) if "data:image/" in html else html), taken


def data_id(number: int) -> str:
    """What a picture that stood in the HTML itself is called."""
    return f"picture-{number}@deskhand.invalid"


def _read(html: str) -> HtmlElement | None:
    """The page's body; None for one that only a hostile program makes."""
    if len(html) > LONGEST_HTML or html.count("<") > 2 * MOST_ELEMENTS:
        return None
    if max(map(len, _TAG.findall(html)), default=0) > _LONGEST_TAG:
        return None
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        page = document_fromstring(f"<html><body>{html}".encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return None
    too_deep = any(_TOO_DEEP in entry.message for entry in parser.error_log)
    found = page.find("body")
    return None if too_deep or found is None else found


def _clean(html: str) -> str:
    return _CLEANER.clean(html).strip()


def _attribute(name: str, value: str) -> str | None:
    """An attribute as it is let through; which styles there may be is looked at after this."""
    if name == "style":
        return ";".join(one for one in value.split(";") if not _CALL.search(one))
    if name not in ("src", "href"):
        return value
    good = ("https://", "cid:") if name == "src" else ("https://", "http://", "mailto:")
    return value if value.strip().lower().startswith(good) else None


def _tidy(body: HtmlElement, picture: FindPicture) -> None:
    """Take out what is not to be seen; bound how deep formats lie in each other, which readers of HTML multiply."""
    for one in list(body.iter(etree.Element)):
        if one is body:
            continue
        tag = one.tag if isinstance(one.tag, str) else ""
        style = one.get("style") or ""
        if tag in _DROPPED or _HIDDEN.search(style[:_LONGEST_STYLE]):
            one.drop_tree()
        elif tag == "img":
            _tidy_picture(one, picture)
        else:
            if style and (len(style) > _LONGEST_STYLE or not _STYLED.search(style)):
                del one.attrib["style"]
            if len(one.get("href") or "") > _LONGEST_ADDRESS:
                del one.attrib["href"]
    depth = 0
    for event, one in list(etree.iterwalk(body, events=("start", "end"))):
        if one.tag in _FORMATS:
            depth += 1 if event == "start" else -1
            if event == "end" and depth >= _DEEPEST_FORMAT:
                one.tag = "span"
                one.attrib.clear()


def _tidy_picture(one: HtmlElement, picture: FindPicture) -> None:
    """Pictures that came along are called by their one name; those that only count readers go."""
    source = (one.get("src") or "").strip()
    if source[:4].lower() == "cid:":
        known = picture(unquote(source[4:])) or picture(source[4:])
        source = f"cid:{known}" if known else ""
    elif source[:8].lower() != "https://" or len(source) > _LONGEST_ADDRESS or _counts(one):
        source = ""
    if source:
        one.set("src", source)
    else:
        one.tail = (one.get("alt") or "")[:200] + (one.tail or "") if not _counts(one) else one.tail
        one.drop_tree()


def _counts(one: HtmlElement) -> bool:
    """Whether a picture is too small to be seen: it tells its sender only that the mail is being read."""
    styled = _SIZE.findall((one.get("style") or "")[:_LONGEST_STYLE])
    return any(_TINY.fullmatch(size or "") for size in (one.get("width"), one.get("height"), *styled))
