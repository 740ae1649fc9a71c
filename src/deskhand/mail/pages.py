"""A page as lines, so that the history in it is found as it is in text, and as two pages: without it, and only it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from lxml import etree
from lxml.html import HtmlElement

from deskhand.mail.quoting import Line, Mark, Quoted, history

_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figure",
        "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li", "main", "nav", "ol", "p", "pre",
        "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "body",
    }
)  # fmt: skip
_KEPT_EMPTY = frozenset({"br", "hr", "img", "td", "th", "tr", "tbody", "body"})
_SPACE = re.compile(r"[ \t\r\n\f\xa0\u200b-\u200f\u2060\ufeff\u00ad]+")

# What mail programs call the elements that hold the history, or stand before it.
_ATTRIBUTIONS = re.compile(r"gmail_attr|moz-cite-prefix|gmail_quote|protonmail_quote|zmail_extra(?!_hr)")
_RESTS = re.compile(r"divrplyfwdmsg|appendonsend|olk_src_body_section|outlookmessageheader")
_WHOLES = re.compile(r"yahoo_quoted|mail-editor-reference-message|ms-outlook-mobile-reference")
_CITES = re.compile(r"gmail_quote|protonmail_quote|blockquote_zmail|yahoo_quoted|tutanota_quote")


def parted(body: HtmlElement, *, answer: bool) -> tuple[str, str]:
    """What was written and the history, as HTML that is not clean yet; changes the page it is given."""
    seen = _look(body)
    start, end = history(seen.lines) if answer else (0, 0)
    inside = [start <= number < end for number in range(len(seen.lines))]
    copy = deepcopy(body) if start < end else None
    written = _only(body, seen, _trimmed(seen, [not one for one in inside]))
    return written, "" if copy is None else _only(copy, seen, _trimmed(seen, inside))


@dataclass(slots=True)
class _Seen:
    """A page as lines. `places` tells of each text and each empty element in which line it stands."""

    lines: list[Line] = field(default_factory=lambda: [Line("")])
    places: list[tuple[int, str, int]] = field(default_factory=list)
    pending: Mark = ""
    quotes: list[Quoted] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)
    _begun: bool = False

    def text(self, number: int, slot: str, text: str | None) -> None:
        if not text:
            return
        self.places.append((number, slot, len(self.lines) - 1))
        if text.strip(" \t\r\n\f"):
            self._touch()
        self._pieces.append(text)

    def empty_element(self, number: int, tag: str) -> None:
        if tag == "hr":
            self.break_line()
            self.lines[-1].mark = "rule"
        self.places.append((number, "element", len(self.lines) - 1))
        if tag == "img":
            self._touch()
            self.lines[-1].picture = True
        else:
            self.break_line(always=True)

    def break_line(self, *, always: bool = False) -> None:
        line = self.lines[-1]
        line.text = _SPACE.sub(" ", "".join(self._pieces)).strip()
        if line.text.startswith(">") and not line.quoted:
            line.quoted = "maybe"  # text that a program has only put line breaks into
        if always or line.text or line.picture or line.mark == "rule":
            self.lines.append(Line("", self._quoted()))
        self._pieces, self._begun = [], False

    def _touch(self) -> None:
        """Something to be seen goes into the line: only now it is clear whether it is quoted."""
        line = self.lines[-1]
        if not self._begun:
            self._begun = True
            line.quoted = self._quoted()
            if self.pending:
                line.mark, self.pending = self.pending, ""

    def _quoted(self) -> Quoted:
        return "surely" if "surely" in self.quotes else "maybe" if self.quotes else ""


def _trimmed(seen: _Seen, kept: Sequence[bool]) -> list[bool]:
    """Which lines are kept without the blank ones before and behind all others."""
    shown = [number for number, one in enumerate(seen.lines) if kept[number] and not one.blank]
    first, last = (shown[0], shown[-1]) if shown else (0, -1)
    return [one and first <= number <= last for number, one in enumerate(kept)]


def _look(body: HtmlElement) -> _Seen:
    seen = _Seen()
    numbers = {one: number for number, one in enumerate(body.iter())}
    held: dict[int, bool] = {}
    for event, one in etree.iterwalk(body, events=("start", "end")):
        number, tag = numbers[one], one.tag
        if event == "start":
            if tag in ("br", "hr", "img"):
                seen.empty_element(number, tag)
                continue
            if tag in _BLOCKS:
                seen.break_line()
            mark, quoted = _marks(one)
            seen.pending = mark or seen.pending
            if quoted:
                held[number] = True
                seen.quotes.append(quoted)
            seen.text(number, "text", one.text)
        else:
            if held.pop(number, False):
                seen.break_line()
                seen.quotes.pop()
            if tag in _BLOCKS:
                seen.break_line()
            if one is not body:
                seen.text(number, "tail", one.tail)
    seen.break_line(always=True)
    return seen


def _marks(one: HtmlElement) -> tuple[Mark, Quoted]:
    """What an element says of the lines in it."""
    names = f"{one.get('id') or ''} {one.get('class') or ''}"[:300].lower()
    if one.tag == "blockquote":
        sure = (one.get("type") or "").lower() == "cite" or one.get("cite") is not None or _CITES.search(names)
        return "", "surely" if sure else "maybe"
    if one.get("name") == "quote" or _WHOLES.search(names):
        return "attribution", "surely"
    if _RESTS.search(names):
        return "rest", ""
    if one.get("fairemail") == "reference" or _ATTRIBUTIONS.search(names):
        return "attribution", ""
    return "", ""


def _only(body: HtmlElement, seen: _Seen, kept: Sequence[bool]) -> str:
    """The page with only some of its lines."""
    elements = list(body.iter())
    gone: list[HtmlElement] = []
    for number, slot, line in seen.places:
        if kept[line]:
            continue
        if slot == "element":
            gone.append(elements[number])
        elif slot == "text":
            elements[number].text = None
        else:
            elements[number].tail = None
    for one in gone:
        _take_out(one)
    for one in reversed(elements):
        if (
            one.tag not in _KEPT_EMPTY
            and not len(one)
            and not (one.text or "").strip(" \t\r\n\f")
            or one.tag == "table"
            and not "".join(one.itertext()).strip()
            and one.find(".//img") is None
        ):
            _take_out(one)
    inner = etree.tostring(body, encoding="unicode", method="html", with_tail=False)
    return inner.removeprefix("<body>").removesuffix("</body>")


def _take_out(one: HtmlElement) -> None:
    if one.getparent() is not None:
        one.drop_tree()
