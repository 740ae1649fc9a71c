"""HTML that goes out, by an allow-list: what was written here by people or by programs, and what customers wrote."""

from __future__ import annotations

import re

import nh3

_STYLES = frozenset(
    f"{one}{suffix}"
    for one, suffixes in {
        "background-color": ("",),
        "border": ("", "-top", "-right", "-bottom", "-left", "-color", "-style", "-width", "-radius", "-collapse"),
        "color": ("",),
        "direction": ("",),
        "font": ("", "-family", "-size", "-style", "-weight"),
        "height": ("",),
        "line-height": ("",),
        "list-style-type": ("",),
        "margin": ("", "-top", "-right", "-bottom", "-left"),
        "max-width": ("",),
        "padding": ("", "-top", "-right", "-bottom", "-left"),
        "text": ("-align", "-decoration", "-indent", "-transform"),
        "vertical-align": ("",),
        "white-space": ("",),
        "width": ("",),
    }.items()
    for suffix in suffixes
)
_TAGS = {
    *("a", "abbr", "address", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code", "col"),
    *("colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2"),
    *(
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
    ),
    *("span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time"),
    *("tr", "tt", "u", "ul", "var", "wbr"),
}
_ATTRIBUTES = {
    "*": {"style", "title", "dir", "lang", "align", "valign"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height", "border"},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
    "table": {"width", "border", "cellpadding", "cellspacing", "bgcolor"},
    "td": {"colspan", "rowspan", "width", "height", "bgcolor"},
    "th": {"colspan", "rowspan", "width", "height", "bgcolor"},
    "col": {"span", "width"},
    "time": {"datetime"},
}
_DROPPED = {"script", "style", "title", "template", "noscript"}
_LINKS = {"http", "https", "mailto", "tel", "sms"}
# What else there is in HTML, so that a < before any other word is known to be meant as it stands.
_OTHERS = (
    "acronym applet area article aside audio base basefont bgsound blink body button canvas datalist dialog dir embed"
    " fieldset footer form frame frameset g head header hgroup html iframe image input label legend link listing main"
    " map marquee math menu meta meter nav nobr noembed noframes object optgroup option output param path picture"
    " plaintext progress rb rp rt rtc ruby search section select slot source svg textarea track use video xml xmp"
)
_NO_TAG = re.compile(
    r"<(?!/?(?:" + "|".join(sorted(_TAGS | _DROPPED | set(_OTHERS.split()))) + r")(?:[\s/>]|\Z)"
    r"|/?(?!https?:|mailto:|tel:|ftp:)[a-z][a-z0-9]{0,20}:[a-z]|!--|!doctype|!\[|\?xml)",
    re.IGNORECASE,
)

_OWN = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    clean_content_tags=_DROPPED,
    url_schemes=_LINKS | {"cid", "data"},
    filter_style_properties=set(_STYLES),
    link_rel=None,
    attribute_filter=lambda tag, name, value: None if _leads_astray(tag, name, value) else value,
)
_QUOTED = nh3.Cleaner(
    tags=_TAGS - {"img"},
    attributes=_ATTRIBUTES,
    clean_content_tags=_DROPPED,
    url_schemes=_LINKS,
    url_relative="deny",
    filter_style_properties=set(_STYLES),
    link_rel=None,
)


def safe(html: str) -> str:
    """What somebody here wrote as it may be sent: balanced, without scripts, forms, frames and hidden tricks."""
    return _OWN.clean(html)


def quotable(html: str) -> str:
    """What was said before as it may be repeated in an answer: as `safe`, and without pictures."""
    return _QUOTED.clean(html)


def literal(text: str) -> str:
    """HTML in which every < that begins no tag stands for itself, as in `<ada@desk.example>` or `<https://…>`."""
    return _NO_TAG.sub("&lt;", text)


def _leads_astray(tag: str, name: str, value: str) -> bool:
    """Data as a link would be a page of its own; as a picture it is one."""
    if name not in ("href", "src") or not value.lstrip().lower().startswith("data:"):
        return False
    return tag != "img" or not value.lstrip().lower().startswith("data:image/")
