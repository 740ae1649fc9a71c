"""HTML as plain text that keeps its shape: the other half of a mail for readers that show no HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

# Every alternative matches to the end where it is not closed, so that no text is scanned twice.
_PIECE = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<dropped>script|style|head|title)\b[^>]*>.*?(?:</(?P=dropped)\s*>|\Z)"
    r"|<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)(?P<rest>[^>]*)(?:>|\Z)|<![^>]*(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_LINK = re.compile(r"""\b(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_PARAGRAPHS = frozenset({"p", "blockquote", "ul", "ol", "table", "pre", "h1", "h2", "h3", "h4", "h5", "h6"})
_LINES = frozenset({"div", "tr", "li", "dt", "dd", "section", "article", "header", "footer"})
_DEEPEST_QUOTE = 8


def readable(html: str) -> str:
    """The text of an HTML fragment with its paragraphs, lists, quotes and links; plain text keeps its lines."""
    if not _PIECE.search(html):
        lines = unescape(html).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return "\n".join(line.rstrip() for line in lines).strip("\n")
    writer = _Writer()
    at = 0
    for piece in _PIECE.finditer(html):
        writer.text(unescape(html[at : piece.start()]))
        at = piece.end()
        if piece["name"]:
            writer.tag(piece["name"].lower(), piece["rest"], ends=bool(piece["end"]))
    writer.text(unescape(html[at:]))
    return writer.done()


def says_anything(html: str) -> bool:
    """Whether the text of an HTML fragment is more than blank; quicker than `readable`, for most begin with a text."""
    at = 0
    for piece in _PIECE.finditer(html):
        if unescape(html[at : piece.start()]).strip():
            return True
        at = piece.end()
    return bool(readable(html).strip())


def looks_like_html(text: str) -> bool:
    """Whether there is any tag in a text."""
    return _PIECE.search(text) is not None


class _Writer:
    """Collects lines while the tags go by."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []  # in pieces, none of them empty
        self._quotes = 0
        self._preformatted = False
        self._numbers: list[int | None] = []  # of each open list; None: it has dots
        self._open_link = ("", 0)  # where it leads, and before how many pieces of the line it began

    def text(self, text: str) -> None:
        if self._preformatted:
            for number, line in enumerate(text.split("\n")):
                if number:
                    self._break()
                self._add(line)
            return
        text = _SPACE.sub(" ", text)
        self._add(text.lstrip(" ") if not self._line or self._line[-1].endswith(" ") else text)

    def tag(self, name: str, rest: str, *, ends: bool) -> None:
        if name == "br":
            self._break()
        elif name == "hr":
            self._paragraph()
            self._add("-" * 20)
            self._paragraph()
        elif name == "a":
            self._link(rest, ends=ends)
        elif name == "img" and (source := _address(rest)):
            self._add(f"[{source}]")
        elif name in ("td", "th") and ends:
            self._add(" ")
        elif name in _PARAGRAPHS:
            self._around(name, ends=ends)
        elif name in _LINES:
            self._new_line()
            if name == "li" and not ends:
                self._line = list(self._bullet())

    def done(self) -> str:
        self._new_line()
        return _BLANK_LINES.sub("\n\n", "\n".join(self._lines)).strip("\n")

    def _around(self, name: str, *, ends: bool) -> None:
        if name in ("ul", "ol") and len(self._numbers) > int(ends):
            self._new_line()  # a list within a list
        elif name == "blockquote" and ends:
            self._end_quote()
        else:
            self._paragraph()
        if name == "blockquote" and not ends:
            self._quotes = min(_DEEPEST_QUOTE, self._quotes + 1)
        elif name == "pre":
            self._preformatted = not ends
        elif name in ("ul", "ol"):
            if not ends:
                self._numbers.append(0 if name == "ol" else None)
            elif self._numbers:
                self._numbers.pop()

    def _end_quote(self) -> None:
        """The empty line behind a quote does not belong to it."""
        self._new_line()
        while self._quotes and self._lines and not self._lines[-1].strip("> "):
            self._lines.pop()
        self._quotes = max(0, self._quotes - 1)
        self._paragraph()

    def _bullet(self) -> Iterator[str]:
        if len(self._numbers) > 1:
            yield "  " * min(8, len(self._numbers) - 1)
        number = self._numbers[-1] if self._numbers else None
        if number is None:
            yield "- "
        else:
            self._numbers[-1] = number + 1
            yield f"{number + 1}. "

    def _link(self, rest: str, *, ends: bool) -> None:
        """Links do not nest: one that begins ends the one before."""
        address, began = self._open_link
        self._open_link = ("", 0) if ends else (_address(rest), len(self._line))
        if ends and address:
            shown = "".join(self._line[began:]).strip()
            if shown not in (address, address.removeprefix("mailto:")):
                self._trim()
                self._add(f" ({address.removeprefix('mailto:')})")

    def _add(self, piece: str) -> None:
        if piece:
            self._line.append(piece)

    def _trim(self) -> None:
        """Take the spaces off the line's end."""
        while self._line and not self._line[-1].strip():
            self._line.pop()
        if self._line:
            self._line[-1] = self._line[-1].rstrip()

    def _new_line(self) -> None:
        if any(map(str.strip, self._line)):
            self._break()
        else:
            self._line = []

    def _paragraph(self) -> None:
        self._new_line()
        if self._lines and self._lines[-1].strip("> "):
            self._break()

    def _break(self) -> None:
        prefix = "> " * self._quotes
        self._lines.append((prefix + "".join(self._line)).rstrip())
        self._line = []


def _address(rest: str) -> str:
    """Where a link leads, if that is of use to somebody who reads it."""
    found = _LINK.search(rest)
    address = unescape(next((one for one in found.groups() if one), "")).strip() if found else ""
    return address if address.lower().startswith(("http://", "https://", "mailto:")) else ""
