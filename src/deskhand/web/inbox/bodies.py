"""What threads say, as a page may show it: whatever they hold runs nothing, loads nothing, changes nothing around it.

Pure. lxml takes a text apart and says what becomes of links, pictures and history; nh3 has the last word on what is let
through. What neither can handle in bounded time is shown as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape, unescape
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec
import nh3
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from markupsafe import Markup

from deskhand.lib.html_text import looks_like_html, readable
from deskhand.mail.pages import parted
from deskhand.mail.safe_html import literal

LONGEST = 300_000
"""Characters of a text that are shown as they were made; of a longer one the beginning is, as plain text."""
MOST_ELEMENTS = 15_000
DEEPEST = 100
"""How deep elements may lie in each other: browsers take a page apart that is a few times as deep."""
DATA_LONGEST = 64_000
"""Characters of a picture that stands in the text itself."""

_CACHED = 40_000
_LONGEST_AS_TEXT = 100_000
_TAGS = {
    *("a", "abbr", "address", "b", "bdi", "big", "blockquote", "br", "caption", "center", "cite", "code", "dd", "del"),
    *("details", "dfn", "div", "dl", "dt", "em", "hr", "i", "img", "ins", "kbd"),
    *("li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "summary", "sup"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr"),
}
_ATTRIBUTES = {
    "*": {"dir", "lang"},
    "a": {"href", "target", "title"},
    "img": {"src", "alt", "width", "height", "loading", "referrerpolicy"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_CLASSES = {"span": {"remote", "leads"}, "details": {"quoted"}, "img": {"inline"}}
_DROPPED = {
    *("script", "style", "title", "template", "noscript", "head", "object", "embed", "applet", "iframe", "frame"),
    *("frameset", "svg", "math", "audio", "video", "canvas", "select", "textarea", "button", "xml", "meta", "link"),
    *("base", "noembed", "noframes", "plaintext", "xmp", "listing", "marquee", "dialog", "portal"),
}
_LAST = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    clean_content_tags=_DROPPED,
    url_schemes={"http", "https", "mailto", "tel", "data"},
    url_relative="pass_through",
    link_rel="noopener noreferrer nofollow",
    allowed_classes=_CLASSES,
    attribute_filter=lambda tag, name, value: _last_look(tag, name, value),
)
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]+", re.IGNORECASE)
_OWN_FILE = re.compile(r"/attachments/[0-9]{1,19}")
_NUMBER = re.compile(r"[0-9]{1,4}(?:px)?")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_UNSEEN = re.compile("[\x00-\x20\x7f-\xa0\u200b-\u200f\u2060\ufeff]")
_HOST = re.compile(
    r"\s*(?:https?://)?(?:[^\s/@]*@)?((?:[\w-]{1,63}\.)+[^\W\d_][\w-]{1,62})(?=[/:?#\s.,;)]|\Z)", re.IGNORECASE
)
_LINK = re.compile(
    r"\b(https?://[^\s<>\"']{3,2000}|www\.[^\s<>\"']{3,2000}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+)",
    re.IGNORECASE,
)
_CUT = "[…] The rest is too long to be shown here."


class Body(msgspec.Struct, frozen=True):
    """What a thread says. `quoted` is what it repeats of earlier messages; `remote`: so many pictures left out."""

    html: Markup
    quoted: Markup
    remote: int


def body(text: str, quoted: str = "", *, files: Mapping[str, int] | None = None, images: bool = False) -> Body:
    """A text, HTML or plain, and the history that has been parted from it already, if there is any.

    `files` has the pictures that came along, by the name under which the text shows them. `images`: also those are
    shown that lie elsewhere.
    """
    given = tuple(sorted((files or {}).items()))
    make = _kept if len(text) + len(quoted) <= _CACHED else _body
    return make(text, quoted, given, images)


def _body(text: str, quoted: str, files: tuple[tuple[str, int], ...], images: bool) -> Body:
    if not looks_like_html(literal(text[:LONGEST])):
        said, history, remote = _paragraphs(unescape(text[: LONGEST + 1])), "", 0
    else:
        made = _Reader(dict(files), images)
        said, history = made.both(text, part=not quoted)
        remote = made.remote
    if quoted:
        reader = _Reader(dict(files), images)
        history, _ = reader.both(quoted, part=False)
        remote += reader.remote
    return Body(Markup(said), Markup(history), remote)


_kept = lru_cache(maxsize=512)(_body)


class _Reader:
    """Reads one text; counts the pictures that it would load from elsewhere."""

    def __init__(self, files: Mapping[str, int], images: bool) -> None:
        self._files, self._images = files, images
        self.remote = 0

    def both(self, html: str, *, part: bool) -> tuple[str, str]:
        """What was written, and with `part` the history below it."""
        page = _read(html)
        if page is not None:
            self._tidy(page)
            written, history = parted(page, answer=part)
            shown = _stable(written)
            if shown is not None and (below := _stable(history)) is not None:
                return shown, below
        self.remote = 0
        cut = len(html) > _LONGEST_AS_TEXT
        return _paragraphs(readable(html[:_LONGEST_AS_TEXT]) + (f"\n\n{_CUT}" if cut else "")), ""

    def _tidy(self, page: HtmlElement) -> None:
        for one in list(page.iter(etree.Element)):
            tag = one.tag if isinstance(one.tag, str) else ""
            if one is page:
                one.attrib.clear()
            elif tag in _DROPPED or _HIDDEN.search((one.get("style") or "")[:1_000]) or one.get("hidden") is not None:
                one.drop_tree()
            elif tag == "img":
                self._picture(one)
            elif tag == "a":
                _link(one)
            elif tag in ("details", "summary"):
                one.tag = "div"
            elif tag in _HEADINGS:
                _embolden(one)
            if tag not in ("img", "a", "blockquote"):
                _only(one, "dir", "lang", "start", "colspan", "rowspan", *_MARKS)

    def _picture(self, one: HtmlElement) -> None:
        source = (one.get("src") or "").strip()
        lowered = source[:8].lower()
        words = _DIRECTIONS.sub("", one.get("alt") or "")[:200]
        if lowered.startswith("cid:"):
            id = self._files.get(unquote(source[4:])) or self._files.get(source[4:])
            self._show(one, f"/attachments/{id}" if id else "", words)
        elif lowered.startswith("data:"):
            self._show(one, source if len(source) <= DATA_LONGEST and _PICTURE.fullmatch(source) else "", words)
        elif not lowered.startswith(("http://", "https://")) or len(source) > 2_000 or _counts(one):
            self._show(one, "", words)
        elif self._images:
            self.remote += 1
            self._show(one, source, words)
        else:
            self.remote += 1
            one.tag = "span"
            one.attrib.clear()
            one.set("class", "remote")
            one.text = words or "image"

    def _show(self, one: HtmlElement, source: str, words: str) -> None:
        sizes = {
            name: value for name in ("width", "height") if _NUMBER.fullmatch(value := (one.get(name) or "").strip())
        }
        if not source:
            one.tail = words + (one.tail or "")
            one.drop_tree()
            return
        one.attrib.clear()
        one.set("src", source)
        one.set("alt", words)
        one.set("class", "inline")
        one.set("loading", "lazy")
        one.set("referrerpolicy", "no-referrer")
        for name, value in sizes.items():
            one.set(name, value.removesuffix("px"))


_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def _embolden(one: HtmlElement) -> None:
    """A heading is none among those of the page: whoever goes from heading to heading goes from message to message."""
    one.tag = "p"
    strong = HtmlElement()
    strong.tag = "strong"
    strong.text, one.text = one.text, None
    strong.extend(list(one))
    one.append(strong)


_MARKS = ("class", "id", "name", "type", "cite", "fairemail")
"""By these `parted` knows history; nothing of them passes the last look."""


def _read(html: str) -> HtmlElement | None:
    """The page's body; None for one that only a hostile program makes."""
    if len(html) > LONGEST or html.count("<") > 2 * MOST_ELEMENTS or html.count("&") > 50_000:
        return None
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    source = _WHOLE.sub("", _UNFIT.sub("", literal(html)))
    try:
        page = document_fromstring(f"<html><body>{source}".encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    found = page.find("body")
    return (
        None if found is None or _too_deep(found) or any("depth" in one.message for one in parser.error_log) else found
    )


_WHOLE = re.compile(r"</?(?:html|body|article|section|main)\b[^>]*>", re.IGNORECASE)
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def _too_deep(page: HtmlElement) -> bool:
    depth = 0
    for event, _ in etree.iterwalk(page, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST:
            return True
    return False


def _stable(html: str) -> str | None:
    """Clean HTML that reads the same when it is read again, as a browser does; None where it never will."""
    for _ in range(3):
        clean = _LAST.clean(html)
        if clean == html:
            return clean.strip()
        html = clean
    return None


def _last_look(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if _OWN_FILE.fullmatch(value) or _PICTURE.fullmatch(value) or _is_remote(value) else None
    if name == "href":
        return value if value.lower().startswith(("http://", "https://", "mailto:", "tel:")) else None
    if name in ("width", "height", "start"):
        return value if value.isascii() and value.isdigit() and len(value) <= 4 else None
    if name in ("colspan", "rowspan"):
        return value if value.isascii() and value.isdigit() and 0 < int(value[:4]) <= 50 else None
    if name == "dir":
        return value if value.lower() in ("ltr", "rtl", "auto") else None
    if name == "target":
        return "_blank"
    return value


def _is_remote(address: str) -> bool:
    return address.lower().startswith(("https://", "http://"))


def _only(one: HtmlElement, *names: str) -> None:
    for name in list(one.attrib):
        if name not in names:
            del one.attrib[name]


def _counts(one: HtmlElement) -> bool:
    """Whether a picture is too small to be seen: it tells its sender only that the message is being read."""
    return any((one.get(name) or "").strip().removesuffix("px") in ("0", "1") for name in ("width", "height"))


# -- Links


def _link(one: HtmlElement) -> None:
    """A link that leads out, and says where to if its text says otherwise."""
    address = _UNSEEN.sub("", one.get("href") or "")
    one.attrib.clear()
    parts = _split(address)
    if parts is None or len(address) > 4_000:
        one.tag = "span"
        return
    one.set("href", address)
    one.set("target", "_blank")
    if parts.scheme in ("http", "https") and _leads_astray("".join(one.itertext())[:500], parts):
        host = etree.SubElement(one, "span")
        host.set("class", "leads")
        host.text = f" → {_plain_host(parts)}"


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https"):
            return parts if parts.hostname else None
    except ValueError:
        return None
    return parts if parts.scheme in ("mailto", "tel") and parts.path else None


def _leads_astray(text: str, parts: SplitResult) -> bool:
    """Whether a link looks as if it led elsewhere, or to a host that is not to be recognised."""
    host = (parts.hostname or "").removeprefix("www.")
    if parts.username or parts.password or "xn--" in host or not host.isascii() or _is_number(host):
        return True
    said = _HOST.match(_DIRECTIONS.sub("", text))
    if said is None or "@" in text.split("/", 1)[0] and "://" not in text:
        return False
    named = said[1].lower().removeprefix("www.")
    return named != host and not host.endswith("." + named)


def _is_number(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit() or host.startswith("0x")


def _plain_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return host.encode("ascii", "backslashreplace").decode()


# -- Plain text


def _paragraphs(text: str) -> str:
    """Plain text with its paragraphs and lines, and links where it names any."""
    cut = len(text) > LONGEST
    pieces = re.split(r"\n[ \t]*\n+", text[:LONGEST].replace("\r\n", "\n").strip("\n")) + ([_CUT] if cut else [])
    shown = ("<br>\n".join(_linked(line) for line in piece.split("\n")) for piece in pieces if piece.strip())
    return "\n".join(f"<p>{one}</p>" for one in shown)


def _linked(line: str) -> str:
    made, at = [], 0
    for found in _LINK.finditer(line):
        address = found[0].rstrip(".,;:!?)]}»”’")
        made += [_spaced(line[at : found.start()]), _anchor(address)]
        at = found.start() + len(address)
    return "".join([*made, _spaced(line[at:])])


def _anchor(address: str) -> str:
    lowered = address.lower()
    href = address if "://" in lowered else f"https://{address}" if lowered.startswith("www.") else f"mailto:{address}"
    parts = _split(href)
    if parts is None:
        return escape(address)
    leads = ""
    if parts.scheme != "mailto" and _leads_astray(address, parts):
        leads = f'<span class="leads"> → {escape(_plain_host(parts))}</span>'
    rel = 'target="_blank" rel="noopener noreferrer nofollow"'
    return f'<a href="{escape(href)}" {rel}>{escape(address)}{leads}</a>'


def _spaced(text: str) -> str:
    return escape(_UNFIT.sub("", text), quote=False).replace("  ", "&nbsp; ")


def one_line(text: str) -> str:
    """A name or subject without characters that turn the direction of what stands around it."""
    return _DIRECTIONS.sub("", text)
